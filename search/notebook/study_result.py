"""A study as a notebook looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from search.facts.study import StudyFacts, study_facts, submission_of
from search.facts.trial import TrialFacts, trial_facts
from search.loop.tally import best_trial

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from optuna.study import Study
    from plotly.graph_objects import Figure

    from search.competition import Competition
    from storage.layout import Layout


@dataclass(frozen=True, repr=False)
class StudyResult:
    """A study to look at: it shows itself, and has tables, figures and files.

    Everything is read when it is asked for, so it is as of now, also while a search is at work on the study.

    Attributes:
        study: The study as Optuna has it, for all that is not here.
        layout: Where the project's files are.
        lines: What `python -m search.run` prints at its end, a line each; empty of a study that was only loaded.
    """

    study: Study
    layout: Layout
    lines: tuple[str, ...] = ()
    _searched: Competition | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.study.study_name

    @property
    def facts(self) -> StudyFacts:
        """What is known of the study, as values: counts, the best trials, importance, conclusion."""
        return study_facts(self.study, self.layout)

    @property
    def best(self) -> TrialFacts | None:
        """The best trial that ran to its end; None if there is none."""
        best = best_trial(self.study)
        return None if best is None else trial_facts(self.study, best.number)

    def trial(self, number: int) -> TrialFacts:
        """What is known of a trial.

        Args:
            number: Its number.

        Raises:
            InputFaults: If there is no such trial.
        """
        from search.facts.finding import check_trials

        check_trials(self.study, trial=number)
        return trial_facts(self.study, number)

    @property
    def trials(self) -> pd.DataFrame:
        """All trials, a row each, by number.

        Columns `state`, `score` (mean over the folds; NaN unless complete), `std`, `fold_0`..., `seconds`, `begun`,
        `ended`, `reason` (of a failure), and `params_...`, as Optuna names them.
        """
        from search.notebook.tables import trials_table

        return trials_table(self.study)

    @property
    def oof(self) -> pd.DataFrame:
        """Out-of-fold predictions of what is submitted, a row for each training row, in the file's order.

        Columns `id` (text; the position of the row if the training file has no ids), `target`, `fold` (the fold
        that validates the row, the first of them if splits are repeated; missing if none does) and `prediction`
        (NaN if none does; of two classes the probability of the second), or `prediction_<class>` for several.

        Raises:
            InputFaults: If no trial is complete, or the data are gone or have changed since.
        """
        from search.notebook.tables import oof_table

        return oof_table(self._competition, self.study, self.layout)

    @property
    def submission(self) -> Path | None:
        """The file to upload; None if it is not here, and `promote` makes it."""
        return submission_of(self.study, self.layout)

    def plot_convergence(self) -> Figure:
        """Scores of the trials and the best as of each, with the default configuration's score as a line."""
        from search.notebook.figures import convergence

        return convergence(self.study)

    def plot_importance(self) -> Figure:
        """Share of each parameter in what tells good trials from the rest."""
        from search.notebook.figures import importances

        return importances(self.study)

    def plot_folds(self) -> Figure:
        """Score of each fold, of the best trials and the default configuration: how far they lie apart."""
        from search.notebook.figures import folds

        return folds(self.study)

    def plot_parallel(self) -> Figure:
        """Parallel coordinates: the parameters that matter most, a line a complete trial."""
        from search.notebook.figures import parallel

        return parallel(self.study)

    def plot_slice(self) -> Figure:
        """Score by value of each parameter that matters most."""
        from search.notebook.figures import slices

        return slices(self.study)

    def plot_pruning(self) -> Figure:
        """How trials climbed from fold to fold, and where the pruned ones were stopped."""
        from search.notebook.figures import pruning

        return pruning(self.study)

    def __repr__(self) -> str:
        from search.facts.study_lines import study_lines

        return "\n".join(study_lines(self.facts))

    def _repr_html_(self) -> str:
        from search.notebook.page import study_page

        return study_page(self.facts)

    @cached_property
    def _competition(self) -> Competition:
        from search.results.trial_files import reopen

        return self._searched or reopen(self.study, self.layout)
