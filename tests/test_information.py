"""Estimates of information against scikit-learn, closed forms, and the traps on the way there."""

import subprocess
import sys
import time
import warnings
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_regression

from layerlab import ksg
from layerlab.errors import MeasureError, MeasureWarning
from layerlab.information import (
    entropy,
    histogram_mutual_information,
    mutual_information,
    pairwise_mutual_information,
)

LN2 = np.log(2)


def reference(x, y, n_neighbors=3, seed=0):
    """scikit-learn's estimate in nats, on float64 input."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    return mutual_info_regression(x[:, None], y, n_neighbors=n_neighbors, random_state=seed)[0]


def assert_equals_reference(x, y, n_neighbors=3, seed=0):
    ours = mutual_information(x, y, n_neighbors=n_neighbors, unit="nats", seed=seed)
    assert ours == pytest.approx(reference(x, y, n_neighbors, seed), abs=1e-12)


def heavy_tailed(n_vectors, n_samples, seed=0):
    """Correlated float32 vectors with a few huge values, as a model's activations have."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_t(2.5, n_samples)
    X = rng.uniform(0, 1, (n_vectors, 1)) * shared + rng.standard_t(2.5, (n_vectors, n_samples))
    return X.astype(np.float32)


def bivariate_normal(n_samples, rho, seed=0):
    rng = np.random.default_rng(seed)
    return rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], n_samples).T


# Entropy


def test_a_fair_coin_holds_one_bit_and_a_die_of_eight_three():
    assert entropy([0.5, 0.5]) == pytest.approx(1, abs=1e-12)
    assert entropy(np.full((2, 4), 1 / 8)) == pytest.approx(3, abs=1e-11)


def test_entropy_equals_scipy_and_empty_bins_add_nothing():
    p = np.random.default_rng(0).dirichlet(np.ones(10))
    assert entropy(p) == pytest.approx(stats.entropy(p, base=2), abs=1e-11)
    assert entropy([*p, 0, 0]) == entropy(p)


@pytest.mark.parametrize("p", [[0.5, 0.6], [1.5, -0.5], [], [np.nan, 1], [3, 4]])
def test_what_is_no_distribution_is_refused(p):
    with pytest.raises(MeasureError):
        entropy(p)


# Histogram


@pytest.mark.parametrize("bins", [1, 4, 8, 24])
def test_histogram_equals_the_divergence_of_the_joint_from_the_product(bins):
    x, y = bivariate_normal(347, 0.6)
    p_xy = np.histogram2d(x, y, bins)[0] / len(x)
    product = p_xy.sum(1, keepdims=True) * p_xy.sum(0, keepdims=True)
    divergence = stats.entropy(p_xy.ravel(), product.ravel(), base=2)
    assert histogram_mutual_information(x, y, bins) == pytest.approx(divergence, abs=1e-10)


def test_histogram_of_a_variable_with_itself_is_its_entropy():
    x = np.arange(64)
    assert histogram_mutual_information(x, x, 8) == pytest.approx(3, abs=1e-10)


@pytest.mark.parametrize(("offset", "factor"), [(0, 2e-323), (-4, 4e307), (2**50, 8)])
def test_histogram_of_any_unit_and_origin(offset, factor):
    x, y = np.random.default_rng(0).integers(0, 33, (2, 400)) / 4.0
    expected = histogram_mutual_information(x, y, 64)  # more boxes than values: all stay apart
    changed = histogram_mutual_information((x + offset) * factor, y, 64)
    assert changed == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("constant", [0, 1.1, 1e17, 1e308])
def test_histogram_of_a_constant_is_zero(constant):
    flat = np.full(50, constant)
    assert abs(histogram_mutual_information(flat, np.arange(50), 8)) < 1e-12


def test_histogram_bins_of_equal_frequency_ignore_every_rising_change():
    x, y = bivariate_normal(500, 0.6)
    plain = histogram_mutual_information(x, y, 8, binning="frequency")
    bent = histogram_mutual_information(np.exp(3 * x), y**3, 8, binning="frequency")
    assert bent == pytest.approx(plain, abs=1e-12)
    assert histogram_mutual_information(np.exp(3 * x), y**3, 8) < plain / 2


