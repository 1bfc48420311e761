"""Rank correlation and permutation tests against SciPy and brute enumeration."""

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist, squareform

from layerlab.errors import MeasureError
from layerlab.information import mutual_information
from layerlab.statistics import (
    benjamini_hochberg,
    bootstrap_tau,
    kendall_tau,
    mantel_test,
    shuffled_information,
)


def distances(n_items, seed, decimals=None):
    d = pdist(np.random.default_rng(seed).normal(size=(n_items, 2)))
    return d if decimals is None else np.round(d, decimals)


# Kendall's tau


def test_perfect_order_perfect_disorder():
    assert kendall_tau([1, 2, 3, 4], [10, 20, 25, 99]).tau == 1
    assert kendall_tau([1, 2, 3, 4], [4, 3, 2, 1]).tau == -1


def test_tau_counts_concordant_less_discordant_pairs():
    tau, p = kendall_tau([1, 2, 3, 4], [1, 3, 2, 4])  # 5 pairs agree, 1 does not
    assert tau == pytest.approx(4 / 6)
    assert p == pytest.approx(stats.kendalltau([1, 2, 3, 4], [1, 3, 2, 4]).pvalue)


def test_tau_of_tied_values_equals_scipy():
    x, y = np.random.default_rng(0).integers(0, 6, (2, 45))
    assert kendall_tau(x, y) == tuple(stats.kendalltau(x, y))


def test_a_constant_leaves_nothing_to_rank():
    assert np.isnan(kendall_tau([1, 2, 3], [5, 5, 5])).all()


@pytest.mark.parametrize(
    ("x", "y"), [([1, 2], [1, 2, 3]), ([1], [1]), ([1, np.nan], [1, 2]), ([[1, 2]], [[1, 2]])]
)
def test_what_cannot_be_ranked_is_refused(x, y):
    with pytest.raises(MeasureError):
        kendall_tau(x, y)


# Mantel's test


@pytest.mark.parametrize("decimals", [None, 0])
@pytest.mark.parametrize("n_items", [4, 5, 6])
def test_few_items_are_enumerated(n_items, decimals):
    first, second = distances(n_items, 0, decimals), distances(n_items, 1, decimals)
    matrix = squareform(first)
    observed = stats.kendalltau(first, second).statistic
    every = [
        stats.kendalltau(squareform(matrix[np.ix_(order, order)]), second).statistic
        for order in map(list, permutations(range(n_items)))
    ]
    tau, p = mantel_test(first, second)
    assert tau == pytest.approx(observed)
    assert p == pytest.approx(np.mean(np.abs(every) >= abs(observed) - 1e-12))


def test_random_relabellings_agree_with_the_exact_test():
    first, second = distances(7, 2), distances(7, 3)
    exact = mantel_test(first, second, n_permutations=5040).p  # 7! of them
    drawn = mantel_test(first, second, n_permutations=5039).p
    assert drawn != exact
    assert drawn == pytest.approx(exact, abs=0.03)


def test_random_relabellings_equal_a_loop():
    first, second = distances(9, 4, 1), distances(9, 5, 1)
    matrix = squareform(first)
    labels = np.random.default_rng(0).permuted(np.tile(np.arange(9), (200, 1)), axis=1)
    observed = abs(stats.kendalltau(first, second).statistic)
    reached = [
        abs(stats.kendalltau(squareform(matrix[np.ix_(o, o)]), second).statistic) > observed - 1e-12
        for o in labels
    ]
    p = mantel_test(first, second, n_permutations=200).p
    assert p == pytest.approx((sum(reached) + 1) / 201)


def test_a_matrix_with_itself_is_as_rare_as_the_permutations_allow():
    first = distances(12, 0)
    assert mantel_test(first, first, n_permutations=999) == (pytest.approx(1), 1 / 1000)
    assert mantel_test(first, -first, n_permutations=999).tau == pytest.approx(-1)


def test_dependent_pairs_fool_kendall_and_not_mantel():
    kendall, mantel = [], []
    rng = np.random.default_rng(0)
    for _ in range(100):
        first, second = (pdist(rng.normal(size=(15, 1))) for _ in range(2))  # unrelated items
        kendall.append(kendall_tau(first, second).p < 0.05)
        mantel.append(mantel_test(first, second, n_permutations=199).p < 0.05)
    assert np.mean(mantel) < 0.1
    assert np.mean(kendall) > 2 * np.mean(mantel)


def test_the_seed_decides_the_relabellings():
    first, second = distances(10, 0), distances(10, 1)
    ps = [mantel_test(first, second, n_permutations=99, seed=seed).p for seed in (1, 1, 2, 3)]
    assert ps[0] == ps[1]
    assert len(set(ps)) > 1


def test_constant_distances_have_no_tau():
    assert np.isnan(mantel_test(np.ones(10), distances(5, 0))).all()


@pytest.mark.parametrize("n_pairs", [1, 2, 4, 44, 46])
def test_the_number_of_pairs_must_fit_a_matrix(n_pairs):
    with pytest.raises(MeasureError, match=str(n_pairs)):
        mantel_test(np.arange(n_pairs), np.arange(n_pairs))


