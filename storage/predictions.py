"""Out-of-fold and test predictions of a study's best trials."""

from __future__ import annotations

import re
import time
import zipfile
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.atomic import temporary_save_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

FloatArray = NDArray[np.float64]

_FILE_NAME = re.compile(r"trial_(\d{5,})\.npz")
_UNREADABLE = (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error)
_ABANDONED_AFTER = 3600.0  # seconds: no save takes an hour, so an older temporary file has lost its writer


class PredictionMissingError(KeyError):
    """The predictions of a trial are not in the store."""

    def __str__(self) -> str:
        # KeyError shows the repr of its argument, which is no message for a user.
        return str(self.args[0])


class StoredPrediction(NamedTuple):
    """One trial's predictions, float64 to the bit as they were saved.

    Attributes:
        oof: Out-of-fold predictions, shape (n_train,) or (n_train, n_classes); NaN for a row no fold validates.
        test: Predictions of the test rows, shape (n_test,) or (n_test, n_classes).
    """

    oof: FloatArray
    test: FloatArray


class PredictionStore:
    """A folder with one compressed file per kept trial, `trial_00012.npz`.

    Who writes holds it; anyone may read at any time, since a file is either whole or not there.
    Everything in the folder that is not a whole file of a trial is as good as absent.

    Args:
        folder: Where the files are; made by the first save.
        keep: How many trials `retain` leaves at most; None: as many as it is told to.

    Raises:
        ValueError: If `keep` is negative.
    """

    def __init__(self, folder: Path, keep: int | None = None) -> None:
        if keep is not None and keep < 0:
            raise ValueError(f"keep: got {keep}; allowed: 0 or more; give the number of trials to keep")
        self.folder = folder
        self.keep = keep

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other processes on this folder from saving and deleting meanwhile."""
        from filelock import FileLock

        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            yield

    def save(
        self, number: int, *, oof: FloatArray, test: FloatArray, importance: FloatArray | None = None
    ) -> None:
        """Writes or replaces a trial's predictions, all or nothing.

        Args:
            number: The trial's number.
            oof: Out-of-fold predictions, shape (n_train,) or (n_train, n_classes).
            test: Predictions of the test rows, shape (n_test,) or (n_test, n_classes).
            importance: Share of each feature in what the models gained, shape (n_features,).

        Raises:
            OSError: If the folder cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        arrays = {"oof": np.asarray(oof, np.float64), "test": np.asarray(test, np.float64)}
        if importance is not None:
            arrays["importance"] = np.asarray(importance, np.float64)
        with temporary_save_path(self.path(number)) as path:
            np.savez_compressed(path, allow_pickle=False, **arrays)

    def load(self, number: int) -> StoredPrediction:
        """Reads a trial's predictions.

        Raises:
            PredictionMissingError: If they were never kept, were removed by `retain`, or are damaged.
        """
        try:
            # Opened here because numpy leaves a torn file open.
            with self.path(number).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return StoredPrediction(oof=arrays["oof"], test=arrays["test"])
        except _UNREADABLE:
            raise PredictionMissingError(self._absence(number)) from None

    def importance(self, number: int) -> FloatArray | None:
        """Reads the share of each feature, shape (n_features,); None where it was not kept."""
        try:
            with self.path(number).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                found: FloatArray = arrays["importance"]
                return found
        except _UNREADABLE:
            return None

    def numbers(self) -> tuple[int, ...]:
        """Returns the numbers of the trials that are there, ascending."""
        return tuple(number for number, path in self._files() if _is_whole(path))

    def sizes(self) -> dict[int, int]:
        """Returns the bytes on disk of each trial's file."""
        return {number: path.stat().st_size for number, path in self._files()}

    def path(self, number: int) -> Path:
        """Returns where a trial's predictions are, if they are kept."""
        return self.folder / f"trial_{number:05d}.npz"

    def retain(self, best_numbers: Sequence[int], spare: Collection[int] = ()) -> None:
        """Deletes the predictions of every trial that is not among the first `keep`.

        Args:
            best_numbers: Trial numbers, the best first.
            spare: Further trials to leave alone: those that have no place among the best yet.
        """
        kept = {*best_numbers[: self.keep], *spare}
        for number, path in self._files():
            if number not in kept:
                path.unlink(missing_ok=True)
        self._remove_abandoned()

    def _files(self) -> list[tuple[int, Path]]:
        if not self.folder.is_dir():
            return []
        matches = ((_FILE_NAME.fullmatch(path.name), path) for path in self.folder.iterdir())
        numbered = ((int(match[1]), path) for match, path in matches if match)
        # `trial_000012.npz` is not how we write trial 12.
        return sorted((number, path) for number, path in numbered if path == self.path(number))

    def _remove_abandoned(self) -> None:
        # A killed save leaves its temporary file; a younger one may belong to a save that is under way.
        oldest = time.time() - _ABANDONED_AFTER
        for path in self.folder.glob(".*.tmp.npz"):
            with suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def _absence(self, number: int) -> str:
        kept = ", ".join(map(str, self.numbers())) or "none"
        return (
            f"trial {number}: its predictions are not in {self.folder} (not all are kept, the best ones are); "
            f"there are those of: {kept}; choose one of these, or evaluate its parameters again"
        )


def _is_whole(path: Path) -> bool:
    # The directory of a zip file is its end, so a torn file has none.
    try:
        with zipfile.ZipFile(path) as file:
            return {"oof.npy", "test.npy"} <= set(file.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
