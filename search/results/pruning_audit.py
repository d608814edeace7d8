"""How often pruning was wrong, by the trials that were finished although they were to be pruned."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from search.loop.cost import CostModel
from search.loop.progress import duration_text
from search.loop.pruner import AUDITED
from search.loop.tally import complete_trials, ranking_key
from search.space.combined import CHOICE

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

CONFIDENCE = 0.95


class PruningAudit(NamedTuple):
    """What pruning did.

    Attributes:
        pruned: Trials that were stopped.
        audited: Trials that were to be stopped and were finished all the same.
        false: Those of them that came out better than every trial of their objective that was not to be stopped.
        most_false: Share of such trials among all to be stopped that is not exceeded, with 95 % confidence.
        saved_seconds: What was not computed, by the predicted cost of each pruned trial.
        work: Share of all trials' full evaluation that was computed; 1 if nothing is known.
    """

    pruned: int
    audited: int
    false: int
    most_false: float
    saved_seconds: float
    work: float

    def lines(self) -> list[str]:
        """For people."""
        saved = duration_text(self.saved_seconds)
        lines = [f"Pruning saved about {saved} of fitting, {100 * (1 - self.work):.0f} % of it all"]
        if self.audited:
            lines.append(
                f"Pruning audit: {self.audited} finished although they were to be pruned, {self.false} of them "
                f"better than all others; true of at most {100 * self.most_false:.0f} % of the pruned "
                "(95 % confidence)"
            )
        return lines


def pruning_audit(study: Study) -> PruningAudit:
    """Looks at a study's finished trials."""
    from optuna.trial import TrialState

    complete = complete_trials(study)
    pruned = study.get_trials(deepcopy=False, states=(TrialState.PRUNED,))
    audited = [trial for trial in complete if AUDITED in trial.system_attrs]
    rest = [trial for trial in complete if AUDITED not in trial.system_attrs]
    key = ranking_key(study)
    # The first of each objective, which is its best: pruning compares within an objective.
    best = {trial.params.get(CHOICE): key(trial)[0] for trial in reversed(rest)}
    false = sum(key(t)[0] < best.get(t.params.get(CHOICE), -math.inf) for t in audited)
    saved, spent = _seconds(complete, pruned)
    return PruningAudit(
        pruned=len(pruned),
        audited=len(audited),
        false=false,
        most_false=_upper_bound(false, len(audited)),
        saved_seconds=saved,
        work=spent / (spent + saved) if spent + saved > 0 else 1.0,
    )


def _seconds(complete: list[FrozenTrial], pruned: list[FrozenTrial]) -> tuple[float, float]:
    """Saved and spent."""
    cost = CostModel(complete)
    spent = [trial.user_attrs.get("metrics", {}).get("seconds", 0.0) for trial in (*complete, *pruned)]
    saved = [
        max(0.0, cost.predict(t.params) - s) for t, s in zip(pruned, spent[len(complete) :], strict=True)
    ]
    return (sum(saved) if complete else 0.0), sum(spent)


def _upper_bound(found: int, looked_at: int) -> float:
    """Clopper and Pearson's one-sided bound on a share."""
    if found >= looked_at:
        return 1.0
    from scipy.stats import beta

    return float(beta.ppf(CONFIDENCE, found + 1, looked_at - found))
