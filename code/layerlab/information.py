"""Entropy and mutual information, by histogram and by nearest neighbours, in bits."""

from functools import lru_cache

import numpy as np
from scipy.special import digamma
from scipy.stats import rankdata

from layerlab import _ksg
from layerlab._validate import finite, pair, positive_integer, rows
from layerlab.errors import MeasureError

_GUARD = 1e-13  # keeps log2 away from zero where a bin is empty
_NATS_PER_UNIT = {"bits": np.log(2), "nats": 1.0}


def entropy(p):
    """Entropy of a discrete distribution, H = -sum p log2(p + 1e-13).

    Parameters
    ----------
    p : array_like, any shape
        The probabilities; not negative, summing to 1.

    Returns
    -------
    float
        The entropy in bits. The guard of 1e-13 makes it wrong by less than 2e-13 bits a bin.

    Raises
    ------
    MeasureError
        If `p` is empty, or holds negative, NaN or infinite values, or does not sum to 1.
    """
    p = finite(p, "p")
    if p.size == 0 or np.any(p < 0) or not np.isclose(p.sum(), 1):
        raise MeasureError(
            f"p sums to {p.sum():.6g}, smallest value {p.min(initial=0):.6g}: probabilities are "
            "not negative and sum to 1; divide the counts by their sum."
        )
    return float(-np.sum(p * np.log2(p + _GUARD)))


def histogram_mutual_information(
    x, y, bins=8, *, binning="width", correction="none", n_shuffles=100, seed=0
):
    """Mutual information from a two-dimensional histogram, H(x) + H(y) - H(x, y).

    Parameters
    ----------
    x, y : array_like, shape (n_samples,)
        Paired samples.
    bins : int
        Number of bins along each axis.
    binning : {"width", "frequency"}
        Bins of equal width between the extremes, or of equal numbers of samples (by rank; equal
        values always share a bin).
    correction : {"none", "miller-madow", "shuffle"}
        What is done about the bias, which is upwards, about (bins - 1)^2 / (2 n_samples ln 2) for
        independent samples: nothing (the plug-in estimate), the first-order Miller-Madow term from
        the number of occupied bins, or subtracting the mean of `n_shuffles` estimates whose y has
        been shuffled. A corrected estimate can be below 0.
    n_shuffles, seed : int
        Number of shuffles and their random seed; used by ``correction="shuffle"`` only.

    Returns
    -------
    float
        Mutual information in bits.

    Raises
    ------
    MeasureError
        If the shapes differ or are not one-dimensional, a value is NaN or infinite, `bins` or
        `n_shuffles` is no positive integer, or an option is unknown.

    References
    ----------
    G. A. Miller, "Note on the bias of information estimates", in H. Quastler (ed.), Information
    Theory in Psychology, 1955.
    """
    x, y = pair(x, y)
    bins = positive_integer(bins, "bins")
    if correction not in ("none", "miller-madow", "shuffle"):
        raise MeasureError(
            f"correction = {correction!r} is unknown: choose 'none', 'miller-madow' or 'shuffle'."
        )
    x_bins, y_bins = _bin_numbers(x, bins, binning), _bin_numbers(y, bins, binning)
    counts = _joint_counts(x_bins, y_bins, bins)  # (bins, bins)
    plug_in = _plug_in(counts)
    if correction == "miller-madow":
        return plug_in + _miller_madow(counts)
    if correction == "shuffle":
        n_shuffles = positive_integer(n_shuffles, "n_shuffles")
        rng = np.random.default_rng(seed)
        shuffled = [
            _plug_in(_joint_counts(x_bins, rng.permutation(y_bins), bins))
            for _ in range(n_shuffles)
        ]
        return plug_in - float(np.mean(shuffled))
    return plug_in


def mutual_information(x, y, *, n_neighbors=3, unit="bits", seed=0):
    """Mutual information of two continuous variables from nearest-neighbour distances.

    Parameters
    ----------
    x, y : array_like, shape (n_samples,)
        Paired samples; more of them than `n_neighbors`.
    n_neighbors : int
        Neighbours considered around each sample. More of them vary less and are more biased.
    unit : {"bits", "nats"}
        Unit of the answer; 1 nat is 1 / ln 2 = 1.44 bits.
    seed : int
        Seed of the noise (a ten-billionth of the data's scale) that tells equal values apart.

    Returns
    -------
    float
        The estimate, never below 0: a negative one is replaced by 0, which lifts the mean over
        independent pairs a little above 0.

    Raises
    ------
    MeasureError
        If the shapes differ or are not one-dimensional, there are no more samples than
        neighbours, a value is NaN or infinite (its place is named), or an option is wrong.

    Notes
    -----
    The first estimator of Kraskov et al., and the same number, the seeded noise included, as
    scikit-learn's ``mutual_info_regression(x[:, None], y, n_neighbors=n_neighbors,
    random_state=seed)`` on float64 input, which answers in nats. x is the feature, y the target;
    swapping them swaps their noise and can move the estimate by a little.

    References
    ----------
    A. Kraskov, H. Stögbauer and P. Grassberger, "Estimating mutual information", Physical Review
    E 69, 066138, 2004.
    """
    x, y = pair(x, y)
    return float(_estimates(x[None], y[None], [0], [0], n_neighbors, unit, seed)[0])


