"""Checks of exercise 1: the Minkowski distance by hand and by SciPy, its order and its unit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import minkowski
from scipy.stats import kstest

from layerlab.checks._core import (
    CheckFailed,
    Mistake,
    as_numbers,
    call,
    compare,
    fail,
    itself_if,
    kind_of,
    nearest,
    repeated,
    right,
    shape_of,
)

SIZE, SEED = 100, 6  # what the exercise asks for
MANY = 4000  # numbers that show a distribution
LONGEST, LAST_P = 1600, 100  # what the exercise's loops leave behind

UNSEEDED = Mistake(
    "generator without its seed",
    "Called twice with the same seed, your function gives different numbers. Where does the "
    "generator learn the seed?",
)
SEED_NOT_USED = Mistake(
    "seed argument not used",
    "Your function gives the same numbers whatever seed it is told. What does the generator start "
    "from?",
)
SAME_TWICE = Mistake(
    "the same vector twice",
    "Both vectors hold the same numbers, so every distance would be 0. One generator for both "
    "goes on where it stopped; a second one with the same seed begins again.",
)
SEED_FOR_EACH = Mistake(
    "a generator for each vector",
    "One vector of this seed is also a vector of another seed. Let one generator draw both.",
)
OLD_GENERATOR = Mistake(
    "NumPy's older generator",
    "`np.random.seed` and `RandomState` start the generator of earlier days, which makes other "
    "numbers of the same seed. What does NumPy call its default today?",
)
IN_TURN = Mistake(
    "numbers dealt out in turn",
    "Your vectors take their numbers alternately, one for the first and one for the second. All "
    "numbers of the first come before those of the second.",
)
SECOND_FIRST = Mistake(
    "second vector first", "The right vectors in the wrong order. Which of them is drawn first?"
)
UNIFORM = Mistake(
    "uniform numbers for normal ones",
    "All numbers lie between two bounds, everywhere equally dense. Normal numbers crowd around 0; "
    "the generator has a method for them.",
)
SINGLE_NUMBER = Mistake(
    "a single number",
    "Without a shape, a generator draws one number; and `normal` takes its first two arguments "
    "for a mean and a standard deviation, not for a shape.",
)
SIZE_FIXED = Mistake(
    "size written into the function",
    "You get 100 numbers whatever size you ask for. Use the argument.",
)
ROWS_FOR_COLUMNS = Mistake(
    "rows and columns exchanged",
    "There are many vectors of two numbers. In a shape, the number of rows comes first.",
)
ALL_IN_A_ROW = Mistake(
    "one row of all numbers",
    "There are enough numbers, but nothing tells where the second vector begins.",
)
ONE_VECTOR = Mistake("only one vector", "A distance needs two ends. How many vectors are there?")
WRONG_SIZE = Mistake(
    "another number of components", "Your function is right, but called for another size."
)
WRONG_SEED = Mistake(
    "called with another seed",
    "Your function is right, but these are not the numbers of the seed that was asked for.",
)

NO_ABS = Mistake(
    "absolute value missing before the sum",
    "Differences of opposite sign cancel, and a negative number to the power 1.5 or 1/3 is nan. "
    "For p = 2 nobody notices, since a square has no sign.",
)
NO_POWER = Mistake(
    "power forgotten",
    "The root undoes a power that was never there. What happens to each difference before the sum?",
)
TIMES_P = Mistake(
    "multiplied by p", "In Python, * multiplies, and the power has an operator of its own."
)
HAT = Mistake(
    "^ for a power",
    "In Python, ^ compares the bits of whole numbers. The power has another operator.",
)
MEAN = Mistake(
    "mean instead of sum", "The formula adds up all components; it does not average them."
)
NOT_ADDED = Mistake(
    "not added up", "You have one number for each component. A distance is a single number."
)
ONE_COMPONENT = Mistake(
    "only one component counted",
    "You get the difference in a single component. If you wrote a loop: does it return in its "
    "first round, or keep only its last?",
)
COMPONENT_MISSING = Mistake(
    "a component left out",
    "Your function does not count the first component, or not the last. With which number does "
    "Python begin to count, and which one does it leave out at the end?",
)
NO_ROOT = Mistake(
    "root forgotten",
    "For p = 1 nothing shows, but for p = 2 this is a squared distance. Undo the power.",
)
POWER_AGAIN = Mistake(
    "the power taken again", "The sum of the powers is raised to p once more. Which step undoes it?"
)
DIVIDED_BY_P = Mistake(
    "divided by p",
    "Your sum is divided by p. If you wrote a root: Python raises to a power before it divides, so "
    "what does it read in x ** 1 / p?",
)
SQUARE_ROOT = Mistake(
    "square root for every p", "Right for p = 2 only. Which root undoes a p-th power?"
)
POWER_TWO = Mistake(
    "the power 2 for every p", "Squares are right for p = 2 only. Use the order that is given."
)
WHOLE_ORDER = Mistake(
    "order cut to a whole number",
    "The order need not be whole: your function is wrong for p = 1.5. Use p as it comes.",
)
SIGNS_TOO_EARLY = Mistake(
    "signs dropped before the difference",
    "3 and -3 are as far apart as 0 and 6. Drop the sign when it is that of the difference.",
)
NOT_THE_ARGUMENTS = Mistake(
    "a variable of the notebook instead of the argument",
    "Your function uses a variable of the notebook, which does not change with what it is handed. "
    "Inside it, use only the names between the parentheses of its `def` line, and what you make of "
    "them.",
)
CHANGED = Mistake(
    "vectors changed",
    "Your function has written into a vector that it was given, as `-=` and `*=` do, and every "
    "later cell has the changed numbers. Make a new one; then run all cells from the first.",
)
OTHER_VECTORS = Mistake(
    "other vectors than the exercise's",
    "Either step 1 is not right yet, or a later line has changed a vector: given its name to "
    "another, or written into it, as `*=` and `/=` do. Mend that line; then run all cells from the "
    "first.",
)
OF_NEGATIVE = Mistake(
    "power or root of a negative number",
    "A negative number to a power that is not whole is nan. What can be negative in your lines?",
)
NO_EFFECT = Mistake(
    "p without effect",
    "Whatever p is, you get the distance for p = 1. Either p does not occur, or power and root are "
    "on the same side of the sum, where one undoes the other.",
)

L1_FOR_L2 = Mistake("L1 where L2 was asked", "Look at the order that you asked for: L2 is p = 2.")
L2_FOR_L1 = Mistake(
    "L2 where L1 was asked",
    "Without an order, SciPy takes p = 2. L1 is the walk along the axes, p = 1.",
)
SQUARED = Mistake("squared distance", "This is the square of L2: the root is missing.")
DIGITS_MISSING = Mistake(
    "digits missing",
    "Right as far as it goes. Was it rounded, kept in a type of few digits, or typed from what was "
    "printed? Calculate with all digits.",
)

ONE_SIDED = Mistake(
    "sign of the difference forgotten",
    "If one of the numbers is much larger, the difference may be negative, and so below any bound.",
)
SIGNED_BOUND = Mistake(
    "negative numbers forgotten",
    "A bound in proportion to a number has that number's sign. Try -0.3 with itself, and -1 with "
    "-20.",
)
EXACT = Mistake(
    "identical instead of close",
    "0.1 + 0.2 and 0.3 differ in their last digit. Ask whether they are close, not identical.",
)
ROUNDED = Mistake(
    "rounded before the comparison",
    "Wherever you round, two neighbours can fall on different sides of the cut. Look at the size "
    "of the difference instead.",
)
TOO_LOOSE = Mistake(
    "tolerance too loose",
    "Your function does not tell 14.3 from 14.302: rounding changes a digit far behind these.",
)
FIXED_TOLERANCE = Mistake(
    "a tolerance that does not shrink with the numbers",
    "It is as wide for tiny numbers as for all others, so different ones look the same. If a "
    "ready-made function compares for you: which tolerances has it when you name none?",
)
ZERO = Mistake(
    "zero forgotten",
    "A bound in proportion to 0 is 0, and no difference is below that; and nothing can be divided "
    "by 0. Try 0 with itself, and with another number.",
)
TOO_TIGHT = Mistake(
    "bound too small",
    "A computer rounds around the sixteenth digit, and again and again, until several of the last "
    "digits are rounding. Leave room.",
)
NO_ANSWER = Mistake(
    "a difference instead of an answer",
    "Your function says how much the numbers differ. Is that little enough? Answer True or False.",
)

ONE_ORDER = Mistake(
    "the same order every time", "All distances are equal. Does the p in your loop reach the call?"
)
LEFT_VECTORS = Mistake(
    "vectors left over from a loop",
    "`first` and `second` are still what the loop of step 3 drew last. Which two are asked for?",
)
WHOLE_NUMBERS = Mistake(
    "whole numbers for the orders",
    "Your p counts 1, 2, 3, … up. The orders that are asked for stand in a list.",
)
READ_ONCE = Mistake(
    "distances that can be read only once",
    "You made something that hands out each distance once, and the loop that prints has had them. "
    "A list keeps them.",
)
ORDER_MISSING = Mistake(
    "an order left out", "Each order has its distance. Which ones does your loop go through?"
)
LIMIT_SIGNED = Mistake(
    "sign kept in the limit",
    "The largest difference may be a negative one. Drop the signs before you look for it.",
)
LIMIT_OF_ENTRIES = Mistake(
    "difference of the largest numbers",
    "The largest of u and the largest of v need not stand in the same component. Subtract first.",
)
INFINITY_PUT_IN = Mistake(
    "infinity put into the formula",
    "The computer takes anything to the power 1/infinity for 1. Look at the row for p = 100: which "
    "quantity of the two vectors is that?",
)
LARGE_ORDER = Mistake(
    "a large order for the limit",
    "Close to the limit, but no order is infinity. Calculate the limit without a power.",
)
INFINITE = Mistake(
    "an infinite limit",
    "The distance settles at a finite number. If you took a large order: so high a power of "
    "anything above 1 is too large for a computer, which calls it infinity. Take none.",
)
PLACE = Mistake(
    "the component instead of the difference",
    "This says which component it is. How far apart are the vectors there?",
)

LEFT_ORDER = Mistake(
    "p left over from a loop", "`p` is still what the last loop left in it. L2 has its own order."
)
OTHER_UNIT = Mistake(
    "the answer in the other unit", "The distance is right, but which unit was asked for here?"
)
UNITS_MIXED = Mistake(
    "two units in one distance",
    "One vector is in metres, the other in centimetres. Bring them to one unit first.",
)
WRONG_WAY = Mistake(
    "converted the wrong way",
    "A metre has a hundred centimetres. Is the number in metres larger or smaller?",
)
BOTH_CONVERTED = Mistake(
    "both units converted alike",
    "A factor for both vectors, or for the distance between them, leaves one in metres and the "
    "other in centimetres. Which of the two needs it?",
)
FACTOR_SQUARED = Mistake(
    "factor squared", "The p-th root undoes the power also for the unit: 1 m is 100 cm."
)


def check_vectors(draw_vectors: Callable, pair: ArrayLike) -> None:
    """Check the recipe for two seeded normal vectors, and the pair drawn by it.

    Parameters
    ----------
    draw_vectors : callable
        The answer: a size and a seed to two vectors of that size.
    pair : array_like, shape (2, 100)
        The answer: the vectors of 100 numbers with the seed of the exercise.
    """
    for seed in (1, 2):
        drawn = _drawn(draw_vectors, MANY, seed)
        if not np.array_equal(drawn, _usual(MANY, seed)):
            _explain_draw(draw_vectors, drawn, seed)
    shape = shape_of(pair)
    if shape != (2, SIZE):
        mistake = WRONG_SIZE if len(shape) == 2 and shape[0] == 2 else None
        got = f"shape {shape}" if shape else kind_of(pair)  # such as a function, not called
        fail("pair", expected=f"two vectors of {SIZE} numbers", got=got, mistake=mistake)
    _refuse_lists("pair", pair)
    if not np.array_equal(pair, _usual(SIZE, SEED)):
        is_other = any(np.array_equal(pair, _usual(SIZE, seed)) for seed in range(1000))
        mistake = WRONG_SEED if is_other else None
        fail("pair", expected=f"the numbers of seed {SEED}", mistake=mistake)
    right("Two different vectors of 100 normal numbers, and anybody with the seed gets the same.")


def check_by_hand(by_hand: Callable, u: ArrayLike, v: ArrayLike) -> None:
    """Check the student's formula for p = 1, 1.5, 2 and 3.

    Parameters
    ----------
    by_hand : callable
        The answer: two vectors and an order to a distance.
    u, v : array_like, shape (n,)
        The vectors of the exercise.
    """
    orders = (1, 1.5, 2, 3)
    u, v = np.array(u), np.array(v)
    both_ways = (u, v), (v, u)
    with np.errstate(invalid="ignore"):  # a root of a negative sum is one of the mistakes
        handed = [(u.copy(), v.copy()) for _ in orders]
        got = [_by_hand(by_hand, *copies, p) for copies, p in zip(handed, orders, strict=True)]
        mistakes = {
            mistake: nearest(
                got,
                *([wrong(*ends, p) for p in orders] for wrong in formulas for ends in both_ways),
            )
            for mistake, formulas in _WRONG_FORMULAS.items()
        }
    expected = [minkowski(u, v, p) for p in orders]
    # The first power and root make no nan: one for p = 1 has another cause.
    mistakes[OF_NEGATIVE] = itself_if(
        got, expected, lambda d: np.isnan(d[1:]).any() and not np.isnan(d[0]).any()
    )
    _compare_digits("by_hand(u, v, p) for p = 1, 1.5, 2, 3", got, expected, mistakes)
    if not np.array_equal(handed, [(u, v)] * len(orders)):
        fail("by_hand", expected="the vectors it was given unchanged", mistake=CHANGED)
    _check_arguments_used(by_hand, expected[0])
    right("Sign dropped, powers added up, root taken: right for p = 1, 1.5, 2 and 3.")


def _by_hand(by_hand: Callable, u: np.ndarray, v: np.ndarray, p: float):
    """The student's distance; the error that ^ leads to gets its name."""
    try:
        return call("by_hand", by_hand, u, v, p)
    except CheckFailed as failed:
        error = str(failed.__cause__)
        if "bitwise_xor" not in error and "for ^" not in error:  # NumPy's words, and Python's
            raise
    fail("by_hand", mistake=HAT)


