"""A study's report, made and written."""

from __future__ import annotations

import hashlib
import math
import re
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from search.facts.trial import better_text
from search.loop.progress import duration_text
from search.loop.tally import last_activity, trial_std
from search.results.charts.chart import score_text
from search.results.charts.facts import facts_of
from search.results.report.evidence import gather
from search.results.report.page import Figure, page
from search.results.report.runs import Runs
from search.results.report.sections import all_sections

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from search.competition import Competition
    from search.results.charts.facts import ChartedStudy
    from search.results.report.evidence import Evidence
    from storage.layout import Layout

ARTIFACT = "report.html"
"""Its name among the artifacts of the study's run."""
_VERSION = 1
_STATE = re.compile(rb'<meta name="study-state" content="([0-9a-f]+)">')
_HEAD_BYTES = 4_096


def write_report(
    study: Study,
    layout: Layout,
    path: Path,
    *,
    competition: Competition | None = None,
    runs: Runs | None = None,
) -> None:
    """Makes the report of a study as it stands, and writes it, all or nothing.

    Args:
        study: One that search.run made.
        layout: The project.
        path: The page.
        competition: The study's data where they are read already.
        runs: Where it is in MLflow.

    Raises:
        OSError: If the file cannot be written.
    """
    from storage.atomic import temporary_save_path

    facts = facts_of(study)
    evidence = gather(facts, layout, competition)
    text = page(
        title=facts.name,
        subtitle=_subtitle(facts),
        figures=_figures(facts, evidence),
        sections=all_sections(facts, evidence, runs or Runs(), layout),
        state=state_of(study),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_save_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def state_of(study: Study) -> str:
    """Names what a report is made from, so that one that is still right need not be made again."""
    trials = study.get_trials(deepcopy=False)
    known = [
        _VERSION,
        [(t.number, t.state.name, t.value) for t in trials],
        study.user_attrs.get("conclusion"),
    ]
    return hashlib.blake2b(repr(known).encode(), digest_size=12).hexdigest()


def is_report_of(path: Path, study: Study) -> bool:
    """Whether a file is the report of the study as it stands."""
    head = b""
    with suppress(OSError), path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    found = _STATE.search(head)
    return found is not None and found[1].decode() == state_of(study)


def _subtitle(facts: ChartedStudy) -> str:
    made = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
    return f"Hyperparameter search by {facts.metric} ({better_text(facts.maximize)}), {facts.counts}; report of {made}"


def _spread(best: FrozenTrial) -> str:
    std = trial_std(best)
    return (
        f"trial {best.number}" if math.isnan(std) else f"± {score_text(std, best.value)}, trial {best.number}"
    )


def _figures(facts: ChartedStudy, evidence: Evidence) -> list[Figure]:
    figures = [
        Figure(
            "Trials",
            f"{facts.counts.finished:,}",
            f"{facts.counts.complete:,} complete, {facts.counts.pruned:,} pruned",
        )
    ]
    if facts.best is not None:
        figures.append(
            Figure(
                f"Best CV {facts.metric}",
                score_text(facts.best.value),
                _spread(facts.best),
            )
        )
    if facts.default is not None:
        figures.append(Figure("Default", score_text(facts.default.value), f"trial {facts.default.number}"))
    if evidence.conclusion is not None:
        line = evidence.conclusion.chosen_line
        figures.append(Figure("Chosen", line.name, f"honest {facts.metric} {score_text(line.honest)}"))
        if line.expected is not None:
            one = line.expected
            figures.append(
                Figure(
                    "Expected on the test file",
                    score_text(one.expected),
                    f"{score_text(one.low, one.expected)} to {score_text(one.high, one.expected)}",
                )
            )
    begun = [trial.datetime_start for trial in facts.trials if trial.datetime_start]
    last = last_activity(facts.study)
    if begun and last is not None:
        figures.append(
            Figure("Time", duration_text((last - min(begun)).total_seconds()), "first trial to last")
        )
    return figures
