"""When more trials are not worth it: `--until-stable`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from search.config import STABLE_AFTER_TRIALS
from search.loop.ending import Ending
from search.loop.tally import is_counted, ranking_key, trial_std

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


def stable(study: Study) -> Ending | None:
    """The ending of a study of which as many trials again would gain less than can be told from noise.

    The expected gain is what the later half of the trials brought over the earlier half: a search gains less
    and less, so that as many again bring no more than that. Noise is the standard error of the best score.
    """
    trials = [trial for trial in study.get_trials(deepcopy=False) if is_counted(trial)]
    if len(trials) < STABLE_AFTER_TRIALS:
        return None
    earlier, best = _best(study, trials[: len(trials) // 2]), _best(study, trials)
    if earlier is None or best is None:
        return None
    gain, error = abs(_value(best) - _value(earlier)), standard_error(best)
    if not gain < error:
        return None
    return Ending(
        f"the later half of {len(trials)} trials gained {gain:.4g}, less than the standard error of the best "
        f"score, {error:.4g} (--until-stable)"
    )


def standard_error(trial: FrozenTrial) -> float:
    """Of a complete trial's mean score, by the spread of its folds; NaN if that is not known."""
    folds = sum("_fold_" in name for name in trial.user_attrs.get("metrics", {}))
    # The spread is in population form: n folds' sample form over the root of n is this over that of n - 1.
    return trial_std(trial) / math.sqrt(folds - 1) if folds > 1 else math.nan


def _best(study: Study, trials: list[FrozenTrial]) -> FrozenTrial | None:
    return min((t for t in trials if t.state.name == "COMPLETE"), key=ranking_key(study), default=None)


def _value(trial: FrozenTrial) -> float:
    return math.nan if trial.value is None else trial.value
