"""Articles from a wiki that lives on this machine, and fails in every way."""

import contextlib
import socket
import threading
import time

import pytest
import requests
import wikipedia
from wiki import TEXT, WORDS

from layerlab import questions, wikis
from layerlab.articles import Article, fetch_article, load_article
from layerlab.errors import ArticleError


def point_wikipedia_at(monkeypatch, port: int):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(wikis, "ENGLISH", f"http://127.0.0.1:{port}/w/api.php")


def test_wikipedia(wiki):
    assert load_article("wikipedia:Turkish coffee") == TEXT
    assert wiki.agents == {questions.USER_AGENT}


def test_wikipedia_says_which_edit_was_read_and_under_which_licence(wiki):
    before = time.gmtime(time.time() - 1)
    article = fetch_article("wikipedia:Turk coffee")
    assert before <= time.strptime(article.read, "%Y-%m-%dT%H:%M:%SZ") <= time.gmtime()
    assert article == Article(
        text=TEXT,
        source="wikipedia:Turk coffee",
        title="Turkish coffee",
        address="https://x/wiki/Turkish_coffee",
        revision="2",
        time="2026-10-21T07:28:00Z",
        language="en",
        licence="CC BY-SA 4.0 (https://x/by-sa)",
        taken="extracts",
        read=article.read,
    )
    assert article.attribution == (
        "The text is “Turkish coffee” (https://x/wiki/Turkish_coffee, revision 2 of "
        f"2026-10-21T07:28:00Z, read {article.read}); its licence is CC BY-SA 4.0 (https://x/by-sa)."
    )
    assert article.credit == "“Turkish coffee”, revision 2, CC BY-SA 4.0"


def test_wiki_without_a_licence(wiki):
    article = fetch_article("wikipedia:Unlicensed")
    assert article.licence == ""
    assert article.attribution.endswith("; its wiki states no licence.")
    assert article.credit == "“Turkish coffee”, revision 3"


def test_no_fact_is_a_command_to_a_terminal(wiki):
    assert fetch_article("wikipedia:Coloured").licence == "[31mCC"


@pytest.mark.parametrize("title", ["Factless", "Numbered", "Twofold"])
def test_facts_that_are_none(wiki, title):
    with pytest.raises(ArticleError, match=f"answer of Wikipedia about '{title}' holds no article"):
        load_article(f"wikipedia:{title}")


@pytest.mark.parametrize(
    "title", [" Turk coffee", "Turk_coffee", "Turk\xa0coffee", "Cafe\u0301 turc"]
)
def test_wikipedia_follows_a_redirect(wiki, title):
    assert load_article(f"wikipedia:{title}") == TEXT


def test_wikipedia_that_stumbles_is_asked_again(wiki):
    wiki.stumbles += [(503, {}), (502, {"Retry-After": "soon"})]
    assert load_article("wikipedia:Turkish coffee") == TEXT
    assert wiki.stumbles == []


def test_wikipedia_that_asks_for_a_short_wait_gets_it(wiki):
    wiki.stumbles.append((429, {"Retry-After": "1"}))
    began = time.monotonic()
    assert load_article("wikipedia:Turkish coffee") == TEXT
    assert time.monotonic() > began + 1


def test_wikipedia_that_asks_for_a_long_wait_is_not_asked_again(wiki):
    wiki.stumbles.append((429, {"Retry-After": "6"}))
    with pytest.raises(ArticleError, match="ask again in 6 seconds"):
        load_article("wikipedia:Turkish coffee")
    assert wiki.paths == ["/w/api.php"]


def test_wikipedia_that_is_busy_again_and_again(wiki):
    wiki.stumbles += [(429, {"Retry-After": "0"})] * 3
    with pytest.raises(ArticleError, match="with 429 Too Many Requests: .* ask again in 0 seconds"):
        load_article("wikipedia:Turkish coffee")


@pytest.mark.parametrize("title", ["Hither", "Restless"])
def test_redirects_without_end(wiki, title):
    with pytest.raises(ArticleError, match=f"redirects of Wikipedia from '{title}' come to no end"):
        load_article(f"wikipedia:{title}")


