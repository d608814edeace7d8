"""From the command line and a TOML file to a checked config; flags win over the file."""

from __future__ import annotations

import argparse
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from search.faults import InputFaults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

Config = TypeVar("Config", bound=BaseModel)


@dataclass(frozen=True)
class Parsed(Generic[Config]):
    """What the flags came to.

    Attributes:
        config: The settings; a bad one has its default.
        faults: One line for each bad flag, key or value.
    """

    config: Config
    faults: tuple[str, ...]

    def checked(self) -> Config:
        """The settings.

        Raises:
            InputFaults: If there is any fault.
        """
        if self.faults:
            raise InputFaults(self.faults)
        return self.config


def parse_flags(
    model: type[Config], argv: Sequence[str] | None, *, command: str, about: str
) -> Parsed[Config]:
    """Builds the config of a command.

    Args:
        model: Its settings; each field is a flag and a TOML key. One with `json_schema_extra={"positional": True}`
            is a word without a flag instead.
        argv: Arguments after the command's name; None: this process's own.
        command: As in `python -m search.<command>`.
        about: One paragraph for `--help`.

    Raises:
        InputFaults: If the arguments cannot be told apart, as for a flag without its value, or a setting without
            a default is bad.
    """
    known, unknown = _parser(model, command, about).parse_known_args(argv)
    given = {key: value for key, value in vars(known).items() if value is not None}
    source = given.pop("config", None)
    # What follows an unknown flag is most likely its value, not a fault of its own.
    strays = [word for word in unknown if word.startswith("-")] or unknown
    faults = [f"got {word}, unknown here; allowed: {_flag_list(model)}; do: see --help" for word in strays]
    values, file_faults = _read_toml(Path(source)) if source else ({}, [])
    faults += file_faults
    values |= given
    try:
        return Parsed(model.model_validate(values), tuple(faults))
    except ValidationError as error:
        bad = error.errors()
    faults += [_fault(e, given, source, model) for e in bad]
    for name in {str(e["loc"][0]) for e in bad}:
        if name in model.model_fields and model.model_fields[name].is_required():
            raise InputFaults(faults)
        del values[name]
    return Parsed(model.model_validate(values), tuple(faults))


class _Parser(argparse.ArgumentParser):
    """Leaves exit codes and the wording of faults to us."""

    def error(self, message: str) -> NoReturn:
        message = message.replace("the following arguments are required:", "no")
        raise InputFaults([f"got {message}; allowed: see --help; do: correct the command"])


def _parser(model: type[BaseModel], command: str, about: str) -> argparse.ArgumentParser:
    parser = _Parser(prog=f"python -m search.{command}", description=about, allow_abbrev=False)
    for name, field in model.model_fields.items():
        about = (field.description or "").replace("%", "%%")
        if _is_positional(field):
            parser.add_argument(name, metavar=name.upper(), help=about)
            continue
        if field.annotation is bool:
            parser.add_argument(_flag(name), dest=name, action="store_const", const=True, help=about)
            continue
        default = "" if field.default in (None, ()) or field.is_required() else f" (default: {field.default})"
        parser.add_argument(_flag(name), dest=name, metavar=name.upper(), help=about + default)
    parser.add_argument("--config", metavar="FILE", help="TOML file with the same settings; flags win")
    return parser


def _is_positional(field: FieldInfo) -> bool:
    return isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get("positional"))


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _label(name: str, model: type[BaseModel]) -> str:
    field = model.model_fields.get(name)
    return name.upper() if field is not None and _is_positional(field) else _flag(name)


def _flag_list(model: type[BaseModel]) -> str:
    return " ".join([*(_label(name, model) for name in model.model_fields), "--config"])


def _read_toml(path: Path) -> tuple[dict[str, Any], list[str]]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, [f"--config: got {path}, no such file; allowed: a TOML file; do: correct the path"]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {}, [f"--config: got {path}, not readable ({error}); allowed: valid TOML; do: mend it"]
    return {key.replace("-", "_"): value for key, value in table.items()}, []


def _fault(error: ErrorDetails, given: dict[str, Any], source: str | None, model: type[BaseModel]) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    where = _label(name, model) if name in given else f"{name} in {source}"
    if error["type"] == "extra_forbidden":
        return f"got {where}, an unknown setting; allowed: {', '.join(model.model_fields)}; do: choose one"
    allowed = error["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return f"{where}: got {error['input']!r}; allowed: {allowed}; do: correct it"
