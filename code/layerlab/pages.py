"""What a cell gives its chapter: a figure with words, a table, or the numbers of its sentences."""

import base64
import os
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from layerlab.svg import METADATA, SETTINGS, follow_theme, show_either, size
from layerlab.themes import fit_phone, save, theme

SHORTEST_ALT = 20  # characters; shorter texts name a figure and do not say what it shows

PHONE = "(max-width: 600px)"  # where a figure is drawn narrower, with its panels turned

# A site says by itself whether its page is light or dark; of a notebook it is said here.
NOTEBOOK_STYLE = (
    "html:not([data-theme]) .course-figure img{color-scheme:light}"
    "html:not([data-theme]) body[data-jp-theme-light=false] .course-figure img{color-scheme:dark}"
)


class Shown:
    """A figure as a page shows it: a drawing that follows the page's theme, and one for a phone.

    Attributes
    ----------
    alt : str
        What the figure shows, in words.
    caption : str
        What is to be seen in it, or "".
    anchor : str
        The name under which links find it, or "".
    wide, narrow : bytes
        The two SVG files.
    """

    def __init__(self, wide: bytes, narrow: bytes, alt: str, caption: str = "", anchor: str = ""):
        self.wide, self.narrow, self.alt = wide, narrow, alt
        self.caption, self.anchor = caption, anchor

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_html_(self) -> str:
        image = (
            f'<img alt="{escape(self.alt, quote=True)}" loading="lazy" src={_source(self.wide)}>'
        )
        source = f'<source media="{PHONE}" srcset={_source(self.narrow)}>'
        style = f"<style>{NOTEBOOK_STYLE}</style>"
        place = f' id="{escape(self.anchor)}"' if self.anchor else ""
        below = f"<figcaption>{escape(self.caption)}</figcaption>" if self.caption else ""
        picture = f"<picture>{source}{image}</picture>"
        return f'<figure class="course-figure"{place}>{style}{picture}{below}</figure>'


def show(
    draw: Callable[..., Figure],
    *args: Any,
    name: str | None = None,
    alt: str,
    caption: str = "",
    anchor: str = "",
    **options: Any,
) -> Shown:
    """Draw a figure for a page, light or dark, wide or narrow; the last line of a cell.

    Parameters
    ----------
    draw : callable
        A function of `layerlab.figures`, or any function that returns a Figure; it is called
        as ``draw(*args, **options)``, once for a wide page and once for a phone; and again for
        the dark theme if it uses other colours than the theme's and those that have a name, as
        single colours or as maps.
    name : str, optional
        Also write the light figure as this PNG file (300 dpi) into the folder that the
        environment variable ``LAYERLAB_FIGURES`` names, or else into the current folder.
    alt : str
        What the figure shows, in words, for a reader who cannot see it.
    caption : str, optional
        The finding that it shows, for everybody; a page of the book numbers it.
    anchor : str, optional
        A name such as ``fig-bins``, under which a page refers to the figure: ``[](#fig-bins)``.

    Returns
    -------
    Shown
        Displays itself in a notebook and on a page.

    Raises
    ------
    ValueError
        If the alt text is empty or too short to say what the figure shows, `name` does not end in
        ``.png``, or `anchor` names a figure without a caption.
    """
    alt = " ".join(alt.split())  # line breaks of the source are no part of the sentence
    if len(alt) < SHORTEST_ALT:
        raise ValueError(
            f"alt={alt!r} is too short; say in a sentence ({SHORTEST_ALT} characters or more) "
            "what the figure shows"
        )
    if anchor and not caption:
        raise ValueError(f"anchor={anchor!r} names a figure that has no caption; write one")
    if name is not None:
        save(draw, _png_path(name), *args, **options)
    wide, narrow = (_both_themes(draw, args, options, narrow=narrow) for narrow in (False, True))
    return Shown(wide, narrow, alt, " ".join(caption.split()), anchor)


