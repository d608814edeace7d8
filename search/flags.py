"""From the command line and a TOML file to a checked config; flags win over the file."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from search.faults import InputFaults
from search.settings.file import SettingsFile, read_settings, standard_file
from search.settings.later import name_lines_of
from search.settings.wording import fault_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

CONFIG_HELP = (
    "TOML file with the same settings; flags win (default: competition.toml, if it is in this folder)"
)
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
    model: type[Config], argv: Sequence[str] | None, *, command: str, about: str, reads_file: bool = True
) -> Parsed[Config]:
    """Builds the config of a command.

    Args:
        model: Its settings; each field is a flag and a TOML key. One with `json_schema_extra={"positional": True}`
            is a word without a flag instead.
        argv: Arguments after the command's name; None: this process's own.
        command: As in `python -m search.<command>`.
        about: One paragraph for `--help`.
        reads_file: Whether the settings may come from a file as well.

    Raises:
        InputFaults: If the arguments cannot be told apart, as for a flag without its value, or a setting without
            a default is bad.
    """
    known, unknown = _parser(model, command, about, reads_file=reads_file).parse_known_args(argv)
    given = {key: value for key, value in vars(known).items() if value is not None}
    name_lines_of(None, given)
    file = _settings_file(given.pop("config", None), model, given) if reads_file else None
    # What follows an unknown flag is most likely its value, not a fault of its own.
    strays = [word for word in unknown if word.startswith("-")] or unknown
    faults = [f"got {word}, unknown here; allowed: {_flag_list(model)}; do: see --help" for word in strays]
    faults += file.faults if file else ()
    values = {**(file.values if file else {}), **given}
    # Files that the settings name may be beside the TOML file.
    context = {"folder": file.path.parent} if file else None
    try:
        return Parsed(model.model_validate(values, context=context), tuple(faults))
    except ValidationError as error:
        bad = error.errors()
    names = {str(e["loc"][0]) for e in bad if e["loc"]}
    faults += [_fault(e, given, model) for e in bad]
    if any(model.model_fields[name].is_required() for name in names if name in model.model_fields):
        raise InputFaults(faults)
    rest = {name: value for name, value in values.items() if name not in names and names}
    return Parsed(model.model_validate(rest, context=context), tuple(faults))


def _settings_file(asked: str | None, model: type[BaseModel], given: dict[str, Any]) -> SettingsFile | None:
    """The file that was asked for, or else the current folder's; later faults are told its lines."""
    path = Path(asked) if asked else standard_file()
    file = read_settings(path, model, given) if path else None
    if file and not asked and (file.values or file.faults):
        print(f"Settings: {file.path} (found in this folder; flags win, --config takes another)")
    name_lines_of(file, given)
    return file


class _Parser(argparse.ArgumentParser):
    """Leaves exit codes and the wording of faults to us."""

    def error(self, message: str) -> NoReturn:
        message = message.replace("the following arguments are required:", "no")
        raise InputFaults([f"got {message}; allowed: see --help; do: correct the command"])


def _parser(model: type[BaseModel], command: str, about: str, *, reads_file: bool) -> argparse.ArgumentParser:
    parser = _Parser(prog=f"python -m search.{command}", description=about, allow_abbrev=False)
    for name, field in model.model_fields.items():
        about = (field.description or "").replace("%", "%%")
        if _extra(field, "file_only"):
            continue
        if _is_positional(field):
            count = None if field.is_required() else "?"
            parser.add_argument(name, metavar=name.upper(), nargs=count, help=about)
            continue
        if field.annotation is bool:
            parser.add_argument(_label(name, model), dest=name, action="store_const", const=True, help=about)
            continue
        default = (
            ""
            if field.default in (None, ()) or field.is_required()
            else f" (default: {shown(field.default)})"
        )
        parser.add_argument(_flag(name), dest=name, metavar=name.upper(), help=about + default)
    if reads_file:
        parser.add_argument("--config", metavar="FILE", help=CONFIG_HELP)
    return parser


def shown(default: Any) -> str:
    """A default as it would be typed."""
    return ",".join(default) if isinstance(default, tuple) else str(default)


def _is_positional(field: FieldInfo) -> bool:
    return _extra(field, "positional")


def _extra(field: FieldInfo, name: str) -> bool:
    return isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get(name))


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _label(name: str, model: type[BaseModel]) -> str:
    field = model.model_fields.get(name)
    if field is None:
        return _flag(name)
    if isinstance(field.json_schema_extra, dict) and "flag" in field.json_schema_extra:
        return _flag(str(field.json_schema_extra["flag"]))
    return name.upper() if _is_positional(field) else _flag(name)


def _flag_list(model: type[BaseModel]) -> str:
    flags = [_label(name, model) for name, one in model.model_fields.items() if not _extra(one, "file_only")]
    return " ".join([*flags, "--config"])


def _fault(error: ErrorDetails, given: dict[str, Any], model: type[BaseModel]) -> str:
    name = str(error["loc"][0]) if error["loc"] else "settings"
    if name in given and error["type"] != "missing":
        return fault_line(error, _label(name, model))
    return fault_line(error, _label(name, model) if error["type"] == "missing" else None)
