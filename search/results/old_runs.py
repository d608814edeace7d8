"""The runs of an old MLflow file store, brought into this project's record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.faults import InputFaults

if TYPE_CHECKING:
    from pathlib import Path

    from search.config import MigrateConfig
    from storage.layout import Layout
    from storage.old_runs.migration import Migration


def bring_over(config: MigrateConfig, layout: Layout) -> Migration:
    """Copies an old store's runs into the record.

    Raises:
        InputFaults: If the old folder is none, or the record does not answer.
    """
    from storage.bundle.members import BundleError
    from storage.bundle.target import database_refusals
    from storage.checks import storage_faults
    from storage.old_runs.file_store import OldStoreError, read_file_store
    from storage.old_runs.migration import migrate
    from storage.record.tracking import open_tracking

    faults = _place_faults(config.old_mlruns, layout) or storage_faults(layout)
    if faults:
        raise InputFaults(faults)
    try:
        store = read_file_store(config.old_mlruns, config.experiment)
        with database_refusals(str(config.old_mlruns)):
            return migrate(store, open_tracking(layout, config.tracking_uri))
    except (OldStoreError, BundleError) as error:
        raise InputFaults([str(error)]) from None


def _place_faults(old: Path, layout: Layout) -> list[str]:
    if not old.is_dir():
        return [f"OLD_MLRUNS: got {old}, no such folder; allowed: an old mlruns folder; do: correct the path"]
    has_state = layout.optuna_db.exists() or layout.mlflow_db.exists()
    if old.resolve() == layout.mlruns.resolve() and not has_state:
        return [
            (
                f"OLD_MLRUNS: got {old}, where this project keeps its own state; allowed: the old folder under another "
                f"name; do: mv {old} {layout.mlruns}_old, then python -m search.migrate {layout.mlruns}_old"
            )
        ]
    return []
