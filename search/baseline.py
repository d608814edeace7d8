"""Runs the default parameters once: the first run to have, and the line to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import DataConfig
from search.faults import InputFaults
from search.flags import parse_flags
from search.score_text import spread_text

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Cross-validates the objective's default parameters once and records the run baseline_<time> with its "
    "submission. Without data flags it uses the built-in sample."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        parsed = parse_flags(DataConfig, argv, command="baseline", about=ABOUT)
        from search.competition import competition_faults
        from search.results.single_run import run_baseline
        from storage.layout import Layout

        layout = Layout()
        if parsed.faults:
            raise InputFaults([*parsed.faults, *competition_faults(parsed.config, layout)])
        done = run_baseline(parsed.config, layout)
        print(f"Run: {done.name}")
        print(f"Run completed: {done.run_id}")
        print(f"CV {done.metric_label}: {spread_text(done.mean, done.std)}")
        print(f"Submission: {done.submission}")
        return 0

    return exit_code_of(body)


if __name__ == "__main__":
    raise SystemExit(main())
