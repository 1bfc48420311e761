"""What students take home: what is in it, where it lies, and that it runs on another machine."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from jupyter_server.serverapp import list_running_servers
from packaging.utils import canonicalize_name
from test_site import ROOT, add_exercises, build, edit, make_book

from coursebuild.audit import read_page, request_problems
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
from coursebuild.notebooks import solution_notebook

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
            if path.is_file() and "__pycache__" not in path.parts:
                assert held[path.relative_to(ROOT / "code").as_posix()] == path.read_bytes()
    assert "layerlab-0.1.0.dist-info/licenses/LICENSE" in held
    assert not any(name.endswith(".pyc") or "coursebuild" in name for name in held)


def test_readme_has_three_steps_for_each_system(real):
    readme = members(real / "exercises.zip")["exercises/README.md"].decode()
    assert re.findall(r"^(\d)\. ", readme, re.MULTILINE) == ["1", "2", "3"]
    for system in ("sh", "bat"):
        commands = commands_of(readme, system)
        assert len(commands) == 3
        assert f" -c constraints.txt {WHEEL} jupyterlab" in commands[1]
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


# On the pages ----------------------------------------------------------------------------------


def buttons(book: Path, page: str) -> dict[str, str]:
    """Return the address of each link in a page's box of downloads, by its words."""
    text = (book / "_build" / "html" / f"{page}.html").read_text(encoding="utf-8")
    (box,) = BeautifulSoup(text, "html.parser").select("article .course-downloads")
    return {link.get_text(): link["href"] for link in box.find_all("a")}


@pytest.fixture(scope="module")
def plain_book(tmp_path_factory):
    """A book with two exercises, published nowhere."""
    book = make_book(tmp_path_factory.mktemp("plain"), exercises=NAMES)
    result = build(book)
    assert result.returncode == 0, result.stdout + result.stderr
    return book


@pytest.mark.parametrize("kind", ["exercise", "solution"])
def test_page_has_a_button_for_its_notebook_and_a_line_for_the_zip(plain_book, kind):
    assert buttons(plain_book, f"{kind}s/02-planes") == {
        f"Download this {kind} (.ipynb)": f"../downloads/{kind}s/02-planes.ipynb",
        f"all {kind}s (.zip, 1 MB)": f"../downloads/{kind}s.zip",
    }
    served = plain_book / "_build" / "html" / "downloads" / f"{kind}s" / "02-planes.ipynb"
    assert nbformat.read(served, 4).cells[0].source.startswith(f"# {kind.title()}: Planes")


def test_page_of_exercises_offers_the_zip_and_says_the_three_steps(plain_book):
    assert list(buttons(plain_book, "book/exercises").values()) == ["../downloads/exercises.zip"]
    page = plain_book / "_build" / "html" / "book" / "exercises.html"
    text = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text()
    assert f"pip install -c constraints.txt {WHEEL} jupyterlab" in text
    assert "jupyter lab 01-lines.ipynb" in text


def test_book_published_nowhere_leads_nowhere(plain_book):
    site = plain_book / "_build" / "html"
    assert "colab" not in (site / "exercises" / "01-lines.html").read_text("utf-8").lower()
    first = nbformat.read(site / "downloads" / "exercises" / "01-lines.ipynb", 4).cells[0]
    assert first.cell_type == "markdown"


