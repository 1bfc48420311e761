"""What a figure shows, in a form that can be compared: images, dots, lines, words.

All of it is read as a reader sees it: an image from its upper left corner, whatever its origin;
dots in the order of their places; lines by what they are called. What cannot be seen is not there.
"""

from collections.abc import Iterator

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure


def panels(figure) -> dict[str, Axes]:
    """The axes of a figure by the letters that their titles begin with.

    Raises
    ------
    TypeError
        If it is no figure.
    """
    if not isinstance(figure, Figure):
        raise TypeError(f"expected was a figure, and there came {type(figure).__name__}")
    return {title(axes)[:1]: axes for axes in figure.axes if title(axes)}


def is_seen(drawn: Artist) -> bool:
    """Whether something is drawn at all: not switched off, and not wholly transparent."""
    alpha = drawn.get_alpha()
    return drawn.get_visible() and (alpha is None or bool(np.any(alpha)))


def has_stroke(drawn: Artist) -> bool:
    """Whether a line, or a collection of them, has a width and a colour that can be seen."""
    has_colour = to_rgba_array(drawn.get_color())[:, 3].any()
    return bool(is_seen(drawn) and np.any(drawn.get_linewidth()) and has_colour)


def title(axes: Axes) -> str:
    """The title of a panel, wherever it is set, on one line."""
    words = (axes.get_title(side) for side in ("left", "center", "right"))
    return " ".join(" ".join(words).split())


def image(axes: Axes) -> np.ndarray:
    """The numbers of a panel's only image as one sees them, NaN where it is empty.

    Returns
    -------
    ndarray, shape (n_rows, n_columns)
        Row 0 is the upper one, column 0 the one on the left.

    Raises
    ------
    ValueError
        If the panel has no image or several.
    """
    shown = _only_image(axes)
    numbers = np.ma.filled(np.ma.asarray(shown.get_array()).astype(float), np.nan)
    x, y = _edges(shown)
    corners = axes.transData.transform([(x[0], y[0]), (x[1], y[1])])
    if corners[0, 0] > corners[1, 0]:
        numbers = numbers[:, ::-1]
    if corners[0, 1] < corners[1, 1]:
        numbers = numbers[::-1]
    return numbers


def image_place(axes: Axes) -> np.ndarray:
    """Where an image lies: on its horizontal and on its vertical axis, (2, 2), smaller first."""
    return np.sort(_edges(_only_image(axes)))


def _only_image(axes: Axes):
    seen = list(filter(is_seen, axes.images))
    if len(seen) != 1:
        raise ValueError(f"expected was one image to be seen in a panel, and there are {len(seen)}")
    return seen[0]


def _edges(shown) -> np.ndarray:
    """Where the first and the last column, and the first and the last row, have their edges."""
    left, right, bottom, top = shown.get_extent()
    return np.array([(left, right), (top, bottom) if shown.origin == "upper" else (bottom, top)])


def colours(axes: Axes) -> tuple[float, float]:
    """The numbers at which the colours of a panel's image begin and end."""
    return _only_image(axes).get_clim()


def is_linear(axes: Axes) -> bool:
    """Whether equal differences get equal steps of colour."""
    shown = _only_image(axes)
    low, high = shown.get_clim()
    if not np.isfinite([low, high]).all() or low == high:
        return False
    try:
        shares = shown.norm(np.array([low, (low + high) / 2, high]))
    except ValueError:  # such as a logarithm of zero
        return False
    return bool(np.allclose(np.ma.filled(shares, np.nan), [0, 0.5, 1]))


def colour_bar(axes: Axes) -> str | None:
    """What the colour bar of a panel's image is called, beside it or above; None without one."""
    bar = _only_image(axes).colorbar
    return None if bar is None else bar.ax.get_ylabel() or bar.ax.get_xlabel() or title(bar.ax)


def dots(axes: Axes) -> np.ndarray:
    """All dots of a panel that are drawn somewhere, (n, 2): x and y, in the order of both."""
    seen = filter(is_seen, axes.collections)
    clouds = [np.ma.filled(cloud.get_offsets().astype(float), np.nan) for cloud in seen]
    seen = filter(is_seen, axes.lines)
    clouds += [line.get_xydata() for line in seen if line.get_linestyle() == "None"]
    found = np.concatenate([np.empty((0, 2)), *clouds])
    found = found[np.isfinite(found).all(axis=1)]
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def lines(axes: Axes) -> Iterator[tuple[str, np.ndarray]]:
    """The lines of a panel: what each is called in the legend, and its points, (n, 2)."""
    for line in axes.lines:
        if line.get_linestyle() != "None" and has_stroke(line):
            yield str(line.get_label()), np.asarray(line.get_xydata(), float)


def legend(axes: Axes) -> list[str]:
    """The words of a panel's legend, in order; none without one."""
    box = axes.get_legend()
    return [] if box is None else [text.get_text() for text in box.get_texts()]
