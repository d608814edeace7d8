"""A score from the leaderboard into the ledger and onto the run, and the lines about all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.faults import InputFaults
from search.results.origins import Origin, origins_of, submission_path_faults, with_run_id
from search.results.ranks import FEWEST_PAIRS, estimates, parting, pick_two, rank_correlation
from search.score_text import score_text, spread_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.config import LeaderboardAddConfig
    from search.results.ranks import Estimate, Pair
    from search.results.standings import Standings
    from storage.layout import Layout
    from storage.leaderboard import Board, Entry


def add_score(config: LeaderboardAddConfig, layout: Layout) -> Iterator[str]:
    """Adds a score to the ledger, then to MLflow; a line for each thing to say.

    Raises:
        InputFaults: If there is no such file.
    """
    from storage.leaderboard import Leaderboard

    faults = submission_path_faults(config.file)
    if config.public and config.private:
        faults.append("--public and --private: got both; allowed: one; do: give each board its own score")
    if faults:
        raise InputFaults(faults)
    board: Board = "private" if config.private else "public"
    entry, replaced = Leaderboard(layout).add(config.file, board, config.score, config.note or "")
    yield f"{board.capitalize()} score {config.score:g} of {config.file} (sha256 {entry.sha256})"
    if replaced is not None:
        yield f"It was {replaced.value:g}, added {replaced.when}"
    origins = origins_of(layout, entry.sha256)
    # A promotion and the trial's own submission are two origins of one name.
    for name in dict.fromkeys(origin.name for origin in origins):
        yield f"Made by: {name}"
    if not origins:
        yield "Warning: nothing here made this file, so its score has no CV to go with"
    yield from _onto_runs(layout, entry, origins)


def _onto_runs(layout: Layout, entry: Entry, origins: tuple[Origin, ...]) -> Iterator[str]:
    from storage.record.find_run import log_metrics
    from storage.record.tracking import RecordUnavailableError

    found = [with_run_id(layout, origin) for origin in origins]
    run_ids = dict.fromkeys(origin.run_id for origin in found if origin.run_id is not None)
    metrics = {f"lb_{board}": score.value for board, score in entry.scores.items()}
    tags = {"submission_sha256": entry.sha256}
    tags |= {f"lb_{board}_note": score.note for board, score in entry.scores.items() if score.note}
    for run_id in run_ids:
        try:
            log_metrics(layout, run_id, metrics, tags)
            yield f"Run {run_id}: {', '.join(f'{name}={value:g}' for name, value in metrics.items())}"
        except RecordUnavailableError as error:
            yield f"Warning: not written to MLflow: {error}; then repeat this command"
    if found and not run_ids:
        yield "Warning: not written to MLflow, which has no such run or does not answer; repeat this command then"


def standing_lines(standings: Standings) -> Iterator[str]:
    """Yields a line a file, best CV first, then how CV and leaderboard agree."""
    candidates = standings.candidates()
    sign = -1.0 if standings.greater_is_better else 1.0
    order = sorted(range(len(candidates)), key=lambda i: _by_cv(candidates[i].cv, sign))
    better = "higher" if standings.greater_is_better else "lower"
    yield f"{'CV':>12} {'public':>12} {'private':>12}  file ({standings.metric}, {better} is better)"
    for index in order:
        one, entry = candidates[index], standings.rows[index].entry
        scores = " ".join(f"{score_text(value):>12}" for value in (one.cv, one.board, one.private))
        sent = (
            f"; {entry.sent[-1].state} to {entry.sent[-1].program} {entry.sent[-1].when}"
            if entry.sent
            else ""
        )
        notes = "".join(f"; {score.note}" for score in entry.scores.values() if score.note)
        yield f"{scores}  {entry.file} ({one.name}){sent}{notes}"
    pairs = [(one.cv, one.board) for one in candidates if one.cv is not None and one.board is not None]
    if len(pairs) >= FEWEST_PAIRS:
        rho = rank_correlation([cv for cv, _ in pairs], [board for _, board in pairs])
        yield f"Rank correlation of CV and public leaderboard, {len(pairs)} files: {rho:.2f}"
    for warning in parting(candidates, greater_is_better=standings.greater_is_better):
        yield f"Warning: {warning}"


def pick_two_lines(standings: Standings, public_share: float) -> list[str]:
    """Returns the two files to select for the final, and why.

    Args:
        standings: The files.
        public_share: Share of the test rows behind the public leaderboard.

    Raises:
        InputFaults: If there are no two files to choose from.
    """
    n_test = len(standings.form.ids) if standings.form else 0
    known = estimates(standings.candidates(predictions=True), public_rows=public_share * n_test)
    pair = pick_two(known, greater_is_better=standings.greater_is_better)
    if pair is None:
        raise InputFaults(
            [
                (
                    f"got {len(known)} files with a score, fewer than two of them readable in one format; allowed: "
                    "two or more; do: python -m search.leaderboard add FILE SCORE"
                )
            ]
        )
    return _pair_lines(pair, standings, public_share)


def _pair_lines(pair: Pair, standings: Standings, public_share: float) -> list[str]:
    names = {row.entry.sha256: row.entry.file for row in standings.rows}

    def said(estimate: Estimate) -> str:
        one = estimate.candidate
        return (
            f"{names[one.sha256]} ({one.name}; sha256 {one.sha256[:12]}): CV {score_text(one.cv)}, public "
            f"{score_text(one.board)}, expected {spread_text(estimate.mean, estimate.error)}"
        )

    both = pair.best_of_two
    gain = score_text(abs(both - pair.safe.mean), both)
    best = f"Expected {standings.metric} of the better of both: {score_text(both)}, {gain} better than safe"
    why = (
        "Why: the safe one has the best expected score, CV and public leaderboard weighed by their rows "
        f"({public_share:.0%} of the test rows taken for public); with the other the better of both is expected "
        "best: near in score, and wrong in other places"
    )
    warnings = parting(standings.candidates(), greater_is_better=standings.greater_is_better)
    return [
        f"Safe: {said(pair.safe)}",
        f"Different: {said(pair.other)}",
        f"Correlation of their predictions: {pair.correlation:.4f}",
        best,
        why,
        *(f"Warning: {warning}" for warning in warnings),
    ]


def _by_cv(score: float | None, sign: float) -> tuple[bool, float]:
    return score is None, 0.0 if score is None else sign * score
