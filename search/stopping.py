"""Ctrl-C and SIGTERM: an exception where they come, and a mark in case that the exception gets lost there."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from storage.held_signals import STOPPING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_asked = threading.Event()


@contextmanager
def listening() -> Iterator[None]:
    """Takes both signals over for a command; one that is ignored, as by `nohup` or a job of a shell, stays so.

    Other threads than the main one, where a server may call us, get no signals, and nothing is taken over there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # One that was not set from Python could not be given back.
    left_alone = (signal.SIG_IGN, None)
    taken = [number for number in STOPPING if signal.getsignal(number) not in left_alone]
    before = {number: signal.signal(number, _interrupt) for number in taken}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _asked.clear()


def insist() -> None:
    """Raises what a signal has raised already, where that did not come through.

    Python drops an exception that a signal raises while an object is cleared away.

    Raises:
        KeyboardInterrupt: If the command was asked to stop.
    """
    if _asked.is_set():
        raise KeyboardInterrupt


def _interrupt(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal module's form
    _asked.set()
    raise KeyboardInterrupt
