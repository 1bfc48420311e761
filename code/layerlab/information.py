"""Entropy and mutual information, by histogram and by nearest neighbours, in bits."""

import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma
from scipy.stats import rankdata

from layerlab import ksg
from layerlab._validate import (
    finite,
    near_one,
    one_of,
    pair,
    positive_integer,
    precision,
    random_seed,
    rows,
    whole_numbers,
)
from layerlab.errors import MeasureError, MeasureWarning

Unit = Literal["bits", "nats"]

_GUARD = 1e-13  # keeps log2 away from zero where a bin is empty
_NATS_PER_UNIT = {"bits": np.log(2), "nats": 1.0}
_MOST_BINS = 4096  # along each axis; their boxes take some 0.5 GB

# scikit-learn's own numbers: the deviation below which it takes a vector for constant depends on
# the vector's role; its noise is a share of the mean size of the values
_CONSTANT_FEATURE = 10 * np.finfo(np.float64).eps
_CONSTANT_TARGET = np.finfo(np.float64).smallest_subnormal
_NOISE = 1e-10

# The largest noise, in standard deviations, that we let pass. Noise of r deviations makes of two
# normals' squared correlation c the smaller c / (1 + r^2), and so takes less than
# log2(1 + r^2 4^I) / 2 off I bits: below 0.02 bits, for up to 3 bits. An estimate from 1000 samples
# scatters by more.
_LOUD = 0.02


def entropy(p: ArrayLike) -> float:
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

    Examples
    --------
    >>> round(entropy([0.5, 0.25, 0.25]), 6)
    1.5
    """
    shares = finite(p, "p")
    if shares.size == 0:
        raise MeasureError("p is empty: give the probability of each outcome.")
    if np.any(shares < 0) or not np.isclose(shares.sum(), 1):
        raise MeasureError(
            f"p sums to {shares.sum():.6g}, its smallest value is {shares.min():.6g}: "
            "probabilities are not negative and sum to 1; divide the counts by their sum."
        )
    return float(-np.sum(shares * np.log2(shares + _GUARD)))


def histogram_mutual_information(
    x: ArrayLike,
    y: ArrayLike,
    bins: int = 8,
    *,
    binning: Literal["width", "frequency"] = "width",
    correction: Literal["none", "miller-madow", "shuffle"] = "none",
    n_shuffles: int = 100,
    seed: int = 0,
) -> float:
    """Mutual information from a two-dimensional histogram, H(x) + H(y) - H(x, y).

    Parameters
    ----------
    x, y : array_like, shape (n_samples,)
        Paired samples.
    bins : int
        Number of bins along each axis, at most 4096.
    binning : {"width", "frequency"}
        Bins of equal width between the extremes, or of equal numbers of samples (by rank; equal
        values always share a bin).
    correction : {"none", "miller-madow", "shuffle"}
        What is done about the bias of few samples: nothing (the plug-in estimate), the first-order
        Miller-Madow term from the number of occupied bins, or subtracting the mean of `n_shuffles`
        estimates whose y has been shuffled. A corrected estimate can be below 0.
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
        `n_shuffles` is no positive integer, there are too many bins, or an option is unknown.

    Notes
    -----
    Two errors work against each other. Few samples fill the boxes unevenly, which looks like a
    relation: of independent samples the plug-in estimate is too high, by about
    (bins - 1)^2 / (2 n_samples ln 2). And a box hides what x and y do within it: with unlimited
    samples the estimate lies below the truth, by the more the stronger the relation and the wider
    the boxes, and no correction puts that back.

    References
    ----------
    G. A. Miller, "Note on the bias of information estimates", in H. Quastler (ed.), Information
    Theory in Psychology, 1955.

    Examples
    --------
    >>> import numpy as np
    >>> x, noise = np.random.default_rng(0).standard_normal((2, 1000))
    >>> # the truth is 0.5 bits
    >>> round(histogram_mutual_information(x, x + noise), 2)
    0.42
    """
    x, y = pair(x, y)
    bins = positive_integer(bins, "bins")
    if bins > _MOST_BINS:
        raise MeasureError(
            f"bins = {bins} along each axis makes {bins * bins} boxes: choose {_MOST_BINS} or "
            "fewer."
        )
    n_shuffles, seed = positive_integer(n_shuffles, "n_shuffles"), random_seed(seed)
    one_of(binning, "binning", ("width", "frequency"))
    one_of(correction, "correction", ("none", "miller-madow", "shuffle"))
    x_bins, y_bins = _bin_numbers(x, bins, binning), _bin_numbers(y, bins, binning)
    counts = _joint_counts(x_bins, y_bins, bins)  # (bins, bins)
    plug_in = _plug_in(counts)
    if correction == "miller-madow":
        return plug_in + _miller_madow(counts)
    if correction == "shuffle":
        rng = np.random.default_rng(seed)
        shuffled = [
            _plug_in(_joint_counts(x_bins, rng.permutation(y_bins), bins))
            for _ in range(n_shuffles)
        ]
        return plug_in - float(np.mean(shuffled))
    return plug_in


def mutual_information(
    x: ArrayLike, y: ArrayLike, *, n_neighbors: int = 3, unit: Unit = "bits", seed: int = 0
) -> float:
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
        Seed of the noise (a ten-billionth of the data's scale) that tells equal values apart; from
        0 to 2^32 - 1.

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

    Warns
    -----
    MeasureWarning
        If a vector is beyond scikit-learn's reach (see below), or if it was given in floats too
        coarse for it: their rounding acts like a noise of 1 / sqrt(12) of their step, which should
        stay below a fiftieth of the standard deviation. Constant vectors, repeated values and
        whole numbers are no reason to warn.

    Notes
    -----
    The first estimator of Kraskov et al., and the same number, the seeded noise included, as
    scikit-learn's ``mutual_info_regression(x[:, None], y, n_neighbors=n_neighbors,
    random_state=seed)`` on float64 input, which answers in nats. x is the feature, y the target;
    swapping them swaps their noise and can move the estimate by a little.

    The two differ on purpose where scikit-learn's number depends on the unit or the origin of the
    data, as mutual information does not: where the standard deviation of x is below 2.2e-15, which
    counts as constant there, or that of x or y cannot be squared in float64; and where x or y lies
    so far from 0, more than 2e8 standard deviations, that the noise, which is a share of the mean
    size, exceeds a fiftieth of the standard deviation. There the vector is measured about its mean
    and in a unit of its own, and a warning says so.

    References
    ----------
    A. Kraskov, H. Stögbauer and P. Grassberger, "Estimating mutual information", Physical Review
    E 69, 066138, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> x, noise = np.random.default_rng(0).standard_normal((2, 1000))
    >>> # the truth is 0.5 bits
    >>> round(mutual_information(x, x + noise), 2)
    0.52
    """
    steps = precision(x, "x"), precision(y, "y")
    a, b = pair(x, y)
    a = _within_reach(a, "x", _CONSTANT_FEATURE, steps[0])
    b = _within_reach(b, "y", _CONSTANT_TARGET, steps[1])
    return max(signed_information(a, b, n_neighbors=n_neighbors, unit=unit, seed=seed), 0.0)


