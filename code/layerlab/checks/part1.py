"""Checks of exercise 1: the Minkowski distance by hand and by SciPy, its order and its unit."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import minkowski
from scipy.stats import kstest

from layerlab.checks._core import Mistake, call, compare, fail, right

SIZE, SEED = 100, 6  # what the exercise asks for
MANY = 4000  # numbers that show a distribution

UNSEEDED = Mistake(
    "generator without its seed",
    "Called twice with the same seed, your function gives different numbers. Where does the "
    "generator learn the seed?",
)
SEED_FIXED = Mistake(
    "seed written into the function",
    "Your function gives the same numbers whatever seed it is told. Use the argument.",
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
ONE_VECTOR = Mistake("only one vector", "A distance needs two ends. How many vectors are there?")
WRONG_SIZE = Mistake(
    "another number of components", "Your function is right, but called for another size."
)
WRONG_SEED = Mistake(
    "called with another seed",
    "Your function is right, but these are not the numbers of the seed that was asked for.",
)

NO_ABS = Mistake(
    "absolute value forgotten",
    "Differences of opposite sign cancel. For p = 2 nobody notices, since a square has no sign.",
)
ABS_OF_SUM = Mistake(
    "absolute value of the sum",
    "First drop each sign, then add up; you add up first, and what has cancelled is gone.",
)
NO_POWER = Mistake(
    "power forgotten",
    "The root undoes a power that was never there. What happens to each difference before the sum?",
)
TIMES_P = Mistake(
    "multiplied by p", "In Python, * multiplies, and the power has an operator of its own."
)
MEAN = Mistake(
    "mean instead of sum", "The formula adds up all components; it does not average them."
)
NOT_ADDED = Mistake(
    "not added up", "You have one number for each component. A distance is a single number."
)
NO_ROOT = Mistake(
    "root forgotten",
    "For p = 1 nothing shows, but for p = 2 this is a squared distance. Undo the power.",
)
ROOT_WITHOUT_BRACKETS = Mistake(
    "root without brackets",
    "Python raises to a power before it divides. What does it read in x ** 1 / p?",
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
OF_NEGATIVE = Mistake(
    "power or root of a negative number",
    "A negative number to a power that is not whole is nan. What can be negative in your lines?",
)
ROOT_INSIDE = Mistake(
    "root inside the sum",
    "Each term has been raised and brought back again, so p does nothing. Add up before the root.",
)

L1_FOR_L2 = Mistake("L1 where L2 was asked", "Look at the order that you asked for: L2 is p = 2.")
L2_FOR_L1 = Mistake(
    "L2 where L1 was asked",
    "Without an order, SciPy takes p = 2. L1 is the walk along the axes, p = 1.",
)
SQUARED = Mistake("squared distance", "This is the square of L2: the root is missing.")

EXACT = Mistake(
    "floats compared with ==",
    "0.1 + 0.2 and 0.3 differ in their last digit. Ask whether they are close, not identical.",
)
ONE_SIDED = Mistake(
    "sign of the difference forgotten",
    "If the second number is much larger, the difference is negative, and so below any bound.",
)
NO_ANSWER = Mistake(
    "a difference instead of an answer",
    "Your function says how much the numbers differ. Is that little enough? Answer yes or no.",
)
ROUNDED = Mistake(
    "rounded before the comparison",
    "Wherever you round, two neighbours can fall on different sides of the cut. Look at the size "
    "of the difference instead.",
)
TOO_LOOSE = Mistake(
    "tolerance too loose",
    "14.3 and 14.31 are two numbers: rounding changes a digit far behind the second.",
)
TOO_TIGHT = Mistake(
    "bound too small",
    "A computer rounds around the sixteenth digit, wherever that digit stands, and does so again "
    "and again. Leave room, and let the bound grow with the numbers.",
)
SIGNED_BOUND = Mistake(
    "negative numbers forgotten",
    "A bound in proportion to a number has that number's sign. Try -0.3 with itself, and -1 with "
    "-2.",
)

ONE_ORDER = Mistake(
    "the same order every time", "All distances are equal. Does the p in your loop reach the call?"
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
LAST_ORDER = Mistake(
    "the last order for the limit",
    "Close to the limit, but p = 100 is not infinity. Calculate the limit without a power.",
)

DIGITS_TYPED = Mistake(
    "typed instead of calculated",
    "A number that was printed has lost most of its digits. Calculate it from u and v.",
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
DISTANCE_CONVERTED = Mistake(
    "the distance converted instead of the vector",
    "A distance between metres and centimetres has no unit to convert. Convert the vector.",
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
    first = _drawn(draw_vectors, MANY, 1)
    if not np.array_equal(first, _drawn(draw_vectors, MANY, 1)):
        fail("draw_vectors", expected="the same numbers for the same seed", mistake=UNSEEDED)
    if np.array_equal(first, _drawn(draw_vectors, MANY, 2)):
        fail("draw_vectors", expected="other numbers for another seed", mistake=SEED_FIXED)
    if np.array_equal(*first):
        fail("draw_vectors", expected="two different vectors", mistake=SAME_TWICE)
    others = [_drawn(draw_vectors, MANY, seed) for seed in (0, 2, 3, 11, 101, 1001)]
    if any(np.array_equal(first[i], other[1 - i]) for other in others for i in (0, 1)):
        fail("draw_vectors", expected="vectors that no other seed has", mistake=SEED_FOR_EACH)
    if kstest((first[0] - first.min()) / np.ptp(first), "uniform").pvalue > 1e-6:
        fail("draw_vectors", expected="normal numbers", mistake=UNIFORM)
    if np.abs(first.mean(1)).max() > 0.1 or np.abs(first.std(1) - 1).max() > 0.1:
        fail(
            "draw_vectors",
            expected="mean 0 and standard deviation 1",
            got=f"mean {first.mean():.2f} and standard deviation {first.std():.2f}",
        )
    shape = _shape(pair)
    if shape != (2, SIZE):
        mistake = WRONG_SIZE if len(shape) == 2 and shape[0] == 2 else None
        fail("pair", expected=f"shape (2, {SIZE})", got=f"shape {shape}", mistake=mistake)
    if not np.array_equal(pair, _drawn(draw_vectors, SIZE, SEED)):
        fail("pair", expected=f"the numbers of seed {SEED}", mistake=WRONG_SEED)
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
    with np.errstate(invalid="ignore"):  # a root of a negative sum is one of the mistakes
        got = [call("by_hand", by_hand, u.copy(), v.copy(), p) for p in orders]
        mistakes = {
            mistake: _nearest(got, *([wrong(u, v, p) for p in orders] for wrong in formulas))
            for mistake, formulas in _WRONG_FORMULAS.items()
        }
    expected = [minkowski(u, v, p) for p in orders]
    mistakes[OF_NEGATIVE] = lambda: got if np.isnan(got).any() else expected
    compare("by_hand(u, v, p) for p = 1, 1.5, 2, 3", got, expected, mistakes)
    right("Sign dropped, powers added up, root taken: right for p = 1, 1.5, 2 and 3.")


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
    compare("scipy_l1", l1, true_l1, {L2_FOR_L1: true_l2})
    compare("scipy_l2", l2, true_l2, {L1_FOR_L2: true_l1, SQUARED: true_l2**2})
    right("Both distances are as SciPy has them: L1 with p = 1, L2 with p = 2.")


def check_agreement(same_number: Callable) -> None:
    """Check a comparison of two floats that forgives rounding and nothing else.

    Parameters
    ----------
    same_number : callable
        The answer: two numbers to True or False.
    """
    cases = _PAIRS | {f"edge {digits}": _edge(digits) for digits in range(14)}
    got = {name: call("same_number", same_number, *pair) for name, (*pair, _) in cases.items()}
    for name, (one, other, wanted) in cases.items():
        answer = got[name]
        if not isinstance(answer, bool | np.bool_):
            mistake = NO_ANSWER if isinstance(answer, float) else None
        elif answer != wanted:
            mistake = _wrong_comparison({name: bool(a) for name, a in got.items()})
        else:
            continue
        what = f"same_number({float(one)!r}, {float(other)!r})"
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
    compare("lengths", lengths, expected, {ONE_ORDER: lambda: _repeated(lengths)})
    largest = minkowski(u, v, np.inf)
    is_last = _is_near(limit, expected[-1], rtol=1e-9)
    if _is_near(limit, largest, rtol=1e-5) and not _is_near(limit, largest, 1e-9) and not is_last:
        expected, got = f"about {largest:.12g}", f"{float(limit):.12g}"
        fail("limit", expected=expected, got=got, mistake=DIGITS_TYPED)
    compare(
        "limit",
        limit,
        largest,
        {
            LIMIT_SIGNED: max(np.subtract(u, v)),
            LIMIT_OF_ENTRIES: abs(max(u) - max(v)),
            INFINITY_PUT_IN: 1.0,
            LAST_ORDER: expected[-1],
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
    compare(
        "in_metres",
        in_metres,
        metres,
        {
            OTHER_UNIT: metres * 100,
            UNITS_MIXED: mixed,
            WRONG_WAY: minkowski(u, np.multiply(v_cm, 100), 2),
            DISTANCE_CONVERTED: mixed / 100,
        },
    )
    compare(
        "in_centimetres",
        in_centimetres,
        metres * 100,
        {
            OTHER_UNIT: metres,
            UNITS_MIXED: mixed,
            WRONG_WAY: minkowski(np.divide(u, 100), v_cm, 2),
            DISTANCE_CONVERTED: mixed * 100,
            FACTOR_SQUARED: metres * 100**2,
        },
    )
    right("One unit in, the same unit out: a hundred times the number, and the same distance.")


def _total(u, v, p) -> float:
    """Sum of the powers of the differences' sizes."""
    return np.sum(np.abs(u - v) ** p)


