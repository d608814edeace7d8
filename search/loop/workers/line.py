"""The engine's line to a Dask cluster: assignments out, events in, and a new line when it breaks."""

from __future__ import annotations

import queue
import time
from concurrent.futures import Future as AnswerTo
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from objectives.base import Progress
from search.config import CONNECT_SECONDS
from search.loop.workers.process import REPORTED, TrialEnd, evaluate_trial, stop_trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed import Client, Future

    from search.loop.workers.cluster import ClusterAddress
    from search.loop.workers.objective_file import ObjectiveFile
    from search.loop.workers.process import Assignment

CALLS_AT_ONCE = 8
RESTART_SECONDS = 30
LAST_WORDS_SECONDS = 2.0
PAUSED_LOOK_SECONDS = 10.0


class Started(NamedTuple):
    """A worker has begun an attempt."""

    key: str
    resident_bytes: int


class Reported(NamedTuple):
    """A running attempt has reported."""

    key: str
    resident_bytes: int
    progress: Progress


class Ended(NamedTuple):
    """An attempt has ended, and its worker says how."""

    key: str
    end: TrialEnd


class Refused(NamedTuple):
    """An attempt could not even be made."""

    key: str
    reason: str


class WorkerJoined(NamedTuple):
    """There is one more worker."""

    worker: str


class WorkerLeft(NamedTuple):
    """A worker is gone, with all it had to do."""

    worker: str


class WorkerPaused(NamedTuple):
    """A worker begins nothing new, for want of memory."""

    worker: str


@dataclass(frozen=True)
class LineBroken:
    """The scheduler is gone, or has forgotten all it had to do."""


TrialEvent = Started | Reported | Ended | Refused
Event = TrialEvent | WorkerJoined | WorkerLeft | WorkerPaused | LineBroken


