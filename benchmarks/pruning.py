"""What a pruning rule saves and loses, by replaying recorded curves: `python -m benchmarks.pruning`.

Each data set's configurations are put through `LadderPruner` in random orders, as a search would meet them. Printed
for each set: the share of full cross-validation's CPU seconds that was spent, of trials that ran to their end, and
of orders in which the best configuration was pruned away. `--percentile 50` is Optuna's median rule instead.

With `--audit 0.05` such a share of those to be pruned is finished all the same, as in a search. Printed too are then
the work as a search's summary tells it, and the share of those to be pruned that are better than all others: of all of
them, and of the audited ones.
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
    from optuna.study import Study

Line = dict[str, Any]


class Replay(NamedTuple):
    """What one order of one data set came to.

    Attributes:
        work: Share of the CPU seconds of full cross-validation.
        complete: Share of the trials that ran to their end.
        lost: Whether the best configuration was pruned.
        regret: How much worse the best one left is, as a share of the best.
        told: The work as a search's summary tells it.
        condemned: Trials that were to be pruned.
        false: Those of them that are better than all others.
        audited: Those of them that were finished all the same.
        false_audited: Those that are both.
    """

    work: float
    complete: float
    lost: bool
    regret: float
    told: float
    condemned: int
    false: int
    audited: int
    false_audited: int


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
    parser.add_argument(
        "--audit", type=float, default=0.0, help="share of those to be pruned that is finished"
    )
    flags = parser.parse_args(argv)
    audit = f"{'told':>8}{'false %':>10}{'audit %':>10}" if flags.audit else ""
    print(f"{'set':<16}{'configs':>8}{'work':>8}{'complete':>10}{'lost':>8}{'regret %':>10}{audit}")
    everything: list[Replay] = []
    for name, lines in by_set(read_lines(flags.lines)).items():
        some = [replay(lines, order, _pruner(flags, order)) for order in range(flags.orders)]
        everything += some
        print(_row(name, len(lines), some) + _audit_row(some))
    print(_row("all", 0, everything) + _audit_row(everything))
    return 0


def by_set(lines: list[Line]) -> dict[str, list[Line]]:
    """The lines of each data set, the default first."""
    found: dict[str, list[Line]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: line["config"]):
        found[line["set"]].append(line)
    return found


def _pruner(flags: argparse.Namespace, order: int) -> BasePruner:
    from optuna.pruners import PercentilePruner

    from objectives.models.lightgbm_space import relative_work
    from search.loop.pruner import LadderPruner

    if flags.percentile:
        return PercentilePruner(flags.percentile, n_startup_trials=5)
    work = None if flags.without_cost else relative_work
    return LadderPruner(flags.doubt, flags.aim, work=work, audit_share=flags.audit, seed=order)


def replay(lines: list[Line], order: int, pruner: BasePruner) -> Replay:
    """Puts the configurations through a pruner, the default first and the rest in a random order."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    maximize = bool(lines[0]["greater_is_better"])
    study = optuna.create_study(direction="maximize" if maximize else "minimize", pruner=pruner)
    default, *rest = lines
    random.Random(order).shuffle(rest)  # noqa: S311
    met = [default, *rest]
    spent = sum(_run(study, line) for line in met)
    means = [(1 if maximize else -1) * _mean(line) for line in met]
    return _compared(study, means, spent / sum(line["cpu"] for line in met))


def _compared(study: Study, means: list[float], work: float) -> Replay:
    """What became of the trials beside their true means, greater being better, and beside what the summary says."""
    from optuna.trial import TrialState

    from search.loop.pruner import AUDITED
    from search.results.pruning_audit import pruning_audit

    trials = study.trials
    kept = {k for k, trial in enumerate(trials) if trial.state == TrialState.COMPLETE}
    audited = {k for k in kept if AUDITED in trials[k].system_attrs}
    condemned = {*range(len(trials))} - kept | audited
    best, found = max(means), max(means[k] for k in kept)
    best_of_others = max(means[k] for k in kept - audited)
    audit = pruning_audit(study)
    return Replay(
        work=work,
        complete=len(kept) / len(trials),
        lost=found < best,
        regret=(best - found) / abs(best),
        told=audit.work,
        condemned=len(condemned),
        false=sum(means[k] > best_of_others for k in condemned),
        audited=len(audited),
        false_audited=audit.false,
    )


def _run(study: Study, line: Line) -> float:
    """Runs a configuration's trial, up to where it is pruned; the CPU seconds it took."""
    import optuna
    from optuna.trial import TrialState, create_trial

    space = {name: one for name, one in widest_space().items() if name in line["params"]}
    study._thread_local.cached_all_trials = None  # noqa: SLF001 - as `ask` does
    template = create_trial(state=TrialState.RUNNING, params=line["params"], distributions=space)
    trial = optuna.Trial(study, study._storage.create_new_trial(study._study_id, template))  # noqa: SLF001
    seconds, state = line["cpu"], TrialState.COMPLETE
    for step, value, so_far in ladder(line):
        trial.report(value, step)
        if trial.should_prune():
            seconds, state = so_far, TrialState.PRUNED
            break
    trial.set_user_attr("metrics", {"seconds": seconds})
    study.tell(trial, _mean(line) if state == TrialState.COMPLETE else None, state=state)
    return float(seconds)


def _mean(line: Line) -> float:
    return float(np.mean(line["scores"]))


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


def _row(name: str, configs: int, some: list[Replay]) -> str:
    work, complete, lost, regret, *_ = (float(np.mean(column)) for column in zip(*some, strict=True))
    return f"{name:<16}{configs or '':>8}{work:>8.2f}{complete:>10.2f}{lost:>8.3f}{100 * regret:>10.3f}"


def _audit_row(some: list[Replay]) -> str:
    audited = sum(one.audited for one in some)
    if not audited:
        return ""
    told = float(np.mean([one.told for one in some]))
    true = sum(one.false for one in some) / sum(one.condemned for one in some)
    found = sum(one.false_audited for one in some) / audited
    return f"{told:>8.2f}{100 * true:>10.2f}{100 * found:>10.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
