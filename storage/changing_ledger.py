"""Optuna's database for studies whose space may change under their trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.storages import RDBStorage

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sqlalchemy.orm import Session


class ChangingLedger(RDBStorage):
    """Takes a parameter's new choices, scale or kind, where Optuna's own refuses all but new bounds.

    Each trial keeps the distribution that it was drawn from, and whoever compares trials looks at that: the
    samplers of this project do. Nor is an earlier trial read for each parameter, which Optuna does to compare.
    """

    def _set_trial_param_without_commit(  # noqa: PLR0917 - Optuna's form
        self,
        session: Session,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
        previous_distribution: BaseDistribution | None = None,  # noqa: ARG002
    ) -> None:
        super()._set_trial_param_without_commit(
            session,
            trial_id,
            param_name,
            param_value_internal,
            distribution,
            previous_distribution=distribution,
        )
