"""Writes a study, whole, into one file to carry: trials, runs, predictions, model, submissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import ExportConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Writes a study with all its trials, attributes, MLflow runs and artifacts, predictions, kept models and "
    "submissions into one zip file with checksums, for search.import. Changes nothing else."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(ExportConfig, argv, command="export", about=ABOUT).checked()
        from search.results.carrying import export
        from storage.layout import Layout

        done = export(config, Layout(storage=config.storage))
        print(f"Exported: study {config.study}, {done.trials} trials, {done.runs} runs")
        if done.unrecorded:
            print(
                f"Without a whole run in MLflow: {done.unrecorded} trials, written anew by a sync after import"
            )
        print(f"Digest: {done.manifest.digest}")
        print(f"Bundle: {config.bundle}")
        return 0

    return exit_code_of(body)


if __name__ == "__main__":
    raise SystemExit(main())
