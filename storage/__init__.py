"""Remembers: everything on disk, the Optuna ledger and its MLflow mirror."""

from storage.mlflow_callback import MLflowCallback

__all__ = ["MLflowCallback"]
