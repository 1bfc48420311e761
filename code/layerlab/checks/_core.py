"""What all checks share: saying that an answer is right, or what is wrong with it and why."""

import pkgutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np
from numpy.typing import ArrayLike

from layerlab.errors import LayerlabError


class CheckFailed(LayerlabError, AssertionError):
    """An answer of an exercise is not right yet; the text says what came and what may be wrong."""

    def _render_traceback_(self) -> list[str]:
        """Lines that a notebook shows: the message alone, for the way to it teaches nothing."""
        return str(self).splitlines()


@dataclass(frozen=True)
class Mistake:
    """A mistake that people make here.

    Attributes
    ----------
    name : str
        A few words that say what happened, such as "root forgotten"; unique within its part.
    hint : str
        What to look at, in a sentence or two that leave the answer to the student.
    """

    name: str
    hint: str


NOT_A_NUMBER = Mistake(
    "nan or infinity",
    "Look for a division by zero, or for a logarithm of zero or of a negative number.",
)
NOT_FILLED = Mistake("nothing returned", "A function without `return` gives None.")


def known_mistakes() -> dict[str, dict[str, Mistake]]:
    """All mistakes that the checks name, by part ("part1", …) and name.

    Returns
    -------
    dict of dict of Mistake
        A part's mistakes are those that stand in its module under names of their own.
    """
    parts = {}
    for module in pkgutil.iter_modules(import_module("layerlab.checks").__path__):
        if module.name.startswith("part"):
            members = vars(import_module(f"layerlab.checks.{module.name}")).values()
            mistakes = [member for member in members if isinstance(member, Mistake)]
            parts[module.name] = {mistake.name: mistake for mistake in mistakes}
    return parts


def right(message: str) -> None:
    """Say in one line what was right."""
    print(f"✓ {message}")


def fail(
    what: str,
    *,
    expected: str = "",
    got: str = "",
    mistake: Mistake | None = None,
) -> None:
    """Stop with the mistake, if it is known, with what was expected, and with what came.

    Parameters
    ----------
    what : str
        The answer that is wrong, in the words or by the name that the student knows it by.
    expected, got : str
        What was expected and what came, in words or numbers; left out if empty.
    mistake : Mistake, optional
        The known mistake that explains it.

    Raises
    ------
    CheckFailed
        Always.
    """
    lines = [f"✗ {what}: not right yet."]
    if mistake:
        lines.append(f"  This looks like a known mistake: {mistake.name}.")
        lines.append(f"  Hint: {mistake.hint}")
    if expected:
        lines.append(f"  expected: {expected}")
    if got:
        lines.append(f"  got:      {got}")
    raise CheckFailed("\n".join(lines))


