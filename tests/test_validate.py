"""What is handed to the measures: each form of input gives the right number or a clear refusal."""

import numpy as np
import pytest
import torch
from scipy import sparse

from layerlab import _validate
from layerlab.distances import minkowski, pairwise_minkowski
from layerlab.errors import MeasureError
from layerlab.examples import noisy_curve
from layerlab.information import (
    entropy,
    histogram_mutual_information,
    mutual_information,
    pairwise_mutual_information,
)
from layerlab.markdown import information_floor
from layerlab.statistics import (
    benjamini_hochberg,
    bootstrap_tau,
    kendall_tau,
    mantel_test,
    shuffled_information,
)
from layerlab.sweeps import layer_information, measure_pairs, position_distances

OTHER = np.random.default_rng(1).normal(size=10)
VECTORS = {  # every public measure of vectors; 10 values are also the pairs of 5 items
    "minkowski": lambda x: minkowski(x, OTHER, 3),
    "histogram": lambda x: histogram_mutual_information(x, OTHER, 4),
    "mutual_information": lambda x: mutual_information(x, OTHER),
    "mutual_information of y": lambda y: mutual_information(OTHER, y),
    "kendall_tau": lambda x: kendall_tau(x, OTHER),
    "mantel_test": lambda x: mantel_test(x, OTHER, n_permutations=99),
    "bootstrap_tau": lambda x: bootstrap_tau(x, OTHER, n_resamples=9),
    "shuffled_information": lambda x: shuffled_information(x, OTHER, n_shuffles=2),
    "position_distances": position_distances,
}
MATRICES = {
    "pairwise_minkowski": lambda X: pairwise_minkowski(X, 2),
    "pairwise_mutual_information": pairwise_mutual_information,
    "shuffled_information": lambda X: shuffled_information(X, n_shuffles=2),
    "measure_pairs": measure_pairs,
}
SHARES = {"entropy": entropy, "benjamini_hochberg": benjamini_hochberg}  # they take 0 and 1
MEASURES = [
    *(pytest.param(f, (10,), id=name) for name, f in VECTORS.items()),
    *(pytest.param(f, (3, 10), id=name) for name, f in MATRICES.items()),
    *(pytest.param(f, (10,), id=name) for name, f in SHARES.items()),
]
WHOLE = {(10,): np.eye(1, 10, 3)[0], (3, 10): np.random.default_rng(0).integers(0, 9, (3, 10))}

REFUSED = {  # what becomes of whole numbers, and what the refusal says
    "complex": (lambda v: v + 1j, r"complex.*\.real"),
    "dates": (lambda v: v.astype("M8[D]"), r"dates.*timedelta64"),
    "not a time": (lambda v: np.full(v.shape, np.datetime64("NaT")), "dates"),
    "time spans": (lambda v: v.astype("m8[s]"), r"time spans.*timedelta64"),
    "digits": (lambda v: v.astype(str), "text.*float"),
    "digits in a list": (lambda v: v.astype(str).tolist(), "text.*float"),
    "objects": (lambda v: np.where(v == 1, None, v), "objects.*float"),
    "records": (lambda v: v.astype([("value", "f8")]), "records"),
    "a mask": (lambda v: np.ma.array(v, mask=v == 1), r"masks \d.*getmaskarray"),
    "too large": (lambda v: v + 2**53, r"900719925474[01]\d\d\d.*subtract"),
    "far below zero": (lambda v: v - 2**60, r"-115292150\d+.*subtract"),
    "sparse": (lambda v: sparse.coo_array(v), r"sparse.*toarray"),
    "ragged": (lambda v: [v.tolist(), [1]], "cannot be read as one array"),
    "a tensor without data": (lambda v: torch.empty(v.shape, device="meta"), "cannot be read"),
}
TAKEN = {  # the same whole numbers in another form
    "list": np.ndarray.tolist,
    "every other value": lambda v: np.repeat(v, 2, axis=-1)[..., ::2],
    "backwards": lambda v: v[..., ::-1].copy()[..., ::-1],
    "Fortran's order": np.asfortranarray,
    "half precision": lambda v: v.astype(np.float16),
    "big-endian": lambda v: v.astype(">f4"),
    "longer floats": lambda v: v.astype(np.longdouble),
    "unsigned": lambda v: v.astype(np.uint8),
    "a mask of nothing": np.ma.array,
    "a subclass": lambda v: v.view(type("Own", (np.ndarray,), {"std": None, "mean": None})),
    "a tensor with a gradient": lambda v: torch.tensor(v, dtype=torch.float32, requires_grad=True),
    "bfloat16": lambda v: torch.tensor(v, dtype=torch.bfloat16),
    "whole tensor": torch.tensor,
}


@pytest.mark.parametrize("form", REFUSED)
@pytest.mark.parametrize(("measure", "shape"), MEASURES)
def test_what_is_no_array_of_numbers_is_refused(measure, shape, form):
    change, words = REFUSED[form]
    with pytest.raises(MeasureError, match=words):
        measure(change(WHOLE[shape].astype(np.int64)))


@pytest.mark.parametrize("form", TAKEN)
@pytest.mark.parametrize(("measure", "shape"), MEASURES)
def test_the_same_numbers_in_another_form_give_the_same(measure, shape, form):
    values = WHOLE[shape].astype(np.float64)
    np.testing.assert_array_equal(measure(TAKEN[form](values)), measure(values))


