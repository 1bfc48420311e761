"""The book as an EPUB: the command behind `make epub`.

Made of the site's own pages, so that nothing is drawn twice: formulas as MathML, figures as SVG in
the light colours, for most readers of EPUB know no others.
"""

import hashlib
import re
import sys
from html import escape
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import yaml
from bs4 import Tag

from coursebuild.course import CourseError, course_root
from coursebuild.downloads import EARLIEST, published_address
from coursebuild.editions import keep_file
from coursebuild.pages import Book, BookError, Chapter, connect, read_book
from layerlab.errors import LayerlabError

STYLE = Path(__file__).with_suffix(".css")
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="EPUB/book.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"""
PAGE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
 lang="{language}" xml:lang="{language}">
<head><meta charset="utf-8"/><title>{title}</title><link rel="stylesheet" href="style.css"/></head>
<body>{body}</body>
</html>
"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"
 xml:lang="{language}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:sha256:{identifier}</dc:identifier>
<dc:title>{title}</dc:title><dc:creator>{author}</dc:creator><dc:language>{language}</dc:language>
<meta property="dcterms:modified">{year}-01-01T00:00:00Z</meta>
</metadata>
<manifest>
{items}
</manifest>
<spine>
{spine}
</spine>
</package>
"""
TYPES = {
    ".xhtml": "application/xhtml+xml",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
}
# What Matplotlib writes, and EPUB's schema refuses: marks of no size, and one name for two images.
NO_PATH = re.compile(r"<path\b(?![^>]*\sd=)[^>]*(?:/>|>\s*</path>)")
IMAGE_NAME = re.compile(r'(<image\b[^>]*?) id="[^"]*"')
COLOUR = re.compile(r"--(\d+):([^;}]+)")
DARK = re.compile(r"@media ?\(prefers-color-scheme: ?dark\)\{:root\{[^}]*\}\}")
LIGHT_RULE = re.compile(r'html\[data-theme="light"\] (\.highlight[^{}]*\{[^}]*\})')


def write_epub(root: Path, build: Path) -> Path:
    """Write the finished site in `build` as one EPUB, and return the file.

    Raises
    ------
    BookError
        If there is no finished site, or a picture is of a kind that an EPUB cannot hold.
    """
    book = read_book(root, build)
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    site_url = published_address(
        config["html"].get("baseurl") or "", config["repository"].get("url") or ""
    )
    connect(
        book, lambda chapter, place: f"{file_of(chapter)}{'#' if place else ''}{place}", site_url
    )
    files = {"style.css": _style(build / "html").encode()}
    for chapter in book.chapters:
        _plain_formulas(chapter.body)
        files |= dict(_take_pictures(chapter.body, build / "html"))
        files[file_of(chapter)] = as_xhtml(book, chapter.title, _inner(chapter.body)).encode()
    files["contents.xhtml"] = as_xhtml(book, "Contents", _contents(book)).encode()
    files["title.xhtml"] = as_xhtml(book, book.title, _title(book)).encode()
    files["book.opf"] = _package(book, files).encode()
    made = build / ".book.epub"
    pack(made, {"META-INF/container.xml": CONTAINER.encode()} | _below("EPUB", files))
    return keep_file(made, build, "book.epub", book.edition)


def file_of(chapter: Chapter) -> str:
    """The name of a chapter's file."""
    return f"{chapter.key}.xhtml"


def place_of(chapter: Chapter, place: str) -> str:
    """The address of a place in a chapter, or of the chapter."""
    return f"{file_of(chapter)}#{place}" if place else file_of(chapter)


def as_xhtml(book: Book, title: str, body: str) -> str:
    """Write a page of the EPUB."""
    return PAGE.format(language=book.language, title=escape(title), body=body)


def _inner(body: Tag) -> str:
    return body.decode_contents(formatter="minimal")


