"""All checks, in the order of their certainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from objectives.data.leaks.absence import find_absent, find_telling_gaps
from objectives.data.leaks.copies import find_copies
from objectives.data.leaks.dates import find_late_dates
from objectives.data.leaks.groups import group_note
from objectives.data.leaks.order import find_order
from objectives.data.leaks.pairs import find_pairs
from objectives.data.leaks.twins import find_twins

if TYPE_CHECKING:
    from objectives.data.leaks.evidence import Evidence, Finding


class Guarded(NamedTuple):
    """What the checks say.

    Attributes:
        findings: A line for each leak: got, allowed, do.
        notes: The same as warnings, and what is worth a word without being a leak.
    """

    findings: tuple[str, ...]
    notes: tuple[str, ...]


def guard(evidence: Evidence) -> Guarded:
    """Runs all checks: in a second at 100,000 rows of 50 features, in five at a million of 20."""
    findings = tuple(finding.line for finding in find_leaks(evidence))
    return Guarded(findings, (*group_note(evidence), *(f"Warning: {line}" for line in findings)))


def find_leaks(evidence: Evidence) -> tuple[Finding, ...]:
    """What a model should not know, or be judged by; empty for almost every honest pair of tables."""
    copies = [*find_telling_gaps(evidence), *find_copies(evidence), *find_late_dates(evidence)]
    known = {name for finding in copies for name in finding.columns}
    findings = [
        *copies,
        *find_pairs(evidence, known),
        *find_absent(evidence),
        *find_twins(evidence),
        *find_order(evidence),
    ]
    return tuple(_once(findings))


def _once(findings: list[Finding]) -> list[Finding]:
    """The findings without later ones on columns that an earlier one has."""
    seen: set[str] = set()
    kept = []
    for finding in findings:
        if not finding.columns or not seen & set(finding.columns):
            kept.append(finding)
            seen |= set(finding.columns)
    return kept
