"""Whether an observed value is the right one, and how it differs in kind: never what would pass."""

import re

import numpy as np

from coursechecks.language import ENGLISH, say, spoken

RTOL, ATOL = 1e-6, 1e-9
LOOSE = 1e-4  # relative, for numbers that went through float32
FEW = 6  # numbers that are shown one by one


def is_error(value) -> bool:
    """Whether a canonical form is that of an error."""
    return isinstance(value, dict) and "error" in value


def same(a, b, rtol: float = RTOL, atol: float = ATOL) -> bool:
    """Whether two canonical forms say the same, numbers to within the tolerance."""
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return False
        if "about" in a:
            a, b = a["about"], b["about"]
            return same(a, b, LOOSE, max(ATOL, RTOL * _largest(a)))
        if is_error(a):  # the numbers in a message help who reads it, and tell no mistakes apart
            return all(_without_digits(a[key]) == _without_digits(b[key]) for key in a)
        if "numbers" in a:
            return a["shape"] == b["shape"] and _close(a["numbers"], b["numbers"], rtol, atol)
        return all(same(a[key], b[key], rtol, atol) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y, rtol, atol) for x, y in zip(a, b, strict=True))
    if type(a) in (int, float) and type(b) in (int, float):
        return _close(a, b, rtol, atol)
    return type(a) is type(b) and a == b


