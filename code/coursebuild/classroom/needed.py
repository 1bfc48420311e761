"""Which given cells a graded run needs: those that bind a name which is used later.

Many given cells print and draw what the student looks at, and some of them compute for long. Where
nothing later mentions what they bind, nothing that is graded rests on them, and they are left out.
"""

import ast
import re
import symtable

WORD = re.compile(r"[^\W\d]\w*")
SHOWS = {"print", "show"}  # calls of these alone change nothing
LOOKS_AROUND = {"globals", "locals", "vars", "exec", "eval", "get_ipython"}


def needed(cells: list[dict], solutions: dict[str, str]) -> list[dict]:
    """Leave out given cells that nothing rests on.

    Parameters
    ----------
    cells : list of dict
        As `inside.Submission` takes them.
    solutions : dict of str
        The right cells by their labels, for one of them may stand in for what was handed in.

    Returns
    -------
    list of dict
    """
    kept, mentioned = [], set()
    for cell in reversed(cells):
        words = _words(cell) | _words({"sources": [solutions.get(cell["label"], "")]})
        is_given = cell["kind"] == "given" and not cell.get("step")
        if is_given and not mentioned & LOOKS_AROUND and _is_idle(cell["sources"], mentioned):
            continue
        mentioned |= words
        kept.append(cell)
    return kept[::-1]


def _words(cell: dict) -> set[str]:
    texts = [*cell.get("sources", []), *cell.get("answers", {}).values()]
    return {name for text in texts for name in _mentioned(text)}


def _mentioned(source: str) -> set[str]:
    """The names that a source takes from its notebook; all its words where it does not parse."""
    try:
        table = symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(WORD.findall(source))
    return {s.get_name() for s in table.get_symbols() if s.is_referenced()} | _from_within(table)


def _from_within(table: symtable.SymbolTable) -> set[str]:
    """Names of the notebook that functions and classes of a cell use."""
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    return own.union(*map(_from_within, table.get_children()))


def _is_idle(sources: list[str], mentioned: set[str]) -> bool:
    """Whether cells bind nothing that is mentioned, and do nothing besides but show."""
    tables = [symtable.symtable(source, "cell", "exec") for source in sources]
    if any(_binds(s) and s.get_name() in mentioned for t in tables for s in t.get_symbols()):
        return False
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    bound = {name for node in nodes for name in _bound(node)}
    return all(_only_shows(node, bound) for node in nodes)


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def _bound(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return [node.id]
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.alias):
        return [(node.asname or node.name).partition(".")[0]]
    return []


def _only_shows(node: ast.AST, bound: set[str]) -> bool:
    """Whether a statement changes nothing but what its own cell has bound."""
    if isinstance(node, (ast.Global, ast.Delete)):
        return False
    if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        return _root(node) in bound
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return True
    return _root(node.value.func) in SHOWS | bound


def _root(node: ast.AST) -> str:
    """The name that an expression such as ``a.b[0].c`` begins with; empty if with none."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
