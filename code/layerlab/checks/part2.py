"""Checks of exercise 2: mutual information by histogram and by scikit-learn, in the same unit."""

import copy
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import AxLine
from numpy.typing import ArrayLike
from scipy import stats
from sklearn.exceptions import DataConversionWarning
from sklearn.feature_selection import mutual_info_regression

from layerlab.checks._core import (
    CheckFailed,
    Mistake,
    as_numbers,
    call,
    compare,
    fail,
    first_seen,
    itself_if,
    kind_of,
    nearest,
    repeated,
    right,
    shape_of,
)
from layerlab.information import histogram_mutual_information

SIZE, SEED, BINS = 347, 2, 8  # what the exercise asks for
MANY = 4000  # people who show a distribution
NOISE = 0.2
OWN_DATA = "drawn with data of the check's own"

CUPS_UP_TO_ONE = Mistake(
    "range left out",
    "Without limits a uniform draw lies between 0 and 1. Between which numbers do the cups lie?",
)
CUPS_NORMAL = Mistake(
    "normal cups instead of uniform ones",
    "Some people drank less than nothing or more than 4 cups. Which distribution is even?",
)
ONE_CUP = Mistake(
    "one number of cups for all",
    "Your generator draws a single number for the cups. How many people are there?",
)
EXCHANGED = Mistake(
    "cups and score exchanged",
    "What stands where the cups should be is the score. Which of the two comes first?",
)
CUPS_WHOLE = Mistake(
    "whole cups only", "People here drink fractions of a cup, too; you drew integers."
)
CUPS_EVEN = Mistake(
    "evenly spaced cups",
    "Nobody was drawn here: the cups are as far apart as the marks of a ruler. Ask the generator.",
)
CUPS_SORTED = Mistake(
    "cups in order", "People do not come in the order of their coffee. Leave them as drawn."
)
FOUR_LEFT_OUT = Mistake(
    "the 4 left out",
    "Your curve waves four times too fast: at 4 cups the angle should be half a turn.",
)
NO_PI = Mistake(
    "pi left out",
    "At 4 cups the angle should be half a turn. NumPy measures angles in radians.",
)
OTHER_CURVE = Mistake(
    "another curve",
    "The score follows the cups, but not along this curve: 0 at no cups, 1 at two, 0 at four.",
)
BRACKETS = Mistake(
    "a part of the fraction outside the sine",
    "The whole fraction is the angle. What stands between the brackets of your sine, and what not?",
)
DEGREES = Mistake(
    "degrees for radians", "Half a turn has 180 degrees, but NumPy's functions want radians."
)
UNRELATED = Mistake(
    "score without cups",
    "The score does not depend on the cups, so there is nothing to find. Look at the formula.",
)
NOISE_MULTIPLIED = Mistake(
    "noise multiplied",
    "The cups change how far your scores spread, and not where their middle lies. How does the "
    "formula join curve and noise?",
)
ONE_NOISE = Mistake(
    "one noise for all",
    "All scores are moved by the same amount. Draw as many numbers as there are people.",
)
SIZE_ELSEWHERE = Mistake(
    "size as mean or spread of the noise",
    "One huge number moves all scores. `normal` takes the mean first and the standard deviation "
    "second. What has it taken your size for?",
)
NO_NOISE = Mistake("noise left out", "Every score lies exactly on the curve.")
NOISE_UNSCALED = Mistake(
    "noise not scaled", "The noise has standard deviation 1. By what does the formula multiply it?"
)
SCALED_TWICE = Mistake(
    "noise scaled twice", "The noise is 0.2 times too small. Where does the factor stand already?"
)
VARIANCE = Mistake(
    "variance for standard deviation",
    "The variance of your noise is 0.2. A factor before normal noise is its standard deviation.",
)
NOISE_UNIFORM = Mistake(
    "uniform noise",
    "Your noise stops at two bounds and is everywhere equally dense. Normal noise crowds around 0.",
)
TWO_GENERATORS = Mistake(
    "a generator of its own for the noise",
    "Both your cups and your noise are the first numbers of a seed. Let one generator draw both: "
    "it goes on where it stopped.",
)
SIZE_FIXED = Mistake(
    "size written into the function",
    "You get 347 people whatever size you ask for. Use the argument.",
)
NOISE_INSIDE = Mistake(
    "noise inside the sine",
    "No score is above 1 or below -1. The noise is added to the curve, not to the angle.",
)
WRONG_SIZE = Mistake("another number of people", "How many people take part in the study?")
WRONG_SEED = Mistake("called with another seed", "The recipe is right, the seed is another one.")
SEED_UNUSED = Mistake(
    "seed without effect",
    "The recipe gives the same people whatever seed it is told. Where does the generator learn it?",
)
NOT_REPEATED = Mistake(
    "other people at every call",
    "Called twice with one seed, the recipe gives different people. Which draw knows no seed?",
)

SCORE_FIRST = Mistake(
    "score before cups",
    "The first argument gives the first axis of the counts, and that should be the cups.",
)
TEN_BINS = Mistake("number of bins left out", "Without a number, NumPy takes ten bins.")
ONE_AXIS = Mistake(
    "number of bins on one axis only", "The two axes have different numbers of bins."
)
EDGES_FOR_BINS = Mistake(
    "edges counted instead of bins",
    "A fence of eight posts has seven gaps, and there is one edge more than bins. A single number "
    "stands for the bins, an array for the edges.",
)
EDGES_EXCHANGED = Mistake(
    "edges exchanged", "These are the edges of the other variable. Cups come first."
)
OTHER_EDGES = Mistake(
    "bins between other edges",
    "Your counts fit your edges. Do these begin and end where the values do, at equal distances?",
)
DENSITY = Mistake(
    "density instead of counts", "People are counted: the numbers are whole and add up to 347."
)

TRANSPOSED = Mistake(
    "image not transposed",
    "An image's first axis runs down the page, the first axis of the counts runs along the cups.",
)
UPSIDE_DOWN = Mistake(
    "image upside down",
    "The columns are right, but low scores are at the top. Where does the first row of your array "
    "go?",
)
ON_ITS_SIDE = Mistake(
    "image on its side",
    "The counts are drawn as they come: rows of cups, from the top. Two things need turning.",
)
EXTENT_SWAPPED = Mistake(
    "extent swapped", "The image's horizontal stretch is that of the score. Which comes first?"
)
EXTENT_IN_CORNERS = Mistake(
    "extent in another order", "The four numbers are left, right, bottom, top, in this order."
)
EXTENT_NOT_FOUR = Mistake(
    "extent without four numbers",
    "Left, right, bottom, top: each is a single number. How many numbers did you give, and of "
    "which kind?",
)
EXTENT_IN_BINS = Mistake(
    "extent in bins",
    "The image covers the numbers of the bins, the points are in cups and scores. Use the edges.",
)
PYPLOT = Mistake(
    "pyplot without its import",
    "You need no `plt` here. The function has a figure of its own, and what pyplot does, a figure "
    "or one of its panels can do itself.",
)
NO_COLOUR_BAR = Mistake("colour bar missing", "Nothing tells what the colours mean.")
BAR_ELSEWHERE = Mistake(
    "colour bar at the wrong panel",
    "Only panel B has colours. From which panel should the bar take its room?",
)
BAR_UNNAMED = Mistake("colour bar without its name", "Numbers of what? Give the bar its label.")

