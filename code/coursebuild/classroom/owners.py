"""Whose a file is that was handed in, by what an LMS wrote or by where it lies among others."""

import re
import unicodedata
from collections import Counter
from pathlib import PurePosixPath

CANVAS = re.compile(r"(?P<name>.+?)_(?:LATE_)?(?P<user>\d+)_(?P<file>\d+)_(?P<rest>(?!\d+_).+)")
# Numbers that no LMS gave: days, in a file's name.
DATE = re.compile(r"(?:(?:19|20)\d\d_[01]?\d_[0-3]?\d|[0-3]?\d_[01]?\d_(?:19|20)\d\d)(?!\d)")
MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<user>\d+)_assignsubmission_\w+?(?:_(?P<rest>.*))?")
NOTEBOOK, SUBMITTED = (".ipynb", ".ipynb.txt", ".json"), "submitted"
COPY = re.compile(
    r"([-_ ]*\b(copy|kopie)\s*\d*|\s*\(\d+\))+$|[-_ ]*\b(copy of|kopie von)\b\s*", re.IGNORECASE
)
Numbers = tuple[tuple[str, str], ...]  # how Canvas ("canvas") or Moodle ("moodle") numbers somebody
Parts = tuple[str, ...]  # folders of a file and its name


def whose(
    paths: list[str], stems: tuple[str, ...] = (), exercises: list[str] | None = None
) -> list[tuple[str, Numbers]]:
    """Whose each file is, by where it lies among the others, and the numbers of Canvas or Moodle.

    What an LMS wrote comes first. Else it is the outermost folder, unless most of the outermost
    ones would be people who hand in several files for one exercise, and fewer of those further in:
    then they are groups, sheets, or the folder that was zipped. A zip counts as a folder; a file in
    no folder says it by its own name.

    Parameters
    ----------
    paths : list of str
        Of all files.
    stems : tuple of str
        Names of the exercises.
    exercises : list of str, optional
        The exercise of each notebook, empty where that is not known; by default as they are called.
    """
    found = _by_lms(paths)
    named = exercises or [_exercise_named(path, stems) for path in paths]
    rest = {path: _parts(path, stems) for path in paths if path not in found}
    known = {path: one for path, one in zip(paths, named, strict=True) if is_notebook(path)}
    while _has_outer(rest, known, stems):
        rest = {path: _further_in(parts, stems) for path, parts in rest.items()}
    found |= {path: (_owner(parts, stems), ()) for path, parts in rest.items()}
    return [found[path] for path in paths]


def _by_lms(paths: list[str]) -> dict[str, tuple[str, Numbers]]:
    """Those whose names Canvas or Moodle wrote."""
    found: dict[str, tuple[str, Numbers]] = {}
    canvas: dict[str, re.Match] = {}
    for path in paths:
        *folders, name = PurePosixPath(unicodedata.normalize("NFC", path)).parts
        moodle = [match for part in (*folders, name) if (match := MOODLE.fullmatch(part))]
        own = [part for part in folders if part.lower().endswith(".zip")] or [name]
        if moodle:
            found[path] = moodle[0]["name"].strip(), (("moodle", moodle[0]["user"]),)
        elif match := CANVAS.fullmatch(own[0]):
            date = DATE.search(own[0])
            if date is None or date.start() >= match.start("rest"):
                canvas[path] = match
    # Canvas numbers each file anew, and each is somebody's; other numbers in names come again.
    sent = {COPY.sub("", _stem(match[0])): match for match in canvas.values()}
    numbers = [match["file"] for match in sent.values()]
    users = {match["user"] for match in sent.values()}
    if len(set(numbers)) == len(numbers) and (len(users) > 1 or len(numbers) == 1):
        for path, match in canvas.items():
            if len(users) > 1 or "/" not in path or path.lower().partition("/")[0].endswith(".zip"):
                found[path] = match["name"].strip(), (("canvas", match["user"]),)
    return found


def _exercise_named(path: str, stems: tuple[str, ...]) -> str:
    return next((stem for stem in stems if stem.lower() in path.rpartition("/")[2].lower()), "")


def _parts(path: str, stems: tuple[str, ...]) -> Parts:
    """The folders of a file and its name, without those that an exercise or nbgrader names."""
    *folders, name = PurePosixPath(unicodedata.normalize("NFC", path)).parts
    folders = [re.sub(r"\.zip$", "", folder, flags=re.IGNORECASE) for folder in folders]
    nobodys = {SUBMITTED, *(stem.lower() for stem in stems)}
    return *(own for own in folders if COPY.sub(" ", own).strip().lower() not in nobodys), name


