"""What a reader of the site can touch: a figure and the numbers that a script of the page draws."""

import json
from html import escape
from typing import Any

import numpy as np

EXACT = 7  # significant digits, as float32 has; with fewer, two numbers may come to be one


class Explorable:
    """A figure that a script of the site replaces by one to be touched, as a page shows it.

    Attributes
    ----------
    name : str
        The script, ``book/web/NAME.js``.
    data : str
        The numbers that it draws, as JSON.
    figure : object
        What stands there without the script: in print, in Jupyter, without JavaScript.
    """

    def __init__(self, name: str, data: str, figure: Any):
        self.name, self.data, self.figure = name, data, figure

    def __repr__(self) -> str:
        return repr(self.figure)

    def _repr_html_(self) -> str:
        return (
            f'<div class="explorable" data-script="{escape(self.name, quote=True)}">'
            f'<script type="application/json">{self.data}</script>'
            f"{self.figure._repr_html_()}</div>"
        )


def explore(name: str, data: dict[str, Any], figure: Any) -> Explorable:
    """Show a figure that readers of the site can touch; the last line of a cell.

    Parameters
    ----------
    name : str
        The script that draws it anew, ``book/web/NAME.js`` without its ending.
    data : dict
        What it draws and calculates from: numbers, of which seven digits are kept, arrays, texts,
        or lists and dicts of these. "title" names it for those who cannot see it, and "try" says in
        a sentence what to do.
    figure : Shown
        What `layerlab.pages.show` gives: it stands there wherever the script does not run.

    Returns
    -------
    Explorable
        Displays itself in a notebook and on a page.

    Raises
    ------
    ValueError
        If "title" or "try" is missing, or a number is NaN or infinite.
    """
    missing = [key for key in ("title", "try") if not data.get(key)]
    if missing:
        raise ValueError(f"data of {name!r} lacks {' and '.join(missing)}")
    text = json.dumps(_plain(data), allow_nan=False, separators=(",", ":"))
    return Explorable(name, text.replace("<", "\\u003c"), figure)  # no tag may end the script's


def _plain(value: Any) -> Any:
    """The same as JSON knows it, its numbers rounded."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(part) for part in value]
    if isinstance(value, float | np.floating):
        return _rounded(float(value))
    return int(value) if isinstance(value, np.integer) else value


def _rounded(value: float) -> float | int:
    near = float(f"{value:.{EXACT}g}")
    return int(near) if near.is_integer() else near
