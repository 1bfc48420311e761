"""Checks of exercise 4: three measures of every pair of vectors, and how they relate."""

import re
from collections.abc import Callable
from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerlab.checks._core import (
    CheckFailed,
    Mistake,
    call,
    compare,
    fail,
    itself_if,
    kind_of,
    nearest,
    refuse_overwritten,
    right,
)
from layerlab.distances import minkowski
from layerlab.information import histogram_mutual_information, mutual_information
from layerlab.sweeps import measure_pairs, position_distances, to_upper

FROM_NOTEBOOK = Mistake(
    "a variable of the notebook instead of the argument",
    "The check handed your function data of its own, and your function looked at yours. Inside "
    "it, use only the names between the parentheses of its `def` line, and what you make of them.",
)
OVERWRITTEN = Mistake(
    "data overwritten",
    "What your function was given is no longer what it was, and whatever uses it next meets what "
    "you left there. Make something new, or work on a copy.",
)
ATTENTION = Mistake(
    "attention for MLP",
    "These vectors are what attention wrote. Which place has the MLP on the first axis?",
)
FROM_ONE = Mistake(
    "blocks counted from 1", "Your block is the third one. Block 3 has three blocks before it."
)
TARGET_FOR_BLOCK = Mistake(
    "target 3 for block 3",
    "You have one target in all blocks. The order of the axes is component, block, target, neuron.",
)
VECTORS_AS_COLUMNS = Mistake(
    "one vector a column", "One target must be one row, so that a loop over rows meets targets."
)
IN_NATS = Mistake(
    "nats for bits", "The number is right, its unit is not. How many nats make one bit?"
)
NATS_MULTIPLIED = Mistake(
    "multiplied by ln 2 instead of divided",
    "The same information counts more bits than nats, so the number must grow on the way to bits.",
)
CONVERTED_TWICE = Mistake(
    "converted twice", "The number was in bits already when you divided it by ln 2 once more."
)
HISTOGRAM = Mistake(
    "histogram instead of nearest neighbours",
    "This estimate depends on a number of bins. The other function asks for none.",
)
CORRELATION = Mistake(
    "correlation for information",
    "Pearson's r asks for a straight line, and has no unit. Information is counted in bits.",
)
NO_ABS = Mistake(
    "differences with their signs",
    "Differences above and below zero cancel in your sum. A distance adds up sizes.",
)
NOT_ADDED_UP = Mistake(
    "not added up",
    "There is one number for each neuron. A distance is one number for the whole pair.",
)
MEAN_FOR_SUM = Mistake("mean for sum", "You divided by the number of neurons. L1 and L2 do not.")
L1_FOR_L2 = Mistake(
    "L1 where L2 was asked",
    "Your third number equals the second one. Which order has L2, and was the root taken before "
    "the sum?",
)
L2_FOR_L1 = Mistake(
    "L2 where L1 was asked", "Your second number is the Euclidean distance. Which order has L1?"
)
DISTANCES_SWAPPED = Mistake(
    "L1 and L2 swapped", "Both are there, each in the other's place. Which of them adds squares?"
)
ROOT_FORGOTTEN = Mistake("root forgotten", "You have the sum of squares. What undoes the square?")
SIZE_HARD_CODED = Mistake(
    "size hard-coded",
    "The check has another number of targets than ten. Take it from what the function is given.",
)
ONE_AXIS = Mistake(
    "one axis for two targets", "A cell belongs to a first and to a second target. Count the axes."
)
NUMBER_FOR_TYPE = Mistake(
    "a number for a data type",
    "NumPy takes the whole shape as its first argument, and what follows it for the type of what "
    "is stored. Is your shape one argument?",
)
ROOM_FOR_PAIRS = Mistake(
    "a list for a table",
    "All places stand in one long row. A table has rows and columns, also where it stays empty.",
)
TABLE_NOT_MADE = Mistake(
    "a table not made",
    "Your function hands back a name to which it gave nothing. Such a table is missing or, if the "
    "notebook knows the name, belongs to other targets. Make all of them inside.",
)
WHOLE_NUMBERS = Mistake(
    "whole numbers",
    "The table holds integers, and whatever is stored there loses its decimals without a word.",
)
LIST_FOR_ARRAY = Mistake(
    "nested lists for an array",
    "Later cells pick by row and column at once, which nested lists cannot do. Make one array of "
    "them.",
)
TRAILING_COMMA = Mistake(
    "a comma at the line's end",
    "A comma behind a value makes a tuple with that one value in it. Look at the end of the line.",
)
ONE_TABLE = Mistake(
    "one table under several names",
    "What is stored in one of your tables shows up in another: they are the same array. Make each.",
)
NOT_ZEROS = Mistake(
    "not zeros to begin with", "Cells that are never filled must read 0. What makes zeros?"
)
STILL_EMPTY = Mistake(
    "nothing stored", "All cells are zero. Does the inner loop run at all? In which direction?"
)
DIAGONAL_MEASURED = Mistake(
    "diagonal included",
    "Your inner loop also visits a target together with itself. Where must it start?",
)
PAIR_ON_DIAGONAL = Mistake(
    "a pair on the diagonal",
    "Numbers of two different targets stand in cells of one target with itself. Which row and "
    "which column belong to a pair?",
)
BOTH_TRIANGLES = Mistake(
    "pairs counted twice",
    "Cells below the diagonal are filled as well: there you meet a pair from its other side.",
)
LOWER_TRIANGLE = Mistake(
    "lower triangle for upper",
    "Each pair is there once, but below the diagonal. Which index says the row?",
)
FIRST_LEFT_OUT = Mistake(
    "first target left out", "The first row is empty. Targets are counted from 0."
)
FIRST_ROW_ONLY = Mistake(
    "first row only",
    "Nothing has come of the rows after the first. How often does the outer loop run, and which "
    "line ends the function?",
)
ONE_NUMBER = Mistake(
    "a loop over one number",
    "`for` walks through several things, and it was handed a single number. What makes a row of "
    "numbers out of one?",
)
ARRAY_FOR_NUMBER = Mistake(
    "an array for a number",
    "Where the number of one target is needed, as an index or in a `range`, a whole array stands. "
    "What do your loops walk through?",
)
LIST_INDEX = Mistake(
    "a list as index",
    "A list picks whole rows of a table, a tuple picks one cell. Which brackets make a tuple?",
)
ROW_FOR_CELL = Mistake(
    "a whole row for a cell",
    "Rows of your table hold one number all along. A cell stands in a row and in a column.",
)
LAST_LEFT_OUT = Mistake(
    "last target left out", "The last column is empty. `range` stops before its end already."
)
NEIGHBOURS_ONLY = Mistake(
    "only neighbouring targets", "Each target pairs with all later ones, not only with the next."
)
NEIGHBOURS_LEFT_OUT = Mistake(
    "neighbours left out",
    "Next to the diagonal begins what you want, and it is missing: no target is paired with the "
    "one that follows it.",
)
SAME_INDEX = Mistake(
    "the same index twice",
    "All your distances are zero: a vector is compared with itself. Which two belong to a pair?",
)
ONE_FOR_ALL = Mistake(
    "first vector in every pair",
    "Your first row is right and the others are not: one of the two vectors never changes.",
)
ACROSS_TARGETS = Mistake(
    "a neuron of all targets for a target's vector",
    "You compared what two neurons do at all targets. Which axis of `vectors` counts the targets, "
    "and which one the neurons?",
)
GAP_NEGATIVE = Mistake(
    "distance below zero", "Which of the two targets stands later in the text? Subtract from that."
)
GAP_IN_TARGETS = Mistake(
    "counted in targets, not in tokens",
    "You subtracted the numbers of the targets (0, 1, 2, …), not the places where they stand.",
)
GAP_BETWEEN = Mistake(
    "tokens in between",
    "You counted the tokens that lie between the two. How far is it from the one to the other?",
)
GAP_OF_NEIGHBOURS = Mistake(
    "distance of neighbours",
    "You subtracted the places of two targets that follow each other. The two of a cell may stand "
    "further apart: which two are they?",
)
GAP_ONCE_A_ROW = Mistake(
    "outside the inner loop",
    "`apart` was filled in its last column only. Which lines does the inner loop repeat?",
)
GAP_IS_PLACE = Mistake(
    "place for distance", "That is where a target stands. How far is it from the other one?"
)
ROWS_APART = Mistake(
    "a list of rows",
    "Each row's numbers are still in a list of their own. Join the rows into one list.",
)
DIAGONAL_TAKEN = Mistake(
    "diagonal taken along",
    "There is one number too many for each target. On which diagonal must the triangle begin?",
)
WHOLE_TABLE = Mistake(
    "zeros of the whole table",
    "You took every cell, also those in which nothing was measured. Only i < j counts.",
)
DIAGONAL_LEFT_OUT = Mistake(
    "only the diagonal left out",
    "You still have the cells on the other side of it, and in those nothing was measured.",
)
PLACES_FOR_NUMBERS = Mistake(
    "places for numbers",
    "Your answer says where in the table the numbers stand. Which numbers stand there?",
)
ZEROS_DROPPED = Mistake(
    "a measured zero dropped",
    "You chose cells by their value. But a pair may share no information at all, and its 0 is a "
    "result. Choose by place.",
)
EMPTY_TRIANGLE = Mistake(
    "numbers from the empty triangle", "Nothing was ever stored below the diagonal."
)
SORTED = Mistake(
    "sorted by size",
    "The right numbers, but each table in an order of its own, so that the first of one list and "
    "the first of the other belong to different pairs.",
)
MEASURES_AS_ROWS = Mistake(
    "transposed",
    "The numbers are right, but each measure has a row of its own. In the array that came in, a "
    "row is a pair.",
)
COMMON_MAXIMUM = Mistake(
    "one common maximum",
    "L1 is by far the largest, so the other two shrink to nothing. Each column has its own.",
)
MAXIMUM_OF_PAIR = Mistake(
    "maximum of each pair",
    "You compared the three measures of one pair, which have different units. Over which axis do "
    "the pairs run?",
)
BY_SUM = Mistake(
    "divided by the sum", "Now each column adds up to 1. Its largest value should be 1."
)
BY_MEAN = Mistake(
    "divided by the mean", "Now each column's mean is 1. Its largest value should be 1."
)
MINIMUM_TAKEN_OFF = Mistake(
    "minimum subtracted", "The smallest value became 0, although that pair is not at distance 0."
)
PER_CENT = Mistake("per cent", "Now the largest value of each column is 100. It should be 1.")
FIRST_COLUMN_ONLY = Mistake(
    "only the first column",
    "It holds its shares, and of the others there are none. Does every column have its turn before "
    "the function ends?",
)
IN_PLACE = Mistake(
    "normalised in place",
    "The result is right, but you wrote it into the array that your function was given, and every "
    "later cell would take shares for bits. To assign to a column is to write, so is `/=`, and a "
    "second name for an array makes no second array.",
)
PAIR_FOR_MEASURE = Mistake(
    "a pair's row for a measure's column",
    "Your panels have as many dots as there are measures. In (pairs, measures), which axis do you "
    "index?",
)
AGAINST_ITSELF = Mistake(
    "a measure against itself",
    "In such a panel, all dots lie on the diagonal: both axes show the same numbers.",
)
SAME_COLUMNS = Mistake(
    "the same columns in every panel",
    "The labels change from panel to panel, and the dots do not. What does the inner loop hand to "
    "each panel?",
)
AXES_SWAPPED = Mistake(
    "axes swapped", "The labels say one thing and the dots another: x and y stand crosswise."
)
FIRST_VERTICAL = Mistake(
    "the first measure on the vertical axis",
    "The measure named first belongs on the horizontal axis, so it comes first in its couple.",
)
WALKED_ONCE = Mistake(
    "an iterator for a list",
    "It can be walked through only once, and there are two rows of panels. Make a list of it.",
)
FLAT_LIST = Mistake(
    "a flat list", "Six numbers in a row do not say which two of them meet. Keep couples together."
)
NAMES_FOR_COLUMNS = Mistake(
    "names for column numbers",
    "`pairs` knows no names. Which number has the column of each measure?",
)
COUPLES_FROM_ONE = Mistake(
    "columns counted from 1", "Three columns are counted from 0 to 2. Which of them holds MI?"
)
PANELS_REORDERED = Mistake(
    "panels in another order", "Asked were MI with L1, then MI with L2, then L1 with L2."
)
ROW_A_AS_SHARES = Mistake(
    "row A normalised",
    "Row A should show the numbers as they came in, and it shows shares. Follow them from the "
    "function's argument to the dots.",
)
ROW_B_AS_MEASURED = Mistake(
    "row B not normalised",
    "Row B shows the numbers of row A again. Its dots should come from shares: are they computed, "
    "and if so, is it they that the dots are drawn from?",
)

