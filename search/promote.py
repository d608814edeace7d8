"""Promotes a trial: a checked submission to upload, its record, its model as champion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import PromoteConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Writes the best complete trial's submission (or --trial K's) into submissions/ after checking it against "
    "the test ids, with a JSON record beside it, and registers its model under the alias champion."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(PromoteConfig, argv, command="promote", about=ABOUT).checked()
        from search.results.promotion import promote
        from storage.layout import Layout

        done = promote(config, Layout())
        print(f"Promoted: study {done.study}, trial {done.trial}, score {done.score:.4f} ± {done.std:.4f}")
        print(f"Run: {done.run_id}")
        print(f"Model: {done.model}")
        print(f"Record: {done.record}")
        print(f"Submission: {done.submission}")
        return 0

    return exit_code_of(body)


if __name__ == "__main__":
    raise SystemExit(main())
