"""Minkowski distance: how far apart two vectors are, one pair at a time or all pairs at once."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import distance

from layerlab._validate import pair, real, rows
from layerlab.errors import MeasureError

_METRICS = {1: "cityblock", 2: "euclidean", np.inf: "chebyshev"}  # SciPy's loops, hard to beat


def minkowski(x: ArrayLike, y: ArrayLike, p: float) -> float:
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
        If `p` is below 1, the shapes differ or are not one-dimensional, a value is NaN or infinite,
        or the distance is beyond the largest float64.

    Notes
    -----
    Computed in float64, whatever the input's precision. Differences are measured in units of the
    largest one wherever their powers would leave float64's range, so that no order is too high
    and no vector too long or too short.

    Examples
    --------
    >>> minkowski([0, 0], [3, 4], p=1), minkowski([0, 0], [3, 4], p=2)
    (7.0, 5.0)
    """
    x, y = pair(x, y)
    return float(_distances(np.stack([x, y]), _order(p))[0])


def pairwise_minkowski(X: ArrayLike, p: float) -> np.ndarray:
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
        If `p` is below 1, `X` is no matrix of at least 2 rows nor a stack of them, a value is NaN
        or infinite, or a distance is beyond the largest float64.

    Examples
    --------
    >>> pairwise_minkowski([[0, 0], [3, 4], [6, 8]], p=2)
    array([ 5., 10.,  5.])
    """
    X, p = rows(X), _order(p)
    matrices = X.reshape(-1, *X.shape[-2:])  # (n_matrices, n_vectors, n_samples)
    distances = np.stack([_distances(matrix, p) for matrix in matrices])
    return distances.reshape(*X.shape[:-2], -1)  # (..., n_pairs)


def _distances(X: np.ndarray, p: float) -> np.ndarray:
    """Distances of all pairs of rows, (n_pairs,)."""
    if p in _METRICS:
        distances = distance.pdist(X, _METRICS[p])  # (n_pairs,)
        again = np.flatnonzero(~_trusted(distances, p, X.shape[1]))
    else:
        distances = np.empty(len(X) * (len(X) - 1) // 2)
        again = np.arange(len(distances))
    if again.size:
        first, second = np.triu_indices(len(X), k=1)  # (n_pairs,) each
        for m in again:
            distances[m] = _scaled_distance(X[first[m]], X[second[m]], p)
    if not np.isfinite(distances).all():
        raise MeasureError(
            f"values up to {np.abs(X).max():.3g} are too far apart for float64: measure in a "
            "larger unit."
        )
    return distances


def _trusted(distances: np.ndarray, p: float, n_samples: int) -> np.ndarray:
    """Whether SciPy's distances lost nothing to squares too large or too small for float64.

    A square below the smallest normal number has an error of up to half the smallest number of
    all. `n_samples` such errors are below the rounding error of a sum of squares that is
    `n_samples` times as large as the smallest normal number.
    """
    lowest = np.sqrt(n_samples * np.finfo(np.float64).tiny) if p == 2 else 0
    return (distances >= lowest) & (distances < np.inf)


def _scaled_distance(x: np.ndarray, y: np.ndarray, p: float) -> float:
    """The distance of two vectors, largest difference first: d (sum (|x - y| / d)^p)^(1/p)."""
    with np.errstate(over="ignore", under="ignore"):  # the caller refuses what is beyond float64
        differences = np.abs(x - y)
        largest = differences.max()
        if largest == 0 or largest == np.inf or p == np.inf:
            return largest
        return largest * np.sum((differences / largest) ** p) ** (1 / p)


def _order(p: float) -> float:
    """The order as a float, if it makes a distance."""
    if not real(p) or not p >= 1:
        raise MeasureError(f"p = {p!r} makes no distance: choose an order of 1 or more.")
    return float(p) if p < 1e300 else np.inf  # equal in every digit, and no integer is too long
