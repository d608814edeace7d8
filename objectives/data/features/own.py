"""A user's own features: a Python file, executed from its text so that it crosses to other processes."""

from __future__ import annotations

import ast
import hashlib
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_EXAMPLE_ROWS = 50


class OwnFeaturesError(Exception):
    """A file of features that cannot be used; the message is one line: got, allowed, do."""


@dataclass(frozen=True)
class OwnFeatures:
    """The file.

    Attributes:
        name: Its name, for people.
        source: Its text.
    """

    name: str
    source: str

    @property
    def fingerprint(self) -> str:
        """Hash of what the text says; comments and layout do not count."""
        return hashlib.blake2b(ast.dump(ast.parse(self.source)).encode(), digest_size=16).hexdigest()

    @property
    def function(self) -> Callable[..., Any] | None:
        """`features(train, test)`, if it has one."""
        found: Callable[..., Any] | None = getattr(self.module, "features", None)
        return found

    @property
    def transformer(self) -> Any:
        """`transformer`, if it has one."""
        return getattr(self.module, "transformer", None)

    @property
    def module(self) -> ModuleType:
        """The executed file, once a process, under a name that is the same in each."""
        name = f"own_features_{self.fingerprint}"
        if name not in sys.modules:
            module = ModuleType(name)
            module.__file__ = self.name
            sys.modules[name] = module
            try:
                exec(compile(self.source, self.name, "exec"), module.__dict__)  # noqa: S102 - the user's own code
            except BaseException:
                del sys.modules[name]
                raise
        return sys.modules[name]

    def columns_of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Raw rows with the function's columns, for a served model: the rows are all it is shown."""
        if self.function is None:
            return frame
        return _joined(frame, self.function(frame.copy(), frame.copy())[1])


def read_own(path: Path) -> OwnFeatures:
    """Reads and executes the file.

    Raises:
        OwnFeaturesError: If it is not there, does not run, or offers nothing.
    """
    if path.suffix != ".py" or not path.is_file():
        raise _fault(path.name, f"{path}, no such Python file", "correct the path")
    try:
        own = OwnFeatures(path.name, path.read_text(encoding="utf-8"))
        offers = own.function is not None or own.transformer is not None
    except Exception as error:
        raise _fault(path.name, f"{path}, which stops with {_reason(error, path.name)}", "mend it") from error
    if not offers:
        raise _fault(path.name, f"{path} without either", "define one")
    if own.function is not None and not callable(own.function):
        raise _fault(path.name, f"{path}, whose `features` is no function", "define it by def")
    return own


def add_columns(
    own: OwnFeatures, tables: tuple[pd.DataFrame, pd.DataFrame], target: str, id_name: str
) -> tuple[tuple[pd.DataFrame, pd.DataFrame], str]:
    """Calls the function on the inputs and adds its columns to both tables; an equal name replaces.

    Args:
        own: The file.
        tables: Training and test rows.
        target: Name of the target column, which the function does not get.
        id_name: Name of the id column, which it gets and cannot change.

    Returns:
        Both tables, and a note if a served model may not see what the function has seen.

    Raises:
        OwnFeaturesError: If it fails or returns what cannot be features.
    """
    function = own.function
    if function is None:
        return tables, ""
    inputs = tuple(table.drop(columns=target, errors="ignore") for table in tables)
    try:
        made = function(*(table.copy() for table in inputs))
    except Exception as error:
        raise _fault(own.name, f"{_reason(error, own.name)} from `features`", "mend it") from error
    _check(own.name, made, inputs, tables[0], target)
    made = tuple(table.drop(columns=id_name, errors="ignore") for table in made)
    joined = tuple(_joined(table, extra) for table, extra in zip(tables, made, strict=True))
    return (joined[0], joined[1]), _note(own, inputs[1], made[1])


def _joined(frame: pd.DataFrame, extra: pd.DataFrame) -> pd.DataFrame:
    kept = frame[[name for name in frame.columns if name not in extra.columns]]
    added = extra.set_axis(extra.columns.astype(str), axis=1).set_axis(frame.index, axis=0)
    both = pd.concat([kept, added], axis=1)
    return both[[*frame.columns, *(name for name in added.columns if name not in frame.columns)]]


def _check(name: str, made: Any, inputs: tuple[pd.DataFrame, ...], train: pd.DataFrame, target: str) -> None:
    pair = isinstance(made, tuple | list) and len(made) == len(inputs)
    if not pair or not all(isinstance(table, pd.DataFrame) for table in made):
        raise _fault(name, f"{type(made).__name__} from `features`", "return two DataFrames")
    for which, rows, table in zip(("training", "test"), inputs, made, strict=True):
        if len(table) != len(rows):
            got = f"{len(table):,} rows for {len(rows):,} {which} rows from `features`"
            raise _fault(name, got, "return each row once, in order")
        if not table.index.equals(rows.index):
            raise _fault(name, f"{which} rows with another index from `features`", "keep rows and order")
        twice = table.columns[table.columns.duplicated()]
        if len(twice):
            raise _fault(name, f"column {twice[0]!r} twice from `features`", "give each a name")
    one_sided = set(map(str, made[0].columns)) ^ set(map(str, made[1].columns))
    if one_sided:
        got = f"{', '.join(sorted(one_sided))} for one of the two tables only from `features`"
        raise _fault(name, got, "return the same columns for both")
    answers = [
        column for column in made[0] if str(column) == target or _is_target(made[0][column], train[target])
    ]
    if answers:
        raise _fault(name, f"the target as {answers[0]!r} from `features`", "leave it out")


def _is_target(values: pd.Series, target: pd.Series) -> bool:
    same = values.astype(object).to_numpy() == target.astype(object).to_numpy()
    return bool(same.all())


def _note(own: OwnFeatures, test: pd.DataFrame, made: pd.DataFrame) -> str:
    """A function that looks beyond its row, or at the training rows, gives other values on few rows alone."""
    few = test.head(_EXAMPLE_ROWS)
    try:
        assert own.function is not None
        alone = own.function(few.copy(), few.copy())[1]
        same = (
            alone[made.columns].reset_index(drop=True).equals(made.head(_EXAMPLE_ROWS).reset_index(drop=True))
        )
    except Exception:  # noqa: BLE001 - whatever it is, a served model would meet it too
        same = False
    if same:
        return ""
    return (
        f"{own.name}: `features` gives other values where it sees other rows; a served model, which sees only "
        "the rows it is asked, may differ from the submission"
    )


def _reason(error: Exception, file: str) -> str:
    lines, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            lines = f" in line {trace.tb_lineno}"
        trace = trace.tb_next
    text = str(error).splitlines()[0] if str(error) else ""
    return f"{type(error).__name__}{': ' * bool(text)}{text}{lines}"


def _fault(name: str, got: str, do: str) -> OwnFeaturesError:
    allowed = (
        "a Python file with `def features(train, test)`, returning two tables of columns, or a `transformer`"
    )
    return OwnFeaturesError(
        f"features: got {got}; allowed: {allowed}; do: {do}" + (f" in {name}" * (do == "mend it"))
    )
