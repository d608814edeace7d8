from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

import optuna
import pytest

from storage.bundle.archive import open_bundle
from storage.bundle.members import BundleError
from storage.layout import Layout
from storage.ledger import open_ledger
from storage.study_lock import StudyLockedError, study_lock
from tests.storage_tests.carrying import (
    STUDY,
    add_files,
    export_from,
    fingerprint,
    import_into,
    new_project,
    record_of,
    runs_of,
    trials_of,
)
from tests.storage_tests.servers import serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage.mlflow_callback import MLflowCallback

CUT_SHORT = """
import os, signal, sys
from pathlib import Path
import storage.{module} as module
from tests.storage_tests.carrying import import_into
original = module.{function}
def killed(*args, **kwargs):
    if {after}:
        original(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
module.{function} = killed
import_into(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.fixture
def home(
    layout: Layout,
    study: optuna.Study,
    run_trials: Callable[..., None],
    callback: MLflowCallback,
    tmp_path: Path,
) -> Path:
    """A project with a study of eight trials in all ways to end, one waiting, and all files a search leaves."""
    callback.open(study)
    run_trials(8, callback)
    study.enqueue_trial({"rate": 0.5}, user_attrs={"from": "a friend"})
    add_files(layout, study, callback)
    callback.close(study)
    return tmp_path


@pytest.fixture
def bundle(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That project's study as a file."""
    path = tmp_path_factory.mktemp("bundles") / "first.zip"
    export_from(home, path)
    return path


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Path:
    """An empty project."""
    return new_project(tmp_path_factory.mktemp("elsewhere") / "project", mlflow_template)


def test_an_import_has_every_trial_exactly(home: Path, bundle: Path, elsewhere: Path) -> None:
    """Numbers, states, values, parameters, distributions, attributes, reports and times are the same."""
    done = import_into(elsewhere, bundle)

    assert trials_of(elsewhere) == trials_of(home)
    assert (done.trials, done.runs, done.is_copy) == (9, 9, False)


def test_a_waiting_trial_waits_on(bundle: Path, elsewhere: Path) -> None:
    """The configuration that was queued is the next one asked for."""
    import_into(elsewhere, bundle)

    with contextlib.chdir(elsewhere):
        study = optuna.load_study(study_name=STUDY, storage=open_ledger(Layout().ledger_url))
        trial = study.ask()
        assert trial.suggest_float("rate", 0.01, 1.0, log=True) == 0.5
    assert trial.user_attrs == {"from": "a friend"}


def test_exporting_an_imported_study_gives_the_same_bytes(bundle: Path, elsewhere: Path) -> None:
    """Nothing in a bundle depends on where it was written."""
    import_into(elsewhere, bundle)
    again = bundle.with_name("again.zip")
    export_from(elsewhere, again)

    assert again.read_bytes() == bundle.read_bytes()


def test_from_sqlite_to_postgresql_and_back(
    home: Path, bundle: Path, elsewhere: Path, postgresql_url: str, mlflow_template: Path
) -> None:
    """Three ledgers, one content: both later exports are the first, byte for byte."""
    import_into(elsewhere, bundle, postgresql_url)
    second = bundle.with_name("second.zip")
    export_from(elsewhere, second, postgresql_url)
    back = new_project(elsewhere.parent / "back", mlflow_template)
    import_into(back, second)
    third = bundle.with_name("third.zip")
    export_from(back, third)

    assert trials_of(elsewhere, postgresql_url) == trials_of(back) == trials_of(home)
    assert bundle.read_bytes() == second.read_bytes() == third.read_bytes()


def test_the_runs_are_the_same_under_their_parent(home: Path, bundle: Path, elsewhere: Path) -> None:
    """Names, states, times, parameters, metrics and tags are carried; ids are the new record's own."""
    import_into(elsewhere, bundle)
    ids = {run.info.run_name: run.info.run_id for run in runs_of(elsewhere)}

    for old, new in zip(runs_of(home), runs_of(elsewhere), strict=True):
        assert old.info.run_id != new.info.run_id
        for fact in ("run_name", "status", "start_time", "end_time"):
            assert getattr(old.info, fact) == getattr(new.info, fact)
        assert (old.data.params, old.data.metrics) == (new.data.params, new.data.metrics)
        links = {"mlflow.parentRunId", "best_run_id"} & set(old.data.tags)
        assert {k: v for k, v in old.data.tags.items() if k not in links} == {
            k: v for k, v in new.data.tags.items() if k not in links
        }
        assert {new.data.tags[name] for name in links} <= set(ids.values())
    parents = {run.data.tags.get("mlflow.parentRunId") for run in runs_of(elsewhere)}
    assert parents == {None, ids[STUDY]}


