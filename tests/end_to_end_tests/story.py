"""The user's whole way on real data: search, again, baseline, promote, predict; each command run once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from optuna.trial import TrialState

from tests.end_to_end_tests.project import Project, data_flags

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow.entities import Run
    from optuna.trial import FrozenTrial

    from tests.conftest import CsvPair

N_TRIALS = 8
N_FOLDS = 2
STUDY = "lucas_house"

USERS_SCRIPT = """
import json, sys
import mlflow, pandas as pd
mlflow.set_experiment(sys.argv[1])
best = mlflow.search_runs(order_by=["metrics.cv_rmse_mean ASC"], max_results=1)
baseline = mlflow.search_runs(filter_string='tags.experiment_type = "baseline"')
model = mlflow.pyfunc.load_model(f"models:/{sys.argv[1]}@champion")
print(json.dumps({
    "best": best.run_id[0],
    "baselines": baseline["tags.mlflow.runName"].tolist(),
    "prediction": list(model.predict(pd.read_csv(sys.argv[2]))),
}))
"""


@dataclass(frozen=True)
class State:
    """What ledger and record hold at one moment."""

    trials: list[FrozenTrial]
    runs: list[dict[str, Any]]


@dataclass(frozen=True)
class Step:
    """One command of the story, and the state after it."""

    project: Project
    output: str
    errors: str
    state: State

    def after(self, label: str) -> str:
        """The rest of the output's line that begins with a label."""
        (found,) = re.findall(rf"^{label}: (.*)$", self.output, re.MULTILINE)
        return str(found)


def take_step(project: Project, command: str, *arguments: str | Path) -> Step:
    """Runs a command and notes the state after it."""
    done = project.run(command, *arguments)
    state = State(project.study(STUDY).get_trials(), [run.to_dictionary() for run in project.mlflow_runs()])
    return Step(project, done.stdout, done.stderr, state)


def search_flags(pair: CsvPair) -> list[str | Path]:
    """The story's search; of one model, for its pruner needs five complete trials of a model first."""
    flags = ["--trials", str(N_TRIALS), "--folds", str(N_FOLDS), "--workers", "1", "--objective", "lightgbm"]
    return [*data_flags(pair), *flags]


def best_of(step: Step) -> FrozenTrial:
    """The best trial of the ledger after a step."""
    complete = [trial for trial in step.state.trials if trial.state == TrialState.COMPLETE]
    return min(complete, key=lambda trial: trial.value if trial.value is not None else np.inf)


def trial_runs(step: Step) -> dict[int, Run]:
    """The trials' runs by trial number, as they are now."""
    runs = step.project.mlflow_runs("optuna_trial")
    return {int(run.data.tags["optuna_trial"]): run for run in runs}


def parent_of(step: Step) -> Run:
    """The only study's run."""
    (parent,) = step.project.mlflow_runs("optuna_study")
    return parent


def ids_of(path: Path) -> list[str]:
    """A file's ids, as their text."""
    return pd.read_csv(path, dtype={"id": str})["id"].tolist()
