"""Chapters to take home: what their cells lose, and that they run."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from pybtex.database import parse_string
from test_site import NOTEBOOK, ROOT, add_page, buttons, make_book
from test_site import built as build_book

from coursebuild.chapters import chapter_notebook, data_of, without_glue, works
from coursebuild.plain import Known, PlainError
from layerlab.pages import glue

SITE_ONLY = re.compile(r"\{glue|```\{|:::|\{(?:cite|eq|term)\b|\bglue\(")
CHAPTER = (
    NOTEBOOK.removesuffix("---\n")
    + """reads: [data]
---
# A chapter

A chapter reads a number and says it.

```{code-cell} ipython3
:tags: [hide-input]

from pathlib import Path

import layerlab
from layerlab.pages import glue

number = float(Path("data/number.txt").read_text())
glue(number=number)
print("the number is", number)
```

It is {glue:text}`number:.1f`, as {cite:t}`known1948` knew.

```{admonition} Predict
What is it?
```
"""
)


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("x = 1", "x = 1"),
        ("from layerlab.pages import glue\n\nglue(x=1,\n     y=2)\nassert x", "assert x"),
        ("from layerlab.pages import at_most, glue\n\nglue(x=at_most(y))\nassert x", "assert x"),
        ("for x in y:\n    glue(**{x: x})", ""),
        ("for x in y:\n    glue(**{x: x})\n    z += x", "for x in y:\n    z += x"),
        ("for x in y:\n    for z in x:\n        glue(**{x: x})\nw = 2", "w = 2"),
        ("# why\nglue(x=1)\nz = 3  # three", "# why\nz = 3  # three"),
    ],
)
def test_a_cell_stores_nothing_for_the_prose(source, kept):
    assert without_glue(source) == kept


def test_glue_that_does_more_is_named():
    with pytest.raises(PlainError, match="x = glue"):
        without_glue("x = glue(x=1)")
    with pytest.raises(PlainError, match="x = at_least"):
        without_glue("from layerlab.pages import at_least, glue\nx = at_least(y)")


def test_folded_code_is_folded_in_jupyter_and_empty_cells_are_gone():
    cells = [
        new_markdown_cell("It is {glue:text}`x:.1f`."),
        new_code_cell("glue(x=1.25)", metadata={"tags": ["remove-cell"]}),
        new_code_cell("draw()", metadata={"tags": ["hide-input"]}),
        new_code_cell("x = 1"),
    ]
    made = chapter_notebook(new_notebook(cells=cells), Known(values={"x": "1.25"}), {})
    assert [cell.source for cell in made.cells] == ["It is 1.2.", "draw()", "x = 1"]
    folded = [cell.metadata.get("jupyter", {}).get("source_hidden") for cell in made.cells[1:]]
    assert folded == [True, None]


@pytest.mark.parametrize("begin", ['"', 'f"', '(\n    "', '(\n    f"'])
def test_a_caption_begins_with_the_number_that_the_text_refers_to(begin):
    cell = f'show(draw, anchor="fig-bins", caption={begin}It rises.", alt="A line.")'
    notebook = new_notebook(cells=[new_markdown_cell("See [](#fig-bins)."), new_code_cell(cell)])
    made = chapter_notebook(notebook, Known(figures={"fig-bins": "Figure 2.3"}), {})
    text, code = (cell.source for cell in made.cells)
    assert text == "See Figure 2.3."
    assert code == cell.replace("It rises.", "Figure 2.3. It rises.")


def test_a_chapter_brings_only_what_its_cells_name(tmp_path):
    for name in ("data/seed-1.txt", "data/seed-2.txt", "data/other.txt", "results/a.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "book").mkdir()
    code = 'open(f"../data/seed-{n}.txt")\nopen("../results")'
    ran = new_notebook(cells=[new_code_cell(code)], metadata={"reads": ["../data", "../results"]})
    data = data_of(tmp_path / "book" / "page.md", ran, tmp_path)
    assert sorted(data) == ["data/seed-1.txt", "data/seed-2.txt", "results/a.json"]
    made = chapter_notebook(ran, Known(), data)
    run = {"open": lambda path: path}
    exec(made.cells[1].source, run | {"n": 1})
    assert '"../' not in made.cells[1].source


def test_works_are_named_as_texts_cite_them():
    entries = """@misc{a, author = {Ann, B. and Ber{\\'e}, C.}, year = {1948}}
    @misc{b, author = {van Dam, A. and Bo, B. and Co, C.}, year = {2004}}"""
    known = works(parse_string(entries, "bibtex"))
    assert known == {"a": ("Ann and Beré", "1948"), "b": ("van Dam et al.", "2004")}


def run_notebook(path: Path, package: Path) -> subprocess.CompletedProcess:
    """Run a notebook in its folder, with that package and without what builds the site."""
    code = (
        "import sys, nbformat; from nbclient import NotebookClient\n"
        "notebook = nbformat.read(sys.argv[1], 4)\n"
        "notebook.cells.insert(0, nbformat.v4.new_code_cell("
        "'import sys; sys.modules[\"myst_nb\"] = None'))\n"
        "NotebookClient(notebook, kernel_name='python3', timeout=600).execute()\n"
        "print(''.join(o.get('text', '') for c in notebook.cells for o in c.get('outputs', [])))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, path.name],
        cwd=path.parent,
        env={**os.environ, "PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.check
def test_a_chapter_is_offered_and_runs_in_a_folder_of_its_own(tmp_path):
    (tmp_path / "course").mkdir()
    book = make_book(tmp_path / "course", exercises=("01-lines", "02-planes"))
    (book / "book" / "data").mkdir()
    (book / "book" / "data" / "number.txt").write_text("2.25", encoding="utf-8")
    (book / "book" / "data" / "unread.txt").write_text("9", encoding="utf-8")
    stub = f"import numpy as np\n\n\n{inspect.getsource(glue)}"
    (book / "code" / "layerlab" / "pages.py").write_text(stub, encoding="utf-8")
    add_page(book, "chapter", CHAPTER)
    build_book(book)
    offered = buttons(book, "book/chapter")
    assert offered["Download this chapter (.ipynb)"] == "../downloads/chapters/chapter.ipynb"
    site = book / "_build" / "html"
    assert not list(site.glob("_sources/**/*.ipynb"))  # one notebook for an exercise
    text = (site / "downloads" / "chapters" / "chapter.ipynb").read_text("utf-8")
    assert not SITE_ONLY.search(text)
    words = "\n".join(
        cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        for cell in json.loads(text)["cells"]
    )
    assert "It is 2.2, as Known (1948) knew." in words
    assert "> **Predict**" in words
    assert "unread" not in words
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "chapter.ipynb").write_text(text, encoding="utf-8")
    done = run_notebook(alone / "chapter.ipynb", book / "code")
    assert "the number is 2.25" in done.stdout, done.stderr


@pytest.mark.check
def test_each_chapter_of_this_course_reads_plainly_and_one_runs(tmp_path):
    folder = ROOT / "_build" / "html" / "downloads" / "chapters"
    if not folder.is_dir():
        pytest.skip("the site is not built: make book")
    for path in folder.glob("*.ipynb"):
        text = path.read_text("utf-8")
        nbformat.validate(json.loads(text))
        assert not SITE_ONLY.search(text), path.name
    name = "12-what-it-cannot-tell.ipynb"  # reads numbers of the course
    (tmp_path / name).write_bytes((folder / name).read_bytes())
    done = run_notebook(tmp_path / name, ROOT / "code")
    assert done.returncode == 0, done.stderr
