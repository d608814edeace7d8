from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from storage.layout import Layout
from storage.record.model_registry import CHAMPION, register_champion, save_pyfunc
from storage.record.tracking import Tracking, ensure_experiment, open_tracking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.pyfunc import PyFuncModel

LOADER = Path(__file__).with_name("linear_loader.py")
NAME = "rent_of_it's"
ROWS = pd.DataFrame(
    {
        "id": ["000001", "000002", "000003"],
        "area": [20, 35, 50],
        "age": [3.0, None, 12.0],
        "city": ["千代田", None, "港"],
        "empty": [None, None, None],
        "mixed": pd.Series(["a", 1, None], dtype=object),
    }
)
EXPECTED = np.array([206.0, 350.0, 524.0])


@dataclass(frozen=True)
class Champion:
    """A registered model in a project of its own.

    Attributes:
        root: The project's root, which is the working directory of the tests here.
        tracking: Its record.
        run_id: The run that holds the model.
        version: What the first registration answered.
    """

    root: Path
    tracking: Tracking
    run_id: str
    version: str


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packed model: 10 x area + 2 x age."""
    source, destination = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("packed") / "model"
    coefficients = {"area": 10.0, "age": 2.0}
    (source / "coefficients.json").write_text(json.dumps(coefficients), encoding="utf-8")
    save_pyfunc(
        source,
        destination,
        loader="linear_loader:load",
        input_example=ROWS,
        output_example=EXPECTED,
        requirements=["numpy", "pandas"],
        code=[LOADER],
    )
    return destination


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> Iterator[Champion]:
    """The model as the user has it: logged in a run of the local record, and registered."""
    root = tmp_path_factory.mktemp("project")
    with chdir(root):
        tracking = open_tracking(Layout())
        run = tracking.client.create_run(ensure_experiment(tracking, "rents"))
        tracking.client.log_artifacts(run.info.run_id, str(model_folder), "model")
        version = _register(tracking, run.info.run_id)
        yield Champion(root, tracking, run.info.run_id, version)


@pytest.fixture
def served(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> PyFuncModel:
    """The packed model, loaded; what loading adds to the import path is taken away again."""
    from mlflow import pyfunc

    monkeypatch.setattr(sys, "path", list(sys.path))
    model: PyFuncModel = pyfunc.load_model(str(model_folder))
    return model


def _register(tracking: Tracking, run_id: str, *, name: str = NAME, sha256: str = "5a") -> str:
    return register_champion(
        tracking.client,
        name=name,
        source_uri=f"runs:/{run_id}/model",
        run_id=run_id,
        tags={"sha256": sha256},
        description="Best of the study.",
    )


def test_no_pickle(model_folder: Path) -> None:
    """A packed model holds no pickle under any name."""
    files = [path for path in model_folder.rglob("*") if path.is_file()]

    assert {".pkl", ".pickle", ".cloudpickle", ".joblib"}.isdisjoint(path.suffix for path in files)
    assert not any(path.read_bytes().startswith(b"\x80") for path in files)


def test_no_absolute_paths(model_folder: Path) -> None:
    """Nothing in a packed model tells where on this machine it was made."""
    text = (model_folder / "MLmodel").read_text(encoding="utf-8")

    assert str(Path(__file__).parents[2]) not in text
    assert str(model_folder.parent.parent) not in text


def test_requirements(model_folder: Path) -> None:
    """The requirements are those given, and no others."""
    requirements = (model_folder / "requirements.txt").read_text(encoding="utf-8").split()

    assert [line for line in requirements if not line.startswith("mlflow")] == ["numpy", "pandas"]


def test_signature_names_the_columns(served: PyFuncModel) -> None:
    """The signature names the raw columns, none of them required, and the shape of the answer."""
    signature = served.metadata.signature

    assert signature.inputs.input_names() == list(ROWS.columns)
    assert signature.inputs.required_input_names() == []
    assert signature.outputs.inputs[0].shape == (-1,)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(ROWS, id="as given"),
        pytest.param(ROWS.drop(columns=["city", "empty"]), id="columns absent"),
        pytest.param(ROWS.assign(money_room=1.0), id="target there too"),
        pytest.param(ROWS.assign(area=[20.0, 35.0, 50.0]), id="integers as floats"),
        pytest.param(ROWS.assign(age=pd.array([3, None, 12], "Int64")), id="nullable integers"),
        pytest.param(ROWS.assign(area=["20", "35", "50"], city=[1, 2, 3]), id="numbers and text swapped"),
        pytest.param(ROWS.assign(city=[np.nan] * 3, empty=["a", "b", "c"]), id="emptiness swapped"),
        pytest.param(ROWS.assign(city=pd.Categorical(["a", None, "b"])), id="categories"),
        pytest.param(ROWS.astype({"area": "int8", "age": "float32"}), id="narrow types"),
        pytest.param(
            ROWS.assign(empty=pd.Timestamp("2026-11-01"), mixed=pd.Series([True, False, None], dtype=object)),
            id="dates, flags",
        ),
        pytest.param(ROWS.set_index(pd.Index([7, 7, 9])), id="repeated index"),
    ],
)
def test_no_frame_is_refused(served: PyFuncModel, rows: pd.DataFrame) -> None:
    """However pandas happens to type the columns of a file, the predictor sees its values."""
    np.testing.assert_array_equal(served.predict(rows), EXPECTED)


def test_frame_is_not_changed(served: PyFuncModel) -> None:
    """Text stays text, integers stay exact and missing stays missing on the way to the predictor."""
    from mlflow.models.utils import _enforce_schema

    rows = ROWS.assign(area=[2**62 + 1, 2, 3])
    pd.testing.assert_frame_equal(_enforce_schema(rows, served.metadata.signature.inputs), rows)


def test_two_outputs(tmp_path: Path) -> None:
    """Class probabilities get a signature of their width."""
    from mlflow.models import Model

    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "coefficients.json").write_text("{}", encoding="utf-8")
    save_pyfunc(
        tmp_path / "source",
        tmp_path / "model",
        loader="linear_loader:load",
        input_example=ROWS,
        output_example=np.zeros((3, 4)),
        requirements=["numpy"],
        code=[LOADER],
    )

    assert Model.load(str(tmp_path / "model")).signature.outputs.inputs[0].shape == (-1, 4)


def test_champion_predicts_in_a_new_process(champion: Champion) -> None:
    """The user's one line works from the project's root, with the model's own code and no LightGBM loaded."""
    ROWS.to_csv(champion.root / "test.csv", index=False)
    script = f"""
import json, sys
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model({f"models:/{NAME}@{CHAMPION}"!r})
print(json.dumps(model.predict(pd.read_csv("test.csv")).tolist()))
print(sys.modules["linear_loader"].__file__)
print("storage" in sys.modules, "lightgbm" in sys.modules)
"""
    # No address given: plain MLflow looks for `mlflow.db` in the working directory.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=champion.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    values, loader, modules = answer.stdout.splitlines()[-3:]
    np.testing.assert_array_equal(json.loads(values), EXPECTED)
    assert Path(loader).parent.name == "code"
    assert modules == "False False"


