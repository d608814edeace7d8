"""Brings an exported study into a ledger and an MLflow record: all of it exactly, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import ImportConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Checks every byte of a file that search.export wrote and puts its study into this folder's ledger and MLflow "
    "record, or into others (SQLite or PostgreSQL, any tracking server)."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(ImportConfig, argv, command="import", about=ABOUT).checked()
        from search.results.carrying import import_
        from storage.layout import Layout

        done, digest = import_(config, Layout(storage=config.storage))
        print(f"Imported: study {done.study}, {done.trials} trials, {done.runs} runs")
        if done.is_copy:
            print("The study itself is here already: this one is a copy with an identity of its own")
        for path in done.submissions:
            print(f"Submission: {path}")
        print(f"Digest: {digest}")
        return 0

    return exit_code_of(body)


if __name__ == "__main__":
    raise SystemExit(main())
