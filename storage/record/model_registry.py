"""Models in MLflow: packed without pickle, registered, and the best one called `champion`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.record.mlflow_schema import quiet_loggers, quiet_mlflow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.models import Model, ModelSignature
    from numpy.typing import NDArray

CHAMPION = "champion"
"""The alias of the version to use: `models:/<name>@champion`."""

_SCRIPT = Path(__file__).with_name("served_model.py")
_EXAMPLE_ROWS = 5


def save_pyfunc(
    source: Path,
    destination: Path,
    *,
    loader: str,
    input_example: pd.DataFrame,
    output_example: NDArray[Any],
    requirements: Sequence[str],
    code: Sequence[Path],
) -> None:
    """Writes an MLflow model folder that holds the saved model, the code to load it, and no pickle.

    Args:
        source: Folder of the saved model, copied whole.
        destination: Folder to write; absent or empty.
        loader: Function that makes the predictor from the folder, as "package.module:function".
        input_example: Raw rows as in the test file; the first few are stored.
        output_example: Predictions of rows, shape (n,) or (n, n_classes).
        requirements: pip requirements; all that are needed, none is inferred.
        code: Packages and modules that the loader needs and pip does not give, copied whole.

    Raises:
        MlflowException: If the destination holds something.
        OSError: If it cannot be written.
    """
    quiet_mlflow()
    from mlflow import pyfunc

    quiet_loggers()
    pyfunc.save_model(
        destination,
        python_model=_SCRIPT,
        artifacts={"model": str(source)},
        model_config={"loader": loader},
        code_paths=[str(path) for path in code],
        pip_requirements=list(requirements),
        signature=_signature(input_example, output_example),
        input_example=input_example.head(_EXAMPLE_ROWS),
    )
    _forget_origins(destination)


def register_champion(
    client: MlflowClient,
    *,
    name: str,
    source_uri: str,
    run_id: str,
    tags: Mapping[str, str],
    description: str,
) -> str:
    """Registers a run's model and moves the alias `champion` to it.

    May be repeated after a crash at any point: what is done already is found again, by the run and by the
    tag `sha256`.

    Args:
        client: Client of the store that holds the run.
        name: The registered model's name; made if need be.
        source_uri: Where the model is, as "runs:/<run id>/model".
        run_id: The run it belongs to.
        tags: Tags of the version; `sha256` should be that of the submission it reproduces.
        description: Text of the version, for people.

    Returns:
        The version.

    Raises:
        MlflowException: If the name is not allowed or the store does not answer.
    """
    _ensure_registered(client, name)
    version = _find_version(client, name, run_id, tags.get("sha256"))
    if version is None:
        created = client.create_model_version(
            name, source_uri, run_id=run_id, tags=dict(tags), description=description
        )
        version = str(created.version)
    client.set_registered_model_alias(name, CHAMPION, version)
    return version


def _signature(rows: pd.DataFrame, output: NDArray[Any]) -> ModelSignature:
    from mlflow.models import ModelSignature, infer_signature
    from mlflow.types.schema import AnyType, ColSpec, Schema, TensorSpec

    # Typed columns would refuse good files: MLflow turns no int64 into a double, no empty column into a
    # string. pandas chooses a column's type file by file; the predictor reads all of them.
    anything = AnyType()  # type: ignore[no-untyped-call]
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(anything, str(name), required=False) for name in rows.columns
    ]
    return ModelSignature(inputs=Schema(columns), outputs=infer_signature(model_output=output).outputs)


def _forget_origins(folder: Path) -> None:
    # MLflow notes the absolute paths it copied from; on loading it needs the names only.
    from mlflow import pyfunc
    from mlflow.models import Model

    model: Model = Model.load(str(folder))
    flavor = model.flavors[pyfunc.FLAVOR_NAME]
    flavor["model_code_path"] = _SCRIPT.name
    for artifact in flavor["artifacts"].values():
        artifact["uri"] = artifact["path"]
    model.save(str(folder / "MLmodel"))


def _ensure_registered(client: MlflowClient, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _find_version(client: MlflowClient, name: str, run_id: str, sha256: str | None) -> str | None:
    # Filtered by run, not by name: a name may hold a quote, an id cannot.
    for version in client.search_model_versions(f"run_id = '{run_id}'"):
        if version.name == name and version.tags.get("sha256") == sha256:
            return str(version.version)
    return None
