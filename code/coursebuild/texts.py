"""All messages that there are, by the catalogue that translates them.

Those of a page stand in its source and in what its cells put out; those that pages share in our own
modules and templates, marked by `say` and `translatable`, and in scripts, marked by `worded`; those
of the checks in `coursechecks` and in what grades a class, in the files of mistakes, and in what
observers call the things that they look at.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from babel.messages.extract import extract_from_file

from coursebuild import downloads
from coursebuild.course import drafts
from coursebuild.messages import code_messages, messages_of
from coursebuild.notebooks import exercise_notebook
from coursebuild.tables import read_tables, tables
from coursechecks.engine import group_of, load
from coursechecks.language import without_numbers

KEYWORDS = {"say", "translatable"}
KEYWORDS_OF_SCRIPTS = {"worded": None}
TEMPLATE = re.compile(r"\bsay\(\s*(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')")
SETTINGS = ("search_bar_text", "toc_title")


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, texts)))


# Pages ---------------------------------------------------------------------------------------


def messages_of_page(root: Path, page: str, put_out: Iterable[str] = ()) -> list[str]:
    """The messages of a page.

    Parameters
    ----------
    root : Path
        The root of the course.
    page : str
        Its name. That of a solution has the messages of its exercise, too.
    put_out : iterable of str
        What its cells put out (see `coursebuild.messages.html_messages`).
    """
    source = root / f"{page}.md"
    texts = messages_of(source.read_text("utf-8")) if source.is_file() else []
    if page.startswith("solutions/") and source.is_file():
        cells = exercise_notebook(source).cells
        code = (cell.source for cell in cells if cell.cell_type == "code")
        texts += [text for cell in code for text in code_messages(cell)]
    return _once([*texts, *put_out])


# What pages share ------------------------------------------------------------------------------


def messages_of_site(root: Path) -> list[str]:
    """What modules, templates, scripts and settings say on pages, in notebooks and downloads."""
    return _once(
        [
            *_said_in_python(Path(__file__).parent),
            *_said_in_templates(root / "book" / "_templates"),
            *messages_of(downloads.README),
            *messages_of(downloads.STEPS),
            *messages_of_scripts(root),
            *_said_in_settings(root),
        ]
    )


def _said_in_python(folder: Path, pattern: str = "*.py") -> Iterator[str]:
    for path in sorted(folder.glob(pattern)):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):  # Babel sees no f-strings' calls
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KEYWORDS:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def _said_in_templates(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.html")):
        for text in TEMPLATE.findall(path.read_text("utf-8")):
            yield re.sub(r"\\(.)", r"\1", text[1:-1])


def messages_of_scripts(root: Path) -> list[str]:
    """What the pages' own scripts say."""
    options = {"parse_template_string": True}
    paths = sorted((root / "book" / "web").rglob("*.js"))
    found = (
        extract_from_file("javascript", path, keywords=KEYWORDS_OF_SCRIPTS, options=options)
        for path in paths
    )
    return _once(one[1] for many in found for one in many)


def _said_in_settings(root: Path) -> Iterator[str]:
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    contents = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    yield config["title"]
    yield config.get("author", "")
    options = config["sphinx"]["config"].get("html_theme_options", {})
    yield from (options[key] for key in SETTINGS if key in options)
    yield from (part["caption"] for part in contents.get("parts", []) if "caption" in part)


# Checks --------------------------------------------------------------------------------------


def messages_of_checks(root: Path) -> list[str]:
    """What the checks of all exercises that are no drafts say."""
    folder = root / "code" / "coursechecks"
    texts = [*_said_in_python(folder), *_said_in_python(Path(__file__).parent, "classroom/*.py")]
    left_out = {name[:2] for name in drafts(root)}
    for path in sorted((root / "solutions").glob("[0-9][0-9]-*.md")):
        title = re.search(r"(?m)^# (.+)$", path.read_text("utf-8"))
        if title and path.name[:2] not in left_out:
            texts.append(title[1])
    for path in sorted((root / "solutions" / "mistakes").glob("*.toml")):
        if path.stem not in left_out:
            texts += _said_of_mistakes(path)
    for path in sorted((folder / "seen").glob("*.json.xz")):
        if path.name[:2] not in left_out:
            texts += _said_of_facts(path)
    return _once(texts)


def _said_of_mistakes(path: Path) -> Iterator[str]:
    for step in read_tables(path, tables({"type": "object"})).values():
        yield step.get("right", "")
        for mistake in step.get("mistake", []):
            yield from (mistake.get(key, "") for key in ("name", "hint"))


def _said_of_facts(path: Path) -> Iterator[str]:
    for step in load(path).values():
        programs = [program for mistake in step["mistakes"] for program in mistake["programs"]]
        for facts in (step["facts"], *(program["facts"] for program in programs)):
            for name in facts:
                for part in (group_of(name), name.partition(": ")[2]):
                    if re.search(r"[^\W\d_]{2}", part):
                        yield without_numbers(part)
