"""The two looks of a figure, for light and for dark pages, and how a figure becomes a file.

Colours, fonts and spines are chosen around a call::

    with theme("dark"):
        figure = measure_scatter(measures)

Outside a theme, a function of `layerlab.figures` draws in the light one.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from textwrap import fill
from typing import Any, BinaryIO, TypeVar

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

# Okabe and Ito's blue, vermilion and green, told apart by every kind of colour vision; the dark
# theme takes lighter tones of the same hues. `paper` is the ground of a PNG; an SVG has none.
PALETTES = {
    "light": {
        "ink": "#1f1f1f",
        "muted": "#6b6b6b",
        "paper": "#ffffff",
        "cycle": ("#0072B2", "#D55E00", "#009E73"),
    },
    "dark": {
        "ink": "#ececec",
        "muted": "#a3a3a3",
        "paper": "#121212",
        "cycle": ("#56B4E9", "#FF9A4D", "#35D6A4"),
    },
}

STYLE: dict[str, Any] = {
    "font.size": 11,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 11,
    "axes.labelweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.grid": False,
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "svg.fonttype": "path",
    "svg.hashsalt": "layerlab",  # ids inside an SVG then depend on its content alone
}

PHONE_WIDTH = 3.57  # inches: the column of a page 375 px wide, at 96 px an inch
PANEL = 2.7  # inches: the height of a panel that was put below another
LETTERS = 8.3  # points: letters of 11 px and a little more
SIGN = re.compile(r" ([=<>]) ")  # no line ends beside it
SMALLER = 0.86  # of the sizes in STYLE, what they are on a phone


@dataclass
class Theme:
    """The theme in use.

    Attributes
    ----------
    mode : {"light", "dark"}
    narrow : bool
        Whether it is that of a phone.
    was_asked : bool
        Whether who draws asked for that.
    """

    mode: str
    narrow: bool
    was_asked: bool = False


Place = TypeVar("Place", str, Path, BinaryIO)

_in_use: ContextVar[Theme | None] = ContextVar("layerlab_theme", default=None)


@contextmanager
def theme(mode: str = "light", *, narrow: bool = False) -> Iterator[Theme]:
    """Draw in the colours for a light or a dark page while the context lasts.

    Parameters
    ----------
    mode : {"light", "dark"}
        The ground is transparent in both; "light" draws for white pages, "dark" for near-black.
    narrow : bool
        Draw for a phone: a grid of panels is turned, so that its rows stand side by side; letters
        are a little smaller, and `fit_phone` makes the figure as wide as the phone.

    Raises
    ------
    ValueError
        For any other mode.
    """
    if mode not in PALETTES:
        raise ValueError(f"no theme named {mode!r}; choose one of {', '.join(PALETTES)}")
    palette = PALETTES[mode]
    ink = dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"),
        palette["ink"],
    )
    settings: Any = {**STYLE}
    if narrow:
        sizes = {name: STYLE[name] for name in STYLE if name.endswith("size")}
        settings |= {name: SMALLER * size for name, size in sizes.items()}
        settings["axes.labelweight"] = "normal"
    settings |= {
        **ink,
        "grid.color": palette["muted"],
        "axes.prop_cycle": cycler(color=palette["cycle"]),
    }
    in_use = Theme(mode, narrow)
    token = _in_use.set(in_use)
    try:
        with mpl.rc_context(settings):
            yield in_use
    finally:
        _in_use.reset(token)


def is_narrow() -> bool:
    """Tell whether the theme in use is that of a phone."""
    in_use = _in_use.get() or Theme("light", narrow=False)
    in_use.was_asked = True
    return in_use.narrow


def fit_phone(figure: Figure, *, turned: bool) -> None:
    """Make a figure as wide as a phone's page, where it is wider, and no letter too small there.

    It gets lower, too, but less so: its letters do not shrink with it. What has no room in a line
    goes on in the next.

    Parameters
    ----------
    figure : Figure
        A figure drawn in a narrow theme.
    turned : bool
        Whether who drew it knew of that. If not, panels that stand side by side are put below
        each other.
    """
    width, height = figure.get_size_inches()
    rows = 0 if turned or width <= PHONE_WIDTH else _stack_panels(figure)
    if rows:
        figure.set_size_inches(PHONE_WIDTH, rows * PANEL)
    elif width > PHONE_WIDTH:
        figure.set_size_inches(PHONE_WIDTH, height * max(PHONE_WIDTH / width, 0.8))
    for text in figure.findobj(Text):
        text.set_fontsize(max(text.get_fontsize(), LETTERS))
    figure.draw_without_rendering()  # panels and letters then have their places
    for legend in figure.legends:
        _narrow_legend(figure, legend)
    for axes in figure.axes:
        panel = axes.get_window_extent()
        _fold(axes.yaxis.label, panel.height)
        _fold(axes.xaxis.label, 1.1 * panel.width)
        for text in [text for text in axes.get_children() if isinstance(text, Text)]:
            rest = figure.bbox.width - text.get_window_extent().x0
            _fold(text, rest if text in axes.texts else min(rest, 1.2 * panel.width))


def _stack_panels(figure: Figure) -> int:
    """Turn a grid of three and more columns, and make one column of two.

    Returns
    -------
    int
        How many rows there are now; 0 if nothing could be moved.
    """
    places = {axes: axes.get_subplotspec() for axes in figure.axes}
    specs = {axes: spec for axes, spec in places.items() if spec is not None}
    grids = {spec.get_gridspec() for spec in specs.values()}
    if len(grids) != 1 or any(spec.num1 != spec.num2 for spec in specs.values()):
        return 0
    grid = grids.pop()
    n_rows, n_columns = grid.get_geometry()
    if n_columns == 1 or len(np.unique(grid.get_width_ratios())) > 1:
        return 0
    shape = (n_columns, n_rows) if n_columns > 2 else (n_rows * n_columns, 1)
    new = figure.add_gridspec(*shape)
    for axes, spec in specs.items():
        row, column = divmod(spec.num1, n_columns)
        axes.set_subplotspec(new[column, row] if n_columns > 2 else new[spec.num1, 0])
        axes.tick_params(labelbottom=True, labelleft=True)  # also where they were shared
    return shape[0]


def _narrow_legend(figure: Figure, legend: Legend) -> None:
    """Give a legend below the panels as many columns as there is room for."""
    words = [text.get_text() for text in legend.get_texts()]
    handles = [handle for handle in legend.legend_handles if handle is not None]
    for columns in (2, 1):
        if legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()
        legend = figure.legend(handles, words, loc="outside lower center", ncols=columns)
        figure.draw_without_rendering()


def _fold(text: Text, room: float) -> None:
    """Break each line of a text that is longer than there is room, in pixels."""
    box = text.get_window_extent()
    length = max(box.width, box.height) if text.get_rotation() else box.width
    if length > room:
        lines = [SIGN.sub("\u00a0\\1\u00a0", line) for line in text.get_text().split("\n")]
        letters = max(8, int(max(map(len, lines)) * room / length))
        text.set_text("\n".join(fill(line, letters, break_long_words=False) for line in lines))


def themed(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Give a drawing function the light theme where its caller chose none."""

    @wraps(draw)
    def drawn(*args: Any, **options: Any) -> Figure:
        with nullcontext() if _in_use.get() else theme("light"):
            return draw(*args, **options)

    return drawn


