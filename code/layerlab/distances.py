"""Minkowski distance: how far apart two vectors are, one pair at a time or all pairs at once."""

import numpy as np
from scipy.spatial import distance

from layerlab._validate import pair, rows
from layerlab.errors import MeasureError

# scipy's own loops for these orders are faster than its general one, and say the same
_METRICS = {1: "cityblock", 2: "euclidean", np.inf: "chebyshev"}


def minkowski(x, y, p):
    """Minkowski distance of order `p` between two vectors, ``(sum |x - y|^p)^(1/p)``.

    Parameters
    ----------
    x, y : array_like, shape (n_samples,)
        Two vectors of the same length, in the same unit.
    p : float
        The order, at least 1: 1 is the city-block distance, 2 the Euclidean one, ``inf`` the
        largest single difference.

    Returns
    -------
    float
        The distance, in the unit of the vectors.

    Raises
    ------
    MeasureError
        If `p` is below 1, the shapes differ or are not one-dimensional, or a value is NaN or
        infinite.

    Notes
    -----
    Computed in float64 by `scipy.spatial.distance.minkowski`, whatever the input's precision.
    """
    x, y = pair(x, y)
    return float(distance.minkowski(x, y, _order(p)))


def pairwise_minkowski(X, p):
    """Minkowski distance of order `p` between every two rows of `X`.

    Parameters
    ----------
    X : array_like, shape (..., n_vectors, n_samples)
        One vector a row, all in the same unit; at least 2 rows. Of a stack of such matrices each is
        measured by itself.
    p : float
        The order, at least 1, see `minkowski`.

    Returns
    -------
    ndarray, shape (..., n_vectors * (n_vectors - 1) / 2)
        The distances of the pairs i < j, ordered (0, 1), (0, 2), …, as
        `scipy.spatial.distance.pdist` orders them; in the unit of the vectors.

    Raises
    ------
    MeasureError
        If `p` is below 1, `X` is no matrix of at least 2 rows nor a stack of them, or a value is
        NaN or infinite.
    """
    X, p = rows(X), _order(p)
    metric = {"metric": _METRICS[p]} if p in _METRICS else {"metric": "minkowski", "p": p}
    matrices = X.reshape(-1, *X.shape[-2:])
    distances = np.stack([distance.pdist(matrix, **metric) for matrix in matrices])
    return distances.reshape(*X.shape[:-2], -1)  # (..., n_pairs)


def _order(p):
    """The order as a float, if it makes a distance."""
    try:
        order = float(p)
    except (TypeError, ValueError):
        order = np.nan
    if not order >= 1:
        raise MeasureError(f"p = {p!r} makes no distance: choose an order of 1 or more.")
    return order
