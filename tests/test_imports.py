"""Imports run downward only, and the package never needs the tools that build the course."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from coursebuild.downloads import MAKERS
from coursebuild.inputs import imported_names
from coursebuild.site import OWN_MODULES

CODE = Path(__file__).resolve().parents[1] / "code"
ORDER = [  # each may import those before it
    "errors",
    "_validate",
    "options",
    "grid",
    "ksg",
    "distances",
    "information",
    "statistics",
    "evidence",
    "regression",
    "similarity",
    "texts",
    "cache",
    "questions",
    "wikis",
    "articles",
    "families",
    "hub",
    "places",
    "models",
    "tokens",
    "hooks",
    "heads",
    "interventions",
    "sweeps",
    "investigation",
    "comparison",
    "cells",
    "store",
    "cluster",
    "atlas",
    "examples",
    "themes",
    "svg",
    "figures",
    "drawings",
    "markdown",
    "summary",
    "pages",
    "touch",
    "__main__",
]
CONTRIBUTING = (CODE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAP = CONTRIBUTING.partition("\n## A map of `coursebuild`\n")[2].partition("\n## ")[0]
BUILD_ORDER = re.findall(r"^\| `(\w+)` \|", MAP, re.MULTILINE)  # the same for coursebuild
CLASSROOM_ORDER = re.findall(
    r"^\| `(\w+)` \|", MAP.partition("module of `classroom`")[2], re.MULTILINE
)
BUILD_ORDER = [name for name in BUILD_ORDER if name not in CLASSROOM_ORDER]
CLASSROOM = sorted((CODE / "coursebuild" / "classroom").glob("[!_]*.py"))
BUILDERS = sorted((CODE / "coursebuild").glob("[!_]*.py"))
MODULES = sorted((CODE / "layerlab").glob("*.py"))
CHECKS = sorted((CODE / "coursechecks").glob("*.py"))
# Of coursechecks, each may import the former.
SHARED = ["language", "probes", "words", "engine", "arrays", "figures", "networks"]
SHARED += ["observers", "verdicts", "withheld"]


def imported_modules(source: str) -> set[str]:
    """Full names of all that a source imports, wherever the import stands."""
    return imported_names(ast.parse(source), ("layerlab",))


@cache
def imported_builders(name: str) -> set[str]:
    """Modules of coursebuild that one of them imports itself."""
    names = imported_modules((CODE / "coursebuild" / f"{name}.py").read_text(encoding="utf-8"))
    return {path.stem for path in BUILDERS if f"coursebuild.{path.stem}" in names}


def inside_layerlab(names: set[str]) -> set[str]:
    parts = {name.split(".")[1] for name in names if name.startswith("layerlab.")}
    return parts & {path.stem for path in MODULES}


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
def test_checks_of_an_exercise_import_none_of_another(path):
    below = SHARED[: SHARED.index(path.stem)] if path.stem in SHARED else SHARED
    names = imported_modules(path.read_text(encoding="utf-8"))
    own = {name.split(".")[1] for name in names if name.startswith("coursechecks.")}
    assert own & {path.stem for path in CHECKS} <= set(below)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_layerlab_imports_neither_checks_nor_builders(path):
    names = imported_modules(path.read_text(encoding="utf-8"))
    assert not {name.split(".")[0] for name in names} & {"coursechecks", "coursebuild"}


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_checks_do_not_import_builders(path):
    names = imported_modules(path.read_text(encoding="utf-8"))
    assert "coursebuild" not in {name.split(".")[0] for name in names}


@pytest.mark.parametrize("name", [path.stem for path in BUILDERS])
def test_imports_of_coursebuild_run_downward(name):
    assert name in BUILD_ORDER, f"give {name!r} its place in the map in CONTRIBUTING.md"
    upward = imported_builders(name) - set(BUILD_ORDER[: BUILD_ORDER.index(name)])
    assert not upward, f"{name} imports upward: {sorted(upward)}"


def test_the_map_has_no_module_that_is_not_there():
    assert set(BUILD_ORDER) == {path.stem for path in BUILDERS}
    assert set(CLASSROOM_ORDER) == {path.stem for path in CLASSROOM}


@pytest.mark.parametrize("path", CLASSROOM, ids=lambda path: path.stem)
def test_the_classroom_imports_downward_and_nothing_that_makes_the_course(path):
    names = imported_modules(path.read_text(encoding="utf-8"))
    own = {name.split(".")[2] for name in names if name.startswith("coursebuild.classroom.")}
    others = {name for name in names if name.startswith("coursebuild.")}
    below = CLASSROOM_ORDER[: CLASSROOM_ORDER.index(path.stem)]
    assert own & set(CLASSROOM_ORDER) <= set(below)
    assert all(name.startswith("coursebuild.classroom") for name in others)


@pytest.mark.parametrize(("top", "listed"), [("site", OWN_MODULES), ("downloads", MAKERS)])
def test_what_is_made_depends_on_all_modules_that_make_it(top, listed):
    needed, waiting = set(), [top]
    while waiting:
        needed.add(waiting.pop())
        waiting += {name for one in needed for name in imported_builders(one)} - needed
    assert set(listed) == needed