# Data of the notebook that the student's functions are handed as arguments.
NOTEBOOK = {
    "acts",
    "vecs",
    "places",
    "pairs",
    "shuffled",
    "louder",
    "bits",
    "l1",
    "l2",
    "apart",
    "ids",
}
OWN_SIZES = {10, 45}  # targets and pairs in the notebook
MLP, BLOCK = 1, 3
MEASURES = ("MI", "L1", "L2")
TABLES = ("bits", "l1", "l2", "apart")
COUPLES = ((0, 1), (0, 2), (1, 2))
TOLERANCE = {"rtol": 1e-4, "atol": 2e-3}  # of bits: estimators break ties by a noise of their own


def check_pick(vecs, acts) -> None:
    """The vectors of block 3, MLP.

    Parameters
    ----------
    vecs : array_like
        The answer.
    acts : ndarray, shape (2, n_blocks, n_targets, width)
    """
    _refuse_lists("vecs", vecs)
    expected = acts[MLP, BLOCK]
    mistakes = {
        ATTENTION: acts[1 - MLP, BLOCK],
        FROM_ONE: acts[MLP, BLOCK - 1],
        TARGET_FOR_BLOCK: acts[MLP, :, BLOCK],
        VECTORS_AS_COLUMNS: expected.T,
    }
    compare("vecs", vecs, expected, mistakes, rtol=1e-5, atol=1e-6)
    n, width = expected.shape
    right(f"{n} vectors of {width} numbers, one a row: what the MLP of block 3 wrote.")


