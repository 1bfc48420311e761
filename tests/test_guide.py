"""The instructor's guide: what it is made of, what it promises, and that no student gets it."""

import ast
import lzma
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from test_site import OTHER, make_book

from coursebuild import guide, teaching
from coursebuild.downloads import PACKAGE, exercise_names
from coursebuild.notebooks import read_solution
from coursebuild.teaching import GuideError, exercise_page, minutes, plan_page
from layerlab import options
from layerlab.errors import TargetError

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "guide"
NAMES = exercise_names(ROOT)
MISTAKES = sorted((ROOT / "solutions" / "mistakes").glob("*.toml"))
PAGES = guide.pages(ROOT)
PLAN = """
title = "A plan"
words = "For somebody."
[[session]]
title = "One"
minutes = 45
blocks = [{ minutes = 10, what = "talk" }, { read = "01-lines", what = "read" }]
"""


def mistakes_of(path: Path) -> list[dict]:
    steps = tomllib.loads(path.read_text("utf-8")).values()
    return [mistake for step in steps for mistake in step.get("mistake", [])]


# What is made -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_every_mistake_says_what_is_behind_it_and_what_to_ask(path):
    assert not list(teaching.lacking_words(tomllib.loads(path.read_text("utf-8"))))
    mistakes = mistakes_of(path)
    assert all(mistake["ask"].count("?") for mistake in mistakes)
    assert not {m["ask"] for m in mistakes} & {m["hint"] for m in mistakes}


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_has_its_mistakes_answer_and_rubric(name):
    page = re.sub(r"\\(.)", r"\1", PAGES[name])
    for mistake in mistakes_of(ROOT / "solutions" / "mistakes" / f"{name[:2]}.toml"):
        for key in ("name", "hint", "misconception", "ask"):
            assert mistake[key] in page
    _, answer = teaching.question_and_answer(read_solution(ROOT / "solutions" / f"{name}.md"))
    assert answer in PAGES[name]
    assert all(one["earned"] in page for one in teaching.rubric_of(ROOT, name).values())


def lay_a_course(folder: Path, old: str = "", new: str = "") -> Path:
    """The first exercise alone, with its mistakes and rubrics, edited."""
    for part in ("solutions/01-minkowski.md", "solutions/mistakes/01.toml", "guide/rubrics.toml"):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / part).read_text("utf-8")
        (folder / part).write_text(text.replace(old, new, 1) if old else text, "utf-8")
    return folder


def test_a_mistake_that_says_nothing_of_itself_is_named(tmp_path):
    course = lay_a_course(tmp_path, "misconception = ", 'misconception = "" # ')
    with pytest.raises(GuideError, match=r"01\.toml, step vectors, mistake 'numbers that do not"):
        exercise_page(course, "01-minkowski")


def test_a_part_of_a_question_without_its_rubric_is_named(tmp_path):
    course = lay_a_course(tmp_path, '["01-minkowski".c]', '["01-other".c]')
    with pytest.raises(GuideError, match="'01-minkowski' has a, b, and its question in words asks"):
        exercise_page(course, "01-minkowski")


def test_minutes_are_those_of_the_pages():
    times = minutes(ROOT)
    for name in NAMES:
        head = (ROOT / "solutions" / f"{name}.md").read_text("utf-8").partition("\n## ")[0]
        assert f"about {times[f'do {name}']} minutes" in head
    assert {name for name in times if name.startswith("do ")} == {f"do {name}" for name in NAMES}
    assert teaching.as_substitutions({"do 01-minkowski": 45, "read house": 30}) == {
        "do_01": 45,
        "read_house": 30,
    }


@pytest.mark.parametrize(
    ("times", "problem"),
    [
        ({"read 01-lines": 30}, "take 40 minutes, and it has 45"),
        ({}, "'read 01-lines' says nowhere"),
    ],
)
def test_a_plan_that_does_not_fit_is_no_plan(tmp_path, times, problem):
    (tmp_path / "plan.toml").write_text(PLAN, "utf-8")
    with pytest.raises(GuideError, match=problem):
        plan_page(tmp_path / "plan.toml", times)
    assert "| 0:10 | 35 | read |" in plan_page(tmp_path / "plan.toml", {"read 01-lines": 35})


# What it promises -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(PAGES))
def test_what_a_page_names_is_there(name):
    targets = set(re.findall(r"^([a-z]\w*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]\w*)", PAGES[name])) <= targets
    named = re.findall(r"`((?:code|book|solutions|guide|\.github)/[\w./-]*)`", PAGES[name])
    assert not [path for path in named if "NN" not in path and not (ROOT / path).exists()]
    if name not in NAMES:
        for program in re.findall(r"```python\n(.*?)```", PAGES[name], re.DOTALL):
            ast.parse(program)


def test_the_table_of_contents_has_every_page_once():
    listed = guide.contents(ROOT)
    pages = [chapter["file"] for part in listed["parts"] for chapter in part["chapters"]]
    assert sorted([listed["root"], *pages]) == sorted(f"guide/{name}" for name in PAGES)


