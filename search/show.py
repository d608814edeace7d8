"""Shows a study, or one trial of it: scores, folds, parameters beside the default configuration's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.command import exit_code_of
from search.config import ShowConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.study import Study

    from storage.layout import Layout

ABOUT = (
    "Shows a study: what is asked, trials by state, the best ones, which parameters matter, what it came to. "
    "With TRIAL that trial: state, score and folds, parameters beside the default configuration's, where it was "
    "pruned or why it failed, its run and its files. It only reads, also while a search is at work."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(ShowConfig, argv, command="show", about=ABOUT).checked()
        from search.facts.finding import find_study
        from search.facts.json_text import json_text
        from storage.layout import Layout

        layout = Layout(storage=config.storage)
        study = find_study(layout, config.study, trial=config.trial)
        lines, facts = _study(study, layout) if config.trial is None else _trial(study, layout, config.trial)
        print(json_text(facts) if config.as_json else "\n".join(lines))
        return 0

    return exit_code_of(body)


def _study(study: Study, layout: Layout) -> tuple[list[str], dict[str, Any]]:
    from search.facts.study import study_facts
    from search.facts.study_lines import study_lines
    from search.results.summary import ledger_flag

    facts = study_facts(study, layout)
    return study_lines(facts, ledger_flag(layout)), facts.to_json()


def _trial(study: Study, layout: Layout, number: int) -> tuple[list[str], dict[str, Any]]:
    from search.facts.places import trial_places
    from search.facts.trial import trial_facts
    from search.facts.trial_lines import trial_lines
    from storage.record.find_run import find_trial_run

    facts = trial_facts(study, number)
    has_other_default = facts.default is not None and facts.default != number
    default = trial_facts(study, facts.default) if has_other_default and facts.default is not None else None
    run_id = find_trial_run(layout, study.study_name, number)
    files = trial_places(layout, study.study_name, number)
    further = {"run_id": run_id, "files": [str(path) for path in files]}
    return trial_lines(facts, default, run_id, files), facts.to_json() | further


if __name__ == "__main__":
    raise SystemExit(main())
