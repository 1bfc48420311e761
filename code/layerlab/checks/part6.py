"""Checks of exercise 6: the three measures and their tau with position, block by block."""

import re
from collections.abc import Callable
from itertools import permutations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from layerlab.checks._core import (
    CheckFailed,
    Mistake,
    as_numbers,
    call,
    compare,
    fail,
    itself_if,
    kind_of,
    right,
)
from layerlab.sweeps import laminar_sweep, measure_pairs, position_distances

FROM_NOTEBOOK = Mistake(
    "a variable of the notebook instead of the argument",
    "The check handed your function data of its own, and your function looked at yours. Inside "
    "it, use only the names between the parentheses of its `def` line, and what you make of them.",
)
SIZE_TYPED = Mistake(
    "size hard-coded",
    "A number that is right for your data only stands in the function. Take it from what the "
    "function is given.",
)
NOT_CALLED = Mistake(
    "named but not called",
    "Without round brackets a function or a method is only named, and nothing happens. Where are "
    "they left out?",
)
ROUND_FOR_SQUARE = Mistake(
    "round brackets for square ones",
    "Round brackets call a function, and what stands before yours is a tuple. Which brackets take "
    "one of its elements?",
)
WRONG_AXIS = Mistake(
    "another axis of the activations",
    "The axes are component, block, target, neuron, counted from 0. Which of them do you want?",
)
PAIRS_TWICE = Mistake(
    "every pair counted twice",
    "The pair (2, 5) and the pair (5, 2) are one pair: in how many ways did you count it?",
)
WITH_ITSELF_COUNTED = Mistake(
    "a target paired with itself",
    "A pair needs two different targets. Count for three targets on your fingers.",
)
TARGETS_SQUARED = Mistake(
    "number of targets squared",
    "A table of all targets against all has so many cells. Which of them are no pair, and which "
    "are one pair again? If you took something off: `*` and `//` come before `-`.",
)
BLOCKS_PAIRED = Mistake(
    "blocks paired instead of targets", "So many pairs would the blocks make. What is paired here?"
)
DECIMAL_COUNT = Mistake(
    "a count with a decimal point",
    "A count is a whole number, of type int. `/` makes a float even where nothing remains, and so "
    "do some ready-made functions.",
)
IN_NATS = Mistake("nats for bits", "This course speaks bits. Which unit does your call answer in?")
BITS_CONVERTED = Mistake(
    "bits converted once more",
    "`ln 2` turns nats into bits. In which unit does `mutual_information` answer?",
)
SQUARED = Mistake("squared distance", "This is the square of L2: the root is missing.")
MEAN_FOR_SUM = Mistake(
    "mean for sum", "A distance adds up over the neurons. Yours averages over them."
)
DIAGONAL_MEASURED = Mistake(
    "diagonal included",
    "Your inner loop also visits j = i, a vector compared with itself. Where must j start?",
)
BOTH_TRIANGLES = Mistake(
    "both triangles measured",
    "Your inner loop visits every pair from both sides. Only i < j is asked for.",
)
LOWER_TRIANGLE = Mistake(
    "lower triangle for upper",
    "All pairs are there, but from the other side and so in another order: (1, 0), (2, 0), (2, 1). "
    "Must j be smaller or larger than i?",
)
L1_FOR_L2 = Mistake(
    "L1 where L2 was asked", "The last two columns are the same. Look at the order of each."
)
MEASURES_REORDERED = Mistake(
    "measures in another order", "All three are there. The order in this course is MI, L1, L2."
)
APPENDED_AT_ONCE = Mistake(
    "several values for one append",
    "`append` takes one thing. Into what do you put three numbers, so that they are one?",
)
ONE_LONG_ROW = Mistake(
    "one long row of numbers",
    "The three numbers of a pair went into `per_pair` one by one, so nothing tells where a pair "
    "ends. How many things should be added for each pair?",
)
ONE_PAIR_KEPT = Mistake(
    "only the last pair kept",
    "Each round of your loops throws away what those before had collected. What adds something to "
    "a list that is there already?",
)
LAST_VECTOR_OUT = Mistake(
    "last vector left out",
    "There is no pair with the last vector. `range` stops before its end already.",
)
GAP_NEGATIVE = Mistake(
    "sign of the gaps turned round",
    "A distance is not negative. Which of the two targets stands later in the text?",
)
GAP_IN_TARGETS = Mistake(
    "gaps counted in targets",
    "You subtracted the numbers of the targets (0, 1, 2, …), not the places of their tokens.",
)
GAP_LOOKED_UP = Mistake(
    "difference taken inside the brackets",
    "You subtracted the numbers of two targets and looked up one place with the result. A distance "
    "lies between two places: what has to be looked up?",
)
GAP_ORDER = Mistake(
    "gaps in another order than the measures",
    "The right gaps, but pair (0, 2) must come directly after (0, 1), as in your two loops. Tau "
    "would compare the measure of one pair with the gap of another.",
)
GAP_SORTED = Mistake(
    "gaps sorted by size",
    "The right gaps, but the smallest first. Each must stand where the measures of its pair stand.",
)
GAP_WITH_ITSELF = Mistake(
    "gap of a target to itself",
    "There are gaps of zero among yours, so the diagonal came along.",
)
GAP_NEIGHBOURS = Mistake(
    "only neighbouring targets", "Each target pairs with all later ones, not only with the next."
)
NEIGHBOURS_LEFT_OUT = Mistake(
    "neighbouring targets left out",
    "Targets 0 and 1 are a pair, too. On which diagonal must the triangle begin?",
)
TOKENS_BETWEEN = Mistake(
    "tokens between counted",
    "You have how many tokens lie between the two: none if one follows directly on the other. Is "
    "their gap 0, too?",
)
AXES_REORDERED = Mistake(
    "axes in another order",
    "The sizes are right, their order is not: component first, then block, statistic, measure.",
)
PAIRS_KEPT = Mistake(
    "room for every pair",
    "Mean and tau run over the pairs. What remains of the pairs after that?",
)
RECORDED_SHAPE = Mistake(
    "shape of the activations",
    "That is the array you measure. The results have neither targets nor neurons; what have they?",
)
NOT_ONE_SHAPE = Mistake(
    "shape not in one tuple",
    "`np.zeros` takes the whole shape as its first argument; a second one would say which type of "
    "number to make. What turns four sizes into one argument?",
)
WHOLE_NUMBERS = Mistake(
    "whole numbers where fractions belong",
    "An array of whole numbers drops what stands behind the decimal point, without a word: a tau "
    "of 0.6 would become 0. Which type does `np.zeros` make if you name none?",
)
INDICES_CROSSED = Mistake(
    "component and block mixed up",
    "Component comes before block: there are two components and many blocks. Look at what each "
    "index runs over.",
)
MEAN_OF_PAIR = Mistake(
    "mean of each pair",
    "There came one number for each pair, averaged over MI, L1 and L2. Which axis of (pairs, "
    "measures) shall go?",
)
WHOLE_RESULT = Mistake(
    "the whole result of kendalltau",
    "One cell takes one number, and `kendalltau` returns a result of two parts. Which one is tau?",
)
PAIR_FOR_MEASURE = Mistake(
    "one pair's measures for one measure's pairs",
    "Tau needs as many values as there are gaps. In (pairs, measures), is a measure a row or a "
    "column?",
)
TABLE_FOR_COLUMN = Mistake(
    "the whole table for one measure",
    "All three measures of every pair went into one tau, three times as many values as there are "
    "gaps. Which part of (pairs, measures) belongs to measure m?",
)
ATTENTION_TWICE = Mistake(
    "attention used for both components",
    "The second half equals the first. Does the index of the component change in your loop?",
)
MLP_EMPTY = Mistake(
    "MLP left out",
    "The second component is still zero. How far does c run, and in which loop does your function "
    "return?",
)
SAME_BLOCK = Mistake(
    "one block for all",
    "Every block got the same numbers. Does the index of the block change in your loop?",
)
FIRST_BLOCK_OUT = Mistake(
    "first block left out", "Block 0 is still zero. Blocks are counted from 0."
)
LAST_BLOCK_OUT = Mistake(
    "last block left out", "The last block is still zero. `range` stops before its end already."
)
TWO_BLOCKS = Mistake(
    "only two blocks",
    "From block 2 on all is still zero. How many components are there in `stack`, and how many "
    "blocks?",
)
STATISTICS_SWAPPED = Mistake(
    "mean and tau swapped", "Statistic 0 is the mean, statistic 1 is tau. Yours stand crosswise."
)
ONE_MEAN = Mistake(
    "one mean for all measures",
    "MI, L1 and L2 got the same mean. Over which axis of (pairs, measures) must the mean run?",
)
ZEROS_AVERAGED = Mistake(
    "zeros of the matrix averaged in",
    "You divided by all places of the square matrix. The half below the diagonal and the diagonal "
    "itself hold no measurement.",
)
SUM_FOR_MEAN = Mistake("sum for mean", "Your means are as many times too large as there are pairs.")
MEDIAN = Mistake(
    "median for mean",
    "The value in the middle is not the mean where a few pairs are far larger than the rest.",
)
P_FOR_TAU = Mistake(
    "p-value for tau",
    "`kendalltau` gives two numbers, and you kept the other one. Tau lies between -1 and 1.",
)
ONE_SIDE_SORTED = Mistake(
    "one list sorted, the other not",
    "Sorting only one of two lists tears the pairs apart. Tau does its own ranking.",
)
PEARSON = Mistake(
    "Pearson's r for Kendall's tau",
    "Position distance is used as an order here, so the correlation must compare ranks.",
)
SPEARMAN = Mistake(
    "Spearman's rho for Kendall's tau",
    "That one does look at ranks, but correlates them. Tau counts comparisons that agree.",
)
ONE_TAU = Mistake(
    "tau of one measure three times",
    "The three taus are equal, each that of the same measure. Does its index change in your loop?",
)
COMMON_MAXIMUM = Mistake(
    "one common maximum",
    "L1 is by far the largest, so MI and L2 shrink to nothing. Give each column a maximum of its "
    "own.",
)
MAXIMUM_PER_BLOCK = Mistake(
    "maximum of each block",
    "You compared the three measures within a block. Each measure's maximum is over the blocks.",
)
MAXIMA_ASKEW = Mistake(
    "maxima that do not line up with the curves",
    "NumPy lines shapes up from their last axis. How many numbers lie along the last axis of what "
    "you divide, and how many maxima are there?",
)
MINIMUM_TAKEN_OFF = Mistake(
    "minimum subtracted",
    "The smallest value became 0. Dividing by the maximum alone keeps 0 where it was.",
)
SHARE_OF_SUM = Mistake(
    "share of the sum", "Each of your columns adds up to 1. What of a column is to be 1 instead?"
)
PER_CENT = Mistake("per cent", "Your largest values are 100. A whole is 1 where shares are asked.")
NORMALISED_IN_PLACE = Mistake(
    "normalised in place",
    "The result is right, but the curves that your function was given have changed as well. Which "
    "line writes into them? A second name for an array makes no second array.",
)
ALL_TURNED = Mistake(
    "all signs turned", "L1 and L2 rise with distance already. Only one column is to be turned."
)
DISTANCES_TURNED = Mistake(
    "distances turned instead of MI", "Which of the three columns is MI? Count from 0."
)
ABSOLUTE_VALUE = Mistake(
    "absolute value for the sign",
    "An absolute value is never below zero, on whichever side tau was. Which taus must be?",
)
ONE_MINUS = Mistake(
    "one minus tau",
    "A tau of 0 must stay 0. Subtracting from 1 also moves the curve up.",
)
TURNED_IN_PLACE = Mistake(
    "sign turned in the data",
    "The taus that your function was given have changed as well, so the next call turns them back. "
    "Work on a copy.",
)
ROWS_ALIKE = Mistake(
    "attention in both rows",
    "The lower row shows the upper one again. Which component belongs to row c?",
)
ROWS_SWAPPED = Mistake(
    "attention and MLP swapped", "The upper row is attention, component 0, and the lower one MLP."
)
PANEL_STATISTICS = Mistake(
    "mean and tau in each other's panels",
    "The left column shows means, the right one tau. Look at the index of the statistic.",
)
MAXIMUM_OF_COMPONENTS = Mistake(
    "maximum over the components",
    "In each block, attention or MLP reaches 1. Your function takes the maximum along axis 0: what "
    "is axis 0 of the array that you hand to it?",
)
NOT_NORMALISED = Mistake(
    "means not normalised",
    "As measured, L1 dwarfs the rest. You have a function that makes the three comparable.",
)
TAU_NORMALISED = Mistake(
    "tau normalised too",
    "Tau lies between -1 and 1 in every block already, and dividing by a maximum below zero would "
    "turn the curve over.",
)
ROW_FOR_COLUMN = Mistake(
    "a block's row for a measure's column",
    "You want one measure in all blocks. In (blocks, measures), is that a row or a column?",
)
MORE_THAN_A_CURVE = Mistake(
    "more than a curve handed to plot",
    "A curve is one number for each block, and what you plot still has three axes or more. Which "
    "of component, statistic and measure has not been picked?",
)
NOT_TURNED = Mistake(
    "sign not turned",
    "MI's tau still has the sign that it came with. Was it turned in the very array that is used "
    "from there on?",
)
MEANS_TURNED = Mistake(
    "sign turned in the means",
    "Only tau changes its sign. A mean of bits below zero would be no mutual information.",
)
FLIP_UNLABELLED = Mistake(
    "turned without a word",
    "A reader who sees MI rise in panel B must be told that its sign was turned round.",
)
TURNED_UNNAMED = Mistake(
    "turned, but no longer named",
    "The legend says that a sign was turned, but not of which measure. Keep the name in the label.",
)
LABEL_UNSET = Mistake(
    "no label where nothing is turned",
    "Where your condition does not hold, no line has given `label` a value. What should a curve "
    "that is not turned be called?",
)
OTHERS_LABELLED = Mistake(
    "a new label for a curve that is not turned",
    "Only MI's tau is turned, in panels B and D. Every other curve keeps the label that it has "
    "without flip. How far does your change reach?",
)
ALWAYS_LABELLED = Mistake(
    "called turned without being so",
    "With flip=False no sign is turned, and the legend must not say it is. On what does your label "
    "depend?",
)
X_FROM_ONE = Mistake(
    "blocks drawn from 1", "The axis says that blocks are counted from 0. Yours begin at 1."
)

