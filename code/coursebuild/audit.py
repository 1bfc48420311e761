"""What a finished page must keep: pictures that speak, links that lead somewhere, no strangers.

Sphinx warns about references that it resolves itself. What notebooks show as HTML of their own,
and what the theme adds, it takes as it comes. So the built pages are read once more, as a browser
would read them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

SHORTEST_ALT = 15  # characters; "A plot" and "Figure 3" tell a listener nothing
FILE_NAME = re.compile(r"^\S+\.(png|svg|jpe?g|gif|webp|pdf)$", re.IGNORECASE)
HASH = re.compile(r"[0-9a-f]{20,}")
DATA_URI = re.compile(r"""(?<=["'(])data:[^"')]*""")
FETCHED_LINKS = {"stylesheet", "preload", "modulepreload", "prefetch", "icon", "manifest"}
FETCHED_LINKS |= {"preconnect", "dns-prefetch", "shortcut", "apple-touch-icon"}
FETCHING_TAGS = {"script", "img", "iframe", "source", "video", "audio", "embed", "track", "input"}
STYLE_REQUEST = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""")


@dataclass
class Page:
    """What the audit wants to know about one page.

    Attributes
    ----------
    images : list of (str, str or None)
        The name of each image for a message, and its alternative text; None if it has none.
    requests : list of str
        Addresses that a browser fetches by itself when it shows the page.
    links : list of str
        Addresses that a reader may follow.
    anchors : set of str
        Places in the page that a link can lead to.
    """

    images: list[tuple[str, str | None]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)


class _PageReader(HTMLParser):
    """Collects a `Page` from HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.page.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        if tag == "a" and values.get("href"):
            self.page.links.append(values["href"])
        is_seen_only = values.get("aria-hidden") == "true"  # the words beside it say the same
        if tag == "img" and not (is_seen_only and values.get("alt") == ""):
            self.page.images.append((values.get("src") or "", values.get("alt")))
        if tag == "svg" and not is_seen_only:
            self.page.images.append(("an inline drawing", values.get("aria-label")))
        if tag in FETCHING_TAGS:
            self.page.requests += [values[key] for key in ("src", "srcset") if values.get(key)]
        if tag == "object" and values.get("data"):
            self.page.requests.append(values["data"])
        if tag == "link" and FETCHED_LINKS & set((values.get("rel") or "").lower().split()):
            self.page.requests.append(values.get("href") or "")


def read_page(html: str) -> Page:
    """Read what the audit needs from a page; pictures kept in the page itself are cut short."""
    reader = _PageReader()
    reader.feed(DATA_URI.sub("data:", html))
    reader.close()
    return reader.page


def image_problems(page: Page) -> Iterator[str]:
    """Yield a sentence for each image whose alternative text would not help anybody."""
    for source, alt in page.images:
        text = (alt or "").strip()
        if not text:
            yield f"image {source!r} has no alternative text"
        elif FILE_NAME.match(text) or HASH.search(text):
            yield f"image {source!r}: a file name is no alternative text: {text!r}"
        elif len(text) < SHORTEST_ALT:
            yield (
                f"image {source!r}: the alternative text {text!r} is shorter than "
                f"{SHORTEST_ALT} characters; say what there is to see"
            )


def request_problems(page: Page) -> Iterator[str]:
    """Yield a sentence for each address outside the site that showing the page would ask for."""
    for address in page.requests:
        if address.startswith(("http:", "https:", "//")):
            yield f"the page would request {address!r} from outside the site"


def style_problems(css: str) -> Iterator[str]:
    """Yield a sentence for each address outside the site that a style sheet would ask for."""
    for address in STYLE_REQUEST.findall(css):
        yield f"the style sheet would request {address!r} from outside the site"


def link_problems(path: Path, pages: dict[Path, Page], root: Path, prefix: str) -> Iterator[str]:
    """Yield a sentence for each link of a page that leads to no file or to no place in a page.

    Parameters
    ----------
    path : Path
        The page, resolved.
    pages : dict of Path to Page
        All pages of the site, by resolved path.
    root : Path
        The folder of the site, resolved.
    prefix : str
        Where the site lies on its server. A page for what is missing, which is shown at any depth,
        names it in its links.
    """
    for link in pages[path].links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue  # another site; nothing here may depend on the network
        way = unquote(parts.path)
        start = root if way.startswith("/") else path.parent
        target = (start / way.removeprefix(prefix)).resolve() if way else path
        if not target.is_file():
            yield f"the link {link!r} leads to no file of the site"
            continue
        place = unquote(parts.fragment)
        is_state = "=" in place  # read by a script of that page
        if place and not is_state and target in pages and place not in pages[target].anchors:
            yield f"the link {link!r} leads to no place in that page"


def machine_path_problems(text: str, folders: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each folder of the building machine that a text gives away."""
    for folder in folders:
        whole = rf"(?<![\w.-]){re.escape(folder)}(?![\w-])"
        if folder in text and re.search(whole, text):  # to look for plain text is far quicker
            yield f"the text shows a path of the machine that built it: {folder!r}"
    if "/ipykernel_" in text:
        yield "the text shows where a notebook's kernel kept its files: '/ipykernel_'"


def audit_site(site: Path, folders: Iterable[str], prefix: str = "/") -> Iterator[tuple[str, str]]:
    """Check every page, style sheet and page source below a folder.

    Parameters
    ----------
    site : Path
        The folder of the built site.
    folders : iterable of str
        Folders of the building machine that no reader should see.
    prefix : str
        Where the site lies on its server, with a slash at either end.

    Yields
    ------
    (str, str)
        The file, relative to the site, and the problem.
    """
    site, folders = site.resolve(), list(folders)
    texts = {path: path.read_text("utf-8") for path in sorted(site.rglob("*.html"))}
    pages = {path: read_page(text) for path, text in texts.items()}
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        for problem in (
            *image_problems(page),
            *request_problems(page),
            *link_problems(path, pages, site, prefix),
            *machine_path_problems(texts[path], folders),
        ):
            yield name, problem
    for path in sorted(site.rglob("*.css")):
        for problem in style_problems(path.read_text("utf-8")):
            yield path.relative_to(site).as_posix(), problem
    for path in [*sorted(site.glob("_sources/**/*.*")), site / "_static" / "search-texts.js"]:
        if path.is_file():
            for problem in machine_path_problems(path.read_text("utf-8"), folders):
                yield path.relative_to(site).as_posix(), problem
