"""Blanks in a cell: what a mark means, what it may not mean, and what is left of it."""

import ast
import random

import pytest

from coursebuild.blanks import (
    BlankError,
    blank,
    examine,
    fill,
    fill_cells,
    find_blanks,
    without_marks,
)
from layerlab.errors import LayerlabError

CELL = """\
def distance(x, y, p):
    total = np.sum(np.abs(x - y) ** p)  # blank: np.abs(x-y)
    return total ** (1 / p)  # (n,)  # blank: 1 / p


def draw(pairs):
    axes.plot(
        pairs[:, 0], pairs[:, 1],  # blank: pairs[:, 0]  # blank: pairs[:, 1]  # both columns
        color="#333",  # blank: "#333"
    )
    # blank begin: add up the first column
    total = 0.0
    for first, _ in pairs:
        total += first  # one by one
    # blank end
    return total"""


def test_finds_blanks_in_order():
    blanks = find_blanks(CELL)
    assert [found.number for found in blanks] == [1, 2, 3, 4, 5, 6]
    assert [found.line for found in blanks] == [2, 3, 8, 8, 9, 11]
    assert [found.is_block for found in blanks] == [False] * 5 + [True]
    keys = ["np.abs(x-y)", "1 / p", "pairs[:, 0]", "pairs[:, 1]", '"#333"']
    assert [found.expression for found in blanks] == [*keys, "add up the first column"]
    assert blanks[0].answer == "np.abs(x - y)"
    assert blanks[5].answer.splitlines()[1:] == [
        "for first, _ in pairs:",
        "    total += first  # one by one",
    ]


def test_blank_leaves_underscores_and_other_comments():
    assert blank(CELL) == (
        "def distance(x, y, p):\n"
        "    total = np.sum(____ ** p)\n"
        "    return total ** (____)  # (n,)\n"
        "\n\n"
        "def draw(pairs):\n"
        "    axes.plot(\n"
        "        ____, ____,  # both columns\n"
        "        color=____,\n"
        "    )\n"
        "    ____  # add up the first column\n"
        "    return total"
    )


def test_without_marks_keeps_the_code():
    plain = without_marks(CELL)
    assert ast.dump(ast.parse(plain)) == ast.dump(ast.parse(CELL))
    assert "blank" not in plain
    assert not any(line != line.rstrip() for line in plain.splitlines())
    assert len(plain.splitlines()) == len(CELL.splitlines()) - 2
    assert without_marks(plain) == plain == blank(plain)


def test_marks_in_strings_mean_nothing():
    source = 'text = "# blank: text"\nmore = """\n# blank begin: x\n# blank: 1\n"""  # of two lines'
    assert find_blanks(source) == []
    assert blank(source) == without_marks(source) == source


def test_expression_may_hold_a_hash_and_a_mark_in_a_string():
    source = 'x = f("# blank: a", b)  # blank: "# blank: a"  # blank: b'
    assert blank(source) == "x = f(____, ____)"


def test_spacing_of_the_mark_is_free():
    assert blank("y = a [ i,j ]+1  # blank: a[i, j]") == "y = ____+1"


def test_f_string_is_one_piece_in_every_version():
    assert blank('print(f"{a:.2f}" + a)  # blank: a') == 'print(f"{a:.2f}" + ____)'
    assert blank('print(f"{a:.2f}", a)  # blank: f"{a:.2f}"') == "print(____, a)"


def test_arguments_and_items_are_blanked_together():
    assert blank("t = kendall_tau(a, b)  # blank: a, b") == "t = kendall_tau(____)"
    assert blank("t = x[i, j]  # blank: i, j") == "t = x[____]"


def test_blank_after_a_string_of_several_lines():
    source = 'x = """a\nb""".format(y + 1)  # blank: y + 1'
    assert find_blanks(source)[0].answer == "y + 1"
    assert blank(source) == 'x = """a\nb""".format(____)'


def test_block_keeps_a_string_of_several_lines():
    source = 'if x:\n    # blank begin: a text\n    y = """a\n  b"""\n    # blank end'
    assert without_marks(source) == 'if x:\n    y = """a\n  b"""'
    assert find_blanks(source)[0].answer == 'y = """a\n  b"""'


