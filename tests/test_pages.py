"""What a cell shows: two images with the same words, the same bytes every time."""

import base64
import hashlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from io import BytesIO
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from conftest import HANGING
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import imread

from layerlab.figures import (
    information_by_bins,
    layer_information_panels,
    measure_scatter,
    position_panels,
)
from layerlab.pages import show, table
from layerlab.themes import PALETTES, is_narrow, recolour, theme, write

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


def test_a_light_and_a_dark_image_with_the_same_words(shown):
    tags = Tags(shown._repr_html_())
    light, dark = tags["img"]
    assert tags["figure"] == [{"class": "course-figure"}]
    assert (light["class"], dark["class"]) == ("only-light", "only-dark")
    assert light["alt"] == dark["alt"] == ALT
    for image, ink in ((light, b"#1f1f1f"), (dark, b"#ececec")):
        svg = decode(image["src"])
        assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
        assert ink in svg


def test_a_phone_gets_a_narrower_drawing_of_each(shown):
    tags = Tags(shown._repr_html_())
    assert len(tags["source"]) == 2
    for image, source in zip(tags["img"], tags["source"], strict=True):
        wide, narrow = (
            float(ElementTree.fromstring(decode(uri)).get("width").removesuffix("pt"))
            for uri in (image["src"], source["srcset"])
        )
        assert narrow <= 5.5 * 72 < wide
        assert source["media"] == "(max-width: 600px)"


def test_a_function_of_ones_own_is_shown_as_it_draws():
    def draw():
        figure = Figure()
        figure.subplots().plot([1, 2])
        return figure

    tags = Tags(show(draw, alt=ALT)._repr_html_())
    assert len(tags["img"]) == 2
    assert not tags["source"]


def test_words_with_quotes_and_brackets_come_through():
    alt = 'MI < 1 bit & "L1" > 2, on <b>every</b> pair'
    images = Tags(show(measure_scatter, MEASURES, alt=alt)._repr_html_())["img"]
    assert [image["alt"] for image in images] == [alt, alt]


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

    svg = show(draw, alt=ALT, width=2).light
    assert ElementTree.fromstring(svg).get("width") == "144pt"


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


# Drawn no more often than need be ----------------------------------------------------------------


def counted(draw):
    """A drawing function that notes in `count` in which themes and widths it drew."""

    def drawn(*args):
        drawn.count.append((matplotlib.rcParams["text.color"], *([is_narrow()] if args else [])))
        return draw()

    drawn.count = []
    return drawn


def plain():
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2])
    return figure


def with_image(**options):
    figure = Figure(figsize=(3, 2))
    figure.subplots().imshow([[1, 2]], **options)
    return figure


def with_image_of_the_themes_ink():
    ink = ListedColormap(["white", matplotlib.rcParams["text.color"]], "ink")
    return with_image(cmap=ink)


def with_pixels_of_the_themes_ink():
    figure = Figure(figsize=(3, 2))
    figure.subplots().scatter([1, 2], [1, 2], rasterized=True)
    return figure


def with_a_named_colour():
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2], color="grey")
    return figure


def with_a_mixed_colour():
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2], color="0.4")
    return figure


LIGHT, DARK = (PALETTES[mode]["ink"] for mode in ("light", "dark"))


@pytest.mark.parametrize("draw", [plain, with_image, with_a_named_colour])
def test_a_drawing_in_the_themes_colours_is_drawn_once(draw):
    draw = counted(draw)
    shown = show(draw, alt=ALT)
    assert draw.count == [(LIGHT,)]
    assert DARK.encode() in shown.dark and LIGHT.encode() not in shown.dark


CANNOT = [with_image_of_the_themes_ink, with_pixels_of_the_themes_ink, with_a_mixed_colour]


@pytest.mark.parametrize("draw", CANNOT)
def test_what_cannot_be_recoloured_is_drawn_again(draw):
    draw = counted(draw)
    show(draw, alt=ALT)
    assert draw.count == [(LIGHT,), (DARK,)]


def test_what_asks_how_wide_the_page_is_is_drawn_for_both_widths():
    draw = counted(plain)
    show(draw, "asks", alt=ALT)
    assert draw.count == [(LIGHT, False), (LIGHT, True)]


def without_ids(svg):
    """A drawing with its ids numbered in order: they are hashes, of colours among others."""
    seen = {}
    return re.sub(
        rb'((?:id="|#)[a-zC](?:\d+_\d+_)?)([0-9a-f]{10})\b',
        lambda match: match[1] + seen.setdefault(match[2], b"%d" % len(seen)),
        svg,
    )


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize(
    ("draw", "shapes"),
    [
        (measure_scatter, [(6, 3)]),
        (position_panels, [(6, 3), (6,), (3, 2)]),  # a colour bar of it goes on
        (layer_information_panels, [(2, 10)]),
    ],
)
def test_a_recoloured_drawing_is_the_one_that_would_be_drawn(draw, shapes, narrow):
    arrays = [np.random.default_rng(k).uniform(0.1, 1, shape) for k, shape in enumerate(shapes)]
    drawings = {}
    for mode in ("dark", "light"):
        drawings[mode] = BytesIO()
        with theme(mode, narrow=narrow):
            figure = draw(*arrays)
            write(figure, drawings[mode], mode=mode)
    dark, light = (file.getvalue() for file in drawings.values())
    assert without_ids(recolour(light, figure)) == without_ids(dark) != without_ids(light)
