"""What runs inside the sandbox: one process that imports what submissions need, and its forks.

Only the standard library, IPython and the checks are imported here, for nothing else of how the
course is made gets into the sandbox. Before any submission runs, the packages' files are deleted:
they stay imported, and cannot be read. What an exercise gives before its first blank is run here
once, for all: it loads the model. A submission is a fork. It runs the cells that it is handed, and
after the cells of a step it reports, as data, what the answers did. Whether that is right is
decided outside; the reply says how to go on.
"""

import builtins
import contextlib
import ctypes
import gc
import importlib
import io
import itertools
import json
import os
import platform
import resource
import shutil
import signal
import socket
import struct
import sys
import types
from pathlib import Path
from time import monotonic, process_time

WARM = """\
import numpy as np
from layerlab.information import mutual_information, pairwise_mutual_information
variables = np.random.default_rng(0).normal(size=(3, 20))  # (n_variables, n_samples)
mutual_information(variables[0], variables[1])
pairwise_mutual_information(variables)
"""  # a kernel is loaded when it is first called: here, and in no submission
MOST_BYTES = 32_000_000  # of one message
ANSWER, GIVEN = "<answer ", "<given "  # how the names of cells begin in tracebacks and frames
PAUSE = 1  # seconds between looks at the clock
IDLE = 60  # seconds that a cell may wait while it computes next to nothing
DEAF = 5  # times that a cell may catch what is to stop it
MOST_TEXT = 10_000_000  # characters that a cell may print
MOST_FILES = 256
FILE_BYTES = 64_000_000
EXAMPLES = 4000  # characters of a cell's output that are kept


# Messages ---------------------------------------------------------------------------------------


def send(connection: socket.socket, message: object) -> None:
    """Send a message: its length, and JSON."""
    data = json.dumps(message).encode()
    connection.sendall(struct.pack(">I", len(data)) + data)


def receive(connection: socket.socket) -> object:
    """Receive a message; EOFError where the other side is gone or the message is too long."""
    (size,) = struct.unpack(">I", receive_bytes(connection, 4))
    if size > MOST_BYTES:
        raise EOFError(f"a message of {size} bytes")
    return json.loads(receive_bytes(connection, size))