def _without_digits(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _close(a, b, rtol: float, atol: float) -> bool:
    return bool(np.allclose(np.array(a, float), np.array(b, float), rtol, atol, equal_nan=True))


def _largest(value) -> float:
    """The size of an array's largest number: float32 is no more exact than that allows."""
    numbers = value["numbers"] if isinstance(value, dict) and "numbers" in value else [value]
    sizes = [abs(n) for n in numbers if type(n) in (int, float) and np.isfinite(n)]
    return max(sizes, default=0.0)


def in_kind(right, got) -> list[str]:
    """Say in a line or two how a canonical form (`engine.plain`) differs from the right one.

    Nothing of `right` is told but what kind of thing it is.
    """
    right, got = (v["about"] if isinstance(v, dict) and "about" in v else v for v in (right, got))
    if is_error(got):
        return [say("an error came, {error}: {says}", error=got["error"], says=got["says"])]
    if kind(right) != kind(got):
        kinds = {"wanted": kind(right), "came": kind(got)}
        return [say("expected was {wanted}, and there came {came}", **kinds)]
    if _is_numeric(got):
        how = _in_numbers(_array(right), _array(got))
        return [say("{how} (yours: {shown})", how=how, shown=shown(got))]
    if isinstance(got, dict) and "items" in got:
        return _in_items(right["items"], got["items"])
    if isinstance(got, dict) and "entries" in got:
        return _in_entries(*([(key, value) for key, value in v["entries"]] for v in (right, got)))
    if isinstance(got, bool):
        return [say("yes, and it should be no") if got else say("no, and it should be yes")]
    return [say("yours is {shown}, and that is not it", shown=shown(got))]


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
        return say("nothing (None)")
    if isinstance(value, bool):
        return say("yes or no")
    if isinstance(value, str):
        return say("a text")
    if isinstance(value, dict):
        if "numbers" in value:
            return _kind_of_array(value["shape"])
        if "items" in value:
            first = kind(value["items"][0]) if value["items"] else say("nothing")
            return say("a list of {what}", what=first)
        if "entries" in value:
            return say("a dictionary")
        if "error" in value:
            return say("an error ({name})", name=value["error"])
        return _kind_by_type(value.get("kind", "something else"))
    return say("one number")


def _kind_of_array(shape: list[int]) -> str:
    sizes = " × ".join(map(str, shape))
    if not shape:
        return say("one number")
    return (
        say("an array of 1 number")
        if sizes == "1"
        else say("an array of {sizes} numbers", sizes=sizes)
    )


def _kind_by_type(words: str) -> str:
    """What `engine.kind_of` says, such as "a set"; other languages have no article for any type."""
    of_type = re.fullmatch(r"an? (\w+)", words)
    if of_type is None or spoken() == ENGLISH:
        return say(words)
    return say("something of the type {type}", type=of_type[1])


def shown(value) -> str:
    """A value of the student's own, short enough for a line."""
    if isinstance(value, dict) and "numbers" in value:
        numbers = value["numbers"]
        if len(numbers) <= FEW:
            return "[" + ", ".join(f"{n:.6g}" for n in numbers) + "]"
        finite = [n for n in numbers if np.isfinite(n)]
        if not finite:
            return say("none of them a finite number")
        return say("from {least:.6g} to {most:.6g}", least=min(finite), most=max(finite))
    if isinstance(value, float):
        return f"{value:.6g}"
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _in_numbers(right: np.ndarray, got: np.ndarray) -> str:
    """How numbers of the right shape differ; scale and order before single places."""
    if not np.isfinite(got).all() and np.isfinite(right).all():
        return say("{n} of them not finite", n=np.count_nonzero(~np.isfinite(got)))
    if (np.isnan(right) != np.isnan(got)).any():
        return say("empty places and numbers lie elsewhere")
    right, got = np.nan_to_num(right), np.nan_to_num(got)
    if right.ndim == 0:
        if np.isclose(got, -right):
            return say("the other sign")
        return say("too large") if got > right else say("too small")
    if pattern := in_pattern(right, got):
        return pattern
    wrong = ~np.isclose(got, right, RTOL, ATOL)
    if np.allclose(got, right):  # sorted or turned around, such numbers would still be close
        return say("{n} of {total} numbers are a little off", n=wrong.sum(), total=wrong.size)
    if right.ndim == 2 and right.shape[0] == right.shape[1] and np.allclose(got, right.T):
        return say("rows and columns exchanged")
    if right.ndim == 1 and np.allclose(got, right[::-1]):
        return say("the right numbers, backwards")
    if np.allclose(np.sort(got, axis=None), np.sort(right, axis=None)):
        return say("the right numbers in another order")
    place = ", ".join(str(i) for i in np.argwhere(wrong)[0]) if wrong.any() else "0"
    counts = {"n": wrong.sum(), "total": wrong.size, "place": place}
    return say("{n} of {total} numbers differ, the first at [{place}]", **counts)


def in_pattern(right, got) -> str:
    """What two numbers or more have in common that all differ: their sign, or a factor."""
    right, got = np.ravel(right), np.ravel(got)
    there = right != 0
    factors = got[there] / right[there]
    is_one = factors.size > 1 and np.isfinite(factors).all() and np.allclose(factors, factors[0])
    if not is_one or not np.allclose(got[~there], 0) or np.isclose(factors[0], [0, 1]).any():
        return ""
    if np.isclose(factors[0], -1):
        return say("the other sign everywhere")
    large = abs(factors[0]) > 1
    factor = abs(factors[0]) if large else 1 / abs(factors[0])
    too = say("too large") if large else say("too small")
    if factor < 1.01:  # such as a number that was rounded on the way
        return say("a little {too}, all by the same share", too=too)
    return say("{too} by a factor of about {factor:.3g}", too=too, factor=factor)


def _in_entries(right: list[tuple], got: list[tuple]) -> list[str]:
    """How the entries of a dictionary differ; what it should be called is not told."""
    names = [name for name, _ in right]
    odd = [name for name, _ in got if name not in names]
    if odd:
        counts = {"n": len(odd), "total": len(got), "name": shown(odd[0])}
        return [say("{n} of its {total} names are not asked for, such as {name}", **counts)]
    if len(got) < len(right):
        counts = {"n": len(right) - len(got), "total": len(right)}
        return [say("{n} of {total} names are missing", **counts)]
    for name, value in got:
        wanted = right[names.index(name)][1]
        if not same(wanted, value):
            lines = in_kind(wanted, value)
            return [say("under {name}: {how}", name=shown(name), how=line) for line in lines]
    return [say("its names stand in another order")]


def _in_items(right: list, got: list) -> list[str]:
    if len(right) != len(got):
        counts = {"wanted": len(right), "came": len(got)}
        return [say("expected were {wanted} things, and there came {came}", **counts)]
    for place, (wanted, came) in enumerate(zip(right, got, strict=True)):
        if not same(wanted, came):
            lines = in_kind(wanted, came)
            return [say("number {place}: {how}", place=place, how=line) for line in lines]
    return []
