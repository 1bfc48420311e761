"""What the answers of exercise 5 do: tau by counting, pairs, panels, new names, partial tau."""

import numpy as np

from coursechecks import figures
from coursechecks.arrays import in_array
from coursechecks.engine import Facts, calls, checker, depends, run, size_of, with_names
from coursechecks.probes import here
from layerlab.sweeps import position_distances, to_upper

READS = ("seen/05.json.xz",)
PROBES = here()

# Two couples of lists without ties. They share numbers, 0 and 1 among them, so that each chain of
# comparisons is true somewhere.
LISTS = (
    np.array([[4, 1, 5, 2, 0, 3], [6, 4, 3, 1, 0, 2]], dtype=float),
    np.array([[0, 4, 2, 5, 1, 7, 8, 6, 9], [2, 4, 9, 7, 5, 0, 1, 6, 3]], dtype=float),
)
# Shuffled taus with an observed one: ties with it on both sides, either sign, all farther out.
DEALS = (
    (np.array([-12, 11, 5, -5, -14, 7, -5, 12, -5, 5, -10, 2]) / 20, 0.35),
    (np.array([-14, 9, -13, 7, 9, -1, 10, 2, 12, 8, 13, -14, -16, 5, 7]) / 20, -0.6),
    (np.array([8, 10, -3, 11, 0, -11, -9, 10, 5, 12, 16, 9, -7, 2, -8, 13, 16, 2, -10]) / 20, 0.5),
    (np.array([12, -9, 8, 14, -11]) / 20, -0.3),
)
if PROBES.are_hidden:
    LISTS = tuple(PROBES.rng(len(xy[0])).permuted(xy, axis=1) for xy in LISTS)
    MORE = PROBES.rng(1).uniform(-0.9, 0.9, (len(DEALS), 9))  # deals beside those that tie
    DEALS = tuple(
        (PROBES.scale() * np.append(taus, more), PROBES.scale() * observed)
        for (taus, observed), more in zip(DEALS, MORE, strict=True)
    )
N_TARGETS = 10  # in the notebook
MORE_TARGETS = 12  # so that no typed size that fits the notebook fits here


def counting(tau_by_counting) -> Facts:
    """Tau of lists of two lengths."""
    group = "tau_by_counting, tried on two lists"
    for x, y in LISTS:
        yield from calls(group, tau_by_counting, x, y, what=f"tau of {_listed(x)} and {_listed(y)}")
    many = PROBES.rng(5).permuted(np.tile(np.arange(120.0), (2, 1)), axis=1)
    yield from calls(group, tau_by_counting, *many, what="tau of 120 entries")
    yield from depends(tau_by_counting, LISTS[0], (LISTS[0][0][::-1], LISTS[0][1][::-1]))


def _listed(numbers) -> str:
    return str([int(number) for number in numbers])


def lists(rows, columns, gap_list, places) -> Facts:
    """The cells of the pairs in any order, and the distances in that same order."""
    rows, columns = np.asarray(rows), np.asarray(columns)
    yield "rows and columns: types", [rows.dtype.kind in "iu", columns.dtype.kind in "iu"]
    yield "rows and columns: sizes", [size_of(rows), size_of(columns)]
    cells = np.stack([rows, columns], axis=-1)
    yield "rows and columns: cells", cells[np.lexsort(cells.T)]
    expected = to_upper(position_distances(places))[rows, columns]
    gap_list = np.asarray(gap_list, dtype=float)
    yield "gap_list: how many", size_of(gap_list)
    yield "gap_list: numbers less the distances of these cells", gap_list - expected
    yield "gap_list: sorted?", np.array_equal(gap_list, np.sort(gap_list))
    if PROBES.are_hidden:
        yield "gap_list: numbers of the cells in their order", gap_list[np.lexsort(cells.T)]


def tau(tau_with_gap) -> Facts:
    """Tau and p of made-up tables, of which one pair measures 0, with made-up places."""
    for seed in (8, 9):
        rng = PROBES.rng(seed)
        places = np.cumsum(rng.integers(5, 40, MORE_TARGETS))  # some distances come twice
        gap_list = position_distances(places)
        rows, columns = np.triu_indices(MORE_TARGETS, 1)
        order = rng.permutation(len(rows))  # the pairs may stand in any order
        names = {"rows": rows[order], "columns": columns[order], "gap_list": gap_list[order]}
        names |= {"gaps": to_upper(gap_list), "places": places}
        made_up = with_names(tau_with_gap, **names)
        values = (9 - np.sqrt(gap_list) / 2 + rng.exponential(3, len(gap_list))) * (17 - 2 * seed)
        for where in ("tried on tables of the check's own", "where one pair measures 0"):
            group, what = f"tau_with_gap, {where}", f"tau and p of table {seed}"
            yield from calls(group, made_up, to_upper(values), what=what, see=_two_numbers)
            values[3] = 0


def _two_numbers(name: str, result) -> Facts:
    is_pair = isinstance(result, tuple) and len(result) == 2  # such as SciPy's own result
    yield name, list(result) if is_pair else result


