"""The objectives that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna

import objectives.base
from search.competition import open_competition
from search.config import AUTO_OBJECTIVES, AUTO_ROWS, AUTO_VALUES_A_SECOND, DataConfig, SearchConfig
from search.space.begun import begun_with
from search.space.chosen import choose
from storage.layout import Layout
from storage.ledger import open_ledger

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from search.space.chosen import ChosenObjectives
    from tests.conftest import CsvPair

CODE = """
from objectives.models.lightgbm import LightGBMObjective

class Mine(LightGBMObjective):
    name = "mine"
"""


def _write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "own.py").write_text(CODE, encoding="utf-8")


FEATURES = 35


def _new(
    chosen: ChosenObjectives, rows: int, classes: int = 0, seconds: float | None = None
) -> ChosenObjectives:
    """What a study that is begun with so much has."""
    return chosen.decided((rows, FEATURES), classes, seconds, lambda: None)


def test_lightgbm_alone_has_nothing_besides() -> None:
    """The default needs no code and adds nothing to a study's question."""
    chosen = choose(["lightgbm"])

    assert (chosen.names, dict(chosen.codes), chosen.source, chosen.faults) == (("lightgbm",), {}, "", ())


def test_what_is_chosen_by_default_depends_on_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few rows bear models that err differently; many only networks of several classes, and what was named."""
    _write(tmp_path, monkeypatch)
    default, more = choose(DataConfig().objective), choose(["linear", "auto", "own.py:Mine"])

    few, many = _new(default, AUTO_ROWS), _new(default, AUTO_ROWS + 1)
    assert few.given == few.names == AUTO_OBJECTIVES
    assert many.given == many.names == ("lightgbm",)
    assert "Models: lightgbm, extra_trees, linear, neural_network (found out" in few.notes[0]
    assert many.notes == choose(["lightgbm"]).notes == ()
    assert _new(more, AUTO_ROWS).given == (*AUTO_OBJECTIVES, "own.py:Mine")
    many = _new(more, AUTO_ROWS + 1)
    assert many.given == ("lightgbm", "linear", "own.py:Mine")
    assert many.names == ("lightgbm", "linear", "mine")
    several = _new(more, AUTO_ROWS + 1, 26)
    assert several.names == ("lightgbm", "linear", "neural_network", "mine")
    assert "Models: lightgbm, linear, neural_network, mine (found out" in several.notes[0]


def test_much_time_is_worth_more_models_on_more_rows() -> None:
    """With the time of many trials, one of each model costs little; of several classes only what has no trees does."""
    default = choose(DataConfig().objective)
    rows = 2 * AUTO_ROWS

    enough = rows * FEATURES / AUTO_VALUES_A_SECOND
    assert _new(default, rows, 0, enough).names == (*AUTO_OBJECTIVES, "catboost")
    assert _new(default, rows, 0, enough - 1).names == ("lightgbm",)
    assert _new(default, rows, 26, enough).names == ("lightgbm", "nearest", "neural_network")
    assert _new(default, rows, 26, 1.0).names == ("lightgbm", "nearest", "neural_network")
    assert _new(default, rows, 26, None).names == ("lightgbm", "neural_network")
    assert _new(default, AUTO_ROWS, 0, 1.0).names == AUTO_OBJECTIVES


def test_rows_of_few_features_are_less() -> None:
    """What a trial costs goes by the values that a model learns from, not by the rows alone."""
    default, rows = choose(DataConfig().objective), 2 * AUTO_ROWS
    enough = rows * FEATURES / AUTO_VALUES_A_SECOND

    for features, has_all in ((FEATURES, True), (FEATURES + 1, False), (FEATURES // 2, True)):
        names = default.decided((rows, features), 0, enough, lambda: None).names
        assert names == ((*AUTO_OBJECTIVES, "catboost") if has_all else ("lightgbm",))


def test_catboost_joins_where_its_time_is_there_and_its_package() -> None:
    """Its trials are dear: with little time they are all there is, and with none each would count as one of another."""
    default = choose(DataConfig().objective)
    enough = AUTO_ROWS * FEATURES / AUTO_VALUES_A_SECOND

    assert _new(default, AUTO_ROWS, 0, enough).names == (*AUTO_OBJECTIVES, "catboost")
    assert _new(default, AUTO_ROWS, 0, enough - 1).names == AUTO_OBJECTIVES
    assert _new(default, AUTO_ROWS, 0, None).names == AUTO_OBJECTIVES
    assert _new(default, AUTO_ROWS, 2, enough).names == (*AUTO_OBJECTIVES, "catboost")


def test_of_several_classes_catboost_wants_as_much_time_for_each() -> None:
    """A round is a tree for each class: of 26 letters its default was at its third fold of five after 287 s."""
    default = choose(DataConfig().objective)
    enough = 3 * AUTO_ROWS * FEATURES / AUTO_VALUES_A_SECOND

    few, many = {*AUTO_OBJECTIVES, "nearest"}, {"lightgbm", "neural_network", "nearest"}
    assert {*_new(default, AUTO_ROWS, 3, enough).names} == {*few, "catboost"}
    assert {*_new(default, AUTO_ROWS, 3, enough - 1).names} == few
    assert {*_new(default, 2 * AUTO_ROWS, 3, 2 * enough).names} == {*many, "catboost"}


def test_without_its_package_catboost_is_not_meant_and_a_study_that_has_it_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever lacks an extra is told so where it would count; nobody goes on with a study as another question."""
    monkeypatch.setattr("objectives.base.find_spec", lambda _: None)
    default = choose(DataConfig().objective)

    new = _new(default, AUTO_ROWS, 0, 1e6)
    assert new.names == AUTO_OBJECTIVES
    assert new.notes[1:] == ("With so much time catboost too: pip install 'tabular-search[catboost]'",)
    assert len(_new(default, AUTO_ROWS, 0, 1.0).notes) == 1
    older = default.decided((AUTO_ROWS, FEATURES), 0, 1e6, lambda: AUTO_OBJECTIVES)
    assert len(older.notes) == 1
    other = default.decided((AUTO_ROWS, FEATURES), 0, 1e6, lambda: (*AUTO_OBJECTIVES, "catboost"))
    assert other.faults[0].endswith("do: pip install 'tabular-search[catboost]', or give another --study")


