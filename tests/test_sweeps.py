"""Sweeps over pairs of targets and of layers, against plain loops over other people's code."""

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import minkowski, pdist, squareform
from scipy.stats import kendalltau
from sklearn.feature_selection import mutual_info_regression

from layerlab.errors import MeasureError
from layerlab.sweeps import (
    laminar_sweep,
    layer_information,
    measure_pairs,
    position_distances,
    position_tau,
    summarize,
    to_upper,
)

POSITIONS = np.array([3, 10, 11, 40, 90])
N_PAIRS = 10


@pytest.fixture(scope="module")
def activations():
    """Neighbours resemble each other: (2 components, 3 layers, 5 targets, width 60)."""
    steps = np.random.default_rng(0).normal(size=(2, 3, 5, 60))
    return steps.cumsum(axis=2).astype(np.float32)


def bits(x, y, seed=0, n_neighbors=3):
    x, y = np.float64(x), np.float64(y)
    return mutual_info_regression(
        x[:, None], y, n_neighbors=n_neighbors, random_state=seed
    ).item() / np.log(2)


def test_position_distances_run_as_pdist():
    expected = pdist(POSITIONS[:, None], "cityblock")
    np.testing.assert_array_equal(position_distances(POSITIONS), expected)


@pytest.mark.parametrize("options", [{}, {"n_neighbors": 5, "seed": 7}])
def test_measure_pairs_against_plain_loops(activations, options):
    X = activations[1, 2].astype(np.float64)
    expected = [
        [bits(x, y, **options), minkowski(x, y, 1), minkowski(x, y, 2)]
        for x, y in itertools.combinations(X, 2)
    ]
    found = measure_pairs(activations[1, 2], **options)
    assert found.shape == (N_PAIRS, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)


def test_measure_pairs_keep_the_axes(activations):
    found = measure_pairs(activations, n_neighbors=4)
    assert found.shape == (2, 3, N_PAIRS, 3)
    for component, layer in itertools.product(range(2), range(3)):
        expected = measure_pairs(activations[component, layer], n_neighbors=4)
        np.testing.assert_array_equal(found[component, layer], expected)


def test_summary_against_plain_loops(activations):
    measures, summary = laminar_sweep(activations, POSITIONS)
    assert summary.shape == (2, 3, 2, 3)
    distances = pdist(POSITIONS[:, None])
    for component, layer, k in itertools.product(range(2), range(3), range(3)):
        values = measures[component, layer, :, k]
        expected = [sum(values) / N_PAIRS, kendalltau(values, distances).statistic]
        np.testing.assert_allclose(summary[component, layer, :, k], expected, rtol=1e-12)


def test_position_tau_against_scipy(activations):
    measures, distances = measure_pairs(activations[0, 0]), position_distances(POSITIONS)
    expected = [
        [result.statistic, result.pvalue]
        for result in (kendalltau(measures[:, k], distances) for k in range(3))
    ]
    np.testing.assert_allclose(position_tau(measures, distances), expected, rtol=1e-12)


def test_distance_grows_and_information_falls_along_a_random_walk():
    walk = np.random.default_rng(1).normal(size=(2, 1, 10, 400)).cumsum(axis=2)
    _, summary = laminar_sweep(walk, np.arange(10))
    assert (summary[:, :, 1, 0] < -0.5).all()
    assert (summary[:, :, 1, 1:] > 0.5).all()


def test_a_single_pair_has_no_tau():
    assert np.isnan(position_tau(np.ones((1, 3)), [5])).all()
    summary = summarize(np.ones((2, 4, 1, 3)), [5])
    assert summary.shape == (2, 4, 2, 3)
    assert (summary[:, :, 0] == 1).all()
    assert np.isnan(summary[:, :, 1]).all()


def test_constant_measures_have_no_tau(recwarn):
    assert np.isnan(position_tau(np.ones((N_PAIRS, 3)), position_distances(POSITIONS))).all()
    assert not recwarn.list


def test_layer_information_against_plain_loops():
    norms = np.random.default_rng(2).normal(size=(2, 4, 80)).cumsum(axis=1)
    found = layer_information(norms, seed=5)
    assert found.shape == (2, 6)
    for component in range(2):
        pairs = itertools.combinations(norms[component], 2)
        expected = [bits(x, y, seed=5) for x, y in pairs]
        np.testing.assert_allclose(found[component], expected, rtol=1e-6, atol=1e-12)


def test_layer_information_of_too_few_sequences():
    with pytest.raises(MeasureError, match="too few"):
        layer_information(np.random.default_rng(2).normal(size=(2, 4, 3)))


def test_nan_is_refused(activations):
    damaged = activations.copy()
    damaged[1, 2, 3, 4] = np.nan
    with pytest.raises(MeasureError, match="3, 4"):
        measure_pairs(damaged)


@pytest.mark.parametrize("n_items", [2, 3, 10, 36])
def test_to_upper_is_the_upper_triangle_of_squareform(n_items):
    pairs = np.arange(1.0, 1 + n_items * (n_items - 1) / 2)
    np.testing.assert_array_equal(to_upper(pairs), np.triu(squareform(pairs)))


def test_to_upper_keeps_later_axes_and_type():
    pairs = np.arange(30).reshape(10, 3)
    matrix = to_upper(pairs)
    assert matrix.shape == (5, 5, 3)
    assert matrix.dtype == pairs.dtype
    assert matrix[0, 1].tolist() == [0, 1, 2]
    assert matrix[3, 4].tolist() == [27, 28, 29]
    assert not matrix[4, 3].any()


def test_to_upper_of_no_matrix():
    with pytest.raises(MeasureError, match="7 values are not the pairs"):
        to_upper(np.zeros(7))


@pytest.mark.parametrize("shape", [(3, 4, 10, 40), (4, 10, 40), (1, 4, 10, 40)])
def test_a_sweep_takes_attention_and_mlp(shape):
    with pytest.raises(
        MeasureError, match=rf"^activations has the shape \({shape[0]}, .*\(2, n_la"
    ):
        laminar_sweep(np.ones(shape), POSITIONS)


def test_a_sweep_takes_one_position_for_each_target():
    with pytest.raises(MeasureError, match="activations .* of 4 targets, and positions holds 5"):
        laminar_sweep(np.ones((2, 3, 4, 40)), [1, 2, 3, 4, 5])


@pytest.mark.parametrize("shape", [(3, 4, 80), (4, 80), (2, 3, 4, 80)])
def test_layer_information_takes_attention_and_mlp(shape):
    with pytest.raises(MeasureError, match=r"^norms has the shape .*\(2, n_layers, n_sequences\)"):
        layer_information(np.ones(shape))
