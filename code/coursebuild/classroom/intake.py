"""What a class hands in: files in any of the layouts, and notebooks in any state.

A folder or a zip, as nbgrader has it (``submitted/STUDENT/NAME/NAME.ipynb``), a folder for each
student, or flat files as Canvas and Moodle zip them. Nothing is unpacked onto the disk.
"""

import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

import nbformat

from coursebuild.classroom.owners import CANVAS, MOODLE, NOTEBOOK, Numbers, is_notebook, whose
from layerlab.errors import LayerlabError

MOST_BYTES = 300_000_000  # of one file; notebooks with figures of a whole course have 50 MB
MOST_ENTRIES = 20_000  # of a zip
DEEPEST = 2  # zips in each other: that of an LMS, and that of a student
IGNORED = re.compile(r"(^|/)(\.|__MACOSX/|Thumbs\.db$)")
OF_NBGRADER = re.compile(r"(release|source|autograded|feedback)/")  # beside `submitted`
LOG = re.compile(r".*attempts[^/]*\.jsonl(\.txt)?")


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
    lms : tuple of (str, str)
        How Canvas or Moodle numbers the student, where the name says so.
    """

    student: str
    path: str
    data: bytes = field(repr=False)
    lms: Numbers = ()


@dataclass(frozen=True)
class Refused:
    """A file that cannot be graded, whose it is, and why.

    Attributes
    ----------
    student, path, reason : str
    lms : tuple of (str, str)
    """

    student: str
    path: str
    reason: str
    lms: Numbers = ()


@dataclass(frozen=True)
class Log:
    """What a student tried, kept and handed in: a log of `coursechecks.attempts`.

    Attributes
    ----------
    data : bytes
    """

    data: bytes = field(repr=False)


# Files ------------------------------------------------------------------------------------------

Reader = Callable[[], bytes]


def handed_in(
    place: Path,
    stems: tuple[str, ...] = (),
    without: Path | None = None,
    exercise_of: Callable[[bytes], str] | None = None,
) -> Iterator[Handed | Log | Refused]:
    """Everything that was handed in.

    Parameters
    ----------
    place : Path
        A folder or a zip.
    stems : tuple of str
        Names of the exercises, which are no part of a student's name.
    without : Path, optional
        A folder in `place` where no submissions lie: the one that results go to.
    exercise_of : callable, optional
        Tells of a notebook's data the exercise that it is of, or nothing; by default its name does.

    Raises
    ------
    LayerlabError
        If there is neither a folder nor a file.
    """
    if not place.exists():
        raise LayerlabError(f"{place} is neither a folder nor a zip; name what was handed in")
    files = list(_files(place, without))
    exercises = (
        [_exercise(path, read, exercise_of) for path, read in files] if exercise_of else None
    )
    owners = whose([path for path, _ in files], stems, exercises)
    for (path, read), (student, lms) in zip(files, owners, strict=True):
        name = PurePosixPath(path).name.lower()
        try:
            if LOG.fullmatch(name):
                yield Log(read())
            elif name.endswith((*NOTEBOOK, ".zip")):  # a zip that is still one cannot be read
                yield Handed(student, path, read(), lms)
            elif name != "timestamp.txt":
                raise Unreadable("it is no notebook (its name does not end in .ipynb)")
        except Unreadable as error:
            yield Refused(student, path, str(error), lms)


def _exercise(path: str, read: Reader, exercise_of: Callable[[bytes], str]) -> str:
    try:
        return exercise_of(read()) if is_notebook(path) else ""
    except Unreadable:
        return ""


def _files(place: Path, without: Path | None) -> Iterator[tuple[str, Reader]]:
    """All files with what reads them, those in zips too; a zip that cannot be read stays one."""
    if place.is_file():
        named = [(place.name, place)]
    else:
        paths = [path for path in sorted(place.rglob("*")) if _is_file(path)]
        named = [(_text(path, place), path) for path in paths if without not in path.parents]
        named = [(name, path) for name, path in named if not _is_ignored(name)]
    if len(named) == 1 and _holds_all(named[0][0], place):
        yield from _unpacked("", partial(Path, named[0][1]))
        return
    for name, path in named:
        if name.lower().endswith(".zip"):
            yield from _unpacked(name, partial(Path, path))
        else:
            yield name, partial(_read, path)


def _holds_all(name: str, place: Path) -> bool:
    """Whether the only file is a zip with the whole class in it, and not one that somebody sent."""
    is_sent = "/" in name or CANVAS.fullmatch(name) or MOODLE.fullmatch(name)
    return name.lower().endswith(".zip") and (place.is_file() or not is_sent)


def _is_file(path: Path) -> bool:
    """A file itself: a link may lead anywhere on the instructor's machine."""
    return path.is_file() and not path.is_symlink()


