"""The sample at growing sizes, whole searches: `python -m benchmarks.large [--rows 45000 90000 180000 363924]`.

For each size: wall-clock seconds of the whole command, the most memory that all its processes had together
(proportional set size, looked at each second), the score on the sample's own held-back answers, and how far the
time left that was shown was from what it became, from a third of the trials on. One line of JSON for each run is
appended to a file; seconds against rows are drawn beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Line = dict[str, Any]
LINES = Path(__file__).parent / "recorded" / "large.jsonl"
TOLERATED = 0.3
_UNITS = {"s": 1, "min": 60, "h": 3600}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs each size that is not there yet, and draws all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=(45_000, 90_000, 180_000, 363_924))
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--lines", type=Path, default=LINES)
    flags = parser.parse_args(argv)
    lines = (
        [json.loads(text) for text in flags.lines.read_text().splitlines()] if flags.lines.exists() else []
    )
    for rows in flags.rows:
        if not any((line["rows"], line["trials"]) == (rows, flags.trials) for line in lines):
            lines.append(measure(rows, flags.trials))
            with flags.lines.open("a", encoding="utf-8") as file:
                file.write(json.dumps(lines[-1]) + "\n")
            print({key: value for key, value in lines[-1].items() if key != "shown"}, flush=True)
    lines = sorted((line for line in lines if line["trials"] == flags.trials), key=lambda line: line["rows"])
    for few, many in pairwise(lines):
        growth = np.log(many["seconds"] / few["seconds"]) / np.log(many["rows"] / few["rows"])
        print(f"{few['rows']:,} to {many['rows']:,} rows: seconds grow as rows to the power of {growth:.2f}")
    draw(lines, flags.lines.with_suffix(".png"))
    return 0


def measure(rows: int, trials: int) -> Line:
    """Runs one search."""
    from objectives.data.sample import write_sample

    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        paths = write_sample(home / "mlruns" / "sample" / str(rows), rows)
        command = [sys.executable, "-m", "search.run", "--rows", str(rows), "--trials", str(trials)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        start = time.monotonic()
        search = subprocess.Popen(  # noqa: S603 - our own search
            command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True
        )
        memory = _Memory(search.pid)
        output = [(time.monotonic() - start, line) for line in search.stdout or ()]
        seconds = time.monotonic() - start
        submission = next(line for _, line in output if line.startswith("Submission: ")).split(": ", 1)[1]
        score = _rmse(home / submission.strip(), paths.test_target)
    return {
        "rows": rows,
        "trials": trials,
        "seconds": round(seconds, 1),
        "gigabytes": round(memory.most() / 1e9, 2),
        "load": round(load, 2),
        "holdout": score,
        "summary": [line.strip() for _, line in output if not line.startswith("[")][-14:],
        **time_left(output, trials),
    }


class _Memory:
    """Looks at a process and all below it until it ends."""

    def __init__(self, pid: int) -> None:
        import psutil

        self._root, self._most = psutil.Process(pid), 0
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        import psutil

        while self._root.is_running() and self._root.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for process in [self._root, *self._root.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self._most = max(self._most, total)
            time.sleep(1)

    def most(self) -> int:
        self._thread.join()
        return self._most


def time_left(output: list[tuple[float, str]], trials: int) -> Line:
    """What was shown against what it became, as ratios, from a third of the trials on."""
    shown = []
    for second, line in output:
        found = re.match(r"\[ *(\d+)/\d+\].*\| (.+) left$", line.strip())
        if found:
            words = found[2].split()
            left = sum(int(n) * _UNITS[unit] for n, unit in zip(words[::2], words[1::2], strict=True))
            shown.append((int(found[1]), second, left))
    end = shown[-1][1]
    later = [(left, end - second) for n, second, left in shown if trials / 3 <= n < 0.95 * trials]
    ratios = [left / real for left, real in later if real > 0]
    return {
        "time left, within 30 %": round(float(np.mean([abs(ratio - 1) <= TOLERATED for ratio in ratios])), 3),
        "time left, ratios": [round(float(np.quantile(ratios, q)), 2) for q in (0.0, 0.05, 0.5, 0.95, 1.0)],
        "shown": shown,
    }


def _rmse(submission: Path, answers: Path) -> float:
    import pandas as pd

    ours = pd.read_csv(submission, header=None, dtype={0: str}).set_index(0)[1]
    true = pd.read_csv(answers, dtype={"id": str}).set_index("id").iloc[:, 0]
    return float(np.sqrt(np.mean(np.square(ours.loc[true.index] - true))))


def draw(lines: list[Line], path: Path) -> None:
    """Seconds against rows, beside a line of slope 1."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows, seconds = (np.array([line[name] for line in lines], float) for name in ("rows", "seconds"))
    figure, panel = plt.subplots(figsize=(6, 4))
    panel.loglog(rows, seconds, "o-", label="whole command")
    panel.loglog(rows, seconds[0] * rows / rows[0], ":", color="grey", label="linear")
    panel.set_xlabel("training rows")
    panel.set_ylabel(f"seconds for {lines[0]['trials']} trials of 5 folds")
    panel.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    raise SystemExit(main())
