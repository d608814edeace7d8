"""What objectives promise by what their trials bring to the blend."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from objectives.data.folds import Fold
from objectives.data.metrics import METRICS
from search.loop.promise import BlendPromise
from search.space.combined import CHOICE, CombinedObjective
from storage.predictions import PredictionStore
from tests.search_tests.two_objectives import Lightgbm, Trees

if TYPE_CHECKING:
    from pathlib import Path

    from search.competition import Competition

N = 300


class _Setting:
    """Trials of two objectives, their predictions on disk, and the promise that is looked at."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(0)
        self.rng, self.target = rng, rng.normal(size=N)
        self.store = PredictionStore(folder, keep=50)
        self.trials: list[FrozenTrial] = []
        self.own_noise = {name: rng.normal(size=N) for name in ("lightgbm", "trees")}
        dataset = SimpleNamespace(target=self.target, metric=METRICS["rmse"])
        # The last rows are validated by no fold, as where folds go forward in time.
        folds = (Fold(np.arange(100, 200), np.arange(100)), Fold(np.arange(100), np.arange(100, 280)))
        config = SimpleNamespace(seed=1)
        competition = cast("Competition", SimpleNamespace(dataset=dataset, folds=folds, config=config))
        self.promise = BlendPromise(competition, CombinedObjective([Lightgbm(), Trees()]), self.store)

    def add(self, name: str, error: float, *, kept: bool = True, state: str = "COMPLETE") -> None:
        """Another trial, that errs in its objective's own way, and by that much."""
        number = len(self.trials)
        value = error if state == "COMPLETE" else None
        space = CategoricalDistribution(["lightgbm", "trees"])
        trial = create_trial(
            state=TrialState[state], value=value, params={CHOICE: name}, distributions={CHOICE: space}
        )
        trial.number = number
        self.trials.append(trial)
        if kept and state == "COMPLETE":
            oof = self.target + error * (self.own_noise[name] + 0.1 * self.rng.normal(size=N))
            oof[280:] = np.nan
            self.store.save(number, oof=oof, test=np.zeros(1))

    def shares(self) -> dict[str, float]:
        return {**self.promise(self.trials)}


@pytest.fixture
def setting(tmp_path: Path) -> _Setting:
    """A study without trials."""
    return _Setting(tmp_path)


def test_nothing_is_promised_before_two_objectives_have_predictions(setting: _Setting) -> None:
    """With nothing to compare, all are alike."""
    assert setting.shares() == {}
    setting.add("lightgbm", 0.5)
    setting.add("trees", 0.5, kept=False)
    assert setting.shares() == {}


def test_who_errs_differently_promises_though_it_is_worse(setting: _Setting) -> None:
    """An objective that is somewhat worse alone still brings something to the blend, and gets a share for it."""
    setting.add("lightgbm", 0.5)
    setting.add("trees", 0.6)
    shares = setting.shares()

    assert 0.2 < shares["trees"] < shares["lightgbm"]
    assert sum(shares.values()) == pytest.approx(1.0)


def test_who_brings_nothing_promises_nothing(setting: _Setting) -> None:
    """An objective far behind is in no blend."""
    setting.add("lightgbm", 0.1)
    setting.add("trees", 5.0)

    assert setting.shares() == {"lightgbm": 1.0, "trees": 0.0}


def test_an_objective_whose_later_trials_bring_nothing_promises_less(setting: _Setting) -> None:
    """What counts is what the next trial may bring, and not what the first one brought."""
    setting.add("lightgbm", 0.5)
    setting.add("trees", 0.5)
    before = setting.shares()["trees"]
    for state in ("PRUNED", "PRUNED", "FAIL", "PRUNED"):
        setting.add("trees", 0.5, state=state)
    setting.add("lightgbm", 0.49)

    assert setting.shares()["trees"] < before / 2


def test_the_blend_is_looked_at_again_only_after_so_many_more(
    setting: _Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search of hundreds of trials selects a few dozen blends, and reads each file once."""
    looks, reads = [], []
    looked, load = BlendPromise._looked, PredictionStore.load

    def count(self: BlendPromise, trials: Any) -> dict[str, float]:
        looks.append(len(trials))
        return looked(self, trials)

    def read(self: PredictionStore, number: int) -> Any:
        reads.append(number)
        return load(self, number)

    monkeypatch.setattr(BlendPromise, "_looked", count)
    monkeypatch.setattr(PredictionStore, "load", read)
    for k in range(40):
        setting.add("lightgbm" if k % 2 else "trees", 0.5)
        setting.shares()

    assert len(looks) < 25
    assert looks[-1] > 33
    assert sorted(reads) == [*range(looks[-1])]
