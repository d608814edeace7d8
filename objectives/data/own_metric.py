"""A user's own metric: `file.py:function` or `module:function`, carried as source where it is a file.

The workers of a cluster may not have the file, and it may have changed when a trial is evaluated again: so the
source itself is part of the metric, of its fingerprint, and of what crosses to other processes. It must stand
alone: it may import installed packages, but no file beside it.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from objectives.data.folds import TASKS
from objectives.data.metrics import METRICS, Metric
from objectives.own_source import SourceUnreadableError, source_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from objectives.base import FloatArray

_MOST_TEXT = 120


class OwnMetricError(Exception):
    """A function that cannot be had; the message is one line: got, allowed, do."""


@dataclass(frozen=True)
class OwnScore:
    """A user's function as a score, made from its source in whatever process it is called.

    Attributes:
        where: File or module, as it was given.
        function: Name of the function.
        code: The file's text; None for an installed module, which each process imports by its name.
    """

    where: str
    function: str
    code: str | None

    def __call__(self, target: FloatArray, prediction: FloatArray) -> float:
        """The score of a prediction; the function gets views that it cannot write to.

        Raises:
            TypeError: If the function returned something else than a number.
            Exception: Whatever it raises.
        """
        target, prediction = target.view(), prediction.view()
        target.flags.writeable = prediction.flags.writeable = False
        score = _function(self)(target, prediction)
        if not isinstance(score, Real):
            text = " ".join(repr(score).split())[:_MOST_TEXT]
            msg = f"{self.function} returned {type(score).__name__} {text}, not a number"
            raise TypeError(msg)
        return float(score)

    def explain(self, error: BaseException) -> str:
        """An error of the function in one line, with the line of the file it came from."""
        text = " ".join(str(error).split())[:_MOST_TEXT]
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == self.where]
        at = f" (line {lines[-1]} of {self.where})" if lines else ""
        return f"{type(error).__name__}{': ' if text else ''}{text}{at}"


def is_own(metric: str | None) -> bool:
    """Whether a metric's name is the place of a function."""
    return metric is not None and ":" in metric


def find_own(given: str, *, code: str | None = None) -> Metric:
    """Finds a user's function and makes a metric of it, for any task; which way is better is yet to be said.

    Args:
        given: `file.py:function` or `module:function`; a module that is a file below the current folder is
            taken as that file.
        code: The file's text as it was when a study began; None: read the file.

    Raises:
        OwnMetricError: If there is no such file, module or function.
    """
    where, _, function = given.rpartition(":")
    if not where or not function.isidentifier():
        _refuse(given, "allowed: file.py:function or module:function", "correct it")
    if function in METRICS:
        _refuse(given, "allowed: a function that is not named as a built-in metric", "rename it")
    score = OwnScore(where, function, _read(given, where) if code is None else code)
    try:
        found = _function(score)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's file may raise anything
        _refuse(
            f"{given}: {score.explain(error)}", "allowed: a file that runs and has the function", "mend it"
        )
    return Metric(function, TASKS, greater_is_better=False, score=score, source=_fingerprint(score, found))


def code_of(metric: Metric) -> str | None:
    """The text of an own metric's file; None for a built-in one and for an installed module's."""
    return metric.score.code if isinstance(metric.score, OwnScore) else None


def _refuse(got: str, allowed: str, do: str) -> NoReturn:
    raise OwnMetricError(f"metric: got {got}; {allowed}; do: {do}") from None


def _read(given: str, where: str) -> str | None:
    """The text of the file; None for a module that is no file here."""
    try:
        return source_of(where)
    except SourceUnreadableError as error:
        _refuse(f"{given}: {error}", "allowed: a Python file", "correct the path")


@lru_cache(maxsize=8)
def _function(score: OwnScore) -> Callable[[FloatArray, FloatArray], Any]:
    if score.code is None:
        module = import_module(score.where)
    else:
        module = ModuleType(f"own_metric_{_digest(score.code)}")
        # Dataclasses and the like look their own module up.
        sys.modules[module.__name__] = module
        exec(compile(score.code, score.where, "exec"), module.__dict__)  # noqa: S102 - the user's own file
    found = getattr(module, score.function, None)
    if not callable(found):
        known = [name for name, value in vars(module).items() if inspect.isfunction(value)]
        msg = f"no function {score.function} in it, but {', '.join(known[:8]) or 'none'}"
        raise TypeError(msg)
    function: Callable[[FloatArray, FloatArray], Any] = found
    return function


def _fingerprint(score: OwnScore, found: Callable[..., Any]) -> str:
    """The function's name and a hash of the text it is in."""
    code = score.code
    if code is None:
        try:
            code = Path(inspect.getsourcefile(found) or "").read_text(encoding="utf-8")
        except (OSError, TypeError):
            code = score.where  # compiled: known by its name alone
    return f"{score.function} {_digest(code)}"


def _digest(code: str) -> str:
    return hashlib.blake2b(code.encode(), digest_size=8).hexdigest()
