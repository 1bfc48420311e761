"""What users, wikis and errors say stands in a report as words, and as nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

from layerlab import Options, investigate
from layerlab.report import write_atlas, write_report

HOSTILE = (
    "<script>alert(1)</script>",
    "</td><b>x",
    "[x](javascript:alert(1))",
    "![x](http://127.0.0.1/x.png)",
    "<http://127.0.0.1>",
    "`x` and ``",
    "*x* __x__ _x_ ~~x~~",
    "a | b \\| c",
    "&lt;b&gt; &#42;",
    "{math}`x` $x$",
    "x [1]: /y",
    "\\",
)
OURS = {"heading", "paragraph", "table", "thead", "tbody", "tr", "th", "td", "inline", "text"}


def read(markdown):
    """Kinds of elements in a text, and the words that a reader sees."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin).use(myst_role_plugin)
    flat = [one for token in parser.parse(markdown) for one in (token, *(token.children or ()))]
    kinds = {token.type.removesuffix("_open").removesuffix("_close") for token in flat}
    return kinds, ["".join(t.content for t in token.children) for token in flat if token.children]


@pytest.fixture(scope="module")
def run():
    return investigate(Options(n_targets=4, n_sequences=20, control=False))


@pytest.mark.parametrize("words", HOSTILE)
def test_a_report_shows_every_name_as_it_is(run, words):
    options = replace(run.options, model=words, article=words, target=words)
    article = replace(run.article, title=words, address=words, revision=words, licence=words)
    kinds, seen = read(write_report(replace(run, options=options, article=article), floor=0.25))
    assert kinds <= OURS
    assert words in seen  # the article, in a cell of its own
    assert f"{words} (12 blocks, width 192)" in seen and repr(words) in seen
    assert article.attribution in seen


def test_an_address_and_numbers_stand_unchanged(run):
    address = "https://en.wikipedia.org/w/index.php?title=Turkish_coffee"
    article = replace(run.article, address=address)
    report = write_report(replace(run, article=article), floor=0.25)
    assert f"({address})" in report
    assert f"| Tokens | {run.n_tokens}, of them {run.n_unique} unique |" in report


@pytest.mark.parametrize("words", HOSTILE)
def test_an_atlas_shows_names_and_errors_as_they_are(words):
    summary = np.linspace(-1, 1, 24).reshape(2, 2, 2, 3)
    facts = {"model": words, "target": repr(words)}
    markdown = write_atlas([(facts, summary, summary)], [{"model": "m", "says": words}], {})
    kinds, seen = read(markdown)
    assert kinds <= OURS
    assert seen.count(words) == 5 and seen.count(repr(words)) == 4
