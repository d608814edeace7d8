from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from playwright.sync_api import expect

from benchmarks.synthetic_study import make_study
from search.report import main
from search.results.charts.chart import Chart
from search.results.charts.facts import facts_of
from search.results.report.evidence import gather
from search.results.report.making import is_report_of, write_report
from search.results.report.runs import Runs
from search.results.report.sections import _features, all_sections
from storage.layout import Layout
from storage.ledger import open_ledger
from storage.study_snapshot import snapshot
from tests.browser import chromium_page
from tests.search_tests.made_studies import empty_study, filled_study

if TYPE_CHECKING:
    from optuna.study import Study
    from playwright.sync_api import Browser

SECTIONS = [
    "asked",
    "data",
    "convergence",
    "promotion",
    "blend",
    "errors",
    "importance",
    "parallel",
    "slices",
    "folds",
    "pruning",
    "time",
    "lineage",
    "reproduce",
]
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
MOST_BYTES = 15_000_000
DARK, LIGHT = "rgb(20, 23, 27)", "rgb(251, 251, 250)"


@pytest.fixture
def project_home(in_empty_folder: Path, mlflow_template: Path) -> Path:
    """The working directory, a project with an empty record: making one takes 6 s."""
    (in_empty_folder / "mlruns").mkdir()
    shutil.copy(mlflow_template, in_empty_folder / "mlruns" / "mlflow.db")
    return in_empty_folder


def _written(study: Study, home: Path) -> Path:
    path = home / "report.html"
    write_report(study, Layout(home), path, runs=Runs("rents", "parentrun", "bestrun"))
    return path


def _without_scripts(html: str) -> str:
    return re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)


def test_each_section_is_there_with_the_studys_values(tmp_path: Path) -> None:
    """What a teammate reads is what the ledger has."""
    html = _without_scripts(_written(filled_study(tmp_path), tmp_path).read_text(encoding="utf-8"))

    assert re.findall(r'<section id="(\w+)"', html) == SECTIONS
    for said in (
        "14 finished (12 complete, 1 pruned, 1 failed), 1 running, 1 waiting",
        "RMSE, lower is better",
        "f1ngerpr1nt",
        "group, 3 folds",
        "0.01 to 1, log",
        "15.0000",
        "parentrun",
        "bestrun",
        "3.11.7",
        "--train gone.csv",
        "--group house",
        "python -m search.replay rents 7",
        "2 min 20 s",
    ):
        assert said in html, said


def test_features_that_the_table_does_not_have_are_numbered(tmp_path: Path) -> None:
    """An objective of one's own may look at others: its report is made all the same."""
    facts, layout = facts_of(filled_study(tmp_path)), Layout(tmp_path)
    table = SimpleNamespace(dataset=SimpleNamespace(feature_names=("area", "age")))
    evidence = replace(gather(facts, layout), competition=cast("Any", table))

    own = _features(facts, replace(evidence, importance=np.array([0.25, 0.75])))
    other = _features(facts, replace(evidence, importance=np.array([1.0])))

    assert isinstance(own, Chart)
    assert isinstance(other, Chart)
    assert "age brings 75 %" in own.says
    assert "feature 0 brings 100 %" in other.says


@pytest.mark.parametrize("maximize", [False, True])
def test_a_study_without_a_complete_trial_has_a_report(tmp_path: Path, maximize: bool) -> None:
    """Every section is there and says why it is empty."""
    study = empty_study(tmp_path, maximize=maximize)
    facts = facts_of(study)
    sections = all_sections(facts, gather(facts, Layout(tmp_path)), Runs(), Layout(tmp_path))

    assert [section.key for section in sections] == SECTIONS
    assert all(section.parts for section in sections)
    assert "No trial has run to its end yet" in _written(study, tmp_path).read_text(encoding="utf-8")


def test_a_report_knows_the_study_that_it_is_of(tmp_path: Path) -> None:
    """One that is still right need not be made again, one of before a further trial must."""
    study = filled_study(tmp_path)
    path = _written(study, tmp_path)
    assert is_report_of(path, study)

    study.enqueue_trial({"rate": 0.5})

    assert not is_report_of(path, study)
    assert not is_report_of(tmp_path / "none.html", study)


