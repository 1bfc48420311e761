"""Workers for pieces of work that do not need each other: of this machine, or of a Dask cluster.

The workers compute and whoever hands the pieces out alone writes, for they need not share a disk.
"""

import asyncio
import itertools
import logging
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, TypeVar

import dask
from dask.system import CPU_COUNT
from distributed import Client, Future, KilledWorker, LocalCluster, Security, wait
from distributed import comm as comms

from layerlab.errors import LayerlabError

IN_FLIGHT = 256  # pieces that the scheduler knows at a time: each carries what it needs
PULSE = 2.0  # seconds between two looks whether anybody is at work
PATIENCE = 60.0  # seconds without any worker until the work is given up
REACHABLE = 10.0  # seconds until a scheduler counts as unreachable

Piece = TypeVar("Piece")


class WorkersDied(LayerlabError):
    """All workers that began a piece died over it."""


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
        If there is no scheduler at the address, or something else answers there.
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
        options["dashboard_address"] = ":0"  # any port that is free: there may be another cluster
        with dask.config.set(settings):
            with _deaf():
                cluster = LocalCluster(n_workers=n_workers, **options)
            with cluster, Client(cluster) as client:
                yield client
        return
    try:
        with ThreadPoolExecutor(1) as pool:  # this thread may have a loop of its own
            pool.submit(asyncio.run, _knock(scheduler)).result()
        client = Client(scheduler, timeout=REACHABLE)
    except Exception as error:  # of any kind: what answers there may be no scheduler
        why = str(error)[:100] or "no answer"
        raise LayerlabError(
            f"there is no scheduler at {scheduler!r} ({why}): start one by 'dask scheduler' and "
            "give the address that it shows, which begins with tcp:// or tls:// and is not that "
            "of its dashboard"
        ) from error
    with client:
        yield client


async def _knock(scheduler: str) -> None:
    """See that a scheduler answers: a client reads anything, such as a web page, as its words."""
    arguments = Security().get_connection_args("client")
    reached = comms.connect(scheduler, timeout=REACHABLE, **arguments)
    (await asyncio.wait_for(reached, REACHABLE)).abort()


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


# ---- one piece after the other ----------------------------------------------------------------


def finished(
    pieces: Iterable[Piece], client: Client, submit: Callable[[Piece], Future]
) -> Iterator[tuple[Piece, Any, BaseException | None]]:
    """Each piece when it is done, or has failed.

    Parameters
    ----------
    pieces : iterable
        Handed out in their order, not all at once.
    client : distributed.Client
    submit : callable
        Hands one out by that client.

    Yields
    ------
    piece, result, error
        The error is None, or else the result; `WorkersDied` of a piece whose workers died.

    Raises
    ------
    LayerlabError
        If the scheduler is lost, or no worker is left.
    """
    waiting = iter(pieces)
    pending: dict[Future, Piece] = {}
    while True:
        for piece in itertools.islice(waiting, IN_FLIGHT - len(pending)):
            pending[submit(piece)] = piece
        if not pending:
            return
        for future in _wait_for_some(pending, client):
            error = _error_of(future)
            with _connected(client):
                result = future.result() if error is None else None
            yield pending.pop(future), result, error


def _wait_for_some(pending: dict[Future, Piece], client: Client) -> set[Future]:
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
        return WorkersDied(
            "each worker that began it died, several one after the other, perhaps for want of "
            "memory: give fewer --workers, or workers with more memory"
        )
    return error
