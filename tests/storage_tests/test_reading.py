"""The ledger as the pages read it: what Optuna reads, faster, and never a write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from storage.layout import Layout
from storage.ledger import open_ledger
from storage.reading.read_ledger import open_read_ledger
from storage.reading.watched_studies import WatchedStudies

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.study import Study

SPACE = {"x": FloatDistribution(0, 1)}
ODD_NAMES = ("plain", "with space", "100%", "a#b", "住宅")


@pytest.fixture(params=ODD_NAMES)
def layout(request: pytest.FixtureRequest, tmp_path: Path) -> Layout:
    """A project in a folder of whatever name."""
    home = tmp_path / str(request.param)
    (home / "mlruns").mkdir(parents=True)
    return Layout(home)


@pytest.fixture
def study(layout: Layout) -> Study:
    """A study with a trial of every state, unfinished ones before finished ones."""
    study = optuna.create_study(study_name="read", storage=open_ledger(layout.ledger_url))
    running = study.ask(SPACE)
    running.report(0.5, 3)
    study.enqueue_trial({"x": 0.25})
    for state, value in ((TrialState.COMPLETE, 0.5), (TrialState.PRUNED, 0.75), (TrialState.FAIL, None)):
        attributes = {"interrupted": True} if state == TrialState.FAIL else {"note": "kept"}
        study.add_trial(
            create_trial(
                state=state,
                value=value,
                params={"x": 0.5},
                distributions=SPACE,
                user_attrs=attributes,
                intermediate_values={1: 0.1},
            )
        )
    study.tell(study.ask(SPACE), 0.125)
    return study


def test_it_reads_what_optuna_reads(layout: Layout, study: Study) -> None:
    """The same trials at first and after more has happened to old and new ones."""
    ledger = open_read_ledger(layout)
    assert ledger is not None
    read = optuna.load_study(study_name="read", storage=ledger)

    assert read.get_trials() == study.get_trials()

    study.tell(0, 0.0)
    study.ask(SPACE)
    assert read.get_trials() == study.get_trials()
    assert read.best_trial == study.best_trial


def test_each_look_adds_what_is_new(layout: Layout, study: Study) -> None:
    """Somebody who looked before sees the same as somebody who looks for the first time."""
    ledger = open_read_ledger(layout)
    assert ledger is not None
    watched = WatchedStudies(ledger)
    (first,) = watched.look()
    states = [trial.state for trial in first.trials.values()]
    study.tell(0, 0.0)
    study.tell(study.ask(SPACE), state=TrialState.PRUNED)
    (second,) = watched.look()
    (fresh,) = WatchedStudies(ledger).look()

    assert sorted(states) == ["COMPLETE", "COMPLETE", "INTERRUPTED", "PRUNED", "RUNNING"]
    assert second.trials == fresh.trials
    assert second.unfinished == fresh.unfinished
    assert [trial.value for trial in second.trials.values() if trial.number == 0] == [0.0]


def test_a_study_of_the_same_name_is_another(layout: Layout, study: Study) -> None:
    """What was read of a deleted study is not taken for its successor's."""
    ledger = open_read_ledger(layout)
    assert ledger is not None
    watched = WatchedStudies(ledger)
    watched.look()
    optuna.delete_study(study_name="read", storage=study._storage)
    optuna.create_study(study_name="other", storage=study._storage)
    (found,) = watched.look()

    assert found.name == "other"
    assert found.trials == {}


def test_nothing_can_be_written(layout: Layout, study: Study) -> None:
    """Not even by a page that has a fault: the database itself refuses."""
    ledger = open_read_ledger(layout)
    assert ledger is not None
    read = optuna.load_study(study_name="read", storage=ledger)
    before = study.get_trials()

    for write in (
        lambda: read.set_user_attr("a", 1),
        lambda: read.ask(SPACE),
        lambda: read.tell(0, 1.0),
        lambda: optuna.delete_study(study_name="read", storage=ledger),
    ):
        with pytest.raises(Exception, match="commit"):
            write()
    assert study.get_trials() == before
    assert "a" not in study.user_attrs


def test_no_ledger_is_made(tmp_path: Path) -> None:
    """Looking at an empty folder leaves it empty."""
    assert open_read_ledger(Layout(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_it_reads_a_server_too(new_database: str, tmp_path: Path) -> None:
    """On PostgreSQL the session itself is read-only."""
    study = optuna.create_study(study_name="read", storage=open_ledger(new_database))
    study.tell(study.ask(SPACE), 0.5)
    ledger = open_read_ledger(Layout(tmp_path, storage=new_database))
    assert ledger is not None
    read = optuna.load_study(study_name="read", storage=ledger)

    assert read.get_trials() == study.get_trials()
    assert [len(one.trials) for one in WatchedStudies(ledger).look()] == [1]
    with pytest.raises(Exception, match="commit"):
        read.set_user_attr("a", 1)
    ledger._backend.engine.dispose()