def _owner(parts: Parts, stems: tuple[str, ...]) -> str:
    if len(parts) > 1:
        return parts[0]
    is_named = parts[0].lower().endswith((*NOTEBOOK, ".zip"))
    return _name(parts[0], stems) or _stem(parts[0]) if is_named else ""


def _further_in(parts: Parts, stems: tuple[str, ...]) -> Parts:
    """Without the outermost folder, unless nothing else would say whose it is."""
    return parts[1:] if len(parts) > 2 or (len(parts) == 2 and _name(parts[1], stems)) else parts


def _has_outer(rest: dict[str, Parts], exercises: dict[str, str], stems: tuple[str, ...]) -> bool:
    """Whether the outermost folders are of several people each, and not people's own."""
    files = {path: parts for path, parts in rest.items() if path in exercises}
    n_again = _again(files, exercises, stems)
    inner: dict[str, set[str]] = {}  # folders in the outermost ones; "" where a file lies there
    for parts in files.values():
        if len(parts) > 1:
            inner.setdefault(parts[0], set()).add(parts[1] if len(parts) > 2 else "")
    direct = {path: parts for path, parts in files.items() if len(parts) == 2}
    n_alike = _again(direct, exercises, stems)
    old = {
        one for one in inner if "" in inner[one] and len(inner[one]) == 2 and not n_alike.get(one)
    }
    peoples = old | (inner.keys() - n_again.keys())  # with one of each, perhaps an older one below
    share = 1 / 2 if any("" in inner[one] for one in peoples) else 3 / 4
    if not n_again.keys() & inner or len(peoples) > len(inner) * share:
        return False
    deeper = files
    while (further := {p: _further_in(parts, stems) for p, parts in deeper.items()}) != deeper:
        deeper = further
        if sum(_again(deeper, exercises, stems).values()) < sum(n_again.values()):
            return True
    return False


def _again(
    files: dict[str, Parts], exercises: dict[str, str], stems: tuple[str, ...]
) -> dict[str, int]:
    """How many files each owner has besides one of each exercise; only those who have any."""
    counts = Counter((_owner(parts, stems), exercises[path]) for path, parts in files.items())
    again: Counter[str] = Counter()
    for (owner, _), n in counts.items():
        again[owner] += n - 1
    return {owner: n for owner, n in again.items() if n}


def is_notebook(path: str) -> bool:
    """Whether a file is called as a notebook is, whatever it holds."""
    return path.lower().endswith(NOTEBOOK)


def _stem(name: str) -> str:
    return re.sub(r"(\.ipynb)?(\.txt|\.json|\.zip)?$", "", name, flags=re.IGNORECASE)


def _name(file: str, stems: tuple[str, ...]) -> str:
    """What a file's name says besides the exercise and that it is a copy."""
    own = COPY.sub(" ", _stem(file)).strip()
    for stem in stems:
        number, _, word = stem.partition("-")
        word = re.escape(word).replace("\\-", "[-_ ]")
        for what in (rf"(?:^|[-_. ]+){number}[-_ ]{word}", rf"(?:^|[-_.]+){word}"):
            own = re.sub(rf"{what}(?=[-_. ]|$)", " ", own, flags=re.IGNORECASE).strip()
    return own.strip("-_. ")


def tell_apart(
    handed: list[tuple[str, Numbers, str]], known: list[tuple[str, Numbers, str]] = ()
) -> list[str]:
    """What each student is called; the names of namesakes end with their numbers.

    Parameters
    ----------
    handed : list of (str, tuple, str)
        Names, numbers, and the exercises. Canvas numbers a user, and Moodle somebody who takes part
        in one exercise.
    known : list of (str, tuple, str)
        Those that have a grade.
    """
    numbers: dict[tuple[str, str, str], set[str]] = {}
    for student, lms, exercise in (*handed, *known):
        for system, number in lms:
            name = student.removesuffix(f" ({number})")
            for where in {exercise, ""}:  # what is of no exercise may be of any
                numbers.setdefault(_scope(name, system, where), set()).add(number)
    return [
        f"{student} ({lms[0][1]})"
        if lms and len(numbers[_scope(student, lms[0][0], exercise)]) > 1
        else student
        for student, lms, exercise in handed
    ]


def _scope(student: str, system: str, exercise: str) -> tuple[str, str, str]:
    return student, system, exercise if system == "moodle" else ""
