"""What the answers of exercise 2 do: people drawn and counted, entropies, information, r, ranks."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from sklearn.exceptions import DataConversionWarning

from coursechecks import figures
from coursechecks.engine import Facts, Raised, calls, checker, kind_of, plain, run, size_of, tried
from coursechecks.probes import here
from coursechecks.words import same

READS = ("seen/02.json.xz",)
PROBES = here()

SIZE, SEED = 347, 2  # the people that the exercise asks for
BOXES = (8, 6)  # and its bins of cups and of score
MANY = 400  # people, more than those: a number of theirs may stand in an answer as a limit
FEWEST, MOST = 4, 24  # and its numbers of bins
# Counts without an empty row or column: a square, and tables that are higher and wider than the
# exercise's; whole numbers among them, and no table of three rows, for three arrays come back.
TALLIES = [
    np.array([[3.0, 0, 1, 2], [2, 5, 0, 1], [1, 4, 9, 0], [0, 2, 6, 7]]),
    np.array([[2, 6], [7, 0], [1, 3], [4, 5], [0, 2], [3, 1], [5, 5], [2, 0], [6, 4], [1, 8]]),
    np.array([[8.0, 1, 0, 2, 5, 3, 0, 4, 1, 6], [3, 9, 4, 0, 6, 0, 2, 5, 7, 1]]),
]
WITH_EMPTY_ROW = np.array([[3.0, 1, 0, 2, 1, 4, 2], [0, 0, 0, 0, 0, 0, 0], [0, 2, 5, 1, 0, 3, 1]])
# The last one has empty boxes, since a constant may be written into just these.
OUTCOMES = {
    "a fair coin": np.array([0.5, 0.5]),
    "one of sixteen": np.full(16, 1 / 16),
    "a coin with two heads": np.array([1.0, 0.0]),
    "a table of 2 by 2 boxes": np.array([[0.1, 0.2], [0.3, 0.4]]),
    "a table of 2 by 3 boxes": np.array([[0.4, 0.3, 0.0], [0.0, 0.2, 0.1]]),
}


if PROBES.are_hidden:  # other numbers where there are some, and empty boxes where there were
    factors = PROBES.rng(1)
    TALLIES = [tally * factors.integers(1, 6, tally.shape) for tally in TALLIES]
    WITH_EMPTY_ROW = WITH_EMPTY_ROW * factors.integers(1, 6, WITH_EMPTY_ROW.shape)
    unequal = {name: q * factors.uniform(0.3, 1, q.shape) for name, q in OUTCOMES.items()}
    OUTCOMES = {name: q / q.sum() for name, q in unequal.items()}


def _people(seed: int, n: int) -> np.ndarray:
    """Cups and score of made-up people, (2, n): some negative, the score rising for even seeds."""
    rng = PROBES.rng(seed)
    cups = rng.gamma(2, 1, n) - 1
    return np.stack([cups, (-1) ** seed * cups + rng.normal(3, 2, n)])


def _back(found, n: int) -> "str | Raised":
    """What came back where n things should, in words; an error stays one."""
    if isinstance(found, np.ndarray):
        return f"{n} things" if found.shape[:1] == (n,) else f"one array, {size_of(found)}"
    return f"{len(found)} things" if isinstance(found, (tuple, list)) else kind_of(found)


def _digest(numbers) -> list[float]:
    """Smallest, largest, sum, and a sum that tells the order: of too many numbers to store."""
    numbers = np.asarray(numbers, float)
    return [numbers.min(), numbers.max(), numbers.sum(), (numbers * np.arange(numbers.size)).sum()]


def data(invent_study, cups, score) -> Facts:
    """People of several seeds, few and many, and whether the exercise's are the recipe's."""
    group = "invent_study, called more than once"
    once, again, other = (run(invent_study, 4, PROBES.seed(n)) for n in (31, 31, 32))
    yield f"{group}: what comes back, where cups and score should", _back(once, 2)
    is_same = same(plain(once), plain(again))
    yield f"{group}: the same people for the same seed", is_same
    if not is_same:  # whatever else could be seen would be other numbers at every run
        return
    yield f"{group}: other people for another seed", not same(plain(once), plain(other))
    # What is done to rare people alone, or up to some number of them, shows in a large crowd.
    for size, number in ((4, 31), (7, 32), (1000, 33)):
        seed = PROBES.seed(number)
        people = run(invent_study, size, seed)
        yield f"{group}: what comes back for {size} people", _back(people, 2)
        for name, part in zip(("cups", "score"), people, strict=True):
            made, what = f"{name} that invent_study makes", f"{size} people of seed {seed}"
            yield f"{made}: how many, of {what}", size_of(part)
            if np.size(part) <= size:  # else their number says enough
                if size < SIZE:
                    yield f"{made}: those of {what}", part
                else:
                    yield f"{made}: smallest, largest, sum and order of {what}", _digest(part)
    group = "cups and score, the people of the exercise"
    yield f"{group}: how many cups", size_of(cups)
    yield f"{group}: how many scores", size_of(score)
    recipe = list(run(invent_study, SIZE, SEED))
    what = f"those that your recipe makes for {SIZE} people and seed {SEED}"
    yield f"{group}: {what}", same(plain(recipe), plain([cups, score]))
    if PROBES.are_hidden:
        yield f"{group}: all of them", PROBES.sums([cups, score])


def counts(count_people) -> Facts:
    """Counts and edges of two crowds; the edges first, since the counts follow from them."""
    for seed, n in ((6, 60), (9, MANY)):
        found, is_changed = tried(count_people, *_people(seed, n))
        came = _back(found, 3)
        group = f"count_people, of {n} people of the check's own"
        yield f"{group}: what comes back, where counts and two arrays of edges should", came
        yield f"{group}: changes what it is given?", is_changed
        tally, *edges = found
        yield f"{group}: boxes along each axis", size_of(tally)
        for name, part in zip(("cups", "score"), edges, strict=True):
            yield f"{group}: edges of the {name}", part
        yield f"{group}: people in each box", tally


def image(draw_study) -> Facts:
    """Where the counts of two crowds lie in panel B.

    One has as many boxes as in the exercise, where an index that fits no other number works. The
    other has more scores than cups.
    """
    places = []
    for seed, bins in ((6, BOXES), (7, (4, 9))):
        people = _people(seed, MANY)
        where = "({} by {} boxes)".format(*bins)
        tally = PROBES.rng(seed).integers(0, 9, bins).astype(float)  # of nobody in particular
        edges = [np.linspace(p.min(), p.max(), n + 1) for p, n in zip(people, bins, strict=True)]
        drawn, is_changed = tried(draw_study, *people, tally, *edges)
        yield f"draw_study: a figure of people of the check's own {where}", drawn
        yield "draw_study: changes what it is given?", is_changed
        shown = figures.panels(drawn)
        panel = shown["B"]
        places.append(figures.image_place(panel))
        yield f"place of the image in panel B: its ends {where}", places[-1]
        limits = np.array([panel.get_xlim(), panel.get_ylim()])
        for name, (low, high) in zip(("cups", "score"), limits, strict=True):
            what = f"the axis of the {name} runs as in panel A"
            yield f"place of the image in panel B: {what} {where}", bool(low < high)
        is_whole = (places[-1] - np.sort(limits)) * [1, -1] >= 0
        yield f"place of the image in panel B: all of it in sight {where}", bool(is_whole.all())
        yield f"image in panel B: counts as one sees them {where}", figures.image(panel)
        points = people.T[np.lexsort(people[::-1])]
        for letter in "AB":
            is_there = same(plain(figures.dots(shown[letter])), plain(points))
            yield f"points in panel {letter}: cups to the right, score upwards {where}", is_there
    # A number of boxes is a mistake of its own.
    stays = np.equal(*places)[:, 1] & ~np.isin(places[0][:, 1], BOXES)
    yield "place of the image in panel B: an end that stays for other people?", bool(stays.any())


def probabilities(to_probabilities) -> Facts:
    """Joint distribution and marginals of tables of several sizes."""
    for tally in TALLIES:
        found, is_changed = tried(to_probabilities, tally)
        what = f"what comes back of {size_of(tally)} boxes, where three arrays should"
        yield f"to_probabilities: {what}", _back(found, 3)
        yield "to_probabilities: changes what it is given?", is_changed
        # The functions of later steps are made for arrays, and called with what comes from here.
        are_arrays = all(isinstance(part, np.ndarray) for part in found)
        yield "to_probabilities: all three are NumPy arrays", are_arrays
        for name, part in zip(("p_joint", "p_cups", "p_score"), found, strict=True):
            yield f"{name}, of counts of the check's own: of {size_of(tally)} boxes", part


def entropy(entropy_bits) -> Facts:
    """Entropy of one axis and of two, with empty boxes and without."""
    for name, q in OUTCOMES.items():
        yield from calls("entropy_bits", entropy_bits, q, what=f"bits of {name}")


def information(shared_bits) -> Facts:
    """Mutual information of several joint distributions, one of them with an empty row."""
    group = "shared_bits, of joint distributions of the check's own"
    for tally in (*TALLIES, WITH_EMPTY_ROW):
        joint = np.divide(tally, tally.sum())
        what = f"bits of {size_of(tally)} boxes"
        yield from calls(group, shared_bits, joint, joint.sum(1), joint.sum(0), what=what)


def neighbours(neighbour_bits) -> Facts:
    """Bits of one feature, of two and of three, in three crowds."""
    group = "neighbour_bits, of people of the check's own"
    for seed, n, n_features in ((4, 60, 2), (9, MANY, 3), (5, SIZE, 1)):
        cups, score = _people(seed, n)
        others = PROBES.rng(seed).standard_normal((2, n)) + 0.5 * score
        features = [cups, *others][:n_features]
        # A second argument of two axes is told of by a warning, and taken all the same.
        with warnings.catch_warnings(action="error", category=DataConversionWarning):
            what = f"bits of {n_features} features of {n} people"
            facts = list(calls(group, neighbour_bits, features, score, what=what))
        yield from facts


def bins(binned_bits, numbers, curve, cups, score) -> Facts:
    """Bits of two crowds for several numbers of bins, and the curve of the exercise's people."""
    group = "binned_bits, of people of the check's own"
    for seed, n, b in ((4, 80, 4), (4, 80, 7), (9, MANY, 25)):
        what = f"bits of {n} people for b = {b}"
        yield from calls(group, binned_bits, *_people(seed, n), b, what=what)
    yield "numbers: the numbers of bins", numbers
    yield "curve: how many", size_of(curve)
    own = [plain(run(binned_bits, cups, score, b)) for b in range(FEWEST, MOST + 1)]
    fits = [same(plain(bits), right) for bits, right in zip(curve, own, strict=False)]
    yield "curve: how many are what your function gives for their number of bins", sum(fits)
    yield "curve: all the same", all(same(plain(bits), plain(curve[0])) for bits in curve)
    if PROBES.are_hidden:
        yield "curve: all of it", PROBES.sums(curve)


