"""Files that an author writes by hand: each slip is named by its file and its place."""

import pytest
from test_web import ROOT

from coursebuild import mistakes, teaching
from coursebuild.tables import TableError, read_tables

PLAN = """title = "A week"
words = "Five days."
[[session]]
title = "One"
minutes = 30
objectives = ["to see"]
[[session.blocks]]
minutes = 10
what = "Hello"
[[session.blocks]]
read = "01-lines"
what = "Read"
"""
STEP = """[gaps]
right = "each gap is a distance"
withheld = ["layerlab.minkowski"]
refused = [{ "a" = "b" }]
[[gaps.mistake]]
name = "sign kept"
hint = "Look."
programs = [{ "a" = "c" }]
[[gaps.alternative]]
why = "shorter"
answers = { "a" = "d" }
"""
RUBRIC = '["01-lines".a]\nearned = "x"\nnot = "y"\n'
GOOD = {"plan": (PLAN, teaching.PLAN), "step": (STEP, mistakes.SCHEMA)}
GOOD["rubric"] = (RUBRIC, teaching.RUBRIC)

SLIPS = [
    ("plan", 'title = "A week"', "title = ", "line 1"),
    ("plan", 'words = "Five days."', 'title = "again"', "overwrite"),
    ("plan", 'words = "Five days."\n', "", "at its top: 'words' is a required property"),
    ("plan", "minutes = 30", "minuts = 30", "session.0.: .*'minuts' was unexpected"),
    ("plan", "minutes = 30", 'minutes = "30"', "session.0..minutes: '30' should be an integer"),
    ("plan", "minutes = 30", "minutes = -30", "session.0..minutes: -30 is less than the minimum"),
    ("plan", "minutes = 10", "minutes = 2.5", "blocks.0..minutes: 2.5 should be an integer"),
    ("plan", '["to see"]', '"to see"', "objectives: 'to see' should be a list"),
    ("plan", "objectives", "objektives", "'objektives' was unexpected"),
    ("plan", "[[session]]", "[session]", "session: {.* should be a list"),
    ("plan", 'what = "Read"', "", "blocks.1.: 'what' is a required property"),
    ("plan", "read =", "raed =", "blocks.1.: .*'raed' was unexpected"),
    ("plan", 'read = "01-lines"', "", "blocks.1.: it should have one of minutes, do, read"),
    ("plan", "minutes = 10", 'minutes = 10\ndo = "01-lines"', "one of minutes, do, read, and no"),
    ("step", 'hint = "Look."', "hint = 3", r"gaps.mistake.0..hint: 3 should be a text"),
    ("step", '[{ "a" = "c" }]', '"c"', "programs: 'c' should be a list"),
    ("step", '{ "a" = "d" }', '"d"', "answers: 'd' should be a table"),
    ("step", "[[gaps.mistake]]", "[gaps.mistake]", "gaps.mistake: {.* should be a list"),
    ("step", '["layerlab.minkowski"]', '"layerlab"', "withheld: 'layerlab' should be a list"),
    ("step", "[gaps]", "[gaps", "line 1"),
    ("rubric", "earned", "earnd", "01-lines.*'earnd' was unexpected"),
    ("rubric", 'not = "y"', "", "'not' is a required property"),
]


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_written_as_it_should_be_is_read(tmp_path, kind):
    text, schema = GOOD[kind]
    path = tmp_path / "file.toml"
    path.write_text(text, "utf-8-sig")  # as some editors save it
    assert read_tables(path, schema)


@pytest.mark.parametrize(("kind", "old", "new", "says"), SLIPS)
def test_a_slip_is_named_by_its_place(tmp_path, kind, old, new, says):
    text, schema = GOOD[kind]
    assert text.count(old) == 1
    path = tmp_path / "file.toml"
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(TableError, match=rf"file\.toml.*{says}"):
        read_tables(path, schema)


def test_bytes_of_another_encoding_are_named(tmp_path):
    path = tmp_path / "file.toml"
    path.write_bytes('title = "Übung"'.encode("latin-1"))
    with pytest.raises(TableError, match=r"file\.toml.*utf-8"):
        read_tables(path, {})


def test_a_broken_file_of_mistakes_is_one_problem(tmp_path):
    path = tmp_path / "01.toml"
    path.write_text("[gaps", "utf-8")
    known = mistakes.Known(path, "solutions/mistakes/01.toml", [])
    assert len(known.problems) == 1 and "01.toml" in known.problems[0]


@pytest.mark.parametrize("title", ["One | two", "One\n\ntwo"])
def test_what_happens_breaks_no_table(tmp_path, title):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN.replace('"Hello"', f'"""{title}"""'), "utf-8")
    page = teaching.plan_page(path, {"read 01-lines": 20})
    assert "| 0:00 | 10 | One " in page
    assert all(line.count(" | ") == 2 for line in page.split("\n") if line.startswith("| 0:"))


def test_two_sessions_have_two_names(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN + PLAN.partition("[[session]]")[2].join(["[[session]]", ""]), "utf-8")
    with pytest.raises(teaching.GuideError, match="two sessions are called 'One'"):
        teaching.plan_page(path, {"read 01-lines": 20})


def test_an_exercise_says_how_long_it_takes(tmp_path):
    (tmp_path / "solutions" / "mistakes").mkdir(parents=True)
    for name in ("01-minkowski.md", "mistakes/01.toml"):
        text = (ROOT / "solutions" / name).read_text("utf-8").replace("**Time:**", "**Takes:**")
        (tmp_path / "solutions" / name).write_text(text, "utf-8")
    with pytest.raises(teaching.GuideError, match=r"solutions/01-minkowski\.md says nowhere how"):
        teaching.exercise_page(tmp_path, "01-minkowski")
