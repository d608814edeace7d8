"""Where the data is that the settings ask for: the user's own files, or the built-in sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.config import SAMPLE_EXPERIMENT, DataConfig

if TYPE_CHECKING:
    from pathlib import Path

    from storage.layout import Layout


@dataclass(frozen=True)
class AskedPaths:
    """Where the data is, and what a search of it is called where the settings do not say.

    Attributes:
        train: Training table.
        test: Table to predict.
        target: Name of the target column.
        id: Name of the id column.
        sample_submission: What an upload must look like, if there is an example.
        name: Of the study.
        experiment: Of the MLflow experiment; None: the study's.
        notes: What was found out, one line each.
    """

    train: Path
    test: Path
    target: str
    id: str
    sample_submission: Path | None
    name: str
    experiment: str | None
    notes: tuple[str, ...]


def path_faults(config: DataConfig) -> list[str]:
    """One line for each of the three settings that is missing beside another."""
    given = {"--train": config.train, "--test": config.test, "--target": config.target}
    missing = [flag for flag, value in given.items() if value is None]
    if not missing or len(missing) == len(given):
        return []
    return [
        f"{flag}: got nothing; allowed: --train, --test and --target together; do: give all three "
        "(none of them: the built-in sample)"
        for flag in missing
    ]


def asked_paths(config: DataConfig, layout: Layout) -> AskedPaths:
    """The user's own files, or the built-in sample, which is written where it is not there yet.

    Args:
        config: The settings, without path faults.
        layout: The project.
    """
    return _sample_paths(config, layout) if config.train is None else _given_paths(config)


def _given_paths(config: DataConfig) -> AskedPaths:
    assert config.train is not None
    assert config.test is not None
    assert config.target is not None
    name = config.train.name.split(".")[0].removesuffix("_train").removesuffix("-train")
    if name == "train":
        name = config.train.resolve().parent.name or name
    return AskedPaths(
        config.train, config.test, config.target, config.id, config.sample_submission, name, None, ()
    )


def _sample_paths(config: DataConfig, layout: Layout) -> AskedPaths:
    from objectives.data.sample import write_sample

    layout.create()
    paths = write_sample(layout.sample(config.rows), config.rows)
    name = "rent_sample" if config.rows == DataConfig().rows else f"rent_sample_{config.rows}"
    note = f"No --train given: using the built-in sample of synthetic rental listings ({paths.train.parent})"
    return AskedPaths(
        paths.train, paths.test, "money_room", "id", paths.sample_submit, name, SAMPLE_EXPERIMENT, (note,)
    )
