"""People with the front page open, in a process that leaves the processor to everybody else.

python -m tests.end_to_end_tests.visitors PORT CLIENTS
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

PREFIX = "/mlflow"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PATHS = ("/live", "/live", "/live", "/", "/api/studies", "/api/studies/1?after=0", f"{PREFIX}/version")
"""What an open page asks for, again and again, and sometimes more."""
PAUSE_SECONDS = 2.0
TRIES = 4


@dataclass
class Crowd:
    """What the visitors saw.

    Attributes:
        answers: By status of HTTP.
        slowest: Seconds of the slowest answer.
    """

    answers: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0


async def visit(port: int, crowd: Crowd, clients: int) -> None:
    """Sends that many visitors, until standard input is closed."""
    is_over = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), is_over.set)
    async with asyncio.TaskGroup() as group:
        for i in range(clients):
            group.create_task(_one_visitor(port, crowd, i, is_over))


async def _one_visitor(port: int, crowd: Crowd, number: int, is_over: asyncio.Event) -> None:
    """Looks at the pages over one connection, as a browser does, until all is over; once at least."""
    await asyncio.sleep(PAUSE_SECONDS * (number % 20) / 20)
    connection, visit = await asyncio.open_connection("127.0.0.1", port), number
    while True:
        begun = time.monotonic()
        path = PATHS[visit % len(PATHS)]
        for is_last in (*[False] * TRIES, True):
            try:
                status = await _ask(connection, path, port)
                break
            except (asyncio.IncompleteReadError, ConnectionError):
                # A connection on which a held visitor said nothing for long is closed; a browser opens another.
                if is_last:
                    raise
                connection = await asyncio.open_connection("127.0.0.1", port)
        crowd.answers[status] += 1
        crowd.slowest = max(crowd.slowest, time.monotonic() - begun)
        visit += 1
        if is_over.is_set():
            break
        with suppress(TimeoutError):
            await asyncio.wait_for(is_over.wait(), PAUSE_SECONDS)
    connection[1].close()


async def _ask(connection: Connection, path: str, port: int) -> int:
    """Sends a request; returns the status of its answer, which is read whole."""
    reader, writer = connection
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if "transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    elif "content-length: " in head:
        await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
    return int(head.split()[1])


if __name__ == "__main__":
    # They are on other machines, as it were.
    os.nice(19)
    print("here", flush=True)
    seen = Crowd()
    asyncio.run(visit(int(sys.argv[1]), seen, int(sys.argv[2])))
    print(json.dumps({"answers": seen.answers, "slowest": seen.slowest}))
