"""Work on several notebooks at a time, each in a process of its own.

A solution may end its process; what it says before is not lost, and the others go on. That each
process ends is its task's affair: the limits of `coursebuild.trials` count processor time, and how
long a whole notebook takes on a busy machine nobody knows. What takes long to import is imported
once, in the process that all others are forks of.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from coursebuild.classroom import forks

CHECKS = "coursechecks"
PRELOADED = ["coursebuild.promises"]
PRELOADED_FOR_COURSE = ["layerlab.pages", "layerlab.models", "sklearn.feature_selection"]
PRELOADED_FOR_COURSE += ["coursebuild.warm"]


@dataclass
class Death:
    """The end of a process that did not finish its work.

    Attributes
    ----------
    code : int
        With which it ended; negative for a signal.
    last_words : list of str
        The last lines that it wrote on the standard error.
    n_said : int
        How much it had said before.
    seconds : float
        How long it lived.
    """

    code: int
    last_words: list[str]
    n_said: int
    seconds: float

    def __str__(self) -> str:
        return "\n".join(
            [f"the process that tried it ended with code {self.code}", *self.last_words]
        )


def run_each(task: Callable[..., Iterable], course, names: list[str]) -> Iterator[tuple]:
    """Do a task for several notebooks, as many at a time as there are cores.

    Parameters
    ----------
    task : callable
        A function of a module: ``task(course, name)`` yields what it has to say.
    course : Course
    names : list of str
        The notebooks. The last one starts first: later parts compute more, and what takes longest
        should not be left for the end.

    Yields
    ------
    (str, object)
        A notebook's name with what its task said, as it comes; a `Death` where a process died.
    """
    os.environ.update(forks.VARIABLES)
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED + PRELOADED_FOR_COURSE * (course.checks == CHECKS))
    waiting, running = list(names), {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            while waiting or running:
                while waiting and len(running) < min(4, os.cpu_count() or 1):
                    worker = _Worker.start(context, task, course, waiting.pop(), Path(folder))
                    running[worker.connection] = worker
                for connection in wait(running):
                    worker = running[connection]
                    for said in worker.receive():
                        yield worker.name, said
                    if worker.is_done:
                        del running[connection]
        finally:  # also when somebody stops it
            for worker in running.values():
                worker.process.kill()


@dataclass
class _Worker:
    """The process that works on one notebook, as this one sees it."""

    name: str
    process: BaseProcess
    connection: Connection
    errors: Path
    started: float = field(default_factory=time.perf_counter)
    n_said: int = 0
    is_done: bool = False

    @classmethod
    def start(cls, context: BaseContext, task, course, name: str, folder: Path) -> "_Worker":
        """Start a process that says through a connection what it finds."""
        receiving, sending = context.Pipe(duplex=False)
        errors = folder / f"{name}.txt"
        arguments = (task, course, name, sending, errors)
        process = context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        sending.close()  # so that the connection ends when the process does
        return cls(name, process, receiving, errors)

    def receive(self) -> list:
        """Take what comes next; at the end nothing, or a `Death` if it was no good end."""
        try:
            said = self.connection.recv()
        except EOFError:
            self.process.join()
            self.is_done = True
            return [self._death()] if self.process.exitcode else []
        self.n_said += 1
        return [said]

    def _death(self) -> Death:
        last_words = self.errors.read_text("utf-8", "replace").strip().splitlines()[-8:]
        seconds = time.perf_counter() - self.started
        return Death(self.process.exitcode, last_words, self.n_said, seconds)


def _work(task, course, name: str, connection: Connection, errors: Path) -> None:
    """Be the process that works on one notebook."""
    file = os.open(errors, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 2)
    for said in task(course, name):
        connection.send(said)