def signed_information(
    x: np.ndarray, y: np.ndarray, *, n_neighbors: int, unit: Unit, seed: int
) -> float:
    """The estimate of `mutual_information` before a negative one is replaced by 0."""
    only = np.zeros(1, dtype=np.int64)
    return float(_estimates(x[None], y[None], only, only, n_neighbors, unit, seed)[0])


def to_unit(nats: float, unit: Unit) -> float:
    """Nats in another unit."""
    return float(nats / _NATS_PER_UNIT[unit])


def pairwise_mutual_information(
    X: ArrayLike,
    *,
    n_neighbors: int = 3,
    unit: Unit = "bits",
    seed: int = 0,
    chosen: ArrayLike | None = None,
) -> np.ndarray:
    """Mutual information of every two rows of `X` from nearest-neighbour distances.

    Parameters
    ----------
    X : array_like, shape (..., n_vectors, n_samples)
        One variable a row; at least 2 rows, more samples than `n_neighbors`. Of a stack of such
        matrices each is measured by itself; one call lets the threads share all their pairs.
    n_neighbors, unit, seed
        As in `mutual_information`.
    chosen : array of int, shape (n_chosen,), optional
        Measure only some pairs: their places in the order below. All of them by default.

    Returns
    -------
    ndarray, shape (..., n_vectors * (n_vectors - 1) / 2) or (..., n_chosen)
        The estimates of the pairs i < j, ordered (0, 1), (0, 2), …, as
        `scipy.spatial.distance.pdist` orders them, each equal to
        ``mutual_information(X[i], X[j], ...)`` with the same options.

    Raises
    ------
    MeasureError
        As `mutual_information`, and if `X` is no matrix of at least 2 rows, nor a stack of them, or
        something is chosen that is no pair.

    Warns
    -----
    MeasureWarning
        As `mutual_information`, of every row in each of its roles.

    Examples
    --------
    >>> import numpy as np
    >>> x, noise = np.random.default_rng(0).standard_normal((2, 1000))
    >>> pairwise_mutual_information([x, noise, x + noise]).round(2)
    array([0.  , 0.52, 0.57])
    """
    step, stack = precision(X, "X"), rows(X)
    n_vectors, n_samples = stack.shape[-2:]
    constant_below = np.full(n_vectors, _CONSTANT_FEATURE)
    constant_below[-1] = _CONSTANT_TARGET  # the last row is nobody's feature
    matrices = _within_reach(stack, "X", constant_below, step).reshape(-1, n_vectors, n_samples)
    first, second = np.triu_indices(n_vectors, k=1)  # (n_pairs,) each; X[0] is nobody's target
    if chosen is not None:
        places = whole_numbers(chosen, "chosen")
        if places.ndim != 1 or not places.size or places.min() < 0 or places.max() >= len(first):
            raise MeasureError(
                f"chosen should be a list of places among the {len(first)} pairs, counted from 0."
            )
        first, second = first[places], second[places]
    n_threads = ksg.n_threads_by_default()
    inner_threads = n_threads if len(matrices) == 1 else 1

    def measure(matrix: np.ndarray) -> np.ndarray:
        pairs = matrix[:-1], matrix[1:], first, second - 1
        return _estimates(*pairs, n_neighbors, unit, seed, inner_threads)  # (n_pairs,)

    estimates = np.maximum(np.stack(ksg.on_threads(measure, matrices, n_threads)), 0)
    return estimates.reshape(*stack.shape[:-2], -1)  # (..., n_pairs)


