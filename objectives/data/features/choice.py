"""What the user says about features, and every reason why it cannot be so."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from objectives.data.features.months import could_be_months
from objectives.data.features.values import as_moments, as_numbers

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


@dataclass(frozen=True)
class FeatureChoice:
    """Columns of each kind; `None` means: find out, and an empty tuple: none.

    Two kinds are never found out: the calendar, which made the default model worse where it was tried, and target
    means, which score better on random folds than on later rows where groups come again.

    Attributes:
        tags: Lists in one cell.
        text: Long text.
        months: Whole numbers such as 202404.
        geo: Pairs "latitude:longitude".
        calendar: Dates that get year, month and weekday besides.
        target_encode: Categories to replace by the mean target of the training fold.
        own: The user's own file of features.
    """

    tags: tuple[str, ...] | None = None
    text: tuple[str, ...] | None = None
    months: tuple[str, ...] | None = None
    geo: tuple[str, ...] | None = None
    calendar: tuple[str, ...] = ()
    target_encode: tuple[str, ...] = ()
    own: Path | None = None


def choice_faults(
    choice: FeatureChoice, categorical: tuple[str, ...], train: pd.DataFrame, usable: set[str]
) -> list[str]:
    """One line for each column that is unknown, given twice, or not of the kind that is said.

    Args:
        choice: What is said.
        categorical: Columns that are said to be categories.
        train: The raw training rows.
        usable: Columns that can be features.
    """
    faults: list[str] = []
    kind_of: dict[str, str] = dict.fromkeys(categorical, "categorical")
    for kind, name in _named(choice):
        if name not in usable:
            faults.append(
                f"{kind}: got {name!r}, not a feature; allowed: {_some(usable)}; do: choose from them"
            )
        elif kind_of.get(name, kind) != kind and {kind, kind_of[name]} != {"categorical", "target_encode"}:
            faults.append(
                f"{kind}: got {name!r}, given as {kind_of[name]} too; allowed: one kind; do: choose"
            )
        elif kind == "months":
            faults += _month_faults(train[name])
        elif kind == "calendar":
            faults += _date_faults(train[name])
        kind_of.setdefault(name, kind)
    for pair in choice.geo or ():
        faults += _geo_faults(pair, train, usable)
    return faults


def find_pair(pair: str, names: set[str]) -> tuple[str, str] | None:
    """The two columns of "latitude:longitude"; a name may itself hold a colon."""
    places = [i for i, sign in enumerate(pair) if sign == ":"]
    found = [(pair[:i].strip(), pair[i + 1 :].strip()) for i in places]
    return next((both for both in found if set(both) <= names), None)


def _named(choice: FeatureChoice) -> list[tuple[str, str]]:
    kinds = [field.name for field in fields(choice) if field.name not in ("geo", "own")]
    return [(kind, name) for kind in kinds for name in getattr(choice, kind) or ()]


def _month_faults(values: pd.Series) -> list[str]:
    numbers = as_numbers(values)
    if could_be_months(numbers).any():
        return []
    known = values.dropna()
    example = f", such as {known.iloc[0]!r}" if len(known) else ""
    return [
        f"months: got {values.name!r}, where no value is a month{example}; allowed: such as 202404; do: correct it"
    ]


def _date_faults(values: pd.Series) -> list[str]:
    if as_moments(values.astype(str)).notna().any():
        return []
    return [
        f"calendar: got {values.name!r}, where no value is a date; allowed: dates such as 2024-01-31; do: correct it"
    ]


def _geo_faults(pair: str, train: pd.DataFrame, usable: set[str]) -> list[str]:
    both = find_pair(pair, usable)
    if both is None:
        return [f"geo: got {pair!r}; allowed: LATITUDE:LONGITUDE of {_some(usable)}; do: name two columns"]
    empty = [name for name in both if not np.isfinite(as_numbers(train[name])).any()]
    return [f"geo: got {name!r} without a number; allowed: coordinates; do: name another" for name in empty]


def _some(names: set[str], most: int = 8) -> str:
    shown = ", ".join(sorted(names)[:most])
    return shown + (f", ... ({len(names)} columns)" if len(names) > most else "")
