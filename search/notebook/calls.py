"""What a notebook calls: the commands, as functions."""

from __future__ import annotations

import time
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from search import stopping
from search.config import PromoteConfig, SearchConfig
from search.faults import InputFaults
from search.flags import checked_settings
from search.notebook.study_result import StudyResult
from search.settings.later import name_lines_of, with_line

if TYPE_CHECKING:
    from pathlib import Path

    from search.results.promotion import Promotion
    from storage.layout import Layout


def load_config(path: str | Path | None = None, **settings: Any) -> SearchConfig:
    """Checks the settings of a search: those of the command line, by the same names.

    Args:
        path: A TOML file of settings; None: `competition.toml`, if the current folder has one.
        **settings: Settings by name, such as `trials=50` or `target="price"`; they win over the file. A list is
            a list of strings or a string with commas, `space` a dictionary of dictionaries. None: as if it was
            not given.

    Returns:
        All settings, those not given with their defaults (`search.config.search` describes each).

    Raises:
        InputFaults: If any setting is unknown or bad; with a line for each fault, those of the data included.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    strays = [name for name in given if name not in SearchConfig.model_fields]
    faults = [_stray(name) for name in strays]
    known = {name: value for name, value in given.items() if name not in strays}
    try:
        file = None if path is None else str(path)
        parsed = checked_settings(SearchConfig, known, faults, asked_file=file)
        if parsed.faults:
            from search.competition import competition_faults

            data = competition_faults(parsed.config, _layout(parsed.config.storage))
            raise InputFaults(with_line(fault) for fault in (*parsed.faults, *data))
    finally:
        # A notebook may load several files, and a later fault need not be of the last one.
        name_lines_of(None, ())
    return parsed.config


def run_search(config: SearchConfig) -> StudyResult:
    """Runs a study to its `trials` finished trials in total, or goes on with it where it was left.

    The same as `python -m search.run`: worker processes evaluate, MLflow records, the end is concluded and the
    submission written. Progress is printed: a line for a new best, and for each twentieth of the trials. `timeout`
    counts from this call. Interrupting it (the square button of a notebook, or Ctrl-C) closes the running trials
    and queues them again, so that the same call goes on.

    Args:
        config: From `load_config`.

    Returns:
        The study, to look at.

    Raises:
        InputFaults: If something is wrong with the data, the study or the storage; nothing is changed then.
        KeyboardInterrupt: If it was interrupted, after everything was closed in order.
    """
    started = time.monotonic()
    from search.loop.search import run_search as search

    layout = _layout(config.storage)
    with stopping.listening():
        try:
            done = search(config, layout, started=started, brief=True)
        except KeyboardInterrupt:
            print("Interrupted. Nothing finished is lost; the same call goes on.", flush=True)
            raise
    from search.results.known_studies import our_study
    from search.results.summary import summary

    # Opened anew: as the one writer it was held open by, it would not see what others add from now on.
    study = our_study(layout, done.competition.study, "study")
    return StudyResult(study, layout, tuple(summary(done, layout)), done.competition)


def load_study(study: str | None = None, *, storage: str | None = None) -> StudyResult:
    """Opens a study that `run_search` or `python -m search.run` made, also while a search is at work on it.

    Args:
        study: Its name; None: the one last worked on.
        storage: Another ledger than this folder's, as an SQLAlchemy URL.

    Raises:
        InputFaults: If there is none.
    """
    from search.results.known_studies import latest_study

    layout = _layout(storage)
    return StudyResult(latest_study(layout, study), layout)


def promote(
    study: StudyResult | str | None = None, *, trial: int | None = None, storage: str | None = None
) -> Promotion:
    """Promotes what is honestly the best of a study: writes its checked submission, and registers its model.

    The same as `python -m search.promote`.

    Args:
        study: The study, or its name; None: the one last worked on.
        trial: Number of the trial to promote; None: what is honestly the best, a blend maybe.
        storage: Another ledger than this folder's, as an SQLAlchemy URL; a `StudyResult` knows its own.

    Returns:
        What was promoted: score, files, model, and how it stands beside the other candidates.

    Raises:
        InputFaults: If there is no such study or complete trial, or its data has changed since.
        KeyboardInterrupt: If it was interrupted.
    """
    from search.results.promotion import promote as do_promote

    layout = study.layout if isinstance(study, StudyResult) else _layout(storage)
    name = study.name if isinstance(study, StudyResult) else study
    given = {"study": name, "trial": trial, "storage": layout.storage}
    known = {name: value for name, value in given.items() if value is not None}
    config = checked_settings(PromoteConfig, known, reads_file=False).checked()
    with stopping.listening():
        return do_promote(config, layout)


def _layout(storage: str | None) -> Layout:
    from storage.layout import Layout

    return Layout(storage=storage)


def _stray(name: str) -> str:
    near = get_close_matches(name, SearchConfig.model_fields, n=2)
    do = f"write {' or '.join(near)}" if near else "choose one"
    return f"{name}: got an unknown setting; allowed: {', '.join(SearchConfig.model_fields)}; do: {do}"
