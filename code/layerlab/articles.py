"""The text of an article: shipped with the course, from a file, or from Wikipedia."""

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


def load_article(source: str = "embedded") -> str:
    """Text of an article, headings in Wikipedia's style (``== History ==``).

    Parameters
    ----------
    source : str
        ``"embedded"`` for the course's own article about Turkish coffee, ``"wikipedia:Title"`` for
        an article of the English Wikipedia, anything else is the path of a UTF-8 text file.

    Returns
    -------
    str

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
    if not text.strip():
        raise ArticleError(f"the article {source!r} has no text: choose another")
    return text


def _read_file(path: Traversable) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ArticleError(
            f"{str(path)!r} is not UTF-8 text (byte {error.start}): save it as UTF-8"
        ) from error
    except OSError as error:
        raise ArticleError(
            f"cannot read the article {str(path)!r} ({error.strerror}): give 'embedded', "
            "the path of a text file, or 'wikipedia:Title'"
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
