"""What a cell shows: two images with the same words, the same bytes every time."""

import base64
import hashlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import HANGING
from matplotlib.figure import Figure
from matplotlib.image import imread

from layerlab.figures import (
    information_by_bins,
    measure_scatter,
)
from layerlab.pages import at_least, at_most, show, table
from layerlab.svg import size

ALT = "Scatter of L1 against L2: the points lie on a rising line."
MEASURES = np.random.default_rng(0).uniform(1, 2, (6, 3))


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def __getitem__(self, wanted):
        return [attributes for tag, attributes in self.found if tag == wanted]


def decode(uri):
    head, data = uri.split(",")
    assert head == "data:image/svg+xml;base64"
    return base64.b64decode(data, validate=True)


@pytest.fixture(scope="module")
def shown():
    return show(measure_scatter, MEASURES, alt=ALT)


def test_one_image_for_both_themes_that_says_its_size_and_waits(shown):
    tags = Tags(shown._repr_html_())
    [image], [source] = tags["img"], tags["source"]
    assert tags["figure"] == [{"class": "course-figure"}]
    assert image["alt"] == ALT and image["loading"] == "lazy"
    for tag, key in ((image, "src"), (source, "srcset")):
        svg = decode(tag[key])
        assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
        assert (int(tag["width"]), int(tag["height"])) == size(svg)


def test_a_phone_gets_a_drawing_of_its_width(shown):
    [source] = Tags(shown._repr_html_())["source"]
    assert int(source["width"]) == 343 < size(shown.wide)[0]
    assert source["media"] == "(max-width: 600px)"


def test_a_notebook_says_which_theme_it_has(shown):
    style = re.search("<style>(.*?)</style>", shown._repr_html_())[1]
    assert "body[data-jp-theme-light=false] .course-figure img{color-scheme:dark}" in style
    assert style.count("html:not([data-theme])") == style.count("{")  # a site says it by itself


def test_a_caption_is_for_everybody_and_its_anchor_for_links():
    shown = show(
        measure_scatter, MEASURES, alt=ALT, caption="L1 < L2,\n everywhere.", anchor="fig-l1"
    )
    html = shown._repr_html_()
    assert Tags(html)["figure"] == [{"class": "course-figure", "id": "fig-l1"}]
    assert html.endswith("</picture><figcaption>L1 &lt; L2, everywhere.</figcaption></figure>")
    with pytest.raises(ValueError, match=r"anchor='fig-l1' .* no caption"):
        show(measure_scatter, MEASURES, alt=ALT, anchor="fig-l1")


def test_words_with_quotes_and_brackets_come_through():
    alt = 'MI < 1 bit & "L1" > 2, on <b>every</b> pair'
    images = Tags(show(measure_scatter, MEASURES, alt=alt)._repr_html_())["img"]
    assert [image["alt"] for image in images] == [alt]


def test_line_breaks_of_the_source_are_no_part_of_the_words():
    shown = show(measure_scatter, MEASURES, alt="One line\n    and then another line.")
    assert shown.alt == "One line and then another line."


@pytest.mark.parametrize("alt", ["", "   ", "A scatter plot.", " " * 30 + "short"])
def test_words_that_say_nothing_are_refused(alt):
    with pytest.raises(ValueError, match="is too short"):
        show(measure_scatter, MEASURES, alt=alt)


def test_html_is_the_only_rich_form(shown):
    forms = [name for name in dir(shown) if name.startswith("_repr_")]
    assert forms == ["_repr_html_"]
    assert repr(shown) == f"Figure: {ALT}"


def test_the_named_file_is_a_png_in_the_folder_for_figures(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERLAB_FIGURES", str(tmp_path / "figures"))
    show(measure_scatter, MEASURES, name="part4.png", alt=ALT)
    assert imread(tmp_path / "figures" / "part4.png").shape == (1740, 2400, 4)
    with pytest.raises(ValueError, match=r"'part4\.pdf'"):
        show(measure_scatter, MEASURES, name="part4.pdf", alt=ALT)


def test_the_named_file_goes_to_the_current_folder_otherwise(tmp_path, monkeypatch):
    monkeypatch.delenv("LAYERLAB_FIGURES", raising=False)
    monkeypatch.chdir(tmp_path)
    show(information_by_bins, [4, 5], [0.1, 0.2], 0.15, name="bins.png", alt=ALT)
    assert (tmp_path / "bins.png").exists()


def test_options_reach_the_drawing_function():
    def draw(*, width):
        return Figure(figsize=(width, 1))

    assert size(show(draw, alt=ALT, width=2).wide) == (192, 96)


def test_the_same_bytes_in_every_process():
    code = (
        "import numpy as np, sys; from layerlab.figures import measure_scatter; "
        "from layerlab.pages import show; "
        "X = np.random.default_rng(0).uniform(1, 2, (6, 3)); "
        f"sys.stdout.write(show(measure_scatter, X, alt={ALT!r})._repr_html_())"
    )
    here = hashlib.sha256(show(measure_scatter, MEASURES, alt=ALT)._repr_html_().encode())
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=HANGING
    )
    assert hashlib.sha256(run.stdout).hexdigest() == here.hexdigest()


def test_a_table_names_rows_and_columns_and_shows_what_it_is_given():
    shown = table("Loss in bits, a < b", ["", "GPT-2"], [["GPT-2 & co", "-0.5"], ["other", "a-b"]])
    assert repr(shown) == "Table: Loss in bits, a < b"
    html = shown._repr_html_()
    assert "<caption>Loss in bits, a &lt; b</caption>" in html
    assert '<tr><td></td><th scope="col">GPT-2</th></tr>' in html
    assert '<th scope="row">GPT-2 &amp; co</th><td>−0.5</td>' in html
    assert '<th scope="row">other</th><td>a-b</td>' in html


@pytest.mark.parametrize(
    ("values", "n_decimals", "least", "most"),
    [
        ([0.2481, 0.3], 2, 0.24, 0.3),
        (-0.005, 2, -0.01, 0.0),
        (0.29, 2, 0.29, 0.29),  # 100 times as much is a little less than 29
        (np.float32([0.5, 0.75]), 1, 0.5, 0.8),
        (np.array([[3.2], [1e-7]]), 0, 0.0, 4.0),
    ],
)
def test_bounds_are_rounded_away_from_the_values(values, n_decimals, least, most):
    assert (at_least(values, n_decimals), at_most(values, n_decimals)) == (least, most)
