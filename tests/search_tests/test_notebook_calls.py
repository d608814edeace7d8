"""`from search import ...`: the commands as functions, with results that show themselves."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import search
from search import InputFaults, SearchConfig, StudyResult, load_config, load_study
from search.competition import open_competition
from search.results.promotion import Promotion
from storage.layout import Layout
from storage.predictions import PredictionStore
from tests.search_tests.looked_at import complete, failed, new_study, pruned

if TYPE_CHECKING:
    from tests.conftest import CsvPair

pytestmark = pytest.mark.usefixtures("in_empty_folder")
HOSTILE = "<script>alert(1)</script>"


def _result(study: str = "rents", *trials: Any) -> StudyResult:
    default, better = complete((10.0, 11.0, 9.0)), complete((8.0, 9.0, 7.0), num_leaves=63)
    return StudyResult(new_study(study, *(trials or (default, better, pruned()))), Layout())


def test_importing_costs_nothing() -> None:
    """Every command imports the package, so the names for notebooks load nothing before they are used."""
    told = "import search, sys; print(sorted({'numpy', 'optuna', 'pandas', 'pydantic', 'plotly'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_function_is_not_hidden_by_the_command() -> None:
    """`promote` stays a function where the command of that name was imported too."""
    from search.promote import main

    assert callable(main)
    assert {*search.__all__} <= {*dir(search)}
    assert search.promote is sys.modules["search.notebook.calls"].promote
    with pytest.raises(AttributeError):
        _ = search.no_such_name  # type: ignore[attr-defined]


def test_settings_are_those_of_the_command_line(tmp_path: Path) -> None:
    """By the same names, over a file's, with lists, paths and tables as Python has them."""
    file = tmp_path / "settings.toml"
    file.write_text("trials = 5\nseed = 6")
    space = {"num_leaves": {"low": 4, "high": 16}}
    config = load_config(
        file, trials=9, train=Path("a.csv"), objective=["lightgbm", "linear"], space=space, timeout=None
    )

    assert isinstance(config, SearchConfig)
    assert (config.trials, config.seed, config.train) == (9, 6, Path("a.csv"))
    assert config.objective == ("lightgbm", "linear")
    assert config.space is not None
    assert load_config() == SearchConfig()


def test_faults_are_those_of_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """All of them at once, word for word; and an unknown name is answered with a near one."""
    from search.run import main

    (tmp_path / "bad.toml").write_text("folds = 1")
    flags = [
        "--trials",
        "0",
        "--workers",
        "-2",
        "--train",
        "gone.csv",
        "--config",
        str(tmp_path / "bad.toml"),
    ]
    assert main(flags) == 2
    told = capsys.readouterr().err.splitlines()
    with pytest.raises(InputFaults) as error:
        load_config(tmp_path / "bad.toml", trials="0", workers="-2", train="gone.csv")

    assert list(error.value.faults) == told
    assert len(told) >= 5
    assert error.value._render_traceback_() == told
    with pytest.raises(InputFaults, match=r"trails: got an unknown setting; .*do: write trials"):
        load_config(trails=3)


def test_the_timeout_counts_from_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook's process began long before the search that it calls."""
    from search.loop import search as loop

    heard: list[float] = []

    def stop(*_: object, started: float, brief: bool) -> None:
        assert brief
        heard.append(started)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "run_search", stop)
    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        search.run_search(load_config())
    assert before <= heard[0] <= time.monotonic()


def test_a_study_as_tables_and_values() -> None:
    """A row for each trial in order; scores of complete ones only; the best and any other by number."""
    result = _result()
    trials = result.trials

    assert list(trials.index) == [0, 1, 2]
    assert list(trials["state"]) == ["complete", "complete", "pruned"]
    assert trials["score"].isna().tolist() == [False, False, True]
    assert trials.loc[1, ["fold_0", "fold_1", "fold_2", "params_num_leaves"]].tolist() == [8, 9, 7, 63]
    assert result.best is not None
    assert (result.best.number, result.best.score) == (1, 8.0)
    assert result.trial(2).pruning is not None
    assert result.submission is None
    with pytest.raises(InputFaults, match="TRIAL: got 3; allowed: 0 to 2"):
        result.trial(3)
    assert load_study().name == "rents"
    with pytest.raises(InputFaults, match="allowed: rents"):
        load_study("rent")


