"""`search.show` and `search.compare`: what they say of a study, a trial and two trials."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest
from scipy import stats

from search.compare import main as compare_main
from search.facts.comparison import compare
from search.facts.json_text import json_text
from search.show import main as show_main
from tests.search_tests.looked_at import complete, failed, new_study, pruned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("in_empty_folder")
DEFAULT_FOLDS = (10.0, 11.0, 9.0, 10.5, 9.5)
BETTER_FOLDS = (8.0, 9.2, 7.1, 8.4, 7.3)


@pytest.fixture
def rents() -> str:
    """A study with a trial of each kind, by number: default, better, pruned, failed, interrupted, its retry."""
    new_study(
        "rents",
        complete(DEFAULT_FOLDS),
        complete(BETTER_FOLDS, seconds=6.0, num_leaves=63),
        pruned(learning_rate=0.2),
        failed("ValueError: no leaves"),
        failed("interrupted", interrupted=True),
        failed("over its memory", retry_of=4),
    )
    return "rents"


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed, its lines with single spaces."""
    return "\n".join(" ".join(line.split()) for line in capsys.readouterr().out.splitlines())


def test_a_study_is_shown_with_its_best_beside_the_default(
    rents: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Question, counts, best trials in order with their gain over the default, and the commands to look further."""
    assert show_main([rents]) == 0
    said = _said(capsys)

    assert "RMSE of rent, lower is better" in said
    assert "train.csv (fingerprint f00d)" in said
    assert "5 finished (2 complete, 1 pruned, 2 failed), 1 interrupted" in said
    table = said.split("Best trials:\n")[1].splitlines()
    assert table[1].split()[:1] == ["1"]
    assert "+20.00 %" in table[1]
    assert table[2].startswith("0 (default)")
    assert "search.compare rents 1 0" in said


def test_a_trial_is_shown_beside_the_default(rents: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Score and rank, each fold with its change, and a mark at each parameter that differs."""
    assert show_main([rents, "1"]) == 0
    said = _said(capsys)

    assert "CV RMSE: 8.00000 ± 0.76158, rank 1 of 2 complete" in said
    assert "\n1 9.20000 11.00000 -1.80000\n" in said
    assert "\n* num_leaves 63 31\n" in said
    assert "\nlearning_rate 0.1 0.1\n" in said
    assert "1 of 2 differ" in said
    assert "Run: not in MLflow" in said


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        ("2", ["Trial 2 of study rents: pruned", "step 3 (fold 1, round 40)", "* learning_rate 0.2"]),
        ("3", ["Trial 3 of study rents: failed", "reason: ValueError: no leaves"]),
        ("4", ["Trial 4 of study rents: interrupted", "queued again as trial 5"]),
        ("5", ["failed", "over again what was interrupted: trial 4"]),
    ],
)
def test_what_became_of_a_trial_is_said(
    rents: str, number: str, parts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it was pruned, why it failed, what it is over again."""
    assert show_main([rents, number]) == 0
    said = _said(capsys)

    assert all(part in said for part in parts), said


def test_json_has_what_the_lines_have(
    rents: str, capsys: pytest.CaptureFixture[str], in_empty_folder: Path
) -> None:
    """A script gets numbers, and nothing but JSON, also where a settings file is found."""
    (in_empty_folder / "competition.toml").write_text('storage = "sqlite:///mlruns/optuna.db"')
    assert show_main([rents, "--json"]) == 0
    study = json.loads(_said(capsys))
    assert show_main([rents, "1", "--json"]) == 0
    trial = json.loads(_said(capsys))
    assert compare_main([rents, "1", "0", "--json"]) == 0
    compared = json.loads(_said(capsys))

    assert [one["number"] for one in study["best"]] == [1, 0]
    assert study["tally"]["finished"] == 5
    assert (trial["params"]["num_leaves"], trial["default_params"]["num_leaves"]) == (63, 31)
    assert trial["fold_scores"] == list(BETTER_FOLDS)
    assert (compared["gain_of_a"], compared["wins_of_a"]) == (pytest.approx(2.0), 5)
    assert compared["differing"] == {"num_leaves": [63, 31]}


def test_json_has_no_number_that_is_none() -> None:
    """A score that diverged, or a spread that nobody recorded, is null, which every reader of JSON knows."""
    said = json_text({"score": math.inf, "folds": (math.nan, 1.5), "rest": {"std": -math.inf}})
    assert json.loads(said) == {"score": None, "folds": [None, 1.5], "rest": {"std": None}}


@pytest.mark.parametrize(
    ("main", "argv", "labels"),
    [
        (show_main, ["rent"], ["STUDY: got 'rent'; allowed: rents"]),
        (show_main, ["rents", "6"], ["TRIAL: got 6; allowed: 0 to 5"]),
        (show_main, ["rents", "best"], ["TRIAL: got 'best'"]),
        (show_main, [], ["got no STUDY"]),
        (compare_main, ["rents", "6", "7"], ["A: got 6; allowed: 0 to 5", "B: got 7"]),
        (compare_main, ["rents", "-1", "x"], ["A: got '-1'", "B: got 'x'"]),
        (compare_main, ["rents", "1"], ["got no B"]),
    ],
)
def test_a_wrong_study_or_trial_is_a_line_a_fault(
    rents: str,
    main: Callable[[Sequence[str]], int],
    argv: list[str],
    labels: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each says got, allowed and do; exit code 2."""
    assert rents == "rents"
    assert main(argv) == 2
    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == len(labels)
    assert all(line.startswith(label) for line, label in zip(lines, labels, strict=True)), lines
    assert all("; allowed: " in line and "; do: " in line for line in lines)


def test_the_interval_is_the_paired_t_test() -> None:
    """Mean, standard error and 95 % interval of the folds' differences are those of SciPy."""
    study = new_study("paired", complete(DEFAULT_FOLDS), complete(BETTER_FOLDS))
    found = compare(study, 1, 0)
    test = stats.ttest_rel(DEFAULT_FOLDS, BETTER_FOLDS)
    low, high = test.confidence_interval(0.95)

    assert found.gain is not None
    assert found.interval is not None
    assert found.gain.mean / found.gain.error == pytest.approx(test.statistic)
    assert (found.gain.mean - found.interval, found.gain.mean + found.interval) == pytest.approx((low, high))


def test_repeated_splits_do_not_make_it_surer() -> None:
    """Further splits validate the same rows again, so they count as no more folds."""
    twice = [complete(DEFAULT_FOLDS * 2), complete((10.1, 11.0, 8.9, 10.6, 9.2) * 2)]
    once, again = new_study("once", *twice), new_study("again", *twice, repeats=2)
    first, second = compare(once, 1, 0), compare(again, 1, 0)

    assert first.interval is not None
    assert second.interval is not None
    assert second.interval > first.interval


@pytest.mark.parametrize(
    ("direction", "folds", "verdict", "said"),
    [
        ("minimize", BETTER_FOLDS, "better", "More than noise: trial 1 is better than trial 0"),
        ("maximize", BETTER_FOLDS, "worse", "More than noise: trial 1 is worse than trial 0"),
        ("minimize", (10.1, 10.9, 9.1, 10.4, 9.5), "noise", "No more than noise"),
        ("minimize", (9.0, 10.9, 9.1, 9.0, 9.4), "maybe better", "Maybe noise: trial 1 is better"),
        ("minimize", DEFAULT_FOLDS, "equal", "No difference"),
    ],
)
def test_it_is_said_whether_a_difference_is_more_than_noise(
    direction: str,
    folds: tuple[float, ...],
    verdict: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the metric's own direction: sure, maybe, no, or the very same."""
    study = new_study("noise", complete(DEFAULT_FOLDS), complete(folds), direction=direction)

    assert compare(study, 1, 0).verdict == verdict
    assert compare_main(["noise", "1", "0"]) == 0
    assert said in _said(capsys)


def test_a_trial_without_fold_scores_gets_no_verdict(rents: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a pruned trial the last common report is shown instead; parameters and time as ever."""
    assert compare_main([rents, "1", "2"]) == 0
    said = _said(capsys)

    assert "Not to be said" in said
    assert "learning_rate" in said
    assert "Time: 6.0 s and 0.5 s" in said


def test_the_best_of_many_is_flattered(rents: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the best of several trials the comparison warns that it was selected on these folds."""
    new_study("three", complete(DEFAULT_FOLDS), complete(BETTER_FOLDS), complete(DEFAULT_FOLDS, num_leaves=5))
    assert compare_main([rents, "1", "0"]) == 0
    of_two = _said(capsys)
    assert compare_main(["three", "1", "0"]) == 0

    assert "flatters" not in of_two
    assert "Trial 1 is the best of 3, which flatters it" in _said(capsys)
