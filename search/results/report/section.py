"""What a section of the report consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.results.charts.chart import Chart, Missing


@dataclass(frozen=True)
class Facts:
    """Names with values.

    Attributes:
        rows: Pairs, in order.
    """

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """A table; numbers stand at the right.

    Attributes:
        headings: Of the columns.
        rows: Cells as text.
        marked: Position of a row that stands out; None: none does.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: int | None = None


@dataclass(frozen=True)
class Lines:
    """Sentences, or commands to type.

    Attributes:
        lines: In order.
        are_commands: Whether they are commands.
    """

    lines: tuple[str, ...]
    are_commands: bool = False


@dataclass(frozen=True)
class Section:
    """One section.

    Attributes:
        key: Its anchor.
        title: For people.
        parts: What is in it, in order; several charts in a row stand side by side where there is room.
    """

    key: str
    title: str
    parts: tuple[Facts | Table | Lines | Chart | Missing, ...]


def section(
    key: str, title: str, *parts: Facts | Table | Lines | Chart | Missing | Sequence[Chart] | None
) -> Section:
    """Puts a section together; None is left out, charts that came together are put side by side."""
    flat: list[Facts | Table | Lines | Chart | Missing] = []
    for part in parts:
        if isinstance(part, (list, tuple)):
            flat += part
        elif part is not None:
            flat.append(part)  # type: ignore[arg-type]
    return Section(key, title, tuple(flat))
