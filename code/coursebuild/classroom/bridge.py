"""nbgrader's own commands, with grades from here.

`nbgrader_config.py` in the folder for nbgrader puts these classes into their places: what was
handed in is read and put together as `intake` and `rebuild` do it, and where nbgrader would run the
notebook and its checks, it runs in a sandbox and is judged outside. The verdicts become the outputs
of the check cells, from which nbgrader counts points.
"""

import atexit
import copy
import shutil
import sys
from functools import cached_property
from pathlib import Path, PurePosixPath

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.plugins import FileNameCollectorPlugin
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float, Unicode

from coursebuild.classroom.intake import Cell, Handed, handed_in, read_cells
from coursebuild.classroom.key import Key
from coursebuild.classroom.owners import tell_apart
from coursebuild.classroom.rebuild import Rebuilt, rebuild
from coursebuild.classroom.results import StepMark
from coursebuild.classroom.running import Class, Submission
from coursebuild.classroom.sandbox import SECONDS, Limits, Zygote, check_sandbox

GRADED = "graded_by"  # in a notebook's metadata, once it is graded to its end
_handed: dict[tuple[str, str], list[Cell]] = {}  # what was read, for the judging that follows
_zygotes: dict[str, Zygote] = {}


class Reader(NotebookExporter):
    """Reads what was handed in, in whatever encoding and format it is."""

    def from_filename(self, filename: str, resources: dict | None = None, **options):
        """Read a file as nbgrader would if it were as it should be.

        What nbgrader itself has written in between, it reads itself.
        """
        if not self.parent._sanitizing:
            return super().from_filename(filename, resources=resources, **options)
        cells = read_cells(Path(filename).read_bytes())
        notebook = nbformat.v4.new_notebook()
        notebook.cells = [_as_node(cell) for cell in cells]
        try:
            metadata = nbformat.read(filename, as_version=4).metadata
            notebook.metadata = metadata
        except Exception:  # whatever is wrong with it, its cells were read
            notebook.metadata = nbformat.from_dict({})
        resources = resources or {}
        name = PurePosixPath(filename).stem
        resources.setdefault("metadata", {}).update(name=name, path=str(Path(filename).parent))
        resources["handed"] = cells
        return self.from_notebook_node(notebook, resources=resources, **options)


def _as_node(cell: Cell) -> NotebookNode:
    make = nbformat.v4.new_code_cell if cell.is_code else nbformat.v4.new_markdown_cell
    return make(cell.source)


class _ByKey(NbGraderPreprocessor):
    """Works with the key of the exercise that is graded."""

    keys = Unicode("key", help="Folder of the keys, and of all right answers.").tag(config=True)

    def key(self, resources: dict) -> Key:
        """The key of what is graded."""
        return Key.read(Path(self.keys) / f"{resources['nbgrader']['assignment']}.json")


