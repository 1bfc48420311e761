"""What is translated into a language, and what is not: catalogues of gettext.

    book/locale/LANGUAGE/LC_MESSAGES/PAGE.po        one page of the book, or one exercise
    book/locale/LANGUAGE/LC_MESSAGES/words.po       what pages share, notebooks and downloads say
    code/coursechecks/locale/LANGUAGE/LC_MESSAGES   what checks say (see `coursechecks.language`)

`coursebuild.translation` keeps them up to date, and translators fill them. What has no translation,
or one that gettext calls fuzzy, stays in English, and `lacks` tells which it is.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

from coursebuild.messages import misfits
from coursechecks.language import DOMAIN as DOMAIN
from coursechecks.language import ENGLISH as ENGLISH
from coursechecks.language import translatable as translatable
from layerlab.errors import LayerlabError

BOOK = "book/locale"
CHECKS = "code/coursechecks/locale"
FOLDER = "LC_MESSAGES"
WORDS = "words"
QUOTED = re.compile(r'(msg\w+(\[\d+\])?\s+)?"(\\.|[^"\\])*"')  # what Babel takes on trust


class CatalogueError(LayerlabError):
    """There is no such language, or one of its catalogues cannot be used."""


def read_catalogue(path: Path) -> Catalog:
    """What stands in a file; a damaged line is no message that nobody has translated.

    Raises
    ------
    CatalogueError
        If it is no catalogue, or a part of it is none.
    """
    try:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if line.startswith(("msg", '"')) and not QUOTED.fullmatch(line.strip()):
                raise PoFileError("its quotes do not pair", None, line, number)
        with path.open("rb") as file:
            return read_po(file, abort_invalid=True)
    except PoFileError as error:
        where, line = f"{path}:{error.lineno}", error.line.strip()
        raise CatalogueError(f"{where} is no catalogue of gettext: {error} in {line!r}") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise CatalogueError(f"{path} is no catalogue of gettext: {error}") from error


class Catalogue:
    """The translations of one file.

    Parameters
    ----------
    path : Path
        The file, which need not be there.

    Attributes
    ----------
    known : dict of str
        All its messages, translated or not; of those that are not, "".

    Raises
    ------
    CatalogueError
        If it cannot be read, or a translation does not fit what it translates.
    """

    def __init__(self, path: Path):
        self.path, self.known = path, {}
        if not path.is_file():
            return
        problems = []
        for message in read_catalogue(path):
            if message.id:
                said = "" if message.fuzzy else str(message.string)
                self.known[str(message.id)] = said
                wrong = misfits(str(message.id), said) if said else []
                problems += [f"{path}:{message.lineno}: {said[:60]!r}: {one}" for one in wrong]
        if problems:
            raise CatalogueError("\n".join(problems))

    def __call__(self, text: str) -> str:
        """The translation of a text, or the text."""
        return self.known.get(text) or text

    def missing(self, messages: Iterable[str]) -> list[str]:
        """Those of the messages that have no translation."""
        return [message for message in messages if not self.known.get(message)]

    def gone(self, messages: Iterable[str]) -> list[str]:
        """What is translated here and is no message any more."""
        there = set(messages)
        return [message for message, said in self.known.items() if said and message not in there]


@dataclass(frozen=True)
class Lack:
    """What one catalogue lacks.

    Attributes
    ----------
    name : str
        What it translates: a page, "words" or "coursechecks".
    total : int
        How many messages that has.
    missing, gone : list of str
        Without a translation; translated, and no message any more.
    """

    name: str
    total: int
    missing: list[str]
    gone: list[str]

    def __str__(self) -> str:
        line = f"{self.name}: {len(self.missing)} of {self.total} messages are not translated"
        return f"{line}; translated, but no messages: {len(self.gone)}" if self.gone else line


class Language:
    """The catalogues of a language.

    Parameters
    ----------
    root : Path
        The root of the course.
    name : str
        Such as "de".

    Raises
    ------
    CatalogueError
        If nothing is translated into it.
    """

    def __init__(self, root: Path, name: str):
        if name not in languages(root):
            there = ", ".join(languages(root)) or "none"
            raise CatalogueError(
                f"nothing is translated into {name!r}; {BOOK} has {there}. "
                f"`make translation LANGUAGE={name}` begins a language"
            )
        self.root, self.name = root, name
        self._catalogues: dict[str, Catalogue] = {}

    def path(self, page: str) -> Path:
        """The file of a page's translations."""
        return self.root / BOOK / self.name / FOLDER / f"{source_of(page)}.po"

    def of(self, page: str) -> Catalogue:
        """The translations of a page, or of the `WORDS` that pages share; read once."""
        page = source_of(page)
        if page not in self._catalogues:
            self._catalogues[page] = Catalogue(self.path(page))
        return self._catalogues[page]

    def say(self, text: str) -> str:
        """A text that pages share, or notebooks say."""
        return self.of(WORDS)(text)

    @cached_property
    def checks(self) -> Catalogue:
        """What checks say in this language."""
        return Catalogue(self.root / CHECKS / self.name / FOLDER / f"{DOMAIN}.po")

    def fingerprint(self, page: str) -> str:
        """What the translations of a page, or of the checks, are: a few letters; "" without any."""
        path = self.checks.path if page == DOMAIN else self.path(page)
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


def source_of(page: str) -> str:
    """The page whose source another one is made from: exercises are made of their solutions."""
    return page.replace("exercises/", "solutions/", 1) if page.startswith("exercises/") else page


def languages(root: Path) -> list[str]:
    """The languages that something is translated into, English left out."""
    return sorted(path.parent.name for path in (root / BOOK).glob(f"*/{FOLDER}"))


def lacks(name: str, messages: list[str], catalogue: Catalogue) -> Lack:
    """What a catalogue lacks of some messages."""
    return Lack(name, len(messages), catalogue.missing(messages), catalogue.gone(messages))


# What a build says -----------------------------------------------------------------------------

_current: Language | None = None


def begin(root: Path, name: str) -> Language | None:
    """Let this process say all in a language from now on; None for English, which needs none."""
    global _current
    _current = None if name == ENGLISH else Language(root, name)
    return _current


def current() -> Language | None:
    """The language of this build; None for English."""
    return _current


def say(text: str, /, **fields: object) -> str:
    """A text of the site, of a notebook or of a download, in the language of this build.

    Parameters
    ----------
    text : str
        In English, with ``{name}`` for each field.
    **fields
        What stands there; without any, braces in the text mean nothing.
    """
    said = _current.say(text) if _current else text
    return said.format(**fields) if fields else said
