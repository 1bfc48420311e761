"""A browser without a window, and a server of a folder: for all that looks at built pages."""

import shutil
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from playwright.sync_api import sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FIREFOX = ("firefox-esr", "firefox")
OPTIONS = ["--no-sandbox", "--hide-scrollbars"]  # root has no sandbox, and scrollbars take room


class NoBrowser(RuntimeError):
    """The browser that is asked for is not on this machine."""


def program_of(names, browser):
    """The way to a browser.

    Raises
    ------
    NoBrowser
        If there is none on the path.
    """
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        raise NoBrowser(f"none of {', '.join(names)} is on the path; install {browser}")
    return program


def chromium_program():
    """The way to Chromium."""
    return program_of(CHROMIUM, "Chromium")


def firefox_program():
    """The way to Firefox."""
    return program_of(FIREFOX, "Firefox")


@contextmanager
def browser():
    """Start Chromium; yields Playwright's Browser, and ends it."""
    program = chromium_program()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        try:
            yield chromium
        finally:
            chromium.close()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, *_):
        pass


@contextmanager
def served(folder, handler=QuietHandler):
    """Serve that folder on this machine; yields the address."""
    handler = partial(handler, directory=folder)
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()


def open_page(page, address):
    """Load a page in a tab, to its last letter."""
    page.goto(address)
    page.evaluate("async () => { await document.fonts.ready; }")
