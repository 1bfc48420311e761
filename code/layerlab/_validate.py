"""What every measure asks of its input first; each refusal quotes the input and the way out."""

import numbers
from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike

from layerlab.errors import LayerlabError, MeasureError

_LARGEST_WHOLE = 2**53  # beyond it, neighbouring whole numbers are one and the same float64
N_SEEDS = 2**32  # as many as the generator knows that scikit-learn draws from
_NO_NUMBERS = {  # kinds of arrays that NumPy would turn into something else than what they say
    "c": "complex numbers: measure its .real, its .imag or its absolute values",
    "M": "dates: subtract the first one and divide by a unit such as np.timedelta64(1, 's')",
    "m": "time spans: divide them by a unit such as np.timedelta64(1, 's')",
    "O": "objects, which may be numbers or not: convert them first, np.array(..., dtype=float)",
    "V": "records: choose one of their fields",
}
_STEPS = {"torch.bfloat16": 2.0**-7, "torch.float16": 2.0**-10}  # they are read as float32
_TEXT = "text: convert it first, np.array(..., dtype=float)"


def finite(values: Any, name: str) -> np.ndarray:
    """`values` as a float64 array in C order, every value finite.

    The order matters: NumPy adds up the same numbers in another order where they lie otherwise in
    memory, and the last digit of a sum can decide whether a vector counts as constant.

    Taken are whole numbers up to 2^53, floats of every precision, booleans as 0 and 1, and tensors,
    whose gradient is left behind.
    """
    values = _numbers(values, name)
    with np.errstate(over="ignore"):  # a longer float that becomes infinite is named below
        values = np.asarray(values, dtype=np.float64, order="C")
    if not np.isfinite(values).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        place = ", ".join(str(i) for i in where)
        raise MeasureError(
            f"{name}[{place}] is {values[where]}: remove or replace NaN and infinity first."
        )
    return values


def pair(
    x: ArrayLike, y: ArrayLike, names: tuple[str, str] = ("x", "y"), length: str = "n_samples"
) -> tuple[np.ndarray, np.ndarray]:
    """x and y as finite float64 vectors of one length, called by the caller's names for them."""
    x, y = finite(x, names[0]), finite(y, names[1])
    if x.ndim != 1 or x.shape != y.shape or x.size == 0:
        raise MeasureError(
            f"{names[0]} has the shape {x.shape} and {names[1]} {y.shape}: both should be "
            f"({length},), not empty."
        )
    return x, y


def rows(X: ArrayLike) -> np.ndarray:
    """X as finite float64 matrices of at least 2 vectors, (..., n_vectors, n_samples)."""
    X = finite(X, "X")
    if X.ndim < 2 or X.shape[-2] < 2 or X.size == 0:
        raise MeasureError(
            f"X has the shape {X.shape}: it should be (n_vectors, n_samples), at least 2 vectors, "
            "or a stack of such matrices."
        )
    return X


def whole_numbers(values: Any, name: str) -> np.ndarray:
    """`values` as an int64 array, if none of them has a fraction."""
    if _numbers(values, name).dtype == bool:
        raise MeasureError(
            f"{name} holds booleans: give whole numbers; np.flatnonzero(mask) says where a mask is "
            "true."
        )
    values = finite(values, name)
    broken = values[values != np.rint(values)]
    if broken.size:
        raise MeasureError(f"{name} holds {broken[0]}: it should hold whole numbers only.")
    return values.astype(np.int64)


def precision(values: Any, name: str) -> float:
    """Relative step between neighbouring numbers of the type that `values` came in; 0 if whole.

    Of several arrays in a list it is the coarsest one's.
    """
    if isinstance(values, list | tuple) and any(getattr(part, "ndim", 0) for part in values):
        return max(precision(part, name) for part in values)
    if hasattr(values, "detach") and str(values.dtype) in _STEPS:
        return _STEPS[str(values.dtype)]
    dtype = _numbers(values, name).dtype
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0


def near_one(X: np.ndarray, axis: int | tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """X in units close to its largest sizes along `axis`, and the exponents of these units.

    The units are powers of two, so that digits stay as they are, and squares stay within float64.
    """
    exponents = np.frexp(np.abs(X).max(axis=axis, keepdims=True))[1]
    return np.ldexp(X, -exponents), exponents


def one_of(value: object, name: str, choices: Sequence[str]) -> None:
    """Refuse what is none of the choices, whatever its type."""
    if not isinstance(value, str) or value not in choices:
        others = ", ".join(map(repr, choices[:-1]))
        raise MeasureError(f"{name} = {value!r} is unknown: choose {others} or {choices[-1]!r}.")


def positive_integer(value: object, name: str) -> int:
    """`value` as an int, if it is a whole number of at least 1."""
    if not is_whole(value) or value < 1:
        raise MeasureError(f"{name} = {value!r}: it should be a whole number of at least 1.")
    return int(value)


def random_seed(value: object) -> int:
    """`value` as an int, if every generator can be started from it."""
    if not is_whole(value) or not 0 <= value < N_SEEDS:
        raise MeasureError(
            f"seed = {value!r}: it should be a whole number from 0 to {N_SEEDS - 1}, so that the "
            "same call gives the same number."
        )
    return int(value)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether `value` is one whole number: no boolean, no float."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def real(value: object) -> bool:
    """Whether `value` is one real number: no text, no boolean, no array."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)


def _numbers(values: Any, name: str) -> np.ndarray:
    """`values` as an array of the type they came in, if float64 can hold what they say."""
    parts = values if isinstance(values, list | tuple) else [values]
    masked = sum(int(np.ma.count_masked(v)) for v in parts if isinstance(v, np.ma.MaskedArray))
    if masked:
        raise MeasureError(
            f"{name} masks {masked} value(s): leave those samples out of every vector first; "
            "np.ma.getmaskarray says where they are."
        )
    if hasattr(values, "toarray"):
        raise MeasureError(f"{name} is sparse, {type(values).__name__}: use its .toarray().")
    try:
        array = np.asarray(_off_torch(values))
    except (TypeError, ValueError, RuntimeError) as error:
        raise MeasureError(f"{name} cannot be read as one array of numbers: {error}") from error
    if array.dtype.kind not in "biuf":
        what = _NO_NUMBERS.get(array.dtype.kind, _TEXT)
        raise MeasureError(f"{name} (dtype {array.dtype}) holds {what}.")
    if array.dtype.kind in "iu" and array.size:
        extreme = max(int(array.min()), int(array.max()), key=abs)
        if abs(extreme) > _LARGEST_WHOLE:
            raise MeasureError(
                f"{name} holds {extreme}, and beyond 2^53 float64 takes neighbouring whole numbers "
                "for equal: subtract a constant first, such as the smallest value."
            )
    return array


def _off_torch(values: Any) -> Any:
    """A tensor, or tensors in a list, where NumPy can read them; all else as it is.

    Without importing torch. A wider float holds what a narrower one says, so that is harmless.
    """
    if isinstance(values, list | tuple) and len(values) and hasattr(values[0], "detach"):
        return [_off_torch(value) for value in values]
    if not (hasattr(values, "detach") and hasattr(values, "cpu")):
        return values
    values = values.detach().cpu()
    narrow = values.is_floating_point() and values.element_size() < 4
    return np.asarray(values.float() if narrow else values)


def check_characters(name: str, text: str, error: type[LayerlabError]) -> None:
    """Refuse a byte that is no character: what a terminal of another encoding hands over."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as cause:
        raise error(
            f"{name} {text!r} holds {text[cause.start]!r}, which is no character: "
            "write it in UTF-8, and set the terminal to that"
        ) from cause
