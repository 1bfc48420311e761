"""The site without solutions: no page, no index, no source and no download holds an answer."""

import gzip
import json
import lzma
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import pytest
from test_site import ROOT, edit, make_book, run

from coursebuild import release
from coursebuild.downloads import exercise_names
from coursebuild.leaks import answers_of, places, plain, squeeze
from coursebuild.release import is_open, make_release
from layerlab.errors import LayerlabError

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


@pytest.mark.check
@pytest.mark.parametrize(
    "contents", ["", "format: jb-book\nroot: book/welcome\nchapters:\n- fil: a\n"]
)
def test_a_table_of_contents_that_is_none_is_named(tmp_path, contents):
    """Before it is asked which of its pages are withheld."""
    book = make_book(tmp_path, exercises=("01-lines",))
    (book / "_toc.yml").write_text(contents, encoding="utf-8")
    result = build(book, solutions="no")
    assert result.returncode == 1
    assert "_toc.yml is no table of contents: " in result.stderr


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


def test_the_course_has_answers_to_look_for():
    answers = answers_of(ROOT)
    assert len(answers) >= 60
    assert set(answers.values()) == set(exercise_names(ROOT))


@pytest.mark.parametrize("folder", ["book", "exercises", "code/layerlab", "code/coursechecks"])
def test_no_source_that_is_never_withheld_holds_an_answer(folder):
    found = places(ROOT / folder, answers_of(ROOT))
    catalogues = re.compile(r"locale/\w+/LC_MESSAGES/solutions/")  # withheld as the solutions are
    assert [sentence for sentence in found if not catalogues.match(sentence)] == []


@pytest.mark.check
def test_withheld_course_holds_no_answer_anywhere(withheld):
    assert places(withheld, answers_of(ROOT)) == []


@pytest.mark.check
def test_withheld_course_has_its_exercises_and_no_solutions(withheld):
    for name in exercise_names(ROOT):
        assert (withheld / "exercises" / f"{name}.html").is_file()
    assert not [path for path in withheld.rglob("*") if "solution" in path.name]


@pytest.mark.check
def test_built_course_keeps_its_solutions(withheld):
    for name in exercise_names(ROOT):
        assert (ROOT / "_build" / "html" / "solutions" / f"{name}.html").is_file()


# A cohort's release ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("solutions", "expected"),
    [("no", False), ("yes", True), ("2027-02-15", True), ("2027-02-16", False)],
)
def test_solutions_are_out_when_they_are_said_to_be(solutions, expected):
    assert is_open(solutions, date(2027, 2, 15)) == expected


def test_a_day_that_is_none_is_quoted():
    with pytest.raises(LayerlabError, match="'soon' is neither no nor yes nor a day"):
        is_open("soon", date(2027, 2, 15))


@pytest.mark.parametrize("cohort", ["", "../out", "a/b", ".hidden", "x" * 80])
def test_a_cohort_is_the_name_of_a_folder(cohort, tmp_path):
    with pytest.raises(LayerlabError, match="no name for a folder"):
        make_release(tmp_path, cohort, tmp_path, solutions=False)


@pytest.fixture(scope="module")
def course_to_release(tmp_path_factory):
    """A small course, with the real guide's look and pages that say little."""
    book = make_book(tmp_path_factory.mktemp("cohort"), exercises=("01-lines",))
    return book


def made(*parts: str):
    """Make what the commands would make, in an instant."""

    def make(module: str, *words: str) -> None:
        out = Path(words[words.index("--out") + 1])
        copy = words[words.index("--copy") + 1] if module == "build" else None
        place = {"build": copy, "grading": out / "grading", "guide": out / "html"}[module]
        place = Path(place)
        place.mkdir(parents=True, exist_ok=True)
        text = SECRETS[0] if module in (*parts, "grading", "guide") else "nothing"
        (place / "page.html").write_text(f"<p>{text}</p>", encoding="utf-8")

    return make


