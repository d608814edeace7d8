"""A settings file for new data: what was found out about it, and why, as TOML with comments."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.config import SearchConfig
from search.faults import InputFaults
from search.settings.schema import COMMITTED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from objectives.data.guesses import Guess, Tables
    from search.config import InitConfig

_SHOWN = 8


@dataclass(frozen=True)
class Draft:
    """What a settings file for some data should say.

    Attributes:
        text: The file.
        notes: What was found out, one line each.
    """

    text: str
    notes: tuple[str, ...]


def draft_settings(config: InitConfig, folder: Path) -> Draft:
    """Looks at the data and writes a settings file for it, paths relative to the folder it will be in.

    Raises:
        InputFaults: If the files cannot be read, or do not tell which column is the target or the id.
    """
    assert config.train is not None
    assert config.test is not None
    tables = _read(config)
    target, id_name = _chosen(config, tables)
    columns = _columns(tables, target.column, id_name.column)
    task, metric = _task_and_metric(tables.train[target.column])
    lines = [
        *_head(folder),
        _setting("train", _relative(config.train, folder), f"{len(tables.train):,} rows"),
        _setting("test", _relative(config.test, folder), f"{len(tables.test):,} rows"),
        _setting("target", target.column, target.why),
        _setting("id", id_name.column, id_name.why),
        *_sample(config, tables, folder),
        *task,
        *metric,
        "",
        *columns,
        "",
        *_foot(),
    ]
    return Draft(
        "\n".join(lines) + "\n",
        (f"Target: {target.column} ({target.why})", f"Id: {id_name.column} ({id_name.why})"),
    )


def _read(config: InitConfig) -> Tables:
    from objectives.data.guesses import Tables
    from objectives.data.read import TableError, read_table
    from storage.submission.reading import sample_rows

    faults: list[str] = []
    frames: list[pd.DataFrame] = []
    for path in (config.train, config.test):
        assert path is not None
        try:
            first = read_table(path)
            # The exact text of what is unique: an id such as 000123 is no number.
            unique = [str(name) for name in first if first[name].is_unique]
            frames.append(read_table(path, unique) if path == config.test else first)
        except TableError as error:
            faults.append(str(error))
    sample: Sequence[Sequence[str]] = ()
    if config.sample_submission is not None:
        try:
            sample = sample_rows(config.sample_submission)
        except (OSError, ValueError) as error:
            faults.append(
                f"--sample-submission: got {config.sample_submission}, not readable ({error}); allowed: CSV; "
                "do: give the competition's sample file"
            )
    if faults:
        raise InputFaults(faults)
    return Tables(frames[0], frames[1], sample)


def _chosen(config: InitConfig, tables: Tables) -> tuple[Guess, Guess]:
    from objectives.data.guesses import Guess

    target = Guess(config.target, "as you said") if config.target else tables.target()
    id_name = Guess(config.id, "as you said") if config.id else tables.id()
    faults = []
    only = ", ".join(tables.only_in_train) or "none"
    if target is None:
        faults.append(
            f"--target: got nothing, and {len(tables.only_in_train)} columns are in the training file only; allowed: "
            f"one of them ({only}); do: name the one to predict by --target"
        )
    elif target.column not in tables.train:
        faults.append(
            f"--target: got {target.column!r}, not a column of the training file; allowed: {only}; do: correct it"
        )
    if id_name is None or id_name.column not in tables.test:
        got = (
            "nothing, and no column has another value in each row"
            if id_name is None
            else repr(id_name.column)
        )
        faults.append(
            f"--id: got {got}; allowed: a column of the test file ({_some([*map(str, tables.test)])}); "
            "do: name the one that names its rows by --id"
        )
    if faults or target is None or id_name is None:
        raise InputFaults(faults)
    return target, id_name


def _task_and_metric(values: pd.Series) -> tuple[list[str], list[str]]:
    from objectives.data.metrics import DEFAULT_METRIC, metrics_for
    from objectives.data.target import find_task

    task = find_task(values)
    metric = DEFAULT_METRIC[task]
    others = [name for name in metrics_for(task) if name != metric]
    why = "numbers" if task == "regression" else "classes"
    return (
        [_setting("task", task, f"{why}: {values.nunique():,} different values")],
        [
            _setting(
                "metric", metric, f"usual for the task; is it the competition's? also: {', '.join(others)}"
            )
        ],
    )


def _sample(config: InitConfig, tables: Tables, folder: Path) -> list[str]:
    if config.sample_submission is None:
        return ['# sample_submission = "..."  # the competition\'s own file; each submission copies its form']
    rows = tables.sample
    has_header = bool(rows) and rows[0][0] in tables.test
    form = f"header {','.join(rows[0])}" if has_header else "no header"
    first = rows[1 if has_header and len(rows) > 1 else 0]
    why = f"{form}; first id {first[0]}; each submission copies its form"
    return [_setting("sample_submission", _relative(config.sample_submission, folder), why)]


def _columns(tables: Tables, target: str, id_name: str) -> list[str]:
    names = tables.features(target, id_name)
    text, codes = tables.text(names), tables.codes(names)
    lines = [f"# Categories ({len(text)} text columns, found out anyhow): {_some(text)}"] if text else []
    if codes:
        lines += [
            f"# Whole numbers that may be codes, if their order means nothing ({_some(codes)}):",
            f"# categorical = {_toml(codes)}",
        ]
    lines += _proposals("months", "Year and month as one number", tables.months(names))
    lines += _splits(tables, names)
    left_out = [name for name in tables.only_in_train if name != target]
    return [*lines, f"# In the training file only, and not used: {_some(left_out)}"] if left_out else lines


def _proposals(key: str, about: str, names: list[str]) -> list[str]:
    if not names or key not in SearchConfig.model_fields:
        return []
    return [f"# {about} (found out anyhow):", f"# {key} = {_toml(names)}"]


def _splits(tables: Tables, names: list[str]) -> list[str]:
    """What random folds would flatter; only said, for it changes what a score means."""
    found = [
        f"# {key} = {_toml(guess.column)}  # {_one_line(guess.why)}"
        for key, guess in (("group", tables.group(names)), ("time", tables.time(names)))
        if guess is not None
    ]
    return (
        ["# Folds are random unless one of these is in force; python -m search.splits compares:", *found]
        if found
        else []
    )


def _head(folder: Path) -> list[str]:
    schema = [f"#:schema {_relative(COMMITTED, folder)}"] if COMMITTED.is_file() else []
    return [
        *schema,
        "# Settings of this competition, as python -m search.init found them out; each has its reason beside it.",
        "# In this folder python -m search.run uses them. Flags win; all settings: python -m search.run --help",
        "",
    ]


def _foot() -> list[str]:
    return [
        f"trials = {SearchConfig().trials}  # in total; the same command again goes on",
        "",
        "# [space]  # what to search: narrow, widen, fix or condition any parameter",
        "# num_leaves = { low = 15, high = 63 }",
        "# learning_rate = 0.1",
    ]


def _setting(name: str, value: object, why: str) -> str:
    return f"{name} = {_toml(value)}  # {_one_line(why)}"


def _toml(value: object) -> str:
    # JSON's text and lists are TOML's too, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN]) + (f" ... ({len(names)})" if len(names) > _SHOWN else "")
    return _one_line(shown)


def _relative(path: Path, folder: Path) -> str:
    from pathlib import Path as AnyPath

    return AnyPath(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
