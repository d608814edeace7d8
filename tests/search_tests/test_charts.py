from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from search.results.charts.chart import Chart, Missing, best_few, plain, score_range, score_text, spread_out
from search.results.charts.convergence import convergence
from search.results.charts.errors import error_charts
from search.results.charts.facts import facts_of
from search.results.charts.folds import fold_spread
from search.results.charts.importance import feature_importance, parameter_importance, parameter_importances
from search.results.charts.ladder import pruning_ladder
from search.results.charts.parallel import parallel_coordinates
from search.results.charts.slices import slices
from tests.search_tests.made_studies import empty_study, filled_study, trial

if TYPE_CHECKING:
    from pathlib import Path


def _drawn(chart: Chart | Missing) -> Chart:
    assert isinstance(chart, Chart), chart
    json.dumps(chart.figure(), allow_nan=False)
    return chart


def _trace(chart: Chart, name: str) -> dict[str, Any]:
    return next(trace for trace in chart.data if trace["name"] == name)


@pytest.mark.parametrize("maximize", [False, True])
def test_convergence_has_every_leader_and_the_defaults_line(tmp_path: Path, maximize: bool) -> None:
    """The line is the best so far whichever way is better, and however few points are drawn."""
    facts = facts_of(filled_study(tmp_path, maximize=maximize))
    sign = -1 if maximize else 1

    chart = _drawn(convergence(facts, most_points=3))

    best = _trace(chart, "best so far")
    assert best["x"] == [0, 2, 4, 7, 15]
    assert best["y"] == [sign * one for one in (20.0, 19.0, 18.0, 15.0, 15.0)]
    assert set(_trace(chart, "default")["y"]) == {sign * 20.0}
    assert len(_trace(chart, "complete trial")["x"]) == 3
    assert "3 of 12 complete trials drawn" in chart.note
    assert "trial 7" in chart.says
    assert score_text(sign * 15.0) in chart.says


def test_one_diverged_trial_does_not_flatten_the_picture(tmp_path: Path) -> None:
    """An axis ends before a score that is far off, and the note says so."""
    chart = _drawn(convergence(facts_of(filled_study(tmp_path))))

    assert chart.layout["yaxis"]["range"][1] < 30
    assert "1 trial lies outside" in chart.note


def test_an_axis_has_what_must_be_seen() -> None:
    """The default's line is inside, however bad it is."""
    low, high = score_range([1.0, 1.1, 1.2, 50.0], maximize=False, also=[50.0])

    assert low < 1.0
    assert high > 50.0


def test_without_a_complete_trial_each_picture_says_why(tmp_path: Path) -> None:
    """Nothing is drawn of nothing; the reason is a sentence."""
    study = empty_study(tmp_path)
    study.add_trial(trial(0, None, "FAIL"))
    facts = facts_of(study)
    missing = [
        convergence(facts),
        fold_spread(facts),
        pruning_ladder(facts),
        parallel_coordinates(facts, []),
        parameter_importance(facts, parameter_importances(facts)),
        slices(facts, []),
    ]

    assert all(isinstance(one, Missing) and one.why.endswith(".") for one in missing), missing


def test_fold_spread_draws_each_fold_of_the_best_trials(tmp_path: Path) -> None:
    """Ten trials and the default, with the very scores that the ledger has."""
    chart = _drawn(fold_spread(facts_of(filled_study(tmp_path))))

    folds = _trace(chart, "a fold")
    assert [x for x, y in zip(folds["x"], folds["y"], strict=True) if y == "trial 7"] == [14.0, 15.0, 16.0]
    assert "0 (default)" in folds["y"]
    assert "fold 2 is its hardest" in chart.says


def test_the_ladder_marks_where_trials_were_stopped(tmp_path: Path) -> None:
    """A pruned trial ends in a mark at its last report."""
    chart = _drawn(pruning_ladder(facts_of(filled_study(tmp_path))))

    stopped = _trace(chart, "stopped here")
    assert (stopped["x"], stopped["y"], stopped["text"]) == ([1], [26.0], ["trial 12"])
    assert "1 of 13 trials" in chart.says


def test_the_sentence_names_the_parameter_that_matters_most(tmp_path: Path) -> None:
    """What is said first is what the measured shares have first."""
    facts = facts_of(filled_study(tmp_path))
    importances = parameter_importances(facts)

    chart = _drawn(parameter_importance(facts, importances))

    assert {one.parameter for one in importances} == {"rate", "leaves", "kind"}
    assert math.isclose(sum(one.share for one in importances), 1.0, abs_tol=1e-6)
    assert chart.says.startswith(f"{importances[0].parameter} matters most")


