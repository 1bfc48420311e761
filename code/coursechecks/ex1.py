"""What the answers of exercise 1 do: vectors, distances, a comparison, orders, units, spreads."""

import numpy as np

from coursechecks.engine import Facts, Raised, calls, checker, plain, run, size_of, with_names
from coursechecks.probes import here
from coursechecks.words import same

READS = ("seen/01.json.xz",)
PROBES = here()

SIZE, SEED = 100, 6  # as the exercise asks for
MANY = 1702  # numbers, more than any vector of the notebook has
LONG = PROBES.rng(2).standard_normal((2, MANY))
LONG[1, -2:] = LONG[0, -2:] + [9, -9]  # beyond whatever was typed for the notebook's sizes
# Vectors whose differences have either sign, and more digits than anybody types. The largest size
# comes twice, so that no finite order gives the limit, and no largest number of a vector has it.
VECTORS = tuple(
    (PROBES.scale(len(u)) * np.e * np.array(u), PROBES.scale(len(u)) * np.e * np.array(v))
    for u, v in (
        ([1.5, -2.0, 0.5, 4.0, -1.0], [3.0, 1.5, 4.0, 3.25, -1.0]),
        ([2.0, -0.5, 6.0, 0.0, 1.25, 3.5], [-0.5, 1.0, 5.5, 0.75, 1.25, 1.0]),
        LONG,
    )
)
ORDERS = (1, 1.2, 1.5, 2, 3, 7.5, 120)  # between those of the notebook, and one above all
LISTS = ([1, 2.5, 4, 9], [80, 3, 20, 1.5, 50], [120, 1.2, 7, 2, 30, 1, 5, 90, 3, 1.7, 60, 14])
LISTS = tuple(PROBES.order(orders, len(orders)) for orders in LISTS)
# Numbers for a comparison, and beside them whether they are the same but for rounding.
PLAIN = ((14.3, 14.3), (1.0, 20.0), (20.0, 1.0), (-1.0, -20.0), (-0.3, -0.3), (-15.0, 15.0))
ROUNDED = ((0.1 + 0.2, 0.3), (-0.1 - 0.2, -0.3), (7.0, 7.0 * (1 + 5e-13)))
LARGE = (1e15 / 3, 1e15 / 3 + 0.125)  # two steps of the last digit
APART = ((14.3, 14.302), (-2e-5, -2.0003e-5), (1e-9, 5e-9), (1e-30, 5e-30), (1e200, 5e200))
ZEROS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0), (0.0, 1e-300), (1e-300, 0.0))
CUTS = (  # where rounding, cutting off digits, and short floats part neighbours
    *(1 + 0.5 * 0.1**digits for digits in range(14)),
    1,
    1 + 2**-11,  # float16
    1 + 2**-24,  # float32
)
MIXED = 64  # couples, of which some are the same but for rounding
EDGES = tuple((cut - 3.5e-14, cut + 3.5e-14) for cut in CUTS)


def vectors(draw_vectors, pair) -> Facts:
    """Vectors of several sizes and seeds, and the pair of the notebook."""
    group = "draw_vectors, called several times"
    first, again, other = (run(draw_vectors, 5, seed) for seed in map(PROBES.seed, (1, 1, 2)))
    yield f"{group}: size of what comes back", size_of(first)
    if size_of(first) != "2 × 5":
        return
    is_again = same(plain(first), plain(again))
    yield f"{group}: NumPy arrays", _are_arrays(first)
    yield f"{group}: the same numbers for the same seed", is_again
    yield f"{group}: other numbers for another seed", not same(plain(first), plain(other))
    yield f"{group}: twice the same vector?", np.array_equal(*first)
    if not is_again:  # every run would see other numbers
        return
    for size, number in ((5, 1), (8, 1), (8, 0), (3, 1234567890123), (MANY, 1)):
        seed = PROBES.seed(number)
        drawn = run(draw_vectors, size, seed)
        yield f"draw_vectors: size of what comes back for {size} numbers", size_of(drawn)
        if size_of(drawn) == f"2 × {size}":
            last = np.asarray(drawn)[:, -8:]
            yield f"draw_vectors: {size} numbers each, seed {seed}, the last of them", last
    kept = np.asarray(first)
    yield "draw_vectors: all digits kept", kept.dtype == float and (kept != kept.round(12)).any()
    yield "pair: size", size_of(pair)
    if size_of(pair) == f"2 × {SIZE}":
        asked = np.random.default_rng(SEED).standard_normal((2, SIZE))
        yield "pair: numbers of the seed that was asked for", np.allclose(pair, asked)
        yield "pair: NumPy arrays", _are_arrays(pair)
        if PROBES.are_hidden:
            yield "pair: all its numbers", PROBES.sums(pair)


def _are_arrays(vectors) -> bool:
    return all(isinstance(vector, np.ndarray) for vector in vectors)


def _calls(group: str, function, u, v, *others, what: str) -> Facts:
    """Observe one call; to write into a vector changes it, even if it is mended afterwards."""
    yield from calls(group, function, u, v, *others, what=what)
    locked = np.array([u, v])
    locked.setflags(write=False)
    free, held = run(function, u, v, *others), run(lambda: function(*locked, *others))
    is_held = isinstance(held, Raised) and not isinstance(free, Raised)
    yield f"{group}: changes what it is given?", is_held