def _check_arguments_used(by_hand: Callable, of_the_notebook: float) -> None:
    """Fail if the function answers for the notebook's vectors, whatever it is handed."""
    others = np.array([1.5, -2, 0.5, 4]), np.array([3, 3, -1, 0.25])
    got = call("by_hand", by_hand, *(vector.copy() for vector in others), 1)
    expected = minkowski(*others, 1)
    compare("by_hand of two other vectors", got, expected, {NOT_THE_ARGUMENTS: of_the_notebook})


def check_scipy(l1: float, l2: float, u: ArrayLike, v: ArrayLike) -> None:
    """Check SciPy's L1 and L2.

    Parameters
    ----------
    l1, l2 : float
        The answers: the distances of order 1 and 2.
    u, v : array_like, shape (n,)
        The vectors of the exercise.
    """
    true_l1, true_l2 = minkowski(u, v, 1), minkowski(u, v, 2)
    with _vectors_in_doubt(u=u, v=v):
        _compare_digits("scipy_l1", l1, true_l1, {L2_FOR_L1: true_l2})
        _compare_digits("scipy_l2", l2, true_l2, {L1_FOR_L2: true_l1, SQUARED: true_l2**2})
    right("Both distances are as SciPy has them: L1 with p = 1, L2 with p = 2.")


