"""The study and the trials that a command was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.faults import InputFaults
from search.results.known_studies import any_study
from storage.study_snapshot import snapshot

if TYPE_CHECKING:
    from optuna.study import Study

    from storage.layout import Layout


def find_study(layout: Layout, study: str, **trials: int | None) -> Study:
    """Reads a study as it is now and checks that it has the trials.

    Args:
        layout: The project.
        study: Its name.
        **trials: Numbers, by the word that the command has for each; None: not asked for.

    Raises:
        InputFaults: If there is no such study, or for each trial that it does not have.
    """
    found = snapshot(any_study(layout, study, "STUDY"))
    check_trials(found, **trials)
    return found


def check_trials(study: Study, **trials: int | None) -> None:
    """Checks that a study has trials of these numbers.

    Args:
        study: The study.
        **trials: Numbers, by the word that the caller has for each; None: not asked for.

    Raises:
        InputFaults: For each that it does not have.
    """
    n = len(study.get_trials(deepcopy=False))
    known = f"0 to {n - 1}" if n else "none yet"
    faults = [
        f"{word.upper()}: got {number}; allowed: {known}; do: choose one"
        for word, number in trials.items()
        if number is not None and not 0 <= number < n
    ]
    if faults:
        raise InputFaults(faults)