# Data of the notebook that the student's functions are handed as arguments.
NOTEBOOK = {
    *("recorded", "targets", "gaps", "profile", "control", "ids", "earlier", "later"),
    *("n_blocks", "n_targets", "n_pairs"),
}
SIGN_WORDS = re.compile(
    r"(?<!\w)[-\u2212\u2013]|turn|flip|revers|sign|invert|negat|opposite|minus", re.I
)
PANELS = tuple("ABCD")
MEASURES = ("MI", "L1", "L2")


def check_shapes(sizes, recorded) -> None:
    """The function that counts blocks, targets and pairs of targets.

    Parameters
    ----------
    sizes : callable
        The answer: an array (2, n_blocks, n_targets, width) to three numbers.
    recorded : ndarray, shape (2, n_blocks, n_targets, width)
        The notebook's own, to recognise its numbers.
    """
    n_blocks, n = (size + 3 for size in np.shape(recorded)[1:3])
    stack = np.zeros((2, n_blocks, n, 4 + n_blocks + n))
    shape, what = stack.shape, "sizes (tried on another array)"
    raises = {ROUND_FOR_SQUARE: "'tuple' object is not callable"}
    got = _call(what, sizes, stack, raises=raises, typed=_own_sizes(recorded))
    try:
        got_blocks, got_targets, got_pairs = got
    except (TypeError, ValueError):
        fail(what, expected="three numbers: blocks, targets, pairs", got=f"{got!r:.60}")
    other = _not_the_argument(sizes, _own_sizes(recorded))
    pairs = n * (n - 1) // 2
    of_blocks = {WRONG_AXIS: itself_if(got_blocks, n_blocks, shape.__contains__)}
    of_targets = {WRONG_AXIS: itself_if(got_targets, n, shape.__contains__)}
    of_pairs = {
        PAIRS_TWICE: 2 * pairs,
        WITH_ITSELF_COUNTED: pairs + n,
        TARGETS_SQUARED: n * n,
        BLOCKS_PAIRED: n_blocks * (n_blocks - 1) // 2,
    }
    for name, size, expected, mistakes in (
        (f"number of blocks in an array {shape}", got_blocks, n_blocks, of_blocks),
        (f"number of targets in an array {shape}", got_targets, n, of_targets),
        (f"number of pairs of {n} targets", got_pairs, pairs, of_pairs),
    ):
        compare(name, size, expected, mistakes | other(size, expected))
        if np.asarray(size).dtype.kind not in "iu":
            fail(name, expected=str(expected), got=repr(size), mistake=DECIMAL_COUNT)
    right(
        f"In an array {shape}: {n_blocks} blocks, {n} targets; {n} × {n - 1} ordered pairs, halved "
        f"because each pair stands there twice, make {pairs}."
    )


