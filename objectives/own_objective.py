"""A user's own objective: `file.py:Class` or `module:Class`, carried as source where it is a file.

As with own metrics, the workers of a cluster may not have the file, and it may have changed when a trial is
evaluated again: so the text itself crosses to other processes and is part of the study. It must stand alone: it may
import installed packages, but no file beside it.
"""

from __future__ import annotations

import copyreg
import hashlib
import inspect
import sys
import traceback
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from objectives.base import OBJECTIVES, Objective
from objectives.own_source import SourceUnreadableError, source_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from objectives.base import ObjectiveFactory

_MOST_TEXT = 120
_CODE = "__own_code__"
_NEEDED = ("space", "default_params", "evaluate", "save_model")


class OwnObjectiveError(Exception):
    """A class that cannot be had; the message is one line: got, allowed, do."""


@dataclass(frozen=True)
class OwnCode:
    """The text of a file with an objective.

    Attributes:
        where: The file, as it was given.
        code: Its text.
    """

    where: str
    code: str

    @property
    def module(self) -> ModuleType:
        """The executed file, once a process, under a name that is the same in each."""
        name = f"own_objective_{_digest(self.code)}"
        if name not in sys.modules:
            module = ModuleType(name)
            module.__file__ = self.where
            module.__dict__[_CODE] = self
            # Dataclasses and the like look their own module up.
            sys.modules[name] = module
            try:
                exec(compile(self.code, self.where, "exec"), module.__dict__)  # noqa: S102 - the user's own file
                self._let_cross(module)
            except BaseException:
                del sys.modules[name]
                raise
        return sys.modules[name]

    def _let_cross(self, module: ModuleType) -> None:
        """Lets instances of its classes cross by pickle to processes that have not executed it."""

        def reduced(one: Any) -> tuple[Any, ...]:
            # The code first: it is executed there before anything of it is looked up.
            return _made, (self, type(one).__name__), one.__getstate__()

        for found in vars(module).values():
            if _is_objective(found) and found.__module__ == module.__name__:
                copyreg.pickle(found, reduced)


@dataclass(frozen=True)
class OwnPlace:
    """What it takes to find a class again, wherever a model that it made is served.

    Attributes:
        given: `file.py:Class` or `module:Class`.
        code: The file's text; None for an installed module's.
    """

    given: str
    code: str | None

    def find(self) -> ObjectiveFactory:
        """The class; errors as of `find_own_objective`."""
        return find_own_objective(self.given, self.code)


def place_of(objective: Objective) -> OwnPlace | None:
    """Where an objective's class is; None for a built-in one."""
    found = type(objective)
    own = getattr(sys.modules.get(found.__module__), _CODE, None)
    if isinstance(own, OwnCode):
        return OwnPlace(f"{own.where}:{found.__name__}", own.code)
    if objective.name in OBJECTIVES:
        return None
    return OwnPlace(f"{found.__module__}:{found.__name__}", None)


def _made(own: OwnCode, name: str) -> Any:
    found: Any = getattr(own.module, name)
    return found.__new__(found)


def is_own(given: str) -> bool:
    """Whether an objective's name is the place of a class."""
    return ":" in given


def find_own_objective(given: str, code: str | None = None) -> ObjectiveFactory:
    """Finds a user's class.

    Args:
        given: `file.py:Class` or `module:Class`; a module that is a file below the current folder is taken as that
            file.
        code: The file's text as it was when a study began; None: read the file.

    Raises:
        OwnObjectiveError: If there is no such file, module or class, or it is no objective.
    """
    where, _, name = given.rpartition(":")
    if not where or not name.isidentifier():
        _refuse(given, "file.py:Class or module:Class", "correct it")
    code = _read(given, where) if code is None else code
    try:
        module = import_module(where) if code is None else OwnCode(where, code).module
        found = getattr(module, name, None)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's file may raise anything
        _refuse(f"{given}: {explained(error, where)}", "a file that runs and has the class", "mend it")
    return _checked(given, found, module)


def code_of(given: str) -> str | None:
    """The text of an own objective's file; None for an installed module's.

    Raises:
        OwnObjectiveError: If the file cannot be read.
    """
    return _read(given, given.rpartition(":")[0])


def fingerprint(given: str, code: str | None) -> str:
    """The class's name and a hash of the text it is in; of an installed module, of the place."""
    return f"{given.rpartition(':')[2]} {_digest(given if code is None else code)}"


def _checked(given: str, found: Any, module: ModuleType) -> Callable[..., Any]:
    if not inspect.isclass(found):
        known = [name for name, one in vars(module).items() if _is_objective(one)]
        _refuse(f"{given}: no such class", f"one of {', '.join(known) or 'none there'}", "correct the name")
    name = getattr(found, "name", None)
    missing = [one for one in _NEEDED if getattr(found, one, None) is getattr(Objective, one)]
    if not _is_objective(found):
        _refuse(f"{given}: no objective", "a subclass of objectives.base.Objective", "make it one")
    if missing:
        _refuse(f"{given} without {', '.join(missing)}", f"a class with {', '.join(_NEEDED)}", "write it")
    if not isinstance(name, str) or not name.isidentifier() or name in OBJECTIVES:
        allowed = f"a word of letters, digits and _ that is none of {', '.join(OBJECTIVES)}"
        _refuse(
            f"{given} with name {name!r}", allowed, f'write name = "{found.__name__.lower()}" in the class'
        )
    return found


def _is_objective(found: Any) -> bool:
    return inspect.isclass(found) and Objective in found.__mro__ and found is not Objective


def _read(given: str, where: str) -> str | None:
    """The text of the file; None for a module that is no file here."""
    try:
        return source_of(where)
    except SourceUnreadableError as error:
        _refuse(f"{given}: {error}", "a Python file", "correct the path")


def explained(error: BaseException, where: str) -> str:
    """An error of the user's code in one line, with the line of the file it came from."""
    text = " ".join(str(error).split())[:_MOST_TEXT]
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == where]
    at = f" (line {lines[-1]} of {where})" if lines else ""
    return f"{type(error).__name__}{': ' if text else ''}{text}{at}"


def _refuse(got: str, allowed: str, do: str) -> NoReturn:
    raise OwnObjectiveError(f"objective: got {got}; allowed: {allowed}; do: {do}") from None


def _digest(code: str) -> str:
    return hashlib.blake2b(code.encode(), digest_size=8).hexdigest()
