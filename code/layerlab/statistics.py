"""Rank correlation, its permutation test and bootstrap for distance matrices, shuffled nulls."""

from itertools import permutations
from math import factorial, isqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from layerlab._validate import finite, pair, positive_integer, random_seed, real, rows
from layerlab.errors import MeasureError
from layerlab.information import Unit, mutual_information, pairwise_mutual_information


class Tau(NamedTuple):
    """Kendall's rank correlation and its two-sided p-value."""

    tau: float
    p: float


def kendall_tau(x: ArrayLike, y: ArrayLike) -> Tau:
    """Kendall's tau-b of two paired lists, with the p-value for independent entries.

    Parameters
    ----------
    x, y : array_like, shape (n_samples,)
        Paired values; only their order counts.

    Returns
    -------
    Tau
        ``tau`` between -1 and 1, and the two-sided ``p`` of `scipy.stats.kendalltau`. Both are
        NaN where x or y is constant, which leaves nothing to rank.

    Raises
    ------
    MeasureError
        If the shapes differ or are not one-dimensional, there are fewer than 2 values, or one is
        NaN or infinite.

    Notes
    -----
    The p-value takes the entries for independent. The pairs of one distance matrix are not: each
    item sits in many of them. Ask `mantel_test` then.

    Examples
    --------
    >>> round(kendall_tau([1, 2, 3, 4], [10, 20, 40, 30]).tau, 2)
    0.67
    """
    x, y = _ranked(x, y)
    result = stats.kendalltau(x, y)
    return Tau(float(result.statistic), float(result.pvalue))


def mantel_test(
    first: ArrayLike, second: ArrayLike, *, n_permutations: int = 9999, seed: int = 0
) -> Tau:
    """Kendall's tau of two distance matrices over the same items, with a permutation p-value.

    The items of the first matrix are relabelled at random, again and again, and tau is measured
    anew: whole rows and columns move together, so what makes the pairs depend on each other stays
    as it is, and only the link between the matrices is broken.

    Parameters
    ----------
    first, second : array_like, shape (n_pairs,)
        The pairs i < j of each matrix in the order of `scipy.spatial.distance.pdist`; at least 3
        items, so 3, 6, 10, … pairs.
    n_permutations : int
        Number of random relabellings; where there are no more than that in all (n! of n items),
        each is tried once and the p-value is exact. Each takes a time that grows with the square
        of the number of pairs.
    seed : int
        Random seed of the relabellings.

    Returns
    -------
    Tau
        ``tau`` as in `kendall_tau`, and the two-sided ``p``: the share of relabellings with a tau
        as far from 0 as the observed one or farther, the observed labelling counted among them.
        Both are NaN where a matrix is constant.

    Raises
    ------
    MeasureError
        If the shapes differ, are not those of a matrix's pairs, a value is NaN or infinite, or
        `n_permutations` is no positive whole number.

    References
    ----------
    N. Mantel, "The detection of disease clustering and a generalized regression approach",
    Cancer Research 27, 1967.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> apart = pairwise_minkowski(rng.uniform(0, 9, (8, 1)), 1)
    >>> other = pairwise_minkowski(rng.uniform(0, 9, (8, 1)), 1)
    >>> mantel_test(apart, apart**2).p < 0.01 < mantel_test(apart, other).p
    True
    """
    first, second, n_items = _matrices(first, second)
    n_permutations = positive_integer(n_permutations, "n_permutations")
    seed = random_seed(seed)
    tau = kendall_tau(first, second).tau
    if np.isnan(tau):
        return Tau(np.nan, np.nan)
    exact = factorial(n_items) <= n_permutations
    if exact:
        labels = np.array(list(permutations(range(n_items))))  # (n!, n_items), observed included
    else:
        rng = np.random.default_rng(seed)
        labels = rng.permuted(np.tile(np.arange(n_items), (n_permutations, 1)), axis=1)
    observed = _concordances(first[None], second)[0]
    reached = np.abs(_concordances(_relabel(first, labels), second)) >= abs(observed)
    if exact:
        return Tau(tau, float(reached.mean()))
    return Tau(tau, float((reached.sum() + 1) / (n_permutations + 1)))


