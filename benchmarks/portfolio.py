"""Configurations that a blend gains most by, for what they cost.

`python -m benchmarks.curves --data FOLDER --lines FILE --predictions FOLDER` records them first, and `python -m
benchmarks.portfolio` with the same flags chooses. The lines that are there already have no predictions.

Greedy: the next configuration is the one that the blend of those chosen and the default gains most by for the square
root of its CPU seconds, on the mean over the data sets, as a share of what a blend of all gains there. One that costs
more than twice the default is left out, and so are the sets of several classes, which have a portfolio of their own
(`benchmarks.classes`). That it is no accident of these sets is shown by leaving each set out in turn: what the blend is
on it, as a share of the default's loss, when one, two, four and eight times the default's seconds have been spent,
beside as many random configurations.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.curves import LINES, candidates, load_set, read_lines
from benchmarks.pruning import by_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray

MOST_COST = 2.0
"""As a multiple of the default's, on the geometric mean over the data sets."""
SPENT = (1, 2, 4, 8)
DRAWS = 20
ROUNDS_OF_BLEND = 20


class Measured(NamedTuple):
    """What the configurations come to on one set.

    Attributes:
        truth: Target of each row, shape (n,); 0 and 1 where there are two classes.
        predictions: Out of fold, shape (n_configs, n).
        cost: CPU seconds as a multiple of the default's, shape (n_configs,).
        is_binary: Whether there are two classes: log loss, else root of the mean squared error.
    """

    truth: FloatArray
    predictions: FloatArray
    cost: FloatArray
    is_binary: bool

    def losses(self, predictions: FloatArray) -> FloatArray:
        """Shape (n_predictions,), of predictions of shape (n_predictions, n)."""
        if self.is_binary:
            of_truth = np.clip(np.where(self.truth == 1, predictions, 1 - predictions), 1e-7, 1)
            return np.asarray(-np.log(of_truth).mean(axis=1))
        return np.asarray(np.sqrt(((predictions - self.truth) ** 2).mean(axis=1)))

    def blended(self, configs: Sequence[int]) -> float:
        """Loss of a greedy blend with replacement."""
        able = self.predictions[[*configs]]
        total, best = np.zeros(len(self.truth)), np.inf
        for n in range(1, ROUNDS_OF_BLEND + 1):
            losses = self.losses((total + able) / n)
            if losses.min() >= best:
                break
            best = float(losses.min())
            total += able[losses.argmin()]
        return float(best)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints how it does on sets that it was not made from, and the portfolio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the CSV files")
    parser.add_argument("--predictions", type=Path, required=True, help="folder that they were recorded to")
    parser.add_argument("--lines", type=Path, default=LINES)
    parser.add_argument("--size", type=int, default=8, help="configurations besides the default")
    flags = parser.parse_args(argv)
    sets = measured(flags.data, flags.predictions, flags.lines)
    able = affordable([*sets.values()])
    print(f"{'left out':<16}{'portfolio':>32}{'random':>35}")
    rows = []
    for name, one in sets.items():
        chosen = greedy([other for key, other in sets.items() if key != name], able, flags.size)
        rows.append([*after(one, chosen), *after_random(one, able, flags.size)])
        print(f"{name:<16}{_shares(rows[-1])}", flush=True)
    print(f"{'mean':<16}{_shares(np.exp(np.log(rows).mean(axis=0)))}")
    pool = candidates(len(next(iter(sets.values())).cost))
    for config in greedy([*sets.values()], able, flags.size):
        costs = " ".join(f"{one.cost[config]:.1f}" for one in sets.values())
        print(f"{costs}: {json.dumps({name: _plain(value) for name, value in pool[config].items()})}")
    return 0


def measured(data: Path, predictions: Path, path: Path) -> dict[str, Measured]:
    """Those recorded of each set of one target or two classes: the configurations that every set has."""
    lines = by_set(read_lines(path))
    sets = {name: load_set(data, name, None) for name in lines}
    sets = {name: dataset for name, dataset in sets.items() if dataset.task != "multiclass"}
    n = min(len(lines[name]) for name in sets)
    found = {}
    for name, dataset in sets.items():
        oof = np.array([np.load(predictions / f"{name}_{k}.npy") for k in range(n)], dtype=np.float64)
        cost = np.array([line["cpu"] for line in lines[name][:n]])
        found[name] = Measured(
            truth=np.asarray(dataset.target, dtype=np.float64),
            predictions=oof.reshape(n, len(dataset.target), -1)[:, :, -1],
            cost=cost / cost[0],
            is_binary=dataset.task == "binary",
        )
    return found


def affordable(sets: Sequence[Measured]) -> list[int]:
    """All configurations but the default and those that are too dear."""
    costs = np.mean([np.log(one.cost) for one in sets], axis=0)
    return [int(k) for k in np.flatnonzero(costs <= np.log(MOST_COST)) if k]


def greedy(sets: Sequence[Measured], able: Sequence[int], size: int) -> list[int]:
    """The configurations chosen, in order; the default, number 0, is there already."""
    none = [np.log(one.blended([0])) for one in sets]
    whole = [np.log(one.blended([0, *able])) for one in sets]
    so_far, chosen = none, list[int]()
    for _ in range(size):
        left = [k for k in able if k not in chosen]
        now = np.array([[np.log(one.blended([0, *chosen, k])) for one in sets] for k in left])
        gains = (np.array(so_far) - now) / (np.array(none) - whole)
        worth = gains / np.sqrt([one.cost[left] for one in sets]).T
        best = int(worth.mean(axis=1).argmax())
        chosen.append(left[best])
        so_far = [*now[best]]
    return chosen


def after(one: Measured, chosen: Sequence[int]) -> list[float]:
    """The blend's loss as a share of the default's, after each of the times that are spent."""
    cost = np.cumsum(one.cost[[*chosen]])
    through = [int((cost <= spent).sum()) for spent in SPENT]
    return [one.blended([0, *chosen[:n]]) / one.blended([0]) for n in through]


def after_random(one: Measured, able: Sequence[int], size: int) -> NDArray[np.float64]:
    """The same of random configurations, as the mean over many draws."""
    rng = np.random.default_rng(0)
    return np.mean([after(one, rng.choice(able, size, replace=False)) for _ in range(DRAWS)], axis=0)


def _shares(row: Sequence[float] | NDArray[np.float64]) -> str:
    half = len(row) // 2
    return "   ".join("".join(f"{share:>8.4f}" for share in part) for part in (row[:half], row[half:]))


def _plain(value: Any) -> Any:
    return float(f"{value:.2g}") if isinstance(value, float) else value


if __name__ == "__main__":
    raise SystemExit(main())
