"""Split schemes side by side: which one stands to its validation rows as the training file to the test file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from objectives.base import EvaluationStopped
from objectives.data.split.plan import describe_plan
from objectives.data.split.relation import relation_in_folds, relation_to_test
from objectives.data.split.sampling import sample_rows
from objectives.data.split.schemes import SplitError, Splittable, make_split
from search.competition import Competition, open_competition
from search.config import COMPARED_ROUNDS, COMPARED_ROWS, COMPARED_TREES, LEAST_GAP, UNLIKE_MARGIN, DataConfig
from search.settings.asked_split import split_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from objectives.base import Progress
    from objectives.data.folds import Fold
    from objectives.data.metrics import Metric
    from objectives.data.split.keys import Key
    from objectives.data.split.plan import Scheme, SplitPlan
    from objectives.data.split.relation import Relation
    from storage.layout import Layout


@dataclass(frozen=True)
class ComparedScheme:
    """One scheme.

    Attributes:
        plan: How it splits.
        relation: How its validation rows stand to its training rows.
        scores: Of the default parameters, one a fold.
        unlike: Distance of the relation from that of the test file to the training file, 0 to 1.
    """

    plan: SplitPlan
    relation: Relation
    scores: tuple[float, ...]
    unlike: float

    @property
    def mean(self) -> float:
        """Mean score over the folds."""
        return float(np.mean(self.scores))

    @property
    def standard_error(self) -> float:
        """Of the mean score."""
        return (
            float(np.std(self.scores, ddof=1) / math.sqrt(len(self.scores))) if len(self.scores) > 1 else 0.0
        )


@dataclass(frozen=True)
class Comparison:
    """All schemes.

    Attributes:
        metric: The score.
        n_rows: Training rows compared on.
        n_all: Training rows there are.
        test: How the test rows stand to the training rows.
        schemes: The random one first.
        skipped: Why a scheme is not among them, one line each.
        found: Columns among those compared that nobody gave.
    """

    metric: Metric
    n_rows: int
    n_all: int
    test: Relation
    schemes: tuple[ComparedScheme, ...]
    skipped: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def random(self) -> ComparedScheme:
        """The scheme that deals rows at random."""
        return self.schemes[0]

    @property
    def recommended(self) -> ComparedScheme:
        """The one most like the test file; the random one where no other is so by more than a little."""
        nearest = min(self.schemes, key=lambda one: one.unlike)
        return nearest if self.random.unlike - nearest.unlike > UNLIKE_MARGIN else self.random

    def excess(self, scheme: ComparedScheme) -> float:
        """How much worse it scores than random folds, on the metric's scale."""
        difference = scheme.mean - self.random.mean
        return -difference if self.metric.greater_is_better else difference

    def is_worse(self, scheme: ComparedScheme) -> bool:
        """Whether it scores worse than random folds by more than noise."""
        noise = math.hypot(scheme.standard_error, self.random.standard_error)
        return self.excess(scheme) > max(noise, LEAST_GAP * abs(self.random.mean))

    @property
    def is_flattering(self) -> bool:
        """Whether random folds score better than the test file will."""
        return self.recommended is not self.random and self.is_worse(self.recommended)


def compare_splits(config: DataConfig, layout: Layout, say: Callable[[str], None]) -> Comparison:
    """Compares the random split with those by the columns given and found.

    Args:
        config: The settings; their split is one of the candidates.
        layout: The project.
        say: Takes a line on what is being done.

    Raises:
        InputFaults: If something is wrong with the input.
    """
    competition = open_competition(config, layout, compare=True)
    for note in competition.notes:
        say(note)
    n_all = len(competition.dataset.target)
    dataset = sample_rows(competition.dataset, COMPARED_ROWS, config.seed)
    competition = replace(competition, dataset=dataset)
    if len(dataset.target) < n_all:
        say(f"Compared on {len(dataset.target):,} of {n_all:,} training rows, groups left whole")
    say("Telling test rows from training rows ...")
    test = relation_to_test(dataset, config.seed)
    schemes: list[ComparedScheme] = []
    skipped: list[str] = []
    for plan in _candidates(config, competition):
        try:
            folds = make_split(plan, Splittable(dataset.target, dataset.task, dataset.keys))
        except SplitError as error:
            skipped += error.faults
            continue
        say(f"Scoring {describe_plan(plan)}: {len(folds)} folds ...")
        relation = relation_in_folds(dataset, folds, config.seed)
        scores = tuple(_score(competition, fold) for fold in folds)
        schemes.append(ComparedScheme(plan, relation, scores, test.distance(relation)))
    return Comparison(
        dataset.metric,
        len(dataset.target),
        n_all,
        test,
        tuple(schemes),
        tuple(skipped),
        dataset.keys.found,
    )


def _candidates(config: DataConfig, competition: Competition) -> Iterator[SplitPlan]:
    random, keys = replace(competition.split, compare=False), competition.dataset.keys
    bare = replace(random, group=None, time=None, fold_column=None)
    yield bare
    by_group: Scheme = "group" if competition.dataset.task == "regression" else "stratified_group"
    for key in keys.groups:
        yield replace(bare, scheme=by_group, group=key.name, folds=min(bare.folds, max(2, _distinct(key))))
    for key in keys.times:
        folds = min(bare.folds, max(2, _distinct(key) - 1 - config.gap))
        yield replace(bare, scheme="time", time=key.name, gap=config.gap, folds=folds)
    for key in keys.folds:
        yield replace(bare, scheme="column", fold_column=key.name)
    asked = split_plan(config)
    if asked.scheme in ("kfold", "stratified") and asked.scheme != bare.scheme:
        yield replace(bare, scheme=asked.scheme)


def _distinct(key: Key) -> int:
    return len(np.unique(key.train))


def _score(competition: Competition, fold: Fold) -> float:
    """The default parameters' score on one fold, after a bounded number of rounds."""
    objective = replace(competition, folds=(fold,)).objective()
    line = _FewRounds(len(competition.dataset.classes) if competition.dataset.task == "multiclass" else 1)
    try:
        return objective.evaluate(objective.default_params(), line).mean
    except EvaluationStopped:
        return line.value


@dataclass
class _FewRounds:
    """A report line that stops when the score tells enough."""

    trees_a_round: int
    value: float = math.nan

    def __call__(self, progress: Progress) -> bool:
        self.value = progress.value
        trees = progress.iteration * self.trees_a_round
        return progress.iteration >= COMPARED_ROUNDS and trees >= COMPARED_TREES

    def stopped(self) -> bool:
        return False
