"""A valid submission, to be broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.submission.cells import Row
    from storage.submission.form import SubmissionFormat


class Valid(NamedTuple):
    """A valid file, to be broken at a drawn place.

    Attributes:
        form: Its format.
        text: Its characters.
        rows: Its rows of values.
        names: Its header row; none where it has none.
        pick: Draws a place below some number.
    """

    form: SubmissionFormat
    text: str
    rows: list[Row]
    names: list[Row]
    pick: Callable[[int], int]

    def encoded(self, text: str) -> bytes:
        """The file with another text."""
        return self.form.encoding.encode(text)

    def with_cell(self, place: int, new: str) -> bytes:
        """The file with another text in a drawn row's cell."""
        cell = self.rows[self.pick(len(self.rows))][place]
        return self.encoded(self.text[: cell.start] + new + self.text[cell.end :])

    def with_value(self, new: str) -> bytes:
        """The file with another text for a drawn prediction."""
        places = self.form.places
        return self.with_cell(places[self.pick(len(places))], new)

    @property
    def lines(self) -> list[str]:
        """The lines with their ends; a file whose cells hold line ends is not to be cut so."""
        return self.text.splitlines(keepends=True)

    @property
    def first(self) -> int:
        """The first line of values."""
        return bool(self.form.header)

    @property
    def is_lines(self) -> bool:
        """Whether each line is a row."""
        return len(self.lines) == len(self.rows) + len(self.names)

    @property
    def end(self) -> str:
        """How its lines end."""
        line = self.lines[0]
        return line[len(line.rstrip("\r\n")) :]

    @property
    def is_bare(self) -> bool:
        """Whether it has no quotes."""
        return '"' not in self.text
