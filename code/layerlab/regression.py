"""What a rank correlation leaves when other variables are held still."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from layerlab._validate import finite
from layerlab.errors import MeasureError
from layerlab.statistics import kendall_tau


class RankRegression(NamedTuple):
    """A linear regression on ranks.

    Attributes
    ----------
    slopes : ndarray, shape (n_predictors,)
        Standard deviations of the response's rank for one of the predictor's, the others still.
    r_squared : float
        The share of the ranks' variance that the predictors account for together.
    """

    slopes: np.ndarray
    r_squared: float


def partial_tau(x: ArrayLike, y: ArrayLike, others: ArrayLike) -> float:
    """Kendall's partial tau of x and y, given other variables.

    Parameters
    ----------
    x, y : array_like, shape (n_samples,)
    others : array_like, shape (n_samples,) or (n_others, n_samples)
        What is held still, one variable a row.

    Returns
    -------
    float
        Between -1 and 1; NaN where a variable is constant, or one is a monotone function of the
        others, which leaves nothing of it.

    Raises
    ------
    MeasureError
        If the shapes differ, there are fewer than 2 values, or one is NaN or infinite.

    Notes
    -----
    Made of Kendall's taus as the partial correlation is of Pearson's: minus the entry of the
    inverse of their matrix, over the root of its two diagonal entries. For one other variable that
    is (t_xy - t_xz t_yz) / sqrt((1 - t_xz²) (1 - t_yz²)). It takes off what goes with the others'
    order, and not all of it: of two noisy copies of one cause a tau remains when the cause is
    given (of .74 some .23, where the noise is .3 of the cause). So compare two partial taus with
    each other, and see `rank_regression`, which leaves nothing there.

    References
    ----------
    M. G. Kendall, "Partial rank correlation", Biometrika 32, 1942.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> cause = rng.standard_normal(2000)
    >>> x, y = cause + 0.5 * rng.standard_normal((2, 2000))
    >>> kendall_tau(x, y).tau > 0.5 > 0.2 > partial_tau(x, y, cause)
    True
    """
    variables = _variables(x, y, others)
    n = len(variables)
    taus = np.eye(n)
    for i, j in zip(*np.triu_indices(n, k=1), strict=True):
        taus[i, j] = taus[j, i] = kendall_tau(variables[i], variables[j]).tau
    if n == 3:  # also where x and y have one order
        xy, xz, yz = taus[0, 1], taus[0, 2], taus[1, 2]
        left = (1 - xz**2) * (1 - yz**2)  # NaN stays NaN
        return float((xy - xz * yz) / np.sqrt(left)) if left > 1e-12 else float("nan")
    if np.isnan(taus).any() or np.linalg.cond(taus) > 1e12:
        return float("nan")
    inverse = np.linalg.inv(taus)
    return float(-inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1]))


def rank_regression(y: ArrayLike, predictors: ArrayLike) -> RankRegression:
    """Least squares of the ranks of y on the ranks of several variables at once.

    Parameters
    ----------
    y : array_like, shape (n_samples,)
    predictors : array_like, shape (n_predictors, n_samples)
        One variable a row.

    Returns
    -------
    RankRegression
        Its slopes are NaN where a variable is constant, or a predictor's ranks follow from those
        of the others.

    Raises
    ------
    MeasureError
        As `partial_tau`, or if there are no more samples than variables, y among them.

    Examples
    --------
    >>> import numpy as np
    >>> a, b = np.random.default_rng(0).standard_normal((2, 500))
    >>> fit = rank_regression(3 * a + b, [a, b])
    >>> bool(fit.slopes[0] > 2 * fit.slopes[1] > 0.4), fit.r_squared > 0.9
    (True, True)
    """
    rows = np.atleast_2d(finite(predictors, "predictors"))
    if not len(rows):
        raise MeasureError("predictors hold no variable: give one or more, each a row.")
    first, *rest = rows
    variables = _variables(y, first, rest if rest else np.empty((0, len(first))))
    n_variables, n_samples = variables.shape
    if n_samples <= n_variables:
        raise MeasureError(
            f"{n_samples} samples are too few for {n_variables - 1} predictors: give more."
        )
    ranks = stats.rankdata(variables, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(ranks, axis=1, keepdims=True)
    if not norms.all() or np.linalg.matrix_rank(ranks[1:] / norms[1:]) < n_variables - 1:
        return RankRegression(np.full(n_variables - 1, np.nan), float("nan"))
    response, *columns = ranks / norms
    slopes, *_ = np.linalg.lstsq(np.stack(columns, axis=1), response)
    return RankRegression(slopes, float(response @ np.stack(columns, axis=1) @ slopes))


def _variables(x: ArrayLike, y: ArrayLike, others: ArrayLike) -> np.ndarray:
    """All of them as rows, (n_variables, n_samples)."""
    a, b, rest = finite(x, "x"), finite(y, "y"), np.atleast_2d(finite(others, "others"))
    if a.ndim != 1 or a.shape != b.shape or rest.ndim != 2 or rest.shape[1:] != a.shape:
        raise MeasureError(
            f"x has the shape {a.shape}, y {b.shape} and the others {rest.shape}: all should be "
            "(n_samples,), the others one a row."
        )
    return np.vstack([a, b, rest])
