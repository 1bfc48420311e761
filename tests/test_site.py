"""The site: what makes its build fail, when it runs notebooks again, what its pages ask for."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from benchmarks.browser import NoBrowser, browser, open_page, served
from coursebuild.audit import read_page, request_problems
from coursebuild.downloads import wheel_name
from coursebuild.notebooks import exercise_notebook, write

pytestmark = pytest.mark.check
ROOT = Path(__file__).parents[1]

NOTEBOOK = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
language_info:
  name: python
---
"""
WELCOME = f"""{NOTEBOOK}
# A small book

The first paragraph says what the page is about, and search engines may quote it.

Here is a formula, $d_p(x, y)$, and a link to [the other page](other.md).

```{{code-cell}} ipython3
import layerlab

print("the value is", layerlab.VALUE)
```
"""
OTHER = f"""{NOTEBOOK}
(the-other)=
# The other page

A page that draws; {{cite:p}}`known1948` has seen it, and [](#the-other) is here.

```{{code-cell}} ipython3
---
mystnb:
  image:
    alt: A line that rises from the lower left to the upper right
---
import matplotlib.pyplot as plt

_ = plt.plot([0, 1], [0, 1])
```

```{{code-cell}} ipython3
import os
import sys

assert os.environ.get("EXPECTED_PYTHON") in (None, sys.executable)
with open(os.environ["LAYERLAB_FIGURES"] + "/runs.txt", "a") as runs:
    print("run", file=runs)
```
"""
SOLUTION = (
    NOTEBOOK
    + """
# Exercise: {title}

Given is one number, and you say in the code what comes of it.

```{{code-cell}} ipython3
import layerlab
```

Look at [the other page](../book/other.md) for what this is about.

```{{code-cell}} ipython3
:step: maxima

given = layerlab.VALUE
{blanks}
# blank begin: add the first two values up
total_of_{name} = value_0 + value_1
# blank end
```

```{{code-cell}} ipython3
:step: maxima
:tags: [check]

assert total_of_{name} > 0
print("✓ The maxima of {name} are right.")
```

+++ {{"tags": ["solution-only"]}}

A maximum of {name} is never smaller than what it is taken of.

+++

What is the largest of them?

+++ {{"tags": ["answer"], "step": "words"}}

The model answer about {name} is the last one.
"""
)
EXERCISES = "# Exercises\n\nHow to work with them, in steps.\n\n{{ three_steps }}\n"
PYPROJECT = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "layerlab"
version = "0.1.0"
dependencies = ["numpy"]

