"""How the code of the pages is run.

`prepare_kernels` makes sure that the interpreter and the packages of this very checkout do the
work, and `execute_notebooks` runs several notebooks at a time, each in a kernel of its own, which
may be a fork of a process that has imported already what they all need.
`fingerprint` is how all of this package tells that a file changed.
"""

import asyncio
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from ipykernel.kernelspec import write_kernel_spec
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from coursebuild.kernels import ForkedKernel, ForkServer, can_be_forked

GENERATED = {"__pycache__", ".nbi", ".nbc", ".pyc", ".egg-info"}
GUARD = (
    "An assertion guards what a page says. With this model, text or version something on the page "
    "is no longer so: change the sentence, or what is measured."
)
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def fingerprint(root: Path, inputs: Iterable[str], read: Callable[[bytes], bytes] = bytes) -> str:
    """Hash the names and contents of files, so that any change shows.

    Parameters
    ----------
    root : Path
        The folder that the inputs are relative to.
    inputs : iterable of str
        Files and folders; folders count with everything in them, except what Python generates.
    read : callable, optional
        What counts of the content of a file; by default all.

    Returns
    -------
    str
        16 hexadecimal digits. The version of Python is part of the hash.

    Raises
    ------
    FileNotFoundError
        If an input does not exist.
    """
    digest = hashlib.sha256(sys.version.encode())
    for name in inputs:
        if not (root / name).exists():
            raise FileNotFoundError(
                f"{name!r}, on which the course rests, does not exist in {root}"
            )
        for path in _source_files(root / name):
            digest.update(f"\0{path.relative_to(root).as_posix()}\0".encode())
            digest.update(hashlib.sha256(read(path.read_bytes())).digest())
    return digest.hexdigest()[:16]


def _source_files(path: Path) -> list[Path]:
    """List the files at or below a path in a fixed order, without generated ones."""
    found = [path] if path.is_file() else sorted(path.rglob("*"))
    return [file for file in found if file.is_file() and not _is_generated(file)]


def _is_generated(file: Path) -> bool:
    return any(part in GENERATED or Path(part).suffix in GENERATED for part in file.parts)


def prepare_kernels(folder: Path, source_roots: Iterable[Path], variables: dict[str, str]) -> None:
    """Make `python3` mean this interpreter, for every kernel that this process starts.

    A kernel specification in the user's home, or a JUPYTER_PATH left over from another project,
    would otherwise decide which Python runs the pages; and a profile in the user's home would run
    its start-up files before them.

    Parameters
    ----------
    folder : Path
        Where the kernel specification and an empty IPython profile are written.
    source_roots : iterable of Path
        Folders that come first on the kernels' import path.
    variables : dict
        Environment variables for the kernels; one that is already set keeps its value.
    """
    quiet = ["--log-level=ERROR"]  # else each kernel says that it listens on this machine only
    shutil.rmtree(folder, ignore_errors=True)
    write_kernel_spec(folder / "kernels" / "python3", extra_arguments=quiet)
    os.environ["IPYTHONDIR"] = str(folder / "ipython")
    _prepend("JUPYTER_PATH", [folder])
    _prepend("PYTHONPATH", source_roots)
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def _prepend(variable: str, folders: Iterable[Path]) -> None:
    """Put folders in front of a search path in the environment."""
    old = os.environ.get(variable, "").split(os.pathsep)
    new = [str(folder) for folder in folders]
    os.environ[variable] = os.pathsep.join(new + [part for part in old if part and part not in new])


@dataclass
class Run:
    """One notebook on its way through the kernel.

    Attributes
    ----------
    name : str
        The path that the reader of a message knows, relative to the root of the course.
    path : Path
        The file; the notebook runs in its folder.
    notebook : NotebookNode
        What is executed, in place.
    inputs : dict of str
        What its outputs rest on besides its cells: hashes, by name.
    variables : dict of str
        Environment variables for its kernel alone.
    seconds : float
        How long it took.
    error : str
        What went wrong, empty if nothing did.
    """

    name: str
    path: Path
    notebook: NotebookNode
    inputs: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


def execute_notebooks(
    runs: list[Run],
    keep: Callable[[Run], None],
    *,
    modules: Iterable[str] = (),
    workers: int,
    timeout: int,
    report: Callable[[str], None],
) -> list[Run]:
    """Execute notebooks, several at a time.

    Parameters
    ----------
    runs : list of Run
        The notebooks.
    keep : callable
        Told each notebook that ran well, as soon as it has.
    modules : iterable of str
        What is imported once for all notebooks; if nothing, each kernel starts by itself.
    workers : int
        How many kernels work at the same time.
    timeout : int
        Seconds that one cell may take; -1 for no limit.
    report : callable
        Told one line per notebook.

    Returns
    -------
    list of Run
        Those that failed, each with its error.

    Raises
    ------
    DeadKernelError
        If a kernel dies, for want of memory perhaps. The other kernels are stopped.
    KeyboardInterrupt
        If somebody stops the build; all kernels are stopped.
    """

    def finish(run: Run, done: int) -> None:
        outcome = "failed after" if run.error else "…"
        report(f"executed {run.name} ({done} of {len(runs)}) {outcome} {run.seconds:.1f} s")
        if not run.error:
            keep(run)

    # Elsewhere, libraries that have been imported need not survive a fork.
    server = ForkServer(modules) if modules and sys.platform == "linux" else None
    with asyncio.Runner(loop_factory=_InterruptibleLoop) as runner:
        runner.run(_execute_all(runs, server, workers, timeout, finish, report))
    return [run for run in runs if run.error]


