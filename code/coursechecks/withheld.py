"""Functions that compute what an exercise asks for, taken away from the process of a graded run.

The package holds what its exercises have their readers build. In a graded run such a function is
emptied: its code is replaced in place, so that whoever holds it, under whatever name, holds a
function that raises, and nothing is left in memory that could be called in its stead. Where cells
that the exercise gives need one themselves, it is kept, and looks who calls: only what runs for
such a cell, or for an observer, gets an answer. Whoever takes the process apart finds what is kept.

This is done before the first line of a student's code runs, in a process that sees no source file.
"""

import functools
import gc
import importlib
import inspect
import linecache
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, ModuleType

from layerlab.errors import LayerlabError

WITHHELD = "{name} computes what this step asks for; in a graded run it is withheld"


class Withheld(LayerlabError):
    """A function of the package was called for what a step asks to be built."""


def _refuse(name: str) -> None:
    raise Withheld(WITHHELD.format(name=name))


def take_away(names: Iterable[str], kept: Iterable[str] = ()) -> None:
    """Empty functions of the package for good, and guard those that given cells need.

    Parameters
    ----------
    names : iterable of str
        Functions such as ``"layerlab.distances.minkowski"``, classes, whose methods are meant, or
        whole modules, of which everything is meant that they define.
    kept : iterable of str
        Those among them, or beside them, that cells given by the exercise call.

    Raises
    ------
    LayerlabError
        If there is none of a name.
    """
    spared = {name: _function(name) for name in kept}
    for name, function in spared.items():
        _guard(name, function)
    _learn_ways()
    for name in names:
        for whole_name, function in _functions(name):
            if not any(function is other for other in spared.values()):
                _empty(whole_name, function)
    linecache.clearcache()  # the text of functions stays nowhere
    gc.collect()  # what they held goes now, and no later than this


def allow(code: CodeType) -> None:
    """Let the code of a given cell, with all functions that it defines, call what is kept.

    It is known by being this very object: a name of a file can be had by anybody.
    """
    _callers.update((id(part), part) for part in _parts(code))


def allow_module(module: ModuleType) -> None:
    """Let the functions of a module call what is kept, such as those of the observers."""
    for function in _defined(module):
        allow(function.__code__)


# What is there ----------------------------------------------------------------------------------


def _find(name: str) -> object:
    """The object of a dotted name, its module imported."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        try:
            return functools.reduce(getattr, parts[n:], found)
        except AttributeError:
            break
    raise LayerlabError(f"there is no {name!r} to be withheld")


def _function(name: str) -> FunctionType:
    function = inspect.unwrap(_find(name))
    if not isinstance(function, FunctionType):
        raise LayerlabError(f"{name!r} cannot be kept for some callers: it is no function")
    return function


def _functions(name: str) -> Iterator[tuple[str, FunctionType]]:
    """Each function that a name means, with a name of its own."""
    found = _find(name)
    if isinstance(found, ModuleType):
        for function in _defined(found):
            yield f"{found.__name__}.{function.__qualname__}", function
    elif isinstance(found, type):
        for function in _methods(found):
            yield f"{name}.{function.__name__}", function
    else:
        yield name, _function(name)


def _defined(module: ModuleType) -> Iterator[FunctionType]:
    """The functions that a module defines, those of its classes and under decorators too."""
    for value in list(vars(module).values()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield from _methods(value)
        elif callable(value) and not isinstance(value, type):
            inner = inspect.unwrap(value)
            if isinstance(inner, FunctionType) and inner.__module__ == module.__name__:
                yield inner


def _methods(kind: type) -> Iterator[FunctionType]:
    for value in vars(kind).values():
        inner = inspect.unwrap(getattr(value, "fget", None) or getattr(value, "__func__", value))
        if isinstance(inner, FunctionType):
            yield inner


# How it is taken away ---------------------------------------------------------------------------


def _empty(name: str, function: FunctionType) -> None:
    _replace(function, f"_refuse({name!r})")
    function.__defaults__ = function.__kwdefaults__ = None


def _replace(function: FunctionType, expression: str) -> None:
    """Give a function other code, which takes anything and returns an expression of this module."""
    free = ", ".join(function.__code__.co_freevars)  # new code has to have just as many
    lines = [
        f"def outer({free}):",
        "  def inner(*arguments, **options):",
        f"    lambda: [{free}]",
        f"    from {__name__} import _ask, _refuse",
        f"    return {expression}",
        "  return inner.__code__",
    ]
    scope: dict = {}
    exec(compile("\n".join(lines), f"<{__name__}>", "exec"), scope)
    code = scope["outer"](*function.__code__.co_freevars)
    function.__code__ = code.replace(co_name=function.__name__)


# What is kept -----------------------------------------------------------------------------------

WAYS = ("layerlab", "contextlib")  # packages through whose functions a call may come
_callers: dict[int, CodeType] = {}  # code that may call; held, so that no other gets its id
_ways: dict[int, CodeType] = {}
_kept: dict[str, FunctionType] = {}


def _guard(name: str, function: FunctionType) -> None:
    _kept[name] = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    _kept[name].__kwdefaults__ = function.__kwdefaults__
    _replace(function, f"_ask({name!r}, arguments, options)")


def _learn_ways() -> None:
    """Note all code of the package, for a call may come through several of its functions."""
    modules = [m for name, m in sys.modules.items() if name.partition(".")[0] in WAYS]
    functions = [_ask, *_kept.values(), *(f for module in modules for f in _defined(module))]
    for function in functions:
        _ways.update((id(part), part) for part in _parts(function.__code__))


def _ask(name: str, arguments: tuple, options: dict) -> object:
    """The answer of a function that is kept, if it is for a given cell or an observer."""
    frame = sys._getframe(2)  # behind the function itself: who called it
    while frame is not None and id(frame.f_code) in _ways:
        frame = frame.f_back
    if frame is None or id(frame.f_code) not in _callers:
        _refuse(name)
    return _kept[name](*arguments, **options)


def _parts(code: CodeType) -> Iterator[CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _parts(part)
