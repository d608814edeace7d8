"""Configurations for several classes, by what their blend comes to: `python -m benchmarks.classes --data FOLDER`.

LightGBM grows a tree a round for each class, so that many classes leave time for few trials: what a portfolio is worth
there is the blend of its first few, beside their cost. Evaluates the default, the portfolio for any data, the default
with drawn rows and columns, and random configurations on two of five folds of each data set; one that takes several
times as long as the default is given up. Greedy, among those that are not much dearer than the default: the next is
the one that the blend with those chosen gains most by, on the mean over the data sets, as a share of what a blend of
all gains there. That it is no accident of these sets is shown by leaving each out in turn: what the blend chosen on the
others is on it, as a share of the default's loss, beside the portfolio for any data, each with its cost.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.curves import load_set
from objectives.base import EvaluationStopped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray, Params, Progress
    from objectives.models.lightgbm import LightGBMObjective

MOST_ROWS = 8_000
FOLDS, FOLDS_USED = 5, 2
GIVEN_UP_AFTER = 5.0
"""Multiple of the default's CPU seconds."""
MEAN_COST, MOST_COST = 1.3, 2.0
"""As multiples of it: what is chosen takes no longer on the mean over the sets, and on any of them."""
ROUNDS_OF_BLEND = 20
SEED = 42


class Measured(NamedTuple):
    """What the configurations come to on one set.

    Attributes:
        truth: Class of each row that was scored, shape (n,).
        predictions: Probabilities, shape (n_configs, n, n_classes); NaN for one that was given up.
        cost: CPU seconds as a multiple of the default's, shape (n_configs,); infinite for one that was given up.
    """

    truth: NDArray[np.intp]
    predictions: FloatArray
    cost: FloatArray


