"""Writes a study's report, one page to show: what was asked, found, chosen, and how to have it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import ReportConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Writes a report on a study as one HTML file that loads nothing from anywhere, and attaches it to the study's run "
    "in MLflow as report.html. Changes nothing else."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(ReportConfig, argv, command="report", about=ABOUT).checked()
        from search.results.report.reporting import report
        from storage.layout import Layout

        for line in report(config, Layout(storage=config.storage)):
            print(line, flush=True)
        return 0

    return exit_code_of(body)


if __name__ == "__main__":
    raise SystemExit(main())
