"""Results as files and tables: whole or not at all, and no grade yet is no 0."""

import csv
import os
import signal
import subprocess
import sys
import time

import pytest
from kinds import NAME, as_bytes, blank, filled, first_step_blank
from test_class import needs_sandbox

from coursebuild.classroom.feedback import page
from coursebuild.classroom.gradebook import write_tables
from coursebuild.classroom.marking import StepMark
from coursebuild.classroom.results import GRADED, NONE, WAITS, Result, Store

EVIL = "<script>alert(1)</script>"


def result(student="anna", points=1.0, text="", reason="", **lms) -> Result:
    steps = [StepMark("by-hand", points, 1.0, [EVIL] * (not points), [EVIL] * (not points))]
    words = [{"id": "in-words", "text": text, "maximum": 1.0}]
    about = (student, NAME, "Exercise 1", f"{student}.ipynb", "basis")
    return Result(*about, steps, words, [EVIL], reason=reason, lms=lms)


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_stored_result_is_read_as_it_was(tmp_path):
    store = Store(tmp_path)
    store.write(result("Lisa/../Berger", 0.0, "words"))
    assert store.read("Lisa/../Berger", NAME) == result("Lisa/../Berger", 0.0, "words")
    assert store.read("anna", NAME) is None
    assert len(list(tmp_path.rglob("*"))) == 2  # a folder, and a file in it
    assert store.forget("Lisa/../Berger") == 1
    assert not list(store.all())


def test_states_tell_what_waits_from_what_is_nothing():
    assert result().state == GRADED
    assert result(text="so").state == WAITS
    assert result(reason="it is no notebook").state == NONE


def test_tables_hold_no_grade_apart_from_zero(tmp_path):
    results = [
        result("anna", 0.0, canvas="1"),
        result("bob", 1.0, "words", canvas="2"),
        result("carl", 1.0, moodle="3"),
        result("=cmd|'/c calc'!A0", 1.0),
        result("dora", reason="it is no notebook", canvas="4"),
    ]
    names = [path.name for path in write_tables(results, tmp_path)]
    assert names == ["gradebook.csv", "canvas.csv", f"moodle-{NAME}.csv"]
    book = {row[0]: row for row in rows(tmp_path / "gradebook.csv")}
    assert book["anna"][2:5] == [GRADED, "0", "2"]
    assert book["bob"][2:5] == [WAITS, "1", "2"]
    assert book["dora"][2:5] == [NONE, "", ""]
    assert "'=cmd|'/c calc'!A0" in book
    lms = {row[0]: row for row in rows(tmp_path / "canvas.csv")}
    assert [lms[name][-1] for name in ("anna", "bob", "dora")] == ["0", "", ""]
    assert lms["Points Possible"][-1] == "2.0"
    assert rows(tmp_path / f"moodle-{NAME}.csv")[1][:4] == ["Participant 3", "carl", "1", "2"]


@pytest.mark.parametrize(
    "shown", [result(EVIL, 0.0, EVIL), result(reason=EVIL), result(EVIL, 0.0)], ids=range(3)
)
def test_a_page_runs_nothing(shown):
    assert "<script" not in page(shown)


# The command -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def handed(tmp_path_factory):
    """A class of fifteen, and a file that is no notebook."""
    folder = tmp_path_factory.mktemp("class") / "class"
    made = {"right": filled(), "blank": blank(), "partly": first_step_blank()}
    for number in range(5):
        for name, notebook in made.items():
            path = folder / f"{name}{number}" / f"{NAME}.ipynb"
            path.parent.mkdir(parents=True)
            path.write_bytes(as_bytes(notebook))
    (folder / "nothing.ipynb").write_bytes(b"{")
    return folder


COMMAND = [sys.executable, "-m", "coursebuild.grade", "--workers", "1"]


@needs_sandbox
@pytest.mark.check
def test_killed_ten_times_it_loses_nothing_and_grades_nothing_twice(handed, tmp_path):
    command = [*COMMAND, "--out", str(tmp_path), str(handed)]
    seen: dict[str, tuple] = {}
    for number in range(10):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        before = len(seen)
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if number % 2:  # while it begins
                time.sleep(number / 3)
                break
            if len(list(tmp_path.glob("results/*/*.json"))) > before:
                break
            time.sleep(0.02)
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for path in tmp_path.glob("results/*/*.json"):
            state = (path.stat().st_mtime_ns, path.read_text("utf-8"))
            assert seen.setdefault(path.name, state) == state  # never written again
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    book = rows(tmp_path / "gradebook.csv")
    points = {row[0]: row[3] for row in book[1:]}
    expected = {f"{name}{n}": p for n in range(5) for name, p in
                (("right", "8"), ("blank", "0"), ("partly", "7"))}  # fmt: skip
    assert points == expected | {"nothing": ""}
    assert len(book) == 17
    for path in tmp_path.glob("results/*/*.json"):
        if path.name in seen:
            assert path.stat().st_mtime_ns == seen[path.name][0]


@needs_sandbox
@pytest.mark.check
def test_what_is_handed_in_again_is_graded_again(handed, tmp_path):
    place = tmp_path / "class" / "anna"
    place.mkdir(parents=True)
    command = [*COMMAND, "--out", str(tmp_path / "out"), str(tmp_path / "class")]

    def run(*options):
        done = subprocess.run([*command, *options], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout, rows(tmp_path / "out" / "gradebook.csv")[1][3]

    (place / "a.ipynb").write_bytes(as_bytes(blank()))
    assert run()[1] == "0"
    (place / "a.ipynb").write_bytes(as_bytes(filled()))
    assert run()[1] == "8"
    assert "1 had a grade already" in run()[0]
    assert "1 of 1" in run("--again", "anna")[0]
