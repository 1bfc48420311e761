"""Catalogues fit what they translate, fall back to English, and say what they lack."""

from pathlib import Path

import pytest

from coursebuild.catalogues import (
    BOOK,
    CHECKS,
    Catalogue,
    CatalogueError,
    Language,
    begin,
    lacks,
    languages,
    say,
)
from coursebuild.texts import (
    messages_of_checks,
    messages_of_page,
    messages_of_scripts,
    messages_of_site,
)
from coursebuild.translation import compiled

ROOT = Path(__file__).resolve().parents[1]
FILES = [*sorted((ROOT / BOOK).rglob("*.po")), *sorted((ROOT / CHECKS).rglob("*.po"))]
PO = """msgid ""
msgstr "Content-Type: text/plain; charset=utf-8"

msgid "one"
msgstr "eins"

#, fuzzy
msgid "two"
msgstr "drei"

msgid "three"
msgstr ""

msgid "gone"
msgstr "weg"

#~ msgid "long gone"
#~ msgstr "lange weg"
"""


@pytest.fixture
def catalogue(tmp_path):
    (tmp_path / "words.po").write_text(PO, "utf-8")
    return Catalogue(tmp_path / "words.po")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_catalogue_of_the_course_fits_what_it_translates(path):
    assert any(Catalogue(path).known.values())


@pytest.mark.parametrize("path", sorted((ROOT / CHECKS).rglob("*.po")), ids=lambda p: p.parts[-3])
def test_checks_read_what_translators_wrote(path):
    made = path.with_suffix(".mo").read_bytes()
    assert made == compiled(path), f"make translation LANGUAGE={path.parts[-3]} compiles it"


def test_what_is_not_translated_or_fuzzy_stays_and_is_listed(catalogue):
    assert [catalogue(text) for text in ("one", "two", "three", "four")] == [
        "eins",
        "two",
        "three",
        "four",
    ]
    lack = lacks("a page", ["one", "two", "three", "four"], catalogue)
    assert lack.missing == ["two", "three", "four"]
    assert lack.gone == ["gone"]
    line = "a page: 3 of 4 messages are not translated; translated, but no messages: 1"
    assert str(lack) == line


def test_a_translation_that_lacks_a_field_is_an_error_with_its_place(tmp_path):
    path = tmp_path / "words.po"
    path.write_text(PO + '\nmsgid "{n} of them"\nmsgstr "einige davon"\n', "utf-8")
    with pytest.raises(CatalogueError, match=r"words\.po:\d+: 'einige davon': the field \{n\}"):
        Catalogue(path)


def test_no_catalogue_is_a_file_of_something_else(tmp_path):
    (tmp_path / "words.po").write_text("msgid: no\n", "utf-8")
    with pytest.raises(CatalogueError, match="no catalogue of gettext"):
        Catalogue(tmp_path / "words.po")


def test_an_unknown_language_is_told_with_the_way_out():
    with pytest.raises(CatalogueError) as told:
        Language(ROOT, "xx")
    assert "'xx'" in str(told.value)
    assert ", ".join(languages(ROOT)) in str(told.value)
    assert "make translation LANGUAGE=xx" in str(told.value)


def test_the_site_says_its_words_in_its_language():
    try:
        begin(ROOT, "de")
        assert say("Figure {number}", number="1.2") == "Abbildung 1.2"
        assert say("no word of the site") == "no word of the site"
    finally:
        begin(ROOT, "en")
    assert say("Figure {number}", number="1.2") == "Figure 1.2"


def test_words_are_found_in_modules_templates_scripts_and_settings():
    found = messages_of_site(ROOT)
    wanted = ["Figure {number}", "Answer", "three steps", "Your prediction", "The tools"]
    assert set(wanted) <= set(found)
    assert "Your prediction" in messages_of_scripts(ROOT)


def test_messages_of_checks_are_those_of_code_mistakes_and_observers():
    found = messages_of_checks(ROOT)
    wanted = ["root forgotten", "order {} between vectors of {} numbers", "too large"]
    assert set(wanted) <= set(found)


def test_a_solution_has_the_messages_of_its_exercise_too():
    found = messages_of_page(ROOT, "solutions/01-minkowski", ["An output."])
    wanted = "The Minkowski distance of order p between u and v.", "An output."
    assert set(wanted) <= set(found)