def curve(draw_curve) -> Facts:
    """The reference line, drawn over two curves that have nothing in common."""
    group = "reference line, over a curve of the check's own"
    drawn = []
    # As many numbers as in the exercise, then more: a list may be as long as that by its text.
    for numbers, level_at in ((np.arange(2, 44, 2), 1.8125), (np.arange(50, 102, 2), 0.375)):
        reference = level_at * PROBES.scale(len(numbers))
        figure, is_changed = tried(draw_curve, numbers, np.sqrt(numbers) / 4, reference)
        yield f"draw_curve: a figure with a reference of {reference}", figure
        yield "draw_curve: changes what it is given?", is_changed
        axes = figure.axes[0]
        straight = list(_straight_lines(axes))
        level = [line for line in straight if line.is_level]
        across = [line for line in level if np.isclose(line.at, reference)] or level
        points = [line for line in axes.lines if len(line.get_xydata()) == 1]
        there = any(np.isclose(line.at, reference) for line in level)
        yield f"{group}: one sees it, level, at the reference of {reference}", there
        yield f"{group}: how many lines are level (reference {reference})", len(level)
        yield f"{group}: how many stand upright (reference {reference})", len(straight) - len(level)
        yield f"{group}: how many are a single point (reference {reference})", len(points)
        for what, reaches in (
            ("begins at the first number of bins", [ln.start <= numbers[0] for ln in across]),
            ("ends at the last number of bins", [ln.end >= numbers[-1] for ln in across]),
        ):
            yield f"{group}: {what} (reference {reference})", all(reaches)
        drawn.append([(line.at, line.start, line.end) for line in across])
        if PROBES.are_hidden:
            yield f"{group}: where", [line.at for line in across]
        for line in across:
            yield f"style of the reference line: which (reference {reference})", line.style
            labels = axes.get_legend_handles_labels()[1]
            is_named = bool(line.label.strip()) and labels.count(line.label) == 1
            yield f"legend: a name of its own for the line at {reference}", is_named
    first, second = (line[0] if len(line) == 1 else (None,) * 3 for line in drawn)
    stays = any(a == b for a, b in zip(first, second, strict=True) if a is not None)
    yield f"{group}: stays in some way, whatever it is given?", stays