def check_agreement(same_number: Callable) -> None:
    """Check a comparison of two floats that forgives rounding and nothing else.

    Parameters
    ----------
    same_number : callable
        The answer: two numbers to True or False.
    """
    got = {name: _said(same_number, one, other) for name, (one, other, _) in _PAIRS.items()}
    wrong = [name for name, (*_, wanted) in _PAIRS.items() if got[name] is not wanted]
    if wrong:
        one, other, wanted = _PAIRS[wrong[0]]
        answer = got[wrong[0]]
        what = f"same_number({one!r}, {other!r})"
        is_difference = isinstance(answer, float) and answer == 0  # of a number from itself
        names = getattr(getattr(same_number, "__code__", None), "co_names", ())
        if {"own", "opinion", "scipy_l1", "scipy_l2"} & set(names):
            mistake = NOT_THE_ARGUMENTS
        else:
            mistake = NO_ANSWER if is_difference else _wrong_comparison(set(wrong))
        fail(what, expected=str(wanted), got=repr(answer), mistake=mistake)
    right("Close for their size counts as equal, whatever the sign: so floats are compared.")


def check_orders(
    lengths: ArrayLike, limit: float, orders: ArrayLike, u: ArrayLike, v: ArrayLike
) -> None:
    """Check the distances for all orders, and where they end.

    Parameters
    ----------
    lengths : array_like, shape (n_orders,)
        The answer: the distance of each order.
    limit : float
        The answer: the distance for p = infinity.
    orders : array_like, shape (n_orders,)
        The orders, rising.
    u, v : array_like, shape (n,)
        The vectors of the exercise.
    """
    expected = [minkowski(u, v, p) for p in orders]
    if not shape_of(lengths):
        wanted = f"a list or an array of {len(orders)} numbers"
        mistake = READ_ONCE if isinstance(lengths, Iterator) else None
        fail("lengths", expected=wanted, got=kind_of(lengths), mistake=mistake)
    left = _usual(LONGEST, SEED)
    largest, lowest = minkowski(u, v, np.inf), minkowski(u, v, LAST_P)
    with _vectors_in_doubt(u=u, v=v):
        _compare_digits(
            "lengths",
            lengths,
            expected,
            {
                ONE_ORDER: lambda: repeated(lengths),
                ORDER_MISSING: lambda: nearest(lengths, expected[:-1], expected[1:]),
                LEFT_VECTORS: lambda: [minkowski(*left, p) for p in orders],
                WHOLE_NUMBERS: lambda: [
                    minkowski(u, v, p) for p in range(1, min(np.size(lengths), 200) + 1)
                ],
            },
        )
        _compare_digits(
            "limit",
            limit,
            largest,
            {
                LIMIT_SIGNED: max(np.subtract(u, v)),
                LIMIT_OF_ENTRIES: abs(max(u) - max(v)),
                INFINITY_PUT_IN: 1.0,
                LARGE_ORDER: itself_if(
                    limit, largest, lambda d: not d.ndim and largest < d <= lowest * (1 + 1e-9)
                ),
                INFINITE: np.inf,
                PLACE: np.argmax(np.abs(np.subtract(u, v))),
                LEFT_VECTORS: minkowski(*left, np.inf),
            },
            rtol=1e-9,
        )
    right("The larger p, the closer the distance comes to the largest single difference.")