NOT_DIVIDED = Mistake(
    "counts for probabilities", "Probabilities sum to 1. Yours sum to the number of people."
)
BY_BOXES = Mistake(
    "divided by the number of boxes", "There are 64 boxes, but how many people are in them?"
)
BY_LARGEST = Mistake("divided by the largest count", "The largest value is 1 now; is the sum?")
CONDITIONAL = Mistake(
    "conditional distribution",
    "You divided each row or column by its own sum, so each sums to 1. All 64 together should.",
)
JOINT_TRANSPOSED = Mistake(
    "rows and columns exchanged",
    "The picture needed the table turned; the probabilities do not. Cups stay along the rows.",
)
DIVIDED_ACROSS = Mistake(
    "row sums across columns",
    "Each column has been divided by the sum of a row. You need one number that divides all 64.",
)
AXIS_KEPT = Mistake(
    "an axis of length 1 kept",
    "The 8 numbers are right, but they stand in a table. The axis that is summed should go.",
)
AXES_EXCHANGED = Mistake(
    "marginal over the wrong axis",
    "This is the other marginal. Cups run along axis 0, and the axis that you name is the one that "
    "goes.",
)
AVERAGED = Mistake("mean instead of sum", "A marginal adds up; its 8 numbers sum to 1.")
ALL_SUMMED = Mistake("both axes summed", "One axis has to stay. Which one has to go?")

NATURAL_LOG = Mistake(
    "log for log2", "The natural logarithm gives nats. Bits need the logarithm of base 2."
)
DECIMAL_LOG = Mistake("log10 for log2", "Bits need the logarithm of base 2, not 10.")
UNGUARDED = Mistake(
    "guard forgotten",
    "An empty box gives 0 times infinity, which is no number. The tiny constant belongs inside the "
    "logarithm.",
)
MISPLACED_GUARD = Mistake(
    "guard in the wrong place",
    "There is a tiny constant, but the logarithm still meets a 0. Add it before that.",
)
NEGATIVE = Mistake(
    "minus left out, or there twice",
    "Logarithms of probabilities are negative, surprise is not. Count your minus signs: it takes "
    "exactly one.",
)
UNWEIGHTED = Mistake(
    "surprises not weighted", "Rare outcomes are rarely met: weigh each surprise before you add up."
)
UNAVERAGED = Mistake(
    "mean over the boxes",
    "The probabilities are the weights, and they sum to 1 already. Nothing is left to divide by.",
)
MATRIX_PRODUCT = Mistake(
    "a product of matrices",
    "Of two arrays of one axis, `@` and `dot` make a sum of products. What do they make of two "
    "tables?",
)
BY_PART = Mistake(
    "one entropy for each row or column", "A table has one entropy, over all its boxes."
)
NOT_ADDED = Mistake(
    "not added up", "You have one number for each outcome. An entropy is a single number."
)
ARGUMENT_CHANGED = Mistake(
    "argument changed",
    "After the call, the array that your function was given holds other numbers. Operators such as "
    "+= and an index on the left of = write into it. Make a new array.",
)

JOINT_LEFT_OUT = Mistake(
    "joint entropy left out",
    "This is what both hold apart. How much do they hold together, if something is shared?",
)
JOINT_ADDED = Mistake(
    "joint entropy added", "What is counted twice is what remains when the joint entropy is gone."
)
CONDITIONAL_ENTROPY = Mistake(
    "conditional entropy",
    "Both together less one of them: this is what the other one adds. You want what it repeats.",
)
TURNED = Mistake("terms turned round", "The size is right; mutual information is never negative.")

ARGUMENTS_UNUSED = Mistake(
    "the notebook's values for the function's arguments",
    "The check calls your function with other data, and something in it stays as it was: a number "
    "or a variable of the notebook. Use what the arguments bring.",
)
ROUNDED = Mistake(
    "rounded",
    "This is the right number, cut to a few digits, or made with a factor that is. Round when you "
    "print; calculate with all digits.",
)
NATS = Mistake(
    "nats for bits",
    "The amount is right, its unit is the nat. Bits are asked for, so that they can be compared.",
)
NEEDLESS = Mistake(
    "converted without need", "Your entropies are in bits. What is left to be converted?"
)
TIMES_LN2 = Mistake(
    "converted the wrong way",
    "A nat is more than a bit, so the same amount is a larger number of bits.",
)
LOG_OF_NATS = Mistake(
    "logarithm of the answer",
    "An amount in another unit is the same amount times a number. Its logarithm is something else.",
)
X_FLAT = Mistake(
    "one axis where two are asked for",
    "The first argument is a table: a row for each person, and one column.",
)
Y_AS_TABLE = Mistake(
    "two axes where one is asked for",
    "The second argument is no table: a plain array, a value for each person.",
)
X_AS_ROW = Mistake(
    "one row instead of one column",
    "scikit-learn sees one person with hundreds of features. Turn the table.",
)
WITH_ITSELF = Mistake(
    "a variable with itself", "The same variable stands on both sides. Where is the other one?"
)
TWO_COLUMNS = Mistake(
    "two columns instead of one",
    "Your table gives scikit-learn two features, and it answers for each. Which is the only one?",
)
ARRAY_KEPT = Mistake(
    "an array for a number", "Your number stands in an array of its own. Take it out of there."
)

ALWAYS_EIGHT = Mistake(
    "eight bins every time", "Your function gives the same value for each b. Where does b go?"
)
EIGHT_REUSED = Mistake(
    "results of eight bins reused",
    "p_cups, p_score and p_joint belong to 8 bins. Inside the function, make them for b.",
)
SAME_AXIS = Mistake(
    "the same marginal twice", "Two variables, two marginals: each sums over another axis."
)
ALL_AT_ONCE = Mistake(
    "all numbers of bins at once",
    "NumPy takes a list for the edges of bins. The function wants one number of bins per call.",
)
LAST_LEFT_OUT = Mistake(
    "last number of bins left out", "A range stops before its end. Is 24 among your numbers?"
)
FROM_ZERO = Mistake("bins from zero on", "A histogram of 0 bins? The first number is 4.")
ENDS_ONLY = Mistake(
    "only the two ends", "These are the smallest and the largest; what of the rest?"
)
SAME_BINS = Mistake(
    "the same number of bins every time",
    "All values of the curve are equal. Does the b of your loop reach the call?",
)
NOT_DASHED = Mistake("line not dashed", "The line is there, but in another style.")
NOT_ACROSS = Mistake(
    "line beside the numbers of bins",
    "The line does not run from the first number of bins to the last. `plot` and `hlines` count in "
    "bins, but `axhline` in fractions of the width, from 0 to 1.",
)
ONE_POINT = Mistake(
    "one value for a whole line",
    "`plot` joins points, and one value makes one point. A level line needs as many equal values "
    "as there are numbers, or a method that is made for it.",
)
LABEL_TWICE = Mistake(
    "the same label twice", "The legend has two entries of one name. What is this line?"
)
VERTICAL = Mistake(
    "vertical line", "Information is on the vertical axis; a value of it lies level."
)
UNLABELLED = Mistake("line without a label", "The legend does not say what the line is.")

