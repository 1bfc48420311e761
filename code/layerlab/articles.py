"""The text of an article: shipped with the course, from a file, or from Wikipedia."""

import codecs
import re
import unicodedata
import warnings
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import requests
import wikipedia
from bs4 import GuessedAtParserWarning

from layerlab.errors import ArticleError

READS = ("data/articles",)  # relative to this file; the site's build looks for changes there
EMBEDDED = files("layerlab") / READS[0] / "turkish_coffee.txt"
WIKIPEDIA = "wikipedia:"
USER_AGENT = "layerlab/1.0 (textbook on language models; python-wikipedia)"
TIMEOUT = 10.0  # seconds until Wikipedia counts as unreachable
# Marks at the start of a file that say how it is encoded; without one it has to be UTF-8.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\ud800-\udfff]")  # control characters, and half ones
INVISIBLE = "\N{SOFT HYPHEN}\N{ZERO WIDTH SPACE}\N{WORD JOINER}\N{ZERO WIDTH NO-BREAK SPACE}"


def load_article(source: str = "embedded") -> str:
    """Text of an article, headings in Wikipedia's style (``== History ==``).

    Parameters
    ----------
    source : str
        ``"embedded"`` for the course's own article about Turkish coffee, ``"wikipedia:Title"`` for
        an article of the English Wikipedia, anything else is the path of a text file: UTF-8, or
        UTF-16 with a byte-order mark.

    Returns
    -------
    str
        As a reader sees it: what looks the same is the same. A line ends with ``\\n``, every kind
        of space within a line is a plain one, accents are one character with their letter (NFC),
        and characters that are only hints where to break a line are left out.

    Raises
    ------
    ArticleError
        If there is no such article, Wikipedia cannot be reached, or the article has no text.

    Examples
    --------
    >>> load_article()[:14]
    'Turkish coffee'
    """
    source = str(source)
    if source.startswith(WIKIPEDIA):
        text = _fetch_from_wikipedia(source.removeprefix(WIKIPEDIA).strip())
    else:
        text = _read_file(EMBEDDED if source == "embedded" else Path(source))
    text = _as_seen(text)
    if not text.strip():
        raise ArticleError(f"the article {source!r} has no text: choose another")
    if found := NO_TEXT.search(text):
        raise ArticleError(
            f"the article {source!r} is no plain text: it holds {found.group()!r}; "
            "save its text alone, as UTF-8"
        )
    return text


def _as_seen(text: str) -> str:
    """The text without differences that no reader sees but every tokenizer does."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    spaces = {ord(mark): " " for mark in set(text) if unicodedata.category(mark) == "Zs"}
    return unicodedata.normalize("NFC", text.translate(spaces | dict.fromkeys(map(ord, INVISIBLE))))


def _read_file(path: Traversable) -> str:
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        raise ArticleError(
            f"cannot read the article {str(path)!r} ({getattr(error, 'strerror', error)}): give "
            "'embedded', the path of a text file, or 'wikipedia:Title'"
        ) from error
    mark = next((mark for mark in BYTE_ORDER_MARKS if data.startswith(mark)), b"")
    encoding = BYTE_ORDER_MARKS.get(mark, "utf-8")
    try:
        return data.removeprefix(mark).decode(encoding)
    except UnicodeDecodeError as error:
        place = len(mark) + error.start
        raise ArticleError(
            f"{str(path)!r} is not {encoding.upper()} text (byte {place}): save it as UTF-8"
        ) from error


def _fetch_from_wikipedia(title: str) -> str:
    if not title:
        raise ArticleError("'wikipedia:' names no article: write it as 'wikipedia:Turkish coffee'")
    wikipedia.set_user_agent(USER_AGENT)  # Wikipedia turns away clients that do not say who asks
    try:
        # The wikipedia package waits without limit, so ask first whether anyone answers.
        requests.head(
            wikipedia.wikipedia.API_URL, headers={"User-Agent": USER_AGENT}, timeout=TIMEOUT
        )
        with warnings.catch_warnings():
            # on a disambiguation page the package leaves the choice of a parser to BeautifulSoup
            warnings.simplefilter("ignore", GuessedAtParserWarning)
            return wikipedia.page(title, auto_suggest=False).content
    except wikipedia.PageError as error:
        raise ArticleError(
            f"Wikipedia has no article {title!r}: check its spelling and capitals"
        ) from error
    except wikipedia.DisambiguationError as error:
        options = ", ".join(repr(option) for option in error.options[:5])
        raise ArticleError(
            f"{title!r} may mean several articles on Wikipedia: choose one, such as {options}"
        ) from error
    except requests.exceptions.JSONDecodeError as error:
        raise ArticleError(
            f"Wikipedia's answer about {title!r} is not readable: try again later"
        ) from error
    except requests.RequestException as error:
        raise ArticleError(
            f"Wikipedia cannot be reached for {title!r} ({type(error).__name__}): connect to the "
            "network, or use the article 'embedded' or a text file"
        ) from error
    except (KeyError, wikipedia.WikipediaException) as error:
        raise ArticleError(
            f"Wikipedia's answer about {title!r} holds no article ({error}): try again later"
        ) from error
