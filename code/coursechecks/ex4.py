"""What the answers of exercise 4 do: vectors, three measures, tables, pairs, shares, panels."""

from collections.abc import Iterator

import numpy as np

from coursechecks import figures
from coursechecks.engine import checker, kind_of, outline, plain, run, size_of, tried, with_names
from layerlab.sweeps import to_upper

READS = ("seen/04.json.xz",)
Facts = Iterator[tuple[str, object]]

MEASURES = ("MI", "L1", "L2")
TABLES = ("bits", "l1", "l2", "apart")


def pick(vecs, acts) -> Facts:
    """Which part of the activations the vectors are, in words, so that any model will do."""
    yield "vecs: kind", kind_of(vecs)
    yield "vecs: part of acts", _part_of(acts, np.asarray(vecs, dtype=float))


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
    """The three numbers of two pairs of vectors, of different lengths."""
    rng, answers = np.random.default_rng(4), {}
    for width in (80, 50):
        x = rng.standard_normal(width)
        y = 0.8 * x + 0.4 * rng.standard_normal(width) + 0.1
        answers[width], is_changed = tried(measure, x, y)
        yield f"measure: how many numbers for two vectors of {width}", outline(answers[width])
        yield f"measure: changes its vectors of {width}?", is_changed
    for place, name in enumerate(MEASURES):
        for width, answer in answers.items():
            yield f"{name}: of two vectors of {width}", answer[place]


def tables(empty_tables) -> Facts:
    """Tables for two numbers of targets, made where other numbers lay in memory before."""
    function, answers = with_names(empty_tables, **dict.fromkeys(TABLES)), {}
    for n in (5, 8):
        used = [np.ones((n, n)) for _ in range(8)]  # whose memory np.empty gets next
        del used
        answers[n] = run(function, n)
        yield f"empty_tables: how many for {n} targets", outline(answers[n])
    for place, name in enumerate(TABLES):
        for n, answer in answers.items():
            yield from _empty_table(name, n, answer[place], name != "apart")
            others = [other for k, other in enumerate(answer) if k != place]
            is_shared = any(np.shares_memory(answer[place], other) for other in others)
            yield f"{name}: the same table as another, for {n} targets?", is_shared


def _empty_table(group: str, n: int, table, is_measure: bool) -> Facts:
    yield f"{group}: kind for {n} targets", kind_of(table)
    if isinstance(table, np.ndarray):
        yield f"{group}: size for {n} targets", size_of(table)
        kinds = "f" if is_measure else "fiu"
        yield f"{group}: numbers of the right type for {n} targets?", table.dtype.kind in kinds
        yield f"{group}: nothing but zeros for {n} targets?", not table.any()
        yield f"{group}: can be filled, for {n} targets?", table.flags.writeable


def all_pairs(measure_all) -> Facts:
    """The four tables of six vectors, and of more than ten."""
    answers = {}
    for n in (6, 12):
        rng = np.random.default_rng(n)
        common, sizes = rng.standard_normal(60), rng.uniform(0.3, 0.9, (n, 1))
        vectors = common + sizes * rng.standard_normal((n, 60))
        places = np.cumsum(rng.integers(1, 30, n))
        answers[n], is_changed = tried(measure_all, vectors, places)
        yield f"measure_all: how many tables for {n} vectors", outline(answers[n])
        yield f"measure_all: changes what it is given for {n} vectors?", is_changed
    for n, answer in answers.items():
        yield from _filled("cells that are filled", n, np.array(answer[:3], dtype=float))
    for place in (1, 2, 0, 3):  # L1 first: with the wrong vectors, information is an accident
        for n, answer in answers.items():
            table, what = np.asarray(answer[place], dtype=float), f"{TABLES[place]}: of {n} vectors"
            yield f"{what}, above the diagonal", table[np.triu_indices(n, 1)]
            yield f"{what}, the other cells", table[np.tril_indices(n)]


def _filled(group: str, n: int, measured) -> Facts:
    """In which cells any measure stands: a wrong pair may measure 0 in one of them."""
    yield f"{group}: size for {n} vectors", size_of(measured)
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
    for n in (5, 12):
        group = f"above_diagonal, tried on tables of {n} targets"
        places = np.arange(n * (n - 1) // 2)
        numbers = 9 * np.cos(places) ** 2
        numbers[[1, 3]], numbers[4] = numbers[2], 0  # one comes three times, one pair measures 0
        order, is_changed = tried(above_diagonal, to_upper(places + 1.0))
        yield f"{group}: numbers", _ordered(order, order)
        yield f"{group}: changes what it is given?", is_changed
        answer = run(above_diagonal, to_upper(numbers))
        yield f"{group}: numbers in the same order, one of them 0", _ordered(answer, order)


def _ordered(answer, order):
    """Numbers in the order in which other ones rise, where both are lists of the same length."""
    values, ranks = plain(answer), plain(order)
    if not all(isinstance(v, dict) and len(v.get("shape", [])) == 1 for v in (values, ranks)):
        return answer
    if values["shape"] != ranks["shape"]:
        return np.sort(values["numbers"])
    return np.array(values["numbers"])[np.argsort(ranks["numbers"])]


def shares(shares) -> Facts:
    """Shares of more pairs than there are measures, and of as many."""
    group = "shares, tried on pairs of the check's own"
    for n_pairs in (8, 3):
        rng = np.random.default_rng(n_pairs)
        pairs = rng.uniform([0.5, 20, 3], [2.5, 90, 9], (n_pairs, 3))
        answer, is_changed = tried(shares, pairs)
        yield f"{group}: shares of {n_pairs} pairs", answer
        yield f"{group}: shares of {n_pairs} pairs in a NumPy array", isinstance(answer, np.ndarray)
        yield f"{group}: changes {n_pairs} pairs that it is given?", is_changed


def relations(draw_relations, couples) -> Facts:
    """The couples as they stand, and the dots of all panels for pairs of the check's own."""
    yield "COUPLES: as they stand", couples
    pairs = np.random.default_rng(7).uniform([0.5, 20, 3], [2.5, 90, 9], (9, 3))
    drawn, is_changed = tried(draw_relations, pairs)
    yield "draw_relations: a figure", drawn
    yield "draw_relations: how many panels", len(drawn.axes)
    for place, axes in enumerate(drawn.axes):
        yield f"row {'AB'[place // 3]}, panel {place % 3 + 1}: dots", figures.dots(axes)
    yield "draw_relations: changes what it is given?", is_changed


check = checker(__name__)
