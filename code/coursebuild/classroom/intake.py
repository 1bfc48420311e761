"""What a class hands in: files in any of the layouts, and notebooks in any state.

A folder or a zip, as nbgrader has it (``submitted/STUDENT/NAME/NAME.ipynb``), a folder for each
student, or flat files as Canvas and Moodle zip them. Nothing is unpacked onto the disk.
"""

import io
import json
import re
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
        files = ((str(p.relative_to(place)), p) for p in sorted(place.rglob("*")) if _is_file(p))
        entries = ((path.replace("\\", "/"), file) for path, file in files)
    elif place.is_file():
        entries = ((place.name, place),)
    else:
        raise LayerlabError(f"{place} is neither a folder nor a zip; name what was handed in")
    for path, file in entries:
        if IGNORED.search(path):
            continue
        size = file.stat().st_size
        if size > MOST_BYTES:
            yield path, f"it has {size / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f} are read"
            continue
        yield from _file(path, file.read_bytes(), stems, place.is_file())


def _is_file(path: Path) -> bool:
    """A file itself: a link may lead anywhere on the instructor's machine."""
    return path.is_file() and not path.is_symlink()


def _file(path: str, data: bytes, stems: tuple[str, ...], is_all: bool = False) -> Iterator:
    name = PurePosixPath(path).name.lower()
    if name.endswith(".zip"):
        yield from _zip(path, data, stems, "" if is_all else path.removesuffix(name))
    elif name.endswith((".ipynb", ".ipynb.txt", ".json")):
        student, lms = student_of(path, stems)
        yield Handed(student, path, data, lms)
    elif LOG.fullmatch(name):
        yield Log(data)
    elif name != "timestamp.txt":
        yield path, "it is no notebook (its name does not end in .ipynb)"


def _zip(path: str, data: bytes, stems: tuple[str, ...], within: str) -> Iterator:
    """The notebooks in a zip; each is read in memory, wherever its name would lead."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MOST_ENTRIES:
                yield path, f"the zip has {len(entries)} files; at most {MOST_ENTRIES} are read"
                return
            for entry in entries:
                parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
                inner = within + "/".join(part for part in parts if part not in ("..", "/"))
                if IGNORED.search(inner):
                    continue
                with archive.open(entry) as file:
                    content = file.read(MOST_BYTES + 1)  # whatever size the zip claims
                if len(content) > MOST_BYTES:
                    yield inner, f"it has more than {MOST_BYTES / 1e6:.0f} MB"
                elif inner.lower().endswith(".zip"):
                    yield inner, "it is a zip within a zip"
                else:
                    yield from _file(inner, content, stems)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        yield path, f"the zip cannot be read: {error}"


def student_of(path: str, stems: tuple[str, ...] = ()) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Whose a file is, by where it lies, and the numbers that Canvas or Moodle gave."""
    parts = list(PurePosixPath(path).parts)
    if parts[0] == "submitted":
        parts = parts[1:]
    for part in (parts[0], parts[-1]):
        if found := MOODLE.fullmatch(part):
            return found["name"].strip(), (("moodle", found["user"]),)
    if found := CANVAS.fullmatch(parts[-1]):
        return found["name"], (("canvas", found["user"]),)
    if len(parts) > 1:
        return parts[0], ()
    stem = re.sub(r"(\.ipynb)?(\.txt|\.json)?$", "", parts[0], flags=re.IGNORECASE)
    own = COPY.sub("", stem)
    for name in stems:
        own = re.sub(rf"[-_. ]*{re.escape(name)}[-_. ]*", " ", own).strip()
    return own or stem, ()


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
