"""What worker processes gain: `python -m benchmarks.engine [--rows 20000] [--train T --test U --target C]`.

The same configurations, drawn at random and none pruned, are searched by the whole command without workers and
with two, in turn, with the record on and optuna-dashboard looking at the study. On the sample, or on data of
one's own. Trials a minute are those from the first one's start to the last one's end, for what a study comes to
after that takes a share of the search's time whatever the workers. Beside them the whole command's seconds, those of
a trial, which may be longer beside another, and the share of the workers' time that is inside trials, and inside
LightGBM's library, until the last trial's start: after it there is nothing left to begin.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from benchmarks.timed import FOLDER
from benchmarks.watched import watched

if TYPE_CHECKING:
    from collections.abc import Sequence

Figures = dict[str, float]


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", default="20000", help="of the sample")
    parser.add_argument("--trials", default="8")
    parser.add_argument("--workers", type=int, nargs="+", default=(0, 2))
    for name in ("--train", "--test", "--target"):
        parser.add_argument(name)
    parser.add_argument("--measure", type=json.loads, help=argparse.SUPPRESS)
    flags = parser.parse_args(argv)
    if flags.measure:
        print(json.dumps(_measure(flags.measure)))
        return 0
    data = [f"--{name}={value}" for name in ("train", "test", "target") if (value := getattr(flags, name))]
    search = ["--trials", flags.trials, *(data or ["--rows", flags.rows])]
    figures = {workers: _in_process([*search, "--workers", str(workers)]) for workers in flags.workers}
    print(
        f"{'workers':>8}{'command':>10}{'trials':>8}{'trials/min':>12}{'s/trial':>9}"
        f"{'in trials':>11}{'in LightGBM':>13}"
    )
    for workers, one in figures.items():
        rate = 60 * one["trials"] / one["searching"]
        print(
            f"{workers:>8}{one['seconds']:>10.1f}{one['searching']:>8.1f}{rate:>12.2f}{one['of a trial']:>9.2f}"
            f"{one['in trials']:>11.3f}{one['inside']:>13.3f}"
        )
    first, *rest = figures.values()
    for one in rest:
        print(f"ratio of trials a minute: {first['searching'] / one['searching']:.2f}")
    return 0


def _in_process(arguments: list[str]) -> Figures:
    with tempfile.TemporaryDirectory() as home:
        notes = Path(home, "notes")
        notes.mkdir()
        environment = {**os.environ, FOLDER: str(notes), "PYTHONPATH": str(Path(__file__).parents[1])}
        command = [sys.executable, "-m", "benchmarks.engine", "--measure", json.dumps(_absolute(arguments))]
        with watched(Path(home)):
            done = subprocess.run(  # noqa: S603 - this module itself
                command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True, check=True
            )
        figures: Figures = json.loads(done.stdout.splitlines()[-1])
        return figures | _shares(notes)


def _absolute(arguments: list[str]) -> list[str]:
    return [
        f"{flag}={Path(value).resolve()}" if flag in {"--train", "--test"} else argument
        for argument in arguments
        for flag, _, value in [argument.partition("=")]
    ]


def _shares(folder: Path) -> Figures:
    lines = [[json.loads(line) for line in file.read_text().splitlines()] for file in folder.iterdir()]
    begun = [note["begun"] for some in lines for note in some]
    first, last = min(begun), max(begun)
    shares = {"in trials": 0.0, "inside": 0.0}
    for note in (note for some in lines for note in some):
        seconds = max(0.0, min(note["ended"], last) - note["begun"])
        shares["in trials"] += seconds
        shares["inside"] += seconds * note["inside"] / (note["ended"] - note["begun"])
    shares = {name: value / (last - first) / len(lines) for name, value in shares.items()}
    notes = [note for some in lines for note in some]
    searching = max(note["ended"] for note in notes) - first
    return shares | {
        "of a trial": mean(note["ended"] - note["begun"] for note in notes),
        "searching": searching,
    }


def _measure(arguments: list[str]) -> Figures:
    """Runs the search; the seconds are those in which it had workers."""
    import optuna

    import objectives.base
    from search.config import SearchConfig
    from search.flags import parse_flags
    from search.loop import opening, study
    from search.loop.search import run_search
    from storage.layout import Layout

    objectives.base.OBJECTIVES["lightgbm"] = "benchmarks.timed:TimedLightGBM"
    original = study.open_study

    def open_study(*some: object, **named: object) -> optuna.Study:
        opened: optuna.Study = original(*some, **named)  # type: ignore[arg-type]
        opened.sampler = optuna.samplers.RandomSampler(seed=1)
        opened.pruner = optuna.pruners.NopPruner()
        return opened

    opening.open_study = open_study
    config = parse_flags(
        SearchConfig, [*arguments, "--objective=lightgbm"], command="run", about=""
    ).checked()
    begun = time.monotonic()
    result = run_search(config, Layout())
    return {"seconds": time.monotonic() - begun, "trials": float(len(result.study.trials))}


if __name__ == "__main__":
    raise SystemExit(main())
