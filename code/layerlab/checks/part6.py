"""Checks of exercise 6: the three measures and their tau with position, block by block."""

import re
from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from layerlab.checks._core import (
    CheckFailed,
    Mistake,
    call,
    compare,
    fail,
    itself_if,
    kind_of,
    right,
)
from layerlab.sweeps import laminar_sweep, measure_pairs, position_distances, position_tau

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
DECIMAL_COUNT = Mistake(
    "a count with a decimal point",
    "A count is a whole number, of type int. `/` makes a float even where nothing remains, and so "
    "do some ready-made functions.",
)
IN_NATS = Mistake("nats for bits", "This course speaks bits. Which unit does your call answer in?")
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
MLP_EMPTY = Mistake("MLP left out", "The second component is still zero. How far does c run?")
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
NORMALISED_IN_PLACE = Mistake(
    "normalised in place",
    "The result is right, but the curves that your function was given have changed as well. `/=` "
    "writes into the array itself.",
)
ALL_TURNED = Mistake(
    "all signs turned", "L1 and L2 rise with distance already. Only one column is to be turned."
)
DISTANCES_TURNED = Mistake(
    "distances turned instead of MI", "Which of the three columns is MI? Count from 0."
)
ABSOLUTE_VALUE = Mistake(
    "absolute value for the sign",
    "Where MI's tau was above zero, it must now be below. |tau| hides on which side it was.",
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
FLIP_IGNORED = Mistake("sign not turned", "With flip=True, tau of MI looks the same as without it.")
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
    "L1 and L2 called turned",
    "Only one curve was turned, but the legend says something new of another one as well.",
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
    got = _call(what, sizes, stack, typed=_own_sizes(recorded))
    try:
        got_blocks, got_targets, got_pairs = got
    except (TypeError, ValueError):
        fail(what, expected="three numbers: blocks, targets, pairs", got=f"{got!r:.60}")
    other = _not_the_argument(sizes, _own_sizes(recorded))
    pairs = n * (n - 1) // 2
    of_blocks = {WRONG_AXIS: itself_if(got_blocks, n_blocks, shape.__contains__)}
    of_targets = {WRONG_AXIS: itself_if(got_targets, n, shape.__contains__)}
    of_pairs = {PAIRS_TWICE: 2 * pairs, WITH_ITSELF_COUNTED: pairs + n}
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
    n = len(X)
    n_half, both = n * (n + 1) // 2, ((n * n, 3), (n * n - n, 3))
    pairs = list(zip(*np.triu_indices(n, 1), strict=True))
    by_second = sorted(range(len(pairs)), key=lambda k: pairs[k][::-1])  # (0, 1), (0, 2), (1, 2)
    mistakes = {
        IN_NATS: expected * [np.log(2), 1, 1],
        L1_FOR_L2: expected[:, [0, 1, 1]],
        MEASURES_REORDERED: itself_if(got, expected, lambda a: _is_reordered(a, expected)),
        DIAGONAL_MEASURED: itself_if(got, expected, lambda a: a.shape == (n_half, 3)),
        BOTH_TRIANGLES: itself_if(got, expected, lambda a: a.shape in both),
        ONE_LONG_ROW: itself_if(got, expected, lambda a: a.shape == (expected.size,)),
        LOWER_TRIANGLE: expected[by_second],
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
    with_itself = np.concatenate([table[i, i:] for i in numbers])
    apart = position_distances(numbers)

    def is_looked_up(answer):
        return _is_one_of(answer, targets[apart], targets[-apart])

    mistakes = {
        GAP_NEGATIVE: -expected,
        GAP_IN_TARGETS: apart,
        GAP_LOOKED_UP: itself_if(gaps, expected, is_looked_up),
        GAP_ORDER: by_second,
        GAP_SORTED: np.sort(expected),
        GAP_WITH_ITSELF: with_itself,
        GAP_NEIGHBOURS: np.diff(targets),
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
    measures, and a sweep that confuses them answers.

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

    def answers(*wrong, gaps=gaps):
        try:
            return _is_one_of(np.asarray(call("sweep", sweep, stack.copy(), gaps), float), *wrong)
        except (CheckFailed, TypeError, ValueError):
            return False

    of_table = _profile(means, _taus(measures.reshape(2, 2, -1, 1), tripled))
    of_pair = _profile(means, _taus(np.swapaxes(measures, 2, 3), gaps))
    return {
        MEAN_OF_PAIR: lambda: answers(_profile(measures.mean(axis=3), taus)),
        INDICES_CROSSED: lambda: answers(expected, np.swapaxes(expected, 0, 1)),
        PAIR_FOR_MEASURE: lambda: answers(of_pair),
        TABLE_FOR_COLUMN: lambda: answers(of_table, gaps=tripled),
    }


def _sweep_mistakes(got, measures, expected, gaps, n_targets: int) -> dict:
    """What a sweep returns when something went wrong."""
    n_pairs = len(gaps)
    means, taus = expected[:, :, 0], expected[:, :, 1]  # (2, n_blocks, 3) each
    p_values = _taus(measures, gaps, statistic=1)

    def is_one_side_sorted(answer):
        sorted_measures = _taus(np.sort(measures, axis=2), gaps)
        sorted_gaps = _taus(measures, np.sort(gaps))
        return _is_one_of(answer, _profile(means, sorted_measures), _profile(means, sorted_gaps))

    def is_one_tau(answer):
        return _is_one_of(answer, *(_profile(means, taus[:, :, [m]]) for m in range(3)))

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
        STATISTICS_SWAPPED: expected[:, :, ::-1],
        ONE_MEAN: _profile(means.mean(axis=-1, keepdims=True), taus),
        MEDIAN: _profile(np.median(measures, axis=2), taus),
        ZEROS_AVERAGED: _profile(means * n_pairs / n_targets**2, taus),
        SUM_FOR_MEAN: _profile(means * n_pairs, taus),
        P_FOR_TAU: itself_if(got, expected, is_p_value),
        ONE_SIDE_SORTED: itself_if(got, expected, is_one_side_sorted),
        PEARSON: lambda: _profile(means, _pearson(measures, gaps)),
        ONE_TAU: itself_if(got, expected, is_one_tau),
    }


def check_normalised(shares_of_maximum) -> None:
    """The function that divides each measure's curve by its own maximum.

    Parameters
    ----------
    shares_of_maximum : callable
        The answer: curves (n_blocks, 3) to curves of the same shape, each at most 1.
    """
    curves = np.array([[1.5, 40.0, 3.0], [0.5, 160.0, 12.0], [2.0, 100.0, 8.0], [1.0, 80.0, 6.0]])
    given = curves.copy()
    raises = {MAXIMA_ASKEW: "could not be broadcast"}
    got = _call("shares_of_maximum", shares_of_maximum, given, raises=raises)
    highest, lowest = np.max(curves, 0), np.min(curves, 0)  # (3,) each
    mistakes = {
        COMMON_MAXIMUM: curves / 160,
        MAXIMUM_PER_BLOCK: (curves.T / np.max(curves, 1)).T,
        MINIMUM_TAKEN_OFF: (curves - lowest) / (highest - lowest),
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
    raises = {LABEL_UNSET: "variable 'label'", SIZE_TYPED: rf"have shapes \({n_blocks},\)"}
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
                FLIP_IGNORED: slopes[component],
                ALL_TURNED: -slopes[component],
                ABSOLUTE_VALUE: np.abs(slopes[component]),
            }
        else:
            mistakes = {MEANS_TURNED: expected * [[-1], [1], [1]]}
        compare(f"panel {letter}, flip=True", _curves(turned[i], letter), expected, mistakes)
        if is_tau:
            _check_labels(letter, _labels(plain[i]), _labels(turned[i]))
    right(
        "Means left, each by its own maximum, tau right as it is; attention above, MLP below; and "
        "where MI's sign is turned, the legend says so."
    )


def _check_labels(letter: str, plain: list[str], turned: list[str]) -> None:
    """What the legend calls the curves of tau, without and with the turned sign."""
    what = f"panel {letter}, flip=False"
    for name, label in zip(MEASURES, plain, strict=True):
        if SIGN_WORDS.search(label):
            want = "a legend without a word about the sign"
            fail(what, expected=want, got=repr(label), mistake=ALWAYS_LABELLED)
        if name not in label:
            fail(what, expected=f"{name} in the legend", got=repr(label))
    what = f"panel {letter}, flip=True"
    for before, after in zip(plain[1:], turned[1:], strict=True):
        if before != after:
            want = f"{before!r} in the legend, as before"
            fail(what, expected=want, got=repr(after), mistake=OTHERS_LABELLED)
    if not SIGN_WORDS.search(turned[0]):
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


def _profile(means, taus) -> np.ndarray:
    """Both statistics in one array, (2, n_blocks, 2, 3)."""
    return np.stack(np.broadcast_arrays(means, taus), axis=2)


def _taus(measures, gaps, statistic: int = 0) -> np.ndarray:
    """Tau (0) or its p-value (1) in every block, (2, n_blocks, 3)."""
    return np.array([[position_tau(m, gaps)[:, statistic] for m in part] for part in measures])


def _pearson(measures, gaps) -> np.ndarray:
    """Pearson's r in every block, (2, n_blocks, 3)."""
    return np.array(
        [[[stats.pearsonr(m, gaps).statistic for m in block.T] for block in p] for p in measures]
    )


def _emptied(profile, place) -> np.ndarray:
    emptied = profile.copy()
    emptied[place] = 0
    return emptied


def _is_reordered(answer, expected) -> bool:
    """Whether the columns are those expected, but for their order."""
    by_size = np.argsort(np.sum(answer, 0))
    wanted = np.argsort(np.sum(expected, 0))
    return np.allclose(answer[:, by_size], expected[:, wanted], 1e-4, 2e-3)


def _panels(draw: Callable[..., Figure], profile, flip: bool, raises: dict) -> list[Axes]:
    """The four panels of the student's figure, in reading order."""
    given = profile.copy()
    what = f"draw_profiles(…, flip={flip})"
    figure = _call(what, draw, given, flip=flip, raises=raises)
    if not isinstance(figure, Figure) or len(figure.axes) != len(PANELS):
        fail(what, expected="a figure with four panels", got=repr(figure))
    if not np.array_equal(given, profile):
        fail(what, expected="a profile left as it was", mistake=TURNED_IN_PLACE)
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
    return wrong | {NOT_NORMALISED: means[component].T}
