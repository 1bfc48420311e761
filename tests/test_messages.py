"""Pages are taken apart into messages, and put together again in other words, with nothing lost."""

from base64 import b64decode, b64encode
from pathlib import Path

import jupytext
import pytest
import yaml

from coursebuild.messages import (
    EXTENSIONS,
    MessageError,
    code_messages,
    html_messages,
    html_with_messages,
    messages_of,
    misfits,
    with_code_messages,
    with_messages,
)

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted((ROOT / "book").glob("*.md")), *sorted((ROOT / "solutions").glob("*.md"))]
PAGE = """---
myst:
  html_meta:
    "description lang=en": "What the page is about."
laboratory:
  promises: all that there is
  shows: see=one
---

(a-label)=
# A heading

A paragraph that goes on
in a second line, with {glue:text}`number:.2f` and [a link](other.md#there).

1. Which one?

   ```{predict} which
   :choices: this one | that one
   ```

2. How far?

   ```{predict} how-far
   :number: metres
   ```

| name | what it is |
| --- | --- |
| one | one thing |

:::{admonition} Before you go
:class: tip
Take care.
:::

$$ x = y $$ (eq-one)

```{code-cell} ipython3
# a comment that is code
print("no message")
```

```{quiz}
What is it?
+ This. :: It is
  this.
- 12 :: {glue:text}`no`

How many?
= 5 ± 0.1 metres :: So many.
```

```{glossary}
term
  What it means,
  in two lines.
```
"""
MESSAGES = [
    "What the page is about.",
    "all that there is",
    "A heading",
    "A paragraph that goes on in a second line, with {glue:text}`number:.2f` and "
    "[a link](other.md#there).",
    "Which one?",
    "this one",
    "that one",
    "How far?",
    "metres",
    "name",
    "what it is",
    "one",
    "one thing",
    "Before you go",
    "Take care.",
    "What is it?",
    "This. :: It is this.",
    "How many?",
    "5 ± 0.1 metres :: So many.",
    "What it means, in two lines.",
]


def marked(message: str) -> str:
    return f"Xx {message}"


def test_a_page_has_these_messages_and_no_others():
    assert messages_of(PAGE) == MESSAGES


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_page_of_the_course_comes_back_and_says_all_its_messages_otherwise(path):
    text = path.read_text("utf-8")
    messages = messages_of(text)
    assert messages
    assert with_messages(text, str) == text
    made = with_messages(text, marked)
    assert messages_of(made) == list(map(marked, messages))
    code = [
        cell.source for cell in jupytext.reads(text, "md:myst").cells if cell.cell_type == "code"
    ]
    same = [
        cell.source for cell in jupytext.reads(made, "md:myst").cells if cell.cell_type == "code"
    ]
    assert code == same


def test_a_paragraph_in_a_list_or_a_quotation_keeps_its_place():
    said = {"One two.": "Eins\\\nzwei."}.get
    page = "* One\n  two.\n\n  > One\n  > two.\n"
    made = with_messages(page, lambda message: said(message, message))
    assert made == "* Eins\\\n  zwei.\n\n  > Eins\\\n  > zwei.\n"


def test_equal_cells_of_a_row_are_each_translated_in_their_place():
    page = "| x | xx |\n| --- | --- |\n| aa | aa |\n"
    said = iter(["first", "second", "third"])
    assert with_messages(page, lambda _: next(said)).splitlines()[2] == "| second | third |"


CELL = '''def f(x):
    """What it does."""
    return x  # as it came


text = "# no comment"
'''


def test_comments_and_docstrings_are_messages_and_code_is_none():
    assert code_messages(CELL) == ["What it does.", "as it came"]
    made = with_code_messages(CELL, marked)
    assert '"""Xx What it does."""' in made
    assert "return x  # Xx as it came\n" in made
    assert 'text = "# no comment"' in made


def test_a_comment_that_would_become_code_is_refused():
    with pytest.raises(MessageError, match="other code"):
        with_code_messages(CELL, lambda message: f"{message}\nx = 1")


OUTPUT = (
    '<div class="explorable" data-script="a"><script type="application/json">'
    '{"title": "A title", "try": "Move it.", "numbers": [1, 2]}</script>'
    '<figure class="course-figure"><picture><img alt="A line &amp; a dot" src="x"></picture>'
    '<figcaption>It rises.</figcaption></figure></div><th scope="col">what</th><td>12</td>'
)


def test_captions_alternative_texts_heads_and_titles_are_messages():
    found = ["A title", "Move it.", "A line & a dot", "It rises.", "what"]
    assert html_messages(OUTPUT) == found
    made = html_with_messages(OUTPUT, marked)
    assert html_messages(made) == list(map(marked, found))
    assert '"numbers": [1, 2]' in made
    assert html_with_messages(OUTPUT, str) == OUTPUT


def test_words_in_a_drawing_are_messages_and_its_numbers_are_none():
    svg = '<svg><text x="1">Order p &lt; 1</text><text>0.5</text><path d="M 0 0"/></svg>'
    output = f'<img src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}">'
    assert html_messages(output) == ["Order p < 1"]
    made = html_with_messages(output, lambda _: "Größe < 1").partition("base64,")[2][:-2]
    assert b64decode(made).decode() == svg.replace("Order p", "Größe")
    assert html_with_messages(output, str) == output


@pytest.mark.parametrize(
    ("message", "said", "what"),
    [
        ("It is {glue:text}`a:.1f`.", "Es ist {glue:text}`b:.1f`.", "`a:.1f` is missing"),
        ("See [it](a.md).", "Siehe [das](b.md).", "the link to b.md is new"),
        ("{n} of {total:g}", "{n} von {total}", "the field {total:g} is missing"),
        ("Yes. :: So.", "Ja. So.", "'::' stands there 0 times"),
        ("One.", "* Eins.", "no single paragraph"),
    ],
)
def test_what_does_not_fit_is_named(message, said, what):
    assert misfits(message, message) == []
    assert any(what in line for line in misfits(message, said))


def test_blocks_are_found_as_the_pages_find_them():
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    assert sorted(EXTENSIONS) == sorted(config["parse"]["myst_enable_extensions"])
