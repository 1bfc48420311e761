"""The site without solutions: no page, no index, no source and no download holds an answer."""

import io
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from test_site import ROOT, edit, make_book, run

from coursebuild.downloads import exercise_names
from coursebuild.notebooks import answer_texts

# What a small book's solutions say, and only they.
SECRETS = ("max(given,3)*10013", "total_of_lines=value_0+value_1")
WORDS = ("A maximum of lines is never smaller", "The model answer about lines")

PICTURE = """```{code-cell} ipython3
---
tags: [solution-only]
mystnb:
  image:
    alt: A line of three points that rises ever faster
---
import matplotlib.pyplot as plt

_ = plt.plot([1, 2, 4])
```
"""


def build(book: Path, *, solutions: str, out: Path | None = None) -> subprocess.CompletedProcess:
    options = ["--out", str(out)] if out else []
    return run("-m", "coursebuild.build", "--solutions", solutions, *options, str(book))


def squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield every text in a folder, members of zips and wheels included, each with its name."""
    for file in sorted(path.rglob("*")):
        if file.is_file():
            yield from texts_of(file.relative_to(path).as_posix(), file.read_bytes())


def texts_of(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from texts_of(f"{name} › {member}", archive.read(member))
        return
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return  # a picture, a font, the model's weights
    yield name, squeeze(text)
    if name.endswith(".html"):  # colours and links stand between the words
        yield name, squeeze(unescape(re.sub(r"<[^>]*>", "", text)))
    if name.endswith(".ipynb"):  # a line's end is a character of its own in JSON
        yield name, squeeze(text.replace('\\n",', "").replace('\\"', '"').replace('"', "'"))


def places(folder: Path, answers: dict[str, str]) -> list[str]:
    """Return a sentence for each answer that stands in a folder; `answers` maps text to owner."""
    return [
        f"{name} holds {answer!r} of {owner}"
        for name, text in texts(folder)
        for answer, owner in answers.items()
        if answer in text
    ]


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """A book that was built with its solutions, and then without them into the same folder."""
    book = make_book(tmp_path_factory.mktemp("release"), exercises=("01-lines", "02-planes"))
    words = '+++ {"tags": ["solution-only"]}'
    edit(book / "solutions" / "01-lines.md", words, f"{PICTURE}\n{words}")
    with_them = build(book, solutions="yes")
    assert with_them.returncode == 0, with_them.stderr
    before = tmp_path_factory.mktemp("before") / "html"
    shutil.copytree(book / "_build" / "html", before)
    without = build(book, solutions="no")
    assert without.returncode == 0, without.stderr
    return book, before, without


@pytest.mark.check
def test_the_search_finds_what_a_site_with_solutions_holds(books):
    found = places(books[1], dict.fromkeys(SECRETS, "01-lines"))
    for place in (
        "solutions/01-lines.html",
        "_sources/solutions/01-lines.md",
        "downloads/solutions/01-lines.ipynb",
        "downloads/solutions.zip › solutions/01-lines.ipynb",
    ):
        assert any(sentence.startswith(f"{place} holds") for sentence in found), place


@pytest.mark.check
def test_withheld_site_says_so_and_lies_in_the_same_place(books):
    book, _, result = books
    assert "without solutions" in result.stdout.splitlines()[-1]
    assert str(book / "_build" / "html" / "index.html") in result.stdout.splitlines()[-1]


@pytest.mark.check
def test_no_answer_is_left_of_the_site_that_had_them(books):
    site = books[0] / "_build" / "html"
    answers = dict.fromkeys([*SECRETS, *map(squeeze, WORDS)], "01-lines")
    assert places(site, answers) == []


@pytest.mark.check
def test_no_file_and_no_link_names_a_solution(books):
    book, before, _ = books
    build_folder = book / "_build"
    names = {path.relative_to(build_folder).as_posix() for path in build_folder.rglob("*")}
    served = {name for name in names if name.startswith(("html/", "downloads", "jupyter_execute"))}
    assert not {name for name in served if "solution" in name}
    for page in (build_folder / "html").rglob("*.html"):
        assert "solutions/" not in page.read_text(encoding="utf-8"), page
    search_index = (build_folder / "html" / "_static" / "search-texts.js").read_text(
        encoding="utf-8"
    )
    assert "solutions/" not in search_index
    assert (before / "solutions" / "01-lines.html").is_file()


@pytest.mark.check
def test_pictures_of_solutions_are_gone(books):
    book, before, _ = books
    gone = {path.name for path in (before / "_images").iterdir()}
    gone -= {path.name for path in (book / "_build" / "html" / "_images").iterdir()}
    assert len(gone) == 1
    assert gone.pop() in (before / "solutions" / "01-lines.html").read_text(encoding="utf-8")


@pytest.mark.check
def test_exercises_stay(books):
    site = books[0] / "_build" / "html"
    for name in ("01-lines", "02-planes"):
        assert (site / "exercises" / f"{name}.html").is_file()
        assert (site / "downloads" / "exercises" / f"{name}.ipynb").is_file()
    assert (site / "downloads" / "exercises.zip").is_file()


@pytest.mark.check
def test_solutions_come_back_and_run_no_second_time(books, tmp_path):
    book = tmp_path / "book"
    shutil.copytree(books[0], book)
    again = build(book, solutions="yes")
    assert again.returncode == 0, again.stderr
    assert "executed" not in again.stdout
    assert (book / "_build" / "html" / "solutions" / "01-lines.html").is_file()


@pytest.mark.check
def test_link_to_a_solution_from_elsewhere_is_refused(tmp_path):
    page = "# Leads on\n\nA page that leads to [the answers](../solutions/01-lines.md).\n"
    book = make_book(tmp_path, exercises=("01-lines",), leading=page)
    result = build(book, solutions="no")
    assert result.returncode == 1
    assert "book/leading.md" in result.stderr


# The course itself -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def withheld(tmp_path_factory):
    """The course's site without solutions; the stored outputs of `make book` are used again."""
    made = subprocess.run(  # waits for a build that is under way, and does nothing if all is built
        [sys.executable, "-m", "coursebuild.build", str(ROOT)], capture_output=True, text=True
    )
    assert made.returncode == 0, made.stdout + made.stderr
    out = tmp_path_factory.mktemp("withheld")
    for name in (".jupyter_cache", "figures", ".wheel"):
        shutil.copytree(ROOT / "_build" / name, out / name)
    result = build(ROOT, solutions="no", out=out)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "executed" not in result.stdout
    return out / "html"