class DaskLine:
    """One connection to a cluster. Only `next_event` waits; everything else returns at once.

    Args:
        address: The cluster.
        objective: Sent to workers that do not see its file.
    """

    def __init__(self, address: ClusterAddress, objective: ObjectiveFile) -> None:
        self._address, self._objective = address, objective
        self._events: queue.SimpleQueue[tuple[str, Event]] = queue.SimpleQueue()
        self._futures: dict[str, Future[TrialEnd]] = {}
        self._calls = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="dask-line")
        self._unanswered: set[AnswerTo[None]] = set()
        self._client: Client | None = None
        self._scheduler_id = ""
        self._looked = time.monotonic()
        self.topic = ""

    def open(self, timeout_seconds: float = CONNECT_SECONDS) -> None:
        """Connects, or connects anew; a `WorkerJoined` follows for each worker there is.

        Raises:
            OSError: If the scheduler does not answer.
        """
        self._drop()
        # Events of an earlier connection must not be taken for this one's.
        topic = self.topic = f"search-{uuid4().hex}"
        client = self._client = self._address.connect(timeout_seconds)
        client.subscribe_topic("all", lambda event: self._on_cluster_event(topic, event[1]))
        client.subscribe_topic(topic, lambda event: self._on_worker_event(topic, event[1]))
        self._scheduler_id = _scheduler_id(client)
        self._send_objective(client)
        for worker in client.scheduler_info(n_workers=-1)["workers"]:
            self._events.put((topic, WorkerJoined(worker)))

    def start(self, assignment: Assignment, worker: str) -> None:
        """Hands a worker an attempt at a trial; it may wait there behind others."""
        assert self._client is not None
        key, topic = assignment.key, self.topic
        future = self._futures[key] = self._client.submit(
            evaluate_trial,
            assignment,
            key=key,
            workers=[worker],
            allow_other_workers=False,
            retries=0,
            pure=False,
        )
        future.add_done_callback(lambda done: self._call(self._collect, topic, key, done))

    def stop(self, key: str, worker: str) -> None:
        """Tells a running attempt to stop."""
        client = self._client
        if client is not None:
            self._call(lambda: client.run(stop_trial, key, workers=[worker], on_error="ignore"))

    def restart(self, worker: str) -> None:
        """Kills a worker process; its nanny starts another."""
        client = self._client
        if client is not None:
            self._call(
                lambda: client.restart_workers([worker], timeout=RESTART_SECONDS, raise_for_error=False)
            )

    def look_for_paused(self) -> None:
        """Asks the scheduler now and then for workers that it has paused."""
        client, topic = self._client, self.topic
        if client is None or time.monotonic() < self._looked + PAUSED_LOOK_SECONDS:
            return
        self._looked = time.monotonic()

        def look() -> None:
            for worker, facts in client.scheduler_info(n_workers=-1)["workers"].items():
                if facts["status"] == "paused":
                    self._events.put((topic, WorkerPaused(worker)))

        self._call(look)

    def forget(self, key: str) -> None:
        """Lets go of an attempt, so that it is not made again when its worker dies."""
        future = self._futures.pop(key, None)
        if future is not None:
            self._call(lambda: future.cancel() if not future.done() else future.release())

    def next_event(self, timeout_seconds: float) -> Event | None:
        """Waits for something to happen; None if nothing did."""
        until = time.monotonic() + timeout_seconds
        while True:
            try:
                topic, event = self._events.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return LineBroken() if self._is_broken() else None
            if topic == self.topic:
                return event

    def close(self) -> None:
        """Hangs up, after what was said last has had a moment to arrive; may be called twice."""
        wait([*self._unanswered], timeout=LAST_WORDS_SECONDS)
        self._calls.shutdown(wait=False, cancel_futures=True)
        self._drop()

    def _is_broken(self) -> bool:
        if self._client is None or self._client.status != "running":
            return True
        # Dask connects anew by itself, to a scheduler that may know nothing of us.
        return _scheduler_id(self._client) != self._scheduler_id

    def _drop(self) -> None:
        client, self._client = self._client, None
        self._futures.clear()
        if client is not None:
            with suppress(Exception):
                client.close(timeout=1)

    def _send_objective(self, client: Client) -> None:
        seen = client.run(self._objective.is_visible, on_error="return")
        # A worker that joins later gets the copy too, which matters if none is here yet.
        if not seen or not all(answer is True for answer in seen.values()):
            client.upload_file(self._objective.path, load=False)

    def _on_cluster_event(self, topic: str, event: dict[str, Any]) -> None:
        if event.get("action") == "add-worker":
            self._events.put((topic, WorkerJoined(event["worker"])))
        elif event.get("action") == "remove-worker":
            self._events.put((topic, WorkerLeft(event["worker"])))

    def _on_worker_event(self, topic: str, event: tuple[Any, ...]) -> None:
        key, resident, word, *rest = event
        if word == REPORTED:
            self._events.put((topic, Reported(key, resident, Progress(*rest))))
        else:
            self._events.put((topic, Started(key, resident)))

    def _collect(self, topic: str, key: str, future: Future[TrialEnd]) -> None:
        try:
            if future.cancelled():
                event: Event | None = LineBroken() if key in self._futures else None
            elif future.status == "error":
                error = future.exception()
                event = Refused(key, f"{type(error).__name__}: {error}")
            else:
                event = Ended(key, future.result())
        except Exception:  # noqa: BLE001 - its worker died with the result: `WorkerLeft` follows
            return
        if event is not None:
            self._events.put((topic, event))

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        # In a thread: a worker that is stopped or gone would keep the caller waiting.
        with suppress(RuntimeError):  # after `close`
            call = self._calls.submit(_quietly, function, *arguments)
            self._unanswered.add(call)
            call.add_done_callback(self._unanswered.discard)


def _scheduler_id(client: Client) -> str:
    return str(client._scheduler_identity.get("id"))  # noqa: SLF001 - `scheduler_info` would ask, and may hang


def _quietly(function: Callable[..., Any], *arguments: Any) -> None:
    with suppress(Exception):
        function(*arguments)