def correlation(size_correlation) -> Facts:
    """Pearson's r of crowds in which the score rises, falls, and draws together."""
    group = "size_correlation, of people of the check's own"
    crowds = [_people(4, 60), _people(9, MANY), _people(12, 7)]
    cups, noise = PROBES.rng(3).random((2, 90))
    crowds.append(np.stack([cups, 2 + (1.2 - cups) * (noise - 0.4)]))
    for people in crowds:
        what = f"r of {people.shape[1]} people"
        yield from calls(group, size_correlation, *people, what=what)


def ranks(ranks, rank_bits) -> Facts:
    """Ranks with ties and without, and bits of crowds in one unit and in another."""
    group = "ranks, of values of the check's own"
    for values in ([3.5, -1.0, 7.25, 0.5, 2.0], [2.0, 5.0, 2.0, 2.0, -3.0, 5.0, 9.0], [4.0]):
        shown = PROBES.order(values, len(values))
        yield from calls(group, ranks, np.array(shown), what=f"ranks of {shown}")
    many = _people(8, MANY)[0]
    yield f"{group}: smallest, largest, sum and order for {MANY}", _digest(run(ranks, many))
    group = "rank_bits, of people of the check's own"
    for seed, n, b in ((4, 80, 4), (9, MANY, 12)):
        cups, score = _people(seed, n)
        for unit, people in {
            "as they are": (cups, score),
            "stretched": (cups**3, 9.0**score),
        }.items():
            what = f"bits of {n} people, {unit}, for b = {b}"
            yield from calls(group, rank_bits, *people, b, what=what)


