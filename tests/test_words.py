"""Answers in words: they are marked on a page, and their points count from then on."""

import csv
import json
import re
from dataclasses import replace

import pytest
from test_class_report import KEY

from benchmarks.browser import NoBrowser, browser
from coursebuild.classroom.feedback import page
from coursebuild.classroom.key import Key, KeyCell
from coursebuild.classroom.results import GRADED, WAITS, Result
from coursebuild.classroom.words import HEAD, POINTS, digest, read_points, with_points, write_form
from layerlab.errors import LayerlabError

CELLS = (
    *KEY.cells,
    KeyCell("ask", "text", "Why is it so?"),
    KeyCell("how", "text", "No check reads your answer."),
    KeyCell("in-words", "words", "*Your answer*", points=1.0),
)
ASKING = Key(KEY.name, KEY.title, CELLS, rubric=("a: the reason. Not: a guess.",))
EVIL = "</script><script>alert(1)</script> “quoted”, and\nmore"


def result(student: str, text: str) -> Result:
    words = [{"id": "in-words", "text": text, "maximum": 1.0}]
    return Result(student, KEY.name, KEY.title, "x.ipynb", "", words=words)


CLASS = [result("Ada", EVIL), result("=Ben", "Because."), result("Cid", "")]


def written(folder, *rows: str):
    path = folder / POINTS
    path.write_text("\n".join([",".join(HEAD[:5]), *rows]) + "\n", encoding="utf-8")
    return path


def test_points_that_are_given_count(tmp_path):
    path = written(tmp_path, "Ada,01-topic,in-words,0.5,=half", "'=Ben,01-topic,in-words,1,")
    given, wrong = read_points(path, CLASS)
    assert wrong == []
    ada, ben, cid = (with_points(one, given) for one in CLASS)
    assert [one.points for one in (ada, ben, cid)] == [0.5, 1.0, 0.0]
    assert [one.state for one in (ada, ben, cid)] == [GRADED] * 3
    assert [one.state for one in CLASS] == [WAITS, WAITS, GRADED]
    assert "In words: 0.5 of 1" in page(ada) and "=half" in page(ada)
    assert "&lt;/script&gt;" in page(ada)


def test_without_a_file_nothing_is_given(tmp_path):
    assert read_points(tmp_path / POINTS, CLASS) == ({}, [])


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("Eve,01-topic,in-words,1,", "line 2: 'Eve / 01-topic / in-words' is no answer"),
        ("Ada,01-topic,in-words,2,", "line 2: 2 points, where 0 to 1 can be given"),
        ("Ada,01-topic,in-words,-1,", "line 2: -1 points"),
        ("Ada,01-topic,in-words,nan,", "line 2: nan points"),
        ("Ada,01-topic,in-words,half,", "line 2: 'half' is no number"),
        ("Cid,01-topic,in-words,1,", "line 2: 'Cid / 01-topic / in-words' is no answer"),
        (
            "Ada,01-topic,in-words,0,\nAda,01-topic,in-words,1,",
            "line 3: line 2 says otherwise",
        ),
        ("Ada,01-topic,in-words,0,\nAda,01-topic,in-words,1,\nAda,01-topic,in-words,0,", "line 3"),
    ],
)
def test_what_cannot_be_given_is_quoted_and_costs_no_other_line(tmp_path, row, says):
    given, (wrong,) = read_points(written(tmp_path, row, "'=Ben,01-topic,in-words,1,"), CLASS)
    assert says in wrong
    assert given == {("=Ben", "01-topic", "in-words"): (1.0, "")}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_may_come_from_any_spreadsheet(tmp_path, encoding, mark):
    rows = [HEAD, ["Ada", "01-topic", "in-words", "0,5", "schön", ""], [""] * 6]
    rows += [HEAD, ["'t Hooft", "01-topic", "in-words", "1", "", ""], ["=Ben", "", "", "", "", ""]]
    with (tmp_path / POINTS).open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=mark).writerows(rows)
    given, wrong = read_points(tmp_path / POINTS, [*CLASS, result("'t Hooft", "So.")])
    assert wrong == []
    assert given == {
        ("Ada", "01-topic", "in-words"): (0.5, "schön"),
        ("'t Hooft", "01-topic", "in-words"): (1.0, ""),
    }


