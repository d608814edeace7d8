"""Fits and predictions that do not depend on how many threads there are."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_WITH_THREADS = ("scipy.linalg", "sklearn.utils._openmp_helpers")
"""Of those installed, what brings a pool of threads along: a limit holds for the libraries that are there already."""


def threads_limited(threads: int) -> AbstractContextManager[object]:
    """Limits the threads of linear algebra and of OpenMP for as long as the block runs."""
    from threadpoolctl import threadpool_limits

    for name in _WITH_THREADS:
        if find_spec(name.partition(".")[0]):
            import_module(name)
    limited: AbstractContextManager[object] = threadpool_limits(threads)
    return limited


def one_thread() -> AbstractContextManager[object]:
    """One thread: sums over several come out differently in the last bit, and a served model in other rooms."""
    return threads_limited(1)
