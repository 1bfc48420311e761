"""Articles from the package, from files, and from a Wikipedia that lives on this machine."""

import codecs
import json
import socket
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlparse

import pytest
import wikipedia

from layerlab import articles
from layerlab.articles import load_article
from layerlab.errors import ArticleError

TEXT = "Turkish coffee is unfiltered.\n\n\n== History ==\nIt reached Istanbul in 1543."
PAGES = {
    "Turkish coffee": {"pageid": 7, "title": "Turkish coffee", "fullurl": "http://x/7"},
    "Empty": {"pageid": 8, "title": "Empty", "fullurl": "http://x/8"},
    "Mercury": {"pageid": 9, "title": "Mercury", "pageprops": {"disambiguation": ""}},
    "Nowhere": {"title": "Nowhere", "missing": ""},
}
EXTRACTS = {"Turkish coffee": TEXT, "Empty": ""}
CHOICES = "<ul><li><a>Mercury (planet)</a></li><li><a>Mercury (element)</a></li></ul>"


def answer(query: dict) -> dict:
    """What Wikipedia's API answers to the questions that the wikipedia package asks."""
    if query["titles"] == "Broken":
        return {"error": {"code": "internal"}}
    if query["titles"] == "Turk coffee" and "info" in query["prop"]:
        redirect = {"from": "Turk coffee", "to": "Turkish coffee"}
        return {"query": {"redirects": [redirect], "pages": {"7": PAGES["Turkish coffee"]}}}
    page = dict(PAGES[query["titles"]])
    if "extracts" in query["prop"]:
        page["extract"] = EXTRACTS[query["titles"]]
        page["revisions"] = [{"revid": 2, "parentid": 1}]
    elif query["prop"] == "revisions":
        page["revisions"] = [{"*": CHOICES}]
    return {"query": {"pages": {str(page.get("pageid", -1)): page}}}


class Wikipedia(BaseHTTPRequestHandler):
    agents: ClassVar[list] = []

    def do_HEAD(self):
        self.send_response(301)
        self.end_headers()

    def do_GET(self):
        query = {name: values[0] for name, values in parse_qs(urlparse(self.path).query).items()}
        self.agents.append(self.headers["User-Agent"])
        busy = query["titles"] == "Busy"
        body = b"<html>busy</html>" if busy else json.dumps(answer(query)).encode()
        self.send_response(503 if busy else 200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def local_wikipedia(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Wikipedia)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    point_wikipedia_at(monkeypatch, server.server_port)
    yield
    server.shutdown()
    server.server_close()
    thread.join()


def point_wikipedia_at(monkeypatch, port: int):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(wikipedia.wikipedia, "API_URL", f"http://127.0.0.1:{port}/w/api.php")


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
    assert load_article() == articles.EMBEDDED.read_text(encoding="utf-8")


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


def test_wikipedia(local_wikipedia):
    Wikipedia.agents.clear()
    assert load_article("wikipedia:Turkish coffee") == TEXT
    assert set(Wikipedia.agents) == {articles.USER_AGENT}


def test_wikipedia_follows_a_redirect(local_wikipedia):
    assert load_article("wikipedia: Turk coffee") == TEXT


def test_wikipedia_has_no_such_article(local_wikipedia):
    with pytest.raises(ArticleError, match="Wikipedia has no article 'Nowhere'"):
        load_article("wikipedia:Nowhere")


def test_wikipedia_title_with_several_meanings(local_wikipedia):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ArticleError, match=r"choose one, such as 'Mercury \(planet\)', 'Merc"):
            load_article("wikipedia:Mercury")


def test_wikipedia_article_without_text(local_wikipedia):
    with pytest.raises(ArticleError, match="'wikipedia:Empty' has no text"):
        load_article("wikipedia:Empty")


def test_wikipedia_without_a_title():
    with pytest.raises(ArticleError, match="names no article"):
        load_article("wikipedia: ")


@pytest.mark.parametrize(
    ("title", "message"), [("Busy", "is not readable"), ("Broken", "holds no article")]
)
def test_wikipedia_answers_nonsense(local_wikipedia, title, message):
    with pytest.raises(ArticleError, match=message):
        load_article(f"wikipedia:{title}")


def test_wikipedia_cannot_be_reached(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    point_wikipedia_at(monkeypatch, port)  # nobody listens there any more
    with pytest.raises(ArticleError, match=r"cannot be reached for 'Turkish coffee'.*'embedded'"):
        load_article("wikipedia:Turkish coffee")


def test_wikipedia_that_never_answers(monkeypatch):
    monkeypatch.setattr(articles, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes the call and says nothing
        point_wikipedia_at(monkeypatch, server.getsockname()[1])
        with pytest.raises(ArticleError, match="ReadTimeout") as caught:
            load_article("wikipedia:Turkish coffee")
    assert "timeout=0.2" in str(caught.value.__cause__)