class Table:
    """A table as a page shows it.

    Attributes
    ----------
    caption : str
    html : str
    """

    def __init__(self, caption: str, html: str):
        self.caption, self.html = caption, html

    def __repr__(self) -> str:
        return f"Table: {self.caption}"

    def _repr_html_(self) -> str:
        return self.html


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of a page, whose first column names its rows; the last line of a cell.

    Parameters
    ----------
    caption : str
        What the table shows, with its unit.
    head : sequence of str
        A name for each column, "" where none is needed.
    rows : iterable of sequences
        Its cells, numbers already formatted. A hyphen before a digit is shown as a minus sign,
        but not in the first column, where it belongs to a name.

    Returns
    -------
    Table
        Displays itself in a notebook and on a page.
    """
    top = "".join(f'<th scope="col">{escape(name)}</th>' if name else "<td></td>" for name in head)
    body = "".join(f"<tr>{_table_row(*row)}</tr>" for row in rows)
    return Table(
        caption,
        f'<table class="table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>",
    )


def glue(**values: object) -> None:
    """Keep what a cell computed for the sentences of its page, under the names of the arguments.

    Parameters
    ----------
    **values
        Numbers and words; an array's entry is kept as the plain number that it holds. A sentence
        says ``{glue:text}`name:.2f```.
    """
    from myst_nb import glue as keep  # only where the book is built

    for name, value in values.items():
        keep(name, value.item() if isinstance(value, np.generic) else value, display=False)


def at_least(values: ArrayLike, n_decimals: int = 2) -> float:
    """The largest number of so few decimals that none of the values is below.

    For a sentence that says "or more": the nearest such number may be above the smallest value.

    Parameters
    ----------
    values : array_like
        One number or several.
    n_decimals : int
        As many as the sentence shows.

    Returns
    -------
    float

    Examples
    --------
    >>> at_least([0.2481, 0.3]), at_most([0.2481, 0.3])
    (0.24, 0.3)
    """
    return _rounded(np.min(values), n_decimals, ROUND_FLOOR)


def at_most(values: ArrayLike, n_decimals: int = 2) -> float:
    """The smallest number of so few decimals that none of the values is above; see `at_least`."""
    return _rounded(np.max(values), n_decimals, ROUND_CEILING)


def _rounded(value: float, n_decimals: int, way: str) -> float:
    exact = Decimal(repr(float(value)))  # as it is printed: 0.29 is not a little more
    return float(exact.quantize(Decimal(1).scaleb(-n_decimals), way))


def _table_row(name: object, *cells: object) -> str:
    texts = [re.sub(r"-(?=\d)", "−", escape(str(cell))) for cell in cells]
    return f'<th scope="row">{escape(str(name))}</th>' + "".join(f"<td>{t}</td>" for t in texts)


def _source(svg: bytes) -> str:
    """An address of an image that holds it all, and its size, so that a page need not jump."""
    width, height = size(svg)
    data = base64.b64encode(svg).decode("ascii")
    return f'"data:image/svg+xml;base64,{data}" width="{width}" height="{height}"'


def _png_path(name: str) -> Path:
    if Path(name).suffix != ".png":
        raise ValueError(f"name={name!r} must end in .png")
    folder = Path(os.environ.get("LAYERLAB_FIGURES") or ".")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def _both_themes(draw: Callable[..., Figure], args: tuple, options: dict, *, narrow: bool) -> bytes:
    """A drawing that follows the theme."""
    light, figure = _svg(draw, args, options, "light", narrow)
    return follow_theme(light, figure) or show_either(
        light, _svg(draw, args, options, "dark", narrow)[0]
    )


def _svg(
    draw: Callable[..., Figure], args: tuple, options: dict, mode: str, narrow: bool
) -> tuple[bytes, Figure]:
    file = BytesIO()
    with theme(mode, narrow=narrow) as in_use, rc_context(SETTINGS):
        figure = draw(*args, **options)
        if narrow:
            fit_phone(figure, turned=in_use.was_asked)
        figure.savefig(file, format="svg", facecolor="none", metadata=METADATA)
    return file.getvalue(), figure