def hide(hide_unmeasured) -> Facts:
    """Tables of two sizes in which a pair measures 0, and one of whole numbers."""
    for n in (4, MORE_TARGETS):
        pairs = np.arange(n * (n - 1) // 2)
        table = to_upper(np.where(pairs == 1, 0, (pairs + 1.5) / 7)) * PROBES.scale(n)
        group = f"hide_unmeasured, of a table of {n} targets"
        yield from calls(group, hide_unmeasured, table, what="table", see=in_array)
        group = f"hide_unmeasured, of whole numbers for {n} targets"
        table = to_upper(pairs + 1 + PROBES.size(0, 9))
        yield from in_array(f"{group}: table", run(hide_unmeasured, table))


def panels(draw_positions) -> Facts:
    """Seven panels of made-up numbers, twice; the second time, a pair measures 0."""
    drawings = []
    for seed, has_zero in ((4, False), (9, True)):
        rng = PROBES.rng(seed)
        gap_list = position_distances(np.cumsum(rng.integers(5, 99, N_TARGETS)))
        numbers = rng.uniform([1, 20, 3], [3, 90, 9], (len(gap_list), 3))
        if has_zero:
            numbers[3] = 0
        tables = np.moveaxis(to_upper(numbers), -1, 0)  # (3, n, n)
        taus = np.array([[-0.61, 0.013], [0.42, 0.87], [0.23, 0.0034]])
        drawn = run(draw_positions, tables, to_upper(gap_list), taus)
        yield f"draw_positions: a figure ({seed})", drawn
        shown = figures.panels(drawn)
        drawings.append(shown)
        yield "draw_positions: panels by letter", sorted(set("ABCDEFG") & set(shown))
        where = " where one pair measures 0" if has_zero else ""
        for letter in "ABCD":
            yield from _heat_map(f"panel {letter}{where}", shown[letter], letter != "D")
        for letter in "EFG":
            yield f"panel {letter}{where}: dots", figures.dots(shown[letter])
    for letter in "ABCDEFG":
        shown = [_numbers_of(drawing[letter]) for drawing in drawings]
        is_other = [not np.array_equal(*both, equal_nan=True) for both in zip(*shown, strict=True)]
        yield f"use of arguments: panel {letter} is another for other data?", all(is_other)


def _numbers_of(axes) -> tuple:
    """What depends on the data in a panel: its image and its limit, or its dots by axis."""
    if axes.images:
        return figures.image(axes), figures.colours(axes)
    return tuple(np.sort(figures.dots(axes), axis=0).T)


def _heat_map(group: str, axes, is_measure: bool) -> Facts:
    """What a heat map shows above the diagonal, how it lies, and its colours."""
    image = figures.image(axes)
    upper, lower = np.triu_indices(N_TARGETS, 1), np.tril_indices(N_TARGETS, -1)
    if image.shape != (N_TARGETS, N_TARGETS):
        yield f"{group}: size", size_of(image)
        return
    is_mirror = np.allclose(image[lower], image.T[lower])
    yield f"{group}: numbers above the diagonal", image[upper]
    is_empty = bool(np.isnan(image[lower]).all()) or is_mirror
    is_turned = bool(np.isnan(image[upper]).any())  # then they were measured, and lie elsewhere
    yield f"{group}: numbers where nothing was measured?", not is_empty and not is_turned
    yield f"{group}: place on its axes", figures.image_place(axes)
    low, high = figures.colours(axes)
    yield f"{group}: colours in proportion", figures.is_linear(axes)
    if not is_measure:
        yield f"{group}: ends of the colours", [low, high]
        return
    least, most = np.nanmin(image[upper]), np.nanmax(image[upper])
    room = 1e-6 * (most - least)
    fits = low <= least + room and high >= most - room and most - least >= (high - low) / 2
    yield f"{group}: colours fit the values", bool(fits)


def names(deal_names) -> Facts:
    """New names for the targets of tables of two sizes."""
    for n, seed in ((5, 1006), (5, 1096), (MORE_TARGETS, 1006)):
        rng = PROBES.rng(seed)
        order = rng.permutation(n)
        table = to_upper(rng.permutation(n * (n - 1) // 2) + 1.5)
        group = f"deal_names, of a table of {n} targets"
        yield from calls(group, deal_names, table, order, what=f"table {seed}", see=in_array)
    given = to_upper(np.arange(10) + 1.5), np.array([2, 0, 1, 4, 3])
    yield from depends(deal_names, given, (to_upper(np.arange(10) + 2.5), np.arange(5)))


def p_value(p_from) -> Facts:
    """p of taus that were dealt by hand."""
    group = "p_from, tried on deals of the check's own"
    for shuffled, observed in DEALS:
        what = f"p of {observed} among {len(shuffled)} shuffles"
        yield from calls(group, p_from, shuffled, observed, what=what)
    many = PROBES.rng(6).normal(0, 0.2, 1200)
    yield from calls(group, p_from, many, -abs(many[7]), what="p among 1200 shuffles")
    shuffled, observed = DEALS[0]
    yield from depends(p_from, (shuffled, observed), (shuffled / 9, 0.0))


def held_still(earlier, partial_tau, rows, columns, places) -> Facts:
    """The earlier place of each pair, and partial taus of made-up lists with ties."""
    earlier = np.asarray(earlier, dtype=float)
    yield "earlier: how many", size_of(earlier)
    expected = np.take(places, [rows, columns]).min(axis=0)
    in_order = np.lexsort((columns, rows))  # the pairs may stand in any order
    yield "earlier: numbers less the earlier places", (earlier - expected)[in_order]
    if PROBES.are_hidden:
        yield "earlier: numbers of the cells in their order", earlier[in_order]
    group = "partial_tau, tried on lists of the check's own"
    for n in (12, 60):
        cause, *noise = PROBES.rng(n).normal(size=(4, n))
        lists = [
            np.round(4 * (k * cause + part)) for k, part in zip((1, -0.6, 2), noise, strict=True)
        ]
        for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            what = f"partial tau of {n} entries, list {c} held still"
            yield from calls(group, partial_tau, lists[a], lists[b], lists[c], what=what)


check = checker(__name__)
