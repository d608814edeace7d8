"""What a callback has in one process, and how it ends with that process.

A callback reaches workers by fork, which leaves threads behind and may copy a lock while it is held, or by
pickling, which takes neither. So all of this is kept by process id, and another process's is never touched.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from functools import partial
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from storage.record.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from optuna.study import Study

    from storage.record.study_record import StudyRecord

LOGGER = logging.getLogger(__name__)
EXIT_SECONDS = 60.0
"""How long a process that ends waits for its record; what is left then is for a sync."""


class ProcessState:
    """A callback's part in one process.

    Attributes:
        lock: Held while MLflow is read or written, so that recording and a sync never meet; so it may be held
            for minutes, and is not for the evaluating threads.
        records: The open studies by name; under `lock`.
        recorder: Records what the callback was called with.
        studies: Studies to end with the process, by name.
        refused: Trials that could not even be queued.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.records: dict[str, StudyRecord] = {}
        self.recorder = Recorder(LOGGER.warning)
        self.studies: dict[str, Study] = {}
        self.refused = 0
        self._pid = os.getpid()
        self._ends = threading.Lock()
        self._is_watched = self._is_ended = False

    @property
    def missed(self) -> int:
        """Pieces of the record that will not be written however long one waits."""
        return self.refused + self.recorder.failures

    def end_with_process(self, close_study: Callable[[Study], None]) -> None:
        """Sees to it that at the end of this process the queue is flushed and the studies are closed.

        Args:
            close_study: Ends a study's run; called in the recorder's thread.
        """
        with self._ends:
            if self._is_watched:
                return
            self._is_watched = True
        end = partial(self._end, close_study)
        # A worker of multiprocessing that was forked runs no exit handlers but multiprocessing's own.
        Finalize(None, end, exitpriority=0)
        atexit.register(end)

    def _end(self, close_study: Callable[[Study], None]) -> None:
        with self._ends:
            if self._is_ended or os.getpid() != self._pid:
                return
            self._is_ended = True
        for study in self.studies.values():
            self.recorder.submit("the study's end", partial(close_study, study))
        self.recorder.close(EXIT_SECONDS)
        lacking = self.recorder.waiting + self.missed
        if lacking:
            LOGGER.warning("MLflow lacks %d pieces of the record; `MLflowCallback.sync` writes them", lacking)
