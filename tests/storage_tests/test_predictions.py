from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from storage.predictions import PredictionMissingError, PredictionStore

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ONE = np.array([1.0])


def _store_with(folder: Path, *numbers: int, keep: int = 3) -> PredictionStore:
    store = PredictionStore(folder, keep)
    for number in numbers:
        store.save(number, oof=np.full(4, number, float), test=ONE)
    return store


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(values=arrays(np.float64, array_shapes(min_dims=1, max_dims=2), elements=st.floats(width=64)))
def test_round_trip(tmp_path: Path, values: NDArray[np.float64]) -> None:
    """Every float64, NaN and infinities included, comes back to the bit and in its shape."""
    store = PredictionStore(tmp_path, keep=1)
    store.save(12, oof=values, test=values[:1])
    oof, test = store.load(12)

    assert oof.shape == values.shape
    assert oof.tobytes() == values.tobytes()
    assert test.tobytes() == values[:1].tobytes()


def test_file_name(tmp_path: Path) -> None:
    """A trial is one file with its number in five digits, and nothing else is left."""
    _store_with(tmp_path / "new" / "folder", 12, 123456)

    assert {"trial_00012.npz", "trial_123456.npz"} == {
        path.name for path in (tmp_path / "new/folder").iterdir()
    }


def test_retain(tmp_path: Path) -> None:
    """Only the first `keep` of the best stay, in whatever order they were saved."""
    store = _store_with(tmp_path, 1, 2, 3, 4, 5, keep=2)
    store.retain([4, 2, 1, 3, 5])

    assert store.numbers() == (2, 4)


def test_missing_says_what_to_do(tmp_path: Path) -> None:
    """A trial that is not kept is named with those that are."""
    store = _store_with(tmp_path, 1, 5)
    with pytest.raises(PredictionMissingError) as caught:
        store.load(12)

    assert str(caught.value).startswith("trial 12: ")
    assert "there are those of: 1, 5; choose one of these" in str(caught.value)


def test_no_folder(tmp_path: Path) -> None:
    """A store nothing was saved to is empty, and cleaning it makes no folder."""
    store = PredictionStore(tmp_path / "absent", keep=1)
    store.retain([1])

    assert store.numbers() == ()
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("size", [0, 1, 60, 200])
def test_torn_file(tmp_path: Path, size: int) -> None:
    """A file cut short, as a full disk leaves it, counts as absent."""
    store = _store_with(tmp_path, 1, 2)
    torn = tmp_path / "trial_00001.npz"
    torn.write_bytes(torn.read_bytes()[:size])

    assert store.numbers() == (2,)
    with pytest.raises(PredictionMissingError):
        store.load(1)


def test_flipped_bytes(tmp_path: Path) -> None:
    """A file whose content does not fit its checksum is not believed."""
    store = _store_with(tmp_path, 1)
    path = tmp_path / "trial_00001.npz"
    content = bytearray(path.read_bytes())
    content[60:120] = bytes(60)
    path.write_bytes(content)

    with pytest.raises(PredictionMissingError):
        store.load(1)


def test_foreign_files(tmp_path: Path) -> None:
    """Files of others are neither listed, nor loaded, nor deleted."""
    store = _store_with(tmp_path, 1)
    foreign = ["notes.txt", "trial_7.npz", "trial_000012.npz", "trial_00003.npz.bak"]
    for name in foreign:
        (tmp_path / name).write_text("hello", encoding="utf-8")
    np.save(tmp_path / "array.npy", ONE)
    (tmp_path / "array.npy").rename(tmp_path / "trial_00009.npz")

    assert store.numbers() == (1,)
    with pytest.raises(PredictionMissingError):
        store.load(9)
    store.retain([])
    assert sorted(foreign) == sorted(path.name for path in tmp_path.iterdir())


def test_no_pickle(tmp_path: Path) -> None:
    """An array that only pickle could read is refused, so a planted file runs no code."""
    np.savez(tmp_path / "trial_00001.npz", oof=np.array([{}], object), test=ONE)

    with pytest.raises(PredictionMissingError):
        PredictionStore(tmp_path, keep=1).load(1)


def test_abandoned_temporary_files(tmp_path: Path) -> None:
    """What a killed save left is removed once it is old, and a save under way is left alone."""
    old, young = tmp_path / ".a.tmp.npz", tmp_path / ".b.tmp.npz"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    PredictionStore(tmp_path, keep=1).retain([])

    assert not old.exists()
    assert young.exists()


def test_negative_keep(tmp_path: Path) -> None:
    """A negative number to keep is refused, since it would keep all but the worst."""
    with pytest.raises(ValueError, match="got -1; allowed: 0 or more"):
        PredictionStore(tmp_path, keep=-1)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("lines_before_kill", [1, 2, 5])
def test_sigkill_leaves_no_torn_file(tmp_path: Path, lines_before_kill: int) -> None:
    """A process killed in the middle of saving leaves whole files only, old or new."""
    script = f"""
        from pathlib import Path
        import numpy as np
        from storage.predictions import PredictionStore
        store = PredictionStore(Path({str(tmp_path)!r}), keep=2)
        values = np.random.default_rng(0).random(30_000)
        for turn in range(1_000_000):
            print(turn, flush=True)
            store.save(turn % 2, oof=values + turn, test=values)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(lines_before_kill + 1):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    store = PredictionStore(tmp_path, keep=2)

    assert store.numbers()
    assert len(store.numbers()) == len(list(tmp_path.glob("trial_*")))
    for number in store.numbers():
        oof, test = store.load(number)
        turn = np.round(oof - test)
        assert len(np.unique(turn)) == 1
        assert turn[0] % 2 == number