def check_measure(measure) -> None:
    """The function that compares two vectors in three ways.

    Parameters
    ----------
    measure : callable
        The answer: two vectors to MI in bits, L1, L2.
    """
    rng = np.random.default_rng(4)
    for n in (80, 50):  # two pairs, for numbers typed in may be right for one
        x = rng.standard_normal(n)
        _compare_pair(measure, x, 0.8 * x + 0.4 * rng.standard_normal(n) + 0.1)
    right("MI from nearest neighbours, in bits, and the two distances: L1 adds sizes, L2 squares.")


def _compare_pair(measure, x, y) -> None:
    """Compare the three numbers of one pair."""
    what = f"measure (tried on two vectors of {len(x)})"
    handed = np.stack((x, y))
    got = _call(what, measure, *handed)
    refuse_overwritten(what, handed, (x, y), OVERWRITTEN)
    try:
        information, city, straight = got
    except (TypeError, ValueError):
        fail(what, expected="three numbers: MI, L1, L2", got=f"{got!r:.60}")
    bits, difference = mutual_information(x, y), x - y
    l1, l2 = minkowski(x, y, 1), minkowski(x, y, 2)
    mistakes = {
        IN_NATS: bits * np.log(2),
        NATS_MULTIPLIED: bits * np.log(2) ** 2,
        CONVERTED_TWICE: bits / np.log(2),
        HISTOGRAM: histogram_mutual_information(x, y),
        CORRELATION: np.corrcoef(x, y)[0, 1],
    }
    mistakes |= _not_the_argument(measure, information, bits)
    compare("MI", information, bits, mistakes, **TOLERANCE)

    def is_unadded(got):
        sizes = np.abs(difference), difference**2
        return got.shape == x.shape and any(np.allclose(np.abs(got), size) for size in sizes)

    signed = {NO_ABS: difference.sum(), MEAN_FOR_SUM: np.abs(difference).mean()}
    mistakes = _either_sign(city, signed, NO_ABS)
    mistakes |= {
        NOT_ADDED_UP: itself_if(city, l1, is_unadded),
        DISTANCES_SWAPPED: itself_if(
            city, l1, lambda got: np.isclose(got, l2, 1e-4) and np.isclose(straight, l1, 1e-4)
        ),
        L2_FOR_L1: l2,
    }
    compare("L1", city, l1, mistakes | _not_the_argument(measure, city, l1), rtol=1e-4)
    mistakes = {
        L1_FOR_L2: l1,
        ROOT_FORGOTTEN: l2**2,
        NOT_ADDED_UP: itself_if(straight, l2, is_unadded),
        MEAN_FOR_SUM: np.sqrt(np.square(difference).mean()),
        NO_ABS: abs(difference.sum()),
    }
    mistakes |= _not_the_argument(measure, straight, l2)
    compare("L2", straight, l2, mistakes, rtol=1e-4)


