"""A new exercise from nothing: begun, tried by the gate, grown, published, built into the site."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from test_site import EXERCISES, PYPROJECT, build, edit, make_book

from coursebuild.course import CourseError
from coursebuild.new import files

ROOT = Path(__file__).resolve().parents[1]
NAME = "08-middle-ground"

STEP = """\
## Step 2 · The ends

What else do a list's numbers say? In this order: its smallest, its largest, how many, the first,
the last, how far the ends are apart, and those between the ends.

```{code-cell} ipython3
:step: ends

def ends(numbers):
    low = min(numbers)  # blank: min(numbers)
    high = max(numbers)  # blank: max(numbers)
    many = len(numbers)  # blank: len(numbers)
    first = numbers[0]  # blank: numbers[0]
    last = numbers[-1]  # blank: numbers[-1]
    spread = high - low  # blank: high - low
    between = sorted(numbers)[1:-1]  # blank: sorted(numbers)[1:-1]
    return [low, high, many, first, last, spread, between]
```

```{code-cell} ipython3
:step: ends
:tags: [check]

check("ends", ends=ends)
```

## In your own words
"""
MISTAKE = """
[ends]
right = "All seven, in their order."

[[ends.mistake]]
name = "ends turned round"
hint = "Your spread lies below zero. Which of the two is the larger one?"
programs = [{ "high - low" = "low - high" }]

[[ends.alternative]]
why = "the list sorted once more"
answers = { "min(numbers)" = "sorted(numbers)[0]" }
"""
OBSERVER = """\
def ends(ends) -> Facts:
    for numbers in ([3.0, -1.5, 4.0, 2.0], [0.5, 9.0, 9.0, -2.0, 1.0]):
        yield from calls("ends, tried on two lists", ends, numbers, what=f"of {numbers}")


check = """


def run(root: Path, *command: str, code: int = 0) -> str:
    """Run one of the course's commands in a checkout, and see that it ends as it should."""
    variables = {**os.environ, "PYTHONPATH": str(root / "code")}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=root, env=variables, capture_output=True, text=True
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A checkout with the real code and no exercise, in which one is begun."""
    root = make_book(tmp_path_factory.mktemp("new"))
    shutil.rmtree(root / "code")
    for package in ("coursebuild", "coursechecks", "layerlab"):
        ignore = shutil.ignore_patterns("__pycache__", "data", "ex[0-9]*.py", "seen")
        shutil.copytree(ROOT / "code" / package, root / "code" / package, ignore=ignore)
    for name in ("articles", "model"):  # no page reads what lies there
        (root / "code" / "layerlab" / "data" / name).mkdir(parents=True)
    with (root / "code" / "layerlab" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("\nVALUE = 1  # the pages of the small book read it\n")
    (root / "book" / "exercises.md").write_text(EXERCISES, encoding="utf-8")
    (root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    for name in ("README.md", "LICENSE", "LICENSE-TEXT.md"):
        (root / name).write_text("Words.\n", encoding="utf-8")
    said = run(root, "coursebuild.new", NAME)
    assert "solutions/mistakes/08.toml: written" in said
    assert "08.json.xz: written, 1 step" in said
    return root


@pytest.fixture(scope="module")
def published(course):
    """The same, after its author has added a step and taken `draft` away."""
    assert "all kept" in run(course, "coursebuild.gate", NAME)  # as it was begun
    source = course / "solutions" / f"{NAME}.md"
    edit(source, "## In your own words\n", STEP)
    edit(source, "draft: true\n", "")
    edit(course / "code" / "coursechecks" / "ex8.py", "check = ", OBSERVER)
    with (course / "solutions" / "mistakes" / "08.toml").open("a", encoding="utf-8") as file:
        file.write(MISTAKE)
    toc = yaml.safe_load((course / "_toc.yml").read_text(encoding="utf-8"))
    pages = ["book/exercises", f"exercises/{NAME}", f"solutions/{NAME}"]
    toc["chapters"] += [{"file": page} for page in pages]
    (course / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    run(course, "coursebuild.notebooks")
    assert "2 steps" in run(course, "coursebuild.seen", NAME)
    assert "nothing changed that it rests on" in run(course, "coursebuild.seen", NAME)
    return course


@pytest.mark.check
def test_a_solution_that_stops_says_where_and_stores_nothing(course):
    """Whether something was stored before or not."""
    source = course / "solutions" / f"{NAME}.md"
    text, stored = source.read_text("utf-8"), course / "code/coursechecks/seen/08.json.xz"
    kept = stored.read_bytes()
    try:
        source.write_text(re.sub(r"(ipython3\n(:.*\n)*\n)", r"\1oops\n", text, count=1), "utf-8")
        for left in ("kept as it was", "not written"):
            said = run(course, "coursebuild.seen", NAME, code=1)
            assert f"{left}, for not every step could be stored" in said
            assert re.search(rf"solutions/{NAME}\.md:\d+.*NameError: name 'oops'", said), said
            stored.unlink(missing_ok=True)
    finally:
        source.write_text(text, "utf-8")
        stored.write_bytes(kept)


@pytest.mark.check
def test_a_published_exercise_keeps_all_promises(published):
    assert "1 exercise, 8 blanks, 2 mistakes, 2 alternatives" in run(
        published, "coursebuild.gate", NAME
    )


@pytest.mark.check
def test_a_published_exercise_is_part_of_the_site(published):
    result = build(published, PYTHONPATH=str(published / "code"))
    assert result.returncode == 0, result.stdout + result.stderr
    html = published / "_build" / "html"
    assert "✓ All seven, in their order." in (html / "solutions" / f"{NAME}.html").read_text(
        "utf-8"
    )
    assert "____" in (html / "exercises" / f"{NAME}.html").read_text("utf-8")
    assert (html / "downloads" / "exercises" / f"{NAME}.ipynb").is_file()


@pytest.mark.parametrize("name", ["8-topic", "08", "08-Topic", "08_topic", "../08-topic"])
def test_a_name_that_is_none_is_refused(name, tmp_path):
    with pytest.raises(CourseError, match="names no exercise; write NN-topic"):
        files(tmp_path, name)


def test_a_number_that_is_taken_is_refused():
    with pytest.raises(CourseError, match="solutions/01-minkowski.md is there already"):
        files(ROOT, "01-other")
