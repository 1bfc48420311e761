"""Where the course is that a command works on: the checkout one stands in, run by its own code."""

import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from test_notebooks import DRAFT, TEXT

from coursebuild.course import CODE, CourseError, course_root, drafts
from coursebuild.notebooks import read_solution
from layerlab.errors import LayerlabError

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ["coursebuild.build", "coursebuild.notebooks", "coursebuild.downloads"]
COMMANDS += ["coursebuild.grading", "coursebuild.gate", "coursebuild.seen"]
COMMANDS += ["benchmarks.__main__", "benchmarks.truths"]


@pytest.fixture
def other(tmp_path):
    """A checkout of its own, with a solution and all of our code that makes an exercise of it."""
    folder = tmp_path / "other"
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("coursebuild", "coursechecks"):
        shutil.copytree(ROOT / "code" / name, folder / "code" / name, ignore=ignore)
    (folder / "code" / "layerlab").mkdir()
    modules = (f"code/layerlab/{name}" for name in ("__init__.py", "__init__.pyi", "errors.py"))
    for name in (*modules, "Makefile", "_toc.yml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "solutions").mkdir()
    (folder / "solutions" / "01-sums.md").write_text(TEXT, encoding="utf-8")
    return folder


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


# The root --------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [".", "book/_static"])
def test_root_is_that_of_the_current_checkout(folder, monkeypatch):
    monkeypatch.chdir(ROOT / folder)
    assert course_root() == ROOT == CODE.parent


def test_root_that_is_named_is_taken(other, monkeypatch):
    monkeypatch.chdir(other.parent)
    assert course_root(Path("other")) == other


def test_outside_of_a_checkout_there_is_no_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CourseError) as caught:
        course_root()
    assert str(caught.value) == f"{tmp_path} lies in no checkout of the course; change into one"


@pytest.mark.parametrize("name", COMMANDS)
def test_code_of_another_checkout_is_refused(name, other, monkeypatch, capsys):
    command, before = import_module(name), files(other)
    monkeypatch.chdir(other / "solutions")
    monkeypatch.setattr(sys, "argv", [name])
    with pytest.raises(SystemExit) as caught:
        sys.exit(command.main())
    assert caught.value.code in (1, 2)
    sentence = f"you are in {other}, and the code that runs is that of {CODE}; use `make`, or set"
    assert sentence in capsys.readouterr().err
    assert files(other) == before


# `make` with an environment that another checkout owns -------------------------------------------


def make(folder: Path, *words: str) -> subprocess.CompletedProcess:
    outer = ("PYTHONPATH", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS")  # of the make that runs us
    variables = {name: text for name, text in os.environ.items() if name not in outer}
    command = ["make", "-C", str(folder), *words]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_make_runs_the_code_of_the_checkout_it_is_in(other):
    module = other / "code" / "coursebuild" / "notebooks.py"
    text = module.read_text(encoding="utf-8")
    assert "*Write your answer here" in text
    module.write_text(text.replace("*Write your answer here", "*Write it here"), encoding="utf-8")
    made = make(other, f"VENV={sys.prefix}", "exercises")
    assert "exercises/01-sums.ipynb: written, 8 blanks in 2 steps" in made.stdout
    exercise = (other / "exercises" / "01-sums.ipynb").read_text(encoding="utf-8")
    assert "*Write it here" in exercise


def test_make_installs_nothing_into_an_environment_of_another_checkout(other):
    for name in ("constraints.txt", "pyproject.toml"):  # newer than any environment
        (other / name).touch()
    shared = make(other, "--dry-run", f"VENV={sys.prefix}", "exercises", "bench")
    assert "-m benchmarks" in shared.stdout and "pip install" not in shared.stdout
    own = make(other, "--dry-run", "exercises", "bench")
    assert own.stdout.count("pip install") == 2


@pytest.mark.parametrize(
    ("words", "as_said"),
    [
        (("release", "COHORT=2027 spring"), ["2027 spring"]),
        (("release", "COHORT=it's; echo HI"), ["it's; echo HI"]),
        (("new", "NAME=10-a b"), ["10-a b"]),
        (("gate", "NAME=10-a b"), ["10-a b"]),
        (("translation", "LANGUAGE=pt BR"), ["pt BR"]),
        (("class", "SUBMISSIONS=a $$b", "SCHEDULER=tcp://a:1 tcp://b:2"), ["tcp://a:1 tcp://b:2"]),
        (("model", "TEXTS=a b", "WORK=c d"), ["a b", "c d"]),
        (("controls", "MODEL=a b", "NAME=c", "TARGET=tea"), ["a b", " tea"]),
    ],
)
def test_make_hands_on_what_was_said_as_one_word(words, as_said):
    dry = make(ROOT, "--dry-run", f"VENV={sys.prefix}", *words).stdout
    [command] = [line for line in dry.replace("\\\n", " ").split("\n") if " -m " in line][-1:]
    said = shlex.split(command)
    assert all(word in said for word in as_said), command


def test_make_refuses_an_environment_that_is_not_there(other):
    result = make(other, "VENV=/no/such/environment", "exercises")
    assert result.returncode == 2
    assert "/no/such/environment holds no environment" in result.stdout
    assert not (other / "exercises").exists()


def test_all_that_is_pinned_runs_on_the_oldest_python_that_is_promised():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = project["requires-python"].removeprefix(">=") + ".0"
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().splitlines()
    needs = {
        f"{known.name}=={known.version}".lower(): known.metadata.get("Requires-Python")
        for known in distributions()
    }
    assert len(needs.keys() & set(pins)) > 100
    assert [p for p in pins if not SpecifierSet(needs.get(p) or "").contains(oldest)] == []


# Drafts ----------------------------------------------------------------------------------------


def test_drafts_are_the_solutions_that_say_so(other):
    for name, text in {
        "02-draft": DRAFT,
        "03-broken": "---\ndraft: true\n---\n\n```{code-cell}\n:step: [\n",
        "04-open": "---\ndraft: true\n",  # no front matter, for nothing ends it
        "05-released": DRAFT.replace("draft: true", "draft: false"),
        "06-bare": "# A page\n",
        "07-empty": "---\n---\n# A page\n",
    }.items():
        (other / "solutions" / f"{name}.md").write_text(text, encoding="utf-8")
    assert drafts(other) == ["02-draft", "03-broken"]


def test_front_matter_that_is_no_yaml_is_named(other):
    (other / "solutions" / "02-odd.md").write_text("---\na: [\n---\n", encoding="utf-8")
    with pytest.raises(CourseError, match=r"solutions/02-odd\.md: its front matter is no YAML: "):
        drafts(other)


def test_a_source_may_begin_with_a_mark_and_is_in_utf_8(tmp_path):
    (tmp_path / "solutions").mkdir()
    path = tmp_path / "solutions" / "01-sums.md"
    path.write_text(DRAFT, "utf-8-sig")
    assert drafts(tmp_path) == ["01-sums"]
    path.write_bytes(f"{TEXT}\nÜbung\n".encode("latin-1", "replace"))
    line = TEXT.count("\n") + 2
    for read in (lambda: drafts(tmp_path), lambda: read_solution(path)):
        with pytest.raises(LayerlabError, match=rf"solutions/01-sums\.md:{line} .* not in UTF-8"):
            read()
    path.write_text(TEXT, "utf-8-sig")
    assert read_solution(path).metadata["kernelspec"]["name"] == "python3"
