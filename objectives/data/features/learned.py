"""Features that are learned from the target: anew in each training fold, and nowhere else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from objectives.data.features.inner_folds import inner_parts
from objectives.data.features.own import OwnFeatures
from objectives.data.features.own_transformer import OwnTransformer, dump, load
from objectives.data.features.target_encoding import Tables, TargetEncoding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.data.folds import Fold

_SPEC, _SOURCE = "learned.json", "features.py"


class Learned(NamedTuple):
    """What one training fold taught.

    Attributes:
        tables: Of the target encoding.
        transformer: The user's, fitted.
    """

    tables: Tables | None
    transformer: Any


class FoldColumns(NamedTuple):
    """The learned features of one fold.

    Attributes:
        train: Of all training rows of the study: those of the training fold encoded by each other, the rest as
            new rows are. Shape (n_train, features).
        test: Shape (n_test, features).
        learned: What new rows are encoded by.
    """

    train: FloatArray
    test: FloatArray
    learned: Learned


@dataclass(frozen=True)
class LearnedEncoder:
    """How raw rows get the learned features.

    Attributes:
        encoding: Categories as mean targets.
        transformer: The user's.
        own: The user's file, whose function's columns the rows get first.
    """

    encoding: TargetEncoding | None = None
    transformer: OwnTransformer | None = None
    own: OwnFeatures | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in order; they come after those of the `ColumnEncoder`."""
        kinds = (self.encoding, self.transformer)
        return tuple(name for kind in kinds if kind is not None for name in kind.names)

    @property
    def fingerprint(self) -> str:
        """Hash of what is learned, not of what comes out; empty if there is nothing."""
        if not self.names and self.own is None:
            return ""
        return hashlib.blake2b(json.dumps(self._plain([])).encode(), digest_size=16).hexdigest()

    def transform(self, frame: pd.DataFrame, learned: Learned) -> FloatArray:
        """Encodes raw rows, the user's columns among them. Shape (n, features)."""
        made = [np.empty((len(frame), 0))]
        if self.encoding is not None and learned.tables is not None:
            made.append(learned.tables.apply(self.encoding.codes(frame)))
        if self.transformer is not None:
            inputs = frame.reindex(columns=list(self.transformer.inputs))
            made.append(self.transformer.apply(learned.transformer, inputs))
        return np.hstack(made)

    def save(self, learned: Sequence[Learned], folder: Path) -> None:
        """Writes what the folds have learned; nothing where nothing is learned and nothing the user's own."""
        if not self.names and self.own is None:
            return
        tables = [fold.tables._asdict() for fold in learned if fold.tables is not None]
        (folder / _SPEC).write_text(json.dumps(self._plain(tables), ensure_ascii=False), encoding="utf-8")
        if self.own is not None:
            (folder / _SOURCE).write_text(self.own.source, encoding="utf-8", newline="\n")
        if self.transformer is not None:
            for k, fold in enumerate(learned):
                (folder / f"transformer_{k}.skops").write_bytes(dump(fold.transformer))

    def _plain(self, tables: list[dict[str, Any]]) -> dict[str, Any]:
        plain: dict[str, Any] = {"tables": tables}
        if self.encoding is not None:
            plain["encoding"] = self.encoding.to_plain()
        if self.own is not None:
            plain["own"] = {"name": self.own.name, "fingerprint": self.own.fingerprint}
        if self.transformer is not None:
            plain["transformer"] = {"inputs": self.transformer.inputs, "names": self.transformer.names}
        return plain


def load_learned(folder: Path) -> tuple[LearnedEncoder, tuple[Learned, ...]]:
    """Reads what `LearnedEncoder.save` wrote; nothing at all if it wrote nothing."""
    if not (folder / _SPEC).is_file():
        return LearnedEncoder(), ()
    plain = json.loads((folder / _SPEC).read_text(encoding="utf-8"))
    encoding = TargetEncoding.from_plain(plain["encoding"]) if "encoding" in plain else None
    own = transformer = None
    if "own" in plain:
        own = OwnFeatures(plain["own"]["name"], (folder / _SOURCE).read_text(encoding="utf-8"))
        own.module  # noqa: B018 - a saved transformer may be of a class in it
    if "transformer" in plain and own is not None:
        fields = plain["transformer"]
        transformer = OwnTransformer(own, tuple(fields["inputs"]), tuple(fields["names"]))
    tables = [Tables(**fold) for fold in plain["tables"]]
    fitted = [load(path.read_bytes()) for path in _in_order(folder)]
    n_folds = max(len(tables), len(fitted))
    learned = [Learned(tables[k] if tables else None, fitted[k] if fitted else None) for k in range(n_folds)]
    return LearnedEncoder(encoding, transformer, own), tuple(learned)


