"""What a class report counts, and what it does not tell."""

import csv
import json

import pytest
from bs4 import BeautifulSoup

from coursebuild.classroom.intake import Log, handed_in
from coursebuild.classroom.key import Key, KeyCell
from coursebuild.classroom.marking import BLANK_WORDS, StepMark
from coursebuild.classroom.report import count, read_log, write_report
from coursebuild.classroom.results import Result
from coursechecks import attempts, engine, ex1
from layerlab.errors import LayerlabError

STEPS = ("draw", "sum", "root")
KEY = Key(
    "01-topic",
    "Exercise 1: <Topic>",
    (
        KeyCell("setup", "given", "from coursechecks.ex1 import check"),
        *(KeyCell(f"{step}-check", "check", "", step, points=2.0) for step in STEPS),
    ),
)
BLANK = [f"a blank ____ {BLANK_WORDS}"]


def result(student: str, *marks: "str | list[str]", reason: str = "") -> Result:
    """A result: of each step "right", "blank", or the names of its mistakes."""
    steps = []
    for step, mark in zip(STEPS, marks, strict=True) if marks else ():
        points = 2.0 if mark == "right" else 0.0
        names = mark if isinstance(mark, list) else []
        lines = BLANK if mark == "blank" else []
        steps.append(StepMark(step, points, 2.0, names, ["hint"] * len(names), lines))
    return Result(student, KEY.name, KEY.title, "x.ipynb", "", steps, reason=reason)


CLASS = [
    result("Ada", "right", "right", "right"),
    result("Ben", "right", ["no <root>"], ["no <root>", "a sign"]),
    result("Cid", "right", "blank", "blank"),
    result("Dan", "blank", "right", []),
    result("Eve", reason="it is no notebook"),
]


def log(*lines: tuple) -> list[dict]:
    return [
        {"exercise": exercise, "step": step, "right": right, "mistakes": mistakes}
        for exercise, step, right, *mistakes in lines
    ]


LOGS = [
    log(
        ("ex1", "draw", False, "no <root>"),
        ("ex1", "draw", False, "no <root>"),
        ("ex1", "draw", True),
    ),
    log(("ex1", "draw", True), ("ex1", "sum", False, "a sign"), ("ex2", "draw", False, "other")),
    log(("ex2", "draw", True)),
]


def test_each_step_is_counted():
    (report,) = count(CLASS, [KEY], LOGS)
    counts = [(s.n_right, s.n_blank, s.n_wrong, s.n_stopped) for s in report.steps]
    assert counts == [(3, 1, 0, 0), (2, 1, 1, 2), (1, 1, 2, 1)]
    assert report.points == [6.0, 2.0, 2.0, 2.0] and report.maximum == 6.0
    assert report.n_without_grade == 1
    draw, total, root = report.steps
    assert total.mistakes == {"no <root>": 1} and root.mistakes == {"no <root>": 1, "a sign": 1}
    assert report.n_logs == 2
    assert draw.tries == [3, 1] and draw.tried == {"no <root>": 1}
    assert total.tries == [] and total.tried == {"a sign": 1}


def test_an_exercise_that_nobody_handed_in_is_left_out():
    assert count([], [KEY], LOGS) == []


def page_and_table(folder, **options):
    page = write_report(count(CLASS, [KEY], LOGS), folder, **options)
    with (folder / "class-report.csv").open(encoding="utf-8", newline="") as file:
        return page.read_text("utf-8"), list(csv.reader(file))


def test_the_page_says_what_went_wrong_and_names_nobody(tmp_path):
    page, table = page_and_table(tmp_path, with_names=False)
    text = BeautifulSoup(page, "html.parser").get_text(" ", strip=True)
    assert "Exercise 1: <Topic>" in text
    assert "4 graded · 2 of 6 points for steps in the middle · 1 without a grade yet" in text
    assert "no <root>: 1" in text and "stopped here: 2" in text
    assert "checks until it was right: 2 in the middle" in text
    assert "tried before: no <root> (1)" in text and text.count("wrong in no known way: 1") == 1
    for student in ("Ada", "Ben", "Cid", "Dan", "Eve"):
        assert student not in page and student not in str(table)


def test_names_are_told_where_they_are_asked_for(tmp_path):
    page, table = page_and_table(tmp_path, with_names=True)
    assert "not right: Ben, Cid" in page
    assert ["01-topic", "sum", "wrong, by name", "Ben", "1", "4"] in table


def test_the_table_has_what_the_page_has(tmp_path):
    _, table = page_and_table(tmp_path, with_names=False)
    assert table[0] == ["exercise", "step", "what", "name", "n", "of"]
    assert ["01-topic", "", "points", "2", "3", "4"] in table
    assert ["01-topic", "sum", "stopped here", "", "2", "4"] in table
    assert ["01-topic", "root", "mistake", "a sign", "1", "4"] in table
    assert ["01-topic", "draw", "tried before", "no <root>", "1", "2"] in table


def test_of_a_log_only_its_own_lines_are_read():
    good = {"exercise": "ex1", "step": "draw", "right": True, "mistakes": []}
    lines = ["no JSON", "[1]", "[" * 100_000, json.dumps(good), '{"exercise": 1}', "", "\ud800"]
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    assert read_log(data) == [good]
    assert read_log(json.dumps({**good, "mistakes": [1]}).encode()) == []


# What a student keeps ------------------------------------------------------------------------


@pytest.fixture
def check_of_one():
    yield lambda **answers: engine.check(ex1, "agreement", **answers)
    attempts.stop()


def test_nothing_is_kept_before_one_asks(tmp_path, monkeypatch, check_of_one):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(engine.CheckFailed):
        check_of_one(same_number=lambda a, b: a == b)
    assert list(tmp_path.iterdir()) == []


def test_what_is_kept_names_steps_and_mistakes_and_no_code(tmp_path, monkeypatch, check_of_one):
    monkeypatch.chdir(tmp_path)
    attempts.keep()
    with pytest.raises(engine.CheckFailed):
        check_of_one(same_number=lambda a, b: a == b)
    attempts.stop()
    with pytest.raises(engine.CheckFailed):
        check_of_one(same_number=lambda a, b: True)
    lines = read_log((tmp_path / attempts.FILE).read_bytes())
    assert len(lines) == 1
    assert {name: lines[0][name] for name in ("exercise", "step", "right")} == {
        "exercise": "ex1",
        "step": "agreement",
        "right": False,
    }
    assert lines[0].keys() == {"time", "exercise", "step", "right", "mistakes"}


def test_a_log_that_cannot_be_written_says_the_way_out(tmp_path):
    with pytest.raises(LayerlabError, match="nowhere.*name a file in a folder"):
        attempts.keep(tmp_path / "nowhere" / "attempts.jsonl")


def test_a_log_that_is_handed_in_is_no_notebook_and_no_fault(tmp_path):
    (tmp_path / "Ada").mkdir()
    (tmp_path / "Ada" / "attempts.jsonl").write_bytes(b"{}")
    (tmp_path / "Ada" / "other.txt").write_bytes(b"")
    log, other = handed_in(tmp_path)
    assert log == Log(b"{}") and (other.student, other.path) == ("Ada", "Ada/other.txt")
