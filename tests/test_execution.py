"""Running a notebook: a kernel that does not start is started once more, and not silently.

And how a change of what it rests on shows.
"""

import asyncio
import json
import sys

import nbformat
import pytest
from conftest import HANGING
from nbclient.exceptions import CellExecutionError, DeadKernelError

from coursebuild.execution import execute, fingerprint

# A kernel that ends at once, as one does whose port was taken, until it has done so often enough.
RELUCTANT = """
import os, pathlib, sys

starts = pathlib.Path(sys.argv[1])
n = int(starts.read_text()) + 1
starts.write_text(str(n))
if n <= int(sys.argv[2]):
    sys.exit("Address already in use")
os.execv(sys.executable, [sys.executable, "-m", "ipykernel_launcher", *sys.argv[3:]])
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that runs code in a kernel which fails to start so many times."""
    starts = tmp_path / "starts"
    spec = tmp_path / "jupyter" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))

    def run(code, failures, said):
        command = [sys.executable, "-c", RELUCTANT, str(starts), str(failures)]
        command += ["-f", "{connection_file}", "--log-level=ERROR"]
        facts = {"argv": command, "display_name": "Python 3", "language": "python"}
        spec.write_text(json.dumps(facts), encoding="utf-8")
        starts.write_text("0", encoding="utf-8")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        try:
            asyncio.run(execute(notebook, tmp_path, HANGING, said.append))
        finally:
            run.starts = int(starts.read_text(encoding="utf-8"))
        return notebook.cells[0].outputs[0].text

    return run


def test_a_kernel_that_starts_is_started_once(run):
    said = []
    assert run("print(6 * 7)", 0, said) == "42\n"
    assert (said, run.starts) == ([], 1)


def test_a_kernel_that_does_not_start_is_started_once_more(run):
    said = []
    assert run("print(6 * 7)", 1, said) == "42\n"
    assert run.starts == 2
    assert len(said) == 1 and "did not start" in said[0] and "once more" in said[0]


def test_a_kernel_that_never_starts_is_said_to(run):
    with pytest.raises(DeadKernelError, match="did not start"):
        run("print(6 * 7)", 9, [])
    assert run.starts == 2


def test_a_cell_that_raises_is_not_run_again(run):
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run("1 / 0", 0, [])
    assert run.starts == 1


def test_fingerprint_sees_names_contents_and_depth(tmp_path):
    (tmp_path / "package" / "data").mkdir(parents=True)
    file = tmp_path / "package" / "data" / "model.bin"
    file.write_bytes(b"one")
    before = fingerprint(tmp_path, ["package"])
    (tmp_path / "package" / "__pycache__").mkdir()
    (tmp_path / "package" / "__pycache__" / "x.pyc").write_bytes(b"generated")
    assert fingerprint(tmp_path, ["package"]) == before
    file.write_bytes(b"two")
    changed = fingerprint(tmp_path, ["package"])
    file.rename(file.with_name("renamed.bin"))
    assert len({before, changed, fingerprint(tmp_path, ["package"])}) == 3


def test_fingerprint_refuses_what_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"constraints\.txt"):
        fingerprint(tmp_path, ["constraints.txt"])
