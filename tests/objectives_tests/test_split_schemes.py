"""Every split scheme keeps its promise on any rows, or says in one line why it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objectives.data.folds import TASKS, make_folds
from objectives.data.split.expanding import last_fit, last_rounds
from objectives.data.split.keys import Key, SplitKeys
from objectives.data.split.out_of_fold import OutOfFold, validated_rows
from objectives.data.split.plan import SplitPlan, describe, plan_faults, unused_columns
from objectives.data.split.schemes import SplitError, Splittable, make_split

if TYPE_CHECKING:
    from objectives.data.folds import Fold, Task

N_ROWS = 120


def rows_of(task: Task = "regression", *, groups: int = 12, moments: int = 12, seed: int = 0) -> Splittable:
    """Rows in no order, with a group, a moment and a fold column each."""
    rng = np.random.default_rng(seed)
    target = rng.normal(size=N_ROWS) if task == "regression" else rng.permutation(np.arange(N_ROWS) % 3 % (2 if task == "binary" else 3)).astype(float)  # fmt: skip  # noqa: E501
    keys = SplitKeys(
        groups=(Key("city", rng.permutation(np.arange(N_ROWS) % groups)),),
        times=(Key("month", rng.permutation(np.arange(N_ROWS) % moments).astype(float)),),
        folds=(Key("fold", rng.permutation(np.arange(N_ROWS) % 4) - 1, labels=("0", "1", "2")),),
    )
    return Splittable(target, task, keys)


def plan_of(scheme: Any, **asked: Any) -> SplitPlan:
    """A decided plan with the columns of `rows_of`."""
    return SplitPlan(scheme, group="city", time="month", fold_column="fold", **asked)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["kfold", "stratified", "group", "stratified_group"]),
    st.sampled_from(TASKS),
    st.integers(2, 6),
    st.integers(1, 3),
    st.integers(0, 2**31 - 1),
)
def test_each_row_is_validated_once_a_repeat(
    scheme: str, task: Task, folds: int, repeats: int, seed: int
) -> None:
    """Within a repeat the validation parts share out the rows; no row is fitted on where it is scored."""
    made = make_split(plan_of(scheme, folds=folds, repeats=repeats, seed=seed), rows_of(task))

    assert len(made) == folds * repeats
    for first in range(0, len(made), folds):
        validated = np.concatenate([fold.val_idx for fold in made[first : first + folds]])
        assert np.array_equal(np.sort(validated), np.arange(N_ROWS))
    for fold in made:
        assert np.array_equal(np.sort(np.concatenate(fold)), np.arange(N_ROWS))


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(["group", "stratified_group"]),
    st.sampled_from(TASKS),
    st.integers(2, 6),
    st.integers(0, 9),
)
def test_no_group_is_on_both_sides(scheme: str, task: Task, folds: int, seed: int) -> None:
    """What a model has seen of a group says nothing about the groups it is scored on."""
    rows = rows_of(task, seed=seed)
    for fold in make_split(plan_of(scheme, folds=folds, seed=seed), rows):
        groups = rows.keys.groups[0].train
        assert not np.intersect1d(groups[fold.train_idx], groups[fold.val_idx]).size


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(TASKS), st.integers(2, 5), st.integers(0, 4), st.integers(11, 40), st.integers(0, 9))
def test_training_comes_before_validation(task: Task, folds: int, gap: int, moments: int, seed: int) -> None:
    """Whatever the order of the rows, each fold is scored on later moments, `gap` of them left out between."""
    rows = rows_of(task, moments=moments, seed=seed)
    made = make_split(plan_of("time", folds=folds, gap=gap), rows)

    assert len(made) == folds
    month = rows.keys.times[0].train
    sizes = []
    for fold in made:
        between = np.unique(month)
        between = between[(between > month[fold.train_idx].max()) & (between < month[fold.val_idx].min())]
        assert month[fold.train_idx].max() < month[fold.val_idx].min()
        assert len(between) == gap
        sizes.append(len(fold.train_idx))
    assert sizes == sorted(sizes)
    assert made[-1].val_idx.size
    assert month[made[-1].val_idx].max() == month.max()


def test_a_fold_column_is_taken_as_it_is() -> None:
    """Each value is a fold, and rows with -1 are only ever trained on."""
    rows = rows_of()
    made = make_split(plan_of("column"), rows)

    code = rows.keys.folds[0].train
    assert len(made) == 3
    assert [np.unique(code[fold.val_idx]).tolist() for fold in made] == [[0], [1], [2]]
    assert all((code[fold.train_idx] == -1).sum() == (code == -1).sum() for fold in made)


def test_regression_is_stratified_by_the_target() -> None:
    """Every fold has its share of the dear and the cheap."""
    rows = rows_of()
    means = [rows.target[fold.val_idx].mean() for fold in make_split(plan_of("stratified"), rows)]
    random = [rows.target[fold.val_idx].mean() for fold in make_split(plan_of("kfold"), rows)]

    assert np.std(means) < np.std(random) / 2


@pytest.mark.parametrize("target", [np.r_[np.zeros(117), 1.0, 2.0, 3.0], np.arange(N_ROWS) % 2.0])
def test_a_target_of_few_values_is_stratified_as_far_as_it_goes(target: Any) -> None:
    """A target that fills no ten bins is split all the same, without a warning."""
    made = make_split(plan_of("stratified", folds=5), rows_of()._replace(target=target))

    assert sum(len(fold.val_idx) for fold in made) == N_ROWS


@pytest.mark.parametrize("task", TASKS)
def test_the_default_split_is_what_it_always_was(task: Task) -> None:
    """A study that was begun before there were other schemes goes on: the same folds under the same name."""
    rows = rows_of(task)
    plan = SplitPlan(folds=4, seed=7).resolved(task)
    made, before = make_split(plan, rows), make_folds(rows.target, task, 4, 7)

    assert all(
        np.array_equal(a, b) for x, y in zip(made, before, strict=True) for a, b in zip(x, y, strict=True)
    )
    assert (
        describe(plan, task, made) == f"{'kfold' if task == 'regression' else 'stratified'}, 4 folds, seed 7"
    )
    repeated = make_split(replace(plan, repeats=2), rows)
    assert all(np.array_equal(a.val_idx, b.val_idx) for a, b in zip(made, repeated, strict=False))


@pytest.mark.parametrize(
    "changed",
    [
        {"scheme": "group"},
        {"scheme": "time"},
        {"gap": 1, "scheme": "time"},
        {"repeats": 2},
        {"folds": 4},
        {"seed": 1},
    ],
)
def test_another_split_is_another_question(changed: dict[str, Any]) -> None:
    """A study never mixes scores of two splits."""
    rows, plan = rows_of(), plan_of("kfold")
    other = replace(plan, **changed)

    assert describe(plan, "regression", make_split(plan, rows)) != describe(
        other, "regression", make_split(other, rows)
    )


def test_other_groups_are_another_question() -> None:
    """The column may be no feature, and so no part of the data's fingerprint: its rows are told by a hash."""
    plan = plan_of("group")
    one, other = (describe(plan, "regression", make_split(plan, rows_of(seed=seed))) for seed in (0, 1))

    assert one.startswith("group by city, 5 folds, seed 42, rows ")
    assert one != other


