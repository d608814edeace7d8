"""Groups, such as buildings or shops, that training and test rows share: worth a word, seldom a leak."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from objectives.data.leaks.evidence import Evidence

_FEWEST_GROUPS = 20
_FEWEST_ROWS_A_GROUP, _MOST_SHARE_OF_A_GROUP = 2, 0.05
_MOST_SAID = 3
_MOSTLY = 0.9
# Whole numbers are groups where they are called so; years and sizes are not.
_CALLED_SO = re.compile(
    r"(?:^|[_\W])(?:id|code|key|no|nr|group)$|(?<=[a-z])I[dD]$|番号|コード", re.IGNORECASE
)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}.*", re.DOTALL)


def group_note(evidence: Evidence) -> list[str]:
    """One line on the columns that look like groups, with the share of test rows in a group that training has."""
    found = []
    for name in evidence.raw_train:
        if name in evidence.raw_test and name not in (evidence.id_name, evidence.target_name):
            share = _shared(evidence.raw_train[name], evidence.raw_test[name])
            if share is not None:
                found.append((f"{name}", share))
    if not found:
        return []
    said = ", ".join(f"{name} ({share:.0%})" for name, share in found[:_MOST_SAID])
    more = f" and {len(found) - _MOST_SAID} more" if len(found) > _MOST_SAID else ""
    return [f"Groups that test rows share with training: {said}{more}"]


def _shared(train: pd.Series, test: pd.Series) -> float | None:
    """Share of the test rows in a group of the training rows; None if the column is none of groups."""
    if not _is_name(train) or not _may_group(train):
        return None
    return float(test.isin(train.unique()).mean())


def _is_name(values: pd.Series) -> bool:
    if pd.api.types.is_integer_dtype(values.dtype):
        return _CALLED_SO.search(str(values.name)) is not None
    first = next(iter(values.dropna()), None)
    return isinstance(first, str) and not _ISO_DATE.fullmatch(first)


def _may_group(values: pd.Series) -> bool:
    known = values.dropna()
    if len(known) < _MOSTLY * len(values):
        return False
    sizes = np.asarray(known.value_counts())
    mean = len(known) / max(len(sizes), 1)
    return bool(
        len(sizes) >= _FEWEST_GROUPS
        and mean >= _FEWEST_ROWS_A_GROUP
        and sizes.max() <= _MOST_SHARE_OF_A_GROUP * len(known)
        and mean <= len(known) / _FEWEST_GROUPS
    )
