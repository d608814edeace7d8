"""What models of all rows bring beside the folds' models: `python -m benchmarks.all_rows --data FOLDER`.

Draws rows of each training file and holds a fifth of them back. Configurations of the portfolio, at half their rate as
for a final fit, are fitted on five folds with early stopping, and on all rows drawn for the mean of the folds' rounds
times `--growth`, with as many seeds. Printed for each set: by how many percent the mean of some models of all rows, and
the mean of all folds' models and some of all rows, is better on the rows held back than the folds' models alone.
"""

from __future__ import annotations

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.models.lightgbm import LightGBMObjective

SETS = (
    "munich_rent",
    "churn",
    "ames",
    "bikeshare",
    "brazil_rent",
    "hotel_rates",
    "lucas_house",
    "credit_default",
)
MODELS = (1, 3, 5)
HELD_BACK = 0.2
SLOWER = 2.0


class Job(NamedTuple):
    """Rows of a set, and which of the first configurations."""

    name: str
    rows: int
    seed: int
    config: int
    growth: tuple[float, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with NAME_train.csv and NAME_test.csv"
    )
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--rows", type=int, default=8_000, help="drawn at most")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--configs", type=int, default=3)
    parser.add_argument("--growth", type=float, nargs="+", default=(1.0, 1.25))
    flags = parser.parse_args(argv)
    kinds = [
        f"{kind} {n} x{growth:g}" for growth in flags.growth for n in MODELS for kind in ("all", "joined")
    ]
    print(f"{'':16}" + "".join(f"{kind:>15}" for kind in kinds))
    means = []
    with ProcessPoolExecutor() as pool:
        for name in flags.sets:
            pairs = product(range(flags.seeds), range(flags.configs))
            jobs = [Job(name, flags.rows, seed, config, tuple(flags.growth)) for seed, config in pairs]
            gains = np.array([*pool.map(measure, jobs, [flags.data] * len(jobs))])
            means.append(gains.mean(axis=0))
            errors = gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
            cells = [f"{mean:+.2f} ± {error:.2f}" for mean, error in zip(means[-1], errors, strict=True)]
            print(f"{name:16}" + "".join(f"{cell:>15}" for cell in cells), flush=True)
    print(f"{'mean':16}" + "".join(f"{mean:>+15.2f}" for mean in np.mean(means, axis=0)))
    return 0


def measure(job: Job, data: Path) -> FloatArray:
    """Percent by which each mean is better than the folds' models alone, in the order of the columns."""
    with tempfile.TemporaryDirectory() as folder:
        objective, truth = _drawn(job, data, Path(folder))
    params = [objective.default_params(), *objective.portfolio()][job.config]
    slower = objective.slower(params, SLOWER)
    folds, rounds = _of_folds(objective, slower)
    metric = objective._metric  # noqa: SLF001 - benchmarks look inside
    alone = metric.score(truth, folds.mean(axis=0))
    found = []
    for growth in job.growth:
        whole = _of_all_rows(objective, slower, round(growth * rounds))
        for n in MODELS:
            both = (len(folds) * folds.mean(axis=0) + n * whole[:n].mean(axis=0)) / (len(folds) + n)
            for prediction in (whole[:n].mean(axis=0), both):
                gain = metric.score(truth, prediction) - alone
                found.append(100 * gain / abs(alone) * (1 if metric.greater_is_better else -1))
    return np.array(found)


def _drawn(job: Job, data: Path, home: Path) -> tuple[LightGBMObjective, NDArray[np.float64]]:
    from objectives.data.checks import DataFiles
    from objectives.data.dataset import load_dataset
    from objectives.data.folds import make_folds
    from objectives.models.lightgbm import LightGBMObjective

    table = pd.read_csv(data / f"{job.name}_train.csv")
    (target,) = set(table.columns) - set(pd.read_csv(data / f"{job.name}_test.csv", nrows=1).columns)
    table = table.sample(frac=1, random_state=job.seed)[: job.rows]
    n_held = int(HELD_BACK * len(table))
    table[n_held:].to_csv(home / "train.csv", index=False)
    table[:n_held].drop(columns=target).to_csv(home / "test.csv", index=False)
    dataset = load_dataset(DataFiles(home / "train.csv", home / "test.csv", target, "id"))
    folds = make_folds(dataset.target, dataset.task, 5, job.seed)
    objective = LightGBMObjective(dataset, folds, dataset.metric, seed=job.seed, threads=1)
    answers = table[target][:n_held]
    if dataset.classes:
        answers = answers.astype(str).map({label: float(k) for k, label in enumerate(dataset.classes)})
    return objective, answers.to_numpy(np.float64)


def _of_folds(objective: LightGBMObjective, params: dict[str, object]) -> tuple[FloatArray, float]:
    """Test predictions of the folds' models, shape (n_folds, n_test), and their mean rounds."""
    fits = [_fit(objective, params, k, 0, None) for k in range(len(objective._folds))]  # noqa: SLF001
    return np.array([one for one, _ in fits]), float(np.mean([rounds for _, rounds in fits]))


def _of_all_rows(objective: LightGBMObjective, params: dict[str, object], rounds: int) -> FloatArray:
    """Those of models of all rows, each with a seed of its own."""
    return np.array([_fit(objective, params, None, seed, rounds)[0] for seed in range(1, 1 + max(MODELS))])


def _fit(
    objective: LightGBMObjective, params: dict[str, object], k: int | None, seed: int, rounds: int | None
) -> tuple[FloatArray, int]:
    from objectives.data.folds import Fold
    from objectives.models.boosting import Scoring, fit_fold
    from objectives.models.fold_labels import make_labelling
    from objectives.models.ladder import Climb

    labelling, own = make_labelling(params, objective._dataset)  # noqa: SLF001
    n_rows = len(objective._dataset.target)  # noqa: SLF001
    fold = Fold(np.arange(n_rows), np.arange(n_rows)) if k is None else objective._folds[k]  # noqa: SLF001
    booster_params = {**objective._booster_params(own, labelling)}  # noqa: SLF001
    booster_params["seed"] += seed
    rows = objective._rows.of(k or 0, labelling)  # noqa: SLF001
    scoring = Scoring(objective._metric, 0.0, rounds)  # noqa: SLF001
    fit = fit_fold(booster_params, rows, fold, scoring, Climb(0, 0, (), _Listens()))
    return fit.test_prediction, fit.rounds


class _Listens:
    """Takes reports and stops nothing."""

    def __call__(self, _: object) -> bool:
        return False

    def stopped(self) -> bool:
        return False


if __name__ == "__main__":
    raise SystemExit(main())