_WRONG_FORMULAS = {  # each mistake as formulas of both vectors and the order
    NO_ROOT: [_total],
    NO_ABS: [lambda u, v, p: np.power(np.sum((u - v) ** p), 1 / p)],
    ABS_OF_SUM: [lambda u, v, p: np.abs(np.sum((u - v) ** p)) ** (1 / p)],
    SIGNS_TOO_EARLY: [
        lambda u, v, p: np.power(np.sum((np.abs(u) - np.abs(v)) ** p), 1 / p),
        lambda u, v, p: np.sum(np.abs(np.abs(u) - np.abs(v)) ** p) ** (1 / p),
    ],
    ROOT_WITHOUT_BRACKETS: [lambda u, v, p: _total(u, v, p) / p],
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
    ROOT_INSIDE: [lambda u, v, p: _total(u, v, 1)],
    NO_POWER: [lambda u, v, p: _total(u, v, 1) ** (1 / p)],
    TIMES_P: [lambda u, v, p: (p * _total(u, v, 1)) ** (1 / p)],
    MEAN: [lambda u, v, p: np.mean(np.abs(u - v) ** p) ** (1 / p)],
    NOT_ADDED: [lambda u, v, p: np.abs(u - v)],
}

_PAIRS = {  # two numbers each, and whether they are the same but for rounding
    "same": (14.3, 14.3, True),
    "rounding": (0.1 + 0.2, 0.3, True),
    "larger": (1.0, 2.0, False),
    "smaller": (2.0, 1.0, False),
    "near": (14.3, 14.31, False),
    "beside": (0.2499, 0.2501, False),
    "negative": (-0.1 - 0.2, -0.3, True),
    "both negative": (-1.0, -2.0, False),
    "opposite": (-1.5, 1.5, False),
    "large": (1e15 / 3, 1e15 / 3 + 0.125, True),  # two steps of the last digit
}


