"""Look for answers in what students get, as somebody would who wants them without working.

Every text is read: pages with and without their marks, sources, scripts, notebooks, and what lies
in zips and wheels, packed or not.
"""

import codecs
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

from coursebuild.downloads import exercise_names
from coursebuild.notebooks import answer_texts, answers_in_words

UNPACKED = {b"\x1f\x8b": gzip.decompress, b"\xfd7zXZ": lzma.decompress}  # by first bytes
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SENTENCE = re.compile(r"(?<=[.?!]) +")
PLAIN = re.compile(r"[^`$*\[\]<>{}|]{60,}")  # the same on a page as in its source


def squeeze(text: str) -> str:
    """Leave out white space, quotes and backslashes.

    So it does not matter where lines break, nor whether a text stands in another's quotes.
    """
    return re.sub(r"[\s\"'\\]+", "", text)


def answers_of(root: Path) -> dict[str, str]:
    """All answers of a course that are worth a search, squeezed, and whose they are.

    These are blanked expressions, and of each answer in words the longest sentence that is not
    written otherwise in the source of a page than on the page.
    """
    found = {}
    for name in exercise_names(root):
        path = root / "solutions" / f"{name}.md"
        sentences = [max(plain(text), key=len, default="") for text in answers_in_words(path)]
        found |= {squeeze(text): name for text in [*answer_texts(path), *sentences] if text}
    return found


def plain(text: str) -> list[str]:
    """The sentences of an answer in words that are nothing but words."""
    return [one for one in SENTENCE.split(" ".join(text.split())) if PLAIN.fullmatch(one)]


def places(folder: Path, answers: dict[str, str]) -> list[str]:
    """A sentence for each answer that stands in a folder.

    Parameters
    ----------
    folder : Path
    answers : dict of str
        Squeezed texts, and whose they are.
    """
    return [
        f"{name} holds {answer!r} of {owner}"
        for name, text in texts(folder)
        for answer, owner in answers.items()
        if answer in text
    ]


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield every text in a folder, squeezed, members of zips and wheels included."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield from texts_of(file.relative_to(folder).as_posix(), file.read_bytes())


def texts_of(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the texts of a file, squeezed, each with where it stands."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from texts_of(f"{name} › {member}", archive.read(member))
        return
    for begin, unpack in UNPACKED.items():
        if data.startswith(begin):
            yield from texts_of(f"{name} ›", unpack(data))
            return
    try:
        text = data.decode("utf-16" if data.startswith(UTF_16) else "utf-8")
    except UnicodeDecodeError:
        return  # a picture, a font, the model's weights
    yield name, squeeze(text)
    if name.endswith(".html"):  # colours and links stand between the words
        yield name, squeeze(unescape(re.sub(r"<[^>]*>", "", text)))
    if "\\n" in text:  # a line's end inside a string of JSON or JavaScript
        yield name, squeeze(re.sub(r'\\n(",)?', "", text))