def check_tables(empty_tables) -> None:
    """The function that makes four tables of zeros.

    Parameters
    ----------
    empty_tables : callable
        The answer: a number of targets to three tables for measures and one for tokens.
    """
    n = 5  # small enough for NumPy to use the memory of an array again at once
    for _ in range(2):  # the second tables stand where the first ones left ones behind
        _check_empty(empty_tables, n)
    right(
        f"Four tables of zeros, {n} × {n} for {n} targets, each with a memory of its own; the "
        "measures keep their decimals."
    )


def _check_empty(empty_tables, n: int) -> None:
    """Check four empty tables, and fill them with ones, which `np.empty` would find later."""
    what = f"empty_tables (tried with n = {n})"
    raises = {
        TABLE_NOT_MADE: r"'(bits|l1|l2)' is not defined",
        NUMBER_FOR_TYPE: r"Cannot interpret '\d+' as a data type",
    }
    tables = _four_tables(what, _call(what, empty_tables, n, raises=raises))
    for name, table in zip(TABLES, tables, strict=True):
        _check_table(name, table, n, empty_tables)
    for (a, first), (b, second) in combinations(zip(TABLES, tables, strict=True), 2):
        if np.shares_memory(first, second):
            got = f"the same array as {a}"
            fail(b, expected="a table of its own", got=got, mistake=ONE_TABLE)
    for name, table in zip(TABLES, tables, strict=True):
        if not table.flags.writeable:
            fail(name, expected="a table that can be filled", got="a read-only array")
        table.fill(1)


def check_all_pairs(measure_all) -> None:
    """The function that fills the four tables, each pair i < j once.

    Parameters
    ----------
    measure_all : callable
        The answer: vectors (n, width) and places (n,) to bits, l1, l2, apart.
    """
    rng = np.random.default_rng(5)
    common = rng.standard_normal(60)
    X = common + rng.uniform(0.3, 0.9, (6, 1)) * rng.standard_normal((6, 60))
    places = np.array([3, 8, 20, 51, 52, 90])
    what = "measure_all (tried on six vectors)"
    raises = {
        ONE_NUMBER: "'int' object is not iterable",
        ARRAY_FOR_NUMBER: "only integer scalar arrays|arrays used as indices must be of integer",
    }
    answer = _call(what, measure_all, X.copy(), places.copy(), raises=raises)
    tables = _four_tables(what, answer)
    n = len(X)
    expected, across = (
        np.moveaxis(to_upper(measure_pairs(vectors)), -1, 0) for vectors in (X, X[:, :n].T)
    )  # (3, n, n) each
    _check_cells(measure_all, tables, expected)
    above = np.triu(np.ones((n, n)), 1)
    for m in (1, 0, 2):  # L1 first: where vectors are the wrong ones, bits are an accident
        got, values = tables[m], expected[m]
        mistakes = {
            WHOLE_NUMBERS: np.trunc(values),
            SAME_INDEX: itself_if(got, values, lambda table: not table.any()),
            ACROSS_TARGETS: across[m],
            ONE_FOR_ALL: itself_if(got, values, _first_row_only(values)),
            NEIGHBOURS_ONLY: above * np.append(np.diagonal(values, 1), 0)[:, None],
        }
        mistakes |= _not_the_argument(measure_all, got, values)
        compare(TABLES[m], got, values, mistakes, **TOLERANCE)
    _compare_gaps(measure_all, tables[3], places)
    right(
        f"{n * (n - 1) // 2} pairs of {n} vectors, each once, above the diagonal, zeros elsewhere."
    )


