"""What users, wikis and errors say stands in a report as words, and as nothing else."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

from layerlab import Options, investigate
from layerlab.markdown import write_atlas, write_report
from layerlab.texts import Article

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
HARMLESS = "word"  # whatever is said, a report has the elements that it has for this


def read(markdown):
    """How many elements of each kind are in a text, and the words that a reader sees."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin).use(myst_role_plugin)
    flat = [one for token in parser.parse(markdown) for one in (token, *(token.children or ()))]
    kinds = Counter(token.type for token in flat if not token.type.startswith("text"))
    return kinds, ["".join(t.content for t in token.children) for token in flat if token.children]


@pytest.fixture(scope="module")
def run():
    return investigate(Options(n_targets=4, n_sequences=20, control=False))


@pytest.mark.parametrize("words", HOSTILE)
def test_a_report_shows_every_name_as_it_is(run, words):
    def report(said):
        options = replace(run.options, model=said, article=said, target=said)
        article = replace(run.article, title=said, address=said, revision=said, licence=said)
        whole = write_report(replace(run, options=options, article=article), floor=0.25)
        return article, *read(whole)

    article, kinds, seen = report(words)
    assert kinds == report(HARMLESS)[1]
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

    def report(said):
        facts = {"model": said, "target": repr(said)}
        texts = [Article("", "x", title=said, licence=said)]
        failures = [{"model": "m", "says": said}]
        return read(write_atlas([(facts, summary, summary)], failures, {"a.png": "A"}, texts))

    kinds, seen = report(words)
    assert kinds == report(HARMLESS)[0]
    assert seen.count(words) == 5 and seen.count(repr(words)) == 4
