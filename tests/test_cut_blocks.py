"""What a browser calls cut is cut, and nothing else."""

import pytest

from benchmarks.browser import NoBrowser
from benchmarks.cut_blocks import look_at

LONG = "a line that has no room in its box " * 9
PAGE = """<!DOCTYPE html><meta name="viewport" content="width=device-width">
<style>body {{margin: 0}}</style><article class="bd-article">{}</article>"""


@pytest.mark.check
@pytest.mark.parametrize(
    ("html", "cut"),
    [
        (f"<pre style='overflow: auto'>{LONG}</pre>", True),
        (f"<pre>{LONG}</pre>", True),
        (f"<pre style='white-space: pre-wrap'>{LONG}</pre>", False),
        (f"<details><pre style='overflow: hidden'>{LONG}</pre></details>", True),
        ("<div style='overflow: auto'><table width=500><tr><td>x</table></div>", True),
        ("<table width=300><tr><td>x</table>", False),
    ],
    ids=["scrolls", "over the edge", "breaks", "folded", "table in a box", "narrow table"],
)
def test_what_is_wider_than_its_box_is_cut(tmp_path, html, cut):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "page.html").write_text(PAGE.format(html), encoding="utf-8")
    try:
        [(page, width, [whole, block])] = look_at(tmp_path, (375,))
    except NoBrowser as error:
        pytest.skip(str(error))
    assert (page, width, block["cut"] > 0) == ("book/page.html", 375, cut)
    assert (whole["cut"] > 0) == (html == f"<pre>{LONG}</pre>")  # then all of it scrolls
