"""The language that checks speak: English, unless a notebook or the environment asks for another.

    from coursechecks import speak

    speak("de")

A notebook in another language says so in its first cell of code; for a whole class, the environment
variable COURSE_LANGUAGE says it. What has no translation is said in English.

Texts are looked up by what they are in English, in catalogues of gettext that come with the
package. What observers call the things they look at holds numbers, and is looked up without them.
"""

import gettext
import os
import re
from functools import cache
from pathlib import Path

from layerlab.errors import LayerlabError

ENGLISH = "en"
VARIABLE = "COURSE_LANGUAGE"
DOMAIN = "coursechecks"
FOLDER = Path(__file__).with_name("locale")  # no page rests on it: pages are run in English
NUMBER = re.compile(r"\[[^\[\]]*\]|(?<![\w.])[-−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)")
TWICE = re.compile(r"(.*) \((\d+)\)")  # what has the name of something else gets a number
GAP = "{}"

_chosen: str | None = None


class LanguageError(LayerlabError, ValueError):
    """A language was asked for that the checks do not speak."""


def languages() -> list[str]:
    """The languages that checks speak, by the names that catalogues go by, English among them."""
    there = FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")
    return sorted({ENGLISH, *(path.parents[1].name for path in there)})


def speak(language: str | None) -> None:
    """Let all checks of this process speak a language from now on.

    Parameters
    ----------
    language : str or None
        Such as "de"; None for what the environment says.

    Raises
    ------
    LanguageError
        If there is no catalogue of it.
    """
    global _chosen
    if language is not None:
        _require(language)
    _chosen = language


def spoken() -> str:
    """The language that is spoken now.

    Raises
    ------
    LanguageError
        If the environment asks for one without a catalogue.
    """
    language = _chosen or os.environ.get(VARIABLE) or ENGLISH
    _require(language)
    return language


@cache
def _require(language: str) -> None:
    if language not in languages():
        raise LanguageError(
            f"the checks do not speak {language!r}; they speak {', '.join(languages())}: choose "
            f'one of these, by speak("en") or by the environment variable {VARIABLE}'
        )


def say(text: str, /, **fields: object) -> str:
    """A text in the language that is spoken, with its fields filled in.

    Parameters
    ----------
    text : str
        In English, with ``{name}`` for each field.
    **fields
        What stands there; without any, braces in the text mean nothing.
    """
    said = _looked_up(text)
    return said.format(**fields) if fields else said


def translatable(text: str) -> str:
    """A text as it is, for `say` later on: from this word translators learn of it."""
    return text


def _looked_up(text: str) -> str:
    language = spoken()
    return text if language == ENGLISH or not text else _catalogue(language).gettext(text)


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, str(FOLDER), [language])


def without_numbers(name: str) -> str:
    """What an observer calls something, with a gap for each number: this is what is translated.

    Examples
    --------
    >>> without_numbers("order 1.5 between vectors of 6 numbers")
    'order {} between vectors of {} numbers'
    """
    again = TWICE.fullmatch(name)
    return NUMBER.sub(GAP, again[1] if again else name)


def worded(name: str) -> str:
    """What an observer calls something, in the language that is spoken."""
    pattern = without_numbers(name)
    said = _looked_up(pattern)
    if said == pattern:
        return name
    again = TWICE.fullmatch(name)
    numbers = iter(NUMBER.findall(again[1] if again else name))
    said = re.sub(r"\{\}", lambda _: next(numbers), said)
    return f"{said} ({again[2]})" if again else said
