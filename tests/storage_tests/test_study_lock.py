from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from storage.layout import Layout
from storage.study_lock import StudyLockedError, is_held, study_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from storage.layout import Layout
from storage.study_lock import study_lock
with study_lock(Layout(Path(sys.argv[1])), "rent"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _holder(home: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(home)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_coordinator_is_refused_by_name(tmp_path: Path) -> None:
    """Who comes second learns host and process id of the first."""
    with _holder(tmp_path) as first:
        pattern = rf"process {first.pid} on {re.escape(os.uname().nodename)}"
        with pytest.raises(StudyLockedError, match=pattern), study_lock(Layout(tmp_path), "rent"):
            pytest.fail("two coordinators at once")


def test_another_study_is_free(tmp_path: Path) -> None:
    """A lock is one study's."""
    with _holder(tmp_path), study_lock(Layout(tmp_path), "other"):
        pass


def test_a_dead_owners_lock_is_taken(tmp_path: Path) -> None:
    """After SIGKILL the next coordinator needs no cleaning up."""
    with _holder(tmp_path) as first:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        assert Layout(tmp_path).lock("rent").with_suffix(".json").exists()

        with study_lock(Layout(tmp_path), "rent"):
            pass


def test_a_released_lock_is_free(tmp_path: Path) -> None:
    """One after the other is allowed, also after an error."""
    with pytest.raises(RuntimeError, match="boom"), study_lock(Layout(tmp_path), "rent"):
        raise RuntimeError("boom")

    with study_lock(Layout(tmp_path), "rent"):
        pass


def test_a_lock_without_its_owners_name_still_refuses(tmp_path: Path) -> None:
    """The file with the owner's name is for the message only."""
    with study_lock(Layout(tmp_path), "rent"):
        Layout(tmp_path).lock("rent").with_suffix(".json").unlink()
        with pytest.raises(StudyLockedError, match="another process"), study_lock(Layout(tmp_path), "rent"):
            pytest.fail("two coordinators at once")


def test_a_look_at_the_lock_leaves_no_file(tmp_path: Path) -> None:
    """Whether a study is held can be asked without making or taking anything."""
    layout = Layout(tmp_path)
    assert not is_held(layout, "rent")
    assert not layout.locks.exists()

    with _holder(tmp_path) as process:
        assert is_held(layout, "rent")
        process.communicate("")
    assert not is_held(layout, "rent")
