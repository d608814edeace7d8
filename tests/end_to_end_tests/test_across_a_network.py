"""A search whose worker is on another network host and shares no folder with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from search.loop.tally import is_counted
from tests.end_to_end_tests.namespaces import remove, two_hosts
from tests.end_to_end_tests.project import PATIENCE_SECONDS, clean_environment, data_flags
from tests.search_tests.bodies import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.conftest import CsvPair
    from tests.end_to_end_tests.namespaces import Namespace
    from tests.end_to_end_tests.project import Project

ROOT = Path(__file__).parents[2]
N_TRIALS = 3


@pytest.fixture
def hosts() -> Iterator[tuple[Namespace, Namespace]]:
    """Two hosts with a cable between them."""
    try:
        found = two_hosts()
    except PermissionError as error:
        pytest.skip(f"no network namespaces here: {error}")
    yield found
    remove(*found)


@pytest.mark.slow
def test_data_goes_over_the_network(
    hosts: tuple[Namespace, Namespace], new_project: Callable[[str], Project], lucas_csvs: CsvPair
) -> None:
    """A worker that sees no folder or file of the coordinator evaluates each trial, over the cable."""
    near, far = hosts
    project = new_project("network")
    address = f"tcp://{near.address}:8786"
    flags = [*data_flags(lucas_csvs), "--folds", "2", "--study", "house", "--trials", str(N_TRIALS)]
    dask = [
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        near.address,
        "--port",
        "8786",
        "--no-dashboard",
    ]
    worker = [
        "-m",
        "distributed.cli.dask_worker",
        address,
        "--nthreads",
        "1",
        "--host",
        far.address,
        "--no-dashboard",
    ]
    ready = project.home / "scheduler.json"
    before = near.sent_bytes()
    running = [_start(near.prefix(), [*dask, "--scheduler-file", ready], project.home)]
    try:
        wait_for(ready)
        running.append(_start(far.prefix(project.home), worker, project.home))
        search = _start(near.prefix(), ["-m", "search.run", "--cluster", address, *flags], project.home)
        running.append(search)
        search.wait(timeout=PATIENCE_SECONDS)
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)

    assert search.returncode == 0, (project.home / "log").read_text()
    assert [is_counted(trial) for trial in project.study("house").get_trials()] == [True] * N_TRIALS
    assert near.sent_bytes() - before > _bytes_of_data(lucas_csvs)


def _bytes_of_data(pair: CsvPair) -> int:
    import pandas as pd

    # Half of it as numbers: texts become small codes on their way.
    return int(pd.read_csv(pair.train).select_dtypes("number").to_numpy().nbytes / 2)


def _start(prefix: list[str], python: Sequence[str | Path], home: Path) -> subprocess.Popen[bytes]:
    with (home / "log").open("ab") as log:
        return subprocess.Popen(
            [*prefix, sys.executable, *map(str, python)],
            cwd=home,
            env=clean_environment({"PYTHONPATH": str(ROOT)}),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
