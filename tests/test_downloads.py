"""What students take home: what is in it, and where it lies."""

import re
import time
import zipfile
from pathlib import Path

import nbformat
import pytest
from packaging.utils import canonicalize_name
from test_site import ROOT, add_exercises, edit

from coursebuild.downloads import (
    DownloadError,
    closure,
    exercise_names,
    lead_links_to_site,
    make_downloads,
    name_as_solution,
    published_address,
    student_pins,
    wheel_name,
    write_zip,
)

NAMES = ("01-lines", "02-planes")
REAL_NAMES = exercise_names(ROOT)
WHEEL = wheel_name(ROOT)


def members(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def small_course(folder: Path) -> Path:
    """Lay out what downloads are made of, without a book around it."""
    for package in ("layerlab", "coursechecks"):
        (folder / "code" / package).mkdir(parents=True)
        text = "VALUE = 1\n"
        (folder / "code" / package / "__init__.py").write_text(text, encoding="utf-8")
    (folder / "book").mkdir()
    (folder / "constraints.txt").write_text("numpy==2.4.0\n", encoding="utf-8")
    (folder / "_config.yml").write_text("title: A small book\n", encoding="utf-8")
    add_exercises(folder, NAMES)
    return folder


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The course's own downloads."""
    return make_downloads(ROOT, tmp_path_factory.mktemp("real"))


# What is in it ---------------------------------------------------------------------------------


def test_everything_lies_at_its_address(real):
    kinds = ("exercises", "solutions")
    expected = {f"{kind}/{name}.ipynb" for kind in kinds for name in REAL_NAMES}
    expected |= {"exercises.zip", "solutions.zip", "constraints.txt", WHEEL}
    assert {p.relative_to(real).as_posix() for p in real.rglob("*") if p.is_file()} == expected


@pytest.mark.parametrize("kind", ["exercises", "solutions"])
def test_zip_holds_notebooks_package_pins_and_words(real, kind):
    held = members(real / f"{kind}.zip")
    notebooks = {f"{kind}/{path.name}" for path in (real / kind).iterdir()}
    assert set(held) == notebooks | {
        f"{kind}/{name}" for name in (WHEEL, "constraints.txt", "README.md")
    }
    assert held[f"{kind}/{WHEEL}"] == (real / WHEEL).read_bytes()
    for name in notebooks:
        notebook = nbformat.reads(held[name].decode(), as_version=4)
        assert not any(cell.get("outputs") for cell in notebook.cells)


def test_exercises_have_blanks_and_solutions_have_none(real):
    for path in (real / "exercises").iterdir():
        assert "____" in path.read_text(encoding="utf-8")
        assert "blank:" not in path.read_text(encoding="utf-8")
    for path in (real / "solutions").iterdir():
        code = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        assert not any("____" in source or "# blank" in source for source in code)
        assert "# Solution " in path.read_text(encoding="utf-8")


def test_wheel_holds_the_package_with_its_data_and_nothing_else(real):
    held = members(real / WHEEL)
    packages = {"layerlab", "coursechecks"}
    assert {name.split("/")[0] for name in held} == {*packages, "layerlab-0.1.0.dist-info"}
    for package in packages:
        for path in (ROOT / "code" / package).rglob("*"):
            if path.suffix == ".po":  # what translators write; checks read the .mo beside it
                assert path.relative_to(ROOT / "code").as_posix() not in held
            elif path.is_file() and "__pycache__" not in path.parts:
                assert held[path.relative_to(ROOT / "code").as_posix()] == path.read_bytes()
    assert "layerlab-0.1.0.dist-info/licenses/LICENSE" in held
    assert not any(name.endswith(".pyc") or "coursebuild" in name for name in held)


def test_readme_has_three_steps_for_each_system(real):
    readme = members(real / "exercises.zip")["exercises/README.md"].decode()
    assert re.findall(r"^(\d)\. ", readme, re.MULTILINE) == ["1", "2", "3"]
    for system in ("sh", "bat"):
        commands = commands_of(readme, system)
        assert len(commands) == 3
        assert f' -c constraints.txt "{WHEEL}[checks]" jupyterlab' in commands[1]
        assert commands[2].endswith(f"{REAL_NAMES[0]}.ipynb")
    option = "--extra-index-url https://download.pytorch.org/whl/cpu"
    assert option in readme
    assert option in (ROOT / "Makefile").read_text(encoding="utf-8")


def commands_of(readme: str, language: str) -> list[str]:
    return re.search(rf"```{language}\n(.*?)```", readme, re.DOTALL)[1].splitlines()


# The pins --------------------------------------------------------------------------------------


def test_pins_are_the_courses_and_only_what_a_student_needs():
    pins = set(student_pins(ROOT).splitlines()[1:])
    assert pins < set((ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines())
    names = {line.split("==")[0].lower() for line in pins}
    assert {"torch", "transformers", "numba", "jupyterlab", "ipykernel", "nbconvert"} <= names
    assert {"colorama", "pywinpty", "appnope"} <= names  # what Windows and macOS need besides
    assert not {"sphinx", "jupyter-book", "myst-nb", "pytest", "ruff", "ennemi"} & names


def test_all_that_a_student_needs_is_pinned():
    pinned = {canonicalize_name(line.split("==")[0]) for line in student_pins(ROOT).splitlines()}
    assert set(closure(["layerlab", "jupyterlab"])) - pinned == {"layerlab"}


def test_requirement_that_is_not_installed_is_named():
    with pytest.raises(DownloadError, match="no-such-package is not installed"):
        closure(["numpy", "no-such-package>=1"])


# The same, and no more often than needed -------------------------------------------------------


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    first = make_downloads(small_course(tmp_path / "a"), tmp_path / "out-a")
    time.sleep(2.1)  # a zip knows time in steps of two seconds
    second = make_downloads(small_course(tmp_path / "b"), tmp_path / "out-b")
    for path in first.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (second / path.relative_to(first)).read_bytes(), path


def test_downloads_are_made_again_only_when_an_input_changed(tmp_path):
    root, out = small_course(tmp_path / "course"), tmp_path / "out"

    def made() -> tuple[int, int]:
        folder = make_downloads(root, out)
        wheel = next((out / ".wheel").rglob("*.whl"))
        return (folder / "exercises.zip").stat().st_mtime_ns, wheel.stat().st_mtime_ns

    zip_before, wheel_before = made()
    assert made() == (zip_before, wheel_before)
    edit(root / "solutions" / "01-lines.md", "What is the largest", "Which is the largest")
    zip_after, wheel_after = made()
    assert zip_after > zip_before
    assert wheel_after == wheel_before  # the package did not change, and its model is large
    edit(root / "code" / "layerlab" / "__init__.py", "VALUE = 1", "VALUE = 2")
    assert made()[1] > wheel_before
    assert len(list((out / ".wheel").iterdir())) == 1


def test_withheld_solutions_leave_the_downloads(tmp_path):
    root, out = small_course(tmp_path / "course"), tmp_path / "out"
    assert (make_downloads(root, out) / "solutions.zip").is_file()
    names = {path.name for path in make_downloads(root, out, solutions=False).iterdir()}
    assert names == {"exercises", "exercises.zip", "constraints.txt", WHEEL}


def test_course_without_exercises_has_no_downloads(tmp_path):
    assert make_downloads(tmp_path, tmp_path / "out") is None


def test_exercise_without_solution_is_named(tmp_path):
    root = small_course(tmp_path)
    (root / "solutions" / "02-planes.md").unlink()
    with pytest.raises(DownloadError, match=r"exercises/02-planes\.ipynb has no solutions"):
        make_downloads(root, tmp_path / "out")


def test_package_that_cannot_be_packed_says_why(tmp_path):
    root = small_course(tmp_path)
    edit(root / "pyproject.toml", 'where = ["code"]', 'where = "code"')
    with pytest.raises(DownloadError, match=r"(?s)could not be packed.*where"):
        make_downloads(root, tmp_path / "out")


def test_zip_is_sorted_and_has_no_time_of_its_own(tmp_path):
    write_zip(tmp_path / "a.zip", "things", {"b.txt": b"2", "a.txt": b"1"})
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == ["things/a.txt", "things/b.txt"]
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}


# Words and addresses in the notebooks ----------------------------------------------------------


@pytest.mark.parametrize(
    ("baseurl", "repository", "address"),
    [
        ("", "", ""),
        ("https://course.example/45/", "", "https://course.example/45"),
        ("https://course.example", "https://github.com/Ann/course", "https://course.example"),
        ("", "https://github.com/Ann/course", "https://ann.github.io/course"),
        ("", "https://github.com/Ann/course.git", "https://ann.github.io/course"),
        ("", "https://github.com/ann/ann.github.io/", "https://ann.github.io"),
        ("", "https://code.example/ann/course", ""),
    ],
)
def test_published_address(baseurl, repository, address):
    assert published_address(baseurl, repository) == address


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("", "See Part 3, Part 4 and [x](https://x.example/a.md)."),
        (
            "https://s.example",
            "See [Part 3](https://s.example/book/03-hooks.html), "
            "[Part 4](https://s.example/book/04.html#tau) and [x](https://x.example/a.md).",
        ),
    ],
)
def test_links_to_pages_lead_somewhere_from_home(site, expected):
    text = "See [Part 3](../book/03-hooks.md), [Part 4](../book/04.md#tau) and "
    cells = [nbformat.v4.new_markdown_cell(text + "[x](https://x.example/a.md).")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    lead_links_to_site(notebook, site)
    assert notebook.cells[0].source == expected


def test_only_the_title_and_the_description_become_a_solutions():
    text = (
        '    "description lang=en": "Exercise: means"\n# Exercise 6: Sweep\nExercise 5 was long.\n'
    )
    expected = text.replace('"Exercise:', '"Solution:').replace("# Exercise", "# Solution")
    assert name_as_solution(text) == expected
