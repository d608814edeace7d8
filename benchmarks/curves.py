"""Full curves of configurations, for what is decided from them: `python -m benchmarks.curves --data FOLDER`.

Evaluates the same configurations on each data set of a folder of `NAME_train.csv`, `NAME_test.csv` and
`NAME_test_target.csv`, all folds, nothing stopped, and appends one line of JSON for each to a file. A line there
already is not made again. The portfolio and the pruning rule are chosen by them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.distributions import BaseDistribution

    from objectives.base import Progress
    from objectives.data.dataset import Dataset
    from objectives.models.lightgbm import LightGBMObjective

LINES = Path(__file__).parent / "recorded" / "curves.jsonl.gz"
SETS = (
    "brazil_rent",
    "munich_rent",
    "lucas_house",
    "hotel_rates",
    "ames",
    "credit_default",
    "churn",
    "bikeshare",
    "letter",
)
MOST_ROWS = {"letter": 5_000}
"""Training rows used, where all of them would take hours: 26 classes are 26 trees a round."""
FINE_RUNGS = tuple(np.geomspace(0.5, 60, 24).round(2).tolist())
SEED = 42


class Job(NamedTuple):
    """One configuration on one data set."""

    folder: str
    name: str
    config: int
    params: dict[str, Any]
    predictions: Path | None


def main(argv: Sequence[str] | None = None) -> int:
    """Records what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with the CSV files")
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--configs", type=int, default=48)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--lines", type=Path, default=LINES)
    parser.add_argument("--predictions", type=Path, help="folder for out-of-fold predictions, if wanted")
    flags = parser.parse_args(argv)
    for folder in filter(None, (flags.lines.parent, flags.predictions)):
        folder.mkdir(parents=True, exist_ok=True)
    done = {(line["set"], line["config"]) for line in read_lines(flags.lines)}
    jobs = [
        Job(flags.data, name, k, params, flags.predictions)
        for k, params in enumerate(candidates(flags.configs))
        for name in flags.sets
        if (name, k) not in done
    ]
    with ProcessPoolExecutor(flags.processes) as pool, gzip.open(flags.lines, "at", encoding="utf-8") as file:
        for count, future in enumerate(as_completed([pool.submit(record, job) for job in jobs]), 1):
            line = future.result()
            file.write(json.dumps(line) + "\n")
            file.flush()
            mean = float(np.mean(line["scores"]))
            print(
                f"{count}/{len(jobs)} {line['set']} {line['config']}: {mean:.5g}, {line['cpu']:.1f} s",
                flush=True,
            )
    return 0


def read_lines(path: Path = LINES) -> list[dict[str, Any]]:
    """What has been recorded."""
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def candidates(n: int) -> list[dict[str, Any]]:
    """The default, marked by no parameters, and random configurations out of the widest space."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=SEED))
    return [{}, *(study.ask(widest_space()).params for _ in range(n - 1))]


def widest_space() -> dict[str, BaseDistribution]:
    """Every parameter, in the widest range that it has on any data."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    return {
        "learning_rate": FloatDistribution(0.08, 0.3, log=True),
        "num_leaves": IntDistribution(7, 255, log=True),
        "min_data_in_leaf": IntDistribution(2, 200, log=True),
        "min_sum_hessian_in_leaf": FloatDistribution(1e-3, 10.0, log=True),
        "feature_fraction": FloatDistribution(0.2, 1.0),
        "bagging_fraction": FloatDistribution(0.4, 1.0),
        "lambda_l1": FloatDistribution(1e-6, 10.0, log=True),
        "lambda_l2": FloatDistribution(1e-6, 100.0, log=True),
        "path_smooth": FloatDistribution(1e-3, 100.0, log=True),
        "extra_trees": CategoricalDistribution((False, True)),
        "cat_smooth": FloatDistribution(1.0, 200.0, log=True),
        "cat_l2": FloatDistribution(1.0, 200.0, log=True),
        "max_cat_threshold": IntDistribution(4, 128, log=True),
    }


def record(job: Job) -> dict[str, Any]:
    """Evaluates one configuration and returns its line."""
    from objectives.models.bounds import inside

    objective = _objective(job.folder, job.name)
    params = inside(objective.space(), {**objective.default_params(), **job.params})
    reports = _Reports()
    begun = time.process_time()
    result = objective.evaluate(params, reports)
    seconds = time.process_time() - begun
    if job.predictions:
        np.save(job.predictions / f"{job.name}_{job.config}.npy", result.oof_prediction.astype(np.float32))
    return {
        "set": job.name,
        "config": job.config,
        "params": params,
        "cpu": round(seconds, 3),
        "scores": result.scores,
        "iterations": result.best_iterations,
        "greater_is_better": _data(job.folder, job.name).metric.greater_is_better,
        "reports": reports.seen,
    }


class _Reports:
    """Keeps each report with the CPU seconds since the start."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, float, int, float]] = []
        self._begun = time.process_time()

    def __call__(self, progress: Progress) -> bool:
        seconds = round(time.process_time() - self._begun, 3)
        self.seen.append((progress.fold, progress.step, progress.value, progress.iteration, seconds))
        return False

    def stopped(self) -> bool:
        """Never."""
        return False


@cache
def _objective(folder: str, name: str) -> LightGBMObjective:
    from objectives.data.folds import make_folds
    from objectives.models import ladder

    # Before those who climb it take them over.
    ladder.RUNGS, ladder.STEPS_PER_FOLD = FINE_RUNGS, len(FINE_RUNGS) + 1
    from objectives.models.lightgbm import LightGBMObjective

    dataset = _data(folder, name)
    folds = make_folds(dataset.target, dataset.task, 5, SEED)
    return LightGBMObjective(dataset, folds, dataset.metric, seed=SEED, threads=1)


def _data(folder: str, name: str) -> Dataset:
    return load_set(Path(folder), name, MOST_ROWS.get(name))


@cache
def load_set(folder: Path, name: str, most: int | None) -> Dataset:
    """Reads one of the sets, `most` of its rows; its target is the second column of the file with the answers."""
    import dataclasses

    from objectives.data.dataset import DataFiles, load_dataset

    stem = folder / name
    _, target = Path(f"{stem}_test_target.csv").read_text(encoding="utf-8").split("\n", 1)[0].split(",")
    dataset = load_dataset(
        DataFiles(Path(f"{stem}_train.csv"), Path(f"{stem}_test.csv"), target.strip(), "id")
    )
    return dataclasses.replace(dataset, train=dataset.train[:most], target=dataset.target[:most])


if __name__ == "__main__":
    raise SystemExit(main())
