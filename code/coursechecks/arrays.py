"""What the checks ask of arrays: what they can hold, and what a second call makes of them."""

import numpy as np

from coursechecks.engine import Facts, run


def second_result(function, first: tuple, then: tuple):
    """Result of a call, after somebody wrote into the result of another one of the same size.

    An answer that keeps arrays between two calls is right once, and until somebody fills them.
    """
    _overwrite(run(function, *first))
    return run(function, *then)


def as_numbers(form):
    """What a canonical form of numbers stands for, whole ones as integers; others as they are."""
    if not isinstance(form, dict) or "numbers" not in form:
        return form
    numbers = np.array(form["numbers"], dtype=float).reshape(form["shape"])
    is_whole = np.isfinite(numbers).all() and (numbers == numbers.round()).all()
    return numbers.astype(np.int64) if is_whole else numbers


def in_array(name: str, value) -> Facts:
    """Observe a result, and whether it is an array of numbers."""
    yield name, value
    is_array = isinstance(value, np.ndarray) and value.dtype.kind in "iuf"
    yield f"{name}, a NumPy array of numbers", is_array


def is_for_whole_numbers(table) -> bool:
    """Whether an array, or what can be one, holds integers and drops decimals."""
    return np.asarray(table).dtype.kind in "iu"


def is_for_decimals(table: np.ndarray) -> bool:
    """Whether an array holds real numbers to six digits at least: single precision does."""
    return table.dtype.kind == "f" and table.dtype.itemsize >= np.dtype(np.float32).itemsize


def _overwrite(result) -> None:
    """Write -7 into all arrays and lists that a result holds."""
    if isinstance(result, np.ndarray) and result.flags.writeable:
        result[...] = -7
    if isinstance(result, (list, tuple)):
        for part in result:
            _overwrite(part)
    if isinstance(result, list):
        result[:] = [-7] * len(result)
