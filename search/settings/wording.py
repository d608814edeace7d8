"""What pydantic finds wrong, in this project's words: got, allowed, do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_TAGS = {"range", "choices", "value"}
SPACE = "space"


def fault_line(error: ErrorDetails, label: str | None = None) -> str:
    """One line for one error.

    Args:
        error: As pydantic has it.
        label: Name of the setting for people; default: its key.
    """
    loc = error["loc"]
    name = label or _label(loc)
    if error["type"] == "extra_forbidden":
        allowed = "low, high, log, step, kind, when; or choices, when; or value, when"
        return f"{name}: got an unknown key; allowed: {allowed}; do: correct it"
    return f"{name}: got {_shown(error['input'])}; allowed: {_allowed(error)}; do: correct it"


def _label(loc: tuple[int | str, ...]) -> str:
    if not loc:
        return "settings"
    if loc[0] != SPACE:
        return str(loc[0])
    # After the parameter's name comes the form of its entry, which nobody wrote.
    rest = [str(part) for part in (*loc[1:2], *loc[3:4])]
    return f"[space] {'.'.join(rest)}" if rest else SPACE


def _allowed(error: ErrorDetails) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if len(error["loc"]) > 3 and error["loc"][0] == SPACE and error["loc"][3] in {*_TAGS, "when"}:  # noqa: PLR2004
        return "numbers, text, true or false"
    said = error["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return said.replace(" and less than", ", less than").replace("String should match", "text that matches")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - a line is for people
