"""What the answers of exercise 4 do: vectors, measures, tables, pairs, likeness, panels, angles."""

import numpy as np

from coursechecks import figures
from coursechecks.arrays import in_array, is_for_decimals, is_for_whole_numbers, second_result
from coursechecks.engine import (
    About,
    Facts,
    calls,
    checker,
    kind_of,
    outline,
    plain,
    run,
    tried,
    with_names,
)
from coursechecks.probes import here
from layerlab.sweeps import to_upper

READS = ("seen/04.json.xz",)
PROBES = here()

MEASURES = ("MI", "L1", "L2")
TABLES = ("bits", "l1", "l2", "apart")
# More than the notebook's 10, 45 and 192, so that no typed size that fits there fits here:
MORE_TARGETS, MORE_PAIRS, MORE_COORDINATES = 13, 60, 300


def pick(vecs, acts) -> Facts:
    """Which part of the activations the vectors are, in words, so that any model will do."""
    yield "vecs: kind", kind_of(vecs)
    yield "vecs: part of acts", _part_of(acts, np.asarray(vecs, dtype=float))
    if PROBES.are_hidden:
        yield "vecs: all of it", About(PROBES.sums(vecs))


def _part_of(acts, vectors) -> str:
    """Say where an array comes from, among all that two indices take out of the activations."""
    parts = {}
    for c, component in enumerate(acts):
        for b, block in enumerate(component):
            parts[f"component {c}, block {b}"] = block
            parts[f"component {c}, block {b}, one vector a column"] = block.T
        for k, target in enumerate(np.moveaxis(component, 1, 0)):
            parts[f"component {c}, target {k} in all blocks"] = target
    found = (what for what, part in parts.items() if np.array_equal(part, vectors))
    return next(found, "no block and no target")


def one_pair(measure) -> Facts:
    """The three numbers of pairs of vectors of two lengths, and of two that share nothing."""
    answers = {}
    for what, pair in _two_vectors().items():
        answers[what], is_changed = tried(measure, *pair)
        yield f"measure: how many numbers for {what}", outline(answers[what])
        yield f"measure: changes {what}?", is_changed
    for place, name in enumerate(MEASURES):
        for what, answer in answers.items():
            yield f"{name}: of {what}", answer[place]


def _two_vectors() -> dict[str, tuple]:
    rng, pairs = PROBES.rng(4), {}
    for width in (MORE_COORDINATES, 50):
        x = rng.standard_normal(width)
        pairs[f"two vectors of {width}"] = x, 0.8 * x + 0.4 * rng.standard_normal(width) + 0.1
    return pairs | {"two of 50 that share nothing": tuple(rng.standard_normal((2, 50)))}


def tables(empty_tables) -> Facts:
    """Tables for two numbers of targets, and once more after somebody filled them."""
    function, answers = with_names(empty_tables, **dict.fromkeys(TABLES)), {}
    most = PROBES.size(8, 2) if PROBES.are_hidden else 11
    for n in (PROBES.size(5, 2), most):  # for more, np.empty would get memory from another place
        answers[n] = _made(function, n)
        yield f"empty_tables: how many for {n} targets", outline(answers[n])
    for n, answer in answers.items():
        is_whole = [is_for_whole_numbers(table) for table in answer]
        is_moved = any(is_whole[:3]) and not all(is_whole[3:])
        yield f"empty_tables: whole numbers stand elsewhere than last, for {n} targets?", is_moved
    for place, name in enumerate(TABLES):
        for n, answer in answers.items():
            yield from _empty_table(name, n, answer[place], name != "apart")
            others = [other for k, other in enumerate(answer) if k != place]
            is_shared = any(np.shares_memory(answer[place], other) for other in others)
            yield f"{name}: the same table as another, for {n} targets?", is_shared
    if PROBES.are_hidden:
        for n, answer in answers.items():
            yield from _in_use(n, answer)
    for n in answers:
        again = second_result(lambda size: _made(function, size), (n,), (n,))
        is_empty = not any(np.any(table) for table in again)
        yield f"second call: zeros again, after tables for {n} targets were filled", is_empty


