"""Ten thousand trials: `python -m benchmarks.long_search [--trials 10000] [--workers 2]`.

The whole search with an objective that costs nothing: coordinator, real workers, SQLite ledger, MLflow record, and
optuna-dashboard asked for all new trials every ten seconds. Prints, each thousand trials, trials a second, the
memory of the command's own process, and the slowest answer of the dashboard; at the end the errors of all three.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.trivial import TEST_ROWS, TRAIN_ROWS, TrivialObjective
from benchmarks.watched import watched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.watched import Looks
    from search.competition import Competition
    from search.loop.search import SearchResult

EVERY = 1_000
MEGABYTE = 1e6


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", help="where to leave mlruns; default: nowhere")
    flags = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(flags.folder or temporary).resolve()
        home.mkdir(parents=True, exist_ok=True)
        os.chdir(home)
        with watched(home) as looks:
            begun = time.monotonic()
            result = _search(flags.trials, flags.workers, looks)
        print(f"{flags.trials} trials in {time.monotonic() - begun:.0f} s; unrecorded: {result.unrecorded}")
        print(f"dashboard: {len(looks.errors)} errors {set(looks.errors) or ''}")
    return 0


def _search(trials: int, workers: int, looks: Looks) -> SearchResult:
    import psutil

    from search.competition import Competition
    from search.config import SearchConfig
    from search.loop import search
    from search.loop.progress import SearchProgress
    from storage.layout import Layout

    _bind(Competition)
    me, out, begun = psutil.Process(), sys.stdout, [time.monotonic()]
    original, closed = SearchProgress.trial_closed, [0]

    def trial_closed(self: SearchProgress, trial: object) -> None:
        original(self, trial)  # type: ignore[arg-type]
        closed[0] += 1
        if closed[0] % EVERY == 0:
            now = time.monotonic()
            rate, memory = EVERY / (now - begun[0]), me.memory_info().rss / MEGABYTE
            print(f"{closed[0]:>7}{rate:>10.1f}{memory:>10.0f}{looks.slowest():>12.2f}", file=out, flush=True)
            begun[0] = now

    SearchProgress.trial_closed = trial_closed  # type: ignore[method-assign]
    print(f"{'trials':>7}{'a second':>10}{'MB':>10}{'dashboard':>12}")
    config = SearchConfig(trials=trials, workers=workers, rows=TRAIN_ROWS, study="long")
    with Path("output.txt").open("w", encoding="utf-8") as output, redirect_stdout(output):
        return search.run_search(config, Layout())


def _bind(competition: type[Competition]) -> None:
    def objective(self: Competition, *_: object, **__: object) -> TrivialObjective:
        rows = len(self.dataset.target), len(self.dataset.test)
        assert rows == (TRAIN_ROWS, TEST_ROWS), rows
        return TrivialObjective()

    competition.objective = objective  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    raise SystemExit(main())