def check_measures(measures_of, recorded) -> None:
    """The function that measures all pairs i < j of one block three times.

    Parameters
    ----------
    measures_of : callable
        The answer: vectors, one a row, to an array (n_pairs, 3).
    recorded : ndarray, shape (2, n_blocks, n_targets, width)
    """
    X = np.array(recorded, dtype=float)[1, -1, :5]  # five vectors show all there is to see
    what = "measures_of (tried on five vectors)"
    raises = {APPENDED_AT_ONCE: r"append\(\) takes exactly one argument"}
    got = _call(what, measures_of, X.copy(), raises=raises, typed=_own_sizes(recorded))
    expected = measure_pairs(X)  # (10, 3)
    n, width = X.shape
    n_half, both = n * (n + 1) // 2, ((n * n, 3), (n * n - n, 3))
    pairs = list(zip(*np.triu_indices(n, 1), strict=True))
    by_second = sorted(range(len(pairs)), key=lambda k: pairs[k][::-1])  # (0, 1), (0, 2), (1, 2)
    orders = {
        LOWER_TRIANGLE: [expected[by_second]],
        MEASURES_REORDERED: [expected[:, order] for order in permutations(range(3))],
    }
    _refuse_order(what, got, expected, orders)
    mistakes = {
        IN_NATS: expected * [np.log(2), 1, 1],
        BITS_CONVERTED: expected / [np.log(2), 1, 1],
        L1_FOR_L2: expected[:, [0, 1, 1]],
        SQUARED: expected ** [1, 1, 2],
        MEAN_FOR_SUM: expected / [1, width, np.sqrt(width)],
        DIAGONAL_MEASURED: itself_if(got, expected, lambda a: a.shape == (n_half, 3)),
        BOTH_TRIANGLES: itself_if(got, expected, lambda a: a.shape in both),
        ONE_LONG_ROW: itself_if(got, expected, lambda a: a.shape == (expected.size,)),
        ONE_PAIR_KEPT: itself_if(got, expected, lambda a: _is_one_of(a.ravel(), expected[-1])),
        LAST_VECTOR_OUT: measure_pairs(X[:-1]),
    }
    mistakes |= _not_the_argument(measures_of, _own_sizes(recorded))(got, expected)
    compare(what, got, expected, mistakes, rtol=1e-4, atol=2e-3)
    right(
        "Each pair i < j once, and for each pair MI in bits, L1 and L2, in this order. The "
        "diagonal and the lower triangle stay out."
    )


