"""Checks of exercise 5: Kendall's tau with position, seven panels, and a fairer p-value."""

import re
import warnings
from collections.abc import Callable
from copy import copy
from functools import cache, partial

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
    first_seen,
    itself_if,
    kind_of,
    refuse_overwritten,
    right,
)
from layerlab.sweeps import position_distances, to_upper

FIXED_SIZE = Mistake(
    "size not taken from the argument",
    "The check hands your function more or less than the notebook would. Inside it, only its "
    "arguments can say how much there is: no number that fits your data, and no name from other "
    "cells.",
)
IGNORED = Mistake(
    "an argument ignored",
    "One of the arguments makes no difference here. Look for a name that belongs to another cell, "
    "or a number that fits the notebook's own data alone.",
)
BRACKETS = Mistake(
    "brackets missing",
    "Python divides before it adds or subtracts. What is to be divided as a whole, and what it is "
    "to be divided by, each need brackets.",
)
ROUNDED_DOWN = Mistake(
    "rounded down",
    "Your results are whole numbers, and a share seldom is one. Python has two signs for division, "
    "and the one of two strokes rounds down.",
)
ONE_EACH = Mistake(
    "a number for each entry",
    "You have as many numbers as the array that came in. Asked was one number for all of them.",
)
SIGN_LOST = Mistake(
    "sign lost",
    "Your tau is never below zero. It should be for two lists of which one mostly falls where the "
    "other rises.",
)
RISES_ONLY = Mistake(
    "only one direction counted",
    "Two entries agree also if the second is smaller than the first in both lists.",
)
ONE_LIST = Mistake(
    "only one of the lists looked at",
    "Your tau is the same whatever the other list holds. Each list has an order of its own.",
)
EVERYTHING_AGREES = Mistake(
    "every difference counted as agreement",
    "Your tau is 1 for any two lists. Whether two signs are the same is the question.",
)
LISTS_COMPARED = Mistake(
    "one list compared with the other",
    "The numbers of the two lists may be of different kinds, such as bits and tokens. Compare "
    "within each list, and then the answers.",
)
CHAINED = Mistake(
    "comparisons read as a chain",
    "Without brackets Python joins them by `and`, as in 1 < 2 < 3, and asks also whether the two "
    "in the middle are equal. Give each of your two comparisons brackets.",
)
BITS_JOINED = Mistake(
    "`&`, `|` or `^` between numbers",
    "Python works these out before `<`, `>` and `==`, so here they met numbers that are no answers "
    "to a comparison. What is to be worked out first needs brackets.",
)
TURNED = Mistake(
    "agreement and disagreement swapped",
    "Two lists in the same order must get +1, and yours get -1.",
)
SHARE_OF_AGREEMENT = Mistake(
    "share of agreement",
    "A list against itself gives 1 as it should, but unrelated lists give about 0.5. What should "
    "they give?",
)
NOT_DIVIDED = Mistake(
    "not divided", "That is a number of comparisons. Tau is a share, between -1 and 1."
)
BY_ENTRIES = Mistake(
    "divided by the number of entries", "Divide by how often you compared, not by how long x is."
)
HALVED = Mistake(
    "half of tau",
    "Your tau is half of what it should be. How often do your loops compare two entries?",
)
DIAGONAL_TAKEN = Mistake(
    "diagonal taken along",
    "Each target pairs with itself in your list. On which diagonal must the triangle begin?",
)
LOWER_TRIANGLE = Mistake(
    "the empty triangle", "Your cells lie below the diagonal, where nothing was ever stored."
)
BOTH_HALVES = Mistake(
    "both halves of the table",
    "You took the cells on both sides of the diagonal. Each pair should come once.",
)
CROSSED = Mistake(
    "rows and columns crossed",
    "You have a square of numbers: all chosen rows with all chosen columns. Both lists of indices "
    "belong into one pair of brackets.",
)
ROWS_TWICE = Mistake(
    "rows chosen twice",
    "You have whole rows. The second bracket looks only at what the first one left, and chooses "
    "rows again.",
)
PLACES_TAKEN = Mistake(
    "places instead of distances",
    "These numbers say where one target of each pair stands. Distances are in another table.",
)
INDICES_TAKEN = Mistake(
    "places in the table for places in the text",
    "You have by how many targets two of them are apart, and not by how many tokens.",
)
BELOW_ZERO = Mistake(
    "distances below zero",
    "A distance is a number of tokens. Which of the two targets stands later in the text?",
)
NEIGHBOURS_ONLY = Mistake(
    "only neighbouring targets", "Each target pairs with all later ones, not only with the next."
)
NEIGHBOURS_LEFT_OUT = Mistake(
    "neighbouring targets left out",
    "Targets 0 and 1 are a pair, too. On which diagonal must the triangle begin?",
)
LAST_LEFT_OUT = Mistake(
    "last target left out",
    "The last target stands in none of your pairs. How many targets does the table have?",
)
TOKENS_FOR_INDICES = Mistake(
    "places in the text for places in the table",
    "Your numbers count the tokens of the text. Rows and columns count the targets, from 0.",
)
ZEROS_RANKED = Mistake(
    "tau of the whole table",
    "The empty cells are 0 in both tables. They agree with each other's places whatever you "
    "measure, and pull every tau upwards.",
)
BY_VALUE = Mistake(
    "pairs chosen by value",
    "Your answer is right only while no pair measures 0. A pair is a pair whatever was measured: "
    "choose by place.",
)
OTHER_PAIRS = Mistake(
    "tau of different pairs",
    "Entry k of one list and entry k of the other belong to different pairs of targets. Take both "
    "lists out of their tables in the same way.",
)
SORTED = Mistake(
    "numbers sorted",
    "Sorting tears the pairs apart: what stands at place k of one list no longer belongs to place "
    "k of the other. Leave all in the order of the pairs.",
)
DIFFERENT_LENGTHS = Mistake(
    "lists of different lengths",
    "Entry k of one list has to belong to entry k of the other, and here one list has more "
    "entries. Look at the shape of each.",
)
TIES_OTHERWISE = Mistake(
    "ties counted in another way",
    "`gap_list` holds some numbers more than once. The function of step 1 is made for lists in "
    "which no number comes twice.",
)
PEARSON = Mistake(
    "Pearson's r for Kendall's tau",
    "That is the correlation which fits a straight line. Here only the order should count.",
)
SPEARMAN = Mistake(
    "Spearman's rho for Kendall's tau",
    "That one does look at ranks, but correlates them. Tau counts comparisons that agree.",
)
P_FOR_TAU = Mistake(
    "p-value for tau",
    "The p-value stands where tau should. Of these two numbers, which one comes first?",
)
TAU_TWICE = Mistake("tau for the p-value", "A p-value is no correlation, and never below 0.")
TAU_ALONE = Mistake(
    "tau without a p-value",
    "What you called gave a single number. Which function of `stats` gives two, in one object?",
)
DIAGONAL_SHOWN = Mistake(
    "diagonal shown", "The diagonal still reads 0, as if a target had been measured with itself."
)
PAIRS_HIDDEN = Mistake(
    "measurements hidden", "There are pairs above the diagonal of which nothing is to be seen."
)
ZERO_HIDDEN = Mistake(
    "a measured zero hidden",
    "You hid cells by their value. A pair may share no information, and that 0 is a result: "
    "choose by place.",
)
NOTHING_HIDDEN = Mistake(
    "numbers where nothing was measured",
    "Below the diagonal nothing was measured, and a colour there would say that something was.",
)
WRITTEN_INTO = Mistake(
    "data overwritten",
    "What your function was given is no longer what it was, and whatever uses it next meets what "
    "you left there. Make a new array, or work on a copy.",
)
NAN_IN_INTEGERS = Mistake(
    "NaN in whole numbers",
    "Distance in tokens is a table of integers, and those know no NaN. Which type does?",
)
NO_NUMBERS = Mistake(
    "no array of numbers",
    "Asked was a NumPy array whose dtype is one of numbers. Lists, and arrays of dtype `object`, "
    "may hold anything.",
)
THREE_AT_ONCE = Mistake(
    "three tables at once",
    "A heat map shows one table, and your function of step 4 takes one, of rows and columns. You "
    "handed over all three.",
)
UPSIDE_DOWN = Mistake(
    "first row at the bottom",
    "Row 0 of your panel lies at its lower edge. A printed table begins at the top.",
)
MIRRORED = Mistake(
    "first column on the right",
    "Column 0 of your panel lies at its right edge. A printed table begins at the left.",
)
NOT_LINEAR = Mistake(
    "colours not in proportion",
    "Equal differences do not get equal steps of colour. Which `norm` does it take?",
)
COLOURS_WASTED = Mistake(
    "different values in one colour",
    "Compare the ends of the colours, `vmin` and `vmax`, with the smallest and the largest value "
    "that this panel shows.",
)
TRANSPOSED = Mistake(
    "heat map transposed",
    "Rows and columns are swapped. An image shows the first index downwards.",
)
OTHER_MEASURE = Mistake(
    "another measure than the title says",
    "These numbers belong into another panel. Look at the name and the index that they come from.",
)
LIMIT_IS_MAXIMUM = Mistake(
    "80 % forgotten", "The colours end at the largest distance. Where were they to end?"
)
LIMIT_BY_COUNT = Mistake(
    "a percentile for a part of the largest",
    "80 of 100 numbers lie below your limit. Asked was a part of the largest number, however many "
    "lie below it.",
)
LIMIT_NOT_OF_DATA = Mistake(
    "limit in percent", "The limit is a number of tokens: a part of the largest distance."
)
NO_RANGE = Mistake(
    "colours without a range",
    "Matplotlib could make nothing of the end of your colours: it is 0, or no finite number. Print "
    "it. (The maximum of numbers among which there is a NaN is NaN.)",
)
ZEROS_SCATTERED = Mistake(
    "empty cells among the dots",
    "Your panel has a dot for each cell of the table, and most of them lie at (0, 0).",
)
AXES_SWAPPED = Mistake(
    "axes swapped", "Distance belongs on the horizontal axis, as the label under it says."
)
OTHER_TAU = Mistake(
    "tau of another measure", "The title's numbers belong to a panel beside it. Look at the index."
)
TAUS_CROSSED = Mistake(
    "a column of taus for a row",
    "A row of `taus` holds the tau and p of one measure. A column holds one number of each of the "
    "three.",
)
TAU_ANEW = Mistake(
    "tau computed again",
    "The title's numbers come from the tables. Your function is handed tau and p ready, in an "
    "argument of their own.",
)
ONE_SIDE_ONLY = Mistake(
    "only one side renamed",
    "A target that gets a new name gets it as a row and as a column. You dealt out one of them.",
)
FANCY_DIAGONAL = Mistake(
    "one cell a target",
    "With the same list twice in one pair of brackets NumPy takes one cell for each entry: the "
    "diagonal. Rename rows first, then columns.",
)
NAN_TAKEN_ALONG = Mistake(
    "NaN among the pairs",
    "The table that comes in has no NaN, and yours has. NaN and a number make NaN.",
)
ONE_HALF_LEFT = Mistake(
    "only one half renamed",
    "Both halves of the table hold the pairs, so that every pair is found from either side. Fill "
    "both before you rename, and keep both.",
)
HALF_EMPTY = Mistake(
    "empty cells dealt into the pairs",
    "Under its new name a pair may come to lie in the half of your table that is empty. Fill that "
    "half before you rename.",
)
NUMBERS_HALVED = Mistake(
    "numbers halved",
    "Every pair came out with half of its number. What is the mean of a number and an empty cell?",
)
PAIRS_DEALT = Mistake(
    "single pairs dealt out",
    "You put the cells in any order. The nine pairs of a target must stay together.",
)
NAMES_KEPT = Mistake(
    "nothing renamed", "The table comes out as it went in. Where is the order used?"
)
BACKWARDS = Mistake(
    "order read backwards",
    "Your target k gets the name that stands at place k of `order`. That would be just as random, "
    "but asked was the other direction: look at the example with target 7.",
)
OTHER_ORDER = Mistake(
    "another order than the given one",
    "Rows and columns moved together, as they should. Did they follow `order`?",
)
ONE_SIDED = Mistake(
    "only one direction of surprise",
    "A tau as far from zero on the other side would have surprised you just as much.",
)
SIGN_KEPT = Mistake(
    "sizes compared with a tau that has a sign",
    "If the observed tau lies below zero, all shuffles count as reaching it.",
)
TAIL_DOUBLED = Mistake(
    "one side doubled",
    "You counted on one side and took it twice. The shuffles need not lie alike on both sides.",
)
BOTH_SIDES_DOUBLED = Mistake(
    "two sides doubled", "Your count holds both sides already. Once is enough."
)
TIES_LEFT_OUT = Mistake(
    "equally far not counted", "A shuffle that reaches exactly our tau is as far away as ours."
)
ALL_REACH = Mistake(
    "as if all shuffles reached it",
    "Your p is the same whatever the taus are. The length of an array of True and False is that of "
    "both together.",
)
LESS_FAR = Mistake(
    "the unsurprising ones counted", "You counted the shuffles that do not get as far as ours."
)
OWN_LEFT_OUT = Mistake(
    "own order left out",
    "The order that we found is one of the possible orders. Without it, p could be exactly 0. It "
    "counts above the line and below.",
)
OWN_IN_ONE_PLACE = Mistake(
    "own order on one side of the line only",
    "Our own order is one of all that are counted, and one of those that reach our tau. You let it "
    "count in one of these two places.",
)
ABOVE_ONE = Mistake("p above 1", "A p-value is a share of all orders, and never above 1.")

