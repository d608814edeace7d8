"""A real Chromium page for tests, which remembers all that it asked the network for and every error."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Tab:
    """A page and what came of it.

    Attributes:
        page: Playwright's.
        requests: Addresses that it asked for, in order.
        errors: What scripts threw or logged as errors.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Debian's Chromium, started once for as many pages as come: the fixture `chromium`.

    A process can have only one of them at a time.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def chromium_page(browser: Browser, width: int = 1280, height: int = 900, **context: Any) -> Iterator[Tab]:
    """A page of its own, without anything remembered.

    Args:
        browser: Chromium.
        width: In CSS pixels.
        height: Likewise.
        context: As for `Browser.new_context`, such as `color_scheme="dark"`.
    """
    opened = browser.new_context(viewport={"width": width, "height": height}, **context)
    try:
        page = opened.new_page()
        tab = Tab(page)
        page.on("request", lambda request: tab.requests.append(request.url))
        page.on("pageerror", lambda error: tab.errors.append(str(error)))
        page.on("console", lambda said: tab.errors.append(said.text) if said.type == "error" else None)
        yield tab
    finally:
        opened.close()


@contextmanager
def open_page(browser: Browser, width: int = 1280, *, patience: float = 60.0) -> Iterator[Page]:
    """Opens an empty page of a new visitor.

    Args:
        browser: The browser.
        width: Of the window, in CSS pixels.
        patience: Seconds after which whatever is waited for has failed.
    """
    with chromium_page(browser, width) as tab:
        tab.page.context.set_default_timeout(1_000 * patience)
        yield tab.page


def is_wider_than_its_window(page: Page) -> bool:
    """Whether a page would have to be scrolled sideways."""
    script = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    return bool(page.evaluate(script))