def compare(
    what: str,
    got,
    expected: ArrayLike,
    mistakes: dict[Mistake, ArrayLike | Callable[[], ArrayLike]] | None = None,
    *,
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> None:
    """Accept an answer, or name the mistake whose value it has.

    Parameters
    ----------
    what : str
        The answer, in the words or by the name that the student knows it by.
    got : object
        The student's answer: a number or an array.
    expected : array_like
        The right value, computed by the check. Integers are told as they are, other numbers as
        "about" so much.
    mistakes : dict, optional
        The value that each known mistake leads to, or a function that computes it. One whose
        value equals the right one to within the tolerance is skipped.
    rtol, atol : float
        Tolerances, as in `numpy.isclose`; float32 activations want 1e-4.

    Raises
    ------
    CheckFailed
        If the answer is no number or array of numbers, has another shape, holds NaN or infinity
        where none is expected, or differs.
    """
    about = "" if np.asarray(expected).dtype.kind in "iu" else "about "
    expected = np.asarray(expected, dtype=np.float64)
    values = as_numbers(what, got)
    if _same(values, expected, rtol, atol):
        return
    whole, came = _describe(expected), _describe(values)
    if whole == came and values.ndim == 0:
        whole, came = f"{expected:.12g}", f"{values:.12g}"
    place = {}
    if values.shape == expected.shape and expected.ndim:
        place = _first_difference(about, values, expected, rtol, atol)
    for mistake, wrong in (mistakes or {}).items():
        wrong = np.asarray(wrong() if callable(wrong) else wrong, dtype=np.float64)
        if _same(values, wrong, rtol, atol) and not _same(wrong, expected, rtol, atol):
            words = place if place and whole == came else {"expected": whole, "got": came}
            fail(what, **words, mistake=mistake)
    if values.shape != expected.shape:
        fail(what, expected=_shape_in_words(expected), got=_shape_in_words(values))
    if not np.isfinite(values).all() and np.isfinite(expected).all():
        fail(what, expected="finite values", got=came, mistake=NOT_A_NUMBER)
    if expected.ndim == 0:
        fail(what, expected=f"{about}{whole}", got=came)
    n_wrong = np.count_nonzero(~np.isclose(values, expected, rtol, atol, equal_nan=True))
    if n_wrong == expected.size and whole != came:  # no single place says more than the whole
        fail(what, expected=whole, got=f"{came}; every value differs")
    place["got"] += f"; {n_wrong} of {expected.size} values differ"
    fail(what, **place)


def as_numbers(what: str, got) -> np.ndarray:
    """The answer as numbers, or a failed check that says what it is instead.

    Parameters
    ----------
    what : str
        The answer, in the words or by the name that the student knows it by.
    got : object
        Also a tensor of torch.

    Returns
    -------
    ndarray of float64
        None, text and imaginary numbers are no numbers here.
    """
    wanted = "a number, or an array of numbers"
    if got is None:
        fail(what, expected=wanted, got="None", mistake=NOT_FILLED)
    if hasattr(got, "detach"):  # a tensor of torch
        got = got.detach().cpu().numpy()
    try:
        values = np.asarray(got)
        if values.dtype.kind not in "biufO" or any(item is None for item in values.flat):
            raise TypeError
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        holds = " that holds something else" if isinstance(got, (list, tuple, np.ndarray)) else ""
        if "inhomogeneous" in str(error):  # NumPy's word for a list whose parts have other shapes
            holds = " whose parts do not have the same shape"
        fail(what, expected=wanted, got=kind_of(got) + holds)


def kind_of(got) -> str:
    """What an answer is, in words: its type with the article, such as "an ndarray"."""
    name = type(got).__name__
    return f"{'an' if name[0] in 'aeiouAEIO' or name == 'ndarray' else 'a'} {name}"


def itself_if(got, expected, is_mistake: Callable) -> Callable:
    """For `compare`: the answer itself where it shows a mistake that has no single value.

    It is asked only when the answer is known to be numbers. An answer of another shape than the
    question takes for granted is some other mistake.
    """

    def value():
        try:
            return got if is_mistake(np.asarray(got, dtype=float)) else expected
        except (IndexError, TypeError, ValueError):
            return expected

    return value


def nearest(got, *values):
    """The one of several values of a mistake that the answer may be; the first if none is near."""
    for value in values:
        try:
            is_near = np.shape(got) == np.shape(value) and np.allclose(
                got, value, rtol=1e-6, equal_nan=True
            )
            if is_near:
                return value
        except (TypeError, ValueError):
            break
    return values[0]


def repeated(values: ArrayLike) -> np.ndarray:
    """As many values as there are, all like the first."""
    values = np.asarray(values, dtype=float)
    return np.full(values.shape, values.flat[0] if values.size else 0.0)


def shape_of(values) -> tuple[int, ...]:
    """Shape of an answer; of lists that fit no shape, only their number."""
    try:
        return np.shape(values)
    except ValueError:
        return (len(values),)


def first_seen(signs: dict[Mistake, bool]) -> Mistake | None:
    """The first mistake whose sign is there, if any is."""
    return next((mistake for mistake, is_there in signs.items() if is_there), None)


def refuse_overwritten(what: str, handed, given, mistake: Mistake) -> None:
    """Fail if what a function was handed is no longer what it was."""
    if not np.array_equal(handed, given):
        got = f"{np.count_nonzero(handed != np.asarray(given))} of its numbers changed"
        fail(what, expected="what it was given unchanged", got=got, mistake=mistake)


def call(what: str, function, *args, **options):
    """Result of a student's function; an error that it raises becomes a failed check.

    A warning is printed as one line. On the standard error, where Python would put it, it costs a
    right answer its points: nbgrader takes whatever stands there for a failure.

    Raises
    ------
    CheckFailed
        If the function raises, is none, returns None, or comes to a blank left unfilled.
    """
    if not callable(function):
        fail(what, expected="a function", got=kind_of(function))
    try:
        result = _with_warnings_printed(function, args, options)
    except CheckFailed:
        raise
    except NameError as error:
        if error.name == "____":
            message = f"✗ {what}: the blank ____ in this function is still to be filled."
            raise CheckFailed(message) from error
        raise _raised(what, error) from error
    except Exception as error:
        raise _raised(what, error) from error
    if result is None:
        fail(what, expected="a result", got="None", mistake=NOT_FILLED)
    return result


def _with_warnings_printed(function, args, options):
    with warnings.catch_warnings(record=True) as caught:
        try:
            return function(*args, **options)
        finally:
            for warning in caught:
                print(f"· Python warned: {warning.category.__name__}: {warning.message}")


def _raised(what: str, error: Exception) -> CheckFailed:
    return CheckFailed(
        f"✗ {what}: not right yet.\n  got:      {type(error).__name__}: {error}\n"
        "  It was raised when the check called your function with data of its own."
    )


def _same(a: np.ndarray, b: np.ndarray, rtol: float, atol: float) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol, atol, equal_nan=True)


def _number(value: float) -> str:
    """Six digits, or all of a whole number, so that 14055 and 14056 do not look alike."""
    return f"{value + 0.0:.0f}" if value == np.rint(value) and abs(value) < 1e15 else f"{value:.6g}"


def _shape_in_words(values: np.ndarray) -> str:
    return f"the shape {values.shape}" if values.ndim else "a single number"


def _describe(values: np.ndarray) -> str:
    """A number, or an array's shape with its mean and extremes."""
    if values.ndim == 0:
        return _number(values)
    if values.size <= 4:
        if (values == np.rint(values)).all():
            values = values.astype(int)
        return np.array2string(values, precision=6, separator=", ").replace("\n", "")
    if not np.isfinite(values).all():
        return f"shape {values.shape}, {np.count_nonzero(~np.isfinite(values))} not finite"
    return (
        f"shape {values.shape}, from {_number(values.min())} to {_number(values.max())}, "
        f"mean {values.mean():.6g}"
    )


def _first_difference(about: str, values, expected, rtol, atol) -> dict[str, str]:
    """What stands at the first place where two arrays differ, in words for `fail`."""
    different = ~np.isclose(values, expected, rtol, atol, equal_nan=True)
    place = tuple(int(i) for i in np.argwhere(different)[0])
    index = ", ".join(str(i) for i in place)
    return {
        "expected": f"{about}{_number(expected[place])} at [{index}]",
        "got": f"{_number(values[place])} there",
    }
