"""What is handed in: layouts, names, encodings, and the exercise that a notebook is of."""

import io
import json
import os
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest
from kinds import EXERCISE, ROOT, STEPS, as_bytes, filled, place

from coursebuild.classroom.intake import (
    Handed,
    Unreadable,
    decoded,
    handed_in,
    read_cells,
)
from coursebuild.classroom.key import answers_in, defined_in
from coursebuild.classroom.needed import needed
from coursebuild.classroom.owners import tell_apart, whose
from coursebuild.classroom.rebuild import pieces, rebuild, recognise
from coursebuild.keys import make_key
from layerlab.errors import LayerlabError

NAMES = ("01-minkowski", "02-mutual-information")


@pytest.fixture(scope="module")
def keys():
    return [make_key(ROOT, name) for name in NAMES]


@pytest.mark.parametrize(
    ("path", "student", "lms"),
    [
        ("submitted/anna/01-minkowski/01-minkowski.ipynb", "anna", ()),
        ("anna/whatever.ipynb", "anna", ()),
        ("anna-01-minkowski-Copy1.ipynb", "anna", ()),
        ("bergerlisa_12345_67890_01-minkowski-1.ipynb", "bergerlisa", (("canvas", "12345"),)),
        ("bergerlisa_LATE_12345_67890_x.ipynb", "bergerlisa", (("canvas", "12345"),)),
        ("Lisa Berger_4711_assignsubmission_file/a.ipynb", "Lisa Berger", (("moodle", "4711"),)),
        ("Lisa Berger_4711_assignsubmission_file_a.ipynb", "Lisa Berger", (("moodle", "4711"),)),
        ("01-minkowski.ipynb", "01-minkowski", ()),
        ("Copy of 01-minkowski (1).ipynb", "Copy of 01-minkowski (1)", ()),
        ("Lisa Berger - Kopie von 01-minkowski.ipynb", "Lisa Berger", ()),
        ("lisa-minkowski.ipynb", "lisa", ()),
        ("gruppe_1_12345_678_01-minkowski.ipynb", "gruppe_1", (("canvas", "12345"),)),
        ("s_berger_12_34_a.ipynb", "s_berger", (("canvas", "12"),)),
        ("lisa_2026_10_05.ipynb", "lisa_2026_10_05", ()),
    ],
)
def test_whose_a_file_is(path, student, lms):
    assert whose([path], NAMES) == [(student, lms)]


