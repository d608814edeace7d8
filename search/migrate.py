"""Brings the runs of an old MLflow folder (mlruns/<id>/meta.yaml) over, with all their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import MigrateConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Copies the runs of an old MLflow file store into this folder's MLflow record: names, times, statuses, "
    "parameters, metrics with their history, tags, artifacts. Only reads the old folder; a second call adds nothing."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(MigrateConfig, argv, command="migrate", about=ABOUT).checked()
        from search.results.old_runs import bring_over
        from storage.layout import Layout

        done = bring_over(config, Layout())
        for note in done.notes:
            print(note)
        print(f"Brought over: {done.brought} runs; here already: {done.present}")
        print(f"Untouched: {config.old_mlruns}")
        return 0

    return exit_code_of(body)


if __name__ == "__main__":
    raise SystemExit(main())
