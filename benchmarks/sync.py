"""Times and memory of search.sync: `python -m benchmarks.sync [--trials 1000 10000]`.

Each measurement is a process of its own on a synthetic study (15 parameters, 10 metrics, a curve of 10 steps and
15 tags a trial) in a temporary folder. Memory is what the process has grown by since it began its work.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from storage.layout import Layout

Figures = dict[str, float]

STUDY = "synthetic"
WORKS = ("from empty", "nothing to do", "check", "recording")


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs=2, default=(1_000, 10_000), metavar="N")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    flags = parser.parse_args(argv)
    if flags.work:
        print(json.dumps(_measure(flags.work, Path(flags.folder))))
        return 0
    few, many = flags.trials
    with tempfile.TemporaryDirectory() as folder:
        figures = {n: _figures(n, Path(folder, str(n))) for n in (few, many)}
    print(f"{'':15}{'trials':>8}{'seconds':>10}{'ms a trial':>12}{'MB grown':>10}")
    for work in WORKS:
        for n in (few, many):
            one = figures[n][work]
            cost = 1e3 * one["seconds"] / n
            print(f"{work:15}{n:>8}{one['seconds']:>10.1f}{cost:>12.2f}{one['grown']:>10.0f}")
        ratio = figures[many][work]["seconds"] / many / (figures[few][work]["seconds"] / few)
        more = figures[many][work]["grown"] - figures[few][work]["grown"]
        print(f"{'':15}{'ratio of cost a trial':>30} {ratio:.2f}, {more:+.0f} MB from {few} to {many}")
    return 0


def _figures(n_trials: int, home: Path) -> dict[str, Figures]:
    from benchmarks.synthetic_study import make_study
    from storage.layout import Layout
    from storage.ledger import open_ledger
    from storage.record.mlflow_schema import ensure_schema, quiet_mlflow

    quiet_mlflow()
    (home / "mlruns").mkdir(parents=True)
    make_study(open_ledger(Layout(home).ledger_url), STUDY, n_trials)
    ensure_schema(home / "empty.db")
    figures = {}
    for work in WORKS:
        if work in {"from empty", "recording"}:
            for path in (home / "mlruns").glob("mlflow.db*"):
                path.unlink()
            shutil.copy(home / "empty.db", home / "mlruns" / "mlflow.db")
        figures[work] = _in_process(work, home)
    return figures


def _in_process(work: str, home: Path) -> Figures:
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    done = subprocess.run(  # noqa: S603 - this module
        [sys.executable, "-m", "benchmarks.sync", "--work", work, "--folder", str(home)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def _measure(work: str, home: Path) -> Figures:
    import mlflow.store.tracking.sqlalchemy_store
    import optuna

    from storage.layout import Layout

    assert mlflow
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    os.chdir(home)
    works: dict[str, Callable[[Layout], None]] = {
        "from empty": _sync,
        "nothing to do": _sync,
        "check": _check,
        "recording": _record,
    }
    before, begun = _megabytes(), time.monotonic()
    works[work](Layout())
    return {"seconds": time.monotonic() - begun, "grown": _peak_megabytes() - before}


def _sync(layout: Layout) -> None:
    from search.config import SyncConfig
    from search.results.synchronisation import sync

    # The files of a synthetic study's best trial cannot be made: there are no data.
    lines = [line.text for line in sync(SyncConfig(), layout)]
    assert len(lines) >= 1, lines


def _check(layout: Layout) -> None:
    from search.config import SyncConfig
    from search.results.synchronisation import check

    lines = [line.text for line in check(SyncConfig(), layout) if "files are of" not in line.text]
    assert not lines, lines[:5]


def _record(layout: Layout) -> None:
    import optuna

    from benchmarks.synthetic_study import METRIC, add_trials, make_study
    from storage.ledger import open_ledger
    from storage.ledger_trials import count_trials, finished_trials
    from storage.mlflow_callback import MLflowCallback

    ledger = open_ledger(layout.ledger_url)
    n_trials = count_trials(optuna.load_study(study_name=STUDY, storage=ledger))
    study = make_study(ledger, "recorded", 0)
    callback = MLflowCallback(layout.tracking_uri, METRIC, experiment=STUDY, layout=layout)
    callback.open(study)
    add_trials(study, 0, n_trials)
    for portion in finished_trials(study):
        for trial in portion:
            callback.record(study, trial)


def _megabytes() -> float:
    return _status("VmRSS")


def _peak_megabytes() -> float:
    return _status("VmHWM")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


if __name__ == "__main__":
    raise SystemExit(main())
