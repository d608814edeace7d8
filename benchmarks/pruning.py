"""What a pruning rule saves and loses, by replaying recorded curves: `python -m benchmarks.pruning`.

Each data set's configurations are put through `LadderPruner` in random orders, as a search would meet them. Printed
for each set: the share of full cross-validation's CPU seconds that was spent, of trials that ran to their end, and
of orders in which the best configuration was pruned away. `--percentile 50` is Optuna's median rule instead.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.curves import FINE_RUNGS, LINES, read_lines, widest_space
from search.config import PRUNER_AIM, PRUNER_DOUBT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.pruners import BasePruner
    from optuna.trial import FrozenTrial, TrialState

Line = dict[str, Any]


class Replay(NamedTuple):
    """What one order of one data set came to.

    Attributes:
        work: Share of the CPU seconds of full cross-validation.
        complete: Share of the trials that ran to their end.
        lost: Whether the best configuration was pruned.
        regret: How much worse the best one left is, as a share of the best.
    """

    work: float
    complete: float
    lost: bool
    regret: float


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lines", type=Path, default=LINES)
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--doubt", type=float, default=PRUNER_DOUBT)
    parser.add_argument("--aim", type=float, default=PRUNER_AIM)
    parser.add_argument(
        "--without-cost", action="store_true", help="what a configuration costs does not count"
    )
    parser.add_argument("--percentile", type=float, help="Optuna's rule instead: so many in a hundred go on")
    flags = parser.parse_args(argv)
    print(f"{'set':<16}{'configs':>8}{'work':>8}{'complete':>10}{'lost':>8}{'regret %':>10}")
    everything: list[Replay] = []
    for name, lines in by_set(read_lines(flags.lines)).items():
        some = [replay(lines, order, _pruner(flags)) for order in range(flags.orders)]
        everything += some
        _print(name, len(lines), some)
    _print("all", 0, everything)
    return 0


def by_set(lines: list[Line]) -> dict[str, list[Line]]:
    """The lines of each data set, the default first."""
    found: dict[str, list[Line]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: line["config"]):
        found[line["set"]].append(line)
    return found


def _pruner(flags: argparse.Namespace) -> BasePruner:
    from optuna.pruners import PercentilePruner

    from objectives.models.lightgbm_space import relative_work
    from search.loop.pruner import LadderPruner

    if flags.percentile:
        return PercentilePruner(flags.percentile, n_startup_trials=5)
    work = None if flags.without_cost else relative_work
    return LadderPruner(flags.doubt, flags.aim, work=work, audit_share=0.0)


def replay(lines: list[Line], order: int, pruner: BasePruner) -> Replay:
    """Puts the configurations through a pruner, the default first and the rest in a random order."""
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    maximize = bool(lines[0]["greater_is_better"])
    study = optuna.create_study(direction="maximize" if maximize else "minimize")
    default, *rest = lines
    random.Random(order).shuffle(rest)  # noqa: S311
    spent, kept = 0.0, []
    for line in (default, *rest):
        study._thread_local.cached_all_trials = None  # noqa: SLF001 - as `ask` does
        reports, seen = ladder(line), {}
        for step, value, seconds in reports:
            seen[step] = value
            if pruner.prune(study, _trial(line, seen, TrialState.RUNNING)):
                study.add_trial(_trial(line, seen, TrialState.PRUNED, value))
                spent += seconds
                break
        else:
            mean = float(np.mean(line["scores"]))
            study.add_trial(_trial(line, seen, TrialState.COMPLETE, mean))
            spent += line["cpu"]
            kept.append(mean)
    means = [float(np.mean(line["scores"])) for line in lines]
    best, found = (max(means), max(kept)) if maximize else (min(means), min(kept))
    return Replay(
        work=spent / sum(line["cpu"] for line in lines),
        complete=len(kept) / len(lines),
        lost=best not in kept,
        regret=abs(found - best) / abs(best),
    )


def _trial(line: Line, seen: dict[int, float], state: TrialState, value: float | None = None) -> FrozenTrial:
    from optuna.trial import create_trial

    space = {name: one for name, one in widest_space().items() if name in line["params"]}
    return create_trial(
        state=state, value=value, intermediate_values=seen, params=line["params"], distributions=space
    )


def ladder(line: Line) -> list[tuple[int, float, float]]:
    """A line's reports as the search's own ladder has them: step, value, CPU seconds."""
    from objectives.models.ladder import RUNGS, STEPS_PER_FOLD

    nearest = {int(np.argmin(np.abs(np.log(np.array(FINE_RUNGS) / rung)))): k for k, rung in enumerate(RUNGS)}
    nearest[len(FINE_RUNGS)] = len(RUNGS)
    found = []
    for fold, step, value, _, seconds in line["reports"]:
        rung = nearest.get(step % (len(FINE_RUNGS) + 1))
        if rung is not None:
            found.append((fold * STEPS_PER_FOLD + rung, value, seconds))
    return found


def _print(name: str, configs: int, some: list[Replay]) -> None:
    work, complete, lost, regret = (float(np.mean(column)) for column in zip(*some, strict=True))
    print(f"{name:<16}{configs or '':>8}{work:>8.2f}{complete:>10.2f}{lost:>8.3f}{100 * regret:>10.3f}")


if __name__ == "__main__":
    raise SystemExit(main())
