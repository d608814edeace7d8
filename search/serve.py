"""Shows the studies, Optuna's dashboard and MLflow at one address."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from search.command import INTERRUPTED, exit_code_of
from search.config import ServeConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.web.opening import Door
    from storage.layout import Layout

ABOUT = (
    "Serves a front page of this folder's studies, live, with Optuna's dashboard and MLflow behind it, to "
    "this machine's browsers. Nothing can be changed or deleted there, unless --writable says so."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    return exit_code_of(lambda: _serve(argv))


def _serve(argv: Sequence[str] | None) -> int:
    config = parse_flags(ServeConfig, argv, command="serve", about=ABOUT).checked()
    from search.web.opening import open_door
    from storage.layout import Layout

    layout = Layout(storage=config.storage)
    _check(layout)
    door = open_door(config)
    from search.web.app import make_app
    from search.web.server import leave_soon, serve

    app = make_app(layout, door, tracking_uri=config.tracking_uri, writable=config.writable)
    print("\n".join(_lines(door, writable=config.writable)), flush=True)
    with suppress(KeyboardInterrupt):
        serve(app, door)
    print("Stopped. Searches go on.", flush=True)
    leave_soon(INTERRUPTED)
    return INTERRUPTED


def _check(layout: Layout) -> None:
    from search.faults import InputFaults
    from storage.ledger_address import address_faults

    faults = address_faults(layout)
    if faults:
        raise InputFaults(faults)


def _lines(door: Door, *, writable: bool) -> list[str]:
    login = {True: "log in with any name and the token as password", False: "log in with name and password"}
    return [
        f"Front page: {door.address}/",
        f"Trials:     {door.address}/dashboard",
        f"Runs:       {door.address}/mlflow/",
        *([f"Login:      {login[door.is_token]}"] if door.secret else []),
        "Changes:    allowed on the pages of Optuna and MLflow"
        if writable
        else "Changes:    none, pages only read",
        "Stop:       Ctrl-C",
    ]


if __name__ == "__main__":
    raise SystemExit(main())