[tool.setuptools.packages.find]
where = ["code"]
"""
USER = "# User\n\nThis page leads to [](#the-other).\n"
EXTRA = "# Extra\n\nA page that will go.\n"
STRAY = f"{NOTEBOOK}\n# Stray\n\n```{{code-cell}} ipython3\nraise SystemError\n```\n"
BIBLIOGRAPHY = "@misc{known1948, author = {Known, A.}, title = {A Title}, year = {1948}}\n"
REFERENCES = "# References\n\nWhat the pages cite.\n\n```{bibliography}\n```\n"

JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"  # the command `jupyter-book`

# One fault each, and what the build must say about it.
FAULTS = {
    "link to a missing page": ("[there](missing.md)", "missing.md"),
    "link to a missing label": ("[there](#no-such-place)", "no-such-place"),
    "reference to a missing label": ("{numref}`no-such-figure`", "no-such-figure"),
    "unknown citation": ("{cite:p}`nobody1900`", "nobody1900"),
    "unknown glued number": ("{glue:text}`no_such_number`", "no_such_number"),
    "link in plain HTML": ('<a href="nowhere.html">there</a>', "nowhere.html"),
    "image without alt": ("![](_static/logo.svg)", "has no alternative text"),
    "image with a short alt": ("![A pot](_static/logo.svg)", "'A pot' is shorter than"),
    "image with a file name as alt": ("![picture-of-a-pot.png](_static/logo.svg)", "a file name"),
    "script from elsewhere": (
        '<script src="https://elsewhere.example/x.js"></script>',
        "'https://elsewhere.example/x.js' from outside",
    ),
    "a path of this machine": (f"Look into {Path.home()}/notes.", "path of the machine"),
}


def make_book(folder: Path, *, exercises: tuple[str, ...] = (), **extra_pages: str) -> Path:
    """Lay out a small course with the real configuration, style and extension."""
    shutil.copy(ROOT / "_config.yml", folder)
    shutil.copytree(ROOT / "book" / "_static", folder / "book" / "_static")
    shutil.copytree(ROOT / "book" / "_templates", folder / "book" / "_templates")
    shutil.copytree(ROOT / "book" / "web", folder / "book" / "web")
    pages = {"welcome": WELCOME, "other": OTHER, "references": REFERENCES, **extra_pages}
    for name, text in pages.items():
        (folder / "book" / f"{name}.md").write_text(text, encoding="utf-8")
    (folder / "book" / "references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    for package in ("layerlab", "coursechecks"):
        (folder / "code" / package).mkdir(parents=True)
        text = "VALUE = 1\n"
        (folder / "code" / package / "__init__.py").write_text(text, encoding="utf-8")
    (folder / "constraints.txt").write_text("numpy==2.4.0\n", encoding="utf-8")
    for stray in (".venv", "venv", "train-work"):  # no page of the course, so nobody runs it
        (folder / stray).mkdir()
        (folder / stray / "stray.md").write_text(STRAY, encoding="utf-8")
    chapters = [{"file": f"book/{name}"} for name in pages if name != "welcome"]
    toc = {"format": "jb-book", "root": "book/welcome", "chapters": chapters}
    if exercises:
        toc = {**toc, "chapters": [*chapters, *add_exercises(folder, exercises)]}
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    return folder


def add_exercises(folder: Path, names: tuple[str, ...]) -> list[dict]:
    """Add solutions, the exercises made of them, and what a wheel needs; return their entries."""
    for name in names:
        topic = name.partition("-")[2]
        texts = [f"max(given, {number}) * 1001{number}" for number in range(8)]
        blanks = [f"value_{n} = {text}  # blank: {text}" for n, text in enumerate(texts)]
        text = SOLUTION.format(title=topic.title(), name=topic, blanks="\n".join(blanks))
        source = folder / "solutions" / f"{name}.md"
        source.parent.mkdir(exist_ok=True)
        source.write_text(text, encoding="utf-8")
        write(exercise_notebook(source), folder / "exercises" / f"{name}.ipynb")
    for name in ("README.md", "LICENSE", "LICENSE-TEXT.md"):
        (folder / name).write_text(f"The {name} of a small book.\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (folder / "book" / "exercises.md").write_text(EXERCISES, encoding="utf-8")
    pages = [f"{kind}/{name}" for kind in ("exercises", "solutions") for name in names]
    return [{"file": "book/exercises"}, *({"file": page} for page in pages)]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a command of this environment with the real course's tools on the path."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "code"), "NO_COLOR": "1", **environment}
    return subprocess.run(
        [sys.executable, *command], env=variables, capture_output=True, text=True, check=False
    )


def build(book: Path, **environment: str) -> subprocess.CompletedProcess:
    return run("-m", "coursebuild.build", str(book), **environment)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def html(book: Path, page: str) -> str:
    return (book / "_build" / "html" / "book" / f"{page}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def good_book(tmp_path_factory):
    """A book that builds, and what the build said; tests may look at it and must not change it."""
    book = make_book(tmp_path_factory.mktemp("good"), user=USER)
    kernels = book / "foreign" / "kernels" / "python3"
    kernels.mkdir(parents=True)
    spec = '{"argv": ["no-such-python"], "display_name": "Python 3", "language": "python"}'
    (kernels / "kernel.json").write_text(spec, encoding="utf-8")
    foreign = {"JUPYTER_PATH": str(book / "foreign"), "EXPECTED_PYTHON": sys.executable}
    return book, built(book, **foreign)


@pytest.fixture(scope="module")
def good_exercises(tmp_path_factory):
    """A book with two exercises, as `good_book`."""
    names = ("01-lines", "02-planes")
    book = make_book(tmp_path_factory.mktemp("exercises"), exercises=names, extra=EXTRA)
    return book, built(book)


@pytest.fixture
def book(good_book):
    """The book that builds, as it was after its build; a test may change it."""
    yield from on_loan(good_book[0])


@pytest.fixture
def book_with_exercises(good_exercises):
    """The book with exercises, as it was after its build; a test may change it."""
    yield from on_loan(good_exercises[0])


def built(book: Path, **environment: str) -> str:
    """Build a book that is to build; return what the build said."""
    result = build(book, **environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def on_loan(book: Path) -> Iterator[Path]:
    """Lend a built book, and put it back as it was; elsewhere, Sphinx would read all of it anew."""
    kept = book.with_name(f"{book.name}-kept")
    shutil.copytree(book, kept)
    yield book
    shutil.rmtree(book)
    kept.rename(book)


def add_page(book: Path, name: str, text: str) -> None:
    (book / "book" / f"{name}.md").write_text(text, encoding="utf-8")
    edit(book / "_toc.yml", "chapters:\n", f"chapters:\n- file: book/{name}\n")


# What builds -----------------------------------------------------------------------------------


def test_good_book_builds_and_says_what_to_open(good_book):
    book, said = good_book
    index = book / "_build" / "html" / "index.html"
    assert str(index) in said.splitlines()[-1]
    assert "book/welcome.html" in index.read_text(encoding="utf-8")
    assert "the value is 1" in html(book, "welcome")


def test_each_notebook_runs_once_and_is_named(good_book):
    book, said = good_book
    for page in ("welcome", "other"):
        line = rf"^executed book/{page}\.md \(\d of 2\) … \d+\.\d s$"
        assert len(re.findall(line, said, re.MULTILINE)) == 1
    assert (book / "_build" / "figures" / "runs.txt").read_text(encoding="utf-8") == "run\n"


def test_pages_ask_nobody_else_for_anything(good_book):
    book, _ = good_book
    addresses = re.findall(
        r"<(?:script|link|img|source|iframe)\b[^>]*?\b(?:src|href)=\"(https?:|//)[^\"]*",
        html(book, "welcome") + html(book, "other"),
    )
    assert addresses == []
    assert "thebe" not in html(book, "welcome").lower()


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_one_finds_a_word_wherever_the_site_lies(good_book, scheme):
    site = good_book[0] / "_build" / "html"
    try:
        with served(site) as address, browser() as chromium:
            tab, asked = chromium.new_page(), []
            tab.on("request", lambda request: asked.append(request.url))
            start = address if scheme == "http" else site.resolve().as_uri()
            open_page(tab, f"{start}/book/welcome.html")
            assert not [url for url in asked if "search" in url]
            tab.keyboard.press("Control+k")
            tab.keyboard.type("draws")
            link = tab.locator(".search-results a").first
            link.wait_for()
            assert tab.locator(".search-results mark").first.inner_text() == "draws"
            assert all(url.startswith(start) for url in asked)
            link.click()
            tab.wait_for_url("**/book/other.html#*")
    except NoBrowser as error:
        pytest.skip(str(error))


def test_the_theme_follows_the_button_and_the_button_keeps_the_focus(good_book):
    try:
        with browser() as chromium:
            context = chromium.new_context(color_scheme="light")
            tab = context.new_page()
            open_page(tab, (good_book[0] / "_build/html/book/welcome.html").resolve().as_uri())
            tab.focus(".theme-switch-button")
            themes = []
            for _ in range(3):
                themes.append(tab.evaluate("() => document.documentElement.dataset.theme"))
                tab.keyboard.press("Enter")
            assert set(themes) == {"light", "dark"}
            assert tab.evaluate("() => document.activeElement.matches('.theme-switch-button')")
            without = chromium.new_context(
                color_scheme="dark", java_script_enabled=False
            ).new_page()
            without.goto(tab.url)
            look = "e => getComputedStyle(e).backgroundColor"
            assert without.locator("body").evaluate(look) == "rgb(25, 22, 20)"
    except NoBrowser as error:
        pytest.skip(str(error))


def test_no_page_has_elements_that_neither_theme_shows(good_book):
    pages = [path.read_text("utf-8") for path in (good_book[0] / "_build/html").rglob("*.html")]
    assert any('<div class="highlight">' in page for page in pages)
    assert not any('<span class="n">' in page for page in pages)


def test_pages_are_described_and_carry_the_icon(good_book):
    book, _ = good_book
    description = 'name="description" content="The first paragraph says what the page is about'
    assert description in html(book, "welcome")
    assert "_static/favicon.svg" in html(book, "welcome")


def test_pages_name_no_repository(good_book):
    book, _ = good_book
    assert "github.com" not in html(book, "welcome")


def test_pages_hide_where_they_were_built(good_book):
    book, _ = good_book
    site = book / "_build" / "html"
    for page in [*site.rglob("*.html"), site / "_static" / "search-texts.js"]:
        assert str(book) not in page.read_text(encoding="utf-8")


# Solutions and exercises -----------------------------------------------------------------------


def article(book: Path, page: str) -> str:
    """Return the words of a page, without the theme's around it."""
    text = (book / "_build" / "html" / f"{page}.html").read_text(encoding="utf-8")
    return BeautifulSoup(text, "html.parser").find("article").get_text()


