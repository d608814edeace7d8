"""The LightGBM objective with a stop watch on each call into LightGBM's library."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightgbm.basic

from objectives.models.lightgbm import LightGBMObjective

if TYPE_CHECKING:
    from collections.abc import Callable

    from objectives.base import CVResult, Params, Report

FOLDER = "TIMED_OBJECTIVE_FOLDER"
"""Environment variable: where each process notes its evaluations, a line of JSON each."""


class TimedLightGBM(LightGBMObjective):
    """Notes of each evaluation when it began and ended, and the seconds inside LightGBM."""

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """As without the watch."""
        watch = _watch()
        begun, before = time.time(), watch.by_function.copy()
        try:
            return super().evaluate(params, report)
        finally:
            inside = watch.by_function - before
            note = {"begun": begun, "ended": time.time(), "inside": inside.total(), "functions": inside}
            with Path(os.environ[FOLDER], f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(note) + "\n")


class _Watch:
    """Stands for the library, and adds up how long its functions take."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._timed: dict[str, Callable[..., Any]] = {}
        self.by_function: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        if name not in self._timed:
            function = getattr(self._library, name)

            def timed(*arguments: Any) -> Any:
                start = time.perf_counter()
                try:
                    return function(*arguments)
                finally:
                    self.by_function[name] += time.perf_counter() - start  # type: ignore[assignment]

            self._timed[name] = timed
        return self._timed[name]


def _watch() -> _Watch:
    if not isinstance(lightgbm.basic._LIB, _Watch):  # noqa: SLF001 - the only door into the library
        lightgbm.basic._LIB = _Watch(lightgbm.basic._LIB)  # noqa: SLF001
    return lightgbm.basic._LIB  # noqa: SLF001
