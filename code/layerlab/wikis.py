"""An article of a wiki: found by its name or its address, with what is known of its origin."""

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urljoin, urlsplit

import wikipedia
from bs4 import BeautifulSoup, SoupStrainer

from layerlab._validate import check_characters
from layerlab.errors import ArticleError
from layerlab.questions import ADDRESSES, CONTROL, Questions, Wiki, as_said, package_asks_by
from layerlab.texts import Article, as_seen

WIKIPEDIA = "wikipedia:"
EXAMPLE = "Turkish coffee"
ENGLISH = "https://en.wikipedia.org/w/api.php"
# Where a wiki answers programs if its pages do not say so, seen from the root of its host.
WELL_KNOWN = ("/w/api.php", "/api.php", "/wiki/api.php")
# Wikis without the extension that marks a page of several meanings mark it by such a template.
SEVERAL_MEANINGS = "|".join(
    f"Template:{name}"
    for name in (
        *("Disambiguation", "Disambig", "Dab", "Begriffsklärung", "Homonymie", "Desambiguación"),
        *("Desambiguação", "Disambigua", "Doorverwijspagina", "Неоднозначность", "曖昧さ回避"),
    )
)
# What is asked of a wiki about a page. One letter of its extract tells whether there are extracts.
PAGE_ASKED = {
    "prop": "info|pageprops|templates|extracts",
    "ppprop": "disambiguation",
    "tltemplates": SEVERAL_MEANINGS,
    "explaintext": "",
    "exchars": "1",
    "redirects": "",
    "converttitles": "",
    "iwurl": "",
}
# What is asked about one revision of a page, and about the wiki itself.
FACTS_ASKED = {
    "prop": "info|revisions",
    "inprop": "url",
    "rvprop": "ids|timestamp",
    "meta": "siteinfo",
    "siprop": "rightsinfo",
}
SITE_ASKED = {"action": "query", "meta": "siteinfo"}
HTML_ASKED = {
    "action": "parse",
    "prop": "text|revid",
    "disableeditsection": "",
    "disablelimitreport": "",
    "disabletoc": "",
}
BLOCKS = ("p", "h2", "h3", "h4", "h5", "h6", "li", "dt", "dd")
# Not the article's own words; the same that a wiki's extracts leave out.
ASIDES = (
    "table, figure, script, style, input, ul.gallery, div:not(.mw-parser-output, .mw-heading), "
    ".mw-editsection, sup.reference, ol.references, .error, .nomobile, .noprint, .noexcerpt, "
    ".sortkey"
)
LANGUAGE = re.compile(r"([a-z][a-z-]+):\S")
# What no wiki lets into titles, and what shows that an address was meant.
NO_TITLE = re.compile(r"[#<>\[\]|{}\x00-\x1f\x7f\ud800-\udfff]|%[0-9A-Fa-f]{2}|://")


def is_on_a_wiki(source: str) -> bool:
    """Whether a source names a page of a wiki, and no file."""
    return source.startswith((WIKIPEDIA, *ADDRESSES))


def read_page(source: str) -> Article:
    """The article that a wiki has under a name or an address.

    Parameters
    ----------
    source : str
        ``wikipedia:Title``, also with a language's code before the title, or the address of a page
        of any wiki that runs MediaWiki.

    Returns
    -------
    Article
        Its text is as the wiki gives it.

    Raises
    ------
    ArticleError
        If it cannot be had, for whatever reason.
    """
    if source.startswith(ADDRESSES):
        return _read(source, *_find_page(source))
    asked = source.removeprefix(WIKIPEDIA).strip()
    if asked.startswith(ADDRESSES):
        raise ArticleError(f"{asked!r} is an address: give it without {WIKIPEDIA!r}")
    title = _check_title(asked, before=WIKIPEDIA)
    return _read(source, Wiki("Wikipedia", ENGLISH), title, leads_on=True)


def _read(source: str, wiki: Wiki, title: str, *, leads_on: bool = False) -> Article:
    """A page, also where the wiki only knows which other one has it, as with a language's code."""
    with Questions(wiki, title) as ask:
        query = ask(PAGE_ASKED | {"titles": title})["query"]
        if "interwiki" in query:
            address = _as_text(query["interwiki"][0]["url"])
        else:
            page = _check_page(ask, query)
            taken = "extracts" if "extract" in page else "parse"
            text, revision = _extract(ask, page) if taken == "extracts" else _parse(ask, page)
            facts = _read_facts(ask(FACTS_ASKED | {"revids": revision}))
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return Article(text, source, taken=taken, read=now, **facts)
    if not leads_on:
        raise ArticleError(f"{title!r} is no page of {wiki.name}, but of another: give {address!r}")
    return _read(source, *_find_page(address))


