"""Synthetic data of part 2, drawn from a seed."""

import numpy as np

from layerlab._validate import positive_integer, random_seed


def noisy_curve(n: int = 347, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A variable and a noisy hill over it: dependent, and hardly correlated.

    x is uniform between −1 and 1, and y = cos(πx) + 0.3 times standard normal noise. The curve
    rises and then falls, so a straight line fits it badly: Pearson's r is near 0 while the
    mutual information is not.

    Parameters
    ----------
    n : int
        Number of samples.
    seed : int
        Seed of the random generator.

    Returns
    -------
    x, y : ndarray, shape (n,)

    Raises
    ------
    MeasureError
        If `n` is no positive whole number or `seed` none that a generator starts from.
    """
    n, generator = positive_integer(n, "n"), np.random.default_rng(random_seed(seed))
    x = generator.uniform(-1, 1, n)  # (n,)
    y = np.cos(np.pi * x) + 0.3 * generator.standard_normal(n)  # (n,)
    return x, y
