"""What a tryout on a few rows says of a whole evaluation: `python -m benchmarks.tryout [--rows 90000]`.

Evaluates random configurations of the sample on the first two folds, and tries each out on several numbers of the
first fold's rows. Printed for each number: CPU seconds as a share of five folds', the rank correlation of the
tryout's score with that of the folds, and where the tryout ranks the configurations that are best on the folds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from objectives.base import Params, Progress
    from objectives.data.folds import Fold
    from objectives.models.lightgbm import LightGBMObjective

Line = dict[str, Any]
TRIED = (5_000, 11_000, 22_000, 30_000)
FOLDS = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a line of JSON for each configuration, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=90_000)
    parser.add_argument("--configs", type=int, default=16)
    parser.add_argument("--few", type=int, nargs="+", default=TRIED)
    flags = parser.parse_args(argv)
    objective = _objective(flags.rows)
    lines = []
    for params in _configurations(objective, flags.configs):
        lines.append(_measured(objective, params, flags.few))
        print(json.dumps(lines[-1]), flush=True)
    _print(lines, flags.few)
    return 0


def _objective(rows: int) -> LightGBMObjective:
    from objectives.data.checks import DataFiles
    from objectives.data.dataset import load_dataset
    from objectives.data.folds import make_folds
    from objectives.data.sample import write_sample
    from objectives.models.lightgbm import LightGBMObjective

    with tempfile.TemporaryDirectory() as folder:
        paths = write_sample(Path(folder), rows)
        dataset = load_dataset(DataFiles(paths.train, paths.test, "money_room", "id"))
    folds = make_folds(dataset.target, dataset.task, 5, 42)
    return LightGBMObjective(dataset, folds, dataset.metric, seed=42, threads=1)


def _configurations(objective: LightGBMObjective, count: int) -> Sequence[Params]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    known = [objective.default_params(), *objective.portfolio()]
    drawn = [study.ask(objective.space()).params for _ in range(count - len(known))]
    return [*known, *drawn][:count]


def _measured(objective: LightGBMObjective, params: Params, few: Sequence[int]) -> Line:
    from objectives.models.boosting import Climb, Scoring, fit_fold, try_out
    from objectives.models.fold_labels import make_labelling

    labelling, own = make_labelling(params, objective._dataset)  # noqa: SLF001
    booster_params = objective._booster_params(own, labelling)  # noqa: SLF001
    scoring = Scoring(objective._metric, 5e-4)  # noqa: SLF001
    line: Line = {"params": dict(params), "tryouts": {}, "scores": [], "cpu": 0.0}
    for k, fold in enumerate(objective._folds[:FOLDS]):  # noqa: SLF001
        start = time.process_time()
        rows = objective._rows.of(k, labelling)  # noqa: SLF001
        line["scores"].append(
            fit_fold(booster_params, rows, fold, scoring, Climb(0, 0, (), _Listener())).score
        )
        line["cpu"] += time.process_time() - start
    for count in few:
        start, heard = time.process_time(), _Listener()
        rows = objective._rows.of(0, labelling)  # noqa: SLF001
        try_out(booster_params, rows, _some(objective._folds[0], count), scoring, Climb(0, 0, (), heard))  # noqa: SLF001
        line["tryouts"][count] = (heard.last, time.process_time() - start)
    return line


def _some(fold: Fold, count: int) -> Fold:
    from objectives.data.folds import Fold

    rng = np.random.default_rng(42)
    share = count / sum(map(len, fold))
    return Fold(*(rng.choice(rows, int(share * len(rows)), replace=False) for rows in fold))


class _Listener:
    """Keeps the last score it is told, and never says stop."""

    last = float("nan")

    def __call__(self, progress: Progress) -> bool:
        self.last = progress.value
        return False

    def stopped(self) -> bool:
        return False


def _print(lines: list[Line], few: Sequence[int]) -> None:
    from scipy.stats import spearmanr

    whole = np.array([np.mean(line["scores"]) for line in lines])
    cpu = np.mean([line["cpu"] for line in lines]) * 5 / FOLDS
    print(f"{len(lines)} configurations, {cpu:.0f} CPU seconds each for 5 folds")
    print(
        f"{'rows':>8}{'cost':>8}{'rank correlation':>18}   the five best on the folds are, tried out, in place"
    )
    for count in few:
        tried = np.array([line["tryouts"][count][0] for line in lines])
        cost = np.mean([line["tryouts"][count][1] for line in lines]) / cpu
        places = [int((tried < tried[k]).sum()) + 1 for k in np.argsort(whole)[:5]]
        print(f"{count:>8,}{cost:>8.3f}{spearmanr(tried, whole)[0]:>18.2f}   {', '.join(map(str, places))}")


if __name__ == "__main__":
    raise SystemExit(main())