def pairwise_mutual_information(X, *, n_neighbors=3, unit="bits", seed=0):
    """Mutual information of every two rows of `X` from nearest-neighbour distances.

    Parameters
    ----------
    X : array_like, shape (..., n_vectors, n_samples)
        One variable a row; at least 2 rows, more samples than `n_neighbors`. Of a stack of such
        matrices each is measured by itself; one call lets the threads share all their pairs.
    n_neighbors, unit, seed
        As in `mutual_information`.

    Returns
    -------
    ndarray, shape (..., n_vectors * (n_vectors - 1) / 2)
        The estimates of the pairs i < j, ordered (0, 1), (0, 2), …, as
        `scipy.spatial.distance.pdist` orders them, each equal to
        ``mutual_information(X[i], X[j], ...)`` with the same options.

    Raises
    ------
    MeasureError
        As `mutual_information`, and if `X` is no matrix of at least 2 rows, nor a stack of them.
    """
    X = rows(X)
    first, second = np.triu_indices(X.shape[-2], k=1)  # (n_pairs,) each; X[0] is nobody's target
    matrices = X.reshape(-1, *X.shape[-2:])  # (n_matrices, n_vectors, n_samples)
    n_threads = _ksg.n_threads_by_default()
    inner_threads = n_threads if len(matrices) == 1 else 1

    def measure(matrix):
        pairs = matrix[:-1], matrix[1:], first, second - 1
        return _estimates(*pairs, n_neighbors, unit, seed, inner_threads)  # (n_pairs,)

    estimates = np.stack(_ksg.on_threads(measure, matrices, n_threads))
    return estimates.reshape(*X.shape[:-2], -1)  # (..., n_pairs)


def _estimates(features, targets, first, second, n_neighbors, unit, seed, n_threads=1):
    """Nearest-neighbour estimates of the pairs features[first], targets[second], (n_pairs,)."""
    n_samples = features.shape[1]
    n_neighbors = positive_integer(n_neighbors, "n_neighbors")
    if n_samples <= n_neighbors:
        raise MeasureError(
            f"{n_samples} sample(s) are too few for n_neighbors = {n_neighbors}: "
            f"give at least {n_neighbors + 1} samples or ask for fewer neighbours."
        )
    if unit not in _NATS_PER_UNIT:
        raise MeasureError(f"unit = {unit!r} is unknown: choose 'bits' or 'nats'.")
    feature_noise, target_noise = _noises(seed, n_samples)
    # the threshold below which scikit-learn takes a vector for constant depends on its role
    features = _scale(features, 10 * np.finfo(np.float64).eps, feature_noise)
    targets = _scale(targets, np.finfo(np.float64).smallest_subnormal, target_noise)
    sums = _ksg.digamma_sums(features, targets, first, second, n_neighbors, n_threads)
    nats = digamma(n_samples) + digamma(n_neighbors) - sums / n_samples
    return np.maximum(nats, 0) / _NATS_PER_UNIT[unit]


def _scale(X, constant_below, noise):
    """Each vector over its standard deviation, plus the noise that tells equal values apart."""
    with np.errstate(over="ignore"):
        deviations = X.std(axis=1, keepdims=True)  # (n_vectors, 1)
    if not np.isfinite(deviations).all():
        raise MeasureError(
            f"values up to {np.abs(X).max():.3g} are too large to square: measure in a larger unit."
        )
    X = X / np.where(deviations < constant_below, 1, deviations)  # (n_vectors, n_samples)
    X += 1e-10 * np.maximum(1, np.abs(X).mean(axis=1, keepdims=True)) * noise
    return X


@lru_cache(maxsize=4)
def _noises(seed, n_samples):
    """What scikit-learn's seeded generator draws for a feature and then for the target.

    It is the same in every call, so all pairs can share one scaled copy of a vector in each role.
    """
    return np.random.RandomState(seed).standard_normal((2, n_samples))


def _bin_numbers(values, bins, binning):
    """The bin, from 0, that each value falls into."""
    if binning == "width":
        edges = np.histogram_bin_edges(values, bins)  # (bins + 1,)
        return np.searchsorted(edges[1:-1], values, side="right")  # (n_samples,)
    if binning == "frequency":
        share_below = (rankdata(values) - 0.5) / len(values)  # (n_samples,)
        return (share_below * bins).astype(int)  # (n_samples,)
    raise MeasureError(f"binning = {binning!r} is unknown: choose 'width' or 'frequency'.")


def _joint_counts(x_bins, y_bins, bins):
    """How many samples fall into each pair of bins, (bins, bins)."""
    return np.bincount(x_bins * bins + y_bins, minlength=bins * bins).reshape(bins, bins)


def _plug_in(counts):
    """Mutual information in bits, the observed shares taken for the probabilities."""
    p_xy = counts / counts.sum()
    return entropy(p_xy.sum(axis=1)) + entropy(p_xy.sum(axis=0)) - entropy(p_xy)


def _miller_madow(counts):
    """First-order correction in bits: each entropy is too low by (occupied - 1) / (2 n ln 2)."""
    occupied = [np.count_nonzero(c) for c in (counts.sum(axis=1), counts.sum(axis=0), counts)]
    excess = (occupied[0] - 1) + (occupied[1] - 1) - (occupied[2] - 1)
    return excess / (2 * counts.sum() * np.log(2))
