"""The rows to predict: how many they are, how they are new, and how many models predict each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from search.conclusion.fresh_splits import is_fixed
from search.conclusion.honest import UnseenRows

if TYPE_CHECKING:
    from search.competition import Competition


def models_in_a_prediction(competition: Competition) -> int:
    """How many models' mean predicts a test row, as far as fresh splits can tell what that brings.

    One of all rows does where folds go forward in time. Where folds are fixed, fresh models differ by their seed
    alone, and what the mean of such gains says little about models of different rows: nothing of the default's.
    """
    return 1 if is_fixed(competition) else len(competition.folds)


def unseen_rows(competition: Competition) -> UnseenRows:
    """What is known of the rows to predict."""
    split, data = competition.split, competition.dataset
    if split.scheme not in ("group", "stratified_group"):
        return UnseenRows(len(data.test), folds_differ=is_fixed(competition))
    key = data.keys.group(split.group)
    n_groups = len(np.unique(key.train))
    if key.test is not None:
        n_groups = len(np.unique(key.test))
    return UnseenRows(len(data.test), key.train, n_groups)
