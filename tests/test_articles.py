"""Articles from the package, from files, and from a Wikipedia that lives on this machine."""

import codecs
import contextlib
import json
import socket
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlparse

import pytest
import wikipedia

from layerlab import articles, wikis
from layerlab.articles import Article, fetch_article, load_article
from layerlab.errors import ArticleError

TEXT = "Turkish coffee is unfiltered.\n\n\n== History ==\nIt reached Istanbul in 1543."
PAGES = {
    "Turkish coffee": {"pageid": 7, "title": "Turkish coffee", "fullurl": "http://x/7"},
    "Empty": {"pageid": 8, "title": "Empty", "fullurl": "http://x/8"},
    "Mercury": {"pageid": 9, "title": "Mercury", "pageprops": {"disambiguation": ""}},
    "Venus": {"pageid": 10, "title": "Venus", "pageprops": {"disambiguation": ""}},
    "Nowhere": {"title": "Nowhere", "missing": ""},
    "Special:Random": {"ns": -1, "title": "Special:Random", "special": ""},
    "Tea" * 99: {"title": "Tea", "invalid": "", "invalidreason": "The title is too long."},
    "Shapeless": {"pageid": 11, "title": "Shapeless", "fullurl": "http://x/11"},
}
EXTRACTS = {"Turkish coffee": TEXT, "Empty": "", "Shapeless": None}
CHOICES = {
    "Mercury": ["mercury", "Mercury (planet)", "Mercury (disambiguation)", "Mercury (element)", ""],
    "Venus": ["Venus"],
}
REDIRECTS = {
    "Turk coffee": "Turkish coffee",
    "Café turc": "Turkish coffee",
    "Hither": "Thither",
    "Thither": "Hither",
}
ODD = {  # answers of which none holds an article
    "Broken": {"error": {"code": "internal"}},
    "Null": None,
    "List": [],
    "Number": 3,
    "No pages": {"query": {"pages": []}},
    "Null query": {"query": None},
    "Null page": {"query": {"pages": {"7": None}}},
    "Nothing": {"batchcomplete": ""},
    "de:Kaffee": {"query": {"interwiki": [{"title": "de:Kaffee", "iw": "de"}]}},
}
REFUSALS = {  # status, headers, body
    "Login": (200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"),
    "Busy": (503, {"Retry-After": "3600"}, b"<html>busy</html>"),
    "Forbidden": (403, {}, b"{}"),
    "Gone": (410, {}, b"{}"),
    "Often": (429, {"Retry-After": "120"}, b"{}"),
    "Too often": (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, b"{}"),
    "Very often": (429, {}, b"{}"),
    "Half": (200, {"Content-Length": "99"}, b"{}"),
}


REVISIONS = {"Unlicensed": 3, "Factless": 4, "Numbered": 5, "Twofold": 6}
PAGE = {
    "title": "Turkish coffee",
    "canonicalurl": "https://x/wiki/Turkish_coffee",
    "pagelanguage": "en",
    "revisions": [{"revid": 2, "timestamp": "2026-10-21T07:28:00Z"}],
}
RIGHTS = {"text": "CC BY-SA 4.0", "url": "https://x/by-sa"}
FACTS = {  # by revision
    "2": {"query": {"pages": {"7": PAGE}, "rightsinfo": RIGHTS}},
    "3": {"query": {"pages": {"7": PAGE}, "rightsinfo": {"text": "", "url": ""}}},
    "4": {"query": {"badrevids": {"4": {"revid": 4}}}},
    "5": {"query": {"pages": {"7": PAGE | {"title": 5}}, "rightsinfo": RIGHTS}},
    "6": {"query": {"pages": {"7": PAGE, "8": PAGE}, "rightsinfo": RIGHTS}},
}
for number, title in enumerate(REVISIONS, start=20):
    PAGES[title] = {"pageid": number, "title": title, "fullurl": f"http://x/{number}"}
    EXTRACTS[title] = TEXT


def answer(query: dict) -> dict:
    """What Wikipedia's API answers to the questions that the wikipedia package asks."""
    if "revids" in query:
        return FACTS[query["revids"]]
    title = query["titles"]
    if title in ODD:
        return ODD[title]
    if title in REDIRECTS and "info" in query["prop"]:
        redirect = {"from": title, "to": REDIRECTS[title]}
        return {"query": {"redirects": [redirect], "pages": {"7": PAGES["Turkish coffee"]}}}
    page = dict(PAGES[title])
    if "extracts" in query["prop"]:
        page["extract"] = EXTRACTS[title]
        page["revisions"] = [{"revid": REVISIONS.get(title, 2), "parentid": 1}]
    elif query["prop"] == "revisions":
        page["revisions"] = [{"*": "".join(f"<li><a>{name}</a></li>" for name in CHOICES[title])}]
    return {"query": {"pages": {str(page.get("pageid", -1)): page}}}


class Wikipedia(BaseHTTPRequestHandler):
    agents: ClassVar[list] = []
    stumbles: ClassVar[list] = []  # the statuses of its next answers

    def do_GET(self):
        query = {name: values[0] for name, values in parse_qs(urlparse(self.path).query).items()}
        self.agents.append(self.headers["User-Agent"])
        refusal = REFUSALS.get(query.get("titles", ""))
        status, headers, body = refusal or (200, {}, json.dumps(answer(query)).encode())
        if self.stumbles:
            status = self.stumbles.pop()
        self.send_response(status)
        for header in headers.items():
            self.send_header(*header)
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
    monkeypatch.setattr(wikis, "RETRIES", wikis.RETRIES.new(backoff_factor=0))
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


def test_wikipedia(local_wikipedia):
    Wikipedia.agents.clear()
    assert load_article("wikipedia:Turkish coffee") == TEXT
    assert set(Wikipedia.agents) == {wikis.USER_AGENT}


def test_wikipedia_says_which_edit_was_read_and_under_which_licence(local_wikipedia):
    article = fetch_article("wikipedia:Turk coffee")
    assert article == Article(
        text=TEXT,
        source="wikipedia:Turk coffee",
        title="Turkish coffee",
        address="https://x/wiki/Turkish_coffee",
        revision="2",
        time="2026-10-21T07:28:00Z",
        language="en",
        licence="CC BY-SA 4.0 (https://x/by-sa)",
    )
    assert article.attribution == (
        "The text is “Turkish coffee” (https://x/wiki/Turkish_coffee, revision 2 of "
        "2026-10-21T07:28:00Z); its licence is CC BY-SA 4.0 (https://x/by-sa)."
    )


def test_wiki_without_a_licence(local_wikipedia):
    article = fetch_article("wikipedia:Unlicensed")
    assert article.licence == ""
    assert article.attribution.endswith("; its wiki states no licence.")


@pytest.mark.parametrize("title", ["Factless", "Numbered", "Twofold"])
def test_facts_that_are_none(local_wikipedia, title):
    with pytest.raises(ArticleError, match=f"Wikipedia's answer about '{title}' holds no article"):
        load_article(f"wikipedia:{title}")


def test_origin_of_a_file_and_of_the_embedded_article(tmp_path):
    path = tmp_path / "tea.txt"
    path.write_text("Tea.", encoding="utf-8")
    assert fetch_article(path) == Article("Tea.", str(path))
    assert "states neither origin nor licence" in fetch_article(path).attribution
    licence = (Path(__file__).parents[1] / "LICENSE-TEXT.md").read_text(encoding="utf-8")
    name, address = fetch_article("embedded").licence.rstrip(")").split(" (")
    assert name in licence
    assert address in licence


@pytest.mark.parametrize(
    "title", [" Turk coffee", "Turk_coffee", "Turk\xa0coffee", "Cafe\u0301 turc"]
)
def test_wikipedia_follows_a_redirect(local_wikipedia, title):
    assert load_article(f"wikipedia:{title}") == TEXT


def test_wikipedia_that_stumbles_is_asked_again(local_wikipedia, monkeypatch):
    monkeypatch.setattr(Wikipedia, "stumbles", [503, 502])
    assert load_article("wikipedia:Turkish coffee") == TEXT
    assert Wikipedia.stumbles == []


def test_redirects_in_a_circle(local_wikipedia):
    with pytest.raises(ArticleError, match="redirects from 'Hither' come to no end"):
        load_article("wikipedia:Hither")


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


def test_wikipedia_title_of_several_meanings_without_a_choice(local_wikipedia):
    with pytest.raises(ArticleError, match="choose one of those that its page names"):
        load_article("wikipedia:Venus")


@pytest.mark.parametrize(
    ("source", "found", "meant"),
    [
        ("wikipedia: ", "'wikipedia:' names no article", "Turkish coffee"),
        ("wikipedia:A|B", "'A|B' holds '|'", "A"),
        ("wikipedia:|", "'|' holds '|'", "Turkish coffee"),
        ("wikipedia:Tea%20pot", "'Tea%20pot' holds '%20'", "Tea pot"),
        ("wikipedia:Tea#History", "'Tea#History' holds '#'", "Tea"),
        ("wikipedia:[[Tea]]", "'[[Tea]]' holds '['", "Turkish coffee"),
        ("wikipedia:Caf\udce9", r"'Caf\udce9' holds '\udce9'", "Caf"),
        ("wikipedia:https://x.org/wiki/Tea_pot#Use", "pot#Use' holds '://'", "Tea pot"),
        ("https://x.org/wiki/Caf%C3%A9?action=edit", "holds '://'", "Café"),
        ("http://x.org/w/index.php?title=Tea", "holds '://'", "Turkish coffee"),
    ],
)
def test_what_is_no_title(source, found, meant):
    with pytest.raises(ArticleError) as caught:
        load_article(source)
    assert found in str(caught.value)
    assert f"English Wikipedia, 'wikipedia:{meant}' for example" in str(caught.value)


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("Broken", "'Broken' holds no article, but the error {'code': 'internal'}: try again"),
        ("Null", "'Null' holds no article, but None: try again later, or use"),
        ("List", "holds no article, but []"),
        ("Number", "holds no article, but 3"),
        ("No pages", "holds no article, but {'query': {'pages': []}}"),
        ("Null query", "holds no article"),
        ("Null page", "holds no article"),
        ("Nothing", "holds no article"),
        ("Shapeless", "holds no article"),
        ("de:Kaffee", "'de:Kaffee' is a page of another wiki, and only the English"),
        ("Special:Random", "'Special:Random' is no article of Wikipedia (it is a page that"),
        ("Tea" * 99, "is no article of Wikipedia (The title is too long.): give"),
        ("Login", "'Login' is not Wikipedia's (no JSON, but text/html): sign in"),
        ("Busy", "'Busy' with 503 Service Unavailable: it is out of order, so try again later"),
        ("Forbidden", "with 403 Forbidden: it, or a proxy on the way, turns this computer away"),
        ("Gone", "with 410 Gone: it does not take the question"),
        ("Often", "with 429 Too Many Requests: it has had too many questions from here, so ask "
         "again in 120 seconds, or use the article 'embedded'"),
        ("Too often", "ask again after Wed, 21 Oct 2026 07:28:00 GMT"),
        ("Very often", "ask again later"),
    ],
)  # fmt: skip
def test_wikipedia_answers_with_no_article(local_wikipedia, title, message):
    with pytest.raises(ArticleError) as caught:
        load_article(f"wikipedia:{title}")
    assert message in str(caught.value)