def check_above(above_diagonal) -> None:
    """The function that takes the numbers of the pairs out of a table.

    Parameters
    ----------
    above_diagonal : callable
        The answer: a table (n, n) to the numbers of its pairs i < j, in any fixed order.
    """
    values = np.array([[7.5, 3, 0, 9, 1.25, 8, 2, 6, 5, 4.5], [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10]])
    lists, want = [], "a list or a one-dimensional array of numbers"
    for pairs in values:
        table = to_upper(pairs)
        handed = table.copy()
        got = _call("above_diagonal", above_diagonal, handed)
        got = _numbers("above_diagonal", got, want, of_rows=ROWS_APART)
        refuse_overwritten("above_diagonal", handed, table, OVERWRITTEN)
        # in rising order, for here it does not matter which pair comes first
        answer = np.sort(got) if got.ndim == 1 else got
        wrong = {
            ZEROS_DROPPED: pairs[pairs != 0],
            DIAGONAL_TAKEN: table[np.triu_indices(5)],
            DIAGONAL_LEFT_OUT: table[~np.eye(5, dtype=bool)],
            WHOLE_TABLE: table,
            EMPTY_TRIANGLE: np.zeros(len(pairs)),
            FIRST_ROW_ONLY: pairs[:4][: got.size or 4],
            NEIGHBOURS_ONLY: np.diagonal(table, 1),
            NEIGHBOURS_LEFT_OUT: table[np.triu_indices(5, 2)],
            PLACES_FOR_NUMBERS: np.triu_indices(5, 1),
        }
        mistakes = {
            mistake: answer
            for mistake, numbers in wrong.items()
            if np.array_equal(np.sort(got, axis=None), np.sort(numbers, axis=None))
        }
        mistakes |= _not_the_argument(above_diagonal, answer, np.sort(pairs))
        compare("above_diagonal, 10 pairs of 5 targets", answer, np.sort(pairs), mistakes)
        lists.append(got)
    order = np.argsort(lists[1])  # of the pairs, from (0, 1) to (3, 4)
    if not np.array_equal(lists[0][order], values[0]):
        fail("above_diagonal", expected="every table read in the same order", mistake=SORTED)
    right("The numbers above the diagonal and no others, also if one of them happens to be 0.")


def check_shares(shares) -> None:
    """The function that divides each measure by its maximum.

    Parameters
    ----------
    shares : callable
        The answer: (n_pairs, 3) to the same shape.
    """
    given = np.random.default_rng(6).uniform([0.5, 20, 3], [2.5, 90, 9], (8, 3))
    handed = given.copy()
    what = f"shares (tried on {len(given)} pairs of the check's own)"
    got = _call(what, shares, handed, raises={MAXIMUM_OF_PAIR: "could not be broadcast"})
    expected = given / given.max(axis=0)

    def is_first_column(got):
        if got.shape != given.shape:
            return np.allclose(got.ravel(), expected[:, 0])
        others = got[:, 1:]
        is_first_right = np.allclose(got[:, 0], expected[:, 0])
        return is_first_right and (np.array_equal(others, given[:, 1:]) or not others.any())

    mistakes = _wrong_shares(given)
    mistakes[MEASURES_AS_ROWS] = expected.T
    mistakes[FIRST_COLUMN_ONLY] = itself_if(got, expected, is_first_column)
    mistakes |= _not_the_argument(shares, got, expected)
    compare(what, got, expected, mistakes)
    _refuse_lists(what, got)
    refuse_overwritten(what, handed, given, IN_PLACE)
    right("Each measure's largest pair is 1, and the data are what they were before.")


def _wrong_shares(given) -> dict:
    """What mistakes make of the measures of the pairs, (n_pairs, 3)."""
    highest, lowest = given.max(axis=0), given.min(axis=0)
    return {
        COMMON_MAXIMUM: given / given.max(),
        MAXIMUM_OF_PAIR: given / given.max(axis=1, keepdims=True),
        BY_SUM: given / given.sum(axis=0),
        BY_MEAN: given / given.mean(axis=0),
        MINIMUM_TAKEN_OFF: (given - lowest) / (highest - lowest),
        PER_CENT: 100 * given / highest,
    }