def _read_facts(answer: dict[str, Any]) -> dict[str, str]:
    """An article's facts in the answer to `FACTS_ASKED`; of the revision that was read."""
    query = answer["query"]
    (page,) = query["pages"].values()
    (revision,) = page["revisions"]
    name, address = (query["rightsinfo"][part] for part in ("text", "url"))
    facts = {
        "title": page["title"],
        "address": page["canonicalurl"],
        "revision": f"{revision['revid']:d}",  # it names a file
        "time": revision["timestamp"],
        "language": page["pagelanguage"],
        "licence": f"{name} ({address})" if name and address else name or address,
    }
    return {name: " ".join(CONTROL.sub(" ", fact).split()) for name, fact in facts.items()}


# ---- which page is meant ---------------------------------------------------------------------


def _check_title(asked: str, before: str) -> str:
    """The title as a wiki writes it, or an error if no article can be called so."""
    meant = NO_TITLE.split(unquote(asked))[0].replace("_", " ")
    meant = " ".join(as_seen(meant).split())
    found = NO_TITLE.search(asked)
    if not meant or found:
        what = f"holds {found.group()!r}, as no title does" if found else "names no article"
        raise ArticleError(
            f"{asked or before!r} {what}: write the title as it stands above the article, "
            f"{f'{before}{meant or EXAMPLE}'!r} for example"
        )
    return meant


def _find_page(address: str) -> tuple[Wiki, str]:
    """The wiki that an address leads to, and the title that it names there."""
    parts = _check_address(address)
    with Questions(Wiki(parts.netloc, address), address) as ask:
        wiki = Wiki(parts.netloc, _find_api(ask, address))
    with Questions(wiki, address) as ask:
        site = ask(SITE_ASKED)["query"]["general"]
        path, script = site["articlepath"], f"{site['script']}/$1"
        before, named = _split_address(parts, (script, path))  # a path "/$1" takes all the rest
        start = _join(parts, path.partition("$1")[0])
    if not before:
        raise ArticleError(
            f"{address!r} names no article of {wiki.name}: give the address of one, which begins "
            f"with {start!r}"
        )
    return wiki, _check_title(named, before)


def _check_address(address: str) -> SplitResult:
    """The parts of an address that leads to a page as it is now, and to nothing else."""
    check_characters("the address", address, ArticleError)
    try:
        parts = urlsplit(address)
        others = parse_qs(parts.query, keep_blank_values=True).keys() - {"title"}
    except ValueError as error:
        raise ArticleError(f"{address!r} is no address ({error}): copy it anew") from error
    if "@" in parts.netloc:  # what is asked for is kept beside the results, for all to read
        raise ArticleError(
            f"the address at {parts.netloc.rpartition('@')[2]!r} holds a name or a password: give "
            "it without, or save the page as a text file"
        )
    if not parts.hostname:
        raise ArticleError(f"{address!r} names no host: copy the article's address anew")
    if others or parts.fragment:
        extra = f"#{parts.fragment}" if parts.fragment else f"{min(others)}="
        raise ArticleError(
            f"{address!r} asks by {extra!r} for more than an article as it is now: give its "
            "address alone"
        )
    return parts


def _split_address(parts: SplitResult, starts: tuple[str, ...]) -> tuple[str, str]:
    """What stands before a title in an address, and the title; nothing where there is none."""
    if "title" in (asked := parse_qs(parts.query, keep_blank_values=True)):
        return f"{_join(parts, parts.path)}?title=", asked["title"][0]
    for start in starts:
        head, mark, tail = start.partition("$1")
        if mark and parts.path.startswith(head) and parts.path.endswith(tail):
            return _join(parts, head), unquote(parts.path[len(head) :].removesuffix(tail))
    return "", ""


def _join(parts: SplitResult, path: str) -> str:
    return f"{parts.scheme}://{parts.netloc}{path}"


