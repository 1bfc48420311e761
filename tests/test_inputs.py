"""What a page rests on: all that its outputs could change with, and nothing else."""

import ast
from pathlib import Path

import nbformat
import pytest
import yaml

from coursebuild.inputs import PINS, PYTHON, InputError, Sources, declared_reads, parse_cell

ROOT = Path(__file__).resolve().parents[1]
MODULES = {
    "lab/__init__.py": "",
    "lab/low.py": 'READS = ("data/model",)\n',
    "lab/middle.py": "def late():\n    from .low import anything\n",
    "lab/high.py": "from lab import middle\n",
    "lab/alone.py": "import numpy\n",
    "lab/figures/__init__.py": "from ..alone import ink\n",
    "lab/figures/bars.py": "",
    "face/__init__.py": "import lazy_loader\n",
    "face/__init__.pyi": "from .one import a as a\nfrom .two import b as b\n",
    "face/one.py": "",
    "face/two.py": "from lab.alone import ink\n",
    "other/__init__.py": "",
    "other/ex5.py": 'import lab.alone\n\nREADS: tuple = ("seen/05.json",)\n',
}
DATA = ["lab/data/model/a.bin", "lab/data/other.txt", "other/seen/05.json", "other/seen/06.json"]


@pytest.fixture
def course(tmp_path):
    """A course with two packages, their data, the pins and a page's own file."""
    for name, text in MODULES.items() | {(name, name) for name in DATA}:
        path = tmp_path / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in (PINS, "results/one.json", "book/page.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1\n", encoding="utf-8")
    return tmp_path


def inputs(course, *cells, **metadata):
    """What a page with these cells and this front matter rests on."""
    cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    return Sources(course).page_inputs(course / "book" / "page.md", notebook)


def names(course, *cells, **metadata):
    """The same without what every page rests on, and without the folder of the packages."""
    found = inputs(course, *cells, **metadata).keys() - {PINS, PYTHON}
    return {name.removeprefix("code/") for name in found}


# The modules -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "files"),
    [
        ("import numpy, json", set()),
        ("import lab", {"lab/__init__.py"}),
        ("import lab.alone", {"lab/__init__.py", "lab/alone.py"}),
        ("from lab import alone", {"lab/__init__.py", "lab/alone.py"}),
        ("from lab.alone import ink", {"lab/__init__.py", "lab/alone.py"}),
        (
            "from lab.figures import bars",
            {name for name in MODULES if name.startswith("lab/")},
        ),
    ],
)
def test_an_import_runs_the_packages_on_the_way_and_the_module(course, cell, files):
    kept = files - {"lab/low.py", "lab/middle.py", "lab/high.py"}
    assert names(course, cell) == kept


@pytest.mark.parametrize(
    ("cell", "modules"),
    [
        ("from face import a", {"one"}),
        ("from face import b", {"two"}),
        ("from face import *", {"one", "two"}),
        ("import face as f", {"one", "two"}),
        ("from face.one import a", {"one"}),
        ("from face import one", {"one"}),
    ],
)
def test_a_name_that_a_stub_gives_runs_the_module_that_it_comes_from(course, cell, modules):
    found = names(course, cell)
    assert {f"face/{name}.py" for name in ("one", "two")} & found == {
        f"face/{name}.py" for name in modules
    }
    assert ("lab/alone.py" in found) == ("two" in modules)


def test_imports_are_followed_also_relative_ones_and_those_within_functions(course):
    modules = {"lab/__init__.py", "lab/high.py", "lab/middle.py", "lab/low.py"}
    assert names(course, "from lab.high import x") == modules | {"lab/data/model"}


def test_all_cells_count_also_imports_within_functions(course):
    found = names(course, "x = 1", "def f():\n    import other.ex5\n", "import lab")
    assert "other/ex5.py" in found


@pytest.mark.parametrize(
    "cell", ["%%time\nimport lab", "%matplotlib inline\nimport lab", "!ls\nimport lab"]
)
def test_lines_that_only_ipython_knows_hide_no_import(course, cell):
    assert names(course, cell) == {"lab/__init__.py"}


def test_a_cell_that_is_no_python_is_left_to_the_run():
    assert ast.unparse(parse_cell("import lab +")) == ""


