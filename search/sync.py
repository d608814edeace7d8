"""Makes MLflow equal to the ledger, or says where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import SyncConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Gives each finished trial exactly one right run in MLflow, mends what a crash or a hand left wrong there, and "
    "makes missing files of the best trial again. With --check it changes nothing, prints a line for each "
    "difference, and exits 1 if there is one."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(SyncConfig, argv, command="sync", about=ABOUT).checked()
        from search.results.synchronisation import check, sync
        from storage.layout import Layout

        is_equal = True
        for line in (check if config.check else sync)(config, Layout(storage=config.storage)):
            print(line.text, flush=True)
            is_equal = is_equal and not line.is_difference
        return 0 if is_equal else 1

    return exit_code_of(body)


if __name__ == "__main__":
    raise SystemExit(main())
