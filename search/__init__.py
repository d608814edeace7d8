"""Searches hyperparameters of tabular models, from a notebook or a script as from the command line.

```python
from search import load_config, run_search, promote

config = load_config(train="train.csv", test="test.csv", target="price", trials=50)
result = run_search(config)     # the same study as `python -m search.run` with the same settings
result                          # shows itself
result.plot_convergence()
promote(result)                 # the checked file to upload
```

Everything is in the folder `mlruns` of the current folder, and either way of use goes on with what the other began.
"""

import sys
import time
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.config import SearchConfig
    from search.facts.trial import TrialFacts
    from search.faults import InputFaults
    from search.notebook.calls import load_config, load_study, promote, run_search
    from search.notebook.study_result import StudyResult
    from search.results.promotion import Promotion

__all__ = [
    "InputFaults",
    "Promotion",
    "SearchConfig",
    "StudyResult",
    "TrialFacts",
    "load_config",
    "load_study",
    "promote",
    "run_search",
]

STARTED = time.monotonic()
"""When the command began; `--timeout` counts from here."""

_WHERE = {
    "InputFaults": "search.faults",
    "Promotion": "search.results.promotion",
    "SearchConfig": "search.config",
    "StudyResult": "search.notebook.study_result",
    "TrialFacts": "search.facts.trial",
    "load_config": "search.notebook.calls",
    "load_study": "search.notebook.calls",
    "promote": "search.notebook.calls",
    "run_search": "search.notebook.calls",
}


def __getattr__(name: str) -> Any:
    # Every command imports this package, and `--help` shall not wait for what a notebook needs.
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """This package, in which the function `promote` is not hidden by the command of that name once it is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _WHERE and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