def _made(function, n: int):
    """Tables that are made where other numbers lay in memory before."""
    used = [np.ones((n, n)) for _ in range(8)]  # whose memory np.empty gets next
    del used
    return run(function, n)


def _empty_table(group: str, n: int, table, is_measure: bool) -> Facts:
    yield f"{group}: kind for {n} targets", kind_of(table)
    if isinstance(table, np.ndarray):
        yield f"{group}: size for {n} targets", outline(table)
        is_whole = is_for_whole_numbers(table)
        yield f"{group}: of whole numbers, for {n} targets", is_measure and is_whole
        is_fit = is_for_decimals(table) or (is_whole and not is_measure)
        yield f"{group}: can hold its numbers to six digits, for {n} targets", is_fit
        yield f"{group}: nothing but zeros for {n} targets?", not table.any()
        yield f"{group}: can be filled, for {n} targets?", table.flags.writeable


def _in_use(n: int, answer) -> Facts:
    """What tables hold after numbers were written above their diagonals, into one after another."""
    above = np.triu_indices(n, 1)
    for place, name in enumerate(TABLES):
        numbers = PROBES.rng(n + place).uniform(1, 90, len(above[0]))
        answer[place][above] = numbers.round() if name == "apart" else numbers
    for name, table in zip(TABLES, answer, strict=True):
        yield f"{name}: in use, for {n} targets", About(PROBES.sums(table))


def all_pairs(measure_all) -> Facts:
    """The four tables of six vectors, and of more and longer ones, farther apart."""
    answers = {}
    for n, width, farthest in ((6, 60, 30), (MORE_TARGETS, MORE_COORDINATES, 900)):
        rng = PROBES.rng(n)
        common, sizes = rng.standard_normal(width), rng.uniform(0.3, 0.9, (n, 1))
        vectors = common + sizes * rng.standard_normal((n, width))
        given = vectors, np.cumsum(rng.integers(1, farthest, n))
        answers[n], is_changed = tried(measure_all, *given)
        yield f"measure_all: how many tables for {n} vectors", outline(answers[n])
        yield f"measure_all: changes what it is given for {n} vectors?", is_changed
    for n, answer in answers.items():
        yield from _filled("cells that are filled", n, np.array(answer[:3], dtype=float))
    for place in (1, 2, 0, 3):  # L1 first: with the wrong vectors, information is an accident
        for n, answer in answers.items():
            table, what = np.asarray(answer[place], dtype=float), f"{TABLES[place]}: of {n} vectors"
            yield f"{what}, above the diagonal", table[np.triu_indices(n, 1)]
            yield f"{what}, the other cells", table[np.tril_indices(n)]
    again = second_result(measure_all, (vectors[4:8], given[1][4:8]), (vectors[:4], given[1][:4]))
    yield "second call: tables of other vectors, as many as in the first", again


def _filled(group: str, n: int, measured) -> Facts:
    """In which cells any measure stands: a wrong pair may measure 0 in one of them."""
    yield f"{group}: size for {n} vectors", outline(measured)
    is_filled = measured.any(axis=0)
    is_above = np.triu(np.ones((n, n), dtype=bool), 1)
    is_in_rows = not np.ptp(measured, axis=2).any()
    yield f"{group}: with {n} vectors, number in each row", is_filled.sum(axis=1)
    yield f"{group}: with {n} vectors, number in each column", is_filled.sum(axis=0)
    yield f"{group}: with {n} vectors, one number along a row?", is_in_rows
    is_beside = is_filled[~is_above].any() and not is_in_rows
    yield f"{group}: with {n} vectors, some that hold no pair?", bool(is_beside)
    is_missing = not is_filled[is_above].all() and not is_filled[~is_above].any()
    yield f"{group}: with {n} vectors, not all that hold a pair?", bool(is_missing)


