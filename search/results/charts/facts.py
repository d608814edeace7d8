"""What all pictures of a study are made of, read once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search.facts.trial import metric_label
from search.loop.tally import RETRY_OF, default_among, ranking_key, tally_trials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from search.loop.tally import Tally

OUTLINE = frozenset({"metrics", "interrupted", RETRY_OF})
"""Attributes of trials that say what became of them."""


@dataclass(frozen=True)
class ChartedStudy:
    """A study as it stands.

    Attributes:
        study: It, for what few need; the rest was read at one moment.
        name: Its name.
        attributes: Its own attributes.
        metric: The score's name for people.
        maximize: Whether more is better.
        trials: All, by number.
        complete: Those with a finite score, the best first.
        default: The complete trial of the default configuration.
        counts: Trials by state.
    """

    study: Study
    name: str
    attributes: Mapping[str, Any]
    metric: str
    maximize: bool
    trials: tuple[FrozenTrial, ...]
    complete: tuple[FrozenTrial, ...]
    default: FrozenTrial | None
    counts: Tally

    @property
    def best(self) -> FrozenTrial | None:
        """The best complete trial."""
        return self.complete[0] if self.complete else None

    @property
    def by_number(self) -> list[FrozenTrial]:
        """The complete trials in the order of their numbers."""
        return sorted(self.complete, key=lambda trial: trial.number)

    @property
    def pruned(self) -> list[FrozenTrial]:
        """The pruned trials that reported something, by number."""
        return [t for t in self.trials if t.state.name == "PRUNED" and t.intermediate_values]

    def is_better(self, score: float, than: float) -> bool:
        """Whether the first score beats the second."""
        return score > than if self.maximize else score < than


def facts_of(study: Study, trials: Sequence[FrozenTrial] | None = None) -> ChartedStudy:
    """Reads a study that search.run made.

    Args:
        study: The study.
        trials: All its trials by number, where they have been read already; `OUTLINE` of their attributes is enough
            for the pictures of scores, steps and folds.
    """
    attributes = study.user_attrs
    trials = study.get_trials(deepcopy=False) if trials is None else trials
    default = default_among(trials)
    scored = [t for t in trials if t.state.name == "COMPLETE" and math.isfinite(value_of(t))]
    return ChartedStudy(
        study=study,
        name=study.study_name,
        attributes=attributes,
        metric=metric_label(study),
        maximize=study.direction.name == "MAXIMIZE",
        trials=tuple(trials),
        complete=tuple(sorted(scored, key=ranking_key(study))),
        default=default if default is not None and math.isfinite(value_of(default)) else None,
        counts=tally_trials(trials),
    )


def value_of(trial: FrozenTrial) -> float:
    """A trial's score; not-a-number where it has none."""
    return math.nan if trial.value is None else trial.value
