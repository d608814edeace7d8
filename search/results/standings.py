"""The files with leaderboard scores, each with what made it, and the questions asked of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from search.faults import InputFaults
from search.results.origins import Origin, origins_of
from search.results.ranks import Candidate

if TYPE_CHECKING:
    from objectives.base import FloatArray
    from storage.layout import Layout
    from storage.leaderboard import Entry
    from storage.submission.form import SubmissionFormat

NO_ENTRY = "got no score and nothing sent here; allowed: at least one; do: python -m search.leaderboard add FILE SCORE"


@dataclass(frozen=True)
class Standing:
    """One file.

    Attributes:
        entry: Its scores, and when it was sent.
        origin: What made it last; None where nothing here did.
    """

    entry: Entry
    origin: Origin | None

    @property
    def name(self) -> str:
        """What it is, for people."""
        return self.origin.name if self.origin else f"{self.entry.file}, unknown here"


@dataclass(frozen=True)
class Standings:
    """The files of one competition.

    Attributes:
        layout: The project.
        rows: The files, by the time of their first score or sending.
    """

    layout: Layout
    rows: tuple[Standing, ...]

    @cached_property
    def metric(self) -> str:
        """Name of the score."""
        return next((row.origin.metric for row in self.rows if row.origin and row.origin.metric), "score")

    @cached_property
    def greater_is_better(self) -> bool:
        """Whether a higher score is better."""
        from objectives.data.metrics import METRICS

        said = [row.origin.greater_is_better for row in self.rows if row.origin]
        known = METRICS.get(self.metric)
        return next((one for one in said if one is not None), known.greater_is_better if known else False)

    @cached_property
    def form(self) -> SubmissionFormat | None:
        """What the files look like; None where that is not known here."""
        from storage.submission_records import open_contract

        for row in reversed(self.rows):
            form = row.origin and row.origin.contract and open_contract(self.layout, row.origin.contract)
            if form:
                return form
        return None

    def candidates(self, *, predictions: bool = False) -> list[Candidate]:
        """Returns the files as candidates for the final selection.

        Args:
            predictions: Whether to read what they hold.
        """
        return [self._candidate(row, predictions=predictions) for row in self.rows]

    def _candidate(self, row: Standing, *, predictions: bool) -> Candidate:
        origin = row.origin
        return Candidate(
            name=row.name,
            sha256=row.entry.sha256,
            cv=origin.score if origin else None,
            std=origin.std if origin else None,
            n_folds=origin.n_folds if origin else None,
            n_train=origin.n_train if origin else None,
            board=row.entry.score("public"),
            private=row.entry.score("private"),
            prediction=self._prediction(row) if predictions else None,
        )

    def _prediction(self, row: Standing) -> FloatArray | None:
        """What a file holds, flat; labels as a column a class."""
        import numpy as np

        from storage.leaderboard import Leaderboard
        from storage.submission.checking import submission_faults
        from storage.submission.writing import read_submission

        path = Leaderboard(self.layout).copy_of(row.entry.sha256)
        if self.form is None or submission_faults(path, self.form):
            return None
        values = read_submission(path, self.form)
        if self.form.kind == "label":
            return np.eye(len(self.form.labels))[values[:, 0].astype(np.intp)].ravel()
        return values.ravel()


def open_standings(layout: Layout, study: str | None) -> Standings:
    """Returns the files with a score, or sent, of one competition; without an origin they go with any.

    Args:
        layout: The project.
        study: A study of that competition; None where there is but one competition.

    Raises:
        InputFaults: If there is none, or there are several to choose from.
    """
    from storage.leaderboard import Leaderboard

    rows = [Standing(entry, _origin(layout, entry.sha256)) for entry in Leaderboard(layout).entries()]
    if not rows:
        raise InputFaults([NO_ENTRY])
    groups: dict[tuple[str | None, str | None], list[str]] = {}
    for row in rows:
        if row.origin:
            groups.setdefault(_key(row.origin), []).append(row.origin.study)
    keys = [key for key, studies in groups.items() if study is None or study in studies]
    if (study is not None and not keys) or len(keys) > 1:
        names = ", ".join(sorted({name for studies in groups.values() for name in studies}))
        raise InputFaults(
            [
                (
                    f"--study: got {study or f'none, and files of {len(keys)} competitions'}; allowed: {names}; "
                    "do: choose one"
                )
            ]
        )
    return Standings(layout, tuple(row for row in rows if row.origin is None or _key(row.origin) in keys))


def _origin(layout: Layout, sha256: str) -> Origin | None:
    # A trial's file may be a baseline's too, to the byte; the trial tells more.
    found = origins_of(layout, sha256)
    return next((one for one in reversed(found) if one.trial is not None), found[-1] if found else None)


def _key(origin: Origin) -> tuple[str | None, str | None]:
    return origin.metric, origin.contract or origin.data_fingerprint
