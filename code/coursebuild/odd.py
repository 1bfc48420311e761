"""Answers that no question asks for.

Students hand in lists of rows, tables of text, generators, whole objects. A check has to say in
words that such a thing is no answer; it must not crash itself, and must not let it pass.
"""

import ast
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO

import numpy as np

from coursebuild.blanks import BLANK, blank, without_marks


class Unusual:
    """An object that nothing can be done with."""

    def __repr__(self) -> str:
        return "<something unusual>"


def odd_values() -> dict[str, Callable]:
    """What to answer with, by a name; each is made anew, for some can be used up."""
    return {
        "nothing": lambda: None,
        "text": lambda: "text",
        "not a number": lambda: float("nan"),
        "a huge number": lambda: 10**30,
        "an imaginary number": lambda: 1j,
        "an empty list": lambda: [],
        "a list of rows": lambda: [[1.0, 2.0], [3.0]],
        "a list of words": lambda: ["a", "b"],
        "a list of objects": lambda: [Unusual()] * 4,
        "a list of None": lambda: [None, None],
        "an array of objects": lambda: np.full((3, 3), None),
        "an array of text": lambda: np.full((2, 3, 3), "a"),
        "an array of one number": lambda: np.array(0.1234),
        "a dictionary": lambda: {"a": 1.0, "b": 2.0},
        "a set": lambda: {1.0, 2.0},
        "a generator": lambda: (number for number in range(3)),
        "an object": Unusual,
        "a class": lambda: Unusual,
    }


def crashes(check: str, names: list[str], namespace: dict, check_failed: type) -> Iterator[str]:
    """Run a check on odd answers, and say which of them it did not refuse in words.

    Parameters
    ----------
    check : str
        The check's cell.
    names : list of str
        The answers that it looks at (see `answers`).
    namespace : dict
        All names of the notebook, the step done.
    check_failed : type
        What a check raises.

    Yields
    ------
    str
        The answer, and what became of it.
    """
    for name in names:
        for kind, make in odd_values().items():
            tried = {f"{name} = {kind}": make()}
            if callable(namespace[name]) and not isinstance(namespace[name], type):
                tried[f"{name} returns {kind}"] = lambda *_, make=make, **__: make()
            for what, answer in tried.items():
                try:
                    with redirect_stdout(StringIO()):
                        exec(check, {**namespace, name: answer})
                except check_failed:
                    continue
                except Exception as error:
                    yield f"{what}: {type(error).__name__}: {error}"
                else:
                    yield f"{what}: passes"


def answers(check: str, cells: list[str]) -> list[str]:
    """List the names that a student gives a value and the check looks at.

    Parameters
    ----------
    check : str
        The check's cell.
    cells : list of str
        The other cells of its step, marks included.

    Returns
    -------
    list of str
        Not among them is what stands in these cells without a blank.
    """
    bound = {name for cell in cells for name in _bound(ast.parse(without_marks(cell)).body)}
    given = {name for cell in cells for name in _bound(_without_blanks(blank(cell)))}
    used = [node.id for node in ast.walk(ast.parse(check)) if isinstance(node, ast.Name)]
    return [name for name in dict.fromkeys(used) if name in bound - given]


def _without_blanks(code: str) -> list[ast.stmt]:
    return [
        statement
        for statement in ast.parse(code).body
        if not any(isinstance(n, ast.Name) and n.id == BLANK for n in ast.walk(statement))
    ]


def _bound(statements: list[ast.stmt]) -> Iterator[str]:
    """Yield the functions and variables that statements define."""
    for statement in statements:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            yield statement.name
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