def check_relations(draw_relations, couples) -> None:
    """The figure of each measure against each other, in units and as shares.

    Parameters
    ----------
    draw_relations : callable
        The answer: (n_pairs, 3) to a figure of 2 × 3 panels.
    couples : sequence of tuple of int
        The answer: the columns of each panel, horizontal first.
    """
    _check_couples(couples)
    pairs = np.random.default_rng(7).uniform([0.5, 20, 3], [2.5, 90, 9], (9, 3))
    figure = _call("draw_relations", draw_relations, pairs.copy())
    if not isinstance(figure, Figure):
        fail("draw_relations", expected="a figure", got=kind_of(figure))
    if len(figure.axes) != 2 * len(COUPLES):
        fail("draw_relations", expected="six panels", got=f"{len(figure.axes)}")
    scaled = pairs / pairs.max(axis=0)
    is_from_notebook = _looks_at_notebook(draw_relations)
    for letter, row, values, other in (
        ("A", figure.axes[: len(COUPLES)], pairs, scaled),
        ("B", figure.axes[len(COUPLES) :], scaled, pairs),
    ):
        for column, (axes, couple) in enumerate(zip(row, COUPLES, strict=True), 1):
            what = f"row {letter}, panel {column}"
            _compare_dots(what, axes, values, other, couple, is_from_notebook)
    right("Three couples of measures, one dot a pair: above in their units, below as shares of 1.")


def _check_couples(couples) -> None:
    """Whether the couples are those asked for, and can be walked through twice."""
    what, want, got = "COUPLES", "three couples of two column numbers", f"{couples!r:.60}"
    if hasattr(couples, "__next__"):
        fail(what, expected=want, got=kind_of(couples), mistake=WALKED_ONCE)
    try:
        columns = np.asarray(couples)
    except ValueError:  # lists of different lengths
        fail(what, expected=want, got=got)
    if columns.dtype.kind == "U" and np.isin(columns, MEASURES).all():
        fail(what, expected=want, got=got, mistake=NAMES_FOR_COLUMNS)
    if columns.dtype.kind not in "iu" or columns.shape != (len(COUPLES), 2):
        is_flat = columns.dtype.kind in "iu" and columns.shape == (2 * len(COUPLES),)
        fail(what, expected=want, got=got, mistake=FLAT_LIST if is_flat else None)
    lowest, highest, last = columns.min(), columns.max(), len(MEASURES) - 1
    if lowest < 0 or highest > last:
        mistake = COUPLES_FROM_ONE if (lowest, highest) == (1, len(MEASURES)) else None
        got = f"columns from {lowest} to {highest}"
        fail(what, expected=f"columns from 0 to {last}", got=got, mistake=mistake)
    if np.any(columns[:, 0] == columns[:, 1]):
        fail(what, expected="two different columns in each", got=got, mistake=AGAINST_ITSELF)
    if len({frozenset(couple) for couple in columns.tolist()}) < len(COUPLES):
        fail(what, expected="three different couples", got=got)
    if np.any(columns != COUPLES):
        is_lying = np.array_equal(np.sort(columns), COUPLES)
        got = ", ".join(f"{MEASURES[a]} with {MEASURES[b]}" for a, b in columns)
        fail(what, got=got, mistake=FIRST_VERTICAL if is_lying else PANELS_REORDERED)


def _global_names(function) -> tuple[str, ...]:
    """What the code of a function names and does not make itself."""
    return getattr(getattr(function, "__code__", None), "co_names", ())


def _looks_at_notebook(function) -> bool:
    """Whether the code of a function names data of the notebook."""
    return not NOTEBOOK.isdisjoint(_global_names(function))


def _ignored_argument(function) -> Mistake | None:
    """The mistake of a function whose code names the notebook's data, or types their size."""
    if _looks_at_notebook(function):
        return FROM_NOTEBOOK
    constants = getattr(getattr(function, "__code__", None), "co_consts", ())
    sizes = {
        c for constant in constants for c in (constant if type(constant) is tuple else [constant])
    }
    is_typed = any(type(size) is int and size in OWN_SIZES for size in sizes)
    return SIZE_HARD_CODED if is_typed else None


def _not_the_argument(function, got, expected) -> dict:
    """For `compare`, after all others: the mistake of a function that ignores what it is given."""
    mistake = _ignored_argument(function)
    return {mistake: itself_if(got, expected, lambda _: True)} if mistake else {}


def _call(what: str, function, *args, raises=None):
    """As `call`; an error that a known mistake leads to gets that mistake's name.

    Parameters
    ----------
    raises : dict of Mistake to str, optional
        A pattern that the error's text contains.
    """
    try:
        return call(what, function, *args)
    except CheckFailed as failure:
        error = failure.__cause__
        if error is None or isinstance(error, CheckFailed):
            raise
        by_text = (m for m, words in (raises or {}).items() if re.search(words, str(error)))
        mistake = next(by_text, None)
        if mistake is None and not isinstance(error, NameError):
            mistake = _ignored_argument(function)
        if mistake is None:
            raise
    fail(what, got=f"{type(error).__name__}: {error}", mistake=mistake)