def _edge(digits: int) -> tuple[float, float, bool]:
    """Two neighbours that rounding to so many digits sends to different sides."""
    edge = 1 + 0.5 * 0.1**digits
    step = 2 * np.finfo(float).eps
    return edge - step, edge + step, True


def _drawn(draw_vectors: Callable, size: int, seed: int) -> np.ndarray:
    """Two vectors of the student's recipe, (2, size)."""
    vectors = call("draw_vectors", draw_vectors, size, seed)
    try:
        vectors = np.asarray(vectors, dtype=float)
    except (TypeError, ValueError):
        fail("draw_vectors", expected="two vectors of numbers", got=f"a {type(vectors).__name__}")
    if vectors.shape != (2, size):
        known = {
            (): SINGLE_NUMBER,
            (size,): ONE_VECTOR,
            (size, 2): ROWS_FOR_COLUMNS,
            (2, SIZE): SIZE_FIXED,
        }
        fail(
            f"draw_vectors({size}, {seed})",
            expected=f"two vectors of {size} numbers",
            got=f"shape {vectors.shape}",
            mistake=known.get(vectors.shape),
        )
    return vectors


def _wrong_comparison(answers: dict[str, bool]) -> Mistake | None:
    """The mistake that gives these answers to the pairs of `check_agreement`."""
    edges = [answer for name, answer in answers.items() if name.startswith("edge")]
    if answers["larger"] != answers["smaller"]:
        return ONE_SIDED
    if answers["both negative"] or (answers["rounding"] and not answers["negative"]):
        return SIGNED_BOUND
    if answers["opposite"]:
        return SIGNS_TOO_EARLY
    if not answers["rounding"] and not any(edges):
        return EXACT
    if any(edges) and not all(edges):
        return ROUNDED
    if answers["near"] or answers["beside"]:
        return TOO_LOOSE
    return TOO_TIGHT if answers["rounding"] else None


def _is_near(value, other: float, rtol: float) -> bool:
    try:
        return bool(np.isclose(float(value), other, rtol=rtol, atol=0))
    except (TypeError, ValueError):
        return False


def _nearest(got, *values):
    """The one of several values of a mistake that the answer may be; the first if none is near."""
    for value in values:
        try:
            if np.shape(got) == np.shape(value) and np.allclose(got, value, equal_nan=True):
                return value
        except (TypeError, ValueError):
            break
    return values[0]


def _repeated(values: ArrayLike) -> np.ndarray:
    """As many values as there are, all like the first."""
    values = np.asarray(values, dtype=float)
    return np.full(values.shape, values.flat[0] if values.size else 0.0)


def _shape(values) -> tuple[int, ...]:
    """Shape of an answer; of lists that fit no shape, only their number."""
    try:
        return np.shape(values)
    except ValueError:
        return (len(values),)
