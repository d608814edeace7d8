"""How many cores this process may use, and for what."""

from __future__ import annotations

import os
from pathlib import Path

from search.config import COPIES_OF_DATA, WORKER_BYTES

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def available_cores() -> int:
    """Cores by affinity and by the container's quota, at least 1."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        cores = os.cpu_count() or 1
    return max(1, min(cores, _quota(cores)))


def workers_for(trials: int, data_bytes: int) -> int:
    """Worker processes to start: one for each core, but none without a trial, nor without memory for it.

    Args:
        trials: Trials there are to be.
        data_bytes: Size of the data that each worker holds.
    """
    import psutil

    room = psutil.virtual_memory().available // (WORKER_BYTES + COPIES_OF_DATA * data_bytes)
    return int(max(1, min(available_cores(), trials, room)))


def cores_for_each(workers: int) -> int:
    """Cores of one worker, at least 1; no worker at all counts as one."""
    return max(1, available_cores() // max(1, workers))


def _quota(cores: int) -> int:
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        return cores if quota == "max" else max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return cores