def test_equal_values_share_a_bin_of_equal_frequency():
    x = np.repeat([0.0, 1.0], [90, 10])
    assert histogram_mutual_information(x, x, 4, binning="frequency") == pytest.approx(
        entropy([0.9, 0.1])
    )


@pytest.mark.parametrize("binning", ["width", "frequency"])
def test_both_corrections_take_most_of_the_bias_away(binning):
    draws = [bivariate_normal(300, 0, seed) for seed in range(20)]

    def bias(correction):
        options = {"binning": binning, "correction": correction, "n_shuffles": 10}
        return np.mean([histogram_mutual_information(x, y, 8, **options) for x, y in draws])

    plain = bias("none")
    assert plain > 0.05
    assert abs(bias("miller-madow")) < plain / 2
    assert abs(bias("shuffle")) < plain / 5


def test_miller_madow_counts_the_occupied_bins():
    x, y = [0, 0, 1, 1], [0, 1, 0, 1]  # 2 + 2 bins occupied, 4 together
    expected = (1 + 1 - 3) / (2 * 4 * LN2)
    corrected = histogram_mutual_information(x, y, 2, correction="miller-madow")
    assert corrected == pytest.approx(expected, abs=1e-10)


def test_shuffle_correction_takes_a_seed():
    x, y = bivariate_normal(200, 0.5)
    first, again, other = (
        histogram_mutual_information(x, y, 8, correction="shuffle", n_shuffles=5, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize(
    "options",
    [
        {"bins": 0},
        {"bins": 2.5},
        {"bins": True},
        {"bins": 8, "binning": "best"},
        {"bins": 8, "correction": "magic"},
        {"bins": 8, "correction": "shuffle", "n_shuffles": 0},
    ],
)
def test_unknown_histogram_options_are_refused(options):
    with pytest.raises(MeasureError):
        histogram_mutual_information([1, 2, 3], [1, 2, 3], **options)


# Nearest neighbours: agreement with scikit-learn


@pytest.mark.parametrize("n_samples", [5, 6, 7, 8, 20, 63, 64, 65, 100, 127, 500, 1280, 5000])
@pytest.mark.parametrize("n_neighbors", [1, 2, 3, 4])
def test_equals_scikit_learn(n_samples, n_neighbors):
    for seed in range(3):
        assert_equals_reference(*heavy_tailed(2, n_samples, seed), n_neighbors, seed)


@pytest.mark.parametrize("n_neighbors", [5, 10, 40, 98, 99])
def test_equals_scikit_learn_with_many_neighbours(n_neighbors):
    assert_equals_reference(*heavy_tailed(2, 100), n_neighbors)


@pytest.mark.parametrize("rho", [0, 0.3, 0.9, 0.999, -0.9999999])
def test_equals_scikit_learn_from_loose_to_tight_links(rho):
    assert_equals_reference(*bivariate_normal(1280, rho))


def test_every_pair_equals_its_own_scikit_learn_call():
    X = heavy_tailed(10, 1280)
    loop = [reference(X[i], X[j]) for i in range(10) for j in range(i + 1, 10)]
    nats = pairwise_mutual_information(X, unit="nats")
    np.testing.assert_allclose(nats, loop, rtol=0, atol=1e-12)


def test_pairs_equal_single_calls_in_bits():
    X = heavy_tailed(6, 200)
    loop = [mutual_information(X[i], X[j]) for i in range(6) for j in range(i + 1, 6)]
    np.testing.assert_array_equal(pairwise_mutual_information(X), loop)


def test_curves_of_many_shapes():
    rng = np.random.default_rng(0)
    t = rng.uniform(-3, 3, 700)
    noise = rng.normal(size=700)
    shapes = [t**2, np.sin(5 * t), np.sign(t) * t**4, np.where(noise > 0, t, -t), noise * t]
    for y in shapes:
        assert_equals_reference(t, y)
        assert_equals_reference(y, t)


def odd_vector(rng, n_samples):
    """A vector of a random shape, unit, origin and type, with ties in many cases."""
    v = [rng.normal, rng.standard_cauchy, rng.random, rng.exponential][rng.integers(4)](
        size=n_samples
    )
    v = [v, np.round(v, 1), np.maximum(v, 0), np.sort(v), np.sign(v), v * 0][rng.choice(6)]
    v = v * 10.0 ** rng.integers(-9, 9) + rng.choice([0.0, 1.0, -1e4])
    dtype = rng.choice(["f8", "f8", "f4", ">f8", "i8"])
    return (np.rint(np.clip(v, -1e9, 1e9)) if dtype == "i8" else v).astype(dtype)


@pytest.mark.parametrize("block", range(10))
def test_equals_scikit_learn_on_odd_vectors(block):
    rng, n_compared = np.random.default_rng(block), 0
    for _ in range(40):
        n_samples, n_neighbors = rng.integers(8, 200), int(rng.integers(1, 8))
        x, y = odd_vector(rng, n_samples), odd_vector(rng, n_samples)
        if rng.random() < 0.5:
            y = y + x * rng.random()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ours = mutual_information(x, y, n_neighbors=n_neighbors, unit="nats", seed=block)
            both = np.asfortranarray([x, y], dtype=np.float64)
            pairs = pairwise_mutual_information(both, n_neighbors=n_neighbors, seed=block)
        assert pairs * LN2 == pytest.approx(ours, rel=1e-15)
        if not caught:
            n_compared += 1
            assert ours == pytest.approx(reference(x, y, n_neighbors, block), abs=2e-14)
    assert n_compared > 30


# The traps


def test_single_precision_targets_keep_their_noise():
    # scikit-learn adds the noise in the target's own precision, where it vanishes: the ties stay
    rng = np.random.default_rng(0)
    x, y = np.round(rng.normal(size=(2, 1280)), 1).astype(np.float32)
    single = mutual_info_regression(x[:, None], y, random_state=0)[0]
    assert abs(single - reference(x, y)) > 1e-3
    assert_equals_reference(x, y)


def test_zeros_of_a_rectifier():
    x, y = np.maximum(heavy_tailed(2, 1280), 0)
    assert_equals_reference(x, y)
    assert mutual_information(x, np.roll(y, 640)) < 0.2


def test_coarse_values_of_half_precision_weights():
    x, y = heavy_tailed(2, 1280).view(np.uint32) & 0xFFFF0000  # bfloat16 keeps the upper 16 bits
    x, y = (v.astype(np.uint32).view(np.float32) for v in (x, y))
    assert len(np.unique(x)) < 1100
    assert_equals_reference(x, y)


def test_whole_numbers():
    x, y = np.random.default_rng(0).poisson(3, (2, 500))
    assert_equals_reference(x, y)


@pytest.mark.parametrize("n_neighbors", [1, 3, 5])
@pytest.mark.parametrize("n_values", [1, 2, 5, 40])
def test_radius_zero_counts_exact_copies(n_values, n_neighbors):
    # without the noise: whole numbers, so that copies and equal distances are everywhere
    x, y = np.random.default_rng(0).integers(0, n_values, (2, 400)).astype(np.float64)
    distance_x, distance_y = (np.abs(v[:, None] - v) for v in (x, y))
    distance = np.maximum(distance_x, distance_y)
    radius = np.nextafter(np.sort(distance)[:, n_neighbors, None], 0)  # [0] is the point itself
    counts = [np.count_nonzero(d <= radius, axis=1) for d in (distance_x, distance_y)]
    expected = digamma(counts).sum()
    sums = ksg.digamma_sums(x[None], y[None], [0], [0], n_neighbors)
    assert sums[0] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("factor", [1e-6, 1000, -1e12])
def test_the_unit_of_measurement_does_not_matter(factor):
    x, y = bivariate_normal(1000, 0.8)
    assert_equals_reference(x * factor, y)
    scaled = mutual_information(x * factor, y)
    assert scaled == pytest.approx(mutual_information(x, y), abs=1e-6)


@pytest.mark.parametrize("offset", [1e4, 1e8, -1e8])
def test_far_from_zero(offset):
    x, y = bivariate_normal(1000, 0.8)
    assert_equals_reference(x + offset, y)
    assert_equals_reference(x, y + offset)


@pytest.mark.parametrize("constant", [0, 0.1, -7, 1e8])
def test_a_constant_tells_nothing(constant):
    x = np.random.default_rng(0).normal(size=1000)
    flat = np.full(1000, constant)
    assert_equals_reference(x, flat)
    assert_equals_reference(flat, x)
    assert_equals_reference(flat, flat)
    assert mutual_information(x, flat) < 0.1
    assert mutual_information(flat, x) < 0.1


# What lies beyond scikit-learn's reach is measured all the same, and said


@pytest.mark.parametrize("factor", [1e-15, 2.0**-60, 1e-200, 1e-300, 1e200, 3e307])
def test_every_unit_gives_the_same(factor):
    x, y = bivariate_normal(500, 0.8)
    expected = mutual_information(x, y), mutual_information(y, x)
    with pytest.warns(MeasureWarning, match="^x .*has (too small|values too large).*Standardize"):
        assert mutual_information(x * factor, y) == pytest.approx(expected[0], abs=1e-6)
    if 1e-150 < factor < 1e150:
        assert_equals_reference(y, x * factor)  # scikit-learn loses tiny features, not targets
    else:
        with pytest.warns(MeasureWarning, match="^y "):
            assert mutual_information(y, x * factor) == pytest.approx(expected[1], abs=1e-6)


@pytest.mark.parametrize("role", [0, 1])
@pytest.mark.parametrize("offset", [1e10, -1e12])
def test_every_origin_gives_the_same(offset, role):
    pair = bivariate_normal(500, 0.8)
    expected = mutual_information(*pair)
    pair[role] += offset
    with pytest.warns(MeasureWarning, match=f"^{'xy'[role]} .*offset.*Standardize"):
        assert mutual_information(*pair) == pytest.approx(expected, abs=2e-3)
    assert reference(*pair) < expected * LN2 / 2


def flat_at(deviation, mean=0.0):
    """Values of exactly this mean and standard deviation, half of them on either side."""
    return mean + deviation * np.tile([-1.0, 1.0], 50)


EPS = np.finfo(np.float64).eps
EDGES = {  # within scikit-learn's reach, beyond it, and what is said then
    "unit": (flat_at(10.01 * EPS), flat_at(9.99 * EPS), "too small a standard deviation"),
    "offset": (flat_at(1, 1.999e8), flat_at(1, 2.001e8), "too large an offset"),
}
for dtype, mean in {"f2": 1.5 * 2**10, "f4": 1.5 * 2**23, "f8": 1.5 * 2**52}.items():  # steps of 1
    odd = [flat_at(15, mean).astype(dtype), flat_at(14, mean + 1).astype(dtype)]
    EDGES[dtype] = *odd, "are 1 apart"


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(("within", "beyond", "words"), EDGES.values(), ids=EDGES)
def test_the_edge_from_which_a_vector_is_warned_of(within, beyond, words, alone):
    y = np.random.default_rng(0).normal(size=100)

    def said(x):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            mutual_information(x, y) if alone else pairwise_mutual_information(np.stack([x, x]))
        return [warning.filename == __file__ for warning in caught if words in str(warning.message)]

    assert said(within) == []
    assert said(beyond) and all(said(beyond))
    if beyond.dtype != np.float64:
        assert said(beyond.astype(np.float64)) == [], "the type counts in which it was given"


def test_rows_are_named_in_the_role_that_loses_them():
    x, y = bivariate_normal(100, 0.8)
    with pytest.warns(MeasureWarning) as caught:
        pairwise_mutual_information([[y, 1e-17 * x, y], [x + 1e12, y, 1e-17 * x]])
    assert sorted(str(w.message)[:8] for w in caught) == ["X[0, 1] ", "X[1, 0] "]


def test_what_is_constant_or_tied_by_nature_is_not_warned_of():
    rng = np.random.default_rng(0)
    whole = rng.poisson(3, 1280)
    coarse = (heavy_tailed(1, 1280)[0].view(np.uint32) & 0xFFFF0000).view(np.float32)  # bfloat16
    vectors = [np.full(1280, 1.1), np.full(1280, 1e308), np.zeros(1280), coarse, coarse + 1000]
    vectors += [np.maximum(coarse, 0), whole, whole + 2**20, (whole + 1000).astype(np.float16)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x in vectors:
            assert np.isfinite(mutual_information(x, coarse)) and mutual_information(coarse, x) >= 0


def test_a_variable_tells_all_about_itself_and_that_is_finite():
    x = np.random.default_rng(0).normal(size=1280)
    assert_equals_reference(x, x)
    assert 5 < mutual_information(x, x, unit="nats") < 7


def test_one_value_far_from_all_others():
    x, y = bivariate_normal(1000, 0.5)
    x[17] = 1e9
    assert_equals_reference(x, y)
    y[17] = -1e12
    assert_equals_reference(x, y)


def test_sorted_and_reversed_input():
    x = np.linspace(0, 1, 500)
    assert_equals_reference(x, x)
    assert_equals_reference(x, x[::-1])


# Accuracy, units, laws


@pytest.mark.parametrize("rho", [0, 0.6, 0.9])
def test_close_to_the_closed_form_of_two_normals(rho):
    truth = -0.5 * np.log2(1 - rho**2)
    estimates = [mutual_information(*bivariate_normal(1280, rho, seed)) for seed in range(20)]
    assert np.mean(estimates) == pytest.approx(truth, abs=0.04)


def test_a_bit_is_ln_2_nats():
    x, y = bivariate_normal(500, 0.8)
    bits, nats = (mutual_information(x, y, unit=unit) for unit in ("bits", "nats"))
    assert bits * LN2 == pytest.approx(nats, rel=1e-15)
    assert bits > nats > 0


def test_never_below_zero():
    X = np.random.default_rng(0).normal(size=(20, 100))
    estimates = pairwise_mutual_information(X)
    assert estimates.min() == 0
    assert np.count_nonzero(estimates == 0) > 50


def test_the_seed_decides_ties_and_nothing_else():
    x, y = np.round(bivariate_normal(300, 0.5), 1)
    first, again, other = (mutual_information(x, y, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


def test_input_is_left_as_it_was():
    X = heavy_tailed(3, 50).astype(np.float64)
    before = X.copy()
    pairwise_mutual_information(X)
    np.testing.assert_array_equal(X, before)


def test_any_memory_layout_gives_the_same():
    X = heavy_tailed(4, 300).astype(np.float64)
    np.testing.assert_array_equal(
        pairwise_mutual_information(np.asfortranarray(X)), pairwise_mutual_information(X)
    )
    np.testing.assert_array_equal(
        pairwise_mutual_information(X[:, ::2]), pairwise_mutual_information(X[:, ::2].copy())
    )


# Refusals


@pytest.mark.parametrize(("n_samples", "n_neighbors"), [(3, 3), (1, 3), (5, 7)])
def test_more_samples_than_neighbours_are_needed(n_samples, n_neighbors):
    x = np.arange(n_samples)
    with pytest.raises(MeasureError, match=f"{n_samples} sample.*n_neighbors = {n_neighbors}"):
        mutual_information(x, x, n_neighbors=n_neighbors)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_place_of_a_bad_value_is_named(bad):
    X = heavy_tailed(3, 20)
    X[1, 7] = bad
    with pytest.raises(MeasureError, match=rf"X\[1, 7\] is {bad}"):
        pairwise_mutual_information(X)
    with pytest.raises(MeasureError, match=rf"x\[7\] is {bad}"):
        mutual_information(X[1], X[0])
    with pytest.raises(MeasureError, match=rf"y\[7\] is {bad}"):
        histogram_mutual_information(X[0], X[1], 8)


@pytest.mark.parametrize("unit", ["nat", "Bits", None, 2, [], np.array(["bits", "nats"])])
def test_the_unit_is_bits_or_nats(unit):
    with pytest.raises(MeasureError, match="'bits' or 'nats'"):
        mutual_information(range(10), range(10), unit=unit)


@pytest.mark.parametrize("n_neighbors", [0, -1, 2.0, "3", None, True])
def test_neighbours_are_counted_in_whole_numbers(n_neighbors):
    with pytest.raises(MeasureError, match="n_neighbors"):
        mutual_information(range(10), range(10), n_neighbors=n_neighbors)


@pytest.mark.parametrize(("x", "y"), [([1, 2, 3, 4], [1, 2, 3]), ([[1, 2]], [[1, 2]]), ([], [])])
def test_paired_vectors_are_needed(x, y):
    with pytest.raises(MeasureError, match="n_samples"):
        mutual_information(x, y, n_neighbors=1)


@pytest.mark.parametrize("X", [np.zeros(9), np.zeros((1, 9)), np.zeros((2, 1, 9))])
def test_a_matrix_of_two_rows_or_more_is_needed(X):
    with pytest.raises(MeasureError, match="n_vectors, n_samples"):
        pairwise_mutual_information(X)


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_a_stack_of_matrices_is_measured_one_by_one(n_threads, monkeypatch):
    monkeypatch.setattr(ksg.numba.config, "NUMBA_NUM_THREADS", n_threads)
    stack = np.stack([heavy_tailed(4, 200, seed) for seed in range(6)]).reshape(2, 3, 4, 200)
    found = pairwise_mutual_information(stack)
    assert found.shape == (2, 3, 6)
    for i, j in np.ndindex(2, 3):
        np.testing.assert_array_equal(found[i, j], pairwise_mutual_information(stack[i, j]))


def test_an_order_borrowed_from_the_vector_before_is_used_only_where_it_serves():
    # half of the values are equal, as after a ReLU: the noise of the other role reorders them
    X = np.maximum(heavy_tailed(5, 300).astype(np.float64), 0)
    for (i, j), found in zip(
        combinations(range(5), 2), pairwise_mutual_information(X), strict=True
    ):
        assert found == mutual_information(X[i], X[j])


# The machine


def test_importing_compiles_nothing():
    program = (
        "import layerlab.information, numba\n"
        "from numba.core.dispatcher import Dispatcher\n"
        "import layerlab.ksg as ksg\n"
        "kernels = [f for f in vars(ksg).values() if isinstance(f, Dispatcher)]\n"
        "assert kernels and not any(f.signatures for f in kernels)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_number_of_threads_changes_nothing():
    X = heavy_tailed(6, 300).astype(np.float64)
    pairs = np.triu_indices(6, k=1)
    alone = ksg.digamma_sums(X, X, *pairs, 3, n_threads=1)
    for n_threads in (2, 3, 15, 40):
        shared = ksg.digamma_sums(X, X, *pairs, 3, n_threads=n_threads)
        np.testing.assert_array_equal(shared, alone)


@pytest.mark.parametrize("n_samples", [1000, 4000, 16000])
def test_most_points_are_settled_in_their_slab_however_many_there_are(n_samples):
    x, y = heavy_tailed(2, n_samples).astype(np.float64)
    half_slab = ksg.half_slab_for(n_samples, 3)
    x_order, y_order = np.argsort(x)[None], np.argsort(y)[None]
    xs, places = ksg._arrange(x[None], x_order, 4 * half_slab)
    ys, _ = ksg._arrange(y[None], y_order, 4 * half_slab)
    to_x = np.zeros(xs.shape[1], np.int32)
    to_x[4 * half_slab : -4 * half_slab] = places[0, y_order[0]]
    slabs = ksg._empty_slabs(n_samples, half_slab)
    radius, unproved = np.empty(xs.shape[1]), np.empty(n_samples + 1, np.int32)
    n_unproved = ksg._look_in_slabs(xs[0], ys[0], to_x, 3, half_slab, slabs, radius, unproved)
    assert n_unproved < 0.25 * n_samples
    assert slabs[0].size < 3 * n_samples  # points listed: the work of the comparisons


def test_many_pairs_take_a_small_part_of_the_time_of_a_loop_of_scikit_learn_calls():
    X = heavy_tailed(10, 1280).astype(np.float64)
    pairwise_mutual_information(X[:2])  # compiled before the clock starts

    def fastest(work):
        times = []
        for _ in range(3):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        return min(times)

    loop = fastest(lambda: [reference(X[0], x) for x in X[1:]]) / 9
    ours = fastest(lambda: pairwise_mutual_information(X)) / 45
    assert loop > 10 * ours


def test_more_boxes_than_memory_holds_are_refused():
    x = np.arange(10)
    assert histogram_mutual_information(x, x, 4096) == pytest.approx(np.log2(10))
    with pytest.raises(MeasureError, match="bins = 1000000 along each axis makes 1000000000000"):
        histogram_mutual_information(x, x, 10**6)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: torch.tensor(x + 1000).half(),
        lambda x: torch.tensor(x + 100).bfloat16(),
        lambda x: (x + 1000).astype(np.float16),
    ],
)
def test_coarse_floats_are_told_whoever_holds_them(make):
    x, y = np.random.default_rng(0).standard_normal((2, 1000))
    with pytest.warns(MeasureWarning):
        mutual_information(make(x), y)
    with pytest.warns(MeasureWarning):
        pairwise_mutual_information([make(x), y])
