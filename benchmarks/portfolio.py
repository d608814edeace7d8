"""Configurations that are good on most data, out of recorded ones: `python -m benchmarks.portfolio [--size 6]`.

Greedy: the next configuration is the one that brings the best of all chosen so far, the default among them,
nearest to the best there is, on the mean over the data sets. Where a set's best is counts as 0 and its median
configuration as 1. One that costs more than twice the default's CPU seconds is left out. That it is no accident of
these sets is shown by leaving each set out in turn: how near the portfolio made from the other sets comes on it,
beside as many random configurations.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.curves import LINES, candidates, read_lines
from benchmarks.pruning import by_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_COST = 2.0
"""As a multiple of the default's, on the geometric mean over the data sets."""
WORST = 2.0
"""Where a configuration that diverges counts: one bad set shall not decide all."""


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the portfolio, and how it does on sets that it was not made from."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lines", type=Path, default=LINES)
    parser.add_argument("--size", type=int, default=6, help="configurations besides the default")
    flags = parser.parse_args(argv)
    names, distance, kept = distances(flags.lines)
    print(f"{'left out':<16}{'default':>9}{'portfolio':>11}{'random':>9}")
    rows = []
    for k, name in enumerate(names):
        chosen = greedy(np.delete(distance, k, axis=0), flags.size)
        rows.append((distance[k, 0], distance[k, [0, *chosen]].min(), random_best(distance[k], flags.size)))
        print(f"{name:<16}{rows[-1][0]:>9.3f}{rows[-1][1]:>11.3f}{rows[-1][2]:>9.3f}")
    default, portfolio, chance = np.mean(rows, axis=0)
    print(f"{'mean':<16}{default:>9.3f}{portfolio:>11.3f}{chance:>9.3f}")
    pool = candidates(max(kept) + 1)
    for config in (kept[k] for k in greedy(distance, flags.size)):
        print(f"{config}: {json.dumps({name: _plain(value) for name, value in pool[config].items()})}")
    return 0


def _plain(value: float) -> float:
    return value if isinstance(value, int) else float(f"{value:.2g}")


def distances(path: Path) -> tuple[list[str], NDArray[np.float64], list[int]]:
    """Names of the sets, how far each configuration is from the best, and the configurations' numbers.

    Returns:
        Shapes (n_sets,), (n_sets, n_configs) and (n_configs,).
    """
    sets = by_set(read_lines(path))
    n = min(len(lines) for lines in sets.values())
    rows, costs = [], []
    for lines in sets.values():
        costs.append(np.log([line["cpu"] / lines[0]["cpu"] for line in lines[:n]]))
        means = np.array([np.mean(line["scores"]) for line in lines[:n]])
        means = -means if lines[0]["greater_is_better"] else means
        rows.append(np.clip((means - means.min()) / (np.median(means) - means.min()), 0, WORST))
    kept = np.flatnonzero(np.mean(costs, axis=0) <= np.log(MOST_COST))
    return list(sets), np.array(rows)[:, kept], kept.tolist()


def greedy(distance: NDArray[np.float64], size: int) -> list[int]:
    """The configurations chosen, in order; the default, number 0, is there already."""
    chosen = [0]
    for _ in range(size):
        so_far = distance[:, chosen].min(axis=1, keepdims=True)
        chosen.append(int(np.minimum(distance, so_far).mean(axis=0).argmin()))
    return chosen[1:]


def random_best(distance: NDArray[np.float64], size: int, draws: int = 2_000) -> float:
    """Mean of the best of the default and as many random ones."""
    rng = np.random.default_rng(0)
    picks = [rng.choice(np.arange(1, len(distance)), size, replace=False) for _ in range(draws)]
    return float(np.mean([min(distance[0], distance[pick].min()) for pick in picks]))


if __name__ == "__main__":
    raise SystemExit(main())
