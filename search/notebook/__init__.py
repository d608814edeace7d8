"""The service as Python calls whose results show themselves; `search` has the names."""

import warnings

with warnings.catch_warnings():
    # Optuna's progress bar, which we do not use, misses a widget in most notebooks.
    warnings.filterwarnings("ignore", message="IProgress not found")
    import optuna  # noqa: F401
