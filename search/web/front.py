"""The front page and the ways from a trial to its run and its submission."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from search.web.live import LiveStudies
from search.web.submissions import submission_file
from search.web.words import ASSETS, render
from storage.record.run_pages import PREFIX, is_embeddable, record_is_there, run_address, trial_of_run

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from search.web.board import StudyCard
    from storage.layout import Layout


class FrontPages:
    """What is ours behind the door.

    Args:
        layout: The project.
        uri: Its MLflow record.
        writable: Whether the other pages may change something; said on the page.
    """

    def __init__(self, layout: Layout, uri: str, *, writable: bool) -> None:
        self._layout, self._uri, self._writable = layout, uri, writable
        self.live = LiveStudies(layout, self._cards)

    @property
    def routes(self) -> list[BaseRoute]:
        """Paths and what answers them."""
        return [
            Route("/", self.front),
            Route("/live", self.moving),
            Route("/studies/{study:int}/run", self.run),
            Route("/studies/{study:int}/trials/{trial:int}/run", self.run),
            Route("/runs/{run}/trial", self.trial),
            Route("/submissions/{name}", self.submission),
            Route(PREFIX, self.runs),
            Route("/dashboard", self.dashboard),
            Route("/dashboard/{rest:path}", self.dashboard),
            Mount("/assets", StaticFiles(directory=ASSETS)),
        ]

    async def front(self, request: Request) -> Response:  # noqa: ARG002 - the framework's form
        """The whole page."""
        html, tag = await run_in_threadpool(self.live.shown)
        page = render("front.html", studies=html, tag=tag, writable=self._writable, runs=self._runs_address())
        return HTMLResponse(page, headers={"cache-control": "no-store"})

    async def moving(self, request: Request) -> Response:
        """The studies alone; nothing where the visitor has them already."""
        # Most of the time the last look is good enough, and a thread costs more than the answer.
        html, tag = self.live.shown() if self.live.is_fresh else await run_in_threadpool(self.live.shown)
        headers = {"etag": tag, "cache-control": "no-store"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(html, headers=headers)

    async def run(self, request: Request) -> Response:
        """From a study or a trial to its run."""
        study, trial = request.path_params["study"], request.path_params.get("trial")
        address = await run_in_threadpool(self._run_address, study, trial)
        if address is None:
            what = "this study" if trial is None else f"trial {trial}"
            text = f"MLflow has no run of {what} yet. It is written soon after its trial; what is missing, this adds:"
            return _message("No run yet", text, "python -m search.sync", 404)
        return RedirectResponse(f"{self._runs_address()}{address}", 302)

    async def trial(self, request: Request) -> Response:
        """From a run to its trial."""
        address = await run_in_threadpool(self._trial_address, request.path_params["run"])
        if address is None:
            return _message("No such trial", "This run mirrors no trial of this ledger.", None, 404)
        return RedirectResponse(address, 302)

    async def submission(self, request: Request) -> Response:
        """A submission file, to save."""
        path = submission_file(self._layout, request.path_params["name"])
        if path is None:
            return _message("No such file", "There is no submission of that name.", None, 404)
        return FileResponse(path, media_type="text/csv", filename=path.name)

    async def runs(self, request: Request) -> Response:  # noqa: ARG002 - the framework's form
        """MLflow's pages want the slash."""
        return RedirectResponse(f"{PREFIX}/", 302)

    async def dashboard(self, request: Request) -> Response:  # noqa: ARG002 - the framework's form
        """The frame of Optuna's dashboard, which draws itself, with our style sheet besides."""
        try:
            ledger = await run_in_threadpool(self.live.open_ledger)
        except Exception as error:  # noqa: BLE001 - a database half made, of another version, gone
            return self.no_dashboard(type(error).__name__)
        return self.no_dashboard(None) if ledger is None else HTMLResponse(_dashboard_frame())

    def no_dashboard(self, why: str | None) -> Response:
        """In place of the dashboard."""
        if why is not None:
            return _message("The dashboard cannot be shown", f"The ledger does not answer: {why}", None, 503)
        return _message(
            "No study yet", "The dashboard shows studies once there is one.", "python -m search.run", 404
        )

    def no_runs(self, why: str | None) -> Response:
        """In place of MLflow's pages."""
        if why is not None:
            return _message("MLflow cannot be shown", f"Its record does not answer: {why}", None, 503)
        if not is_embeddable(self._uri):
            return _message("MLflow is elsewhere", "The runs are on a server of their own.", None, 404)
        return _message("No run yet", "MLflow shows runs once there is one.", "python -m search.run", 404)

    async def not_found(self, request: Request, error: Exception) -> Response:  # noqa: ARG002 - the framework's form
        """A path that is none."""
        return _message("No such page", "There is nothing at this address.", None, 404)

    async def broken(self, request: Request, error: Exception) -> Response:  # noqa: ARG002 - the framework's form
        """A fault of ours: no page shows where in the code it is."""
        return _message("This page is broken", "The terminal that serves it has the reason.", None, 500)

    def _cards(self, cards: list[StudyCard], trouble: str | None) -> str:
        return render("studies.html", cards=cards, trouble=trouble)

    def _runs_address(self) -> str:
        is_elsewhere = self._uri.startswith(("http://", "https://"))
        return f"{self._uri.rstrip('/')}/" if is_elsewhere else f"{PREFIX}/"

    def _run_address(self, study_id: int, trial: int | None) -> str | None:
        ledger = self.live.open_ledger()
        if ledger is None or not record_is_there(self._uri):
            return None
        try:
            name = ledger.get_study_name_from_id(study_id)
        except KeyError:
            return None
        return run_address(self._uri, name, trial)

    def _trial_address(self, run: str) -> str | None:
        ledger = self.live.open_ledger()
        found = trial_of_run(self._uri, run) if record_is_there(self._uri) else None
        if ledger is None or found is None:
            return None
        try:
            study_id = ledger.get_study_id_from_name(found[0])
        except KeyError:
            return None
        return f"/dashboard/studies/{study_id}/trials?numbers={found[1]}"


@cache
def _dashboard_frame() -> str:
    # Found without an import of seconds.
    found = find_spec("optuna_dashboard")
    assert found is not None
    assert found.origin is not None
    frame = Path(found.origin).with_name("index.html").read_text(encoding="utf-8")
    return frame.replace("</head>", '<link rel="stylesheet" href="/assets/dashboard.css"></head>', 1)


def _message(title: str, text: str, command: str | None, status: int) -> Response:
    page = render("message.html", title=title, text=text, command=command)
    return HTMLResponse(page, status, headers={"cache-control": "no-store"})
