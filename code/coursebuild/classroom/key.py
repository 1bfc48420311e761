"""What one needs to grade an exercise: its cells, their right answers, and the points of its steps.

A key is made of the course (`coursebuild.grading`) and stored as JSON, so that a machine without
the course can grade. It holds all answers: it belongs to the instructor, and into no sandbox.
"""

import ast
import json
import re
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path

BLANK = "____"
CHECKS = re.compile(r"from coursechecks\.ex(\d+) import")


@dataclass(frozen=True)
class KeyCell:
    """A cell of an exercise.

    Attributes
    ----------
    id : str
    kind : str
        "given", "answer", "check", "text" or "words".
    source : str
        As students get it.
    step : str or None
    solution : str or None
        The right answer in its place.
    points : float
        That the cell is worth: of a check, and of words.
    translated : tuple of str
        As students of other languages get it, where that differs.
    """

    id: str
    kind: str
    source: str
    step: str | None = None
    solution: str | None = None
    points: float = 0.0
    translated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Key:
    """All about an exercise that grading needs.

    Attributes
    ----------
    name : str
        Such as ``01-minkowski``.
    title : str
    cells : tuple of KeyCell
    withheld, kept : tuple of str
        What a graded run takes away of the package, and what it keeps for given cells.
    rubric : tuple of str
        What earns the points of the answer in words; no grade of a step rests on it.
    """

    name: str
    title: str
    cells: tuple[KeyCell, ...]
    withheld: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    rubric: tuple[str, ...] = ()

    @cached_property
    def exercise(self) -> int:
        """The number of the exercise's checks."""
        text = "\n".join(cell.source for cell in self.cells)
        return int(CHECKS.search(text)[1])

    @cached_property
    def begin(self) -> list[KeyCell]:
        """The code that is given before the first cell to fill in or to check."""
        code = [cell for cell in self.cells if cell.kind in ("given", "answer", "check")]
        return list(takewhile(lambda cell: cell.kind == "given", code))

    @cached_property
    def steps(self) -> dict[str, float]:
        """The points of each step that a check decides."""
        return {cell.step: cell.points for cell in self.cells if cell.kind == "check"}

    @cached_property
    def words(self) -> dict[str, float]:
        """The points of each answer in words."""
        return {cell.id: cell.points for cell in self.cells if cell.kind == "words"}

    @cached_property
    def solutions(self) -> dict[str, str]:
        """The right text of each cell that is to be filled in, by its id."""
        return {cell.id: cell.solution for cell in self.cells if cell.solution is not None}

    def question_of(self, words: str) -> str:
        """The texts between the last cell of code and an answer in words: they ask for it."""
        place = next(k for k, cell in enumerate(self.cells) if cell.id == words)
        before = list(takewhile(lambda cell: cell.kind == "text", reversed(self.cells[:place])))
        return "\n\n".join(cell.source for cell in reversed(before))

    def answers_of(self, step: str) -> dict[str, str]:
        """Which name stands for which answer of a step, as its check has it."""
        source = next(c.source for c in self.cells if c.kind == "check" and c.step == step)
        return answers_in(source).get(step, {})

    def solution_of(self, step: str) -> list[str]:
        """The right cells of a step."""
        return [c.solution for c in self.cells if c.kind == "answer" and c.step == step]

    def cells_of(self, step: str) -> list[KeyCell]:
        """The cells of a step that are to be filled in."""
        return [c for c in self.cells if c.kind == "answer" and c.step == step]

    def write(self, path: Path) -> None:
        """Store the key."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Key":
        """Read a stored key."""
        said = json.loads(path.read_text(encoding="utf-8"))
        cells = tuple(
            KeyCell(**cell | {"translated": tuple(cell.get("translated", ()))})
            for cell in said["cells"]
        )
        lists = (tuple(said[name]) for name in ("withheld", "kept", "rubric"))
        return cls(said["name"], said["title"], cells, *lists)


def answers_in(source: str) -> dict[str, dict[str, str]]:
    """Names that calls of `check` hand over, by step; nothing of what cannot be read."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "check":
            continue
        if node.args and isinstance(node.args[0], ast.Constant):
            names = {k.arg: k.value.id for k in node.keywords if isinstance(k.value, ast.Name)}
            found[node.args[0].value] = names
    return found


def defined_in(source: str) -> dict[str, int | None]:
    """Names that a cell defines at its top: functions with how many arguments, others without.

    Where the cell does not parse, its lines say what they can.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        functions = re.findall(r"(?m)^def\s+(\w+)", source)
        values = re.findall(r"(?m)^(\w+(?:\s*,\s*\w+)*)\s*=(?!=)", source)
        names = [name.strip() for group in values for name in group.split(",")]
        return dict.fromkeys([*functions, *names])
    found: dict[str, int | None] = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found[node.name] = len(node.args.posonlyargs) + len(node.args.args)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {
                name.id: None
                for target in targets
                for name in ast.walk(target)
                if isinstance(name, ast.Name)
            }
    return found
