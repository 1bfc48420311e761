"""Drafts: an exercise that is being written is tried like any other, and no reader gets it."""

import zipfile
from itertools import islice

import pytest
from test_site import build, edit, make_book

from coursebuild.grading import main as make_grading
from coursebuild.promises import Course, try_notebook

KERNEL = "kernelspec:\n"
DRAFT = f"draft: true\n{KERNEL}"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A book with one exercise for readers, a draft in its contents, and a draft that is broken."""
    book = make_book(tmp_path_factory.mktemp("drafts"), exercises=("01-lines", "02-planes"))
    edit(book / "solutions" / "02-planes.md", KERNEL, DRAFT)
    broken = f"---\n{DRAFT}  name: python3\n---\n\n```{{code-cell}}\n:step: no good\n____ = \n```\n"
    (book / "solutions" / "03-cubes.md").write_text(broken, encoding="utf-8")
    result = build(book)
    assert result.returncode == 0, result.stdout + result.stderr
    return book, result.stdout


@pytest.mark.check
def test_no_file_of_the_site_is_of_a_draft(built):
    book, _ = built
    names = {path.relative_to(book / "_build").as_posix() for path in book.glob("_build/**/*")}
    assert "html/exercises/01-lines.html" in names and "html/solutions/01-lines.html" in names
    assert "html/downloads/exercises/01-lines.ipynb" in names
    assert not [name for name in names if "planes" in name or "cubes" in name]


@pytest.mark.check
def test_no_page_and_no_search_names_a_draft(built):
    for path in [
        *built[0].glob("_build/html/**/*.html"),
        built[0] / "_build/html/_static/search-texts.js",
    ]:
        text = path.read_text(encoding="utf-8").lower()
        assert "planes" not in text and "cubes" not in text


@pytest.mark.check
@pytest.mark.parametrize("kind", ["exercises", "solutions"])
def test_zips_hold_no_draft(built, kind):
    with zipfile.ZipFile(built[0] / "_build" / "html" / "downloads" / f"{kind}.zip") as archive:
        notebooks = [name for name in archive.namelist() if name.endswith(".ipynb")]
    assert notebooks == [f"{kind}/01-lines.ipynb"]


@pytest.mark.check
def test_the_build_names_what_it_left_out(built):
    lines = [line for line in built[1].splitlines() if line.startswith("left out")]
    assert lines == [
        f"left out exercises/{name} and its solution, which says `draft: true`"
        for name in ("02-planes", "03-cubes")
    ]


@pytest.mark.check
def test_nbgrader_gets_no_draft(built, tmp_path, capsys):
    assert make_grading([str(built[0]), "--out", str(tmp_path)]) == 0
    assert [path.name for path in (tmp_path / "grading" / "source").iterdir()] == ["01-lines"]
    assert "left out 02-planes, whose solution says" in capsys.readouterr().out


@pytest.mark.check
def test_an_exercise_that_is_in_no_contents_is_refused_unless_it_is_a_draft(tmp_path):
    book = make_book(tmp_path, exercises=("01-lines", "02-planes"))
    for folder in ("exercises", "solutions"):
        edit(book / "_toc.yml", f"- file: {folder}/02-planes\n", "")
    result = build(book)
    assert result.returncode == 1
    assert "_toc.yml lacks exercises/02-planes, solutions/02-planes; list them" in result.stderr
    edit(book / "solutions" / "02-planes.md", KERNEL, DRAFT)
    assert build(book).returncode == 0


@pytest.mark.parametrize(("draft", "n_failures"), [(DRAFT, 0), (KERNEL, 1)])
def test_the_gate_asks_no_size_of_a_draft(draft, n_failures, tmp_path):
    book = make_book(tmp_path, exercises=("01-lines",))
    source = book / "solutions" / "01-lines.md"
    edit(source, "  # blank: max(given, 1) * 10011", "")
    edit(source, "  # blank: max(given, 2) * 10012", "")
    edit(source, KERNEL, draft)
    verdicts = try_notebook(Course(book, "coursechecks"), "01-lines")
    [size] = [verdict for verdict in islice(verdicts, 3) if verdict.promise == "size"]
    assert len(size.failures) == n_failures
