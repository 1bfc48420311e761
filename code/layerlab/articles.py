"""The text of an article: shipped with the course, from a file, or from a wiki."""

import codecs
import re
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from layerlab.cache import find_kept, keep
from layerlab.errors import ArticleError
from layerlab.texts import Article, as_seen
from layerlab.wikis import EXAMPLE, is_on_a_wiki, read_page

READS = ("data/articles",)  # relative to this file; the site's build looks for changes there
EMBEDDED_ARTICLE = files("layerlab") / READS[0] / "turkish_coffee.txt"
EMBEDDED_FACTS = {  # as LICENSE-TEXT.md states it
    "title": EXAMPLE,
    "language": "en",
    "licence": "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)",
}
# Marks at the start of a file that say how it is encoded; without one it has to be UTF-8.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
GIVE = "give 'embedded', the path of a text file, 'wikipedia:Title', or a wiki page's address"
MOST_BYTES = 2**28  # of a file, which may be a device that never ends
NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\ud800-\udfff]")  # control characters, and half ones


def load_article(source: str = "embedded", *, refresh: bool = False) -> str:
    """Text of an article, headings in Wikipedia's style (``== History ==``).

    Parameters
    ----------
    source : str
        ``"embedded"`` for the course's own article about Turkish coffee; ``"wikipedia:Title"`` for
        an article of the English Wikipedia, ``"wikipedia:de:Titel"`` of the German one, and so on;
        the address of an article in any wiki that runs MediaWiki, ``"https://host/wiki/Title"``,
        also with ``http`` where the wiki has no other; anything else is the path of a text file:
        UTF-8, or UTF-16 with a byte-order mark.
    refresh : bool
        Ask a wiki again. By default an article that was read from it before is the same again, and
        needs no network: it is kept in the user's cache folder, or where the environment variable
        ``LAYERLAB_CACHE`` says.

    Returns
    -------
    str
        As a reader sees it: what looks the same is the same. A line ends with ``\\n``, every kind
        of space within a line is a plain one, accents are one character with their letter (NFC),
        and characters that are only hints where to break a line are left out.

    Raises
    ------
    ArticleError
        If there is no such article, its wiki cannot be reached, or the article has no text.

    Examples
    --------
    >>> load_article()[:14]
    'Turkish coffee'
    """
    return fetch_article(source, refresh=refresh).text


def fetch_article(source: str = "embedded", *, refresh: bool = False) -> Article:
    """An article with what is known of its origin.

    Parameters
    ----------
    source, refresh
        As for `load_article`.

    Returns
    -------
    Article

    Raises
    ------
    ArticleError
        As `load_article`.

    Warns
    -----
    ArticleWarning
        If a wiki's article cannot be kept for later, or one that was kept is damaged.

    Examples
    --------
    >>> article = fetch_article("embedded")
    >>> article.title, article.licence
    ('Turkish coffee', 'CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)')
    """
    source = str(source)
    if not source.strip():
        raise ArticleError(f"{source!r} names no article: {GIVE}")
    if is_on_a_wiki(source):
        return (None if refresh else find_kept(source)) or _read_anew(source)
    if source == "embedded":
        article = Article(_read_file(EMBEDDED_ARTICLE), source, **EMBEDDED_FACTS)
    else:
        article = Article(_read_file(Path(source)), source)
    return _as_seen(article)


def _read_anew(source: str) -> Article:
    article = _as_seen(read_page(source))
    keep(article)
    return article


def _as_seen(article: Article) -> Article:
    return replace(article, text=_check_text(article.source, as_seen(article.text)))


def _check_text(source: str, text: str) -> str:
    if not text.strip():
        raise ArticleError(f"the article {source!r} has no text: choose another")
    if found := NO_TEXT.search(text):
        raise ArticleError(
            f"the article {source!r} is no plain text: it holds {found.group()!r}; "
            "save its text alone, as UTF-8"
        )
    return text


def _read_file(path: Traversable) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        raise ArticleError(
            f"cannot read the article {str(path)!r} ({getattr(error, 'strerror', error)}): {GIVE}"
        ) from error
    if len(data) > MOST_BYTES:
        raise ArticleError(
            f"{str(path)!r} has more than {MOST_BYTES >> 20} MiB, or no end: give the text of one "
            "article"
        )
    mark = next((mark for mark in BYTE_ORDER_MARKS if data.startswith(mark)), b"")
    encoding = BYTE_ORDER_MARKS.get(mark, "utf-8")
    try:
        return data.removeprefix(mark).decode(encoding)
    except UnicodeDecodeError as error:
        place = len(mark) + error.start
        raise ArticleError(
            f"{str(path)!r} is not {encoding.upper()} text (byte {place}): save it as UTF-8"
        ) from error
