"""Checks speak another language where a notebook asks for it, and a German notebook is as right."""

import contextlib
import io
import shutil

import pytest
from babel.messages.pofile import read_po, write_po
from kinds import ANSWERS, EXERCISE, GERMAN, NAME, ROOT, STEPS, in_german

from coursebuild.catalogues import BOOK, CHECKS, DOMAIN, FOLDER
from coursebuild.classroom.feedback import page
from coursebuild.classroom.intake import read_cells
from coursebuild.classroom.marking import StepMark
from coursebuild.classroom.rebuild import rebuild
from coursebuild.classroom.results import Result
from coursebuild.keys import make_key
from coursebuild.promises import Course, spoken_by, wrong_translation
from coursechecks import language, speak
from coursechecks.engine import CheckFailed
from coursechecks.language import LanguageError, say, without_numbers, worded
from coursechecks.words import in_kind, kind


@pytest.fixture(autouse=True)
def _english_again():
    yield
    speak(None)


def run(notebook) -> tuple[str, CheckFailed | None]:
    """What the cells of a notebook print, as far as they get, and how a check stopped them."""
    names, printed = {"__name__": "notebook"}, io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    exec(compile(cell.source, "cell", "exec"), names)
    except CheckFailed as error:
        return printed.getvalue(), error
    return printed.getvalue(), None


# A notebook in German --------------------------------------------------------------------------


def test_the_german_exercise_has_the_cells_of_the_english_one():
    for one, other in zip(EXERCISE.cells, GERMAN.cells, strict=True):
        assert (one.id, one.cell_type, one.metadata) == (other.id, other.cell_type, other.metadata)
        assert one.source.count("____") == other.source.count("____")
        assert one.cell_type == "code" or one.source != other.source


def test_the_german_notebook_solved_is_right_in_german():
    printed, stopped = run(in_german())
    assert stopped is None
    praise = [line for line in printed.splitlines() if line.startswith("✓")]
    assert len(praise) == len(STEPS)
    assert praise[2] == "✓ Beide Abstände sind wie bei SciPy: L1 mit p = 1, L2 mit p = 2."


def test_a_known_mistake_gets_its_german_name_and_hint():
    wrong = ANSWERS["by-hand"].replace("return total ** (1 / p)", "return total")
    _, stopped = run(in_german(**{"by-hand": wrong}))
    assert str(stopped).splitlines() == [
        "✗ by_hand, probiert an eigenen Vektoren der Prüfung: noch nicht richtig.",
        "  Das sieht nach einem bekannten Fehler aus: Wurzel vergessen.",
        "  Hinweis: Für p = 1 sieht man nichts, aber für p = 2 ist das ein quadrierter Abstand. "
        "Mach die Potenz rückgängig.",
        *str(stopped).splitlines()[3:],
    ]
    assert "Ordnung 1.2 zwischen Vektoren aus 5 Zahlen: zu groß (deines: " in str(stopped)


def test_a_blank_in_a_function_is_told_in_german():
    blank = next(cell.source for cell in GERMAN.cells if cell.id == "by-hand")
    _, stopped = run(in_german(**{"by-hand": blank}))
    assert str(stopped) == "✗ by_hand: Die Lücke ____ in dieser Funktion ist noch auszufüllen."


