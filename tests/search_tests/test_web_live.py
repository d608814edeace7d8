"""The front page's moving part: one look for all, and always at the ledger that is there now."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import optuna
from optuna.distributions import FloatDistribution

from search.loop.study import ASKED
from search.web.live import LiveStudies
from search.web.words import render
from storage.layout import Layout
from storage.ledger import open_ledger
from storage.study_lock import study_lock

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.study import Study

    from search.web.board import StudyCard

SPACE = {"x": FloatDistribution(0, 1)}
EVIL = "<script>alert(1)</script>"


def _study(layout: Layout, name: str) -> Study:
    layout.mlruns.mkdir(exist_ok=True)
    return optuna.create_study(study_name=name, storage=open_ledger(layout.ledger_url))


def _names(cards: list[StudyCard], trouble: str | None) -> str:
    return trouble or ", ".join(card.name for card in cards) or "nothing"


def test_a_replaced_ledger_is_noticed(tmp_path: Path) -> None:
    """A folder that is cleared and filled anew is shown as it is, without a restart."""
    layout = Layout(tmp_path)
    live = LiveStudies(layout, _names, look_seconds=0)
    shown = [live.shown()[0]]
    _study(layout, "first")
    shown.append(live.shown()[0])
    shutil.rmtree(layout.mlruns)
    shown.append(live.shown()[0])
    _study(layout, "second")
    shown.append(live.shown()[0])

    assert shown == ["nothing", "first", "nothing", "second"]


def test_many_visitors_cost_one_look(tmp_path: Path) -> None:
    """Within its pause nothing is read again, and the tag stays; a change gives another tag."""
    looks = []

    def counting(cards: list[StudyCard], trouble: str | None) -> str:
        looks.append(trouble)
        return _names(cards, trouble)

    layout = Layout(tmp_path)
    live = LiveStudies(layout, counting, look_seconds=3_600)
    tags = {live.shown()[1] for _ in range(50)}
    _study(layout, "later")
    eager = LiveStudies(layout, counting, look_seconds=0)

    assert len(tags) == 1
    assert len(looks) == 1
    assert eager.shown()[1] not in tags


def test_a_ledger_that_is_none_is_told(tmp_path: Path) -> None:
    """The page stays, and says so, in place of an error."""
    layout = Layout(tmp_path)
    layout.mlruns.mkdir()
    layout.optuna_db.write_bytes(b"no database, and long enough to be read as one" * 50)

    assert "does not answer" in LiveStudies(layout, _names).shown()[0]


def test_a_card_says_what_a_study_is_at(tmp_path: Path) -> None:
    """Counts, best, running trials, and whether anybody works on it; a name is text, whatever is in it."""
    layout = Layout(tmp_path)
    study = _study(layout, EVIL)
    study.set_user_attr(ASKED, 3)
    for value in (0.5, 0.25):
        study.tell(study.ask(SPACE), value)
    study.ask(SPACE).report(0.75, 7)
    found: list[StudyCard] = []

    def keeping(cards: list[StudyCard], trouble: str | None) -> str:
        found[:] = cards
        return render("studies.html", cards=cards, trouble=trouble)

    live = LiveStudies(layout, keeping, look_seconds=0)
    stopped = live.shown()[0], found[0].state
    with study_lock(layout, EVIL):
        live.shown()
        searching = found[0]

    assert stopped[1] == "stopped"
    assert EVIL not in stopped[0]
    assert searching.state == "searching"
    assert (searching.tally.complete, searching.tally.running, searching.asked) == (2, 1, 3)
    assert [trial.number for trial in searching.best] == [1, 0]
    assert searching.gain == 0.5
    assert [trial.report for trial in searching.running] == [(7, 0.75)]
