"""Pictures that a page holds become files beside it: HTML in, HTML and files out.

A notebook keeps its figures in itself, so that they are shown wherever it is opened. A page of the
site names files instead, which a browser fetches when they come into view, and only those that fit.
"""

import hashlib
import re
from base64 import b64decode
from collections.abc import Iterable
from pathlib import Path

HELD = re.compile(r'"data:image/(svg\+xml|png);base64,([^"]+)"')
FIGURE = re.compile(r'(<figure class="course-figure"[^>]*>)<style>.*?</style>')
LINK = re.compile(r"_images/(figure-\w+\.\w+)")


def take_out_pictures(body: str, folder: Path, way: str) -> str:
    """Write the pictures in a page's HTML as files, and name these instead.

    Parameters
    ----------
    body : str
        The HTML.
    folder : Path
        Where the files go, each under a name made from what is in it.
    way : str
        The way to that folder from the page, with a slash at its end.

    Returns
    -------
    str
        The HTML, also without the style that a figure needs in a notebook.
    """

    def write(held: re.Match) -> str:
        data = b64decode(held[2])
        name = f"figure-{hashlib.sha256(data).hexdigest()[:16]}.{held[1].removesuffix('+xml')}"
        if not (folder / name).exists():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return f'"{way}{name}"'

    return HELD.sub(write, FIGURE.sub(r"\1", body))


def forget_pictures(pages: Iterable[str], folder: Path) -> None:
    """Remove those files that no page names any more."""
    named = {name for page in pages for name in LINK.findall(page)}
    for path in folder.glob("figure-*"):
        if path.name not in named:
            path.unlink()