# The gate ----------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path):
    """Exercise 1 alone, with its German."""
    for name in ("solutions/01-minkowski.md", "solutions/mistakes/01.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in (BOOK, CHECKS):
        shutil.copytree(ROOT / name, tmp_path / name)
    return Course(tmp_path, "coursechecks")


def failures(course) -> list[str]:
    (german,) = spoken_by(course, NAME)
    return [failure.what for failure in wrong_translation(course, NAME, german)]


def say_in_german(course, folder: str, message: str, said: str) -> None:
    """Give a message of a catalogue another translation."""
    path = course.root / folder
    with path.open("rb") as file:
        catalogue = read_po(file)
    catalogue[message].string = said
    with path.open("wb") as file:
        write_po(file, catalogue)


def test_a_good_translation_is_what_its_english_exercise_is(course):
    assert failures(course) == []


@pytest.mark.parametrize(
    ("folder", "message", "said", "what"),
    [
        (
            f"{BOOK}/de/{FOLDER}/solutions/{NAME}.po",
            "Do the two opinions agree?",
            "Ist es `np.sum(apart**p)`?",
            "gives away the answer `np.sum(apart**p)`",
        ),
        (
            f"{BOOK}/de/{FOLDER}/solutions/{NAME}.po",
            "Do the two opinions agree?",
            "Siehe {term}`L1`",
            "the role {term}`L1` is new",
        ),
        (
            f"{CHECKS}/de/{FOLDER}/{DOMAIN}.po",
            "This is the square of L2: the root is missing.",
            "Es sollte 15.763 sein.",
            "a hint tells 15.763",
        ),
    ],
)
def test_a_translation_that_tells_an_answer_breaks_a_promise(course, folder, message, said, what):
    say_in_german(course, folder, message, said)
    assert any(what in failure for failure in failures(course))


# The language ----------------------------------------------------------------------------------


def test_english_is_spoken_unless_somebody_asks_for_another(monkeypatch):
    assert say("too large") == "too large"
    monkeypatch.setenv("COURSE_LANGUAGE", "de")
    assert say("too large") == "zu groß"
    speak("en")
    assert say("too large") == "too large"


def test_what_is_not_translated_is_said_in_english():
    speak("de")
    assert say("no text of any check") == "no text of any check"
    assert worded("no name of 3 things") == "no name of 3 things"


@pytest.mark.parametrize("way", ["speak", "environment"])
def test_a_language_without_a_catalogue_is_told_with_the_way_out(monkeypatch, way):
    ask = {"speak": lambda: speak("xx"), "environment": lambda: say("too large")}[way]
    if way == "environment":
        monkeypatch.setenv("COURSE_LANGUAGE", "xx")
    with pytest.raises(LanguageError, match=r"'xx'; they speak de, en: .*COURSE_LANGUAGE"):
        ask()


def test_what_observers_name_is_looked_up_without_its_numbers():
    name = "order 1.2 between vectors of 5 numbers, times 1e-05 (2)"
    assert without_numbers(name) == "order {} between vectors of {} numbers, times {}"
    assert without_numbers("L1 of [1, 2.5] and -3") == "L1 of {} and {}"
    speak("de")
    assert worded(name) == "Ordnung 1.2 zwischen Vektoren aus 5 Zahlen, mal 1e-05 (2)"


def test_kinds_are_compared_and_said_in_one_language():
    speak("de")
    assert kind({"kind": "a set"}) == "etwas vom Typ set"
    said = "erwartet wurde eine Zahl, und es kam etwas vom Typ set"
    assert in_kind(1.0, {"kind": "a set"}) == [said]
    speak("en")
    assert kind({"kind": "a set"}) == "a set"


def test_every_language_has_what_the_package_hands_out():
    assert language.languages() == ["de", "en"]


# A class -----------------------------------------------------------------------------------------


def test_a_german_submission_is_put_together_as_an_english_one():
    import nbformat

    key = make_key(ROOT, NAME)
    german = rebuild(read_cells(nbformat.writes(in_german()).encode()), key)
    assert german.told == []
    assert german.words == {"in-words": ""}  # German words to write over are no answer
    english = in_german()
    english.cells = [cell.copy() for cell in EXERCISE.cells]
    for cell in english.cells:
        cell.source = ANSWERS[cell.id] if cell.id in key.solutions else cell.source
    assert german.cells == rebuild(read_cells(nbformat.writes(english).encode()), key).cells


def test_feedback_speaks_the_language_of_its_class(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "de")
    step = StepMark("by-hand", 0, 1, ["root forgotten"], ["Look at the order that you asked for."])
    result = Result("ann", NAME, "Exercise 1: Minkowski distance", "a.ipynb", "", [step])
    html = page(result)
    assert '<html lang="de">' in html
    assert "Das sieht nach einem bekannten Fehler aus: <b>Wurzel vergessen</b>." in html
    assert "Übung 1: Minkowski-Abstand: Rückmeldung" in html
