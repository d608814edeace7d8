"""A front door as a user starts it, and requests that no browser would send."""

from __future__ import annotations

import http.client
import re
import ssl
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

    from tests.end_to_end_tests.project import Project

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Attributes:
        status: Of HTTP.
        headers: Names in small letters.
        body: Its bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class FrontDoor:
    """A running `search.serve`.

    Attributes:
        project: Whose folder it serves.
        address: Without a path.
        process: The command.
    """

    project: Project
    address: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.address).port or 0

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Sends one request as it is, nothing in the path put right, and reads all of the answer."""
        given = {"Host": f"127.0.0.1:{self.port}", **(headers or {})}
        with closing(self._connection()) as connection:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            if body is not None:
                given.setdefault("Content-Length", str(len(body)))
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())

    def _connection(self) -> http.client.HTTPConnection:
        if self.address.startswith("https:"):
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=PATIENCE_SECONDS, context=context
            )
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)


@contextmanager
def open_front_door(project: Project, *flags: str) -> Iterator[FrontDoor]:
    """Starts the command on a free port and waits for its address."""
    with project.started("serve", "--port", "0", *flags) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("Stop:"):
                break
        found = re.search(r"^Front page: (\S+)/$", said, re.MULTILINE)
        assert found, said
        yield FrontDoor(project, found[1], process)