def _find_api(ask: Questions, address: str) -> str:
    """Where the wiki of a page answers programs: as the page says, or where that is usual."""
    page, body = ask.get(address)
    only_links = SoupStrainer("link", rel="EditURI", href=True)
    html = body.decode("utf-8", "replace")  # an address is ASCII, whatever the page is written in
    if link := BeautifulSoup(html, "html.parser", parse_only=only_links).find("link"):
        found = urljoin(page.url, str(link["href"])).partition("?")[0]
        secure = address.startswith("https:")  # a wiki behind a proxy may not know that it is
        return found.replace("http:", "https:", 1) if secure else found
    if not page.ok and page.status_code != HTTPStatus.NOT_FOUND:
        raise ask.refusal(page)
    script, index, _ = urlsplit(address).path.partition("index.php")
    for place in (*([f"{script}api.php"] if index else []), *WELL_KNOWN):
        found = urljoin(address, place)
        _, body = ask.get(found, SITE_ASKED | {"format": "json"})
        if re.search(rb'"generator":\s*"MediaWiki', body):
            return found
    raise ArticleError(
        f"{address!r} is no page of a wiki that runs MediaWiki: save its text as a file"
    )


# ---- what there is under a title -------------------------------------------------------------


def _check_page(ask: Questions, query: dict[str, Any]) -> dict[str, Any]:
    """What the answer to `PAGE_ASKED` says of the one article, if it is one."""
    if "pages" not in query and "redirects" in query:
        raise ask.endless()
    (page,) = query["pages"].values()
    title = page["title"]
    if "invalid" in page or "special" in page:
        reason = as_said(page.get("invalidreason", "it is a page that a wiki makes when asked"))
        raise ArticleError(
            f"{ask.title!r} is no article of {ask.wiki.name} ({reason}): give an article's title"
        )
    if "missing" in page:
        code = LANGUAGE.match(ask.title) if ask.wiki.api == ENGLISH else None
        also = f", nor an edition in a language with the code {code[1]!r}" if code else ""
        raise ArticleError(
            f"{ask.wiki.name} has no article {ask.title!r}{also}: check its spelling and capitals"
        )
    if "pageprops" in page or "templates" in page:
        choices = _read_choices(_ask_html(ask, page)["text"]["*"])
        raise ArticleError(
            f"{ask.title!r} may mean several articles on {ask.wiki.name}: choose one"
            f"{_name_choices(choices, {ask.title, title})}"
        )
    return page


def _read_choices(html: str) -> list[str]:
    items = BeautifulSoup(html, "html.parser").find_all("li")
    return [link.get_text() for link in (item.find("a") for item in items) if link is not None]


def _name_choices(options: list[str], asked: set[str]) -> str:
    """The first titles of a disambiguation page that do not lead back to it."""
    own = {f"{title}{end}".casefold() for title in asked for end in ("", " (disambiguation)")}
    titles = dict.fromkeys(option.strip() for option in options)
    choices = [repr(title) for title in titles if title and title.casefold() not in own]
    return f", such as {', '.join(choices[:5])}" if choices else " of those that its page names"


# ---- its text --------------------------------------------------------------------------------


def _extract(ask: Questions, page: dict[str, Any]) -> tuple[str, int]:
    """The text and its revision, from a wiki that makes extracts, as the wikipedia package asks."""
    with package_asks_by(ask):  # also for the revision: of an empty text it asks once more
        found = wikipedia.page(page["title"], auto_suggest=False)
        return _as_text(found.content), found.revision_id


def _as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _parse(ask: Questions, page: dict[str, Any]) -> tuple[str, int]:
    """The text and its revision, from any wiki: out of what it makes for browsers."""
    found = _ask_html(ask, page)
    return _read_words(found["text"]["*"]), found["revid"]


def _ask_html(ask: Questions, page: dict[str, Any]) -> dict[str, Any]:
    return ask(HTML_ASKED | {"oldid": page["lastrevid"]})["parse"]


def _read_words(html: str) -> str:
    soup = BeautifulSoup(html, "html.parser")
    for aside in soup.select(ASIDES):
        aside.decompose()
    lines = []
    for block in soup.find_all(BLOCKS):
        own = (piece for piece in block.strings if piece.find_parent(BLOCKS) is block)
        if words := " ".join("".join(own).split()):
            mark = "=" * int(block.name[1]) if block.name.startswith("h") else ""
            lines.append(f"{mark} {words} {mark}".strip())
    return "\n\n".join(lines) + "\n"
