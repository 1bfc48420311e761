"""Count what is cut on the pages of the built site: ``python -m benchmarks.cut_blocks``.

Chromium lays out each page at three widths, with all that folds unfolded, and looks at each `pre`,
table, figure and formula. One is cut if it is wider than a box that hides or scrolls the rest, or
reaches beyond the window's edge.
"""

import argparse
import json
import re
import shutil
import subprocess
from collections import Counter
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.request import Request, urlopen

from websocket import create_connection

WIDTHS = (1280, 768, 375)
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--hide-scrollbars", "--remote-debugging-port=0")
KINDS = {"pre": "pre", "table": "table", "figure": "figure, img", "formula": "mjx-container"}
READY = """(async () => {
  await document.fonts.ready;
  if (window.MathJax?.startup) await MathJax.startup.promise;
})()"""
UNFOLD = """
for (const e of document.querySelectorAll("details")) e.open = true;
for (const e of document.querySelectorAll(".toggle-hidden")) e.classList.remove("toggle-hidden");
"""
LOOK = """(() => {
  const kinds = %s, found = [];
  for (const [kind, selector] of Object.entries(kinds)) {
    for (const e of document.querySelectorAll(selector.replaceAll(/(^|, )/g, "$1.bd-article "))) {
      const box = e.getBoundingClientRect();
      if (!box.width || getComputedStyle(e).visibility == "hidden") continue;
      let over = box.right - document.documentElement.clientWidth;
      const scrolls = getComputedStyle(e).overflowX != "visible";
      if (kind != "formula" || scrolls) over = Math.max(over, e.scrollWidth - e.clientWidth);
      for (let b = e.parentElement; b != document.body; b = b.parentElement) {
        if (getComputedStyle(b).overflowX == "visible") continue;
        const left = b.getBoundingClientRect().left + b.clientLeft;
        over = Math.max(over, box.right - left - b.clientWidth);
      }
      const cut = over > 1 ? Math.round(over) : 0;
      found.push({kind, cut, words: e.innerText?.trim().slice(0, 60) ?? e.alt ?? ""});
    }
  }
  return found;
})()"""


class NoBrowser(RuntimeError):
    """No Chromium is on this machine."""


class Tab:
    """A tab of a browser, spoken to in the DevTools protocol."""

    def __init__(self, port):
        path = f"http://localhost:{port}/json/new"
        with urlopen(Request(path, method="PUT")) as answer:
            address = json.load(answer)["webSocketDebuggerUrl"]
        self.socket = create_connection(address, suppress_origin=True, timeout=60)
        self.asked = 0
        self("Page.enable")

    def __call__(self, method, **parameters):
        """Call a method, and return its result."""
        self.asked += 1
        self.socket.send(json.dumps({"id": self.asked, "method": method, "params": parameters}))
        return self._receive(lambda message: message.get("id") == self.asked).get("result", {})

    def _receive(self, wanted):
        while True:
            message = json.loads(self.socket.recv())
            if wanted(message):
                return message

    def open(self, address):
        """Load a page, to its last formula."""
        self("Page.navigate", url=address)
        self._receive(lambda message: message.get("method") == "Page.loadEventFired")
        self.run(READY)

    def resize(self, width, height=900):
        """Make the window that wide, in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self("Emulation.setDeviceMetricsOverride", **size)

    def run(self, script):
        """Run JavaScript in the page; return its value."""
        options = {"returnByValue": True, "awaitPromise": True}
        answer = self("Runtime.evaluate", expression=script, **options)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")


@contextmanager
def browser():
    """Chromium without a window; yields a tab, and ends it."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise NoBrowser(f"none of {', '.join(PROGRAMS)} is on the path; install Chromium")
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            said = (
                re.match(r"DevTools listening on ws://[^/]+:(\d+)/", line)
                for line in process.stderr
            )
            port = next(filter(None, said), None)
            if port is None:
                raise NoBrowser(f"{program} ended before it listened")
            Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would stop it
            yield Tab(int(port[1]))
        finally:
            process.terminate()
            process.wait()


@contextmanager
def served(folder):
    """A server of that folder on this machine; yields its address."""
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, *_):
        pass


def look_at(site, widths=WIDTHS):
    """Yield each page of the site with each width, and what `LOOK` found there."""
    parts = ("book", "exercises", "solutions")
    with served(site) as address, browser() as tab:
        for page in (page for part in parts for page in sorted((site / part).glob("*.html"))):
            name = page.relative_to(site).as_posix()
            tab.resize(widths[0])
            tab.open(f"{address}/{name}")
            tab.run(UNFOLD)
            for width in widths:
                tab.resize(width)
                yield name, width, tab.run(LOOK % json.dumps(KINDS))


def main(arguments=None):
    """Print how many blocks are cut, at each width and on each page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("site", nargs="?", type=Path, default=Path("_build/html"))
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS, metavar="PX")
    parser.add_argument("--name", action="store_true", help="name each block that is cut")
    options = parser.parse_args(arguments)
    total, cut, by_page = Counter(), Counter(), {}
    for page, width, found in look_at(options.site, options.widths):
        for block in found:
            total[block["kind"], width] += 1
            cut[block["kind"], width] += block["cut"] > 0
            if block["cut"] and options.name:
                print(f"{page} {width}: {block['kind']} by {block['cut']} px: {block['words']!r}")
        by_page.setdefault(page, []).append(sum(block["cut"] > 0 for block in found))
    print(f"{'cut at':40}" + "".join(f"{width:>12}" for width in options.widths))
    for page, counts in by_page.items():
        if any(counts):
            print(f"{page:40}" + "".join(f"{count:>12}" for count in counts))
    for kind in KINDS:
        cells = (f"{cut[kind, width]} of {total[kind, width]}" for width in options.widths)
        print(f"{kind:40}" + "".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main()
