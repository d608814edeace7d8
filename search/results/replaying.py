"""A trial evaluated again, and compared with what the ledger has of it, bit for bit."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from objectives.environment import environment
from objectives.result_faults import result_fault
from search.loop.coordinator import UNASKED
from search.loop.engine import Broken, Stopped, evaluate
from search.results.replayable import find_trial
from search.results.trial_files import reopen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.trial import FrozenTrial

    from objectives.base import CVResult, Objective, Progress
    from search.competition import Competition
    from search.config import ReplayConfig
    from storage.layout import Layout


class Compared(NamedTuple):
    """One thing as it was recorded and as it is now.

    Attributes:
        name: What it is.
        then: As recorded; None if it was not.
        now: As it came out this time; None if it did not.
    """

    name: str
    then: Any
    now: Any

    @property
    def is_same(self) -> bool:
        """Whether both are the same to the bit: zeros of other signs are not, two NaN are."""
        return repr(self.then) == repr(self.now)


@dataclass(frozen=True)
class Replay:
    """A trial evaluated again.

    Attributes:
        study: Name of the study.
        trial: The trial.
        seconds: What it took.
        results: All that could be compared of the result.
        circumstances: What else it may depend on; without those that were not recorded.
    """

    study: str
    trial: FrozenTrial
    seconds: float
    results: tuple[Compared, ...]
    circumstances: tuple[Compared, ...]

    @property
    def is_same(self) -> bool:
        """Whether everything that was recorded of the result came out again."""
        return all(one.is_same for one in self.results if one.then is not None)


def replay(config: ReplayConfig, layout: Layout) -> Replay:
    """Evaluates a trial again with its study's data, split and seed, and its own number of threads.

    Raises:
        InputFaults: If there is no such trial, it never ended, or its data is gone or has changed.
    """
    study, trial = find_trial(config, layout)
    competition = reopen(study, layout)
    recorded: dict[str, Any] = trial.user_attrs.get("environment", {})
    objective = competition.objective(threads=recorded.get("threads"))
    line = _Line(stop_at=trial.last_step if trial.state.name == "PRUNED" else None)
    start = time.monotonic()
    outcome = _evaluate(objective, trial, line, competition)
    return Replay(
        study=study.study_name,
        trial=trial,
        seconds=time.monotonic() - start,
        results=(
            *_reports(trial.intermediate_values, line.heard, stopped_at=line.stop_at),
            *_outcome(trial, outcome, competition),
        ),
        circumstances=(
            *_pairs(recorded, environment(objective.threads)),
            *_pairs(study.user_attrs["question"], competition.question(objective)),
        ),
    )


@dataclass
class _Line:
    """A report line that stops where the trial was pruned."""

    stop_at: int | None
    heard: dict[int, float] = field(default_factory=dict)

    def __call__(self, progress: Progress) -> bool:
        # As the ledger does: of two values for a step it keeps the first, and each as a float.
        self.heard.setdefault(progress.step, float(progress.value))
        return progress.step == self.stop_at

    def stopped(self) -> bool:
        return self.stop_at in self.heard


def _evaluate(
    objective: Objective, trial: FrozenTrial, line: _Line, competition: Competition
) -> CVResult | str | None:
    """The result, or why there is none; None where it was stopped as the trial was."""
    outcome = evaluate(objective, trial.number, trial.params, line)
    if isinstance(outcome, Broken):
        return outcome.reason
    if isinstance(outcome, Stopped):
        return None if line.stopped() else UNASKED
    return result_fault(competition.dataset, competition.folds, outcome.result) or outcome.result


def _reports(then: Mapping[int, float], now: Mapping[int, float], stopped_at: int | None) -> list[Compared]:
    """Report by report, as far as the trial went."""
    steps = [step for step in sorted({*then, *now}) if stopped_at is None or step <= stopped_at]
    # None is a report that did not come, so what was not recorded is a difference here.
    return [
        Compared(f"report {step}", then.get(step, "no report"), now.get(step, "no report")) for step in steps
    ]


def _outcome(trial: FrozenTrial, outcome: CVResult | str | None, competition: Competition) -> list[Compared]:
    if trial.state.name == "PRUNED":
        ended = outcome if isinstance(outcome, str) else "pruned"
        return [Compared("end", "pruned", ended)]
    if trial.state.name == "FAIL":
        ended = outcome if isinstance(outcome, str) else "no failure"
        return [Compared("reason", trial.user_attrs.get("reason"), ended)]
    if outcome is None or isinstance(outcome, str):
        return [Compared("end", "complete", outcome)]
    metrics: dict[str, float] = trial.user_attrs.get("metrics", {})
    name = competition.metric_name
    return [
        Compared("score", trial.value, outcome.mean),
        *(
            Compared(f"score of fold {k}", metrics.get(f"{name}_fold_{k}"), score)
            for k, score in enumerate(outcome.scores)
        ),
        Compared("oof_hash", trial.user_attrs.get("oof_hash"), outcome.oof_hash),
        Compared("model_hash", trial.user_attrs.get("model_hash"), outcome.model_hash),
    ]


def _pairs(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Compared]:
    return [Compared(name, then[name], now.get(name)) for name in then]