def test_wikipedia_has_no_such_article(wiki):
    with pytest.raises(ArticleError, match="Wikipedia has no article 'Nowhere'"):
        load_article("wikipedia:Nowhere")


def test_wikipedia_title_with_several_meanings(wiki):
    with pytest.raises(ArticleError, match=r"choose one, such as 'Mercury \(planet\)', 'Merc"):
        load_article("wikipedia:Mercury")


def test_several_meanings_that_only_a_template_tells_of(wiki):
    with pytest.raises(ArticleError, match=r"choose one, such as 'Mars \(planet\)'$"):
        load_article("wikipedia:Mars")


def test_wikipedia_article_without_text(wiki):
    with pytest.raises(ArticleError, match="'wikipedia:Empty' has no text"):
        load_article("wikipedia:Empty")


def test_wikipedia_title_of_several_meanings_without_a_choice(wiki):
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
    ],
)
def test_what_is_no_title(source, found, meant):
    with pytest.raises(ArticleError) as caught:
        load_article(source)
    assert found in str(caught.value)
    assert f"stands above the article, 'wikipedia:{meant}' for example" in str(caught.value)


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
        ("Nameless", "holds no article"),
        ("Private", "Wikipedia shows 'Private' only to those who sign in: sign in there, and save"),
        ("xx:Kaffee", "Wikipedia has no article 'xx:Kaffee', nor an edition in a language with the "
         "code 'xx': check its spelling"),
        ("de:fr:Café", "'fr:Café' is no page of 127.0.0.1:"),
        ("Special:Random", "'Special:Random' is no article of Wikipedia (it is a page that"),
        ("Tea" * 99, "is no article of Wikipedia (The title is too long.): give"),
        ("Login", "about 'Login' is not that of Wikipedia (no JSON, but text/html): sign in"),
        ("Busy", "'Busy' with 503 Service Unavailable: it is out of order, so ask again in 3600"),
        ("Forbidden", "with 403 Forbidden: it, or a proxy on the way, turns this computer away"),
        ("Gone", "with 410 Gone: it does not take the question"),
        ("Often", "with 429 Too Many Requests: it has had too many questions from here, so ask "
         "again in 120 seconds, or use the article 'embedded'"),
        ("Too often", "ask again after Wed, 21 Oct 2076 07:28:00 GMT"),
        ("Very often", "ask again later"),
        ("Loud", "ask again after  [31mnow, or use"),
    ],
)  # fmt: skip
def test_wikipedia_answers_with_no_article(wiki, title, message):
    with pytest.raises(ArticleError) as caught:
        load_article(f"wikipedia:{title}")
    assert message in str(caught.value)


def test_the_package_asks_by_itself_afterwards(wiki):
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
    monkeypatch.setattr(questions, "SILENCE", 0.2)
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
    monkeypatch.setattr(questions, "LONGEST", 0.05)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        point_wikipedia_at(monkeypatch, server.getsockname()[1])
        thread = threading.Thread(target=answer_slowly, args=(server, stop), daemon=True)
        thread.start()
        with pytest.raises(ArticleError, match="cannot be reached.*ReadTimeout"):
            load_article("wikipedia:Turkish coffee")
        stop.set()
        thread.join()


def test_wikipedia_that_breaks_off(wiki):
    with pytest.raises(ArticleError, match="cannot be reached for 'Half'.*ConnectionError"):
        load_article("wikipedia:Half")


def test_wikipedia_that_sends_too_much(wiki, monkeypatch):
    monkeypatch.setattr(questions, "LARGEST", 20)
    with pytest.raises(ArticleError, match="cannot be reached.*ReadTimeout"):
        load_article("wikipedia:Turkish coffee")


# Other wikis


