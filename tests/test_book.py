"""The book itself: it builds, with every figure, and its pages keep what they promise a reader."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup

from benchmarks.browser import NoBrowser, browser, open_page, served
from benchmarks.cut_blocks import look_at
from benchmarks.pages import html_errors, pages_of, smallest_letters, weight
from coursebuild.course import drafts
from coursebuild.quizzes import read_questions
from layerlab.figures import FILE_NAMES

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"
CONTENTS = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
WORKSHEET = ("The tools", "The worksheet's investigation")
CHAPTERS = {
    Path(chapter["file"]).name: part["caption"]
    for part in CONTENTS
    if part["caption"] in (*WORKSHEET, "The tools examined", "Doing it right")
    for chapter in part["chapters"]
}
ASKING = [name for name in CHAPTERS if name != "15-what-we-found"]  # which gathers their answers
SOLUTIONS = [
    path for path in sorted((ROOT / "solutions").glob("*.md")) if path.stem not in drafts(ROOT)
]
PARTS = [name for name, act in CHAPTERS.items() if act in WORKSHEET and name[0].isdigit()]


@pytest.fixture(scope="module")
def site():
    """The site as `make book` leaves it; what is already built and unchanged is not built again."""
    command = [sys.executable, "-m", "coursebuild.build", str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def page(name: str) -> BeautifulSoup:
    text = (HTML / "book" / f"{name}.html").read_text(encoding="utf-8")
    return BeautifulSoup(text, "html.parser").find("article")


@pytest.mark.check
def test_the_build_says_what_to_open(site):
    assert f"Open {HTML / 'index.html'}" in site
    assert (HTML / "index.html").is_file()


@pytest.mark.check
@pytest.mark.usefixtures("site")
def test_no_code_output_table_or_figure_is_cut_at_any_width():
    try:
        seen = list(look_at(HTML))
    except NoBrowser as error:
        pytest.skip(str(error))
    cut = [
        (page, width, block)
        for page, width, found in seen
        for block in found
        if block["cut"] and block["kind"] != "formula"  # which scrolls, with a sign of it
    ]
    assert seen and not cut


@pytest.mark.check
@pytest.mark.usefixtures("site")
def test_with_another_word_the_first_mlp_does_not_stand_out():
    """As chapter 14 says of the exercise, and the exercise's answers of its table."""
    text = (HTML / "solutions" / "09-ablate.html").read_text(encoding="utf-8")
    rows = re.findall(r"^ +\d+ +(.*)$", BeautifulSoup(text, "html.parser").get_text(), re.MULTILINE)
    bits = np.array([row.split() for row in rows], dtype=float)  # (n_layers, 4)
    beside = bits[:, 1] / bits[:, 3]  # the mean of the others beside a random step as long
    assert len(beside) == 12 and beside[0] < 1.25
    assert np.max([beside, 1 / beside]) < 2


FORMULAS, FIRST, LARGEST = 700, 450, 400  # KB: a first visit with and without them, and raw HTML
TYPICAL = ["book/welcome.html", "book/02-mutual-information.html", "book/library.html"]
TYPICAL += ["exercises/01-minkowski.html", "solutions/05-positions.html", "book/notation.html"]


@pytest.mark.check
@pytest.mark.usefixtures("site")
def test_no_page_is_heavy():
    names = pages_of(HTML)
    assert len(names) > 30
    for name in names:
        path = HTML / name
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"data:image/[^\"]{2000}", text), name
        assert len(text.encode()) <= 1000 * LARGEST, name
        soup = BeautifulSoup(text, "html.parser")
        loaded = [script["src"] for script in soup.select("script[src]")]
        loaded += [link["href"] for link in soup.select("link[rel=stylesheet]")]
        assert not re.search("mathjax|fontawesome|searchindex", " ".join(loaded), re.IGNORECASE)
        loaded += [image["src"] for image in soup.find_all("img")]  # were all of them in view
        files = {(path.parent / way.partition("?")[0]).resolve() for way in loaded}
        if "katex" in text:
            files |= set((HTML / "_static" / "katex").rglob("*.woff2"))
        kilobytes = sum(map(weight, {path, *files})) / 1000
        assert kilobytes <= (FORMULAS if "katex" in text else FIRST), name