def check_units(in_metres: float, in_centimetres: float, u: ArrayLike, v_cm: ArrayLike) -> None:
    """Check L2 with both vectors in one unit, in either unit.

    Parameters
    ----------
    in_metres, in_centimetres : float
        The answers: the distance in metres and in centimetres.
    u : array_like, shape (n,)
        The first vector, in metres.
    v_cm : array_like, shape (n,)
        The second vector, in centimetres.
    """
    metres = minkowski(u, np.divide(v_cm, 100), 2)
    mixed = minkowski(u, v_cm, 2)
    l1, left = (minkowski(u, np.divide(v_cm, 100), p) for p in (1, LAST_P))
    with _vectors_in_doubt(u=u, v_cm=v_cm):
        _compare_digits(
            "in_metres",
            in_metres,
            metres,
            {
                OTHER_UNIT: metres * 100,
                UNITS_MIXED: mixed,
                WRONG_WAY: minkowski(u, np.multiply(v_cm, 100), 2),
                BOTH_CONVERTED: nearest(in_metres, mixed / 100, mixed * 100),
                L1_FOR_L2: l1,
                LEFT_ORDER: left,
            },
        )
        _compare_digits(
            "in_centimetres",
            in_centimetres,
            metres * 100,
            {
                OTHER_UNIT: metres,
                UNITS_MIXED: mixed,
                WRONG_WAY: minkowski(np.divide(u, 100), v_cm, 2),
                BOTH_CONVERTED: nearest(in_centimetres, mixed * 100, mixed / 100),
                FACTOR_SQUARED: metres * 100**2,
                L1_FOR_L2: l1 * 100,
                LEFT_ORDER: left * 100,
            },
        )
    right("One unit in, the same unit out: a hundred times the number, and the same distance.")


