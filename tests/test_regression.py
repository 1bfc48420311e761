"""Partial tau and the regression on ranks, against formulas written otherwise."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from layerlab.errors import MeasureError
from layerlab.regression import partial_tau, rank_regression

X, Y, Z, W = np.random.default_rng(0).standard_normal((4, 60)).cumsum(axis=0)


def tau(x, y):
    return stats.kendalltau(x, y).statistic


def by_recursion(x, y, others):
    """Kendall's own way: one variable is taken off after the other."""
    if not others:
        return tau(x, y)
    *rest, z = others
    xy, xz, yz = (by_recursion(a, b, rest) for a, b in ((x, y), (x, z), (y, z)))
    return (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))


@pytest.mark.parametrize("others", [[Z], [Z, W]])
def test_partial_tau_is_kendalls(others):
    assert partial_tau(X, Y, others) == pytest.approx(by_recursion(X, Y, others))


def test_one_other_variable_may_be_a_plain_list():
    assert partial_tau(X, Y, list(Z)) == partial_tau(X, Y, [Z])


def test_a_common_cause_is_taken_off_by_two_thirds_and_not_more():
    """As the docstring says: with nothing left between them, something of tau still is."""
    cause, *noise = np.random.default_rng(1).standard_normal((3, 3000))
    x, y = cause + 0.3 * np.array(noise)
    assert tau(x, y) > 0.7
    assert 0.2 < partial_tau(x, y, cause) < tau(x, y) / 3
    assert abs(rank_regression(x, [cause, y]).slopes[1]) < 0.1


@pytest.mark.parametrize("others", [[X], [np.zeros(60)], [Z, 2 * Z]])
def test_what_is_left_of_nothing_is_not_defined(others):
    assert np.isnan(partial_tau(X, Y, others))


def test_rank_regression_is_that_of_scikit_learn():
    ranks = np.array([stats.rankdata(v) for v in (X, Y, Z)])
    ranks = (ranks - ranks.mean(axis=1, keepdims=True)) / ranks.std(axis=1, keepdims=True)
    expected = LinearRegression().fit(ranks[1:].T, ranks[0])
    found = rank_regression(X, [Y, Z])
    np.testing.assert_allclose(found.slopes, expected.coef_)
    assert found.r_squared == pytest.approx(expected.score(ranks[1:].T, ranks[0]))


def test_one_predictor_gives_spearmans_rho():
    fit = rank_regression(X, Y)
    assert fit.slopes == pytest.approx([stats.spearmanr(X, Y).statistic])


@pytest.mark.parametrize("predictors", [[Y, Y**3], [np.ones(60)], [Y, np.zeros(60)]])
def test_a_slope_that_many_values_fit_is_not_defined(predictors):
    assert np.isnan(rank_regression(X, predictors).slopes).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: partial_tau(X, Y, Z[:9]),
        lambda: partial_tau(X, Y[:9], Z),
        lambda: rank_regression(X, [Y[:9]]),
        lambda: rank_regression(X[:2], [Y[:2], Z[:2]]),
        lambda: partial_tau(X, Y, [np.where(Z > 0, np.nan, Z)]),
    ],
)
def test_what_does_not_fit_together_is_refused(call):
    with pytest.raises(MeasureError):
        call()


@pytest.mark.parametrize(("y", "wanted"), [([1, 2, 3, 4, 5], 1), ([5, 4, 3, 2, 1], -1)])
def test_the_same_order_stays_the_same_whatever_is_held_still(y, wanted):
    assert np.isclose(partial_tau([1, 2, 3, 4, 5], y, [3, 1, 4, 2, 5]), wanted)
    assert np.isnan(partial_tau([1, 2, 3, 4, 5], y, [1, 2, 3, 4, 5]))


def test_no_predictor_is_an_error():
    with pytest.raises(MeasureError, match="hold no variable"):
        rank_regression([1, 2, 3], np.empty((0, 3)))