class PutTogether(_ByKey):
    """Puts given cells and checks back, first of all that nbgrader does with a submission."""

    source = Unicode("source", help="Folder of the assignments.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Make the notebook anew of its source and of the answers."""
        said = resources["nbgrader"]
        cells = resources.get("handed") or read_cells(nbformat.writes(nb).encode())
        _handed[said["student"], said["assignment"]] = cells
        rebuilt = rebuild(cells, self.key(resources))
        path = Path(self.source) / said["assignment"] / f"{said['assignment']}.ipynb"
        return _as_notebook(rebuilt, nbformat.read(path, as_version=4)), resources


def _as_notebook(rebuilt: Rebuilt, source: NotebookNode) -> NotebookNode:
    """The source with the answers in it, and what was added where it was."""
    notebook = copy.deepcopy(source)
    by_id = {cell.id: cell for cell in notebook.cells}
    before: dict[str | None, list[NotebookNode]] = {}
    waiting: list[NotebookNode] = []
    for cell in rebuilt.cells:
        if cell["kind"] == "added":
            waiting += [nbformat.v4.new_code_cell(text) for text in cell["sources"]]
            continue
        before[cell["label"]], waiting = waiting, []
        if cell["kind"] == "answer":
            by_id[cell["label"]].source = "\n\n".join(cell["sources"])
    for name, text in rebuilt.words.items():
        if text:
            by_id[name].source = text
    notebook.cells = [one for c in notebook.cells for one in (*before.get(c.id, []), c)] + waiting
    return notebook


class GradeApart(_ByKey):
    """Stands where nbgrader runs a notebook: it runs in a sandbox, and is judged outside."""

    out = Unicode(".grader", help="Folder for what grading keeps.").tag(config=True)
    seconds = Float(SECONDS, help="Processor time of a cell, at most.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Write the verdicts as outputs of the checks."""
        said, key = resources["nbgrader"], self.key(resources)
        student, name = said["student"], said["assignment"]
        cells = _handed.pop((student, name), None) or read_cells(nbformat.writes(nb).encode())
        course = _course(key, Path(self.out), self.seconds)
        own = Submission(student, key, [("", cells)])
        result = course.mark(_zygote(course, key), own)
        marks = {f"{mark.step}": mark for mark in result.steps}
        checks = {c.id: c.step for c in key.cells if c.kind == "check"}
        for cell in nb.cells:
            step = checks.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
            if step:
                right = course.known[key.name][step]["right"]
                cell.outputs = [_output(marks[step], right)]
        if result.told:
            note = "\n".join(["**Put back when this was graded:**", "", *_items(result.told)])
            nb.cells.insert(0, nbformat.v4.new_markdown_cell(note))
        return nb, resources


def _items(lines: list[str]) -> list[str]:
    """Lines as items in which nothing is Markdown or HTML, for they quote the submission."""
    return [f"    {line}" for line in lines]


def _output(mark: StepMark, right: str) -> NotebookNode:
    if mark.points:
        return nbformat.v4.new_output("stream", name="stdout", text=f"✓ {right}\n")
    known = [f"known mistake: {n}. {h}" for n, h in zip(mark.names, mark.hints, strict=True)]
    lines = [f"✗ {mark.group or mark.step}: not right.", *known, *mark.lines, *mark.errors]
    text = "\n".join(lines)
    return nbformat.v4.new_output("error", ename="CheckFailed", evalue=text, traceback=lines)


class Finish(NbGraderPreprocessor):
    """Marks a notebook as graded to its end, last of all."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Put the mark into the metadata."""
        nb.metadata[GRADED] = __name__
        return nb, resources


def forget_halves(folder: Path) -> None:
    """Delete what an earlier run was killed over; nbgrader would take it as graded."""
    for path in folder.glob("autograded/*/*/*.ipynb"):
        try:
            is_done = GRADED in nbformat.read(path, as_version=4).metadata
        except Exception:  # half written
            is_done = False
        if not is_done:
            print(f"{path} was not graded to its end; it is graded anew", file=sys.stderr)
            shutil.rmtree(path.parent)  # what is left of it would count as graded, too


class Collector(FileNameCollectorPlugin):
    """Knows how Canvas, Moodle and people name files; for `nbgrader zip_collect`."""

    def collect(self, submitted_file: str) -> dict | None:
        """Whose a file is, and what it is to be called."""
        path, name = Path(submitted_file).resolve(), self.parent.coursedir.assignment_id
        student = self._students.get(path) if path.suffix == ".ipynb" else None
        return {"student_id": student.replace("/", " "), "file_id": name} if student else None

    @cached_property
    def _students(self) -> dict[Path, str]:
        """The students of all files that nbgrader has unpacked."""
        name = self.parent.coursedir.assignment_id
        folder = Path(self.parent._format_collect_path(self.parent.extracted_directory)).resolve()
        below = list(folder.iterdir())  # a folder for each zip
        folder = below[0] if len(below) == 1 and below[0].is_dir() else folder
        found = [entry for entry in handed_in(folder, (name,)) if isinstance(entry, Handed)]
        students = tell_apart([(entry.student, entry.lms, name) for entry in found])
        return {folder / entry.path: who for entry, who in zip(found, students, strict=True)}


def _course(key: Key, out: Path, seconds: float) -> Class:
    import coursechecks

    if key.name not in _courses:
        check_sandbox()
        code = Path(coursechecks.__file__).parents[1]
        _courses[key.name] = Class([key], code, out, Limits(seconds=seconds))
    return _courses[key.name]


_courses: dict[str, Class] = {}


def _zygote(course: Class, key: Key) -> Zygote:
    if key.name not in _zygotes:
        zygote = course.open(key)
        atexit.register(zygote.__exit__)
        _zygotes[key.name] = zygote
    return _zygotes[key.name]