def test_solutions_run_and_exercises_do_not(good_exercises):
    _, said = good_exercises
    assert "executed solutions/01-lines.md" in said
    assert "executed exercises/" not in said


def test_solution_shows_answers_explanations_and_its_check(good_exercises):
    text = article(good_exercises[0], "solutions/01-lines")
    assert "Solution: Lines" in text
    assert "value_3 = max(given, 3) * 10013\n" in text
    assert "\n✓ The maxima of lines are right." in text  # as output, not only in the code
    assert "A maximum of lines is never smaller" in text
    assert "The model answer about lines" in text


def test_exercise_shows_blanks_and_no_outputs(good_exercises):
    text = article(good_exercises[0], "exercises/01-lines")
    assert "Exercise: Lines" in text
    assert "value_3 = ____" in text
    assert "\n✓" not in text
    assert "A maximum of lines" not in text
    assert "The model answer" not in text


def test_marks_show_nowhere(good_exercises):
    site = good_exercises[0] / "_build" / "html"
    places = [
        *site.rglob("*.html"),
        *site.glob("_sources/**/*.*"),
        site / "_static" / "search-texts.js",
    ]
    places += site.glob("downloads/*/*.ipynb")
    assert site / "_sources" / "solutions" / "01-lines.md" in places
    for path in places:
        assert not re.search(r"#\s*blank\b", path.read_text(encoding="utf-8")), path


