"""The same quantities by other packages, one function each: two vectors in, nats out.

Each gets the vectors as scikit-learn has them after scaling and noise, so that all are asked about
the same numbers; scikit-learn itself gets the raw ones and scales them.
"""

from importlib.util import find_spec

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_regression


def scale_like_scikit_learn(x, y, seed=0):
    """x and y over their standard deviations, with the noise of a feature and of a target."""
    rng = np.random.RandomState(seed)
    scaled = []
    for values in (x, y):
        values = values / values.std()
        noise = 1e-10 * max(1, np.abs(values).mean()) * rng.standard_normal(len(values))
        scaled.append(values + noise)
    return scaled


def scikit_learn(x, y, k=3):
    """What we agree with; x and y are raw."""
    return mutual_info_regression(x[:, None], y, n_neighbors=k, random_state=0)[0]


def scikit_learn_batched(X, k=3):
    """The pairs i < j of the rows of X with one call a target; its noise differs from a loop's."""
    calls = (
        mutual_info_regression(X[:j].T, X[j], n_neighbors=k, random_state=0)
        for j in range(1, len(X))
    )
    return np.concatenate(list(calls))


def scipy_recipe(x, y, k=3):
    """A k-d tree for the radii, `searchsorted` for the counts."""
    points = np.column_stack([x, y])  # (n_samples, 2)
    radius = cKDTree(points).query(points, [k + 1], p=np.inf)[0][:, 0]
    radius *= 1 - 1e-10  # or rounding could bring the very neighbour that defines it within
    total = 0
    for values in (x, y):
        ordered = np.sort(values)
        below = np.searchsorted(ordered, values - radius, side="right")
        above = np.searchsorted(ordered, values + radius, side="left")
        total += digamma(above - below).mean()
    return max(0, digamma(len(x)) + digamma(k) - total)


def ennemi(x, y, k=3):
    """The package ennemi, its own scaling and noise switched off."""
    from ennemi import estimate_mi

    return max(0, float(estimate_mi(y, x, k=k, preprocess=False)[0, 0]))


def infomeasure(x, y, k=3):
    """The package infomeasure, its own noise switched off."""
    from infomeasure import mutual_information

    return max(0, float(mutual_information(x, y, approach="ksg", k=k, noise_level=0, base="e")))


def npeet_plus(x, y, k=3):
    """The package npeet-plus, NPEET as the registry has it; it always adds noise of its own."""
    from npeet_plus import mi

    return max(0, float(mi(x[:, None], y[:, None], k=k, base=np.e)))


def installed():
    """Name and function of every peer that takes scaled vectors and is installed here."""
    optional = {"ennemi": ennemi, "infomeasure": infomeasure, "npeet_plus": npeet_plus}
    return {"SciPy recipe": scipy_recipe} | {n: f for n, f in optional.items() if find_spec(n)}
