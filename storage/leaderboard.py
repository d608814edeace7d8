"""Scores from the leaderboard and what was sent there, by the file's checksum.

One JSON file and one copy of the submission for each checksum, each written whole: a killed command leaves what was
there before, and the same command again changes nothing.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from storage.atomic import temporary_save_path
from storage.submission.writing import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.layout import Layout

Board = Literal["public", "private"]
BOARDS: tuple[Board, ...] = ("public", "private")

BEGUN, SENT, FAILED = "begun", "sent", "failed"


@dataclass(frozen=True)
class Score:
    """A score from the leaderboard.

    Attributes:
        value: The score.
        when: When it was added here, UTC.
        note: The user's own.
    """

    value: float
    when: str
    note: str = ""


@dataclass(frozen=True)
class Sending:
    """One try to send a file.

    Attributes:
        program: `signate` or `kaggle`.
        competition: Its name or key there.
        when: When it began, UTC.
        state: `begun` (what became of it is not known), `sent` or `failed`.
        answer: The last lines the program printed.
    """

    program: str
    competition: str
    when: str
    state: str = BEGUN
    answer: str = ""


@dataclass(frozen=True)
class Entry:
    """What is known of one file on the leaderboard.

    Attributes:
        sha256: Of the file's bytes.
        file: The name it had.
        scores: By board.
        earlier: Scores that were replaced, the latest last.
        sent: Tries to send it, the latest last.
    """

    sha256: str
    file: str
    scores: dict[str, Score] = field(default_factory=dict)
    earlier: tuple[Score, ...] = ()
    sent: tuple[Sending, ...] = ()

    def score(self, board: Board) -> float | None:
        """Its score on a board."""
        known = self.scores.get(board)
        return None if known is None else known.value


class Leaderboard:
    """The ledger of leaderboard scores.

    Args:
        layout: The project.
    """

    def __init__(self, layout: Layout) -> None:
        self._folder = layout.leaderboard

    def entries(self) -> list[Entry]:
        """Returns all entries by the time of their first score or sending; damaged ones are left out."""
        found = [self._read(path) for path in sorted(self._folder.glob("*.json"))]
        return sorted((entry for entry in found if entry is not None), key=_first_time)

    def entry(self, sha256: str) -> Entry | None:
        """Returns the entry of the file with that checksum."""
        return self._read(self._folder / f"{sha256}.json")

    def copy_of(self, sha256: str) -> Path:
        """Where a copy of the file is."""
        return self._folder / f"{sha256}.csv"

    def add(self, file: Path, board: Board, value: float, note: str = "") -> tuple[Entry, Score | None]:
        """Adds a score; the same once more changes nothing, another replaces it.

        Returns:
            The entry, and the score that was replaced.

        Raises:
            OSError: If the file cannot be read or the ledger not written.
        """
        with self._changed(file) as change:
            before = change.entry.scores.get(board)
            if before is not None and (before.value, before.note) == (value, note or before.note):
                return change.entry, None
            score = Score(value, _now(), note or (before.note if before else ""))
            other = before is not None and before.value != value
            earlier = (
                (*change.entry.earlier, before) if before is not None and other else change.entry.earlier
            )
            change.entry = replace(
                change.entry, scores={**change.entry.scores, board: score}, earlier=earlier
            )
            return change.entry, before if other else None

    def begin_sending(self, file: Path, program: str, competition: str) -> None:
        """Notes that a file is about to be sent, before it is: a killed command must not send it twice."""
        with self._changed(file) as change:
            sending = Sending(program, competition, _now())
            change.entry = replace(change.entry, sent=(*change.entry.sent, sending))

    def end_sending(self, file: Path, state: str, answer: str) -> None:
        """Notes what became of the sending that was begun last."""
        with self._changed(file) as change:
            *before, last = change.entry.sent
            done = replace(last, state=state, answer=answer)
            change.entry = replace(change.entry, sent=(*before, done))

    @contextmanager
    def _changed(self, file: Path) -> Iterator[_Change]:
        from filelock import FileLock

        sha256 = sha256_of(file)
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder / ".lock"):
            known = self.entry(sha256)
            change = _Change(known or Entry(sha256, file.name))
            yield change
            if change.entry == known:
                return
            # The copy first: an entry promises that it is there.
            if not self.copy_of(sha256).exists():
                with temporary_save_path(self.copy_of(sha256)) as temporary:
                    temporary.write_bytes(file.read_bytes())
            with temporary_save_path(self._folder / f"{sha256}.json") as temporary:
                text = json.dumps(asdict(change.entry), indent=2, ensure_ascii=False)
                temporary.write_text(text + "\n", encoding="utf-8", newline="\n")

    def _read(self, path: Path) -> Entry | None:
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            return _from_json(json.loads(path.read_text(encoding="utf-8")))
        return None


@dataclass
class _Change:
    entry: Entry


def _from_json(values: dict[str, Any]) -> Entry:
    return Entry(
        sha256=values["sha256"],
        file=values["file"],
        scores={board: Score(**score) for board, score in values["scores"].items()},
        earlier=tuple(Score(**score) for score in values["earlier"]),
        sent=tuple(Sending(**sending) for sending in values["sent"]),
    )


def _first_time(entry: Entry) -> str:
    return min(
        [*(score.when for score in entry.scores.values()), *(one.when for one in entry.sent)], default=""
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