R_SQUARED = Mistake("r squared", "This is r times r, which has no sign and another meaning.")
ON_A_LINE = Mistake(
    "a correlation of 1 or -1",
    "Only points on a straight line have it: a variable and itself, as on the matrix's diagonal, "
    "or any two people, if rows and columns are exchanged.",
)
WHOLE_MATRIX = Mistake("the matrix, or a row of it", "One of the four numbers is asked for.")
COVARIANCE = Mistake(
    "covariance for correlation", "A covariance has units; r is without, between -1 and 1."
)
OTHER_SIGN = Mistake("sign dropped or turned", "r has a sign: does the straight line rise or fall?")
WHOLE_RESULT = Mistake(
    "r together with its p-value", "SciPy's result holds two numbers. Take r out of it."
)
P_VALUE = Mistake("p-value for r", "SciPy returns two numbers; this is the second one.")
RANKS = Mistake(
    "correlation of ranks",
    "This one knows the people's order alone. Pearson's is calculated from the values themselves.",
)


def check_data(invent_study: Callable, cups: ArrayLike, score: ArrayLike) -> None:
    """Check the recipe of the study and the people drawn by it.

    Parameters
    ----------
    invent_study : callable
        The answer: a size and a seed to cups and scores.
    cups, score : ndarray of float, shape (347,)
        The answers: the people of the exercise.
    """
    many = _study(invent_study, MANY, 1)
    _check_cups(*many)
    _check_scores(*many)
    if np.array_equal(many, _study(invent_study, MANY, 2)):
        expected, got = "other people for another seed", "the same people for the seeds 1 and 2"
        fail("invent_study", expected=expected, got=got, mistake=SEED_UNUSED)
    for name, values in (("cups", cups), ("score", score)):
        if shape_of(values) != (SIZE,):
            got = f"shape {shape_of(values)}"
            fail(name, expected=f"shape ({SIZE},)", got=got, mistake=WRONG_SIZE)
        if not isinstance(values, np.ndarray):  # later cells calculate with it
            fail(name, expected="a NumPy array", got=kind_of(values))
    if not np.array_equal([cups, score], _study(invent_study, SIZE, SEED)):
        mistake = _why_others(invent_study, [cups, score])
        fail("cups, score", expected=f"the people of seed {SEED}", mistake=mistake)
    right("347 people: cups drawn evenly, and a score that follows a curve, with noise of its own.")


def check_counts(
    tally: ArrayLike,
    cup_edges: ArrayLike,
    score_edges: ArrayLike,
    cups: ArrayLike,
    score: ArrayLike,
) -> None:
    """Check the two-dimensional histogram.

    Parameters
    ----------
    tally : array_like, shape (8, 8)
        The answer: people in each bin of cups (rows) and score (columns).
    cup_edges, score_edges : array_like, shape (9,)
        The answer: the edges of the bins.
    cups, score : array_like, shape (n,)
        The people.
    """
    expected, *edges = np.histogram2d(cups, score, BINS)
    shape = shape_of(tally)
    by_shape = {(10, 10): TEN_BINS, (7, 7): EDGES_FOR_BINS, (9, 9): EDGES_FOR_BINS}
    if len(shape) == 2 and shape != expected.shape:
        mistake = by_shape.get(shape, ONE_AXIS if shape[0] != shape[1] else None)
        fail("tally", expected=f"shape {expected.shape}", got=f"shape {shape}", mistake=mistake)
    _refuse_transposed("tally", tally, expected, SCORE_FIRST)
    for name, got, own, other in (
        ("cup_edges", cup_edges, *edges),
        ("score_edges", score_edges, *edges[::-1]),
    ):  # before the counts, which follow from them
        elsewhere = itself_if(got, own, lambda _: _fits(tally, cups, score, cup_edges, score_edges))
        compare(name, got, own, {EDGES_EXCHANGED: other, OTHER_EDGES: elsewhere})
    density = np.histogram2d(cups, score, BINS, density=True)[0]
    compare("tally", tally, expected.astype(int), {DENSITY: density})
    right("Everybody is in one of 8 by 8 boxes, cups along the first axis, score along the second.")


def check_image(draw_study: Callable[..., Figure]) -> None:
    """Check that in panel B the counts lie as in panel A, and that a bar explains them.

    Parameters
    ----------
    draw_study : callable
        The answer: cups, scores, counts and the edges of both axes to a Figure of two panels.
    """
    *_, counts, x_edges, y_edges = crowd = _crowd(5, (6, 9))  # no square: turning shows
    image = _image(draw_study, crowd)
    _check_extent(image, x_edges[[0, -1]], y_edges[[0, -1]], draw_study)
    shown = _shown(image, _middles(x_edges), _middles(y_edges))
    what = f"panel B, {OWN_DATA}"
    if not np.array_equal(shown, counts):
        if shown.any() and np.allclose(shown * counts.sum(), counts * shown.sum()):
            got = f"the same colours for numbers from {shown.min():.3g} to {shown.max():.3g}"
            fail(what, expected=f"the counts themselves, from 0 to {counts.max():.0f}", got=got)
        fail(
            what,
            expected="each box in the colour of its own count",
            got=f"{np.count_nonzero(shown != counts)} of {counts.size} boxes differ",
            mistake=_wrong_turn(np.asarray(image.get_array()), image.origin, counts),
        )
    if image.colorbar is None:
        fail("panel B", expected="a colour bar for the image", mistake=NO_COLOUR_BAR)
    if _panels_of_bar(image.colorbar) not in ([], [image.axes]):
        fail("the colour bar", expected="a place beside panel B", mistake=BAR_ELSEWHERE)
    bar = image.colorbar.ax
    titles = [bar.get_title(place) for place in ("left", "center", "right")]
    label = " ".join(filter(None, [bar.get_ylabel(), bar.get_xlabel(), *titles]))
    if "count" not in label.lower():
        mistake = None if label else BAR_UNNAMED
        fail("the colour bar", expected="the label Count", got=repr(label), mistake=mistake)
    right("The points lie on their own boxes, and the colour bar says what the colours count.")


