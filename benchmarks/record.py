"""Milliseconds that recording adds to a trial: `python -m benchmarks.record [--trials 60] [--rounds 3]`.

The same search runs without a record, with the deprecated callback of optuna-integration and with ours, on a
SQLite file and on an HTTP server, each in a process of its own and in turn, on one worker that computes in plain
Python, which is the hardest case for a recording thread. A trial has 15 parameters, 10 metrics and 10 reports; the
deprecated callback writes the metrics as one tag and the reports not at all. The medians of the rounds are printed:

    in the callback   how long the evaluating thread is inside the callback
    search            by how much the search took longer
    CPU               by how much the process computed longer, until all was recorded
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import optuna

PARAMS, METRICS, REPORTS = 15, 10, 10
LOOPS = 300_000
"""Of an addition: some 20 ms."""
WARM_UP = 5
FLUSH_SECONDS = 600
KINDS = ("none", "stock", "ours")
Figures = dict[str, float]


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    flags = parser.parse_args(argv)
    if flags.measure:
        print(json.dumps(_measure(flags.measure[0], flags.measure[1], flags.trials)))
        return 0
    from storage.record.mlflow_schema import ensure_schema
    from tests.storage_tests.servers import serve

    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder, "template.db")
        ensure_schema(template)
        with serve(Path(folder), template) as server:
            for name, address in {"SQLite": "", "HTTP server": server}.items():
                _print_table(name, _rounds(address, flags.trials, flags.rounds))
    return 0


def _rounds(address: str, trials: int, rounds: int) -> Mapping[str, Figures]:
    """Returns for each kind the medians of its figures, milliseconds a trial."""
    figures: dict[str, list[Figures]] = defaultdict(list)
    for _ in range(rounds):
        for kind in KINDS:
            figures[kind].append(_in_process(kind, address, trials))
    return {
        kind: {name: median(figure[name] for figure in some) for name in some[0]}
        for kind, some in figures.items()
    }


def _in_process(kind: str, address: str, trials: int) -> Figures:
    command = [sys.executable, "-m", "benchmarks.record", "--trials", str(trials)]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 - this module itself
            [*command, "--measure", kind, address],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            check=True,
        )
    # Before it are MLflow's own lines, about each run of the deprecated callback.
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def _measure(kind: str, address: str, trials: int) -> Figures:
    import optuna

    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        study_name=f"{kind} {os.getpid()}", sampler=optuna.samplers.RandomSampler(seed=0)
    )
    callback, flush = _callback(kind, address)
    inside: list[float] = []

    def timed(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        begun = time.perf_counter()
        callback(study, trial)
        inside.append(time.perf_counter() - begun)

    study.optimize(_objective, n_trials=WARM_UP, callbacks=[timed])
    flush()
    inside.clear()
    begun, used = time.perf_counter(), time.process_time()
    study.optimize(_objective, n_trials=trials, callbacks=[timed])
    took = time.perf_counter() - begun
    flush()
    figures = {
        "in the callback": sum(inside),
        "search": took,
        "CPU": time.process_time() - used,
    }
    return {name: 1_000 * seconds / trials for name, seconds in figures.items()}


def _callback(kind: str, address: str) -> tuple[Callable[..., None], Callable[[], object]]:
    if kind == "none":
        return lambda _study, _trial: None, lambda: None
    if kind == "stock":
        from optuna_integration import MLflowCallback as StockCallback

        return StockCallback(address or "sqlite:///mlflow.db"), lambda: None
    from storage import MLflowCallback

    ours = MLflowCallback(address or None)
    return ours, lambda: ours.flush(FLUSH_SECONDS)


def _objective(trial: optuna.Trial) -> float:
    for i in range(PARAMS):
        trial.suggest_float(f"parameter_{i}", 0, 1)
    trial.set_user_attr("metrics", {f"metric_{i}": float(i) for i in range(METRICS)})
    for step in range(REPORTS):
        trial.report(step, step)
    total: Any = 0
    for i in range(LOOPS):
        total += i
    return float(trial.number)


def _print_table(name: str, figures: Mapping[str, Figures]) -> None:
    print(f"{name:<16}{'stock':>10}{'ours':>10}   ms a trial{'ours / stock':>16}", flush=True)
    for line in figures["none"]:
        stock, ours = (figures[kind][line] - figures["none"][line] for kind in ("stock", "ours"))
        print(f"  {line:<16}{stock:>8.2f}{ours:>10.2f}{ours / stock:>29.3f}", flush=True)
    whole = figures["none"]["search"]
    print(f"  of a trial of {whole:.0f} ms without a record\n", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
