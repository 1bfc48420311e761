"""Processes that see nothing but Python, and fork for each submission: made with bubblewrap.

What is in such a process: the environment's Python, read-only; the course's package as it was
imported, without its files; the model, loaded once; four small folders in memory. What is not: a
network, the course's checkout, solutions, other submissions, the processes outside. A submission is
a fork of it, bounded in time, memory, output and files, and may start no process of its own (see
`inside`).
"""

import contextlib
import hashlib
import io
import math
import os
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from coursebuild.classroom import forks, inside
from coursebuild.classroom.files import write_whole
from coursebuild.classroom.key import Key, KeyCell
from layerlab.cache import PLACE, cache_folder
from layerlab.errors import LayerlabError

SECONDS = 60  # of processor time for one cell
TOTAL_SECONDS = 600  # for a whole submission, however often it is run
EDITIONS = 3  # of the packages that are kept, those of other checkouts among them
WAIT = 900  # seconds without a word from a submission, on however busy a machine
MEMORY = 4_000_000_000  # bytes that a submission may take besides what is there already
FOLDER_BYTES = 200_000_000
START = 300  # seconds for the imports
HOME, SCRATCH, COURSE = "/sandbox/work", "/sandbox/tmp", "/sandbox/course"
TIME = 1_000_000_000  # when packed files were written, in seconds since 1970
# Folders that are swept after each submission, and what is kept in them: the model is read late.
WRITABLE = {HOME: [], SCRATCH: [], "/dev/shm": [], COURSE: ["layerlab"]}
WRITABLE |= {f"{COURSE}/layerlab": ["data"]}
PACKAGES = ("layerlab", "coursechecks")
LEFT_OUT = ("__main__", "atlas", "cluster", "store", "summary", "cells")  # commands, the atlas
ALSO = (
    "sklearn.feature_selection",
    "scipy.stats",
    "scipy.spatial.distance",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_svg",
    "transformers.models.gpt2.modeling_gpt2",
)
FIRST = """\
import io, socket, struct, sys, tarfile
control = socket.socket(fileno=int(sys.argv[1]))
stream = control.makefile("rb", buffering=0)
def read(size):
    parts = []
    while size:
        parts.append(stream.read(size))
        size -= len(parts[-1])
    return b"".join(parts)
packed = read(struct.unpack(">Q", read(8))[0])
folder = sys.argv[2]
archive = tarfile.open(fileobj=io.BytesIO(packed))
archive.extraction_filter = lambda member, _: member  # ours; no argument before Python 3.11.4
archive.extractall(folder)
del packed, stream, archive
sys.path.insert(0, folder)
import inside
inside.serve(control, folder)
"""
VARIABLES = forks.VARIABLES | {
    "JOBLIB_MULTIPROCESSING": "0",
    "PYTHONHASHSEED": "0",  # the same submission gets the same grade
    "LANG": "C.UTF-8",
    "USER": "student",
    "HOME": HOME,
    "TMPDIR": SCRATCH,
    "MPLCONFIGDIR": f"{SCRATCH}/matplotlib",
    "IPYTHONDIR": f"{SCRATCH}/ipython",
    "LAYERLAB_CACHE": f"{SCRATCH}/cache",
    "PATH": "/usr/bin:/bin",
}
MISSING = """\
bubblewrap, which keeps submissions apart from this machine, cannot be used here: {why}
Ways out: install it (on Debian and Ubuntu `apt-get install bubblewrap`) on a Linux that lets \
users make namespaces; or grade in a container that holds nothing else, without network, and say \
`--no-sandbox` there (the README of the grading folder says how)."""


class SandboxError(LayerlabError):
    """Submissions cannot be run as they should be."""


@dataclass
class Limits:
    """What a submission may use.

    Attributes
    ----------
    seconds, total_seconds : float
        Processor time of a cell, and of all.
    memory : int
        Bytes besides what is there when it begins.
    wait : float
        Seconds without a word from it.
    """

    seconds: float = SECONDS
    total_seconds: int = TOTAL_SECONDS
    memory: int = MEMORY
    wait: float = WAIT