def _either_sign(got, mistakes: dict, signed: Mistake) -> dict:
    """The mistakes, of which one may also have been made the other way round."""
    try:
        other = got if np.isclose(float(got), -mistakes[signed]) else mistakes[signed]
    except (TypeError, ValueError):
        return mistakes
    return mistakes | {signed: other}


def _numbers(what: str, got, want: str, of_rows: Mistake | None = None) -> np.ndarray:
    """The answer as an array of real numbers, masked cells as 0; a failed check if it is none.

    NumPy's functions would stop at some answers with an error of their own, which tells a student
    nothing. So a check that does more with an answer than to compare it asks here first.

    Parameters
    ----------
    of_rows : Mistake, optional
        The mistake of a list of rows of different lengths.
    """
    try:
        values = np.ma.asarray(got)
    except ValueError:
        is_of_rows = _is_list_of_rows(got)
        came = f"a list of {len(got)} rows of different lengths"
        if not is_of_rows:
            came = "lists of different lengths, one inside the other"
        fail(what, expected=want, got=came, mistake=of_rows if is_of_rows else None)
    if values.dtype.kind not in "biuf":
        held = sorted({type(value).__name__ for value in values.ravel().tolist()})
        came = kind_of(got) + (f" of {', '.join(held)}" if values.ndim else "")
        fail(what, expected=want, got=came)
    return values.filled(0)


def _is_list_of_rows(got) -> bool:
    """Whether what has no shape becomes one list when its entries are joined."""
    try:
        return np.concatenate(got).ndim == 1
    except (TypeError, ValueError):
        return False


def _refuse_lists(what: str, got) -> None:
    """Fail if lists stand where later cells of the notebook need an array."""
    if not isinstance(got, np.ndarray):
        mistake = LIST_FOR_ARRAY if isinstance(got, (list, tuple)) else None
        if isinstance(got, tuple) and len(got) == 1:
            mistake = TRAILING_COMMA
        fail(what, expected="a NumPy array", got=kind_of(got), mistake=mistake)


def _four_tables(what: str, got) -> list[np.ndarray]:
    """The student's four arrays of numbers."""
    try:
        tables = list(got)
    except TypeError:
        tables = []
    if len(tables) != len(TABLES):
        fail(what, expected="four tables", got=f"{got!r:.60}")
    for name, table in zip(TABLES, tables, strict=True):
        _numbers(name, table, "a table of numbers")
        _refuse_lists(name, table)
    return tables