@pytest.mark.parametrize(
    "path", ["/wiki/Turk_coffee", "/wiki/Caf%C3%A9%20turc", "/wiki/Café turc",
             "/w/index.php?title=Turk+coffee", "/w/index.php/Turkish_coffee"]
)  # fmt: skip
def test_article_by_its_address(wiki, path):
    article = fetch_article(f"http://{wiki.host}{path}")
    assert (article.text, article.title, article.revision) == (TEXT, "Turkish coffee", "2")


@pytest.mark.parametrize(
    ("article_path", "path"),
    [
        ("/$1", "/Turkish_coffee"),
        ("/$1", "/w/index.php/Turkish_coffee"),
        ("/$1/read", "/Turkish_coffee/read"),
        ("/w/index.php?title=$1", "/w/index.php?title=Turkish_coffee"),
    ],
)
def test_wikis_have_their_articles_at_different_places(wiki, article_path, path):
    wiki.article_path = article_path
    assert load_article(f"http://{wiki.host}{path}") == TEXT


def test_where_the_articles_of_a_wiki_are_is_said(wiki):
    wiki.article_path = "/w/index.php?title=$1"
    with pytest.raises(
        ArticleError, match=rf"begins with 'http://{wiki.host}/w/index.php\?title='"
    ):
        load_article(f"http://{wiki.host}/w/elsewhere")


def test_wiki_that_says_nothing_sensible_of_itself(wiki):
    wiki.article_path = None
    with pytest.raises(ArticleError, match="the answer of 127.0.0.1:.* holds no article"):
        load_article(wiki.address)


@pytest.mark.parametrize("api", ["http://{}/deep/api.php?action=rsd", "../deep/api.php"])
def test_a_page_says_where_its_wiki_answers(wiki, api):
    wiki.api = api.format(wiki.host)
    load_article(wiki.address)
    assert set(wiki.paths) == {"/wiki/Turkish_coffee", "/deep/api.php"}


@pytest.mark.parametrize("path", ["/wiki/Turkish_coffee", "/deep/index.php?title=Turkish_coffee"])
def test_a_page_that_does_not_say_where_its_wiki_answers(wiki, path):
    wiki.api, wiki.status = "", 404
    assert load_article(f"http://{wiki.host}{path}") == TEXT


def test_page_of_no_wiki(wiki):
    wiki.api, wiki.is_mediawiki = "", False
    with pytest.raises(ArticleError, match="is no page of a wiki that runs MediaWiki: save its"):
        load_article(wiki.address)


def test_wiki_that_turns_us_away(wiki):
    wiki.api, wiki.status = "", 403
    with pytest.raises(ArticleError, match="^127.0.0.1:.* with 403 Forbidden: it, or a proxy"):
        load_article(wiki.address)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("wiki/Nowhere", " has no article 'Nowhere': check"),
        ("wiki/Mercury", "'Mercury' may mean several articles on 127.0.0.1"),
        ("wiki/Often", " answers 'Often' with 429"),
        ("wiki/Broken", "the answer of 127.0.0.1"),
        ("wiki/de:Kaffee", "'de:Kaffee' is no page of 127.0.0.1"),
        ("wiki/A%7CB", "'A|B' holds '|', as no title does"),
        ("wiki/", "names no article"),
        ("elsewhere", "names no article of 127.0.0.1"),
    ],
)
def test_what_is_said_names_the_wiki_that_was_asked(wiki, path, says):
    with pytest.raises(ArticleError) as caught:
        load_article(f"http://{wiki.host}/{path}")
    assert says in str(caught.value)
    assert wiki.host in str(caught.value)
    assert "Wikipedia" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("wikipedia:https://x.org/wiki/Tea", "is an address: give it without 'wikipedia:'"),
        ("https://x.org/wiki/Tea#Use", "asks by '#Use' for more than an article as it is now"),
        ("https://x.org/w/index.php?title=Tea&oldid=3", "asks by 'oldid=' for more"),
        ("https://x.org/wiki/Tea?action=edit", "asks by 'action=' for more"),
        ("https://x.org:x/wiki/Tea", "cannot be reached for 'https://x.org:x/wiki/Tea' (Invalid"),
        ("https:///wiki/Tea", "names no host"),
        ("https://[x/wiki/Tea", "is no address (Invalid IPv6 URL): copy it anew"),
        ("https://x.org/wiki/Caf\udce9", "holds '\\udce9', which is no character"),
    ],
)
def test_address_of_no_article(address, says):
    with pytest.raises(ArticleError) as caught:
        load_article(address)
    assert says in str(caught.value)


