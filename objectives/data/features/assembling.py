"""From two raw tables to features: what is said, what is found out, what the user adds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from objectives.data.features.choice import FeatureChoice, choice_faults
from objectives.data.features.finding import drop_repeats, find_columns
from objectives.data.features.learned import LearnedEncoder, LearnedRows
from objectives.data.features.own import OwnFeatures, OwnFeaturesError, add_columns, read_own
from objectives.data.features.own_transformer import open_transformer
from objectives.data.features.target_encoding import TargetEncoding

if TYPE_CHECKING:
    import pandas as pd

    from objectives.base import FloatArray
    from objectives.data.columns import ColumnEncoder

Tables = tuple["pd.DataFrame", "pd.DataFrame"]
_KINDS = {
    "category": "Categorical",
    "date": "Dates",
    "months": "Months",
    "tags": "Tag lists",
    "text": "Long text",
    "geo": "Places",
    "written_number": "Numbers in text",
}


class FeatureError(Exception):
    """Features that cannot be made.

    Attributes:
        faults: One line each.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Asked:
    """What is asked of the features.

    Attributes:
        target: Name of the target column.
        id: Name of the id column.
        categorical: Columns to treat as categories whatever they hold.
        choice: Columns of the other kinds.
        classes: Labels of several classes; empty for numbers and for two classes.
        fold_column: Name of the column that says which fold a row is in.
    """

    target: str
    id: str
    categorical: tuple[str, ...]
    choice: FeatureChoice
    classes: tuple[str, ...] = ()
    fold_column: str | None = None

    def usable(self, tables: Tables) -> list[str]:
        """The columns that both tables have and that may be features, in the order of training."""
        train, test = tables
        no_feature = (self.target, self.id, self.fold_column)
        return [c for c in train.columns if c in test.columns and c not in no_feature]


@dataclass(frozen=True)
class Features:
    """The features of both tables.

    Attributes:
        encoder: What made those that need no target.
        train: Shape (n_train, features).
        test: Shape (n_test, features).
        learned: Makes those that do, fold by fold.
        dropped: One line for each column left out.
        notes: What was found out, one line each.
    """

    encoder: ColumnEncoder
    train: FloatArray
    test: FloatArray
    learned: LearnedRows
    dropped: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All feature names in order."""
        return (*self.encoder.names, *self.learned.names)


def make_features(tables: Tables, asked: Asked, target: FloatArray) -> Features:
    """Makes the features.

    Args:
        tables: Raw training and test rows.
        asked: What is asked of them.
        target: Of the training rows, as numbers or class indices, shape (n_train,).

    Raises:
        FeatureError: With every fault found.
    """
    own, note = None, ""
    if asked.choice.own is not None:
        try:
            own = read_own(asked.choice.own)
            tables, note = add_columns(own, tables, asked.target, asked.id)
        except OwnFeaturesError as error:
            raise FeatureError([str(error)]) from error
    names = asked.usable(tables)
    faults = choice_faults(asked.choice, asked.categorical, tables[0], set(names))
    if faults:
        raise FeatureError(faults)
    found = find_columns(tables[0], names, asked.categorical, asked.choice)
    encoder, train, test, idle = drop_repeats(found.encoder, *map(found.encoder.transform, tables))
    encoding = TargetEncoding(found.target_encoded, asked.classes) if found.target_encoded else None
    learned = _learned(tables, encoding, own, names, target)
    if not encoder.names and not learned.names:
        left_out = ", ".join((*found.dropped, *idle))
        raise FeatureError(
            [f"got no usable feature: {left_out}; allowed: at least 1; do: add one with values"]
        )
    return Features(
        encoder,
        train,
        test,
        learned,
        (*found.dropped, *idle),
        (*_notes(encoder, learned), *[note] * bool(note)),
    )


def _learned(
    tables: Tables,
    encoding: TargetEncoding | None,
    own: OwnFeatures | None,
    names: list[str],
    target: FloatArray,
) -> LearnedRows:
    try:
        transformer = open_transformer(own, tables[0][names], target) if own is not None else None
    except OwnFeaturesError as error:
        raise FeatureError([str(error)]) from error
    rows = LearnedRows(LearnedEncoder(encoding, transformer, own))
    if encoding is not None:
        rows = replace(rows, train_codes=encoding.codes(tables[0]), test_codes=encoding.codes(tables[1]))
    if transformer is not None:
        rows = replace(rows, train_inputs=tables[0][names], test_inputs=tables[1][names])
    return rows


def _notes(encoder: ColumnEncoder, learned: LearnedRows) -> list[str]:
    notes = []
    for kind, label in _KINDS.items():
        names = [part.name for part in encoder.columns if part.kind == kind]
        if names:
            notes.append(f"{label} ({len(names)}): {', '.join(names)}")
    if learned.encoder.encoding is not None:
        encoded = [column.name for column in learned.encoder.encoding.columns]
        notes.append(
            f"Encoded by the target inside each training fold ({len(encoded)}): {', '.join(encoded)}"
        )
    if learned.encoder.own is not None:
        notes.append(f"Own features: {learned.encoder.own.name}")
    return notes
