"""The studies that are here, and the one that was asked for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from search.faults import InputFaults
from search.loop.tally import last_activity

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study

    from storage.layout import Layout

OURS = {"settings", "question"}
"""Attributes of a study that search.run made."""


def all_studies(layout: Layout, asked: str | None = None) -> list[Study]:
    """Opens all studies, of whatever program, or the one asked for; makes no ledger where there is none.

    Raises:
        InputFaults: If there is none of that name, or the ledger is another program's file.
    """
    import optuna

    ledger = _ledger(layout)
    if asked is not None:
        return [named_study(ledger, asked, "--study")]
    if ledger is None:
        return []
    names = optuna.get_all_study_names(ledger)
    return [optuna.load_study(study_name=name, storage=ledger) for name in names]


def our_studies(layout: Layout, asked: str | None = None) -> list[Study]:
    """Opens the studies that search.run made, at least one, or the one asked for.

    Raises:
        InputFaults: If there is none, or the ledger is another program's file.
    """
    if asked is not None:
        return [our_study(layout, asked, "--study")]
    ours = [study for study in all_studies(layout) if study.user_attrs.keys() >= OURS]
    if not ours:
        raise InputFaults(["got no study here; allowed: at least one; do: python -m search.run"])
    return ours


def latest_study(layout: Layout, asked: str | None = None) -> Study:
    """Opens the study that was asked for, or of those that search.run made the one last worked on.

    Raises:
        InputFaults: If there is none, or the ledger is another program's file.
    """
    studies = our_studies(layout, asked)
    if len(studies) == 1:
        return studies[0]
    return max(studies, key=lambda one: last_activity(one) or datetime.min)  # noqa: DTZ901 - as Optuna keeps it


def any_study(layout: Layout, asked: str, flag: str) -> Study:
    """Opens a study, of whatever program.

    Args:
        layout: The project.
        asked: Its name.
        flag: How the command calls what was asked for.

    Raises:
        InputFaults: If there is none of that name, or the ledger is another program's file.
    """
    return named_study(_ledger(layout), asked, flag)


def our_study(layout: Layout, asked: str, flag: str) -> Study:
    """Opens a study that search.run made.

    Args:
        layout: The project.
        asked: Its name.
        flag: How the command calls what was asked for.

    Raises:
        InputFaults: If there is none, or the ledger is another program's file.
    """
    study = any_study(layout, asked, flag)
    if not study.user_attrs.keys() >= OURS:
        raise InputFaults(
            [f"{flag}: got {asked!r}, not made by search.run; allowed: one that is; do: choose another"]
        )
    return study


def named_study(ledger: BaseStorage | None, asked: str, flag: str) -> Study:
    """Opens a study, of whatever program.

    Args:
        ledger: The ledger; None where there is none.
        asked: The study's name.
        flag: How the command calls what was asked for.

    Raises:
        InputFaults: If there is none of that name.
    """
    import optuna

    names = [] if ledger is None else optuna.get_all_study_names(ledger)
    if ledger is None or not names:
        raise InputFaults(
            [f"{flag}: got {asked!r}, and got no study here; allowed: at least one; do: python -m search.run"]
        )
    if asked not in names:
        raise InputFaults([f"{flag}: got {asked!r}; allowed: {', '.join(names)}; do: choose one"])
    return optuna.load_study(study_name=asked, storage=ledger)


def _ledger(layout: Layout) -> BaseStorage | None:
    from storage.checks import storage_faults
    from storage.ledger_address import find_ledger

    faults = storage_faults(layout)
    if faults:
        raise InputFaults(faults)
    return find_ledger(layout)