@pytest.mark.parametrize("n_permutations", [0, -3, 9.5])
def test_relabellings_are_counted_in_whole_numbers(n_permutations):
    with pytest.raises(MeasureError, match="n_permutations"):
        mantel_test(distances(5, 0), distances(5, 1), n_permutations=n_permutations)


# Shuffled nulls


def test_shuffling_breaks_the_link_and_keeps_the_variables():
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    y = x + 0.3 * rng.normal(size=300)
    null = shuffled_information(x, y, n_shuffles=30)
    assert null.shape == (30,)
    assert null.max() < mutual_information(x, y) / 3


def test_each_shuffle_is_the_estimate_of_shuffled_samples():
    x, y = np.random.default_rng(0).normal(size=(2, 100))
    shuffled = np.random.default_rng(5).permutation(y)
    null = shuffled_information(x, y, n_shuffles=3, seed=5, unit="nats", n_neighbors=4)
    expected = mutual_information(x, shuffled, seed=5, unit="nats", n_neighbors=4)
    assert null[0] == expected
    assert len(set(null)) > 1


def test_a_hundred_samples_have_a_floor_above_zero():
    norms = np.random.default_rng(0).normal(size=(12, 100)).cumsum(axis=0)  # neighbours resemble
    null = shuffled_information(norms, n_shuffles=10)
    assert null.shape == (10, 66)
    assert 0.01 < null.mean() < 0.08


@pytest.mark.parametrize("n_shuffles", [0, 1.5])
def test_shuffles_are_counted_in_whole_numbers(n_shuffles):
    with pytest.raises(MeasureError, match="n_shuffles"):
        shuffled_information(range(9), range(9), n_shuffles=n_shuffles)


# Many tests


def test_adjusted_p_values_follow_the_step_up_rule():
    p = [0.01, 0.04, 0.03, 0.2]
    # sorted, times 4/1, 4/2, 4/3, 4/4: .04, .06, .0533, .2; then the running minimum from above
    np.testing.assert_allclose(benjamini_hochberg(p), [0.04, 0.16 / 3, 0.16 / 3, 0.2])


def test_adjusted_p_values_keep_the_shape():
    p = np.random.default_rng(0).uniform(size=(2, 6, 3))
    adjusted = benjamini_hochberg(p)
    np.testing.assert_allclose(adjusted.ravel(), stats.false_discovery_control(p.ravel()))
    assert adjusted.shape == p.shape


@pytest.mark.parametrize("p", [[0.5, 1.5], [-0.1], [np.nan, 0.5]])
def test_only_p_values_are_adjusted(p):
    with pytest.raises(MeasureError):
        benjamini_hochberg(p)


def test_bootstrap_tau_against_plain_loops():
    rng = np.random.default_rng(3)
    points = rng.normal(size=(8, 2))
    near, far = squareform(pdist(points)), squareform(pdist(points[:, :1]))
    taus = []
    for _ in range(4000):
        drawn = rng.integers(0, 8, 8)
        pairs = [(a, b) for a, b in combinations(drawn, 2) if a != b]
        taus.append(stats.kendalltau(*([m[pair] for pair in pairs] for m in (near, far))).statistic)
    low, high = bootstrap_tau(pdist(points), pdist(points[:, :1]), confidence=0.8, n_resamples=4000)
    assert (low, high) == pytest.approx(np.nanquantile(taus, [0.1, 0.9]), abs=0.03)


def test_bootstrap_tau_finds_nothing_where_there_is_nothing():
    ends = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        places = np.sort(rng.normal(size=(10, 1)), axis=0)
        ends.append(bootstrap_tau(pdist(rng.normal(size=(10, 30))), pdist(places), n_resamples=199))
    low, high = np.mean(ends, axis=0)
    assert low < -0.1 and high > 0.1
    assert abs(low + high) < 0.15  # pairs of an item with itself would push both ends up


def test_bootstrap_tau_of_a_constant_and_of_wrong_input():
    assert np.isnan(bootstrap_tau(np.ones(10), np.arange(10.0))).all()
    with pytest.raises(MeasureError, match=r"confidence = 95"):
        bootstrap_tau(np.arange(10.0), np.arange(10.0), confidence=95)
    with pytest.raises(MeasureError, match=r"4 values are not the pairs"):
        bootstrap_tau(np.arange(4.0), np.arange(4.0))


@pytest.mark.parametrize("test", [mantel_test, bootstrap_tau])
def test_a_whole_matrix_is_told_how_to_become_pairs(test):
    matrix = np.zeros((4, 4))
    with pytest.raises(MeasureError, match=r"second has the shape \(4, 4\).*squareform\(second\)"):
        test(np.arange(6), matrix)


@pytest.mark.parametrize("test", [mantel_test, bootstrap_tau])
def test_matrices_are_called_by_their_names(test):
    with pytest.raises(MeasureError, match=r"first has the shape \(6,\) and second \(10,\)"):
        test(np.arange(6), np.arange(10))