def test_registering_again_changes_nothing(champion: Champion) -> None:
    """The same run and submission is one version, however often it is registered."""
    client = champion.tracking.client

    assert _register(champion.tracking, champion.run_id) == champion.version
    assert len(client.search_model_versions(f"run_id = '{champion.run_id}'")) == 1


def test_version_keeps_its_origin(champion: Champion) -> None:
    """A version leads back to its run, its submission and its description."""
    version = champion.tracking.client.get_model_version_by_alias(NAME, CHAMPION)

    assert version.run_id == champion.run_id
    assert version.tags == {"sha256": "5a"}
    assert version.description == "Best of the study."


def test_alias_moves(champion: Champion) -> None:
    """A newer champion takes the alias, an older one gets it back, and both versions stay."""
    tracking, name = champion.tracking, "moving"
    first = _register(tracking, champion.run_id, name=name)
    second = _register(tracking, champion.run_id, name=name, sha256="6b")
    assert first != second
    assert str(tracking.client.get_model_version_by_alias(name, CHAMPION).version) == second

    assert _register(tracking, champion.run_id, name=name) == first
    assert str(tracking.client.get_model_version_by_alias(name, CHAMPION).version) == first


def test_bad_name(champion: Champion) -> None:
    """A name MLflow does not allow is MLflow's error, not a silent other name."""
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="Invalid"):
        _register(champion.tracking, champion.run_id, name="a/b")
