"""`search.submit`, against a stand-in for the site's command: never the network."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from search import submit
from storage.leaderboard import Leaderboard
from tests.search_tests.written_submissions import Written

STAND_IN = """#!{python}
import json, os, sys
with open(os.environ["STAND_IN_LOG"], "a", encoding="utf-8") as log:
    log.write(json.dumps(sys.argv[1:], ensure_ascii=False) + "\\n")
if os.environ.get("STAND_IN_DIES"):
    os.kill(os.getppid(), 9)
print("Submission completed successfully.")
sys.exit(int(os.environ.get("STAND_IN_CODE", "0")))
"""


@pytest.fixture
def written(in_empty_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """A project, and a folder on the path with stand-ins that write down what they were called with."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("signate", "kaggle"):
        (programs / name).write_text(STAND_IN.format(python=sys.executable), encoding="utf-8")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("STAND_IN_LOG", str(tmp_path / "calls"))
    return Written(in_empty_folder)


def _calls() -> list[list[str]]:
    log = Path(os.environ["STAND_IN_LOG"])
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


def _submit(path: Path, *more: str, to: str = "signate") -> int:
    return submit.main([str(path), "--to", to, "--competition", "key", *more])


def test_a_dry_run_sends_nothing(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --send the command is shown, and neither run nor remembered."""
    assert _submit(written.submission(1, 10.0)) == 0

    output = capsys.readouterr().out
    assert "signate submit --task_key=key " in output
    assert output.splitlines()[-1] == "Dry run: nothing was sent. To send it, add --send"
    assert _calls() == []
    assert Leaderboard(written.layout).entries() == []


def test_sent_once_and_remembered(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """With --send --yes the site's own command runs once, and the same file is not sent again unasked."""
    path = written.submission(1, 10.0)

    assert _submit(path, "--send", "--yes") == 0
    assert _calls() == [["submit", "--task_key=key", str(path), "--memo", "study rents, trial 1, CV 10"]]
    (entry,) = Leaderboard(written.layout).entries()
    assert [(s.program, s.competition, s.state, s.answer) for s in entry.sent] == [
        ("signate", "key", "sent", "Submission completed successfully.")
    ]

    assert _submit(path, "--send", "--yes") == 2
    assert "got a file that was sent to signate key at " in capsys.readouterr().err
    assert len(_calls()) == 1
    assert _submit(path, "--send", "--yes", "--again") == 0
    assert len(_calls()) == 2


def test_kaggle(written: Written) -> None:
    """Kaggle's command has its own words; a note is one of them, whatever is in it."""
    path = written.submission(1, 10.0)

    assert _submit(path, "--send", "--yes", "--note", "; rm -rf $HOME", to="kaggle") == 0
    assert _calls() == [["competitions", "submit", "-c", "key", "-f", str(path), "-m", "; rm -rf $HOME"]]


@pytest.mark.parametrize(("answer", "code"), [("yes\n", 0), ("y\n", 1), ("", 1)])
def test_a_confirmation(written: Written, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    """Only the whole word sends; no terminal is a no."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))

    assert _submit(written.submission(1, 10.0), "--send") == code
    assert len(_calls()) == 1 - code


def test_a_broken_file_is_not_sent(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """What `search.verify` does not pass is not sent, whatever is asked."""
    path = written.submission(1, 10.0)
    path.write_bytes(path.read_bytes()[:-20])

    assert _submit(path, "--send", "--yes") == 1
    assert capsys.readouterr().out.splitlines()[-1] == "Not sent: only a file that is valid and known is"
    assert _calls() == []


def test_a_refusal_is_not_a_sending(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the site's command fails, so does ours, and the file may be sent again."""
    path = written.submission(1, 10.0)
    monkeypatch.setenv("STAND_IN_CODE", "3")
    assert _submit(path, "--send", "--yes") == 1
    monkeypatch.setenv("STAND_IN_CODE", "0")
    assert _submit(path, "--send", "--yes") == 0

    (entry,) = Leaderboard(written.layout).entries()
    assert [sending.state for sending in entry.sent] == ["failed", "sent"]


def test_a_killed_command_does_not_send_twice(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """Killed while the site's command runs, the next command says that the file was perhaps sent."""
    path = written.submission(1, 10.0)
    words = [str(path), "--to", "signate", "--competition", "key", "--send", "--yes"]
    root = Path(submit.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "search.submit", *words],
        cwd=written.home,
        env={**os.environ, "STAND_IN_DIES": "1", "PYTHONPATH": str(root)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -9

    assert _submit(path, "--send", "--yes") == 2
    assert "perhaps sent, by a command that was stopped" in capsys.readouterr().err
    assert len(_calls()) == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "--to: got nothing; allowed: signate, kaggle"),
        (["--to", "signate"], "--competition: got nothing"),
        (["--to", "mail"], "--to: got 'mail'"),
    ],
)
def test_bad_input(
    words: list[str], named: str, written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sending is off until it is said where to."""
    assert submit.main([str(written.submission(1, 10.0)), *words]) == 2
    assert named in capsys.readouterr().err


def test_a_command_that_is_not_installed(
    written: Written, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the site's command there is nothing to send with, and it says what to install."""
    monkeypatch.setenv("PATH", "")
    assert _submit(written.submission(1, 10.0)) == 2
    assert "--to: got signate, which is not installed; allowed: a command on the path; do: pip install" in (
        capsys.readouterr().err
    )