def _compare_digits(what: str, got, expected, mistakes, rtol: float = 1e-6) -> None:
    """As `compare`, whose messages do not show the digits that a rounded answer lacks."""
    _refuse_rounded(what, got, expected, rtol)
    compare(what, got, expected, mistakes, rtol=rtol)


def _refuse_rounded(what: str, got, expected: ArrayLike, rtol: float = 1e-6) -> None:
    """Fail if the answer is the right one, rounded; of several numbers, show the first."""
    values, expected = as_numbers(what, got), np.asarray(expected)
    if values.shape != expected.shape or np.allclose(values, expected, rtol, atol=0):
        return
    shorter = (*(expected.round(digits) for digits in range(1, 10)), expected.astype(np.float32))
    if any(np.allclose(values, short, rtol=1e-12, atol=0) for short in shorter):
        first, came = expected.flat[0], values.flat[0]
        fail(what, expected=f"about {first:.12g}", got=f"{came:.12g}", mistake=DIGITS_MISSING)


@contextmanager
def _vectors_in_doubt(**vectors: ArrayLike):
    """Blame a refusal on the vectors, if they are not those of the exercise.

    Answers that are right for other vectors pass: step 1 costs its own points only.
    """
    u, v = _usual(SIZE, SEED)
    given = {
        "u": (u, "the first vector of step 1"),
        "v": (v, "the second vector of step 1"),
        "v_cm": (100 * v, "100 times the second vector of step 1"),
    }
    try:
        yield
    except CheckFailed:
        for name, vector in vectors.items():
            numbers, words = given[name]
            if np.shape(vector) != numbers.shape or not np.allclose(vector, numbers):
                fail(name, expected=words, got="other numbers", mistake=OTHER_VECTORS)
        raise


