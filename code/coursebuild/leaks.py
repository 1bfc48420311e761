"""Look for answers in what students get, as somebody would who wants them without working.

Every text is read: pages with and without their marks, sources, scripts, notebooks, and what lies
in zips and wheels.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

from coursebuild.downloads import exercise_names
from coursebuild.notebooks import answer_texts


def squeeze(text: str) -> str:
    """Leave out all white space, so that it does not matter where lines break."""
    return re.sub(r"\s+", "", text)


def answers_of(root: Path) -> dict[str, str]:
    """All blanked expressions of a course that are worth a search, squeezed, and whose they are."""
    return {
        squeeze(answer): name
        for name in exercise_names(root)
        for answer in answer_texts(root / "solutions" / f"{name}.md")
    }


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
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return  # a picture, a font, the model's weights
    yield name, squeeze(text)
    if name.endswith(".html"):  # colours and links stand between the words
        yield name, squeeze(unescape(re.sub(r"<[^>]*>", "", text)))
    if name.endswith(".ipynb"):  # a line's end is a character of its own in JSON
        yield name, squeeze(text.replace('\\n",', "").replace('\\"', '"').replace('"', "'"))
