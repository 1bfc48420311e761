"""What the outputs of a page rest on, read from the sources and not by import.

Besides its own cells, a page rests on the modules of the course that it imports, on what these
import in turn, on the data that they read, on the pins, and on Python. All of it can be read from
the text of the sources, but for the data: a module names them in a constant, relative to itself,

    READS = ("data/model",)

and a page in its front matter, relative to itself, `reads: [../benchmarks/results]`. The same
words serve for what no reader of sources can see: a module that is imported by a name which is
computed, a program that a cell starts.
"""

import ast
import contextlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from coursebuild.execution import fingerprint
from layerlab.errors import LayerlabError

CODE = "code"  # the folder of the course's packages
PINS = "constraints.txt"
ASIDE = ("sphinx-intl",)  # tools whose pins no page rests on, since no page is run with them
PYTHON = "Python"
DECLARATION = "READS"
ANY = "*"
CELL_MAGIC = re.compile(r"\A\s*%%.*\n")


class InputError(LayerlabError, ValueError):
    """A source does not say, or not rightly, what it rests on."""


@dataclass(frozen=True)
class Module:
    """What the source of a module says.

    Attributes
    ----------
    imports : frozenset of Path
        The files that its imports run, of the course's own packages only.
    reads : tuple of Path
        The files and folders that it declares.
    """

    imports: frozenset[Path]
    reads: tuple[Path, ...]


class Sources:
    """The sources of a course; each file is read once, however many pages rest on it.

    Parameters
    ----------
    root : Path
        The root of the course; its packages lie in `code/`.
    """

    def __init__(self, root: Path):
        self.root = root.resolve()
        self._modules: dict[Path, Module] = {}
        self._contents: dict[Path, str] = {}

    def page_inputs(self, page: Path, notebook: NotebookNode) -> dict[str, str]:
        """All that the outputs of a page rest on, besides its cells.

        Parameters
        ----------
        page : Path
            Its file.
        notebook : NotebookNode
            What the page holds.

        Returns
        -------
        dict of str
            From a name, for files the path relative to the root, to a hash of the content.

        Raises
        ------
        InputError
            If a module cannot be read, or a declared file is not there.
        """
        modules = self.closure(imported_names(_parse(notebook)))
        reads = [page.parent / name for name in _declared_by_page(page, notebook)]
        for module in modules:
            reads += self._modules[module].reads
        files = {self.root / PINS, *modules, *(_existing(path.resolve()) for path in reads)}
        return {PYTHON: sys.version} | {self._name(path): self._hash(path) for path in files}

    def closure(self, names: Iterable[str]) -> set[Path]:
        """The files of the course's packages that an import of these names runs."""
        waiting = set().union(*(self._files_of(name) for name in names))
        found = set()
        while waiting:
            path = waiting.pop()
            found.add(path)
            waiting |= self._module(path).imports - found
        return found

    def _module(self, path: Path) -> Module:
        if path not in self._modules:
            self._modules[path] = self._read_module(path)
        return self._modules[path]

    def _read_module(self, path: Path) -> Module:
        if path.suffix == ".pyi":  # nobody runs it
            return Module(frozenset(), ())
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise InputError(f"{path}:{error.lineno} is no Python: {error.msg}") from error
        package = path.parent.relative_to(self.root / CODE).parts
        names = imported_names(tree, package)
        reads = tuple(path.parent / name for name in declared_reads(tree, path))
        return Module(frozenset().union(*(self._files_of(name) for name in names)), reads)

    def _files_of(self, name: str) -> set[Path]:
        """The files that an import of a dotted name runs: the packages on the way, the module.

        A package with a stub imports its names when they are used, from where the stub says.
        """
        found, place = set(), self.root / CODE
        for part in name.split("."):
            place = place / part
            choices = (place / "__init__.py", place.with_name(f"{part}.py"))
            files = [file for file in choices if file.is_file()][:1]
            found |= set(files)
            if not files and (stub := place.with_name("__init__.pyi")).is_file():
                homes = _homes(ast.parse(stub.read_text("utf-8")), place.parent.name)
                wanted = homes.values() if part == ANY else filter(None, [homes.get(part)])
                found = found.union({stub}, *(self._files_of(home) for home in wanted))
        return found

    def _name(self, path: Path) -> str:
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError as error:
            raise InputError(f"{str(path)!r} is read and lies outside {self.root}") from error

    def _hash(self, path: Path) -> str:
        if path not in self._contents:
            leave_out = _aside if path == self.root / PINS else bytes
            self._contents[path] = fingerprint(self.root, [self._name(path)], leave_out)
        return self._contents[path]