def check_gaps(gaps, targets) -> None:
    """The distance in tokens of every pair, in the order of the measures.

    Parameters
    ----------
    gaps : array_like
        The answer.
    targets : ndarray of int, shape (n_targets,)
        The places of the targets in the text.
    """
    targets = np.asarray(targets)
    expected = position_distances(targets)
    numbers = np.arange(len(targets))
    table = np.abs(targets[:, None] - targets)  # (n_targets, n_targets)
    by_second = np.concatenate([table[:j, j] for j in numbers])  # (0, 1), (0, 2), (1, 2), …
    later_still = np.concatenate([table[i, i + 2 :] for i in numbers])  # (0, 2), (0, 3), …
    apart = position_distances(numbers)

    def is_looked_up(answer):
        return _is_one_of(answer, targets[apart], targets[-apart])

    def is_negative(answer):  # in whatever order
        return _is_one_of(np.sort(answer), np.sort(-expected))

    def has_diagonal(answer):  # of the triangle or of the whole table
        return np.count_nonzero(answer == 0) == len(targets)

    _refuse_order("gaps", gaps, expected, {GAP_ORDER: [by_second], GAP_SORTED: [np.sort(expected)]})
    mistakes = {
        GAP_NEGATIVE: itself_if(gaps, expected, is_negative),
        GAP_IN_TARGETS: apart,
        GAP_LOOKED_UP: itself_if(gaps, expected, is_looked_up),
        GAP_WITH_ITSELF: itself_if(gaps, expected, has_diagonal),
        GAP_NEIGHBOURS: np.diff(targets),
        NEIGHBOURS_LEFT_OUT: later_still,
        TOKENS_BETWEEN: expected - 1,
    }
    compare("gaps", gaps, expected, mistakes)
    right(
        f"{len(expected)} gaps in tokens, from {expected.min()} to {expected.max()}, none below "
        "zero, in the very order in which the pairs were measured."
    )