def save(
    draw: Callable[..., Figure],
    path: Place,
    *args: Any,
    mode: str = "light",
    narrow: bool = False,
    dpi: int = 300,
    **options: Any,
) -> Place:
    """Draw in a theme and write the figure as a file, the same bytes for the same input.

    Parameters
    ----------
    draw : callable
        A function of `layerlab.figures`, called as ``draw(*args, **options)``.
    path : str, Path or binary file
        Where to write. The suffix chooses the format; a file object gets SVG.
    mode : {"light", "dark"}
        The theme. A PNG gets the theme's ground, an SVG stays transparent.
    narrow : bool
        Draw for a phone, as `theme` says.
    dpi : int
        Dots per inch of a PNG.

    Returns
    -------
    path
        As given.
    """
    with theme(mode, narrow=narrow):
        write(draw(*args, **options), path, mode=mode, dpi=dpi)
    return path


def write(figure: Figure, path: str | Path | BinaryIO, *, mode: str, dpi: int = 300) -> None:
    """Write a figure that was drawn in a theme; the theme must still be in use.

    Parameters
    ----------
    figure : Figure
    path, mode, dpi
        As `save` has them.
    """
    is_svg = not isinstance(path, str | Path) or Path(path).suffix == ".svg"
    figure.savefig(
        path,
        dpi=dpi,
        format="svg" if is_svg else None,
        facecolor="none" if is_svg else PALETTES[mode]["paper"],
        metadata={"Date": None} if is_svg else None,
    )