@pytest.mark.check
@pytest.mark.usefixtures("site")
def test_pages_are_valid_html():
    found = html_errors(HTML, [*TYPICAL, "search.html", "index.html"])
    assert {name: errors for name, errors in found.items() if errors} == {}


@pytest.mark.check
@pytest.mark.usefixtures("site")
def test_letters_of_figures_can_be_read_on_a_phone():
    try:
        with served(HTML) as address, browser() as chromium:
            tab = chromium.new_page(viewport={"width": 375, "height": 800})
            sizes = {}
            for name in pages_of(HTML):
                open_page(tab, f"{address}/{name}")
                sizes[name] = smallest_letters(tab)
    except NoBrowser as error:
        pytest.skip(str(error))
    drawn = {name: size for name, size in sizes.items() if size is not None}
    assert len(drawn) > 15
    assert {name: size for name, size in drawn.items() if size < 11} == {}


def test_parts_are_numbered_as_they_follow_each_other():
    assert len(PARTS) == 7
    assert [name[:3] for name in PARTS] == [f"{i:02}-" for i in range(1, len(PARTS) + 1)]


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.stem)
def test_chapter_and_exercise_lead_to_each_other(solution):
    beginning = solution.read_text("utf-8").split("```{code-cell}")[0]
    linked = set(re.findall(r"\]\(\.\./book/([\w-]+)\.md\)", beginning))
    heads = {
        name: (ROOT / "book" / f"{name}.md").read_text("utf-8").split("```{code-cell}")[0]
        for name in linked
    }
    back = [name for name, head in heads.items() if f"(../exercises/{solution.stem}.ipynb)" in head]
    assert back == [solution.stem] or not (ROOT / "book" / f"{solution.stem}.md").exists()
    assert back


@pytest.mark.check
@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("name", FILE_NAMES.values())
def test_the_figure_lies_on_disk_at_print_size(name):
    data = (ROOT / "_build" / "figures" / name).read_bytes()
    assert data.startswith(b"\x89PNG")
    width = int.from_bytes(data[16:20], "big")  # pixels, from the header
    assert width >= 4.5 * 300


@pytest.mark.check
@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("name", ASKING)
def test_a_chapter_asks_shows_and_doubts(name):
    text = page(name)
    headings = " ".join(h.get_text().lower() for h in text.find_all(["h1", "h2", "h3", "p"]))
    assert "predict" in headings
    assert "wrong" in headings
    assert text.select("figure.course-figure img[alt]")


@pytest.mark.check
@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("name", [*CHAPTERS, "welcome", "model-card", "appendix-speed"])
def test_figures_say_what_they_show_and_the_text_refers_to_them(name):
    article = page(name)
    figures = article.select("figure.course-figure")
    assert figures
    for place, figure in enumerate(figures, 1):
        caption = figure.figcaption.get_text()
        assert re.match(rf"Figure (\d+|[A-Z])\.{place} \S.*\.$", caption), caption
        assert caption.partition(" ")[2] not in figure.img["alt"]
        links = article.select(f'a[href="#{figure["id"]}"]')
        assert links and links[0].get_text() == figure.find(class_="figure-number").get_text()


@pytest.mark.check
@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("name", ["welcome", *PARTS, "model-card"])
def test_no_glued_number_is_missing_or_not_a_number(name):
    prose = " ".join(p.get_text() for p in page(name).find_all(["p", "li", "td"]))
    assert not re.search(r"\bnan\b|\binf\b|\{glue|np\.float", prose)


CELL = r"^```\{code-cell\}[^\n]*\n(?::[^\n]*\n)*(.*?)^```$"


@pytest.mark.parametrize("path", sorted((ROOT / "book").glob("*.md")), ids=lambda path: path.stem)
def test_every_glued_number_is_read_out_somewhere_on_its_page(path):
    text = path.read_text(encoding="utf-8")
    cells = re.findall(CELL, text, re.MULTILINE | re.DOTALL)
    calls = [
        node
        for cell in cells
        for node in ast.walk(ast.parse(cell))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "glue"
    ]
    glued = {word.arg for call in calls for word in call.keywords if word.arg}
    assert not any(call.args for call in calls)
    assert glued - set(re.findall(r"\{glue(?::\w+)?\}`(\w+)", text)) == set()


