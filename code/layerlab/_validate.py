"""What every measure asks of its input first; each refusal quotes the input and the way out."""

import numpy as np

from layerlab.errors import MeasureError


def finite(values, name):
    """`values` as a float64 array, every value finite."""
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MeasureError(f"{name} holds something that is not a number: {error}.") from error
    if not np.isfinite(values).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        place = ", ".join(str(i) for i in where)
        raise MeasureError(
            f"{name}[{place}] is {values[where]}: remove or replace NaN and infinity first."
        )
    return values


def pair(x, y):
    """x and y as finite float64 vectors of one length, (n_samples,) each."""
    x, y = finite(x, "x"), finite(y, "y")
    if x.ndim != 1 or x.shape != y.shape or x.size == 0:
        raise MeasureError(
            f"x has the shape {x.shape} and y {y.shape}: both should be (n_samples,), not empty."
        )
    return x, y


def rows(X):
    """X as finite float64 matrices of at least 2 vectors, (..., n_vectors, n_samples)."""
    X = finite(X, "X")
    if X.ndim < 2 or X.shape[-2] < 2 or X.size == 0:
        raise MeasureError(
            f"X has the shape {X.shape}: it should be (n_vectors, n_samples), at least 2 vectors, "
            "or a stack of such matrices."
        )
    return X


def positive_integer(value, name):
    """`value` as an int, if it is a whole number of at least 1."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer) or value < 1:
        raise MeasureError(f"{name} = {value!r}: it should be a whole number of at least 1.")
    return int(value)
