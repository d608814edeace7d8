"""The front page's moving part, made once for all who look: at most one look at the ledger a second."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import TYPE_CHECKING

from search.config import LOOK_SECONDS
from storage.reading.file_identity import FileIdentity, file_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.web.board import StudyCard
    from storage.layout import Layout
    from storage.reading.read_ledger import ReadLedger
    from storage.reading.watched_studies import WatchedStudies


class LiveStudies:
    """The studies as HTML, and a tag that changes when they do. Usable from any thread.

    Args:
        layout: The project.
        render: Makes HTML of cards, or of a word about why there are none.
        look_seconds: Between two looks.
    """

    def __init__(
        self,
        layout: Layout,
        render: Callable[[list[StudyCard], str | None], str],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._layout, self._render, self._pause = layout, render, look_seconds
        self._lock = threading.Lock()
        self._watched: WatchedStudies | None = None
        self._looked = -float("inf")
        self._shown = ("", "")
        self._ledger: ReadLedger | None = None
        self._opened: FileIdentity | None = None
        self._opening = threading.Lock()

    @property
    def is_fresh(self) -> bool:
        """Whether `shown` would answer without looking."""
        return time.monotonic() - self._looked < self._pause

    def shown(self) -> tuple[str, str]:
        """Returns HTML and tag, looking again if the last look is old."""
        if self.is_fresh:
            return self._shown
        with self._lock:
            if not self.is_fresh:
                html = self._look()
                self._shown = html, f'"{hashlib.blake2b(html.encode(), digest_size=12).hexdigest()}"'
                self._looked = time.monotonic()
            return self._shown

    def open_ledger(self) -> ReadLedger | None:
        """Returns the ledger, opened to read; None where there is none yet.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: If it does not answer.
        """
        from storage.reading.read_ledger import open_read_ledger

        with self._opening:
            source = self.source()
            if self._ledger is None or source != self._opened:
                if self._ledger is not None:
                    self._ledger.close()
                self._ledger, self._watched = None, None
                self._ledger, self._opened = open_read_ledger(self._layout), source
            return self._ledger

    def source(self) -> FileIdentity | None:
        """Which ledger there is now: a folder may be cleared, or another put in its place, while it is shown."""
        return file_identity(self._layout.ledger_file)

    def _look(self) -> str:
        from search.web.board import make_cards
        from storage.reading.watched_studies import WatchedStudies
        from storage.trouble import storage_trouble

        try:
            ledger = self.open_ledger()
            if self._watched is None and ledger is not None:
                self._watched = WatchedStudies(ledger)
            return self._render(
                [] if self._watched is None else make_cards(self._layout, self._watched), None
            )
        except Exception as error:  # noqa: BLE001 - a page that says why is better than none, and the next look may do
            return self._render(
                [], storage_trouble(error) or f"The ledger does not answer ({type(error).__name__})."
            )