def test_with_another_time_a_study_goes_on_with_the_models_it_has() -> None:
    """A repeated command is no other question, however long it may take."""
    default, rows = choose(DataConfig().objective), 2 * AUTO_ROWS

    for seconds in (None, 1.0, rows * FEATURES / AUTO_VALUES_A_SECOND):
        assert default.decided((rows, FEATURES), 2, seconds, lambda: AUTO_OBJECTIVES).names == AUTO_OBJECTIVES
        assert default.decided((rows, FEATURES), 2, seconds, lambda: ("lightgbm",)).names == ("lightgbm",)


def test_a_study_is_known_by_what_it_was_begun_with(tmp_path: Path) -> None:
    """Its settings say it; a study from before there was a choice has LightGBM, and one that is not there nothing."""
    layout = Layout(tmp_path)
    assert begun_with(layout, "one") is None
    layout.create()
    ledger = open_ledger(layout.ledger_url)
    study, older = (optuna.create_study(study_name=name, storage=ledger) for name in ("one", "older"))
    assert begun_with(layout, "one") is begun_with(layout, "other") is None

    study.set_user_attr("settings", {"objective": ["lightgbm", "linear"]})
    older.set_user_attr("settings", {"target": "price"})

    assert begun_with(layout, "one") == ("lightgbm", "linear")
    assert begun_with(layout, "older") == ("lightgbm",)


def test_a_study_keeps_what_was_decided(lucas_csvs: CsvPair, tmp_path: Path) -> None:
    """Settings in the ledger name the models, so that no later default makes another question of them."""
    pair = lucas_csvs
    config = DataConfig(train=pair.train, test=pair.test, target=pair.target)

    competition = open_competition(config, Layout(tmp_path))

    assert competition.config.objective == competition.objectives.names == AUTO_OBJECTIVES
    assert competition.objective().name == ",".join(AUTO_OBJECTIVES)


def test_the_time_decides_for_a_new_study_only(
    lucas_csvs: CsvPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command's own time and the folder's own ledger are asked, and a study is never refused for its time."""
    monkeypatch.setattr("search.space.chosen.AUTO_ROWS", 0)
    pair, layout = lucas_csvs, Layout(tmp_path)

    def names(timeout: float | None) -> tuple[str, ...]:
        config = SearchConfig(
            train=pair.train, test=pair.test, target=pair.target, study="s", timeout=timeout
        )
        return open_competition(config, layout).objectives.names

    assert (names(None), names(1e6)) == (("lightgbm",), (*AUTO_OBJECTIVES, "catboost"))
    layout.create()
    study = optuna.create_study(study_name="s", storage=open_ledger(layout.ledger_url))
    study.set_user_attr("settings", {"objective": ["lightgbm", "linear"]})
    assert names(None) == names(1e6) == ("lightgbm", "linear")


def test_the_order_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However they are listed it is the same study: built-in ones as they are registered, own ones last."""
    _write(tmp_path, monkeypatch)
    place = "objectives.models.lightgbm:LightGBMObjective"
    monkeypatch.setattr(objectives.base, "OBJECTIVES", {"lightgbm": place, "second": place})
    monkeypatch.setattr("search.space.chosen.OBJECTIVES", objectives.base.OBJECTIVES)

    chosen = choose(["own.py:Mine", "lightgbm"])
    assert chosen.names == ("lightgbm", "mine")
    assert chosen.codes == {"own.py:Mine": CODE}
    assert chosen.source.startswith("Mine ")


def test_the_code_of_a_study_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study is reopened with the objective it began with, though its file has been edited or removed since."""
    _write(tmp_path, monkeypatch)
    before = choose(["own.py:Mine"])
    (tmp_path / "own.py").unlink()

    after = choose(["own.py:Mine"], before.codes)
    assert (after.source, after.faults, after.names) == (before.source, (), ("mine",))


def test_all_faults_come_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown names, missing files and repetitions are told together, a line each."""
    _write(tmp_path, monkeypatch)
    faults = choose(["lightgbn", "gone.py:Mine", "lightgbm", "lightgbm"]).faults

    assert len(faults) == 3
    assert all(fault.startswith("--objective: got ") and "; do: " in fault for fault in faults)
    assert choose([]).faults[0].startswith("--objective: got none")