def check_probabilities(
    p_joint: ArrayLike, p_cups: ArrayLike, p_score: ArrayLike, cups: ArrayLike, score: ArrayLike
) -> None:
    """Check the joint distribution and both marginals.

    Parameters
    ----------
    p_joint : array_like, shape (8, 8)
        The answer: probabilities, cups along the rows.
    p_cups, p_score : array_like, shape (8,)
        The answers: the marginals.
    cups, score : array_like, shape (n,)
        The people.
    """
    counts, joint = _joint(cups, score)
    _refuse_transposed("p_joint", p_joint, joint, JOINT_TRANSPOSED)
    compare(
        "p_joint",
        p_joint,
        joint,
        {
            NOT_DIVIDED: counts,
            BY_BOXES: counts / counts.size,
            BY_LARGEST: counts / counts.max(),
            CONDITIONAL: nearest(
                p_joint, counts / counts.sum(0), counts / counts.sum(1, keepdims=True)
            ),
            DIVIDED_ACROSS: nearest(
                p_joint, counts / counts.sum(1), counts / counts.sum(0, keepdims=True).T
            ),
        },
    )
    of_cups, of_score = joint.sum(1), joint.sum(0)
    for name, got, expected, other in (
        ("p_cups", p_cups, of_cups, of_score),
        ("p_score", p_score, of_score, of_cups),
    ):
        mistakes = {
            AXES_EXCHANGED: other,
            AVERAGED: expected / BINS,
            ALL_SUMMED: 1.0,
            NOT_DIVIDED: nearest(got, expected * counts.sum(), other * counts.sum()),
            AXIS_KEPT: nearest(got, expected[np.newaxis], expected[:, np.newaxis]),
        }
        compare(name, got, expected, mistakes)
    right("Divided by all, the boxes sum to 1, and each marginal keeps its own axis.")


def check_entropy(entropy_bits: Callable) -> None:
    """Check the entropy of arrays of one and two axes, with and without empty boxes.

    Parameters
    ----------
    entropy_bits : callable
        The answer: probabilities to bits.
    """
    cases = {
        "a fair coin": np.array([0.5, 0.5]),
        "one of eight": np.full(8, 1 / 8),
        "a coin with two heads": np.array([1.0, 0.0]),
        "a table of six": np.array([[0.4, 0.3, 0.0], [0.0, 0.2, 0.1]]),
    }
    expected = np.array([stats.entropy(q.ravel(), base=2) for q in cases.values()])
    sizes = np.array([q.size for q in cases.values()])
    surprises = np.array([-np.sum(np.log2(q + 1e-13)) for q in cases.values()])
    got = []
    for name, q in cases.items():
        with np.errstate(divide="ignore", invalid="ignore"):  # without the guard: a known mistake
            bits = _untouched(f"entropy_bits of {name}", entropy_bits, q)
        bits = as_numbers(f"entropy_bits of {name}", bits)
        if bits.ndim:
            mistake = BY_PART if q.ndim == 2 and bits.ndim == 1 else None
            mistake = ARRAY_KEPT if bits.size == 1 else mistake
            mistake = MATRIX_PRODUCT if bits.shape in ((2, 2), (3, 3)) else mistake
            mistake = NOT_ADDED if bits.shape == q.shape else mistake
            what, came = f"entropy_bits of {name}", f"the shape {bits.shape}"
            fail(what, expected="a single number", got=came, mistake=mistake)
        got.append(float(bits))
    without_guard = np.where([0 in q for q in cases.values()], np.nan, expected)
    # A constant that stands anywhere shows in the last digits of a fair coin's bit.
    has_constant = got[0] != 1
    # The sum of probabilities is the same for all of them, too: 1.
    is_fixed = itself_if(got, expected, lambda bits: np.ptp(bits) == 0 and abs(bits[0] - 1) > 1e-6)
    mistakes = {
        NATURAL_LOG: expected * np.log(2),
        DECIMAL_LOG: expected * np.log10(2),
        MISPLACED_GUARD if has_constant else UNGUARDED: without_guard,
        NEGATIVE: -expected,
        UNWEIGHTED: nearest(got, surprises, surprises / sizes),
        UNAVERAGED: expected / sizes,
        ROUNDED: nearest(got, *_rounded(expected)),
        ARGUMENTS_UNUSED: is_fixed,
    }
    compare(f"entropy_bits of {', '.join(cases)}", got, expected, mistakes, atol=1e-6)
    right("A fair coin holds 1 bit, one of eight holds 3, and empty boxes hold nothing.")


def check_information(shared: float, cups: ArrayLike, score: ArrayLike) -> None:
    """Check the mutual information from 8 by 8 bins.

    Parameters
    ----------
    shared : float
        The answer: bits.
    cups, score : array_like, shape (n,)
        The people.
    """
    alone_1, alone_2, both = _entropies(cups, score)
    expected = histogram_mutual_information(cups, score, BINS)
    compare(
        "shared",
        shared,
        expected,
        {
            JOINT_LEFT_OUT: alone_1 + alone_2,
            JOINT_ADDED: alone_1 + alone_2 + both,
            CONDITIONAL_ENTROPY: nearest(shared, both - alone_1, both - alone_2),
            TURNED: -expected,
            NATS: expected * np.log(2),
            NEEDLESS: expected / np.log(2),
            ROUNDED: nearest(shared, *_rounded(expected)),
        },
    )
    right("What both hold apart, less what they hold together, is what was counted twice.")


def check_neighbours(neighbour_bits: Callable, cups: ArrayLike, score: ArrayLike) -> None:
    """Check the call of scikit-learn's estimator and the unit of what it gives.

    Parameters
    ----------
    neighbour_bits : callable
        The answer: cups and scores to bits.
    cups, score : array_like, shape (n,)
        The people.
    """
    true = _compare_estimate("neighbour_bits(cups, score)", neighbour_bits, cups, score)
    others = np.random.default_rng(3).standard_normal((2, 200))
    others[1] += others[0]
    what = "neighbour_bits of other people, of the check's own"
    _compare_estimate(what, neighbour_bits, *others, {ARGUMENTS_UNUSED: true})
    # Between equal values scikit-learn's tiny noise decides, and that of a column changes with
    # their number.
    coarse = np.round(others)
    of_two = mutual_info_regression(coarse.T, coarse[1], random_state=0)[0] / np.log(2)
    if np.isclose(_untouched("neighbour_bits", neighbour_bits, *coarse), of_two, rtol=1e-9):
        fail("neighbour_bits", expected="a table of one column", got="two", mistake=TWO_COLUMNS)
    right("One column in, one number out, and nats turned into bits.")


