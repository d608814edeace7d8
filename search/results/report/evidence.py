"""What a report shows beyond the study itself: its data, kept predictions and models' features."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.conclusion.conclude import kept_concluded, kept_conclusion
from search.faults import InputFaults

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from search.competition import Competition
    from search.conclusion.conclusion import Conclusion
    from search.results.charts.facts import ChartedStudy
    from storage.layout import Layout


@dataclass(frozen=True)
class Evidence:
    """All of it, as far as it is here.

    Attributes:
        conclusion: What the study came to; None: none yet, or trials were added since.
        competition: The data; None where it cannot be read.
        why_no_data: Why it cannot.
        oof: Out-of-fold predictions, shape (n,) or (n, n_classes); None where none were kept.
        oof_of: Whose they are.
        importance: Share of each feature in the gain of the best trial that has it, shape (n_features,).
        importance_of: That trial's number.
    """

    conclusion: Conclusion | None
    competition: Competition | None
    why_no_data: str
    oof: NDArray[np.float64] | None
    oof_of: str
    importance: NDArray[np.float64] | None
    importance_of: int


def gather(facts: ChartedStudy, layout: Layout, competition: Competition | None = None) -> Evidence:
    """Reads what there is.

    Args:
        facts: The study.
        layout: The project.
        competition: Its data where they are read already; None: they are read here.
    """
    why_no_data = ""
    if competition is None:
        competition, why_no_data = _reopened(facts, layout)
    conclusion = kept_conclusion(facts.study)
    oof, oof_of = _oof(facts, layout, conclusion)
    importance, importance_of = _importance(facts, layout)
    return Evidence(conclusion, competition, why_no_data, oof, oof_of, importance, importance_of)


def _reopened(facts: ChartedStudy, layout: Layout) -> tuple[Competition | None, str]:
    from search.results.trial_files import reopen

    try:
        return reopen(facts.study, layout), ""
    except InputFaults as error:
        return None, f"The data cannot be read here any more: {error.faults[0]}"
    except ValueError as error:
        # The settings are not this release's, or were written by something else.
        return None, f"The study's settings cannot be understood here: {str(error).splitlines()[0]}"


def _oof(
    facts: ChartedStudy, layout: Layout, conclusion: Conclusion | None
) -> tuple[NDArray[np.float64] | None, str]:
    """Those of what was chosen, or else of the best trial that has any."""
    from storage.predictions import PredictionMissingError, PredictionStore

    concluded = kept_concluded(facts.study, layout) if conclusion is not None else None
    if concluded is not None:
        chosen = concluded.conclusion.chosen
        return concluded.prediction.oof, chosen.name if chosen.is_single else f"the {chosen.name}"
    store = PredictionStore(layout.predictions(facts.name))
    kept = set(store.numbers())
    for trial in facts.complete:
        if trial.number in kept:
            with suppress(PredictionMissingError):
                return store.load(trial.number).oof, f"trial {trial.number}"
    return None, ""


def _importance(facts: ChartedStudy, layout: Layout) -> tuple[NDArray[np.float64] | None, int]:
    from storage.predictions import PredictionStore

    store = PredictionStore(layout.predictions(facts.name))
    kept = set(store.numbers())
    for trial in facts.complete:
        if trial.number in kept and (found := store.importance(trial.number)) is not None:
            return found, trial.number
    return None, -1
