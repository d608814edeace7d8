"""The zip file of a bundle: written the same every time, believed only after all of it was checked."""

from __future__ import annotations

import hashlib
import shutil
import stat
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import IO, TYPE_CHECKING

from storage.atomic import temporary_save_path
from storage.bundle.members import (
    FIXED_MEMBERS,
    MANIFEST,
    BundleError,
    Manifest,
    Member,
    damaged,
    name_fault,
    read_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PACKAGES = ("lightgbm", "mlflow", "numpy", "optuna", "pandas", "scikit-learn", "tabular-search")
LARGEST_MANIFEST = 256 * 2**20
"""Bytes; a manifest has some 150 for each file, and is the one member that nothing vouches for."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHUNK = 2**20
_ENCRYPTED = 0x1
_UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)

Source = bytes | Path


def write_zip(path: Path, study: str, sources: Mapping[str, Source]) -> Manifest:
    """Writes a bundle, all or nothing.

    Args:
        path: The file; replaced if there is one.
        study: Name of the study.
        sources: The members but for the manifest: their bytes, or the file that holds them.

    Raises:
        BundleError: If a member's name cannot be carried to every system.
        OSError: If the file cannot be written.
    """
    for name in sources:
        fault = name_fault(name)
        if fault:
            raise BundleError(f"got the file {name!r}, {fault}; allowed: plain names; do: rename that file")
    manifest = Manifest(study, _versions(), {name: _member(source) for name, source in sources.items()})
    contents: dict[str, Source] = {**sources, MANIFEST: manifest.to_bytes()}
    with temporary_save_path(path) as temporary, zipfile.ZipFile(temporary, "w") as file:
        for name in sorted(contents):
            _add(file, name, contents[name])
    return manifest


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _member(source: Source) -> Member:
    if isinstance(source, bytes):
        return Member(hashlib.sha256(source).hexdigest(), len(source))
    with source.open("rb") as file:
        return Member(hashlib.file_digest(file, "sha256").hexdigest(), source.stat().st_size)


def _add(file: zipfile.ZipFile, name: str, source: Source) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3  # Unix, wherever it is written
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    if isinstance(source, bytes):
        file.writestr(info, source)
        return
    info.file_size = source.stat().st_size
    with source.open("rb") as original, file.open(info, "w") as copy:
        shutil.copyfileobj(original, copy, _CHUNK)


@dataclass(frozen=True)
class BundleFile:
    """An open bundle in which every byte was checked."""

    path: Path
    manifest: Manifest
    _file: zipfile.ZipFile

    def read(self, name: str) -> bytes:
        """Returns a member whole."""
        parts: list[bytes] = []
        self._stream(name, parts.append)
        return b"".join(parts)

    def extract(self, name: str, target: Path) -> None:
        """Writes a member to a new file, its folders made if need be."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as copy:
            self._stream(name, copy.write)

    def below(self, folder: str) -> dict[str, str]:
        """Returns the members below a folder: their path in it, and their name."""
        prefix = f"{folder}/"
        return {
            name.removeprefix(prefix): name
            for name in sorted(self.manifest.members)
            if name.startswith(prefix)
        }

    def _stream(self, name: str, take: Callable[[bytes], object]) -> None:
        member = self.manifest.members[name]
        try:
            with self._file.open(name) as file:
                found = _copy(file, take, member.size)
        except _UNREADABLE as error:
            raise damaged(self.path, f"{name}, unreadable ({error})") from None
        if found != member:
            raise damaged(self.path, f"{name} with other bytes than its checksum says")


def _copy(file: IO[bytes], take: Callable[[bytes], object], most: int) -> Member:
    # One byte more than promised is enough to know, and a bomb gets no further.
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(min(_CHUNK, most - size + 1)):
        size += len(chunk)
        if size > most:
            break
        digest.update(chunk)
        take(chunk)
    return Member(digest.hexdigest(), size)


@contextmanager
def open_bundle(path: Path) -> Iterator[BundleFile]:
    """Opens a bundle and checks every byte of it; writes nothing.

    Raises:
        BundleError: If it is not a whole, unchanged bundle of a known version.
    """
    try:
        file = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise BundleError(f"got {path}, no such file; allowed: a bundle; do: correct the path") from None
    except (*_UNREADABLE, ValueError) as error:
        raise damaged(path, f"no readable zip file ({error})") from None
    with file:
        bundle = BundleFile(path, _checked_manifest(path, file), file)
        for name in sorted(bundle.manifest.members):
            bundle._stream(name, len)  # noqa: SLF001 - read and dropped, for its checksum
        yield bundle


def _checked_manifest(path: Path, file: zipfile.ZipFile) -> Manifest:
    entries = file.infolist()
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names):
        raise damaged(path, "a member twice")
    for entry in entries:
        fault = name_fault(entry.filename) or _entry_fault(entry)
        if fault:
            raise damaged(path, f"member {entry.filename!r}, {fault}")
    if MANIFEST not in names:
        raise damaged(path, f"no {MANIFEST}")
    manifest = read_manifest(_manifest_bytes(path, file), path)
    _compare(path, {entry.filename: entry.file_size for entry in entries}, manifest)
    return manifest


def _entry_fault(entry: zipfile.ZipInfo) -> str | None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if entry.is_dir() or kind not in {0, stat.S_IFREG}:
        return "not a plain file"
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return "packed in a way that no bundle is"
    return None


def _manifest_bytes(path: Path, file: zipfile.ZipFile) -> bytes:
    try:
        with file.open(MANIFEST) as member:
            data = member.read(LARGEST_MANIFEST + 1)
    except _UNREADABLE as error:
        raise damaged(path, f"{MANIFEST}, unreadable ({error})") from None
    if len(data) > LARGEST_MANIFEST:
        raise damaged(path, f"a {MANIFEST} of more than {LARGEST_MANIFEST} bytes")
    return data


def _compare(path: Path, sizes: Mapping[str, int], manifest: Manifest) -> None:
    expected = {MANIFEST, *FIXED_MEMBERS, *manifest.members}
    if missing := sorted(expected - set(sizes)):
        raise damaged(path, f"no {missing[0]}")
    if extra := sorted(set(sizes) - {MANIFEST, *manifest.members}):
        raise damaged(path, f"{extra[0]}, which its manifest does not name")
    for name, member in sorted(manifest.members.items()):
        if sizes[name] != member.size:
            raise damaged(path, f"{name} of {sizes[name]} bytes, {member.size} by its manifest")
    total, free = sum(member.size for member in manifest.members.values()), shutil.disk_usage(Path()).free
    if total > free:
        raise BundleError(
            f"{path}: got {total} bytes to unpack; allowed: the {free} free here; do: free space first"
        )
