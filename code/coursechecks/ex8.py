"""What the answers of exercise 8 do: windows, outputs at their ends, pairs, controls, bands."""

import numpy as np
import torch

from coursechecks.engine import (
    About,
    Facts,
    Raised,
    calls,
    checker,
    kind_of,
    run,
    size_of,
    tried,
    with_names,
)
from coursechecks.networks import N_VOCABULARY, small_gpt2
from coursechecks.probes import here

READS = ("seen/08.json.xz",)
PROBES = here()
# Of random numbers only yes and no is observed, and that is soon guessed.
REPLAYED = {"own-past": "", "control": ("shuffled", "draws")}

TEXT = PROBES.rng(1).permutation(400) + 1000  # no token comes twice
# Targets just too early and just late enough for a window of 7, and one at the text's end.
PLACES = np.array([0, 3, 5, 6, 7, 11, 30, 31, PROBES.size(220, 150), 399])


def windows(cut_windows) -> Facts:
    """Windows of three lengths in a text of different tokens, and in a text of few."""
    function, repeated = _elsewhere(cut_windows), (np.arange(400) + PROBES.size(0, 6)) % 7
    for length, ids, places, where in (
        (7, TEXT, PLACES[PLACES > 20], "late targets"),  # first what the slices hold
        (31, repeated, PLACES[PLACES > 50], "late targets"),
        (7, TEXT, PLACES, "targets early and late"),
        (31, repeated, PLACES, "targets early and late"),
        (1, TEXT, PLACES, "targets early and late"),
    ):
        group = f"cut_windows, tried on {where}, {length} tokens a window"
        cut, is_changed = tried(function, ids, places, length)
        yield f"{group}: how many things come back", _count(cut)
        yield f"{group}: changes what it is given?", is_changed
        if _count(cut) == "2":
            yield from _whole(f"{group}: places of the targets", cut[1])
            yield from _whole(f"{group}: windows", cut[0])


def _elsewhere(function, **names):
    """The function with other data in place of what the notebook has."""
    own = {"LENGTH": 9, "ids": np.arange(90), "places": np.arange(20, 90, 8)}
    own |= {"ends": np.arange(20, 90, 8), "windows": np.arange(90).reshape(-1, 9)}
    own |= {"model": small_gpt2(2, 1, 4, PROBES.rng(0)), "ATTENTIONS": ["att_1", "att_0"]}
    own |= {"N_DRAWS": 5}
    gaps = np.arange(1, 37)
    own |= {"gaps": gaps, "common": np.maximum(20 - gaps, 0), "trained": np.zeros((2, 2))}
    return with_names(function, **own | names)


def _count(value) -> "str | Raised":
    return str(len(value)) if isinstance(value, (tuple, list)) else kind_of(value)


def _whole(name: str, value) -> Facts:
    """A result, in an array, and whether its numbers are whole."""
    yield name, value
    if not isinstance(value, Raised):
        is_whole = isinstance(value, np.ndarray) and value.dtype.kind in "iu"
        yield f"{name}, in an array of whole numbers", is_whole


def outputs(outputs_at_end) -> Facts:
    """Outputs of some components of two small models, named in an order of their own."""
    function = _elsewhere(outputs_at_end)
    cases = (
        (small_gpt2(3, 2, 6, PROBES.rng(0)), ["att_2", "mlp_0", "att_0"], (4, 5)),
        (small_gpt2(2, 1, 5, PROBES.rng(0)), ["mlp_1"], (2, 9)),
    )
    for number, (model, names, sizes) in enumerate(cases, 1):
        group = f"outputs_at_end, tried on small model {number}"
        cut = PROBES.rng(number).integers(0, N_VOCABULARY, sizes)
        found = run(function, model, cut, names)
        yield f"{group}: shape", size_of(found)
        yield f"{group}: numbers of {', '.join(names)}", About(found)
        yield f"{group}: a NumPy array", isinstance(found, np.ndarray)
        left = sum(len(module._forward_hooks) for module in model.modules())
        yield f"{group}: hooks left on the model?", left > 0


def pairs(pairs_of) -> Facts:
    """Pairs with much, with one token and with none in common, of targets side by side, too."""
    function = _elsewhere(pairs_of)
    for length, shown in ((6, [9, 10, 14, 15, 40]), (9, [8, 12, 17, 25, 26, 33, 90]), (1, [2, 3])):
        steps = PROBES.rng(length).integers(1, 9, len(shown) + 2)
        ends = np.cumsum(steps).tolist() if PROBES.are_hidden else shown
        group = f"pairs_of, windows of {length} tokens that end at {ends}"
        found, is_changed = tried(function, np.array(ends), length)
        yield f"{group}: how many things come back", _count(found)
        yield f"{group}: changes what it is given?", is_changed
        if _count(found) == "2":
            yield f"{group}: gaps", found[0]
            yield f"{group}: tokens in common", found[1]


