"""How a sample writes its numbers, found from them, and other numbers written alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_EXPONENT = re.compile(r"([eE])([+-]?)(\d+)$", re.ASCII)


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written; never with fewer digits than the number needs to be read back the same.

    Attributes:
        decimals: Least number of decimals, filled up with zeros.
        mark: The decimal mark, a point or a comma.
        leading_zero: Whether `0.5` has its zero.
        exponent: As `e+00` in `1.5e+00`: letter, sign, least number of digits; empty for plain decimals.
        is_fixed: Whether there are exactly `decimals`: a sample has more of them than a number holds.
    """

    decimals: int = 0
    mark: str = "."
    leading_zero: bool = True
    exponent: str = ""
    is_fixed: bool = False

    def write(self, value: float) -> str:
        """Returns a finite number as text."""
        if self.exponent:
            text = self._scientific(value)
        elif self.is_fixed:
            text = f"{value:.{self.decimals}f}"
        else:
            text = self._shortest(value)
        if not self.leading_zero:
            text = re.sub(r"^(-?)0(?=\.\d)", r"\1", text)
        return text if self.mark == "." else text.replace(".", self.mark)

    def read(self, text: str) -> float | None:
        """Returns a cell's number, None where there is none; nan and inf are numbers here."""
        plain = text if self.mark == "." else text.replace(".", "\0").replace(self.mark, ".")
        # Python reads `1_000`, ` 1` and digits of other scripts as numbers; a competition's grader may not.
        if _NUMBER.fullmatch(plain) is None:
            return None
        return float(plain)

    def _shortest(self, value: float) -> str:
        text = repr(value)
        if "e" in text:
            text = format(Decimal(text), "f")
        whole, _, decimals = text.partition(".")
        decimals = "" if decimals == "0" else decimals
        filled = decimals.ljust(self.decimals, "0")
        return f"{whole}.{filled}" if filled else whole

    def _scientific(self, value: float) -> str:
        mantissa, _, power = f"{Decimal(repr(value)):e}".lower().partition("e")
        plain = f"{value:.{self.decimals}e}"
        if float(plain) == value:
            mantissa, _, power = plain.partition("e")
        letter, sign, digits = self.exponent[0], self.exponent[1:2] == "+", len(self.exponent) - 2
        shown = abs(int(power or 0))
        before = "-" if int(power or 0) < 0 else "+" if sign else ""
        return f"{mantissa}{letter}{before}{shown:0{digits}d}"


def find_style(texts: Sequence[str]) -> NumberStyle:
    """Finds a style that writes all of some numbers as they are; where none does, the nearest.

    Args:
        texts: A sample's predictions; those that are no numbers say nothing.
    """
    known = list(dict.fromkeys(texts))
    mark = "," if any("," in text for text in known) and not any("." in text for text in known) else "."
    numbers = [text for text in known if NumberStyle(mark=mark).read(text) is not None]
    if not numbers:
        return NumberStyle()
    styles = list(_candidates([text.replace(mark, ".") for text in numbers], mark))
    return next((style for style in styles if _writes(style, numbers)), styles[0])


def _candidates(numbers: Sequence[str], mark: str) -> Iterator[NumberStyle]:
    exponents = [_EXPONENT.search(text) for text in numbers]
    bare = [_EXPONENT.sub("", text) for text in numbers]
    counts = [len(text.partition(".")[2]) for text in bare]
    zero = not any(text.lstrip("+-").startswith(".") for text in bare)
    if all(exponents):
        found = [match for match in exponents if match]
        sign = "+" if any(match[2] == "+" for match in found) else "-"
        shape = found[0][1] + sign + "0" * min(len(match[3]) for match in found)
        yield NumberStyle(min(counts), mark, zero, shape)
    yield NumberStyle(min(counts), mark, zero)
    yield NumberStyle(max(counts), mark, zero, is_fixed=True)


def _writes(style: NumberStyle, numbers: Sequence[str]) -> bool:
    return all(style.write(style.read(text) or 0.0) == text for text in numbers)
