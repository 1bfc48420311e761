"""What students take home runs there: in an environment that the README's own lines made."""

import json
import os
import re
import shlex
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
from conftest import HANGING
from jupyter_server.serverapp import list_running_servers
from test_downloads import REAL_NAMES, WHEEL, commands_of
from test_site import ROOT

from coursebuild.downloads import make_downloads
from coursebuild.notebooks import solution_notebook
from coursebuild.promises import wrong_outputs

pytestmark = pytest.mark.check
# A student's processor may add in another order than the one on which a check's facts were stored.
OLDER_PROCESSOR = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder, and the environment in it that the README's own lines made."""
    folder = tmp_path_factory.mktemp("home")
    downloads = make_downloads(ROOT, tmp_path_factory.mktemp("downloads"))
    with zipfile.ZipFile(downloads / "exercises.zip") as archive:
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
    """Fill the blanks of a downloaded notebook, run it in a folder; see that all checks agree.

    So "runs alone", which the gate promises, is tried here, where a student is.
    """
    assert "____" in exercise.read_text(encoding="utf-8")
    solved = folder / exercise.name
    nbformat.write(solve(exercise, ROOT / "solutions" / f"{exercise.stem}.md"), solved)
    command = [jupyter, "nbconvert", "--to", "notebook", "--execute", "--inplace", solved]
    result = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-4000:]
    notebook = nbformat.read(solved, 4)
    checks = [cell for cell in notebook.cells if "check" in cell.metadata.get("tags", [])]
    assert len(checks) >= 2 and all(cell.metadata.nbgrader.locked for cell in checks)
    assert wrong_outputs(exercise.name, notebook) == []


@pytest.mark.parametrize("name", REAL_NAMES)
def test_downloaded_notebook_solved_runs_where_the_readme_was_followed(home, name):
    folder, variables = home
    variables = variables | OLDER_PROCESSOR
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
            shlex.split(command), cwd=folder, env=variables, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = wait_for_server(folder.parent / "jupyter" / "runtime", server)
            with urlopen(address.format(f"api/contents/{REAL_NAMES[0]}.ipynb")) as answer:
                assert json.load(answer)["type"] == "notebook"
            with urlopen(address.format(f"lab/tree/{REAL_NAMES[0]}.ipynb")) as answer:
                assert "JupyterLab" in answer.read().decode()
        finally:
            server.terminate()
            server.wait(timeout=HANGING)


def wait_for_server(runtime: Path, server: subprocess.Popen) -> str:
    """Return the address of a starting Jupyter, with a place for a path, once it answers."""
    last = "it wrote down no address"
    deadline = time.monotonic() + HANGING
    while time.monotonic() < deadline:
        assert server.poll() is None, "JupyterLab ended by itself"
        for facts in list_running_servers(str(runtime)):  # passes over a file half written
            address = f"{facts['url']}{{}}?token={facts['token']}"
            try:
                with urlopen(address.format("api")):
                    return address
            except URLError as error:  # it writes its address down before it listens there
                last = error
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not answer in {HANGING} seconds: {last}")