def cosines(cosines_of) -> Facts:
    """Vectors of several lengths and directions, more of them than coordinates and fewer."""
    function = _elsewhere(cosines_of)
    for n_vectors, width in ((4, 3), (3, 7), (14, 200)):
        rng = PROBES.rng(width)
        vectors = rng.normal(0.7, 1, (n_vectors, width)) * rng.uniform(0.2, 9, (n_vectors, 1))
        vectors[:2] = 0  # these two are at right angles
        vectors[0, 0], vectors[1, 1] = 2, 0.5
        group = f"cosines_of, tried on {n_vectors} vectors of {width} coordinates"
        yield from calls(group, function, vectors, what="cosines")


def taus(taus_of) -> Facts:
    """Pairs of both kinds in random order, some with one token in common, with ties in the gap."""
    function = _elsewhere(taus_of)
    for number, length in ((1, 12), (2, 30)):
        rng = PROBES.rng(number)
        gaps = rng.integers(1, 2 * length, 60)
        gaps[:4] = length - 1, length, length - 2, length + 1
        rng.shuffle(gaps)
        common = np.array([len(range(gap, length)) for gap in gaps])
        slope = np.where(common > 0, -1, 0.6)  # the two taus have different signs
        values = slope * gaps + rng.normal(0, length / 3, len(gaps))
        values[common == 1] += length  # so that it matters to whom these few belong
        group = f"taus_of, tried on pairs {number} of the check's own"
        found, is_changed = tried(function, values, gaps, common)
        yield f"{group}: how many numbers", size_of(found)
        if size_of(found) == "2":
            yield f"{group}: with a common past", found[0]
            yield f"{group}: without", found[1]
        yield f"{group}: changes what it is given?", is_changed


def control(shuffled, spoil) -> Facts:
    """Where the numbers of matrices go, and what becomes of a small model."""
    yield from _shuffled(shuffled)
    yield from _spoiled(spoil)


def _shuffled(function) -> Facts:
    group, sizes = "shuffled, tried on a matrix of the check's own", (12, 30)
    matrix = PROBES.rng(6).permutation(np.prod(sizes)).reshape(sizes) + 0.25
    first, is_changed = tried(function, matrix, PROBES.rng(7))
    yield f"{group}: shape", size_of(first)
    yield f"{group}: changes what it is given?", is_changed
    yield f"{group}: a NumPy array", isinstance(first, np.ndarray)
    if size_of(first) != size_of(matrix):
        return
    numbers = np.asarray(first, dtype=float)
    is_same = np.array_equal(np.sort(numbers, axis=None), np.sort(matrix, axis=None))
    yield f"{group}: the same numbers", is_same
    if is_same:
        came = np.argsort(matrix, axis=None)[(numbers - 0.25).astype(int)]  # from which places
        rows, columns = np.divmod(came, sizes[1])
        home_rows, home_columns = np.indices(sizes)
        yield f"{group}: rows that stay together?", (rows == rows[:, :1]).all(axis=1).any()
        yield f"{group}: columns that stay together?", (columns == columns[:1]).all(axis=0).any()
        yield f"{group}: numbers that only move within their row?", (rows == home_rows).all()
        is_column = (columns == home_columns).all()
        yield f"{group}: numbers that only move within their column?", is_column
        yield f"{group}: neighbours that stay neighbours?", (np.diff(came) == 1).mean() > 0.3
        yield f"{group}: numbers sorted?", (np.diff(numbers) > 0).all()
    rng = PROBES.rng(7)  # goes on from call to call
    draws = [run(lambda given: function(given, rng), matrix) for _ in range(2)]
    yield "draws: two from one generator are alike?", np.array_equal(*draws)
    yield "draws: the same again from the same seed", np.array_equal(first, draws[0])
    yield "draws: shape of a tall matrix", size_of(run(function, matrix.T[:, :5], rng))


def _spoiled(function) -> Facts:
    model, group = small_gpt2(2, 2, 6, PROBES.rng(0)), "spoil, tried on a small model"
    before = {name: w.detach().clone() for name, w in model.named_parameters()}
    marked = with_names(function, shuffled=lambda numbers, rng: -np.array(numbers))
    other = _call(marked, model)
    is_model = isinstance(other, torch.nn.Module)
    yield f"{group}: what it returns", kind_of(other)
    after = dict(model.named_parameters())
    is_changed = any(not torch.equal(before[name], after[name]) for name in before)
    yield f"{group}: the given model is changed?", is_changed
    yield f"{group}: it returns the given model itself?", other is model
    if not is_model:
        return
    spoiled = dict(other.named_parameters())
    yield f"{group}: weights of the same names", list(spoiled) == list(before)
    turned = {name: torch.equal(spoiled[name], -before[name]) for name in before}
    same = {name: torch.equal(spoiled[name], before[name]) for name in before}
    by_axes = {n: [name for name in before if before[name].ndim == n] for n in (1, 2)}
    yield f"{group}: every matrix goes through `shuffled`", all(turned[n] for n in by_axes[2])
    yield f"{group}: what has one axis stays", all(same[n] for n in by_axes[1])
    if PROBES.are_hidden:
        for name, weights in spoiled.items():
            yield f"{group}: weights of {name}", About(PROBES.sums(weights.detach()))


