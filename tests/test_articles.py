"""Articles from the package and from files; what wikis hold is in test_wikis."""

import codecs
from pathlib import Path

import pytest

from layerlab import articles
from layerlab.articles import Article, fetch_article, load_article
from layerlab.errors import ArticleError


def test_embedded_article_is_text_with_headings():
    text = load_article()
    assert text == load_article("embedded")
    assert "\n== " in text
    assert " coffee" in text


def test_file(tmp_path):
    path = tmp_path / "tea.txt"
    path.write_text("Tea, naïvely.", encoding="utf-8")
    assert load_article(str(path)) == load_article(path) == "Tea, naïvely."


def test_missing_file(tmp_path):
    with pytest.raises(ArticleError, match=r"cannot read the article '.*tea\.txt' \(No such file"):
        load_article(str(tmp_path / "tea.txt"))


def test_folder_is_no_article(tmp_path):
    with pytest.raises(ArticleError, match="Is a directory"):
        load_article(str(tmp_path))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no such device")
def test_what_never_ends_is_no_article(tmp_path, monkeypatch):
    monkeypatch.setattr(articles, "MOST_BYTES", 2**20)
    with pytest.raises(ArticleError, match=r"'/dev/zero' has more than 1 MiB, or no end"):
        load_article("/dev/zero")
    whole = tmp_path / "whole.txt"
    whole.write_text("tea " * 2**18, "utf-8")
    assert len(load_article(whole)) == 2**20


@pytest.mark.parametrize(
    "data",
    [
        b"Tea,\r\ncoffee.\r\n",
        b"Tea,\rcoffee.\r",
        codecs.BOM_UTF8 + b"Tea,\ncoffee.\n",
        "Tea,\ncoffee.\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + "Tea,\r\ncoffee.\r\n".encode("utf-16-be"),
    ],
)
def test_neither_encoding_nor_line_ends_change_a_text(tmp_path, data):
    (tmp_path / "tea.txt").write_bytes(data)
    assert load_article(str(tmp_path / "tea.txt")) == "Tea,\ncoffee.\n"


@pytest.mark.parametrize(
    "space", ["\xa0", "\u202f", "\u2009", "\u3000", "\xad ", " \u200b", "\ufeff "]
)
def test_what_looks_like_a_space_is_one(tmp_path, space):
    (tmp_path / "tea.txt").write_text(f"a{space}coffee", encoding="utf-8")
    assert load_article(str(tmp_path / "tea.txt")) == "a coffee"


def test_an_accent_is_one_with_its_letter(tmp_path):
    (tmp_path / "tea.txt").write_text("cafe\u0301", encoding="utf-8")
    assert load_article(str(tmp_path / "tea.txt")) == "café"


def test_embedded_article_is_what_its_file_holds():
    assert load_article() == articles.EMBEDDED_ARTICLE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("Thé".encode("latin-1"), r"is not UTF-8 text \(byte 2\): save it as UTF-8"),
        (codecs.BOM_UTF8 + b"\xff", r"is not UTF-8 text \(byte 3\)"),
        (codecs.BOM_UTF16_LE + b"T", r"is not UTF-16-LE text \(byte 2\)"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8", r"is not UTF-16-LE text"),
        (b"\x1f\x8b\x08\x00", "is not UTF-8 text"),
        ("Tea.".encode("utf-16-le"), r"is no plain text: it holds '\\x00'"),
        (codecs.BOM_UTF32_LE + "Tea.".encode("utf-32-le"), "is no plain text"),
        (b"\x1b[1mTea.", r"is no plain text: it holds '\\x1b'"),
        (b"", "has no text"),
        (codecs.BOM_UTF8, "has no text"),
        ("\xa0\r\n\u200b".encode(), "has no text"),
    ],
)
def test_file_that_is_no_text(tmp_path, data, message):
    (tmp_path / "tea.txt").write_bytes(data)
    with pytest.raises(ArticleError, match=rf"tea\.txt' {message}"):
        load_article(str(tmp_path / "tea.txt"))


@pytest.mark.parametrize("name", ["tea\0.txt", "t" * 300])
def test_name_that_no_file_has(name):
    with pytest.raises(ArticleError, match="cannot read the article 't"):
        load_article(name)


def test_origin_of_a_file_and_of_the_embedded_article(tmp_path):
    path = tmp_path / "tea.txt"
    path.write_text("Tea.", encoding="utf-8")
    assert fetch_article(path) == Article("Tea.", str(path))
    assert "states neither origin nor licence" in fetch_article(path).attribution
    assert fetch_article(path).credit == str(path)
    assert fetch_article("embedded").credit == "“Turkish coffee”, CC BY 4.0"
    licence = (Path(__file__).parents[1] / "LICENSE-TEXT.md").read_text(encoding="utf-8")
    name, address = fetch_article("embedded").licence.rstrip(")").split(" (")
    assert name in licence
    assert address in licence


@pytest.mark.parametrize("source", ["", " ", "\t\n"])
def test_no_name_at_all(source):
    with pytest.raises(ArticleError, match=r"' names no article: give 'embedded', the path of a"):
        load_article(source)
