"""All sections of the report, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.results.charts.chart import Missing
from search.results.charts.convergence import convergence
from search.results.charts.errors import CALIBRATION, RESIDUALS, error_charts
from search.results.charts.folds import fold_spread
from search.results.charts.importance import (
    FEATURES,
    feature_importance,
    parameter_importance,
    parameter_importances,
)
from search.results.charts.ladder import pruning_ladder
from search.results.charts.parallel import parallel_coordinates
from search.results.charts.parts import blend_weights
from search.results.charts.slices import slices
from search.results.feature_names import names_for
from search.results.report.asked import asked_section, data_section
from search.results.report.lineage import commands, lineage_facts, space_note
from search.results.report.outcome import promotion_parts, pruning_lines, time_facts
from search.results.report.section import Section, section

if TYPE_CHECKING:
    from search.results.charts.chart import Chart
    from search.results.charts.facts import ChartedStudy
    from search.results.report.evidence import Evidence
    from search.results.report.runs import Runs
    from storage.layout import Layout


def all_sections(facts: ChartedStudy, evidence: Evidence, runs: Runs, layout: Layout) -> list[Section]:
    """Makes them of a study as it stands; where there is nothing to show, a section says why."""
    importances = parameter_importances(facts)
    return [
        asked_section(facts),
        data_section(facts, evidence),
        section("convergence", "Convergence", convergence(facts)),
        section("promotion", "Honest promotion", *promotion_parts(facts, evidence.conclusion)),
        section("blend", "Blend weights", blend_weights(evidence.conclusion)),
        section("errors", *_errors(evidence)),
        section(
            "importance",
            "Importance",
            parameter_importance(facts, importances),
            _features(facts, evidence),
        ),
        section("parallel", "Parallel coordinates", parallel_coordinates(facts, importances)),
        section("slices", "Slices", slices(facts, importances)),
        section("folds", "Fold spread", fold_spread(facts)),
        section("pruning", "Pruning and its audit", pruning_lines(facts), pruning_ladder(facts)),
        section("time", "Time and cost", time_facts(facts)),
        section("lineage", "Versions and lineage", lineage_facts(facts, runs)),
        section("reproduce", "How to reproduce", commands(facts, layout), space_note(facts)),
    ]


def _errors(evidence: Evidence) -> tuple[str, list[Chart] | Missing]:
    """The title, and what is in it."""
    competition = evidence.competition
    if competition is None:
        return "Residuals or calibration", Missing("The errors", evidence.why_no_data)
    task = competition.dataset.task
    title = RESIDUALS if task == "regression" else CALIBRATION
    if evidence.oof is None:
        return title, Missing(title, "No out-of-fold predictions are kept here.")
    data = competition.dataset
    return title, error_charts(data.target, evidence.oof, task, data.classes, evidence.oof_of)


def _features(facts: ChartedStudy, evidence: Evidence) -> Chart | Missing:
    if evidence.importance is None:
        return Missing(FEATURES, "No models whose features are known are kept here.")
    names = evidence.competition.dataset.feature_names if evidence.competition is not None else ()
    if len(names) != len(evidence.importance):
        # The data are not here, or an objective of one's own looks at other features than those of the table.
        names = names_for(facts.attributes, len(evidence.importance))
    return feature_importance(names, evidence.importance.tolist(), evidence.importance_of)