def answers_of_the_course() -> dict[str, str]:
    """Return all blanked expressions worth a search, squeezed, with the notebook they are from."""
    return {
        squeeze(answer): name
        for name in exercise_names(ROOT)
        for answer in answer_texts(ROOT / "solutions" / f"{name}.md")
    }


def test_the_course_has_answers_to_look_for():
    answers = answers_of_the_course()
    assert len(answers) >= 60
    assert set(answers.values()) == set(exercise_names(ROOT))


@pytest.mark.parametrize("folder", ["book", "exercises", "code/layerlab", "code/coursechecks"])
def test_no_source_that_is_never_withheld_holds_an_answer(folder):
    assert places(ROOT / folder, answers_of_the_course()) == []


@pytest.mark.check
def test_withheld_course_holds_no_answer_anywhere(withheld):
    assert places(withheld, answers_of_the_course()) == []


@pytest.mark.check
def test_withheld_course_has_its_exercises_and_no_solutions(withheld):
    for name in exercise_names(ROOT):
        assert (withheld / "exercises" / f"{name}.html").is_file()
    assert not [path for path in withheld.rglob("*") if "solution" in path.name]


@pytest.mark.check
def test_built_course_keeps_its_solutions(withheld):
    for name in exercise_names(ROOT):
        assert (ROOT / "_build" / "html" / "solutions" / f"{name}.html").is_file()
