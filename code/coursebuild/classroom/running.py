"""A whole class: several submissions at a time, each result kept as it comes.

Killed at any moment, the same call goes on: what has a result with the same basis is left alone.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from queue import Empty, SimpleQueue

from coursebuild.classroom.feedback import page
from coursebuild.classroom.files import file_name, write_whole
from coursebuild.classroom.intake import (
    Cell,
    Handed,
    Log,
    Refused,
    Unreadable,
    handed_in,
    read_cells,
)
from coursebuild.classroom.key import Key
from coursebuild.classroom.marking import Marking, solve
from coursebuild.classroom.owners import tell_apart
from coursebuild.classroom.rebuild import rebuild, recognise
from coursebuild.classroom.results import Result, Store
from coursebuild.classroom.sandbox import Limits, Zygote, edition, packages
from coursechecks import engine
from coursechecks.language import say

SECRET = ".variation"  # what the hidden probes of this class follow; in no feedback
TRIES = 2  # of a submission, where not it but its sandbox came to an end
OF_NO_EXERCISE = "it is a notebook, and of no exercise of this course"


@dataclass
class Submission:
    """The files of one student for one exercise.

    Attributes
    ----------
    student : str
    key : Key
    files : list of (str, list of Cell)
        Paths and cells. Where there are several, the best one counts.
    lms : dict
    basis : str
        Hash of all that the grade will rest on.
    """

    student: str
    key: Key
    files: list[tuple[str, list[Cell]]] = field(default_factory=list)
    lms: dict[str, str] = field(default_factory=dict)
    basis: str = ""


@dataclass
class Class:
    """What there is to grade with.

    Attributes
    ----------
    keys : list of Key
    code : Path
        The folder that holds the packages.
    out : Path
        Where results, feedback and tables go.
    limits : Limits
    is_apart : bool
        Whether submissions run in a sandbox.
    secret : str
        What the hidden probes follow; empty where `out` keeps one of its own.
    """

    keys: list[Key]
    code: Path
    out: Path
    limits: Limits = field(default_factory=Limits)
    is_apart: bool = True
    secret: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        self.store = Store(self.out / "results")
        self.known = {key.name: engine.load(self._seen(key)) for key in self.keys}
        self._bases = {key.name: self._basis(key) for key in self.keys}
        self.logs: list[bytes] = []  # what students kept of their attempts, as `gather` found it
        self._right: dict[str, dict] = {}
        self._looked: dict[bytes, tuple[list[Cell], list[Key]]] = {}
        self._locks = {key.name: threading.Lock() for key in self.keys}

    def _seen(self, key: Key) -> Path:
        return self.code / "coursechecks" / "seen" / f"{key.exercise:02}.json.xz"

    def _basis(self, key: Key) -> str:
        digest = hashlib.sha256(repr(asdict(replace(key, rubric=()))).encode())
        digest.update(self._seen(key).read_bytes())
        digest.update(f"{edition(self.code)} {self.limits}".encode())
        return digest.hexdigest()

    @property
    def variation(self) -> str:
        """The secret of this class, made when it is first asked for."""
        if self.secret:
            return self.secret
        path = self.out / SECRET
        if not path.is_file():
            write_whole(path, secrets.token_hex(16))
        return path.read_text(encoding="utf-8")

    def gather(self, place: Path) -> tuple[list[Submission], list[Result]]:
        """What was handed in, by student and exercise; and a result for what cannot be graded."""
        read: list[tuple[Handed | Refused, list[Cell], Key | None]] = []
        stems = tuple(key.name for key in self.keys)
        for entry in handed_in(place, stems, self.out, self._exercise_of):
            if isinstance(entry, Log):
                self.logs.append(entry.data)
                continue
            if isinstance(entry, Refused):
                read.append((entry, [], None))
                continue
            try:
                cells, found = self._looked_at(entry.data)
                if not found:
                    raise Unreadable(OF_NO_EXERCISE)
            except Unreadable as error:
                read.append((Refused(entry.student, entry.path, str(error), entry.lms), [], None))
                continue
            read += [(replace(entry, data=b""), cells, key) for key in found]
        return self._by_student(read)

    def _looked_at(self, data: bytes) -> tuple[list[Cell], list[Key]]:
        """The cells of a notebook and the exercises that it is of; looked for once."""
        digest = hashlib.sha256(data).digest()
        if digest not in self._looked:
            cells = read_cells(data)
            self._looked[digest] = cells, recognise(cells, self.keys)
        return self._looked[digest]

    def _exercise_of(self, data: bytes) -> str:
        return next((key.name for key in self._looked_at(data)[1]), "")

    def _by_student(
        self, read: list[tuple[Handed | Refused, list[Cell], Key | None]]
    ) -> tuple[list[Submission], list[Result]]:
        found: dict[tuple[str, str], Submission] = {}
        others: list[Result] = []
        handed = [(entry.student, entry.lms, key.name if key else "") for entry, _, key in read]
        kept = [(own.student, tuple(own.lms.items()), own.exercise) for own in self.store.all()]
        names = tell_apart(handed, kept)
        for name, (entry, cells, key) in zip(names, read, strict=True):
            if isinstance(entry, Refused):
                about = {"reason": entry.reason, "lms": dict(entry.lms)}
                others.append(Result(name, "", "", entry.path, "", **about))
                continue
            if name != entry.student:  # what one of them got when nobody knew of the other
                self._forget(entry, key)
            own = found.setdefault((name, key.name), Submission(name, key))
            own.files.append((entry.path, cells))
            own.lms |= dict(entry.lms)
        for own in found.values():
            said = repr([cells for _, cells in own.files])
            own.basis = hashlib.sha256((self._bases[own.key.name] + said).encode()).hexdigest()
        return sorted(found.values(), key=lambda own: (own.key.name, own.student)), others

    def _forget(self, entry: Handed, key: Key) -> None:
        """Forget what somebody has under the bare name, if the numbers say that it was this one."""
        there = self.store.read(entry.student, key.name)
        if there is not None and there.lms == dict(entry.lms):
            self.forget(entry.student, key.name)

    def forget(self, student: str, exercise: str | None = None) -> int:
        """Forget results of a student, in one exercise or in all; how many there were."""
        names = [exercise] if exercise else [key.name for key in self.keys]
        for name in names:
            self._page(student, name).unlink(missing_ok=True)
        return self.store.forget(student, exercise)

    def open(self, key: Key) -> Zygote:
        """A process that submissions of an exercise are forks of; to be left with `__exit__`."""
        parts = (self.code, self.packed, key, self.variation, self.limits, self.is_apart)
        return Zygote(*parts).__enter__()

    @cached_property
    def packed(self) -> bytes:
        """The packages as they get into the processes."""
        return packages(self.code)

    def prepare(self) -> None:
        """Make what is made once for all, before several threads ask for it."""
        assert self.variation and self.packed

    def right(self, zygote: Zygote, key: Key) -> dict:
        """What the solution reports; run once, by whoever needs it first."""
        with self._locks[key.name]:
            if key.name not in self._right:
                self._right[key.name] = solve(zygote, self.known[key.name])
            return self._right[key.name]

    def mark(self, zygote: Zygote, own: Submission) -> Result:
        """Grade a submission; of several files the best one."""
        start = time.perf_counter()
        known, right = self.known[own.key.name], self.right(zygote, own.key)
        best = None
        for path, cells in own.files:
            rebuilt = rebuild(cells, own.key)
            marks, told = Marking(zygote, known, right).mark(rebuilt)
            words = [
                {"id": name, "text": rebuilt.words.get(name, ""), "maximum": most}
                for name, most in own.key.words.items()
            ]
            result = self._result(own, path, marks, words, [*rebuilt.told, *told])
            has_more = best is None or (result.points, _length(result)) > (
                best.points,
                _length(best),
            )
            best = result if has_more else best
        if len(own.files) > 1:
            files = {"n": len(own.files), "path": best.path}
            best.told.append(say("Of {n} files the best one counts: {path}", **files))
        best.seconds = round(time.perf_counter() - start, 2)
        return best

    def without_grade(self, own: Submission, reason: str) -> Result:
        """What there is of a submission for which there is no grade yet."""
        return self._result(own, own.files[0][0], reason=reason)

    def _result(self, own: Submission, path: str, marks=(), words=(), told=(), reason="") -> Result:
        parts = (list(marks), list(words), list(told))
        names = (own.student, own.key.name, own.key.title, path, own.basis)
        return Result(*names, *parts, reason=reason, lms=own.lms)

    def keep(self, result: Result) -> None:
        """Store a result, after the page that its student reads."""
        self.tell(result)
        self.store.write(result)

    def tell(self, result: Result) -> None:
        """Write the page that a student reads."""
        write_whole(self._page(result.student, result.exercise), page(result))

    def _page(self, student: str, exercise: str) -> Path:
        return self.out / "feedback" / file_name(student) / f"{file_name(exercise)}.html"


def _length(result: Result) -> int:
    return sum(len(word["text"]) for word in result.words)


def grade(
    course: Class,
    submissions: list[Submission],
    workers: int,
    report: Callable[[str], None],
) -> int:
    """Grade what has no result yet; how many had one.

    Parameters
    ----------
    course : Class
    submissions : list of Submission
        In the order in which they are to be graded, those of one exercise beside each other.
    workers : int
        How many run at a time.
    report : callable
        Told a line for each.

    Raises
    ------
    SandboxError
        If no sandbox can be started, or a solution is not right in it.
    """
    waiting = ungraded(course, submissions)
    course.prepare()
    queue: SimpleQueue[Submission] = SimpleQueue()
    for own in waiting:
        queue.put(own)
    progress = Progress(len(waiting), report)
    failures: list[BaseException] = []
    threads = [
        threading.Thread(target=_work, args=(course, queue, progress, failures), daemon=True)
        for _ in range(min(workers, len(waiting)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():  # so that Ctrl-C is heard
            thread.join(0.2)
    if failures:
        raise failures[0]
    return len(submissions) - len(waiting)


def ungraded(course: Class, submissions: list[Submission]) -> list[Submission]:
    """Those that have no grade yet for just what was handed in."""
    return [own for own in submissions if not _is_done(course, own)]


def _is_done(course: Class, own: Submission) -> bool:
    there = course.store.read(own.student, own.key.name)
    return there is not None and there.basis == own.basis and not there.reason


def _work(course: Class, queue: SimpleQueue, progress: "Progress", failures: list) -> None:
    """Grade one submission after the other."""
    bench = Bench(course)
    try:
        while not failures and (own := _next(queue)):
            result = bench.grade(own)
            course.keep(result)
            progress.tell(result)
    except BaseException as error:
        failures.append(error)
    finally:
        bench.close()


class Bench:
    """Where one submission after the other is graded, in one sandbox for each exercise.

    Parameters
    ----------
    course : Class
    """

    def __init__(self, course: Class):
        self.course = course
        self._zygote: Zygote | None = None
        self._exercise = ""

    def grade(self, own: Submission) -> Result:
        """Grade a submission; if its sandbox comes to an end, in a new one.

        Raises
        ------
        SandboxError
            If no sandbox can be started, or the solution is not right in it.
        """
        for _ in range(TRIES):
            zygote = self._open(own.key)
            self.course.right(zygote, own.key)
            try:
                return self.course.mark(zygote, own)
            except Exception as error:  # no submission stops a class, whatever it brings about
                self.close()
                reason = f"it could not be graded: {type(error).__name__}: {error}"
        return self.course.without_grade(own, reason)

    def _open(self, key: Key) -> Zygote:
        if self._zygote is None or self._exercise != key.name:
            self.close()
            self._zygote, self._exercise = self.course.open(key), key.name
        return self._zygote

    def close(self) -> None:
        """End the sandbox, if there is one."""
        zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.__exit__()


def _next(queue: SimpleQueue) -> Submission | None:
    try:
        return queue.get_nowait()
    except Empty:
        return None


class Progress:
    """Says after each submission how many there are, and how long the others will take."""

    def __init__(self, n_waiting: int, report: Callable[[str], None]):
        self.n_waiting, self.report, self.n_done = n_waiting, report, 0
        self.start, self.lock = time.perf_counter(), threading.Lock()

    def tell(self, result: Result) -> None:
        """Say what one more submission came to."""
        with self.lock:
            self.n_done += 1
            spent = time.perf_counter() - self.start
            left = spent / self.n_done * (self.n_waiting - self.n_done)
            points = result.reason or f"{result.points:g} of {result.maximum:g}"
            line = (
                f"{self.n_done} of {self.n_waiting} · {result.student}, {result.exercise}: {points}"
            )
            self.report(f"{line} ({result.seconds:.1f} s; about {_duration(left)} left)")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
