"""A real browser for tests."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Starts Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield browser
        browser.close()


@contextmanager
def open_page(browser: Browser, width: int = 1280, *, patience: float = 60.0) -> Iterator[Page]:
    """Opens an empty page of a new visitor.

    Args:
        browser: The browser.
        width: Of the window, in CSS pixels.
        patience: Seconds after which whatever is waited for has failed.
    """
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.set_default_timeout(1_000 * patience)
    try:
        yield context.new_page()
    finally:
        context.close()


def is_wider_than_its_window(page: Page) -> bool:
    """Whether a page would have to be scrolled sideways."""
    script = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    return bool(page.evaluate(script))
