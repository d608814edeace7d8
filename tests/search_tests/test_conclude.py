"""A study's conclusion: made within its time, kept, and used again."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
import pytest

from search.conclusion.asked_trial import scored_line
from search.conclusion.candidates import Part
from search.conclusion.conclude import kept_concluded, kept_conclusion
from search.conclusion.conclusion import Conclusion
from search.conclusion.fresh_splits import fresh_splits
from search.conclusion.known_parts import KnownParts, PartPrediction
from search.conclusion.wording import conclusion_lines
from search.config import HONEST_FEW_ROWS
from storage.conclusion_record import conclusion_of
from storage.layout import Layout
from tests.search_tests.waves import N, Searched, searched_waves

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from objectives.base import FloatArray
    from search.conclusion.candidates import Candidate


@pytest.fixture
def searched(tmp_path: Path) -> Searched:
    """Something to learn, and a default that learns little of it."""
    return searched_waves(tmp_path / "searched", signal=3.0)


def test_a_search_that_helped_promotes_what_is_better(searched: Searched) -> None:
    """With something to learn the chosen candidate beats the default, by fresh splits of other rows."""
    conclusion = searched.concluded().conclusion
    assert conclusion.chosen_line.kind != "default"
    assert conclusion.fresh_folds == 12
    assert conclusion.chosen_line.gain is not None
    assert conclusion.chosen_line.gain > 0
    text = "\n".join(conclusion_lines(conclusion))
    assert "12 folds of fresh splits" in text
    assert "better than the default configuration" in text
    assert "Expected on the test file: RMSE" in text


def test_the_submission_is_the_chosen_candidates(searched: Searched) -> None:
    """What is kept of the choice is its parts' weighted mean, on the test rows as out of fold."""
    done = searched.concluded()
    tests = [weight * searched.store.load(part.trial).test for part, weight in done.conclusion.chosen.parts]
    np.testing.assert_allclose(done.prediction.test, np.sum(tests, axis=0))
    assert np.isfinite(done.prediction.oof).all()


def test_without_signal_the_default_is_promoted(tmp_path: Path) -> None:
    """Where there is nothing to learn it says so, and promotes the default."""
    conclusion = searched_waves(tmp_path / "noise", signal=0.0).concluded().conclusion
    assert conclusion.chosen_line.kind == "default"
    assert any(line.startswith("No signal: ") for line in conclusion_lines(conclusion))


def test_a_repeated_command_uses_what_is_kept(searched: Searched) -> None:
    """As long as no trial was added nothing is evaluated again; then all is."""
    first = searched.concluded()
    again = searched.concluded(seconds=-1)
    assert again.conclusion == first.conclusion
    np.testing.assert_array_equal(again.prediction.test, first.prediction.test)
    searched.add(x=0.5, n=25)
    assert kept_conclusion(searched.study) is None
    assert searched.concluded().conclusion != first.conclusion


def test_a_record_reads_back_as_it_was_written(searched: Searched) -> None:
    """The ledger's attribute and the file beside the predictions say the same, and give the same conclusion."""
    conclusion = searched.concluded().conclusion
    text = searched.layout.conclusion("waves").read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(json.dumps(conclusion_of(searched.study)))
    assert Conclusion.from_json(json.loads(text)) == conclusion


def test_the_ledger_has_the_figures_of_the_runs(searched: Searched) -> None:
    """Each single trial that was scored has its figures, and the study those of what was chosen."""
    conclusion = searched.concluded().conclusion
    figures = searched.study.user_attrs["figures"]
    assert set(figures) == {"study", "0", str(conclusion.lines[1].candidate.lead.trial)}
    line = conclusion.chosen_line
    assert line.expected is not None
    assert figures["study"]["chosen_candidate"] == line.name
    assert figures["study"]["chosen_honest_score"] == line.honest
    assert figures["study"]["chosen_expected_low"] == line.expected.low
    assert set(figures["study"]["chosen_parts"]) == {part.name for part, _ in line.candidate.parts}


def test_predictions_of_another_conclusion_are_not_used(searched: Searched) -> None:
    """Where the files beside the ledger are not of its conclusion, it is made again rather than mixed up."""
    searched.concluded()
    path = searched.layout.conclusion("waves")
    path.write_text(path.read_text(encoding="utf-8").replace("trial", "Trial", 1), encoding="utf-8")
    assert kept_concluded(searched.study, searched.layout) is None
    assert kept_conclusion(searched.study) is not None


def test_another_host_has_the_same_conclusion(searched: Searched, tmp_path: Path) -> None:
    """Where only the ledger is known, what was chosen is evaluated again, to the bit, and nothing chosen anew."""
    first, record = searched.concluded(), conclusion_of(searched.study)

    there = replace(searched, layout=Layout(tmp_path / "other host")).concluded()

    assert there.conclusion == first.conclusion
    np.testing.assert_array_equal(there.prediction.test, first.prediction.test)
    np.testing.assert_array_equal(there.prediction.oof, first.prediction.oof)
    assert conclusion_of(searched.study) == record
    assert kept_concluded(searched.study, Layout(tmp_path / "other host")) is not None


def test_a_conclusion_that_cannot_be_made_again_is_made_anew(searched: Searched) -> None:
    """Without the time for it there is a choice among what is here, as ever."""
    searched.concluded()
    searched.layout.conclusion("waves").unlink()
    searched.store.retain([0])

    anew = searched.concluded(seconds=-1).conclusion

    assert [part.trial for part, _ in anew.chosen.parts] == [0]


