"""Whether a loose file is a valid submission, and what made it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.faults import InputFaults
from search.results.origins import Origin, origins_of, submission_path_faults, with_run_id

if TYPE_CHECKING:
    from pathlib import Path

    from search.config import DataConfig
    from storage.layout import Layout
    from storage.submission.form import SubmissionFormat

_MOST_CONTRACTS = 20


@dataclass(frozen=True)
class Verification:
    """What is known of a file.

    Attributes:
        sha256: Of its bytes.
        origins: What made it, the latest last; empty where nothing here did.
        faults: What is wrong with it, a line each.
        unknown: That nothing here made it, in a line; None where something did.
        warnings: What is worth a second look.
        form: What it was checked against; None where there was nothing, as for a carried study without its data.
    """

    sha256: str
    origins: tuple[Origin, ...]
    faults: tuple[str, ...]
    unknown: str | None
    warnings: tuple[str, ...]
    form: SubmissionFormat | None

    @property
    def is_sound(self) -> bool:
        """Whether it is valid, and known."""
        return not self.faults and self.unknown is None


def verify(file: Path, config: DataConfig, layout: Layout, *, look_up_runs: bool = True) -> Verification:
    """Checks a file against its study's format, and finds what made it.

    Args:
        file: The file.
        config: Data to check against, or a study; without any: the format the file was made in, or the one
            kept here that fits it best.
        layout: The project.
        look_up_runs: Whether to ask MLflow for the runs' ids.

    Raises:
        InputFaults: If there is no such file, or the data given are bad.
    """
    from storage.submission.checking import submission_faults
    from storage.submission.writing import sha256_of

    faults = submission_path_faults(file)
    if faults:
        raise InputFaults(faults)
    sha256 = sha256_of(file)
    origins = origins_of(layout, sha256)
    form = _form(file, config, layout, origins)
    # Known bytes were checked when they were written; a carried study leaves its data behind.
    unchecked = [] if origins else [_nothing_to_check_against(file)]
    faults = unchecked if form is None else submission_faults(file, form)
    warnings = () if faults or form is None else tuple(_drift(file, form, origins))
    if look_up_runs:
        origins = tuple(with_run_id(layout, origin) for origin in origins)
    unknown = None if origins else _unknown(file, sha256)
    return Verification(sha256, origins, tuple(faults), unknown, warnings, form)


def _nothing_to_check_against(file: Path) -> str:
    return (
        f"submission {file}: format: got no study and no sample to check against; allowed: one of them; "
        "do: give --study, or --train, --test, --target and --sample-submission"
    )


def _unknown(file: Path, sha256: str) -> str:
    return (
        f"submission {file}: origin: got sha256 {sha256}, of no file that was written here; allowed: a file of "
        "search.run, search.baseline or search.promote, unchanged; do: promote the trial again"
    )


def _form(
    file: Path, config: DataConfig, layout: Layout, origins: tuple[Origin, ...]
) -> SubmissionFormat | None:
    from search.competition import open_competition

    known = _of_origin(origins[-1], layout) if origins else None
    if known is not None and _is_asked_for(config, known, origins):
        return known
    if config.train is not None:
        return open_competition(config, layout).submission_format
    if config.study is not None:
        return _of_study(config.study, layout)
    return known or _fitting(file, layout)


def _is_asked_for(config: DataConfig, form: SubmissionFormat, origins: tuple[Origin, ...]) -> bool:
    """Whether the format a file was made in is what it is to be checked against; that takes no reading of data."""
    if config.train is not None:
        sample = config.sample_submission
        return (sample.read_bytes() if sample is not None and sample.is_file() else None) == form.sample
    return config.study is None or config.study in {origin.study for origin in origins}


def _of_origin(origin: Origin, layout: Layout) -> SubmissionFormat | None:
    from storage.submission_records import open_contract

    known = open_contract(layout, origin.contract) if origin.contract else None
    if known is not None or origin.trial is None:
        return known
    # A study that was carried here without its data still says what made the file.
    with suppress(InputFaults):
        return _of_study(origin.study, layout)
    return None


def _of_study(study: str, layout: Layout) -> SubmissionFormat:
    from search.results.known_studies import our_study
    from search.results.trial_files import reopen

    return reopen(our_study(layout, study, "--study"), layout).submission_format


def _fitting(file: Path, layout: Layout) -> SubmissionFormat | None:
    """Of the formats kept here the one with the fewest faults, of equals the latest."""
    from storage.submission.checking import data_faults
    from storage.submission_records import contract_names, open_contract

    data = file.read_bytes()
    kept = [open_contract(layout, name) for name in contract_names(layout)[:_MOST_CONTRACTS]]
    forms = [form for form in kept if form is not None]
    return min(forms, key=lambda form: len(data_faults(data, form)), default=None)


def _drift(file: Path, form: SubmissionFormat, origins: tuple[Origin, ...]) -> list[str]:
    from storage.submission.drift import Summary, drift_warnings
    from storage.submission.writing import read_submission

    known = tuple(Summary.from_json(one) for one in origins[-1].oof) if origins else ()
    return drift_warnings(read_submission(file, form), form, known)