def _total(u, v, p) -> float:
    """Sum of the powers of the differences' sizes."""
    return np.sum(np.abs(u - v) ** p)


_WRONG_FORMULAS = {  # each mistake as formulas of both vectors and the order
    NO_ROOT: [_total],
    NO_ABS: [  # what either gives may be what the other gives for the vectors exchanged
        lambda u, v, p: np.power(np.sum((u - v) ** p), 1 / p),
        lambda u, v, p: np.abs(np.sum((u - v) ** p)) ** (1 / p),
    ],
    SIGNS_TOO_EARLY: [
        lambda u, v, p: np.power(np.sum((np.abs(u) - np.abs(v)) ** p), 1 / p),
        lambda u, v, p: np.sum(np.abs(np.abs(u) - np.abs(v)) ** p) ** (1 / p),
    ],
    POWER_AGAIN: [lambda u, v, p: _total(u, v, p) ** p],
    DIVIDED_BY_P: [lambda u, v, p: _total(u, v, p) / p],
    SQUARE_ROOT: [lambda u, v, p: np.sqrt(_total(u, v, p))],
    POWER_TWO: [
        lambda u, v, p: _total(u, v, 2) ** (1 / p),
        lambda u, v, p: np.sqrt(_total(u, v, 2)),
    ],
    WHOLE_ORDER: [
        lambda u, v, p: _total(u, v, int(p)) ** (1 / p),
        lambda u, v, p: _total(u, v, int(p)) ** (1 / int(p)),
        lambda u, v, p: _total(u, v, p) ** (1 / int(p)),
    ],
    NO_EFFECT: [lambda u, v, p: _total(u, v, 1)],
    NO_POWER: [lambda u, v, p: _total(u, v, 1) ** (1 / p)],
    TIMES_P: [lambda u, v, p: (p * _total(u, v, 1)) ** (1 / p)],
    MEAN: [lambda u, v, p: np.mean(np.abs(u - v) ** p) ** (1 / p)],
    NOT_ADDED: [lambda u, v, p: np.abs(u - v)],
    ONE_COMPONENT: [lambda u, v, p: np.abs(u - v)[0], lambda u, v, p: np.abs(u - v)[-1]],
    COMPONENT_MISSING: [
        lambda u, v, p: _total(u[1:], v[1:], p) ** (1 / p),
        lambda u, v, p: _total(u[:-1], v[:-1], p) ** (1 / p),
    ],
}


