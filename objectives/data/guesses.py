"""What two tables tell by themselves of the competition they belong to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from objectives.data.split.proposals import find_group, find_time, likely_group, likely_time

if TYPE_CHECKING:
    from collections.abc import Sequence

_ID_NAME = re.compile(r"(^|_)(id|no|key|index)$", re.IGNORECASE)
_CODE_NAME = re.compile(r"(_|^)(id|type|kind|code|cd|class|category|structure|zone|number)$", re.IGNORECASE)
_ISO_DATE = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}.*"
_MOST_CODES = 100
_FIRST_MONTH, _LAST_MONTH = 190_001, 210_012
_MONTHS = 12


class Guess(NamedTuple):
    """A column and why it was taken for what it is."""

    column: str
    why: str


@dataclass(frozen=True)
class Tables:
    """Two tables of a competition, with all that is in a sample submission.

    Attributes:
        train: Training rows.
        test: Rows to predict.
        sample: Rows of the sample submission as text, the header if any included; none if there is no sample.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    sample: Sequence[Sequence[str]] = ()

    @property
    def only_in_train(self) -> list[str]:
        """Columns that the test file does not have."""
        return [str(name) for name in self.train if name not in self.test]

    def target(self) -> Guess | None:
        """The column that is to be predicted; None if there is none, or more than one that might be."""
        candidates = [
            name for name in self.only_in_train if self.train[name].notna().all()
        ] or self.only_in_train
        if len(candidates) == 1:
            return Guess(candidates[0], "the only column that the test file lacks")
        named = [name for name in candidates if self.sample and name in self.sample[0]]
        if len(named) == 1:
            return Guess(named[0], "the test file lacks it, and the sample submission has it")
        return None

    def id(self) -> Guess | None:
        """The column that names the test rows."""
        if self.sample and self.sample[0] and self.sample[0][0] in self.test:
            return Guess(self.sample[0][0], "first column of the sample submission")
        first = {row[0] for row in self.sample if row}
        for name in self.test:
            if first and first <= {*self.test[name].astype(str)}:
                return Guess(str(name), "its values are the first column of the sample submission")
        unique = [
            str(name) for name in self.test if self.test[name].is_unique and self.test[name].notna().all()
        ]
        named = [name for name in unique if _ID_NAME.search(name)]
        if named:
            return Guess(named[0], "every test row has its own, and the name says so")
        if unique and unique[0] == str(self.test.columns[0]):
            return Guess(unique[0], "the first column, and every test row has its own")
        return None

    def features(self, target: str, id_name: str) -> list[str]:
        """Columns of both tables that may be learned from."""
        return [str(name) for name in self.train if name in self.test and name not in {target, id_name}]

    def text(self, names: Sequence[str]) -> list[str]:
        """Those of the columns that hold text, dates apart."""
        known = {name: self.train[name].dropna() for name in names}
        return [
            name
            for name, values in known.items()
            if len(values) and _is_text(values) and not _is_date(values)
        ]

    def codes(self, names: Sequence[str]) -> list[str]:
        """Columns of whole numbers that may be codes for something: few values, and the name says so."""
        return [name for name in names if _CODE_NAME.search(name) and _is_code(self.train[name].dropna())]

    def months(self, names: Sequence[str]) -> list[str]:
        """Columns of whole numbers that are a year and a month, such as 202301."""
        return [name for name in names if _are_months(self.train[name].dropna())]

    def group(self, names: Sequence[str]) -> Guess | None:
        """The column by whose values the files part, or else one whose values many rows share."""
        found = find_group(self.train, self.test, names)
        if found is not None:
            share = f"{found.share:.0%} of the test rows have one that training lacks, {found.by_chance:.0%} by chance"
            return Guess(found.key.name, f"{share}: random folds may flatter")
        name = likely_group(self.train, names)
        if name is None:
            return None
        n = self.train[name].nunique()
        return Guess(name, f"{n:,} values, {len(self.train) / n:.1f} rows each: are these rows of one thing?")

    def time(self, names: Sequence[str]) -> Guess | None:
        """The column by which the test rows come later, or else one of moments."""
        found = find_time(self.train, self.test, names)
        if found is not None:
            share = f"{found.share:.0%} of the test rows are later than all training rows"
            return Guess(found.key.name, f"{share}: random folds may flatter")
        name = likely_time(self.train, names)
        return None if name is None else Guess(name, "moments, though the test rows are not later")


def _is_text(values: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return False
    return bool(pd.to_numeric(values, errors="coerce").isna().any())


def _is_date(values: pd.Series) -> bool:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return True
    return bool(len(values)) and _is_text(values) and bool(values.astype(str).str.fullmatch(_ISO_DATE).all())


def _is_whole(values: pd.Series) -> bool:
    if not len(values) or not pd.api.types.is_numeric_dtype(values.dtype):
        return False
    return bool((values == values.round()).all())


def _is_code(values: pd.Series) -> bool:
    return _is_whole(values) and 2 < values.nunique() <= _MOST_CODES  # noqa: PLR2004 - two values need no order


def _are_months(values: pd.Series) -> bool:
    if not _is_whole(values) or not values.between(_FIRST_MONTH, _LAST_MONTH).all():
        return False
    return bool((values % 100).between(1, _MONTHS).all())
