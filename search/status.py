"""Lists the studies: states counted, best, last activity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import StatusConfig
from search.faults import InputFaults
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.storages import BaseStorage

    from storage.layout import Layout

ABOUT = "Lists the studies of this folder: trials by state, best trial and score, last activity."


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(StatusConfig, argv, command="status", about=ABOUT).checked()
        from storage.layout import Layout

        for line in status_lines(Layout(), config.study):
            print(line)
        return 0

    return exit_code_of(body)


def status_lines(layout: Layout, study: str | None) -> list[str]:
    """One paragraph for each study, the latest active first.

    Raises:
        InputFaults: If there is no such study, or the ledger is another program's file.
    """
    from storage.checks import storage_faults

    faults = storage_faults(layout)
    if faults:
        raise InputFaults(faults)
    if not layout.optuna_db.exists():
        return ["No study yet. Start one: python -m search.run"]
    from storage.ledger import open_ledger

    ledger = open_ledger(layout.ledger_url)
    names = _names(ledger)
    if study is not None and study not in names:
        raise InputFaults(
            [f"--study: got {study!r}; allowed: {', '.join(names) or 'none yet'}; do: choose one"]
        )
    paragraphs = [_paragraph(ledger, name) for name in ([study] if study else names)]
    return paragraphs or ["No study yet. Start one: python -m search.run"]


def _names(ledger: BaseStorage) -> list[str]:
    import optuna

    return list(optuna.get_all_study_names(ledger))


def _paragraph(ledger: BaseStorage, name: str) -> str:
    import optuna

    from search.loop.tally import best_trial, last_activity, score_text, tally

    study = optuna.load_study(study_name=name, storage=ledger)
    best, moment = best_trial(study), last_activity(study)
    return "\n".join(
        [
            name,
            f"  trials: {tally(study)}",
            f"  best: {score_text(best)} (trial {best.number})" if best else "  best: no complete trial yet",
            f"  last activity: {moment:%Y-%m-%d %H:%M:%S}" if moment else "  last activity: none",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
