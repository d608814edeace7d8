"""Two hosts' worth of network on one machine: two network namespaces and a cable between them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NETWORK = "192.0.2"  # for documentation (RFC 5737): nobody's


@dataclass(frozen=True)
class Namespace:
    """One of the two.

    Attributes:
        name: As `ip netns` has it.
        address: Where the other one finds it.
        cable: Its end of the cable.
    """

    name: str
    address: str
    cable: str

    def prefix(self, hidden: Path | None = None) -> list[str]:
        """What goes before a command to run it there.

        Args:
            hidden: A folder that is empty for the command.
        """
        inside = ["ip", "netns", "exec", self.name]
        if hidden is None:
            return inside
        # `ip netns exec` gives a command its own view of what is mounted.
        return [*inside, "sh", "-c", 'mount -t tmpfs none "$0" && cd / && exec "$@"', str(hidden)]

    def sent_bytes(self) -> int:
        """What has gone out over the cable."""
        counter = f"/sys/class/net/{self.cable}/statistics/tx_bytes"
        done = subprocess.run([*self.prefix(), "cat", counter], capture_output=True, text=True, check=True)
        return int(done.stdout)


def two_hosts() -> tuple[Namespace, Namespace]:
    """Makes them; `remove` takes them away.

    Raises:
        PermissionError: If this machine or user cannot, with the reason.
    """
    if shutil.which("ip") is None:
        raise PermissionError("there is no `ip` command")
    tag = f"{os.getpid() % 100_000}"
    first, second = (Namespace(f"search{i}-{tag}", f"{NETWORK}.{i}", f"s{i}-{tag}") for i in (1, 2))
    try:
        for host in (first, second):
            _ip("netns", "add", host.name)
        _ip(
            "link",
            "add",
            first.cable,
            "netns",
            first.name,
            "type",
            "veth",
            "peer",
            second.cable,
            "netns",
            second.name,
        )
        for host in (first, second):
            _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", host.cable)
            _ip("-n", host.name, "link", "set", host.cable, "up")
            _ip("-n", host.name, "link", "set", "lo", "up")
    except PermissionError:
        remove(first, second)
        raise
    return first, second


def remove(*hosts: Namespace) -> None:
    """Takes namespaces away, and their cable with them."""
    for host in hosts:
        subprocess.run(["ip", "netns", "delete", host.name], capture_output=True, check=False)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermissionError(f"ip {' '.join(words)}: {done.stderr.strip()}")
