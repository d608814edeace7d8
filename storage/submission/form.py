"""What an upload must look like: the sample file itself, in which nothing but the predictions changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from storage.submission.cells import DELIMITERS, Row, line_ends, read_cells

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.submission.encoding import Encoding
    from storage.submission.numbers import NumberStyle

Kind = Literal["number", "probability", "label"]

PREDICTION = "prediction"
"""Column name in a submission that has no sample to copy; several classes have their own names."""

_END_NAMES = {"\r\n": "CRLF", "\n": "LF", "\r": "CR"}


@dataclass(frozen=True)
class Wanted:
    """What is to be submitted.

    Attributes:
        ids: The test ids, as their exact text, in the prediction's order.
        id_name: Name of the id column.
        target: Name of the target column.
        classes: Class labels in the prediction's order; empty for numbers.
        wants_labels: Whether the score is of labels rather than of probabilities.
        column: Name of the prediction column, where the user says so.
    """

    ids: tuple[str, ...]
    id_name: str = "id"
    target: str = PREDICTION
    classes: tuple[str, ...] = ()
    wants_labels: bool = False
    column: str | None = None


@dataclass(frozen=True)
class SubmissionFormat:
    """A competition's submission file, to be filled with predictions.

    Attributes:
        encoding: How its characters are bytes.
        delimiter: What stands between cells.
        header: The names in the first line; empty where there is none.
        ids: The ids in the file's own order.
        width: Cells in a row.
        id_place: Which column holds the ids.
        columns: Names of the prediction columns, in the file's order.
        places: Which columns these are.
        order: For each of `columns`, its class; empty where there is one prediction a row.
        kind: What is predicted.
        labels: How each class is written, where `kind` is `label`.
        numbers: How numbers are written.
        gaps: All other text: before each prediction, and after the last.
        rows: For each row, its place among the test ids; None: the same.
        wanted: What it is a submission of.
        sample: The bytes it was found from; None where there was no sample.
    """

    encoding: Encoding
    delimiter: str
    header: tuple[str, ...]
    ids: tuple[str, ...]
    width: int
    id_place: int
    columns: tuple[str, ...]
    places: tuple[int, ...]
    order: tuple[int, ...]
    kind: Kind
    labels: tuple[str, ...]
    numbers: NumberStyle
    gaps: tuple[str, ...]
    rows: tuple[int, ...] | None
    wanted: Wanted
    sample: bytes | None

    def filled(self, texts: Iterable[str]) -> str:
        """Returns the file's text with predictions in it, row by row, in the file's order."""
        parts = [""] * (2 * len(self.gaps) - 1)
        parts[::2] = self.gaps
        parts[1::2] = texts
        return "".join(parts)

    def template(self) -> tuple[str, list[Row]]:
        """Returns the file's text with zeros in it, and its rows; for comparisons."""
        text = self.filled(["0"] * (len(self.gaps) - 1))
        return text, read_cells(text, self.delimiter)

    @property
    def description(self) -> str:
        """How the file is written, in a line for people."""
        first = f"header {','.join(self.header)}" if self.header else "no header"
        ends = " and ".join(_END_NAMES[end] for end in line_ends("".join(self.gaps))) or "no line ends"
        last = "" if self.gaps[-1].endswith(("\r", "\n")) else ", none after the last line"
        kind = {"number": "numbers", "probability": "probabilities", "label": "class labels"}[self.kind]
        return (
            f"{first}, {kind} in {', '.join(self.columns)}, between cells {DELIMITERS[self.delimiter]}, "
            f"{self.encoding.label}, lines end in {ends}{last}, {self._order_text}"
        )

    @property
    def _order_text(self) -> str:
        return "rows in the test file's order" if self.rows is None else "rows in the sample's own order"
