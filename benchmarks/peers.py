"""Our whole command beside others' at the same wall clock: `python -m benchmarks.peers --data FOLDER --bench FOLDER`.

For each data set and budget, one after another on an otherwise idle machine: our search, and each peer by
`BENCH/peer.py` in its own environment; every submission is scored on the hold-out by `BENCH/score.py`, which alone
reads its target. `--peers ours:NAMES` is our search with `--objective NAMES`. One line of JSON for each run is
appended to a file, with the machine's load before it; a line there already is not made again.
`python -m benchmarks.peers_table` makes the table and the plot.
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
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES = Path(__file__).parent / "recorded" / "peers.jsonl"
SETS = ("lucas_house", "hotel_rates", "brazil_rent", "credit_default", "letter", "ames")
PEERS = ("default", "naive", "tunercv", "flaml_lgbm", "flaml")
OURS = "ours"
MORE_THAN_ANY = "100000"
PATIENCE = 5
"""How many times its budget a peer may overrun before it is given up."""


class Job(NamedTuple):
    """One command on one data set."""

    name: str
    peer: str
    budget: int


class Place(NamedTuple):
    """Where things are."""

    data: Path
    bench: Path
    python: str

    def file(self, name: str, part: str) -> str:
        """One of a set's three files."""
        return str(self.data / f"{name}_{part}.csv")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the CSV files")
    parser.add_argument("--bench", type=Path, required=True, help="folder with peer.py and score.py")
    parser.add_argument("--python", required=True, help="interpreter that has the peers")
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--peers", nargs="+", default=(OURS, *PEERS))
    parser.add_argument("--budgets", nargs="+", type=int, default=(60, 120, 300))
    parser.add_argument("--lines", type=Path, default=LINES)
    flags = parser.parse_args(argv)
    place = Place(flags.data.resolve(), flags.bench.resolve(), flags.python)
    flags.lines.parent.mkdir(exist_ok=True)
    done = {(line["set"], line["peer"], line["budget"]) for line in read_lines(flags.lines)}
    for budget in flags.budgets:
        for name in flags.sets:
            for peer in flags.peers:
                # What the defaults come to does not depend on the budget.
                if (name, peer, budget) not in done and (peer != "default" or budget == flags.budgets[0]):
                    _append(flags.lines, measure(Job(name, peer, budget), place))
    return 0


def read_lines(path: Path = LINES) -> list[dict[str, Any]]:
    """What has been measured."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def is_ours(peer: str) -> bool:
    """Whether a peer is our search, with whatever objectives."""
    return peer.partition(":")[0] == OURS


def _append(path: Path, line: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print({key: value for key, value in line.items() if key != "best_by_second"}, flush=True)


def measure(job: Job, place: Place) -> dict[str, Any]:
    """Runs one command and returns its line."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        facts = (_ours if is_ours(job.peer) else _peer)(job, place, Path(folder))
        submission = facts.pop("submission")
        holdout = _holdout(job.name, submission, place) if submission else None
    return {
        "set": job.name,
        "peer": job.peer,
        "budget": job.budget,
        "load": round(load, 2),
        "holdout": holdout,
        **facts,
    }


def _ours(job: Job, place: Place, home: Path) -> dict[str, Any]:
    flags = {"train": place.file(job.name, "train"), "test": place.file(job.name, "test")}
    flags |= {"target": target_of(job.name, place), "timeout": str(job.budget), "trials": MORE_THAN_ANY}
    objective = job.peer.partition(":")[2]
    words = [f"--{key}={value}" for key, value in flags.items()]
    words += [f"--objective={objective}"] if objective else []
    output, wall = _run([sys.executable, "-m", "search.run", *words, "--study=ours"], home, job.budget)
    return {"wall": wall, **_study(home), **_submission(output, home)}


def _submission(output: str, home: Path) -> dict[str, Path | None]:
    found = [
        line.removeprefix("Submission: ") for line in output.splitlines() if line.startswith("Submission: ")
    ]
    path = home / found[-1] if found else None
    return {"submission": path if path and path.is_file() else None}


def _study(home: Path) -> dict[str, Any]:
    """What the ledger says: trials by state, the best score, and at which second each best one came."""
    import optuna

    study = optuna.load_study(study_name="ours", storage=f"sqlite:///{home / 'mlruns' / 'optuna.db'}")
    complete = [t for t in study.trials if t.state.name == "COMPLETE"]
    first = min(t.datetime_start for t in study.trials if t.datetime_start)
    best: list[tuple[float, float]] = []
    for trial in sorted(complete, key=lambda t: t.datetime_complete):
        if not best or (trial.value < best[-1][1]) == (study.direction.name == "MINIMIZE"):
            best.append(((trial.datetime_complete - first).total_seconds(), trial.value))
    stds = {
        t.value: next(v for k, v in t.user_attrs["metrics"].items() if k.endswith("_std")) for t in complete
    }
    return {
        "cv": study.best_value,
        "cv_std": stds[study.best_value],
        "folds": 5,
        "trials": sum(t.state.name in {"COMPLETE", "PRUNED"} for t in study.trials),
        "pruned": sum(t.state.name == "PRUNED" for t in study.trials),
        "best_by_second": best,
    }


def _peer(job: Job, place: Place, home: Path) -> dict[str, Any]:
    words = ["--train", place.file(job.name, "train"), "--test", place.file(job.name, "test"), "--id", "id"]
    words += ["--target", target_of(job.name, place), "--task", task_of(job.name, place)]
    words += ["--budget", str(job.budget), "--out", str(home)]
    _, wall = _run([place.python, str(place.bench / "peer.py"), job.peer, *words], home, job.budget)
    submission, info = home / "submission.csv", home / "info.json"
    facts = json.loads(info.read_text()) if info.exists() else {}
    kept = {key: facts[key] for key in ("cv", "trials", "pruned", "models", "best") if key in facts}
    return {"wall": wall, **kept, "submission": submission if submission.exists() else None}


def _run(command: list[str], home: Path, budget: int) -> tuple[str, float]:
    """What a command printed, and its seconds from start to end."""
    start = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    try:
        done = subprocess.run(  # noqa: S603 - our own search, or a program that the caller names
            command,
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE * budget,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", round(time.monotonic() - start, 1)
    wall = round(time.monotonic() - start, 1)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr, flush=True)
    return done.stdout, wall


def target_of(name: str, place: Place) -> str:
    """The target's name: the second column of the file with the answers."""
    header = Path(place.file(name, "test_target")).read_text(encoding="utf-8").split("\n", 1)[0]
    return header.split(",")[1].strip().strip('"')


def task_of(name: str, place: Place) -> str:
    """As our own search finds it out."""
    import pandas as pd

    from objectives.data.target import find_task

    return find_task(pd.read_csv(place.file(name, "train"))[target_of(name, place)])


def _holdout(name: str, submission: Path, place: Place) -> float:
    words = [str(submission), place.file(name, "test_target"), target_of(name, place), task_of(name, place)]
    command = [place.python, str(place.bench / "score.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the caller's
    return float(done.stdout)


if __name__ == "__main__":
    raise SystemExit(main())