def check_bins(
    binned_bits: Callable,
    numbers: ArrayLike,
    curve: ArrayLike,
    cups: ArrayLike,
    score: ArrayLike,
) -> None:
    """Check the mutual information from 4 to 24 bins.

    Parameters
    ----------
    binned_bits : callable
        The answer: cups, scores and a number of bins to bits.
    numbers : array_like of int, shape (21,)
        The answer: the numbers of bins.
    curve : array_like, shape (21,)
        The answer: bits for each of them.
    cups, score : array_like, shape (n,)
        The people.
    """
    some = (4, 7, 16)
    others = _crowd(7, (4, 4))[:2]
    got, of_others = (
        [_untouched("binned_bits", binned_bits, *people, b) for b in some]
        for people in ((cups, score), others)
    )
    of_eight = ARGUMENTS_UNUSED if np.array_equal(got, of_others) else ALWAYS_EIGHT
    parts = np.array([_entropies(cups, score, b) for b in some])  # (3, 3)
    lopsided = [[_plug_in(cups, score, order) for order in ((b, BINS), (BINS, b))] for b in some]
    moved = [[_plug_in(cups, score, b + step) for b in some] for step in (-1, 1)]
    expected = parts @ [1, 1, -1]
    mistakes = {
        of_eight: np.full(len(some), _plug_in(cups, score, BINS)),
        TEN_BINS: np.full(len(some), _plug_in(cups, score, 10)),
        EDGES_FOR_BINS: nearest(got, *moved),
        ONE_AXIS: nearest(got, *np.transpose(lopsided)),
        JOINT_LEFT_OUT: parts[:, 0] + parts[:, 1],
        JOINT_ADDED: parts.sum(1),
        TURNED: parts @ [-1, -1, 1],
        SAME_AXIS: nearest(got, parts @ [2, 0, -1], parts @ [0, 2, -1]),
        EIGHT_REUSED: nearest(got, *_partly_eight(parts, _entropies(cups, score))),
        NOT_DIVIDED: [_bits_of_counts(cups, score, b) for b in some],
        NATS: expected * np.log(2),
        NEEDLESS: expected / np.log(2),
        ROUNDED: nearest(got, *_rounded(expected)),
    }
    compare("binned_bits(cups, score, b) for b = 4, 7, 16", got, expected, mistakes)
    expected = [_plug_in(*others, b) for b in some]
    # What is right for the notebook's people and wrong for others knows something of the former.
    unused = itself_if(of_others, expected, lambda bits: np.isfinite(bits).all())
    what = "binned_bits of other people, of the check's own, for b = 4, 7, 16"
    compare(what, of_others, expected, {ARGUMENTS_UNUSED: unused})
    steps = np.arange(4, 25)
    listed = list(numbers) if np.iterable(numbers) else numbers
    from_zero = nearest(listed, np.arange(24), np.arange(25))
    mistakes = {LAST_LEFT_OUT: steps[:-1], FROM_ZERO: from_zero, ENDS_ONLY: [4, 24]}
    compare("numbers", listed, steps, mistakes)
    expected = [histogram_mutual_information(cups, score, int(b)) for b in steps]
    mistakes = {
        ALL_AT_ONCE: itself_if(curve, expected, lambda values: not np.isfinite(values).any()),
        SAME_BINS: lambda: repeated(curve),
    }
    compare("curve", curve, expected, mistakes)
    right("21 histograms of the same people, from 4 by 4 bins to 24 by 24.")


def check_curve(draw_curve: Callable[..., Figure]) -> None:
    """Check the reference line of the second figure.

    Parameters
    ----------
    draw_curve : callable
        The answer: numbers of bins, their bits and a reference in bits to a Figure.
    """
    numbers, reference = np.arange(2, 28, 3), 1.8125  # neither 4 nor 24 is one of these numbers
    axes = _panel(draw_curve, numbers, np.sqrt(numbers) / 4, reference)
    what = f"the reference line, {OWN_DATA}"
    lines = _straight_lines(axes)
    levels = [line for line in lines if line.is_level and np.isclose(line.at, reference)]
    if not levels:
        got, mistake = "none", None
        if any(len(line.get_xydata()) == 1 for line in axes.lines):
            got, mistake = "a single point", ONE_POINT
        elif any(np.isclose(line.at, reference) for line in lines):
            mistake = VERTICAL
        elif heights := _heights(lines):
            other = _panel(draw_curve, numbers + 1, np.sqrt(numbers) / 5, reference / 2)
            mistake = ARGUMENTS_UNUSED if heights == _heights(_straight_lines(other)) else None
        got = ", ".join(f"one at {at:.4g}" for at in _heights(lines)) or got
        fail(what, expected=f"a horizontal line at {reference}", got=got, mistake=mistake)
    across = [line for line in levels if line.start <= numbers[0] and line.end >= numbers[-1]]
    if not across:
        ends = [(line.start, line.end) for line in levels if line.start <= line.end]
        got = f"from {ends[0][0]:.4g} to {ends[0][1]:.4g}" if ends else "nothing within the axes"
        mistake = ARGUMENTS_UNUSED if (4, 24) in ends else NOT_ACROSS
        expected = f"from {numbers[0]} to {numbers[-1]}"
        fail(what, expected=expected, got=got, mistake=mistake)
    dashed = [line for line in across if line.style == "dashed"]
    if not dashed:
        got = f"one that is {across[0].style}"
        fail("the reference line", expected="a dashed line", got=got, mistake=NOT_DASHED)
    named = [line.label for line in dashed if line.label.strip() and line.label[0] != "_"]
    if not named:
        fail("the reference line", expected="a label for the legend", mistake=UNLABELLED)
    labels = axes.get_legend_handles_labels()[1]
    if labels.count(named[0]) > 1:
        got = f"{named[0]!r} twice"
        fail("the legend", expected="a label for each line", got=got, mistake=LABEL_TWICE)
    right("The reference lies level, dashed, across all numbers of bins; the legend names it.")


def check_correlation(r: float, cups: ArrayLike, score: ArrayLike) -> None:
    """Check Pearson's r.

    Parameters
    ----------
    r : float
        The answer.
    cups, score : array_like, shape (n,)
        The people.
    """
    true_r, p_value = stats.pearsonr(cups, score)
    matrix = np.array([[1, true_r], [true_r, 1]])
    ranks = [f(cups, score).statistic for f in (stats.spearmanr, stats.kendalltau)]
    compare(
        "r",
        r,
        true_r,
        {
            R_SQUARED: true_r**2,
            OTHER_SIGN: -true_r,
            WHOLE_RESULT: [true_r, p_value],
            ON_A_LINE: nearest(r, 1.0, -1.0),
            WHOLE_MATRIX: nearest(r, matrix, *matrix),
            COVARIANCE: nearest(r, *(np.cov(cups, score, ddof=d)[0, 1] for d in (0, 1))),
            P_VALUE: p_value,
            RANKS: nearest(r, *ranks),
            ROUNDED: nearest(r, *_rounded(true_r)),
        },
    )
    right("Pearson's r of the same people: how well a straight line would do.")


