"""Elements that no style tells from their text are left out, and their text stays."""

import yaml
from bs4 import BeautifulSoup
from conftest import ROOT

from coursebuild.lean import leave_out, plain_classes

THEME = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]["config"]
STYLES = [THEME["html_theme_options"][f"pygments_{mode}_style"] for mode in ("light", "dark")]


def test_what_looks_like_text_in_both_themes_is_plain():
    plain = plain_classes(STYLES)
    assert {"n", "p", "w"} <= set(plain)
    assert not {"k", "o", "s2", "c1", "nb", "nf"} & set(plain)


def test_what_one_style_shows_is_not_plain():
    assert "n" in plain_classes(["vs"])
    assert "n" not in plain_classes(["vs", "tango"])


def test_the_text_stays_and_so_does_what_has_a_look():
    html = (
        '<span class="n">f</span><span class="p">(</span><span class="mi">1</span>'
        '<span class="p">)</span> <code><span class="pre">two</span> <span class="pre">words</span>'
        '</code><span class="n"><span class="pre">x</span></span>'
        '<span class="fold"><span class="n">a</span></span><span class="n-b">&lt;</span>'
    )
    lean = leave_out(html, ["n", "p"])
    assert lean == (
        'f(<span class="mi">1</span>) <code>two words</code>x'
        '<span class="fold">a</span><span class="n-b">&lt;</span>'
    )
    assert BeautifulSoup(lean, "html.parser").text == BeautifulSoup(html, "html.parser").text


def test_a_program_begins_with_nothing_only_where_its_first_line_is_empty():
    assert leave_out('<pre style="a"><span></span>x</pre>', ["n"]) == '<pre style="a">x</pre>'
    empty = "<pre><span></span>\nx</pre>"
    assert leave_out(empty, ["n"]) == empty
