"""From a notebook: the example as it is, and a search that is interrupted there, in a real kernel."""

from __future__ import annotations

import os
import queue
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

from storage.layout import Layout
from storage.study_lock import is_held
from tests.end_to_end_tests.project import PATIENCE_SECONDS, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyter_client.blocking import BlockingKernelClient
    from jupyter_client.manager import KernelManager
    from nbformat import NotebookNode

    from tests.end_to_end_tests.project import Project

EXAMPLE = Path(__file__).parents[2] / "examples" / "notebook.ipynb"
SETTINGS, FEWER = "rows=300, trials=10", "rows=300, trials=3, workers=1"
STUDY = "rent_sample_300"


@pytest.fixture(scope="module")
def played(new_project: Callable[[str], Project]) -> tuple[Project, NotebookNode]:
    """The example notebook with fewer trials, each cell run in turn; a cell that raises fails here."""
    project = new_project("notebook")
    notebook = nbformat.read(EXAMPLE, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace(SETTINGS, FEWER)
    client = NotebookClient(
        notebook, timeout=PATIENCE_SECONDS, resources={"metadata": {"path": str(project.home)}}
    )
    client.execute(env=clean_environment({}))
    return project, notebook


def _outputs(notebook: NotebookNode, source: str) -> list[Any]:
    (found,) = [cell for cell in notebook.cells if cell.cell_type == "code" and source in cell.source]
    return list(found.outputs)


def test_the_example_is_committed_without_outputs() -> None:
    """What it shows is made anew, so a change of it is a change of its cells; its settings are those replaced here."""
    notebook = nbformat.read(EXAMPLE, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert sum(SETTINGS in cell.source for cell in code) == 1
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_a_search_in_a_notebook_is_a_search(played: tuple[Project, NotebookNode]) -> None:
    """Worker processes start from a kernel; trials, runs and the submission are there as after the command."""
    project, _ = played
    states = [trial.state.name for trial in project.study(STUDY).trials]
    assert len([state for state in states if state in {"COMPLETE", "PRUNED"}]) == 3
    assert len(project.mlflow_runs("optuna_trial")) == 3
    promoted = list((project.home / "mlruns" / "submissions").glob("submission_2*.csv"))
    assert len(promoted) == 1
    assert STUDY in project.run("verify", promoted[0]).stdout


def test_results_show_themselves(played: tuple[Project, NotebookNode]) -> None:
    """Study, trial and promotion as pages, tables as tables, figures as figures; nothing on standard error."""
    _, notebook = played
    for source, shown in {
        "run_search(config)": f"Study {STUDY}",
        "result.best": "Trial ",
        "result.trials": "fold_0",
        "oof.assign": "prediction",
        "promote(result)": "Promoted: ",
    }.items():
        page = _outputs(notebook, source)[-1]["data"]["text/html"]
        assert shown in page, source
    for plot in ("convergence", "folds", "parallel"):
        (figure,) = _outputs(notebook, f"plot_{plot}")
        assert any("plotly" in kind for kind in figure["data"])
    streams = [
        one for cell in notebook.cells for one in cell.get("outputs", []) if one.output_type == "stream"
    ]
    assert [one["text"] for one in streams if one["name"] == "stderr"] == []
    lines = "".join(one["text"] for one in streams)
    assert len(re.findall(r"^\[", lines, re.MULTILINE)) == 3
    assert "\x1b" not in lines


@contextmanager
def _kernel(home: Path) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager, client = start_new_kernel(cwd=str(home), env=clean_environment({}))
    try:
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _until(
    client: BlockingKernelClient, message_id: str, is_it: Callable[[str, dict[str, Any]], bool]
) -> None:
    """Reads what a cell shows until a message is what is waited for."""
    while True:
        try:
            message = client.get_iopub_msg(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            pytest.fail("the kernel said nothing more")
        if message["parent_header"].get("msg_id") == message_id and is_it(
            message["msg_type"], message["content"]
        ):
            return


def test_an_interrupted_cell_leaves_the_study_in_order(new_project: Callable[[str], Project]) -> None:
    """As Ctrl-C does: nothing is left running, what ran is queued again, and the same cell goes on to the end."""
    project = new_project("interrupted_notebook")
    cell = "import search\nresult = search.run_search(search.load_config(rows=300, trials={}, workers=1))"
    with _kernel(project.home) as (manager, client):
        begun = client.execute(cell.format(200))
        _until(client, begun, lambda kind, told: kind == "stream" and "[  1/200]" in told["text"])
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=PATIENCE_SECONDS)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        states = [trial.state.name for trial in project.study(STUDY).trials]
        assert "RUNNING" not in states
        finished = len([state for state in states if state in {"COMPLETE", "PRUNED"}])
        assert finished < 100
        assert not is_held(Layout(project.home), STUDY)

        client.execute(cell.format(finished + 1))
        again = client.get_shell_msg(timeout=PATIENCE_SECONDS)
        assert again["content"]["status"] == "ok", again["content"]
    trials = project.study(STUDY).trials
    assert len([one for one in trials if one.state.name in {"COMPLETE", "PRUNED"}]) == finished + 1
    assert os.listdir(project.home / "mlruns" / "workers") == []  # noqa: PTH208 - names are enough