class _InterruptibleLoop(asyncio.SelectorEventLoop):
    """An event loop that leaves Ctrl-C to asyncio, which ends all notebooks.

    NBClient would put its own handler in place, which ends only the notebook that started last.
    """

    def add_signal_handler(self, *_) -> None:
        raise RuntimeError("this loop keeps its signal handlers")

    def remove_signal_handler(self, *_) -> bool:
        raise RuntimeError("this loop keeps its signal handlers")


async def _execute_all(
    runs: list[Run],
    server: ForkServer | None,
    workers: int,
    timeout: int,
    finish: Callable[[Run, int], None],
    report: Callable[[str], None],
) -> None:
    """Run notebooks side by side; each kernel is a process of its own."""
    seats = asyncio.Semaphore(workers)
    done = 0

    async def take_a_seat(run: Run) -> None:
        nonlocal done
        async with seats:
            await _execute(run, server, timeout, report)
        done += 1
        finish(run, done)

    try:  # a task group stops the other kernels when one dies
        async with server or nullcontext(), asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(take_a_seat(run))
    except* DeadKernelError as dead:
        raise dead.exceptions[0] from None


async def _execute(
    run: Run, server: ForkServer | None, timeout: int, report: Callable[[str], None]
) -> None:
    """Run one notebook from a fresh kernel; note time and failure on the run itself."""
    start = time.perf_counter()
    try:
        await execute(
            run.notebook,
            run.path.parent,
            timeout,
            lambda words: report(run.name + words),
            run.variables,
            server,
        )
    except (CellExecutionError, CellTimeoutError) as error:
        run.error = f"{run.name}{_failing_line(run.notebook)}\n{ANSI_COLOUR.sub('', str(error))}"
        if getattr(error, "ename", "") == "AssertionError":
            run.error += f"\n{GUARD}"
    except DeadKernelError as error:
        if asyncio.current_task().cancelling():  # it died because somebody stopped the build
            raise asyncio.CancelledError from error
        raise DeadKernelError(f"the kernel that ran {run.name} died: {error}") from error
    run.seconds = time.perf_counter() - start


async def execute(
    notebook: NotebookNode,
    folder: Path,
    timeout: int,
    report: Callable[[str], None],
    variables: Mapping[str, str] = MappingProxyType({}),
    server: ForkServer | None = None,
) -> None:
    """Run a notebook in place, from a fresh kernel that works in a folder.

    The kernel has the environment variables of this process, and `variables` besides; with a
    server, it is a fork of that.

    A kernel is told free ports, and now and then another program takes one before it does. So a
    kernel that does not start is started a second time, and `report` is told.

    Raises
    ------
    CellExecutionError, CellTimeoutError
        If a cell raises, or takes more than `timeout` seconds.
    DeadKernelError
        If the kernel dies, or has twice not started.
    """
    # Timings would be stored in the cells, and the cache takes a cell's metadata for a part of it.
    options = {"timeout": timeout, "record_timing": False}
    client = NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}, **options)
    try:
        await _start_kernel(client, variables, server)
    except RuntimeError as error:
        report(f": the kernel did not start ({error}); once more")
        try:
            await _start_kernel(client, variables, server)
        except RuntimeError as again:
            raise DeadKernelError(f"it did not start: {again}") from again
    await client.async_execute()


async def _start_kernel(
    client: NotebookClient, variables: Mapping[str, str], server: ForkServer | None
) -> None:
    """Start a client's kernel and wait for it; leave none behind if that fails."""
    manager = client.create_kernel_manager()
    if server and can_be_forked(manager):
        manager.provisioner = ForkedKernel(server, manager)
    try:
        await client.async_start_new_kernel(env={**os.environ, **variables})
        await client.async_start_new_kernel_client()
    except BaseException:
        if manager.has_kernel:
            await manager.shutdown_kernel(now=True)
        raise


def _failing_line(notebook: NotebookNode) -> str:
    """Say where in the source the cell begins that raised, as ':line'."""
    lines = notebook.metadata.get("source_map", [])
    for line, cell in zip(lines, notebook.cells, strict=False):
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            return f":{line + 1}"
    return ""
