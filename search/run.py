"""Searches: asks, cross-validates, prunes, records, concludes, and writes the submission of what was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import SearchConfig
from search.faults import InputFaults
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Runs a study to --trials finished trials in total; the same command goes on with an interrupted one. "
    "Without data flags it searches a built-in sample."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        parsed = parse_flags(SearchConfig, argv, command="run", about=ABOUT)
        from search.competition import competition_faults
        from search.loop.search import run_search
        from search.loop.tally import best_trial
        from search.results.summary import summary
        from storage.layout import Layout

        layout = Layout(storage=parsed.config.storage)
        if parsed.faults:
            raise InputFaults([*parsed.faults, *competition_faults(parsed.config, layout)])
        result = run_search(parsed.config, layout)
        print("\n".join(summary(result, layout)))
        has_result = best_trial(result.study) is not None or result.stopgap is not None
        return 0 if has_result and result.ending.status != "FAILED" else 1

    return exit_code_of(body)


if __name__ == "__main__":
    raise SystemExit(main())
