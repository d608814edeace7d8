"""How many threads pay on this machine and this data, by measuring."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import lightgbm as lgb

ROWS_TO_MEASURE = 50_000
"""Below, one thread without asking: a second gains a tenth on an idle machine, and on a busy one, where OpenMP's
threads wait for each other after every level of a tree, it costs a multiple."""
_WORTH_IT = 1.2
_ROUNDS = 4


def fastest_threads(params: dict[str, Any], train: lgb.Dataset, most: int) -> int:
    """The number of threads, a power of two, at which rounds are fastest.

    Args:
        params: Complete LightGBM parameters; the model is the same to the bit with any number of threads.
        train: Constructed.
        most: Threads to try at most.

    Returns:
        1, or twice as often as doubling brought a fifth or more.
    """
    threads, seconds = 1, _seconds(params, train, 1)
    while 2 * threads <= most:
        doubled = _seconds(params, train, 2 * threads)
        if doubled * _WORTH_IT > seconds:
            break
        threads, seconds = 2 * threads, doubled
    return threads


def _seconds(params: dict[str, Any], train: lgb.Dataset, threads: int) -> float:
    """Of the fastest round; the first one, which makes room, is not looked at."""
    import lightgbm as lgb

    booster = lgb.Booster({**params, "num_threads": threads}, train)
    booster.update()
    taken = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        booster.update()
        taken.append(time.perf_counter() - start)
    return min(taken)