def bootstrap_tau(
    first: ArrayLike,
    second: ArrayLike,
    *,
    confidence: float = 0.95,
    n_resamples: int = 1999,
    seed: int = 0,
) -> tuple[float, float]:
    """Confidence interval of Kendall's tau of two distance matrices, by a bootstrap over the items.

    Items are drawn with replacement, not pairs: a pair is no observation of its own. An item that
    is drawn twice would make a pair with itself, at distance 0 in both matrices, which fits any
    claim; such pairs are left out of the draw.

    Parameters
    ----------
    first, second : array_like, shape (n_pairs,)
        The pairs i < j of each matrix in the order of `scipy.spatial.distance.pdist`; at least 3
        items, so 3, 6, 10, … pairs.
    confidence : float
        The share of draws between the two ends, between 0 and 1.
    n_resamples : int
        Number of draws.
    seed : int
        Random seed of the draws.

    Returns
    -------
    tuple of float
        Low and high end. Draws whose tau is undefined (a single item drawn again and again) are
        left out; both ends are NaN if none is left, as where a matrix is constant.

    Raises
    ------
    MeasureError
        If the shapes differ, are not those of a matrix's pairs, a value is NaN or infinite,
        `n_resamples` is no positive whole number, or `confidence` is not between 0 and 1.

    Notes
    -----
    `scipy.stats.bootstrap` knows no draws that are undefined, hence our own; the ends are the
    percentiles of the draws. With ten items the interval is a rough one.

    Examples
    --------
    >>> import numpy as np
    >>> places = np.random.default_rng(0).uniform(0, 9, (12, 1))
    >>> apart = pairwise_minkowski(places, 1)
    >>> low, high = bootstrap_tau(apart, pairwise_minkowski(places**2, 1))
    >>> 0 < low < high <= 1
    True
    """
    first, second, n_items = _matrices(first, second)
    n_resamples = positive_integer(n_resamples, "n_resamples")
    seed = random_seed(seed)
    if not real(confidence) or not 0 < confidence < 1:
        raise MeasureError(f"confidence = {confidence!r}: it should lie between 0 and 1.")
    i, j = np.triu_indices(n_items, k=1)

    def tau_of(items: np.ndarray) -> float:
        a, b = items[i], items[j]
        low, high = np.minimum(a, b)[a != b], np.maximum(a, b)[a != b]
        pairs = low * n_items - low * (low + 1) // 2 + high - low - 1  # their places in pdist
        return stats.kendalltau(first[pairs], second[pairs]).statistic if len(pairs) > 1 else np.nan

    drawn = np.random.default_rng(seed).integers(0, n_items, (n_resamples, n_items))
    draws = np.array([tau_of(items) for items in drawn])  # (n_resamples,)
    if np.isnan(draws).all():
        return np.nan, np.nan
    ends = np.nanquantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(ends[0]), float(ends[1])


def shuffled_information(
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    n_shuffles: int = 100,
    n_neighbors: int = 3,
    unit: Unit = "bits",
    seed: int = 0,
) -> np.ndarray:
    """Nearest-neighbour estimates of mutual information where there is none: the shuffled null.

    Shuffling the samples keeps each variable as it is and breaks the link between them; what the
    estimator still reports is its bias and its spread.

    Parameters
    ----------
    x : array_like, shape (n_samples,) or (n_vectors, n_samples)
        The first variable; or, without `y`, several variables, one a row.
    y : array_like, shape (n_samples,), optional
        The second variable, the one that is shuffled.
    n_shuffles : int
        Number of shuffles.
    n_neighbors, unit
        As in `layerlab.information.mutual_information`.
    seed : int
        Random seed of the shuffles and of the estimator's noise.

    Returns
    -------
    ndarray, shape (n_shuffles,) or (n_shuffles, n_pairs)
        One estimate a shuffle for x and y; without `y`, one for every pair of rows, each row
        shuffled by itself, pairs in the order of `scipy.spatial.distance.pdist`.

    Raises
    ------
    MeasureError
        As `mutual_information` and `pairwise_mutual_information`.

    Examples
    --------
    >>> import numpy as np
    >>> x, noise = np.random.default_rng(0).standard_normal((2, 200))
    >>> floor = shuffled_information(x, x + noise, n_shuffles=20)
    >>> floor.shape, bool(mutual_information(x, x + noise) > floor.max())
    ((20,), True)
    """
    n_shuffles = positive_integer(n_shuffles, "n_shuffles")
    rng = np.random.default_rng(random_seed(seed))
    options: dict[str, Any] = {"n_neighbors": n_neighbors, "unit": unit, "seed": seed}
    if y is None:
        X = rows(x)
        shuffles = np.stack([rng.permuted(X, axis=-1) for _ in range(n_shuffles)])
        return pairwise_mutual_information(shuffles, **options)  # (n_shuffles, n_pairs)
    a, b = pair(x, y)
    drawn = [mutual_information(a, rng.permutation(b), **options) for _ in range(n_shuffles)]
    return np.array(drawn)  # (n_shuffles,)


