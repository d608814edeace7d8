"""What `python -m benchmarks.peers` measured, as tables and a plot: `python -m benchmarks.peers_table`.

Hold-out scores by set and budget, lower is better, the best of each row in bold, and the mean rank; how many
configurations were looked at beside the naive script; and how much sooner its last best score was reached. Written
beside the lines, as `peers.md` and, where the defaults were measured, `peers.png`.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peers import LINES, OURS, PEERS, is_ours, read_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

Line = dict[str, Any]
Key = tuple[str, int]
NAIVE = "naive"


def main(argv: Sequence[str] | None = None) -> int:
    """Writes both files and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lines", type=Path, default=LINES)
    flags = parser.parse_args(argv)
    runs = by_run(read_lines(flags.lines))
    budgets = sorted({budget for _, budget in runs})
    text = "\n".join(line for budget in budgets for line in (*_tables(runs, budget), ""))
    flags.lines.with_suffix(".md").write_text(text, encoding="utf-8")
    if any("default" in run for run in runs.values()):
        plot(runs, flags.lines.with_suffix(".png"))
    print(text)
    return 0


def _tables(runs: dict[Key, dict[str, Line]], budget: int) -> list[str]:
    at_once = {key: run for key, run in runs.items() if key[1] == budget}
    looked_at = (
        line for search in filter(is_ours, _peers(at_once)) for line in ("", *trials(at_once, search))
    )
    return [*holdouts(at_once, budget), *looked_at]


def by_run(lines: list[Line]) -> dict[Key, dict[str, Line]]:
    """The lines of each set and budget, by peer, where ours was measured; the defaults stand for every budget."""
    budgets = sorted({line["budget"] for line in lines})
    found: dict[Key, dict[str, Line]] = {}
    for line in lines:
        for budget in budgets if line["peer"] == "default" else [line["budget"]]:
            found.setdefault((line["set"], budget), {})[line["peer"]] = line
    compared = {key: run for key, run in found.items() if any(map(is_ours, run))}
    return dict(sorted(compared.items(), key=lambda item: (item[0][1], item[0][0])))


def holdouts(runs: dict[Key, dict[str, Line]], budget: int) -> list[str]:
    """The table of hold-out scores at one budget, and how often each was first where all of them were measured.

    Of our searches the first is ranked and the others are shown: two of ours would stand against one of each other.
    """
    peers = _peers(runs)
    ours = next(filter(is_ours, peers))
    ranked = [peer for peer in peers if peer == ours or not is_ours(peer)]
    rows = [_row(f"{budget} s", *peers), _row(*["---"] * (len(peers) + 1))]
    places: dict[str, list[int]] = {peer: [] for peer in ranked}
    for (name, _), run in runs.items():
        scores = {peer: run[peer]["holdout"] for peer in peers if peer in run and run[peer]["holdout"]}
        order = sorted((peer for peer in ranked if peer in scores), key=lambda peer: scores[peer])
        rows.append(_row(name, *(_score(scores.get(peer), is_best=peer in order[:1]) for peer in peers)))
        if len(order) == len(ranked):
            for place, peer in enumerate(order, start=1):
                places[peer].append(place)
    if not places[ours]:
        return rows
    firsts = [str(places[peer].count(1)) if peer in places else "" for peer in peers]
    means = [f"{statistics.mean(places[peer]):.2f}" if peer in places else "" for peer in peers]
    return [*rows, _row("first", *firsts), _row("mean rank", *means)]


def _peers(runs: dict[Key, dict[str, Line]]) -> list[str]:
    """Who was measured: our search, the same with other objectives, the others."""
    measured = {peer for run in runs.values() for peer in run}
    variants = sorted(peer for peer in measured if is_ours(peer) and peer != OURS)
    return [peer for peer in (OURS, *variants, *PEERS, "autogluon") if peer in measured]


def _score(value: float | None, *, is_best: bool) -> str:
    if value is None:
        return "-"
    return f"**{value:.6g}**" if is_best else f"{value:.6g}"


def trials(runs: dict[Key, dict[str, Line]], search: str) -> list[str]:
    """The table of configurations looked at by a search of ours and by the naive script."""
    rows = [
        _row(
            "data set",
            "budget",
            f"{search} (complete)",
            NAIVE,
            "ratio",
            "CV: ours - naive",
            "its best reached at",
        ),
        _row(*["---"] * 7),
    ]
    ratios, shares = [], []
    for (name, budget), run in runs.items():
        if search not in run or NAIVE not in run or not run[NAIVE].get("trials"):
            continue
        ours, naive = run[search], run[NAIVE]
        ratios.append(ours["trials"] / naive["trials"])
        share = reached(ours, naive["cv"], budget)
        shares.append(share)
        errors = (ours["cv"] - naive["cv"]) / (ours["cv_std"] / ours["folds"] ** 0.5)
        looked = f"{ours['trials']} ({ours['trials'] - ours['pruned']})"
        when = f"{100 * share:.0f} % of the time" if share < float("inf") else "never"
        rows.append(
            _row(
                name,
                f"{budget} s",
                looked,
                str(naive["trials"]),
                f"{ratios[-1]:.1f}",
                f"{errors:+.2f} se",
                when,
            )
        )
    if ratios:
        median = statistics.median(shares)
        rows.append(
            _row("median", "", "", "", f"{statistics.median(ratios):.1f}", "", f"{100 * median:.0f} %")
        )
    return rows


def reached(ours: Line, score: float, budget: int) -> float:
    """The share of the budget after which our best cross-validated score was as good; infinity for never."""
    seconds = [second for second, best in ours["best_by_second"] if best <= score]
    return min(seconds) / budget if seconds else float("inf")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def plot(runs: dict[Key, dict[str, Line]], path: Path) -> None:
    """Hold-out scores beside the untuned default's, a panel for each budget and a colour for each peer."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    # Beside the default is said of those whose default was measured.
    runs = {key: run for key, run in runs.items() if "default" in run}
    budgets = sorted({budget for _, budget in runs})
    size = (3 + 4 * len(budgets), 5)
    figure, panels = plt.subplots(
        1, len(budgets), figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    for panel, budget in zip(panels[0], budgets, strict=True):
        names = [name for name, one in runs if one == budget]
        for place, peer in enumerate(_peers(runs)):
            points = [
                (k, 100 * (run[peer]["holdout"] / run["default"]["holdout"] - 1))
                for k, name in enumerate(names)
                if peer in (run := runs[name, budget]) and run[peer]["holdout"]
            ]
            # One without points has its place in the legend, which is the first panel's.
            places, heights = zip(*points, strict=True) if points else ((), ())
            panel.plot(places, heights, "o" if peer == OURS else "x", color=f"C{place}", label=peer)
        panel.axhline(0, color="grey", linewidth=0.5)
        panel.set_xticks(range(len(names)), names, rotation=45, ha="right")
        panel.set_title(f"{budget} s")
    panels[0][0].set_ylabel("hold-out score against\nthe default, % (lower is better)")
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside right upper")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    raise SystemExit(main())
