"""From the features of both tables to what the leak guards look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from objectives.data.leaks.evidence import Evidence

if TYPE_CHECKING:
    import pandas as pd

    from objectives.base import FloatArray
    from objectives.data.checks import DataFiles
    from objectives.data.features.assembling import Features
    from objectives.data.folds import Task


def gather(
    features: Features,
    tables: tuple[pd.DataFrame, pd.DataFrame],
    files: DataFiles,
    target: FloatArray,
    task: Task,
) -> Evidence:
    """The evidence: the features, the categories that are encoded by the target in each fold, and the raw tables."""
    encoding = features.learned.encoder.encoding
    names, categorical = features.encoder.names, frozenset(features.encoder.categorical)
    train, test = features.train, features.test
    if encoding is not None:
        coded = tuple(column.name for column in encoding.columns)
        categorical |= set(range(len(names), len(names) + len(coded)))
        codes = [np.where(each < 0, np.nan, each) for each in features.learned.codes]
        names, train, test = (*names, *coded), np.hstack([train, codes[0]]), np.hstack([test, codes[1]])
    return Evidence(names, categorical, train, test, target, task, files.target, files.id, *tables)