def check_array(empty_profile, recorded) -> None:
    """The function that makes the array for all results.

    Parameters
    ----------
    empty_profile : callable
        The answer: a number of blocks to zeros.
    recorded : ndarray, shape (2, n_blocks, n_targets, width)
        The notebook's own, to recognise its sizes.
    """
    own_blocks, n_targets = np.shape(recorded)[1:3]
    n_blocks, n_pairs = own_blocks + 2, n_targets * (n_targets - 1) // 2
    what = f"empty_profile({n_blocks})"
    raises = {NOT_ONE_SHAPE: r"zeros\(\) takes|as a data type"}
    answer = _call(what, empty_profile, n_blocks, raises=raises, typed=_own_sizes(recorded))
    if not isinstance(answer, np.ndarray):
        fail(what, expected="an array", got=kind_of(answer))
    got = answer.shape
    expected = (2, n_blocks, 2, len(MEASURES))
    signs = (
        (RECORDED_SHAPE, got == np.shape(recorded)),
        (PAIRS_KEPT, n_pairs in got),
        (AXES_REORDERED, sorted(got) == sorted(expected)),
        (FROM_NOTEBOOK, _looks_at_notebook(empty_profile)),
        (SIZE_TYPED, own_blocks in got),
    )
    if got != expected:
        mistake = next((mistake for mistake, is_made in signs if is_made), None)
        fail(what, expected=f"the shape {expected}", got=f"the shape {got}", mistake=mistake)
    if answer.dtype.kind != "f":
        mistake = WHOLE_NUMBERS if answer.dtype.kind in "iu" else None
        fail(what, expected="floating-point numbers", got=str(answer.dtype), mistake=mistake)
    compare(what, answer, np.zeros(expected))
    right(
        f"Component, block, statistic, measure: {np.prod(expected)} numbers for {n_blocks} blocks, "
        "and no axis for the pairs, because both statistics run over them."
    )


def check_sweep(sweep, recorded) -> None:
    """The function that fills the array: both components, all blocks, mean and tau.

    It is tried on two stacks made up here: one of the size of the notebook's, with other values,
    and one of another size.

    Parameters
    ----------
    sweep : callable
        The answer: activations and gaps to the array of components, blocks, statistics, measures.
    recorded : ndarray, shape (2, n_blocks, n_targets, width)
        The notebook's own, of which only the shape is looked at.
    """
    _, n_blocks, n_targets, _ = np.shape(recorded)
    stack, targets = _made_up_stack(n_blocks, n_targets)
    gaps, typed = position_distances(targets), _own_sizes(recorded)
    what = "sweep (tried on other activations)"
    raises = {WHOLE_RESULT: r"not '\w*Result'"} | _crossed(sweep)
    got = _call(what, sweep, stack.copy(), gaps.copy(), raises=raises, typed=typed)
    measures, expected = laminar_sweep(stack, targets)  # (2, n_blocks, n_pairs, 3), profile
    _refuse_order(what, got, expected, {STATISTICS_SWAPPED: [expected[:, :, ::-1]]})
    mistakes = _sweep_mistakes(got, measures, expected, gaps, n_targets)
    mistakes |= _not_the_argument(sweep, typed)(got, expected)
    compare(what, got, expected, mistakes, rtol=1e-4, atol=2e-3)
    stack, targets = _made_up_stack(n_blocks + 1, max(n_targets - 4, 4))
    gaps = position_distances(targets)
    what = f"sweep (tried on {n_blocks + 1} blocks and {len(targets)} targets)"
    got = _call(what, sweep, stack.copy(), gaps.copy(), typed=typed)
    expected = laminar_sweep(stack, targets)[1]
    mistakes = _not_the_argument(sweep, typed)(got, expected)
    compare(what, got, expected, mistakes, rtol=1e-4, atol=2e-3)
    right(
        "Attention and MLP, every block from 0 on, the mean over the pairs and tau with the gaps, "
        "for each measure by itself."
    )


def _made_up_stack(n_blocks: int, n_targets: int) -> tuple[np.ndarray, np.ndarray]:
    """Activations (2, n_blocks, n_targets, 48) that drift from target to target, and places."""
    rng = np.random.default_rng(60 + n_blocks)
    steps = rng.normal(size=(2, n_blocks, n_targets, 48)) * rng.uniform(0.3, 1, (2, n_blocks, 1, 1))
    return np.cumsum(steps, axis=2) + rng.normal(size=48), np.cumsum(rng.integers(2, 40, n_targets))


def _crossed(sweep) -> dict[Mistake, Callable[[], bool]]:
    """Two axes taken for each other, which raises where their sizes differ: tried where they agree.

    With two blocks and three pairs there are as many blocks as components and as many pairs as
    measures, with three blocks as many as targets, and a sweep that confuses them answers.

    Returns
    -------
    dict of Mistake to callable
        Whether the answer to this is the one that the mistake leads to.
    """
    stack, targets = _made_up_stack(2, 3)
    gaps = position_distances(targets)  # (3,)
    tripled = np.repeat(gaps, 3)  # one for each number in (pairs, measures)
    measures, expected = laminar_sweep(stack, targets)  # (2, 2, 3, 3) both
    means, taus = expected[:, :, 0], expected[:, :, 1]

    cube, places = _made_up_stack(3, 3)
    crossed = laminar_sweep(np.swapaxes(cube, 1, 2), places)[1]  # (2, 3, 2, 3)

    def answers(*wrong, stack=stack, gaps=gaps):
        try:
            return _is_one_of(np.asarray(call("sweep", sweep, stack.copy(), gaps), float), *wrong)
        except (CheckFailed, TypeError, ValueError):
            return False

    of_table = _profile(means, _correlations(measures.reshape(2, 2, -1, 1), tripled))
    of_pair = _profile(means, _correlations(np.swapaxes(measures, 2, 3), gaps))
    return {
        MEAN_OF_PAIR: lambda: answers(_profile(measures.mean(axis=3), taus)),
        INDICES_CROSSED: lambda: answers(expected, np.swapaxes(expected, 0, 1)),
        PAIR_FOR_MEASURE: lambda: answers(of_pair),
        TABLE_FOR_COLUMN: lambda: answers(of_table, gaps=tripled),
        WRONG_AXIS: lambda: answers(crossed, stack=cube, gaps=position_distances(places)),
    }


