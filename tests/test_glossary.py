"""The first use of a term on each page leads to the glossary and shows what it says."""

import re

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx

from coursebuild.glossary import EVERYDAY, GLOSSARY, _running_words, terms_of

NOTATION = """\
# Notation

```{glossary}
block
  One stage of *many*.

residual stream
  What each "block" adds to.

stream
  Something that flows.

MLP
  Two matrices & a bend.

head
  A part of attention.
```
"""
PAGE = """\
# A block

```{quiz}
Which stream is a block's?
+ The residual stream. :: A head reads it.
- None. :: An MLP would have nothing to do.
```

`block` is code, $block$ a formula, [block](other.md) a link, blockade another word.

```python
block = 1
```

Blocks add to the residual stream, mlps do not; an MLP does. A block again, an {term}`head`, a head.
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glossary")
    (folder / "source" / "book").mkdir(parents=True)
    sources = {
        GLOSSARY: NOTATION,
        "book/page": PAGE,
        "book/other": "# Other\n\nA head, in a house. The block.\n",
        "elsewhere": "# Elsewhere\n\nA block.\n",
        "index": "# Index\n\n```{toctree}\n"
        + f"{GLOSSARY}\nbook/page\nbook/other\nelsewhere\n```\n",
    }
    for name, text in sources.items():
        (folder / "source" / f"{name}.md").write_text(text, "utf-8")
    extensions = ["myst_parser", "coursebuild.glossary", "coursebuild.quizzes"]
    app = Sphinx(
        folder / "source",
        None,
        folder / "html",
        folder / "trees",
        "html",
        confoverrides={"extensions": extensions, "myst_enable_extensions": ["dollarmath"]},
        status=None,
        warningiserror=True,
    )
    app.build()
    assert app.statuscode == 0
    texts = {name: (folder / "html" / f"{name}.html").read_text("utf-8") for name in sources}
    return {name: BeautifulSoup(text, "html.parser") for name, text in texts.items()}


def links(page):
    return {span.text: span.parent for span in page.select("a > span.std-term")}


def test_each_term_is_linked_once_where_it_stands_first(pages):
    found = links(pages["book/page"])
    assert list(found) == ["Blocks", "residual stream", "MLP", "head"]
    assert found["Blocks"]["href"] == "notation.html#term-block"
    assert found["residual stream"]["href"] == "notation.html#term-residual-stream"


def test_pointing_at_a_link_shows_the_definition(pages):
    found = links(pages["book/page"])
    assert found["MLP"]["title"] == "Two matrices & a bend."
    assert found["Blocks"]["title"] == "One stage of many."
    assert '"block" adds' in found["residual stream"]["title"].replace("“", '"').replace("”", '"')
    assert {link["data-bs-toggle"] for link in found.values()} == {"tooltip"}


def test_everyday_words_are_linked_only_where_the_author_says_so(pages):
    assert list(links(pages["book/other"])) == ["block"]


def test_pages_outside_the_book_and_the_glossary_itself_are_left_alone(pages):
    assert not links(pages["elsewhere"]) and not links(pages[GLOSSARY])


def test_what_a_cell_puts_out_is_no_text_of_the_page():
    said, output = nodes.paragraph("", "a block"), nodes.paragraph("", "another block")
    cell = nodes.container("", output, nb_element="cell_code_output")
    page = nodes.section("", said, cell)
    assert _running_words(page) == [said.children[0]]


def test_all_everyday_words_are_terms(course_glossary):
    lines = re.findall(r"^\S.*$", course_glossary, re.MULTILINE)
    assert set(lines) >= EVERYDAY
    assert set(terms_of(course_glossary)) == set(lines) - EVERYDAY


@pytest.fixture
def course_glossary(request):
    text = (request.config.rootpath / f"{GLOSSARY}.md").read_text("utf-8")
    return re.search(r"^```\{glossary\}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1]