def test_published_book_has_launch_buttons_and_notebooks_that_install_the_package(tmp_path):
    book = make_book(tmp_path, exercises=NAMES)
    config = yaml.safe_load((book / "_config.yml").read_text(encoding="utf-8"))
    config["repository"]["url"] = "https://github.com/ann/course"
    config["html"]["baseurl"] = "https://course.example/45/"
    (book / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    result = build(book)
    assert result.returncode == 0, result.stdout + result.stderr

    path = "downloads/exercises/01-lines.ipynb"
    links = buttons(book, "exercises/01-lines")
    colab = "https://colab.research.google.com/github/ann/course/blob/gh-pages/"
    binder = "https://mybinder.org/v2/gh/ann/course/gh-pages?urlpath=lab/tree/"
    assert links["Open in Colab"] == colab + path
    assert links["Open in Binder"] == binder + path
    for page in ("solutions/01-lines", "book/exercises"):
        assert not any("Open in" in words for words in buttons(book, page))
    site = book / "_build" / "html"
    for page in site.rglob("*.html"):
        assert not list(request_problems(read_page(page.read_text(encoding="utf-8"))))

    launched = nbformat.read(site / path, 4)  # what the buttons open, once the site is pushed
    first = launched.cells[0]
    assert first.cell_type == "code"
    for name in (WHEEL, "constraints.txt"):
        assert f"https://course.example/45/downloads/{name}" in first.source
        assert (site / "downloads" / name).is_file()
    assert "https://course.example/45/book/other.html" in launched.cells[3].source
    in_zip = members(site / "downloads" / "exercises.zip")["exercises/01-lines.ipynb"]
    assert "downloads/layerlab" not in in_zip.decode()  # the package lies beside it


# Somewhere else --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(real, tmp_path_factory):
    """A folder, and the environment in it that the README's own lines made."""
    folder = tmp_path_factory.mktemp("home")
    with zipfile.ZipFile(real / "exercises.zip") as archive:
        archive.extractall(folder)
    folder = folder / "exercises"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    variables = clean_variables(folder.parent)
    for command in commands_of(readme, "sh")[:2]:
        result = subprocess.run(
            command, shell=True, cwd=folder, env=variables, capture_output=True, text=True
        )
        assert result.returncode == 0, (
            f"a line of the README failed: {command}\nIt needs a package index that pip can reach "
            f"(see `pip config list`).\n{result.stdout[-2000:]}{result.stderr[-4000:]}"
        )
    yield folder, variables
    shutil.rmtree(folder / ".venv")  # two gigabytes


def clean_variables(folder: Path) -> dict[str, str]:
    """Return an environment as a student has it; only pip's settings and the basics are kept."""
    kept = ("PIP_", "LANG", "LC_", "HOME", "SSL_", "REQUESTS_CA", "http", "HTTP", "no_proxy")
    kept += ("NO_PROXY", "TMPDIR", "SYSTEMROOT", "OPENBLAS", "OMP_")
    variables = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    python = Path(sys._base_executable).parent  # `python3` may mean an older one on this machine
    for kind in ("CONFIG", "DATA", "RUNTIME"):
        variables[f"JUPYTER_{kind}_DIR"] = str(folder / "jupyter" / kind.lower())
    settings = folder / "jupyter" / "config" / "jupyter_server_config.json"
    settings.parent.mkdir(parents=True)  # tests may run as root, and beside another server
    server = {"allow_root": True, "open_browser": False, "port": 0, "ip": "127.0.0.1"}
    settings.write_text(json.dumps({"ServerApp": server}), encoding="utf-8")
    return variables | {
        "PATH": f"{python}{os.pathsep}{os.environ['PATH']}",
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLBACKEND": "agg",
        "PIP_COMPILE": "0",  # Python compiles what it imports; all of it would take a minute more
    }


def test_clean_environment_has_the_pinned_versions_and_the_package_from_the_wheel(home):
    folder, variables = home
    python = folder / ".venv" / "bin" / "python"
    command = [python, "-c", "import layerlab; print(layerlab.__file__)"]
    where = subprocess.check_output(command, cwd=folder, env=variables, text=True)
    assert where.startswith(str(folder / ".venv"))
    frozen = subprocess.check_output([python, "-m", "pip", "freeze"], env=variables, text=True)
    pins = set((folder / "constraints.txt").read_text(encoding="utf-8").splitlines())
    installed = {re.sub(r"\+\w+$", "", line) for line in frozen.splitlines()}  # torch==2.13.0+cpu
    assert {line for line in installed - pins if not line.startswith("layerlab @")} == set()


def solve(exercise: Path, solution: Path) -> nbformat.NotebookNode:
    """Fill the blanks of a downloaded notebook."""
    answers = {cell.id: cell.source for cell in solution_notebook(solution).cells}
    notebook = nbformat.read(exercise, 4)
    for cell in notebook.cells:
        if cell.cell_type == "code" and "____" in cell.source:
            cell.source = answers[cell.id]
    return notebook


def run_solved(folder: Path, variables: dict[str, str], exercise: Path, jupyter: Path) -> None:
    """Fill the blanks of a downloaded notebook, run it in a folder, and see that checks agreed."""
    assert "____" in exercise.read_text(encoding="utf-8")
    solved = folder / exercise.name
    nbformat.write(solve(exercise, ROOT / "solutions" / f"{exercise.stem}.md"), solved)
    command = [jupyter, "nbconvert", "--to", "notebook", "--execute", "--inplace", solved]
    result = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-4000:]
    checks = [
        cell for cell in nbformat.read(solved, 4).cells if "check" in cell.metadata.get("tags", [])
    ]
    assert len(checks) >= 2
    for cell in checks:
        assert "".join(output.get("text", "") for output in cell.outputs).count("✓") >= 1


