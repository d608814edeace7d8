"""What an import has begun and not yet finished, on disk, so that the next one can take it away."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from storage.atomic import temporary_save_path
from storage.bundle.members import BundleError
from storage.record.mirror import UID
from storage.record.study_runs import find_runs_anywhere, of_study

if TYPE_CHECKING:
    from storage.bundle.target import Target
    from storage.layout import Layout


@dataclass(frozen=True)
class Journal:
    """All that an import makes, written down before it makes anything of it.

    None of this was there when the import began, so all of it may go.

    Attributes:
        study: Name of the study.
        provisional: Its name in the ledger until all of it is there.
        uid: Its identity, which all its runs bear; None where it has no runs.
        ledger_name: As in `Target`.
        tracking_uri: Address of the record.
        paths: Files and folders.
    """

    study: str
    provisional: str
    uid: str | None
    ledger_name: str
    tracking_uri: str
    paths: tuple[str, ...]

    def write(self, layout: Layout) -> None:
        """Puts it on disk."""
        path = layout.import_journal(self.study)
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_save_path(path) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")

    def close(self, layout: Layout) -> None:
        """Says that the import came to its end."""
        layout.import_journal(self.study).unlink(missing_ok=True)

    def undo(self, target: Target) -> None:
        """Takes away what there is of the import; may be repeated."""
        import optuna

        with suppress(KeyError):
            optuna.delete_study(study_name=self.provisional, storage=target.ledger)
        for name in self.paths:
            path = Path(name)
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
        if self.uid is not None:
            for run in find_runs_anywhere(target.tracking, of_study(self.uid)):
                target.tracking.client.delete_run(run.info.run_id)
        self.close(target.layout)


def clear_unfinished(target: Target, study: str) -> None:
    """Takes away what a killed import of a study left.

    Raises:
        BundleError: If it went to another ledger or record than this one.
    """
    journal = _read(target.layout, study)
    if journal is None:
        return
    if (journal.ledger_name, journal.tracking_uri) != (target.ledger_name, target.tracking.uri):
        raise BundleError(
            f"study {study}: got an import into {target.ledger_name} and {target.tracking.uri}, while one into "
            f"{journal.ledger_name} and {journal.tracking_uri} was cut short; allowed: one at a time; do: repeat "
            f"that one first, or delete {target.layout.import_journal(study)} and what it names"
        )
    if _is_complete(target, journal):
        journal.close(target.layout)
    else:
        journal.undo(target)


def _read(layout: Layout, study: str) -> Journal | None:
    try:
        fields = json.loads(layout.import_journal(study).read_text(encoding="utf-8"))
        return Journal(**fields | {"paths": tuple(fields["paths"])})
    except FileNotFoundError:
        return None


def _is_complete(target: Target, journal: Journal) -> bool:
    """Whether only its last step, forgetting the journal, is missing: the study bears its name."""
    import optuna

    try:
        study = optuna.load_study(study_name=journal.study, storage=target.ledger)
    except KeyError:
        return False
    return bool(study.user_attrs.get(UID) == journal.uid)