def _check_table(name: str, values: np.ndarray, n: int, empty_tables) -> None:
    """Shape, type and contents of one empty table."""
    if values.shape != (n, n):
        lists = (n * (n - 1) // 2,), (n * n,)
        sizes = dict.fromkeys(lists, ROOM_FOR_PAIRS) | {(n,): ONE_AXIS}
        mistake = sizes.get(values.shape) or _ignored_argument(empty_tables)
        if name in _global_names(empty_tables):
            mistake = TABLE_NOT_MADE
        got = f"the shape {values.shape}"
        fail(name, expected=f"the shape {(n, n)}", got=got, mistake=mistake)
    if values.dtype.kind not in "fiu" or (name != "apart" and values.dtype.kind != "f"):
        mistake = WHOLE_NUMBERS if values.dtype.kind in "iu" else None
        fail(name, expected="floating-point numbers", got=str(values.dtype), mistake=mistake)
    if np.any(values != 0):
        fail(
            name, expected="zeros", got=f"{values.flat[0]:.3g} in the first cell", mistake=NOT_ZEROS
        )


def _check_cells(measure_all, tables, expected) -> None:
    """Which cells of the tables are filled: those above the diagonal."""
    n = len(expected[0])
    for name, table in zip(TABLES, tables, strict=True):
        if table.shape != (n, n):
            got = f"the shape {table.shape}"
            mistake = _ignored_argument(measure_all)
            fail(name, expected=f"the shape {(n, n)}", got=got, mistake=mistake)
    # A wrong pair may have a true zero in one table; no pair of the check's vectors has one in all.
    filled = np.any(np.stack(tables[: len(MEASURES)]) != 0, axis=0)
    above, below = np.triu(filled, 1).any(), np.tril(filled, -1).any()
    rows = filled.any(axis=1)
    in_rows = filled[rows].all() and not np.any(np.ptp(tables[1][rows], axis=1))
    first = filled[0]
    is_row_right = np.allclose(tables[1][0, first], expected[1][0, first], **TOLERANCE)
    signs = (
        (STILL_EMPTY, not filled.any()),
        (FIRST_ROW_ONLY, not filled[1:].any() and is_row_right),
        (LIST_INDEX, in_rows and rows.all()),
        (ROW_FOR_CELL, in_rows),
        (LOWER_TRIANGLE, below and not above),
        (BOTH_TRIANGLES, below and above),
        (PAIR_ON_DIAGONAL, np.diag(tables[1]).any()),  # a target is at distance 0 from itself
        (DIAGONAL_MEASURED, np.diag(filled).any()),
        (FIRST_LEFT_OUT, filled[1:].any() and not filled[0].any()),
        (LAST_LEFT_OUT, filled[:-1, :-1].any() and not filled[:, -1].any()),
        (NEIGHBOURS_ONLY, np.array_equal(filled, np.eye(n, k=1))),
        (NEIGHBOURS_LEFT_OUT, np.array_equal(filled, np.tri(n, k=-2).T)),
    )
    for mistake, is_made in signs:
        if is_made:
            places = {
                "above the diagonal": np.triu(filled, 1),
                "on it": np.diag(filled),
                "below it": np.tril(filled, -1),
            }
            got = ", ".join(f"{np.count_nonzero(there)} {name}" for name, there in places.items())
            want = f"{n * (n - 1) // 2} filled cells, those above the diagonal"
            fail("which cells are filled", expected=want, got=got, mistake=mistake)


def _first_row_only(expected) -> Callable:
    """For `itself_if`: whether the pairs of the first vector are right and no others."""

    def is_mistake(got):
        is_right = np.isclose(got, expected, **TOLERANCE)
        return is_right[0].all() and not is_right[np.triu_indices(len(got), 1)][5:].any()

    return is_mistake


def _compare_gaps(measure_all, apart, places) -> None:
    """Compare the table of distances in tokens."""
    expected = to_upper(position_distances(places))
    numbers = to_upper(position_distances(np.arange(len(places))))
    above = np.triu(np.ones(expected.shape), 1)
    steps = np.diff(places)
    mistakes = {
        GAP_NEGATIVE: -expected,
        GAP_BETWEEN: np.maximum(expected - 1, 0),
        GAP_ONCE_A_ROW: itself_if(
            apart,
            expected,
            lambda a: not a[:, :-1].any() and np.array_equal(a[:-2, -1], expected[:-2, -1]),
        ),
        GAP_IN_TARGETS: itself_if(apart, expected, lambda a: np.array_equal(abs(a), numbers)),
        GAP_IS_PLACE: itself_if(
            apart,
            expected,
            lambda a: any(np.array_equal(a, above * p) for p in (places, places[:, None])),
        ),
        GAP_OF_NEIGHBOURS: nearest(
            apart, above * np.append(steps, 0)[:, None], above * np.append(0, steps)
        ),
    }
    compare("apart", apart, expected, mistakes | _not_the_argument(measure_all, apart, expected))


def _compare_dots(what: str, axes: Axes, values, other, couple, from_notebook: bool) -> None:
    """Compare the dots of a panel with the pairs; `other` are those of the other row."""
    a, b = couple
    want = f"{MEASURES[a]} on the horizontal axis, {MEASURES[b]} on the vertical one"
    labels = axes.get_xlabel(), axes.get_ylabel()
    if MEASURES[a] not in labels[0] or MEASURES[b] not in labels[1]:
        fail(what, expected=want, got=f"the labels {labels[0]!r} and {labels[1]!r}")
    if not axes.collections:
        fail(what, expected="dots drawn with scatter", got="none")
    dots = _dots_of(axes)
    expected = _from_left(values[:, [a, b]])
    is_row_b = what.startswith("row B")
    mistakes = {
        PAIR_FOR_MEASURE: _from_left(values[[a, b]].T),
        AGAINST_ITSELF: itself_if(
            dots, expected, lambda d: d.shape == expected.shape and np.array_equal(*d.T)
        ),
        ROW_B_AS_MEASURED if is_row_b else ROW_A_AS_SHARES: _from_left(other[:, [a, b]]),
    }
    if is_row_b:
        mistakes |= {m: _from_left(wrong[:, [a, b]]) for m, wrong in _wrong_shares(other).items()}
    if _is_close(dots, _from_left(values[:, [b, a]])):
        got = f"dots with {MEASURES[b]} horizontally and {MEASURES[a]} vertically"
        fail(what, expected=want, got=got, mistake=AXES_SWAPPED)
    mistakes[SAME_COLUMNS] = itself_if(dots, expected, lambda d: _is_in_all_panels(axes.figure, d))
    mistakes[FROM_NOTEBOOK] = dots if from_notebook else expected
    compare(what, dots, expected, mistakes)


def _dots_of(axes: Axes) -> np.ndarray:
    return _from_left(np.ma.filled(axes.collections[0].get_offsets(), np.nan))


def _is_in_all_panels(figure: Figure, dots) -> bool:
    """Whether the panels of row A show these dots and no others."""
    panels = figure.axes[: len(COUPLES)]
    return len(dots) > 1 and all(_is_close(_dots_of(axes), dots) for axes in panels)


def _is_close(a, b) -> bool:
    return a.shape == b.shape and np.allclose(a, b)


def _from_left(dots) -> np.ndarray:
    """Dots (n, 2) from left to right: in which order they were drawn does not matter."""
    return dots[np.lexsort((dots[:, 1], dots[:, 0]))]
