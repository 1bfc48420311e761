"""A class is graded as each submission deserves, and nothing reaches what lies outside.

`python tests/test_class.py` prints the table: kind, deserved, given, what the feedback says.
"""

import json
import re
import sys
import tempfile
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
from kinds import EXERCISE, KINDS, NAME, ROOT, Kind, as_bytes, forger_of, harmful, open_port

from coursebuild.classroom.files import file_name
from coursebuild.classroom.gradebook import write_tables
from coursebuild.classroom.intake import read_cells
from coursebuild.classroom.results import NONE, WAITS, Result
from coursebuild.classroom.running import Class, Submission, grade
from coursebuild.classroom.sandbox import Limits, why_not
from coursebuild.downloads import exercise_names
from coursebuild.keys import make_key

# Steps that ask for nothing but numbers that any notebook shows: whoever has these has the answer.
SHOWN = {"07-layer-information": {"shape"}}
FEWEST = 3  # numbers of a secret: so many at once nobody guesses
SECONDS = 4  # for a cell; none of the honest ones takes one
needs_sandbox = pytest.mark.skipif(bool(why_not()), reason=f"no sandbox here: {why_not()}")


@dataclass
class Graded:
    """A class that was graded, and what was watched meanwhile."""

    kinds: list[Kind]
    out: Path
    results: dict[str, Result]
    canary: Path
    visits: list

    def feedback(self, name: str) -> str:
        """The words of a student's page."""
        path = self.out / "feedback" / name / f"{NAME}.html"
        text = path.read_text("utf-8") if path.is_file() else self.results[name].reason
        return unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL))


def grade_all(folder: Path, report=lambda line: None) -> Graded:
    """Hand everything in, and grade it."""
    place, out, canary = folder / "class", folder / "out", folder / "canary"
    canary.write_text("alive")
    with open_port() as (port, visits):
        kinds = [*KINDS, *harmful(canary, port)]
        for kind in kinds:
            (place / kind.name).mkdir(parents=True)
            (place / kind.name / kind.file).write_bytes(as_bytes(kind.make()))
        course = Class(
            [make_key(ROOT, NAME)], ROOT / "code", out, Limits(seconds=SECONDS, total_seconds=40)
        )
        submissions, others = course.gather(place)
        grade(course, submissions, 2, report)
        results = [*course.store.all(), *others]
        write_tables(results, out)
    by_name = {result.student: result for result in results}
    return Graded(kinds, out, by_name, canary, visits)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    return grade_all(tmp_path_factory.mktemp("graded"))


ALL_KINDS = [*KINDS, *harmful(Path("/canary"), 1)]


@needs_sandbox
@pytest.mark.check
@pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.name)
def test_each_kind_gets_what_it_deserves(graded, kind):
    result = graded.results[kind.name]
    given = None if result.reason else result.points
    assert given == kind.points, graded.feedback(kind.name)
    if kind.points is not None:
        assert (result.state == WAITS) == kind.waits
    else:
        assert result.state == NONE
    assert kind.says in " ".join(graded.feedback(kind.name).split())


@needs_sandbox
@pytest.mark.check
def test_nothing_reaches_what_lies_outside(graded):
    assert graded.canary.read_text() == "alive"
    assert not graded.visits


@needs_sandbox
@pytest.mark.check
def test_no_page_runs_what_a_student_wrote_or_tells_where_it_was_graded(graded):
    for path in (graded.out / "feedback").rglob("*.html"):
        text = path.read_text("utf-8")
        assert "<script" not in text
        assert str(ROOT) not in text and "/sandbox" not in text


@needs_sandbox
@pytest.mark.check
@pytest.mark.parametrize("name", exercise_names(ROOT))
def test_what_hidden_probes_ask_cannot_be_known_beforehand(name, tmp_path):
    key = make_key(ROOT, name)
    course = Class([key], ROOT / "code", tmp_path)
    zygote = course.open(key)
    try:
        right = {step: json.loads(text) for step, text in course.right(zygote, key).items()}
        cells = read_cells(as_bytes(forger_of(key)))
        result = course.mark(zygote, Submission("forger", key, [("", cells)]))
    finally:
        zygote.__exit__()
    known = course.known[name]
    assert {mark.step for mark in result.steps if mark.points} <= SHOWN.get(name, set())
    guessed = [step for step, told in right.items() if can_be_guessed(known[step]["facts"], told)]
    assert set(guessed) <= SHOWN.get(name, set())


def can_be_guessed(shown: dict, told: dict) -> bool:
    """Whether a hidden document holds hardly a number but those that the notebook's check shows."""
    if told.get("calls"):
        return False
    others = [value for name, value in told["facts"].items() if value != shown.get(name)]
    return sum(map(n_numbers, others)) < FEWEST


def n_numbers(value) -> int:
    """How many numbers a canonical value holds, whatever its shape; one with decimals is many."""
    if isinstance(value, dict):
        return sum(n_numbers(inner) for name, inner in value.items() if name != "shape")
    if isinstance(value, list):
        return sum(map(n_numbers, value))
    return (FEWEST if value % 1 else 1) if isinstance(value, float) else 0


def test_names_of_files_lead_nowhere():
    assert "/" not in file_name("../../etc/passwd")
    assert file_name("..") not in ("..", ".")
    assert file_name("a/b") != file_name("a%2Fb")


def test_no_two_students_have_one_file():
    cyrillic = ["Александра Константиновна Иванова", "Александра Константиновна Петрова"]
    names = [*cyrillic, "", ".", "..", "%2E", " anna", "anna", "anna ", "x" * 300, "x" * 301]
    names += ["\udcff", "\udcfe", "\ud800"]
    files = [file_name(name) for name in names]
    assert len(set(files)) == len(names)
    assert all(0 < len(name.encode()) <= 250 for name in files)


def test_two_students_of_one_name_get_a_grade_each(tmp_path):
    course = Class([make_key(ROOT, NAME)], ROOT / "code", tmp_path / "out")
    for number in (1, 2):
        place = tmp_path / "class" / f"Eva Li_{number}_assignsubmission_file"
        place.mkdir(parents=True)
        (place / f"{NAME}.ipynb").write_bytes(as_bytes(EXERCISE))
        submissions, _ = course.gather(tmp_path / "class")
        if number == 1:
            alone = course.without_grade(submissions[0], "nobody knew of the other")
            course.keep(alone)
    assert alone.student == "Eva Li"
    assert [own.student for own in submissions] == ["Eva Li (1)", "Eva Li (2)"]
    assert [own.lms for own in submissions] == [{"moodle": "1"}, {"moodle": "2"}]
    assert not [*course.store.all()]
    assert not [*(tmp_path / "out" / "feedback").rglob("*.html")]


def table(graded: Graded) -> str:
    """Kind, deserved, given, what the feedback says."""
    rows = ["kind | deserved | given | feedback", "--- | --- | --- | ---"]
    for kind in graded.kinds:
        result = graded.results[kind.name]
        given = "no grade" if result.reason else f"{result.points:g}"
        deserved = "no grade" if kind.points is None else f"{kind.points:g}"
        words = [w for m in result.steps if not m.points for w in (*m.names, *m.lines, *m.errors)]
        said = "; ".join([result.reason, *words[:2], *result.told[:2]][:3]).strip("; ")
        rows.append(f"{kind.name} | {deserved} | {given} | {said[:110]}")
    return "\n".join(rows)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(table(grade_all(Path(name), lambda line: print(line, file=sys.stderr, flush=True))))
    sys.exit()