def test_the_interval_is_wider_where_rows_are_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws from few rows lack what is rare: by ten over their root, and around the same expectation."""
    widths = []
    for few in (0.0, HONEST_FEW_ROWS):
        monkeypatch.setattr("search.conclusion.honest.HONEST_FEW_ROWS", few)
        line = searched_waves(tmp_path / str(few), signal=3.0).concluded().conclusion.chosen_line
        assert line.expected is not None
        widths.append((line.expected.expected, line.expected.high - line.expected.expected))

    (plain, narrow), (expected, wide) = widths
    assert expected == plain
    assert wide / narrow == pytest.approx(1 + 10 / N**0.5)


def test_no_time_still_leaves_a_choice(searched: Searched) -> None:
    """With no second left it chooses from what is kept, and says that nothing fresh was looked at."""
    conclusion = searched.concluded(seconds=-1).conclusion
    assert conclusion.fresh_folds == 0
    assert any("no time for fresh splits" in line for line in conclusion_lines(conclusion))


class SecondFits:
    """Final fits that come to one, perfect, when they are asked for the second time.

    Args:
        target: What it predicts.
    """

    def __init__(self, target: FloatArray) -> None:
        self._target = target
        self.asked: list[float] = []

    def fit(self, parts: KnownParts, until: float) -> None:
        """Adds it then."""
        self.asked.append(until)
        if len(self.asked) > 1:
            test = next(iter(parts.predictions.values())).test
            parts.add(Part(1, {"x": 1.0, "n": 20}, "slow"), PartPrediction(self._target, test, 1e3, 1.0))

    def seconds_to_join(self, candidates: Sequence[Candidate], parts: KnownParts) -> float:  # noqa: ARG002
        """More than there are."""
        return 1e6

    def join(self, candidate: Candidate, parts: KnownParts, until: float) -> Candidate:  # noqa: ARG002
        """There is no time."""
        return candidate


def test_time_too_short_for_fresh_folds_goes_into_final_fits(tmp_path: Path) -> None:
    """They are asked for once within their share, and again for all that is left where no fresh fold would end."""
    searched = searched_waves(tmp_path / "slow", signal=3.0, seconds=1e3)
    fits = SecondFits(searched.competition.dataset.target)

    done = searched.concluded(60.0, fits)

    assert len(fits.asked) == 2
    assert fits.asked[1] > fits.asked[0]
    assert done.conclusion.fresh_folds == 0
    assert "trial 1, slow" in [line.name for line in done.conclusion.lines]


def test_without_a_complete_trial_there_is_nothing_to_conclude(searched: Searched) -> None:
    """A study without trials has no conclusion."""
    empty = replace(searched, study=optuna.create_study(study_name="empty"))
    assert empty.conclude() is None


def test_a_default_that_is_not_kept_is_evaluated_again(searched: Searched) -> None:
    """The default is always compared with, though a long search keeps only the best trials' predictions."""
    searched.store.retain([1, 2, 3, 4])
    kinds = [line.kind for line in searched.concluded().conclusion.lines]
    assert kinds[0] == "default"


def test_a_trial_asked_for_has_the_same_figures(searched: Searched) -> None:
    """A trial that is asked for is scored on the folds that the candidates were, so that they compare."""
    conclusion = searched.concluded().conclusion
    known = next(line for line in conclusion.lines if line.kind == "single")
    part = known.candidate.lead
    stored = searched.store.load(part.trial)

    line = scored_line(
        conclusion,
        part,
        PartPrediction(stored.oof, stored.test, 0.01, 1.0),
        competition=searched.competition,
        engine=searched.engine,
        deadline=math.inf,
    )

    assert line.fresh == known.fresh
    assert (line.apparent, line.honest) == (known.apparent, known.honest)
    assert (line.gain, line.gain_error, line.expected) == (known.gain, known.gain_error, known.expected)


def test_what_is_asked_for_is_marked_in_the_table(searched: Searched) -> None:
    """The table says what is promoted, and the choice it replaces stays in it."""
    conclusion = searched.concluded().conclusion
    default = conclusion.lines[0]

    asked = conclusion.asking_for(default)

    assert [line.name for line in asked.lines] == [line.name for line in conclusion.lines]
    assert [line.kind for line in asked.lines if line.is_chosen] == ["default"]
    assert "Asked for: default (trial 0)" in conclusion_lines(asked)


@pytest.mark.parametrize(
    ("settings", "is_other"),
    [
        ({}, True),
        ({"group": "area"}, True),
        ({"time": "day"}, False),
        ({"repeats": 2}, True),
    ],
)
def test_fresh_splits_keep_the_studys_scheme(
    tmp_path: Path, settings: dict[str, Any], *, is_other: bool
) -> None:
    """A fresh split has other folds by the same scheme; where there are no others, other seeds on the same."""
    found = searched_waves(tmp_path / "x", signal=3.0, **settings)
    own = {tuple(fold.val_idx) for fold in found.competition.folds}
    splits = fresh_splits(found.competition, 3)
    assert len({split.elsewhere.seed for split in splits}) == 3
    for split in splits:
        assert len(split.folds) == 4
        assert ({tuple(fold.val_idx) for fold in split.folds} <= own) is not is_other
        if "group" in settings:
            areas = found.competition.dataset.keys.group("area").train
            assert all(not set(areas[fold.train_idx]) & set(areas[fold.val_idx]) for fold in split.folds)
    line = conclusion_lines(found.concluded().conclusion)[0]
    assert ("this split has no other" in line) is not is_other
