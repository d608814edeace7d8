"""Evaluates a trial again and says whether it comes out the same, to the bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import ReplayConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Evaluates a trial again from its study's data and settings, and compares score, fold scores, reports, "
    "predictions and models with what was recorded, bit by bit. A pruned trial is evaluated as far as it went, a "
    "failed one must fail in the same way. Exits 0 if all is the same, 1 if not, and then says what else has changed."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(ReplayConfig, argv, command="replay", about=ABOUT).checked()
        from search.results.replay_lines import replay_lines
        from search.results.replaying import replay
        from storage.layout import Layout

        done = replay(config, Layout(storage=config.storage))
        print("\n".join(replay_lines(done)))
        return 0 if done.is_same else 1

    return exit_code_of(body)


if __name__ == "__main__":
    raise SystemExit(main())
