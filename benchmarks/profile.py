"""Where the time of a search goes: `python -m benchmarks.profile [--rows 20000 90000] [--trials 30]`.

One bar for each size: the workers' cores from the command's start to its end, as shares of LightGBM's training, its
other work (data, scores, predictions, models), the objective's own code, and what they waited for: the start, the
next trial, the end. A second bar is the coordinator's main thread and a third its recorder, looked at every 10 ms:
data, sampler, ledger, record, waiting. Written as a picture and printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.timed import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType
    from typing import Self

Shares = dict[str, float]
PICTURE = Path(__file__).parent / "recorded" / "profile.png"
TRAINING = "LGBM_BoosterUpdateOneIter"
LOOK_SECONDS = 0.01
WORTH_SAYING = 5e-4
# The first of these that is in a stack, from its inner end, says what the thread is at.
PLACES = {
    "/threading.py": "waiting",
    "/selectors.py": "waiting",
    "/queue.py": "waiting",
    "/optuna/samplers/": "sampler",
    "/loop/fresh.py": "sampler",
    "/loop/pruner.py": "pruner",
    "/mlflow/": "record",
    "/storage/record/": "record",
    "/optuna/storages/": "ledger",
    "/objectives/data/": "data",
    "/distributed/": "workers",
    "/loop/workers/": "workers",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Prints and draws the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", nargs="+", default=("20000", "90000"), help="of the sample")
    parser.add_argument("--trials", default="30")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    flags = parser.parse_args(argv)
    if flags.measure:
        print(json.dumps(_measure(["--rows", flags.measure, "--trials", flags.trials])))
        return 0
    bars: dict[str, Shares] = {}
    for rows in flags.rows:
        for who, shares in _search(rows, flags.trials).items():
            bars[f"{int(rows):,} rows\n{who}"] = shares
            parts = ", ".join(
                f"{part} {100 * share:.1f} %" for part, share in shares.items() if share >= WORTH_SAYING
            )
            print(f"{int(rows):,} rows, {who}: {parts}", flush=True)
    draw(bars)
    return 0


def _search(rows: str, trials: str) -> dict[str, Shares]:
    with tempfile.TemporaryDirectory() as home:
        notes = Path(home, "notes")
        notes.mkdir()
        environment = {**os.environ, FOLDER: str(notes), "PYTHONPATH": str(Path(__file__).parents[1])}
        command = [sys.executable, "-m", "benchmarks.profile", "--measure", rows, "--trials", trials]
        done = subprocess.run(  # noqa: S603 - this module itself
            command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        figures = json.loads(done.stdout.splitlines()[-1])
        return {"workers": _workers(notes, figures.pop("begun"), figures.pop("ended")), **figures}


def _workers(notes: Path, begun: float, ended: float) -> Shares:
    """Shares of the workers' time, of all of them from the search's start to its end."""
    workers = [[json.loads(line) for line in file.read_text().splitlines()] for file in notes.iterdir()]
    seconds: Counter[str] = Counter()
    for trials in workers:
        inside = sum((Counter(trial["functions"]) for trial in trials), Counter())
        busy = sum(trial["ended"] - trial["begun"] for trial in trials)
        first, last = min(trial["begun"] for trial in trials), max(trial["ended"] for trial in trials)
        parts = {
            "training": inside[TRAINING],
            "other LightGBM": inside.total() - inside[TRAINING],
            "objective": busy - inside.total(),
            "between trials": last - first - busy,
            "start": first - begun,
            "end": ended - last,
        }
        seconds.update({part: round(1e6 * one) for part, one in parts.items()})
    return {part: one / seconds.total() for part, one in seconds.items()}


def _measure(arguments: list[str]) -> dict[str, object]:
    """Runs the search in this process, looked at from beside."""
    import objectives.base
    from search.config import SearchConfig
    from search.flags import parse_flags
    from search.loop.search import run_search
    from storage.layout import Layout

    objectives.base.OBJECTIVES["lightgbm"] = "benchmarks.timed:TimedLightGBM"
    config = parse_flags(
        SearchConfig, [*arguments, "--objective=lightgbm"], command="run", about=""
    ).checked()
    begun = time.time()
    with _Looks() as looks:
        run_search(config, Layout())
    return {"begun": begun, "ended": time.time(), **looks.shares()}


class _Looks:
    """Looks at what this process's main thread and its recorder are at, every so often."""

    def __init__(self) -> None:
        self._seen: dict[str, Counter[str]] = {"coordinator": Counter(), "recorder": Counter()}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="looks", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            names = {thread.ident: thread.name for thread in threading.enumerate()}
            for ident, frame in sys._current_frames().items():  # noqa: SLF001 - the documented way
                name = names.get(ident, "")
                if name == "MainThread":
                    self._seen["coordinator"][_place(frame)] += 1
                elif "record" in name:
                    self._seen["recorder"][_place(frame)] += 1

    def shares(self) -> dict[str, Shares]:
        """Of the looks at each of them, the most frequent first."""
        return {
            who: {part: n / seen.total() for part, n in seen.most_common()}
            for who, seen in self._seen.items()
            if seen
        }


def _place(frame: FrameType) -> str:
    for one in _stack(frame):
        for part, name in PLACES.items():
            if part in one.f_code.co_filename:
                return name
    return "rest"


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def draw(bars: dict[str, Shares]) -> None:
    """Stacked bars."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panel = plt.subplots(figsize=(2 + 1.4 * len(bars), 5))
    colours = plt.get_cmap("tab20")
    parts = [*dict.fromkeys(part for shares in bars.values() for part in shares)]
    bottoms = [0.0] * len(bars)
    for k, part in enumerate(parts):
        heights = [100 * shares.get(part, 0.0) for shares in bars.values()]
        panel.bar([*bars], heights, bottom=bottoms, label=part, color=colours(k))
        bottoms = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]
    panel.set_ylabel("% of the time")
    panel.legend(bbox_to_anchor=(1, 1))
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=120)


if __name__ == "__main__":
    raise SystemExit(main())