def test_the_page_loads_nothing_and_draws_everything(tmp_path: Path, chromium: Browser) -> None:
    """No address but its own is asked for, nothing fails, and each picture has traces on the screen."""
    path = _written(filled_study(tmp_path), tmp_path)
    html = path.read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(https?:)?//""", _without_scripts(html))
    assert not re.search(r"@import|url\(", html.split("</style>")[0])

    with chromium_page(chromium) as tab:
        tab.page.goto(path.as_uri())
        drawn = tab.page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('.plot')].map(box => [box.id,"
            " box.querySelectorAll('.trace, .points path, .heatmaplayer image').length]))"
        )

    assert tab.requests == [path.as_uri()]
    assert tab.errors == []
    assert drawn.keys() >= {
        "plot-convergence",
        "plot-parallel_coordinates",
        "plot-slice_0",
        "plot-fold_scores",
    }
    assert all(drawn.values()), drawn


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it_in_either_scheme(tmp_path: Path, chromium: Browser, scheme: str) -> None:
    """Nothing is wider than 390 pixels, and page and pictures have the colours of the scheme."""
    path = _written(filled_study(tmp_path), tmp_path)
    # The page forbids `eval`, by which the browser is waited for.
    with chromium_page(chromium, 390, 844, color_scheme=scheme, bypass_csp=True) as tab:
        tab.page.goto(path.as_uri())
        wide = tab.page.evaluate("document.documentElement.scrollWidth")
        page = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
        tick = tab.page.locator("#plot-convergence .xtick text").first
        text = tick.evaluate("tick => getComputedStyle(tick).fill")
        tab.page.emulate_media(color_scheme="light" if scheme == "dark" else "dark")
        # A wait by a script of Playwright's own would be refused by the page's policy.
        expect(tick).not_to_have_css("fill", text)

    assert wide == 390
    assert page == (DARK if scheme == "dark" else LIGHT)
    assert text == ("rgb(182, 190, 201)" if scheme == "dark" else "rgb(74, 81, 91)")


def test_on_paper_it_is_light_and_fits(tmp_path: Path, chromium: Browser) -> None:
    """A reader's dark screen does not print dark, and no picture is wider than the sheet."""
    path = _written(filled_study(tmp_path), tmp_path)
    with chromium_page(chromium, color_scheme="dark") as tab:
        tab.page.goto(path.as_uri())
        tab.page.evaluate(
            "addEventListener('beforeprint', () => { window.printed ="
            " [...document.querySelectorAll('.plot svg.main-svg')].map(one => one.clientWidth) })"
        )
        pdf = tab.page.pdf(prefer_css_page_size=True)
        widths = tab.page.evaluate("window.printed")
        tab.page.emulate_media(media="print")
        background = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert pdf.startswith(b"%PDF")
    assert max(widths) <= 670
    assert background == "rgb(255, 255, 255)"


def test_hostile_names_are_text(tmp_path: Path, chromium: Browser) -> None:
    """Neither a study's name nor an attribute becomes a tag or a script, in the page or in a picture."""
    study = filled_study(tmp_path, name=HOSTILE)
    study.set_user_attr("settings", {**study.user_attrs["settings"], "train": HOSTILE})
    study.set_user_attr("question", {**study.user_attrs["question"], "metric": HOSTILE})
    path = _written(study, tmp_path)
    with chromium_page(chromium) as tab:
        tab.page.goto(path.as_uri())
        title, images = tab.page.title(), tab.page.evaluate("document.querySelectorAll('img, image').length")
        heading = tab.page.inner_text("h1")

    assert title == f"{HOSTILE}: report"
    assert heading == HOSTILE
    assert images == 0
    assert tab.requests == [path.as_uri()]


def test_a_foreign_script_would_not_run(tmp_path: Path, chromium: Browser) -> None:
    """Had a value slipped through the escaping, the page's own policy refuses it."""
    path = _written(filled_study(tmp_path), tmp_path)
    html = path.read_text(encoding="utf-8")
    path.write_text(html.replace("<main>", f"<main>{HOSTILE}"), encoding="utf-8")
    with chromium_page(chromium) as tab:
        tab.page.goto(path.as_uri())
        title = tab.page.title()

    assert title == "rents: report"
    assert any("Content Security Policy" in error for error in tab.errors)


def test_ten_thousand_trials_are_a_small_page(tmp_path: Path, chromium: Browser) -> None:
    """Points are sampled, the page says so, and it stays under 15 MB, nearly all of it Plotly's."""
    layout = Layout(tmp_path)
    layout.create()
    study = snapshot(make_study(open_ledger(layout.ledger_url), "long", 10_000))
    path = tmp_path / "report.html"

    write_report(study, layout, path)

    html = path.read_text(encoding="utf-8")
    plotly = max(re.findall(r"<script>(.*?)</script>", html, re.DOTALL), key=len)
    assert path.stat().st_size < MOST_BYTES
    assert len(html) - len(plotly) < 600_000
    assert "1,500 of 10,000 complete trials drawn" in html
    with chromium_page(chromium, 390) as tab:
        tab.page.goto(path.as_uri())
        assert tab.page.evaluate("document.querySelectorAll('#plot-convergence .points path').length") > 1_000
        assert tab.page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_command_writes_where_it_is_told(project_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in a new folder, attached to the study's run; trials and attributes stay as they are."""
    study = filled_study(Path())
    before = [one.number for one in study.trials], study.user_attrs

    assert main(["rents", "--output", "new/r.html", "--storage", "sqlite:///mlruns/optuna.db"]) == 0

    assert is_report_of(Path("new/r.html"), study)
    said = capsys.readouterr().out
    assert "Report: new/r.html" in said
    assert "Attached: report.html" in said
    assert [path.read_bytes() for path in project_home.glob("mlruns/*/*/artifacts/report.html")] == [
        Path("new/r.html").read_bytes()
    ]
    assert ([one.number for one in study.trials], study.user_attrs) == before
    assert not (project_home / "mlruns" / "reports").exists()


def test_an_unknown_study_is_refused(project_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, the fault in words, and no file."""
    filled_study(project_home)

    assert main(["nobody"]) == 2
    assert main(["rents", "--output", "mlruns"]) == 2

    said = capsys.readouterr().err
    assert "got 'nobody'; allowed: rents" in said
    assert "--output: got mlruns, a folder" in said
    assert not list(project_home.rglob("*.html"))
