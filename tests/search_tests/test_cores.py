from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from search.config import COPIES_OF_DATA, WORKER_BYTES
from search.loop import cores

PINNED = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from search.loop.cores import available_cores, cores_for_each
print(available_cores(), cores_for_each(1))
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


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker has its share of the cores, at least one; the command's own process has them all."""
    monkeypatch.setattr(cores, "available_cores", lambda: 8)

    assert [cores.cores_for_each(workers) for workers in (0, 1, 3, 8, 20)] == [8, 8, 2, 1, 1]


def test_no_more_workers_than_trials_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a worker for each core, unless there are fewer trials, or memory for fewer copies of the data."""
    gigabyte = 10**9
    room = SimpleNamespace(available=3 * (WORKER_BYTES + COPIES_OF_DATA * gigabyte))
    monkeypatch.setattr(cores, "available_cores", lambda: 8)
    monkeypatch.setattr("psutil.virtual_memory", lambda: room)

    assert cores.workers_for(200, 0) == 8
    assert cores.workers_for(2, 0) == 2
    assert cores.workers_for(200, gigabyte) == 3
    assert cores.workers_for(200, 100 * gigabyte) == 1
