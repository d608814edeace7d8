"""The objectives that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import objectives.base
from search.competition import open_competition
from search.config import AUTO_OBJECTIVES, AUTO_ROWS, DataConfig
from search.space.chosen import choose
from storage.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.conftest import CsvPair

CODE = """
from objectives.models.lightgbm import LightGBMObjective

class Mine(LightGBMObjective):
    name = "mine"
"""


def _write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "own.py").write_text(CODE, encoding="utf-8")


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

    few, many = default.decided(AUTO_ROWS, "binary"), default.decided(AUTO_ROWS + 1, "binary")
    assert few.given == few.names == AUTO_OBJECTIVES
    assert many.given == many.names == ("lightgbm",)
    assert "Models: lightgbm, extra_trees, linear, neural_network (found out" in few.notes[0]
    assert many.notes == choose(["lightgbm"]).notes == ()
    assert more.decided(AUTO_ROWS, "binary").given == (*AUTO_OBJECTIVES, "own.py:Mine")
    many = more.decided(AUTO_ROWS + 1, "binary")
    assert many.given == ("lightgbm", "linear", "own.py:Mine")
    assert many.names == ("lightgbm", "linear", "mine")
    several = more.decided(AUTO_ROWS + 1, "multiclass")
    assert several.names == ("lightgbm", "linear", "neural_network", "mine")
    assert "Models: lightgbm, linear, neural_network, mine (found out" in several.notes[0]


def test_a_study_keeps_what_was_decided(lucas_csvs: CsvPair, tmp_path: Path) -> None:
    """Settings in the ledger name the models, so that no later default makes another question of them."""
    pair = lucas_csvs
    config = DataConfig(train=pair.train, test=pair.test, target=pair.target)

    competition = open_competition(config, Layout(tmp_path))

    assert competition.config.objective == competition.objectives.names == AUTO_OBJECTIVES
    assert competition.objective().name == ",".join(AUTO_OBJECTIVES)


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
