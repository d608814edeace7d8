from __future__ import annotations

import json
import re

import pytest
from hypothesis import assume, given, settings

from storage.submission.checking import data_faults
from tests.storage_tests.broken_submissions import CORPUS, Broken, broken_submissions, valid_file
from tests.storage_tests.submission_mutations import MUTATIONS
from tests.storage_tests.submission_samples import NAMES, sample_format

CASES = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_broken_was_whole(name: str) -> None:
    """The files that the mutations begin with are valid."""
    for seed in range(5):
        form, text = valid_file(name, seed)
        assert data_faults(form.encoding.encode(text), form) == []


def test_the_corpus_has_every_mutation() -> None:
    """At least 60 files, at least one of each way to break one."""
    assert len(CASES) >= 60
    assert {case["mutation"] for case in CASES} == set(MUTATIONS)


@pytest.mark.parametrize("case", CASES, ids=[f"{case['mutation']}, {case['sample']}" for case in CASES])
def test_a_broken_submission_is_caught(case: dict[str, str]) -> None:
    """Each file of the corpus has one line first that names its fault, and at most one more."""
    faults = data_faults(case["data"].encode("latin-1"), sample_format(case["sample"]))

    assert faults[0] == case["fault"]
    _assert_named(case["mutation"], faults)


@settings(max_examples=150, deadline=None)
@given(case=broken_submissions())
def test_whatever_is_drawn_is_caught(case: Broken) -> None:
    """A file broken anywhere, in any dialect, has a line that names the fault."""
    assume(case.mutation)
    _assert_named(case.mutation, data_faults(case.data, sample_format(case.sample)))


def _assert_named(mutation: str, faults: list[str]) -> None:
    expected, _ = MUTATIONS[mutation]
    pattern = "|".join(re.escape(part) for part in expected.split("|"))
    assert faults, mutation
    assert any(re.match(pattern, fault) for fault in faults), (mutation, faults)
    assert len(faults) <= 2, faults
    assert all("\n" not in fault and "; allowed: " in fault and "got " in fault for fault in faults)
