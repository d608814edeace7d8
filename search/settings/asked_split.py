"""The split that the settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from objectives.data.split.plan import SplitPlan
    from search.config import DataConfig


def split_plan(config: DataConfig) -> SplitPlan:
    """Puts the settings together."""
    from objectives.data.split.plan import SplitPlan

    return SplitPlan(
        scheme=config.split,
        folds=config.folds,
        seed=config.seed,
        group=config.group,
        time=config.time,
        gap=config.gap,
        fold_column=config.fold_column,
        repeats=config.repeats,
    )