def _aside(pins: bytes) -> bytes:
    """The pins without those that no page rests on."""
    names = tuple(f"{name}==".encode() for name in ASIDE)
    return b"".join(line for line in pins.splitlines(True) if not line.startswith(names))


def _homes(stub: ast.Module, package: str) -> dict[str, str]:
    """From the names that a stub gives a package to the modules that they come from."""
    froms = (node for node in stub.body if isinstance(node, ast.ImportFrom))
    return {alias.name: f"{package}.{node.module}" for node in froms for alias in node.names}


def imported_names(tree: ast.AST, package: tuple[str, ...] = ()) -> set[str]:
    """The full names of all that a source imports, wherever the import stands.

    Parameters
    ----------
    tree : ast.AST
        The source.
    package : tuple of str
        The names of the package that it lies in, for imports that begin with dots.

    Returns
    -------
    set of str
        What stands behind `from … import` may be a module or not, so it is among them, too; and
        of a module that is imported as a whole all that may be taken from it, as ``module.*``.
    """
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {name for a in node.names for name in (a.name, f"{a.name}.{ANY}")}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*above, *filter(None, [node.module])])
            names |= {origin, *(f"{origin}.{alias.name}" for alias in node.names)}
    return names


def modules_in_common(notebooks: Sequence[NotebookNode]) -> list[str]:
    """The modules, of the course or not, that the cells of two notebooks import, or of the one."""
    users, fewest = Counter(), min(2, len(notebooks))
    for notebook in notebooks:
        nodes = list(ast.walk(_parse(notebook)))
        plain = {name.name for n in nodes if isinstance(n, ast.Import) for name in n.names}
        users.update(plain | {n.module for n in nodes if isinstance(n, ast.ImportFrom)})
    return sorted(name for name, n_users in users.items() if name and n_users >= fewest)


def _parse(notebook: NotebookNode) -> ast.Module:
    """Read all code cells of a notebook as one source."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return ast.Module([node for cell in cells for node in parse_cell(cell).body], [])


def parse_cell(source: str) -> ast.Module:
    """Read a cell as Python, without IPython's own lines."""
    with contextlib.suppress(SyntaxError):
        return ast.parse(source)
    with contextlib.suppress(SyntaxError):  # what is none even so, the run itself will complain of
        return ast.parse(TransformerManager().transform_cell(CELL_MAGIC.sub("", source)))
    return ast.Module([], [])


def declared_reads(tree: ast.Module, path: Path) -> tuple[str, ...]:
    """What a module says that it reads, relative to itself; nothing if it says nothing.

    Raises
    ------
    InputError
        If the declaration is no tuple of texts that stands there as it is.
    """
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if [getattr(target, "id", None) for target in targets] == [DECLARATION]:
            try:
                reads = ast.literal_eval(node.value)
            except ValueError:
                reads = None
            if isinstance(reads, tuple) and all(isinstance(name, str) for name in reads):
                return reads
            raise InputError(
                f"{path}:{node.lineno}: {ast.unparse(node)!r} must be a tuple of texts, written "
                "out, for it is read without running the module"
            )
    return ()


def _declared_by_page(page: Path, notebook: NotebookNode) -> list[str]:
    reads = notebook.metadata.get("reads", [])
    if not isinstance(reads, list) or not all(isinstance(name, str) for name in reads):
        raise InputError(f"{page}: reads: {reads!r} in its front matter must be a list of paths")
    return reads


def _existing(path: Path) -> Path:
    if not path.exists():
        raise InputError(
            f"{str(path)!r} does not exist, and a page or module says that it reads it: mend the "
            f"path in {DECLARATION}, or in the page's front matter"
        )
    return path
