"""What the answers of exercise 7 do: windows, departures, information between blocks, its floor."""

from functools import partial

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from coursechecks import figures
from coursechecks.engine import (
    About,
    Facts,
    Raised,
    calls,
    checker,
    run,
    size_of,
    tried,
    with_names,
)
from coursechecks.probes import here
from layerlab.sweeps import to_upper

READS = ("seen/07.json.xz",)
PROBES = here()
REPLAYED = {"shuffle": ""}  # of random numbers only yes and no is observed: that is soon guessed

CONTEXT, SEQUENCES = 9, 100  # as the exercise asks for: tokens before each target, and targets
FARTHEST = 20  # tokens from its target at which the beginning of a row is looked for
# Places of targets, more than in the notebook: some too early, none, all that can be, and few.
EARLY = np.array([2, 5, 8, 9, 10, 13])
GAPS = np.arange(20, 3020, 15) + 10 * (np.arange(200) % 2)
if PROBES.are_hidden:
    GAPS = GAPS + PROBES.rng(1).integers(0, 5, GAPS.size)
LISTS = {
    "some of them early": np.append(EARLY, GAPS),
    "none of them early": np.append(EARLY, GAPS) + 100_000,
    "every early place among them": np.append(np.arange(CONTEXT + 2), GAPS),
    "fewer than a hundred": np.append(EARLY, GAPS[:20]),
}
SMALL = {"vocab_size": 30, "n_positions": 16, "n_embd": 4, "n_layer": 2, "n_head": 2}
SMALL |= {"bos_token_id": 0, "eos_token_id": 0}
# What is made up here is once larger than in the notebook, along every axis: no number that was
# typed to fit there, a size or how much is kept, fits here, too.
MANY_BLOCKS, MANY_SEQUENCES, MANY_COORDINATES = 13, 120, 200
DEPTHS = (PROBES.size(5, 4), PROBES.size(MANY_BLOCKS, 5))


def choose(choose) -> Facts:
    """The places that are kept of three lists of places."""
    for words, places in LISTS.items():
        group = f"choose, tried on places of the check's own, {words}"
        yield from calls(group, choose, places, what="chosen places", see=_whole)


def _whole(name: str, value) -> Facts:
    yield name, value
    if not isinstance(value, Raised):
        yield f"{name}, whole numbers", np.asarray(value).dtype.kind in "iu"


def shape(shape) -> Facts:
    """How many rows and columns the batch will have."""
    yield from _whole("shape: rows and columns", shape)


def windows(batch, ids, places) -> Facts:
    """Where the rows of the batch begin and end in the article, counted from their targets."""
    yield "batch: a NumPy array", isinstance(batch, np.ndarray)
    rows = np.asarray(batch)
    yield "batch: numbers of a type that the model reads", rows.dtype in (np.int64, np.int32)
    yield "batch: how many axes", rows.ndim
    if rows.ndim != 2:
        return
    targets = np.asarray(places)[np.asarray(places) >= CONTEXT][:SEQUENCES]
    yield "batch: one row for each target", len(rows) == len(targets)
    yield "batch: how many tokens in a row", rows.shape[1]
    columns = targets[:, None] + np.arange(rows.shape[1])
    begins = range(-FARTHEST, FARTHEST + 1)
    pieces = (np.take(ids, columns + first, mode="clip") for first in begins)
    found = (np.array_equal(rows, piece) for piece in pieces)
    first = next((first for first, is_it in zip(begins, found, strict=True) if is_it), None)
    yield "batch: every row a piece of the article, alike from its target", first is not None
    if first is not None:
        yield "batch: place of a row's first token, its target's being 0", first
        yield "batch: place of a row's last token, its target's being 0", first + rows.shape[1] - 1
    if PROBES.are_hidden:
        yield "batch: all of it", PROBES.sums(rows)


