"""What is wrong with what the user gave, all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class InputFaults(Exception):  # noqa: N818 - the field's word for bad input, plural on purpose
    """Input that cannot be used; nothing has been changed.

    Attributes:
        faults: One line each: what was got, what is allowed, what to do.
    """

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))

    def _render_traceback_(self) -> list[str]:
        # What IPython shows in place of a traceback: the user's input is at fault, no line of ours.
        return [*self.faults]
