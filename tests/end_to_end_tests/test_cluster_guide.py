"""What docs/cluster.md tells a user to type, typed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from search.loop.tally import is_counted
from tests.end_to_end_tests.project import PATIENCE_SECONDS, clean_environment, data_flags

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import CsvPair
    from tests.end_to_end_tests.project import Project

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
MEMORY, WATCHING, BY_HAND, CERTIFICATES, TLS = re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL)
N_TRIALS = 3

# The three commands are for three terminals; here the first two run behind the third.
TOGETHER = """
trap 'kill $first $second; wait' EXIT
mkdir -p shared
{scheduler} & first=$!
{worker} & second=$!
until [ -s shared/scheduler.json ]; do sleep 0.1; done
grep -q tls:// shared/scheduler.json
{search}
"""


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((recipes/[^)]+)\)", GUIDE))))
def test_links_of_the_guide_lead_somewhere(target: str) -> None:
    """Each recipe that the guide names is there."""
    assert (ROOT / "docs" / target).is_file()


@pytest.mark.slow
def test_by_hand_with_tls(new_project: Callable[[str], Project], regression_csvs: CsvPair) -> None:
    """The commands by hand, in an environment with the guide's variables, search over TLS."""
    project = new_project("by_hand")
    scheduler, worker, search = (line.split("  #")[0] for line in BY_HAND.splitlines())
    flags = [*data_flags(regression_csvs), "--folds", "2", "--study", "sugar", "--trials", str(N_TRIALS)]
    search = f"{search.split(' --trials')[0]} {' '.join(map(str, flags))}"
    together = TOGETHER.format(scheduler=f"{scheduler} --port 0 --no-dashboard", worker=worker, search=search)

    _bash(project.home, "set -e", CERTIFICATES, MEMORY, WATCHING, TLS, together)

    assert [is_counted(trial) for trial in project.study("sugar").get_trials()] == [True] * N_TRIALS


def _bash(home: Path, *blocks: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with subprocess.Popen(
        ["bash", "-c", "\n".join(blocks)],
        cwd=home,
        env=clean_environment({"PATH": path, "PYTHONPATH": str(ROOT)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            said, _ = shell.communicate(timeout=PATIENCE_SECONDS)
        finally:
            # What it started too, should it hang.
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, said