# Data ----------------------------------------------------------------------------------------


def _study(invent_study: Callable, size: int, seed: int) -> np.ndarray:
    """Cups and scores by the student's recipe, (2, size)."""
    try:
        people = call("invent_study", invent_study, size, seed)
    except CheckFailed as error:
        if "shapes" in str(error) and f"({SIZE},)" in str(error):  # of arrays that do not fit
            expected, got = f"{size} cups and {size} scores", f"{SIZE} of one of them"
            fail(f"invent_study({size}, {seed})", expected=expected, got=got, mistake=SIZE_FIXED)
        raise
    try:
        first, second = people
        if np.isscalar(first) and np.shape(second) == (size,):
            expected, got = f"{size} cups", "one number"
            fail(f"invent_study({size}, {seed})", expected=expected, got=got, mistake=ONE_CUP)
        people = np.stack([np.asarray(first, float), np.asarray(second, float)])
    except (TypeError, ValueError):
        fail("invent_study", expected="two arrays of the same size", got=f"{people!r:.60}")
    if people.shape != (2, size):
        fail(
            f"invent_study({size}, {seed})",
            expected=f"{size} cups and {size} scores",
            got=f"shape {people.shape[1:]}",
            mistake=SIZE_FIXED if people.shape == (2, SIZE) else None,
        )
    return people


def _why_others(invent_study: Callable, people: list) -> Mistake | None:
    """Why people are others than the recipe's; seeds up to 99 are tried."""
    once, again = (_study(invent_study, SIZE, SEED) for _ in range(2))
    if not np.array_equal(once, again):
        return NOT_REPEATED
    if np.array_equal(people[::-1], once):
        return EXCHANGED
    seeds = (seed for seed in range(100) if seed != SEED)
    found = any(np.array_equal(people, _study(invent_study, SIZE, seed)) for seed in seeds)
    return WRONG_SEED if found else None


def _check_cups(cups: np.ndarray, scores: np.ndarray) -> None:
    mistake = None
    if _are_even(scores) and not _are_even(cups):
        mistake = EXCHANGED
    elif (cups.min() < 0 or cups.max() > 4) and _are_normal(cups, cups.mean(), cups.std()):
        mistake = CUPS_NORMAL
    elif np.array_equal(cups, np.round(cups)):
        mistake = CUPS_WHOLE
    elif cups.max() <= 1:
        mistake = CUPS_UP_TO_ONE
    elif np.ptp(np.diff(np.sort(cups))) < 1e-9:
        mistake = CUPS_EVEN
    elif (np.diff(cups) >= 0).all() or (np.diff(cups) <= 0).all():
        mistake = CUPS_SORTED
    elif _are_even(cups):
        return
    expected = "drawn from the uniform distribution from 0 to 4"
    got = f"from {cups.min():.2f} to {cups.max():.2f}, mean {cups.mean():.2f}"
    fail("cups", expected=expected, got=got, mistake=mistake)


def _check_scores(cups: np.ndarray, scores: np.ndarray) -> None:
    rest = scores - np.sin(cups * np.pi / 4)  # the noise
    deviation = rest.std()
    scales = {NOISE_UNSCALED: 1, SCALED_TWICE: NOISE**2, VARIANCE: NOISE**0.5}
    mistake = None
    if np.ptp(rest) < 1e-9:
        moved = abs(rest[0])
        is_huge = moved > 50 * NOISE
        mistake = first_seen({NO_NOISE: moved < 1e-9, SIZE_ELSEWHERE: is_huge, ONE_NOISE: True})
    elif other := _other_curve(cups, scores):
        mistake = other
    elif not _differ_by_cups(cups, scores):
        spread = _differ_by_cups(cups, np.abs(scores))
        mistake = NOISE_MULTIPLIED if spread else UNRELATED
    elif scores.max() <= 1 and np.mean((scores > 0.999) & (scores < 1)) > 0.01:
        mistake = NOISE_INSIDE  # near its top a sine is flat; where scores are cut off, they are 1
    elif stats.kstest((rest - rest.min()) / np.ptp(rest), "uniform").pvalue > 1e-6:
        mistake = NOISE_UNIFORM
    elif not _are_normal(rest, 0, NOISE):
        mistake = next((m for m, scale in scales.items() if _are_normal(rest, 0, scale)), None)
    elif _are_begun(cups / 4, rest / NOISE):
        mistake = TWO_GENERATORS
    elif abs(deviation - NOISE) < 0.02 and abs(rest.mean()) < 0.02:
        return
    expected = f"normal noise around the curve, of mean 0 and standard deviation {NOISE}"
    got = (
        f"mean {rest.mean():z.2f} and standard deviation {deviation:.2f}, "
        f"from {rest.min():z.2f} to {rest.max():z.2f}"
    )
    if mistake is TWO_GENERATORS:
        expected = "one draw that goes on where the other stopped"
        got = "two draws, each from the first number of a seed"
    fail("score", expected=expected, got=got, mistake=mistake)


def _are_even(cups: np.ndarray) -> bool:
    return stats.kstest(cups / 4, "uniform").pvalue > 1e-6


def _are_normal(values: np.ndarray, mean: float, deviation: float) -> bool:
    return stats.kstest(values, "norm", args=(mean, deviation)).pvalue > 1e-6


def _are_begun(even: np.ndarray, normal: np.ndarray) -> bool:
    """Whether both are the first numbers of a seed, which no single generator gives."""
    seeds = range(100)
    return any(
        np.allclose(even[:9], np.random.default_rng(seed).random(9)) for seed in seeds
    ) and any(
        np.allclose(normal[:9], np.random.default_rng(seed).standard_normal(9)) for seed in seeds
    )


def _other_curve(cups: np.ndarray, scores: np.ndarray) -> Mistake | None:
    """The mistake whose curve the scores follow, and closely."""
    distances = {
        np.std(scores - curve(cups)): mistake
        for mistake, curves in _OTHER_CURVES.items()
        for curve in curves
    }
    least = min(distances)
    return distances[least] if least < min(1.25 * NOISE, 0.9 * scores.std()) else None


_OTHER_CURVES = {
    FOUR_LEFT_OUT: [lambda c: np.sin(np.pi * c)],
    NO_PI: [np.sin, lambda c: np.sin(c / 4)],
    BRACKETS: [
        lambda c: np.sin(np.pi * c) / 4,
        lambda c: np.sin(np.pi / 4) * c,
        lambda c: np.sin(c) * np.pi / 4,
    ],
    OTHER_CURVE: [
        lambda c: np.cos(np.pi * c / 4),
        lambda c: np.sin(2 * np.pi * c / 4),
        lambda c: np.cos(np.pi * c),
        lambda c: -np.sin(np.pi * c / 4),
    ],
    DEGREES: [lambda c: np.sin(45 * c), lambda c: np.sin(180 * c), lambda c: np.sin(90 * c)],
}


