from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from search.loop.record import BackgroundRecord
from search.results import dashboard, publishing
from search.results.charts.facts import OUTLINE, facts_of
from search.results.dashboard import show_pictures
from storage.coordination.seat import SoleSeat
from storage.dashboard.attributes import PIECE, system_attributes
from storage.layout import Layout
from storage.trial_outlines import trial_outlines
from tests.search_tests.made_studies import filled_study

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from search.competition import Competition

PATIENCE_SECONDS = 60
MOST_PIECES = 40


def _pieces(attributes: dict[str, Any]) -> list[str]:
    return [key for key in attributes if key.startswith("dashboard:plot_data:search-")]


def test_a_running_search_shows_its_pictures_now_and_then(tmp_path: Path) -> None:
    """Not at once, for there is nothing to see yet; then in the recorder's thread; and not again right after."""
    study = filled_study(tmp_path)
    warnings: list[str] = []
    record = BackgroundRecord(Layout(tmp_path), cast("Competition", None), SoleSeat(), warnings.append)

    record.show(study)
    before = _pieces(system_attributes(study))
    record._shown_at = -math.inf
    record.show(study)
    record.show(study)

    assert record._recorder.drain(PATIENCE_SECONDS)
    record.show(study)
    assert (before, record._recorder.waiting, record.wait(PATIENCE_SECONDS), warnings) == ([], 0, 0, [])
    assert _pieces(system_attributes(study))


def test_pictures_are_few_attributes_and_the_same_are_not_written_again(tmp_path: Path) -> None:
    """A dashboard looks through all of a study's attributes for each of its trials."""
    study = filled_study(tmp_path)

    assert show_pictures(study)
    assert not show_pictures(study)

    attributes = system_attributes(study)
    assert 3 <= len(_pieces(attributes)) <= MOST_PIECES
    assert all(len(attributes[key]) <= PIECE for key in _pieces(attributes))


def test_pictures_of_outlines_are_the_same(tmp_path: Path) -> None:
    """What a synchronisation reads of 10,000 trials is all that the pictures and notes are made of."""
    study = filled_study(tmp_path)
    whole, outlined = facts_of(study), facts_of(study, trial_outlines(study, OUTLINE))

    assert dashboard._pictures(outlined) == dashboard._pictures(whole)
    assert [t.number for t in dashboard._noted(outlined)] == [t.number for t in dashboard._noted(whole)]
    assert (outlined.counts, outlined.default and outlined.default.number) == (whole.counts, 0)


def test_of_a_long_study_the_best_trials_have_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All finished trials of a usual one; of a long one as many as do not slow its page, and the default."""
    facts = facts_of(filled_study(tmp_path))
    assert [trial.number for trial in dashboard._noted(facts)] == [*range(14)]

    monkeypatch.setattr(dashboard, "_NOTES_TIMES_TRIALS", 3 * 16)

    assert [trial.number for trial in dashboard._noted(facts)] == [7, 10, 9, 0]


def test_a_report_that_fails_is_told_and_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search is over and well: one warning, with the command that makes it later."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("no luck")

    monkeypatch.setattr(publishing, "runs_of", broken)
    warned: list[str] = []

    publishing.publish(
        filled_study(tmp_path), Layout(tmp_path), cast("Any", None), cast("Any", None), warned.append
    )

    assert warned == ["no report was attached (no luck); do: python -m search.report 'rents'"]
