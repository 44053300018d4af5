"""One Chromium for the session; a fresh browser context, that is a fresh person, for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

FLAGS = [
    "--no-sandbox",  # CI runs as root, where Chromium refuses its sandbox; it only visits our own server
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NewPerson = Callable[..., BrowserContext]


@pytest.fixture
def new_person(chromium: str) -> Iterator[NewPerson]:
    """Call it for another browser context; `width` is the window's in pixels."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)

        def make(width: int = 1280) -> BrowserContext:
            return browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True)

        yield make
        browser.close()


def settled(page: Page) -> Page:
    """Wait until the script has run and nothing is running any more."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=30_000)
    return page


def shot(page: Page, name: str) -> None:
    """Keep a picture for whoever looks into a failure."""
    folder = Path(__file__).resolve().parents[2] / "test-results"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")
