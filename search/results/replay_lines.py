"""What a replay says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.loop.progress import duration_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.results.replaying import Compared, Replay


def replay_lines(done: Replay) -> list[str]:
    """The verdict and what it rests on, a line each, for people."""
    recorded = [one for one in done.results if one.then is not None]
    different = [one for one in recorded if not one.is_same]
    state = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}[done.trial.state.name]
    return [
        f"Trial {done.trial.number} of study {done.study}, {state}, evaluated again in {duration_text(done.seconds)}",
        *(f"{one.name}: {one.then} then, {one.now} now" for one in different),
        *_same(recorded, different),
        *_unrecorded(done),
        *_circumstances(done),
        "The same to the bit" if done.is_same else "Not the same",
    ]


def _same(recorded: list[Compared], different: list[Compared]) -> Iterator[str]:
    names = [one.name for one in recorded if one not in different]
    reports = [name for name in names if name.startswith("report ")]
    folds = [name for name in names if name.startswith("score of fold ")]
    others = [name for name in names if name not in {*reports, *folds}]
    if folds:
        others.insert(1, f"{len(folds)} fold scores")
    if reports:
        others.append(f"{len(reports)} reports")
    if others:
        yield f"Same: {', '.join(others)}"


def _unrecorded(done: Replay) -> Iterator[str]:
    names = [one.name for one in done.results if one.then is None]
    if names:
        yield f"Not recorded, so not compared: {', '.join(names)}"


def _circumstances(done: Replay) -> Iterator[str]:
    changed = [one for one in done.circumstances if not one.is_same]
    for one in changed:
        yield f"Changed since: {one.name}: {one.then} then, {one.now} now"
    if "environment" not in done.trial.user_attrs:
        yield "What it was evaluated with was not recorded"
    elif not done.is_same and not changed:
        yield f"Nothing else is known to have changed: {', '.join(one.name for one in done.circumstances)}"
