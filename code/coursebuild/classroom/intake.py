"""What a class hands in: files in any of the layouts, and notebooks in any state.

A folder or a zip, as nbgrader has it (``submitted/STUDENT/NAME/NAME.ipynb``), a folder for each
student, or flat files as Canvas and Moodle zip them. Nothing is unpacked onto the disk.
"""

import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import nbformat

from layerlab.errors import LayerlabError

MOST_BYTES = 300_000_000  # of one file; notebooks with figures of a whole course have 50 MB
MOST_ENTRIES = 20_000  # of a zip
IGNORED = re.compile(r"(^|/)(\.|__MACOSX/|release/|source/|autograded/|feedback/|Thumbs\.db$)")
CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<user>\d+)_(?P<file>\d+)_(?P<rest>.+)")
MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<user>\d+)_assignsubmission_file(?:_(?P<rest>.*))?")
NOTEBOOK, SUBMITTED = (".ipynb", ".ipynb.txt", ".json"), "submitted"
LOG = re.compile(r".*attempts[^/]*\.jsonl(\.txt)?")
COPY = re.compile(r"([-_ ]*(copy|kopie)\s*\d*|\s*\(\d+\))$", re.IGNORECASE)


class Unreadable(LayerlabError):
    """A file is no notebook that could be graded; the text says why."""


@dataclass(frozen=True)
class Handed:
    """A file that was handed in.

    Attributes
    ----------
    student : str
        The name that the folder, or the file, gives.
    path : str
        Where it lay, relative to what was named.
    data : bytes
    lms : dict
        How Canvas ("canvas") or Moodle ("moodle") numbers the student, where the name says so.
    """

    student: str
    path: str
    data: bytes = field(repr=False)
    lms: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Log:
    """What a student tried, kept and handed in: a log of `coursechecks.attempts`.

    Attributes
    ----------
    data : bytes
    """

    data: bytes = field(repr=False)


# Files ------------------------------------------------------------------------------------------


def handed_in(place: Path, stems: tuple[str, ...] = ()) -> Iterator[Handed | Log | tuple[str, str]]:
    """Everything that was handed in.

    Parameters
    ----------
    place : Path
        A folder or a zip.
    stems : tuple of str
        Names of the exercises, which are no part of a student's name.

    Yields
    ------
    Handed, Log or (str, str)
        A notebook; a log; or the path of what is neither, and the reason.
    """
    if place.is_dir():
        files = [path for path in sorted(place.rglob("*")) if _is_file(path)]
        entries = [(str(path.relative_to(place)).replace("\\", "/"), path) for path in files]
        entries = [(path, file) for path, file in entries if not IGNORED.search(path)]
    elif place.is_file():
        entries = [(place.name, place)]
    else:
        raise LayerlabError(f"{place} is neither a folder nor a zip; name what was handed in")
    paths = [path for path, _ in entries]
    is_all = len(paths) == 1 and "/" not in paths[0] and not _of_several(paths)
    outer = _outer(paths)
    for path, file in entries:
        size = file.stat().st_size
        if size > MOST_BYTES:
            yield path, f"it has {size / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f} are read"
        elif path.lower().endswith(".zip"):
            yield from _zip(path, outer, file.read_bytes(), stems, is_all)
        else:
            yield from _file(path, outer, file.read_bytes(), stems)


def _is_file(path: Path) -> bool:
    """A file itself: a link may lead anywhere on the instructor's machine."""
    return path.is_file() and not path.is_symlink()


def _file(path: str, outer: str, data: bytes, stems: tuple[str, ...]) -> Iterator:
    """What a file is that lies below some outer folders, which say nothing of whose it is."""
    name = PurePosixPath(path).name.lower()
    if name.endswith(".zip"):
        yield path, "it is a zip within a zip"
    elif name.endswith(NOTEBOOK):
        own = unicodedata.normalize("NFC", path.removeprefix(outer))  # macOS takes letters apart
        student, lms = student_of(own, stems)
        yield Handed(student, path, data, lms)
    elif LOG.fullmatch(name):
        yield Log(data)
    elif name != "timestamp.txt":
        yield path, "it is no notebook (its name does not end in .ipynb)"


def _zip(path: str, outer: str, data: bytes, stems: tuple[str, ...], is_all: bool) -> Iterator:
    """The notebooks in a zip; each is read in memory, wherever its name would lead.

    A zip that lies beside others may be a student's or a group's: all that a student sent, whose
    name the zip then has, or files of several students.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MOST_ENTRIES:
                yield path, f"the zip has {len(entries)} files; at most {MOST_ENTRIES} are read"
                return
            named = [(_inner(entry.filename), entry) for entry in entries]
            named = [(name, entry) for name, entry in named if not IGNORED.search(name)]
            names = [name for name, _ in named]
            inside = _outer(names)
            if is_all:
                above, outer = "", inside
            elif _of_several([name.removeprefix(inside) for name in names]):
                above = f"{PurePosixPath(path).parent}/".removeprefix("./")
                outer = above + inside if above == outer else outer
            else:
                above = f"{path}/"
            for name, entry in named:
                with archive.open(entry) as file:
                    content = file.read(MOST_BYTES + 1)  # whatever size the zip claims
                if len(content) > MOST_BYTES:
                    yield above + name, f"it has more than {MOST_BYTES / 1e6:.0f} MB"
                else:
                    yield from _file(above + name, outer, content, stems)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        yield path, f"the zip cannot be read: {error}"


def _inner(name: str) -> str:
    """The name of a file in a zip, which leads nowhere else."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return "/".join(part for part in parts if part not in ("..", "/"))


