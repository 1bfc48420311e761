"""What `import layerlab` gives: every public name, typed, documented, with an example that runs."""

import ast
import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import layerlab

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "transformers", "matplotlib", "requests", "wikipedia", "sklearn")
WITHOUT = """
import sys
from importlib.machinery import PathFinder

class Poorer(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in {names!r} else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Poorer
"""


def run(program):
    """What a program prints, in a process where the heavy packages are not installed."""
    command = [sys.executable, "-c", WITHOUT.format(names=HEAVY) + program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", layerlab.__all__)
def test_the_example_of_a_public_name_runs(name):
    public = {name: getattr(layerlab, name) for name in layerlab.__all__}
    docstring = inspect.getdoc(public[name])
    example = doctest.DocTestParser().get_doctest(docstring, public, name, None, None)
    assert example.examples, f"layerlab.{name} shows no example"
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert not result.failed


@pytest.mark.parametrize("name", layerlab.__all__)
def test_a_public_name_stands_on_the_page_of_the_library(name):
    page = (ROOT / "book" / "library.md").read_text(encoding="utf-8")
    assert len(re.findall(rf"auto\w+:: layerlab\.{name}\b", page)) == 1


def test_measures_need_none_of_the_heavy_packages():
    program = (
        "import numpy as np, layerlab\n"
        "x, y = np.random.default_rng(0).normal(size=(2, 40))\n"
        "print(layerlab.minkowski(x, y, 2) > 0, layerlab.mutual_information(x, x + y) > 0)\n"
        "print(layerlab.measure_pairs([x, y, x + y]).shape, layerlab.kendall_tau(x, y).p > 0)\n"
        "print(layerlab.histogram_mutual_information(x, y) > 0, layerlab.Options().seed)\n"
    )
    assert run(program).split() == ["True", "True", "(3,", "3)", "True", "True", "0"]


def test_who_hands_out_the_cells_of_an_atlas_does_not_wait_for_pytorch():
    program = (
        "import sys\n"
        "from layerlab import atlas, cluster, grid, store, summary\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("False\n", 0), done.stderr


@pytest.mark.parametrize("name", ["load_model", "record", "investigate", "load_article"])
def test_what_needs_a_missing_package_says_how_to_install_it(name):
    program = (
        "import layerlab\n"
        f"try:\n    layerlab.{name}\n"
        "except ModuleNotFoundError as error:\n    print(error)\n"
    )
    said = run(program)
    assert f"layerlab.{name} needs the package" in said
    assert "pip install 'layerlab[models]'" in said


def test_the_command_says_so_too():
    program = "from layerlab.__main__ import main\nprint(main(['--out', 'nowhere']))"
    command = [sys.executable, "-c", WITHOUT.format(names=HEAVY) + program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
    assert done.stderr.startswith("layerlab: layerlab.investigate needs the package")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        layerlab.nothing_of_this_name  # noqa: B018


def test_the_version_is_that_of_the_project():
    assert f'version = "{layerlab.__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize("path", sorted(ROOT.glob("[bs]o*/*.md")), ids=lambda path: path.stem)
def test_no_page_imports_a_private_module(path):
    lines = re.findall(r"^\s*(?:from|import) .*", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert not [line for line in lines if re.search(r"\b(layerlab|coursechecks)\.\S*\b_", line)]


def test_a_constant_of_the_package_means_one_thing():
    """No two modules give one name in capitals to different values."""
    found = {}
    for path in (ROOT / "code" / "layerlab").glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            for target in (t for t in targets if isinstance(t, ast.Name) and t.id.isupper()):
                found.setdefault(target.id, []).append(path.stem)
    del found["READS"]  # which each module that reads data declares for itself
    assert not {name for name, homes in found.items() if len(homes) > 1}


def test_what_is_offered_can_be_had():
    """`import *`, help() and tab completion need no package that is not there."""
    program = (
        "import inspect, layerlab\nfrom layerlab import *\ninspect.getmembers(layerlab)\n"
        "print(callable(minkowski), 'kendall_tau' in dir(layerlab))\n"
        f"for name in set({layerlab.__all__}) - set(dir(layerlab)):\n"
        "    try:\n        getattr(layerlab, name)\n"
        "    except layerlab.LayerlabError:\n        print(name)\n"
    )
    offered, *hidden = run(program).splitlines()
    assert offered == "True True"
    assert {"record", "load_model"} < set(hidden)
    assert set(layerlab.__all__) - set(hidden) < set(dir(layerlab))