_CUTS = (  # where rounding to so many digits, cutting digits off, and short floats part neighbours
    *(1 + 0.5 * 0.1**digits for digits in range(14)),
    1,
    1 + 2**-11,  # float16
    1 + 2**-24,  # float32
)
_EDGES = {f"edge {i}": (cut - 3.5e-14, cut + 3.5e-14, True) for i, cut in enumerate(_CUTS)}
_PAIRS = {  # two numbers each, and whether they are the same but for rounding
    "same": (14.3, 14.3, True),
    "larger": (1.0, 20.0, False),
    "smaller": (20.0, 1.0, False),
    "both negative": (-1.0, -20.0, False),
    "rounding": (0.1 + 0.2, 0.3, True),
    "negative": (-0.1 - 0.2, -0.3, True),
    "opposite": (-15.0, 15.0, False),
    **_EDGES,
    "near": (14.3, 14.302, False),
    "tiny": (1e-9, 5e-9, False),
    "tiniest": (1e-30, 5e-30, False),
    "huge": (1e200, 5e200, False),
    "trillionth": (7.0, 7.0 * (1 + 5e-13), True),
    "large": (1e15 / 3, 1e15 / 3 + 0.125, True),  # two steps of the last digit
    "zeros": (0.0, 0.0, True),
    "zero first": (0.0, 1.0, False),
    "zero last": (1.0, 0.0, False),
    "zero and negative": (0.0, -1.0, False),
    "negative and zero": (-1.0, 0.0, False),
}


def _drawn(draw_vectors: Callable, size: int, seed: int) -> np.ndarray:
    """Two vectors of the student's recipe, (2, size)."""
    answer = call("draw_vectors", draw_vectors, size, seed)
    try:
        vectors = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        fail("draw_vectors", expected="two vectors of numbers", got=kind_of(answer))
    if vectors.shape != (2, size):
        known = {
            (): SINGLE_NUMBER,
            (size,): ONE_VECTOR,
            (2 * size,): ALL_IN_A_ROW,
            (size, 2): ROWS_FOR_COLUMNS,
            (2, SIZE): SIZE_FIXED,
        }
        fail(
            f"draw_vectors({size}, {seed})",
            expected=f"two vectors of {size} numbers",
            got=f"shape {vectors.shape}",
            mistake=known.get(vectors.shape),
        )
    _refuse_lists("draw_vectors", answer)
    return vectors


def _usual(size: int, seed: int) -> np.ndarray:
    """The vectors that the exercise asks for, (2, size)."""
    return np.random.default_rng(seed).standard_normal((2, size))


def _refuse_lists(what: str, vectors) -> None:
    """Want arrays, as the cells of the exercise do that go on with them."""
    for vector in vectors:
        if not isinstance(vector, np.ndarray):
            fail(what, expected="NumPy arrays", got=f"{kind_of(vector)} of numbers")