def test_masks_and_tensors_are_seen_within_a_list():
    rows = WHOLE[3, 10].astype(np.float64)
    with pytest.raises(MeasureError, match="X masks 4 value"):
        pairwise_minkowski([np.ma.array(row, mask=row == rows[0, 0]) for row in rows[:1]] * 2, 2)
    tensors = [torch.tensor(row, dtype=torch.bfloat16, requires_grad=True) for row in rows]
    np.testing.assert_array_equal(pairwise_minkowski(tensors, 2), pairwise_minkowski(rows, 2))


def test_booleans_are_zero_and_one_and_the_largest_whole_numbers_are_told_apart():
    assert minkowski([True, False, True], [False, False, True], 1) == 1
    assert minkowski([2**53], [2**53 - 1], 1) == 1


@pytest.mark.parametrize("measure", MATRICES.values(), ids=MATRICES)
def test_where_the_numbers_lie_in_memory_changes_nothing(measure):
    X = np.random.default_rng(0).normal(size=(1000, 3))
    X[:, 2] = 1.1  # its deviation is 0 or a little more, as the order of a sum decides
    stack = np.stack([X, X + 1])
    for ours in (X.T, np.asfortranarray(X.T), stack.transpose(0, 2, 1), stack.T.transpose(2, 0, 1)):
        np.testing.assert_array_equal(measure(ours), measure(np.ascontiguousarray(ours)))


def test_every_pair_is_its_single_call_wherever_it_lies():
    X = np.random.default_rng(0).normal(size=(1000, 3))
    X[:, 2] = 1.1
    pairs = [(X[:, i], X[:, j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    for many, single in (
        (pairwise_mutual_information(X.T), mutual_information),
        (pairwise_minkowski(X.T, 1.5), lambda x, y: minkowski(x, y, 1.5)),
        (pairwise_minkowski(X.T, 2), lambda x, y: minkowski(x, y, 2)),
    ):
        np.testing.assert_array_equal(many, [single(*pair) for pair in pairs])


SEEDED = {
    "histogram": lambda seed: histogram_mutual_information(OTHER, OTHER, 4, seed=seed),
    "mutual_information": lambda seed: mutual_information(OTHER, OTHER, seed=seed),
    "pairwise": lambda seed: pairwise_mutual_information([OTHER, OTHER], seed=seed),
    "mantel_test": lambda seed: mantel_test(OTHER, OTHER, seed=seed),
    "bootstrap_tau": lambda seed: bootstrap_tau(OTHER, OTHER, n_resamples=9, seed=seed),
    "shuffled_information": lambda seed: shuffled_information(OTHER, OTHER, seed=seed),
    "measure_pairs": lambda seed: measure_pairs([OTHER, OTHER], seed=seed),
    "layer_information": lambda seed: layer_information([[OTHER, OTHER]] * 2, seed=seed),
    "noisy_curve": lambda seed: noisy_curve(9, seed=seed),
    "information_floor": lambda seed: information_floor(9, seed=seed),
}


@pytest.mark.parametrize("seeded", SEEDED.values(), ids=SEEDED)
@pytest.mark.parametrize("seed", [-1, 1.5, 2.0, None, True, "1", 2**32, [1], np.random])
def test_a_seed_is_a_whole_number_that_every_generator_takes(seeded, seed):
    with pytest.raises(MeasureError, match=r"seed = .*from 0 to 4294967295"):
        seeded(seed)


def test_the_largest_seed_and_numpys_own_integers_are_taken():
    x, y = noisy_curve(50, seed=2**32 - 1)
    assert mutual_information(x, y, seed=np.uint32(7)) == mutual_information(x, y, seed=7)


@pytest.mark.parametrize("count", [0, -3, 2.0, None, True, "8", [8]])
@pytest.mark.parametrize(
    ("name", "counted"),
    {
        "bins": lambda n: histogram_mutual_information(OTHER, OTHER, n),
        "n_shuffles": lambda n: histogram_mutual_information(OTHER, OTHER, n_shuffles=n),
        "n_neighbors": lambda n: shuffled_information(OTHER, OTHER, n_neighbors=n),
        "n_permutations": lambda n: mantel_test(OTHER, OTHER, n_permutations=n),
        "n_resamples": lambda n: bootstrap_tau(OTHER, OTHER, n_resamples=n),
        "n": lambda n: noisy_curve(n),
    }.items(),
)
def test_counts_are_whole_numbers_of_at_least_one(name, counted, count):
    with pytest.raises(MeasureError, match=rf"^{name} = .*at least 1"):
        counted(count)


@pytest.mark.parametrize("positions", [[1.5, 2], [1, np.nan], [[1, 2]], ["1"]])
def test_positions_are_a_list_of_whole_numbers(positions):
    with pytest.raises(MeasureError, match="positions"):
        position_distances(positions)


@pytest.mark.parametrize(
    ("values", "step"), [([1.0], 2**-52), (np.float32([1]), 2**-23), ([1, 2], 0), ([True], 0)]
)
def test_precision_is_that_of_the_type_that_was_given(values, step):
    assert _validate.precision(values, "x") == step