def _sweep_mistakes(got, measures, expected, gaps, n_targets: int) -> dict:
    """What a sweep returns when something went wrong."""
    n_pairs = len(gaps)
    means, taus = expected[:, :, 0], expected[:, :, 1]  # (2, n_blocks, 3) each
    p_values = _correlations(measures, gaps, part="pvalue")

    def is_one_side_sorted(answer):
        sorted_measures = _correlations(np.sort(measures, axis=2), gaps)
        sorted_gaps = _correlations(measures, np.sort(gaps))
        return _is_one_of(answer, _profile(means, sorted_measures), _profile(means, sorted_gaps))

    def is_one_mean(answer):
        of_all = means.mean(axis=-1, keepdims=True)
        return _is_one_of(answer, *(_profile(m, taus) for m in (of_all, *_columns(means))))

    def is_one_tau(answer):
        return _is_one_of(answer, *(_profile(means, tau) for tau in _columns(taus)))

    def is_p_value(answer):  # they are so small that zeros would be near them
        return np.allclose(answer, _profile(answer[:, :, 0], p_values), rtol=1e-3, atol=0)

    def is_one_block(answer):
        return np.any(answer) and np.ptp(answer, axis=1).max() == 0

    return {
        WHOLE_NUMBERS: np.trunc(expected),
        ATTENTION_TWICE: expected[[0, 0]],
        MLP_EMPTY: _emptied(expected, np.s_[1]),
        SAME_BLOCK: itself_if(got, expected, is_one_block),
        FIRST_BLOCK_OUT: _emptied(expected, np.s_[:, 0]),
        LAST_BLOCK_OUT: _emptied(expected, np.s_[:, -1]),
        TWO_BLOCKS: _emptied(expected, np.s_[:, 2:]),
        ONE_MEAN: itself_if(got, expected, is_one_mean),
        MEDIAN: _profile(np.median(measures, axis=2), taus),
        ZEROS_AVERAGED: _profile(means * n_pairs / n_targets**2, taus),
        SUM_FOR_MEAN: _profile(means * n_pairs, taus),
        P_FOR_TAU: itself_if(got, expected, is_p_value),
        ONE_SIDE_SORTED: itself_if(got, expected, is_one_side_sorted),
        ABSOLUTE_VALUE: _profile(means, np.abs(taus)),
        PEARSON: lambda: _profile(means, _correlations(measures, gaps, stats.pearsonr)),
        SPEARMAN: lambda: _profile(means, _correlations(measures, gaps, stats.spearmanr)),
        ONE_TAU: itself_if(got, expected, is_one_tau),
    }


def check_normalised(shares_of_maximum, recorded) -> None:
    """The function that divides each measure's curve by its own maximum.

    Parameters
    ----------
    shares_of_maximum : callable
        The answer: curves (n_blocks, 3) to curves of the same shape, each at most 1.
    recorded : ndarray, shape (2, n_blocks, n_targets, width)
        The notebook's own, to recognise its sizes.
    """
    curves = np.array([[1.5, 40.0, 3.0], [0.5, 160.0, 12.0], [2.0, 100.0, 8.0], [1.0, 80.0, 6.0]])
    given = curves.copy()
    raises = {MAXIMA_ASKEW: "could not be broadcast"}
    typed = _own_sizes(recorded)
    got = _call("shares_of_maximum", shares_of_maximum, given, raises=raises, typed=typed)
    highest, lowest = np.max(curves, 0), np.min(curves, 0)  # (3,) each
    mistakes = {
        COMMON_MAXIMUM: curves / 160,
        MAXIMUM_PER_BLOCK: (curves.T / np.max(curves, 1)).T,
        MINIMUM_TAKEN_OFF: (curves - lowest) / (highest - lowest),
        SHARE_OF_SUM: curves / np.sum(curves, 0),
        PER_CENT: 100 * curves / highest,
    }
    mistakes |= _not_the_argument(shares_of_maximum)(got, curves / highest)
    compare("shares_of_maximum of curves made up here", got, curves / highest, mistakes)
    if not np.array_equal(given, curves):
        fail("shares_of_maximum", expected="curves left as they were", mistake=NORMALISED_IN_PLACE)
    right("Every measure reaches 1 where it is largest, and the array it came from is unchanged.")


def check_turned(information_turned) -> None:
    """The function that turns the sign of MI's tau, and nothing else.

    Parameters
    ----------
    information_turned : callable
        The answer: taus (n_blocks, 3) to taus of the same shape.
    """
    taus = np.array([[-0.6, 0.5, 0.7], [0.2, -0.1, -0.3], [-0.4, 0.3, 0.1]])
    given = taus.copy()
    got = _call("information_turned", information_turned, given)
    expected, size = np.column_stack([-taus[:, 0], taus[:, 1:]]), np.abs(taus[:, 0])
    mistakes = {
        NOT_TURNED: taus,
        ALL_TURNED: -taus,
        DISTANCES_TURNED: -expected,
        ABSOLUTE_VALUE: itself_if(got, expected, lambda a: np.allclose(a[:, 0], size)),
        ROW_FOR_COLUMN: taus * [[-1], [1], [1]],
        ONE_MINUS: itself_if(got, expected, lambda a: np.allclose(a[:, 0], 1 - taus[:, 0])),
    }
    mistakes |= _not_the_argument(information_turned)(got, expected)
    compare("information_turned of taus made up here", got, expected, mistakes)
    if not np.array_equal(given, taus):
        fail("information_turned", expected="taus left as they were", mistake=TURNED_IN_PLACE)
    right("MI's column has the other sign, the two distances keep theirs, and so do the data.")