def test_parameters_of_several_objectives_are_measured_each_by_itself(tmp_path: Path) -> None:
    """A parameter that only one objective has is compared within that one."""
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    study = empty_study(tmp_path)
    choice = CategoricalDistribution(["lightgbm", "linear"])
    for k in range(24):
        name, own = ("lightgbm", "rate") if k % 2 else ("linear", "linear.penalty")
        study.add_trial(
            optuna.trial.create_trial(
                value=float(k),
                params={"objective": name, own: 0.04 * k, "shared": 0.5},
                distributions={
                    "objective": choice,
                    own: FloatDistribution(0.0, 1.0),
                    "shared": FloatDistribution(0.0, 1.0),
                },
            )
        )
    facts = facts_of(study)
    importances = parameter_importances(facts)

    assert {(one.objective, one.parameter) for one in importances} >= {
        ("lightgbm", "rate"),
        ("linear", "linear.penalty"),
    }
    labels = {one.label for one in importances}
    assert len(labels) == len(importances)
    assert {"rate (lightgbm)", "linear.penalty"} <= labels
    _drawn(parameter_importance(facts, importances))
    lines = _drawn(parallel_coordinates(facts, importances))
    assert "linear.penalty" in lines.layout["yaxis"]["ticktext"]
    drawn = slices(facts, importances)
    assert not isinstance(drawn, Missing)
    assert {"rate", "linear.penalty"} <= {chart.title for chart in drawn}


def test_a_slice_shows_the_trials_that_have_the_parameter(tmp_path: Path) -> None:
    """Positions are the parameter's own values, and the sentence is on the best trials."""
    drawn = slices(facts_of(filled_study(tmp_path)), [])

    assert not isinstance(drawn, Missing)
    leaves = next(chart for chart in drawn if chart.title == "leaves")
    assert sorted([*_trace(leaves, "best")["x"], *_trace(leaves, "others")["x"]]) == [
        2 + 5 * k for k in range(12)
    ]
    assert leaves.says == "The best 4 have from 37 to 52; tried were 2 to 57."


def test_features_are_ranked_and_counted() -> None:
    """The sentence says which one leads and how many make half."""
    chart = _drawn(feature_importance(["age", "area", "never"], [0.4, 0.6, 0.0], 3))

    assert chart.data[0]["customdata"] == ["area", "age"]
    assert chart.says == "area brings 60 % of the gain of trial 3's models; more than all others together."


def test_residuals_are_of_the_rows_that_have_a_prediction() -> None:
    """Rows that no fold validates are left out, of the picture and of the sentence."""
    target = np.array([1.0, 2.0, 3.0, 4.0])
    charts = error_charts(target, np.array([1.5, 2.5, 3.5, np.nan]), "regression", (), "trial 2")

    assert not isinstance(charts, Missing)
    assert charts[0].data[0]["x"] == [1.0, 2.0, 3.0]
    assert "Half of the 3 out-of-fold predictions of trial 2 are within 0.5" in charts[0].says
    assert "0.5 below the prediction" in charts[1].says


def test_calibration_is_the_share_that_came_true() -> None:
    """Groups of equal size, each at what was said and what was seen."""
    said = np.repeat([0.1, 0.9], 50)
    target = np.concatenate([np.arange(50) < 5, np.arange(50) < 25]).astype(float)
    charts = error_charts(target, said, "binary", ("no", "yes"), "trial 0")

    assert not isinstance(charts, Missing)
    points = charts[0].data[1]
    assert np.mean(points["y"][5:]) == pytest.approx(0.5)
    assert set(points["x"]) == {0.1, 0.9}
    assert "yes" in charts[0].says


def test_confusion_counts_classes() -> None:
    """Each row of the matrix is a true class; the most frequent mistake is named."""
    oof = np.eye(3)[[0, 0, 1, 2, 1]]
    charts = error_charts(np.array([0.0, 0.0, 1.0, 2.0, 2.0]), oof, "multiclass", ("x", "y", "z"), "trial 0")

    assert not isinstance(charts, Missing)
    assert charts[1].data[0]["z"] == [[1, 0, 0], [0, 1, 0], [0, 0.5, 0.5]]
    assert "most often z is taken for y (1 rows)" in charts[1].says


def test_labels_as_predictions_are_not_called_probabilities() -> None:
    """What is outside 0 to 1 cannot be calibrated, and that is said."""
    charts = error_charts(np.array([0.0, 1.0]), np.array([-3.0, 2.0]), "binary", ("no", "yes"), "trial 0")

    assert isinstance(charts, Missing)


def test_few_positions_of_many_are_even_and_have_both_ends() -> None:
    """Sampling leaves neither the first nor the last out."""
    some = spread_out(range(1_000), 10)

    assert (some[0], some[-1], len(some)) == (0, 999, 10)
    assert [best_few(n) for n in (1, 3, 12, 19, 200)] == [1, 1, 4, 5, 20]


def test_a_users_text_is_no_markup_of_plotlys() -> None:
    """Tags that Plotly would obey are shown as they were typed."""
    assert plain("<b>a</b> & <a href='x'>") == "&lt;b&gt;a&lt;/b&gt; &amp; &lt;a href='x'&gt;"