def forward(one_pass) -> Facts:
    """What is recorded of a small model with random weights, and how that model was called."""
    group = "one_pass, tried on a small model of the check's own"
    model, given, outputs = _small_model(), [], []
    model.register_forward_pre_hook(
        lambda _, args, options: given.append(args[0] if args else options.get("input_ids")),
        with_kwargs=True,
    )
    model.base_model.register_forward_hook(lambda *args: outputs.append(args[-1][0]))
    for n, seed in ((3, 1), (2, 2)):
        rows = PROBES.rng(seed).integers(0, SMALL["vocab_size"], (n, CONTEXT + 1))
        found = run(with_names(one_pass, model=model), rows)
        yield f"{group}: activations of {n} rows", About(found)
    rows = np.resize(rows, (MANY_SEQUENCES, CONTEXT + 1))
    found = run(with_names(one_pass, model=model), rows)
    yield f"{group}: size of the activations of {MANY_SEQUENCES} rows", size_of(found)
    yield f"{group}: a tensor given to the model", all(map(torch.is_tensor, given))
    is_whole = all(not torch.is_floating_point(t) for t in given if torch.is_tensor(t))
    yield f"{group}: whole numbers given to the model", is_whole
    yield f"{group}: gradients prepared?", any(output.requires_grad for output in outputs)


def _small_model() -> GPT2LMHeadModel:
    """A GPT-2 of 2 blocks and 4 coordinates; nobody's random numbers are touched."""
    with torch.random.fork_rng():
        model = GPT2LMHeadModel(GPT2Config(**SMALL)).eval()
    rng = PROBES.rng(0)
    with torch.no_grad():
        for weights in model.parameters():
            weights.copy_(torch.as_tensor(rng.normal(0, 0.5, weights.shape)))
    return model


def departures(departures_of) -> Facts:
    """Distances of made-up vectors from their mean; the four axes have different lengths."""
    group = "departures_of, tried on vectors of the check's own"
    for seed, sizes in enumerate(((2, 3, 5, 4), (2, 4, 3, 6))):
        vectors = _answers(seed, sizes)
        words = " × ".join(map(str, sizes))
        yield from calls(group, departures_of, vectors, what=f"lengths of {words}", see=_lengths)
    sizes = 2, MANY_BLOCKS, MANY_SEQUENCES
    vectors = _answers(2, (*sizes, MANY_COORDINATES))
    lengths = yield from _array(f"{group}: many lengths", run(departures_of, vectors), sizes)
    if lengths is not None:
        yield f"{group}: many lengths, those of the last sequence", About(lengths[..., -1])


def _answers(seed: int, sizes: tuple) -> np.ndarray:
    """Vectors that scatter around another average in every component and block."""
    rng = PROBES.rng(seed)
    return rng.normal(0.5, 4, (*sizes[:2], 1, sizes[3])) + rng.normal(0, 2, sizes)


def _lengths(name: str, value) -> Facts:
    yield name, About(value)
    yield f"{name}, in a NumPy array", isinstance(value, np.ndarray)


def information(information_between) -> Facts:
    """Bits between made-up departures; below the diagonal their mirror image may stand."""
    group = "information_between, tried on departures of the check's own"
    for depth, n in ((6, 60), (3, MANY_SEQUENCES), (MANY_BLOCKS, 20)):
        rng = PROBES.rng(depth)
        scales = np.linspace(0.3, 1.8, depth)[:, None]  # noise that grows with the block
        given = rng.normal(10, 1, (2, 1, n)) + scales * rng.normal(size=(2, depth, n))
        see = partial(_matrices, sizes=(2, depth, depth))
        yield from calls(group, information_between, given, what=f"of {depth} blocks", see=see)


def _matrices(name: str, value, sizes: tuple) -> Facts:
    """What stands above the diagonals of matrices, and whether anything else stands there."""
    matrices = yield from _array(name, value, sizes)
    if matrices is None:
        return
    above = np.triu_indices(sizes[-1], 1)
    upper, lower = matrices[..., *above], np.nan_to_num(matrices[..., *above[::-1]])
    yield f"{name}, bits above the diagonal", About(upper)
    diagonal = np.nan_to_num(np.diagonal(matrices, axis1=-2, axis2=-1))
    yield f"{name}, numbers on the diagonal?", diagonal.any()
    is_mirror = np.allclose(lower, upper, 1e-3, 2e-3)
    yield f"{name}, other numbers below the diagonal?", lower.any() and not is_mirror