@pytest.fixture
def quick(course_to_release, tmp_path, monkeypatch):
    monkeypatch.setattr(release, "_make", made())
    return lambda **options: make_release(course_to_release, "2027", tmp_path, **options)


def test_a_release_is_whole_and_says_what_it_is(quick, course_to_release):
    folder = quick(solutions=False)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    pages = {f"{part}/page.html" for part in ("students", "instructor/guide", "instructor/grading")}
    assert names == {*pages, "manifest.json", "SHA256SUMS"}
    about = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert about["cohort"] == "2027" and about["solutions"] is False and about["files"] == 3
    check = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder)
    assert check.returncode == 0
    (folder / "students" / "page.html").write_text("other")
    assert subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=folder).returncode == 1


def test_no_release_lets_an_answer_out(quick, tmp_path, monkeypatch):
    kept = quick(solutions=True)
    monkeypatch.setattr(release, "_make", made("build"))
    with pytest.raises(LayerlabError, match=r"would get out:\npage.html holds"):
        quick(solutions=False)
    assert kept.is_dir() and [path.name for path in kept.parent.iterdir()] == ["2027"]


@pytest.mark.check
def test_a_build_of_another_edition_meanwhile_changes_no_release(books, tmp_path, monkeypatch):
    """What is handed out is what was built and searched, whatever is built before it is packed."""
    book = tmp_path / "book"
    shutil.copytree(books[0], book)
    real, guide = release._make, made()

    def make(module, *words):
        if module == "build":
            real(module, *words)
            assert build(book, solutions="yes").returncode == 0
        else:
            guide(module, *words)

    monkeypatch.setattr(release, "_make", make)
    folder = make_release(book, "2027", book / "_build", solutions=False)
    assert (book / "_build" / "html" / "solutions" / "01-lines.html").is_file()
    assert (folder / "students" / "exercises" / "01-lines.html").is_file()
    assert not [path for path in (folder / "students").rglob("*") if "solution" in path.name]


@pytest.mark.parametrize("where", ["page.json", "page.js", "page.json.gz", "page.txt", "a.zip"])
def test_an_answer_in_the_quotes_of_another_text_is_found(tmp_path, where):
    """Code with quotes over two lines, and a sentence of an answer in words."""
    code = 'rows[\n    "total"\n].sum()'
    said = "The walk is longer than the line wherever more than one coordinate differs at all."
    text = json.dumps({"cells": [code, f"*Because* of it. {said} So `p` counts."]})
    data = {"page.json.gz": gzip.compress(text.encode()), "page.txt": text.encode("utf-16")}
    if where == "a.zip":
        with ZipFile(tmp_path / where, "w") as archive:
            archive.writestr("inner.json.xz", lzma.compress(text.encode()))
    else:
        (tmp_path / where).write_bytes(data.get(where, text.encode()))
    [sentence] = plain(f"*Because* of it. {said} So `p` counts.")
    answers = {squeeze(one): "01-lines" for one in (code, sentence)}
    assert len(places(tmp_path, answers)) >= 2
    assert {sentence.partition("holds ")[2] for sentence in places(tmp_path, answers)} == {
        f"{one!r} of 01-lines" for one in answers
    }


def test_what_fails_is_named(course_to_release, tmp_path, monkeypatch):
    monkeypatch.setattr(release, "_make", release._make)
    (tmp_path / "out").mkdir()
    broken = tmp_path / "broken"
    shutil.copytree(course_to_release, broken)
    (broken / "_toc.yml").unlink()
    with pytest.raises(LayerlabError, match="coursebuild.build.* failed, so there is no release"):
        make_release(broken, "2027", tmp_path / "out", solutions=False)


def test_the_published_branch_has_no_history():
    text = (ROOT / ".github" / "workflows" / "site.yml").read_text("utf-8")
    assert "git init" in text and "push --quiet --force" in text  # one commit, whatever was before
