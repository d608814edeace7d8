"""Which parameters matter."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from search.loop.tally import complete_trials

if TYPE_CHECKING:
    from optuna.study import Study

_FEWEST_TRIALS = 20
"""Complete trials below which a share is an accident."""


def importance(study: Study) -> dict[str, float]:
    """Share of each parameter in what tells good trials from the rest (PED-ANOVA), the greatest first.

    Of several objectives only parameters that all complete trials have count. Empty where there are too few
    trials to say, or all scored the same.
    """
    if len(complete_trials(study)) < _FEWEST_TRIALS:
        return {}
    from optuna.importance import get_param_importances

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = get_param_importances(study)
    except (ValueError, RuntimeError):
        # Optuna raises where there is nothing to tell apart: one score, or no parameter in common.
        return {}
    return dict(sorted(found.items(), key=lambda item: -item[1]))