def _array(name: str, value, sizes: tuple):
    """Observe the size of what came, and return it as an array if that is the right one."""
    yield f"{name}, size", size_of(value)
    is_right = size_of(value) == " × ".join(map(str, sizes))
    return np.asarray(value, dtype=float) if is_right else None


def distance(block_distances) -> Facts:
    """The matrix of distances of two depths; only what stands above the diagonal counts."""
    for depth in DEPTHS:
        apart = run(block_distances, depth)
        matrix = yield from _array(f"block_distances: for {depth} blocks", apart, (depth, depth))
        if matrix is not None:
            numbers = matrix[np.triu_indices(depth, 1)]
            yield f"block_distances: for {depth} blocks, above the diagonal", numbers
            yield "block_distances: a NumPy array", isinstance(apart, np.ndarray)


def pairs(upper, bits) -> Facts:
    """Which places of a matrix the index picks."""
    group = "upper, as an index of a matrix"
    depth = np.shape(bits)[-1]
    places = np.arange(depth * depth).reshape(depth, depth)
    picked = run(lambda: places[upper])
    is_rows = not isinstance(upper, tuple) and np.ndim(picked) > 1
    yield f"{group}: whole rows are picked?", picked if isinstance(picked, Raised) else is_rows
    if is_rows or isinstance(picked, Raised):
        return
    yield f"{group}: how many axes has what it picks", np.ndim(picked)
    i, j = np.divmod(np.ravel(picked), depth)
    yield f"{group}: places on the diagonal?", (i == j).any()
    yield f"{group}: places below the diagonal?", (i > j).any()
    yield f"{group}: a place more than once?", len(np.unique(picked)) < np.size(picked)
    yield f"{group}: pairs that are left out", _left_out(picked, places, np.asarray(bits))
    if PROBES.are_hidden:
        yield f"{group}: all places", np.sort(picked, axis=None)


def _left_out(picked, places, bits) -> str:
    """Which pairs i < j are not among the picked places, in words."""
    above = places[np.triu_indices(len(places), 1)]
    missing = np.setdiff1d(above, picked)
    if not missing.size:
        return "none"
    if len(missing) == len(above):
        return "all"
    if np.isin(missing, places[(bits <= 0).any(axis=0)]).all():
        return "only such as have an estimate of 0"
    if np.array_equal(missing, np.diagonal(places, 1)):
        return "the neighbours"
    return "some"


def panels(draw_blocks, upper, apart) -> Facts:
    """Six panels of made-up bits with zeros among them, for two depths."""
    for depth in DEPTHS:
        rows, index = _made_up_pairs(depth, upper)
        gaps = _below_as_in(apart, to_upper(np.subtract(*np.triu_indices(depth, 1)[::-1])))
        drawn = run(draw_blocks, np.stack([to_upper(row) for row in rows]), gaps, index)
        yield f"draw_blocks: a figure for {depth} blocks", drawn
        shown = figures.panels(drawn)
        yield "draw_blocks: panels by letter", sorted(set("ABCDEF") & set(shown))
        for letter in "ABC":
            yield f"panel {letter}: matrix of {depth} blocks", figures.image(shown[letter])
        for letter in "DEF":
            yield f"panel {letter}: dots for {depth} blocks", figures.dots(shown[letter])


