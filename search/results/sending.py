"""A submission sent through the competition site's own command, once, and remembered."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.faults import InputFaults
from search.results.verification import Verification, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.config import SubmitConfig
    from search.results.origins import Origin
    from storage.layout import Layout
    from storage.leaderboard import Sending

_ANSWER_LINES = 5
_INSTALL = {
    "signate": "pip install signate, then signate token",
    "kaggle": "pip install kaggle, then its API token",
}


@dataclass(frozen=True)
class Plan:
    """What would be sent.

    Attributes:
        command: The command, word by word.
        verification: Of the file.
        config: What was asked for.
    """

    command: tuple[str, ...]
    verification: Verification
    config: SubmitConfig

    @property
    def text(self) -> str:
        """The command as it would be typed."""
        return shlex.join(self.command)


def plan_sending(config: SubmitConfig, layout: Layout) -> Plan:
    """Verifies a file and says what would be run to send it; changes nothing.

    Raises:
        InputFaults: If nothing says where to send it, the program is not there, or it was sent before.
    """
    from search.config import DataConfig

    faults = _setting_faults(config)
    if faults:
        raise InputFaults(faults)
    found = verify(config.file, DataConfig(study=config.study), layout, look_up_runs=False)
    faults = [] if config.again else _sent_before(config, layout, found.sha256)
    if faults:
        raise InputFaults(faults)
    note = config.note or "; ".join(_note(origin) for origin in found.origins[-1:])
    return Plan(_command(config, note), found, config)


def send(plan: Plan, layout: Layout) -> int:
    """Runs the command and notes what became of it; returns its exit code, after printing what it says."""
    from storage.leaderboard import FAILED, SENT, Leaderboard

    config, ledger = plan.config, Leaderboard(layout)
    ledger.begin_sending(config.file, str(config.to), str(config.competition))
    lines: list[str] = []

    def take(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    code = _run(plan.command, take)
    ledger.end_sending(config.file, FAILED if code else SENT, "\n".join(lines[-_ANSWER_LINES:]))
    return code


def _run(command: tuple[str, ...], take: Callable[[str], None]) -> int:
    # A fixed program found on the path, and no shell: a note or a name is one word, whatever is in it.
    with subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            take(line.rstrip())
    return process.returncode


def _command(config: SubmitConfig, note: str) -> tuple[str, ...]:
    program = shutil.which(str(config.to))
    assert program is not None
    file = str(config.file.resolve())
    if config.to == "signate":
        return (program, "submit", f"--task_key={config.competition}", file, "--memo", note)
    return (program, "competitions", "submit", "-c", str(config.competition), "-f", file, "-m", note)


def _note(origin: Origin) -> str:
    return f"{origin.name}" + ("" if origin.score is None else f", CV {origin.score:.5g}")


def _setting_faults(config: SubmitConfig) -> list[str]:
    faults = []
    if config.to is None:
        faults.append("--to: got nothing; allowed: signate, kaggle; do: say where to send it")
    elif shutil.which(config.to) is None:
        install = _INSTALL[config.to]
        faults.append(
            f"--to: got {config.to}, which is not installed; allowed: a command on the path; do: {install}"
        )
    if config.competition is None:
        faults.append(
            "--competition: got nothing; allowed: its name at kaggle, its task key at signate; do: give it"
        )
    return faults


def _sent_before(config: SubmitConfig, layout: Layout, sha256: str) -> list[str]:
    from storage.leaderboard import FAILED, Leaderboard

    entry = Leaderboard(layout).entry(sha256)
    same = [
        sending
        for sending in (entry.sent if entry else ())
        if sending.state != FAILED
        and (sending.program, sending.competition) == (config.to, config.competition)
    ]
    return [_already(same[-1])] if same else []


def _already(sending: Sending) -> str:
    from storage.leaderboard import SENT

    what = "sent" if sending.state == SENT else "perhaps sent, by a command that was stopped"
    return (
        f"got a file that was {what} to {sending.program} {sending.competition} at {sending.when}; allowed: one that "
        "was not; do: look there, and give --again if it is to be sent once more"
    )
