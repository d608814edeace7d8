from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from search.config import ROWS_FOR_THREADS
from search.loop import cores

PINNED = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from search.loop.cores import available_cores, threads_for
print(available_cores(), threads_for(1, 10**9))
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
def test_affinity_is_respected() -> None:
    """A process pinned to one core of a machine uses one."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PINNED], cwd=root, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["1", "1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1), ("max 100000", 8), ("nonsense", 8)],
)
def test_the_containers_quota_is_respected(
    text: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container's share of the cores counts, where it has one; never less than one core."""
    quota = tmp_path / "cpu.max"
    quota.write_text(text, encoding="ascii")
    monkeypatch.setattr(cores, "_QUOTA", quota)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)

    assert cores.available_cores() == expected


def test_threads_are_for_large_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """An evaluation has one thread on small data, its share of the cores on large, at least one."""
    monkeypatch.setattr(cores, "available_cores", lambda: 8)

    assert cores.threads_for(1, ROWS_FOR_THREADS - 1) == 1
    assert [cores.threads_for(workers, ROWS_FOR_THREADS) for workers in (0, 1, 3, 8, 20)] == [8, 8, 2, 1, 1]
