"""Results as files and tables: whole or not at all, and no grade yet is no 0."""

import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from kinds import NAME, ROOT, as_bytes, blank, filled, first_step_blank
from test_class import needs_sandbox

from coursebuild.classroom.command import _say_what_is_odd, main
from coursebuild.classroom.feedback import page
from coursebuild.classroom.files import write_whole
from coursebuild.classroom.gradebook import write_tables
from coursebuild.classroom.marking import StepMark
from coursebuild.classroom.results import GRADED, NONE, WAITS, Result, Store
from coursebuild.classroom.running import Submission
from coursebuild.keys import make_key
from layerlab.errors import LayerlabError

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
    head, carl = rows(tmp_path / f"moodle-{NAME}.csv")
    assert carl[:4] == ["Participant 3", "carl", "1", "2"]
    assert {"Identifier", "Grade", "Last modified (grade)"} < set(head)  # else Moodle takes none


def test_a_user_of_canvas_has_one_row_whatever_names_there_were(tmp_path):
    second = replace(result("li (1)", 0.0, canvas="1"), exercise="02-other", title="Exercise 2")
    write_tables([result("li", canvas="1"), second, result("li (2)", canvas="2")], tmp_path)
    _, _, *users = rows(tmp_path / "canvas.csv")
    assert [(row[1], *row[5:]) for row in users] == [("1", "1", "0"), ("2", "1", "")]


def test_copies_of_results_do_not_count_and_a_broken_one_is_named(tmp_path):
    store = Store(tmp_path)
    store.write(result())
    whole = store.path("anna", NAME)
    for name in ("._anna.json", "anna (conflicted copy).json"):
        (whole.parent / name).write_bytes(whole.read_bytes())
    assert list(store.all()) == [result()]
    whole.write_text("{")
    with pytest.raises(LayerlabError, match=r"anna\.json is no result .*delete it"):
        list(store.all())


def test_half_a_letter_is_written_as_none(tmp_path):
    write_whole(tmp_path / "a.html", "so \ud83d")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == "so ?"


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


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--workers", "0"], "invalid number value: '0'"),
        (["--out", "/proc/nowhere"], "`--out` names another folder"),
        (["--again", "nobody"], "there is no result of that student"),
    ],
)
@needs_sandbox
def test_what_cannot_be_done_is_said_with_the_way_out(tmp_path, capsys, options, says):
    (tmp_path / "class" / "anna").mkdir(parents=True)
    (tmp_path / "class" / "anna" / "a.ipynb").write_bytes(b"{")
    keys = [make_key(ROOT, NAME)]
    try:
        code = main([str(tmp_path / "class"), *options], keys)
    except SystemExit as end:
        code = end.code
    assert code and says in capsys.readouterr().err


def test_what_is_odd_is_said(capsys):
    twice = Submission("anna", make_key(ROOT, NAME), files=[("a.ipynb", []), ("b.ipynb", [])])
    other = replace(result("bo", reason="no notebook"), path="bo/work.py")
    _say_what_is_odd([twice], [other], [result("anna"), result("carl")])
    said = capsys.readouterr().out
    assert "no grade · bo/work.py: no notebook" in said
    assert "anna: of 2 files the best one counts: a.ipynb, b.ipynb" in said
    assert "1 results are of files that are gone (`--again` forgets them): carl" in said


@needs_sandbox
def test_folders_whose_names_have_a_dot_do_not_share_their_results(tmp_path, capsys):
    for day in ("03", "04"):
        folder = tmp_path / f"lab-12.{day}"
        folder.mkdir()
        (folder / "anna.ipynb").write_bytes(b"{")
        assert main([str(folder)], [make_key(ROOT, NAME)]) == 0
    assert len(list(tmp_path.glob("lab-12.0?-graded/gradebook.csv"))) == 2