def _estimates(
    features: np.ndarray,
    targets: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    n_neighbors: int,
    unit: Unit,
    seed: int,
    n_threads: int = 1,
) -> np.ndarray:
    """Nearest-neighbour estimates of the pairs features[first], targets[second], (n_pairs,)."""
    n_samples = features.shape[1]
    n_neighbors = positive_integer(n_neighbors, "n_neighbors")
    if n_samples <= n_neighbors:
        raise MeasureError(
            f"{n_samples} sample(s) are too few for n_neighbors = {n_neighbors}: "
            f"give at least {n_neighbors + 1} samples or ask for fewer neighbours."
        )
    one_of(unit, "unit", tuple(_NATS_PER_UNIT))
    feature_noise, target_noise = _noises(random_seed(seed), n_samples)
    features = _scale(features, _CONSTANT_FEATURE, feature_noise)
    targets = _scale(targets, _CONSTANT_TARGET, target_noise)
    sums = ksg.digamma_sums(features, targets, first, second, n_neighbors, n_threads)
    nats = digamma(n_samples) + digamma(n_neighbors) - sums / n_samples
    return nats / _NATS_PER_UNIT[unit]


def _within_reach(
    X: np.ndarray, name: str, constant_below: float | np.ndarray, step: float
) -> np.ndarray:
    """X, its vectors brought near where scikit-learn would lose them; warns of these.

    Parameters
    ----------
    X : ndarray of float64, shape (..., n_samples)
    name : str
        What the caller calls X.
    constant_below : float or ndarray, shape (n_vectors,)
        The deviation below which scikit-learn takes each vector for constant.
    step : float
        Relative step between the numbers of the type that X was given in, 0 if whole.
    """
    if _clearly_within_reach(X, constant_below, step):
        return X
    with np.errstate(over="ignore", invalid="ignore"):
        deviation, size = X.std(axis=-1), np.abs(X).mean(axis=-1)  # (...,) each
    varies = X.max(axis=-1) > X.min(axis=-1)
    measurable = varies & (deviation > 0)
    lost = {
        "values too large to square": ~np.isfinite(deviation),
        "too small a standard deviation": varies & (deviation < constant_below),
        "too large an offset for its noise": measurable & (_NOISE * size > _LOUD * deviation),
    }
    spacing = np.ldexp(step, np.frexp(size)[1] - 1)  # of floats as large as the mean size
    coarse = measurable & (spacing > np.sqrt(12) * _LOUD * deviation)
    for at in _places(coarse):
        if np.any(X[at] % (2 * spacing[at])):  # or nothing was rounded: such as 1001, 1002, 1003
            _warn(
                f"{name}{list(at) or ''} was given in floats that are {spacing[at]:.2g} apart, and "
                f"its standard deviation is {deviation[at]:.2g}: what it tells may have been "
                "rounded away. Subtract the mean before rounding, or keep more digits."
            )
    for reason, where in lost.items():
        for at in _places(where & varies):
            _warn(
                f"{name}{list(at) or ''} (mean size {size[at]:.3g}, standard deviation "
                f"{deviation[at]:.3g}) has {reason} in scikit-learn, which loses it: it was "
                "measured about its mean and in a unit of its own. Standardize it first, and the "
                "two agree."
            )
    if not np.any(list(lost.values())):
        return X
    X = X.copy()
    for at in _places(np.any(list(lost.values()), axis=0)):
        X[at] = _near(X[at])
    return X


