"""The only writer's view of its trials is the database's, whatever it does to them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy import event

from storage.ledger import open_ledger
from storage.sole_ledger import SoleLedger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


SPACE = {"x": FloatDistribution(0.0, 1.0)}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A ledger's address, its file made."""
    address = f"sqlite:///{tmp_path / 'optuna.db'}"
    open_ledger(address)
    return address


@pytest.fixture
def study(url: str) -> optuna.Study:
    """A study through the sole writer's ledger."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    backend = open_ledger(url)
    assert isinstance(backend, RDBStorage)
    return optuna.create_study(study_name="s", storage=SoleLedger(backend))


def _elsewhere(url: str) -> optuna.Study:
    return optuna.load_study(study_name="s", storage=open_ledger(url))


@pytest.mark.parametrize("seed", range(3))
def test_it_sees_what_the_database_has(study: optuna.Study, url: str, seed: int) -> None:
    """After each of 80 random steps, trials that others add among them, its trials equal a fresh reader's."""
    draw, elsewhere = random.Random(seed), _elsewhere(url)  # noqa: S311
    running: list[optuna.Trial] = []

    def ask() -> None:
        running.append(study.ask(fixed_distributions=SPACE))

    def report() -> None:
        trial = draw.choice(running)
        trial.report(draw.random(), len(study._storage.get_trial(trial._trial_id).intermediate_values))

    def note() -> None:
        draw.choice(running).set_user_attr(f"key_{draw.randrange(3)}", draw.random())

    def mark() -> None:
        trial = draw.choice(running)
        study._storage.set_trial_system_attr(trial._trial_id, "mark", draw.randrange(9))

    def tell() -> None:
        trial = running.pop(draw.randrange(len(running)))
        state = draw.choice([TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL])
        study.tell(trial, 1.0 if state == TrialState.COMPLETE else None, state=state)

    def queue_elsewhere() -> None:
        elsewhere.enqueue_trial({"x": draw.random()})

    steps: list[Callable[[], None]] = [report, note, mark, tell]
    for _ in range(80):
        step = draw.choice([ask, ask, queue_elsewhere, *steps] if running else [ask, queue_elsewhere])
        if step is queue_elsewhere and draw.random() < 0.7:
            step = ask
        step()
        assert study.get_trials() == elsewhere.get_trials()


def test_a_trial_ended_by_others_is_noticed_at_the_next_write(study: optuna.Study, url: str) -> None:
    """What somebody else did to a running trial is refused to be overwritten, and seen from then on."""
    trial = study.ask(fixed_distributions=SPACE)
    study.get_trials()
    _elsewhere(url).tell(trial.number, state=TrialState.FAIL)

    with pytest.raises(UpdateFinishedTrialError):
        trial.report(1.0, 0)

    assert study.get_trials()[0].state == TrialState.FAIL


def test_running_trials_are_not_read_again(study: optuna.Study) -> None:
    """Looking at 50 running trials reads the rows of none, and of one after a write to it."""
    trials = [study.ask(fixed_distributions=SPACE) for _ in range(50)]
    study.get_trials()
    rows: list[int] = []

    event.listen(
        optuna.storages._rdb.models.TrialModel, "load", lambda target, _: rows.append(target.trial_id)
    )
    study.get_trials()
    assert rows == []
    trials[7].report(1.0, 0)
    rows.clear()
    study.get_trials()

    assert rows == [trials[7]._trial_id]
