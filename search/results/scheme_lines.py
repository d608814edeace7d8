"""A comparison of split schemes in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from objectives.data.split.plan import describe_plan, plan_settings
from search.score_text import score_text, spread_text
from search.table import table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from objectives.data.split.relation import Relation
    from search.results.schemes import ComparedScheme, Comparison


def comparison_lines(compared: Comparison) -> list[str]:
    """The table, what it says, and the settings to use."""
    return [
        "",
        *_table(compared),
        "",
        *_key(compared),
        *(f"Not compared: {line}" for line in compared.skipped),
        "",
        *_verdict(compared),
        *_settings(compared),
    ]


def _table(compared: Comparison) -> list[str]:
    known, later = compared.random.relation.known, compared.random.relation.later
    head = ["", "unlike", "told apart", *(f"known {n}" for n in known), *(f"later {n}" for n in later)]
    rows = [
        [*head, f"CV {compared.metric.label}", "gap"],
        ["training -> test", "", *_shares(compared.test, known, later), "", ""],
    ]
    for one in compared.schemes:
        score = spread_text(one.mean, one.standard_error)
        gap = "" if one is compared.random else _percent(compared, one)
        rows.append(
            [describe_plan(one.plan), f"{one.unlike:.2f}", *_shares(one.relation, known, later), score, gap]
        )
    return table(rows)


def _shares(relation: Relation, known: Iterable[str], later: Iterable[str]) -> list[str]:
    shares = [relation.known.get(name) for name in known] + [relation.later.get(name) for name in later]
    return [f"{relation.auc:.2f}", *("?" if share is None else f"{share:.0%}" for share in shares)]


def _percent(compared: Comparison, scheme: ComparedScheme) -> str:
    base = abs(compared.random.mean)
    return f"{compared.excess(scheme) / base:+.1%}" if base else ""


def _key(compared: Comparison) -> list[str]:
    relation = compared.random.relation
    lines = [
        "unlike: mean difference of the shares from those of training -> test, 0 to 1; the least is right",
        "told apart: how well a classifier tells the rows to predict from the rows fitted; 0.50 is not at all",
    ]
    if relation.known:
        lines.append("known: share of the rows to predict whose group is among the rows fitted")
    if relation.later:
        lines.append("later: share of the rows to predict that come after all rows fitted")
    lines.append(
        f"CV {compared.metric.label}: of the default parameters, with its standard error; gap: how much worse "
        "than random folds"
    )
    return lines


def _verdict(compared: Comparison) -> list[str]:
    best = compared.recommended
    name = describe_plan(best.plan)
    lines = [
        f"Recommended: {name}; its validation rows are most like the test file (unlike {best.unlike:.2f})"
    ]
    if best is compared.random:
        return [*lines, *_if_it_were_otherwise(compared)]
    label, random = compared.metric.label, compared.random
    scores = (
        f"{label} {score_text(random.mean)} with {describe_plan(random.plan)}, {score_text(best.mean)} with {name} "
        f"({_percent(compared, best)})"
    )
    if compared.is_flattering:
        lines.append(f"WARNING: RANDOM FOLDS FLATTER: {scores}; expect the latter on the test file")
        if best.plan.scheme == "time":
            lines.append("(part of it is that the earlier time folds are fitted on fewer rows)")
    else:
        lines.append(f"Random folds do not flatter by more than noise: {scores}")
    return lines


def _if_it_were_otherwise(compared: Comparison) -> list[str]:
    """What the score would be for a test file that this one is not."""
    words = {
        "group": "a {} that training lacks",
        "stratified_group": "a {} that training lacks",
        "time": "a later {} than all training rows",
    }
    return [
        f"Should the rows to predict have {words[one.plan.scheme].format(one.plan.column)} after all, expect "
        f"{compared.metric.label} {score_text(one.mean)}, not {score_text(compared.random.mean)} "
        f"({_percent(compared, one)}), and use {_flags(one)}"
        for one in compared.schemes
        if one.plan.scheme in words and compared.is_worse(one)
    ]


def _settings(compared: Comparison) -> list[str]:
    if compared.recommended is compared.random:
        return ["Use: no flag; this is the split that is made when none is asked for"]
    settings = plan_settings(compared.recommended.plan)
    toml = "\n".join(f"  {name} = {_toml(value)}" for name, value in settings.items())
    return [f"Use: {_flags(compared.recommended)}", "or in a TOML file:", toml]


def _flags(scheme: ComparedScheme) -> str:
    settings = plan_settings(scheme.plan)
    return " ".join(f"--{name.replace('_', '-')} {_shell(value)}" for name, value in settings.items())


def _shell(value: str | int) -> str:
    import shlex

    return shlex.quote(str(value))


def _toml(value: str | int) -> str:
    import json

    # A JSON string is a TOML string.
    return json.dumps(value, ensure_ascii=False)
