from __future__ import annotations

import json
import stat
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from storage.bundle.archive import open_bundle, write_zip
from storage.bundle.members import MANIFEST, BundleError, name_fault
from storage.bundle.study import read_contents

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Members = dict[str, bytes]

STUDY_JSON = b'{"name":"a","directions":["MINIMIZE"],"user_attrs":{},"system_attrs":{}}\n'
WHOLE: dict[str, bytes] = {
    "study.json": STUDY_JSON,
    "trials.jsonl": b"",
    "runs.jsonl": b"",
    "predictions/trial_00000.npz": bytes(range(256)) * 40,
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A small whole bundle."""
    path = tmp_path / "bundle.zip"
    write_zip(path, "a", dict(WHOLE))
    return path


def _members(path: Path) -> Members:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def _rewrite(path: Path, members: Members) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)


def _refusal(path: Path) -> str:
    with pytest.raises(BundleError) as refusal, open_bundle(path) as file:
        read_contents(file)
    message = str(refusal.value)
    assert "\n" not in message
    assert "got " in message
    assert "; allowed: " in message
    assert "; do: " in message
    return message


def test_a_whole_bundle_is_read(bundle: Path) -> None:
    """What was written is what is read, member for member."""
    with open_bundle(bundle) as file:
        assert read_contents(file).name == "a"
        assert {name: file.read(name) for name in WHOLE} == WHOLE


def test_the_same_content_gives_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    """Neither order nor time of writing nor where the bytes come from shows."""
    other = tmp_path / "other.zip"
    source = tmp_path / "source"
    source.write_bytes(WHOLE["predictions/trial_00000.npz"])
    write_zip(other, "a", dict(reversed(WHOLE.items())) | {"predictions/trial_00000.npz": source})

    assert other.read_bytes() == bundle.read_bytes()


def _changed(members: Members) -> None:
    members["trials.jsonl"] = b"\n"


def _same_size(members: Members) -> None:
    members["predictions/trial_00000.npz"] = bytes(256 * 40)


def _missing(members: Members) -> None:
    del members["predictions/trial_00000.npz"]


def _extra(members: Members) -> None:
    members["predictions/trial_00001.npz"] = b"more"


def _no_manifest(members: Members) -> None:
    del members[MANIFEST]


def _no_study(members: Members) -> None:
    del members["study.json"]
    manifest = json.loads(members[MANIFEST])
    del manifest["members"]["study.json"]
    members[MANIFEST] = json.dumps(manifest).encode()


def _other_study_in_manifest(members: Members) -> None:
    members[MANIFEST] = members[MANIFEST].replace(b'"study": "a"', b'"study": "b"')


def _manifest_cut(members: Members) -> None:
    members[MANIFEST] = members[MANIFEST][:-40]


def _manifest_of_lists(members: Members) -> None:
    members[MANIFEST] = b"[" * 100_000


@pytest.mark.parametrize(
    "damage",
    [
        _changed,
        _same_size,
        _missing,
        _extra,
        _no_manifest,
        _no_study,
        _other_study_in_manifest,
        _manifest_cut,
        _manifest_of_lists,
    ],
)
def test_any_change_of_a_member_is_refused(bundle: Path, damage: Callable[[Members], None]) -> None:
    """A member changed, cut, missing or added, or another manifest: not a bundle as it was written."""
    members = _members(bundle)
    damage(members)
    _rewrite(bundle, members)

    assert "as search.export wrote it" in _refusal(bundle)


@pytest.mark.parametrize("place", range(0, 1000, 37))
def test_any_flipped_byte_is_refused_or_harmless(bundle: Path, place: int) -> None:
    """A byte that turned over on the way is found, unless it is in a zip field that carries no content."""
    data = bytearray(bundle.read_bytes())
    data[place * len(data) // 1000] ^= 0x55
    bundle.write_bytes(data)

    try:
        with open_bundle(bundle) as file:
            found = {name: file.read(name) for name in WHOLE}
    except BundleError:
        return
    assert found == WHOLE


@pytest.mark.parametrize("length", [0, 10, 0.3, 0.9, 0.999])
def test_a_torn_file_is_refused(bundle: Path, length: float) -> None:
    """A copy that stopped half way is no bundle."""
    data = bundle.read_bytes()
    bundle.write_bytes(data[: int(length * len(data)) if length < 1 else int(length)])

    assert "no readable zip file" in _refusal(bundle)


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    """The path is named."""
    assert "no such file" in _refusal(tmp_path / "none.zip")


@pytest.mark.parametrize(("field", "value"), [("version", 2), ("version", "1"), ("format", "zip")])
def test_an_unknown_format_is_refused(bundle: Path, field: str, value: object) -> None:
    """A later release's bundle is not guessed at; the version is named."""
    members = _members(bundle)
    manifest = json.loads(members[MANIFEST])
    members[MANIFEST] = json.dumps({**manifest, field: value}).encode()
    _rewrite(bundle, members)

    assert "allowed: 'tabular-search-study' version 1" in _refusal(bundle)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../evil",
        "predictions/../../evil",
        "predictions/a/../../../evil",
        "predictions//evil",
        "predictions/./evil",
        "C:/evil",
        "C:evil",
        "predictions\\..\\evil",
        "\\\\server\\share\\evil",
        "predictions/",
        "submissions/deep/evil.csv",
        "artifacts/evil",
        "artifacts/trial_1/evil",
        "elsewhere/evil",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    """A member becomes a file in its own folder or none at all, even where the manifest vouches for it."""
    path = tmp_path / "evil.zip"
    assert name_fault(name)
    with pytest.raises(BundleError):
        write_zip(path, "a", {**WHOLE, name: b"evil"})
    assert not path.exists()
    _rewrite(path, {**WHOLE, name: b"evil"})

    assert "member" in _refusal(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["evil.zip"]


def test_a_symlink_is_refused(bundle: Path) -> None:
    """A link could lead what is written after it out of the folder."""
    members = _members(bundle)
    with zipfile.ZipFile(bundle, "w") as file:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            kind = stat.S_IFLNK if name.startswith("predictions") else stat.S_IFREG
            info.external_attr = (kind | 0o644) << 16
            file.writestr(info, data)

    assert "not a plain file" in _refusal(bundle)


def test_a_member_twice_is_refused(bundle: Path) -> None:
    """Which of the two would be checked, and which written?"""
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(bundle, "a") as file:
        file.writestr("study.json", STUDY_JSON)

    assert "a member twice" in _refusal(bundle)


def test_a_bomb_is_refused_by_its_size(bundle: Path) -> None:
    """A member larger than its manifest says is not unpacked at all."""
    members = _members(bundle)
    members["predictions/trial_00000.npz"] = bytes(50_000_000)
    _rewrite(bundle, members)

    assert "10240 by its manifest" in _refusal(bundle)


def test_a_bomb_that_lies_about_its_size_goes_no_further(bundle: Path) -> None:
    """Where the zip's own fields agree with the manifest, no byte more than promised is read."""
    name = "predictions/trial_00000.npz"
    members = _members(bundle)
    members[name] = bytes(50_000_000)
    _rewrite(bundle, members)
    data = bundle.read_bytes()
    data = data.replace(struct.pack("<L", 50_000_000), struct.pack("<L", len(WHOLE[name])))
    bundle.write_bytes(data)

    assert name in _refusal(bundle)


def test_more_than_fits_on_the_disk_is_refused(tmp_path: Path) -> None:
    """A bundle that honestly claims a petabyte is refused before anything of it is read."""
    path = tmp_path / "large.zip"
    write_zip(path, "a", dict(WHOLE))
    members = _members(path)
    from storage.bundle.members import Manifest, Member

    claimed = json.loads(members[MANIFEST])["members"]
    huge = Member("0" * 64, 2**50)
    manifest = Manifest("a", {}, {n: Member(**m) for n, m in claimed.items()} | {"predictions/x": huge})
    members |= {MANIFEST: manifest.to_bytes(), "predictions/x": b""}
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
        file.infolist()[-1].file_size = 2**50

    assert "free" in _refusal(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("study.json", b"[]"),
        ("study.json", STUDY_JSON.replace(b'"user_attrs":{}', b'"user_attrs":{"uid":"x\' OR 1"}')),
        ("trials.jsonl", b"{}\n"),
        ("trials.jsonl", b"not json\n"),
        ("runs.jsonl", b'{"run":"study"}\n'),
    ],
)
def test_contents_without_sense_are_refused(tmp_path: Path, name: str, data: bytes) -> None:
    """Right checksums of the wrong contents, as only a forger makes them, are refused as well."""
    path = tmp_path / "forged.zip"
    write_zip(path, "a", {**WHOLE, name: data})

    assert "make no sense" in _refusal(path)
