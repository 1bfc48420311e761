"""Whether an observed value is the right one, and how it differs in kind: never what would pass."""

import re

import numpy as np

RTOL, ATOL = 1e-6, 1e-9
LOOSE = 1e-4  # relative, for numbers that went through float32
FEW = 6  # numbers that are shown one by one


def is_error(value) -> bool:
    """Whether a canonical form is that of an error."""
    return isinstance(value, dict) and "error" in value


def same(a, b, rtol: float = RTOL) -> bool:
    """Whether two canonical forms say the same, numbers to within the tolerance."""
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return False
        if "about" in a:
            return same(a["about"], b["about"], LOOSE)
        if is_error(a):  # the numbers in a message help who reads it, and tell no mistakes apart
            return all(_without_digits(a[key]) == _without_digits(b[key]) for key in a)
        if "numbers" in a:
            return a["shape"] == b["shape"] and _close(a["numbers"], b["numbers"], rtol)
        return all(same(a[key], b[key], rtol) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y, rtol) for x, y in zip(a, b, strict=True))
    if type(a) in (int, float) and type(b) in (int, float):
        return _close(a, b, rtol)
    return type(a) is type(b) and a == b


def _without_digits(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _close(a, b, rtol: float) -> bool:
    return bool(np.allclose(np.array(a, float), np.array(b, float), rtol, ATOL, equal_nan=True))


def in_kind(right, got) -> list[str]:
    """Say in a line or two how a canonical form (`engine.plain`) differs from the right one.

    Nothing of `right` is told but what kind of thing it is.
    """
    right, got = (v["about"] if isinstance(v, dict) and "about" in v else v for v in (right, got))
    if is_error(got):
        return [f"an error came, {got['error']}: {got['says']}"]
    if kind(right) != kind(got):
        return [f"expected was {kind(right)}, and there came {kind(got)}"]
    if _is_numeric(got):
        return [f"{_in_numbers(_array(right), _array(got))} (yours: {shown(got)})"]
    if isinstance(got, dict) and "items" in got:
        return _in_items(right["items"], got["items"])
    if isinstance(got, dict) and "entries" in got:
        return _in_entries(*([(key, value) for key, value in v["entries"]] for v in (right, got)))
    if isinstance(got, bool):
        return ["yes, and it should be no" if got else "no, and it should be yes"]
    return [f"yours is {shown(got)}, and that is not it"]


def _is_numeric(value) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number or (isinstance(value, dict) and "numbers" in value)


def _array(value) -> np.ndarray:
    if isinstance(value, dict):
        return np.array(value["numbers"], float).reshape(value["shape"])
    return np.array(value, float)


def kind(value) -> str:
    """What sort of thing a canonical value is, in words."""
    if value is None:
        return "nothing (None)"
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, dict):
        if "numbers" in value:
            axes = len(value["shape"])
            sizes = " × ".join(map(str, value["shape"]))
            plural = "" if sizes == "1" else "s"
            return f"an array of {sizes} number{plural}" if axes else "one number"
        if "items" in value:
            return "a list of " + (kind(value["items"][0]) if value["items"] else "nothing")
        if "entries" in value:
            return "a dictionary"
        if "error" in value:
            return f"an error ({value['error']})"
        return value.get("kind", "something else")
    return "one number"


def shown(value) -> str:
    """A value of the student's own, short enough for a line."""
    if isinstance(value, dict) and "numbers" in value:
        numbers = value["numbers"]
        if len(numbers) <= FEW:
            return "[" + ", ".join(f"{n:.6g}" for n in numbers) + "]"
        finite = [n for n in numbers if np.isfinite(n)]
        if not finite:
            return "none of them a finite number"
        return f"from {min(finite):.6g} to {max(finite):.6g}"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _in_numbers(right: np.ndarray, got: np.ndarray) -> str:
    """How numbers of the right shape differ; scale and order before single places."""
    if not np.isfinite(got).all() and np.isfinite(right).all():
        return f"{np.count_nonzero(~np.isfinite(got))} of them not finite"
    if (np.isnan(right) != np.isnan(got)).any():
        return "empty places and numbers lie elsewhere"
    right, got = np.nan_to_num(right), np.nan_to_num(got)
    if right.ndim == 0:
        if np.isclose(got, -right):
            return "the other sign"
        return "too large" if got > right else "too small"
    if pattern := in_pattern(right, got):
        return pattern
    wrong = ~np.isclose(got, right, RTOL, ATOL)
    if np.allclose(got, right):  # sorted or turned around, such numbers would still be close
        return f"{np.count_nonzero(wrong)} of {wrong.size} numbers are a little off"
    if right.ndim == 2 and right.shape[0] == right.shape[1] and np.allclose(got, right.T):
        return "rows and columns exchanged"
    if right.ndim == 1 and np.allclose(got, right[::-1]):
        return "the right numbers, backwards"
    if np.allclose(np.sort(got, axis=None), np.sort(right, axis=None)):
        return "the right numbers in another order"
    place = ", ".join(str(i) for i in np.argwhere(wrong)[0]) if wrong.any() else "0"
    return f"{np.count_nonzero(wrong)} of {wrong.size} numbers differ, the first at [{place}]"


def in_pattern(right, got) -> str:
    """What two numbers or more have in common that all differ: their sign, or a factor."""
    right, got = np.ravel(right), np.ravel(got)
    there = right != 0
    factors = got[there] / right[there]
    is_one = factors.size > 1 and np.isfinite(factors).all() and np.allclose(factors, factors[0])
    if not is_one or not np.allclose(got[~there], 0) or np.isclose(factors[0], [0, 1]).any():
        return ""
    if np.isclose(factors[0], -1):
        return "the other sign everywhere"
    large = abs(factors[0]) > 1
    factor = abs(factors[0]) if large else 1 / abs(factors[0])
    too = f"too {'large' if large else 'small'}"
    if factor < 1.01:  # such as a number that was rounded on the way
        return f"a little {too}, all by the same share"
    return f"{too} by a factor of about {factor:.3g}"


def _in_entries(right: list[tuple], got: list[tuple]) -> list[str]:
    """How the entries of a dictionary differ; what it should be called is not told."""
    names = [name for name, _ in right]
    odd = [name for name, _ in got if name not in names]
    if odd:
        return [f"{len(odd)} of its {len(got)} names are not asked for, such as {shown(odd[0])}"]
    if len(got) < len(right):
        return [f"{len(right) - len(got)} of {len(right)} names are missing"]
    for name, value in got:
        wanted = right[names.index(name)][1]
        if not same(wanted, value):
            return [f"under {shown(name)}: {line}" for line in in_kind(wanted, value)]
    return ["its names stand in another order"]


def _in_items(right: list, got: list) -> list[str]:
    if len(right) != len(got):
        return [f"expected were {len(right)} things, and there came {len(got)}"]
    for place, (wanted, came) in enumerate(zip(right, got, strict=True)):
        if not same(wanted, came):
            return [f"number {place}: {line}" for line in in_kind(wanted, came)]
    return []
