"""A Dask cluster to evaluate on: one started here, or one that is running already."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from search.config import (
    CONNECT_SECONDS,
    FIRST_WORKER_SECONDS,
    KILLED_ABOVE,
    LAST_STEP_SECONDS,
    LOST_WORKER_SECONDS,
    WORKER_SILENCE_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed import Client, LocalCluster

    from search.loop.engine import Limits

_ADDRESS = re.compile(r".+://.+|[^/\\]+:\d+")
LOOK_MILLISECONDS = 2_000.0
SILENT = logging.CRITICAL + 1
SAME_VERSIONS = ("tabular-search", "distributed", "lightgbm", "numpy", "pandas", "scikit-learn")
"""Packages by which the same configuration has the same score, and a worker understands the coordinator."""


class ClusterError(Exception):
    """A cluster that does not answer or is not fit.

    Attributes:
        faults: One line each: got, allowed, do.
    """

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class ClusterAddress(NamedTuple):
    """Where the scheduler is, and the keys to it.

    Attributes:
        scheduler: Address, or path of a scheduler file.
        security: Dask's security options; None: as Dask is configured.
    """

    scheduler: str
    security: Any = None

    def connect(self, timeout_seconds: float) -> Client:
        """Opens a client.

        Raises:
            OSError: If nothing answers, or not the right thing.
        """
        from distributed import Client

        options: dict[str, Any] = {"timeout": timeout_seconds, "set_as_default": False}
        if self.security is not None:
            options["security"] = self.security
        return Client(self._address(), **options)

    def _address(self) -> str:
        if _ADDRESS.fullmatch(self.scheduler):
            return self.scheduler
        # Read each time: a scheduler that is started anew has another port.
        try:
            return str(json.loads(Path(self.scheduler).read_text(encoding="utf-8"))["address"])
        except (ValueError, KeyError, TypeError) as error:
            raise OSError(f"{self.scheduler} is not a scheduler file, or not yet: {error}") from None


@contextmanager
def local_cluster(workers: int, limits: Limits) -> Iterator[ClusterAddress]:
    """Starts a scheduler and worker processes on this machine, for as long as the block runs.

    A process that dies is started again by its nanny; one that dies or dawdles as it starts, so that its nanny
    gives up, by another one. Nobody else on the machine can hand them work: the
    connections are encrypted with a key that only this process has.
    """
    import dask
    from distributed import LocalCluster
    from distributed.security import Security

    quiet_dask()
    memory = limits.memory_bytes
    # Dask's own memory rules move task results to disk and pause workers. The memory here is the data and
    # LightGBM's, which cannot be moved, and a worker paused by it would never go on.
    rules = {"target": False, "spill": False, "pause": False, "terminate": 1.0}
    settings: dict[str, Any] = {f"distributed.worker.memory.{name}": value for name, value in rules.items()}
    settings["distributed.scheduler.worker-ttl"] = f"{WORKER_SILENCE_SECONDS:g}s"
    settings["distributed.deploy.lost-worker-timeout"] = f"{LOST_WORKER_SECONDS:g}s"
    # Dask serves pages on a fixed port otherwise, and complains if another search has it.
    settings |= {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
    # Each worker would look a hundred times a second at what it does, and fifty times whether it answers: with all
    # cores at work that makes trials a twentieth longer.
    settings |= {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}
    # Dask's own gives freed memory back at once, and takes it again: networks took three times as long.
    settings["distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_"] = None
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=None if memory == math.inf else int(memory * KILLED_ABOVE),
            host="127.0.0.1",
            # Any free port: with none said it is Dask's own, and another coordinator on this host may have that.
            dashboard_address="127.0.0.1:0",
            security=Security.temporary(),
            silence_logs=SILENT,
            preload=["search.loop.workers.preload"],
        ) as cluster,
        _kept_whole(cluster, workers),
    ):
        yield ClusterAddress(cluster.scheduler_address, cluster.security)


@contextmanager
def _kept_whole(cluster: LocalCluster, workers: int) -> Iterator[None]:
    """Starts what is missing: Dask drops a worker whose nanny has given up, and does not replace it by itself."""
    from tornado.ioloop import PeriodicCallback

    loop = cluster.loop
    assert loop is not None
    look = PeriodicCallback(lambda: cluster.scale(workers), LOOK_MILLISECONDS)
    loop.add_callback(look.start)
    try:
        yield
    finally:
        loop.add_callback(look.stop)
        cluster.sync(_end_workers, cluster)


async def _end_workers(cluster: LocalCluster) -> None:
    """Ends the processes, also amid a step that takes long: nothing is wanted of them, and Dask would wait for it."""
    nannies = list(cluster.workers.values())
    await asyncio.gather(
        *(nanny.close(timeout=LAST_STEP_SECONDS) for nanny in nannies), return_exceptions=True
    )


def given_cluster(scheduler: str) -> ClusterAddress:
    """Checks a running cluster, waiting a while for its first worker.

    Raises:
        ClusterError: If it does not answer, has no worker, or other versions than this process.
    """
    quiet_dask()
    address = ClusterAddress(scheduler)
    try:
        client = address.connect(CONNECT_SECONDS)
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"--cluster: got {scheduler}, no answer ({_first_line(error)}); allowed: the address or scheduler "
            "file of a running Dask scheduler; do: start it, or correct the address"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=FIRST_WORKER_SECONDS)
        except TimeoutError:
            raise ClusterError(
                f"--cluster: got {scheduler}, a scheduler without workers for {FIRST_WORKER_SECONDS:.0f} s; "
                "allowed: at least 1; do: start workers"
            ) from None
        faults = version_faults(client)
    if faults:
        raise ClusterError(*faults)
    return address


def version_faults(client: Client) -> list[str]:
    """One line for each package of which a worker has another version than this process."""
    here = {name: _version(name) for name in SAME_VERSIONS}
    found = cast("dict[str, Any]", client.get_versions(packages=SAME_VERSIONS))["workers"]
    return [
        f"worker {worker}: got {name} {told['packages'].get(name) or 'not installed'}; "
        f"allowed: {wanted}, as here; do: install the same requirements.lock there"
        for worker, told in sorted(found.items())
        for name, wanted in here.items()
        if told["packages"].get(name) != wanted
    ]


def quiet_dask() -> None:
    """Keeps Dask's logs of lost connections away from the user: the engine says itself what matters."""
    # Each of Dask's modules has a level of its own, which outweighs the parent's.
    import distributed.client  # noqa: F401

    # A copy: other threads make loggers meanwhile.
    known = [name for name in list(logging.root.manager.loggerDict) if name.split(".")[0] == "distributed"]
    for name in ("distributed", "tornado.application", *known):
        logging.getLogger(name).setLevel(SILENT)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
