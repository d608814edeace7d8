"""Signals that wait until something is whole."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_held() -> Iterator[None]:
    """Keeps Ctrl-C and SIGTERM waiting as long as the block runs; they come at its end.

    An exception out of the middle of a database call leaves a cursor open on a pooled connection. Whoever writes
    by that connection next finds its view of the file outdated, and SQLite says at once that it is locked.

    Other threads than the main one get no signals, and nothing is held there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    before = {
        number: signal.signal(number, lambda one, _: arrived.append(one))
        for number in STOPPING
        # One that was not set from Python could not be set again.
        if signal.getsignal(number) is not None
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for one in arrived[:1]:
            signal.raise_signal(one)


class WholeCalls:
    """Another object, whose calls are each over before a signal comes.

    Args:
        of: That object.
    """

    def __init__(self, of: object) -> None:
        self._of = of

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # Whoever asks what it is, is told what it stands for.
        return type(self._of)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._of, name)
        if not callable(found):
            return found

        @wraps(found)
        def whole(*args: Any, **kwargs: Any) -> Any:
            with signals_held():
                return found(*args, **kwargs)

        return whole
