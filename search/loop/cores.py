"""How many cores this process may use, and for what."""

from __future__ import annotations

import os
from pathlib import Path

from search.config import ROWS_FOR_THREADS

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def available_cores() -> int:
    """Cores by affinity and by the container's quota, at least 1."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        cores = os.cpu_count() or 1
    return max(1, min(cores, _quota(cores)))


def threads_for(workers: int, rows: int) -> int:
    """Threads of one evaluation: all its cores on large data, one on small.

    On small data a second thread gains a tenth on an idle machine and costs a multiple on a busy one, where
    OpenMP's threads wait for each other after every tree level.
    """
    return max(1, available_cores() // max(1, workers)) if rows >= ROWS_FOR_THREADS else 1


def _quota(cores: int) -> int:
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        return cores if quota == "max" else max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return cores
