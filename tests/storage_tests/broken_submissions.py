"""Broken submissions, drawn; `python -m tests.storage_tests.broken_submissions` writes the corpus anew."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from storage.submission.cells import read_cells
from storage.submission.checking import data_faults
from tests.storage_tests.submission_mutations import MUTATIONS
from tests.storage_tests.submission_samples import NAMES, sample_format
from tests.storage_tests.valid_submission import Valid

if TYPE_CHECKING:
    from storage.submission.form import SubmissionFormat

CORPUS = Path(__file__).parents[1] / "data" / "broken_submissions.jsonl"
PER_MUTATION = 3


class Broken(NamedTuple):
    """A broken submission.

    Attributes:
        mutation: What was done to it.
        sample: Whose format it had.
        data: Its bytes.
    """

    mutation: str
    sample: str
    data: bytes


def valid_file(name: str, seed: int) -> tuple[SubmissionFormat, str]:
    """A sample's format, and a valid file in it."""
    form = sample_format(name)
    n_columns = len(form.places)
    if form.kind == "label":
        texts = [form.labels[(seed + row) % len(form.labels)] for row in range(len(form.ids))]
    elif form.order:
        shares = [seed % 7 + 1, *range(1, n_columns)]
        texts = [form.numbers.write(share / sum(shares)) for _ in form.ids for share in shares]
    else:
        texts = [form.numbers.write(((seed + 3 * row) % 16 + 1) / 32) for row in range(len(form.ids))]
    return form, form.filled(texts)


@st.composite
def broken_submissions(draw: st.DrawFn, mutation: str | None = None) -> Broken:
    """Draws a sample, predictions, a way to break the file, and the place where."""
    chosen = mutation or draw(st.sampled_from(sorted(MUTATIONS)))
    _, mutate = MUTATIONS[chosen]
    name = draw(st.sampled_from(NAMES))
    form, text = valid_file(name, draw(st.integers(0, 1_000)))
    rows = [row for row in read_cells(text, form.delimiter) if row]
    n_names = int(bool(form.header))

    def pick(below: int) -> int:
        return draw(st.integers(0, below - 1))

    data = mutate(Valid(form, text, rows[n_names:], rows[:n_names], pick))
    if data is None:
        # This file cannot be broken in that way.
        return Broken("", name, b"")
    return Broken(chosen, name, data)


def write_corpus() -> Counter[str]:
    """Writes some broken files of each kind, as drawn; returns how many of each."""
    lines, seen = [], set()
    for mutation in MUTATIONS:
        for case in _drawn(mutation):
            if (case.sample, case.data) in seen:
                continue
            seen.add((case.sample, case.data))
            (fault, *_) = data_faults(case.data, sample_format(case.sample)) or [""]
            lines.append({**case._asdict(), "data": case.data.decode("latin-1"), "fault": fault})
    text = "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in lines)
    CORPUS.write_text(text, encoding="utf-8")
    return Counter(str(line["mutation"]) for line in lines)


def _drawn(mutation: str) -> list[Broken]:
    found: dict[str, Broken] = {}

    @settings(
        max_examples=200,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=broken_submissions(mutation))
    def draw_some(case: Broken) -> None:
        if case.mutation and len(found) < PER_MUTATION:
            found.setdefault(case.sample, case)

    draw_some()
    return list(found.values())


if __name__ == "__main__":
    for name, count in write_corpus().items():
        print(f"{count} {name}")
