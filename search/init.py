"""Writes a settings file for your data, each guess with its reason, or the schema of such files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import InitConfig
from search.faults import InputFaults
from search.flags import parse_flags
from search.settings.file import STANDARD_NAME, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = (
    "Looks at a training and a test table and writes competition.toml, which the other commands use in its "
    "folder: target, id, task, metric and more, each with the reason for it. It overwrites nothing."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(InitConfig, argv, command="init", about=ABOUT, reads_file=False).checked()
        if config.print_schema:
            return _schema(config)
        output = config.output or Path(STANDARD_NAME)
        if faults := _faults(config, output):
            raise InputFaults(faults)
        return _write_settings(config, output)

    return exit_code_of(body)


def _schema(config: InitConfig) -> int:
    from search.settings.schema import schema_text

    if config.output is None:
        print(schema_text(), end="")
        return 0
    if fault := _in_the_way(config, config.output):
        raise InputFaults([fault])
    _write(config.output, schema_text())
    print(f"Schema: {config.output}")
    return 0


def _faults(config: InitConfig, output: Path) -> list[str]:
    faults = [
        f"{flag}: got nothing; allowed: a table; do: give --train and --test"
        for flag, path in (("--train", config.train), ("--test", config.test))
        if path is None
    ]
    fault = _in_the_way(config, output)
    return [*faults, fault] if fault else faults


def _in_the_way(config: InitConfig, output: Path) -> str | None:
    if not output.parent.is_dir():
        return (
            f"--output: got {output}, in a folder that is not there; allowed: an existing folder; do: make it"
        )
    if output.is_dir() or (output.exists() and not config.force):
        return (
            f"--output: got {output}, which is there; allowed: a new file; do: name another, or give --force"
        )
    return None


def _write_settings(config: InitConfig, output: Path) -> int:
    from search.config import SearchConfig
    from search.settings.draft import draft_settings
    from storage.atomic import temporary_save_path

    draft = draft_settings(config, output.parent)
    with temporary_save_path(output) as path:
        path.write_text(draft.text, encoding="utf-8", newline="\n")
        if faults := read_settings(path, SearchConfig).faults:
            raise InputFaults(faults)
    print("\n".join(draft.notes))
    print(f"Settings: {output}; look at them, then: python -m search.run{_how(output)}")
    return 0


def _how(output: Path) -> str:
    return "" if output == Path(STANDARD_NAME) else f" --config {output}"


def _write(output: Path, text: str) -> None:
    from storage.atomic import temporary_save_path

    with temporary_save_path(output) as path:
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    raise SystemExit(main())