def test_the_files_are_the_same(home: Path, bundle: Path, elsewhere: Path) -> None:
    """Predictions, kept model and submissions arrive whole; half-written and other studies' files do not."""
    import_into(elsewhere, bundle)
    old, new = fingerprint(home / "mlruns"), fingerprint(elsewhere / "mlruns")
    carried = {path: sha for path, sha in old.items() if path.startswith(f"predictions/{STUDY}/")}
    carried |= {
        path: sha for path, sha in old.items() if path.endswith(".csv") and path.startswith("submissions")
    }
    left = {f"predictions/{STUDY}/.half.tmp.npz", "submissions/submission_other_trial_00004.csv"}

    assert len(carried) == 7
    assert {path: sha for path, sha in carried.items() if path not in left}.items() <= new.items()
    assert not left & set(new)


def test_artifacts_of_one_name_in_several_folders_stay_apart(
    home: Path, bundle: Path, elsewhere: Path
) -> None:
    """Each artifact arrives in its folder with its own content."""
    import_into(elsewhere, bundle)
    old, new = (
        {(path.split("/artifacts/")[1], sha) for path, sha in files.items() if "/artifacts/" in path}
        for files in (fingerprint(home / "mlruns"), fingerprint(elsewhere / "mlruns"))
    )

    assert len({sha for path, sha in old if path.endswith("駅.txt")}) == 2
    assert {pair for pair in old if pair[0] != "best_params.json"} <= new


def test_an_artifact_whose_name_has_an_escape_is_carried(home: Path, elsewhere: Path, tmp_path: Path) -> None:
    """What a study of another name than a plain one once left among its artifacts comes along, and is right there."""
    from storage.mlflow_callback import MLflowCallback

    name = "submission_my%20study%20%E6%9D%B1%E4%BA%AC_trial_00004.csv"
    with contextlib.chdir(home):
        study = optuna.load_study(study_name=STUDY, storage=open_ledger(Layout().ledger_url))
        callback = MLflowCallback(Layout().tracking_uri, "cv_rmse_mean", experiment="rents")
        callback.attach(study, 4, {name: Layout().submissions / f"submission_{STUDY}_trial_00004.csv"})
    export_from(home, tmp_path / "x.zip")
    import_into(elsewhere, tmp_path / "x.zip")
    export_from(elsewhere, tmp_path / "again.zip")
    with contextlib.chdir(elsewhere):
        study = optuna.load_study(study_name=STUDY, storage=open_ledger(Layout().ledger_url))
        callback = MLflowCallback(Layout().tracking_uri, "cv_rmse_mean", experiment="rents")

        assert not callback.file_differences(study, 4)
    assert any(path.endswith(f"/artifacts/{name}") for path in fingerprint(elsewhere))
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "x.zip").read_bytes()


def test_a_promotion_record_names_the_run_in_the_new_record(
    home: Path, bundle: Path, elsewhere: Path
) -> None:
    """A record's run can be looked up where the study is now; all else in it stays."""
    import_into(elsewhere, bundle)
    run_id = next(run.info.run_id for run in runs_of(elsewhere) if run.info.run_name == "trial_00004")

    assert record_of(elsewhere) == record_of(home) | {"run_id": run_id}


def test_a_search_finds_nothing_to_mend_after_an_import(bundle: Path, elsewhere: Path) -> None:
    """The imported record is equal to the imported ledger."""
    from storage.mlflow_callback import MLflowCallback

    import_into(elsewhere, bundle)
    with contextlib.chdir(elsewhere):
        study = optuna.load_study(study_name=STUDY, storage=open_ledger(Layout().ledger_url))
        report = MLflowCallback(Layout().tracking_uri, "cv_rmse_mean", experiment="rents").sync(study)

    assert not report.changed
    assert report.kept == 8


def test_a_taken_name_is_refused_and_a_new_one_is_not(home: Path, bundle: Path) -> None:
    """A second study of that name stays out; under another name it is a study of its own, beside the first."""
    before = fingerprint(home / "mlruns" / "predictions"), len(runs_of(home)), trials_of(home)

    with pytest.raises(BundleError, match=r"got 'first'.*do: give it another with --study"):
        import_into(home, bundle)
    assert (fingerprint(home / "mlruns" / "predictions"), len(runs_of(home)), trials_of(home)) == before

    done = import_into(home, bundle, name="second")

    assert done.is_copy
    assert trials_of(home, name="second") == before[2]
    uids = {run.data.tags["optuna_study_uid"] for run in runs_of(home)}
    assert len(runs_of(home)) == 2 * before[1]
    assert len(uids) == 2
    assert record_of(home)["study"] == STUDY
    copied = record_of(home, "submission_20261123_120000_2")
    assert (copied["study"], copied["file"]) == ("second", "submission_20261123_120000_2.csv")
    assert (home / "mlruns" / "submissions" / "submission_second_trial_00004.csv").is_file()


def test_a_study_at_work_is_not_exported(home: Path, tmp_path: Path) -> None:
    """While a coordinator holds the study there is no whole of it; the refusal says who holds it."""
    with (
        contextlib.chdir(home),
        study_lock(Layout(), STUDY),
        pytest.raises(StudyLockedError, match="process"),
    ):
        export_from(home, tmp_path / "x.zip")

    assert not (tmp_path / "x.zip").exists()