def shifted_information(
    x: ArrayLike,
    y: ArrayLike,
    *,
    n_shifts: int = 100,
    n_neighbors: int = 3,
    unit: Unit = "bits",
    seed: int = 0,
) -> np.ndarray:
    """Nearest-neighbour estimates of mutual information of ordered samples out of step.

    Turning y like a ring by a random number of places breaks the link to x, and keeps what a
    shuffle takes away: that neighbours in time, or in a text, resemble each other.

    Parameters
    ----------
    x, y : array_like, shape (n_samples,)
        Paired samples in their order; at least 2.
    n_shifts : int
        Number of shifts, each by at least one place.
    n_neighbors, unit
        As in `layerlab.information.mutual_information`.
    seed : int
        Random seed of the shifts and of the estimator's noise.

    Returns
    -------
    ndarray, shape (n_shifts,)
        One estimate a shift.

    Raises
    ------
    MeasureError
        As `mutual_information`.

    Examples
    --------
    >>> import numpy as np
    >>> walks = np.random.default_rng(0).standard_normal((2, 300)).cumsum(axis=1)
    >>> shuffled, shifted = shuffled_information(*walks), shifted_information(*walks)
    >>> bool(mutual_information(*walks) > shuffled.max()), bool(shifted.mean() > shuffled.max())
    (True, True)
    """
    n_shifts = positive_integer(n_shifts, "n_shifts")
    rng = np.random.default_rng(random_seed(seed))
    a, b = pair(x, y)
    options: dict[str, Any] = {"n_neighbors": n_neighbors, "unit": unit, "seed": seed}
    if b.size < 2:
        raise MeasureError("1 sample cannot be shifted: give at least 2 of x and of y.")
    steps = rng.integers(1, b.size, n_shifts)
    return np.array([mutual_information(a, np.roll(b, step), **options) for step in steps])


def benjamini_hochberg(p_values: ArrayLike) -> np.ndarray:
    """p-values adjusted for many tests by the procedure of Benjamini and Hochberg.

    Parameters
    ----------
    p_values : array_like, any shape
        The p-values of all tests made, between 0 and 1.

    Returns
    -------
    ndarray, shape of `p_values`
        The adjusted values: calling everything below 0.05 a finding keeps the expected share of
        false findings at 5 %.

    Raises
    ------
    MeasureError
        If a value is NaN or not between 0 and 1.

    Notes
    -----
    Computed by `scipy.stats.false_discovery_control`.
    """
    p_values = finite(p_values, "p_values")
    outside = p_values[(p_values < 0) | (p_values > 1)]
    if outside.size:
        raise MeasureError(f"p-value {outside[0]}: p-values lie between 0 and 1.")
    return stats.false_discovery_control(p_values, axis=None).reshape(p_values.shape)


def _concordances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Concordant less discordant pairs of entries, for each row of `first`, as whole numbers.

    This is tau's numerator; its denominator counts ties, which relabelling never changes.
    """
    first = stats.rankdata(first, method="dense", axis=1).astype(np.int32)  # (n_rows, n_pairs)
    second = stats.rankdata(second, method="dense").astype(float)  # (n_pairs,), no huge values
    total = np.zeros(len(first), dtype=np.int64)
    for entry in range(first.shape[1] - 1):
        signs = np.sign(second[entry + 1 :] - second[entry])  # (n_later,)
        total += (np.sign(first[:, entry + 1 :] - first[:, entry, None]) @ signs).astype(np.int64)
    return total


def _relabel(pairs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The pairs' values after renaming the items, one row a naming: (n_namings, n_pairs)."""
    n_items = labels.shape[1]
    rows, columns = np.triu_indices(n_items, k=1)
    place = np.zeros((n_items, n_items), dtype=np.intp)
    place[rows, columns] = place[columns, rows] = np.arange(len(pairs))
    return pairs[place[labels[:, rows], labels[:, columns]]]


def _matrices(first: ArrayLike, second: ArrayLike) -> tuple[np.ndarray, np.ndarray, int]:
    """The pairs of two distance matrices over the same items, and the number of the items."""
    for name, values in {
        "first": finite(first, "first"),
        "second": finite(second, "second"),
    }.items():
        if values.ndim == 2:
            raise MeasureError(
                f"{name} has the shape {values.shape}: give the pairs i < j of a matrix, "
                f"scipy.spatial.distance.squareform({name})."
            )
    first, second = pair(first, second, ("first", "second"), "n_pairs")
    return first, second, _count_items(len(first))


def _count_items(n_pairs: int) -> int:
    """The number of items that have so many pairs."""
    n_items = (1 + isqrt(1 + 8 * n_pairs)) // 2
    if n_items < 3 or n_items * (n_items - 1) // 2 != n_pairs:
        raise MeasureError(
            f"{n_pairs} values are not the pairs of a distance matrix of 3 or more items: "
            "there are n (n - 1) / 2 of them, 3, 6, 10, 15, …"
        )
    return n_items


def _ranked(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Two finite vectors of one length, at least 2 values."""
    a, b = pair(x, y)
    if len(a) < 2:
        raise MeasureError("1 value is too few to rank: give at least 2.")
    return a, b
