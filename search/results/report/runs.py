"""Where a study's runs are in MLflow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Runs:
    """What is known of them.

    Attributes:
        experiment: Name of the experiment.
        parent: Id of the study's run; None: not recorded yet.
        of_best: Id of the best trial's run.
    """

    experiment: str | None = None
    parent: str | None = None
    of_best: str | None = None