def _is_ignored(name: str, *, is_inner: bool = False) -> bool:
    """Whether a file is the system's or nbgrader's; in a zip that somebody sent, it is theirs."""
    return bool(IGNORED.search(name) or (not is_inner and OF_NBGRADER.match(name)))


def _text(path: Path, place: Path) -> str:
    """A file's path below a place, as text that can be written anywhere."""
    name = str(path.relative_to(place)).replace("\\", "/")
    try:
        name.encode()
    except UnicodeEncodeError:  # a zip of another system, unpacked here
        name = os.fsencode(name).decode("cp1252", "replace")
    return name


def _read(path: Path) -> bytes:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise Unreadable(f"it has {size / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f} are read")
    return path.read_bytes()


def _unpacked(path: str, find: Callable, depth: int = 1) -> Iterator[tuple[str, Reader]]:
    """The files in a zip; each is read in memory, wherever its name would lead."""
    told = path or "the zip"
    if depth > DEEPEST:
        yield told, partial(_refuse, "it is a zip within zips: unpack the outer ones first")
        return
    try:
        entries = [entry for entry in _archive(find).infolist() if not entry.is_dir()]
    except Exception as error:  # of whatever kind: a file may hold anything
        yield told, partial(_refuse, f"the zip cannot be read: {error}")
        return
    if len(entries) > MOST_ENTRIES:
        what = f"the zip has {len(entries)} files; at most {MOST_ENTRIES} are read"
        yield told, partial(_refuse, what)
        return
    named = [(_name_in_zip(entry), partial(_read_entry, find, entry)) for entry in entries]
    named = [(name, read) for name, read in named if name]
    named = [(name, read) for name, read in named if not _is_ignored(name, is_inner=bool(path))]
    if not named:
        yield told, partial(_refuse, "the zip holds no file")
    tops = {name.partition("/")[0] if name.count("/") > 1 else "" for name, _ in named}
    top = tops.pop() if path and len(tops) == 1 else ""  # the folder that was zipped, with others
    above = f"{path}/" if path else ""
    for name, read in named:
        inner = above + (name.removeprefix(f"{top}/") if not MOODLE.fullmatch(top) else name)
        if inner.lower().endswith(".zip"):
            yield from _unpacked(inner, partial(_in_memory, read), depth + 1)
        else:
            yield inner, read


def _in_memory(read: Reader) -> io.BytesIO:
    return io.BytesIO(read())


def _refuse(reason: str) -> bytes:
    raise Unreadable(reason)


@lru_cache(maxsize=4)  # and not a file that is open for each student
def _archive(find: Callable) -> zipfile.ZipFile:
    return zipfile.ZipFile(find())


def _read_entry(find: Callable, entry: zipfile.ZipInfo) -> bytes:
    try:
        with _archive(find).open(entry) as file:
            content = file.read(MOST_BYTES + 1)  # whatever size the zip claims
    except Exception as error:  # of whatever kind: a file may hold anything
        raise Unreadable(f"it cannot be read from its zip: {error}") from error
    if len(content) > MOST_BYTES:
        raise Unreadable(f"it has more than {MOST_BYTES / 1e6:.0f} MB")
    return content


def _name_in_zip(entry: zipfile.ZipInfo) -> str:
    """The name of a file in a zip, which leads nowhere else."""
    name = entry.filename
    if not entry.flag_bits & 0x800:  # macOS writes UTF-8 and does not say so
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return "/".join(part for part in parts if part not in ("..", "/", "."))


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