def _clearly_within_reach(X: np.ndarray, constant_below: float | np.ndarray, step: float) -> bool:
    """Whether no vector can be out of reach, judged by the extremes alone, which are quick to find.

    Of n values between two extremes the standard deviation is at least their distance over the
    root of 2 n: the extremes themselves leave that much.
    """
    low, high = X.min(axis=-1), X.max(axis=-1)  # (...,) each
    deviation = (high / 2 - low / 2) * np.sqrt(2 / X.shape[-1])  # at least; halves cannot overflow
    size = np.maximum(high, -low)
    noise = max(_NOISE, step / np.sqrt(12))
    squares_well = (deviation > 1e-150) & (size < 1e150)
    within = (deviation > constant_below) & (noise * size < _LOUD * deviation) & squares_well
    return bool(within.all())


def _places(where: np.ndarray) -> Iterator[tuple[int, ...]]:
    """Index of each vector for which `where` is true; that of a single vector is empty."""
    return map(tuple, np.argwhere(where).tolist())


def _warn(message: str) -> None:
    """Point a warning at the line that called the measure."""
    warnings.warn(message, MeasureWarning, stacklevel=4)


def _near(x: np.ndarray) -> np.ndarray:
    """The vector about its mean and in a unit close to 1; exact but for the mean's last digit.

    The unit is a power of two, so that digits stay as they are; it is chosen before the mean is
    taken, which could overflow, and again after that.
    """
    x, _ = near_one(x, -1)
    return near_one(x - x.mean(), -1)[0]


def _scale(X: np.ndarray, constant_below: float, noise: np.ndarray) -> np.ndarray:
    """Each vector over its standard deviation, plus the noise that tells equal values apart."""
    deviations = X.std(axis=1, keepdims=True)  # (n_vectors, 1)
    X = X / np.where(deviations < constant_below, 1, deviations)  # (n_vectors, n_samples)
    X += _NOISE * np.maximum(1, np.abs(X).mean(axis=1, keepdims=True)) * noise
    return X


@lru_cache(maxsize=4)
def _noises(seed: int, n_samples: int) -> np.ndarray:
    """What scikit-learn's seeded generator draws for a feature and then for the target.

    It is the same in every call, so all pairs can share one scaled copy of a vector in each role.
    """
    return np.random.RandomState(seed).standard_normal((2, n_samples))


def _bin_numbers(values: np.ndarray, bins: int, binning: str) -> np.ndarray:
    """The bin, from 0, that each value falls into."""
    if binning == "width":
        half = values.max() / 2 - values.min() / 2  # of the range, which could overflow
        if half < 1e-9 * np.abs(values).max() or not 1e-300 < half < 1e300:
            values = _near(values)  # or the edges would be too close, or too far, for float64
        edges = np.histogram_bin_edges(values, bins)  # (bins + 1,)
        return np.searchsorted(edges[1:-1], values, side="right")  # (n_samples,)
    share_below = (rankdata(values) - 0.5) / len(values)  # (n_samples,)
    return (share_below * bins).astype(int)  # (n_samples,)


def _joint_counts(x_bins: np.ndarray, y_bins: np.ndarray, bins: int) -> np.ndarray:
    """How many samples fall into each pair of bins, (bins, bins)."""
    return np.bincount(x_bins * bins + y_bins, minlength=bins * bins).reshape(bins, bins)


def _plug_in(counts: np.ndarray) -> float:
    """Mutual information in bits, the observed shares taken for the probabilities."""
    p_xy = counts / counts.sum()
    return entropy(p_xy.sum(axis=1)) + entropy(p_xy.sum(axis=0)) - entropy(p_xy)


def _miller_madow(counts: np.ndarray) -> float:
    """First-order correction in bits: each entropy is too low by (occupied - 1) / (2 n ln 2)."""
    occupied = [np.count_nonzero(c) for c in (counts.sum(axis=1), counts.sum(axis=0), counts)]
    excess = (occupied[0] - 1) + (occupied[1] - 1) - (occupied[2] - 1)
    return excess / (2 * counts.sum() * np.log(2))
