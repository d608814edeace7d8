from __future__ import annotations

from typing import TYPE_CHECKING

import optuna
import pytest

from search.faults import InputFaults
from search.results.known_studies import all_studies, our_studies, our_study
from storage.layout import Layout
from storage.ledger import open_ledger

if TYPE_CHECKING:
    from pathlib import Path


def _make(layout: Layout, name: str, *, is_ours: bool) -> None:
    layout.mlruns.mkdir(exist_ok=True)
    study = optuna.create_study(storage=open_ledger(layout.ledger_url), study_name=name)
    for attribute in ("settings", "question") if is_ours else ():
        study.set_user_attr(attribute, {})


def _fault(layout: Layout, asked: str | None) -> str:
    with pytest.raises(InputFaults) as caught:
        our_studies(layout, asked)
    (line,) = caught.value.faults
    return line


def test_without_a_ledger_there_is_none_and_none_is_made(in_empty_folder: Path) -> None:
    """Looking for studies leaves an empty folder empty, and says how to get one."""
    layout = Layout()

    assert all_studies(layout) == []
    assert _fault(layout, None) == "got no study here; allowed: at least one; do: python -m search.run"
    assert "got 'rents', and got no study here" in _fault(layout, "rents")
    assert not list(in_empty_folder.iterdir())


def test_only_ours_are_worked_on(in_empty_folder: Path) -> None:
    """A list shows every study of the ledger; what needs its settings takes those that have them."""
    layout = Layout(in_empty_folder)
    _make(layout, "other", is_ours=False)
    assert _fault(layout, None) == "got no study here; allowed: at least one; do: python -m search.run"
    _make(layout, "rents", is_ours=True)

    assert [study.study_name for study in all_studies(layout)] == ["other", "rents"]
    assert [study.study_name for study in all_studies(layout, "other")] == ["other"]
    assert [study.study_name for study in our_studies(layout)] == ["rents"]
    assert our_study(layout, "rents", "STUDY").study_name == "rents"


def test_a_name_that_is_not_there_is_answered_with_those_that_are(in_empty_folder: Path) -> None:
    """An unknown study, or another program's, is one line with the flag as the user typed it."""
    layout = Layout(in_empty_folder)
    _make(layout, "other", is_ours=False)
    _make(layout, "rents", is_ours=True)

    assert _fault(layout, "sales") == "--study: got 'sales'; allowed: other, rents; do: choose one"
    assert _fault(layout, "other") == (
        "--study: got 'other', not made by search.run; allowed: one that is; do: choose another"
    )
    with pytest.raises(InputFaults, match="STUDY: got 'sales'"):
        our_study(layout, "sales", "STUDY")
