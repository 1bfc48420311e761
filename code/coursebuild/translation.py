"""Catalogues for translators: begun, kept up to date, compiled. `make translation`.

    python -m coursebuild.translation LANGUAGE [PAGE …]

It begins the catalogues of the pages that are named, such as ``book/02-mutual-information`` or
``solutions/02-mutual-information`` (whose exercise is translated along with it), and brings those
that there are up to date: new messages are added, those that are gone are kept as comments, and
what is like an old one gets its translation, marked as fuzzy until somebody has looked at it. What
pages share and what checks say always has a catalogue. Captions and alternative texts are taken
from the stored outputs of `make book`, so no page runs.
"""

import argparse
import shutil
import sys
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po

from coursebuild.catalogues import (
    BOOK,
    CHECKS,
    DOMAIN,
    ENGLISH,
    FOLDER,
    WORDS,
    read_catalogue,
    source_of,
)
from coursebuild.course import course_root
from coursebuild.messages import html_messages
from coursebuild.outputs import stored_html
from coursebuild.texts import messages_of_checks, messages_of_page, messages_of_site
from layerlab.errors import LayerlabError

try:  # only who translates needs it
    from sphinx_intl import basic
except ImportError:
    basic = None

TEMPLATES = "_build/gettext"  # what there is to be translated, without a language
STORED = "_build/.jupyter_cache"
PAGES = ("book", "solutions")
WIDTH = 100  # characters of a line in a catalogue
INSTALL = "pip install -c constraints.txt -e '.[translation]'"


class TranslationError(LayerlabError):
    """Catalogues cannot be made as they were asked for."""


def update(root: Path, language: str, pages: Iterable[str] = ()) -> None:
    """Begin the catalogues of pages, and bring all those of a language up to date.

    Parameters
    ----------
    root : Path
        The root of the course.
    language : str
        Such as "de".
    pages : iterable of str
        Names of pages to begin with.

    Raises
    ------
    TranslationError
        If there is no such language or page, or a page has no stored outputs yet.
    CatalogueError
        If one that is there is damaged: brought up to date, it would lose what cannot be read.
    """
    _require_language(language)
    if basic is None:
        raise TranslationError(f"sphinx-intl is not installed: {INSTALL}")
    begun = root / BOOK / language / FOLDER
    for path in [*begun.rglob("*.po"), *(root / CHECKS / language).rglob("*.po")]:
        read_catalogue(path)
    names = {source_of(page) for page in pages}
    names |= {path.relative_to(begun).with_suffix("").as_posix() for path in begun.rglob("*.po")}
    book, checks = root / TEMPLATES / "book", root / TEMPLATES / "checks"
    shutil.rmtree(root / TEMPLATES, ignore_errors=True)
    for page in sorted(names - {WORDS}):
        texts = messages_of_page(root, page, _put_out(root, page))
        _write_template(texts, book / f"{page}.pot")
    _write_template(messages_of_site(root), book / f"{WORDS}.pot")
    _write_template(messages_of_checks(root), checks / f"{DOMAIN}.pot")
    for folder, templates in ((BOOK, book), (CHECKS, checks)):
        basic.update(str(root / folder), str(templates), (language,), line_width=WIDTH, jobs=1)


def _require_language(name: str) -> None:
    try:
        Locale.parse(name)
    except (UnknownLocaleError, ValueError) as error:
        raise TranslationError(
            f"{name!r} is no language: take the code that browsers know it by, such as de or pt_BR"
        ) from error
    if name == ENGLISH:
        raise TranslationError(
            "the course is written in English; name the language to translate to"
        )


def _put_out(root: Path, page: str) -> list[str]:
    """The messages in what the cells of a page put out when they last ran."""
    source = root / f"{page}.md"
    if page.partition("/")[0] not in PAGES or not source.is_file():
        there = sorted(path.stem for path in source.parent.glob("*.md")) or ["none"]
        raise TranslationError(
            f"there is no page {page!r}; {source.parent.name} has {', '.join(there)}"
        )
    outputs = stored_html(root / STORED, f"{page}.md")
    if outputs is None and "{code-cell}" in source.read_text("utf-8"):
        raise TranslationError(f"nothing is stored yet of what {page} puts out; `make book` does")
    return [text for html in outputs or [] for text in html_messages(html)]


def _write_template(texts: Iterable[str], path: Path) -> None:
    catalogue = Catalog(project="layerlab", version="course", charset="utf-8", fuzzy=False)
    catalogue.header_comment = "# The texts of this course, and what they are in another language."
    for text in texts:
        catalogue.add(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=WIDTH)


# What checks read ------------------------------------------------------------------------------


def compiled(path: Path) -> bytes:
    """What the checks read of a catalogue: its translations, without those that are fuzzy."""
    made = BytesIO()
    write_mo(made, read_catalogue(path))
    return made.getvalue()


def compile_checks(root: Path) -> list[Path]:
    """Compile the catalogues of the checks in all languages; return what was written anew."""
    written = []
    for path in sorted((root / CHECKS).glob(f"*/{FOLDER}/{DOMAIN}.po")):
        target, made = path.with_suffix(".mo"), compiled(path)
        if not target.is_file() or target.read_bytes() != made:
            target.write_bytes(made)
            written.append(target)
    return written


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.translation", description="Keep catalogues up to date."
    )
    parser.add_argument("language", help="such as de")
    parser.add_argument("pages", nargs="*", help="pages to begin, such as book/01-minkowski")
    parser.add_argument("--root", type=Path, help="root of the course")
    options = parser.parse_args(arguments)
    try:
        root = course_root(options.root)
        update(root, options.language, options.pages)
        written = compile_checks(root)
    except LayerlabError as error:
        print(error, file=sys.stderr)
        return 1
    for path in written:
        print(f"Compile: {path.relative_to(root)}")
    print(
        f"Translate in {BOOK}/{options.language}, and look: make book LANGUAGE={options.language}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
