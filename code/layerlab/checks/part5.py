"""Checks of exercise 5: Kendall's tau with position, seven panels, and a fairer p-value."""

import re
from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from layerlab.checks._core import CheckFailed, Mistake, call, compare, fail, itself_if, right
from layerlab.sweeps import position_distances, to_upper

RISES_ONLY = Mistake(
    "only one direction counted",
    "Two entries agree also if the second is smaller than the first in both lists.",
)
EVERYTHING_AGREES = Mistake(
    "every difference counted as agreement",
    "Your tau is 1 for any two lists. Whether two signs are the same is the question.",
)
LISTS_COMPARED = Mistake(
    "one list compared with the other",
    "Tokens and distances have different units. Compare within each list, and then the answers.",
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
DIAGONAL_TAKEN = Mistake(
    "diagonal taken along",
    "Each target pairs with itself in your list. On which diagonal must the triangle begin?",
)
LOWER_TRIANGLE = Mistake(
    "the empty triangle", "Your cells lie below the diagonal, where nothing was ever stored."
)
ALL_CELLS = Mistake(
    "all cells instead of the pairs",
    "You took every cell of the table, each pair from both sides and each target with itself.",
)
CROSSED = Mistake(
    "rows and columns crossed",
    "You have a square of numbers: all chosen rows with all chosen columns. Both lists of indices "
    "belong into one pair of brackets.",
)
NEIGHBOURS_ONLY = Mistake(
    "only neighbouring targets", "Each target pairs with all later ones, not only with the next."
)
ZEROS_RANKED = Mistake(
    "tau of the whole table",
    "The empty cells are 0 in both tables. They agree with each other's places whatever you "
    "measure, and pull every tau upwards.",
)
OTHER_PAIRS = Mistake(
    "tau of different pairs",
    "Entry k of one list and entry k of the other belong to different pairs of targets. Take both "
    "lists out of their tables in the same way.",
)
SORTED = Mistake(
    "one list sorted",
    "Sorting only one of two lists tears the pairs apart. Tau does its own ranking.",
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
    "p-value for tau", "SciPy's answer holds two numbers, and the p-value stands in tau's place."
)
TAU_TWICE = Mistake("tau for the p-value", "A p-value is no correlation, and never below 0.")
DIAGONAL_SHOWN = Mistake(
    "diagonal shown", "The diagonal still reads 0, as if a target had been measured with itself."
)
WRONG_TRIANGLE = Mistake(
    "measurements hidden", "The pairs are gone and the empty cells are left. Turn it round."
)
ZERO_HIDDEN = Mistake(
    "a measured zero hidden",
    "You hid cells by their value. A pair may share no information, and that 0 is a result: "
    "choose by place.",
)
NOTHING_HIDDEN = Mistake(
    "zeros shown as measurements",
    "Below the diagonal nothing was measured, and a colour there would say that something was.",
)
WRITTEN_INTO = Mistake(
    "data overwritten",
    "The table that your function was given has lost its zeros, and every later tau would meet "
    "NaN. Work on a copy.",
)
NAN_IN_INTEGERS = Mistake(
    "NaN in whole numbers",
    "Distance in tokens is a table of integers, and those know no NaN. Which type does?",
)
TRANSPOSED = Mistake(
    "heat map transposed",
    "Rows and columns are swapped. An image shows the first index downwards.",
)
MAPS_REORDERED = Mistake(
    "panels in another order", "This panel shows another measure than its title says."
)
LIMIT_IS_MAXIMUM = Mistake(
    "80 % forgotten", "The colours end at the largest distance. Where were they to end?"
)
LIMIT_NOT_OF_DATA = Mistake(
    "limit in percent", "The limit is a number of tokens: a part of the largest distance."
)
ZEROS_SCATTERED = Mistake(
    "empty cells among the dots",
    "Your panel has a dot for each cell of the table, and most of them lie at (0, 0).",
)
AXES_SWAPPED = Mistake(
    "axes swapped", "Distance belongs on the horizontal axis, as the label under it says."
)
SAME_DOTS = Mistake(
    "one measure in all panels", "Does the measure change from panel to panel in your loop?"
)
OTHER_TAU = Mistake(
    "tau of another measure", "The title's numbers belong to a panel beside it. Look at the index."
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
ONE_HALF_LEFT = Mistake(
    "only one half renamed",
    "Both halves of the table hold the pairs, so that every pair is found from either side. Fill "
    "both before you rename, and keep both.",
)
HALF_EMPTY = Mistake(
    "empty cells dealt into the pairs",
    "Under its new name a pair may come to lie below the diagonal, where your table is empty. Fill "
    "that half before you rename.",
)
PAIRS_DEALT = Mistake(
    "single pairs dealt out",
    "You put the cells in any order. The nine pairs of a target must stay together.",
)
NAMES_KEPT = Mistake(
    "nothing renamed", "The table comes out as it went in. Where is the order used?"
)
ONE_SIDED = Mistake(
    "only one direction of surprise",
    "A tau as far below zero would have surprised you just as much. Compare sizes.",
)
TIES_LEFT_OUT = Mistake(
    "equally far not counted", "A shuffle that reaches exactly our tau is as far away as ours."
)
LESS_FAR = Mistake(
    "the unsurprising ones counted", "You counted the shuffles that do not get as far as ours."
)
OWN_LEFT_OUT = Mistake(
    "own order left out",
    "The order that we found is one of the possible orders. Without it, p could be exactly 0. It "
    "counts above the line and below.",
)
COUNT_FOR_SHARE = Mistake("number for share", "A p-value is a share, and never above 1.")

MEASURES = ("MI", "L1", "L2")
LIMIT = 0.8  # of the largest distance, where the colours of panel D end


def check_counting(tau_by_counting) -> None:
    """Kendall's tau by comparing all entries two by two.

    Parameters
    ----------
    tau_by_counting : callable
        The answer: two lists without ties to tau.
    """
    x, y = np.array([[4, 9, 5, 2, 3.5, 6], [5.5, 7, 1.5, 1, 2.5, 8]])
    what = "tau_by_counting (tried on six entries)"
    got = call(what, tau_by_counting, x.copy(), y.copy())
    a, b = np.tril_indices(len(x), -1)  # a > b
    n = len(a)
    agreeing = np.count_nonzero((x[a] > x[b]) == (y[a] > y[b]))
    tau = 2 * agreeing / n - 1
    rises = [(x[i] > x[j]) & (y[i] > y[j]) for i, j in ((a, b), (b, a))]
    crossed = [x[i] > y[j] for i in (a, b) for j in (a, b)]
    mistakes = {
        RISES_ONLY: _one_of(got, tau, [2 * rise.mean() - 1 for rise in rises]),
        TURNED: -tau,
        SHARE_OF_AGREEMENT: agreeing / n,
        NOT_DIVIDED: 2 * agreeing - n,
        BY_ENTRIES: (2 * agreeing - n) / len(x),
        EVERYTHING_AGREES: 1,
        LISTS_COMPARED: _one_of(got, tau, [2 * cross.mean() - 1 for cross in crossed]),
    }
    compare(what, got, tau, mistakes)
    right(f"{n} comparisons, {agreeing} agree and {n - agreeing} do not: tau = {tau:.3f}.")


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
        signs = (
            (DIAGONAL_TAKEN, len(chosen) == n * (n + 1) // 2 and np.any(i == j)),
            (LOWER_TRIANGLE, np.all(i > j)),
            (ALL_CELLS, len(chosen) in (n * n, n * n - n)),
            (NEIGHBOURS_ONLY, len(chosen) == n - 1 and np.all(j - i == 1)),
        )
        mistake = next((mistake for mistake, is_made in signs if is_made), None)
        expected = f"{len(wanted)} cells above the diagonal"
        fail("rows, columns", expected=expected, got=f"{len(chosen)} cells", mistake=mistake)
    table = to_upper(position_distances(places))
    expected = table[i, j]
    mistakes = {
        CROSSED: table[i][:, j],
        ALL_CELLS: itself_if(gap_list, expected, lambda a: a.size == n * n),
        LOWER_TRIANGLE: table[j, i],
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
    values = 2 + np.sqrt(gaps) / 8 + rng.exponential(size=len(gaps))
    values[3] = 0  # a result like any other, for those who choose cells by their value
    table, wide = to_upper(values), to_upper(gaps)
    what = "tau_with_gap (tried on a table of the check's own)"
    got = call(what, tau_with_gap, table.copy())
    try:
        tau, p = got
    except (TypeError, ValueError):
        fail(what, expected="two numbers, tau and p", got=f"{got!r:.60}")
    right_tau, right_p = stats.kendalltau(values, gaps)
    by_lower = table.T[np.tril_indices(len(table), -1)]
    ravelled = stats.kendalltau(table.ravel(), wide.ravel()).statistic
    mixed = [stats.kendalltau(by_lower, gaps), stats.kendalltau(values, gaps[::-1])]
    sorts = [(np.sort(values), gaps), (values, np.sort(gaps)), (np.sort(values), np.sort(gaps))]
    torn = [stats.kendalltau(*lists).statistic for lists in sorts]
    mistakes = {
        ZEROS_RANKED: ravelled,
        P_FOR_TAU: right_p,
        PEARSON: stats.pearsonr(values, gaps).statistic,
        SPEARMAN: stats.spearmanr(values, gaps).statistic,
        OTHER_PAIRS: itself_if(
            tau, right_tau, lambda t: any(np.isclose(t, other.statistic) for other in mixed)
        ),
        SORTED: itself_if(tau, right_tau, lambda t: np.isclose(t, torn).any()),
        LOWER_TRIANGLE: np.nan,
    }
    compare("tau", tau, right_tau, mistakes, rtol=1e-6)
    compare("p", p, right_p, {TAU_TWICE: right_tau}, rtol=1e-4, atol=1e-12)
    right(
        f"Tau of the {len(gaps)} pairs, each measure beside the distance of its own pair, and the "
        "p-value that goes with it."
    )


def check_hidden(hide_unmeasured) -> None:
    """The function that hides what was not measured.

    Parameters
    ----------
    hide_unmeasured : callable
        The answer: a table (n, n) to one with NaN on and below the diagonal, or masked there.
    """
    table = to_upper(np.array([1.5, 0, 2.5, 3.5, 4.5, 5.5]))  # one pair has a true 0
    handed = table.copy()
    got = _filled(call("hide_unmeasured", hide_unmeasured, handed))
    above = np.triu(np.ones(table.shape, dtype=bool), 1)
    expected = np.where(above, table, np.nan)

    def is_all_there(values):
        return values.shape == table.shape and not np.isnan(values).any()

    mistakes = {
        NOTHING_HIDDEN: itself_if(got, expected, is_all_there),
        DIAGONAL_SHOWN: np.where(np.triu(np.ones(table.shape)) > 0, table, np.nan),
        WRONG_TRIANGLE: itself_if(got, expected, lambda a: np.isnan(a[above]).all()),
        ZERO_HIDDEN: np.where(table == 0, np.nan, table),
    }
    compare("hide_unmeasured", got, expected, mistakes)
    if not np.array_equal(handed, table):
        fail("hide_unmeasured", expected="the table it was given unchanged", mistake=WRITTEN_INTO)
    whole = to_upper(np.arange(1, 7))
    what = "hide_unmeasured, of a table of whole numbers"
    try:
        got = _filled(call(what, hide_unmeasured, whole.copy()))
    except CheckFailed as error:
        if "NaN" in str(error):
            fail(what, got="an error, integers cannot hold NaN", mistake=NAN_IN_INTEGERS)
        raise
    expected = np.where(above, whole, np.nan)
    is_flooded = np.shape(got) == whole.shape and np.any(np.abs(got[~above]) > 0)
    compare(what, got, expected, {NAN_IN_INTEGERS: got if is_flooded else expected})
    right("Only what was measured is left to see, a true 0 included, and the data are unchanged.")


def check_panels(draw_positions, places) -> None:
    """The figure: four heat maps, three scatter plots.

    Parameters
    ----------
    draw_positions : callable
        The answer: tables (3, n, n), gaps (n, n) and taus (3, 2) to a figure.
    places : ndarray of int, shape (n_targets,)
    """
    gap_list = position_distances(places)
    gaps = to_upper(gap_list)
    rng = np.random.default_rng(9)
    numbers = rng.uniform([1, 20, 3], [3, 90, 9], (len(gap_list), 3))  # (n_pairs, 3)
    tables = np.moveaxis(to_upper(numbers), -1, 0)  # (3, n, n)
    taus = np.array([[-0.61, 0.13], [0.42, 0.27], [0.23, 0.34]])
    figure = call("draw_positions", draw_positions, tables.copy(), gaps.copy(), taus.copy())
    panels = _panels(figure)
    for m, letter in enumerate("ABC"):
        others = [table for k, table in enumerate([*tables, gaps]) if k != m]
        _compare_map(letter, panels[letter], tables[m], others)
    _compare_map("D", panels["D"], gaps, list(tables))
    _check_limit(panels["D"], gaps)
    for m, letter in enumerate("EFG"):
        _compare_dots(letter, panels[letter], gap_list, numbers, m)
    for m, letter in enumerate("EFG"):
        _check_title(letter, panels[letter], taus, m)
    right(
        "A to C show the measures and D the tokens, its colours ending at 80 %; E to G have one "
        f"dot for each of {len(gap_list)} pairs, with the tau and p of their own measure."
    )


def check_renamed(deal_names) -> None:
    """The function that gives the targets of a table other names.

    Parameters
    ----------
    deal_names : callable
        The answer: an upper table (n, n) and an order (n,) to a renamed table.
    """
    table = to_upper(np.arange(1.0, 11.0))  # 5 targets
    order = np.array([3, 0, 4, 1, 2])
    handed = table.copy()
    got = _filled(call("deal_names", deal_names, handed, order.copy()))
    both = np.maximum(table, table.T)
    renamed = both[order][:, order]
    backwards = both[np.argsort(order)][:, np.argsort(order)]
    upper = np.triu_indices(len(table), 1)
    if np.shape(got) != table.shape:
        mistake = FANCY_DIAGONAL if np.shape(got) == order.shape else None
        expected = f"a table of the shape {table.shape}"
        fail("deal_names", expected=expected, got=f"the shape {np.shape(got)}", mistake=mistake)
    expected = renamed[upper]
    if np.allclose(got[upper], backwards[upper]):
        expected = backwards[upper]  # the same deal, told the other way round: just as random
    one_side = [both[order], both[:, order], table[order], table[:, order]]
    mistakes = {
        NAMES_KEPT: table[upper],
        ONE_SIDE_ONLY: itself_if(
            got[upper], expected, lambda a: any(np.allclose(a, b[upper]) for b in one_side)
        ),
        HALF_EMPTY: table[order][:, order][upper],
        PAIRS_DEALT: itself_if(
            got[upper],
            expected,
            lambda a: np.array_equal(np.sort(a), np.sort(table[upper])),
        ),
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
    if not np.array_equal(handed, table):
        fail("deal_names", expected="the table it was given unchanged", mistake=WRITTEN_INTO)
    right("Every target got one new name, as a row and as a column, so its pairs stay its pairs.")


def check_p_value(p_from) -> None:
    """The function that turns shuffled taus into a p-value.

    Parameters
    ----------
    p_from : callable
        The answer: shuffled taus and the observed one to p.
    """
    # values by which every mistake leads to a p of its own
    shuffled = np.array([-14, -12, -9, -8, -8, -4, -2, 6, 8, 11, 11, 11]) / 20
    n = len(shuffled)
    for observed in (0.55, -0.6):
        what = f"p_from (tried on {n} shuffles, {observed} observed)"
        got = call(what, p_from, shuffled.copy(), observed)
        sizes, size = np.abs(shuffled), abs(observed)
        far, strictly = np.count_nonzero(sizes >= size), np.count_nonzero(sizes > size)
        one_way = shuffled >= observed, shuffled <= observed, sizes >= observed
        less = np.count_nonzero(sizes < size), np.count_nonzero(sizes <= size)
        expected = (far + 1) / (n + 1)
        mistakes = {
            OWN_LEFT_OUT: _one_of(got, expected, [far / n, (far + 1) / n, far / (n + 1)]),
            ONE_SIDED: _one_of(got, expected, [_p(np.count_nonzero(way), n) for way in one_way]),
            TIES_LEFT_OUT: _one_of(got, expected, [_p(strictly, n)]),
            LESS_FAR: _one_of(got, expected, [_p(k, n) for k in less] + [1 - expected]),
            COUNT_FOR_SHARE: _one_of(got, expected, [far, far + 1]),
        }
        compare(what, got, expected, mistakes)
    right("The share of deals that get as far as ours, on either side, our own among them.")


def _p(count, n) -> float:
    return (count + 1) / (n + 1)


def _one_of(got, expected, values) -> Callable:
    """For `compare`: the answer itself where it is one of several wrong values."""
    return itself_if(got, expected, lambda a: np.isclose(a, values).any())


def _filled(got) -> np.ndarray:
    """An array of floats, NaN where it was masked; what is no array stays what it is."""
    try:
        return np.ma.filled(np.ma.asarray(got).astype(float), np.nan)
    except (TypeError, ValueError):
        return got


def _cells(what: str, rows, columns) -> np.ndarray:
    """The chosen cells, (n, 2), or a failed check."""
    try:
        cells = np.stack([np.ravel(rows), np.ravel(columns)], axis=-1)
    except ValueError:
        got = f"{np.size(rows)} and {np.size(columns)}"
        fail(what, expected="as many rows as columns", got=got)
    if cells.dtype.kind not in "iu":
        fail(what, expected="two lists of whole numbers", got=f"numbers of type {cells.dtype}")
    return cells


def _panels(figure) -> dict[str, Axes]:
    """The panels by the letters that their titles begin with."""
    if not isinstance(figure, Figure):
        fail("draw_positions", expected="a figure", got=f"a {type(figure).__name__}")
    panels = {_title(axes)[:1]: axes for axes in figure.axes}
    missing = sorted(set("ABCDEFG") - set(panels))
    if missing:
        fail("draw_positions", expected="panels A to G", got=f"none called {', '.join(missing)}")
    return panels


def _title(axes: Axes) -> str:
    return "".join(axes.get_title(side) for side in ("left", "center", "right"))


def _compare_map(letter: str, axes: Axes, table, others) -> None:
    """Compare a heat map with its table; below the diagonal it is empty, or mirrors."""
    what = f"panel {letter}"
    if len(axes.images) != 1:
        fail(what, expected="one image", got=f"{len(axes.images)} of them")
    image = _filled(axes.images[0].get_array())
    if np.shape(image) != table.shape:
        compare(what, image, table)
    upper, lower = np.triu_indices(len(table), 1), np.tril_indices(len(table), -1)
    below, shown = image[lower], image[upper]
    mirrored = table.T[lower]
    is_transposed = np.allclose(below, mirrored) and not np.allclose(shown, table[upper])
    mistakes = {
        TRANSPOSED: itself_if(shown, table[upper], lambda a: is_transposed),
        MAPS_REORDERED: itself_if(
            shown, table[upper], lambda a: any(np.allclose(a, other[upper]) for other in others)
        ),
    }
    compare(f"{what}, above the diagonal", shown, table[upper], mistakes)
    if not np.isnan(below).all() and not np.allclose(below, mirrored):
        fail(f"{what}, below the diagonal", got="zeros in colour", mistake=NOTHING_HIDDEN)


def _check_limit(axes: Axes, gaps) -> None:
    """Check that the colours of panel D end where they should."""
    low, high = axes.images[0].get_clim()
    if not np.isclose(low, 0):
        fail("colours of panel D", expected="from 0", got=f"from {low:.4g}")
    mistakes = {
        LIMIT_IS_MAXIMUM: gaps.max(),
        LIMIT_NOT_OF_DATA: _one_of(high, LIMIT * gaps.max(), [0.8, 80, 80 * gaps.max()]),
    }
    compare("end of panel D's colours", high, LIMIT * gaps.max(), mistakes)


def _compare_dots(letter: str, axes: Axes, gap_list, numbers, m: int) -> None:
    """Compare the dots of a panel with the pairs, in whatever order."""
    if not axes.collections:
        fail(f"panel {letter}", expected="dots drawn with scatter", got="none")
    dots = np.ma.filled(axes.collections[0].get_offsets(), np.nan)
    dots = dots[~np.isnan(dots).any(axis=1)]  # an empty cell, drawn nowhere
    n = len(gap_list)

    def in_order(x, y):
        return np.column_stack([x, y])[np.lexsort((y, x))]

    expected = in_order(gap_list, numbers[:, m])
    others = [in_order(gap_list, numbers[:, k]) for k in range(len(MEASURES)) if k != m]
    dots = in_order(*dots.T)
    mistakes = {
        ZEROS_SCATTERED: itself_if(dots, expected, lambda d: len(d) > n),
        AXES_SWAPPED: in_order(numbers[:, m], gap_list),
        SAME_DOTS: itself_if(
            dots, expected, lambda d: any(np.allclose(d, other) for other in others)
        ),
    }
    compare(f"dots of panel {letter}", dots, expected, mistakes)


def _check_title(letter: str, axes: Axes, taus, m: int) -> None:
    """Check that the numbers of a title are tau and p of its measure, in this order."""
    title = _title(axes)
    numbers = [float(n) for n in re.findall(r"-?\d+\.\d+(?:e[-+]?\d+)?", title.replace("−", "-"))]

    def says(pair):
        return len(numbers) >= 2 and np.allclose(numbers[:2], pair, atol=0.051)

    if says(taus[m]):
        return
    mistake = P_FOR_TAU if says(taus[m][::-1]) else None
    if any(says(taus[k]) for k in range(len(taus)) if k != m):
        mistake = OTHER_TAU
    tau, p = taus[m]
    got = " ".join(title.split())
    fail(f"title of panel {letter}", expected=f"tau = {tau}, p = {p}", got=got, mistake=mistake)
