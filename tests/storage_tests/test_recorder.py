from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from storage.record.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

ROOT = Path(__file__).parents[2]


def _raise(error: BaseException) -> None:
    raise error


def test_jobs_run_in_order_off_the_callers_thread() -> None:
    """Jobs run one after the other, as they came, elsewhere."""
    done: list[tuple[int, int]] = []
    recorder = Recorder(lambda _text: None)
    for i in range(50):
        recorder.submit(f"trial {i}", lambda i=i: done.append((i, threading.get_ident())))  # type: ignore[misc]

    assert recorder.drain(30)
    assert [i for i, _ in done] == list(range(50))
    assert threading.get_ident() not in {thread for _, thread in done}


def test_what_cannot_succeed_is_told_once_and_counted() -> None:
    """The first failure is one warning line, the others a count, and later jobs still run."""
    warnings: list[str] = []
    done: list[str] = []
    recorder = Recorder(warnings.append)
    recorder.submit("trial 1", lambda: _raise(ValueError("refused\nlong story")))
    recorder.submit("trial 2", lambda: _raise(KeyError(1)))
    recorder.submit("trial 3", lambda: done.append("trial 3"))

    assert recorder.close(30)
    assert done == ["trial 3"]
    assert recorder.failures == 2
    assert recorder.first_error == "trial 1: ValueError: refused"
    assert len(warnings) == 1
    assert "trial 1: ValueError: refused" in warnings[0]


def test_the_backlog_goes_out_by_itself_when_mlflow_answers_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that met a dead server is tried again, the others keep their order, nothing counts as failed."""
    monkeypatch.setattr("storage.record.recorder.FIRST_PAUSE_SECONDS", 0.001)
    warnings: list[str] = []
    done: list[str] = []
    answers = iter([ConnectionError("refused"), TimeoutError(), SystemExit(1), None])

    def job() -> None:
        answer = next(answers)
        if answer is not None:
            raise answer
        done.append("first")

    recorder = Recorder(warnings.append)
    recorder.submit("first", job)
    recorder.submit("second", lambda: done.append("second"))

    assert recorder.drain(30)
    assert done == ["first", "second"]
    assert recorder.failures == 0
    assert [text.split(";")[0] for text in warnings] == [
        "MLflow did not record first: ConnectionError: refused",
        "MLflow answers again",
    ]


def test_draining_does_not_sit_out_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for the record has the server tried at once, however long the next pause would be."""
    monkeypatch.setattr("storage.record.recorder.FIRST_PAUSE_SECONDS", 3_600)
    monkeypatch.setattr("storage.record.recorder.LONGEST_PAUSE_SECONDS", 3_600)
    warned = threading.Event()
    answers = iter([ConnectionError("refused"), None])

    def job() -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    recorder = Recorder(lambda _text: warned.set())
    recorder.submit("first", job)
    assert warned.wait(30)

    assert recorder.drain(30)


def test_a_server_that_comes_and_goes_is_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line when it first fails and one when it first answers, whatever follows."""
    monkeypatch.setattr("storage.record.recorder.FIRST_PAUSE_SECONDS", 0.001)
    warnings: list[str] = []
    recorder = Recorder(warnings.append)
    for number in range(3):
        answers = iter([ConnectionError("refused"), None])

        def job(answers: Iterator[ConnectionError | None] = answers) -> None:
            answer = next(answers)
            if answer is not None:
                raise answer

        recorder.submit(f"trial {number}", job)
        assert recorder.drain(30)

    assert len(warnings) == 2


def test_no_thread_runs_before_there_is_work() -> None:
    """A recorder that is never used costs nothing, and ends at once."""
    before = threading.active_count()
    recorder = Recorder(lambda _text: None)

    assert threading.active_count() == before
    assert recorder.close(30)


def test_closing_tries_a_dead_server_once_more_and_then_gives_up() -> None:
    """What is left when the process ends is counted as waiting, and no pause is sat out."""
    tries: list[int] = []

    def job() -> None:
        tries.append(1)
        raise ConnectionError

    recorder = Recorder(lambda _text: None)
    recorder.submit("first", job)
    recorder.submit("second", lambda: None)

    assert not recorder.close(300)
    assert recorder.waiting == 2
    assert 1 <= len(tries) <= 3


def test_a_failing_warning_does_not_end_recording() -> None:
    """A closed terminal costs nothing but the warning."""
    done: list[str] = []
    recorder = Recorder(lambda _text: _raise(BrokenPipeError()))
    recorder.submit("a", lambda: _raise(ValueError()))
    recorder.submit("b", lambda: done.append("b"))

    assert recorder.close(30)
    assert done == ["b"]
    assert recorder.first_error == "a: ValueError"


def test_waiting_counts_what_is_not_done() -> None:
    """The running job counts as waiting, and drain gives up after its time."""
    gate = threading.Event()
    recorder = Recorder(lambda _text: None)
    recorder.submit("a", lambda: _raise(ValueError()) if not gate.wait(30) else None)
    recorder.submit("b", lambda: None)

    assert recorder.waiting == 2
    assert not recorder.drain(0)
    gate.set()
    assert recorder.drain(30)
    assert recorder.waiting == 0


def test_a_job_after_the_end_is_counted_not_raised() -> None:
    """A late submit is a failure like others."""
    warnings: list[str] = []
    recorder = Recorder(warnings.append)
    recorder.close(30)
    recorder.submit("late", lambda: None)

    assert recorder.failures == 1
    assert len(warnings) == 1


def test_a_hanging_job_does_not_keep_the_process() -> None:
    """A process with a job that never ends exits all the same."""
    code = (
        "import threading\nfrom storage.record.recorder import Recorder\n"
        "r = Recorder(print)\nr.submit('a', threading.Event().wait)\nprint(r.close(0))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    assert result.stdout == "False\n"
