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
from typing import Any, BinaryIO, TypeVar

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.artist import Artist
from matplotlib.cm import ScalarMappable
from matplotlib.colors import CSS4_COLORS, to_hex
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

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

STYLE = {
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

COLOUR = re.compile(rb"#[0-9a-f]{6}\b")  # as an SVG names it
NAMED = {str(name).lower().encode() for name in CSS4_COLORS.values()}  # the same in every theme


@dataclass
class Theme:
    """The theme in use.

    Attributes
    ----------
    mode : {"light", "dark"}
    narrow : bool
        Whether it is that of a phone.
    was_asked : bool
        Whether somebody asked how wide the page is: if not, the drawing is the same for both.
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
        Draw for a phone: a grid of panels is turned, so that its rows stand side by side, and
        the figure is less wide, so that its letters stay large.

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
    settings: Any = {
        **STYLE,
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


def recolour(svg: bytes, figure: Figure) -> bytes | None:
    """Turn a light drawing into the dark one, which differs in nothing but the theme's colours.

    Parameters
    ----------
    svg : bytes
        The light drawing.
    figure : Figure
        What it is a drawing of.

    Returns
    -------
    bytes or None
        None if that cannot be told, so that it must be drawn again: it holds a colour without a
        name that is not the theme's and may have been mixed from those, or an image with such.
    """
    light, dark = (_colours(PALETTES[mode]) for mode in ("light", "dark"))
    counterparts = dict(zip(light, dark, strict=True))
    images: list[Any] = figure.findobj(
        lambda artist: isinstance(artist, AxesImage) or artist.get_rasterized()
    )
    if not all(map(_is_mapped, images)):
        return None
    # A colour bar that goes on ends in a triangle of its map's last colour.
    ends = {to_hex(image.get_cmap()(end)).encode() for image in images for end in (0.0, 1.0)}
    if set(COLOUR.findall(svg)) - counterparts.keys() - ends - NAMED:
        return None
    return COLOUR.sub(lambda colour: counterparts.get(colour[0], colour[0]), svg)


def _is_mapped(artist: Artist) -> bool:
    """Whether all colours of an artist are those of a colour map that every theme knows."""
    if not isinstance(artist, ScalarMappable) or np.asarray(artist.get_array()).ndim not in (1, 2):
        return False  # None, or colours of its own
    name = artist.get_cmap().name
    return name in mpl.colormaps and artist.get_cmap() == mpl.colormaps[name]


def _colours(palette: dict) -> list[bytes]:
    """The colours of a theme as an SVG names them."""
    names = (palette["ink"], palette["muted"], *palette["cycle"])
    return [name.lower().encode() for name in names]
