"""The site's fonts, cut to the letters that its pages have and the weights that its style names.

A page is drawn anew when its fonts come, so they should be small. What is cut here is named by the
style itself: each `@font-face` says its file and its weights. On paper a font with a range of
weights would become drawings of letters, so there each weight is a font of its own.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from coursebuild.web import node_modules, run_node

SCRIPT = Path(__file__).with_suffix(".cjs")
FACE = re.compile(r"@font-face\s*\{[^}]*\}")
FILE = re.compile(r"url\(\"?([^\")]+\.woff2)\"?\)")
FAMILY = re.compile(r"font-family:\s*([^;]+)")
WEIGHTS = re.compile(r"font-weight:\s*(\d+)(?:\s+(\d+))?")
ALWAYS = "".join(map(chr, range(0x20, 0x7F)))  # a page's scripts may say something, too
ON_PAPER = (400, 600)  # the weights that the paper's style and the theme tell apart


@dataclass(frozen=True)
class Face:
    """A font face of a style sheet.

    Attributes
    ----------
    rule : str
        What the style says of it.
    file : str
        Its address there.
    lightest, heaviest : int
        Its weights.
    """

    rule: str
    file: str
    lightest: int
    heaviest: int


def faces(sheet: str) -> list[Face]:
    """The faces of a style sheet that have a file of their own and name their weights."""
    found = []
    for rule in FACE.findall(sheet):
        file, weights = FILE.search(rule), WEIGHTS.search(rule)
        if file and weights:
            found.append(Face(rule, file[1], int(weights[1]), int(weights[2] or weights[1])))
    return found


def first_fonts(sheet: str) -> list[str]:
    """The files of what one sees first: of each family that may come too late, its first face."""
    found: dict[str, str] = {}
    for face in faces(sheet):
        if "optional" in face.rule:
            found.setdefault(FAMILY.search(face.rule)[1], face.file)
    return list(found.values())


def swapped(sheet: str) -> str:
    """The faces of a style sheet that may come too late, none of which does."""
    late = (face.rule for face in faces(sheet) if "optional" in face.rule)
    return "".join(rule.replace("optional", "swap") for rule in late)


def letters_of(pages: Iterable[str]) -> str:
    """All letters that pages, given as HTML, may show."""
    return "".join(sorted(set(ALWAYS).union(*(unescape(page) for page in pages))))


def cut_fonts(root: Path, sheet: str, whole: Path, out: Path, letters: str) -> None:
    """Cut the fonts of a style sheet.

    Parameters
    ----------
    root : Path
        The root of the course.
    sheet : str
        The style sheet.
    whole, out : Path
        The folders of the fonts as they came and of those that are cut: addresses in the style
        begin there.
    letters : str
        Those that are kept.
    """
    wishes = []
    for face in faces(sheet):
        ends = {"min": face.lightest, "max": face.heaviest}
        weights = ends if face.lightest < face.heaviest else None
        wishes.append(_wish(whole / face.file, out / face.file, letters, weights))
    _cut(root, wishes)


def one_weight_each(root: Path, sheet: str, folder: Path, out: Path, letters: str) -> str:
    """Make fonts of one weight of those with several; return the style that names them.

    Parameters
    ----------
    root : Path
        The root of the course.
    sheet : str
        A style sheet, whose addresses begin at `folder`.
    folder, out : Path
        The folders of its fonts, and of those that are made.
    letters : str
        Those that are kept.
    """
    wishes = []
    for face in faces(sheet):
        if face.lightest == face.heaviest:
            continue
        rules = []
        for weight in ON_PAPER:
            made = out / f"{Path(face.file).stem}-{weight}.woff2"
            wishes.append(_wish(folder / face.file, made, letters, weight))
            rule = face.rule.replace(face.file, made.resolve().as_uri())
            rules.append(WEIGHTS.sub(f"font-weight:{weight}", rule))
        sheet = sheet.replace(face.rule, "".join(rules))
    _cut(root, wishes)
    return sheet


def _wish(source: Path, target: Path, letters: str, weights: int | dict | None) -> dict:
    return {"from": str(source), "to": str(target), "letters": letters, "weights": weights}


def _cut(root: Path, wishes: list[dict]) -> None:
    if wishes:
        run_node([str(SCRIPT)], root, node_modules(root), json.dumps(wishes))
