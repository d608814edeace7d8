"""Whether a trial has used more than it may, in words for its record."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

    from search.loop.engine import Limits

GIGABYTE = 1e9


def trial_limits(seconds: float | None, gigabytes: float | None) -> Limits:
    """What one trial may use by the settings; None: as much as it likes."""
    from search.loop.engine import Limits

    return Limits(seconds=seconds or math.inf, memory_bytes=(gigabytes or math.inf) * GIGABYTE)


def over_time(limits: Limits, seconds: float) -> str | None:
    """Says how a trial of that age is over its time; None if it is not."""
    if seconds <= limits.seconds:
        return None
    return f"stopped after {seconds:.0f} s; --trial-timeout allows {limits.seconds:g} s"


def over_memory(limits: Limits, used_bytes: float | None = None) -> str | None:
    """Says how a process is over its memory; None if it is not.

    Args:
        limits: What is allowed.
        used_bytes: What the process uses; None: this process's own resident memory.
    """
    if math.isinf(limits.memory_bytes):
        return None
    used = resident_bytes() if used_bytes is None else used_bytes
    if used <= limits.memory_bytes:
        return None
    return (
        f"its worker used {used / GIGABYTE:.2f} GB; "
        f"--memory-per-worker allows {limits.memory_bytes / GIGABYTE:g} GB"
    )


def resident_bytes() -> int:
    """Resident memory of this process."""
    return int(_this_process().memory_info().rss)


@cache
def _this_process() -> psutil.Process:
    import psutil

    return psutil.Process()
