"""Says whether a submission file is valid, and which study, trial, run, data and commit made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import NOT_DONE, exit_code_of
from search.config import VerifyConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.results.verification import Verification

ABOUT = (
    "Checks a submission file, wherever it is and whatever it is called, against the format of its study, or of "
    "the data given, and finds by its checksum what made it. Exit code 0: valid and known; 1: not, a line a fault."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(VerifyConfig, argv, command="verify", about=ABOUT).checked()
        from search.results.verification import verify
        from storage.layout import Layout

        found = verify(config.file, config, Layout(storage=config.storage))
        for line in lines(found):
            print(line)
        return 0 if found.is_sound else NOT_DONE

    return exit_code_of(body)


def lines(found: Verification) -> list[str]:
    """What is known of a file, for people."""
    form = found.form.description if found.form else "as checked when it was written; its data are not here"
    valid = "Not valid" if found.faults else f"Valid ({form})"
    return [
        f"SHA-256: {found.sha256}",
        *(f"Made by: {origin.description}" for origin in found.origins),
        *(f"Warning: {warning}" for warning in found.warnings),
        *found.faults,
        *([found.unknown] if found.unknown else []),
        valid,
    ]


if __name__ == "__main__":
    raise SystemExit(main())
