"""Whose a file is that was handed in, by what an LMS wrote or by where it lies among others."""

import re
import unicodedata
from pathlib import PurePosixPath

DATE = r"(?:19|20)\d\d_[01]?\d_[0-3]?\d(?!\d)"  # numbers of a file's name that no LMS gave
CANVAS = re.compile(
    rf"(?P<name>.+?)_(?:LATE_)?(?!{DATE})(?P<user>\d+)_(?P<file>\d+)_(?P<rest>(?!\d+_).+)"
)
MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<user>\d+)_assignsubmission_file(?:_(?P<rest>.*))?")
NOTEBOOK, SUBMITTED = (".ipynb", ".ipynb.txt", ".json"), "submitted"
COPY = re.compile(
    r"([-_ ]*(copy|kopie)\s*\d*|\s*\(\d+\))$|[-_ ]*\b(copy of|kopie von)\b\s*", re.IGNORECASE
)
Numbers = tuple[tuple[str, str], ...]  # how Canvas ("canvas") or Moodle ("moodle") numbers somebody


def whose(paths: list[str], stems: tuple[str, ...] = ()) -> list[tuple[str, Numbers]]:
    """Whose each file is, by where it lies among the others, and the numbers of Canvas or Moodle.

    What an LMS wrote comes first. Else it is the folder that says it: the outermost one below those
    that hold several students, such as a group's, an exercise's or the one that was zipped. A file
    in no folder says it by its own name. A zip counts as a folder.

    Parameters
    ----------
    paths : list of str
        Of all files.
    stems : tuple of str
        Names of the exercises.
    """
    found = _by_lms(paths)
    rest = {path: _folders(path, stems) for path in paths if path not in found}
    while _has_outer([parts for path, parts in rest.items() if is_notebook(path)], stems):
        rest = {path: parts[1:] if len(parts) > 1 else parts for path, parts in rest.items()}
    for path, parts in rest.items():
        is_named = len(parts) == 1 and path.lower().endswith((*NOTEBOOK, ".zip"))
        alone = _name(parts[0], stems) or _stem(parts[0]) if is_named else ""
        found[path] = (parts[0] if len(parts) > 1 else alone, ())
    return [found[path] for path in paths]


def _by_lms(paths: list[str]) -> dict[str, tuple[str, Numbers]]:
    """Those whose names Canvas or Moodle wrote."""
    all_parts = {path: PurePosixPath(unicodedata.normalize("NFC", path)).parts for path in paths}
    beside: dict[tuple[str, ...], set[str]] = {}  # names that Canvas may have written, by folder
    for parts in all_parts.values():
        if match := CANVAS.fullmatch(parts[-1]):
            beside.setdefault(parts[:-1], set()).add(match["name"])
    found: dict[str, tuple[str, Numbers]] = {}
    for path, parts in all_parts.items():
        named = [("moodle", MOODLE.fullmatch(part)) for part in parts]
        named += [("canvas", CANVAS.fullmatch(p)) for p in parts if p.lower().endswith(".zip")]
        if len(parts) == 1 or len(beside.get(parts[:-1], ())) > 1:  # else it is somebody's own
            named.append(("canvas", CANVAS.fullmatch(parts[-1])))
        for system, match in named:
            if match:
                found[path] = match["name"].strip(), ((system, match["user"]),)
                break
    return found


def _folders(path: str, stems: tuple[str, ...]) -> tuple[str, ...]:
    """The folders of a file and its name, without those that an exercise or nbgrader names."""
    *folders, name = PurePosixPath(unicodedata.normalize("NFC", path)).parts
    folders = [re.sub(r"\.zip$", "", folder, flags=re.IGNORECASE) for folder in folders]
    nobodys = {SUBMITTED, *(stem.lower() for stem in stems), *(stem[:2] for stem in stems)}
    return *(own for own in folders if COPY.sub("", own).lower() not in nobodys), name


def _has_outer(files: list[tuple[str, ...]], stems: tuple[str, ...]) -> bool:
    """Whether the outermost folders hold several students each, and are none's own."""
    deep = [parts for parts in files if len(parts) > 1]
    first: dict[str, dict[str, set[str]]] = {}  # names of files below the folders in each folder
    for parts in deep:
        inner = first.setdefault(parts[0], {})
        if len(parts) > 2:
            inner.setdefault(parts[1], set()).add(parts[-1])
    if len(first) == 1:
        names = [_name(parts[1], stems) for parts in deep if len(parts) == 2]
        of_files = len(names) == len(deep) > 1 and all(names) and len(set(names)) == len(names)
        inner = [parts[1:] for parts in deep]
        return len(*first.values()) > 1 or of_files or (not names and _has_outer(inner, stems))
    if any(len(parts) == 2 for parts in deep):
        return False
    inner = [(second, names) for folders in first.values() for second, names in folders.items()]
    is_alike = any(  # such as everybody's "old" and "new"
        one == other and names & others
        for k, (one, names) in enumerate(inner)
        for other, others in inner[:k]
    )
    return not is_alike and any(_share_a_name(list(folders.values())) for folders in first.values())


def _share_a_name(folders: list[set[str]]) -> bool:
    return sum(map(len, folders)) > len(set().union(*folders))


def is_notebook(path: str) -> bool:
    """Whether a file is called as a notebook is, whatever it holds."""
    return path.lower().endswith(NOTEBOOK)


def _stem(name: str) -> str:
    return re.sub(r"(\.ipynb)?(\.txt|\.json|\.zip)?$", "", name, flags=re.IGNORECASE)


def _name(file: str, stems: tuple[str, ...]) -> str:
    """What a file's name says besides the exercise and that it is a copy."""
    own = COPY.sub("", _stem(file))
    for stem in (*stems, *(stem.partition("-")[2] for stem in stems)):
        if stem:
            own = re.sub(rf"[-_. ]*{re.escape(stem)}[-_. ]*", " ", own, flags=re.IGNORECASE).strip()
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
            numbers.setdefault(_scope(name, system, exercise), set()).add(number)
    return [
        f"{student} ({lms[0][1]})"
        if lms and len(numbers[_scope(student, lms[0][0], exercise)]) > 1
        else student
        for student, lms, exercise in handed
    ]


def _scope(student: str, system: str, exercise: str) -> tuple[str, str, str]:
    return student, system, exercise if system == "moodle" else ""
