"""Which parameters decide the score, and which features the best trial leans on."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from search.results.charts.chart import BLUE, PALETTE, Chart, Figure, Missing, plain, rounded, shortened
from search.space.combined import CHOICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.trial import FrozenTrial

    from search.results.charts.facts import ChartedStudy

PARAMETERS = "Importance of the parameters"
FEATURES = "Importance of the features"
_FEWEST_TRIALS = 10
_MOST_TRIALS = 3_000
_MOST_BARS = 20


class Importance(NamedTuple):
    """What one parameter is worth.

    Attributes:
        parameter: Its name.
        objective: Of several, the one within which it was measured; empty: among all trials.
        share: Of all that was measured there; the shares of an objective sum to 1.
    """

    parameter: str
    objective: str
    share: float

    @property
    def label(self) -> str:
        """Which parameter it is, among those of several objectives."""
        is_told = not self.objective or self.parameter.startswith(f"{self.objective}.")
        return self.parameter if is_told else f"{self.parameter} ({self.objective})"


def parameter_importances(facts: ChartedStudy) -> list[Importance]:
    """PED-ANOVA's shares, the largest first; of several objectives each by itself, for their parameters differ.

    Empty where no objective has ten complete trials that differ.
    """
    groups: dict[str, list[FrozenTrial]] = {}
    for trial in facts.complete:
        groups.setdefault(str(trial.params.get(CHOICE, "")), []).append(trial)
    found = [
        Importance(name, objective, share)
        for objective, trials in groups.items()
        for name, share in _measured(trials, facts).items()
    ]
    return sorted(found, key=lambda one: -one.share)


def _largest_group(facts: ChartedStudy) -> int:
    counts = Counter(trial.params.get(CHOICE) for trial in facts.complete)
    return max(counts.values(), default=0)


def _measured(trials: Sequence[FrozenTrial], facts: ChartedStudy) -> Mapping[str, float]:
    if len(trials) < _FEWEST_TRIALS:
        return {}
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize" if facts.maximize else "minimize")
    # The best first: of a study too long the best tell most, and PED-ANOVA asks what the best tenth have in common.
    stride = -(-len(trials) // _MOST_TRIALS)
    study.add_trials(trials[::stride])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            measured = optuna.importance.get_param_importances(
                study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
            )
        except (ValueError, RuntimeError):
            # All of them have one score, or share no parameter.
            return {}
    return {name: share for name, share in measured.items() if name != CHOICE and share == share}  # noqa: PLR0124


def parameter_importance(facts: ChartedStudy, importances: Sequence[Importance]) -> Chart | Missing:
    """Draws the shares as bars, an objective a colour."""
    if not importances:
        return Missing(
            PARAMETERS,
            f"Importance needs at least {_FEWEST_TRIALS} complete trials of one objective whose scores differ; "
            f"the most that one has here is {_largest_group(facts)}.",
        )
    shown = importances[:_MOST_BARS]
    objectives = list(dict.fromkeys(one.objective for one in importances))
    traces = []
    for k, objective in enumerate(objectives):
        own = [one for one in shown if one.objective == objective]
        rows = [row for row, one in enumerate(shown) if one.objective == objective]
        bars = _bars(
            rows, [one.parameter for one in own], [one.share for one in own], PALETTE[k % len(PALETTE)]
        )
        traces.append(bars | {"name": plain(objective) or "share"})
    return Chart(
        name="parameter_importance",
        title=PARAMETERS,
        says=_says_parameters(importances),
        data=traces,
        layout=_layout([one.parameter for one in shown], "share (PED-ANOVA)", legend=len(objectives) > 1),
        height=_height(len(shown), legend=len(objectives) > 1),
        note=f"The {_MOST_BARS} most important of {len(importances)} parameters."
        if len(importances) > _MOST_BARS
        else "",
    )


def feature_importance(names: Sequence[str], shares: Sequence[float], trial: int) -> Chart | Missing:
    """Draws the best trial's features.

    Args:
        names: Of all features.
        shares: Of each in the total gain.
        trial: Whose they are.
    """
    ranked = sorted(zip(names, shares, strict=True), key=lambda pair: -pair[1])
    used = [(name, share) for name, share in ranked if share > 0]
    if not used:
        return Missing(FEATURES, f"The models of trial {trial} say nothing of their features.")
    shown = used[:_MOST_BARS]
    half, count = 0.0, 0
    while half < 0.5 * sum(share for _, share in used):
        half, count = half + used[count][1], count + 1
    first, share = used[0]
    rest = (
        f"{count} of {len(names)} features make half of it" if count > 1 else "more than all others together"
    )
    return Chart(
        name="feature_importance",
        title=FEATURES,
        says=f"{first} brings {100 * share:.0f} % of the gain of trial {trial}'s models; {rest}.",
        data=[_bars(range(len(shown)), [name for name, _ in shown], [share for _, share in shown], BLUE)],
        layout=_layout([name for name, _ in shown], "share of the total gain", legend=False),
        height=_height(len(shown), legend=False),
        note=f"The {_MOST_BARS} most important of {len(names)} features." if len(names) > _MOST_BARS else "",
    )


def _bars(rows: Sequence[int], names: Sequence[str], shares: Sequence[float], color: str) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "x": rounded(shares),
        "y": list(rows),
        "customdata": [plain(name) for name in names],
        "marker": {"color": color},
        "hovertemplate": "%{customdata}: %{x:.1%}<extra></extra>",
    }


def _layout(names: Sequence[str], title: str, *, legend: bool) -> Figure:
    return {
        "xaxis": {"title": {"text": title}, "tickformat": ".0%", "rangemode": "tozero", "nticks": 5},
        # Numbers rather than names: two objectives may have a parameter of one name.
        "yaxis": {
            "range": [len(names) - 0.4, -0.6],
            "tickvals": [*range(len(names))],
            "ticktext": [plain(shortened(name)) for name in names],
            "zeroline": False,
        },
        "showlegend": legend,
        "barmode": "stack",
    }


def _height(bars: int, *, legend: bool) -> int:
    return 80 + 24 * bars + (40 if legend else 0)


def _says_parameters(importances: Sequence[Importance]) -> str:
    first, *others = importances
    of = f" of {first.objective}" if first.objective else ""
    said = f"{first.parameter}{of} matters most, with {100 * first.share:.0f} % of what the parameters decide"
    same = [one for one in others if one.objective == first.objective]
    return f"{said}; {same[0].parameter} follows with {100 * same[0].share:.0f} %." if same else f"{said}."
