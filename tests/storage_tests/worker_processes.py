"""A user's own script: one study and one callback, worked on by several processes.

Usage: worker_processes.py METHOD LEDGER TRACKING_URI; METHOD is a start method of multiprocessing, and the
name of the experiment.
"""

from __future__ import annotations

import multiprocessing
import sys
import warnings
from typing import TYPE_CHECKING

import optuna

from storage import MLflowCallback
from storage.ledger import open_ledger

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import Trial

PROCESSES = 4
TRIALS_EACH = 5


def ledger_of(address: str) -> BaseStorage:
    """Opens a database URL, or else a journal file."""
    if "://" in address:
        return open_ledger(address)
    from optuna.storages.journal import JournalFileBackend

    return optuna.storages.JournalStorage(JournalFileBackend(address))


def objective(trial: Trial) -> float:
    """Ends complete, pruned and failed in turn."""
    x = trial.suggest_float("x", 0, 1)
    trial.report(x, 1)
    if trial.number % 3 == 1:
        raise optuna.TrialPruned
    if trial.number % 3 == 2:
        raise MemoryError
    return x


def work(address: str, callback: MLflowCallback, n_trials: int = TRIALS_EACH) -> None:
    """Works on the study, and leaves the rest of the record to the end of the process."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name="many", storage=ledger_of(address))
    study.optimize(objective, n_trials=n_trials, callbacks=[callback], catch=(MemoryError,))


def main(method: str, address: str, tracking_uri: str) -> None:
    """One trial here, so that a forked worker gets a callback in use, then the others in processes."""
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    optuna.create_study(study_name="many", storage=ledger_of(address))
    callback = MLflowCallback(tracking_uri, "score", experiment=method)
    if method == "fork":
        work(address, callback, 1)
        assert callback.flush(300)
    multiprocessing.set_start_method(method)
    workers = [multiprocessing.Process(target=work, args=(address, callback)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print([worker.exitcode for worker in workers], callback.waiting, callback.missed)


if __name__ == "__main__":
    main(*sys.argv[1:])
