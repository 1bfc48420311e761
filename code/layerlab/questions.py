"""How a wiki is asked: patiently, within limits, and with a sentence for whatever goes wrong."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
import wikipedia
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError, ResponseError
from urllib3.util import Retry

from layerlab.errors import ArticleError

ADDRESSES = ("https://", "http://")
OFFLINE = "use the article 'embedded' or a text file"
USER_AGENT = "layerlab/1.0 (textbook on language models; python-wikipedia)"
SILENCE = 10.0  # seconds without a byte, until a wiki counts as unreachable
LONGEST = 60.0  # seconds for one answer: a server may never be silent, and never come to an end
LARGEST = 64 * 2**20  # bytes of one answer; the longest articles have a tenth of that
LONGEST_WAIT = 5.0  # seconds that a busy wiki may ask to be left alone, and is waited for
MOST_QUESTIONS = 10  # for one article; the package asks anew for each redirect that it is told of
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# So the package and we fail at an answer that is shaped otherwise than expected.
STRANGE = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    RecursionError,  # of what is nested more deeply than any article
    wikipedia.WikipediaException,
)
_ASKING = threading.Lock()  # the package's way to ask is one for the whole process


class Patience(Retry):
    """Waits for as long as a busy server asks, if that is a few seconds; else its answer stands."""

    def get_retry_after(self, response: Any) -> float | None:
        try:
            return super().get_retry_after(response)
        except InvalidHeader:
            return None

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> "Patience":
        if response is not None and (self.get_retry_after(response) or 0) > LONGEST_WAIT:
            raise MaxRetryError(_pool, url, ResponseError("it asks for a long wait"))
        return super().increment(method, url, response, error, _pool, _stacktrace)


# Only a server that is out of order for a moment, or says how long it is busy, is asked again:
# twice at most, and if it does not say when, at once and then after a second.
RETRIES = Patience(
    total=2,
    connect=0,
    read=False,
    backoff_factor=0.5,
    status_forcelist=(500, 502, 503, 504),
    raise_on_status=False,
)


@dataclass(frozen=True)
class Wiki:
    """A wiki by the name that sentences call it, and the address where it answers programs."""

    name: str
    api: str


class Questions:
    """What is asked of one wiki about one article, with limits on time and on number.

    As a context it says in a sentence what is wrong with the wiki's answer, or with the way to it.
    """

    def __init__(self, wiki: Wiki, title: str) -> None:
        self.wiki, self.title = wiki, title
        self.n_asked = 0
        self.answer: Any = None  # the last one

    def __call__(self, params: dict[str, Any]) -> Any:
        """What the wiki answers to programs."""
        self.n_asked += 1
        if self.n_asked > MOST_QUESTIONS:
            raise self.endless()
        response, body = self.get(self.wiki.api, {"format": "json", "action": "query"} | params)
        if not response.ok:
            raise self.refusal(response)
        try:
            self.answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            kind = as_said(response.headers.get("Content-Type", "of no stated kind"))
            raise ArticleError(
                f"the answer about {self.title!r} is not that of {self.wiki.name} (no JSON, but "
                f"{kind}): sign in to the network if it asks for that, or {OFFLINE}"
            ) from error
        return self.answer

    def get(
        self, address: str, params: dict[str, str] | None = None
    ) -> tuple[requests.Response, bytes]:
        """Whatever answers at an address, and its body; never by a less safe way than asked."""
        headers = {"User-Agent": USER_AGENT}  # who does not say who asks is turned away
        with requests.Session() as session:
            for scheme in ADDRESSES:
                session.mount(scheme, HTTPAdapter(max_retries=RETRIES))
            response = session.get(
                address, params=params, headers=headers, timeout=SILENCE, stream=True
            )
            way = [hop.url for hop in (*response.history, response)]
            if address.startswith("https:") and not all(url.startswith("https:") for url in way):
                raise ArticleError(
                    f"{address!r} leads to {way[-1]!r}, where anybody on the way could change the "
                    f"text: ask from another network, or {OFFLINE}"
                )
            return response, _read_body(response)

    def __enter__(self) -> "Questions":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, requests.RequestException):
            raise ArticleError(
                f"{self.wiki.name} cannot be reached for {self.title!r} ({type(error).__name__}): "
                f"connect to the network, or {OFFLINE}"
            ) from error
        if isinstance(error, STRANGE):
            raise self._strange_answer() from error

    def _strange_answer(self) -> ArticleError:
        """What there is to say of an answer that holds no article."""
        error = self.answer.get("error") if isinstance(self.answer, dict) else None
        if isinstance(error, dict) and error.get("code") == "readapidenied":
            return ArticleError(
                f"{self.wiki.name} shows {self.title!r} only to those who sign in: sign in there, "
                "and save the article as a text file"
            )
        what = f"the error {error}" if error else repr(self.answer)
        return ArticleError(
            f"the answer of {self.wiki.name} about {self.title!r} holds no article, but "
            f"{what[:200]}: try again later, or {OFFLINE}"
        )

    def endless(self) -> ArticleError:
        """What there is to say of redirects that lead back to where they began."""
        return ArticleError(
            f"the redirects of {self.wiki.name} from {self.title!r} come to no end: choose another "
            "article"
        )

    def refusal(self, response: requests.Response) -> ArticleError:
        """What there is to say of an answer that is none."""
        status = as_said(f"{response.status_code} {response.reason}").strip()
        wait = as_said(response.headers.get("Retry-After", ""))
        when = f"in {wait} seconds" if wait.isdecimal() else f"after {wait}" if wait else "later"
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            way = f"it has had too many questions from here, so ask again {when}"
        elif response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            way = "it, or a proxy on the way, turns this computer away, so ask from another network"
        elif response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            way = f"it is out of order, so ask again {when}"
        else:
            way = "it does not take the question, so check the title"
        return ArticleError(
            f"{self.wiki.name} answers {self.title!r} with {status}: {way}, or {OFFLINE}"
        )


def as_said(text: str) -> str:
    """What a server says, fit for a sentence: one line, not long, and nothing for a terminal."""
    return CONTROL.sub(" ", text)[:200]


def _read_body(response: requests.Response) -> bytes:
    end, pieces, size = time.monotonic() + LONGEST, [], 0
    try:
        with response:
            while piece := response.raw.read1(2**16, decode_content=True):
                pieces.append(piece)
                size += len(piece)
                if time.monotonic() > end or size > LARGEST:
                    limits = f"{LONGEST:.0f} seconds and {LARGEST} bytes"
                    raise requests.ReadTimeout(f"no whole answer within {limits}")
    except HTTPError as error:  # urllib3's, which requests passes on as its own elsewhere
        raise requests.ConnectionError(error) from error
    return b"".join(pieces)


@contextmanager
def package_asks_by(ask: Callable[[dict[str, Any]], Any]) -> Iterator[None]:
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
