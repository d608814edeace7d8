"""Every path of the product, and nowhere else."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

LONGEST_FOLDER_NAME = 200
"""Characters; file systems stop at 255 bytes, and a suffix must still fit."""


_SQLITE_URL = re.compile(r"sqlite(?:\+\w+)?:///([^?]+)(?:\?.*)?")


def folder_name(study: str) -> str:
    """Returns a study's name as a folder name: percent-quoted, never hidden, never too long.

    Distinct names stay distinct; a name of letters, digits, `-`, `_` and inner dots stays as it is.
    """
    quoted = quote(study, safe="") or "%"
    if quoted.startswith("."):
        quoted = "%2E" + quoted[1:]
    if len(quoted) <= LONGEST_FOLDER_NAME:
        return quoted
    digest = hashlib.sha256(study.encode()).hexdigest()[:16]
    return f"{quoted[: LONGEST_FOLDER_NAME - 17]}%{digest}"


def artifact_name(file: str) -> str:
    """Returns a file's name as it is among a run's artifacts: MLflow hands out none with an escape such as `%20`.

    A name of letters of any language, digits, `-`, `_` and dots stays as it is.
    """
    return re.sub(r"[^\w.-]+", "_", unquote(file))


@dataclass(frozen=True)
class Layout:
    """Where everything lives below one project root.

    All state is inside `mlruns`, so moving or archiving that one folder moves the study; the links at the
    root only exist for the eyes and for plain `mlflow ui`.

    Attributes:
        home: The project root; the default is the working directory, and keeps every path relative.
        storage: Another ledger than the project's own, as an SQLAlchemy URL. It may hold a password.
    """

    home: Path = Path()
    storage: str | None = field(default=None, repr=False)

    @property
    def mlruns(self) -> Path:
        """The folder that holds all state."""
        return self.home / "mlruns"

    @property
    def optuna_db(self) -> Path:
        """The project's own ledger: Optuna's SQLite file."""
        return self.mlruns / "optuna.db"

    @property
    def mlflow_db(self) -> Path:
        """The record: MLflow's SQLite file."""
        return self.mlruns / "mlflow.db"

    @property
    def mlflow_link(self) -> Path:
        """Where plain `mlflow ui` looks for its database."""
        return self.home / "mlflow.db"

    @property
    def submissions(self) -> Path:
        """Folder of promoted submissions."""
        return self.mlruns / "submissions"

    @property
    def submissions_link(self) -> Path:
        """The same folder, visible at the root."""
        return self.home / "submissions"

    @property
    def workers(self) -> Path:
        """Folder where worker processes find what to evaluate; empty when nothing runs."""
        return self.mlruns / "workers"

    @property
    def locks(self) -> Path:
        """Folder of the lock files, beside the ledger; empty but for their remains when nothing runs."""
        return (self.ledger_file or self.optuna_db).parent / "locks"

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger, as `optuna-dashboard` takes it; never to be printed or stored."""
        return self.storage or f"sqlite:///{self.optuna_db.as_posix()}"

    @property
    def ledger_file(self) -> Path | None:
        """The ledger's SQLite file; None where it is on a server."""
        found = _SQLITE_URL.fullmatch(self.ledger_url)
        return Path(found[1]) if found else None

    @property
    def tracking_uri(self) -> str:
        """MLflow's address: MLFLOW_TRACKING_URI where set, else the local SQLite file."""
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.mlflow_db.as_posix()}"

    def predictions(self, study: str) -> Path:
        """Folder of a study's out-of-fold and test predictions."""
        return self.mlruns / "predictions" / folder_name(study)

    def conclusion(self, study: str) -> Path:
        """What a study came to; the predictions of what was chosen are beside it."""
        return self.predictions(study) / "conclusion.json"

    def sample(self, rows: int) -> Path:
        """Folder of the built-in sample with that many training rows."""
        return self.mlruns / "sample" / str(rows)

    def lock(self, study: str) -> Path:
        """Lock file that one coordinator of a study holds."""
        return self.locks / f"{folder_name(study)}.lock"

    def import_journal(self, study: str) -> Path:
        """What an import of a study has begun; there only while one is under way or was killed."""
        return self.mlruns / "imports" / f"{folder_name(study)}.json"

    def submission_record(self, sha256: str) -> Path:
        """What made the submission file with that checksum."""
        return self.mlruns / "submission_records" / f"{sha256}.json"

    def contract(self, name: str) -> Path:
        """A format that submissions were checked against."""
        return self.mlruns / "submission_records" / "contracts" / f"{name}.json.gz"

    @property
    def leaderboard(self) -> Path:
        """Folder of scores from the leaderboard, and of copies of the files that have one."""
        return self.mlruns / "leaderboard"

    @property
    def leaderboard_plot(self) -> Path:
        """CV against the leaderboard."""
        return self.leaderboard / "cv_against_leaderboard.svg"

    def report(self, study: str) -> Path:
        """A study's page for people."""
        return self.mlruns / "reports" / f"{folder_name(study)}.html"

    @property
    def dashboard_artifacts(self) -> Path:
        """Folder of the files that optuna-dashboard shows, as its `--artifact-dir`."""
        return self.mlruns / "dashboard_artifacts"

    def lock_owner(self, study: str) -> Path:
        """Who holds a study's lock; it may outlive a killed owner."""
        return self.lock(study).with_suffix(".json")

    def create(self) -> None:
        """Makes `mlruns` and the links at the root; does nothing where they stand.

        A link is left out where the system has no symlinks or something else has its name.

        Raises:
            OSError: If `mlruns` cannot be made.
        """
        self.submissions.mkdir(parents=True, exist_ok=True)
        _link(self.mlflow_link, Path("mlruns", "mlflow.db"))
        _link(self.submissions_link, Path("mlruns", "submissions"), is_folder=True)


def _link(link: Path, target: Path, *, is_folder: bool = False) -> None:
    # The target is relative so that the link survives a move of the whole project.
    if link.is_symlink() or link.exists():
        return
    try:
        link.symlink_to(target, target_is_directory=is_folder)
    except (OSError, NotImplementedError):
        return