def test_solution_with_a_mark_that_matches_nothing_stops_the_build(tmp_path):
    book = make_book(tmp_path, exercises=("01-lines",))
    edit(book / "solutions" / "01-lines.md", "# blank: max(given, 3)", "# blank: min(given, 3)")
    result = build(book)
    assert result.returncode == 1
    assert "solutions/01-lines" in result.stderr
    assert "min(given, 3)" in result.stderr


def test_unchanged_solutions_are_not_run_again(book_with_exercises):
    book = book_with_exercises
    edit(book / "solutions" / "01-lines.md", "What is the largest of them?", "Which is largest?")
    assert "executed" not in built(book)
    assert "Which is largest?" in article(book, "solutions/01-lines")


# On the pages ----------------------------------------------------------------------------------


def buttons(book: Path, page: str) -> dict[str, str]:
    """Return the address of each link in a page's box of downloads, by its words."""
    text = (book / "_build" / "html" / f"{page}.html").read_text(encoding="utf-8")
    (box,) = BeautifulSoup(text, "html.parser").select("article .course-downloads")
    return {link.get_text(): link["href"] for link in box.find_all("a")}


@pytest.mark.parametrize("kind", ["exercise", "solution"])
def test_page_has_a_button_for_its_notebook_and_a_line_for_the_zip(good_exercises, kind):
    assert buttons(good_exercises[0], f"{kind}s/02-planes") == {
        f"Download this {kind} (.ipynb)": f"../downloads/{kind}s/02-planes.ipynb",
        f"all {kind}s (.zip, 1 MB)": f"../downloads/{kind}s.zip",
    }
    served = good_exercises[0] / "_build" / "html" / "downloads" / f"{kind}s" / "02-planes.ipynb"
    assert nbformat.read(served, 4).cells[0].source.startswith(f"# {kind.title()}: Planes")


def test_page_of_exercises_offers_the_zip_and_says_the_three_steps(good_exercises):
    assert list(buttons(good_exercises[0], "book/exercises").values()) == [
        "../downloads/exercises.zip"
    ]
    page = good_exercises[0] / "_build" / "html" / "book" / "exercises.html"
    text = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text()
    assert f'pip install -c constraints.txt "{wheel_name(ROOT)}[checks]" jupyterlab' in text
    assert "jupyter lab 01-lines.ipynb" in text