@pytest.mark.parametrize(
    ("asked", "decided"),
    [
        ({}, "kfold"),
        ({"group": "city"}, "group"),
        ({"time": "month"}, "time"),
        ({"fold_column": "fold"}, "column"),
    ],
)
def test_a_column_decides_the_scheme(asked: dict[str, Any], decided: str) -> None:
    """Whoever names a group, a time or a fold column need not name the scheme as well."""
    plan = SplitPlan(**asked)

    assert plan_faults(plan) == []
    assert plan.resolved("regression").scheme == decided


@pytest.mark.parametrize(
    ("plan", "named"),
    [
        (SplitPlan(group="city", time="month"), "got --group and --time together"),
        (SplitPlan("group"), "group: got nothing"),
        (SplitPlan("stratified_group"), "group: got nothing"),
        (SplitPlan("time"), "time: got nothing"),
        (SplitPlan("column"), "fold_column: got nothing"),
        (SplitPlan(gap=2), "gap: got 2 without time folds"),
        (SplitPlan("group", group="city", gap=2), "gap: got 2 without time folds"),
        (SplitPlan(time="month", repeats=3), "repeats: got 3 with time folds"),
        (SplitPlan("column", fold_column="fold", repeats=3), "repeats: got 3 with a fold column"),
    ],
)
def test_settings_that_contradict_each_other(plan: SplitPlan, named: str) -> None:
    """One line each: got, allowed, do."""
    (fault,) = plan_faults(plan)

    assert named in fault
    assert "; allowed" in fault
    assert "; do: " in fault


