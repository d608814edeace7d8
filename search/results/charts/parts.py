"""What the promoted blend is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.results.charts.chart import BLUE, Chart, Missing, plain, rounded

if TYPE_CHECKING:
    from search.conclusion.conclusion import Conclusion

TITLE = "Blend weights"


def blend_weights(conclusion: Conclusion | None) -> Chart | Missing:
    """Draws the weight of each part of what was chosen."""
    if conclusion is None:
        return Missing(TITLE, "Nothing was blended: the study has not been concluded since its last trial.")
    chosen = conclusion.chosen
    if chosen.is_single:
        return Missing(TITLE, f"{chosen.name.capitalize()} was chosen on its own, so there are no weights.")
    names = [part.name for part in chosen.shares]
    weights = [*chosen.shares.values()]
    return Chart(
        name="blend_weights",
        title=TITLE,
        says=f"{names[0].capitalize()} carries {100 * weights[0]:.0f} % of the {chosen.name}, "
        f"{names[-1]} the least with {100 * weights[-1]:.0f} %.",
        data=[
            {
                "type": "bar",
                "orientation": "h",
                "x": rounded(weights),
                "y": [plain(name) for name in names],
                "marker": {"color": BLUE},
                "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
            }
        ],
        layout={
            "xaxis": {"title": {"text": "weight"}, "tickformat": ".0%", "rangemode": "tozero", "nticks": 5},
            "yaxis": {"type": "category", "autorange": "reversed"},
        },
        height=90 + 28 * len(names),
    )
