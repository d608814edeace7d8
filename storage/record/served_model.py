"""The code of every registered model: MLflow copies this file into the model and runs it on loading.

It knows neither library nor data: the loading function, which the model carries along, does. Nothing may
import this module, since it imports MLflow and names itself the model as soon as it runs.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pandas as pd  # noqa: TC002 - MLflow evaluates the type hints
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class ServedModel(PythonModel):
    """Hands raw rows to the predictor that `model_config["loader"]` ("package.module:function") returns."""

    def load_context(self, context: Any) -> None:
        """Loads the predictor from the artifact folder `model`."""
        module, _, function = context.model_config["loader"].partition(":")
        load = getattr(importlib.import_module(module), function)
        self._predictor = load(Path(context.artifacts["model"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:  # noqa: ARG002 - MLflow's signature
        """Returns the predictions, shape (n,) or (n, n_classes), of a frame of n raw rows."""
        return self._predictor.predict(model_input)


set_model(ServedModel())
