"""What optuna-dashboard shows of a study of ours: pictures, links to MLflow, the best trial's files."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from search.facts.study import submission_of
from search.results.charts.bars_svg import bars_svg
from search.results.charts.chart import Chart, score_text
from search.results.charts.convergence import convergence
from search.results.charts.facts import facts_of
from search.results.charts.folds import fold_spread
from search.results.charts.ladder import pruning_ladder
from search.results.charts.titled import titled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from search.results.charts.facts import ChartedStudy
    from storage.layout import Layout
    from storage.mlflow_callback import MLflowCallback
    from storage.record.pages import StudyPages

# The dashboard looks through all attributes for each trial, twice: at 10,000 trials a hundred attributes are a
# quarter of a second of each refresh. So pictures are small, and of a long study the best trials alone have notes.
_MOST_POINTS, _MOST_CURVES = 200, 10
_NOTES_TIMES_TRIALS = 100_000
_LISTED = 10
_TITLE_WIDTH = 78
_PICTURED_FEATURES = 20


def show_pictures(study: Study) -> bool:
    """Brings the pictures alone up to date, as a search does while it goes on.

    Returns:
        Whether anything had changed.
    """
    from storage.dashboard.attributes import replace_plots

    return replace_plots(study, _pictures(facts_of(study)))


def show_link(study: Study, callback: MLflowCallback) -> None:
    """Has the study's note lead to its run, where it says nothing of ours yet; raises as `show_study`."""
    from storage.dashboard.attributes import replace_ours, system_attributes
    from storage.dashboard.note import has_block, with_block
    from storage.record.pages import study_pages

    before = system_attributes(study)
    if not has_block(before):
        replace_ours(study, with_block(before, _run_line(study_pages(callback, study, ()))))


def show_study(
    study: Study, layout: Layout, callback: MLflowCallback, trials: Sequence[FrozenTrial] | None = None
) -> bool:
    """Brings all of it up to date; raises what MLflow and the ledger raise.

    Args:
        study: The study.
        layout: The project.
        callback: Its record.
        trials: Its trials by number, in outline at least, where they have been read already.

    Returns:
        Whether anything had changed.
    """
    from storage.dashboard.attributes import replace_ours, system_attributes, trial_note, users_notes
    from storage.dashboard.note import with_block
    from storage.record.pages import study_pages

    facts = facts_of(study, trials)
    before = system_attributes(study)
    submission = submission_of(study, layout)
    noted = _noted(facts)
    pages = study_pages(callback, study, [trial.number for trial in noted])
    theirs = users_notes(before)
    values = _pictures(facts) | with_block(before, _note(facts, pages, layout, submission))
    for trial in noted:
        trial_id = trial._trial_id  # noqa: SLF001 - what the dashboard goes by
        if trial.number in pages.trials and str(trial_id) not in theirs:
            one = pages.trials[trial.number]
            values |= trial_note(trial_id, f"**MLflow run:** [{one.run_id}]({one.url})")
    values |= _files(facts, layout, submission)
    return replace_ours(study, values)


def _pictures(facts: ChartedStudy) -> dict[str, str]:
    from storage.dashboard.attributes import plot_pieces

    charts = (
        convergence(facts, _MOST_POINTS),
        fold_spread(facts),
        pruning_ladder(facts, _MOST_CURVES),
    )
    pieces: dict[str, str] = {}
    for chart in charts:
        if isinstance(chart, Chart):
            text = json.dumps(titled(chart, _TITLE_WIDTH), separators=(",", ":"), sort_keys=True)
            pieces |= plot_pieces(chart.name, text)
    return pieces


def _noted(facts: ChartedStudy) -> list[FrozenTrial]:
    """Trials that get a note: all of a usual study, the best and the default of a long one."""
    ended = [trial for trial in facts.trials if trial.state.is_finished()]
    most = _NOTES_TIMES_TRIALS // max(1, len(facts.trials))
    if len(ended) <= most:
        return ended
    best = list(facts.complete[:most])
    return best if facts.default is None or facts.default in best else [*best, facts.default]


def _note(facts: ChartedStudy, pages: StudyPages, layout: Layout, submission: Path | None) -> str:
    lines = [_run_line(pages), ""]
    if facts.complete:
        lines += [f"| trial | CV {_cell(facts.metric)} | MLflow run |", "|---|---|---|"]
        lines += [_row(trial, facts, pages) for trial in _listed(facts)]
        lines.append("")
    if submission is not None:
        lines.append(f"**Submission:** `{_cell(submission.as_posix())}`")
    lines.append(
        f"**Report:** `{_cell(layout.report(facts.name).as_posix())}`, also `report.html` of that run"
    )
    return "\n".join(lines)


def _run_line(pages: StudyPages) -> str:
    return f"**MLflow:** [run of this study]({pages.study.url}) (`{pages.study.run_id}`)"


def _listed(facts: ChartedStudy) -> Sequence[FrozenTrial]:
    best = facts.complete[:_LISTED]
    return best if facts.default is None or facts.default in best else (*best, facts.default)


def _row(trial: FrozenTrial, facts: ChartedStudy, pages: StudyPages) -> str:
    is_default = facts.default is not None and trial.number == facts.default.number
    page = pages.trials.get(trial.number)
    link = f"[{page.run_id}]({page.url})" if page else "not recorded yet"
    return f"| {trial.number}{' (default)' if is_default else ''} | {score_text(trial.value)} | {link} |"


def _cell(text: str) -> str:
    """A text that cannot end a cell, a line or a piece of code in Markdown."""
    return " ".join(text.replace("|", "/").replace("`", "'").split())


def _files(facts: ChartedStudy, layout: Layout, submission: Path | None) -> Mapping[str, str]:
    """The best trial's submission and features, and the chosen submission; what is here of them."""
    from search.results.package import study_submission
    from storage.dashboard.files import store_file
    from storage.record.mirror import UID

    found: dict[str, str] = {}
    best, uid = facts.best, str(facts.attributes.get(UID, ""))
    if best is None or not uid:
        return found
    own = study_submission(layout, facts.name, best.number)
    trial_id = best._trial_id  # noqa: SLF001 - what the dashboard goes by
    if own.is_file():
        found |= store_file(layout, uid, "best submission", own, trial_id)
    if submission is not None and submission != own:
        found |= store_file(layout, uid, "chosen submission", submission)
    picture = _features(facts, layout)
    if picture is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "feature_importance.svg")
            path.write_text(picture, encoding="utf-8")
            found |= store_file(layout, uid, "feature importance", path, trial_id)
    return found


def _features(facts: ChartedStudy, layout: Layout) -> str | None:
    """A picture of the best trial's features; None where they are not known."""
    from search.results.feature_names import names_for
    from storage.predictions import PredictionStore

    assert facts.best is not None
    number = facts.best.number
    shares = PredictionStore(layout.predictions(facts.name)).importance(number)
    if shares is None:
        return None
    names = names_for(facts.attributes, len(shares))
    order = sorted(range(len(names)), key=lambda k: -shares[k])[:_PICTURED_FEATURES]
    return bars_svg(
        f"Share of the total gain, trial {number}",
        [names[k] for k in order],
        [float(shares[k]) for k in order],
    )
