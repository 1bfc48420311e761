"""The table and the figures of an atlas, made of its cells alone."""

from collections.abc import Sequence

import numpy as np

from layerlab.figures import MEASURES, atlas_profiles
from layerlab.grid import AXES, SINGLE
from layerlab.markdown import ATLAS, write_atlas
from layerlab.store import ARTICLE, Found, Store, read_cells, read_failures, writing
from layerlab.texts import Article
from layerlab.themes import save

MADE_OF = (*SINGLE, "model_files", "article_sha256", "layerlab")
SIZES = ("n_tokens", "n_compared", "n_layers")
MOST_ROWS = 8  # targets of one figure; what is taller can neither be looked at nor drawn
Curves = dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]


def write_summary(store: Store) -> None:
    """Show all cells in the folder, whichever run did them."""
    with writing(store.folder):
        _write(store)


def _write(store: Store) -> None:
    found, failures = read_cells(store.folder), read_failures(store.folder)
    varying = [name for name in MADE_OF if _varies(name, found)]
    shown = [(_describe(cell, (*AXES.values(), *varying, *SIZES)), *cell[1:]) for cell in found]
    failed = [{name: row[name] for name in (*AXES.values(), "says")} for row in failures]
    drawn = {}
    for measure, name in enumerate(MEASURES):
        rows = list(_curves(found, varying, measure).items())
        for first in range(0, len(rows), MOST_ROWS):
            curves = dict(rows[first : first + MOST_ROWS])
            file = f"atlas-{name.lower()}{f'-{first // MOST_ROWS + 1}' if first else ''}.png"
            save(atlas_profiles, store.workplace / file, curves, measure, dpi=150)
            drawn[file] = (
                f"Kendall's τ of {name} with token distance over relative depth, attention on the "
                f"left and MLP on the right, a row for each of {len(curves)} targets; trained "
                "models as lines, untrained ones dashed."
            )
    report = write_atlas(shown, failed, drawn, [_article_of(cell) for cell in found])
    (store.workplace / ATLAS).write_text(report, encoding="utf-8")
    for file in (*drawn, ATLAS):
        (store.workplace / file).replace(store.folder / file)


def _varies(name: str, found: Sequence[Found]) -> bool:
    """Whether cells differ in something that one name of a model, or an article, leaves open.

    Such cells are no draws of the same: their curves may even have other numbers of blocks.
    """
    axis = "article" if name.startswith("article") else "model"
    values: dict[str, set] = {}
    for cell in found:
        values.setdefault(cell.facts[axis], set()).add(cell.facts[name])
    return any(len(different) > 1 for different in values.values())


def _article_of(cell: Found) -> Article:
    """Whose text a cell was made of; the text itself is not kept."""
    origin = {fact: cell.facts[column] for column, fact in ARTICLE.items()}
    return Article("", cell.facts["article"], **origin)


def _describe(cell: Found, names: Sequence[str]) -> dict[str, object]:
    return {name: repr(v) if name == "target" else v for name in names for v in [cell.facts[name]]}


def _curves(found: Sequence[Found], varying: Sequence[str], measure: int) -> Curves:
    """tau by target and model; what else varies is part of the model's name."""
    cells: dict[str, dict[str, list[Found]]] = {}
    for cell in found:
        others = [f"{name} {str(cell.facts[name])[:8]}" for name in varying]
        name = ", ".join([cell.facts["model"], *others])
        cells.setdefault(cell.facts["target"], {}).setdefault(name, []).append(cell)
    return {
        target: {name: _tau(several, measure) for name, several in row.items()}
        for target, row in cells.items()
    }


def _tau(cells: Sequence[Found], measure: int) -> tuple[np.ndarray, np.ndarray]:
    """Of the trained and the untrained model, (n_cells, 2, n_layers) each."""
    trained = np.stack([cell.summary[:, :, 1, measure] for cell in cells])
    return trained, np.stack([cell.control[:, :, 1, measure] for cell in cells])