def receive_bytes(connection: socket.socket, size: int) -> bytes:
    """Receive so many bytes."""
    parts = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            raise EOFError("the other side is gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


# The first process ------------------------------------------------------------------------------


def serve(control: socket.socket, folder: str) -> None:
    """Be the first process: import, say so, and fork for each submission until nobody asks."""
    options = receive(control)
    for name in options["modules"]:
        importlib.import_module(name)
    _prepare(options)
    shell = make_shell()
    begun = Begun(shell.user_ns, options["begin"])
    _forget_files(Path(folder))
    _sweep(options["writable"])  # the packages' code, too: it is imported, and not to be read
    _guard_memory()
    gc.collect()
    gc.freeze()  # a fork would copy all of it, only to see that none of it is garbage
    send(control, {"threads": len(os.listdir("/proc/self/task")), "address_space": _size()})
    while True:
        data, handed, *_ = socket.recv_fds(control, 1, 1)
        if not data:
            return
        child = os.fork()
        if child == 0:
            control.close()
            _be_submission(socket.socket(fileno=handed[0]), shell, begun)
        os.close(handed[0])
        spent = _end(child, control)
        _sweep(options["writable"])
        send(control, {"spent": spent})


def _prepare(options: dict) -> None:
    """Load the observers and their probes, and take away what computes the answers."""
    from coursechecks import observers, withheld
    from layerlab import pages

    number, variation = options["exercise"], options["variation"]
    importlib.import_module(f"coursechecks.ex{number}").check = _nothing  # nothing rests on it
    pages.show = _nothing  # nobody looks
    exec(WARM, {})
    loaded = observers.load(number, None), observers.load(number, variation)
    withheld.take_away(options["withheld"], options["kept"])
    for module in loaded:
        withheld.allow_module(module)


def _nothing(*_, **__) -> None:
    """What stands for functions that nobody needs in here."""


def _end(child: int, control: socket.socket) -> float:
    """Wait until nobody asks for a child any more, and end it then; the time that it computed."""
    control.recv(1)
    os.kill(child, signal.SIGKILL)  # it is not waited for yet, so its number is still its own
    _, _, used = os.wait4(child, 0)
    return used.ru_utime + used.ru_stime


def _sweep(folders: dict[str, list[str]]) -> None:
    """Leave nothing of a submission behind: no process, no file, nothing written on a folder."""
    if os.getpid() == 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
    for folder, kept in folders.items():
        os.chmod(folder, 0o755)
        for path in Path(folder).iterdir():
            if path.name in kept:
                continue
            if path.is_dir() and not path.is_symlink():
                _open_up(path)
                shutil.rmtree(path)
            else:
                path.unlink()
        for name in os.listxattr(folder):
            os.removexattr(folder, name)
        os.utime(folder, (0, 0))


def _open_up(folder: Path) -> None:
    """Let folders be listed and emptied that were locked."""
    os.chmod(folder, 0o755)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            _open_up(path)


def _forget_files(folder: Path) -> None:
    """Let nobody import from the folder of the packages; what lies there is swept away with all."""
    sys.path.remove(str(folder))
    importlib.invalidate_caches()


def _guard_memory() -> None:
    """Let no process of the same user look into this one, nor end it by a signal."""
    PR_SET_DUMPABLE = 4
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _size() -> int:
    """Bytes of this process's address space."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


# The shell --------------------------------------------------------------------------------------


def make_shell():
    """An IPython shell without history, whose magics neither start programs nor draw in windows."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.autocall = 0
    config.InteractiveShell.colors = "NoColor"
    shell = InteractiveShell.instance(config=config)
    shell.compile.get_code_name = lambda *_: shell.label
    shell.label = f"{GIVEN}0>"
    shell.showtraceback = shell.showsyntaxerror = lambda *_, **__: None
    builtins.input = lambda prompt="": ""  # nobody is there to answer
    shell.system = shell.getoutput = lambda command, *_, **__: _not_here(command)
    for name in ("matplotlib", "pylab", "pip", "conda", "mamba", "uv", "system", "sx"):
        shell.register_magic_function(lambda line="", cell=None: None, "line_cell", name)
    for name in ("bash", "sh", "script", "system", "sx", "writefile", "html", "javascript"):
        shell.register_magic_function(lambda line="", cell=None: None, "cell", name)
    leave = types.FunctionType((lambda *_: None).__code__, {}, "exit")
    shell.user_ns.update(exit=leave, quit=leave)
    return shell


def _not_here(command: object) -> list[str]:
    print(f"In a graded run no other program is started: {command}")
    return []


class Begun:
    """Given cells that no code of a student precedes: run once, before any submission is forked.

    Parameters
    ----------
    names : dict
        The names of the shell, which the cells' functions go on using.
    cells : list of dict
        With "label" and "sources". If one raises, it does so here, and no submission is begun.
    """

    def __init__(self, names: dict, cells: list[dict]):
        self.names, self.before = names, dict(names)
        self.cells = [_about(cell) for cell in cells]
        run_given = _given_runner(names)
        with contextlib.redirect_stdout(Output()):
            for label, sources in self.cells:
                for source in sources:
                    run_given(source, f"{GIVEN}{label}>")

    def n_done(self, cells: list[dict]) -> int:
        """How many of a job's first cells have run already.

        Where something else stands among them, none has: it might have changed what they do. Then
        their names are taken away, and whatever runs finds what it would find in a new notebook.
        """
        done = [_is_given(cell) and _about(cell) in self.cells for cell in cells]
        n_first = len(list(itertools.takewhile(bool, done)))
        if n_first and not any(done[n_first:]):
            return n_first
        self.names.clear()
        self.names.update(self.before)
        return 0


def _is_given(cell: dict) -> bool:
    return cell["kind"] == "given" and not cell.get("step")


def _about(cell: dict) -> tuple[str, list[str]]:
    return cell["label"], cell["sources"]


# A submission -----------------------------------------------------------------------------------


class Stopped(BaseException):
    """A cell or an answer came to a limit; not an Exception, which answers like to catch."""


class Output(io.TextIOBase):
    """What is printed: counted, and the beginning kept."""

    def __init__(self):
        self.size, self.kept = 0, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.size += len(text)
        if len(self.kept) < EXAMPLES:
            self.kept += text[: EXAMPLES - len(self.kept)]
        if self.size > MOST_TEXT:
            raise Stopped(f"it printed more than {MOST_TEXT / 1e6:.0f} million characters")
        return len(text)


class Clock:
    """Stops what computes too long, or waits too long, by raising `Stopped` in it."""

    def __init__(self, seconds: float):
        self.seconds, self.heard = seconds, 0
        self.start = self.used = 0.0

    def __enter__(self) -> "Clock":
        self.start, self.used, self.heard = monotonic(), process_time(), 0
        signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, PAUSE, PAUSE)
        most = resource.getrlimit(resource.RLIMIT_CPU)[1]
        soft = process_time() + self.seconds + DEAF + 10
        resource.setrlimit(resource.RLIMIT_CPU, (min(int(soft), most), most))
        return self

    def __exit__(self, *_) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _look(self, *_) -> None:
        waited, used = monotonic() - self.start, process_time() - self.used
        if used > self.seconds:
            self._stop(f"it was still running after {self.seconds:g} s of processor time")
        elif waited > IDLE and used < waited / 20:
            self._stop(f"it had waited for {IDLE} s")

    def _stop(self, why: str) -> None:
        self.heard += 1
        if self.heard > DEAF:
            os.kill(os.getpid(), signal.SIGKILL)
        raise Stopped(why)


