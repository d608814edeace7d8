from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pandas as pd

from tests.end_to_end_tests.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STUDY = "my study 賃料"
NAMES = ("面積(㎡)", "駅 名", 'say "hi", [x]', "築年:{和暦}", "とても長い名前" * 60, "two\nlines")
YEN = "\uffe5"  # the full-width one: Shift-JIS has no other
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}


def listings(n: int, seed: int) -> pd.DataFrame:
    """Rows under names that some library refuses; money and areas written for people."""
    rng = np.random.default_rng(seed)
    area = rng.uniform(15, 90, n)
    station = rng.choice(["新宿", "高田馬場", "①番街"], n)
    table = pd.DataFrame({"番号": [f"物-{seed}{i:04d}" for i in range(n)]})
    table[NAMES[0]] = [f"{value:.1f}".translate(FULL_WIDTH) for value in area]
    table[NAMES[1]] = station
    for name in NAMES[2:]:
        table[name] = rng.normal(size=n).round(3)
    table["家賃"] = [
        f"{YEN}{value:,.0f}" for value in 3000 * area + 20000 * (station == "新宿") + rng.normal(0, 9000, n)
    ]
    return table


def test_a_zip_in_shift_jis_to_a_served_model(tmp_path: Path, new_project: Callable[[str], Project]) -> None:
    """Japanese files as spreadsheets save them go from search to model and bundle, every name kept."""
    project = Project(tmp_path)
    train, test = listings(120, 1), listings(40, 2).drop(columns="家賃")
    with zipfile.ZipFile(tmp_path / "学習.zip", "w") as archive:
        archive.writestr("学習.csv", train.to_csv(index=False).encode("cp932"))
    test.to_csv(tmp_path / "評価.tsv", sep="\t", index=False, encoding="utf-16")

    flags = ["--train", "学習.zip", "--test", "評価.tsv", "--target", "家賃", "--id", "番号"]
    done = project.run("run", *flags, "--trials", "2", "--workers", "0", "--study", STUDY)

    assert "学習.zip: read as Shift-JIS (cp932)" in done.stdout
    assert "評価.tsv: read as UTF-16" in done.stdout
    assert "Target: text read as numbers" in done.stdout
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    (run,) = [run for run in project.mlflow_runs() if run.info.run_id == said["Run completed"]]
    folder = tmp_path / "mlruns" / run.info.experiment_id / run.info.run_id / "artifacts"
    features = (folder / "features.txt").read_text(encoding="utf-8").splitlines()
    assert features == [name.replace("\n", " ") for name in NAMES]
    served = mlflow.pyfunc.load_model(str(folder / "model")).predict(test)
    # That of the best trial, as the model is.
    (own,) = folder.glob("submission_my_study_賃料_trial_0000?.csv")
    submission = pd.read_csv(own)
    assert submission["番号"].tolist() == test["番号"].tolist()
    assert np.allclose(np.ravel(served), submission.iloc[:, 1])
    assert np.corrcoef(np.ravel(served), [3000 * float(value) for value in test[NAMES[0]]])[0, 1] > 0.5
    uploaded = tmp_path / said["Submission"]
    assert pd.read_csv(uploaded)["番号"].tolist() == test["番号"].tolist()
    kept = [path.read_bytes() for path in folder.glob("submission_my_study_賃料_*.csv")]
    assert uploaded.read_bytes() in kept
    there = new_project("there")
    project.run("export", STUDY, "first.zip")
    there.run("import", tmp_path / "first.zip")
    there.run("export", STUDY, "again.zip")
    assert (there.home / "again.zip").read_bytes() == (tmp_path / "first.zip").read_bytes()
    assert there.run("sync", "--check").stdout == f"{STUDY}: MLflow equals the ledger\n"