def test_the_package_asks_by_itself_afterwards(local_wikipedia):
    before = wikipedia.wikipedia._wiki_request
    for title in ("Turkish coffee", "Null"):
        with contextlib.suppress(ArticleError):
            load_article(f"wikipedia:{title}")
    assert wikipedia.wikipedia._wiki_request is before


def test_wikipedia_cannot_be_reached(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    point_wikipedia_at(monkeypatch, port)  # nobody listens there any more
    with pytest.raises(ArticleError, match=r"cannot be reached for 'Turkish coffee'.*'embedded'"):
        load_article("wikipedia:Turkish coffee")


def test_wikipedia_that_never_answers(monkeypatch):
    monkeypatch.setattr(wikis, "SILENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes the call and says nothing
        point_wikipedia_at(monkeypatch, server.getsockname()[1])
        with pytest.raises(ArticleError, match="ReadTimeout") as caught:
            load_article("wikipedia:Turkish coffee")
    assert "timeout=0.2" in str(caught.value.__cause__)


def answer_slowly(server, stop):
    """Take one call, promise much, and send a little at a time until told to stop."""
    caller, _ = server.accept()
    with caller, contextlib.suppress(OSError):  # the caller hangs up
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not stop.wait(0.01):
            caller.sendall(b" ")


def test_wikipedia_that_never_comes_to_an_end(monkeypatch):
    monkeypatch.setattr(wikis, "LONGEST", 0.05)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        point_wikipedia_at(monkeypatch, server.getsockname()[1])
        thread = threading.Thread(target=answer_slowly, args=(server, stop), daemon=True)
        thread.start()
        with pytest.raises(ArticleError, match="cannot be reached.*ReadTimeout"):
            load_article("wikipedia:Turkish coffee")
        stop.set()
        thread.join()


def test_wikipedia_that_breaks_off(local_wikipedia):
    with pytest.raises(ArticleError, match="cannot be reached for 'Half'.*ConnectionError"):
        load_article("wikipedia:Half")