def check_panels(draw_profiles, recorded) -> None:
    """The four panels, drawn from made-up results with and without the turned sign.

    Parameters
    ----------
    draw_profiles : callable
        The answer: what `sweep` returned, and `flip`, to a Figure.
    recorded : ndarray, shape (2, n_blocks, n_targets, width)
        The notebook's own, to recognise its number of blocks.
    """
    rng, n_blocks = np.random.default_rng(6), np.shape(recorded)[1]
    means = rng.uniform([0.5, 90, 7], [2, 200, 20], (2, n_blocks + 2, 3))
    taus = rng.uniform(-0.9, 0.9, means.shape)
    profile = _profile(means, taus)
    raises = {
        LABEL_UNSET: "variable 'label'",
        MORE_THAN_A_CURVE: "no greater than 2D",
        SIZE_TYPED: rf"have shapes \({n_blocks},\)",
    }
    plain = _panels(draw_profiles, profile, False, raises)
    turned = _panels(draw_profiles, profile, True, raises)
    shares = [(part / np.max(part, 0)).T for part in means]  # (3, n_blocks + 2) each
    slopes = [part.T for part in taus]
    for i, letter in enumerate(PANELS):
        is_tau, component = i % 2, i // 2
        expected = (slopes if is_tau else shares)[component]
        shown, other = _curves(plain[i], letter), _not_the_argument(draw_profiles)
        mistakes = _panel_mistakes(is_tau, component, means, taus) | other(shown, expected)
        compare(f"panel {letter}", shown, expected, mistakes)
        if is_tau:
            expected = expected * [[-1], [1], [1]]
            mistakes = {
                NOT_TURNED: slopes[component],
                ALL_TURNED: -slopes[component],
                ABSOLUTE_VALUE: np.abs(slopes[component]),
            }
        else:
            mistakes = {MEANS_TURNED: expected * [[-1], [1], [1]]}
        compare(f"panel {letter}, flip=True", _curves(turned[i], letter), expected, mistakes)
        _check_labels(letter, is_tau, _labels(plain[i]), _labels(turned[i]))
    right(
        "Means left, each by its own maximum, tau right as it is; attention above, MLP below; and "
        "where MI's sign is turned, the legend says so."
    )


def _check_labels(letter: str, is_tau: int, plain: list[str], turned: list[str]) -> None:
    """What the legend calls the curves without and with the turned sign, (3,) each."""
    what = f"panel {letter}, flip=False"
    for name, label in zip(MEASURES, plain, strict=True):
        if is_tau and SIGN_WORDS.search(label):
            want = "a legend without a word about the sign"
            fail(what, expected=want, got=repr(label), mistake=ALWAYS_LABELLED)
        if name not in label:
            fail(what, expected=f"{name} in the legend", got=repr(label))
    what = f"panel {letter}, flip=True"
    for before, after in zip(plain[is_tau:], turned[is_tau:], strict=True):  # MI's tau is the first
        if before != after:
            want = f"{before!r} in the legend, as before"
            fail(what, expected=want, got=repr(after), mistake=OTHERS_LABELLED)
    if is_tau and not SIGN_WORDS.search(turned[0]):
        want = "a legend that says that the sign of MI is turned"
        fail(what, expected=want, got=repr(turned[0]), mistake=FLIP_UNLABELLED)
    if "MI" not in turned[0]:
        want = "MI in the legend, too"
        fail(what, expected=want, got=repr(turned[0]), mistake=TURNED_UNNAMED)