def _call(function, model):
    """Result of a call on the model itself, not on a copy as `run` would hand over."""
    return run(lambda: function(model, PROBES.rng(2)))


def band(place_in_band, outside_by_chance) -> Facts:
    """Values below, among, above and at the ends of bands, in more draws than blocks and fewer."""
    function, group = _elsewhere(place_in_band), "place_in_band, of draws of the check's own"
    for n_draws, n_blocks in ((5, 14), (16, 7)):
        rng = PROBES.rng(n_draws)
        draws = np.linspace(-0.3, 0.4, n_blocks) + rng.normal(0, 0.2, (n_draws, n_blocks)).round(3)
        low, second, *_, high = np.sort(draws, axis=0)
        places = [low - 0.01, low, second, draws.mean(axis=0), high, high + 0.01, low + 9]
        trained = np.stack(places)[np.arange(len(low)) % len(places), np.arange(len(low))]
        what = f"{n_draws} draws in {n_blocks} blocks"
        yield from calls(group, function, trained, draws, what=what)
    for few, draws in ((12, 8), (30, 3), (6, 19)):
        n_blocks, n_draws = PROBES.size(few, 7), PROBES.size(draws, 5)
        what = f"{n_blocks} blocks, {n_draws} draws"
        found = run(_elsewhere(outside_by_chance), n_blocks, n_draws)
        yield f"outside_by_chance: {what}", found


def own_past(own_pasts) -> Facts:
    """From where random tokens came, in a text of different tokens and in one of few."""
    function, ends, length = _elsewhere(own_pasts), np.array([40, 60, 61, 200, 399]), 41
    group, came = "own_pasts, tried on a text of the check's own", []
    for seed in (4, 4, 5):
        result = run(function, TEXT, ends, length, PROBES.rng(seed))
        yield f"{group}: shape", size_of(result)
        if size_of(result) != f"{len(ends)} × {length}":
            return
        is_whole = np.asarray(result).dtype.kind in "iu"
        yield f"{group}: whole numbers", is_whole
        if not is_whole:
            return
        came.append(np.asarray(result))
    yield f"{group}: tokens of the text", bool(np.isin(came[0], TEXT).all())
    yield f"{group}: last tokens, less those at the targets", came[0][:, -1] - TEXT[ends]
    if not np.isin(came[0], TEXT).all():
        return
    sources = np.argsort(TEXT)[came[0] - TEXT.min()][:, :-1]  # places in the text
    yield f"{group}: the same past for all?", (sources == sources[:1]).all()
    yield f"{group}: a piece of the text in one run?", (np.diff(sources) == 1).mean() > 0.5
    behind = ends[:, None] - sources
    yield f"{group}: only tokens of its own window?", ((behind > 0) & (behind < length)).all()
    spread = np.histogram(sources, bins=4, range=(0, len(TEXT)))[0] / sources.size
    yield f"{group}: tokens from each quarter of the text", bool((spread > 0.1).all())
    yield f"{group}: tokens sorted?", (np.diff(came[0][:, :-1]) >= 0).all()
    yield f"{group}: the same from the same seed", np.array_equal(came[0], came[1])
    yield f"{group}: another seed makes no difference?", np.array_equal(came[0], came[2])
    places = np.arange(4000)
    few = np.where(places % 10 == 0, places // 10 + 5, 3)  # 9 of 10 are 3
    result = run(function, few, ends + 300, 300, PROBES.rng(6))
    yield "a frequent token: shape", size_of(result)
    share = (np.asarray(result)[:, :-1] == 3).mean()
    yield "a frequent token: as often as in the text", bool(0.85 < share < 0.95)


def subject(tau_of_neighbours) -> Facts:
    """A small model on a text with targets near and far, by way of the student's own functions."""
    ids = PROBES.rng(3).integers(0, N_VOCABULARY, 300)
    places = np.cumsum(PROBES.rng(2).integers(1, 7, 40))
    function = _elsewhere(tau_of_neighbours)
    # In float32, and of narrow vectors, two cosines may be so near that another processor has them
    # in another order.
    model = small_gpt2(3, 2, 24, PROBES.rng(0)).double()
    for length, reach, name in ((5, 20, "att_1"), (9, 40, "mlp_2"), (12, 13, "att_0")):
        group = f"tau_of_neighbours, windows of {length} tokens, closer than {reach}, {name}"
        found = run(function, model, ids, places, length, reach, name)
        yield f"{group}: how many numbers", size_of(found)
        if size_of(found) == "2":
            yield f"{group}: number of pairs", found[1]
            yield f"{group}: tau", About(found[0])


check = checker(__name__)