def _below(folder: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": content for name, content in files.items()}


def pack(path: Path, files: dict[str, bytes]) -> None:
    """Write an EPUB's zip: first, and not compressed, what it is; all of the same old time."""
    with ZipFile(path, "w") as archive:
        for name, content in {"mimetype": b"application/epub+zip", **files}.items():
            entry = ZipInfo(name, date_time=EARLIEST)
            entry.compress_type = ZIP_STORED if name == "mimetype" else ZIP_DEFLATED
            archive.writestr(entry, content)


# What a chapter holds ------------------------------------------------------------------------


def _plain_formulas(body: Tag) -> None:
    """Leave of each formula its MathML, which EPUB's readers draw themselves."""
    for drawn in body.select(".katex"):
        drawn.replace_with(drawn.math.extract())


def _take_pictures(body: Tag, site: Path) -> list[tuple[str, bytes]]:
    """Let a chapter's pictures lie beside it, and return them."""
    taken = []
    for image in body.find_all("img", src=True):
        source = site / image["src"]
        if source.suffix not in TYPES:
            raise BookError(f"an EPUB cannot hold the picture {image['src'][:60]}")
        image["src"] = source.name
        svg = source.suffix == ".svg"
        content = in_light(source.read_text("utf-8")).encode() if svg else source.read_bytes()
        taken.append((source.name, content))
    return taken


def in_light(svg: str) -> str:
    """Write a figure that follows the page's theme with its light colours alone, on white."""
    svg = DARK.sub("", svg)
    for name, colour in COLOUR.findall(svg):
        svg = svg.replace(f"var(--{name})", colour.strip())
    svg = IMAGE_NAME.sub(r"\1", NO_PATH.sub("", svg))
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    return re.sub(r"(<svg\b[^>]*>)", rf"\1{ground}", svg, count=1)


def _style(site: Path) -> str:
    """The book's own style, and the site's light colours for code."""
    colours = LIGHT_RULE.findall((site / "_static" / "pygments.css").read_text("utf-8"))
    return STYLE.read_text("utf-8") + "\n".join(colours) + "\n"


# What holds them together --------------------------------------------------------------------


def _title(book: Book) -> str:
    lines = "".join(f"<p>{escape(text)}</p>" for text in (book.author, book.year))
    return f'<section class="title"><h1>{escape(book.title)}</h1>{lines}</section>'


def _contents(book: Book) -> str:
    """The table of contents: parts, their chapters, their sections."""
    parts: dict[str, list[str]] = {}
    for chapter in book.chapters:
        line = _link(file_of(chapter), chapter.title)
        inner = [_link(place_of(chapter, p), t) for p, t in chapter.sections]
        parts.setdefault(chapter.part, []).append(f"<li>{line}{_list(inner)}</li>")
    lines = [
        f"<li><span>{escape(part)}</span><ol>{''.join(chapters)}</ol></li>" if part else chapters[0]
        for part, chapters in parts.items()
    ]
    return f'<nav epub:type="toc"><h1>Contents</h1><ol>{"".join(lines)}</ol></nav>'


def _link(address: str, text: str) -> str:
    return f'<a href="{address}">{escape(text)}</a>'


def _list(links: list[str]) -> str:
    return f"<ol>{''.join(f'<li>{link}</li>' for link in links)}</ol>" if links else ""


def _package(book: Book, files: dict[str, bytes]) -> str:
    identifier = hashlib.sha256(b"".join(files.values())).hexdigest()
    items = [_item(name, content) for name, content in files.items()]
    pages = ["title.xhtml", "contents.xhtml", *map(file_of, book.chapters)]
    texts = {name: escape(getattr(book, name)) for name in ("title", "author", "language", "year")}
    spine = "\n".join(f'<itemref idref="{_id(name)}"/>' for name in pages)
    return PACKAGE.format(identifier=identifier, items="\n".join(items), spine=spine, **texts)


def _item(name: str, content: bytes) -> str:
    has = {
        "nav": name == "contents.xhtml",
        "mathml": b"<math" in content,
        "svg": name.endswith(".xhtml") and b"<svg" in content,
    }
    properties = " ".join(key for key, value in has.items() if value)
    kind = TYPES[PurePosixPath(name).suffix]
    more = f' properties="{properties}"' if properties else ""
    return f'<item id="{_id(name)}" href="{name}" media-type="{kind}"{more}/>'


def _id(name: str) -> str:
    return f"f-{name.replace('.', '-')}"


def main() -> int:
    """Run the command; return its exit code."""
    try:
        root = course_root(None)
        file = write_epub(root, root / "_build")
    except (LayerlabError, CourseError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The book is packed ({file.stat().st_size / 1e6:.1f} MB): {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
