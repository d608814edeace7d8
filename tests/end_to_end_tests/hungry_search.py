"""A real search whose next trial, whenever a file is there, eats memory until it is stopped: a command for tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import objectives.base
from objectives.models.lightgbm import LightGBMObjective
from search import run

if TYPE_CHECKING:
    from objectives.base import CVResult, Params, Report

MEAL = "MEAL"
"""Environment variable: path of the file."""
MOUTHFUL_BYTES = 20_000_000


class HungryLightGBM(LightGBMObjective):
    """LightGBM, but for trials that find the file; whoever removes it is the one."""

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """As without the file."""
        try:
            Path(os.environ[MEAL]).unlink()
        except FileNotFoundError:
            return super().evaluate(params, report)
        eaten: list[bytearray] = []
        while not report.stopped():
            eaten.append(bytearray(b"x" * MOUTHFUL_BYTES))
        raise MemoryError


def main() -> int:
    """Runs the search; the workers import this module by its name."""
    objectives.base.OBJECTIVES["lightgbm"] = "tests.end_to_end_tests.hungry_search:HungryLightGBM"
    return run.main(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
