"""An atlas: many cells, each done once, by processes of this machine or by a Dask cluster.

The workers measure and the coordinator alone writes, for they need not share a disk. It sends each
cell with its article, in the order of the grid, so that a worker keeps its model for many cells.
"""

import itertools
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing import resource_tracker
from typing import Any, TypeVar

import dask
from dask.system import CPU_COUNT
from distributed import Client, Future, KilledWorker, LocalCluster, wait

from layerlab.articles import fetch_article
from layerlab.cells import Cell, find_model, measure_cell
from layerlab.errors import LayerlabError
from layerlab.options import Options
from layerlab.store import Store

IN_FLIGHT = 256  # cells that the scheduler knows at a time: each carries its article
PULSE = 2.0  # seconds between two looks whether anybody is at work
PATIENCE = 60.0  # seconds without any worker until the atlas is given up
REACHABLE = 10.0  # seconds until a scheduler counts as unreachable

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
    for cell, future in _finished(cells, client):
        error = _error_of(future)
        if error is None:
            with _connected(client):
                measured = future.result()
            store.save(cell, measured)
            tally = replace(tally, computed=tally.computed + 1)
        else:
            store.fail(cell.options, cell.key, error)
            tally = replace(tally, failed=tally.failed + 1)
        report(tally)
    return tally


@contextmanager
def connect(scheduler: str | None, n_workers: int) -> Iterator[Client]:
    """A client of a running scheduler, or else of worker processes that end with the context.

    Parameters
    ----------
    scheduler : str, optional
        An address such as ``"tcp://10.0.0.1:8786"``.
    n_workers : int
        Processes on this machine, where no scheduler is given.

    Raises
    ------
    LayerlabError
        If there is no scheduler at the address.
    """
    for name in logging.root.manager.loggerDict:  # what matters is said by errors
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    if scheduler is None:
        n_threads = max(1, CPU_COUNT // n_workers)  # so that the processes do not fight
        environment = {"OMP_NUM_THREADS": n_threads, "DASK_LOGGING__DISTRIBUTED": "critical"}
        settings = {f"distributed.nanny.pre-spawn-environ.{k}": v for k, v in environment.items()}
        # no limit: a page of mapped weights counts as memory of every process that reads it
        options: dict[str, Any] = {"threads_per_worker": 1, "memory_limit": None}
        options["dashboard_address"] = ":0"  # any port that is free: there may be another atlas
        with dask.config.set(settings):
            with _deaf():
                cluster = LocalCluster(n_workers=n_workers, **options)
            with cluster, Client(cluster) as client:
                yield client
        return
    try:
        client = Client(scheduler, timeout=REACHABLE)
    except (OSError, ValueError) as error:
        raise LayerlabError(
            f"there is no scheduler at {scheduler!r} ({error}): start one by 'dask scheduler' and "
            "give the address that it shows"
        ) from error
    with client:
        yield client


@contextmanager
def _deaf() -> Iterator[None]:
    """What is started meanwhile, and what that starts, never hears Ctrl-C, and is ended instead.

    A terminal says it to all processes at once, and each worker would answer by a traceback.
    Windows knows no such mask.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # where it is started later, that lifts the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# ---- one cell after the other ----------------------------------------------------------------


def _attempt(find: Callable[[str], Value]) -> Callable[[str], Value | LayerlabError]:
    """The same function, called once for each name, with its error for an answer."""

    @cache
    def attempt(name: str) -> Value | LayerlabError:
        try:
            return find(name)
        except LayerlabError as error:
            return error

    return attempt


def _finished(cells: Sequence[Cell], client: Client) -> Iterator[tuple[Cell, Future]]:
    """Each cell when it is done, or has failed."""
    waiting = iter(cells)
    pending: dict[Future, Cell] = {}
    while True:
        for cell in itertools.islice(waiting, IN_FLIGHT - len(pending)):
            pending[client.submit(measure_cell, cell, key=f"cell-{cell.key}")] = cell
        if not pending:
            return
        for future in _wait_for_some(pending, client):
            yield pending.pop(future), future


def _wait_for_some(pending: dict[Future, Cell], client: Client) -> set[Future]:
    idle = 0.0
    while idle < PATIENCE:
        with _connected(client):
            try:
                return wait(list(pending), timeout=PULSE, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                idle = 0.0 if client.nthreads() else idle + PULSE
    raise LayerlabError(
        f"no worker has been at {_address(client)} for {PATIENCE:.0f} seconds: start one by 'dask "
        f"worker {_address(client)}', and run the same command again, which goes on from here"
    )


@contextmanager
def _connected(client: Client) -> Iterator[None]:
    """Say in words that the scheduler is gone, whatever it was doing then."""
    try:
        yield
    except (CancelledError, OSError) as error:
        raise LayerlabError(
            f"the scheduler at {_address(client)} is gone: what was done until then is kept, so "
            "start it again, and then run the same command, which goes on from here"
        ) from error


def _address(client: Client) -> str:
    return client.scheduler.addr


def _error_of(future: Future) -> BaseException | None:
    if future.status != "error":
        return None
    error = future.exception()
    if isinstance(error, KilledWorker):
        return LayerlabError(
            "each worker that measured it died, several one after the other, perhaps for want of "
            "memory: give fewer --workers, or workers with more memory"
        )
    return error
