"""What promotion is worth on many small studies: `python -m benchmarks.promotion --data FOLDER [--studies 100]`.

Each study draws some training rows of a data set, searches them by the whole command, and scores on further rows of
the training file, as many as its test file has: the default configuration, the plain best trial, the blend, and what
was promoted. `noise` shuffles the target of the rows drawn, so that nothing can be learned. One line of JSON for
each study is appended to a file, and a study there already is not made again. What was chosen predicts as it is
promoted, with models of all rows if there was time; the default as it ran. Counted are the studies where the promoted
result, and beside it the plain best trial, is worse than the default (surely: by more than two standard errors of the
rows held back); those whose interval holds the score of its test file; and those where the blend beats the best single
trial.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from search.config import AUTO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from objectives.base import FloatArray
    from objectives.data.metrics import Metric
    from search.competition import Competition
    from search.conclusion.conclude import Concluded

Line = dict[str, Any]
LINES = Path(__file__).parent / "recorded" / "promotion.jsonl"
SETS = (
    "brazil_rent",
    "churn",
    "munich_rent",
    "ames",
    "hotel_rates",
    "credit_default",
    "bikeshare",
    "lucas_house",
)
NOISE = "noise"
ROWS = (400, 800, 1_600)
MOST_TEST_ROWS = 4_000
DRAWS = 200
STUDY = "promotion"


class Job(NamedTuple):
    """One study."""

    name: str
    rows: int
    seed: int


def main(argv: Sequence[str] | None = None) -> int:
    """Makes the studies that are not there yet, and says what all of them come to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with NAME_train.csv and NAME_test.csv"
    )
    parser.add_argument("--sets", nargs="+", default=(*SETS, NOISE))
    parser.add_argument(
        "--rows", type=int, nargs="+", default=ROWS, help="training rows of the studies, in turn"
    )
    parser.add_argument("--studies", type=int, default=108)
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first study, which its rows are drawn by"
    )
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--timeout", type=float, default=60.0)
    parser.add_argument("--objective", default=AUTO, help="as of the search")
    parser.add_argument("--workers", type=int, default=None, help="as of the search")
    parser.add_argument("--lines", type=Path, default=LINES)
    flags = parser.parse_args(argv)
    lines = (
        [json.loads(text) for text in flags.lines.read_text().splitlines()] if flags.lines.exists() else []
    )
    done = {(line["set"], line["rows"], line["seed"]) for line in lines}
    for job in jobs(flags.sets, flags.rows, range(flags.first, flags.first + flags.studies)):
        if tuple(job) not in done:
            lines.append(measure(job, flags.data, _words(flags)))
            flags.lines.parent.mkdir(exist_ok=True)
            with flags.lines.open("a", encoding="utf-8") as file:
                file.write(json.dumps(lines[-1]) + "\n")
            print(lines[-1], flush=True)
    print("\n".join(report(lines)))
    return 0


def jobs(sets: Sequence[str], rows: Sequence[int], numbers: range) -> list[Job]:
    """Every set with every size, then again with other rows."""
    pairs = [(name, size) for size in rows for name in sets]
    return [Job(*pairs[seed % len(pairs)], seed) for seed in numbers]


def _words(flags: argparse.Namespace) -> list[str]:
    """What the search is told beside its files."""
    words = [f"--{name}={getattr(flags, name):g}" for name in ("trials", "timeout")]
    words += [] if flags.workers is None else [f"--workers={flags.workers}"]
    return [*words, f"--objective={flags.objective}"]


def measure(job: Job, data: Path, how: Sequence[str]) -> Line:
    """Runs one study and scores what it came to."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        target, answers = _draw(job, data, home)
        words = ["--train=train.csv", "--test=test.csv", f"--target={target}", f"--study={STUDY}", *how]
        command = [sys.executable, "-m", "search.run", *words]
        subprocess.run(command, cwd=home, check=True, capture_output=True)  # noqa: S603 - our own command
        return {"set": job.name, "rows": job.rows, "seed": job.seed, **_scores(home, answers)}


def _draw(job: Job, data: Path, home: Path) -> tuple[str, pd.Series]:
    """Writes the files of a study; returns the target's name and the answers to its test file."""
    rng = np.random.default_rng([job.seed, job.rows])
    name = SETS[job.seed % len(SETS)] if job.name == NOISE else job.name
    table, test = pd.read_csv(data / f"{name}_train.csv"), pd.read_csv(data / f"{name}_test.csv", nrows=1)
    (target,) = set(table.columns) - set(test.columns)
    table = table.iloc[rng.permutation(len(table))[: job.rows + MOST_TEST_ROWS]].reset_index(drop=True)
    if job.name == NOISE:
        table[target] = rng.permutation(table[target].to_numpy())
    table[: job.rows].to_csv(home / "train.csv", index=False)
    rest = table[job.rows :]
    rest.drop(columns=target).to_csv(home / "test.csv", index=False)
    return target, rest[target].reset_index(drop=True)


