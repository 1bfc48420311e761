"""An article of Wikipedia: its text, and what it says of its origin."""

import json
import re
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import requests
import wikipedia
from bs4 import GuessedAtParserWarning
from requests.adapters import HTTPAdapter, Retry
from urllib3.exceptions import HTTPError

from layerlab.errors import ArticleError
from layerlab.texts import Article, as_seen

WIKIPEDIA = "wikipedia:"
EXAMPLE = "Turkish coffee"
# What is asked of a wiki about one revision of a page, and about itself.
FACTS_ASKED = {
    "prop": "info|revisions",
    "inprop": "url",
    "rvprop": "ids|timestamp",
    "meta": "siteinfo",
    "siprop": "rightsinfo",
}
OFFLINE = "use the article 'embedded' or a text file"
USER_AGENT = "layerlab/1.0 (textbook on language models; python-wikipedia)"
SILENCE = 10.0  # seconds of silence until Wikipedia counts as unreachable
LONGEST = 60.0  # seconds for one answer: a server may never be silent, and never come to an end
MOST_QUESTIONS = 10  # for one article; two are usual, and each redirect asks one more
# Only a server that is out of order for a moment is asked again: after 1 second and after 2.
RETRIES = Retry(
    total=2,
    connect=0,
    read=False,
    backoff_factor=0.5,
    status_forcelist=(500, 502, 503, 504),
    respect_retry_after_header=False,  # it may ask for an hour
    raise_on_status=False,
)
# What Wikipedia keeps out of titles, and what shows that an address was meant.
NO_TITLE = re.compile(r"[#<>\[\]|{}\x00-\x1f\x7f\ud800-\udfff]|%[0-9A-Fa-f]{2}|://")
_ASKING = threading.Lock()  # the package's way to ask is one for the whole process


def fetch_from_wikipedia(source: str, asked: str) -> Article:
    title = _check_title(asked)
    questions = _Questions(title)
    try:
        with _asked_by(questions), warnings.catch_warnings():
            # on a disambiguation page the package leaves the choice of a parser to BeautifulSoup
            warnings.simplefilter("ignore", GuessedAtParserWarning)
            page = wikipedia.page(title, auto_suggest=False)
            text = page.content
        if not isinstance(text, str):
            raise _strange_answer(title, questions.answer)
        facts = _read_facts(questions(FACTS_ASKED | {"revids": page.revision_id}))
    except wikipedia.PageError as error:
        raise ArticleError(
            f"Wikipedia has no article {title!r}: check its spelling and capitals"
        ) from error
    except wikipedia.DisambiguationError as error:
        raise ArticleError(
            f"{title!r} may mean several articles on Wikipedia: choose one"
            f"{_name_choices(error.options, {title, error.title})}"
        ) from error
    except requests.RequestException as error:
        raise ArticleError(
            f"Wikipedia cannot be reached for {title!r} ({type(error).__name__}): connect to the "
            f"network, or {OFFLINE}"
        ) from error
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError) as error:
        # so the package fails at an answer that is shaped otherwise than it expects
        raise _strange_answer(title, questions.answer) from error
    return Article(text, source, **facts)


def _read_facts(answer: dict[str, Any]) -> dict[str, str]:
    """An article's facts in the answer to `FACTS_ASKED`; of the revision that was read."""
    query = answer["query"]
    (page,) = query["pages"].values()
    (revision,) = page["revisions"]
    name, address = (query["rightsinfo"][part] for part in ("text", "url"))
    facts = {
        "title": page["title"],
        "address": page["canonicalurl"],
        "revision": str(revision["revid"]),
        "time": revision["timestamp"],
        "language": page["pagelanguage"],
        "licence": f"{name} ({address})" if name and address else name or address,
    }
    if not all(isinstance(fact, str) for fact in facts.values()):
        raise TypeError(f"a fact is no text: {facts}")
    return facts


def _check_title(asked: str) -> str:
    """The title as Wikipedia writes it, or an error if no article can be called so."""
    named = asked
    if "://" in asked:
        named = asked.partition("/wiki/")[2].partition("?")[0]
    meant = NO_TITLE.split(unquote(named))[0].replace("_", " ")
    meant = " ".join(as_seen(meant).split())
    found = NO_TITLE.search(asked)
    if not meant or found:
        what = f"holds {found.group()!r}, as no title does" if found else "names no article"
        raise ArticleError(
            f"{asked or WIKIPEDIA!r} {what}: write the title as it stands above an article of the "
            f"English Wikipedia, {f'{WIKIPEDIA}{meant or EXAMPLE}'!r} for example"
        )
    return meant