def by_hand(by_hand) -> Facts:
    """Distances of several orders between couples of vectors, either of them first."""
    group = "by_hand, tried on vectors of the check's own"
    for u, v in VECTORS:
        for p in ORDERS:
            what = f"order {p} between vectors of {len(u)} numbers"
            yield from _calls(group, by_hand, u, v, p, what=what)
    yield f"{group}: order 3, the other vector first", run(by_hand, *VECTORS[0][::-1], 3)


def scipy(by_scipy) -> Facts:
    """L1 and L2 of couples of vectors, and whether they come from the student's own function."""
    group = "by_scipy, tried on vectors of the check's own"
    for u, v in VECTORS:
        what = f"L1 and L2 between vectors of {len(u)} numbers"
        for name, value in _calls(group, by_scipy, u, v, what=what):
            both = isinstance(value, (tuple, list)) and len(value) == 2
            if name.endswith("?") or not both:
                yield name, value
            else:
                yield f"{group}: L1 between vectors of {len(u)} numbers", value[0]
                yield f"{group}: L2 between vectors of {len(u)} numbers", value[1]
    alone = with_names(by_scipy, by_hand=lambda *_, **__: 0.0)
    given, without = (plain(run(function, *VECTORS[0])) for function in (by_scipy, alone))
    yield f"{group}: an answer of by_hand, which you wrote yourself?", not same(given, without)


def agreement(same_number) -> Facts:
    """What is said of couples of numbers: far apart, hardly apart, and zeros."""
    for one, other in _scaled(PLAIN):
        yield f"same_number: {one:g} and {other:g}", run(same_number, one, other)
    group = "same_number, of numbers that hardly differ"
    for one, other in _scaled(ROUNDED):
        yield f"{group}: {one!r} and {other!r}", run(same_number, one, other)
    said = [run(same_number, *numbers) for numbers in EDGES]
    answers = sorted({str(answer) for answer in said})
    yield f"{group}: couples apart in the fourteenth digit", ", of others ".join(answers)
    for one, other in _scaled((LARGE, *APART)):
        yield f"{group}: {one!r} and {other!r}", run(same_number, one, other)
    for one, other in _scaled(ZEROS):
        yield f"same_number, of zeros: {one:g} and {other:g}", run(same_number, one, other)
    if PROBES.are_hidden:  # yes or no is soon guessed, and so many in a row never
        yield f"{group}: which of {MIXED} couples", [run(same_number, *two) for two in _mixed()]


def _scaled(couples) -> list:
    """The couples, each times a factor that leaves it as far apart as it is."""
    return [tuple(PROBES.numbers(couple, place)) for place, couple in enumerate(couples)]


def _mixed() -> np.ndarray:
    """Couples of every size, some of them the same but for rounding, (MIXED, 2)."""
    rng = PROBES.rng(3)
    numbers = rng.normal(0, 1, MIXED) * 10.0 ** rng.integers(-12, 12, MIXED)
    apart = rng.choice([-1, 1], MIXED) * 10.0 ** rng.choice([-14, -13, -3, -2], MIXED)
    return np.stack([numbers, numbers * (1 + apart)], axis=1)


def orders(lengths_by_order, limit_between) -> Facts:
    """Distances of several lists of orders, and what they settle at."""
    group = "lengths_by_order, tried on vectors and orders of the check's own"
    for (u, v), asked in zip(VECTORS, LISTS, strict=True):
        yield from _calls(group, lengths_by_order, u, v, asked, what=f"for the orders {asked}")
    group = "limit_between, tried on vectors of the check's own"
    for u, v in VECTORS:
        what = f"limit between vectors of {len(u)} numbers"
        yield from _calls(group, limit_between, u, v, what=what)


def steady(steady) -> Facts:
    """Distances of small and of large orders, between vectors of several sizes and equal ones."""
    group = "steady, tried on vectors of the check's own"
    for u, v in VECTORS:
        for size in (1, 0.01, 1000):
            for p in (1, 2.5, 9, 900, 50_000):
                what = f"order {p} between vectors of {len(u)} numbers, times {size}"
                yield from _calls(group, steady, size * u, size * v, p, what=what)
    yield f"{group}: order 3 between equal vectors", run(steady, *VECTORS[0][:1] * 2, 3)


def units(in_metres, in_centimetres) -> Facts:
    """L2 between metres and centimetres, brought to one unit."""
    for name, function in (("in_metres", in_metres), ("in_centimetres", in_centimetres)):
        group = f"{name}, tried on vectors of the check's own"
        for u, v in VECTORS:
            yield from _calls(group, function, u, 100 * v, what=f"L2 of {len(u)} places")


def fair(spreads, fair_distance, most_like) -> Facts:
    """Spreads, distances and nearest rows in tables with columns of several sizes."""
    for n_rows, n_columns in ((4, 3), (12, 5)):
        rng = PROBES.rng(n_rows)
        sizes = 10.0 ** rng.permutation(n_columns)
        table = sizes * (rng.standard_normal((n_rows, n_columns)) + 3)
        what = f"{n_rows} rows and {n_columns} columns"
        yield from calls("spreads, of tables of the check's own", spreads, table, what=what)
        group = "fair_distance, between rows of the check's own"
        given = table[0], table[-1], sizes + 0.5
        yield from calls(group, fair_distance, *given, what=f"of {n_columns} numbers")
        group = "most_like, in tables of the check's own"
        for row in range(n_rows):
            what = f"the row nearest to row {row} of {n_rows}"
            yield from calls(group, most_like, table, row, what=what)


check = checker(__name__)
