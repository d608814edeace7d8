"""Keeps leaderboard scores by the file's checksum, compares them with CV, and picks two files for the final."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from search.command import exit_code_of
from search.config import LeaderboardAddConfig, LeaderboardConfig, PickTwoConfig, PlotConfig
from search.faults import InputFaults
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

ADD = "Adds a score; the same command again changes nothing, another score replaces it. Also lb_public on the run."
LIST = "Lists the files with a score, best CV first, and says how CV and leaderboard agree."
PLOT = "Draws CV against the leaderboard, a point a file."
PICK = (
    "Picks two files for the final: the one with the best expected score, and the one that adds most to it."
)
ACTIONS = {"add": ADD, "list": LIST, "plot": PLOT, "pick-two": PICK}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)

    def body() -> int:
        action = words[0] if words else ""
        if action in {"-h", "--help"}:
            print(
                "\n".join(
                    ["python -m search.leaderboard ACTION", *(f"  {a:<9} {t}" for a, t in ACTIONS.items())]
                )
            )
            return 0
        if action not in ACTIONS:
            got = action or "no action"
            raise InputFaults(
                [f"got {got}; allowed: {', '.join(ACTIONS)}; do: python -m search.leaderboard --help"]
            )
        for line in _RUN[action](words[1:]):
            print(line)
        return 0

    return exit_code_of(body)


def _add(words: Sequence[str]) -> list[str]:
    config = parse_flags(LeaderboardAddConfig, words, command="leaderboard add", about=ADD).checked()
    from search.results.scoring import add_score
    from storage.layout import Layout

    return list(add_score(config, Layout(storage=config.storage)))


def _list(words: Sequence[str]) -> list[str]:
    config = parse_flags(LeaderboardConfig, words, command="leaderboard list", about=LIST).checked()
    from search.results.scoring import standing_lines
    from search.results.standings import open_standings
    from storage.layout import Layout

    return list(standing_lines(open_standings(Layout(storage=config.storage), config.study)))


def _plot(words: Sequence[str]) -> list[str]:
    config = parse_flags(PlotConfig, words, command="leaderboard plot", about=PLOT).checked()
    from search.results.board_plot import plot_standings
    from search.results.standings import open_standings
    from storage.layout import Layout

    layout = Layout(storage=config.storage)
    path = config.out or layout.leaderboard_plot
    plot_standings(open_standings(layout, config.study), path)
    return [f"Plot: {path}"]


def _pick_two(words: Sequence[str]) -> list[str]:
    config = parse_flags(PickTwoConfig, words, command="leaderboard pick-two", about=PICK).checked()
    from search.results.scoring import pick_two_lines
    from search.results.standings import open_standings
    from storage.layout import Layout

    return pick_two_lines(open_standings(Layout(storage=config.storage), config.study), config.public_share)


_RUN = {"add": _add, "list": _list, "plot": _plot, "pick-two": _pick_two}


if __name__ == "__main__":
    raise SystemExit(main())
