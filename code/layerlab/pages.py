"""What a chapter's cell shows: a figure in a light and a dark version with words, or a table."""

import base64
import os
import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from layerlab.themes import recolour, save, theme, write

SHORTEST_ALT = 20  # characters; shorter texts name a figure and do not say what it shows

PHONE = "(max-width: 600px)"  # where a figure is drawn narrower, with its panels turned

# The site hides one of the two by its own rule. In a notebook nobody does, hence these.
NOTEBOOK_STYLE = (
    "html:not([data-theme]) body:not([data-jp-theme-light=false]) .course-figure .only-dark,"
    "html:not([data-theme]) body[data-jp-theme-light=false] .course-figure .only-light"
    "{display:none}"
)


class Shown:
    """A figure as a page shows it: two images, of which the page's theme chooses one.

    Attributes
    ----------
    alt : str
        What the figure shows, in words.
    light, dark : bytes
        The two SVG files.
    narrow : dict of bytes
        The same two, keyed by "light" and "dark", drawn for a phone.
    """

    def __init__(self, light: bytes, dark: bytes, narrow: dict[str, bytes], alt: str):
        self.light, self.dark, self.narrow, self.alt = light, dark, narrow, alt

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_html_(self) -> str:
        images = self._image(self.light, "light") + self._image(self.dark, "dark")
        return f'<figure class="course-figure"><style>{NOTEBOOK_STYLE}</style>{images}</figure>'

    def _image(self, svg: bytes, mode: str) -> str:
        alt = escape(self.alt, quote=True)
        image = f'<img class="only-{mode}" alt="{alt}" src="{_data_uri(svg)}">'
        if self.narrow[mode] == svg:  # drawn by a function that knows no narrow page
            return image
        source = f'<source media="{PHONE}" srcset="{_data_uri(self.narrow[mode])}">'
        return f"<picture>{source}{image}</picture>"


def show(
    draw: Callable[..., Figure], *args: Any, name: str | None = None, alt: str, **options: Any
) -> Shown:
    """Draw a figure for a page, light and dark; the last line of a cell.

    Parameters
    ----------
    draw : callable
        A function of `layerlab.figures`, or any function that returns a Figure; it is called
        as ``draw(*args, **options)``, once for a wide page and, if it asks how wide the page is,
        once for a narrow one; and again for the dark theme if it uses other colours than the
        theme's and those that have a name, as single colours or as maps.
    name : str, optional
        Also write the light figure as this PNG file (300 dpi) into the folder that the
        environment variable ``LAYERLAB_FIGURES`` names, or else into the current folder.
    alt : str
        What the figure shows, in words, for a reader who cannot see it.

    Returns
    -------
    Shown
        Displays itself in a notebook and on a page.

    Raises
    ------
    ValueError
        If the alt text is empty or too short to say what the figure shows, or `name` does not
        end in ``.png``.
    """
    alt = " ".join(alt.split())  # line breaks of the source are no part of the sentence
    if len(alt) < SHORTEST_ALT:
        raise ValueError(
            f"alt={alt!r} is too short; say in a sentence ({SHORTEST_ALT} characters or more) "
            "what the figure shows"
        )
    if name is not None:
        save(draw, _png_path(name), *args, **options)
    wide, depends_on_width = _light_and_dark(draw, args, options, narrow=False)
    narrow = wide
    if depends_on_width:
        narrow, _ = _light_and_dark(draw, args, options, narrow=True)
    return Shown(wide["light"], wide["dark"], narrow, alt)


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


def _table_row(name: object, *cells: object) -> str:
    texts = [re.sub(r"-(?=\d)", "−", escape(str(cell))) for cell in cells]
    return f'<th scope="row">{escape(str(name))}</th>' + "".join(f"<td>{t}</td>" for t in texts)


def _data_uri(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode('ascii')}"


def _png_path(name: str) -> Path:
    if Path(name).suffix != ".png":
        raise ValueError(f"name={name!r} must end in .png")
    folder = Path(os.environ.get("LAYERLAB_FIGURES") or ".")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def _light_and_dark(
    draw: Callable[..., Figure], args: tuple, options: dict, narrow: bool
) -> tuple[dict[str, bytes], bool]:
    """A drawing in both themes, and whether it depends on how wide the page is."""
    light, figure, depends_on_width = _svg(draw, args, options, "light", narrow)
    dark = recolour(light, figure) or _svg(draw, args, options, "dark", narrow)[0]
    return {"light": light, "dark": dark}, depends_on_width


def _svg(
    draw: Callable[..., Figure], args: tuple, options: dict, mode: str, narrow: bool
) -> tuple[bytes, Figure, bool]:
    file = BytesIO()
    with theme(mode, narrow=narrow) as in_use:
        figure = draw(*args, **options)
        write(figure, file, mode=mode)
    return file.getvalue(), figure, in_use.was_asked
