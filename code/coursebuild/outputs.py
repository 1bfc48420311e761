"""The stored outputs of the pages, and why one of them is no longer true.

The execution cache of MyST-NB knows a notebook by the text of its code cells. That is too little
here, since the cells import packages that live in the same repository. So beside the cache lies a
record of what each page rested on when it ran. A page whose record differs from what is there now
runs again; its new outputs replace the old ones in the cache, where MyST-NB finds them.
"""

import json
import os
import shutil
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbformat import NotebookNode

from coursebuild.execution import Run
from coursebuild.inputs import CODE, PINS, PYTHON

MOST_NAMED = 2  # inputs that changed; the others are counted


class Outputs:
    """What the pages gave when they last ran.

    Parameters
    ----------
    folder : Path
        The execution cache, and the record in it.
    figures : Path
        Where the image files lie that the pages wrote beside their outputs.
    """

    def __init__(self, folder: Path, figures: Path):
        self._record = folder / "pages.json"
        if not self._record.exists():  # nobody knows what these outputs rested on
            shutil.rmtree(folder, ignore_errors=True)
        self._cache = get_cache(folder)
        self._pages = json.loads(self._record.read_text("utf-8")) if self._record.exists() else {}
        self._figures = figures
        self._drawn = figures.with_name(".figures-of-running-pages")

    def reason(self, run: Run) -> str:
        """Say why a page runs again, for a line that begins with its name; nothing if it need not.

        Parameters
        ----------
        run : Run
            The page as it is now, not yet executed.
        """
        page = self._pages.get(run.name)
        if page is None:
            return "never ran"
        if page["cells"] != self._key(run.notebook):
            return "its cells changed"
        if page["cells"] not in {record.hashkey for record in self._cache.list_cache_records()}:
            return "its outputs are gone"
        lost = [name for name in page["figures"] if not (self._figures / name).exists()]
        return f"its figure {lost[0]} is gone" if lost else difference(page["inputs"], run.inputs)

    def place_for_figures(self, run: Run) -> Path:
        """An empty folder into which only this page writes, so that its figures are known."""
        folder = self._drawn / run.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder.resolve()

    def keep(self, run: Run) -> None:
        """Store the outputs of a page that ran well, and what it rested on."""
        bundle = CacheBundleIn(run.notebook, str(run.path), data={"execution_seconds": run.seconds})
        self._cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
        self._pages[run.name] = {
            "cells": self._key(run.notebook),
            "inputs": run.inputs,
            "figures": self._take_figures(self._drawn / run.name),
        }
        self._write()

    def clear(self, root: Path) -> None:
        """Delete what no build will use again: of pages that are gone, and of older cells."""
        self._pages = {name: page for name, page in self._pages.items() if (root / name).exists()}
        self._write()
        cells = {page["cells"] for page in self._pages.values()}
        for record in self._cache.list_cache_records():
            if record.hashkey not in cells:
                self._cache.remove_cache(record.pk)
        wanted = {name for page in self._pages.values() for name in page["figures"]}
        for path in self._figures.iterdir():
            if path.name not in wanted:
                path.unlink()
        shutil.rmtree(self._drawn, ignore_errors=True)

    def _key(self, notebook: NotebookNode) -> str:
        """The hash of the cells by which MyST-NB finds a page's outputs."""
        return self._cache.create_hashed_notebook(notebook)[1]

    def _take_figures(self, folder: Path) -> list[str]:
        """Move a page's figures to where all of them lie; return their names."""
        names = sorted(path.name for path in folder.iterdir())
        for name in names:
            os.replace(folder / name, self._figures / name)
        return names

    def _write(self) -> None:
        """Write the record as a whole, so that a build that is stopped leaves the old one."""
        new = self._record.with_suffix(".part")
        new.write_text(json.dumps(self._pages, indent=1), encoding="utf-8")
        os.replace(new, self._record)


def stored_html(folder: Path, name: str) -> list[str] | None:
    """The HTML that the cells of a page put out when they last ran.

    Parameters
    ----------
    folder : Path
        The execution cache.
    name : str
        The page's path, as the record has it.

    Returns
    -------
    list of str or None
        In the order of the page; None if nothing is stored of it.
    """
    record = folder / "pages.json"
    page = json.loads(record.read_text("utf-8")).get(name) if record.is_file() else None
    if page is None:
        return None
    cache = get_cache(folder)
    found = next((r for r in cache.list_cache_records() if r.hashkey == page["cells"]), None)
    if found is None:
        return None
    notebook = cache.get_cache_bundle(found.pk).nb
    outputs = (one for cell in notebook.cells for one in cell.get("outputs", []))
    data = (one.get("data", {}).get("text/html") for one in outputs)
    return [html if isinstance(html, str) else "".join(html) for html in data if html]


def difference(before: dict[str, str], now: dict[str, str]) -> str:
    """Say what a page rests on that is not as it was: ``layerlab/figures.py changed``.

    Parameters
    ----------
    before, now : dict of str
        From the name of each input to a hash of its content, as `Sources.page_inputs` gives it.

    Returns
    -------
    str
        Empty if nothing changed.
    """
    changed = [name for name in sorted(before | now) if before.get(name) != now.get(name)]
    if PYTHON in changed:
        return "another Python runs it"
    if PINS in changed:
        return "the pins changed"
    names = [name.removeprefix(f"{CODE}/") for name in changed]
    if len(names) > MOST_NAMED:
        names[MOST_NAMED:] = [f"{len(names) - MOST_NAMED} more"]
    return f"{' and '.join(names)} changed" if names else ""