NUMBER = r"\{glue:text\}`(\w+):\.(\d)f`"
BOUNDS = {  # what a sentence says of a number, and by what the number is then rounded
    rf"{NUMBER}(?: [\w%]+){{,4}}? or more": "at_least",
    rf"(?:at least|never falls below) {NUMBER}": "at_least",
    rf"{NUMBER}(?: [\w%]+){{,4}}? (?:or less|at most)": "at_most",
    rf"(?:at most|no more than|(?<!add )up to|within) {NUMBER}": "at_most",
}


@pytest.mark.parametrize("name", [path.stem for path in sorted((ROOT / "book").glob("*.md"))])
def test_a_bound_is_rounded_so_that_it_is_one(name):
    text = (ROOT / "book" / f"{name}.md").read_text("utf-8")
    said = " ".join(text.split())
    for pattern, function in BOUNDS.items():
        for number, n_decimals in re.findall(pattern, said):
            end = r"\)" if n_decimals == "2" else rf", {n_decimals}\)"
            glued = rf"\b{number}={function}\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*{end}"
            assert re.search(glued, said), f"{number} is said as a bound: glue {function}(…)"


ASIDE = r"^ *(`{3,})\{(?:quiz|predict|said)\}.*?^ *\1 *$"  # what asks, and answers, is aside
APPENDICES = ["appendix-estimators", "appendix-speed"]


def words(name: str) -> int:
    """Words of a chapter, its cells with them, whether they are seen or not."""
    text = (ROOT / "book" / f"{name}.md").read_text("utf-8")
    text = re.sub(r"\A---\n.*?^---\n", "", text, flags=re.DOTALL | re.MULTILINE)
    return len(re.sub(ASIDE, "", text, flags=re.DOTALL | re.MULTILINE).split())


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_neither_a_note_nor_a_book(name):
    assert 1_500 <= words(name) <= 3_500


def test_the_book_can_be_read():
    assert sum(map(words, [*CHAPTERS, *APPENDICES])) <= 45_000


WITH_QUIZ = {"01", "02", "03", "04", "05", "06", "07", "08", "09", "13", "15"}
QUIZZED = [name for name in CHAPTERS if name[:2] in WITH_QUIZ]
FENCE = r"^ *```\{%s\}(?: ([\w-]+))?\n(.*?)^ *```$"


def asked(name: str, directive: str) -> list[tuple[str, str]]:
    """Names and contents of a chapter's directives of a kind."""
    text = (ROOT / "book" / f"{name}.md").read_text("utf-8")
    return re.findall(FENCE % directive, text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", QUIZZED)
def test_a_chapter_asks_three_to_six_questions(name):
    ((_, text),) = asked(name, "quiz")
    assert 3 <= len(read_questions(text)) <= 6


@pytest.mark.parametrize("name", ASKING)
def test_a_prediction_is_asked_for_and_told_beside_its_result(name):
    names = [name for name, _ in asked(name, "predict")]
    assert names and sorted(names) == sorted(name for name, _ in asked(name, "said"))
    text = (ROOT / "book" / f"{name}.md").read_text("utf-8")
    for one in names:
        assert text.index(f"{{predict}} {one}\n") < text.index(f"{{said}} {one}\n")


POINTER = re.compile(
    r'\]\((?P<page>[\w./-]+\.md)\)[^"\[\]]{0,80}?(?:under|end of)\s"(?P<heading>[^"]+)"'
)


def test_headings_that_exercises_send_a_reader_to_are_there():
    pointers = [
        (path, match["page"], " ".join(match["heading"].split()))
        for path in (ROOT / "solutions").glob("*.md")
        for match in POINTER.finditer(path.read_text(encoding="utf-8"))
    ]
    assert len(pointers) >= 3
    for path, page, heading in pointers:
        text = (path.parent / page).read_text(encoding="utf-8")
        assert re.search(rf"^#+ {re.escape(heading)}", text, re.MULTILINE), (path.name, heading)


def test_every_chapter_in_the_contents_exists_and_none_is_left_out():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = [page["file"] for part in contents["parts"] for page in part["chapters"]]
    listed = {contents["root"], *listed}
    there = [*ROOT.glob("book/*.md"), *ROOT.glob("exercises/*.ipynb"), *ROOT.glob("solutions/*.md")]
    there = [path for path in there if path.stem not in drafts(ROOT)]
    assert listed == {path.relative_to(ROOT).with_suffix("").as_posix() for path in there}
