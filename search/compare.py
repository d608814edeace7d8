"""Compares two trials of a study fold by fold, and says whether the difference is more than noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import CompareConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Puts trials A and B side by side: the difference on each fold, its mean and standard error, how many folds "
    "each wins, parameters that differ, and time. More than noise is a difference whose 95 % interval over the "
    "folds (Student's t, paired) is on one side of 0."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(CompareConfig, argv, command="compare", about=ABOUT).checked()
        from search.facts.comparison import compare
        from search.facts.comparison_lines import comparison_lines
        from search.facts.finding import find_study
        from search.facts.json_text import json_text
        from storage.layout import Layout

        layout = Layout(storage=config.storage)
        found = compare(find_study(layout, config.study, a=config.a, b=config.b), config.a, config.b)
        print(json_text(found.to_json()) if config.as_json else "\n".join(comparison_lines(found)))
        return 0

    return exit_code_of(body)


if __name__ == "__main__":
    raise SystemExit(main())
