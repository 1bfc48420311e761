"""A class on several machines: the workers of a Dask cluster grade, and results are kept here.

With a submission travel the key of its exercise and the secret of the class. What runs it has to be
on the worker's machine: the packages, in the same edition as here, the model and bubblewrap. No
folder is shared.
"""

import hashlib
import platform
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path

from distributed import Future, get_worker

import coursechecks
import layerlab
from coursebuild.classroom.key import Key
from coursebuild.classroom.results import Result
from coursebuild.classroom.running import Bench, Class, Progress, Submission, ungraded
from coursebuild.classroom.sandbox import Limits, check_sandbox
from layerlab.cluster import WorkersDied, connect, finished
from layerlab.errors import LayerlabError

OWN = "coursebuild", "coursechecks", "layerlab"
NUMBERS = ("numpy", "scipy", "scikit-learn", "torch", "transformers")  # what answers compute with
COMPILED = (".pyc", ".nbi", ".nbc")


class WorkerError(LayerlabError):
    """A worker cannot grade this class as this machine would."""


@dataclass(frozen=True)
class Terms:
    """How a class is graded, wherever that is done.

    Attributes
    ----------
    secret : str
        What its hidden probes follow.
    limits : Limits
    is_apart : bool
        Whether submissions run in a sandbox.
    edition : dict of str
        What the machine has that keeps the results (see `edition`).
    """

    secret: str = field(repr=False)
    limits: Limits
    is_apart: bool
    edition: dict[str, str]


@cache
def edition() -> dict[str, str]:
    """What grades on a machine: Python, the packages that compute, and a hash of the course's."""
    digest = hashlib.sha256()
    for folder in (Path(layerlab.__file__), Path(coursechecks.__file__), Path(__file__)):
        for path in sorted(folder.parent.rglob("*")):
            if path.is_file() and path.suffix not in COMPILED:
                name = path.relative_to(folder.parent).as_posix()
                digest.update(f"\0{name}\0".encode() + path.read_bytes())
    python = ".".join(platform.python_version_tuple()[:2])
    found = {"course": digest.hexdigest()[:12], "Python": python}
    return found | {name: version(name).partition("+")[0] for name in NUMBERS}


# On this machine --------------------------------------------------------------------------------


def grade_on(
    course: Class, submissions: list[Submission], scheduler: str, report: Callable[[str], None]
) -> int:
    """Grade what has no result yet by the workers of a cluster; how many had one.

    Parameters
    ----------
    course : Class
    submissions : list of Submission
        In the order in which they are to be graded, those of one exercise beside each other.
    scheduler : str
        The address of the cluster.
    report : callable
        Told a line for each.

    Raises
    ------
    LayerlabError
        If the scheduler is lost, or no worker is left.
    WorkerError
        If a worker has another edition of the course or no sandbox, or if a solution is not right
        in it. What was graded until then is kept.
    """
    waiting = ungraded(course, submissions)
    if not waiting:
        return len(submissions)
    progress = Progress(len(waiting), report)
    terms = Terms(course.variation, course.limits, course.is_apart, edition())
    with connect(scheduler, 0) as client:

        def submit(own: Submission) -> Future:
            return client.submit(grade_here, own, terms, pure=False)

        for own, result, error in finished(waiting, client, submit):
            if error is not None:
                result = course.without_grade(own, _reason(error))
            course.keep(result)
            progress.tell(result)
        client.run(leave, on_error="ignore")
    return len(submissions) - len(waiting)


def _reason(error: BaseException) -> str:
    """Why there is no grade, where the error is of one submission; others stop the class.

    Raises
    ------
    WorkerError
        If the worker itself is not fit to grade.
    """
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] in OWN:
        raise WorkerError(
            f"a worker has no {error.name!r}: start workers where the course lies, such as "
            "`PYTHONPATH=code .venv/bin/dask worker ADDRESS --nthreads 1` in a clone"
        ) from error
    if isinstance(error, LayerlabError) and not isinstance(error, WorkersDied):
        raise error
    return f"it could not be graded: {type(error).__name__}: {error}"


# On a worker ------------------------------------------------------------------------------------


@dataclass
class _Place:
    """A bench of a thread, for one exercise under one set of terms."""

    key: Key
    terms: Terms
    bench: Bench
    lock: threading.Lock = field(default_factory=threading.Lock)


_places: dict[int, _Place] = {}  # by thread: each has a sandbox of its own


def grade_here(own: Submission, terms: Terms) -> Result:
    """Grade a submission on this machine, as a worker does.

    Raises
    ------
    WorkerError
        If this machine cannot grade as the one that asks would.
    """
    address = get_worker().address
    compare(address, edition(), terms.edition)
    try:
        place = _place(own.key, terms)
        with place.lock:
            return place.bench.grade(own)
    except LayerlabError as error:
        said = str(error)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    # As words alone, out here where no error hangs on it: one with many frames never arrives.
    raise WorkerError(f"the worker at {address} cannot grade: {said}")


def compare(address: str, there: dict[str, str], here: dict[str, str]) -> None:
    """Raise a WorkerError where a worker has other packages than the machine that asks."""
    different = [
        f"{name} {there.get(name, 'none')} there, {here.get(name, 'none')} here"
        for name in sorted({*there, *here})
        if there.get(name) != here.get(name)
    ]
    if different:
        raise WorkerError(
            f"the worker at {address} has another edition ({'; '.join(different)}), and its grades "
            "might be others: bring both to one edition, start that worker anew, and run the same "
            "command again, which goes on from here"
        )


def _place(key: Key, terms: Terms) -> _Place:
    number = threading.get_ident()
    place = _places.get(number)
    if place is None or place.key != key or place.terms != terms:
        if place is not None:
            place.bench.close()
        if terms.is_apart:
            check_sandbox()
        code = Path(coursechecks.__file__).parents[1]
        how = (terms.limits, terms.is_apart, terms.secret)
        bench = Bench(Class([key], code, Path(_folder().name), *how))
        place = _places[number] = _Place(key, terms, bench)
    return place


@cache
def _folder() -> tempfile.TemporaryDirectory:
    """Where a worker keeps the packed packages, until it ends."""
    return tempfile.TemporaryDirectory()


def leave() -> None:
    """End the sandboxes of this worker, but those in which somebody is being graded."""
    for place in list(_places.values()):
        if place.lock.acquire(blocking=False):
            place.bench.close()
            place.lock.release()
