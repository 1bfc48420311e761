"""The code of each page, cell by cell, for a page that runs it: `_static/live/PAGE.json`.

A page shows not all of its cells, and of some only what they print. Where one may run the page's
code, in a kernel, all of it is needed, in order. Nobody loads these files before that.
"""

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

from docutils import nodes
from nbformat import NotebookNode

FOLDER = "_static/live"
CHECK = "check"  # the tag of a cell that checks a step


def places_of(doctree: nodes.document) -> dict[int, int]:
    """Return where a page shows each of its cells: the cell's number -> which `div.cell` it is."""
    shown = [
        node for node in doctree.findall(nodes.container) if node.get("nb_element") == "cell_code"
    ]
    return {node["cell_index"]: place for place, node in enumerate(shown)}


def program(notebook: NotebookNode, places: dict[int, int]) -> list[dict]:
    """Return the code cells of a notebook, as its page needs them.

    Parameters
    ----------
    notebook : NotebookNode
        As the page shows it, so without marks of blanks.
    places : dict of int to int
        What `places_of` returns.

    Returns
    -------
    list of dict
        Of each cell in order its "source"; its "place" among the cells that the page shows, None
        if it shows nothing of it; the "step" of an exercise that it belongs to, or ""; and whether
        it is that step's "check".
    """
    return [
        {
            "source": cell.source,
            "place": places.get(number),
            "step": cell.metadata.get("step", ""),
            "check": CHECK in cell.metadata.get("tags", []),
        }
        for number, cell in enumerate(notebook.cells)
        if cell.cell_type == "code"
    ]


def offer_server(address: str, docname: str) -> str:
    """Return the place on a page where `book/web/live.js` asks for a Jupyter server's token."""
    values = f'data-jupyter="{escape(address)}" data-page="{escape(docname)}"'
    return f'<div data-script="live" {values}></div>'


def write_program(site: Path, docname: str, cells: list[dict]) -> None:
    """Write the code of a page into the site."""
    path = program_file(site, docname)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(cells, ensure_ascii=False), "utf-8")


def program_file(site: Path, docname: str) -> Path:
    """Return the file of the site that holds the code of a page."""
    return site / FOLDER / f"{docname}.json"


def forget_programs(site: Path, docnames: Iterable[str]) -> None:
    """Remove the code of all pages but those."""
    wanted = {program_file(site, docname) for docname in docnames}
    for path in (site / FOLDER).rglob("*.json"):
        if path not in wanted:
            path.unlink()
