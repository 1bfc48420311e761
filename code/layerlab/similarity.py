"""How alike two vectors are, and two sets of vectors: correlation, cosine, norms, CKA.

L2 distance sees two things at once, for ``|x - y|² = (|x| - |y|)² + 2 |x| |y| (1 - cos)``: how
the lengths differ, and how the directions do.  `norm_differences` and `pairwise_cosine` tell them
apart.
"""

import numpy as np
from numpy.typing import ArrayLike

from layerlab._validate import finite, near_one, rows
from layerlab.errors import MeasureError


def pairwise_cosine(X: ArrayLike) -> np.ndarray:
    """Cosine of the angle between every two rows of `X`.

    Parameters
    ----------
    X : array_like, shape (..., n_vectors, width)
        One vector a row; at least 2 rows. Of a stack of such matrices each is measured by itself.

    Returns
    -------
    ndarray, shape (..., n_vectors * (n_vectors - 1) / 2)
        Between -1 and 1, for the pairs i < j as `scipy.spatial.distance.pdist` orders them; NaN
        for a vector of zeros, which has no direction.

    Raises
    ------
    MeasureError
        If `X` is no matrix of at least 2 rows nor a stack of them, or a value is NaN or infinite.

    Examples
    --------
    >>> pairwise_cosine([[1, 0], [0, 2], [3, 3]]).round(2)
    array([0.  , 0.71, 0.71])
    """
    return _upper(_directions(rows(X)))


def pairwise_pearson(X: ArrayLike) -> np.ndarray:
    """Pearson's r of every two rows of `X`: the cosine after each row's mean is taken off.

    Parameters
    ----------
    X : array_like, shape (..., n_vectors, width)
        As for `pairwise_cosine`.

    Returns
    -------
    ndarray, shape (..., n_vectors * (n_vectors - 1) / 2)
        Between -1 and 1; NaN for a vector of equal numbers.

    Raises
    ------
    MeasureError
        As `pairwise_cosine`.

    Examples
    --------
    >>> pairwise_pearson([[1, 2, 3], [2, 4, 6], [3, 2, 1]]).round(2)
    array([ 1., -1., -1.])
    """
    X, _ = near_one(rows(X), -1)
    means = X.mean(axis=-1, keepdims=True)
    spread = X.max(axis=-1, keepdims=True) > X.min(axis=-1, keepdims=True)
    return _upper(_directions(np.where(spread, X - means, 0.0)))


def norm_differences(X: ArrayLike) -> np.ndarray:
    """How much the Euclidean norms of every two rows of `X` differ, as a positive number.

    Parameters
    ----------
    X : array_like, shape (..., n_vectors, width)
        As for `pairwise_cosine`.

    Returns
    -------
    ndarray, shape (..., n_vectors * (n_vectors - 1) / 2)
        In the unit of the vectors.

    Raises
    ------
    MeasureError
        As `pairwise_cosine`, and if a norm is beyond the largest float64.

    Examples
    --------
    >>> norm_differences([[3, 4], [0, 1], [1, 0]])
    array([4., 4., 0.])
    """
    X, exponents = near_one(rows(X), -1)
    with np.errstate(over="ignore"):  # what becomes infinite is refused
        norms = np.ldexp(np.linalg.norm(X, axis=-1), exponents[..., 0])  # (..., n_vectors)
    if not np.isfinite(norms).all():
        raise MeasureError("a vector is too long for float64: measure in a larger unit.")
    first, second = np.triu_indices(norms.shape[-1], k=1)
    return np.abs(norms[..., first] - norms[..., second])


def linear_cka(X: ArrayLike, Y: ArrayLike) -> float:
    """Debiased linear CKA of two sets of vectors for the same samples.

    Centred kernel alignment asks whether samples that are alike in `X` are alike in `Y`, whatever
    the coordinates are called or how they are turned. Its plain form is well above 0 for
    unrelated sets, and near 1 where there are many times more coordinates than samples; this one
    is debiased: 0 on average for unrelated sets, and below 0 about as often as above, where there
    are many coordinates.

    Parameters
    ----------
    X : array_like, shape (n_samples, width)
    Y : array_like, shape (n_samples, other_width)
        The same samples in the same order; at least 4.

    Returns
    -------
    float
        At most 1 up to rounding; NaN where the samples of a set do not differ enough for an
        unbiased estimate of its own similarity to be positive.

    Raises
    ------
    MeasureError
        If they are no matrices of as many rows, at least 4, or a value is NaN or infinite.

    References
    ----------
    L. Song et al., "Feature selection via dependence maximization", Journal of Machine Learning
    Research 13, 2012, for the unbiased estimate; S. Kornblith et al., "Similarity of neural network
    representations revisited", ICML 2019, for CKA.

    Examples
    --------
    >>> import numpy as np
    >>> X, Y = np.random.default_rng(0).standard_normal((2, 50, 200))
    >>> turned = X @ np.linalg.qr(Y.T @ Y)[0]
    >>> round(linear_cka(X, turned), 2), abs(linear_cka(X, Y)) < 0.1
    (1.0, True)
    """
    X, Y = rows(X), rows(Y)
    if X.ndim != 2 or Y.ndim != 2 or len(X) != len(Y):
        raise MeasureError(
            f"X has the shape {X.shape} and Y {Y.shape}: both should be (n_samples, width), with "
            "the same samples."
        )
    first, second = _centred_kernels(X), _centred_kernels(Y)
    own = np.sum(first**2), np.sum(second**2)
    return float(_alignment(np.sum(first * second), *own))