def why_not() -> str:
    """Why there can be no sandbox on this machine; empty if there can."""
    if sys.platform != "linux":
        return f"it needs Linux, and this is {sys.platform}"
    program = shutil.which("bwrap")
    if program is None:
        return "`bwrap` is not installed"
    trial = [program, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    done = subprocess.run(trial, capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else ""


def check_sandbox() -> None:
    """Raise a SandboxError that says the ways out where submissions cannot be kept apart."""
    if why := why_not():
        raise SandboxError(MISSING.format(why=why))


@dataclass
class Zygote:
    """A process that submissions are forks of.

    Attributes
    ----------
    code : Path
        The folder that holds the packages.
    packed : bytes
        They themselves, as `packages` packs them.
    key : Key
        Of the exercise; of it only what is taken away gets inside.
    variation : str
        The secret that the hidden probes follow.
    limits : Limits
    is_apart : bool
        Whether it is in a sandbox; if not, a container has to be one.
    """

    code: Path
    packed: bytes
    key: Key
    variation: str
    limits: Limits = field(default_factory=Limits)
    is_apart: bool = True

    def __enter__(self) -> "Zygote":
        self._stack = contextlib.ExitStack()
        self._home = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        if hasattr(self, "_control"):
            self._control.close()
        if hasattr(self, "_process"):
            self._process.kill()
            self._process.wait()
        self._stack.close()

    def _start(self) -> None:
        self._control, other = socket.socketpair()
        command = self._command(other.fileno())
        errors = self._stack.enter_context((self._home / "errors").open("w+b"))
        variables = {} if self.is_apart else VARIABLES | self._paths()
        self._process = subprocess.Popen(
            command,
            pass_fds=[other.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=variables,
        )
        other.close()
        self._control.settimeout(START)
        try:
            packed = self.packed
            self._control.sendall(struct.pack(">Q", len(packed)) + packed)
            writable = WRITABLE if self.is_apart else self._swept()
            options = {"modules": modules(self.packed), "writable": writable}
            options |= {"exercise": self.key.exercise, "variation": self.variation}
            options |= {"withheld": self.key.withheld, "kept": self.key.kept}
            options |= {"begin": [_run(cell) for cell in self.key.begin]}
            inside.send(self._control, options)
            ready = inside.receive(self._control)
        except (OSError, EOFError) as error:
            self._process.kill()
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip()[-2000:]
            raise SandboxError(f"the sandbox did not start: {said or error}") from error
        self._control.settimeout(None)
        if ready["threads"] > 1:
            raise SandboxError(f"the sandbox has {ready['threads']} threads, and cannot be forked")
        self._size = ready["address_space"]
        self.spent = 0.0  # processor time of all submissions

    def _paths(self) -> dict[str, str]:
        """Where folders are without a sandbox."""
        for name in ("work", "course"):
            (self._home / name).mkdir()
        names = ("HOME", "TMPDIR", "MPLCONFIGDIR", "IPYTHONDIR", "LAYERLAB_CACHE")
        return dict.fromkeys(names, str(self._home / "work"))

    def _swept(self) -> dict[str, list[str]]:
        """Folders that are swept without a sandbox."""
        work, course = str(self._home / "work"), str(self._home / "course")
        return {work: [], course: ["layerlab"], f"{course}/layerlab": ["data"]}

    def _command(self, number: int) -> list[str]:
        folder = COURSE if self.is_apart else str(self._home / "course")
        python = [sys.executable, "-I", "-c", FIRST, str(number), folder]
        return [*enclosure(self.code), *python] if self.is_apart else python

    @contextlib.contextmanager
    def submission(self):
        """A fork, as a connection; after it nothing is left of the fork, nor of its files."""
        mine, its = socket.socketpair()
        socket.send_fds(self._control, [b"+"], [its.fileno()])
        its.close()
        mine.settimeout(self.limits.wait)
        try:
            yield mine
        finally:
            mine.close()
            self._control.send(b"-")  # it is ended if it has not
            self.spent += inside.receive(self._control)["spent"]

    def frame(self, left: float) -> dict:
        """The part of a job that says of what it is, where, and within which limits it runs."""
        folder = HOME if self.is_apart else str(self._home / "work")
        limits = {
            "seconds": self.limits.seconds,
            "total_seconds": math.ceil(left),
            "address_space": self._size + self.limits.memory,
        }
        about = {"exercise": self.key.exercise, "variation": self.variation}
        return about | {"folder": folder, "limits": limits}


def _run(cell: KeyCell) -> dict:
    """A given cell as it is run (see `inside.Begun`)."""
    return {"label": cell.id, "sources": [cell.source]}


def enclosure(code: Path) -> list[str]:
    """The command that puts Python into a sandbox."""
    command = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--die-with-parent"]
    command += ["--new-session", "--as-pid-1", "--clearenv", "--cap-drop", "ALL"]
    command += ["--uid", "1000", "--gid", "1000", "--hostname", "sandbox"]
    for name, value in VARIABLES.items():
        command += ["--setenv", name, value]
    for path in ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache"):
        if Path(path).is_symlink():
            command += ["--symlink", os.readlink(path), path]
        elif Path(path).exists():
            command += ["--ro-bind", path, path]
    for path in _python_folders():
        command += ["--ro-bind", path, path]
    for path in _installed_copies():  # of the packages, with all that a submission must not read
        command += ["--tmpfs", path, "--remount-ro", path]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for path in (HOME, SCRATCH, "/dev/shm", COURSE):
        command += ["--size", str(FOLDER_BYTES), "--tmpfs", path]
    data = code / "layerlab" / "data"
    command += ["--ro-bind", str(data), f"{COURSE}/{PACKAGES[0]}/data"]
    if not any(path.startswith("/tmp/") for path in _python_folders()):
        command += ["--symlink", SCRATCH, "/tmp"]
    return [*command, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME, "--"]


def _python_folders() -> list[str]:
    """Folders that Python and its packages lie in, the outer ones first, none twice."""
    asked = "import sys; print('\\n'.join([sys.base_prefix, sys.prefix, *sys.path]))"
    found = subprocess.check_output([sys.executable, "-I", "-c", asked], text=True).splitlines()
    # A checkout that the environment takes the packages from is no part of Python.
    paths = [Path(name) for name in found if name and not (Path(name) / PACKAGES[0]).is_dir()]
    paths += [Path(n) for n in found if Path(n).name in ("site-packages", "dist-packages")]
    paths = sorted({path for path in paths if path.is_dir()}, key=lambda path: len(path.parts))
    outer = []
    for path in paths:
        if not any(path.is_relative_to(other) for other in [*outer, Path("/usr")]):
            outer.append(path)
    return [str(path) for path in outer]


def _installed_copies() -> list[str]:
    asked = "import sys; print('\\n'.join(sys.path))"
    found = subprocess.check_output([sys.executable, "-I", "-c", asked], text=True).splitlines()
    copies = (Path(n) / package for n in found for package in (*PACKAGES, "coursebuild"))
    inside_environment = (p for p in copies if p.parent.name in ("site-packages", "dist-packages"))
    return [str(path) for path in inside_environment if path.is_dir()]


def modules(packed: bytes) -> list[str]:
    """What the process imports before it forks: all that is packed, and what that imports late."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        names = [Path(name) for name in archive.getnames() if name.endswith(".py")]
    paths = [path for path in names if path.parts[0] in PACKAGES]
    left_out = ("__init__", *LEFT_OUT)
    own = [".".join(p.with_suffix("").parts) for p in paths if p.stem not in left_out]
    return [*PACKAGES, *own, *ALSO]


def packages(code: Path) -> bytes:
    """The packed packages, their kernels compiled; kept for all classes while they are the same.

    Raises
    ------
    SandboxError
        If they cannot be kept.
    """
    kept = cache_folder() / "packages" / f"{edition(code)}.tar"
    if not kept.is_file():
        packed = pack(code)
        try:
            write_whole(kept, packed)
            with contextlib.suppress(FileNotFoundError):  # another process forgets them, too
                for old in sorted(kept.parent.glob("*.tar"), key=os.path.getmtime)[:-EDITIONS]:
                    old.unlink()
        except OSError as error:
            raise SandboxError(
                f"the packed packages cannot be kept as {str(kept)!r} ({error.strerror or error}): "
                f"make room there, or set {PLACE} to another folder"
            ) from error
    return kept.read_bytes()


def edition(code: Path) -> str:
    """What names the packages and what runs them; it is another when anything changed."""
    digest = hashlib.sha256(sys.version.encode())
    for path, name in _files(code):
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def pack(code: Path) -> bytes:
    """The packages without data and without what is stored of answers, and what runs inside.

    Compiled kernels count as such only while their sources have the times that they had, and a
    packed time has whole seconds. So they are compiled in a copy that has such times.
    """
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for path, inner in _files(code):
            (copy / inner).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy / inner)
            os.utime(copy / inner, (TIME, TIME))
        variables = os.environ | {"PYTHONPATH": name}
        subprocess.run([sys.executable, "-c", inside.WARM], env=variables, check=True)
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path in sorted(path for path in copy.rglob("*") if path.is_file()):
                if path.suffix != ".pyc":
                    archive.add(path, str(path.relative_to(copy)))
    return packed.getvalue()


def _files(code: Path) -> list[tuple[Path, str]]:
    """Files that get inside, and what they are called there."""
    found = [(Path(inside.__file__), "inside.py")]
    for package in PACKAGES:
        paths = [path for end in ("*.py", "*.pyi") for path in (code / package).rglob(end)]
        found += [(path, path.relative_to(code).as_posix()) for path in sorted(paths)]
    return found