MEASURES = ("MI", "L1", "L2")
LIMIT = 0.8  # of the largest distance, where the colours of panel D end
SPREAD = 0.5  # of the colours that the values of a panel have to use, at least
N_TARGETS = 10  # in the notebook

# Inputs of steps 1 and 7 for which no two mistakes lead to the same answers (a test holds this):
# two couples of lists without ties, and shuffled taus with an observed one. The lists share
# numbers, 0 and 1 among them, so that each chain of comparisons is true somewhere.
LISTS = (
    np.array([[4, 1, 5, 2, 0, 3], [6, 4, 3, 1, 0, 2]], dtype=float),
    np.array([[0, 4, 2, 5, 1, 7, 8, 6, 9], [2, 4, 9, 7, 5, 0, 1, 6, 3]], dtype=float),
)
DEALS = (
    (np.array([-12, 11, 5, -5, -14, 7, -5, 12, -5, 5, -10, 2]) / 20, 0.35),
    (np.array([-14, 9, -13, 7, 9, -1, 10, 2, 12, 8, 13, -14, -16, 5, 7]) / 20, -0.6),
    (
        np.array([8, 10, -3, 11, 0, -11, -9, 10, 5, 12, 16, 9, -7, 2, -1, -8, 13, 16, 2, -10]) / 20,
        0.5,
    ),
    (np.array([12, -9, 8, 14, -11]) / 20, -0.3),  # all reach it
)