MISSPELT = ["# blank f(y)", "# blanks: f(y)", "# blank- f(y)", "# BLANK x", "# blank (y)"]
MISSPELT += ["# blnk: f(y)", "# begin blank: x", "# noqa  blank: f(y)", "#blank:f(y)"]


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("%matplotlib inline", 1, "plain Python"),
        ("y = 1\nx = ____", 2, "uses the name ____"),
        ("y = 1\nx = 1  # blank: 2", 2, "`# blank: 2` matches nothing in its line"),
        ("x = 1 + 1  # blank: 1", 1, "`# blank: 1` matches 2 places in its line"),
        ("x = a + a + a  # blank: a + a", 1, "matches 2 places"),
        ("x = f(g(y))  # blank: f(g(y))  # blank: g(y)", 1, "`# blank: g(y)` overlaps with"),
        ("# blank begin: a\nx = y  # blank: y\n# blank end", 2, "overlaps with the block"),
        ("# blank begin: a\n# blank begin: b\nx\n# blank end", 2, "overlaps with the block"),
        ("x = 1\n# blank begin: a\ny = 1", 2, "`# blank begin: a` has no end"),
        ("x = 1\n# blank end", 2, "has no `# blank begin: words` before it"),
        ("# blank begin: a\n\n# more\n# blank end", 1, "is empty"),
        ("# blank begin:\nx = 1\n# blank end", 1, "has no words"),
        ("if a:\n    # blank begin: b\n    x = 1\n# blank end", 2, "is not indented as its marks"),
        ("if a:\n    x\n# blank begin: b\nelse:\n    y\n# blank end", 3, "no whole statements"),
        ("x = [\n    # blank begin: b\n    1\n    # blank end\n]", 2, "a line of its own"),
        ("x = 1  # blank begin: b\ny = 1\n# blank end", 1, "a line of its own"),
        ('x = "a" "b"  # blank: "b"', 1, 'without `# blank: "b"` does not parse'),
        ("x = y + 1  # blank: y +", 1, "`# blank: y +` does not name an expression"),
        ("x = y  # blank:", 1, "names nothing"),
        ("x = y\n# blank: y", 2, "stands in a line without code"),
        ("x = y  # Blank: y", 1, "almost a mark"),
        ("x = y\n#blank end", 2, "almost a mark"),
        *((f"x = f(y)  {mark}", 1, "almost a mark") for mark in MISSPELT),
        ("x = len(y) + 1  # bank: len(y)", 1, "says again what its line does"),
        ("x = a - b ** 2  # blank: a - b", 1, "cuts through a larger expression"),
        ("for i in rows:  # blank: i\n    pass", 1, "reads no value"),
        ("x = rows.mean()  # blank: mean", 1, "reads no value"),
        ("x = f(axis=1)  # blank: axis", 1, "reads no value"),
    ],
)
def test_unclear_mark_is_an_error(source, line, message):
    for function in (find_blanks, blank, without_marks, lambda text: fill(text, {})):
        with pytest.raises(BlankError) as caught:
            function(source)
        [problem] = caught.value.problems
        assert problem.line == line and message in problem.what
        assert str(caught.value) == f"line {line}: {problem.what}"


FAULTS = """\
a = f(1) + f(1)  # blank: f(1)
b = g(2) * h(3)  # blank: g(2  # blank: h(3)  # blank: k(4)
____ = 5
# blank begin:
c = a
# blank end
d = a  # Blank: a
# blank begin: one
e = d
# blank begin: two
f = e  # blank: e
# blank end
i = j - 1 ** 2  # blank: j - 1
# blank end
"""


def test_all_that_is_wrong_is_said_at_once():
    problems = examine(FAULTS)
    assert [problem.line for problem in problems] == [1, 2, 2, 3, 4, 7, 10, 13, 14]
    with pytest.raises(BlankError) as caught:
        find_blanks(FAULTS)
    assert caught.value.problems == problems
    assert str(caught.value).splitlines() == [str(problem) for problem in problems]


def test_what_is_right_has_no_problems():
    assert examine(CELL) == []


def test_a_misplaced_begin_is_the_only_problem_of_its_block():
    source = "x = 1  # blank begin: b\ny = 1  # blank: 1\n# blank end"
    assert [problem.line for problem in examine(source)] == [1]


def test_all_unknown_blanks_are_named():
    with pytest.raises(BlankError) as caught:
        fill("a = f(x)  # blank: f(x)", {"g": "0", "f(x)": "1", "h": "2"})
    assert [problem.what[:26] for problem in caught.value.problems] == [
        "no blank is called `g`; th",
        "no blank is called `h`; th",
    ]


def test_error_is_one_of_the_courses():
    assert issubclass(BlankError, LayerlabError) and issubclass(BlankError, ValueError)


def test_fill_replaces_some_answers():
    filled = fill(CELL, {"1 / p": "p", '"#333"': " \n'red'\n", "pairs[:, 1]": "____"})
    assert "total ** (p)  # (n,)" in filled
    assert "color='red'," in filled
    assert "pairs[:, 0], ____," in filled
    assert "np.abs(x - y)" in filled and "one by one" in filled and "blank" not in filled