@pytest.mark.parametrize("name", REAL_NAMES)
def test_downloaded_notebook_solved_runs_where_the_readme_was_followed(home, name):
    folder, variables = home
    run_solved(folder, variables, folder / f"{name}.ipynb", folder / ".venv" / "bin" / "jupyter")


def test_launched_notebook_installs_the_package_from_the_site_that_it_was_opened_on(home, tmp_path):
    unpacked, variables = home
    programs = unpacked / ".venv" / "bin"
    pip = [programs / "python", "-m", "pip"]
    subprocess.run([*pip, "uninstall", "--quiet", "--yes", "layerlab"], env=variables, check=True)
    away = tmp_path / "away"  # where nothing but the notebook is
    away.mkdir()
    handler = partial(QuietHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        downloads = make_downloads(ROOT, tmp_path, site_url=address)
        exercise = downloads / "exercises" / f"{REAL_NAMES[0]}.ipynb"
        run_solved(away, variables, exercise, programs / "jupyter")
        server.shutdown()
    frozen = subprocess.check_output([*pip, "freeze"], env=variables, text=True)
    assert f"layerlab @ {address}/downloads/{WHEEL}" in frozen


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Leave the terminal to pytest."""


def test_last_line_of_the_readme_starts_jupyterlab_with_the_first_notebook(home):
    folder, variables = home
    command = commands_of((folder / "README.md").read_text(encoding="utf-8"), "sh")[2]
    with (folder.parent / "lab.log").open("w") as log:
        server = subprocess.Popen(
            command.split(), cwd=folder, env=variables, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = wait_for_server(folder.parent / "jupyter" / "runtime", server)
            with urlopen(address.format(f"api/contents/{REAL_NAMES[0]}.ipynb")) as answer:
                assert json.load(answer)["type"] == "notebook"
            with urlopen(address.format(f"lab/tree/{REAL_NAMES[0]}.ipynb")) as answer:
                assert "JupyterLab" in answer.read().decode()
        finally:
            server.terminate()
            server.wait(timeout=30)


def wait_for_server(runtime: Path, server: subprocess.Popen) -> str:
    """Return the address of a starting Jupyter, with a place for a path, once it answers."""
    last = "it wrote down no address"
    for _ in range(600):
        assert server.poll() is None, "JupyterLab ended by itself"
        for facts in list_running_servers(str(runtime)):  # passes over a file half written
            address = f"{facts['url']}{{}}?token={facts['token']}"
            try:
                with urlopen(address.format("api")):
                    return address
            except URLError as error:  # it writes its address down before it listens there
                last = error
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not answer within a minute: {last}")
