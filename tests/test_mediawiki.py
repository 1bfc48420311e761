"""What is asked of a wiki is what a real MediaWiki answers."""

import re

import mediawiki
import numpy as np
import pytest

from layerlab import wikis
from layerlab.__main__ import main
from layerlab.articles import EMBEDDED_ARTICLE, fetch_article, load_article
from layerlab.errors import ArticleError

pytestmark = [
    pytest.mark.check,
    pytest.mark.skipif(
        not mediawiki.is_installed(), reason="MediaWiki is not installed: see CONTRIBUTING.md"
    ),
]
ARTICLE = EMBEDDED_ARTICLE.read_text(encoding="utf-8")
PAGES = {
    "Turkish coffee": ARTICLE,
    "Tea": "Tea is ''a'' drink.\n\n== Use ==\n* First\n** Inner\n{|\n| Cell\n|}\n<div>Aside</div>",
    "Turk coffee": "#REDIRECT [[Turkish coffee]]",
    "Café turc": "#REDIRECT [[Turk coffee#Etymology]]",
    "Hither": "#REDIRECT [[Thither]]",
    "Thither": "#REDIRECT [[Hither]]",
    "Mercury": "It is:\n* [[Mercury (planet)]], near\n* [[Mercury (element)]]\n{{Disambiguation}}",
    "Blank": "{|\n| Only a table\n|}",
    "Kaffee": "Kaffee ist ein Getränk.",
}


@pytest.fixture(scope="module")
def wiki(tmp_path_factory):
    """A wiki with the pages, and where each of its variants is served."""
    made = mediawiki.MediaWiki(tmp_path_factory.mktemp("mediawiki"))
    for title, text in PAGES.items():
        made.edit(title, text)
    with made.serve("plain") as plain, made.serve("extracts") as extracts:
        made.know("de", plain)
        made.edit("Abroad", "#REDIRECT [[de:Kaffee]]")
        made.addresses = {"plain": plain, "extracts": extracts}
        yield made


@pytest.fixture
def plain(wiki, monkeypatch, cache_folder):
    """A wiki that makes no extracts, and that is asked where Wikipedia is named."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    address = wiki.addresses["plain"]
    monkeypatch.setattr(wikis, "ENGLISH", f"{address}/w/api.php")
    return address


@pytest.fixture
def extracts(wiki, plain):
    return wiki.addresses["extracts"]


def test_our_article_comes_back_as_it_is(plain):
    article = fetch_article(f"{plain}/wiki/Turkish_coffee")
    assert article.text == ARTICLE
    assert article.taken == "parse"
    assert (article.title, article.language) == ("Turkish coffee", "en")
    assert article.address == article.source
    assert article.licence == fetch_article("embedded").licence
    assert article.revision.isdecimal() and article.time < article.read


def test_an_extract_differs_in_blank_lines_alone(extracts):
    article = fetch_article(f"{extracts}/wiki/Turkish_coffee")
    assert article.taken == "extracts"
    assert article.text != ARTICLE
    assert re.sub("\n+", "\n", article.text) == re.sub("\n+", "\n", ARTICLE).rstrip()


@pytest.mark.parametrize("variant", ["plain", "extracts"])
def test_lists_and_what_is_no_text(request, variant):
    text = load_article(f"{request.getfixturevalue(variant)}/wiki/Tea")
    words = ["Tea is a drink.", "== Use ==", "First", "Inner"]
    assert [line for line in text.splitlines() if line] == words


@pytest.mark.parametrize("variant", ["plain", "extracts"])
@pytest.mark.parametrize(
    "path", ["wiki/Turk_coffee", "wiki/Caf%C3%A9_turc", "wiki/Cafe\u0301 turc",
             "wiki/turkish coffee", "w/index.php?title=Turk_coffee", "w/index.php/Turkish_coffee"]
)  # fmt: skip
def test_every_way_to_an_article(request, variant, path):
    article = fetch_article(f"{request.getfixturevalue(variant)}/{path}")
    assert article.title == "Turkish coffee"


@pytest.mark.parametrize("variant", ["plain", "extracts"])
@pytest.mark.parametrize(
    ("title", "says"),
    [
        ("Nowhere", " has no article 'Nowhere': check its spelling"),
        ("Mercury", "such as 'Mercury (planet)', 'Mercury (element)'"),
        ("Hither", "redirects of 127.0.0.1"),
        ("Special:Random", "'Special:Random' is no article of 127"),
        ("Blank", "has no text: choose another"),
        ("de:Kaffee", "'de:Kaffee' is no page of 127.0.0.1"),
        ("Abroad", "'Abroad' is no page of 127.0.0.1"),
        ("T" * 300, "is no article of 127.0.0.1"),
        ("A%7CB", "'A|B' holds '|'"),
        ("", "names no article"),
    ],
)
def test_what_is_no_article(request, variant, title, says):
    address = request.getfixturevalue(variant)
    with pytest.raises(ArticleError) as caught:
        load_article(f"{address}/wiki/{title}")
    assert says in str(caught.value)


def test_a_language_leads_to_its_wiki(plain):
    article = fetch_article("wikipedia:de:Kaffee")
    assert article.text == PAGES["Kaffee"] + "\n"
    assert article.address == f"{plain}/wiki/Kaffee"
    with pytest.raises(ArticleError, match="nor an edition in a language with the code 'xx'"):
        load_article("wikipedia:xx:Kaffee")


def test_a_wiki_that_asks_to_sign_in(wiki, plain):
    with wiki.serve("private") as address, pytest.raises(ArticleError, match="only to those who"):
        load_article(f"{address}/wiki/Turkish_coffee")


def test_a_page_that_goes_on(wiki, plain):
    wiki.edit("Growing", "One.")
    source = f"{plain}/wiki/Growing"
    first = fetch_article(source)
    wiki.edit("Growing", "One. Two.")
    assert fetch_article(source) == first
    second = fetch_article(source, refresh=True)
    assert (second.text, fetch_article(source)) == ("One. Two.\n", second)
    assert int(second.revision) > int(first.revision)


def test_the_whole_command_and_once_more_without_the_wiki(wiki, plain, tmp_path, capsys):
    with wiki.serve("plain") as address:
        words = ["--article", f"{address}/wiki/Turkish_coffee", "--no-control", "--out"]
        assert main([*words, str(tmp_path / "first")]) == 0
    assert main([*words, str(tmp_path / "second")]) == 0
    assert "layerlab: " not in capsys.readouterr().err
    first, second = (np.load(tmp_path / run / "results.npz") for run in ("first", "second"))
    for name in first.files:
        np.testing.assert_array_equal(first[name], second[name])
    facts = dict(first["article"].tolist())
    report = (tmp_path / "first" / "report.md").read_text(encoding="utf-8")
    assert all(facts[name] in report for name in ("title", "address", "revision", "time", "read"))
