"""A drawing for pages: real letters, colours that follow the theme, no more bytes than need be."""

import re
from io import StringIO
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from layerlab.figures import layer_information_panels, measure_scatter, position_panels
from layerlab.pages import show
from layerlab.svg import METADATA, follow_theme
from layerlab.themes import LETTERS, PALETTES, is_narrow, theme

ALT = "A figure that somebody drew to see how it is shown."
LIGHT, DARK = (PALETTES[mode]["ink"] for mode in ("light", "dark"))


def counted(draw):
    """A drawing function that notes in `count` in which themes and widths it drew."""

    def drawn(*args):
        drawn.count.append((matplotlib.rcParams["text.color"], is_narrow()))
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


@pytest.mark.parametrize("draw", [plain, with_image, with_a_named_colour])
def test_a_drawing_in_the_themes_colours_is_drawn_once_a_width(draw):
    draw = counted(draw)
    svg = show(draw, alt=ALT).wide.decode()
    assert draw.count == [(LIGHT, False), (LIGHT, True)]
    style = re.search("<style>(.*?)</style>", svg)[1]
    light, dark = style.split("@media(prefers-color-scheme:dark)")
    assert LIGHT in light and DARK in dark
    assert not re.search(f"{LIGHT}|{DARK}", svg.replace(style, ""))


CANNOT = [with_image_of_the_themes_ink, with_pixels_of_the_themes_ink, with_a_mixed_colour]


@pytest.mark.parametrize("draw", CANNOT)
def test_what_cannot_follow_the_theme_holds_both_drawings(draw):
    draw = counted(draw)
    svg = show(draw, alt=ALT).wide
    assert draw.count[:2] == [(LIGHT, False), (DARK, False)]
    inner = [child for child in ElementTree.fromstring(svg) if child.tag.endswith("}svg")]
    assert [child.get("class") for child in inner] == ["light", "dark"]
    assert all(child.get("width") is None and child.get("viewBox") for child in inner)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize(
    ("draw", "shapes"),
    [
        (measure_scatter, [(6, 3)]),
        (position_panels, [(6, 3), (6,), (3, 2)]),  # a colour bar of it goes on
        (layer_information_panels, [(2, 10)]),
    ],
)
def test_a_drawing_that_follows_the_dark_theme_is_the_one_that_would_be_drawn(draw, shapes, narrow):
    arrays = [np.random.default_rng(k).uniform(0.1, 1, shape) for k, shape in enumerate(shapes)]
    texts = []
    for mode in ("light", "dark"):
        with theme(mode, narrow=narrow):
            figure = draw(*arrays)
            texts.append(as_svg(figure))
    light = follow_theme(texts[0].encode(), figure).decode()
    variables = dict(
        re.findall(r"(--\d):(#\w+)", light.partition("(prefers-color-scheme:dark)")[2])
    )
    painted = re.sub(r"var\((--\d)\)", lambda name: variables[name[1]], light)
    assert colours(painted.partition("</style>")[2]) == colours(texts[1]) != colours(texts[0])


def as_svg(figure):
    file = StringIO()
    figure.savefig(file, format="svg", metadata=METADATA)
    return file.getvalue()


def colours(svg):
    return set(re.findall(r"#[0-9a-f]{6}\b", svg))


def test_letters_are_letters_and_keep_their_spaces():
    svg = show(measure_scatter, np.random.default_rng(0).uniform(1, 2, (6, 3)), alt=ALT).wide
    texts = [
        text.text for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert "A  MI and L1" in texts
    assert b"white-space:pre" in svg and b'DejaVu Sans",sans-serif' in svg
    assert b"font-family: " not in svg


def test_equal_dots_are_one_path_where_they_were():
    x, y = np.random.default_rng(0).uniform(size=(2, 500))

    def draw():
        figure = Figure(figsize=(3, 3), layout="constrained")
        figure.subplots().scatter(x, y, linewidths=0)
        return figure

    with theme("light"):
        figure = draw()
        whole = as_svg(figure)
    uses = re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)" style="fill: #0072b2"', whole)
    svg = show(draw, alt=ALT).wide.decode()
    steps = re.findall(r"m(-?\d+) ?(-?\d+)h0", re.search(r'scale\(.1\)" d="([^"]+)', svg)[1])
    places = np.cumsum(np.array(steps, dtype=int), axis=0) / 10
    apart = np.abs(places[:, None] - np.array(uses, dtype=float)).max(axis=-1)
    assert len(uses) == 500 and len(svg) < len(whole) / 3
    assert max(apart.min(axis=0).max(), apart.min(axis=1).max()) < 0.06


# On a phone ---------------------------------------------------------------------------------------


def smallest_letters(svg):
    return min(float(size) for size in re.findall(rb"font-size: ([\d.]+)px", svg))


def panels(n_rows, n_columns, **options):
    def draw():
        figure = Figure(figsize=(8, 3), layout="constrained")
        grid = figure.subplots(n_rows, n_columns, squeeze=False, **options)
        for axes in grid.flat:
            axes.plot([1, 2])
            axes.set_xlabel("a label that has no room in a panel of a phone and goes on", size=6)
        handles = grid[0, 0].lines
        words = ["many words for a line", "as many for another", "and for a third"]
        figure.legend([*handles] * 3, words, loc="outside lower center", ncols=3)
        draw.figure = figure
        return figure

    return draw


@pytest.mark.parametrize(
    ("grid", "on_a_phone"),
    [((1, 1), (1, 1)), ((1, 2), (2, 1)), ((2, 2), (4, 1)), ((1, 3), (3, 1)), ((2, 4), (4, 2))],
)
def test_panels_side_by_side_lie_below_each_other_on_a_phone(grid, on_a_phone):
    draw = panels(*grid, sharex=True, sharey=True)
    svg = show(draw, alt=ALT).narrow
    specs = [axes.get_subplotspec() for axes in draw.figure.axes]
    assert specs[0].get_gridspec().get_geometry() == on_a_phone
    assert smallest_letters(svg) >= LETTERS
    frame = draw.figure.bbox
    texts = [axes.xaxis.label for axes in draw.figure.axes]
    for thing in (*texts, *draw.figure.legends):
        box = thing.get_window_extent()
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1


def test_who_knows_of_phones_is_not_interfered_with():
    def draw():
        draw.figure = Figure(figsize=(3, 3) if is_narrow() else (8, 3))
        draw.figure.subplots(1, 2)
        return draw.figure

    show(draw, alt=ALT)
    assert draw.figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (1, 2)
    assert tuple(draw.figure.get_size_inches()) == (3, 3)
