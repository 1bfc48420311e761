"""The measures over pairs of targets and pairs of layers: arrays in, arrays out.

Axes, always in this order: component (0 attention, 1 MLP), layer, pair or statistic, measure
(0 mutual information in bits, 1 L1 distance, 2 L2 distance).  Pairs i < j run as in SciPy's
``pdist``: (0, 1), (0, 2), …, (n - 2, n - 1).
"""

import numpy as np
from numpy.typing import ArrayLike

from layerlab._validate import finite, rows, whole_numbers
from layerlab.distances import pairwise_minkowski
from layerlab.errors import MeasureError
from layerlab.families import COMPONENTS
from layerlab.information import pairwise_mutual_information
from layerlab.statistics import kendall_tau


def position_distances(positions: ArrayLike) -> np.ndarray:
    """Tokens between the targets of every pair.

    Parameters
    ----------
    positions : array of int, shape (n,)

    Returns
    -------
    ndarray of int64, shape (n_pairs,)

    Raises
    ------
    MeasureError
        If a position is no whole number, or they are no list of them.
    """
    positions = whole_numbers(positions, "positions")
    if positions.ndim != 1:
        raise MeasureError(f"positions has the shape {positions.shape}: it should be (n,).")
    first, second = np.triu_indices(len(positions), k=1)
    return np.abs(positions[second] - positions[first])  # (n_pairs,)


def measure_pairs(X: ArrayLike, *, n_neighbors: int = 3, seed: int = 0) -> np.ndarray:
    """Mutual information, L1 and L2 between every pair of vectors.

    Parameters
    ----------
    X : array, shape (..., n, width)
        One activation vector a row; in a stack of such matrices, the pairs within each.
    n_neighbors : int
        Of the estimator of mutual information.
    seed : int
        Of the tiny noise that breaks ties in that estimator.

    Returns
    -------
    ndarray, shape (..., n_pairs, 3)
        Bits, L1, L2.

    Raises
    ------
    MeasureError
        If `X` is no matrix of finite numbers, or is too narrow for `n_neighbors`.

    Examples
    --------
    >>> import numpy as np
    >>> vectors = np.random.default_rng(0).standard_normal((4, 50))
    >>> measure_pairs(vectors).shape  # pairs, measures
    (6, 3)
    """
    information = pairwise_mutual_information(X, n_neighbors=n_neighbors, seed=seed)
    X = rows(X)  # converted once for both distances
    return np.stack(
        [information, pairwise_minkowski(X, 1), pairwise_minkowski(X, 2)], axis=-1
    )  # (..., n_pairs, 3)


def position_tau(measures: ArrayLike, distances: ArrayLike) -> np.ndarray:
    """Kendall's tau of each measure with position distance.

    Parameters
    ----------
    measures : array, shape (n_pairs, 3)
    distances : array, shape (n_pairs,)
        Position distance of every pair.

    Returns
    -------
    ndarray, shape (3, 2)
        Tau and its p-value, which takes the pairs for independent (they are not, see
        `layerlab.statistics.mantel_test`).  NaN where there is nothing to rank: a single pair, or
        constant values.
    """
    if np.size(distances) == 1:
        return np.full((np.shape(measures)[-1], 2), np.nan)
    return np.array([kendall_tau(values, distances) for values in np.transpose(measures)])


def summarize(measures: ArrayLike, distances: ArrayLike) -> np.ndarray:
    """Mean over the pairs, and Kendall's tau with position distance, in every layer.

    Parameters
    ----------
    measures : array, shape (2, n_layers, n_pairs, 3)
    distances : array, shape (n_pairs,)
        Position distance of every pair.

    Returns
    -------
    ndarray, shape (2, n_layers, 2, 3)
        The third axis: mean, tau.  Tau is NaN where `position_tau` is.
    """
    measures = np.asarray(measures)
    means = measures.mean(axis=2)  # (2, n_layers, 3)
    taus = [[position_tau(layer, distances)[:, 0] for layer in part] for part in measures]
    return np.stack([means, taus], axis=2)  # (2, n_layers, 2, 3)


def laminar_sweep(
    activations: ArrayLike, positions: ArrayLike, *, n_neighbors: int = 3, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """All measures in every layer, and their summary.

    Parameters
    ----------
    activations : array, shape (2, n_layers, n, width)
    positions : array of int, shape (n,)

    Returns
    -------
    measures : ndarray, shape (2, n_layers, n_pairs, 3)
    summary : ndarray, shape (2, n_layers, 2, 3)

    Raises
    ------
    MeasureError
        As `measure_pairs` and `position_distances`, or if the shapes are not those above.

    Examples
    --------
    >>> import numpy as np
    >>> activations = np.random.default_rng(0).standard_normal((2, 3, 5, 40))
    >>> measures, summary = laminar_sweep(activations, [4, 9, 30, 31, 77])
    >>> measures.shape, summary.shape
    ((2, 3, 10, 3), (2, 3, 2, 3))
    """
    shape = _check_components(activations, "activations", "n_layers", "n", "width")
    distances = position_distances(positions)
    if np.size(positions) != shape[2]:
        raise MeasureError(
            f"activations has the shape {shape}, of {shape[2]} targets, and positions holds "
            f"{np.size(positions)}: give one position for each target."
        )
    measures = measure_pairs(activations, n_neighbors=n_neighbors, seed=seed)
    return measures, summarize(measures, distances)


def layer_information(norms: ArrayLike, *, n_neighbors: int = 3, seed: int = 0) -> np.ndarray:
    """Mutual information between every pair of layers, within attention and within MLP.

    Parameters
    ----------
    norms : array, shape (2, n_layers, n_sequences)
        One number for each layer and sequence.

    Returns
    -------
    ndarray, shape (2, n_layer_pairs)
        Bits.

    Raises
    ------
    MeasureError
        If there are no more sequences than `n_neighbors`, or the shape is not the one above.

    Examples
    --------
    >>> import numpy as np
    >>> norms = np.random.default_rng(0).standard_normal((2, 4, 60))
    >>> layer_information(norms).shape  # components, pairs of layers
    (2, 6)
    """
    _check_components(norms, "norms", "n_layers", "n_sequences")
    return pairwise_mutual_information(norms, n_neighbors=n_neighbors, seed=seed)


def to_upper(pairs: ArrayLike) -> np.ndarray:
    """Values of pairs as the upper triangle of a matrix, zeros elsewhere.

    Parameters
    ----------
    pairs : array, shape (n_pairs, ...)

    Returns
    -------
    ndarray, shape (n, n, ...)

    Raises
    ------
    MeasureError
        If no number of items n has that many pairs.
    """
    pairs = np.asarray(pairs)
    n_items = (1 + int(np.sqrt(1 + 8 * len(pairs)))) // 2
    if n_items * (n_items - 1) // 2 != len(pairs):
        raise MeasureError(f"{len(pairs)} values are not the pairs of any n items (1, 3, 6, 10, …)")
    matrix = np.zeros((n_items, n_items, *pairs.shape[1:]), dtype=pairs.dtype)
    matrix[np.triu_indices(n_items, k=1)] = pairs
    return matrix


def _check_components(values: ArrayLike, name: str, *axes: str) -> tuple[int, ...]:
    """The shape, if its first axis is attention and MLP, and the others are those named."""
    shape = finite(values, name).shape
    if len(shape) != 1 + len(axes) or shape[0] != len(COMPONENTS):
        wanted = ", ".join([str(len(COMPONENTS)), *axes])
        raise MeasureError(f"{name} has the shape {shape}: it should be ({wanted}).")
    return shape