def test_a_column_without_a_part_is_told() -> None:
    """A column that the chosen scheme does not use is not passed over in silence."""
    lines = unused_columns(plan_of("time"))

    assert [line.split()[1] for line in lines] == ["city", "fold"]


def _one_class_a_group() -> Splittable:
    rows = rows_of("binary", groups=6)
    return rows._replace(target=(rows.keys.groups[0].train == 0).astype(float))


@pytest.mark.parametrize(
    ("plan", "rows", "named"),
    [
        (plan_of("group"), rows_of(groups=3), "got 3 distinct values of 'city' for 5 folds"),
        (plan_of("stratified_group"), rows_of(groups=1), "name another column by --group"),
        (
            plan_of("time"),
            rows_of(moments=5),
            "got 5 distinct values of 'month' for 5 folds; allowed: at least 6",
        ),
        (plan_of("time", gap=6), rows_of(moments=11), "for 5 folds and a gap of 6; allowed: at least 12"),
        (plan_of("kfold", folds=50), rows_of()._replace(target=np.arange(20.0)), "got 50 for 20 rows"),
        (plan_of("group", folds=6), _one_class_a_group(), "of one class in the validation part of fold"),
    ],
)
def test_rows_that_cannot_be_split_so(plan: SplitPlan, rows: Splittable, named: str) -> None:
    """Too few rows, groups or moments, or a fold without both classes, are told by their figures."""
    with pytest.raises(SplitError) as error:
        make_split(plan, rows)

    assert all("; allowed: " in fault and "; do: " in fault for fault in error.value.faults)
    assert any(named in fault for fault in error.value.faults)


def test_only_folds_that_go_forward_need_a_last_fit() -> None:
    """The models of other folds have seen every row between them."""
    rows = rows_of()
    time = make_split(plan_of("time"), rows)
    last = last_fit(time, N_ROWS)

    assert last is not None
    assert np.array_equal(last.train_idx, np.arange(N_ROWS))
    assert last_rounds(time, [1, 1, 1, 1, 100]) > np.mean([1, 1, 1, 1, 100])
    assert last_fit(time[:1], N_ROWS) is None
    for scheme in ("kfold", "stratified", "group", "stratified_group", "column"):
        assert last_fit(make_split(plan_of(scheme), rows), N_ROWS) is None


@pytest.mark.parametrize("columns", [(), (3,)])
def test_out_of_fold_predictions_are_means_over_the_repeats(columns: tuple[int, ...]) -> None:
    """A row that two folds validate has their mean, one that none does has NaN, always of the same bits."""
    oof = OutOfFold((4, *columns))
    oof.add(np.array([0, 2]), np.full((2, *columns), 1.0))
    oof.add(np.array([2, 1]), np.full((2, *columns), 4.0))
    mean = oof.mean()

    assert mean.reshape(4, -1)[:3, 0].tolist() == [1.0, 4.0, 2.5]
    assert mean[3].tobytes() == np.full(columns, np.nan).tobytes()


def test_the_rows_that_are_validated_are_known() -> None:
    """Time folds leave the first rows out."""
    rows = rows_of()
    folds: tuple[Fold, ...] = make_split(plan_of("time"), rows)

    month = rows.keys.times[0].train
    seen = validated_rows(folds, N_ROWS)
    assert set(month[~seen]).isdisjoint(month[seen])
    assert month[~seen].max() < month[seen].min()
