"""The objectives that a study has, which go on being what `auto` means for it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.layout import Layout

Begun = Callable[[], Collection[str] | None]
"""Tells what names the objectives of a study that goes on; None: it is a new one."""


def begun_with(layout: Layout, study: str) -> tuple[str, ...] | None:
    """What names the objectives of a study; None: there is no study of that name, or nobody knows what it searches.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: If the ledger cannot be reached.
    """
    import optuna

    from storage.ledger_address import find_ledger

    ledger = find_ledger(layout)
    if ledger is None:
        return None
    try:
        settings = optuna.load_study(study_name=study, storage=ledger).user_attrs.get("settings")
    except KeyError:
        return None
    # Before there was a choice it was LightGBM.
    return None if settings is None else tuple(settings.get("objective", ("lightgbm",)))
