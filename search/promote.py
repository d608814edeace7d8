"""Promotes what is honestly the best of a study: a checked submission, its record, its model as champion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import PromoteConfig
from search.flags import parse_flags
from search.score_text import spread_text

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Scores the best trial, the default configuration and the blend on fresh splits, unless the search has done so, "
    "and promotes what is honestly best (or --trial K, with the same figures): writes its submission into "
    "submissions/ after checking it against the test ids, with a JSON record beside it, and registers its model "
    "under the alias champion."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(PromoteConfig, argv, command="promote", about=ABOUT).checked()
        from search.results.promotion import promote
        from storage.layout import Layout

        done = promote(config, Layout(storage=config.storage))
        for line in done.lines:
            print(line)
        print(f"Promoted: study {done.study}, {done.name}, score {spread_text(done.score, done.std)}")
        print(f"Run: {done.run_id}")
        print(f"Model: {done.model}")
        print(f"Record: {done.record}")
        print(f"Submission: {done.submission}")
        return 0

    return exit_code_of(body)


if __name__ == "__main__":
    raise SystemExit(main())
