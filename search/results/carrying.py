"""Carrying a study: out of this folder into one file, and from such a file into any ledger and record."""

from __future__ import annotations

import dataclasses
import zipfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from search.faults import InputFaults
from search.results.known_studies import named_study

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from search.config import ExportConfig, ImportConfig
    from storage.bundle.importing import Imported
    from storage.bundle.study import Contents, Exported
    from storage.bundle.target import Target
    from storage.layout import Layout


def export(config: ExportConfig, layout: Layout) -> Exported:
    """Writes a study into a bundle.

    Raises:
        InputFaults: If there is no such study, a coordinator works on it, or the file cannot be written.
    """
    from storage.bundle.study import export_study
    from storage.bundle.target import database_refusals, open_target

    _check_place(layout, _file_faults(config.bundle))
    with _faults():
        target = open_target(layout, config.tracking_uri, new=False)
        study = named_study(target.ledger, config.study, "STUDY")
        with database_refusals(str(config.bundle)):
            return export_study(study, layout, target.tracking, config.bundle)


def import_(config: ImportConfig, layout: Layout) -> tuple[Imported, str]:
    """Puts a bundle's study into a ledger and a record.

    Returns:
        What was brought, and the bundle's digest.

    Raises:
        InputFaults: If the bundle is damaged, the study's name is taken, or a database refuses; nothing of the
            study is there then.
    """
    from storage.bundle.archive import open_bundle
    from storage.bundle.importing import import_study
    from storage.bundle.study import read_contents
    from storage.bundle.target import open_target

    _check_place(layout, [])
    with _faults(), open_bundle(config.bundle) as bundle:
        contents = read_contents(bundle)
        old_name = contents.name
        if config.study is not None:
            contents = _renamed(contents, config.study)
        target = open_target(layout, config.tracking_uri, new=True)
        imported = import_study(bundle, old_name, contents, target)
        _show(imported.study, target, config, layout)
        return imported, bundle.manifest.digest


def _show(name: str, target: Target, config: ImportConfig, layout: Layout) -> None:
    """Makes what a bundle leaves behind: what the dashboard shows, with the addresses of the runs here."""
    from search.results.charts.facts import OUTLINE
    from search.results.dashboard import show_study
    from search.results.known_studies import OURS
    from search.results.report.reporting import record_of
    from storage.trial_outlines import trial_outlines

    study = named_study(target.ledger, name, "--study")
    # The study is here, whatever becomes of its pictures; a search or search.report makes them again.
    with suppress(Exception):
        if study.user_attrs.keys() >= OURS:
            callback = record_of(study, layout, config.tracking_uri)
            show_study(study, layout, callback, trial_outlines(study, OUTLINE))


def _renamed(contents: Contents, name: str) -> Contents:
    # What promote opens again is found under the name in the settings.
    settings = contents.user_attrs.get("settings")
    renamed = contents.renamed(name)
    if not isinstance(settings, dict):
        return renamed
    return dataclasses.replace(
        renamed, user_attrs={**renamed.user_attrs, "settings": {**settings, "study": name}}
    )


def _check_place(layout: Layout, faults: list[str]) -> None:
    from storage.checks import storage_faults

    faults = [*storage_faults(layout), *faults]
    if faults:
        raise InputFaults(faults)


def _file_faults(path: Path) -> list[str]:
    if not path.parent.is_dir():
        return [f"BUNDLE: got {path}, in no folder there is; allowed: a folder that is there; do: make it"]
    if path.is_dir() or (path.exists() and not zipfile.is_zipfile(path)):
        return [f"BUNDLE: got {path}, which is no zip file; allowed: a new file or a zip; do: name another"]
    return []


@contextmanager
def _faults() -> Iterator[None]:
    from storage.bundle.members import BundleError
    from storage.study_lock import StudyLockedError

    try:
        yield
    except (BundleError, StudyLockedError) as error:
        raise InputFaults([str(error)]) from None
