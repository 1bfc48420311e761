"""What a check says of a difference is its kind, and what a figure shows is read as one sees it."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from coursechecks import figures
from coursechecks.engine import Raised, plain
from coursechecks.words import in_kind

TABLE = np.arange(9.0).reshape(3, 3) + 1


@pytest.mark.parametrize(
    ("right", "got", "says"),
    [
        (1.37, 0.5, "too small (yours: 0.5)"),
        (1.37, 2, "too large (yours: 2)"),
        (1.37, -1.37, "the other sign (yours: -1.37)"),
        ([1.0, 2.0], [-1.0, -2.0], "the other sign everywhere"),
        ([1.0, 2.0], [1.5, 3.0], "too large by a factor of about 1.5"),
        ([1.0, 2.0], [0.25, 0.5], "too small by a factor of about 4"),
        ([1.0, 2.0, 4.0], [4.0, 2.0, 1.0], "the right numbers, backwards"),
        ([1.0, 2.0, 4.0], [2.0, 1.0, 4.0], "the right numbers in another order"),
        ([1500.125, 1200.377], [1500.12, 1200.38], "2 of 2 numbers are a little off"),
        (TABLE, TABLE.T, "rows and columns exchanged"),
        (TABLE, TABLE + np.eye(3), "3 of 9 numbers differ, the first at [0, 0]"),
        ([1.0, 2.0], [1.0, math.inf], "1 of them not finite"),
        ([1.0, math.nan], [math.nan, 1.0], "empty places and numbers lie elsewhere"),
        (
            [1.0, 2.0],
            [1.0, 2.0, 3.0],
            "expected was an array of 2 numbers, and there came an array of 3 numbers",
        ),
        (TABLE, 1.0, "expected was an array of 3 × 3 numbers, and there came one number"),
        (1.0, None, "expected was one number, and there came nothing (None)"),
        (1.0, "1.0", "expected was one number, and there came a text"),
        (1.0, np.add, "expected was one number, and there came an ufunc"),
        (1.0, Raised(KeyError("a")), "an error came, KeyError: 'a'"),
        (True, False, "no, and it should be yes"),
        ("lower", "upper", "yours is 'upper', and that is not it"),
        (["a", "b"], ["a"], "expected were 2 things, and there came 1"),
        (["a", 1.0], ["b", 1.0], "number 0: yours is 'b', and that is not it"),
        ([1.0, "a"], [1.0 + 1e-9, "b"], "number 1: yours is 'b', and that is not it"),
        ({"x": 1.0, "y": 2.0}, {"x": 1.0 + 1e-9, "y": 3.0}, "under 'y': too large (yours: 3)"),
        ({"x": 1.5}, {"x": 2.0}, "under 'x': too large (yours: 2)"),
        ({"x": 1.5}, {"y": 1.5}, "1 of its 1 names are not asked for, such as 'y'"),
        ({"x": 1.5, "y": 1.5}, {"x": 1.5}, "1 of 2 names are missing"),
        ({"x": 1, "y": 2}, {"y": 2, "x": 1}, "its names stand in another order"),
    ],
    ids=str,
)
def test_a_difference_is_told_in_kind(right, got, says):
    line = in_kind(plain(right), plain(got))[0]
    assert says in line
    assert "1.37" not in line.replace("yours: -1.37", "")


# Figures --------------------------------------------------------------------------------------


@pytest.fixture
def axes():
    return Figure().subplots()


@pytest.mark.parametrize("origin", ["upper", "lower"])
@pytest.mark.parametrize("turn", [None, "invert_xaxis", "invert_yaxis"])
def test_an_image_is_read_from_its_upper_left_corner(axes, origin, turn):
    axes.imshow(TABLE, origin=origin)
    expected = TABLE if origin == "upper" else TABLE[::-1]
    if turn:
        getattr(axes, turn)()
        expected = expected[::-1] if turn == "invert_yaxis" else expected[:, ::-1]
    assert np.array_equal(figures.image(axes), expected)


def test_an_image_lies_where_its_extent_says(axes):
    axes.imshow(TABLE, extent=(4, 0, 1, 3))
    assert figures.image_place(axes).tolist() == [[0, 4], [1, 3]]
    assert np.array_equal(figures.image(axes), TABLE)  # the axis turns along with the extent


def test_no_image_and_two_images_are_errors(axes):
    with pytest.raises(ValueError, match="there are 0"):
        figures.image(axes)


def test_masked_cells_are_empty(axes):
    axes.imshow(np.ma.masked_less(TABLE, 3))
    assert np.isnan(figures.image(axes)).sum() == 2


@pytest.mark.parametrize(
    ("options", "is_linear"),
    [({}, True), ({"norm": "log"}, False), ({"vmin": 1, "vmax": 1}, False)],
)
def test_a_linear_scale_is_told_from_others(axes, options, is_linear):
    axes.imshow(TABLE, **options)
    assert figures.is_linear(axes) is is_linear


def test_dots_of_scatter_and_plot_are_dots_in_any_order(axes):
    axes.scatter([3, 1, np.nan], [1, 2, 3])
    axes.plot([2], [5], "o")
    axes.plot([0, 1], [0, 1], label="a line")
    assert figures.dots(axes).tolist() == [[1, 2], [2, 5], [3, 1]]
    assert [name for name, _ in figures.lines(axes)] == ["a line"]


@pytest.mark.parametrize("options", [{"visible": False}, {"alpha": 0}])
def test_what_cannot_be_seen_is_not_there(axes, options):
    axes.imshow(TABLE, **options)
    axes.scatter([1], [2], **options)
    axes.plot([3], [4], "o", **options)
    axes.plot([0, 1], [0, 1], **options)
    with pytest.raises(ValueError, match="there are 0"):
        figures.image(axes)
    assert len(figures.dots(axes)) == 0
    assert not list(figures.lines(axes))


@pytest.mark.parametrize("options", [{"lw": 0}, {"color": "none"}])
def test_a_line_without_width_or_colour_is_not_there(axes, options):
    axes.plot([0, 1], [0, 1], **options)
    assert not list(figures.lines(axes))


def test_panels_go_by_the_letters_of_their_titles():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    left.set_title("B  second\ntau = −0.61, p = 1.3e-02, 45 pairs")
    right.set_title("A", loc="left")
    assert sorted(figures.panels(figure)) == ["A", "B"]


def test_what_is_no_figure_has_no_panels():
    with pytest.raises(TypeError, match="expected was a figure"):
        figures.panels([1])


def test_colour_bar_and_legend_say_their_words(axes):
    image = axes.imshow(TABLE)
    assert figures.colour_bar(axes) is None
    axes.figure.colorbar(image, label="Count")
    axes.plot([1], [1], label="a")
    axes.legend()
    assert (figures.colour_bar(axes), figures.legend(axes)) == ("Count", ["a"])
