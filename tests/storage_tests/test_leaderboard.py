from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from storage.layout import Layout
from storage.leaderboard import Leaderboard
from storage.submission.writing import sha256_of

ADDING = """
import sys
from pathlib import Path
from storage.layout import Layout
from storage.leaderboard import Leaderboard
home, ledger = Path(sys.argv[1]), Leaderboard(Layout(Path(sys.argv[1])))
print("ready", flush=True)
for number in range(10**9):
    file = home / f"{number % 7}.csv"
    file.write_text(f"1,{number % 7}")
    ledger.add(file, "public", float(number))
    if number == 20:
        print("begun", flush=True)
"""


def test_a_killed_command_leaves_whole_entries(tmp_path: Path) -> None:
    """Killed at any moment, the ledger has whole entries only, each with its file's copy, and takes more."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", ADDING, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert process.stdout is not None
    while process.stdout.readline().strip() != "begun":
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    ledger = Leaderboard(Layout(tmp_path))
    assert len(ledger.entries()) == 7
    for entry in ledger.entries():
        assert sha256_of(ledger.copy_of(entry.sha256)) == entry.sha256
        assert entry.score("public") is not None
    file = tmp_path / "0.csv"
    file.write_text("1,0", encoding="utf-8")
    entry, _ = ledger.add(file, "public", -1.0)
    assert entry.score("public") == -1.0


def test_two_commands_at_once_lose_nothing(tmp_path: Path) -> None:
    """Public and private scores added by two processes at once are both there."""
    root = Path(__file__).parents[2]
    file = tmp_path / "a.csv"
    file.write_text("1,1", encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from storage.layout import Layout\n"
        "from storage.leaderboard import Leaderboard\n"
        "for n in range(20): Leaderboard(Layout(Path(sys.argv[1]))).add(Path(sys.argv[2]), sys.argv[3], float(n))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), str(file), board],
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        for board in ("public", "private")
    ]
    assert [process.wait() for process in processes] == [0, 0]

    (entry,) = Leaderboard(Layout(tmp_path)).entries()
    assert (entry.score("public"), entry.score("private")) == (19.0, 19.0)
    assert len(entry.earlier) == 38