class _Balance(HTMLParser):
    """Notes tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One more."""
        del attrs
        if tag not in {"line", "polyline"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """The last one opened."""
        if tag not in {"line", "polyline"}:
            assert self.open.pop() == tag


def _pages() -> dict[str, str]:
    result = _result(HOSTILE, complete((10.0, 11.0)), complete((8.0, 9.0), num_leaves=63), failed(HOSTILE))
    best = result.best
    assert best is not None
    promotion = Promotion(
        HOSTILE, HOSTILE, 1.0, 0.1, Path(HOSTILE), Path("b.json"), "run", HOSTILE, (HOSTILE,)
    )
    shown = {"study": result, "empty": _result("none", pruned()), "trial": best, "failed": result.trial(2)}
    return {name: one._repr_html_() for name, one in {**shown, "promotion": promotion}.items()}


def test_what_shows_itself_is_whole_and_harmless() -> None:
    """Text of the user's is escaped, tags are closed, and nothing is fetched from anywhere."""
    pages = _pages()
    for name, page in pages.items():
        balance = _Balance()
        balance.feed(page)
        assert balance.open == [], name
        assert "<script" not in page, name
        assert not re.search(r"https?:|src=|@import|url\(", page), name
    assert sum("&lt;script&gt;" in page for page in pages.values()) >= 4
    assert "8.50000 ± 0.50000" in pages["study"]
    assert "No trial ran to its end yet" in pages["empty"]


def test_colours_are_the_pages_own() -> None:
    """On light and dark: no background and no text colour but the page's."""
    style = _pages()["study"].split("<style>")[1].split("</style>")[0]
    assert set(re.findall(r"(?<!-)color: ([^;]+);", style)) == {"inherit"}
    # Bars of the importance are drawn with a background; both themes can carry their blue.
    assert set(re.findall(r"background: ([^;]+);", style)) == {"transparent", "#3b82f6"}


@pytest.mark.parametrize("plot", ["convergence", "importance", "folds", "parallel", "slice", "pruning"])
def test_each_figure_is_drawn_of_any_study(plot: str) -> None:
    """With few trials, many, or none that is complete, each is a figure with a title."""
    many = [
        complete((10.0 + k % 7, 9.0 + k % 5), num_leaves=5 + k, learning_rate=0.01 + k / 100)
        for k in range(24)
    ]
    for name, trials in {"none": [pruned()], "one": [complete((1.0, 2.0))], "many": many}.items():
        figure = getattr(_result(f"{plot} {name}", *trials), f"plot_{plot}")()
        assert figure.layout.title.text
        assert len(figure.data) or len(figure.layout.annotations)
        # All but the figure of reports, which only the pruned trial has here.
        assert bool(figure.data) == (plot == "pruning") or name != "none"
        assert name != "many" or plot == "pruning" or len(figure.data)


@pytest.mark.parametrize("data", ["regression_csvs", "binary_csvs", "multiclass_csvs"])
def test_out_of_fold_predictions_beside_the_target(data: str, request: pytest.FixtureRequest) -> None:
    """A row for each training row in the file's order: id as written, label as written, fold, prediction."""
    pair: CsvPair = request.getfixturevalue(data)
    config = load_config(train=pair.train, test=pair.test, target=pair.target, folds=3, study="kept")
    competition = open_competition(config, Layout())
    n, classes = len(competition.dataset.target), competition.dataset.classes
    shape = (n, len(classes)) if len(classes) > 2 else (n,)
    oof = np.random.default_rng(0).uniform(size=shape)
    study = new_study("kept", complete((1.0, 2.0, 3.0)))
    PredictionStore(Layout().predictions("kept")).save(0, oof=oof, test=oof)
    table = StudyResult(study, Layout(), (), competition).oof

    lines = pair.train.read_text().splitlines()
    assert table["id"].tolist() == [line.split(",")[0] for line in lines[1:]]
    written = [line.split(",")[lines[0].split(",").index(pair.target)] for line in lines[1:]]
    assert table["target"].astype(str if classes else float).tolist() == [
        one if classes else float(one) for one in written
    ]
    for number, fold in enumerate(competition.folds):
        assert (table["fold"].to_numpy()[fold.val_idx] == number).all()
    predicted = [f"prediction_{one}" for one in classes] if len(classes) > 2 else ["prediction"]
    assert np.array_equal(table[predicted].to_numpy().reshape(shape), oof)
