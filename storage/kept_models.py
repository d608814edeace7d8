"""Saved models of a study's kept trials: one compressed file each, whole or not there."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from storage.atomic import temporary_save_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_PREFIX, _SUFFIX = "model_", ".zip"
_FAST = 1  # a text model shrinks to a third; the slower levels take three times as long for a tenth less


class ModelKey(NamedTuple):
    """What a saved model is of.

    Attributes:
        trial: Number of the trial.
        variant: How its configuration was fitted anew; empty for the trial as it was.
    """

    trial: int
    variant: str = ""

    @property
    def file_name(self) -> str:
        """`model_00012.zip`, or `model_00012_slow.zip` of the variant `slow`."""
        variant = f"_{quote(self.variant, safe='')}" if self.variant else ""
        return f"{_PREFIX}{self.trial:05d}{variant}{_SUFFIX}"


class ModelStore:
    """Saved models in a folder; who writes holds it, anyone may read.

    Args:
        folder: Where the files are; made by the first save.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, key: ModelKey, source: Path) -> None:
        """Packs all files of a folder, all or nothing, in place of what the key had.

        Raises:
            OSError: If it cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with temporary_save_path(self.folder / key.file_name) as path:
            pack(source, path)

    def path(self, key: ModelKey) -> Path | None:
        """The packed model; None where it is not kept, or torn."""
        path = self.folder / key.file_name
        return path if zipfile.is_zipfile(path) else None

    @contextmanager
    def opened(self, key: ModelKey) -> Iterator[Path | None]:
        """Unpacks a model into a folder that is there as long as the block runs; None where there is none."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            yield Path(name) if self._unpacked(key, Path(name)) else None

    def sizes(self) -> dict[ModelKey, int]:
        """Bytes on disk of each model, in order."""
        found = {}
        for path in sorted(self.folder.glob(f"{_PREFIX}*{_SUFFIX}")):
            number, _, variant = path.name[len(_PREFIX) : -len(_SUFFIX)].partition("_")
            key = ModelKey(int(number), unquote(variant)) if number.isdecimal() else None
            if key is not None and key.file_name == path.name:
                found[key] = path.stat().st_size
        return found

    def retain(self, keys: Collection[ModelKey]) -> None:
        """Deletes every other model."""
        for key in self.sizes():
            if key not in keys:
                (self.folder / key.file_name).unlink(missing_ok=True)
        for folder in self.folder.glob(f"{_PREFIX}*[0-9]"):
            # As models were kept once, the best trial's alone.
            if folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)

    def _unpacked(self, key: ModelKey, folder: Path) -> bool:
        path = self.path(key)
        if path is None:
            return False
        try:
            unpack(path, folder)
        except (OSError, zipfile.BadZipFile, zlib.error):
            # Damaged, or taken away by another coordinator since: it can be fitted again.
            return False
        return True


def pack(source: Path, path: Path) -> None:
    """Writes all files of a folder into a zip file; the same files make the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_FAST) as packed:
        for file in sorted(one for one in source.rglob("*") if one.is_file()):
            # Without the time of writing.
            entry = zipfile.ZipInfo(file.relative_to(source).as_posix())
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, file.read_bytes(), compresslevel=_FAST)


def unpack(path: Path, folder: Path) -> None:
    """Writes what `pack` packed into a folder."""
    with zipfile.ZipFile(path) as packed:
        packed.extractall(folder)
