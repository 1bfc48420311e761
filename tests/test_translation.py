"""Catalogues are begun, and brought up to date, without losing what was translated."""

import json
import re

import nbformat
import pytest
from babel.messages.pofile import read_po
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

from coursebuild import translation
from coursebuild.catalogues import BOOK, CHECKS, DOMAIN, FOLDER
from coursebuild.outputs import stored_html
from coursebuild.translation import STORED, TranslationError, main, update

PAGE = "# A page\n\nA sentence that is so long that one word makes no difference.\n"
CONFIG = "title: A course\nauthor: Somebody\nsphinx:\n  config: {}\n"
FIGURE = '<figure><img alt="A line" src="x"><figcaption>It rises.</figcaption></figure>'


@pytest.fixture
def course(tmp_path):
    """A course with one page, and nothing translated."""
    for name in ("book/_templates", "book/web", "solutions/mistakes", "code/coursechecks"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "_config.yml").write_text(CONFIG, "utf-8")
    (tmp_path / "_toc.yml").write_text("root: book/page\n", "utf-8")
    (tmp_path / "book" / "page.md").write_text(PAGE, "utf-8")
    return tmp_path


def catalogue(course, name="book/page"):
    with (course / BOOK / "de" / FOLDER / f"{name}.po").open("rb") as file:
        return {message.id: message for message in read_po(file) if message.id}


def put(course, message, said):
    """Translate a message of the page."""
    path = course / BOOK / "de" / FOLDER / "book" / "page.po"
    old = f'msgid "{message}"\nmsgstr ""'
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, f'msgid "{message}"\nmsgstr "{said}"'), "utf-8")


def store(course, html):
    """Store an output of the page, as a build does."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("show()")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", {"text/html": html})]
    cache = get_cache(course / STORED)
    cache.cache_notebook_bundle(CacheBundleIn(notebook, "page.md"), check_validity=False)
    key = cache.create_hashed_notebook(notebook)[1]
    (course / STORED / "pages.json").write_text(json.dumps({"book/page.md": {"cells": key}}))


needs_tool = pytest.mark.skipif(
    translation.basic is None, reason=f"sphinx-intl is not installed: {translation.INSTALL}"
)


@needs_tool
def test_a_language_begins_with_the_pages_that_are_named(course):
    update(course, "de", ["book/page"])
    assert "A page" in catalogue(course)
    assert "A course" in catalogue(course, "words")
    assert (course / CHECKS / "de" / FOLDER / f"{DOMAIN}.po").is_file()


@needs_tool
def test_an_edit_keeps_translations_and_marks_what_is_only_like_them(course):
    update(course, "de", ["book/page"])
    long = PAGE.splitlines()[2]
    put(course, "A page", "Eine Seite")
    put(course, long, "Ein Satz.")
    text = PAGE.replace("one word", "a single word") + "\nOne more.\n"
    (course / "book" / "page.md").write_text(text, "utf-8")
    update(course, "de")
    messages = catalogue(course)
    assert messages["A page"].string == "Eine Seite" and not messages["A page"].fuzzy
    changed = messages[long.replace("one word", "a single word")]
    assert changed.string == "Ein Satz." and changed.fuzzy
    assert messages["One more."].string == ""
    assert long not in messages


@needs_tool
def test_captions_come_from_stored_outputs(course):
    (course / "book" / "page.md").write_text(PAGE + "\n```{code-cell}\nshow()\n```\n", "utf-8")
    with pytest.raises(TranslationError, match="nothing is stored yet of what book/page puts out"):
        update(course, "de", ["book/page"])
    store(course, FIGURE)
    assert stored_html(course / STORED, "book/page.md") == [FIGURE]
    update(course, "de", ["book/page"])
    assert {"It rises.", "A line"} <= catalogue(course).keys()


@needs_tool
@pytest.mark.parametrize(
    ("language", "page", "what"),
    [
        ("german", "book/page", "'german' is no language"),
        ("en", "book/page", "written in English"),
        ("de", "book/pages", "there is no page 'book/pages'; book has page"),
    ],
)
def test_what_cannot_be_begun_is_told_with_the_way_out(course, capsys, language, page, what):
    assert main([language, page, "--root", str(course)]) == 1
    assert what in capsys.readouterr().err


@needs_tool
def test_checks_are_compiled_without_what_is_fuzzy(course):
    update(course, "de")
    path = course / CHECKS / "de" / FOLDER / f"{DOMAIN}.po"
    entry = '\nmsgid "one"\nmsgstr "eins"\n\n#, fuzzy\nmsgid "two"\nmsgstr "drei"\n'
    path.write_text(path.read_text("utf-8") + entry, "utf-8")
    assert translation.compile_checks(course) == [path.with_suffix(".mo")]
    assert translation.compile_checks(course) == []
    made = path.with_suffix(".mo").read_bytes()
    assert b"eins" in made and b"drei" not in made


@needs_tool
@pytest.mark.parametrize("damage", ['msgid "one"\nmsgstr "eins\n', "<<<<<<< HEAD\n"])
@pytest.mark.parametrize("place", [f"{BOOK}/de/{FOLDER}/words.po", f"{CHECKS}/de/{FOLDER}/"])
def test_a_damaged_catalogue_is_named_and_loses_nothing(course, capsys, damage, place):
    update(course, "de")
    path = course / place
    path = path if path.suffix else path / f"{DOMAIN}.po"
    path.write_text(f"{path.read_text('utf-8')}\n{damage}", "utf-8")
    before = path.read_text("utf-8")
    assert main(["de", "--root", str(course)]) == 1
    assert re.search(rf"{path}:\d+ is no catalogue of gettext", capsys.readouterr().err)
    assert path.read_text("utf-8") == before


def test_without_the_tool_the_way_out_is_told(course, capsys, monkeypatch):
    monkeypatch.setattr(translation, "basic", None)
    assert main(["de", "--root", str(course)]) == 1
    assert re.search(
        r"sphinx-intl is not installed: pip install .*\[translation\]", capsys.readouterr().err
    )