def _differ_by_cups(cups: np.ndarray, values: np.ndarray) -> bool:
    """Whether people with about the same cups differ less than any others do."""
    groups = np.array_split(values[np.argsort(cups)], 100)
    return stats.f_oneway(*groups).statistic > 1.8


def _refuse_transposed(what: str, got, table: np.ndarray, mistake: Mistake) -> None:
    """Show a box of a transposed table, which differs in nothing else."""
    values = as_numbers(what, got)
    is_turned = values.shape == table.shape and np.allclose(values, table.T)
    if is_turned and not np.allclose(values, table):
        i, j = np.argwhere(~np.isclose(values, table))[0]
        expected = f"{table[i, j]:.4g} (cups bin {i}, score bin {j})"
        fail(f"{what}[{i}, {j}]", expected=expected, got=f"{values[i, j]:.4g}", mistake=mistake)


# Right values --------------------------------------------------------------------------------


def _joint(cups, score, bins=BINS) -> tuple[np.ndarray, np.ndarray]:
    """Counts and probabilities, both (bins of cups, bins of score)."""
    counts = np.histogram2d(cups, score, bins)[0]
    return counts, counts / counts.sum()


def _entropies(cups, score, bins=BINS) -> tuple[float, float, float]:
    """Entropy in bits of cups, of score, and of both."""
    joint = _joint(cups, score, bins)[1]
    parts = joint.sum(1), joint.sum(0), joint.ravel()
    return tuple(float(stats.entropy(part, base=2)) for part in parts)


def _plug_in(cups, score, bins) -> float:
    """Mutual information in bits from a histogram, with one number of bins or two."""
    alone_1, alone_2, both = _entropies(cups, score, bins)
    return alone_1 + alone_2 - both


def _partly_eight(parts: np.ndarray, eight: tuple) -> list[np.ndarray]:
    """Mutual information from entropies of which only some follow the number of bins."""
    signs = np.array([1, 1, -1])
    follows = np.array([[0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]])
    return [np.where(own, parts, eight) @ signs for own in follows]


def _bits_of_counts(cups, score, bins) -> float:
    """What the formula gives for counts that have not become probabilities."""
    counts = _joint(cups, score, bins)[0]
    parts = counts.sum(1), counts.sum(0), counts
    alone_1, alone_2, both = (-np.sum(part * np.log2(part + 1e-13)) for part in parts)
    return alone_1 + alone_2 - both


def _fits(tally, cups, score, *edges) -> bool:
    """Whether counts are right for the student's own edges."""
    edges = [np.asarray(ends, dtype=float) for ends in edges]
    return np.array_equal(tally, np.histogram2d(cups, score, edges)[0])


def _nats(feature, target) -> float:
    """What scikit-learn answers."""
    return float(mutual_info_regression(np.reshape(feature, (-1, 1)), target, random_state=0)[0])


def _rounded(value) -> list:
    """A value with few digits, from 2 to 5 after the point."""
    return [np.round(value, digits) for digits in range(2, 6)]


def _compare_estimate(what: str, neighbour_bits: Callable, cups, score, mistakes=None) -> float:
    """Compare the student's estimate with the right one, in bits, and return that."""
    got = _untouched("neighbour_bits", neighbour_bits, cups, score)
    nats = _nats(cups, score)
    bits = nats / np.log(2)
    itself = [_nats(values, values) / unit for values in (cups, score) for unit in (np.log(2), 1)]
    by_factor = [nats * factor for factor in _rounded(1 / np.log(2))]
    by_divisor = [nats / divisor for divisor in _rounded(np.log(2))]
    mistakes = (mistakes or {}) | {
        NATS: nats,
        LOG_OF_NATS: lambda: np.log2(nats),
        ROUNDED: nearest(got, *_rounded(bits), *by_factor, *by_divisor),
        TIMES_LN2: nats * np.log(2),
        ARRAY_KEPT: nearest(got, [bits], [nats]),
        WITH_ITSELF: nearest(got, *itself),
    }
    compare(what, got, bits, mistakes)
    return bits


def _untouched(what: str, function: Callable, *args):
    """Result of a student's function that leaves its arguments as they are."""
    handed = copy.deepcopy(args)
    result = _explained(what, function, *handed)
    if not all(map(np.array_equal, handed, args)):
        fail(what, expected="arguments that stay as they are", mistake=ARGUMENT_CHANGED)
    return result


def _explained(what: str, function: Callable, *args):
    """Result of a student's function; known complaints of Python and its libraries have names."""
    try:
        with warnings.catch_warnings(action="error", category=DataConversionWarning):
            return call(what, function, *args)
    except CheckFailed as error:
        if error.__cause__:
            complaint = str(error.__cause__)
            frame = traceback.extract_tb(error.__cause__.__traceback__)[-1]
            for words, mistake in _COMPLAINTS.items():
                if words in f"{frame.name}: {complaint}":
                    fail(what, got=complaint.splitlines()[0].rstrip(":"), mistake=mistake)
        raise


_COMPLAINTS = {
    "Expected 2D array, got 1D": X_FLAT,
    "numbers of samples: [1, ": X_AS_ROW,
    "column-vector y": Y_AS_TABLE,
    "name 'plt' is not defined": PYPLOT,
    "set_extent: ": EXTENT_NOT_FOUR,
    "mismatch in its core dimension": MATRIX_PRODUCT,
    "not aligned": MATRIX_PRODUCT,
    ") and (1,)": ONE_POINT,
    # Sizes that are those of the notebook, and of no data of the check's own.
    f"index {BINS} is out of bounds": ARGUMENTS_UNUSED,
    f"into shape ({SIZE},": ARGUMENTS_UNUSED,
    "(21,)": ARGUMENTS_UNUSED,
}


# Figures -------------------------------------------------------------------------------------