def pairwise_cka(activations: ArrayLike) -> np.ndarray:
    """Debiased linear CKA between every two layers.

    Parameters
    ----------
    activations : array_like, shape (..., n_layers, n_samples, width)
        At least 2 layers and 4 samples.

    Returns
    -------
    ndarray, shape (..., n_layers * (n_layers - 1) / 2)
        `linear_cka` of the pairs i < j.

    Raises
    ------
    MeasureError
        If the shape is another, or a value is NaN or infinite.

    Examples
    --------
    >>> import numpy as np
    >>> layers = np.random.default_rng(0).standard_normal((2, 3, 20, 8))
    >>> pairwise_cka(layers).shape  # components, pairs of layers
    (2, 3)
    """
    activations = finite(activations, "activations")
    if activations.ndim < 3 or activations.shape[-3] < 2 or activations.size == 0:
        raise MeasureError(
            f"activations has the shape {activations.shape}: it should be (..., n_layers, "
            "n_samples, width), with 2 layers or more."
        )
    kernels = _centred_kernels(activations)  # (..., n_layers, n_samples, n_samples)
    flat = kernels.reshape(*kernels.shape[:-2], -1)
    products = flat @ flat.swapaxes(-1, -2)  # (..., n_layers, n_layers)
    own = np.diagonal(products, axis1=-2, axis2=-1)  # (..., n_layers)
    first, second = np.triu_indices(own.shape[-1], k=1)
    return _alignment(products[..., first, second], own[..., first], own[..., second])


def _directions(X: np.ndarray) -> np.ndarray:
    """Rows of length 1; NaN where a row is of zeros."""
    X, _ = near_one(X, -1)
    with np.errstate(invalid="ignore"):
        return X / np.linalg.norm(X, axis=-1, keepdims=True)


def _upper(directions: np.ndarray) -> np.ndarray:
    """Products of the pairs i < j, kept within what a cosine can be."""
    products = np.clip(directions @ directions.swapaxes(-1, -2), -1, 1)
    first, second = np.triu_indices(directions.shape[-2], k=1)
    return products[..., first, second]  # (..., n_pairs)


def _centred_kernels(X: np.ndarray) -> np.ndarray:
    """The samples' inner products, zero on the diagonal, every row adding up to zero.

    Products of two such matrices, summed, are n (n - 3) times the unbiased estimate of HSIC.
    """
    n = X.shape[-2]
    if n < 4:
        raise MeasureError(f"{n} samples are too few for a debiased CKA: give 4 or more.")
    X, _ = near_one(X, (-2, -1))
    largest = np.abs(X).max(axis=(-2, -1), keepdims=True)
    X = X - X.mean(axis=-2, keepdims=True)  # changes nothing but the rounding
    scale = np.abs(X).max(axis=(-2, -1), keepdims=True)
    # Samples that are all alike leave the rounding of their mean.
    X = np.where(scale > n * np.finfo(float).eps * largest, X, 0)
    X = X / np.where(scale > 0, scale, 1)
    kernel = X @ X.swapaxes(-1, -2)  # (..., n, n)
    off = 1 - np.eye(n)
    kernel = kernel * off
    sums = kernel.sum(axis=-1, keepdims=True) / (n - 2)  # (..., n, 1)
    total = kernel.sum(axis=(-2, -1), keepdims=True) / ((n - 1) * (n - 2))
    return (kernel - sums - sums.swapaxes(-1, -2) + total) * off


def _alignment(between: ArrayLike, first: ArrayLike, second: ArrayLike) -> np.ndarray:
    own = np.where((np.asarray(first) > 0) & (np.asarray(second) > 0), first, np.nan)
    return np.asarray(between) / np.sqrt(own * np.asarray(second))