def check_counting(tau_by_counting) -> None:
    """Kendall's tau by comparing all entries two by two.

    Parameters
    ----------
    tau_by_counting : callable
        The answer: two lists without ties to tau.
    """
    what = "tau_by_counting (tried on lists of 6 and of 9 entries)"
    try:
        got = _numbers(what, tau_by_counting, LISTS)
    except CheckFailed as failure:
        _raise(failure, what, "a number", {BITS_JOINED: "bitwise_" in str(failure.__cause__)})
    expected = np.array([stats.kendalltau(x, y).statistic for x, y in LISTS])
    n = np.array([len(x) * (len(x) - 1) / 2 for x, _ in LISTS])  # comparisons
    net = expected * n  # agreements less disagreements
    is_fixed = itself_if(
        got, expected, lambda a: _are_in_proportion(a, net) or _are_in_proportion(a + 1, net + n)
    )
    mistakes = _explained(got, expected, wrong_taus, LISTS) | {FIXED_SIZE: is_fixed}
    compare(what, got, expected, mistakes)
    right(
        f"{n[0]:.0f} and {n[1]:.0f} comparisons, tau = {expected[0]:.3f} and {expected[1]:.3f}: "
        "as SciPy counts, too."
    )


def wrong_taus(x, y) -> dict[Mistake, list[float]]:
    """The values that the mistakes of step 1 lead to.

    Parameters
    ----------
    x, y : ndarray, shape (n,)

    Returns
    -------
    dict of list of float
        A mistake may be made in several ways.
    """
    a, b = np.tril_indices(len(x), -1)  # a > b
    both_ways = ((a, b), (b, a))
    n = len(a)
    net = n * stats.kendalltau(x, y).statistic  # agreements less disagreements
    agree, differ = (n + net) / 2, (n - net) / 2
    rises = [(x[i] > x[j]) & (y[i] > y[j]) for i, j in both_ways]
    single = [some[i] > some[j] for some in (x, y) for i, j in both_ways]
    chains = []
    for asks in (np.greater, np.less):
        for i, j in both_ways:
            first, second = asks(x[i], x[j]), asks(y[i], y[j])
            middle, half, other_half = x[j] == y[i], first == y[i], x[j] == second
            chains += [first & middle & second, half & second, first & other_half]
    crossed = [x[i] > y[j] for i in (a, b) for j in (a, b)]
    crossed += [crossed[0] == crossed[3], crossed[1] == crossed[2]]
    crossed += [(x[a] - y[i]) * (x[b] - y[j]) > 0 for i, j in both_ways]
    crossed += [
        asks(x[a], y[i]) & asks(x[b], y[j]) for asks in (np.greater, np.less) for i, j in both_ways
    ]
    between = [2 * np.mean(cross) - 1 for cross in crossed]
    return {
        RISES_ONLY: [2 * rise.mean() - 1 for rise in rises],
        ONE_LIST: [2 * rise.mean() - 1 for rise in single],
        CHAINED: [2 * chain.mean() - 1 for chain in chains],
        TURNED: [-net / n],
        SIGN_LOST: [abs(net) / n, max(net, 0) / n],
        SHARE_OF_AGREEMENT: [agree / n],
        NOT_DIVIDED: [net, agree, 2 * agree - 1],
        BY_ENTRIES: [net / len(x)],
        ROUNDED_DOWN: [net // n],
        HALVED: [net / n / 2],
        BRACKETS: [agree - differ / n, net / agree + differ, agree - differ / agree + differ],
        EVERYTHING_AGREES: [1.0],
        SPEARMAN: [stats.spearmanr(x, y).statistic],
        LISTS_COMPARED: between + [-tau for tau in between],
    }


def check_lists(rows, columns, gap_list, places) -> None:
    """The cells of the pairs i < j, and the distances in them.

    Parameters
    ----------
    rows, columns, gap_list : array_like
        The answers; the order of the pairs is free.
    places : ndarray of int, shape (n_targets,)
    """
    n = len(places)
    chosen = _cells("rows, columns", rows, columns)
    i, j = chosen.T
    wanted = {(a, b) for a in range(n) for b in range(a + 1, n)}
    got = set(map(tuple, chosen.tolist()))
    if got != wanted or len(chosen) != len(wanted):
        in_order = np.sort(sorted(wanted), axis=0)
        signs = {
            TOKENS_FOR_INDICES: np.any(chosen >= n) and np.isin(chosen, places).all(),
            BOTH_HALVES: got >= wanted | {(b, a) for a, b in wanted},
            DIAGONAL_TAKEN: got >= {(a, a) for a in range(n)},
            LOWER_TRIANGLE: np.all(i > j),
            NEIGHBOURS_ONLY: len(chosen) == n - 1 and np.all(j - i == 1),
            NEIGHBOURS_LEFT_OUT: got == {(a, b) for a, b in wanted if b - a > 1},
            SORTED: np.array_equal(chosen, in_order),
            LAST_LEFT_OUT: np.isin(chosen, range(n - 1)).all(),
        }
        less, more = sorted(wanted - got), sorted(got - wanted)
        where = f"among them {more[0]}" if more else f"without {less[0]}" if less else "some twice"
        fail(
            "rows, columns",
            expected=f"{len(wanted)} cells above the diagonal, each once",
            got=f"{len(chosen)} cells, {where}",
            mistake=first_seen(signs),
        )
    table = to_upper(position_distances(places))
    expected = table[i, j]
    is_all = partial(np.array_equal, np.sort(table, axis=None))
    mistakes = {
        CROSSED: table[i][:, j],
        BOTH_HALVES: itself_if(gap_list, expected, lambda a: is_all(np.sort(a, axis=None))),
        LOWER_TRIANGLE: table[j, i],
        ROWS_TWICE: lambda: table[i][j],
        PLACES_TAKEN: _one_of(gap_list, expected, [places[i], places[j]]),
        INDICES_TAKEN: j - i,
        BELOW_ZERO: -expected,
        SORTED: np.sort(expected),
    }
    compare("gap_list", gap_list, expected, mistakes)
    right(
        f"{len(expected)} pairs and their distances, from {expected.min()} tokens to the longest."
    )


def check_tau(tau_with_gap, places) -> None:
    """The function that correlates a table of a measure with position.

    Parameters
    ----------
    tau_with_gap : callable
        The answer: a table (n, n) to tau and its p-value.
    places : ndarray of int, shape (n_targets,)
    """
    gaps = position_distances(places)
    rng = np.random.default_rng(8)
    values = 9 - np.sqrt(gaps) / 8 + rng.exponential(3, len(gaps))  # tau below zero
    with_zero = np.where(np.arange(len(gaps)) == 3, 0, values)
    # Who chooses cells by their value is right until a pair measures 0.
    judge = partial(_judge_tau, tau_with_gap, gaps)
    what = "tau_with_gap, of a table in which one pair measures 0"
    _judge_harder(what, judge, with_zero, values, BY_VALUE)
    right(
        f"Tau of the {len(gaps)} pairs, each measure beside the distance of its own pair, and the "
        "p-value that goes with it."
    )


def _judge_tau(tau_with_gap, gaps, values) -> None:
    """Judge tau and p of a table whose pairs have these values."""
    table, wide = to_upper(values), to_upper(gaps)
    two = "two numbers, tau and p"
    try:
        got = call("tau_with_gap", tau_with_gap, table.copy())
    except CheckFailed as failure:
        error = str(failure.__cause__)
        signs = {
            DIFFERENT_LENGTHS: "broadcast" in error,
            TAU_ALONE: re.search(r"float\w*' object (has no attribute|is not subscript)", error),
        }
        _raise(failure, "tau_with_gap", two, signs)
    try:
        tau, p = got
    except (TypeError, ValueError):
        fail("tau_with_gap", expected=two, got=f"{got!r:.60}")
    right_tau, right_p = stats.kendalltau(values, gaps)
    by_lower = table.T[np.tril_indices(len(table), -1)]
    i, j = np.triu_indices_from(table, 1)
    with_diagonal = np.triu_indices(len(table))
    n_compared = len(gaps) * (len(gaps) - 1) / 2
    tied = sum(k * (k - 1) // 2 for k in np.unique(gaps, return_counts=True)[1])
    net = right_tau * np.sqrt(n_compared * (n_compared - tied))  # SciPy's own rule undone
    by_hand = [(net + more) / n_compared for more in range(-tied, tied + 1)]
    by_hand += [net / (n_compared - tied)]
    mixed = [(by_lower, gaps), (values, gaps[::-1])]
    sorts = [(np.sort(values), gaps), (values, np.sort(gaps)), (np.sort(values), np.sort(gaps))]

    def tau_of(x, y):
        return stats.kendalltau(x, y).statistic

    other = to_upper(np.random.default_rng(10).normal(size=len(gaps)))

    def is_positive_always(tau):
        return np.allclose([tau, _tried(tau_with_gap, -table)[0]], -right_tau)

    mistakes = {
        ZEROS_RANKED: tau_of(table, wide),
        DIAGONAL_TAKEN: tau_of(table[with_diagonal], wide[with_diagonal]),
        SIGN_LOST: itself_if(tau, right_tau, is_positive_always),
        TURNED: -right_tau,
        P_FOR_TAU: right_p,
        TIES_OTHERWISE: _one_of(tau, right_tau, by_hand),
        PEARSON: stats.pearsonr(values, gaps).statistic,
        SPEARMAN: stats.spearmanr(values, gaps).statistic,
        OTHER_PAIRS: _one_of(tau, right_tau, [tau_of(*lists) for lists in mixed]),
        SORTED: _one_of(tau, right_tau, [tau_of(*lists) for lists in sorts]),
        LOWER_TRIANGLE: np.nan,
        INDICES_TAKEN: tau_of(values, j - i),
        IGNORED: itself_if(tau, right_tau, lambda t: np.isclose(t, _tried(tau_with_gap, other)[0])),
    }
    compare("tau", tau, right_tau, mistakes, rtol=1e-6)
    one_sided = _one_of(p, right_p, [right_p / 2, 1 - right_p / 2])
    mistakes = {TAU_TWICE: right_tau, ONE_SIDED: one_sided}
    compare("p", p, right_p, mistakes, rtol=1e-4, atol=1e-12)


def check_hidden(hide_unmeasured) -> None:
    """The function that hides what was not measured.

    Parameters
    ----------
    hide_unmeasured : callable
        The answer: a table (n, n) to one with NaN on and below the diagonal, or masked there.
    """
    judge = partial(_judge_hidden, hide_unmeasured)
    _judge_harder("hide_unmeasured, of a table of 4 targets", judge, 4, N_TARGETS, FIXED_SIZE)
    right("Only what was measured is left to see, a true 0 included, and the data are unchanged.")


def _judge_hidden(hide_unmeasured, n: int) -> None:
    """Judge what is hidden of a table of n targets, and of one of whole numbers."""
    pairs = np.arange(n * (n - 1) // 2)
    table = to_upper(np.where(pairs == 1, 0, pairs + 1.5))  # one pair has a true 0
    handed = table.copy()
    got = _table("hide_unmeasured", call("hide_unmeasured", hide_unmeasured, handed))
    if got.shape != table.shape:
        compare("hide_unmeasured", got, table)
    above = np.triu(np.ones(table.shape, dtype=bool), 1)
    shown, expected = got[above], table[above]
    mistakes = {
        ZERO_HIDDEN: np.where(expected == 0, np.nan, expected),
        PAIRS_HIDDEN: itself_if(shown, expected, lambda a: np.isnan(a).any()),
    }
    compare("hide_unmeasured, above the diagonal", shown, expected, mistakes)
    left = np.where(above, np.nan, got)
    if not np.isnan(left).all():
        signs = {
            DIAGONAL_SHOWN: np.array_equal(left, np.where(np.eye(n), 0, np.nan), equal_nan=True),
            NOTHING_HIDDEN: not np.isinf(left).any(),  # Matplotlib leaves infinity empty, too
        }
        fail(
            "hide_unmeasured, on the diagonal and below",
            expected="NaN, or masked",
            got=f"{left[~np.isnan(left)][0]:g} in one cell or more",
            mistake=first_seen(signs),
        )
    refuse_overwritten("hide_unmeasured", handed, table, WRITTEN_INTO)
    whole = to_upper(pairs + 1)
    what = "hide_unmeasured, of a table of whole numbers"
    try:
        got = _table(what, call(what, hide_unmeasured, whole.copy()))
    except CheckFailed as error:
        if "NaN" in str(error):
            fail(what, got="an error, integers cannot hold NaN", mistake=NAN_IN_INTEGERS)
        raise
    expected = np.where(above, whole, np.nan)
    is_flooded = np.shape(got) == whole.shape and np.any(np.abs(got[~above]) > 0)
    compare(what, got, expected, {NAN_IN_INTEGERS: got if is_flooded else expected})


def check_panels(draw_positions, places) -> None:
    """The figure: four heat maps, three scatter plots.

    Parameters
    ----------
    draw_positions : callable
        The answer: tables (3, n, n), gaps (n, n) and taus (3, 2) to a figure.
    places : ndarray of int, shape (n_targets,)
    """
    n_pairs = len(places) * (len(places) - 1) // 2
    for seed in (4, 9):  # no number that was typed fits both
        rng = np.random.default_rng(seed)
        # Other distances than the notebook's, of as many targets: its rows and columns fit, too.
        gap_list = position_distances(np.cumsum(rng.integers(5, 99, len(places))))
        numbers = rng.uniform([1, 20, 3], [3, 90, 9], (n_pairs, 3))
        with_zero = np.where(np.arange(n_pairs)[:, None] == 3, 0, numbers)
        judge = partial(_judge_panels, draw_positions, places, gap_list)
        what = "draw_positions, of tables in which one pair measures 0"
        _judge_harder(what, judge, with_zero, numbers, BY_VALUE)
    right(
        "A to C show the measures and D the tokens, its colours ending at 80 %; E to G have one "
        f"dot for each of {n_pairs} pairs, with the tau and p of their own measure."
    )


def _judge_panels(draw_positions, places, gap_list, numbers) -> None:
    """Judge the figure of distances (n_pairs,) and of measures (n_pairs, 3)."""
    gaps = to_upper(gap_list)
    tables = np.moveaxis(to_upper(numbers), -1, 0)  # (3, n, n)
    taus = np.array([[-0.61, 0.13], [0.42, 0.27], [0.23, 0.34]])

    def draw(tables, gaps, taus):
        return draw_positions(tables.copy(), gaps.copy(), taus.copy())

    @cache
    def redrawn():
        """Panels of other data, in which nothing but what ignores the arguments is the same."""
        others = to_upper(np.random.default_rng(10).normal(size=(len(gap_list), 4)))
        figure = _tried(draw, np.moveaxis(others[..., :3], -1, 0), others[..., 3], taus)
        return _panels(figure)

    hide = getattr(draw_positions, "__globals__", {}).get("hide_unmeasured")
    hidden_at_once = _tried(lambda: _table("hide_unmeasured", hide(tables.copy())))
    try:
        figure = call("draw_positions", draw_positions, tables.copy(), gaps.copy(), taus.copy())
    except CheckFailed as failure:
        error = str(failure.__cause__)
        titles = _tried(lambda: _panels(draw(tables, gaps, taus.T)))
        is_titled = isinstance(titles, dict) and all(map(_says, map(titles.get, "EFG"), taus))
        signs = {
            THREE_AT_ONCE: f"Invalid shape {tables.shape}" in error
            or (isinstance(hidden_at_once, str) and hidden_at_once == error),
            TAUS_CROSSED: is_titled,
            DIFFERENT_LENGTHS: "same size" in error,
        }
        _raise(failure, "draw_positions", "a figure", signs)
    panels = _panels(figure)
    for m, letter in enumerate("ABC"):
        others = [table for k, table in enumerate([*tables, gaps]) if k != m]
        at_once = hidden_at_once[m : m + 1] if np.shape(hidden_at_once) == tables.shape else []
        wrong = {OTHER_MEASURE: others, THREE_AT_ONCE: at_once}
        _compare_map(letter, panels[letter], tables[m], wrong, redrawn)
        _check_colours(letter, panels[letter], numbers[:, m])
    _compare_map("D", panels["D"], gaps, {OTHER_MEASURE: tables}, redrawn)
    _check_limit(panels["D"], gaps, redrawn)
    for m, letter in enumerate("EFG"):
        _compare_dots(letter, panels[letter], gaps, numbers, m, redrawn)
    apart = (gap_list, position_distances(places))  # `tau_with_gap` knows the notebook's distances
    anew = [stats.kendalltau(column, distances) for column in numbers.T for distances in apart]
    for m, letter in enumerate("EFG"):
        _check_title(letter, panels[letter], taus, m, anew)


def check_renamed(deal_names) -> None:
    """The function that gives the targets of a table other names.

    Parameters
    ----------
    deal_names : callable
        The answer: an upper table (n, n) and an order (n,) to a renamed table.
    """
    for seed in (1006, 1096):  # no order but the given one fits both; of 5, all get new names
        judge = partial(_judge_renamed, deal_names, seed)
        _judge_harder("deal_names, of a table of 5 targets", judge, 5, N_TARGETS, FIXED_SIZE)
    right("Every target got one new name, as a row and as a column, so its pairs stay its pairs.")


def _judge_renamed(deal_names, seed: int, n: int) -> None:
    """Judge new names for the n targets of a table."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    values = rng.permutation(n * (n - 1) // 2) + 1.5
    table, other = to_upper(values), to_upper(values[::-1])
    handed = table.copy()
    got = _table("deal_names", call("deal_names", deal_names, handed, order.copy()))
    upper = np.triu_indices(n, 1)
    halves = (table, table.T)
    both = np.maximum(*halves)
    renamed = both[order][:, order]
    dealt_halves = [half[order][:, order][upper] for half in halves]
    backwards = both[np.argsort(order)][:, np.argsort(order)]
    if np.shape(got) != table.shape:
        mistake = FANCY_DIAGONAL if np.array_equal(got, both[order, order]) else None
        expected = f"a table of the shape {table.shape}"
        fail("deal_names", expected=expected, got=f"the shape {np.shape(got)}", mistake=mistake)
    expected = renamed[upper]
    one_side = [both[order], both[:, order], table[order], table[:, order]]
    one_side += [some + some.T for some in one_side] + [both[:, order][:, order]]

    def is_unchanged(numbers):
        return np.allclose(numbers, _tried(deal_names, other.copy(), order.copy())[upper])

    mistakes = {
        NAN_TAKEN_ALONG: itself_if(got[upper], expected, lambda a: np.isnan(a).any()),
        ROWS_TWICE: both[order][order][upper],
        NAMES_KEPT: table[upper],
        ONE_SIDE_ONLY: _one_of(got[upper], expected, [some[upper] for some in one_side]),
        HALF_EMPTY: _one_of(got[upper], expected, dealt_halves),
        NUMBERS_HALVED: expected / 2,
        BACKWARDS: backwards[upper],
        OTHER_ORDER: itself_if(got[upper], expected, lambda a: _is_renamed(to_upper(a), table)),
        PAIRS_DEALT: itself_if(
            got[upper], expected, lambda a: np.array_equal(np.sort(a), np.sort(table[upper]))
        ),
        IGNORED: itself_if(got[upper], expected, is_unchanged),
    }
    compare("deal_names, above the diagonal", got[upper], expected, mistakes)
    whole = to_upper(expected)
    if not np.allclose(got, whole + whole.T):
        fail(
            "deal_names",
            expected="the same numbers below the diagonal as above it, and zeros on it",
            got="other numbers there",
            mistake=ONE_HALF_LEFT,
        )
    refuse_overwritten("deal_names", handed, table, WRITTEN_INTO)


def _is_renamed(got, table) -> bool:
    """Whether an upper table is another one with other names, a whole target at a time."""
    got, whole = (np.maximum(half, half.T) for half in (got, table))
    names = {tuple(row): k for k, row in enumerate(np.sort(whole))}  # by its numbers
    order = [names.get(tuple(row)) for row in np.sort(got)]
    return None not in order and np.array_equal(got, whole[np.ix_(order, order)])


def check_p_value(p_from) -> None:
    """The function that turns shuffled taus into a p-value.

    Parameters
    ----------
    p_from : callable
        The answer: shuffled taus and the observed one to p.
    """
    tried = ", ".join(f"{observed} among {len(shuffled)} shuffles" for shuffled, observed in DEALS)
    what = f"p_from (tried with {tried})"
    got = _numbers(what, p_from, DEALS)
    reached = np.array([np.sum(abs(shuffled) >= abs(observed)) for shuffled, observed in DEALS])
    expected = (reached + 1) / [len(shuffled) + 1 for shuffled, _ in DEALS]
    is_fixed = itself_if(
        got,
        expected,
        lambda a: _are_in_proportion(a, reached) or _are_in_proportion(a, reached + 1),
    )
    without_taus = [(0 * shuffled, observed) for shuffled, observed in DEALS]
    without_own = [(shuffled, 0.0) for shuffled, observed in DEALS]

    def is_unchanged(answers):
        others = (without_taus, without_own)
        return any(np.allclose(answers, [_tried(p_from, *two) for two in some]) for some in others)

    mistakes = _explained(got, expected, wrong_p_values, DEALS)
    mistakes |= {FIXED_SIZE: is_fixed, IGNORED: itself_if(got, expected, is_unchanged)}
    compare(what, got, expected, mistakes)
    right("The share of deals that get as far as ours, on either side, our own among them.")


def wrong_p_values(shuffled, observed) -> dict[Mistake, list[float]]:
    """The values that the mistakes of step 7 lead to.

    Parameters
    ----------
    shuffled : ndarray, shape (n_deals,)
    observed : float

    Returns
    -------
    dict of list of float
        A mistake may be made in several ways, and with others beside it.
    """
    n, sizes, size = len(shuffled), abs(shuffled), abs(observed)

    def shares(*chosen):
        counts = [np.count_nonzero(some) for some in chosen]
        return [(k + own) / (n + more) for k in counts for own in (1, 0) for more in (1, 0)]

    reach = sizes >= size
    far = np.count_nonzero(reach)
    _, above_only, below_only, neither = shares(reach)
    above, below = shuffled >= observed, shuffled <= observed
    beyond = [above if observed > 0 else below, min(above, below, key=np.count_nonzero)]
    sides = [above, below, shuffled >= size, shuffled <= -size, *beyond]
    doubled = [2 * p for p in shares(*sides)]
    doubled += [p for side in sides for p in shares([side, side])]  # the own order once
    both_doubled = [2 * p for p in shares(reach)] + shares([reach, reach])
    return {
        ABOVE_ONE: [far, far + 1, *(100 * p for p in shares(reach))],
        BRACKETS: [far + 1 / (n + 1), (far + 1) / n + 1, far + 1 / n + 1],
        OWN_LEFT_OUT: [neither],
        OWN_IN_ONE_PLACE: [above_only, below_only],
        ONE_SIDED: shares(*sides),
        SIGN_KEPT: shares(sizes >= observed),
        TAIL_DOUBLED: doubled + [min(p, 1) for p in doubled],
        BOTH_SIDES_DOUBLED: both_doubled + [min(p, 1) for p in both_doubled],
        TIES_LEFT_OUT: shares(sizes > size),
        ALL_REACH: shares(np.ones(n)),
        ROUNDED_DOWN: [(far + 1) // (n + 1)],
        LESS_FAR: [*shares(sizes < size, sizes <= size), 1 - (far + 1) / (n + 1)],
    }


def _numbers(what: str, function, inputs) -> np.ndarray:
    """A function's answers, (n_inputs,), or a failed check if they are no numbers."""
    answers = []
    for arguments in inputs:
        handed = [copy(argument) for argument in arguments]
        answers.append(call(what, function, *handed))
        for argument, given in zip(handed, arguments, strict=True):
            refuse_overwritten(what, argument, given, WRITTEN_INTO)
    values = [as_numbers(what, answer) for answer in answers]
    if any(map(np.ndim, values)):
        is_one_each = np.shape(values[0]) == np.shape(inputs[0][0])
        mistake = ONE_EACH if is_one_each else None
        fail(what, expected="one number", got=kind_of(answers[0]), mistake=mistake)
    return np.array(values)


def _explained(got, expected, values_of: Callable, inputs) -> dict[Mistake, Callable]:
    """For `compare`: the mistakes of which one way explains the answers to all inputs."""
    wrong = [values_of(*arguments) for arguments in inputs]
    return {
        mistake: _one_of(got, expected, np.transpose([values[mistake] for values in wrong]))
        for mistake in wrong[0]
    }


def _are_in_proportion(answers, counts) -> bool:
    """Whether one number, not 1, divides all counts, whatever they were counted among."""
    is_divided = answers.all() and not np.allclose(answers, counts)
    return is_divided and np.allclose(answers * counts[0], counts * answers[0])


def _raise(failure: CheckFailed, what: str, expected: str, signs) -> None:
    """Name the mistake that an error in a student's function shows, or let it pass."""
    mistake = first_seen(signs)
    if mistake:
        got = f"an error, {failure.__cause__}"
        fail(what, expected=expected, got=got, mistake=mistake)
    raise failure


def _judge_harder(what: str, judge: Callable, hard, easy, mistake: Mistake) -> None:
    """Judge the harder case; an answer that is right in the easier one alone made the mistake."""
    try:
        judge(hard)
    except CheckFailed as failure:
        try:
            judge(easy)
        except CheckFailed:
            raise failure from None
        said = dict(re.findall(r"^  (expected|got): +(.*)$", str(failure), re.MULTILINE))
    else:
        return
    fail(what, **{"expected": "a result"} | said, mistake=mistake)


def _one_of(got, expected, values) -> Callable:
    """For `compare`: the answer itself where it is one of several wrong values."""
    return itself_if(
        got, expected, lambda a: any(np.allclose(a, value, equal_nan=True) for value in values)
    )


def _table(what: str, got) -> np.ndarray:
    """An array of floats, NaN where it was masked, or a failed check."""
    kind = kind_of(got)
    if isinstance(got, np.ndarray):
        if got.dtype.kind in "iuf":
            return np.ma.filled(got.astype(float), np.nan)
        kind = f"an array of dtype {got.dtype}"
    is_known = isinstance(got, list) or kind.endswith("dtype object")
    expected = "a NumPy array of numbers"
    fail(what, expected=expected, got=kind, mistake=NO_NUMBERS if is_known else None)


def _cells(what: str, rows, columns) -> np.ndarray:
    """The chosen cells, (n, 2), or a failed check."""
    shapes = [as_numbers(what, numbers).shape for numbers in (rows, columns)]
    if shapes[0] != shapes[1] or len(shapes[0]) != 1:
        got = f"the shapes {shapes[0]} and {shapes[1]}"
        fail(what, expected="two plain lists of the same length", got=got)
    cells = np.stack([rows, columns], axis=-1)
    if cells.dtype.kind not in "iu":
        fail(what, expected="two lists of whole numbers", got=f"numbers of type {cells.dtype}")
    return cells


def _panels(figure) -> dict[str, Axes]:
    """The panels by the letters that their titles begin with."""
    if not isinstance(figure, Figure):
        fail("draw_positions", expected="a figure", got=kind_of(figure))
    panels = {_title(axes)[:1]: axes for axes in figure.axes}
    missing = sorted(set("ABCDEFG") - set(panels))
    if missing:
        fail("draw_positions", expected="panels A to G", got=f"none called {', '.join(missing)}")
    return panels


def _title(axes: Axes) -> str:
    return "".join(axes.get_title(side) for side in ("left", "center", "right"))


def _tried(function, *arguments):
    """What a student's function makes of arguments; an error as its text."""
    try:
        with warnings.catch_warnings(action="ignore"):  # nobody asked for this call
            return function(*arguments)
    except Exception as error:
        return str(error)


def _unchanged(letter: str, got, expected, part: Callable, redrawn: Callable) -> Callable:
    """For `compare`: the answer itself where it is the same in a panel of other data."""
    return itself_if(
        got, expected, lambda a: np.allclose(a, _tried(lambda: part(redrawn()[letter])))
    )


def _compare_map(letter: str, axes: Axes, table, wrong: dict, redrawn: Callable) -> None:
    """Compare a heat map with its table; below the diagonal it is empty, or mirrors."""
    what = f"panel {letter}"
    image = _image(what, axes)
    if np.shape(image) != table.shape:
        compare(what, image, table)
    upper, lower = np.triu_indices(len(table), 1), np.tril_indices(len(table), -1)
    below, shown = image[lower], image[upper]
    mirrored = table.T[lower]
    is_transposed = np.allclose(below, mirrored) and not np.allclose(shown, table[upper])
    empty = np.where(np.tri(len(table)), np.nan, table)
    wrong |= {
        UPSIDE_DOWN: [some[::-1] for some in (empty, table.T + table)],
        MIRRORED: [some[:, ::-1] for some in (empty, table.T + table)],
    }
    mistakes = {TRANSPOSED: itself_if(shown, table[upper], lambda a: is_transposed)}
    for mistake, others in wrong.items():
        mistakes[mistake] = _one_of(shown, table[upper], [other[upper] for other in others])
    mistakes[PAIRS_HIDDEN] = itself_if(shown, table[upper], lambda a: np.isnan(a).any())
    mistakes[IGNORED] = _unchanged(
        letter, shown, table[upper], lambda axes: _image(what, axes)[upper], redrawn
    )
    compare(f"{what}, above the diagonal", shown, table[upper], mistakes)
    if not np.isnan(below).all() and not np.allclose(below, mirrored):
        fail(f"{what}, below the diagonal", got="numbers in colour", mistake=NOTHING_HIDDEN)
    if not np.allclose(
        np.sort(axes.images[0].get_extent()), np.repeat([-0.5, len(table) - 0.5], 2)
    ):
        got = "an image whose `extent` stretches or moves it"
        fail(what, expected="target j at the mark j of its axis", got=got)
    _check_turn(what, axes)
    _check_scale(f"colours of {what}", axes)


def _image(what: str, axes: Axes) -> np.ndarray:
    """The numbers of a panel's only image, NaN where it is empty."""
    if len(axes.images) != 1:
        fail(what, expected="one image", got=f"{len(axes.images)} of them")
    return _table(what, axes.images[0].get_array())


def _check_turn(what: str, axes: Axes) -> None:
    """Check that the first row of an image is the upper one, as in a printed table."""
    image = axes.images[0]
    left, _, bottom, top = image.get_extent()
    first, last = (top, bottom) if image.origin == "upper" else (bottom, top)
    heights = axes.transData.transform([(left, first), (left, last)])[:, 1]
    if heights[0] < heights[1]:
        got = "row 0 at the bottom"
        fail(what, expected="row 0 at the top", got=got, mistake=UPSIDE_DOWN)


def _check_scale(what: str, axes: Axes) -> None:
    """Check that the colours of an image lie between two numbers, in proportion."""
    image = axes.images[0]
    low, high = image.get_clim()
    # What a colour bar makes of 0 to 0, and of limits that are not finite, is -0.1 to 0.1.
    if not np.isfinite([low, high]).all() or np.allclose([low, high], [-0.1, 0.1]):
        got = "a limit that is 0, NaN or infinite"
        fail(what, expected="two different numbers as limits", got=got, mistake=NO_RANGE)
    try:
        shares = image.norm(np.array([low, (low + high) / 2, high]))
    except ValueError:  # such as a logarithm of zero
        shares = np.nan
    if not np.allclose(np.ma.filled(shares, np.nan), [0, 0.5, 1]):
        got = kind_of(image.norm)
        fail(what, expected="a linear scale", got=got, mistake=NOT_LINEAR)


def _check_colours(letter: str, axes: Axes, values) -> None:
    """Check that the colours of a panel tell its values apart."""
    low, high = axes.images[0].get_clim()
    least, most = values.min(), values.max()
    room = 1e-6 * (most - least)
    if low > least + room or high < most - room or most - least < SPREAD * (high - low):
        fail(
            f"colours of panel {letter}",
            expected=f"about from {least:.4g} to {most:.4g}, as its values",
            got=f"from {low:.4g} to {high:.4g}",
            mistake=COLOURS_WASTED,
        )


def _check_limit(axes: Axes, gaps, redrawn: Callable) -> None:
    """Check that the colours of panel D end where they should."""
    low, high = axes.images[0].get_clim()
    if not np.isclose(low, 0):
        fail("colours of panel D", expected="from 0", got=f"from {low:.4g}")
    limit = LIMIT * gaps.max()
    by_count = [np.quantile(numbers, LIMIT) for numbers in (gaps[gaps > 0], gaps)]
    mistakes = {
        LIMIT_IS_MAXIMUM: gaps.max(),
        LIMIT_NOT_OF_DATA: _one_of(high, limit, [0.8, 80, 80 * gaps.max()]),
        LIMIT_BY_COUNT: _one_of(high, limit, by_count),
        IGNORED: _unchanged("D", high, limit, lambda axes: axes.images[0].get_clim()[1], redrawn),
    }
    compare("end of panel D's colours", high, limit, mistakes)


def _compare_dots(letter: str, axes: Axes, gaps, numbers, m: int, redrawn: Callable) -> None:
    """Compare the dots of a panel with the pairs, in whatever order."""
    n = len(gaps)
    i, j = np.triu_indices(n, 1)
    gap_list, own = gaps[i, j], numbers[:, m]
    drawn = [_in_order(gap_list, column) for column in numbers.T]
    expected, others = drawn[m], drawn[:m] + drawn[m + 1 :]
    none, by_gap, by_size = np.zeros(len(own)), np.sort(gap_list), np.sort(own)
    emptied = [_in_order(*axes) for axes in ((gap_list, none), (none, own), (none, none))]
    torn = [_in_order(*axes) for axes in ((by_gap, own), (gap_list, by_size), (by_gap, by_size))]
    dots = _dots(letter, axes)

    def is_unchanged(dots):
        """Whether one of the axes shows the same numbers in a panel of other data."""
        again = _tried(lambda: _dots(letter, redrawn()[letter]))
        columns = zip(dots.T, np.transpose(again), strict=True)
        return any(np.allclose(np.sort(a), np.sort(b)) for a, b in columns)

    mistakes = {
        ZEROS_SCATTERED: itself_if(dots, expected, lambda d: len(d) == n * n),
        DIAGONAL_TAKEN: itself_if(dots, expected, lambda d: len(d) == n * (n + 1) // 2),
        LOWER_TRIANGLE: _one_of(dots, expected, emptied),
        AXES_SWAPPED: _in_order(own, gap_list),
        OTHER_MEASURE: _one_of(dots, expected, others),
        SORTED: _one_of(dots, expected, torn),
        INDICES_TAKEN: _in_order(j - i, own),
        IGNORED: itself_if(dots, expected, is_unchanged),
    }
    compare(f"dots of panel {letter}", dots, expected, mistakes)


def _dots(letter: str, axes: Axes) -> np.ndarray:
    """The dots of a panel that are drawn somewhere, (n, 2), in order."""
    if not axes.collections:
        fail(f"panel {letter}", expected="dots drawn with scatter", got="none")
    dots = np.ma.filled(axes.collections[0].get_offsets(), np.nan)
    return _in_order(*dots[~np.isnan(dots).any(axis=1)].T)  # an empty cell is drawn nowhere


def _in_order(x, y) -> np.ndarray:
    return np.column_stack([x, y])[np.lexsort((y, x))]


def _check_title(letter: str, axes: Axes, taus, m: int, anew) -> None:
    """Check that the numbers of a title are the given tau and p of its measure, in this order."""
    says = partial(_says, axes)
    if says(taus[m]):
        return
    mistake = P_FOR_TAU if says(taus[m][::-1]) else None
    if any(says(taus[k]) for k in range(len(taus)) if k != m):
        mistake = OTHER_TAU
    if any(map(says, anew)):
        mistake = TAU_ANEW
    tau, p = taus[m]
    got = " ".join(_title(axes).split())
    fail(f"title of panel {letter}", expected=f"tau = {tau}, p = {p}", got=got, mistake=mistake)


def _says(axes: Axes, pair) -> bool:
    """Whether the first two numbers of a panel's title are these."""
    title = _title(axes).replace("−", "-")
    numbers = [float(n) for n in re.findall(r"-?\d+\.\d+(?:e[-+]?\d+)?", title)]
    return len(numbers) >= 2 and np.allclose(numbers[:2], pair, atol=0.051)
