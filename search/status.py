"""Lists the studies: states counted, best, last activity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import StatusConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.study import Study

    from storage.layout import Layout

ABOUT = "Lists the studies of this folder: trials by state, best trial and score, last activity."


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(StatusConfig, argv, command="status", about=ABOUT).checked()
        from storage.layout import Layout

        for line in status_lines(Layout(storage=config.storage), config.study):
            print(line)
        return 0

    return exit_code_of(body)


def status_lines(layout: Layout, study: str | None) -> list[str]:
    """One paragraph for each study.

    Raises:
        InputFaults: If there is no such study, or the ledger is another program's file.
    """
    from search.results.known_studies import all_studies

    return [_paragraph(one) for one in all_studies(layout, study)] or [
        "No study yet. Start one: python -m search.run"
    ]


def _paragraph(study: Study) -> str:
    from search.loop.tally import best_trial, last_activity, tally, trial_score

    best, moment = best_trial(study), last_activity(study)
    return "\n".join(
        [
            study.study_name,
            f"  trials: {tally(study)}",
            f"  best: {trial_score(best)} (trial {best.number})" if best else "  best: no complete trial yet",
            f"  last activity: {moment:%Y-%m-%d %H:%M:%S}" if moment else "  last activity: none",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