def test_the_words_of_the_exercises_are_those_that_the_guide_shows():
    table = PAGES["other"]
    for constant in ("TARGET", "OTHER_TARGET", "FREQUENT_TARGET"):
        assert f'`{constant}` | `"{getattr(options, constant)}"`' in table


def test_the_published_site_has_no_solutions_unless_the_repository_says_so():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text("utf-8"))
    steps = workflow["jobs"]["build"]["steps"]
    steps = [step for step in steps if "make book" in step.get("run", "")]
    assert [step["run"] for step in steps] == ['make book SOLUTIONS="$SOLUTIONS"']
    assert steps[0]["env"] == {"SOLUTIONS": "${{ vars.SOLUTIONS || 'no' }}"}


# What students get ------------------------------------------------------------------------------


def test_students_get_nothing_of_it():
    patterns = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]["config"]
    assert not [pattern for pattern in patterns["include_patterns"] if "guide" in pattern]
    assert "guide" not in (ROOT / "_toc.yml").read_text("utf-8")
    assert not [part for part in PACKAGE if part.startswith(("guide", "solutions"))]
    stored = [path.read_bytes() for path in (ROOT / "code" / "coursechecks" / "seen").iterdir()]
    kept = " ".join(lzma.decompress(data).decode() for data in stored)
    kept += " ".join(path.read_text("utf-8") for path in (ROOT / "exercises").iterdir())
    for path in MISTAKES:
        for mistake in mistakes_of(path):
            assert mistake["ask"] not in kept
            assert mistake["misconception"] not in kept


@pytest.mark.check
@pytest.mark.parametrize("solutions", ["yes", "no"])
def test_a_students_site_holds_no_trace_of_it(tmp_path, solutions):
    other = OTHER.replace("[](#the-other)", "the page")  # a chapter to take home leads to figures
    book = make_book(tmp_path, exercises=("01-lines",), other=other)
    for place in ("guide/index.md", "solutions/mistakes/01.toml"):
        (book / place).parent.mkdir(exist_ok=True)
        (book / place).write_text("# For those who teach\n\nWHAT-ONLY-TEACHERS-READ\n", "utf-8")
    command = ["-m", "coursebuild.build", str(book), "--solutions", solutions]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    n_read = 0
    for path in (book / "_build" / "html").rglob("*"):
        for content in contents_of(path):
            n_read += 1
            assert b"ONLY-TEACHERS" not in content, path
    assert n_read > 30


def contents_of(path: Path) -> list[bytes]:
    """What a file holds; of a zip or a wheel, what each file in it holds."""
    if not path.is_file():
        return []
    if not zipfile.is_zipfile(path):
        return [path.read_bytes()]
    with zipfile.ZipFile(path) as packed:
        return [packed.read(name) for name in packed.namelist()]


@pytest.mark.check
def test_the_guide_is_built_strictly_and_says_what_is_wrong(tmp_path):
    out = tmp_path / "out"
    assert guide.main([str(ROOT), "--out", str(out)]) == 0
    pages = {path.stem for path in (out / "html" / "guide").glob("*.html")}
    assert pages == set(PAGES)
    assert not (out / "html" / "downloads").exists()
    times = minutes(ROOT)
    total = sum(times[f"do {name}"] for name in NAMES)
    assert f"{total} minutes" in (out / "html" / "guide" / "index.html").read_text("utf-8")


# Another word -----------------------------------------------------------------------------------


def run_solution(name: str, capsys) -> list[str]:
    """Run a solution from top to bottom; the lines that its checks printed."""
    names: dict = {}
    for cell in read_solution(ROOT / "solutions" / f"{name}.md").cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, name, "exec"), names)
    return [line for line in capsys.readouterr().out.splitlines() if line[:1] in ("✓", "✗")]


@pytest.mark.check
@pytest.mark.parametrize(
    ("name", "constant", "word"),
    [("03-hooks-and-tokens", "OTHER_TARGET", " water"), ("05-positions", "TARGET", " is")],
)
def test_an_exercise_follows_another_word(name, constant, word, monkeypatch, capsys):
    monkeypatch.setattr(options, constant, word)
    said = run_solution(name, capsys)
    steps = tomllib.loads((ROOT / "solutions" / "mistakes" / f"{name[:2]}.toml").read_text("utf-8"))
    assert len(said) == len(steps)
    assert all(line.startswith("✓") for line in said)


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        (
            " water",
            r"' water' occurs 2 times in the first 1024 tokens .* 10 are needed: .*' coffee'",
        ),
        (" espresso machine", r"' espresso machine' is \d tokens"),
    ],
)
def test_a_word_that_will_not_do_is_quoted_with_the_way_out(word, problem, monkeypatch, capsys):
    monkeypatch.setattr(options, "TARGET", word)
    with pytest.raises(TargetError, match=problem):
        run_solution("05-positions", capsys)