def test_trials_of_a_dead_coordinator_wait_again(home: Path, elsewhere: Path, tmp_path: Path) -> None:
    """A trial left running is carried as interrupted, its configuration queued; the ledger stays as it is."""
    with contextlib.chdir(home):
        study = optuna.load_study(study_name=STUDY, storage=open_ledger(Layout().ledger_url))
        asked = study.ask()
        other = study.ask()
        other.suggest_float("rate", 0.01, 1.0, log=True)
    before = trials_of(home)
    export_from(home, tmp_path / "x.zip")
    import_into(elsewhere, tmp_path / "x.zip")
    trials = trials_of(elsewhere)

    assert trials_of(home) == before
    assert trials[:8] == before[:8]
    for trial in (trials[asked.number], trials[other.number]):
        assert trial.state.name == "FAIL"
        assert trial.user_attrs["interrupted"]
    assert [trial.system_attrs["fixed_params"] for trial in trials[10:]] == [{"rate": 0.5}, other.params]
    assert [trial.state.name for trial in trials[10:]] == ["WAITING", "WAITING"]


@pytest.mark.parametrize(
    ("module", "function", "after"),
    [
        ("bundle.importing", "restore_runs", True),
        ("bundle.files", "Path.rename", False),
        ("bundle.importing", "_give_name", False),
        ("bundle.importing", "_give_name", True),
    ],
)
def test_a_killed_import_is_repeated_from_the_start(  # noqa: PLR0917 - three of them are the case
    bundle: Path, elsewhere: Path, home: Path, module: str, function: str, after: bool
) -> None:
    """Wherever it dies, the study is not there in part, and the same command brings it whole."""
    script = CUT_SHORT.format(module=module, function=function, after=after)
    killed = subprocess.run(
        [sys.executable, "-c", script, elsewhere, bundle], check=False, capture_output=True
    )
    assert killed.returncode == -9, killed.stderr
    with contextlib.chdir(elsewhere):
        names = optuna.get_all_study_names(open_ledger(Layout().ledger_url))
    is_there = function == "_give_name" and after

    assert (STUDY in names) is is_there
    if is_there:
        with pytest.raises(BundleError, match="a study that"):
            import_into(elsewhere, bundle)
    else:
        import_into(elsewhere, bundle)

    again = bundle.with_name("again.zip")
    export_from(elsewhere, again)
    assert again.read_bytes() == bundle.read_bytes()
    assert trials_of(elsewhere) == trials_of(home)
    assert len(runs_of(elsewhere)) == 9
    assert not list((elsewhere / "mlruns" / "imports").glob("*.json"))


def test_an_import_that_fails_leaves_nothing(
    bundle: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun is taken away at once when the ledger refuses at the last."""
    import storage.bundle.importing

    def refuse(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(storage.bundle.importing, "_give_name", refuse)
    with pytest.raises(BundleError, match="no space left"):
        import_into(elsewhere, bundle)

    assert not runs_of(elsewhere)
    with contextlib.chdir(elsewhere):
        assert not optuna.get_all_study_names(open_ledger(Layout().ledger_url))
    files = [path for path in fingerprint(elsewhere / "mlruns") if not path.endswith(".db")]
    assert not [path for path in files if path.startswith(("predictions", "submissions", "imports"))]


def test_through_a_tracking_server(
    bundle: Path, elsewhere: Path, tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path
) -> None:
    """A record behind HTTP, with artifacts of its own, takes a study and gives it back to the byte."""
    with serve(tmp_path_factory.mktemp("server"), mlflow_template) as address:
        import_into(elsewhere, bundle, uri=address)
        again = bundle.with_name("again.zip")
        export_from(elsewhere, again, uri=address)

    assert again.read_bytes() == bundle.read_bytes()


def test_a_ledger_that_does_not_answer_is_one_line(bundle: Path, elsewhere: Path) -> None:
    """An address nobody answers at is refused with its reason, and nothing is begun."""
    before = fingerprint(elsewhere)

    with pytest.raises(BundleError, match=r"--storage: got .*do: ") as refusal:
        import_into(elsewhere, bundle, "postgresql+psycopg://nobody@127.0.0.1:1/none")

    assert "\n" not in str(refusal.value)
    assert fingerprint(elsewhere) == before


def test_a_plain_study_that_was_never_recorded_is_carried(
    elsewhere: Path, home: Path, tmp_path: Path
) -> None:
    """A study of any Optuna script in the ledger has trials only, of several objectives too."""
    with contextlib.chdir(home):
        ledger = open_ledger(Layout().ledger_url)
        plain = optuna.create_study(study_name="a/b", storage=ledger, directions=["minimize", "maximize"])
        plain.optimize(lambda trial: (trial.suggest_int("n", 1, 9), trial.number), n_trials=3)
    export_from(home, tmp_path / "x.zip", name="a/b")
    import_into(elsewhere, tmp_path / "x.zip")

    assert trials_of(elsewhere, name="a/b") == trials_of(home, name="a/b")
    with open_bundle(tmp_path / "x.zip") as file:
        assert set(file.manifest.members) == {"study.json", "trials.jsonl", "runs.jsonl"}
