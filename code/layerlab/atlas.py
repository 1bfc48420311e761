"""An atlas: many cells, each done once, by processes of this machine or by a Dask cluster.

Each cell travels with its article, in the order of the grid, so that a worker keeps its model for
many cells. What the workers measured is written here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TypeVar

from distributed import Client, Future

from layerlab.articles import fetch_article
from layerlab.cells import Cell, find_model, measure_cell
from layerlab.cluster import finished
from layerlab.errors import LayerlabError
from layerlab.options import Options
from layerlab.store import Store

Value = TypeVar("Value")


@dataclass(frozen=True)
class Tally:
    """How many cells there are, and what became of them: before this run, and in it."""

    total: int
    done_before: int = 0
    failed_before: int = 0
    computed: int = 0
    failed: int = 0

    @property
    def settled(self) -> int:
        """Cells that nothing is left to be done for."""
        return self.done_before + self.failed_before + self.computed + self.failed


Progress = Callable[[Tally], None]


def plan(
    grid: Sequence[Options], store: Store, *, retry_failed: bool = False, refresh: bool = False
) -> tuple[list[Cell], Tally]:
    """What is left to be done of a grid.

    Each model is hashed once, and each article read once.

    Parameters
    ----------
    grid : sequence of Options
    store : Store
        Gets the failures of models and articles that cannot be had; these are asked for again in
        each run.
    retry_failed : bool
        Also do what has failed before with just the same inputs.
    refresh : bool
        Of the articles, as `load_article` takes it.

    Returns
    -------
    cells : list of Cell
        In the order of the grid.
    tally : Tally
    """
    models, articles = _attempt(find_model), _attempt(partial(fetch_article, refresh=refresh))
    cells, tally = [], Tally(len(grid))
    for options in grid:
        model, article = models(str(options.model)), articles(str(options.article))
        if isinstance(model, LayerlabError) or isinstance(article, LayerlabError):
            wrong = [part for part in (model, article) if isinstance(part, LayerlabError)]
            store.fail(options, None, wrong[0])
            tally = replace(tally, failed=tally.failed + 1)
            continue
        place, weights = model
        cell = Cell(options, weights, article, place)
        if store.holds(cell):
            store.forget_failure(cell)
            tally = replace(tally, done_before=tally.done_before + 1)
        elif store.has_failed(cell) and not retry_failed:
            tally = replace(tally, failed_before=tally.failed_before + 1)
        else:
            cells.append(cell)
    return cells, tally


def compute(
    cells: Sequence[Cell],
    store: Store,
    client: Client,
    tally: Tally,
    progress: Progress | None = None,
) -> Tally:
    """Measure cells, and keep each as soon as it is done.

    Parameters
    ----------
    cells, tally
        Of `plan`.
    store : Store
    client : distributed.Client
    progress : callable, optional
        Called with the tally before the first cell and after each.

    Returns
    -------
    Tally

    Raises
    ------
    LayerlabError
        If the scheduler is lost, or no worker is left. What was kept stays.
    """
    report = progress or (lambda _: None)
    report(tally)

    def submit(cell: Cell) -> Future:
        return client.submit(measure_cell, cell, key=f"cell-{cell.key}")

    for cell, measured, error in finished(cells, client, submit):
        if error is None:
            store.save(cell, measured)
            tally = replace(tally, computed=tally.computed + 1)
        else:
            store.fail(cell.options, cell.key, error)
            tally = replace(tally, failed=tally.failed + 1)
        report(tally)
    return tally


def _attempt(find: Callable[[str], Value]) -> Callable[[str], Value | LayerlabError]:
    """The same function, called once for each name, with its error for an answer."""

    @cache
    def attempt(name: str) -> Value | LayerlabError:
        try:
            return find(name)
        except LayerlabError as error:
            return error

    return attempt