def _own_sizes(recorded) -> set[int]:
    """Sizes of the notebook's data that one might type: blocks, targets, pairs."""
    _, n_blocks, n, _ = np.shape(recorded)
    return {n_blocks, n, n * (n - 1) // 2}


def _looks_at_notebook(function) -> bool:
    """Whether the code of a function names data of the notebook."""
    return not NOTEBOOK.isdisjoint(getattr(getattr(function, "__code__", None), "co_names", ()))


def _types_a_size(function, typed: set[int]) -> bool:
    """Whether one of these numbers is written in the code of a function."""
    constants = getattr(getattr(function, "__code__", None), "co_consts", ())
    sizes = {
        c for constant in constants for c in (constant if type(constant) is tuple else [constant])
    }
    return any(type(size) is int and size in typed for size in sizes)


def _not_the_argument(function, typed: set[int] = frozenset()) -> Callable:
    """For `compare`, after all others: the mistakes of a function that ignores what it is given."""

    def mistakes(got, expected) -> dict:
        return {
            FROM_NOTEBOOK: itself_if(got, expected, lambda _: _looks_at_notebook(function)),
            SIZE_TYPED: itself_if(got, expected, lambda _: _types_a_size(function, typed)),
        }

    return mistakes


def _call(what: str, function, *args, raises=None, typed: set[int] = frozenset(), **options):
    """As `call`; an error that a known mistake leads to gets that mistake's name.

    Parameters
    ----------
    raises : dict of Mistake to str or callable, optional
        Words in the error's text or in that of its cause, as a regular expression; or a function
        that finds out in another way whether the mistake was made.
    typed : set of int
        Sizes of the notebook's data.
    """
    try:
        return call(what, function, *args, **options)
    except CheckFailed as failure:
        error = failure.__cause__
        is_open = isinstance(error, NameError) and not isinstance(error, UnboundLocalError)
        if error is None or isinstance(error, CheckFailed) or is_open:
            raise
        text = f"{error} {error.__cause__}"
        signs = {FROM_NOTEBOOK: lambda: _looks_at_notebook(function)} | (raises or {})
        signs[NOT_CALLED] = r"(?<!argument )(?<!attribute )'(\w*function\w*|method)'"
        signs.setdefault(SIZE_TYPED, lambda: _types_a_size(function, typed))
        mistake = next(
            (
                mistake
                for mistake, sign in signs.items()
                if (sign() if callable(sign) else re.search(sign, text))
            ),
            None,
        )
        if mistake is None:
            raise
    fail(what, got=f"{type(error).__name__}: {error}", mistake=mistake)


def _is_one_of(answer: np.ndarray, *values: np.ndarray) -> bool:
    """Whether these numbers are some of the values, to within what single precision leaves."""
    return any(
        answer.shape == value.shape and np.allclose(answer, value, rtol=1e-4, atol=2e-3)
        for value in values
    )


def _refuse_order(what: str, got, expected, orders: dict[Mistake, list]) -> None:
    """Refuse the right values in an order that a mistake leads to, at the first wrong place.

    Mean and extremes, by which `compare` tells arrays, are the right ones whatever the order.
    """
    values = as_numbers(what, got)
    for mistake, wrong in orders.items():
        if _is_one_of(values, *wrong) and not _is_one_of(values, expected):
            place = np.argwhere(~np.isclose(values, expected, rtol=1e-4, atol=2e-3))[0].tolist()
            value, wanted = values[tuple(place)], expected[tuple(place)]
            compare(f"{what}, at {place}", value, wanted, {mistake: value})


def _profile(means, taus) -> np.ndarray:
    """Both statistics in one array, (2, n_blocks, 2, 3)."""
    return np.stack(np.broadcast_arrays(means, taus), axis=2)


def _columns(values) -> list[np.ndarray]:
    """Each of the three measures by itself, (2, n_blocks, 1)."""
    return np.split(values, len(MEASURES), axis=-1)


def _correlations(measures, gaps, correlate=stats.kendalltau, part="statistic") -> np.ndarray:
    """Each measure's correlation with the gaps, or its p-value, (2, n_blocks, 3)."""
    return np.apply_along_axis(lambda m: getattr(correlate(m, gaps), part), 2, measures)


def _emptied(profile, place) -> np.ndarray:
    emptied = profile.copy()
    emptied[place] = 0
    return emptied


def _panels(draw: Callable[..., Figure], profile, flip: bool, raises: dict) -> list[Axes]:
    """The four panels of the student's figure, in reading order."""
    given = profile.copy()
    what = f"draw_profiles(…, flip={flip})"
    figure = _call(what, draw, given, flip=flip, raises=raises)
    if not isinstance(figure, Figure) or len(figure.axes) != len(PANELS):
        fail(what, expected="a figure with four panels", got=repr(figure))
    if not np.array_equal(given, profile):
        mistake = TURNED_IN_PLACE if np.array_equal(abs(given), abs(profile)) else None
        fail(what, expected="a profile left as it was", mistake=mistake)
    return figure.axes


def _lines(axes: Axes) -> list:
    """The curves: a line that stands for a level, such as zero, carries no label."""
    return [line for line in axes.get_lines() if not str(line.get_label()).startswith("_")]


def _labels(axes: Axes) -> list[str]:
    return [str(line.get_label()) for line in _lines(axes)]


def _curves(axes: Axes, letter: str) -> np.ndarray:
    """Heights of the three curves, (3, n_blocks)."""
    lines = _lines(axes)
    lengths = {len(line.get_ydata(orig=False)) for line in lines}
    if len(lines) != len(MEASURES) or len(lengths) != 1:
        got = f"{len(lines)} of them" if len(lines) != len(MEASURES) else "curves of unequal length"
        fail(f"panel {letter}", expected="three curves, one for each measure", got=got)
    blocks = np.arange(lengths.pop())
    for line in lines:
        x = line.get_xdata(orig=False)  # as numbers, whatever was handed over
        if not np.array_equal(x, blocks):
            mistake = X_FROM_ONE if np.array_equal(x, blocks + 1) else None
            want = f"blocks from 0 to {blocks[-1]} on the horizontal axis"
            got = f"from {x[0]:g} to {x[-1]:g}"
            fail(f"panel {letter}", expected=want, got=got, mistake=mistake)
    return np.array([line.get_ydata(orig=False) for line in lines], dtype=float)


def _panel_mistakes(is_tau: bool, component: int, means, taus) -> dict:
    """What a panel shows when something went wrong, (3, n_blocks) each.

    Parameters
    ----------
    means, taus : ndarray, shape (2, n_blocks, 3)
    """
    shares = means / np.max(means, axis=1, keepdims=True)
    tau_shares = taus / np.max(taus, axis=1, keepdims=True)
    shown = taus if is_tau else shares
    wrong = {
        ROWS_ALIKE: shown[0].T,
        ROWS_SWAPPED: shown[1 - component].T,
        PANEL_STATISTICS: (means if is_tau else tau_shares)[component].T,
        ROW_FOR_COLUMN: shown[component, : len(MEASURES)],
    }
    if is_tau:
        return wrong | {TAU_NORMALISED: tau_shares[component].T}
    of_components = means / np.max(means, axis=0)
    return wrong | {
        NOT_NORMALISED: means[component].T,
        MAXIMUM_OF_COMPONENTS: of_components[component].T,
    }
