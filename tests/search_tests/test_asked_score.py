"""Metric, loss and scale as parts of what a study asks: found, remembered, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import optuna
import pytest

from search.competition import Competition, open_competition
from search.config import DataConfig
from search.flags import parse_flags
from search.loop.study import study_faults
from search.results.trial_files import reopen
from search.settings.own_codes import METRIC_CODE
from storage.layout import Layout
from storage.ledger import open_ledger

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.storages import BaseStorage
    from optuna.study import Study

    from tests.conftest import CsvPair

CODE = "def near(y, p):\n    return float((abs(y - p) < 100).mean())\n"
USUAL = {"data", "metric", "split", "space"}


@pytest.fixture
def ledger(in_empty_folder: Path) -> BaseStorage:
    """This folder's."""
    layout = Layout(in_empty_folder)
    layout.create()
    return open_ledger(layout.ledger_url)


def asked(pair: CsvPair, home: Path, **settings: Any) -> Competition:
    """A competition on a few rows."""
    config = DataConfig(train=pair.train, test=pair.test, target=pair.target, folds=2, **settings)
    return open_competition(config, Layout(home))


def begun(competition: Competition, ledger: BaseStorage, **attributes: Any) -> Study:
    """A study as a search notes it."""
    study = optuna.create_study(study_name="begun", storage=ledger)
    study.set_user_attr("question", competition.question(competition.objective()))
    study.set_user_attr("settings", competition.config.model_dump(mode="json"))
    for name, value in attributes.items():
        study.set_user_attr(name, value)
    study.add_trial(optuna.trial.create_trial(value=1.0))
    return study


def question(competition: Competition) -> dict[str, Any]:
    """What it asks."""
    return competition.question(competition.objective())


@pytest.mark.parametrize("given", ["own.py:near", "own:near"])
def test_a_metric_beside_the_settings_file_is_found(in_empty_folder: Path, given: str) -> None:
    """The current folder goes first, then that of the file; what is in neither stays as it was given."""
    folder = in_empty_folder / "settings"
    folder.mkdir()
    (folder / "own.py").write_text(CODE, encoding="utf-8")
    file = folder / "own.toml"
    file.write_text(f'metric = "{given}"', encoding="utf-8")

    def found(*further: str) -> str | None:
        argv = ["--config", str(file), *further]
        return parse_flags(DataConfig, argv, command="baseline", about="About.").checked().metric

    assert found() == f"{folder / 'own.py'}:near"
    assert found("--metric", "absent.py:near") == "absent.py:near"
    (in_empty_folder / "own.py").write_text(CODE, encoding="utf-8")
    assert found() == given


def test_what_is_usual_adds_nothing_to_the_question(regression_csvs: CsvPair, in_empty_folder: Path) -> None:
    """A study from before there was a choice goes on; any choice makes another question."""
    plain = question(asked(regression_csvs, in_empty_folder))

    assert set(plain) == USUAL
    assert (
        question(asked(regression_csvs, in_empty_folder, loss=("auto",), target_transform=("none",))) == plain
    )
    for choice in ({"loss": ("huber",)}, {"target_transform": ("sqrt",)}, {"loss": ("l1",)}):
        assert question(asked(regression_csvs, in_empty_folder, **choice)) != plain
    searched = question(asked(regression_csvs, in_empty_folder, loss=("l2", "l1")))
    assert searched["space"] != plain["space"]


@pytest.mark.parametrize("before", [{"target_transform": ("log1p",)}, {}])
def test_a_choice_that_is_gone_is_another_question(
    regression_csvs: CsvPair, in_empty_folder: Path, ledger: BaseStorage, before: dict[str, Any]
) -> None:
    """A study is refused both ways: with a scale it was not begun with, and without the one it was."""
    now = {} if before else {"target_transform": ("log1p",)}
    begun(asked(regression_csvs, in_empty_folder, **before), ledger)

    (fault,) = study_faults(ledger, "begun", question(asked(regression_csvs, in_empty_folder, **now)))

    assert "got training " in fault
    assert "'loss l2; target log1p'" in fault
    assert "None" in fault


def test_an_old_study_is_reopened_as_it_was_trained(
    regression_csvs: CsvPair, in_empty_folder: Path, ledger: BaseStorage
) -> None:
    """Settings from before there was a choice mean the target as it is, also where another fits the metric now."""
    now = asked(regression_csvs, in_empty_folder, metric="rmsle")
    study = begun(now, ledger)
    settings = {
        k: v for k, v in study.user_attrs["settings"].items() if k not in ("loss", "target_transform")
    }
    study.set_user_attr("settings", settings)

    assert now.dataset.approach.transforms == ("log1p",)
    assert reopen(study, Layout(in_empty_folder)).dataset.approach.transforms == ("none",)


def test_a_study_keeps_its_own_metric(
    regression_csvs: CsvPair, in_empty_folder: Path, ledger: BaseStorage
) -> None:
    """A changed or missing file does not change what a study's trials were scored by; a new search sees it."""
    own = in_empty_folder / "own.py"
    own.write_text(CODE, encoding="utf-8")
    first = asked(regression_csvs, in_empty_folder, metric="own.py:near")
    study = begun(first, ledger, **{METRIC_CODE: CODE})

    own.write_text(CODE.replace("100", "90"), encoding="utf-8")
    changed = question(asked(regression_csvs, in_empty_folder, metric="own.py:near"))
    own.unlink()
    reopened = reopen(study, Layout(in_empty_folder))

    assert reopened.dataset.metric == first.dataset.metric
    assert question(reopened) == question(first)
    (fault,) = study_faults(ledger, "begun", changed)
    assert "got metric_source 'near " in fault
