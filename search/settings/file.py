"""A settings file as checked values: every fault with its line and key, paths relative to the file."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

import search.config as settings
from search.settings.places import Key, key_lines
from search.settings.wording import fault_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pydantic_core import ErrorDetails

STANDARD_NAME = "competition.toml"
"""The settings file that is read without being asked for, where it lies in the current folder."""


@dataclass(frozen=True)
class SettingsFile:
    """What a file came to for one command.

    Attributes:
        path: The file.
        values: Checked settings by name; a bad one is left out.
        faults: One line for each bad key or value.
        lines: The line of each key, as written with underscores.
    """

    path: Path
    values: dict[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    lines: dict[Key, int] = field(default_factory=dict)

    def place(self, *key: str) -> str | None:
        """Where a setting of the file is, as `competition.toml:12`; None if it is not there."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.lines:
                return f"{self.path.name}:{self.lines[key[:length]]}"
        return None


def read_settings(path: Path, model: type[BaseModel], overruled: Collection[str] = ()) -> SettingsFile:
    """Reads the settings that a command has, and checks that all others are some command's.

    Args:
        path: The file.
        model: The command's settings.
        overruled: Names of settings that were given otherwise, and are no fault here.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        table = tomllib.loads(text)
    except FileNotFoundError:
        return _unread(
            path, f"--config: got {path}, no such file; allowed: a TOML file; do: correct the path"
        )
    except tomllib.TOMLDecodeError as error:
        return _unread(
            path, f"{path.name}: got {path}, not readable ({error}); allowed: valid TOML; do: mend it"
        )
    except (OSError, UnicodeDecodeError) as error:
        allowed = "a TOML file in UTF-8"
        return _unread(path, f"--config: got {path}, not readable ({error}); allowed: {allowed}; do: mend it")
    lines = {_plain_key(key): number for key, number in key_lines(text).items()}
    return _Reading(SettingsFile(path, lines=lines), model, frozenset(overruled)).checked(table)


def standard_file() -> Path | None:
    """The current folder's settings file, if there is one."""
    path = Path(STANDARD_NAME)
    return path if path.is_file() else None


def known_settings() -> dict[str, type[BaseModel]]:
    """Every command's settings, by name, each with a model that has it; not what has to be typed each time."""
    models = [one for one in vars(settings).values() if isinstance(one, type) and issubclass(one, BaseModel)]
    ours = [one for one in models if one.__module__.startswith(settings.__name__)]
    return {name: one for one in ours for name, info in one.model_fields.items() if not _typed(info)}


def _unread(path: Path, fault: str) -> SettingsFile:
    return SettingsFile(path, faults=(fault,))


def _plain_key(key: Key) -> Key:
    return (key[0].replace("-", "_"), *key[1:])


@dataclass
class _Reading:
    file: SettingsFile
    model: type[BaseModel]
    overruled: frozenset[str]
    faults: list[str] = field(default_factory=list)

    def checked(self, table: Mapping[str, Any]) -> SettingsFile:
        values = self._own(self._named(table))
        for error in self._errors(values):
            values.pop(str(error["loc"][0]), None) if error["loc"] else None
            line = fault_line(error)
            if line not in self.faults:
                self.faults.append(line)
        placed = tuple(self._placed(fault) for fault in self.faults)
        values = {name: self._beside_file(name, value) for name, value in values.items()}
        return SettingsFile(self.file.path, values, placed, self.file.lines)

    def _named(self, table: Mapping[str, Any]) -> dict[str, Any]:
        named: dict[str, Any] = {}
        for key, value in table.items():
            name = key.replace("-", "_")
            if name in named:
                self.faults.append(f"{name}: got it twice, as {key} too; allowed: once; do: take one out")
            elif name not in known_settings():
                self._unknown(key)
            else:
                named[name] = value
        return named

    def _unknown(self, key: str) -> None:
        known = [name for name, info in self.model.model_fields.items() if not _typed(info)]
        near = get_close_matches(key.replace("-", "_"), known_settings(), n=2)
        do = f"write {' or '.join(near)}" if near else "choose one"
        self.faults.append(f"{key}: got an unknown setting; allowed: {', '.join(known)}; do: {do}")

    def _own(self, named: Mapping[str, Any]) -> dict[str, Any]:
        """Those of this command: one file serves all commands."""
        fields = self.model.model_fields
        return {
            n: v
            for n, v in named.items()
            if n in fields and n not in self.overruled and not _typed(fields[n])
        }

    def _errors(self, values: Mapping[str, Any]) -> list[ErrorDetails]:
        # As JSON, for that is strict about types where TOML is, and takes text for a path.
        try:
            self.model.model_validate_json(json.dumps(values, default=str), strict=True)
        except ValidationError as error:
            return [one for one in error.errors() if one["type"] != "missing"]
        return []

    def _placed(self, fault: str) -> str:
        return placed(fault, self.file)

    def _beside_file(self, name: str, value: Any) -> Any:
        folder = self.file.path.parent
        annotation = self.model.model_fields[name].annotation
        if isinstance(value, str) and (annotation is Path or Path in get_args(annotation)):
            return folder / value
        return value


def _typed(field_info: Any) -> bool:
    """Whether a setting has to be typed with the command, and no file may hold it."""
    extra = field_info.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("positional") or extra.get("flag_only"))


def placed(fault: str, file: SettingsFile) -> str:
    """A fault that names a setting of the file, with its line; another one as it is."""
    label, colon, rest = fault.partition(": ")
    words = label.removeprefix("--").split()
    is_space = words[:1] == ["[space]"]
    # A setting, or a table and its key.
    if not colon or file.path.name in label or not 1 <= len(words) <= 1 + is_space:
        return fault
    key = [part for word in words[1:] for part in word.split(".")]
    where = file.place("space", *key) if is_space else file.place(words[0].replace("-", "_"))
    return f"{where} {' '.join(words)}: {rest}" if where else fault