def main(argv: Sequence[str] | None = None) -> int:
    """Measures, or reads what was measured, and prints the portfolio and how it does on sets left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the CSV files")
    parser.add_argument("--sets", nargs="+", required=True, help="their names; each of more than two classes")
    parser.add_argument("--configs", type=int, default=48, help="random ones")
    parser.add_argument("--size", type=int, default=7, help="configurations besides the default")
    parser.add_argument("--folder", type=Path, required=True, help="where predictions are kept")
    flags = parser.parse_args(argv)
    flags.folder.mkdir(parents=True, exist_ok=True)
    sets = {
        name: measured(flags.data, name, flags.configs, flags.folder / f"{name}.npz") for name in flags.sets
    }
    n = len(shipped(flags.data, flags.sets[0]))
    ours = [*range(1, 1 + n)]
    for name, one in sets.items():
        others = [other for key, other in sets.items() if key != name]
        chosen = greedy(others, flags.size)
        print(f"{name:<16}{line(one, chosen)}   any data: {line(one, ours)}", flush=True)
    pool = configurations(flags.data, flags.sets[0], flags.configs)
    chosen = greedy([*sets.values()], flags.size)
    for k in chosen:
        costs = " ".join(f"{one.cost[k]:.1f}" for one in sets.values())
        print(f"{costs}: {json.dumps({name: _plain(value) for name, value in pool[k].items()})}")
    for name, one in sets.items():
        print(f"{name:<16}{line(one, chosen)}")
    return 0


def line(one: Measured, chosen: Sequence[int]) -> str:
    """The blend's loss with one more and one more, as a share of the default's, and what all of them cost."""
    base = loss(one.truth, one.predictions[0])
    found = [blended(one, [0, *chosen[: k + 1]]) / base for k in range(len(chosen))]
    cost = one.cost[[*chosen]]
    return " ".join(f"{share:.3f}" for share in found) + f" ({np.minimum(cost, GIVEN_UP_AFTER).sum():.1f})"


def greedy(sets: Sequence[Measured], size: int) -> list[int]:
    """The configurations chosen, in order; the default, number 0, is there already."""
    costs = np.array([one.cost for one in sets])
    is_cheap = (costs.mean(axis=0) <= MEAN_COST) & (costs.max(axis=0) <= MOST_COST)
    able = [int(k) for k in np.flatnonzero(is_cheap) if k]
    none = [np.log(blended(one, [0])) for one in sets]
    most = [np.log(blended(one, range(len(one.cost)))) for one in sets]

    def gained(configs: list[int]) -> float:
        found = (np.log(blended(one, configs)) for one in sets)
        return float(np.mean([(a - b) / (a - c) for a, b, c in zip(none, found, most, strict=True)]))

    chosen: list[int] = []
    for _ in range(size):
        gains = {k: gained([0, *chosen, k]) for k in able if k not in chosen}
        chosen.append(max(gains, key=lambda k: gains[k]))
    return chosen


def blended(one: Measured, configs: Sequence[int]) -> float:
    """Log loss of a greedy blend, with replacement, of those that were not given up."""
    able = one.predictions[[k for k in configs if np.isfinite(one.cost[k])]]
    rows = np.arange(len(one.truth))
    of_truth, total, best = able[:, rows, one.truth], np.zeros(len(rows)), np.inf
    for n in range(1, ROUNDS_OF_BLEND + 1):
        losses = -np.log(np.clip((total + of_truth) / n, 1e-15, 1)).mean(axis=1)
        total = total + of_truth[losses.argmin()]
        best = min(best, float(losses.min()))
    return best


def loss(truth: NDArray[np.intp], probabilities: FloatArray) -> float:
    """Log loss of one configuration."""
    return float(-np.log(np.clip(probabilities[np.arange(len(truth)), truth], 1e-15, 1)).mean())


def measured(data: Path, name: str, n: int, path: Path) -> Measured:
    """Evaluates all configurations on a set, unless it has been done."""
    if not path.exists():
        objective = _objective(data, name)
        pool = configurations(data, name, n)
        default = evaluated(data, name, pool[0], np.inf)
        with ProcessPoolExecutor(2) as processes:
            limit = GIVEN_UP_AFTER * default[1]
            rest = processes.map(evaluated, *zip(*product([data], [name], pool[1:], [limit]), strict=True))
            found = [default, *rest]
        fold = np.concatenate([one.val_idx for one in objective._folds])  # noqa: SLF001 - benchmarks look inside
        cost = np.array([seconds / default[1] for _, seconds in found])
        truth = objective._dataset.target[fold].astype(np.intp)  # noqa: SLF001
        np.savez_compressed(path, truth=truth, predictions=np.array([one for one, _ in found]), cost=cost)
    with np.load(path) as kept:
        return Measured(kept["truth"], kept["predictions"], kept["cost"])


def evaluated(data: Path, name: str, params: Params, limit: float) -> tuple[FloatArray, float]:
    """Out-of-fold probabilities and CPU seconds; NaN and infinity beyond the limit."""
    objective = _objective(data, name)
    rows = np.concatenate([one.val_idx for one in objective._folds])  # noqa: SLF001
    begun = time.process_time()
    try:
        result = objective.evaluate(params, _Limit(begun + limit))
    except EvaluationStopped:
        return np.full((len(rows), len(objective._dataset.classes)), np.nan), np.inf  # noqa: SLF001
    return result.oof_prediction[rows], time.process_time() - begun


class _Limit(NamedTuple):
    """Stops at a process time; no score stops anything."""

    until: float

    def __call__(self, _: Progress) -> bool:
        return False

    def stopped(self) -> bool:
        return time.process_time() > self.until


def shipped(data: Path, name: str) -> list[dict[str, Any]]:
    """The portfolio for any data."""
    from objectives.models.bounds import inside
    from objectives.models.lightgbm_portfolio import PORTFOLIO

    space = _objective(data, name).space()
    return [inside(space, {**_objective(data, name).default_params(), **params}) for params in PORTFOLIO]


def configurations(data: Path, name: str, n: int) -> list[dict[str, Any]]:
    """The default, the portfolio for any data, the default with drawn rows and columns, and `n` random ones."""
    import optuna

    from objectives.models.bounds import inside

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=SEED))
    objective = _objective(data, name)
    default, space = objective.default_params(), objective.space()
    drawn = [
        {**default, "feature_fraction": columns, "bagging_fraction": rows}
        for columns, rows in product((0.3, 0.5, 0.7), (0.4, 0.7, 1.0))
    ]
    random = [study.ask(widest_space()).params for _ in range(n)]
    return [default, *shipped(data, name), *drawn, *(inside(space, {**default, **one}) for one in random)]


def widest_space() -> dict[str, Any]:
    """Every parameter, in the range that it has on many rows of several classes."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    return {
        "learning_rate": FloatDistribution(0.08, 0.3, log=True),
        "num_leaves": IntDistribution(7, 63, log=True),
        "min_data_in_leaf": IntDistribution(2, 100, log=True),
        "min_sum_hessian_in_leaf": FloatDistribution(1e-3, 3.0, log=True),
        "feature_fraction": FloatDistribution(0.2, 1.0),
        "bagging_fraction": FloatDistribution(0.4, 1.0),
        "lambda_l1": FloatDistribution(1e-6, 3.0, log=True),
        "lambda_l2": FloatDistribution(1e-6, 30.0, log=True),
        "path_smooth": FloatDistribution(1e-3, 30.0, log=True),
        "extra_trees": CategoricalDistribution((False, True)),
        "cat_smooth": FloatDistribution(1.0, 200.0, log=True),
        "cat_l2": FloatDistribution(1.0, 200.0, log=True),
        "max_cat_threshold": IntDistribution(4, 128, log=True),
    }


def _plain(value: Any) -> Any:
    return float(f"{value:.2g}") if isinstance(value, float) else value


@cache
def _objective(data: Path, name: str) -> LightGBMObjective:
    """On the first rows, and two folds of them."""
    from objectives.data.folds import make_folds
    from objectives.models.lightgbm import LightGBMObjective

    dataset = load_set(data, name, MOST_ROWS)
    folds = make_folds(dataset.target, dataset.task, FOLDS, SEED)[:FOLDS_USED]
    return LightGBMObjective(dataset, folds, dataset.metric, seed=SEED, threads=1)


if __name__ == "__main__":
    raise SystemExit(main())
