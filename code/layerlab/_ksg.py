"""The nearest-neighbour estimator's inner loops: sums of digammas for many pairs of vectors."""

import numba
import numpy as np
from scipy.special import digamma


def digamma_sums(features, targets, first, second, n_neighbors):
    """Sum of digamma(n_x + 1) + digamma(n_y + 1) over the samples of each pair.

    Parameters
    ----------
    features, targets : ndarray of float64, shape (n_vectors, n_samples)
        The vectors in the role of x and of y (they differ in their tie-breaking noise).
    first, second : array_like of int, shape (n_pairs,)
        Pair m is ``features[first[m]]`` with ``targets[second[m]]``.
    n_neighbors : int
        The neighbour whose distance is the radius.

    Returns
    -------
    ndarray, shape (n_pairs,)
    """
    first, second = np.asarray(first), np.asarray(second)
    n_samples = features.shape[1]
    table = digamma(np.arange(n_samples + 1, dtype=np.float64))  # [count + 1], [0] unused
    return _digamma_sums(features, targets, first, second, n_neighbors, table)


@numba.njit(cache=True)
def _digamma_sums(features, targets, first, second, n_neighbors, table):
    sums = np.empty(len(first))
    for m in range(len(first)):
        order = np.argsort(features[first[m]])
        x, y = features[first[m]][order], targets[second[m]][order]
        sorted_y = np.sort(y)
        total = 0.0
        for i in range(len(x)):
            radius = _radius(x, y, i, n_neighbors)
            total += table[_count(x, x[i], radius)] + table[_count(sorted_y, y[i], radius)]
        sums[m] = total
    return sums


@numba.njit(cache=True)
def _radius(x, y, i, n_neighbors):
    """Chebyshev distance of point i to its k-th neighbour, walking outwards along the sorted x."""
    nearest = np.full(n_neighbors, np.inf)
    for step in (-1, 1):
        j = i + step
        while 0 <= j < len(x) and abs(x[j] - x[i]) < nearest[-1]:
            distance = max(abs(x[j] - x[i]), abs(y[j] - y[i]))
            for slot in range(n_neighbors):
                if distance < nearest[slot]:
                    nearest[slot], distance = distance, nearest[slot]
            j += step
    return nearest[-1]


@numba.njit(cache=True)
def _count(values, center, radius):
    """Values within the radius, strictly, the center included; exact copies count always."""
    reach = np.nextafter(radius, 0.0)
    low, high = 0, len(values)
    while low < high:  # the first value not too far below
        middle = (low + high) // 2
        if center - values[middle] > reach:
            low = middle + 1
        else:
            high = middle
    start, high = low, len(values)
    while low < high:  # the first value too far above
        middle = (low + high) // 2
        if values[middle] - center > reach:
            high = middle
        else:
            low = middle + 1
    return low - start