def _outer(paths: list[str]) -> str:
    """The folders around those of the students, as a zip of a folder has one; most often none."""
    outer = above = ""
    own = [path for path in paths if path.lower().endswith((".zip", *NOTEBOOK))]
    while all("/" in path for path in own) and len({path.partition("/")[0] for path in own}) == 1:
        first = own[0].partition("/")[0]
        if first == SUBMITTED or MOODLE.fullmatch(first):
            break
        own, above = [path.partition("/")[2] for path in own], f"{above}{first}/"
        outer = above if _of_several(own) else outer
    return outer


def _of_several(paths: list[str]) -> bool:
    """Whether files are of several students: named so by an LMS, or alike in several folders."""
    folders: dict[str, set[str]] = {}
    for path in paths:
        first, _, rest = path.removeprefix(f"{SUBMITTED}/").partition("/")
        name = PurePosixPath(path).name
        if MOODLE.fullmatch(first) or CANVAS.fullmatch(name):
            return True
        if rest and name.lower().endswith(NOTEBOOK):
            folders.setdefault(name, set()).add(first)
    return any(len(found) > 1 for found in folders.values())


def student_of(path: str, stems: tuple[str, ...] = ()) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Whose a file is, by where it lies, and the numbers that Canvas or Moodle gave."""
    parts = list(PurePosixPath(path).parts)
    if parts[0] == SUBMITTED:
        parts = parts[1:]
    for part in (parts[0], parts[-1]):
        if found := MOODLE.fullmatch(part):
            return found["name"].strip(), (("moodle", found["user"]),)
    for part in (parts[-1], *(part for part in parts[:1] if part.lower().endswith(".zip"))):
        if found := CANVAS.fullmatch(part):
            return found["name"], (("canvas", found["user"]),)
    if len(parts) > 1:
        return re.sub(r"\.zip$", "", parts[0], flags=re.IGNORECASE), ()
    stem = re.sub(r"(\.ipynb)?(\.txt|\.json)?$", "", parts[0], flags=re.IGNORECASE)
    own = COPY.sub("", stem)
    for name in stems:
        own = re.sub(rf"[-_. ]*{re.escape(name)}[-_. ]*", " ", own).strip()
    return own or stem, ()


def tell_apart(handed: list[Handed], exercises: list[str]) -> list[str]:
    """What the student of each file is called; the names of namesakes end with their numbers.

    Parameters
    ----------
    handed : list of Handed
    exercises : list of str
        What each is of. Canvas numbers a user, and Moodle the participant in one exercise.
    """
    names = []
    for one, exercise in zip(handed, exercises, strict=True):
        system, number = one.lms[0] if one.lms else ("", "")
        names.append(((one.student, system, exercise if system == "moodle" else ""), number))
    numbers: dict[tuple[str, str, str], set[str]] = {}
    for name, number in names:
        numbers.setdefault(name, set()).add(number)
    return [f"{n[0]} ({number})" if len(numbers[n]) > 1 else n[0] for n, number in names]


# Notebooks --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """A cell of a submission, with as much as it still says of itself.

    Attributes
    ----------
    id : str
        Empty if it has none.
    grade_id, step : str
        As its metadata say; empty if they do not.
    is_code : bool
    source : str
    """

    id: str
    grade_id: str
    step: str
    is_code: bool
    source: str


def read_cells(data: bytes) -> list[Cell]:
    """Read the cells of a notebook, whatever its encoding and format.

    Raises
    ------
    Unreadable
        If it is none.
    """
    text = decoded(data)
    if not text.strip():
        raise Unreadable("the file is empty")
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is no notebook: {error}") from error
    if not isinstance(notebook, dict):
        raise Unreadable("it is no notebook: its text is JSON of another kind")
    if isinstance(notebook.get("worksheets"), list):
        notebook = _from_version_3(notebook)
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise Unreadable("it is no notebook: it has no cells")
    return [_cell(cell) for cell in cells if isinstance(cell, dict)]


def decoded(data: bytes) -> str:
    """Text of a file in UTF-8, UTF-16 or UTF-32, with or without a mark, or else in cp1252."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\0\0", "utf-32"),
        (b"\0\0\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if data[1:2] == b"\0":
        return data.decode("utf-16-le", "replace")
    if data[:1] == b"\0":
        return data.decode("utf-16-be", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _from_version_3(notebook: dict) -> dict:
    try:
        version = int(notebook.get("nbformat", 3))
        return nbformat.v4.upgrade(nbformat.from_dict(notebook), from_version=min(version, 3))
    except Exception as error:  # of whatever kind: a file may hold anything
        raise Unreadable(f"its old format cannot be read: {error}") from error


def _cell(cell: dict) -> Cell:
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    grading = metadata.get("nbgrader")
    grading = grading if isinstance(grading, dict) else {}
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(map(str, source))
    source = str(source).replace("\r\n", "\n").replace("\r", "\n")
    texts = (cell.get("id"), grading.get("grade_id"), metadata.get("step"))
    names = [text if isinstance(text, str) else "" for text in texts]
    return Cell(*names, cell.get("cell_type") == "code", source)
