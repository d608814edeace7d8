from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from objectives.data.checks import DataFiles
from objectives.data.dataset import DatasetError, load_dataset
from tests.objectives_tests.breaking import BREAKS, CORPUS, Broken, broken, content_of, lines, packed, sound

if TYPE_CHECKING:
    from pathlib import Path

CASES: list[dict[str, Any]] = json.loads(CORPUS.read_text(encoding="utf-8"))


def faults_of(case: Broken, which: str, folder: Path) -> tuple[str, ...]:
    """What loading says with one file broken and the other one sound."""
    paths = {name: folder / f"{name}.csv" for name in ("train", "test")}
    paths[which] = folder / f"{which}{case.suffix}"
    for name, path in paths.items():
        path.write_bytes(case.content if name == which else packed(lines(sound(name))))
    with pytest.raises(DatasetError) as caught:
        load_dataset(DataFiles(paths["train"], paths["test"], "rent", "id", **dict(case.asked)))
    return caught.value.faults


def check(case: Broken, which: str, folder: Path) -> None:
    """One line, which names the fault and its cure."""
    faults = faults_of(case, which, folder)
    assert [case.expected in fault for fault in faults] == [True], faults
    assert "\n" not in faults[0]
    assert faults[0].index("got ") < faults[0].index("; allowed") < faults[0].index("; do: ")


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{i}-{case['way']}-{case['file']}" for i, case in enumerate(CASES)]
)
def test_the_corpus_of_broken_files(tmp_path: Path, case: dict[str, Any]) -> None:
    """Each broken file ever found is one line that names its fault, to the line where there is one."""
    one = Broken(content_of(case), case["expected"], case["suffix"], tuple(case["asked"].items()))

    check(one, case["file"], tmp_path)


def test_the_corpus_is_large() -> None:
    """The corpus covers every way to break a file, and at least 60 files."""
    assert len({content_of(case) + case["suffix"].encode() for case in CASES}) >= 60
    assert {case["way"] for case in CASES} == set(BREAKS)


@pytest.mark.parametrize("name", BREAKS)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_broken_anywhere(tmp_path: Path, name: str, data: st.DataObject) -> None:
    """Wherever and however a file is broken, one line names it."""
    which = data.draw(st.sampled_from(["train", "test"]))

    check(data.draw(broken(name, which)), which, tmp_path)


def test_the_unbroken_table_loads(tmp_path: Path) -> None:
    """What the broken files were made from has no fault at all."""
    for name in ("train", "test"):
        (tmp_path / f"{name}.csv").write_bytes(packed(lines(sound(name))))

    dataset = load_dataset(DataFiles(tmp_path / "train.csv", tmp_path / "test.csv", "rent", "id"))

    assert dataset.encoder.names == ("area", "駅名", "kind")
