"""Compares ways to split the rows, before a search: which one is like the test file, and do random folds flatter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import DataConfig
from search.faults import InputFaults
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Compares random folds with folds by group, by time or by a column of your own: how unlike the test file their "
    "validation rows are, and what the default parameters score. Recommends one, with the flags to use. Columns are "
    "found where none is given; --group, --time and --fold-column add candidates. Nothing is recorded."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        parsed = parse_flags(DataConfig, argv, command="splits", about=ABOUT)
        from search.competition import competition_faults
        from storage.layout import Layout

        layout = Layout()
        if parsed.faults:
            raise InputFaults([*parsed.faults, *competition_faults(parsed.config, layout)])
        from search.results.scheme_lines import comparison_lines
        from search.results.schemes import compare_splits

        compared = compare_splits(parsed.config, layout, _say)
        print("\n".join(comparison_lines(compared)))
        return 0

    return exit_code_of(body)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
