"""Count what is cut on the pages of the built site: ``python -m benchmarks.cut_blocks``.

Chromium lays out each page at three widths, with all that folds unfolded, and looks at each `pre`,
table, figure and formula. One is cut if it is wider than a box that hides or scrolls the rest, or
reaches beyond the window's edge; a page is cut if it scrolls to the side.
"""

import argparse
from collections import Counter
from pathlib import Path

from benchmarks.browser import browser, open_page, served

WIDTHS = (1280, 768, 375)
KINDS = {"pre": "pre", "table": "table", "figure": "figure, img", "formula": ".katex-html"}
UNFOLD = """() => {
for (const e of document.querySelectorAll("details")) e.open = true;
for (const e of document.querySelectorAll(".toggle-hidden")) e.classList.remove("toggle-hidden");
}"""
LOOK = """(kinds) => {
  const {scrollWidth, clientWidth} = document.documentElement;
  const found = [{kind: "page", cut: scrollWidth - clientWidth, words: document.title}];
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
}"""


def look_at(site, widths=WIDTHS):
    """Yield each page of the site with each width, and what `LOOK` found there."""
    parts = (".", "book", "exercises", "solutions")
    with served(site) as address, browser() as chromium:
        tab = chromium.new_page()
        for page in (page for part in parts for page in sorted((site / part).glob("*.html"))):
            if 'http-equiv="refresh"' in page.read_text("utf-8"):
                continue  # it only leads to another
            name = page.relative_to(site).as_posix()
            tab.set_viewport_size({"width": widths[0], "height": 900})
            open_page(tab, f"{address}/{name}")
            tab.evaluate(UNFOLD)
            for width in widths:
                tab.set_viewport_size({"width": width, "height": 900})
                yield name, width, tab.evaluate(LOOK, KINDS)


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
    for kind in (*KINDS, "page"):
        cells = (f"{cut[kind, width]} of {total[kind, width]}" for width in options.widths)
        print(f"{kind:40}" + "".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main()
