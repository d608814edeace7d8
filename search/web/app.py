"""All pages under one address: the front page, Optuna's dashboard and MLflow, behind one gate."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Route

from search.config import PAGE_THREADS
from search.web.front import FrontPages
from search.web.gate import Gate
from search.web.headers import SafeHeaders
from search.web.late import LateApp
from search.web.thrift import Thrift
from storage.record.run_pages import PREFIX, is_embeddable, open_run_pages, record_identity, record_is_there
from storage.study_lock import is_searching_here

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp

    from search.web.live import LiveStudies
    from search.web.opening import Door
    from storage.layout import Layout

DASHBOARD_PATHS = (
    "/dashboard",
    "/dashboard/{rest:path}",
    "/api/{rest:path}",
    "/static/{rest:path}",
    "/artifacts/{rest:path}",
    "/csv/{rest:path}",
    "/favicon.ico",
    "/incompatible-rdb-schema",
)
"""Optuna's dashboard has no prefix of its own: these are its paths."""


def make_app(
    layout: Layout, door: Door, *, tracking_uri: str | None = None, writable: bool = False
) -> Starlette:
    """Makes the whole app.

    Args:
        layout: The project.
        door: Where it will be served, and to whom.
        tracking_uri: Another record than the layout's.
        writable: Whether the pages of Optuna and MLflow may change something.
    """
    # Asked once: MLflow's pages change what the environment says of it.
    uri = tracking_uri or layout.tracking_uri
    front = FrontPages(layout, uri, writable=writable)
    # The first look is the long one: nobody shall wait for it with a blank page.
    front.live.shown()
    dashboard = LateApp(
        lambda: _dashboard(layout, front.live, writable=writable), front.no_dashboard, front.live.source
    )
    runs = LateApp(lambda: _runs(layout, uri, writable=writable), front.no_runs, lambda: record_identity(uri))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        # Imports of seconds, begun while the front page is looked at.
        threading.Thread(target=_prepare, args=(dashboard, runs), daemon=True).start()
        yield

    return Starlette(
        routes=[
            *front.routes,
            *(Route(path, dashboard, include_in_schema=False) for path in DASHBOARD_PATHS),
            Route(f"{PREFIX}/{{rest:path}}", runs, include_in_schema=False),
        ],
        middleware=[
            Middleware(SafeHeaders, is_encrypted=door.certificate is not None),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(door.hosts), www_redirect=False),
            Middleware(Gate, door=door, writable=writable),
            Middleware(Thrift, is_searching=lambda: is_searching_here(layout)),
        ],
        exception_handlers={404: front.not_found, 500: front.broken},
        lifespan=lifespan,
    )


def _prepare(*apps: LateApp) -> None:
    for app in apps:
        try:
            app.prepare()
        except Exception:  # noqa: BLE001, S112 - it is tried again, and told, when somebody asks for the page
            continue


def _dashboard(layout: Layout, live: LiveStudies, *, writable: bool) -> ASGIApp | None:
    ledger: Any = live.open_ledger()
    if ledger is None:
        return None
    from a2wsgi import WSGIMiddleware
    from optuna.artifacts import FileSystemArtifactStore
    from optuna.storages import get_storage
    from optuna_dashboard import wsgi

    from storage.ledger import open_ledger

    if writable:
        # Optuna's cache, without which the dashboard reads all trials at every refresh.
        ledger = get_storage(open_ledger(layout.ledger_url))
    folder = layout.dashboard_artifacts
    store = FileSystemArtifactStore(str(folder)) if folder.is_dir() else None
    return WSGIMiddleware(wsgi(ledger, artifact_store=store), workers=PAGE_THREADS)  # type: ignore[return-value]


def _runs(layout: Layout, uri: str, *, writable: bool) -> ASGIApp | None:
    if not is_embeddable(uri) or not record_is_there(uri):
        return None
    from a2wsgi import WSGIMiddleware

    pages = open_run_pages(layout, uri, writable=writable, first_script="/assets/mlflow.js")
    return WSGIMiddleware(pages, workers=PAGE_THREADS)  # type: ignore[return-value]
