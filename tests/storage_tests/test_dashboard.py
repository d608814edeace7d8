"""What optuna-dashboard shows: written as a whole, ours alone, never carried."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna_dashboard import get_note, save_note, save_plotly_graph_object
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects
from optuna_dashboard.artifact._backend import list_study_artifacts, list_trial_artifacts

from storage.dashboard.attributes import (
    carried,
    plot_pieces,
    replace_ours,
    replace_plots,
    system_attributes,
    trial_note,
    users_notes,
)
from storage.dashboard.files import store_file
from storage.dashboard.note import has_block, with_block
from storage.layout import Layout
from storage.ledger import open_ledger, open_sole_ledger
from storage.record.pages import pages_address

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.study import Study


@pytest.fixture(params=["command", "coordinator", "server"])
def shown(request: pytest.FixtureRequest, tmp_path: Path) -> Study:
    """A study with two trials, in a ledger as a command or as a coordinator opens it, or on a real server."""
    is_server, is_sole = request.param == "server", request.param == "coordinator"
    url = request.getfixturevalue("new_database") if is_server else f"sqlite:///{tmp_path / 'optuna.db'}"
    study = optuna.create_study(
        storage=(open_sole_ledger if is_sole else open_ledger)(url), study_name="shown"
    )
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    return study


def _picture(length: int) -> str:
    return json.dumps({"data": [{"y": list(range(length))}], "layout": {}})


def _whole(study: Study, layout: Layout, folder: Path, length: int = 2_000) -> dict[str, Any]:
    file = folder / "submission.csv"
    file.write_text("1,2\n", encoding="utf-8")
    return {
        **plot_pieces("convergence", _picture(length)),
        **with_block(
            system_attributes(study), "**MLflow:** [run](http://127.0.0.1:5000/#/experiments/1/runs/a)"
        ),
        **trial_note(study.trials[1]._trial_id, "[run](http://127.0.0.1:5000)"),
        **store_file(layout, "uid", "best submission", file, study.trials[0]._trial_id),
        **store_file(layout, "uid", "chosen submission", file),
    }


def test_the_dashboard_finds_all_of_it(shown: Study, tmp_path: Path) -> None:
    """Its own functions read our picture, note and files as they were meant."""
    layout = Layout(tmp_path)

    assert replace_ours(shown, _whole(shown, layout, tmp_path))

    attributes, trials = system_attributes(shown), shown.trials
    assert get_plotly_graph_objects(attributes) == {"search-convergence": _picture(2_000)}
    assert "[run](http://127.0.0.1:5000/#/experiments/1/runs/a)" in get_note(shown)
    names = [one["filename"] for one in list_trial_artifacts(attributes, {}, trials[0])]
    (of_study,) = list_study_artifacts(attributes)
    assert names == ["submission.csv"]
    assert (layout.dashboard_artifacts / of_study["artifact_id"]).read_text(encoding="utf-8") == "1,2\n"


def test_what_is_replaced_does_not_pile_up(shown: Study, tmp_path: Path) -> None:
    """A smaller picture leaves nothing of a larger one, and the same again writes nothing."""
    layout = Layout(tmp_path)
    replace_ours(shown, _whole(shown, layout, tmp_path, 5_000))
    once = len(system_attributes(shown))
    values = _whole(shown, layout, tmp_path, 10)

    assert replace_ours(shown, values)
    assert not replace_ours(shown, values)

    assert len(system_attributes(shown)) < once
    assert get_plotly_graph_objects(system_attributes(shown)) == {"search-convergence": _picture(10)}
    assert len(list(layout.dashboard_artifacts.iterdir())) == 2


def test_pictures_alone_leave_note_and_files(shown: Study, tmp_path: Path) -> None:
    """What a running search brings up to date is no more than its pictures."""
    replace_ours(shown, _whole(shown, Layout(tmp_path), tmp_path))
    before = system_attributes(shown)

    assert replace_plots(shown, plot_pieces("fold_scores", _picture(3)))

    after = system_attributes(shown)
    assert get_plotly_graph_objects(after) == {"search-fold_scores": _picture(3)}
    assert {k: v for k, v in after.items() if "plot_data" not in k} == {
        k: v for k, v in before.items() if "plot_data" not in k
    }


def test_what_users_put_there_stays(shown: Study, tmp_path: Path) -> None:
    """Their note around ours, their picture, their file and their note on a trial are never touched."""
    import plotly.graph_objects as go

    first = shown.trials[0]._trial_id
    save_note(shown, "Mine, before.")
    save_plotly_graph_object(shown, go.Figure(), graph_object_id="mine")
    storage = shown._storage
    own = {
        "artifacts:mine": json.dumps({"artifact_id": "mine", "filename": "a.txt", "mimetype": "text/plain"})
    }
    own |= {f"dashboard:{first}:note_ver": 1, f"dashboard:{first}:note_str:0": "A trial to remember."}
    for key, value in own.items():
        storage.set_study_system_attr(shown._study_id, key, value)
    before = system_attributes(shown)

    replace_ours(shown, _whole(shown, Layout(tmp_path), tmp_path))
    replace_ours(shown, with_block(system_attributes(shown), "again"))

    assert get_note(shown).startswith("Mine, before.\n\n[//]")
    assert get_note(shown).count("again") == 1
    assert users_notes(system_attributes(shown)) == {str(first)}
    assert carried(system_attributes(shown)) == before


def test_a_bundle_leaves_all_of_it_behind(shown: Study, tmp_path: Path) -> None:
    """Ids of trials and runs mean nothing elsewhere, so what was never there is carried."""
    before = system_attributes(shown)
    replace_ours(shown, _whole(shown, Layout(tmp_path), tmp_path))

    assert has_block(system_attributes(shown))
    assert carried(system_attributes(shown)) == before


def test_a_note_longer_than_an_attribute_is_whole(shown: Study) -> None:
    """It is cut as the dashboard cuts its own."""
    replace_ours(shown, with_block({}, "long " * 2_000))

    assert get_note(shown).count("long") == 2_000


def test_addresses_tell_no_password() -> None:
    """A record's file is where plain `mlflow ui` serves it; a server is itself, without who logs in."""
    assert pages_address("sqlite:////a/mlflow.db") == "http://127.0.0.1:5000"
    assert pages_address("https://me:secret@host:8443/mlflow/") == "https://host:8443/mlflow"
