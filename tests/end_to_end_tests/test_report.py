"""A real search leaves its report with its run, and what the dashboard shows."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from optuna.artifacts import FileSystemArtifactStore
from optuna_dashboard import wsgi

from storage.layout import Layout
from storage.ledger import open_ledger
from tests.browser import chromium_page
from tests.end_to_end_tests.story import STUDY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlflow.entities import Run
    from playwright.sync_api import Browser

    from tests.end_to_end_tests.story import Step


@pytest.fixture(scope="module")
def parent(searched: Step) -> Run:
    """The study's run."""
    (run,) = searched.project.mlflow_runs("optuna_study")
    return run


@pytest.fixture(scope="module")
def report(searched: Step, parent: Run) -> Path:
    """The page among its artifacts."""
    home = searched.project.home
    return home / "mlruns" / parent.info.experiment_id / parent.info.run_id / "artifacts" / "report.html"


@pytest.fixture(scope="module")
def dashboard(searched: Step) -> Iterator[Any]:
    """Asks the real dashboard for a path; returns body and headers."""
    layout = Layout(searched.project.home)
    app = wsgi(open_ledger(layout.ledger_url), FileSystemArtifactStore(layout.dashboard_artifacts))

    def ask(path: str) -> bytes:
        said: list[str] = []
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
        }
        body = b"".join(app(environ, lambda status, *_: said.append(status)))
        assert said[0].startswith("200"), (said, body)
        return body

    return ask


@pytest.fixture(scope="module")
def detail(dashboard: Any) -> dict[str, Any]:
    """What the dashboard's page of the study is made from."""
    studies = json.loads(dashboard("/api/studies"))["study_summaries"]
    number = next(one["study_id"] for one in studies if one["study_name"] == STUDY)
    found: dict[str, Any] = json.loads(dashboard(f"/api/studies/{number}"))
    return {**found, "study_id": number}


def test_a_search_attaches_its_report(searched: Step, parent: Run, report: Path) -> None:
    """It has the figures that the search printed, the run's id and every section filled."""
    html = re.sub(r"<script.*?</script>", "", report.read_text(encoding="utf-8"), flags=re.DOTALL)
    best = searched.project.study(STUDY).best_trial

    assert f"trial {best.number}" in html
    assert parent.info.run_id in html
    assert "Fold" in html
    assert "Expected on the test file" in html
    assert 'id="plot-residuals"' in html
    assert 'id="plot-feature_importance"' in html
    assert (
        searched.project.home / "mlruns" / "reports" / f"{STUDY}.html"
    ).read_bytes() == report.read_bytes()


def test_its_pictures_are_drawn_without_a_network(report: Path, chromium: Browser) -> None:
    """In a real browser: nothing asked for, nothing failed, and no picture without a mark."""
    with chromium_page(chromium) as tab:
        tab.page.goto(report.as_uri())
        drawn = tab.page.evaluate(
            "[...document.querySelectorAll('.plot')].map(box => box.querySelectorAll('.trace, .points path').length)"
        )

    assert (tab.requests, tab.errors) == ([report.as_uri()], [])
    assert len(drawn) > 8
    assert all(drawn), drawn


def test_the_dashboard_leads_to_the_record(searched: Step, parent: Run, detail: dict[str, Any]) -> None:
    """The study's note links to its run, each trial's to its own, and the values have the metric's name."""
    runs = {run.data.tags["optuna_trial"]: run for run in searched.project.mlflow_runs("optuna_trial")}

    assert f"/runs/{parent.info.run_id})" in detail["note"]["body"]
    assert detail["objective_names"] == [f"{parent_metric(parent)}"]
    for trial in detail["trials"]:
        run = runs[str(trial["number"])]
        page = f"/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id})"
        assert page in trial["note"]["body"]


def parent_metric(parent: Run) -> str:
    """The objective's name in MLflow."""
    return next(name for name in parent.data.metrics if name.startswith("best_")).removeprefix("best_")


def test_the_dashboard_has_our_pictures(searched: Step, detail: dict[str, Any]) -> None:
    """Convergence, fold scores and the ladder, of the study as it ended."""
    pictures = {one["id"]: json.loads(one["graph_object"]) for one in detail["plotly_graph_objects"]}
    convergence = pictures["search-convergence"]
    line = next(trace for trace in convergence["data"] if trace["name"] == "best so far")

    assert pictures.keys() == {"search-convergence", "search-fold_scores", "search-pruning_ladder"}
    assert line["y"][-1] == pytest.approx(searched.project.study(STUDY).best_value, rel=1e-5)


def test_the_dashboard_serves_the_best_trials_files(
    searched: Step, detail: dict[str, Any], dashboard: Any
) -> None:
    """Its submission to the byte, and the picture of its features."""
    best = searched.project.study(STUDY).best_trial
    files = next(one for one in detail["trials"] if one["number"] == best.number)["artifacts"]
    served = {
        one["filename"]: dashboard(f"/artifacts/{detail['study_id']}/{best._trial_id}/{one['artifact_id']}")
        for one in files
    }
    (name,) = served.keys() - {"feature_importance.svg"}

    assert served[name] == (searched.project.home / "mlruns" / "submissions" / name).read_bytes()
    assert b"<svg" in served["feature_importance.svg"]


def test_the_record_is_exact_all_the_same(searched: Step, detail: dict[str, Any]) -> None:
    """Neither report nor dashboard makes MLflow differ from the ledger."""
    assert detail["note"]["body"]

    searched.project.run("sync", "--check", "--study", STUDY)
