from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tests.end_to_end_tests.project import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end_tests.project import Project

FEATURES = """
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


def features(train, test):
    return tuple(table.assign(square=table["area"] ** 2)[["square"]] for table in (train, test))


class MeanByFloor(TransformerMixin, BaseEstimator):
    def fit(self, rows, target):
        self.means_ = np.array([target[rows["floor"] == floor].mean() for floor in range(4)])
        return self

    def transform(self, rows):
        return self.means_[rows["floor"].to_numpy()][:, None]


transformer = MeanByFloor()
"""
SERVE = """
import glob, json, mlflow, pandas as pd
model = mlflow.pyfunc.load_model(glob.glob("mlruns/*/*/artifacts/model")[0])
print(json.dumps(model.predict(pd.read_csv("test.csv")).tolist()))
"""


def test_own_features_from_search_to_served_model(new_project: Callable[[str], Project]) -> None:
    """A user's function and transformer reach worker processes, the record and the served model, to the bit."""
    project = new_project("own")
    rng = np.random.default_rng(0)
    area, city, floor = rng.uniform(15, 90, 240), rng.integers(0, 20, 240), np.arange(240) % 4
    rent = 100 * area + 400 * (city % 5) + 300 * floor
    table = pd.DataFrame({"id": range(240), "area": area, "city": city, "floor": floor, "rent": rent})
    table["city"] = "市" + table["city"].astype("str")
    table[:200].to_csv(project.home / "train.csv", index=False)
    table[200:].drop(columns="rent").to_csv(project.home / "test.csv", index=False)
    (project.home / "mine.py").write_text(FEATURES, encoding="utf-8")
    flags = ["--train", "train.csv", "--test", "test.csv", "--target", "rent", "--features", "mine.py"]

    done = project.run("run", *flags, "--target-encode", "city", "--trials=1", "--folds=2", "--workers=1")
    served = subprocess.run(
        [sys.executable, "-c", SERVE],
        cwd=project.home,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        check=True,
    )

    (submission,) = re.findall(r"^Submission: (\S+)$", done.stdout, re.MULTILINE)
    written = pd.read_csv(project.home / submission)["prediction"].tolist()
    assert json.loads(served.stdout.splitlines()[-1]) == written
    assert not [path for path in project.home.rglob("*") if path.suffix in (".pkl", ".pickle")]
    listed = next(project.home.glob("mlruns/*/*/artifacts/features.txt"))
    names = listed.read_text(encoding="utf-8").split()
    assert names == ["area", "floor", "square", "city.target", "transformer.0"]