def test_points_count_for_the_text_that_they_were_given_for(tmp_path):
    row = f"Ada,01-topic,in-words,1,,{digest(EVIL)}"
    path = tmp_path / POINTS
    path.write_text(",".join(HEAD) + f"\n{row}\n")
    assert len(read_points(path, CLASS)[0]) == 1
    anew = [result("Ada", "I do not know."), *CLASS[1:]]
    given, (wrong,) = read_points(path, anew)
    assert given == {} and "another text now, and waits again" in wrong
    with path.open("a") as file:  # and what was given for the new one
        file.write(f"Ada,01-topic,in-words,0,,{digest('I do not know.')}\n")
    assert read_points(path, anew)[0] == {("Ada", "01-topic", "in-words"): (0.0, "")}


def test_another_table_is_refused(tmp_path):
    (tmp_path / POINTS).write_text("name;points\n")
    with pytest.raises(LayerlabError, match="first line has to be student,exercise"):
        read_points(tmp_path / POINTS, CLASS)


def test_the_question_is_all_that_stands_between_the_code_and_the_answer():
    assert ASKING.question_of("in-words") == "Why is it so?\n\nNo check reads your answer."


def test_where_nobody_wrote_there_is_nothing_to_mark(tmp_path):
    assert write_form([result("Cid", "")], [ASKING], tmp_path) is None


def test_a_question_is_shown_as_its_page_shows_it(tmp_path):
    text = "**Why**?\n\n| a | b |\n| - | - |\n| 1 | <script>alert(1)</script> |"
    asking = replace(ASKING, cells=(KeyCell("ask", "text", text), CELLS[-1]))
    form = write_form(CLASS, [asking], tmp_path).read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', form)[1])
    (question,) = data["exercises"][0]["questions"]
    assert "<strong>Why</strong>" in question and "<td>1</td>" in question
    assert "<script" not in question


@pytest.mark.check
def test_answers_are_marked_by_keyboard_and_handed_over(tmp_path):
    form = write_form(CLASS, [ASKING], tmp_path)
    try:
        with browser() as chromium:
            tab = chromium.new_context(accept_downloads=True).new_page()
            tab.wrong = []
            tab.on("pageerror", lambda error: tab.wrong.append(str(error)))
            tab.on("dialog", lambda dialog: tab.wrong.append(dialog.message))
            tab.goto(form.as_uri())
            text = tab.inner_text("main")
            assert "Why is it so?" in text and "a: the reason." in text and EVIL in text
            assert "Ben" not in text and "Ada" not in text
            tab.get_by_role("radio", name="0", exact=True).first.focus()
            tab.keyboard.press("ArrowDown")
            tab.keyboard.press("Tab")
            tab.keyboard.type('=so, "half"')
            assert "1 of 2 are still" in tab.inner_text("[role=status]")
            tab.reload()
            assert "1 of 2 are still" in tab.inner_text("[role=status]")
            tab.get_by_role("radio", name="1", exact=True).last.check()
            with tab.expect_download() as download:
                tab.get_by_role("button").click()
            assert tab.wrong == []
            download.value.save_as(tmp_path / POINTS)
    except NoBrowser as error:
        pytest.skip(str(error))
    with (tmp_path / POINTS).open(newline="", encoding="utf-8") as file:
        assert next(csv.reader(file)) == HEAD
    given, wrong = read_points(tmp_path / POINTS, CLASS)
    assert wrong == []
    assert given == {
        ("Ada", "01-topic", "in-words"): (0.5, '=so, "half"'),
        ("=Ben", "01-topic", "in-words"): (1.0, ""),
    }