# Lines of a figure -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    """A level or upright line: where it is, what of it can be seen, and how it looks."""

    is_level: bool
    at: float  # on the other axis
    start: float
    end: float  # less than the start if it lies beside the axes
    style: str
    label: str


def _straight_lines(axes: Axes) -> Iterator[_Line]:
    """All level and upright lines of a panel that are in sight, in the units of its axes."""
    limits = np.sort([axes.get_xlim(), axes.get_ylim()], axis=1)
    for points, style, label in _drawn_lines(axes):
        for along, across in ((0, 1), (1, 0)):
            if len(points) > 1 and np.ptp(points[:, across]) < 1e-9 < np.ptp(points[:, along]):
                start = max(points[:, along].min(), limits[along, 0])
                end = min(points[:, along].max(), limits[along, 1])
                at, start, end = np.round([points[0, across], start, end], 9)
                if limits[across, 0] <= at <= limits[across, 1]:
                    yield _Line(along == 0, float(at), float(start), float(end), style, label)


def _drawn_lines(axes: Axes) -> Iterator[tuple[np.ndarray, str, str]]:
    """Points of each line that has a stroke, in the units of the axes, (n_points, 2), style, label.

    A line may be given in shares of the width, as by `axhline`, or have no ends, as by `axline`.
    """
    for line in filter(figures.has_stroke, axes.lines):
        style = STYLES.get(line.get_linestyle(), "invisible")
        points = _in_data(line.get_xydata(), line.get_transform(), axes)
        yield points, style, str(line.get_label())
    for lines in axes.collections:
        if isinstance(lines, LineCollection) and figures.has_stroke(lines):
            for points in lines.get_segments():
                points = _in_data(points, lines.get_transform(), axes)
                yield points, _style(lines.get_linestyle()[0][1]), str(lines.get_label())


def _in_data(points, transform, axes: Axes) -> np.ndarray:
    return (transform + axes.transData.inverted()).transform(np.asarray(points, dtype=float))


STYLES = {"-": "solid", "--": "dashed", ":": "dotted", "-.": "dash-dotted"}


def _style(dashes) -> str:
    """The name of a pattern of lengths on and off, as a collection of lines has it."""
    if dashes is None or len(dashes) > 2:
        return "solid" if dashes is None else "dash-dotted"
    return "dashed" if dashes[0] >= dashes[1] else "dotted"


check = checker(__name__)