def test_a_module_that_is_no_python_is_named(course):
    (course / "code" / "lab" / "alone.py").write_text("x = 1\nimport +\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"alone\.py:2 is no Python"):
        inputs(course, "import lab.alone")
    assert names(course, "import lab.low")  # a page that does not import it does not mind


# What they read --------------------------------------------------------------------------------


def test_a_page_rests_on_the_data_that_its_modules_declare_and_on_no_other(course):
    assert names(course, "import other.ex5") == {
        "other/__init__.py",
        "other/ex5.py",
        "other/seen/05.json",
        "lab/__init__.py",
        "lab/alone.py",
    }


def test_a_page_rests_on_what_its_front_matter_declares(course):
    assert names(course, "x = 1", reads=["../results"]) == {"results"}


@pytest.mark.parametrize("file", ["code/lab/data/model/a.bin", "code/lab/low.py", PINS])
def test_a_change_shows_in_the_hash_of_what_changed(course, file):
    before = inputs(course, "import lab.low")
    (course / file).write_text("changed = 1\n" + 'READS = ("data/model",)\n', encoding="utf-8")
    after = inputs(course, "import lab.low")
    assert [name for name in before if before[name] != after[name]] == [file.removesuffix("/a.bin")]


@pytest.mark.parametrize("value", ["['data']", "('data', 1)", "tuple(names)", "('data')"])
def test_a_declaration_that_cannot_be_read_is_refused(value):
    source = f"x = 1\nREADS = {value}\n"
    with pytest.raises(InputError, match=r"m\.py:2: .*READS = .* must be a tuple of texts"):
        declared_reads(ast.parse(source), Path("m.py"))


def test_a_declared_file_that_is_not_there_is_named(course):
    (course / "code" / "lab" / "alone.py").write_text('READS = ("gone",)\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"lab/gone' does not exist.*READS"):
        inputs(course, "import lab.alone")


@pytest.mark.parametrize("reads", ["../results", [1]])
def test_front_matter_that_is_no_list_of_paths_is_refused(course, reads):
    with pytest.raises(InputError, match="must be a list of paths"):
        inputs(course, "x = 1", reads=reads)


def test_what_lies_outside_the_course_is_refused(course):
    with pytest.raises(InputError, match="lies outside"):
        inputs(course, "x = 1", reads=["../.."])


# The course itself -----------------------------------------------------------------------------

PAGES = sorted([*ROOT.glob("book/*.md"), *ROOT.glob("solutions/*.md")])
READERS = {"files", "__file__", "__path__"}  # names without which no module finds its own files


def page_cells(path):
    """The code cells of a page, without their options."""
    blocks = path.read_text(encoding="utf-8").split("```{code-cell}")[1:]
    bodies = [block.partition("\n")[2].partition("\n```")[0] for block in blocks]
    return [
        "\n".join(line for line in body.splitlines() if not line.startswith(":")) for body in bodies
    ]


@pytest.fixture(scope="module")
def course_inputs():
    """By page of the course, the names of all that it rests on."""
    sources, found = Sources(ROOT), {}
    for path in PAGES:
        front, _, _ = path.read_text(encoding="utf-8").removeprefix("---\n").partition("\n---\n")
        cells = [nbformat.v4.new_code_cell(cell) for cell in page_cells(path)]
        metadata = yaml.safe_load(front) if cells else {}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
        name = path.relative_to(ROOT).with_suffix("").as_posix()
        found[name] = set(sources.page_inputs(path, notebook))
    return found


def pages_on(course_inputs, name):
    return {page for page, inputs in course_inputs.items() if name in inputs}


def test_only_chapters_that_draw_with_the_figures_rest_on_them(course_inputs):
    pages = pages_on(course_inputs, "code/layerlab/figures.py")
    assert "book/05-positions" in pages
    assert not pages & {
        "book/01-minkowski",
        "book/09-how-much-to-believe",
        "solutions/05-positions",
    }


def test_no_page_rests_on_the_report(course_inputs):
    assert not pages_on(course_inputs, "code/layerlab/markdown.py")


def test_no_chapter_rests_on_what_checks_answers(course_inputs):
    for page, inputs in course_inputs.items():
        if page.startswith("book/"):
            assert not {name for name in inputs if "checks" in name}, page


@pytest.mark.parametrize(
    "path",
    sorted({*ROOT.glob("code/layerlab/*.py")} - {ROOT / "code/layerlab/__init__.py"}),
    ids=lambda path: path.stem,
)
def test_a_module_that_finds_its_own_files_declares_them(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = {getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(tree)}
    assert not used & READERS or declared_reads(tree, path)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_page_that_reads_files_or_starts_programs_declares_what_it_needs(path, course_inputs):
    trees = [parse_cell(cell) for cell in page_cells(path)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    starts = any(getattr(node, "id", "") == "subprocess" for node in nodes)
    leads_up = [n for n in nodes if isinstance(n, ast.Constant) and str(n.value).startswith("../")]
    front = path.read_text(encoding="utf-8").partition("\n---\n")[0]
    assert not (starts or leads_up) or "\nreads: [" in front


def test_pins_of_tools_that_no_page_is_run_with_do_not_count(course):
    pins = course / PINS
    pins.write_text("numpy==2.4.0\n", encoding="utf-8")
    before = inputs(course)[PINS]
    pins.write_text("numpy==2.4.0\nsphinx-intl==2.4.0\n", encoding="utf-8")
    assert inputs(course)[PINS] == before
    pins.write_text("numpy==2.4.1\nsphinx-intl==2.4.0\n", encoding="utf-8")
    assert inputs(course)[PINS] != before