def _explain_draw(draw_vectors: Callable, drawn: np.ndarray, seed: int) -> None:
    """Fail, with what is known about vectors that are not those of the seed."""
    if not np.array_equal(drawn, _drawn(draw_vectors, MANY, seed)):
        fail("draw_vectors", expected="the same numbers for the same seed", mistake=UNSEEDED)
    others = [_drawn(draw_vectors, MANY, other) for other in (0, 1, 2, 3, 11, 101, 1001)]
    if np.array_equal(others[0], others[1]):
        fail("draw_vectors", expected="other numbers for another seed", mistake=SEED_NOT_USED)
    if np.array_equal(*drawn):
        fail("draw_vectors", expected="two different vectors", mistake=SAME_TWICE)
    if any(np.array_equal(drawn[i], other[1 - i]) for other in others for i in (0, 1)):
        fail("draw_vectors", expected="vectors that no other seed has", mistake=SEED_FOR_EACH)
    if kstest((drawn[0] - drawn.min()) / np.ptp(drawn), "uniform").pvalue > 1e-6:
        fail("draw_vectors", expected="normal numbers", mistake=UNIFORM)
    if np.abs(drawn.mean(1)).max() > 0.1 or np.abs(drawn.std(1) - 1).max() > 0.1:
        fail(
            "draw_vectors",
            expected="mean 0 and standard deviation 1",
            got=f"mean {drawn.mean():.2f} and standard deviation {drawn.std():.2f}",
        )
    usual = _usual(MANY, seed)
    _refuse_rounded(f"draw_vectors({MANY}, {seed})[0][0]", drawn, usual, rtol=0)
    wanted, got = (
        f"vectors that begin with {x[0, 0]:.4f} and {x[1, 0]:.4f}" for x in (usual, drawn)
    )
    mistake = _known_draw(drawn, seed)
    fail(f"draw_vectors({MANY}, {seed})", expected=wanted, got=got, mistake=mistake)


def _known_draw(drawn: np.ndarray, seed: int) -> Mistake | None:
    """The mistake that makes these normal numbers of this seed, if it is known."""
    usual = _usual(MANY, seed)
    old = np.random.RandomState(seed).standard_normal((2, MANY))
    known = {
        SECOND_FIRST: [usual[::-1]],
        IN_TURN: [_dealt_out(usual)],
        OLD_GENERATOR: [old, _dealt_out(old)],
    }
    draws = ((mistake, draw) for mistake, several in known.items() for draw in several)
    return next((mistake for mistake, draw in draws if np.array_equal(drawn, draw)), None)


def _dealt_out(vectors: np.ndarray) -> np.ndarray:
    """The same numbers in the order in which they were drawn, given to the vectors in turn."""
    return vectors.reshape(-1, 2).T


def _said(same_number: Callable, one: float, other: float):
    """What the student's function says of a pair: True, False, or what it is instead."""
    try:
        answer = call("same_number", same_number, one, other)
    except CheckFailed as failed:
        if not isinstance(failed.__cause__, ZeroDivisionError):
            raise
        return failed.__cause__
    return bool(answer) if isinstance(answer, np.bool_) else answer


def _wrong_comparison(wrong: set[str]) -> Mistake | None:
    """The mistake that gives wrong answers to these pairs of `check_agreement` and to no others."""
    if "same" in wrong or {"larger", "smaller"} <= wrong:  # no comparison of two numbers at all
        return None
    zeros = {name for name, numbers in _PAIRS.items() if 0 in numbers[:2]}
    close = {name for name, (*_, wanted) in _PAIRS.items() if wanted} - {"same"} - zeros
    only_refuses = wrong <= close | zeros
    mistakes = {  # the first that applies
        ONE_SIDED: "larger" in wrong or "smaller" in wrong,
        SIGNED_BOUND: "both negative" in wrong or ("negative" in wrong and "rounding" not in wrong),
        SIGNS_TOO_EARLY: "opposite" in wrong,
        EXACT: only_refuses and close <= wrong,
        # A tolerance that is just too small for numbers around 1 may still do for the one of 1.5.
        ROUNDED: 0 < len(wrong & _EDGES.keys()) < len(_EDGES) - 1,
        TOO_LOOSE: "near" in wrong,
        FIXED_TOLERANCE: "tiniest" in wrong,
        ZERO: wrong <= zeros,
        TOO_TIGHT: only_refuses and "rounding" not in wrong,
    }
    return next((mistake for mistake, applies in mistakes.items() if applies), None)
