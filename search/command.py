"""What every command does around its work: faults to exit 2, Ctrl-C to exit 130, a full disk to words."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from search import stopping
from search.faults import InputFaults
from search.settings.later import with_line

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_DONE = 1
BAD_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells report it


def exit_code_of(body: Callable[[], int]) -> int:
    """Runs a command's body and turns what it raises into messages and an exit code."""
    try:
        with stopping.listening():
            return body()
    except InputFaults as error:
        for fault in error.faults:
            print(with_line(fault), file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("Interrupted. Nothing finished is lost.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has left (as in `| head`); closing stderr keeps Python quiet about it.
        sys.stderr.close()
        return 0
    except Exception as error:
        from storage.trouble import storage_trouble

        said = storage_trouble(error)
        if said is None:
            raise
        print(said, file=sys.stderr)
        return NOT_DONE