def test_a_password_in_an_address_is_not_repeated():
    with pytest.raises(ArticleError, match="at 'x.org' holds a name or a password") as caught:
        load_article("https://me:secret@x.org/wiki/Tea")
    assert "secret" not in str(caught.value)


def test_wiki_of_another_language(wiki):
    article = fetch_article("wikipedia:de:Kaffee")
    assert (article.text, article.source) == (TEXT, "wikipedia:de:Kaffee")


def test_wiki_without_extracts(wiki):
    wiki.has_extracts = False
    article = fetch_article(wiki.address)
    assert article.text == WORDS
    assert (article.taken, article.revision) == ("parse", "2")


@pytest.mark.parametrize(
    "hops", [["https://x.org", "http://x.org"], ["http://y.org", "https://x.org"]]
)
def test_a_safe_address_never_leads_to_an_unsafe_one(monkeypatch, hops):
    answers = [requests.Response() for _ in hops]
    for answer, url in zip(answers, hops, strict=True):
        answer.url = url
    answers[-1].history = answers[:-1]
    monkeypatch.setattr(requests.Session, "get", lambda *_, **__: answers[-1])
    with pytest.raises(ArticleError, match="where anybody on the way could change the text"):
        load_article("https://x.org/wiki/Tea")


def test_a_safe_page_that_names_an_unsafe_place_is_asked_safely(monkeypatch):
    page = requests.Response()
    page.url = "https://x.org/wiki/Tea"
    body = b'<link rel="EditURI" href="http://x.org/w/api.php?action=rsd">'
    monkeypatch.setattr(questions.Questions, "get", lambda *_: (page, body))
    with questions.Questions(questions.Wiki("x.org", page.url), page.url) as ask:
        assert wikis._find_api(ask, page.url) == "https://x.org/w/api.php"


# Whatever is wrong in one place of one answer


def places(value, way=()):
    """The way to each part of an answer: keys and numbers."""
    yield way
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*way, key))


def changed(value, way, part):
    """The same answer with another part at one place."""
    if not way:
        return part
    value = value.copy()
    value[way[0]] = changed(value[way[0]], way[1:], part)
    return value


@pytest.mark.parametrize("source", ["wikipedia:Turkish coffee", "wikipedia:de:Kaffee", "ADDRESS"])
@pytest.mark.parametrize("part", [None, 3, "\x1b", [], {}], ids=repr)
def test_each_part_of_each_answer_may_be_another(wiki, monkeypatch, source, part):
    wiki.has_extracts = source != "ADDRESS"
    source = source.replace("ADDRESS", wiki.address)
    say, said, edits = wiki.say, [], {}  # by the number of the answer

    def say_otherwise(query):
        said.append(say(query))
        way = edits.get(len(said))
        return said[-1] if way is None else changed(said[-1], way, part)

    monkeypatch.setattr(wiki, "say", say_otherwise)
    monkeypatch.setattr(questions.Questions, "get", ask_without_network(wiki))
    assert fetch_article(source).revision == "2"
    tried = [(n, way) for n, answer in enumerate(said, start=1) for way in places(answer)]
    assert len(tried) > 30
    for n, way in tried:
        said.clear()
        edits.clear()
        edits[n] = way
        with contextlib.suppress(ArticleError):
            facts = fetch_article(source, refresh=True).facts
            assert all(isinstance(fact, str) and fact.isprintable() for fact in facts.values())


def ask_without_network(wiki):
    def get(self, address, params=None):
        response = requests.Response()
        response.url = address
        asked = {name: str(value) for name, value in (params or {}).items()}
        response.status_code, _, body = wiki.answer(requests.utils.urlparse(address).path, asked)
        return response, body

    return get
