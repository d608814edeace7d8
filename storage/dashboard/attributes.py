"""The attributes that optuna-dashboard reads: which of them are ours, and how they are replaced.

Contract: all that is written here can be made again from the study, its record and its files, and is replaced as a
whole, in one transaction that deletes what was there. So nothing piles up, a dashboard never sees half of it, and a
bundle leaves it behind: ids of trials and runs, which are in it, mean nothing in another ledger. Only attributes of
the study are touched, never a trial, and by a connection of its own: whoever asks and tells is not in the way.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from storage.dashboard.note import strip_note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.study import Study

PLOT = "dashboard:plot_data:"
PLOT_ID = "search-"
"""What the ids of our pictures begin with; a user's own may have any other."""
STUDY_FILE = "artifacts:"
TRIAL_FILE = "dashboard:artifacts:"
NOTE = "dashboard:note_"
OURS = "made_by"
"""Field of a file's description that the dashboard does not look at."""
MAKER = "search"
TRIAL_NOTE_START = "[//]: # (written by the search)\n"
PIECE = 2_045
"""Characters of an attribute, as the dashboard cuts its own."""


def carried(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """A study's system attributes without what is ours: what a bundle takes along.

    Args:
        attributes: All of them.
    """
    ours = _our_trial_notes(attributes)
    kept = {key: value for key, value in attributes.items() if not _is_ours(key, value) and key not in ours}
    return strip_note(kept)


def replace_ours(study: Study, values: Mapping[str, Any]) -> bool:
    """Puts these in place of all that was ours, unless they are there already.

    Args:
        study: The study, in a database of Optuna's.
        values: System attributes by key, the study's note among them.

    Returns:
        Whether anything had to be written.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: If the database refuses; nothing is changed then.
    """
    return _replace(study, values, only_plots=False)


def replace_plots(study: Study, values: Mapping[str, Any]) -> bool:
    """The same for our pictures alone."""
    return _replace(study, values, only_plots=True)


def system_attributes(study: Study) -> dict[str, Any]:
    """All of the study's."""
    found: dict[str, Any] = study._storage.get_study_system_attrs(study._study_id)  # noqa: SLF001 - nowhere public
    return found


def plot_pieces(name: str, text: str) -> dict[str, str]:
    """A picture as attributes.

    Args:
        name: Its name; letters, digits, `-`, `_`.
        text: Plotly's JSON.
    """
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    return {f"{PLOT}{PLOT_ID}{name}:{i}": piece for i, piece in enumerate(pieces)}


def trial_note(trial_id: int, text: str) -> dict[str, Any]:
    """A trial's note as attributes; at most one piece long."""
    body = (TRIAL_NOTE_START + text)[:PIECE]
    return {f"dashboard:{trial_id}:note_ver": 1, f"dashboard:{trial_id}:note_str:0": body}


def users_notes(attributes: Mapping[str, Any]) -> set[str]:
    """Ids, as text, of the trials that have a note by somebody else."""
    ours = {key.split(":")[1] for key in _our_trial_notes(attributes)}
    having = {key.split(":")[1] for key, value in attributes.items() if _is_trial_note(key) and value}
    return having - ours


def _replace(study: Study, values: Mapping[str, Any], *, only_plots: bool) -> bool:
    from sqlalchemy import delete, insert

    before = system_attributes(study)
    ours = {key for key, value in before.items() if key.startswith(PLOT + PLOT_ID)}
    if not only_plots:
        notes = {key for key in before if key.startswith(NOTE)}
        ours |= (
            {key for key, value in before.items() if _is_ours(key, value)} | _our_trial_notes(before) | notes
        )
    if {key: before[key] for key in ours} == dict(values):
        return False
    table, study_id = _table(), study._study_id  # noqa: SLF001
    rows = [{"study_id": study_id, "key": key, "value_json": json.dumps(one)} for key, one in values.items()]
    with _engine(study).begin() as connection:
        gone = [*(ours | set(values))]
        connection.execute(delete(table).where(table.c.study_id == study_id, table.c.key.in_(gone)))
        if rows:
            connection.execute(insert(table), rows)
    return True


def _table() -> Any:
    from optuna.storages._rdb.models import StudySystemAttributeModel

    return StudySystemAttributeModel.__table__


def _engine(study: Study) -> Any:
    storage: Any = study._storage  # noqa: SLF001 - the dashboard's attributes are nowhere public
    return getattr(storage, "_backend", storage).engine


def _is_ours(key: str, value: Any) -> bool:
    if key.startswith(PLOT):
        return key.startswith(PLOT + PLOT_ID)
    if not key.startswith((STUDY_FILE, TRIAL_FILE)) or not isinstance(value, str):
        return False
    try:
        described = json.loads(value)
    except ValueError:
        return False
    return isinstance(described, dict) and described.get(OURS) == MAKER


def _is_trial_note(key: str) -> bool:
    parts = key.split(":")
    return len(parts) > 2 and parts[0] == "dashboard" and parts[1].isdigit() and parts[2].startswith("note_")  # noqa: PLR2004


def _our_trial_notes(attributes: Mapping[str, Any]) -> set[str]:
    ours = {
        key.split(":")[1]
        for key, value in attributes.items()
        if _is_trial_note(key)
        and key.endswith(":note_str:0")
        and isinstance(value, str)
        and value.startswith(TRIAL_NOTE_START)
    }
    return {key for key in attributes if _is_trial_note(key) and key.split(":")[1] in ours}