def test_a_folder_and_its_zip_hold_the_same(tmp_path):
    folder = tmp_path / "class"
    for student in ("anna", "bob"):
        (folder / student).mkdir(parents=True)
        (folder / student / "a.ipynb").write_bytes(student.encode())
    (folder / "anna" / ".ipynb_checkpoints").mkdir()
    (folder / "anna" / ".ipynb_checkpoints" / "a.ipynb").write_bytes(b"old")
    (folder / "bob" / "link.ipynb").symlink_to("/etc/passwd")
    archive = tmp_path / "class.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in sorted(folder.glob("*/*.ipynb")):
            if not path.is_symlink():
                zipped.write(path, path.relative_to(folder))
    found = [[(h.student, h.data) for h in handed_in(place)] for place in (folder, archive)]
    assert found[0] == found[1] == [("anna", b"anna"), ("bob", b"bob")]


A, B = "01-minkowski.ipynb", "02-mutual-information.ipynb"
LISA, BO = "Lisa Berger_47_assignsubmission_file", "Bo_3_assignsubmission_file"


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("files", "students"),
    [
        ([f"class/anna/{A}", f"class/bob/{A}", "class/note.txt"], ["anna", "bob"]),
        ([f"x/class/anna/{A}", f"x/class/bob/{A}"], ["anna", "bob"]),
        ([f"x/submitted/{who}/01/{A}" for who in ("anna", "bob")], ["anna", "bob"]),
        ([f"anna/01/{A}", "anna/01/timestamp.txt", f"anna/02/{B}", "anna/02/timestamp.txt"],
         ["anna", "anna"]),
        ([f"course/{LISA}/{A}", f"course/{BO}/{A}"], ["Bo", "Lisa Berger"]),
        ([f"{LISA}/a/{A}", f"{LISA}/b/{A}"], ["Lisa Berger"] * 2),
        (["x/berger_1_2_a.ipynb", "x/bode_3_4_a.ipynb"], ["berger", "bode"]),
        (["class/anna/anna-minkowski.ipynb", "class/bo/bo-minkowski.ipynb"], ["anna", "bo"]),
        (["class/anna.ipynb", "class/bo.ipynb"], ["anna", "bo"]),
        ([f"class/anna/{A}", f"class/bo/{A}", "my test.ipynb"], ["anna", "bo", "my test"]),
        ([f"01-minkowski/anna/{A}", f"02-mutual-information/anna/{B}"], ["anna", "anna"]),
        (["01-minkowski/anna.ipynb", "01-minkowski/bo.ipynb"], ["anna", "bo"]),
        ([f"group 1/{who}/{A}" for who in "ab"] + [f"group 2/c/{A}"], ["a", "b", "c"]),
        ([f"sheet 1/{who}/{A}" for who in "ab"] + [f"sheet 2/a/{B}"], ["a", "a", "b"]),
        ([f"sheet 1/{LISA}/{A}", f"sheet 1/{BO}/{A}", f"2/{LISA}/{B}"],
         ["Bo", "Lisa Berger", "Lisa Berger"]),
        ([f"{who}/work/{A}" for who in "ab"], ["a", "b"]),
        ([f"{who}/{kind}/{A}" for who in "ab" for kind in ("old", "new")], ["a", "a", "b", "b"]),
        ([f"{who}/x_2026_10_05.ipynb" for who in "ab"], ["a", "b"]),
        ([f"{who}/exercise_1_2_end.ipynb" for who in "ab"], ["a", "b"]),
        (["2026_10_05_lisa.ipynb", "2026_10_05_bo.ipynb"], ["2026_10_05_bo", "2026_10_05_lisa"]),
        (["Week_1_2_anna.ipynb", "Week_1_2_bo.ipynb"], ["Week_1_2_anna", "Week_1_2_bo"]),
        ([f"{number:02}/{A}" for number in (1, 2, 3)], ["01", "02", "03"]),
        (["class/anna-01-minkowski.ipynb", "class/anna-02-mutual-information.ipynb",
          "class/bo-01-minkowski.ipynb", f"class/{A}"], ["anna", "anna", "bo", "class"]),
        (["class/anna.ipynb", "class/anna (1).ipynb", "class/bo.ipynb"], ["anna", "anna", "bo"]),
        ([f"class/{who}/{A}" for who in "ab"] + [f"cy/{A}"], ["a", "b", "cy"]),
        ([f"sheet 1/{who}/{A}" for who in "ab"] + [f"sheet 2/{B}"], ["a", "b", "sheet 2"]),
        ([f"sheet {n}/{who}-{f}" for who in ("anna", "bo") for n, f in ((1, A), (2, B))],
         ["anna", "anna", "bo", "bo"]),
        ([f"sheet {n}/{who}/{who}-{f}" for who in ("anna", "bo") for n, f in ((1, A), (2, B))],
         ["anna", "anna", "bo", "bo"]),
        ([f"{who}/{kind}/{who}.ipynb" for who in ("anna", "bo") for kind in ("old", "new")],
         ["anna", "anna", "bo", "bo"]),
        ([f"{who}/{what}_1_2_a.ipynb" for who in "ab" for what in ("part", "end")],
         ["a", "a", "b", "b"]),
        (["Hermann Minkowski.ipynb", "Hermann.ipynb"], ["Hermann", "Hermann Minkowski"]),
        ([f"{who}/{A}" for who in "abcd"] + [f"e/{v}/{A}" for v in ("v1", "v2")], [*"abcdee"]),
        ([f"{who}/{where}{A}" for who in "ab" for where in ("", "old/")], ["a", "a", "b", "b"]),
        (["class/anna.ipynb", "class/bo.ipynb", f"class/cy/{A}"], ["anna", "bo", "cy"]),
        (["berger_1_2_a.ipynb", "berger_1_2_a (1).ipynb", "bode_3_4_a.ipynb"],
         ["berger", "berger", "bode"]),
        ([f"x/class/{who}/{who}.ipynb" for who in "ab"], ["a", "b"]),
        ([f"Mu\u0308ller/{A}", f"M\u00fcller/{B}"], ["Müller"] * 2),
    ],
)  # fmt: skip
def test_folders_around_those_of_students_are_nobody(tmp_path, zipped, files, students):
    place = tmp_path / "handed.zip" if zipped else tmp_path / "handed"
    if zipped:
        put_zip(place, files)
    else:
        for name in files:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).touch()
    found = [one.student for one in handed_in(place, NAMES) if isinstance(one, Handed)]
    assert sorted(found) == students


@pytest.mark.parametrize(
    ("zips", "students"),
    [
        ({"anna.zip": [A], "bob.ZIP": [f"work/{A}", f"__MACOSX/work/{A}"]}, ["anna", "bob"]),
        ({"a/x.zip": [A], "c/x.zip": [A], "b/x.zip": [f"old/{A}", f"new/{A}"]},
         ["a", "b", "b", "c"]),
        ({"berger_1_2_work.zip": [A], f"{LISA}_work.zip": [f"a/{A}"]}, ["Lisa Berger", "berger"]),
        ({f"{who}.zip": [f"old/{A}", f"new/{A}"] for who in "ab"}, ["a", "a", "b", "b"]),
        ({"1.zip": [f"a/{A}", f"b/{A}"], "2.zip": [f"c/{A}"]}, ["a", "b", "c"]),
        ({f"{who}/uebung_1_2_x.zip": [A] for who in ("anna", "bo")}, ["anna", "bo"]),
        ({"course.zip": [f"anna/{A}"]}, ["anna"]),
        ({f"{LISA}/w.zip": [A]}, ["Lisa Berger"]),
        ({"berger_1_2_w.zip": [A]}, ["berger"]),
        ({"anna.zip": [f"source/{A}"], "bo.zip": [], f"c/feedback/{A}": None}, ["anna", "bo", "c"]),
        ({f"{LISA}/a.zip": [f"a/{A}", f"b/{A}"], f"{BO}_w.zip": [A]}, ["Bo", *["Lisa Berger"] * 2]),
        ({"all.zip": ["berger_1_2_a.ipynb", "bode_3_4_a.ipynb"]}, ["berger", "bode"]),
        ({"1.zip": [f"g/a/{A}", f"g/b/{A}"], "2.zip": [f"c/{A}", f"d/{A}"]}, ["a", "b", "c", "d"]),
    ],
)  # fmt: skip
def test_a_zip_among_others_is_a_students_or_a_groups(tmp_path, zips, students):
    for name, files in zips.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if files is None:
            (tmp_path / name).touch()
        else:
            put_zip(tmp_path / name, files)
    assert sorted(one.student for one in handed_in(tmp_path, NAMES)) == students


def put_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name in files:
            archive.writestr(name, "{}")


def test_namesakes_are_told_apart_by_their_numbers():
    def names(*handed, known=()):
        return tell_apart(list(handed), list(known))

    def li(system, number, exercise):
        return "li", ((system, number),), exercise

    # Canvas numbers a user, Moodle somebody who takes part in one exercise.
    assert names(li("canvas", "1", "a"), li("canvas", "2", "b")) == ["li (1)", "li (2)"]
    assert names(li("moodle", "1", "a"), li("moodle", "2", "b")) == ["li"] * 2
    assert names(li("moodle", "1", "a"), li("moodle", "2", "a")) == ["li (1)", "li (2)"]
    assert names(li("canvas", "1", "a"), li("canvas", "1", "a")) == ["li"] * 2
    assert names(("li", (), "a"), ("li", (), "a")) == ["li"] * 2
    assert names(li("moodle", "1", "a"), li("moodle", "2", ""))[1] == "li (2)"  # of no exercise
    # One of them was graded before.
    assert names(li("canvas", "2", "b"), known=[li("canvas", "1", "a")]) == ["li (2)"]
    assert names(li("canvas", "1", "b"), known=[("li (1)", (("canvas", "1"),), "a")]) == ["li"]


def test_a_zip_leads_nowhere_and_is_not_believed(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as zipped:
        zipped.writestr("../../etc/evil.ipynb", "{}")
        zipped.writestr("inner.zip", "x")
        zipped.writestr("notes.txt", "x")
    (tmp_path / "a.zip").write_bytes(data.getvalue())
    (tmp_path / "b.zip").write_bytes(b"no zip")
    found = list(handed_in(tmp_path))
    assert found[0].path == "a.zip/etc/evil.ipynb"
    reasons = [entry.reason for entry in found[1:]]
    assert found[1].path == "a.zip/inner.zip" and "the zip cannot be read" in reasons[0]
    assert "no notebook" in reasons[1]
    assert "cannot be read" in reasons[2]


def test_a_zip_in_the_zip_of_an_lms_is_read_and_none_deeper(tmp_path):
    inner, outer = tmp_path / "inner.zip", tmp_path / "outer.zip"
    put_zip(inner, [A])
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, f"{LISA}/work.zip")
    (only,) = handed_in(outer, NAMES)
    assert (only.student, only.path) == ("Lisa Berger", f"{LISA}/work.zip/{A}")
    with zipfile.ZipFile(tmp_path / "outermost.zip", "w") as archive:
        archive.write(outer, "class.zip")
    (refused,) = handed_in(tmp_path / "outermost.zip", NAMES)
    assert "unpack the outer ones first" in refused.reason


class OfMacOS(zipfile.ZipInfo):
    """A file whose name is UTF-8, though nothing says so."""

    def _encodeFilenameFlags(self):
        return self.filename.encode(), 0


def test_names_of_other_systems_are_read(tmp_path):
    folder = tmp_path / "class"
    os.makedirs(os.fsencode(folder) + b"/M\xfcller")
    (Path(os.fsdecode(os.fsencode(folder) + b"/M\xfcller")) / A).touch()
    with zipfile.ZipFile(folder / "José.zip", "w") as archive:
        archive.writestr(OfMacOS("Анна.ipynb"), "{}")
    found = [(one.student, one.path) for one in handed_in(folder, NAMES)]
    assert found == [("José", "José.zip/Анна.ipynb"), ("Müller", f"Müller/{A}")]


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_zip_costs_nobody_else_anything(tmp_path, seed):
    put_zip(tmp_path / "anna.zip", [A])
    data = bytearray((tmp_path / "anna.zip").read_bytes())
    rng = np.random.default_rng(seed)
    start = int(rng.integers(len(data) - 4))
    data[start : start + 4] = rng.bytes(4)
    (tmp_path / "anna.zip").write_bytes(data)
    (tmp_path / "bo").mkdir()
    (tmp_path / "bo" / A).write_text("{}")
    assert [one.path for one in handed_in(tmp_path, NAMES) if one.student == "bo"] == [f"bo/{A}"]


def test_odd_names_in_a_zip_cost_nobody_else_anything(tmp_path):
    put_zip(tmp_path / "class.zip", ["..", ".", f"anna/{A}", "bo\\" + A])
    found = [one.student for one in handed_in(tmp_path / "class.zip") if isinstance(one, Handed)]
    assert found == ["anna", "bo"]


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(LayerlabError, match="name what was handed in"):
        list(handed_in(tmp_path / "none"))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_every_encoding_is_read(encoding):
    assert decoded("{Größe}".encode(encoding)) == "{Größe}"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"{", "no notebook"),
        (b"[" * 100_000, "no notebook"),
        (b"[]", "another kind"),
        (b"{}", "no cells"),
        (b'{"worksheets": [1], "nbformat": "x"}', "old format"),
    ],
)
def test_what_is_no_notebook_is_told(data, reason):
    with pytest.raises(Unreadable, match=reason):
        read_cells(data)


def test_an_exercise_is_known_by_its_cells(keys):
    cells = read_cells(as_bytes(filled()))
    assert [key.name for key in recognise(cells, keys)] == [NAMES[0]]
    bare = json.loads(as_bytes(filled()))
    for cell in bare["cells"]:
        cell["metadata"] = {}
        del cell["id"]
    assert recognise(read_cells(json.dumps(bare).encode()), keys) == keys[:1]
    assert recognise(cells[:1], keys) == []


def test_a_rebuilt_exercise_runs_what_the_source_says(keys):
    rebuilt = rebuild(read_cells(as_bytes(EXERCISE)), keys[0])
    assert not rebuilt.told
    sources = [c["sources"][0] for c in rebuilt.cells if c["kind"] != "observe"]
    said = [c.source for c in keys[0].cells if c.kind in ("given", "answer")]
    assert sources == [source for source in said if source in sources]
    assert {c.source for c in keys[0].cells if c.kind == "answer"} < set(sources)


def test_given_cells_that_nothing_rests_on_are_left_out():
    def given(source):
        return {"label": "given", "kind": "given", "sources": [source]}

    answer = {"label": "by-hand", "kind": "answer", "step": "by-hand", "sources": ["u + late"]}
    cells = [
        given("import numpy as np\nu = np.ones(3)"),
        given("for n in range(3):\n    print(n)"),
        given("figure = draw()\nfigure.title('x')\nshow(figure)"),
        given("np.random.seed(1)"),
        given("late = 1"),
        answer,
        given("late = 2\nprint(late)"),
    ]
    kept = needed(cells, {})
    assert kept == [cells[0], *cells[3:6]]
    assert cells[2] in needed(cells, {"by-hand": "figure"})
    assert needed([cells[1], answer | {"sources": ["eval('n')"]}], {})[0] == cells[1]


def test_what_was_added_stays_between_its_neighbours(keys):
    notebook = filled()
    extra = dict(notebook.cells[0], cell_type="code", id="mine", source="mine = 1")
    extra |= {"outputs": [], "execution_count": None, "metadata": {}}
    cells = json.loads(as_bytes(notebook))
    cells["cells"].insert(place(notebook, "scipy") + 1, extra)
    rebuilt = rebuild(read_cells(json.dumps(cells).encode()), keys[0])
    labels = [cell["label"] for cell in rebuilt.cells]
    at = next(i for i, cell in enumerate(rebuilt.cells) if cell.get("sources") == ["mine = 1"])
    assert labels[at - 1 : at + 2 : 2] == ["scipy", "scipy-check"]


def test_pieces_of_an_answer():
    whole = ["def f(x):", "    return x"]
    assert pieces(whole) == ["\n".join(whole)]
    assert pieces(["def f(x):\n    return ____", "def f(x):\n    return 1"]) == [
        "def f(x):\n    return 1"
    ]
    assert pieces(["a = 1", "b = 2"]) == ["a = 1", "b = 2"]


def test_names_of_a_cell():
    assert defined_in("def f(a, b):\n    pass\nx, y = 1, 2") == {"f": 2, "x": None, "y": None}
    assert set(defined_in("def f(a, b)\n    pass\nx = 1")) == {"f", "x"}
    assert answers_in('check("a-b", f=f, g=h)') == {"a-b": {"f": "f", "g": "h"}}


def test_several_exercises_in_one_notebook_are_several(keys):
    both = read_cells(as_bytes(filled()))
    both += read_cells((ROOT / "exercises" / f"{NAMES[1]}.ipynb").read_bytes())
    assert {key.name for key in recognise(both, keys)} == set(NAMES)


def with_words_below_the_question(notebook, text):
    at = place(notebook, "in-words")
    asked = max(n for n in range(at) if "**Question.**" in notebook.cells[n].source)
    notebook.cells[asked].source += f"\n\n{text}"


def with_words_as_code(notebook, text):
    cell = notebook.cells[place(notebook, "in-words")]
    cell.update(cell_type="code", outputs=[], execution_count=None, source=text)


def with_words_in_three_cells(notebook, text):
    at = place(notebook, "in-words")
    notebook.cells[at].source = "It"
    for number, word in enumerate(text.split()[1:]):
        notebook.cells.insert(at + 1 + number, nbformat.v4.new_markdown_cell(word))


def with_words_far_above(notebook, text):
    notebook.cells.insert(place(notebook, "in-words") - 9, nbformat.v4.new_markdown_cell(text))


@pytest.mark.parametrize(
    "write",
    [
        with_words_below_the_question,
        with_words_as_code,
        with_words_in_three_cells,
        with_words_far_above,
    ],
)
def test_words_are_found_wherever_they_were_written(keys, write):
    notebook = filled(*STEPS)
    write(notebook, "It depends somehow")
    rebuilt = rebuild(read_cells(json.dumps(notebook).encode()), keys[0])
    assert rebuilt.words["in-words"].split() == ["It", "depends", "somehow"]
    assert bool(rebuilt.told) == (write is not with_words_in_three_cells)


def test_where_nothing_was_written_there_are_no_words(keys):
    assert rebuild(read_cells(as_bytes(filled(*STEPS))), keys[0]).words == {"in-words": ""}
