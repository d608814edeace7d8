"""What every command does around its work: faults to exit 2, Ctrl-C to exit 130."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from search.faults import InputFaults

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

BAD_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells report it


def exit_code_of(body: Callable[[], int]) -> int:
    """Runs a command's body and turns what it raises into messages and an exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return body()
    except InputFaults as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("Interrupted. Nothing finished is lost.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has left (as in `| head`); closing stderr keeps Python quiet about it.
        sys.stderr.close()
        return 0


def _interrupt(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal module's form
    raise KeyboardInterrupt
