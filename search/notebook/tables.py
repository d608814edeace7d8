"""A study's trials and out-of-fold predictions as data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from objectives.data.read import TableError, read_noted
from search.conclusion.conclude import kept_concluded
from search.facts.trial import fold_scores, state_word
from search.faults import InputFaults
from search.loop.tally import best_trial, trial_std
from search.results.trial_files import TrialFiles

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import FloatArray
    from search.competition import Competition
    from storage.layout import Layout

_FIRST = ("state", "score", "std")
_LAST = ("seconds", "begun", "ended", "reason")


def trials_table(study: Study) -> pd.DataFrame:
    """All trials, a row each, indexed by number; the columns are those of `StudyResult.trials`."""
    trials = study.get_trials(deepcopy=False)
    rows = [_row(trial) for trial in trials]
    found = {name: None for row in rows for name in row}
    folds = sorted((name for name in found if name.startswith("fold_")), key=lambda name: int(name[5:]))
    params = [name for name in found if name.startswith("params_")]
    index = pd.Index([trial.number for trial in trials], name="number")
    return pd.DataFrame(rows, index=index, columns=[*_FIRST, *folds, *_LAST, *params])


def oof_table(competition: Competition, study: Study, layout: Layout) -> pd.DataFrame:
    """Out-of-fold predictions of what is submitted; the columns are those of `StudyResult.oof`.

    Raises:
        InputFaults: If no trial is complete.
    """
    data = competition.dataset
    oof = _oof(competition, study, layout)
    target: Any = np.array(data.classes)[data.target.astype(int)] if data.classes else data.target
    columns = {"id": _ids(competition, layout), "target": target, "fold": _folds(competition)}
    if oof.ndim == 1:
        return pd.DataFrame(columns | {"prediction": oof})
    each = {f"prediction_{label}": oof[:, k] for k, label in enumerate(data.classes)}
    return pd.DataFrame(columns | each)


def _row(trial: FrozenTrial) -> dict[str, Any]:
    is_complete = trial.state.name == "COMPLETE"
    return {
        "state": state_word(trial),
        "score": trial.value if is_complete else np.nan,
        "std": trial_std(trial) if is_complete else np.nan,
        **{f"fold_{k}": score for k, score in enumerate(fold_scores(trial))},
        "seconds": trial.user_attrs.get("metrics", {}).get("seconds", np.nan),
        "begun": trial.datetime_start,
        "ended": trial.datetime_complete,
        "reason": trial.user_attrs.get("reason"),
        **{f"params_{name}": value for name, value in trial.params.items()},
    }


def _oof(competition: Competition, study: Study, layout: Layout) -> FloatArray:
    best = best_trial(study)
    if best is None:
        raise InputFaults(
            [f"study {study.study_name}: got no complete trial; allowed: at least 1; do: run_search"]
        )
    concluded = kept_concluded(study, layout)
    return concluded.prediction.oof if concluded else TrialFiles(competition, best, layout).oof_prediction()


def _ids(competition: Competition, layout: Layout) -> list[str]:
    """Of the training rows: the data set keeps only those that a submission needs."""
    from objectives.data.sample import write_sample

    config, name = competition.config, competition.dataset.id_name
    path = config.train or write_sample(layout.sample(config.rows), config.rows).train
    try:
        frame = read_noted(path, {name}).frame
    except TableError as error:
        raise InputFaults([str(error)]) from None
    return [str(one) for one in (frame[name] if name in frame else range(len(frame)))]


def _folds(competition: Competition) -> pd.Series[int]:
    found = pd.Series(pd.NA, index=range(len(competition.dataset.target)), dtype="Int64")
    # The first of repeated splits is to stay.
    for number, fold in reversed(list(enumerate(competition.folds))):
        found.iloc[fold.val_idx] = number
    return found
