"""Imports run downward only, and the package never needs the tools that build the course."""

import ast
from pathlib import Path

import pytest

CODE = Path(__file__).resolve().parents[1] / "code"
ORDER = [  # each may import those before it
    "errors",
    "_validate",
    "_ksg",
    "distances",
    "information",
    "statistics",
    "articles",
    "models",
    "tokens",
    "hooks",
    "sweeps",
    "investigation",
    "examples",
    "checks",
    "themes",
    "figures",
    "report",
    "pages",
    "__main__",
]
MODULES = sorted((CODE / "layerlab").glob("*.py"))
CHECKS = sorted((CODE / "layerlab" / "checks").glob("*.py"))


def imported_modules(source: str) -> set[str]:
    """Full names of all that a source imports, wherever the import stands."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            if node.level:
                package = f"layerlab.{package}".rstrip(".")
            names |= {package} | {f"{package}.{alias.name}" for alias in node.names}
    return names


def inside_layerlab(names: set[str]) -> set[str]:
    parts = {name.split(".")[1] for name in names if name.startswith("layerlab.")}
    return parts & {path.stem for path in MODULES} | parts & {"checks"}


def test_finds_every_form_of_import():
    source = (
        "import layerlab.errors\nfrom layerlab import hooks\nfrom . import tokens\n"
        "def f():\n    from .models import load_model\n    import coursebuild.gate\n"
    )
    names = imported_modules(source)
    assert inside_layerlab(names) == {"errors", "hooks", "tokens", "models"}
    assert "coursebuild.gate" in names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_run_downward(path):
    if path.stem == "__init__":
        return
    assert path.stem in ORDER, f"give {path.stem!r} its place in ORDER"
    below = ORDER[: ORDER.index(path.stem)]
    upward = inside_layerlab(imported_modules(path.read_text(encoding="utf-8"))) - set(below)
    assert not upward, f"{path.stem} imports upward: {sorted(upward)}"


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_checks_import_what_lies_below_them(path):
    below = set(ORDER[: ORDER.index("checks")])
    upward = inside_layerlab(imported_modules(path.read_text(encoding="utf-8"))) - below
    assert upward <= {"checks"}


@pytest.mark.parametrize("path", MODULES + CHECKS, ids=lambda path: path.stem)
def test_layerlab_does_not_import_coursebuild(path):
    names = imported_modules(path.read_text(encoding="utf-8"))
    assert not {name for name in names if name.split(".")[0] == "coursebuild"}