def _scores(home: Path, answers: pd.Series) -> Line:
    """Scores on the rows held back; nothing above has seen their target."""
    from search.conclusion.later import LaterConclusion
    from search.loop.tally import best_trial
    from search.results.known_studies import our_studies
    from search.results.trial_files import TrialFiles, reopen
    from storage.layout import Layout

    layout = Layout(home)
    (study,) = our_studies(layout, STUDY)
    # The settings name the files as the command was told them, from its own folder.
    study.set_user_attr("settings", _moved(study.user_attrs["settings"], home))
    competition = reopen(study, layout)
    concluded, best = LaterConclusion(study, competition, layout).chosen(), best_trial(study)
    assert concluded is not None
    assert best is not None
    predictions = {
        name: TrialFiles(competition, trial, layout).prediction()
        for name, trial in {"default": study.trials[0], "best": best}.items()
    }
    predictions |= {"promoted": concluded.prediction.test, **_blend(competition, concluded, layout.home)}
    truth = _encoded(competition, answers)
    metric = competition.dataset.metric
    line, expected = concluded.conclusion.chosen_line, concluded.conclusion.chosen_line.expected
    assert expected is not None
    return {
        "metric": metric.name,
        "greater_is_better": metric.greater_is_better,
        "trials": len(study.trials),
        "kind": line.kind,
        "reason": concluded.conclusion.reason,
        "fresh_folds": concluded.conclusion.fresh_folds,
        **{name: float(metric.score(truth, one)) for name, one in predictions.items()},
        "error": _error(metric, truth, (predictions["promoted"], predictions["default"])),
        "expected": expected.expected,
        "low": expected.low,
        "high": expected.high,
    }


def _error(metric: Metric, truth: FloatArray, pair: tuple[FloatArray, FloatArray]) -> float:
    """Standard error of what two predictions' scores differ by, by drawing the rows held back again."""
    rng = np.random.default_rng(0)
    draws = (rng.integers(len(truth), size=len(truth)) for _ in range(DRAWS))
    found = [
        metric.score(truth[rows], pair[0][rows]) - metric.score(truth[rows], pair[1][rows]) for rows in draws
    ]
    return float(np.std(found))


def _moved(settings: dict[str, Any], home: Path) -> dict[str, Any]:
    return {**settings, "train": str(home / "train.csv"), "test": str(home / "test.csv")}


def _blend(competition: Competition, concluded: Concluded, home: Path) -> dict[str, Any]:
    """The blend's prediction, whether or not it was chosen, where those of its parts are kept."""
    from storage.layout import Layout
    from storage.predictions import PredictionMissingError, PredictionStore

    conclusion = concluded.conclusion
    line = next((line for line in conclusion.lines if line.kind == "blend"), None)
    if line is None or line.is_chosen:
        return {} if line is None else {"blend": concluded.prediction.test}
    store = PredictionStore(Layout(home).predictions(competition.study), 0)
    try:
        parts = {part: store.load(part.trial).test for part, _ in line.candidate.parts if not part.variant}
        return {"blend": line.candidate.mixed(parts)}
    except (PredictionMissingError, KeyError):
        return {}


def _encoded(competition: Competition, answers: pd.Series) -> Any:
    """The answers as the metric takes them."""
    classes = competition.dataset.classes
    if not classes:
        return answers.to_numpy(np.float64)
    return answers.astype(str).map({label: float(k) for k, label in enumerate(classes)}).to_numpy()


def report(lines: Sequence[Line]) -> list[str]:
    """What the studies come to, those with and without something to learn apart."""
    found = []
    for name, some in (
        ("studies", [line for line in lines if line["set"] != NOISE]),
        ("studies of noise", [line for line in lines if line["set"] == NOISE]),
    ):
        if not some:
            continue
        kinds = {kind: sum(line["kind"] == kind for line in some) for kind in ("default", "single", "blend")}
        blends = [line for line in some if "blend" in line]
        found += [
            f"{len(some)} {name}; promoted: {', '.join(f'{kind} {n}' for kind, n in kinds.items())}",
            f"  promoted worse than the default: {_share(some, 'promoted', 'default')}, {_sure_share(some)} surely",
            f"  best trial worse than the default: {_share(some, 'best', 'default')}",
            f"  interval holds the score of the test file: {np.mean([_holds(line) for line in some]):.1%}",
            f"  blend worse than the best trial: {_share(blends, 'blend', 'best')} of {len(blends)}",
            f"  gain over the default: promoted {_gain(some, 'promoted'):.2%}, best trial {_gain(some, 'best'):.2%}",
        ]
    return found


def _holds(line: Line) -> bool:
    return bool(line["low"] <= line["promoted"] <= line["high"])


def _share(lines: Sequence[Line], one: str, other: str) -> str:
    worse = [_difference(line, one, other) < 0 for line in lines]
    return f"{np.mean(worse):.1%}" if worse else "none"


def _sure_share(lines: Sequence[Line]) -> str:
    """Where the promoted one is worse than the default by more than twice the error that so many rows leave."""
    worse = [_difference(line, "promoted", "default") < -2 * line["error"] for line in lines]
    return f"{np.mean(worse):.1%}"


def _difference(line: Line, one: str, other: str) -> float:
    """Above 0 where the first is better."""
    return float(line[one] - line[other]) * (1 if line["greater_is_better"] else -1)


def _gain(lines: Sequence[Line], one: str) -> float:
    return float(np.mean([_difference(line, one, "default") / abs(line["default"]) for line in lines]))


if __name__ == "__main__":
    raise SystemExit(main())
