"""An exercise asks for more than its chapter shows: few of its blanks stand in the chapter.

Names are taken away before anything is compared, but for imported ones and Python's own.
`python tests/test_transfer.py` lists what each chapter shows of its exercise.
"""

import ast
import builtins
import re
from copy import deepcopy

import jupytext
import pytest

from coursebuild.blanks import find_blanks, without_marks
from coursebuild.course import course_root
from coursebuild.notebooks import read_solution

ROOT = course_root()
SOLUTIONS = sorted((ROOT / "solutions").glob("*.md"))
AT_MOST = 1 / 3
LINK = re.compile(r"\]\(\.\./(book/\d\d-[a-z-]+\.md)\)")
FENCE = re.compile(r"^```(?:python|py)\n(.*?)^```", re.DOTALL | re.MULTILINE)
MAGIC = re.compile(r"^[%!].*$", re.MULTILINE)
BARE = (ast.Name, ast.Constant)  # says nothing without what it stands in


class WithoutNames(ast.NodeTransformer):
    """Every name that somebody chose becomes one and the same."""

    def __init__(self, known):
        self.known = known

    def visit_Name(self, node):
        return node if node.id in self.known else ast.Name("_", ast.Load())

    def visit_arg(self, node):
        return ast.arg("_")


def normal(node, known):
    node = node.value if isinstance(node, ast.Expr) else node
    return ast.dump(WithoutNames(known).visit(deepcopy(node)))


def parse(code):
    return ast.parse(MAGIC.sub("", code))


def known_names(trees):
    """Names that mean the same in chapter and exercise."""
    nodes = (node for tree in trees for node in ast.walk(tree))
    imports = (node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)))
    names = {alias.asname or alias.name for node in imports for alias in node.names}
    return names | set(dir(builtins))


def asked(cell):
    """Each blank of a cell: its text, and the nodes that it asks for."""
    tree = parse(without_marks(cell))
    for blank in find_blanks(cell):
        if blank.is_block:
            yield blank.expression, parse(blank.answer).body
        else:
            node = ast.parse(blank.answer.strip(), mode="eval").body
            yield blank.expression, [around(node, tree) if isinstance(node, BARE) else node]


def around(bare, tree):
    """The smallest part of a cell that a bare name or number stands in."""
    wanted = ast.dump(bare)
    parents = (
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.expr, ast.stmt)) and wanted in map(ast.dump, parts(node))
    )
    return list(parents)[-1]


def parts(node):
    """What stands directly in an expression or statement, keyword arguments included."""
    for child in ast.iter_child_nodes(node):
        yield child.value if isinstance(child, ast.keyword) else child


def literal_blanks(cells, shown):
    """Texts of the blanks of some cells that some other code shows, and of all blanks."""
    trees = [parse(code) for code in shown]
    known = known_names([*trees, *(parse(without_marks(cell)) for cell in cells)])
    nodes = (node for tree in trees for node in ast.walk(tree))
    there = {normal(node, known) for node in nodes if isinstance(node, (ast.expr, ast.stmt))}
    blanks = [blank for cell in cells for blank in asked(cell)]
    found = [text for text, wanted in blanks if {normal(node, known) for node in wanted} <= there]
    return found, [text for text, _ in blanks]


def chapters_of(solution):
    """The chapter of the exercise's own number, or else all that its beginning sends to."""
    beginning = solution.read_text("utf-8").split("```{code-cell}")[0]
    linked = [ROOT / link for link in dict.fromkeys(LINK.findall(beginning))]
    return [page for page in linked if page.stem == solution.stem] or linked


def code_of(chapter):
    for cell in jupytext.read(chapter, fmt="md:myst").cells:
        yield from [cell.source] if cell.cell_type == "code" else FENCE.findall(cell.source)


def count(solution):
    cells = [cell.source for cell in read_solution(solution).cells if cell.cell_type == "code"]
    return literal_blanks(cells, [code for page in chapters_of(solution) for code in code_of(page)])


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.stem)
def test_at_most_a_third_of_the_blanks_stand_in_the_chapter(solution):
    found, blanks = count(solution)
    assert len(found) <= AT_MOST * len(blanks), f"{len(found)} of {len(blanks)}: {found}"


CELL = """\
import numpy as np
gaps = np.abs(x - y).max()  # blank: np.abs(x - y)
both = np.stack([x, y], axis=0)  # blank: 0
# blank begin: add them up
total = 0
for gap in gaps:
    total += gap
# blank end
"""


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("d = f(np.abs(u - v))", ["np.abs(x - y)"]),
        ("d = f(np.abs(u + v))", []),
        ("d = np.stack([a, b], axis=0)", ["0"]),
        ("d = np.stack([a, b], axis=1) + 0", []),
        ("s = 0\nfor a in b:\n    s += a", ["add them up"]),
        ("s = 0\nfor a in b:\n    s -= a", []),
    ],
)
def test_the_count_sees_through_new_names_and_through_nothing_else(shown, found):
    assert literal_blanks([CELL], [shown])[0] == found


if __name__ == "__main__":
    for path in SOLUTIONS:
        literal, every = count(path)
        print(f"{path.stem}: {len(literal)} of {len(every)}", *literal, sep="\n    ")
