"""What was chosen, with models of all rows beside those of its parts' folds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from search.conclusion.candidates import Part, blend_of, single
from search.conclusion.conclude import kept_concluded, predictions_of
from search.conclusion.final_fit import FinalFitting, whole_cost
from search.conclusion.known_parts import KnownParts, PartPrediction
from search.conclusion.scored_folds import parts_of
from search.conclusion.wording import conclusion_lines
from search.config import FEWEST_FRESH_FOLDS, FINAL_FIT_OF_ALL_ROWS
from search.loop.ground import Ground
from search.loop.in_process import InProcessEngine
from storage.kept_models import ModelKey
from storage.record.mirror import CONCLUSION
from tests.search_tests.waves import N, Searched, searched_waves

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from search.conclusion.candidates import Candidate


@pytest.fixture
def searched(tmp_path: Path) -> Searched:
    """Something to learn, and a default that learns little of it."""
    return searched_waves(tmp_path / "searched", signal=3.0)


def test_a_chosen_blend_is_joined_by_models_of_all_rows(searched: Searched) -> None:
    """Whatever its parts: their scores stay, the test rows are predicted by all models, and it is kept so."""
    kept: list[ModelKey] = []
    alone = searched.concluded().conclusion
    searched.study.set_user_attr(CONCLUSION, None)

    done = searched.concluded(fits=OnlyJoins(searched.fits(kept)))

    chosen = done.conclusion.chosen
    assert not chosen.is_single
    assert [line.candidate for line in done.conclusion.lines] == [line.candidate for line in alone.lines]
    assert chosen.shares == pytest.approx(dict(alone.chosen.parts))
    wholes = [part for part, _ in chosen.parts if part.of_all_rows]
    assert {part.by_folds for part in wholes} == {*chosen.shares}
    assert {*kept} == {ModelKey(*part.key) for part in wholes}
    more = searched.objective.of_all_rows(FINAL_FIT_OF_ALL_ROWS, 1.0)
    share = FINAL_FIT_OF_ALL_ROWS / (FINAL_FIT_OF_ALL_ROWS + len(searched.competition.folds))
    tests, oofs = [], []
    for part, weight in chosen.shares.items():
        whole = more.evaluate(part.params, lambda _: False).test_prediction  # type: ignore[arg-type]
        stored = searched.store.load(part.trial)
        tests.append(weight * ((1 - share) * stored.test + share * whole))
        oofs.append(weight * stored.oof)
    np.testing.assert_allclose(done.prediction.test, np.sum(tests, axis=0))
    np.testing.assert_allclose(done.prediction.oof, np.sum(oofs, axis=0))
    again = kept_concluded(searched.study, searched.layout)
    assert again is not None
    assert again.conclusion == done.conclusion
    assert "3 models of all rows join those of its folds" in "\n".join(conclusion_lines(again.conclusion))


@dataclass
class OnlyJoins:
    """Fits nothing anew but what is chosen."""

    fits: FinalFitting

    def fit(self, parts: KnownParts, until: float) -> None:
        """Nothing."""

    def seconds_to_join(self, candidates: Sequence[Candidate], parts: KnownParts) -> float:
        """As it is."""
        return self.fits.seconds_to_join(candidates, parts)

    def join(self, candidate: Candidate, parts: KnownParts, until: float) -> Candidate:
        """As it does."""
        return self.fits.join(candidate, parts, until)


def test_so_is_a_trial_on_its_own(searched: Searched) -> None:
    """It stays that trial, and says that it has more models than ran, each of them with the same weight."""
    part, kept = Part(1, {"x": 1.0, "n": 20}), []  # type: ignore[var-annotated]
    stored = searched.store.load(1)
    parts = KnownParts(None, {part: PartPrediction(stored.oof, stored.test, 0.01, 1.0)})

    joined = searched.fits(kept).join(single(part), parts, math.inf)

    assert joined.is_single
    assert not joined.is_plain
    assert (joined.trial, joined.lead) == (1, part)
    assert joined.name == f"trial 1 and {FINAL_FIT_OF_ALL_ROWS} of all rows"
    n_folds = len(searched.competition.folds)
    assert joined.parts[0][1] / n_folds == pytest.approx(joined.parts[1][1] / FINAL_FIT_OF_ALL_ROWS)
    assert kept == [ModelKey(*joined.parts[1][0].key)]
    predicted = predictions_of(joined, parts)
    np.testing.assert_allclose(predicted.oof, stored.oof)
    assert not np.allclose(predicted.test, stored.test)


def test_the_default_stays_as_it_ran(tmp_path: Path) -> None:
    """Where it is what is honestly best it is what is promoted: nothing is fitted beside, and no time kept for it."""
    searched = searched_waves(tmp_path / "noise", signal=0.0)
    kept: list[ModelKey] = []

    conclusion = searched.concluded(fits=OnlyJoins(searched.fits(kept))).conclusion

    assert conclusion.chosen_line.kind == "default"
    assert conclusion.chosen.is_plain
    assert conclusion.joined is None
    assert not kept


def test_a_trial_whose_rounds_nobody_knows_has_none(searched: Searched) -> None:
    """Without them nobody knows how many all rows bear: no time is kept, and nothing fitted."""
    part, kept = Part(1, {"x": 0.0, "n": 3}), []  # type: ignore[var-annotated]
    parts = KnownParts(None, {part: PartPrediction(np.zeros(1), np.zeros(1), 1.0, math.nan)})
    fits = searched.fits(kept)

    assert fits.seconds_to_join([single(part)], parts) == 0.0
    assert fits.join(single(part), parts, math.inf) == single(part)
    assert not kept


def test_without_time_what_is_chosen_stays_as_it_was(tmp_path: Path) -> None:
    """A fit with models of all rows that would not end in time is not begun, and nothing says that there is one."""
    searched = searched_waves(tmp_path / "slow", signal=3.0, seconds=1e3)
    kept: list[ModelKey] = []

    conclusion = searched.concluded(60.0, searched.fits(kept)).conclusion

    assert not kept
    assert conclusion.joined is None
    assert "of all rows" not in "\n".join(conclusion_lines(conclusion))


def test_time_is_kept_for_what_may_be_chosen(searched: Searched) -> None:
    """Enough for any candidate: all of its parts, and the longest of them though others are done beside it."""
    fits = searched.fits([])
    first, second = Part(1, {}), Part(2, {})
    known = PartPrediction(np.zeros(1), np.zeros(1), 0.0, 1.0)
    parts = KnownParts(None, {first: known._replace(seconds=8.0), second: known._replace(seconds=4.0)})
    blend = blend_of(((first, 2.0), (second, 1.0)))
    cost = whole_cost(searched.competition.folds, N)

    assert fits.seconds_to_join([single(second), blend], parts) == pytest.approx(12.0 * cost)
    beside = InProcessEngine(Ground(searched.objective))
    beside.at_once = 4
    at_once = replace(fits, engine=beside)
    assert at_once.seconds_to_join([single(second), blend], parts) == pytest.approx(8.0 * cost)


def test_fresh_folds_go_first(searched: Searched, tmp_path: Path) -> None:
    """Where there is time for the fewest of them, models of all rows take none of it: choosing comes before."""
    n_parts = len(parts_of(line.candidate for line in searched.concluded().conclusion.lines))
    n_folds = len(searched.competition.folds)
    # The fewest fresh folds would take nine tenths of the time, and models of all rows another three quarters.
    slow = 0.9 * 59.0 * n_folds / FEWEST_FRESH_FOLDS / n_parts
    tight = searched_waves(tmp_path / "tight", signal=3.0, seconds=slow)

    conclusion = tight.concluded(60.0, OnlyJoins(tight.fits([]))).conclusion

    assert conclusion.fresh_folds >= FEWEST_FRESH_FOLDS


def test_in_time_there_is_a_model_of_all_rows_already(tmp_path: Path) -> None:
    """Where folds go forward no other is fitted, and no time kept for it."""
    searched = searched_waves(tmp_path / "time", signal=3.0, time="day")
    kept: list[ModelKey] = []

    conclusion = searched.concluded(fits=OnlyJoins(searched.fits(kept))).conclusion

    assert not kept
    assert conclusion.joined is None
