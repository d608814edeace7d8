"""CV against the leaderboard as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.faults import InputFaults
from search.results.ranks import rank_correlation

if TYPE_CHECKING:
    from pathlib import Path

    from search.results.standings import Standings

KINDS = (".svg", ".png")


def plot_standings(standings: Standings, path: Path) -> None:
    """Draws one point a file, with the line on which CV and leaderboard are equal.

    Args:
        standings: The files.
        path: The picture, .svg or .png.

    Raises:
        InputFaults: If no file has both scores, or the picture is of another kind.
    """
    known = [
        (one.name, one.cv, board)
        for one in standings.candidates()
        if one.cv is not None and (board := one.board if one.board is not None else one.private) is not None
    ]
    faults = []
    if path.suffix.lower() not in KINDS:
        faults.append(f"--out: got {path}; allowed: {' or '.join(KINDS)}; do: rename it")
    if not known:
        faults.append(
            "got no file with a CV and a leaderboard score; allowed: one or more; do: add its score"
        )
    if faults:
        raise InputFaults(faults)
    _draw(known, standings.metric, path)


def _draw(known: list[tuple[str, float, float]], metric: str, path: Path) -> None:
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from storage.atomic import temporary_save_path

    cvs, boards = [cv for _, cv, _ in known], [board for _, _, board in known]
    figure = Figure(figsize=(7, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.scatter(cvs, boards, zorder=3)
    for name, cv, board in known:
        axes.annotate(name, (cv, board), xytext=(4, 4), textcoords="offset points", fontsize=7)
    axes.axline((cvs[0], cvs[0]), slope=1, color="0.7", linestyle="--", label="leaderboard = CV")
    rho = rank_correlation(cvs, boards)
    axes.set_title(f"{len(known)} files, rank correlation {rho:.2f}")
    axes.set_xlabel(f"CV {metric}")
    axes.set_ylabel(f"leaderboard {metric}")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Text stays text in an SVG, so that the browser finds the characters of Japanese names.
    kind = path.suffix[1:].lower()
    with (
        rc_context({"svg.fonttype": "none", "svg.hashsalt": "leaderboard"}),
        temporary_save_path(path) as temporary,
    ):
        figure.savefig(temporary, format=kind, metadata={"Date": None} if kind == "svg" else None)
