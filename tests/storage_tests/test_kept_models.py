from __future__ import annotations

from typing import TYPE_CHECKING

from storage.kept_models import ModelKey, ModelStore

if TYPE_CHECKING:
    from pathlib import Path

BINARY = bytes(range(256)) * 40


def _source(folder: Path, text: str = "a tree") -> Path:
    (folder / "inner").mkdir(parents=True)
    (folder / "fold_0.txt").write_text(text, encoding="utf-8")
    (folder / "inner" / "fold_1.bin").write_bytes(BINARY)
    return folder


def test_a_model_comes_back_whole(tmp_path: Path) -> None:
    """All files of a saved model come back to the byte, whatever the variant is called."""
    store = ModelStore(tmp_path / "kept")
    source = _source(tmp_path / "source")
    keys = [ModelKey(12), ModelKey(12, "slow, seed 2"), ModelKey(12, "_a/b.zip"), ModelKey(123456)]
    for key in keys:
        store.save(key, source)
    for key in keys:
        with store.opened(key) as folder:
            assert folder is not None
            assert (folder / "fold_0.txt").read_text(encoding="utf-8") == "a tree"
            assert (folder / "inner" / "fold_1.bin").read_bytes() == BINARY
        assert not folder.exists()
    assert store.sizes().keys() == {*keys}


def test_a_model_is_one_small_file(tmp_path: Path) -> None:
    """A model is packed, the same one to the same bytes, and nothing else is left in the folder."""
    store, source = ModelStore(tmp_path / "kept"), _source(tmp_path / "source", "split " * 10_000)
    store.save(ModelKey(3), source)
    first = (tmp_path / "kept" / "model_00003.zip").read_bytes()
    (source / "fold_0.txt").touch()
    store.save(ModelKey(3), source)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["model_00003.zip"]
    assert (tmp_path / "kept" / "model_00003.zip").read_bytes() == first
    assert store.sizes()[ModelKey(3)] == len(first) < 60_000 / 10


def test_what_is_damaged_or_gone_is_absent(tmp_path: Path) -> None:
    """A torn file, one with a wrong byte and one that never was are no models, and no error."""
    store = ModelStore(tmp_path)
    store.save(ModelKey(1), _source(tmp_path / "source"))
    path = tmp_path / "model_00001.zip"
    content = path.read_bytes()
    for damaged in (content[:50], content[:45] + bytes([content[45] ^ 255]) + content[46:], b""):
        path.write_bytes(damaged)
        with store.opened(ModelKey(1)) as folder:
            assert folder is None
    assert store.path(ModelKey(2)) is None


def test_others_are_deleted(tmp_path: Path) -> None:
    """Only the models that are to stay do, not one as it was kept once, and what is no model of ours is left alone."""
    store, source = ModelStore(tmp_path), _source(tmp_path / "source")
    for key in (ModelKey(1), ModelKey(1, "slow"), ModelKey(2)):
        store.save(key, source)
    (tmp_path / "model_x.zip").touch()
    (tmp_path / "model_000001.zip").touch()
    _source(tmp_path / "model_00007")
    store.retain([ModelKey(1, "slow")])
    assert store.sizes().keys() == {ModelKey(1, "slow")}
    assert not (tmp_path / "model_00007").exists()
    assert (tmp_path / "model_x.zip").exists()
    assert (tmp_path / "model_000001.zip").exists()