def _be_submission(connection: socket.socket, shell, begun: Begun) -> None:
    """Be the process of a submission: no way leads out of here but its end."""
    try:
        os.setsid()
        job = receive(connection)
        _limit(job["limits"])
        os.chdir(job["folder"])
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _start_no_process()
        submission = Submission(connection, shell, job, begun)
        send(connection, {"begins": True})
        submission.run()
    except Exception as error:  # it is told, where it comes before anything of the submission ran
        with contextlib.suppress(OSError):
            send(connection, {"broken": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(0)


def _limit(limits: dict) -> None:
    """Bound what this process may use."""
    for name, most in (
        ("CPU", limits["total_seconds"]),
        ("AS", limits["address_space"]),
        ("FSIZE", FILE_BYTES),
        ("NOFILE", MOST_FILES),
        ("CORE", 0),
    ):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


# Calls of the system by number: what starts a process or a program, what outlives a process
# (memory, queues and keys that are shared), what looks into others or makes namespaces, io_uring.
REFUSED = {
    "x86_64": (57, 58, 59, 322, 29, 64, 68, 240, 248, 249, 250, 101, 310, 311, 272, 308, 425),
    "aarch64": (221, 281, 194, 190, 186, 180, 217, 218, 219, 117, 270, 271, 97, 268, 425),
}
ABOUT = {  # the machine's own number, then `clone` and `socket`
    "x86_64": (0xC000003E, 56, 41),
    "aarch64": (0xC00000B7, 220, 198),
}
CLONE3, NEW_THREAD, INTERNET = 435, 0x00010000, (2, 10)


def _filter() -> list[tuple[int, int, int, int]] | None:
    """Rows of a filter of system calls; None for a machine whose numbers are not known here.

    A row is an instruction, how many rows to leave out if it finds what it asks for and if not, and
    a number.
    """
    load, equal, above, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, refuse, absent, kill = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
    if platform.machine() not in ABOUT:
        return None
    machine, clone, open_socket = ABOUT[platform.machine()]
    rows = [(load, 0, 0, 4), (equal, 1, 0, machine), (answer, 0, 0, kill), (load, 0, 0, 0)]
    rows += [(above, 0, 1, 0x40000000), (answer, 0, 0, refuse)]
    for number in REFUSED[platform.machine()]:
        rows += [(equal, 0, 1, number), (answer, 0, 0, refuse)]
    rows += [(equal, 0, 1, CLONE3), (answer, 0, 0, absent)]  # then `clone` is tried
    rows += [(equal, 0, 4, clone), (load, 0, 0, 16), (any_bit, 1, 0, NEW_THREAD)]
    rows += [(answer, 0, 0, refuse), (answer, 0, 0, allow)]
    rows += [(equal, 0, 5, open_socket), (load, 0, 0, 16)]
    rows += [(equal, 2, 0, INTERNET[0]), (equal, 1, 0, INTERNET[1])]
    return [*rows, (answer, 0, 0, allow), (answer, 0, 0, refuse), (answer, 0, 0, allow)]


def _start_no_process() -> None:
    """Let the kernel refuse what would outlive this process; threads may start.

    So whatever a submission does ends with it, and its one process bounds the memory that it takes.
    """
    rows = _filter()
    if rows is None:  # then the number of processes is bounded, where that counts
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        return
    code = b"".join(struct.pack("=HBBI", *row) for row in rows)
    text = ctypes.create_string_buffer(code)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    program = Program(len(rows), ctypes.addressof(text))
    no_new_privileges, set_filter, by_filter = 38, 22, 2
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(no_new_privileges, 1, 0, 0, 0)
    if libc.prctl(set_filter, by_filter, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")


class Submission:
    """Runs the cells of a job, and reports after each step.

    Parameters
    ----------
    connection : socket
        To the one who judges.
    shell : InteractiveShell
    job : dict
        "exercise", "variation" and "limits"; "cells", each with "label", "kind", "sources" and, in
        a step, "step"; of the kind "observe" instead with "answers", which name stands for which
        answer, "other", how the submission calls them, and "defines", how many arguments they take.
    begun : Begun
    """

    def __init__(self, connection: socket.socket, shell, job: dict, begun: Begun):
        self.connection, self.shell, self.job, self.begun = connection, shell, job, begun
        self.seconds = job["limits"]["seconds"]
        self.errors: list[dict] = []
        self.told: list[str] = []
        self.before: dict[str, set[str]] = {}
        self.is_own = True  # nothing of the solution has come in yet
        self.look = _looker(job["exercise"], job["variation"])
        self.run_given = _given_runner(shell.user_ns)

    def run(self) -> None:
        """Run all cells, but those that have run for all submissions."""
        n_done = self.begun.n_done(self.job["cells"])
        for place, cell in enumerate(self.job["cells"]):
            send(self.connection, {"at": place})
            if place < n_done:
                continue
            if cell["kind"] == "observe":
                self._report(cell)
            else:
                self.is_own &= not cell.get("replaced", False)
                if cell.get("step"):
                    self.before.setdefault(cell["step"], set(self.shell.user_ns))
                self._run(cell)

    def _run(self, cell: dict) -> None:
        prefix = ANSWER if cell["kind"] in ("answer", "added") else GIVEN
        for source in cell["sources"]:
            self.shell.label = f"{prefix}{cell['label']}>"
            self._run_source(source, cell)

    def _run_source(self, source: str, cell: dict) -> None:
        out = Output()
        kept = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = out
        try:
            with Clock(self.seconds):
                error = self._execute(source, cell["kind"] == "given")
        except BaseException as raised:  # of a shell that was tampered with; it costs this cell
            error = raised
        finally:
            sys.stdout, sys.stderr = kept
        if error is not None:
            self.errors.append(self._told(error, cell))

    def _execute(self, source: str, is_given: bool) -> BaseException | None:
        if is_given:
            self.run_given(source, self.shell.label)
            return None
        result = self.shell.run_cell(source)
        return result.error_before_exec or result.error_in_exec

    def _told(self, error: BaseException, cell: dict) -> dict:
        """What is said of an error; nothing of its words once the solution has come in."""
        name = type(error).__name__
        told = {"cell": cell["label"], "kind": cell["kind"], "step": cell.get("step")}
        told |= {"error": name[:80], "line": _line_of(error, self.shell.label)}
        if self.is_own:
            with contextlib.suppress(Exception):  # an error of their own may fail to say what it is
                told["says"] = str(getattr(error, "msg", None) or error)[:300]
        return told

    def _report(self, cell: dict) -> None:
        """Observe the answers of a step, send what they did, and do what the reply says."""
        report = {"step": cell["step"], "is_own": self.is_own} | self._look(cell)
        report |= {"errors": self.errors[:40], "told": self.told}
        self.errors, self.told = [], []
        send(self.connection, report)
        reply = receive(self.connection)
        if reply.get("sources"):
            self.is_own = False
            label = f"right answer of {cell['step']}"
            self._run({"label": label, "kind": "given", "sources": reply["sources"]})
            self.errors = []

    def _look(self, cell: dict) -> dict:
        names, answers = self.shell.user_ns, {}
        new = set(names) - self.before.get(cell["step"], set())
        for answer, expression in cell["answers"].items():
            if expression not in names:
                other = self._other_name(answer, expression, cell, new)
                if other is None:
                    return {"missing": expression}
                names[expression] = names[other]
                self.told.append(f"{expression}: taken from {other}, the name that you gave it")
            answers[answer] = names[expression]
        out = Output()
        kept = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = out
        try:
            with Clock(self.seconds):
                return self.look(cell["step"], answers)
        except Stopped as stopped:
            return {"stopped": str(stopped)}
        except BaseException as error:
            return {"stopped": f"{type(error).__name__}"}
        finally:
            sys.stdout, sys.stderr = kept

    def _other_name(self, answer: str, expression: str, cell: dict, new: set[str]) -> str | None:
        """The name that an answer goes by: as the submission's check says, or the one like it."""
        said = cell["other"].get(answer)
        if said in self.shell.user_ns:
            return said
        expected = cell["defines"].get(expression)
        alike = [name for name in new if _n_arguments(self.shell.user_ns[name]) == expected]
        return alike[0] if expected is not None and len(alike) == 1 else None


def _n_arguments(value: object) -> int | None:
    code = getattr(value, "__code__", None)
    return code.co_argcount if isinstance(value, types.FunctionType) else code


def _line_of(error: BaseException, label: str) -> int | None:
    """The line of the cell in which an error was raised."""
    if isinstance(error, SyntaxError):
        return error.lineno
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == label:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _looker(number: int, variation: str):
    """What observes the answers of a step on the visible probes, and on the hidden ones."""
    from coursechecks.observers import observe_all

    def look(step: str, answers: dict) -> dict:
        visible = observe_all(number, step, answers)
        return {"visible": visible, "hidden": observe_all(number, step, answers, variation)}

    return look


def _given_runner(names: dict):
    """What runs given cells, which may call what is kept for them."""
    from coursechecks.withheld import allow

    def run(source: str, label: str) -> None:
        code = compile(source, label, "exec", dont_inherit=True)
        allow(code)
        exec(code, names)

    return run