def _in_order(folder: Path) -> list[Path]:
    return sorted(folder.glob("transformer_*.skops"), key=lambda path: int(path.stem.rpartition("_")[2]))


@dataclass(frozen=True)
class LearnedRows:
    """The raw material of the learned features; crosses to worker processes with the data set.

    Attributes:
        encoder: How they are made.
        train_codes: Categories of the training rows, shape (n_train, columns).
        test_codes: Of the test rows.
        train_inputs: What the user's transformer gets; None without one.
        test_inputs: Of the test rows.
    """

    encoder: LearnedEncoder
    train_codes: NDArray[np.int64] | None = None
    test_codes: NDArray[np.int64] | None = None
    train_inputs: pd.DataFrame | None = None
    test_inputs: pd.DataFrame | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in order."""
        return self.encoder.names

    @property
    def codes(self) -> tuple[FloatArray, ...]:
        """The categories to encode as floats, in training and test rows; nothing without any."""
        both = (self.train_codes, self.test_codes)
        return tuple(codes.astype(np.float64) for codes in both if codes is not None)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Hashes of how it is learned, and from what; nothing if nothing is learned and nothing the user's own."""
        said = (self.encoder.fingerprint, *map(_hash_of, (self.train_inputs, self.test_inputs)))
        return tuple(one for one in said if one)

    def take(self, train: NDArray[np.intp], test: NDArray[np.intp]) -> LearnedRows:
        """Some of the rows."""
        return LearnedRows(
            self.encoder,
            None if self.train_codes is None else self.train_codes[train],
            None if self.test_codes is None else self.test_codes[test],
            None if self.train_inputs is None else self.train_inputs.iloc[train],
            None if self.test_inputs is None else self.test_inputs.iloc[test],
        )

    def in_fold(self, fold: Fold, folds: Sequence[Fold], target: FloatArray) -> FoldColumns:
        """Learns from the training rows of the fold and encodes all rows.

        Args:
            fold: The fold.
            folds: All folds of the study, which say how its training rows are divided to encode each other.
            target: Of all training rows, shape (n_train,); only those of `fold.train_idx` are looked at.
        """
        known = target[fold.train_idx]
        trains, tests = [np.empty((len(target), 0))], []
        tables = transformer = None
        if self.encoder.encoding is not None and self.train_codes is not None and self.test_codes is not None:
            parts = inner_parts(fold, folds, len(target))
            cross, tables = self.encoder.encoding.fit(self.train_codes[fold.train_idx], known, parts)
            trains.append(_with_rows(tables.apply(self.train_codes), fold, cross))
            tests.append(tables.apply(self.test_codes))
        if self.encoder.transformer is not None and self.train_inputs is not None:
            assert self.test_inputs is not None
            own = self.encoder.transformer
            cross, transformer = own.fit(self.train_inputs.iloc[fold.train_idx], known)
            trains.append(_with_rows(own.apply(transformer, self.train_inputs), fold, cross))
            tests.append(own.apply(transformer, self.test_inputs))
        return FoldColumns(np.hstack(trains), np.hstack(tests), Learned(tables, transformer))

    def save(self, folds: Sequence[Fold], target: FloatArray, folder: Path) -> None:
        """Writes what `load_learned` reads: tables as JSON, the user's source, his transformers as skops."""
        each = folds if self.names else ()
        self.encoder.save([self.in_fold(fold, folds, target).learned for fold in each], folder)

    def encode(self, fold: Fold, folds: Sequence[Fold], target: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The learned features of a fold's training and validation rows, in the fold's order."""
        train = self.in_fold(fold, folds, target).train
        return train[fold.train_idx], train[fold.val_idx]


def _hash_of(inputs: pd.DataFrame | None) -> str:
    if inputs is None:
        return ""
    # The raw columns reach a transformer as they are, not as the encoder reads them.
    return hashlib.blake2b(inputs.to_csv(index=False).encode(), digest_size=16).hexdigest()


def _with_rows(encoded: FloatArray, fold: Fold, cross: FloatArray) -> FloatArray:
    encoded[fold.train_idx] = cross
    return encoded
