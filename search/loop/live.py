"""The display of a search on a terminal: a bar, how the best score came down or up, and the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

if TYPE_CHECKING:
    from types import TracebackType


class LiveDisplay:
    """Two lines that are drawn over; what is printed meanwhile goes above them.

    The second line is cut at the terminal's width, never wrapped, so that nothing jumps.

    Args:
        trials: How many trials there shall be.
    """

    def __init__(self, trials: int) -> None:
        self._bar = Progress(
            BarColumn(30), MofNCompleteColumn(), TextColumn("{task.description}", markup=False)
        )
        self._task = self._bar.add_task("", total=trials)
        self._live = Live(self._bar, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, finished: int, convergence: str, best: str, rest: str) -> None:
        """Draws anew.

        Args:
            finished: Trials that have finished.
            convergence: The best score as of each trial, as a sparkline.
            best: The best score as of now.
            rest: Other figures.
        """
        self._bar.update(self._task, completed=finished, description=convergence)
        figures = Text.assemble((best, "bold"), f" | {rest}", no_wrap=True, overflow="ellipsis")
        self._live.update(Group(self._bar, figures), refresh=True)
