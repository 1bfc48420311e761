"""Checks of exercise 7: windows before each target, norms, and information between blocks."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
from layerlab.hooks import last_token_activations, record
from layerlab.information import mutual_information
from layerlab.sweeps import layer_information, to_upper
from layerlab.tokens import context_windows

CONTEXT = 9  # tokens before each target
SEQUENCES = 100
PANELS = tuple("ABCDEF")

EARLY_KEPT = Mistake(
    "targets without a full context kept",
    "Some of your targets have fewer tokens before them than the window needs. A start below 0 "
    "raises no error: a slice counts it from the end.",
)
ONE_TOO_STRICT = Mistake(
    "a target with just enough context dropped",
    "Which is the first place, counted from 0, that has all the tokens before it?",
)
CUT_FIRST = Mistake(
    "cut before filtering",
    "You took the first hundred and then dropped those too early, so fewer than a hundred remain.",
)
WITHIN_ONE_PASS = Mistake(
    "only targets inside one context window",
    "Each target brings its own short window, so the whole article may be used.",
)
NOT_CUT = Mistake("more than a hundred", "All usable targets are there. How many did we want?")
LAST_ONES = Mistake("the last hundred", "The first hundred were asked for.")
STARTS = Mistake(
    "starts instead of places",
    "Your numbers say where the windows begin. Return the places of the targets; the windows come "
    "later.",
)
LEFT_OUT_BY_NUMBER = Mistake(
    "left out by number, not by place",
    "You leave out the first few targets of the list, wherever they stand. Look at the values: at "
    "which place of the article does a target stand, and is that late enough?",
)
MASK_RETURNED = Mistake(
    "mask returned",
    "Your answer says yes or no for each target. Use it to index the places.",
)
TARGET_NOT_COUNTED = Mistake(
    "target not counted", "The window holds the tokens before the target, and the target itself."
)
SHAPE_TRANSPOSED = Mistake(
    "rows and columns of the shape swapped", "One sequence a row, one token a column."
)
TARGET_LEFT_OUT = Mistake(
    "target left out",
    "Your rows end with the token before the coffee. A slice stops before its end.",
)
CONTEXT_TOO_SHORT = Mistake(
    "one context token missing",
    "Your rows end with the target, but begin one token late. Count what stands before it.",
)
WINDOW_SHIFTED = Mistake(
    "window shifted past the target",
    "Your rows have the right length and end with the token after the coffee.",
)
WINDOW_TOO_LONG = Mistake(
    "one token too many at the end", "Your rows go one token beyond the target."
)
WINDOW_LEFT = Mistake(
    "window one token to the left",
    "Your rows have the right length and end with the token before the coffee.",
)
CONTEXT_AFTER = Mistake(
    "tokens after the target",
    "Your rows begin with the target. The model reads from left to right: what can it know there?",
)
BATCH_TRANSPOSED = Mistake(
    "batch transposed",
    "One sequence must be one row. Yours are columns, and the model would read across coffees.",
)
BATCH_FLAT = Mistake(
    "rows joined end to end", "All windows became one long sequence. Put each in a row of its own."
)
FIRST_TOKEN = Mistake(
    "first token instead of the target",
    "You kept what stands at the beginning of each window. Where in its row is the coffee?",
)
TOKEN_BEFORE = Mistake(
    "token before the target", "You kept the last word of the context. One further."
)
ALL_TOKENS = Mistake(
    "all tokens kept",
    "There are as many rows as tokens in the batch. Which position of each sequence do we need?",
)
NO_LIST = Mistake(
    "position without a list",
    "Sequences and neurons have run together into one axis. `positions` is a list, even if it "
    "holds a single number.",
)
CLASS_FOR_CONTEXT = Mistake(
    "class instead of a context",
    "Behind the comma stands a class. How is an object made of one?",
)
ARRAY_FOR_TENSOR = Mistake(
    "array instead of a tensor",
    "The model was given what NumPy or Python made. It reads tensors of torch only.",
)
ONE_SEQUENCE = Mistake(
    "one sequence instead of the batch", "The model has read a single row. All rows go in together."
)
GRADIENTS_KEPT = Mistake(
    "pass with gradients",
    "The output still carries what a training step would need, which costs memory and time. Tell "
    "torch that nobody will ask for a gradient.",
)
OVER_SEQUENCES = Mistake(
    "norm over the sequences",
    "You have one number for each neuron. The axis that disappears must be that of the neurons.",
)
OVER_BLOCKS = Mistake(
    "norm over the blocks", "The axis of the blocks is gone, and it is the blocks we compare."
)
L1_NORM = Mistake("L1 norm", "You added up sizes. The Euclidean norm adds up squares.")
SQUARED_NORM = Mistake("squared norm", "The last step of the Euclidean norm is missing.")
MEAN_UNDER_ROOT = Mistake(
    "mean under the root", "The squares are averaged; the Euclidean norm adds them up."
)
SUM_FOR_NORM = Mistake(
    "sum instead of norm", "Positive and negative neurons cancel in a sum. A length has no sign."
)
MEAN_FOR_NORM = Mistake(
    "mean instead of norm",
    "Positive and negative neurons cancel in a mean. A length has no sign.",
)
AXIS_KEPT = Mistake(
    "axis kept with length one",
    "The numbers are right, but the axis of the neurons is still there. It should be gone.",
)
NATS = Mistake("nats for bits", "scikit-learn answers in nats. How many nats are one bit?")
WRONG_WAY = Mistake(
    "converted the wrong way",
    "A nat is more than a bit, so the number in bits must be the larger of the two.",
)
CONVERTED_TWICE = Mistake(
    "converted twice",
    "Your values are too large by as much as a number grows from nats to bits. Once is enough.",
)
LOG_OF_ESTIMATE = Mistake(
    "logarithm of the estimate",
    "You took the logarithm of the information itself. Only the unit changes, by a factor.",
)
ATTENTION_TWICE = Mistake(
    "attention used for both components",
    "The second matrix equals the first. Does the index of the component change?",
)
WITH_ITSELF = Mistake(
    "a block's information about itself",
    "Both norms come from the same block, so each tells everything about the other.",
)
ACROSS = Mistake(
    "attention paired with MLP",
    "Pairs are formed within a component: attention with attention, MLP with MLP.",
)
ONE_SEQUENCE_ACROSS = Mistake(
    "sequence index in place of the block's",
    "You compared two coffees across the blocks. Which axis of the norms is that of the blocks?",
)
ALL_WITH_ALL = Mistake(
    "every block with every block",
    "Each pair comes twice, and each block also meets itself. Which j are left if i < j?",
)
DIAGONAL_INCLUDED = Mistake(
    "diagonal included", "Where j equals i, a block is compared with itself. Where must j start?"
)
LAST_BLOCK_OUT = Mistake(
    "last block left out", "The last column is empty. `range` stops before its end already."
)
BELOW_DIAGONAL = Mistake(
    "pairs below the diagonal", "Your pairs have j < i. The first index is to be the smaller one."
)
DISTANCE_NEGATIVE = Mistake(
    "distance negative", "For i < j, the later block is j. Which index runs along which axis?"
)
BLOCKS_BETWEEN = Mistake(
    "blocks between counted",
    "Neighbours are one block apart. You counted the blocks that lie between the two.",
)
LIST_FOR_ARRAY = Mistake(
    "list instead of an array",
    "The numbers are right, but an index of pairs cannot pick from a list of lists.",
)
DIAGONAL_AMONG_PAIRS = Mistake(
    "diagonal among the pairs",
    "Your indices contain (0, 0), which is no pair. On which diagonal must the triangle begin?",
)
LOWER_TRIANGLE = Mistake("lower triangle", "Your indices have j < i, where the matrices are empty.")
WHOLE_MATRIX = Mistake(
    "whole matrix",
    "Half of your index pairs, and the diagonal, point at zeros that nobody measured.",
)
PAIRS_TWICE = Mistake(
    "each pair twice",
    "Every pair is there as (i, j) and again as (j, i). Only one of the two was measured.",
)
MASK_OF_NUMBERS = Mistake(
    "mask of numbers",
    "Zeros and ones are taken for row numbers. A mask must hold True and False.",
)
ZEROS_DROPPED = Mistake(
    "pairs with an estimate of zero dropped",
    "Some pairs i < j are missing: those whose estimate is zero. They were measured, and count.",
)
TUPLE_IN_INDEX = Mistake(
    "tuple index behind a colon or a number",
    "The index of the pairs holds two arrays, rows and columns. Behind a colon or a number, NumPy "
    "takes both for rows. Take one matrix first, then its places.",
)
PICKED_FOR_MATRIX = Mistake(
    "picked pairs instead of a matrix",
    "An upper panel shows a whole matrix, with a row and a column for each block. Only the lower "
    "panels want the pairs picked out of it.",
)
SAME_MATRIX = Mistake(
    "attention in both matrices", "Panels A and B show the same. One of them belongs to the MLP."
)
MATRICES_SWAPPED = Mistake(
    "attention and MLP swapped", "Component 0 is attention, and attention is panel A."
)
ZEROS_DRAWN = Mistake(
    "zeros drawn as measurements",
    "There are as many dots as places in the matrix. Only pairs i < j were measured.",
)
AXES_SWAPPED = Mistake(
    "x and y swapped", "Look at the labels of the panel: what runs to the right, and what upward?"
)
SAME_SCATTER = Mistake(
    "attention in both scatters", "Panels D and E show the same dots. Does the component change?"
)
AGAINST_ITSELF = Mistake(
    "a component against itself",
    "All dots of panel F lie on the diagonal, because both axes show the same numbers.",
)
NOT_SHUFFLED = Mistake("not shuffled", "The norms are where they were.")
SHUFFLED_IN_PLACE = Mistake(
    "shuffled in place, nothing returned",
    "The method changed the array that it was given, which would have cost you your norms, and its "
    "own result is None. The other two leave their argument alone and return a new array.",
)
SHUFFLED_ALIKE = Mistake(
    "all blocks shuffled alike",
    "Every block got the same new order, so the pairs stayed together. Each row needs an order of "
    "its own.",
)
ONE_ORDER_EACH = Mistake(
    "one order per component",
    "Attention and MLP have different orders, but within each all blocks share one, so their pairs "
    "stayed together.",
)
ONE_COMPONENT_SHUFFLED = Mistake(
    "only one component shuffled",
    "The other one's norms are where they were, and their pairs are intact.",
)
SOME_SHUFFLED = Mistake(
    "only some blocks shuffled",
    "Several blocks have kept their order, so the pairs among them are intact.",
)
BLOCKS_SHUFFLED = Mistake(
    "blocks shuffled, not sequences",
    "A coffee's norms now stand at other blocks. Each block must keep its hundred values.",
)
ONE_HEAP = Mistake(
    "everything in one heap",
    "Blocks have swapped values with each other. Name the axis along which to shuffle.",
)
ZEROS_AVERAGED = Mistake(
    "zeros of the matrix averaged in",
    "The places on and below the diagonal hold no measurement, and pull the floor down.",
)
ONE_COMPONENT_AVERAGED = Mistake(
    "one component only",
    "That is the mean over the pairs of attention alone, or of the MLP alone. Both belong in it.",
)
TWO_AVERAGES = Mistake(
    "an average for each component",
    "Attention and the MLP have one each. A single number is asked for, over the pairs of both.",
)


def check_choice(choose, places) -> None:
    """The function that keeps the targets with a full context, and of those the first hundred.

    Parameters
    ----------
    choose : callable
        The answer: places of targets to the chosen places.
    places : ndarray of int, shape (n_targets,)
        All places of the target in the article.
    """
    made_up = np.r_[2, 5, 8, 9, 10, 13, np.arange(20, 2020, 15)]
    late = made_up + 100_000  # as in an article in which no target comes too early

    def is_by_number(_):
        kept = np.ravel(choose(late.copy()))
        start = np.searchsorted(late, kept[0])
        return start > 0 and np.array_equal(kept, late[start:][: kept.size])

    tried = "choose, tried on places made up here"
    for what, data in ((tried, made_up), (tried, late), ("choose(places)", np.array(places))):
        early_kept, strict = data[:SEQUENCES], data[data > CONTEXT][:SEQUENCES]
        usable = data[data >= CONTEXT]
        first = usable[:SEQUENCES]
        got = call(what, choose, data.copy())
        mistakes = {
            EARLY_KEPT: early_kept,
            ONE_TOO_STRICT: strict,
            CUT_FIRST: early_kept[early_kept >= CONTEXT],
            WITHIN_ONE_PASS: usable[usable < 1024][:SEQUENCES],
            NOT_CUT: usable,
            LAST_ONES: usable[-SEQUENCES:],
            STARTS: first - CONTEXT,
            MASK_RETURNED: itself_if(got, first, lambda _, got=got: np.asarray(got).dtype == bool),
            LEFT_OUT_BY_NUMBER: itself_if(got, first, is_by_number),
        }
        compare(what, got, first, mistakes)
    n_early = int(np.sum(np.asarray(places) < CONTEXT))
    right(
        f"Filter first, cut afterwards: {n_early} of {len(places)} targets "
        f"{'stands' if n_early == 1 else 'stand'} too early, and {len(got)} of the others stay."
    )


def check_shape(shape) -> None:
    """The shape of the batch.

    Parameters
    ----------
    shape : tuple of int
        The answer.
    """
    expected = (SEQUENCES, CONTEXT + 1)
    mistakes = {TARGET_NOT_COUNTED: (SEQUENCES, CONTEXT), SHAPE_TRANSPOSED: expected[::-1]}
    got = np.asarray(shape, dtype=object).tolist()
    got = tuple(got) if isinstance(got, list) else got
    if got != expected:  # `compare` would print the right shape, and as floats
        named = [mistake for mistake, wrong in mistakes.items() if got == wrong]
        wanted = "two numbers: how many sequences there are, and how many tokens in each"
        fail("shape", expected=wanted, got=str(got), mistake=named[0] if named else None)
    right("One row a sequence, and in each row the tokens before the target with the target last.")


def check_batch(batch, ids, places) -> None:
    """The windows, each ending in its target.

    Parameters
    ----------
    batch : array_like of int
        The answer.
    ids : ndarray of int, shape (n_tokens,)
    places : ndarray of int, shape (n_targets,)
        All places of the target in the article.
    """
    expected = _windows(ids, places)
    ends = np.asarray(places)[np.asarray(places) >= CONTEXT][:SEQUENCES]

    def around(first, last):
        return np.take(ids, ends[:, None] + np.arange(first, last + 1), mode="clip")

    mistakes = {
        TARGET_LEFT_OUT: around(-CONTEXT, -1),
        CONTEXT_TOO_SHORT: around(1 - CONTEXT, 0),
        WINDOW_SHIFTED: around(1 - CONTEXT, 1),
        WINDOW_TOO_LONG: around(-CONTEXT, 1),
        WINDOW_LEFT: around(-1 - CONTEXT, -1),
        CONTEXT_AFTER: around(0, CONTEXT),
        BATCH_TRANSPOSED: expected.T,
        BATCH_FLAT: expected.ravel(),
    }
    compare("batch", batch, expected, mistakes)
    right(
        f"{len(expected)} rows of {CONTEXT + 1} tokens, and every row ends in the target: start "
        "and stop are right."
    )


def check_pass(one_pass, model, ids, places) -> None:
    """The function that records the target in every sequence, in a pass without gradients.

    Parameters
    ----------
    one_pass : callable
        The answer: windows (n, CONTEXT + 1) to activations (2, depth, n, width).
    model : transformers.GPT2LMHeadModel
        The one that the function runs.
    ids, places : ndarray of int
        As in `check_batch`.
    """
    windows = _windows(ids, places)[:20]  # enough to see what it does
    expected = last_token_activations(model, windows)  # (2, depth, n, width)
    n_tokens = windows.size
    what = f"one_pass (tried on {len(windows)} windows)"
    vectors, has_gradients = _watched_pass(what, one_pass, model, windows)

    def at(position):
        with record(model, positions=[position]) as heard:
            model(torch.as_tensor(windows, device=model.device))
        return heard.stack()

    mistakes = {
        FIRST_TOKEN: lambda: at(0),
        TOKEN_BEFORE: lambda: at(CONTEXT - 1),
        ALL_TOKENS: itself_if(vectors, expected, lambda a: a.shape[2] == n_tokens),
        NO_LIST: itself_if(vectors, expected, lambda a: a.ndim == 3),
        ONE_SEQUENCE: itself_if(vectors, expected, lambda a: a.shape[2] == 1),
    }
    compare(what, vectors, expected, mistakes, rtol=1e-3, atol=1e-3)
    if has_gradients:
        fail("the forward pass", expected="no gradients prepared", mistake=GRADIENTS_KEPT)
    right("One pass for all sequences, without gradients, and of each sequence the last token.")


def check_strength(strength, model, ids, places) -> None:
    """The Euclidean norm of the target's activation, in every block and sequence.

    Parameters
    ----------
    strength : ndarray
        The answer.
    model, ids, places
        As in `check_pass`.
    """
    X = last_token_activations(model, _windows(ids, places)).astype(float)
    squares = np.square(X)
    expected = np.sqrt(squares.sum(axis=3))  # (2, depth, n_sequences)
    mistakes = {
        OVER_SEQUENCES: np.sqrt(squares.sum(axis=2)),
        OVER_BLOCKS: np.sqrt(squares.sum(axis=1)),
        L1_NORM: np.abs(X).sum(axis=3),
        SQUARED_NORM: squares.sum(axis=3),
        MEAN_UNDER_ROOT: np.sqrt(squares.mean(axis=3)),
        SUM_FOR_NORM: X.sum(axis=3),
        MEAN_FOR_NORM: X.mean(axis=3),
        AXIS_KEPT: expected[..., None],
    }
    compare("strength", strength, expected, mistakes, rtol=1e-3, atol=1e-3)
    right(
        f"The neurons are gone, the rest is there: {expected.shape[2]} lengths for each of "
        f"{expected.shape[1]} blocks, in attention and in the MLP."
    )


def check_information(information_between) -> None:
    """The function that measures every two blocks, within attention and within MLP.

    Parameters
    ----------
    information_between : callable
        The answer: norms (2, depth, n_sequences) to bits (2, depth, depth).
    """
    rng = np.random.default_rng(7)
    depth = 6  # enough for an estimate across the blocks, where they are mistaken for samples
    common = rng.normal(size=(2, 1, 60))
    scales = np.linspace(0.3, 0.9, depth)[:, None]
    norms = 10 + common + scales * rng.normal(size=(2, depth, 60))
    what = "information_between (tried on norms made up here)"
    got = call(what, information_between, norms.copy())
    expected = _upper(layer_information(norms))  # (2, depth, depth)
    values = _as_matrices(what, got, expected)
    lower, diagonal = np.tril(values, -1), np.diagonal(values, axis1=1, axis2=2)

    def matrices(measure: Callable) -> np.ndarray:
        bits = [[measure(c, *pair) for pair in combinations(range(depth), 2)] for c in range(2)]
        return _upper(bits)

    with np.errstate(divide="ignore"):  # estimates of zero
        logarithms = _upper(np.log2(layer_information(norms) * np.log(2)))
    mistakes = {
        NATS: expected * np.log(2),
        WRONG_WAY: expected * np.log(2) ** 2,
        CONVERTED_TWICE: expected / np.log(2),
        ATTENTION_TWICE: expected[[0, 0]],
        WITH_ITSELF: matrices(lambda c, i, j: mutual_information(norms[c, i], norms[c, i])),
        ACROSS: matrices(lambda c, i, j: mutual_information(norms[0, i], norms[1, j])),
        LOG_OF_ESTIMATE: logarithms,
        ONE_SEQUENCE_ACROSS: matrices(
            lambda c, i, j: mutual_information(norms[c, :, i], norms[c, :, j])
        ),
        LAST_BLOCK_OUT: expected * (np.arange(depth) < depth - 1),
        BELOW_DIAGONAL: np.zeros_like(expected) if np.any(lower) else expected,
    }
    compare(what, np.triu(values, 1), expected, mistakes, rtol=1e-3, atol=2e-3)
    if np.any(np.nan_to_num(diagonal)):
        known = ALL_WITH_ALL if np.any(np.nan_to_num(lower)) else DIAGONAL_INCLUDED
        fail(what, expected="nothing on the diagonal", mistake=known)
    mirrored = np.swapaxes(expected, 1, 2)
    if np.any(np.nan_to_num(lower)) and not np.allclose(lower, mirrored, 1e-3, 2e-3):
        fail(what, expected="below the diagonal nothing, or the mirror image of what is above it")
    right(
        "Every pair i < j, attention with attention and MLP with MLP, in bits: the package, asked "
        "in another way, says the same."
    )


def check_distance(apart, strength) -> None:
    """The matrix of distances between blocks; only what stands above the diagonal counts.

    Parameters
    ----------
    apart : array_like, shape (depth, depth)
        The answer.
    strength : ndarray, shape (2, depth, n_sequences)
    """
    depth = np.shape(strength)[1]
    expected = _upper([_gaps(depth)])[0]  # (depth, depth)
    values = _as_matrices("apart", apart, expected)
    above = expected > 0
    mistakes = {DISTANCE_NEGATIVE: -expected, BLOCKS_BETWEEN: expected - above}
    compare("apart, above the diagonal", np.triu(values, 1), expected, mistakes)
    if not isinstance(apart, np.ndarray):
        known = LIST_FOR_ARRAY if isinstance(apart, list | tuple) else None
        fail("apart", expected="a NumPy array", got=kind_of(apart), mistake=known)
    right(f"From 1 between neighbours to {depth - 1} between the first block and the last.")


def check_upper(upper, strength) -> None:
    """The index that picks the pairs i < j out of a matrix.

    Parameters
    ----------
    upper : tuple of ndarray, or ndarray of bool
        The answer.
    strength : ndarray, shape (2, depth, n_sequences)
    """
    depth = np.shape(strength)[1]
    places = np.arange(depth * depth).reshape(depth, depth)
    wanted = f"an index that picks the {depth * (depth - 1) // 2} pairs i < j"
    if _is_mask_of_numbers(upper, places.shape):
        fail("upper", expected=wanted, got="a matrix of numbers", mistake=MASK_OF_NUMBERS)
    try:
        picked = np.sort(places[upper], axis=None)
    except (IndexError, ValueError) as error:
        fail("upper", expected=wanted, got=f"{type(error).__name__}: {error}")
    above, below = places < places.T, places > places.T
    mistakes = {
        DIAGONAL_AMONG_PAIRS: ~below,
        LOWER_TRIANGLE: below,
        WHOLE_MATRIX: np.ones_like(above),
        PAIRS_TWICE: above | below,
    }
    if not np.array_equal(picked, places[above]):
        named = [m for m, mask in mistakes.items() if np.array_equal(picked, places[mask])]
        zero = np.any(_upper(layer_information(strength) <= 0), axis=0)
        missing = np.setdiff1d(places[above], picked)
        if np.isin(picked, places[above]).all() and np.isin(missing, places[zero]).all():
            named.append(ZEROS_DROPPED)
        got = f"{picked.size} places of the matrix"
        fail("upper", expected=wanted, got=got, mistake=named[0] if named else None)
    right(f"{picked.size} pairs of blocks, each once, without the diagonal and what lies below it.")


def check_panels(draw_blocks, upper) -> None:
    """The six panels, drawn from made-up results.

    Parameters
    ----------
    draw_blocks : callable
        The answer: bits (2, depth, depth), distances (depth, depth) and the index of the pairs
        i < j to a Figure.
    upper : tuple of ndarray, or ndarray of bool
        The answer to the step before: the function is given an index of the same kind.
    """
    depth = 5
    pairs, index = _made_up_pairs(depth, upper)
    bits, gaps = _upper(pairs), _gaps(depth)
    numbers = np.arange(depth)
    apart = numbers - numbers[:, None]
    figure = call("draw_blocks", draw_blocks, bits.copy().view(_Results), apart, index)
    panels = _panels(figure)
    swapped, same = bits[::-1], bits[[0, 0]]

    def picked(row):  # as `heat_map` shows a row of pairs: again and again, one below the other
        return {PICKED_FOR_MATRIX: np.triu(np.tile(row, (len(row), 1)), 1)}

    for c, letter in enumerate("AB"):
        mistakes = {SAME_MATRIX: same[c], MATRICES_SWAPPED: swapped[c]} | picked(pairs[c])
        compare(f"panel {letter}", _image(panels, letter), bits[c], mistakes)
    compare("panel C", _image(panels, "C"), _upper([gaps])[0], picked(gaps))
    for c, letter in enumerate("DE"):
        wrong = {
            SAME_SCATTER: _sorted_dots(gaps, pairs[0]),
            ZEROS_DROPPED: lambda dots: len(dots) < len(gaps) and dots.all(),
        }
        _compare_dots(panels, letter, gaps, pairs[c], wrong)
    wrong = {
        AGAINST_ITSELF: lambda dots: np.array_equal(dots[:, 0], dots[:, 1]),
        ZEROS_DROPPED: lambda dots: len(dots) < len(gaps) and dots.all(axis=0).any(),
    }
    _compare_dots(panels, "F", *pairs, wrong)
    right(
        f"Six panels: two matrices of MI and one of distance, and below them {len(gaps)} dots each "
        f"for {depth} blocks, one for every pair i < j."
    )


def check_shuffle(shuffle, strength) -> None:
    """The function that destroys the pairing of the norms.

    Parameters
    ----------
    shuffle : callable
        The answer: norms (2, depth, n_sequences) and a generator to the norms, each block's
        shuffled by itself. It is given a copy.
    strength : ndarray, shape (2, depth, n_sequences)
    """
    strength = np.asarray(strength, dtype=float)
    given = strength.copy()
    try:
        # A seed that also swaps attention and MLP, where the first axis is shuffled.
        shuffled = call("shuffle", shuffle, given, np.random.default_rng(3))
    except CheckFailed as failure:
        if failure.__cause__ is None and not np.array_equal(given, strength):
            fail("shuffle", expected="an array", got="None", mistake=SHUFFLED_IN_PLACE)
        raise
    values = _as_matrices("shuffle", shuffled, strength)

    def keeps(axis):
        return np.allclose(np.sort(values, axis), np.sort(strength, axis), 1e-4, 1e-4)

    if np.allclose(values, strength, 1e-4, 1e-4):
        fail("shuffle", expected="another order", mistake=NOT_SHUFFLED)
    if not keeps(axis=2):
        known = BLOCKS_SHUFFLED if keeps(axis=1) else ONE_HEAP if keeps(axis=None) else None
        fail("shuffle", expected="the same values in every block", mistake=known)
    _compare_orders(_orders(values, strength))
    right("Each block keeps its values and loses its partners, for every block has its own order.")


def check_floor(average, upper, strength) -> None:
    """The mean over the measured pairs of both components, tried on made-up results.

    Parameters
    ----------
    average : callable
        The answer: bits (2, depth, depth) and the index of the pairs i < j to a number.
    upper : tuple of ndarray, or ndarray of bool
        As in `check_panels`.
    strength : ndarray, shape (2, depth, n_sequences)
    """
    depth = np.shape(strength)[1]
    pairs, index = _made_up_pairs(depth, upper)
    what = "average (tried on bits made up here)"
    got = call(what, average, _upper(pairs).view(_Results), index)
    each = pairs.mean(axis=1)  # (2,)

    def is_of_one(answer):
        return answer.ndim == 0 and np.isclose(answer, each).any()

    mistakes = {
        ZEROS_AVERAGED: pairs.sum() / (2 * depth**2),
        ONE_COMPONENT_AVERAGED: itself_if(got, pairs.mean(), is_of_one),
        TWO_AVERAGES: each,
        ZEROS_DROPPED: pairs[pairs > 0].mean(),
    }
    compare(what, got, pairs.mean(), mistakes)
    right(f"One number for all {pairs.size} pairs, those with an estimate of zero among them.")


class _Results(np.ndarray):
    """Results that say so when a tuple of index arrays becomes a part of a longer index."""

    def __getitem__(self, key):
        if isinstance(key, tuple) and any(isinstance(part, tuple) for part in key):
            wanted, came = "one matrix, then the index of its pairs", "an index within an index"
            fail("the use of upper", expected=wanted, got=came, mistake=TUPLE_IN_INDEX)
        return super().__getitem__(key)


def _orders(shuffled, strength) -> np.ndarray:
    """From where each value of `shuffled` came within its row; (2, depth, n_sequences)."""
    orders = np.empty(strength.shape, dtype=int)
    np.put_along_axis(orders, np.argsort(shuffled, axis=2), np.argsort(strength, axis=2), axis=2)
    return orders


def _compare_orders(orders) -> None:
    """Accept orders (2, depth, n_sequences) in which no two blocks of a component agree."""
    kept = orders == np.arange(orders.shape[2])
    still = kept.mean(axis=2) > 0.5  # (2, depth); nearly equal values may have changed places
    agree = (orders[:, :, None] == orders[:, None]).mean(axis=3) > 0.5  # (2, depth, depth)
    alike = np.triu(agree, 1)
    if not alike.any():
        return
    if still.all(axis=1).any():
        known = ONE_COMPONENT_SHUFFLED
    elif agree.all():
        across = np.mean(orders[0, 0] == orders[1, 0]) > 0.5
        known = SHUFFLED_ALIKE if across else ONE_ORDER_EACH
    else:
        known = SOME_SHUFFLED if (still.sum(axis=1) > 1).any() else None
    component, i, j = np.argwhere(alike)[0]
    fail(
        "shuffle",
        expected="an order of its own for each block",
        got=f"the same order in blocks {i} and {j} of {('attention', 'the MLP')[component]}",
        mistake=known,
    )


def _is_mask_of_numbers(upper, shape: tuple[int, int]) -> bool:
    """Whether an index is a matrix of zeros and ones that are numbers."""
    is_matrix = isinstance(upper, np.ndarray) and upper.shape == shape and upper.dtype != bool
    return is_matrix and np.isin(upper, (0, 1)).all()


def _windows(ids, places) -> np.ndarray:
    """The right batch, (n_sequences, CONTEXT + 1)."""
    return context_windows(ids, places, CONTEXT)[:SEQUENCES]


def _watched_pass(what: str, one_pass, model, windows) -> tuple:
    """What the function returns, and whether the model prepared gradients; known errors by name."""
    outputs = []

    def look_at_input(module, args, options):
        given = [*args, *options.values()]
        strange = [value for value in given if isinstance(value, np.ndarray | list)]
        if strange:
            got = type(strange[0]).__name__
            fail(what, expected="a tensor for the model", got=got, mistake=ARRAY_FOR_TENSOR)

    hooks = [
        model.register_forward_pre_hook(look_at_input, with_kwargs=True),
        model.base_model.register_forward_hook(lambda module, args, output: outputs.append(output)),
    ]
    try:
        vectors = call(what, one_pass, windows.copy())
    except CheckFailed as failure:
        if "'type' object does not support the context manager" in str(failure):
            got = str(failure.__cause__)
            fail(what, expected="a context", got=got, mistake=CLASS_FOR_CONTEXT)
        raise
    finally:
        for hook in hooks:
            hook.remove()
    return vectors, any(output[0].requires_grad for output in outputs)


def _made_up_pairs(depth: int, upper) -> tuple:
    """Bits of the pairs i < j (2, n_pairs), some of them zero, and an index of the given kind."""
    n_pairs = depth * (depth - 1) // 2
    pairs = np.random.default_rng(7).uniform(0.05, 1.5, (2, n_pairs))
    pairs[[0, 0, 1, 1], [1, 6, 3, 8]] = 0  # measured, and no relation found
    above = ~np.tri(depth, dtype=bool)
    return pairs, above if np.asarray(upper).dtype == bool else np.nonzero(above)


def _gaps(depth: int) -> np.ndarray:
    """Distances of the pairs i < j of blocks, (n_pairs,)."""
    return np.array([j - i for i, j in combinations(range(depth), 2)])


def _upper(pairs) -> np.ndarray:
    """Rows of pairs as matrices, zeros on and below the diagonal; (n, depth, depth)."""
    return np.stack([to_upper(row) for row in pairs])


def _as_matrices(what: str, got, expected) -> np.ndarray:
    """The answer as an array of the shape expected, or a failed check."""
    try:
        values = np.asarray(got, dtype=float)
    except (TypeError, ValueError):
        values = None
    if values is None or values.shape != expected.shape:
        compare(what, got, expected)  # says what came instead
    return values


def _panels(figure) -> dict[str, Axes]:
    """The panels by the letters that their titles begin with."""
    if not isinstance(figure, Figure):
        fail("draw_blocks", expected="a figure", got=kind_of(figure))
    panels = {}
    for axes in figure.axes:
        title = "".join(axes.get_title(side) for side in ("left", "center", "right"))
        panels[title[:1]] = axes
    missing = sorted(set(PANELS) - set(panels))
    if missing:
        fail("draw_blocks", expected="panels A to F", got=f"none called {', '.join(missing)}")
    return panels


def _image(panels: dict[str, Axes], letter: str) -> np.ndarray:
    """What a panel shows above the diagonal, zeros elsewhere."""
    images = panels[letter].images
    if len(images) != 1:
        fail(f"panel {letter}", expected="one image", got=f"{len(images)} of them")
    return np.triu(np.ma.filled(images[0].get_array(), np.nan), 1)


def _sorted_dots(x, y) -> np.ndarray:
    """Dots (n, 2) from left to right: in which order they were drawn does not matter."""
    dots = np.column_stack([np.ravel(x), np.ravel(y)]).astype(float)
    return dots[np.lexsort(dots.T[::-1])]


def _compare_dots(panels: dict[str, Axes], letter: str, x, y, wrong: dict) -> None:
    """Compare the dots of a panel with those of the pairs."""
    collections = panels[letter].collections
    if not collections:
        fail(f"panel {letter}", expected="dots drawn with scatter", got="none")
    dots = _sorted_dots(*np.ma.filled(collections[0].get_offsets(), np.nan).T)
    expected = _sorted_dots(x, y)
    mistakes = {
        ZEROS_DRAWN: itself_if(dots, expected, lambda a: len(a) > len(expected)),
        AXES_SWAPPED: _sorted_dots(y, x),
    }
    for mistake, value in wrong.items():
        mistakes[mistake] = itself_if(dots, expected, value) if callable(value) else value
    compare(f"dots of panel {letter}", dots, expected, mistakes)
