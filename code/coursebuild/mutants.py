"""Answers with a single edit: another operator, constant, name or argument, or a part left out.

Nobody wrote them down, so no check was made for them. Each one that does something else than the
answer has to be refused.
"""

import ast
import copy
from collections.abc import Iterator

OPERATORS = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Div],
    ast.Pow: [ast.Mult],
    ast.Mod: [ast.Mult],
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
}
METHODS = {"min": "max", "max": "min", "mean": "sum", "sum": "mean", "attn": "mlp", "mlp": "attn"}


def mutants(answer: str, names: list[str], most: int) -> list[str]:
    """Edit an answer in one place each.

    Parameters
    ----------
    answer : str
        An expression, or the statements of a block.
    names : list of str
        Names that may stand in place of another one.
    most : int
        How many edits are returned; if there are more, they are taken evenly from all.

    Returns
    -------
    list of str
        Each differs from the answer and from the others.
    """
    tree = _read(answer)
    names = sorted({*names, *(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))})
    original, is_bare = ast.unparse(tree), _is_bare_tuple(tree)
    found = {}
    for number, _ in enumerate(ast.walk(tree)):
        node = _nth(tree, number)
        for edit in range(len(list(_edits(node, names)))):
            changed = copy.deepcopy(tree)
            target = _nth(changed, number)
            replacement = list(_edits(target, names))[edit]
            new = _replaced(changed, target, replacement)
            text = ast.unparse(ast.fix_missing_locations(new))
            if text.strip() and text != original:
                found[text[1:-1] if is_bare else text] = None
    made = list(found)
    if len(made) <= most:
        return made
    return [made[k * len(made) // most] for k in range(most)]


def _is_bare_tuple(tree: ast.AST) -> bool:
    """Whether code is a tuple without brackets, such as two arguments of a call."""
    is_tuple = isinstance(tree.body, ast.Tuple) and bool(tree.body.elts)
    return is_tuple and tree.body.col_offset == tree.body.elts[0].col_offset


def _read(answer: str) -> ast.Expression | ast.Module:
    """An answer as an expression, or else as statements."""
    try:
        return ast.parse(answer.strip(), mode="eval")
    except SyntaxError:
        return ast.parse(answer)


def _nth(tree: ast.AST, number: int) -> ast.AST:
    for k, node in enumerate(ast.walk(tree)):
        if k == number:
            return node
    raise IndexError(number)


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST | None):
        self.old, self.new = old, new

    def visit(self, node: ast.AST):
        return self.new if node is self.old else super().generic_visit(node)


def _replaced(tree: ast.AST, old: ast.AST, new: ast.AST | None) -> ast.AST:
    return _Replace(old, new).visit(tree)


def _edits(node: ast.AST, names: list[str]) -> Iterator[ast.AST | None]:
    """Yield what may stand in a node's place; None where it is left out."""
    if isinstance(node, (ast.BinOp, ast.BoolOp)):
        for operator in OPERATORS.get(type(node.op), []):
            yield _with(node, op=operator())
        yield from node.values if isinstance(node, ast.BoolOp) else (node.left, node.right)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for operator in OPERATORS.get(type(node.ops[0]), []):
            yield _with(node, ops=[operator()])
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from _other_constants(node)
    elif isinstance(node, ast.Call):
        yield from _other_calls(node)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield node.value
    elif isinstance(node, ast.Slice):
        for part in ("lower", "upper", "step"):
            if getattr(node, part) is not None:
                yield _with(node, **{part: None})
    elif isinstance(node, ast.Attribute):
        if node.attr in METHODS:
            yield _with(node, attr=METHODS[node.attr])
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from (ast.Name(name, ast.Load()) for name in names if name != node.id)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()  # a statement left out


def _with(node: ast.AST, **changes) -> ast.AST:
    new = copy.copy(node)
    for name, value in changes.items():
        setattr(new, name, value)
    return new


def _other_constants(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield from (ast.Constant(value + 1), ast.Constant(value - 1))
    elif isinstance(value, float):
        yield ast.Constant(2 * value)
    elif isinstance(value, str) and value:
        yield ast.Constant(value[1:] if value.startswith(" ") else value + "s")


def _other_calls(node: ast.Call) -> Iterator[ast.AST]:
    if len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]
    if len(node.args) > 1:
        yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
        yield _with(node, args=node.args[:-1])
    for place in range(len(node.keywords)):
        yield _with(node, keywords=node.keywords[:place] + node.keywords[place + 1 :])
    if isinstance(node.func, ast.Attribute) and not node.args and not node.keywords:
        yield node.func.value