def _name_choices(options: list[str], asked: set[str]) -> str:
    """The first titles of a disambiguation page that do not lead back to it."""
    own = {f"{title}{end}".casefold() for title in asked for end in ("", " (disambiguation)")}
    titles = dict.fromkeys(option.strip() for option in options)
    choices = [repr(title) for title in titles if title and title.casefold() not in own]
    return f", such as {', '.join(choices[:5])}" if choices else " of those that its page names"


class _Questions:
    """What the wikipedia package asks for one article, put with limits on time and on number."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.n_asked = 0
        self.answer: Any = None  # the last one

    def __call__(self, params: dict[str, Any]) -> Any:
        self.n_asked += 1
        if self.n_asked > MOST_QUESTIONS:
            raise ArticleError(
                f"Wikipedia's redirects from {self.title!r} come to no end: choose another article"
            )
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=RETRIES))
            response = session.get(
                wikipedia.wikipedia.API_URL,
                params={"format": "json", "action": "query"} | params,
                headers={"User-Agent": USER_AGENT},  # who does not say who asks is turned away
                timeout=SILENCE,
                stream=True,
            )
            self.answer = self._read(response)
        self._check_pages()
        return self.answer

    def _read(self, response: requests.Response) -> Any:
        if not response.ok:
            raise _refusal(self.title, response)
        try:
            return json.loads(_read_body(response))
        except ValueError as error:
            kind = response.headers.get("Content-Type", "of no stated kind")
            raise ArticleError(
                f"the answer about {self.title!r} is not Wikipedia's (no JSON, but {kind}): sign "
                f"in to the network if it asks for that, or {OFFLINE}"
            ) from error

    def _check_pages(self) -> None:
        """Refuse what the package takes for an article; what has no pages is left to it."""
        pages = self.answer["query"]["pages"] if "pages" in self.answer.get("query", {}) else {}
        for page in pages.values():
            if "invalid" in page or "special" in page:
                reason = page.get("invalidreason", "it is a page that Wikipedia makes when asked")
                raise ArticleError(
                    f"{self.title!r} is no article of Wikipedia ({reason}): give an article's title"
                )


def _read_body(response: requests.Response) -> bytes:
    end, pieces = time.monotonic() + LONGEST, []
    try:
        while piece := response.raw.read1(2**16, decode_content=True):
            pieces.append(piece)
            if time.monotonic() > end:
                raise requests.ReadTimeout(f"no whole answer within {LONGEST} seconds")
    except HTTPError as error:  # urllib3's, which requests passes on as its own elsewhere
        raise requests.ConnectionError(error) from error
    return b"".join(pieces)


def _strange_answer(title: str, answer: Any) -> ArticleError:
    """What there is to say of an answer that holds no article."""
    query = answer.get("query") if isinstance(answer, dict) else None
    if isinstance(query, dict) and query.get("interwiki"):
        return ArticleError(
            f"{title!r} is a page of another wiki, and only the English Wikipedia is read: give "
            "an English title, or save the page as a text file"
        )
    error = answer.get("error") if isinstance(answer, dict) else None
    what = f"the error {error}" if error else repr(answer)[:80]
    return ArticleError(
        f"Wikipedia's answer about {title!r} holds no article, but {what}: try again later, or "
        f"{OFFLINE}"
    )


def _refusal(title: str, response: requests.Response) -> ArticleError:
    status = f"{response.status_code} {response.reason}".strip()
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        wait = response.headers.get("Retry-After", "")
        when = f"in {wait} seconds" if wait.isdecimal() else f"after {wait}" if wait else "later"
        way = f"it has had too many questions from here, so ask again {when}"
    elif response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        way = "it, or a proxy on the way, turns this computer away, so ask from another network"
    elif response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        way = "it is out of order, so try again later"
    else:
        way = "it does not take the question, so check the title"
    return ArticleError(f"Wikipedia answers {title!r} with {status}: {way}, or {OFFLINE}")


@contextmanager
def _asked_by(ask: Callable[[dict[str, Any]], Any]) -> Iterator[None]:
    """Let the wikipedia package put its questions through `ask`.

    By itself the package waits without limit, and takes every answer for an article's, whatever
    its status.
    """
    with _ASKING:
        before = wikipedia.wikipedia._wiki_request
        wikipedia.wikipedia._wiki_request = ask
        try:
            yield
        finally:
            wikipedia.wikipedia._wiki_request = before