def _made_up_pairs(depth: int, upper) -> tuple:
    """Bits of the pairs i < j, (2, n_pairs), some of them 0, and an index like the student's."""
    rows = PROBES.rng(depth).uniform(0.05, 1.5, (2, depth * (depth - 1) // 2))
    rows[[0, 0, 1, 1], [1, 6, 3, 8]] = 0  # measured, and no relation found
    above = ~np.tri(depth, dtype=bool)
    return rows, above if np.asarray(upper).dtype == bool else np.nonzero(above)


def _below_as_in(theirs, matrix) -> np.ndarray:
    """The matrix, with below its diagonal the mirror image, its negative or nothing, as theirs."""
    return matrix + np.sign(np.nansum(np.tril(theirs, -1))) * np.swapaxes(matrix, -2, -1)


def shuffle(shuffle) -> Facts:
    """From where each value came, by two seeds of which one comes twice."""
    group = "shuffle, tried on departures of the check's own"
    # No two values are equal, so it shows from where each one came.
    sizes = 2, MANY_BLOCKS, MANY_SEQUENCES
    given = PROBES.rng(7).permutation(np.prod(sizes)).reshape(sizes).astype(float)
    came = []
    for seed in (3, 3, 4):  # the first swaps attention and MLP, where that axis is shuffled
        shuffled = run(shuffle, given, PROBES.rng(seed))
        values = yield from _array(f"{group}: what comes back", shuffled, sizes)
        if values is None:
            return
        is_given = np.array_equal(np.sort(values, axis=None), np.arange(given.size))
        yield f"{group}: the values that were given", is_given
        if not is_given:
            return
        flat = np.argsort(given, axis=None)[values.astype(int)]
        came.append(np.stack(np.unravel_index(flat, sizes)))  # (3, 2, depth, n)
    component, block, _ = (came[0] != np.indices(sizes)).any(axis=(1, 2, 3))
    yield f"{group}: values in another component?", component
    yield f"{group}: values in another block?", block
    steps = np.sign(np.diff(values, axis=-1))  # (2, depth, n - 1)
    yield f"{group}: values in the order of their size?", (steps == steps[..., :1]).all(-1).any()
    yield from _orders(*(sources[2] for sources in came))


def _orders(orders, again, other) -> Facts:
    """What the orders (2, depth, n) of two seeds have in common; `again` is the first seed's."""
    group = "the orders of the blocks"
    both, n = np.stack([orders, other]), orders.shape[-1]
    yield f"{group}: a block that is not shuffled?", (orders == np.arange(n)).all(axis=-1).any()
    rows = orders.reshape(-1, n)  # attention and MLP are compared, too
    alike = (rows[:, None] == rows).all(axis=-1)
    yield f"{group}: two blocks in one order?", np.triu(alike, 1).any()
    yield f"{group}: the same again from the same seed", np.array_equal(orders, again)
    yield f"{group}: all others from another seed", not (orders == other).all(axis=-1).any()
    is_together = (both == both[..., :1, :]).all(axis=(0, 1, 2))
    yield f"{group}: a coffee whose departures stay together?", is_together.any()
    beside = np.isin(np.diff(both, axis=-1) % n, (1, n - 1)).mean(axis=-1)
    yield f"{group}: neighbours that stay together?", (beside > 0.5).any()


def floor(average, upper, bits) -> Facts:
    """The mean of made-up bits of two depths, with zeros among the pairs."""
    group = "average, of bits of the check's own"
    for depth in DEPTHS:
        rows, index = _made_up_pairs(depth, upper)
        matrices = _below_as_in(bits, np.stack([to_upper(row) for row in rows]))
        yield from calls(group, average, matrices, index, what=f"mean for {depth} blocks")


def across(information_across, turns) -> Facts:
    """Bits between attention and MLP of made-up departures; means out of matrices of two depths."""
    group = "information_across, tried on departures of the check's own"
    for depth, n in ((4, MANY_SEQUENCES), (MANY_BLOCKS, 20)):
        rng = PROBES.rng(depth)
        drift = np.cumsum(rng.normal(size=(2 * depth, n)), axis=0)  # attention and MLP in turns
        given = drift.reshape(depth, 2, n).swapaxes(0, 1) + 0.3 * rng.normal(size=(2, depth, n))
        found, is_changed = tried(information_across, given)
        bits = yield from _array(f"{group}: of {depth} blocks", found, (depth, depth))
        if bits is not None:
            yield f"{group}: of {depth} blocks, bits", About(bits)
        yield f"{group}: changes what it is given?", is_changed
    for depth in DEPTHS:
        matrix = PROBES.rng(depth).uniform(0, 1, (depth, depth)) ** 3
        result, is_changed = tried(turns, matrix)
        if isinstance(result, tuple) and len(result) == 2:
            yield f"first mean of turns: for {depth} blocks", result[0]
            yield f"second mean of turns: for {depth} blocks", result[1]
        else:
            yield f"turns: for {depth} blocks", result
        yield "turns: changes what it is given?", is_changed


check = checker(__name__)
