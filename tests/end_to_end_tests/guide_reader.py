"""Types blocks of the guide as a reader would, in one process, so that what they import is imported once.

Run as `python -m tests.end_to_end_tests.guide_reader HOME < blocks.json`; prints as JSON what each block printed, as
far as it got, and the run ID that the blocks found.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
import traceback
from contextlib import ExitStack, chdir, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.end_to_end_tests.guide_screens import started

SERVERS = ("mlflow ui", "mlflow server", "optuna-dashboard", "python -m search.serve")


class Reader:
    """Someone with one terminal for commands, one for the screens, and Python at hand.

    Attributes:
        home: The folder that has `mlruns/`; further folders are below it, except the project's own.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.names: dict[str, Any] = {}
        self.ports: dict[str, int] = {}
        self.screen = ExitStack()

    def type(self, block: dict[str, str]) -> str:
        """Types a block; returns what it printed."""
        folder = {"": self.home, "project": Path(__file__).parents[2]}.get(
            block["place"], self.home / block["place"]
        )
        printed = io.StringIO()
        with chdir(folder), redirect_stdout(printed):
            getattr(self, f"_{block['language']}")(block["body"])
        return printed.getvalue()

    def _text(self, _body: str) -> None:
        """Only read; the test compares it with what was printed."""

    def _python(self, body: str) -> None:
        exec(body, self.names)  # noqa: S102 - what the guide says

    def _toml(self, body: str) -> None:
        with Path("competition.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n{body}")

    def _sql(self, body: str) -> None:
        import mlflow

        for line in body.splitlines():
            found = mlflow.search_runs(search_all_experiments=True, filter_string=line, max_results=100)
            assert len(found), f"no run is found by: {line}"
            print("\n".join(found["tags.mlflow.runName"]))

    def _bash(self, body: str) -> None:
        for line in body.replace("\\\n", " ").splitlines():
            if line.startswith(SERVERS):
                self._open(line)
            elif line.startswith("export "):
                name, _, value = line.removeprefix("export ").partition("=")
                os.environ[name] = re.sub(r"(?<=:)\d+$", lambda port: str(self.ports[port[0]]), value)
            elif line.startswith("python -m search."):
                _, _, module, *arguments = shlex.split(line, comments=True)
                code = import_module(module).main(arguments)
                assert code == 0, f"exit code {code}: {line}"
            else:
                done = subprocess.run(["bash", "-ec", line], capture_output=True, text=True, check=False)
                assert done.returncode == 0, f"exit code {done.returncode}: {line}\n{done.stderr}"
                print(done.stdout)

    def _open(self, line: str) -> None:
        """Really starts a screen, in place of the one before, and reads its page."""
        self.screen.close()
        address = self.screen.enter_context(started(line.split(), Path.cwd()))
        asked = re.search(r"--port (\d+)", line)
        self.ports[asked[1] if asked else "8080"] = int(address.rstrip("/").rpartition(":")[2])
        with urlopen(address) as answer:  # noqa: S310 - our own address
            print(answer.read().decode())


def main() -> int:
    """Types the blocks until one fails."""
    reader, printed = Reader(Path(sys.argv[1])), []
    with reader.screen:
        for block in json.load(sys.stdin):
            try:
                printed.append(reader.type(block))
            except (Exception, SystemExit):  # noqa: BLE001 - whatever a block does wrong is told
                traceback.print_exc()
                break
    print(json.dumps({"printed": printed, "run_id": reader.names.get("run_id")}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