def test_fill_indents_a_block():
    answer = "\n        total = 0\n        for pair in pairs:\n\n            total = pair[0]\n"
    filled = fill(CELL, {"add up the first column": answer}).split("\n")
    assert filled[10:-1] == [
        "    total = 0",
        "    for pair in pairs:",
        "",
        "        total = pair[0]",
    ]


def test_fill_leaves_blanks():
    answers = {found.expression: "____" for found in find_blanks(CELL)}
    assert fill(CELL, answers) == blank(CELL)
    assert fill(CELL, {}) == without_marks(CELL)


def test_fill_numbers_equal_blanks_through_the_cells_of_a_step():
    cells = ["a = f(x)  # blank: f(x)\nb = f(x)  # blank: f(x)", "c = f(x)  # blank: f(x)"]
    assert fill_cells(cells, {"f(x)": "0"}) == ["a = 0\nb = 0", "c = 0"]
    assert fill_cells(cells, {"f(x) @3": "0"}) == ["a = f(x)\nb = f(x)", "c = 0"]
    assert fill_cells(cells, {"f(x) @2": "2", "f(x)": "0"}) == ["a = 0\nb = 2", "c = 0"]


def test_fill_knows_a_matrix_product_from_a_number():
    assert fill("y = x @ 2 + x  # blank: x @ 2", {"x @ 2": "0"}) == "y = 0 + x"


@pytest.mark.parametrize("key", ["f(y)", "f(x) @2", "f(x) @0", "1"])
def test_fill_names_the_blanks_that_there_are(key):
    with pytest.raises(BlankError) as caught:
        fill("a = f(x)  # blank: f(x)\nb = g(x)  # blank: g(x)", {key: "0"})
    [problem] = caught.value.problems
    assert problem.what == f"no blank is called `{key}`; there is `f(x)`, `g(x)`"


def test_fill_refuses_what_does_not_parse():
    with pytest.raises(BlankError, match="line 2: the filled cell does not parse"):
        fill("a = 1\nb = f(x)  # blank: f(x)", {"f(x)": "f(x"})


@pytest.mark.parametrize("number", range(6))
def test_unfilled_blank_stops_at_its_name(number):
    cell = (
        "def add(values):\n    # blank begin: add up\n    total = sum(values)\n    # blank end\n"
        "    return total + 0  # blank: 0\n\n"
        "values = list(range(3))  # blank: range(3)\n"
        "values[1] = 5  # blank: 1\n"
        "if len(values) > 2:  # blank: len(values) > 2\n"
        "    values += [*values]  # blank: [*values]\n"
        "assert add(values) == 14"
    )
    exec(without_marks(cell), {})
    key = find_blanks(cell)[number].expression
    with pytest.raises(NameError, match="name '____' is not defined"):
        exec(fill(cell, {key: "____"}), {})


def random_expression(rng: random.Random, depth: int) -> ast.expr:
    """An expression in which every leaf is different, so that no piece occurs twice."""
    random_expression.leaves += 1
    leaf = ast.Name(f"v{random_expression.leaves}", ast.Load())
    if depth == 0:
        return leaf
    a, b = (random_expression(rng, depth - 1) for _ in "ab")
    return rng.choice(
        [
            ast.BinOp(a, rng.choice([ast.Add(), ast.Mult(), ast.Pow(), ast.MatMult()]), b),
            ast.Compare(a, [ast.Lt()], [b]),
            ast.BoolOp(ast.Or(), [a, b]),
            ast.UnaryOp(ast.USub(), a),
            ast.Call(leaf, [a], [ast.keyword("axis", b)]),
            ast.Subscript(a, ast.Slice(b, None, None), ast.Load()),
            ast.Attribute(a, "real", ast.Load()),
            ast.IfExp(a, leaf, b),
            ast.Tuple([a, b], ast.Load()),
            ast.Lambda(ast.arguments([], [], None, [], [], None, []), a),
            ast.Call(ast.Name("f", ast.Load()), [a, ast.Constant("# blank: it's")], []),
        ]
    )


@pytest.mark.parametrize("seed", range(40))
def test_any_piece_of_any_expression_can_be_blanked(seed):
    rng = random.Random(seed)
    random_expression.leaves = 0
    code = ast.unparse(
        ast.Assign([ast.Name("y", ast.Store())], random_expression(rng, 3), lineno=1)
    )
    nodes = [node for node in ast.walk(ast.parse(code).body[0].value) if isinstance(node, ast.expr)]
    pieces = [
        ast.get_source_segment(code, node) for node in nodes if not isinstance(node, ast.Slice)
    ]
    piece = rng.choice([piece for piece in pieces if code.count(piece) == 1])
    marked = f"{code}  # blank: {piece}"
    assert without_marks(marked) == code
    assert blank(marked).count("____") == 1
    assert blank(marked).replace("____", piece) == code
    assert fill(marked, {piece: f"({piece})"}) == code.replace(piece, f"({piece})")
