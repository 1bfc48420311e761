"""Checks of exercise 7: windows before each target, norms, and information between blocks."""

import reprlib
import traceback
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
    first_seen,
    itself_if,
    kind_of,
    right,
    shape_of,
)
from layerlab.errors import TargetError
from layerlab.hooks import last_token_activations, record
from layerlab.information import mutual_information
from layerlab.sweeps import layer_information, to_upper
from layerlab.tokens import context_windows

CONTEXT = 9  # tokens before each target
SEQUENCES = 100
PANELS = tuple("ABCDEF")
DEPTH = 5  # blocks in bits made up here: another number than in the notebook
# What the notebook holds and no function of the last steps needs beside its arguments.
NOTEBOOK = {"ids", "places", "pieces", "batch", "vectors", "strength", "depth", "bits", "apart"}

GLOBAL_USED = Mistake(
    "a variable of the notebook instead of the argument",
    "The check gave your function something else than the notebook does. Which of the data that "
    "the function uses was it not given?",
)
LIST_FOR_ARRAY = Mistake(
    "list instead of an array",
    "The numbers are right, but a list has no shape, and no index that names several axes at once.",
)

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
INDICES = Mistake(
    "indices instead of places",
    "Your numbers count the targets in the list. Where in the article do these targets stand?",
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
ROW_TOO_LONG = Mistake(
    "one token too many in a row",
    "How many tokens are there in a target and those before it? Yours has one more.",
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
OUTSIDE_ROW = Mistake(
    "position outside the row",
    "`positions` are counted within a row of the batch, not within the article. Where in its row "
    "does each target stand?",
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
    "one sequence instead of the batch",
    "The model was given a single row. All rows go in together.",
)
TENSOR_OF_FLOATS = Mistake(
    "a tensor of floats",
    "Token ids are whole numbers, and the model looks them up in a table. Which type of numbers "
    "does your way to a tensor give?",
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
OVER_COMPONENTS = Mistake(
    "norm over the components",
    "The axis of attention and MLP is gone. The one that disappears must be that of the neurons.",
)
OVER_EVERYTHING = Mistake(
    "one norm of everything", "All axes are gone. Say which one has to go, and only that one."
)
L1_NORM = Mistake("L1 norm", "You added up sizes. The Euclidean norm adds up squares.")
SQUARED_NORM = Mistake("squared norm", "The last step of the Euclidean norm is missing.")
MEAN_UNDER_ROOT = Mistake(
    "mean under the root", "Under your root stands a mean; the Euclidean norm adds squares up."
)
STANDARD_DEVIATION = Mistake(
    "standard deviation instead of norm",
    "It says how far the neurons lie from their own mean. A length is measured from zero, and does "
    "not average.",
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
BASE_TEN = Mistake(
    "logarithm to base ten", "A bit is what one yes or no can tell. Which base belongs to that?"
)
CONVERTED_TWICE = Mistake(
    "converted twice",
    "Your values are too large by as much as a number grows from nats to bits. Once is enough.",
)
LOG_OF_ESTIMATE = Mistake(
    "logarithm of the estimate",
    "You took the logarithm of the information itself. Only the unit changes, by a factor.",
)
COMPONENT_TWICE = Mistake(
    "one component used for both",
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
BLOCKS_HARD_CODED = Mistake(
    "number of blocks hard-coded",
    "With twelve blocks your function runs, with six it looks for one that is not there. How many "
    "there are must come from the argument.",
)
DISTANCE_NEGATIVE = Mistake(
    "distance negative", "For i < j, the later block is j. Which index runs along which axis?"
)
INDICES_ADDED = Mistake(
    "sum instead of difference",
    "Neighbours are one block apart wherever they stand. In your matrix it depends on the place.",
)
BLOCKS_BETWEEN = Mistake(
    "blocks between counted",
    "Neighbours are one block apart. You counted the blocks that lie between the two.",
)
ENDS_COUNTED = Mistake(
    "both ends counted",
    "Neighbours are one block apart. You counted the blocks from the one to the other, both ends "
    "included.",
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
NEIGHBOURS_LEFT_OUT = Mistake(
    "neighbours left out", "Your index has no pair of blocks that are one apart. They count, too."
)
ROWS_PICKED = Mistake(
    "numbers taken for rows",
    "NumPy takes each number in an array or a list for a whole row. The places that you mean need "
    "a mask, or a tuple of two arrays.",
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
PAIRS_FROM_COMPONENTS = Mistake(
    "pairs picked before the component",
    "The first axis of `bits` is the component, attention or MLP, and the pairs are picked out of "
    "one matrix of blocks.",
)
PICKED_FOR_MATRIX = Mistake(
    "picked pairs instead of a matrix",
    "An upper panel shows a whole matrix, with a row and a column for each block. Only the lower "
    "panels want the pairs picked out of it.",
)
SAME_MATRIX = Mistake(
    "one component in both matrices",
    "Panels A and B show the same. One belongs to attention, the other to the MLP.",
)
MATRIX_MISSING = Mistake(
    "a matrix missing", "There are three upper panels, and fewer matrices for them."
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
    "same dots in both scatters", "Panels D and E show the same dots. Does the component change?"
)
UNEQUAL_LENGTHS = Mistake(
    "x and y of different lengths",
    "Each dot needs an x and a y. Were both picked out of their matrices by the same index?",
)
AGAINST_ITSELF = Mistake(
    "a component against itself",
    "All dots of panel F lie on the diagonal, because both axes show the same numbers.",
)
NOT_SHUFFLED = Mistake("not shuffled", "The norms are where they were.")
NONE_RETURNED = Mistake(
    "None returned",
    "A function without `return` gives None, and so does a method that shuffles in place. The "
    "generator's other two methods return a new array.",
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
COMPONENTS_MIXED = Mistake(
    "attention and MLP mixed",
    "Values of attention now stand in the MLP, and the other way round. Each component keeps its "
    "own; which axis is that of the coffees?",
)
BLOCKS_SHUFFLED = Mistake(
    "blocks shuffled, not sequences",
    "A coffee's norms now stand at other blocks. Each block must keep its hundred values.",
)
ONE_HEAP = Mistake(
    "everything in one heap",
    "Values have moved to other blocks and to the other component. Name the axis along which to "
    "shuffle.",
)
NOT_FROM_GENERATOR = Mistake(
    "an order that is not from the generator",
    "The function is given a generator. Each order must come from it: the same one again from the "
    "same seed, another one from another seed.",
)
ZEROS_AVERAGED = Mistake(
    "zeros of the matrix averaged in",
    "The places on and below the diagonal hold no measurement, and pull the floor down.",
)
ONE_COMPONENT_AVERAGED = Mistake(
    "one component only",
    "That is the mean over the pairs of attention alone, or of the MLP alone. Both belong in it.",
)
SEVERAL_AVERAGES = Mistake(
    "more than one average",
    "A single number is asked for, over all pairs of both components.",
)
MEANS_ADDED = Mistake(
    "two means added",
    "You added the mean of attention to that of the MLP. The mean of all pairs lies between them.",
)
SUM_FOR_MEAN = Mistake(
    "sum instead of mean", "You added up the bits of all pairs. A mean does not grow with them."
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
    steps = np.arange(134) % 2  # gaps of 25 and 5 tokens, so that it shows who looks at gaps
    made_up = np.r_[2, 5, 8, 9, 10, 13, np.arange(20, 2020, 15) + 10 * steps]
    late = made_up + 100_000  # as in an article in which no target comes too early
    places = np.asarray(places)
    of_notebook = places[places >= CONTEXT][:SEQUENCES]

    def is_by_number(_):
        kept = np.ravel(choose(late.copy()))
        start = np.searchsorted(late, kept[0])
        return start > 0 and np.array_equal(kept, late[start:][: kept.size])

    tried = "choose, tried on places made up here"
    for what, data in ((tried, made_up), (tried, late), ("choose(places)", places)):
        early_kept, strict = data[:SEQUENCES], data[data > CONTEXT][:SEQUENCES]
        usable, indices = data[data >= CONTEXT], np.flatnonzero(data >= CONTEXT)
        first = usable[:SEQUENCES]
        within = usable[usable < 1024][:SEQUENCES]
        got = call(what, choose, data.copy())
        mistakes = {
            EARLY_KEPT: early_kept,
            ONE_TOO_STRICT: strict,
            CUT_FIRST: early_kept[early_kept >= CONTEXT],
            WITHIN_ONE_PASS: within if within.size else first,  # an empty answer says little
            NOT_CUT: usable,
            LAST_ONES: usable[-SEQUENCES:],
            STARTS: first - CONTEXT,
            GLOBAL_USED: of_notebook,
            MASK_RETURNED: itself_if(got, first, lambda _, got=got: np.asarray(got).dtype == bool),
            INDICES: itself_if(
                got, first, lambda a, n=indices: a.size and np.array_equal(a.flat, n[: a.size])
            ),
            LEFT_OUT_BY_NUMBER: itself_if(got, first, is_by_number),
        }
        compare(what, got, first, mistakes)
        kind = np.asarray(got).dtype
        if kind.kind not in "iu":
            fail(
                what, expected="whole numbers, such as a slice takes", got=f"numbers of type {kind}"
            )
    n_early = int(np.sum(places < CONTEXT))
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
    mistakes = {
        TARGET_NOT_COUNTED: (SEQUENCES, CONTEXT),
        ROW_TOO_LONG: (SEQUENCES, CONTEXT + 2),
        SHAPE_TRANSPOSED: expected[::-1],
    }
    got = np.asarray(shape, dtype=object).tolist()
    got = tuple(got) if isinstance(got, list) else got
    if got != expected:  # `compare` would print the right shape
        named = [mistake for mistake, wrong in mistakes.items() if got == wrong]
        wanted = "two numbers: how many sequences there are, and how many tokens in each"
        came = reprlib.repr(shape)
        fail("shape", expected=wanted, got=came, mistake=named[0] if named else None)
    right("One row a sequence, and in each row the tokens before the target with the target last.")


def check_batch(batch, ids, places) -> None:
    """The windows, each ending in its target.

    Parameters
    ----------
    batch : ndarray of int
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
        ROW_TOO_LONG: around(-1 - CONTEXT, 0),
        WINDOW_TOO_LONG: around(-CONTEXT, 1),
        WINDOW_LEFT: around(-1 - CONTEXT, -1),
        CONTEXT_AFTER: around(0, CONTEXT),
        BATCH_TRANSPOSED: expected.T,
        BATCH_FLAT: expected.ravel(),
    }
    compare("batch", batch, expected, mistakes)
    _need_array("batch", batch)
    if batch.dtype not in (np.int64, np.int32):
        wanted = "whole numbers that the model can read, of type int64 or int32"
        fail("batch", expected=wanted, got=f"numbers of type {batch.dtype}")
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
        GLOBAL_USED: lambda: last_token_activations(model, _windows(ids, places)),
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

    def is_deviation(answer):  # so near to the root of the mean square that the tolerance is less
        return any(np.allclose(answer, X.std(axis=3, ddof=n), 1e-5, 1e-5) for n in (0, 1))

    mistakes = {
        OVER_SEQUENCES: np.sqrt(squares.sum(axis=2)),
        OVER_BLOCKS: np.sqrt(squares.sum(axis=1)),
        OVER_COMPONENTS: np.sqrt(squares.sum(axis=0)),
        OVER_EVERYTHING: np.sqrt(squares.sum()),
        L1_NORM: np.abs(X).sum(axis=3),
        SQUARED_NORM: squares.sum(axis=3),
        STANDARD_DEVIATION: itself_if(strength, expected, is_deviation),
        MEAN_UNDER_ROOT: np.sqrt(squares.mean(axis=3)),
        SUM_FOR_NORM: X.sum(axis=3),
        MEAN_FOR_NORM: X.mean(axis=3),
        AXIS_KEPT: expected[..., None],
    }
    compare("strength", strength, expected, mistakes, rtol=1e-3, atol=1e-3)
    _need_array("strength", strength)
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
    depth = 6  # enough for an estimate across the blocks, where they are mistaken for samples
    norms = _made_up_norms(depth)
    what = "information_between (tried on norms made up here)"
    try:
        got = call(what, information_between, norms.copy())
    except CheckFailed as failure:
        if isinstance(failure.__cause__, IndexError):
            call(what, information_between, _made_up_norms(12))  # ends here if this fails as well
            fail(what, got=f"IndexError: {failure.__cause__}", mistake=BLOCKS_HARD_CODED)
        raise
    expected = _upper(layer_information(norms))  # (2, depth, depth)
    values = _as_matrices(what, got, expected)
    upper, lower = np.triu(values, 1), np.nan_to_num(np.tril(values, -1))
    diagonal = np.nan_to_num(np.diagonal(values, axis1=1, axis2=2))
    if not upper.any() and lower.any():
        wanted, came = "bits above the diagonal", "bits below it, and zeros above"
        fail(what, expected=wanted, got=came, mistake=BELOW_DIAGONAL)

    def matrices(measure: Callable) -> np.ndarray:
        bits = [[measure(c, *pair) for pair in combinations(range(depth), 2)] for c in range(2)]
        return _upper(bits)

    def is_twice(matrices):
        return any(np.allclose(matrices, expected[[c, c]], 1e-3, 2e-3) for c in range(2))

    with np.errstate(divide="ignore"):  # estimates of zero
        logarithms = _upper(np.log2(layer_information(norms) * np.log(2)))
    mistakes = {
        NATS: expected * np.log(2),
        WRONG_WAY: expected * np.log(2) ** 2,
        CONVERTED_TWICE: expected / np.log(2),
        BASE_TEN: expected * np.log10(2),
        WITH_ITSELF: matrices(lambda c, i, j: mutual_information(norms[c, i], norms[c, i])),
        ACROSS: matrices(lambda c, i, j: mutual_information(norms[0, i], norms[1, j])),
        LOG_OF_ESTIMATE: logarithms,
        ONE_SEQUENCE_ACROSS: matrices(
            lambda c, i, j: mutual_information(norms[c, :, i], norms[c, :, j])
        ),
        LAST_BLOCK_OUT: expected * (np.arange(depth) < depth - 1),
        COMPONENT_TWICE: itself_if(upper, expected, is_twice),
    }
    compare(what, upper, expected, mistakes, rtol=1e-3, atol=2e-3)
    is_mirrored = np.allclose(lower, np.swapaxes(expected, 1, 2), 1e-3, 2e-3)
    if diagonal.any():
        known = ALL_WITH_ALL if is_mirrored and diagonal.all() else DIAGONAL_INCLUDED
        fail(what, expected="nothing on the diagonal", mistake=known)
    if lower.any() and not is_mirrored:
        fail(what, expected="below the diagonal nothing, or the mirror image of what is above it")
    right(
        "Every pair i < j, attention with attention and MLP with MLP, in bits: the package, asked "
        "in another way, says the same."
    )


def check_distance(apart, strength) -> None:
    """The matrix of distances between blocks; only what stands above the diagonal counts.

    Parameters
    ----------
    apart : ndarray, shape (depth, depth)
        The answer.
    strength : ndarray, shape (2, depth, n_sequences)
    """
    depth = np.shape(strength)[1]
    expected = _upper([_gaps(depth)])[0]  # (depth, depth)
    values = _as_matrices("apart", apart, expected)
    above = expected > 0
    wrong = np.argwhere(above & ~np.isclose(values, expected))
    if wrong.size:
        i, j = wrong[0]
        numbers = np.arange(depth)
        mistakes = {
            DISTANCE_NEGATIVE: -expected,
            INDICES_ADDED: np.add.outer(numbers, numbers),
            BLOCKS_BETWEEN: expected - 1,
            ENDS_COUNTED: expected + 1,
        }
        made = {m: np.allclose(values[above], matrix[above]) for m, matrix in mistakes.items()}
        fail(
            "apart, above the diagonal",
            expected=f"{expected[i, j]:g} at [{i}, {j}]",
            got=f"{values[i, j]:g} there; {len(wrong)} of {np.sum(above)} values differ",
            mistake=first_seen(made),
        )
    _need_array("apart", apart)
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
        picked = places[upper]
    except (IndexError, ValueError) as error:
        fail("upper", expected=wanted, got=f"{type(error).__name__}: {error}")
    if not isinstance(upper, tuple) and np.asarray(upper).dtype.kind in "iu":
        fail("upper", expected=wanted, got="whole rows of the matrix", mistake=ROWS_PICKED)
    picked = np.sort(picked, axis=None)
    above, below = places < places.T, places > places.T
    mistakes = {
        DIAGONAL_AMONG_PAIRS: ~below,
        LOWER_TRIANGLE: below,
        WHOLE_MATRIX: np.ones_like(above),
        PAIRS_TWICE: above | below,
        NEIGHBOURS_LEFT_OUT: np.triu(above, 2),
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
    pairs, index = _made_up_pairs(upper)
    bits, gaps = _upper(pairs), _gaps(DEPTH)
    numbers = np.arange(DEPTH)
    apart = numbers - numbers[:, None]
    try:
        figure = call("draw_blocks", draw_blocks, bits.copy().view(_Results), apart, index)
    except CheckFailed as failure:
        _fail_at_line(draw_blocks, failure)
        raise
    panels = _panels(figure)

    is_foreign = _uses_notebook(draw_blocks)

    def known(image, expected, row):
        # `heat_map` shows a row of pairs again and again, one below the other
        tiled = np.triu(np.tile(row, (len(row), 1)), 1)
        return {PICKED_FOR_MATRIX: tiled, GLOBAL_USED: image if is_foreign else expected}

    images = {letter: _image(panels, letter) for letter in "ABC"}
    is_same = any(np.array_equal([images["A"], images["B"]], [part, part]) for part in bits)
    for c, letter in enumerate("AB"):
        mistakes = {
            SAME_MATRIX: images[letter] if is_same else bits[c],
            MATRICES_SWAPPED: bits[1 - c],
        }
        mistakes |= known(images[letter], bits[c], pairs[c])
        compare(f"panel {letter}", images[letter], bits[c], mistakes)
    distances = _upper([gaps])[0]
    compare("panel C", images["C"], distances, known(images["C"], distances, gaps))
    dots = {letter: _dots(panels, letter) for letter in "DEF"}
    is_same = np.array_equal(dots["D"], dots["E"]) and dots["D"].any(axis=0).all()
    for c, letter in enumerate("DE"):
        mistakes = {SAME_SCATTER: is_same, GLOBAL_USED: is_foreign}
        _compare_dots(letter, dots[letter], gaps, pairs[c], mistakes)
    is_diagonal = np.array_equal(*dots["F"].T)
    mistakes = {AGAINST_ITSELF: is_diagonal, GLOBAL_USED: is_foreign}
    _compare_dots("F", dots["F"], *pairs, mistakes)
    right(
        f"Six panels: two matrices of MI and one of distance, and below them {len(gaps)} dots each "
        f"for {DEPTH} blocks, one for every pair i < j."
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
    shape = np.shape(strength)
    # No two values are equal, so it shows from where each one came.
    norms = np.random.default_rng(7).permutation(np.prod(shape)).reshape(shape).astype(float)
    # A seed that also swaps attention and MLP, where the first axis is shuffled.
    sources, places = _sources(shuffle, norms, strength, seed=3), np.indices(norms.shape)
    if np.array_equal(sources, places):
        fail("shuffle", expected="another order", mistake=NOT_SHUFFLED)
    component, block, sequence = (sources != places).any(axis=(1, 2, 3))  # what has changed
    if component or block:
        known = {
            (True, False): COMPONENTS_MIXED,
            (False, True): None if sequence else BLOCKS_SHUFFLED,
            (True, True): ONE_HEAP if sequence else None,
        }[component, block]
        fail("shuffle", expected="the same values in every block", mistake=known)
    orders = sources[2]  # (2, depth, n_sequences)
    _compare_orders(orders)
    again, other = (_sources(shuffle, norms, strength, seed)[2] for seed in (3, 4))
    if not np.array_equal(orders, again):
        wanted, came = "the same orders again from the same seed", "others"
        fail("shuffle", expected=wanted, got=came, mistake=NOT_FROM_GENERATOR)
    still = np.argwhere((orders == other).all(axis=2))
    if still.size:
        came = f"the same as before in block {still[0, 1]} of {_name(still[0, 0])}"
        wanted = "other orders from another seed"
        fail("shuffle", expected=wanted, got=came, mistake=NOT_FROM_GENERATOR)
    both = np.stack([orders, other])
    if (both == both[:, :, :1]).all(axis=(0, 1, 2)).any():
        came = "one coffee whose norms stay together, with every seed"
        fail("shuffle", expected="all coffees in a random order", got=came)
    right(
        "Each block keeps its values and loses its partners: every block has an order of its own, "
        "and the generator draws it."
    )


def check_floor(average, upper) -> None:
    """The mean over the measured pairs of both components, tried on made-up results.

    Parameters
    ----------
    average : callable
        The answer: bits (2, depth, depth) and the index of the pairs i < j to a number.
    upper : tuple of ndarray, or ndarray of bool
        As in `check_panels`.
    """
    pairs, index = _made_up_pairs(upper)
    what = f"average (tried on made-up bits of {DEPTH} blocks)"
    got = call(what, average, _upper(pairs).view(_Results), index)
    each = pairs.mean(axis=1)  # (2,)

    def is_of_one(answer):
        return answer.ndim == 0 and np.isclose(answer, each).any()

    def is_several(answer):
        several = (each, pairs.mean(axis=0))
        return any(answer.shape == a.shape and np.allclose(answer, a) for a in several)

    mistakes = {
        ZEROS_AVERAGED: pairs.sum() / (2 * DEPTH**2),
        ONE_COMPONENT_AVERAGED: itself_if(got, pairs.mean(), is_of_one),
        SEVERAL_AVERAGES: itself_if(got, pairs.mean(), is_several),
        MEANS_ADDED: each.sum(),
        SUM_FOR_MEAN: pairs.sum(),
        ZEROS_DROPPED: pairs[pairs > 0].mean(),
        GLOBAL_USED: itself_if(got, pairs.mean(), lambda _: _uses_notebook(average)),
    }
    compare(what, got, pairs.mean(), mistakes)
    right("One number for all pairs of both components, those with an estimate of zero among them.")


class _Results(np.ndarray):
    """Results that say so when the index of the pairs is put to a wrong use."""

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return np.asarray(array)[()]  # what is computed from them is plain, also a single number

    def __getitem__(self, key):
        if isinstance(key, tuple) and any(isinstance(part, tuple) for part in key):
            wanted, came = "one matrix, then the index of its pairs", "an index within an index"
            fail("the use of upper", expected=wanted, got=came, mistake=TUPLE_IN_INDEX)
        try:
            return super().__getitem__(key)
        except IndexError as error:
            if self.ndim == 3 and len(shape_of(key)) == 2:  # a mask, or rows and columns
                wanted, came = "one matrix, then the index of its pairs", f"IndexError: {error}"
                mistake = PAIRS_FROM_COMPONENTS
                fail("the use of upper", expected=wanted, got=came, mistake=mistake)
            raise


def _sources(shuffle, norms, strength, seed: int) -> np.ndarray:
    """Component, block and sequence that each value came from; (3, 2, depth, n_sequences).

    The norms are the numbers from 0, in any order; `strength` are those of the notebook.
    """
    try:
        shuffled = call("shuffle", shuffle, norms.copy(), np.random.default_rng(seed))
    except CheckFailed as failure:
        if callable(shuffle) and failure.__cause__ is None:
            fail("shuffle", expected="an array", got="None", mistake=NONE_RETURNED)
        raise
    values = _as_matrices("shuffle", shuffled, norms)
    if not np.array_equal(np.sort(values, axis=None), np.arange(norms.size)):
        known = GLOBAL_USED if np.isin(values, strength).all() else None
        fail("shuffle", expected="the values that were given", got="others", mistake=known)
    flat = np.argsort(norms, axis=None)[values.astype(int)]
    return np.stack(np.unravel_index(flat, norms.shape))


def _compare_orders(orders) -> None:
    """Accept orders (2, depth, n_sequences) in which no two blocks of a component agree."""
    still = (orders == np.arange(orders.shape[2])).all(axis=2)  # (2, depth)
    agree = (orders[:, :, None] == orders[:, None]).all(axis=3)  # (2, depth, depth)
    alike = np.triu(agree, 1)
    if not alike.any():
        return
    if still.all(axis=1).any():
        known = ONE_COMPONENT_SHUFFLED
    elif agree.all():
        known = SHUFFLED_ALIKE if np.array_equal(*orders[:, 0]) else ONE_ORDER_EACH
    else:
        known = SOME_SHUFFLED if (still.sum(axis=1) > 1).any() else None
    component, i, j = np.argwhere(alike)[0]
    fail(
        "shuffle",
        expected="an order of its own for each block",
        got=f"the same order in blocks {i} and {j} of {_name(component)}",
        mistake=known,
    )


def _name(component: int) -> str:
    return ("attention", "the MLP")[component]


def _need_array(what: str, got) -> None:
    """Refuse what has the right values and is no NumPy array: a list, or a tensor of torch."""
    if not isinstance(got, np.ndarray):
        known = LIST_FOR_ARRAY if isinstance(got, list) else None
        fail(what, expected="a NumPy array", got=kind_of(got), mistake=known)


def _uses_notebook(function) -> bool:
    """Whether the code of a function names data of the notebook that it was not given."""
    return not NOTEBOOK.isdisjoint(getattr(getattr(function, "__code__", None), "co_names", ()))


def _fail_at_line(function, failure: CheckFailed) -> None:
    """Say of an error that a function raised in which of its lines, and its name if it has one."""
    error = failure.__cause__
    if error is None or isinstance(error, NameError):  # a blank left unfilled says so itself
        return
    frames = traceback.extract_tb(error.__traceback__)
    name = getattr(function, "__name__", "")
    line = "".join([frame.line or "" for frame in frames if frame.name == name][-1:])
    known = None
    if str(error) == "x and y must be the same size":
        known = UNEQUAL_LENGTHS
    elif isinstance(error, IndexError) and "matrices[" in line:
        known = MATRIX_MISSING
    place = f" in the line `{line}`" if line else ""
    fail(name, got=f"{type(error).__name__}: {error}{place}", mistake=known)


def _made_up_norms(depth: int) -> np.ndarray:
    """Norms (2, depth, 60): a part common to all blocks, and noise that grows with the block."""
    rng = np.random.default_rng(7)
    common = rng.normal(size=(2, 1, 60))
    scales = np.linspace(0.3, 0.9, depth)[:, None]
    return 10 + common + scales * rng.normal(size=(2, depth, 60))


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
        tokens = args[0] if args else options.get("input_ids")
        if isinstance(tokens, np.ndarray | list):
            got = type(tokens).__name__
            fail(what, expected="a tensor for the model", got=got, mistake=ARRAY_FOR_TENSOR)
        if torch.is_tensor(tokens) and tokens.is_floating_point():
            wanted, got = "whole numbers for the model", f"numbers of type {tokens.dtype}"
            fail(what, expected=wanted, got=got, mistake=TENSOR_OF_FLOATS)
        if torch.is_tensor(tokens) and tokens.shape == windows.shape[1:]:
            wanted, got = f"{len(windows)} rows for the model", "one row"
            fail(what, expected=wanted, got=got, mistake=ONE_SEQUENCE)

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
        if isinstance(failure.__cause__, TargetError):
            fail(what, got=str(failure.__cause__), mistake=OUTSIDE_ROW)
        raise
    finally:
        for hook in hooks:
            hook.remove()
    return vectors, any(output[0].requires_grad for output in outputs)


def _made_up_pairs(upper) -> tuple:
    """Bits of the pairs i < j (2, n_pairs), some of them zero, and an index of the given kind."""
    n_pairs = DEPTH * (DEPTH - 1) // 2
    pairs = np.random.default_rng(7).uniform(0.05, 1.5, (2, n_pairs))
    pairs[[0, 0, 1, 1], [1, 6, 3, 8]] = 0  # measured, and no relation found
    above = ~np.tri(DEPTH, dtype=bool)
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


def _dots(panels: dict[str, Axes], letter: str) -> np.ndarray:
    """The dots of a panel, (n, 2), from left to right."""
    collections = panels[letter].collections
    if not collections:
        fail(f"panel {letter}", expected="dots drawn with scatter", got="none")
    return _sorted_dots(*np.ma.filled(collections[0].get_offsets(), np.nan).T)


def _compare_dots(letter: str, dots, x, y, wrong: dict[Mistake, bool]) -> None:
    """Compare the dots of a panel with those of the pairs; `wrong` says which mistakes are made."""
    what, expected = f"dots of panel {letter}", _sorted_dots(x, y)
    if dots.shape != expected.shape or not np.allclose(dots, expected):
        are_non_zero = [
            np.array_equal(np.sort(shown), np.sort(values[values > 0]))
            for shown, values in zip(dots.T, (x, y), strict=True)
        ]
        wrong = wrong | {
            ZEROS_DRAWN: len(dots) == DEPTH**2,
            AXES_SWAPPED: np.array_equal(dots, _sorted_dots(y, x)),
            ZEROS_DROPPED: len(dots) < len(expected) and any(are_non_zero),
        }
        known = [mistake for mistake, is_made in wrong.items() if is_made]
        if known or len(dots) != len(expected):
            wanted, came = _dots_in_words(expected), _dots_in_words(dots)
            fail(what, expected=wanted, got=came, mistake=known[0] if known else None)
    compare(what, dots, expected)


def _dots_in_words(dots) -> str:
    """How many there are, and from where to where they reach."""
    if not len(dots):
        return "no dots"
    (left, low), (right_end, high) = dots.min(axis=0), dots.max(axis=0)
    number = f"{len(dots)} dots" if len(dots) > 1 else "1 dot"
    return f"{number}, x from {left:.4g} to {right_end:.4g}, y from {low:.4g} to {high:.4g}"