def _crowd(seed: int, bins: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """Cups and score of other people, their counts, and the edges of both axes."""
    rng = np.random.default_rng(seed)
    cups = 4 * rng.beta(1, 3, 500)
    score = cups**2 / 5 + rng.normal(0, 0.3, 500)
    return cups, score, *np.histogram2d(cups, score, bins)


def _image(draw_study: Callable, crowd: tuple[np.ndarray, ...]) -> AxesImage:
    """The image in the student's figure of a crowd."""
    figure = _explained("draw_study", draw_study, *crowd)
    if not isinstance(figure, Figure):
        fail("draw_study", expected="a figure", got=kind_of(figure))
    images = [image for axes in figure.axes for image in axes.get_images()]
    if len(images) != 1:
        fail("draw_study", expected="one image", got=f"{len(images)}")
    return images[0]


def _panels_of_bar(bar: Colorbar) -> list[Axes]:
    """The panels that a colour bar took its room from; empty if Matplotlib does not tell."""
    return list(getattr(bar.ax, "_colorbar_info", {}).get("parents", []))


def _check_extent(image: AxesImage, x_ends, y_ends, draw_study: Callable) -> None:
    """Check that an image covers the stretches of the data, and that these run as in panel A."""
    got = np.array(image.get_extent(), dtype=float)
    wanted = np.array([*x_ends, *y_ends])
    wide, high = np.sort(got[:2]), np.sort(got[2:])
    if np.allclose(wide, x_ends) and np.allclose(high, y_ends):
        for name, limits, ends in (
            ("cups that grow to the right", image.axes.get_xlim(), got[:2]),
            ("scores that grow upwards", image.axes.get_ylim(), got[2:]),
        ):
            if limits[0] > limits[1]:
                mistake = EXTENT_IN_CORNERS if ends[0] > ends[1] else None
                fail("panel B", expected=name, got="the other way round", mistake=mistake)
        return
    rows, columns = np.shape(image.get_array())[:2]
    starts_at_zero = np.isclose(min(wide[0], high[0]), 0) or np.isclose(wide[0], -0.5)
    if np.allclose(wide, y_ends) and np.allclose(high, x_ends):
        mistake = EXTENT_SWAPPED
    elif np.allclose(np.sort(got), np.sort(wanted)):
        mistake = EXTENT_IN_CORNERS
    elif starts_at_zero and sorted([np.ptp(wide), np.ptp(high)]) == sorted([rows, columns]):
        mistake = EXTENT_IN_BINS
    else:
        wrong = ~np.isclose(got, wanted)
        others = np.array(_image(draw_study, _crowd(6, (5, 7))).get_extent(), dtype=float)
        mistake = ARGUMENTS_UNUSED if np.array_equal(got[wrong], others[wrong]) else None
    fail(
        f"extent in panel B, {OWN_DATA}",
        expected=f"cups from {x_ends[0]:.3g} to {x_ends[1]:.3g}, "
        f"score from {y_ends[0]:.3g} to {y_ends[1]:.3g}",
        got=f"horizontally {got[0]:.3g} to {got[1]:.3g}, vertically {got[2]:.3g} to {got[3]:.3g}",
        mistake=mistake,
    )


def _middles(edges: np.ndarray) -> np.ndarray:
    return (edges[1:] + edges[:-1]) / 2


def _shown(image: AxesImage, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """The values that an image shows at all pairs of x and y, (n_x, n_y)."""
    values = np.asarray(image.get_array())  # (n_rows, n_columns)
    left, right_, bottom, top = image.get_extent()
    first, last = (bottom, top) if image.origin == "lower" else (top, bottom)
    columns = (xs - left) / (right_ - left) * values.shape[1]
    rows = (ys - first) / (last - first) * values.shape[0]
    return values[np.ix_(rows.astype(int), columns.astype(int))].T


def _wrong_turn(values: np.ndarray, origin: str, counts: np.ndarray) -> Mistake | None:
    """How an image that shows something else than the counts has been turned."""
    if values.shape == counts.T.shape and np.array_equal(np.sort(values, 0), np.sort(counts.T, 0)):
        return UPSIDE_DOWN
    if np.array_equal(values, counts):
        return ON_ITS_SIDE if origin == "upper" else TRANSPOSED
    return None


@dataclass(frozen=True)
class _Line:
    """A level or upright line: where it is, what of it can be seen, and how it looks."""

    is_level: bool
    at: float  # on the other axis
    start: float
    end: float  # less than the start if it lies beside the axes
    style: str
    label: str


def _panel(draw_curve: Callable, *args) -> Axes:
    """The first panel of the student's figure."""
    figure = _explained("draw_curve", draw_curve, *args)
    if not isinstance(figure, Figure) or not figure.axes:
        fail("draw_curve", expected="a figure with axes", got=kind_of(figure))
    return figure.axes[0]


def _heights(lines: list[_Line]) -> list[float]:
    return [line.at for line in lines if line.is_level]


def _straight_lines(axes: Axes) -> list[_Line]:
    """All level and upright lines of a panel, in the units of its axes."""
    drawn = []  # (points, style, label)
    for line in axes.lines:
        style = _STYLES.get(line.get_linestyle(), "invisible")
        points = _ends(line, axes) if isinstance(line, AxLine) else line.get_xydata()
        if not isinstance(line, AxLine):
            points = _in_data(points, line.get_transform(), axes)
        drawn.append((points, style, str(line.get_label())))
    for lines in axes.collections:
        if isinstance(lines, LineCollection):
            style = _style(lines.get_linestyle()[0][1])
            for segment in lines.get_segments():
                points = _in_data(segment, lines.get_transform(), axes)
                drawn.append((points, style, str(lines.get_label())))
    limits = np.sort([axes.get_xlim(), axes.get_ylim()], axis=1)
    found = []
    for points, style, label in drawn:
        for along, across in ((0, 1), (1, 0)):
            if len(points) > 1 and np.ptp(points[:, across]) < 1e-9 < np.ptp(points[:, along]):
                at = float(np.mean(points[:, across]))
                start = max(points[:, along].min(), limits[along, 0])
                end = min(points[:, along].max(), limits[along, 1])
                start, end = np.round([start, end], 9)
                found.append(_Line(along == 0, at, float(start), float(end), style, label))
    return found


_STYLES = {"-": "solid", "--": "dashed", ":": "dotted", "-.": "dash-dotted"}


def _style(dashes) -> str:
    """The name of a pattern of lengths on and off, as a collection of lines has it."""
    if dashes is None:
        return "solid"
    if len(dashes) > 2:
        return "dash-dotted"
    return "dashed" if dashes[0] >= dashes[1] else "dotted"


def _in_data(points, transform, axes: Axes) -> np.ndarray:
    """Points of a line in the units of the axes, (n_points, 2)."""
    axes.get_xlim(), axes.get_ylim()  # only now does Matplotlib settle the limits
    return (transform + axes.transData.inverted()).transform(np.asarray(points, dtype=float))


def _ends(line: AxLine, axes: Axes) -> np.ndarray:
    """Where a line without ends meets the edges of the axes, (2, 2)."""
    first = np.asarray(line.get_xy1(), dtype=float)
    second, slope = line.get_xy2(), line.get_slope()
    step = np.subtract(second, first) if second is not None else np.array([1.0, slope])
    if second is None and np.isinf(slope):
        step = np.array([0.0, 1.0])
    reach = 2 * max(np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())) + np.abs(first).max()
    step = step / np.linalg.norm(step)
    return np.array([first - reach * step, first + reach * step])