def test_book_published_nowhere_leads_nowhere(good_exercises):
    site = good_exercises[0] / "_build" / "html"
    assert "colab" not in (site / "exercises" / "01-lines.html").read_text("utf-8").lower()
    first = nbformat.read(site / "downloads" / "exercises" / "01-lines.ipynb", 4).cells[0]
    assert first.cell_type == "markdown"


def test_published_book_has_launch_buttons_and_notebooks_that_install_the_package(tmp_path):
    book = make_book(tmp_path, exercises=("01-lines", "02-planes"))
    config = yaml.safe_load((book / "_config.yml").read_text(encoding="utf-8"))
    config["repository"]["url"] = "https://github.com/ann/course"
    config["html"]["baseurl"] = "https://course.example/45/"
    (book / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    built(book)

    path = "downloads/exercises/01-lines.ipynb"
    links = buttons(book, "exercises/01-lines")
    colab = "https://colab.research.google.com/github/ann/course/blob/gh-pages/"
    binder = "https://mybinder.org/v2/gh/ann/course/gh-pages?urlpath=lab/tree/"
    assert links["Open in Colab"] == colab + path
    assert links["Open in Binder"] == binder + path
    for page in ("solutions/01-lines", "book/exercises"):
        assert not any("Open in" in words for words in buttons(book, page))
    site = book / "_build" / "html"
    for page in site.rglob("*.html"):
        assert not list(request_problems(read_page(page.read_text(encoding="utf-8"))))

    launched = nbformat.read(site / path, 4)  # what the buttons open, once the site is pushed
    first = launched.cells[0]
    assert first.cell_type == "code"
    for name in (wheel_name(ROOT), "constraints.txt"):
        assert f"https://course.example/45/downloads/{name}" in first.source
        assert (site / "downloads" / name).is_file()
    assert "https://course.example/45/book/other.html" in launched.cells[3].source
    with zipfile.ZipFile(site / "downloads" / "exercises.zip") as archive:
        in_zip = archive.read("exercises/01-lines.ipynb").decode()
    assert "downloads/layerlab" not in in_zip  # the package lies beside it


# An extension may fork the process that builds. A thread that is just starting a program would then
# wait for ever: the fork holds the pipe through which a new program says that it runs.
ALONE = """import threading


def setup(app):
    app.connect("builder-inited", lambda app: print("threads:", threading.active_count()))
"""


def test_no_thread_of_ours_runs_while_other_extensions_begin(tmp_path):
    book = make_book(tmp_path, exercises=("01-lines",))
    (book / "alone.py").write_text(ALONE, encoding="utf-8")
    config = yaml.safe_load((book / "_config.yml").read_text(encoding="utf-8"))
    config["sphinx"]["config"]["extensions"].append("alone")  # after ours, as sphinx-sitemap is
    (book / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    paths = [str(book), str(ROOT / "code")]
    assert "threads: 1\n" in built(book, PYTHONPATH=os.pathsep.join(paths))


# What does not build ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    """The messages of one build of a book with every fault, each on a page of its own."""
    pages = {
        f"fault{number}": f"# Fault {number}\n\nA page whose one fault is this: {text}\n"
        for number, (text, _) in enumerate(FAULTS.values())
    }
    result = build(make_book(tmp_path_factory.mktemp("faulty"), **pages))
    assert result.returncode == 1
    return result.stderr


@pytest.mark.parametrize("fault", FAULTS)
def test_build_names_fault(complaints, fault):
    page = f"book/fault{list(FAULTS).index(fault)}"
    lines = [line for line in complaints.splitlines() if f"{page}." in line]
    assert any("WARNING" in line and FAULTS[fault][1] in line for line in lines), complaints


def test_failed_build_stays_failed_until_the_fault_is_mended(book):
    add_page(book, "fault", "# Fault\n\nA page with a link to [nowhere](missing.md).\n")
    assert build(book).returncode == 1
    again = build(book)
    assert again.returncode == 1
    assert "missing.md" in again.stderr
    stock = run("-c", JUPYTER_BOOK, "build", str(book))
    assert stock.returncode == 1
    assert "missing.md" in stock.stderr
    edit(book / "book" / "fault.md", "missing.md", "other.md")
    built(book)


def test_failing_cell_is_shown_with_its_place(book):
    edit(book / "book" / "other.md", "plt.plot([0, 1], [0, 1])", "plt.plot([0, 1], [0, 2])")
    edit(book / "book" / "welcome.md", "layerlab.VALUE)", "layerlab.NO_SUCH_VALUE)")
    result = build(book)
    assert result.returncode == 1
    assert re.search(r"book/welcome\.md:\d+", result.stderr)
    assert "NO_SUCH_VALUE" in result.stderr
    assert "executed book/other.md" in result.stdout
    assert build(book).returncode == 1
    edit(book / "book" / "welcome.md", "layerlab.NO_SUCH_VALUE)", "layerlab.VALUE + 1)")
    mended = built(book)
    assert "executed book/welcome.md" in mended
    assert "executed book/other.md" not in mended  # it had run well, and is kept


def test_figure_without_words_and_noise_fail(book):
    edit(book / "book" / "other.md", "A line that rises from the lower left to the upper right", "")
    edit(book / "book" / "welcome.md", "print(", 'import sys\nprint("!", file=sys.stderr)\nprint(')
    result = build(book)
    assert result.returncode == 1
    assert re.search(r"book/other\.html: image .*alternative text", result.stderr)
    assert re.search(r"book/welcome\.md.*stderr was found", result.stderr)


def test_renamed_label_fails_although_its_user_was_not_edited(book):
    edit(book / "book" / "other.md", "(the-other)=", "(renamed)=")
    edit(book / "book" / "other.md", "[](#the-other)", "[](#renamed)")
    result = build(book)
    assert result.returncode == 1
    assert "book/user.md" in result.stderr


def test_a_new_title_is_seen_on_every_page(book):
    edit(book / "book" / "other.md", "# The other page", "# The renamed page")
    assert "pages to write: 4\n" in built(book)
    assert "The renamed page" in html(book, "welcome")  # in its link and in the table of contents


def test_removed_pages_leave_the_site(book_with_exercises):
    book = book_with_exercises
    site = book / "_build" / "html"
    kinds = [("exercises", "ipynb"), ("solutions", "md")]
    gone = [f"downloads/{kind}/02-planes.ipynb" for kind, _ in kinds]
    for docname, suffix in [("book/extra", "md"), *((f"{k}/02-planes", end) for k, end in kinds)]:
        gone += [f"{docname}.html", *([f"_sources/{docname}.md"] if suffix == "md" else [])]
        (book / f"{docname}.{suffix}").unlink()
        edit(book / "_toc.yml", f"- file: {docname}\n", "")
    assert [name for name in gone if not (site / name).is_file()] == []
    built(book)
    assert [name for name in gone if (site / name).exists()] == []


# What is run again -----------------------------------------------------------------------------


def test_notebooks_run_again_only_when_something_they_depend_on_changed(book):
    unchanged = built(book)
    assert "executed" not in unchanged
    assert "pages to write" not in unchanged

    edit(book / "book" / "welcome.md", "Here is a formula", "Here is one more formula")
    prose = built(book)
    assert "executed" not in prose
    assert "pages to write: 1\n" in prose  # nothing that another page may refer to
    assert "one more formula" in html(book, "welcome")
    assert "the value is 1" in html(book, "welcome")

    edit(book / "code" / "layerlab" / "__init__.py", "VALUE = 1", "VALUE = 2")
    package = built(book)
    assert "book/welcome runs: layerlab/__init__.py changed\n" in package
    assert "executed book/other.md" not in package  # it does not import the package
    assert "pages to write: 1\n" in package
    assert "the value is 2" in html(book, "welcome")

    edit(book / "constraints.txt", "2.4.0", "2.4.1")
    pins = built(book)
    for page in ("welcome", "other"):
        assert f"book/{page} runs: the pins changed\n" in pins
        assert f"executed book/{page}.md" in pins
    assert len(list((book / "_build" / ".jupyter_cache" / "executed").iterdir())) == 2


def test_lost_figure_files_are_made_again(book):
    figure = book / "_build" / "figures" / "runs.txt"  # the page writes it where figures go
    figure.unlink()
    built(book)
    assert figure.exists()