def above(above_diagonal) -> Facts:
    """Numbers of pairs in any order, if it is the same for every table of a size."""
    for n in (PROBES.size(5, 3), MORE_TARGETS):
        group = f"above_diagonal, tried on tables of {n} targets"
        places = np.arange(n * (n - 1) // 2)
        numbers = 9 * np.cos(places * PROBES.scale(n)) ** 2
        numbers[[1, 3]], numbers[4] = numbers[2], 0  # one comes three times, one pair measures 0
        order, is_changed = tried(above_diagonal, to_upper(places + 1.0))
        yield f"{group}: numbers", _ordered(order, order)
        yield f"{group}: changes what it is given?", is_changed
        answer, is_changed = tried(above_diagonal, to_upper(numbers))
        yield f"{group}: numbers in the same order, one of them 0", _ordered(answer, order)
        yield f"{group}: changes what it is given?", is_changed
        again = second_result(above_diagonal, (to_upper(places + 1.0),), (to_upper(numbers),))
        yield "second call: numbers of another table of the same size", _ordered(again, order)


def _ordered(answer, order):
    """Numbers in the order in which other ones rise, where both are lists of the same length."""
    values, ranks = plain(answer), plain(order)
    if not all(isinstance(v, dict) and len(v.get("shape", [])) == 1 for v in (values, ranks)):
        return answer
    if values["shape"] != ranks["shape"]:
        return np.sort(values["numbers"])
    return np.array(values["numbers"])[np.argsort(ranks["numbers"])]


def likeness(likeness) -> Facts:
    """Likeness of many pairs, and of as many as there are measures, with maxima below 1."""
    group = "likeness, tried on pairs of the check's own"
    for n_pairs, scale in ((MORE_PAIRS, 1), (3, 0.01)):
        rng = PROBES.rng(n_pairs)
        pairs = scale * rng.uniform([0.5, 20, 3], [2.5, 90, 9], (n_pairs, 3))
        yield from calls(group, likeness, pairs, what=f"likeness of {n_pairs} pairs", see=in_array)
        again = second_result(likeness, (2 * pairs[::-1],), (pairs,))
        yield "second call: likeness of other pairs, as many as in the first", again


def relations(draw_relations, couples) -> Facts:
    """The couples as they stand, and the dots of all panels for pairs of the check's own."""
    yield "COUPLES: as they stand", couples
    pairs = PROBES.rng(7).uniform([0.1, 20, 3], [0.9, 90, 9], (MORE_PAIRS, 3))
    drawn, is_changed = tried(draw_relations, pairs)
    yield "draw_relations: a figure", drawn
    yield "draw_relations: how many panels", len(drawn.axes)
    for place, axes in enumerate(drawn.axes):
        yield f"row {'AB'[place // 3]}, panel {place % 3 + 1}: dots", figures.dots(axes)
    yield "draw_relations: changes what it is given?", is_changed


def angles(cosines, own_and_others) -> Facts:
    """Cosines between arrays of different numbers of vectors, and means of tables made up."""
    group = "cosines, of vectors of the check's own"
    for n_first, n_second, width in ((5, 3, 7), (2, MORE_TARGETS, MORE_COORDINATES)):
        rng = PROBES.rng(width)
        first = rng.normal(0.5, 1, (n_first, width)) * rng.uniform(0.1, 9, (n_first, 1))
        second = rng.normal(0.5, 1, (n_second, width)) * rng.uniform(0.1, 9, (n_second, 1))
        second[0] *= -1  # more than a right angle away from most
        what = f"{n_first} vectors with {n_second}"
        yield from calls(group, cosines, first, second, what=what)
    group = "own_and_others, of tables of the check's own"
    for n in (3, MORE_TARGETS):
        table = PROBES.rng(n).uniform(-1, 1, (n, n)) + np.diag(np.full(n, 0.5))
        answer, is_changed = tried(own_and_others, table)
        yield f"{group}: how many numbers for {n} targets", outline(answer)
        yield f"{group}: changes what it is given?", is_changed
        for name, number in zip(("own", "others"), answer, strict=True):
            yield f"{group}: {name}, of {n} targets", number


check = checker(__name__)
