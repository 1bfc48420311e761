"""Kernels that are forks of one process: to a page, each is like a new one."""

import asyncio
import json
import os
import sys
import time

import nbformat
import pytest
from conftest import HANGING
from nbclient.exceptions import DeadKernelError

from coursebuild.execution import Run, execute_notebooks, prepare_kernels
from coursebuild.inputs import modules_in_common
from coursebuild.kernels import ForkServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forks only on Linux")

PRELOADED = ["numpy.random", "matplotlib", "threadpoolctl"]
WHO = """
import json, os, random, sys
import matplotlib
import numpy as np
import threadpoolctl
facts = {
    "preloaded": preloaded,
    "name": __name__,
    "argv": len(sys.argv),
    "folder": os.getcwd(),
    "told": os.environ["TOLD"],
    "backend": matplotlib.get_backend(),
    "leads": os.getsid(0) == os.getpid(),
    "random": [random.random(), np.random.random()],
    "threads": [pool["num_threads"] for pool in threadpoolctl.threadpool_info()],
}
print(json.dumps(facts))
"""


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """A function that runs code, each in a notebook of its own, and returns what they printed."""
    for name in ("JUPYTER_PATH", "PYTHONPATH", "IPYTHONDIR"):  # prepare_kernels sets them for good
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    (tmp_path / "modules").mkdir()
    prepare_kernels(tmp_path / "kernels", [tmp_path / "modules"], {})

    def execute(*codes, modules=PRELOADED):
        runs = [make_run(tmp_path, code, f"n{i}") for i, code in enumerate(codes)]
        options = {
            "modules": modules,
            "workers": 2,
            "timeout": HANGING,
            "report": lambda line: None,
        }
        failed = execute_notebooks(runs, lambda run: None, **options)
        assert not failed, failed[0].error
        return [run.notebook.cells[0].outputs[0].text for run in runs]

    return execute


def make_run(folder, code, name):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    return Run(name, folder / name, notebook, variables={"TOLD": name})


def test_a_fork_is_like_a_new_kernel_but_for_what_is_imported(execute, tmp_path):
    code = "import sys; preloaded = 'numpy' in sys.modules\n" + WHO
    first, second = (json.loads(text) for text in execute(code, code))
    (plain,) = (json.loads(text) for text in execute(code, modules=()))
    assert first.pop("preloaded") and second.pop("preloaded") and not plain.pop("preloaded")
    assert (first.pop("told"), second.pop("told"), plain.pop("told")) == ("n0", "n1", "n0")
    drawn = {number for facts in (first, second, plain) for number in facts.pop("random")}
    assert len(drawn) == 6
    assert first == second == plain
    assert first["folder"] == str(tmp_path) and first["leads"]


def test_what_one_page_does_to_a_module_no_other_page_sees(execute):
    spoil = "import numpy; numpy.spoilt = True; print(1)"
    look = "import time, numpy; time.sleep(1); print(hasattr(numpy, 'spoilt'))"
    assert execute(spoil, look, look)[1:] == ["False\n", "False\n"]


def test_a_fork_that_dies_is_a_dead_kernel(execute):
    with pytest.raises(DeadKernelError, match="that ran n0 died"):
        execute("import os; os._exit(3)", "print(1)")


def test_a_process_with_threads_is_not_forked(execute, tmp_path):
    thread = "threading.Thread(target=time.sleep, args=(900,), daemon=True)"
    threads = f"import threading, time\n{thread}.start()\n"
    (tmp_path / "modules" / "restless.py").write_text(threads, encoding="utf-8")
    with pytest.raises(DeadKernelError, match="it has 2 threads"):
        execute("print(1)", modules=["restless"])


def test_a_module_that_cannot_be_imported_is_left_to_the_page(execute):
    code = "try:\n    import no_such_module\nexcept ImportError:\n    print('missing')\n"
    assert execute(code, modules=["no_such_module"]) == ["missing\n"]


def test_no_kernel_outlives_the_build(tmp_path):
    async def start():
        async with ForkServer([]) as server:
            file, variables = str(tmp_path / "kernel.json"), dict(os.environ)
            request = {"do": "start", "arguments": ["-f", file], "variables": variables}
            answer = await server.ask(**request, folder=str(tmp_path))
            return answer["pid"]

    pid = asyncio.run(start())
    deadline = time.monotonic() + HANGING
    while os.path.exists(f"/proc/{pid}/exe") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{pid}/exe")


def test_modules_in_common_are_those_of_two_pages():
    pages = ["import a.b, c\nfrom d import e", "from d import f\n\ndef g():\n    import a.b\n", "c"]
    notebooks = [
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(page)]) for page in pages
    ]
    assert modules_in_common(notebooks) == ["a.b", "d"]
    assert modules_in_common(notebooks[1:2]) == ["a.b", "d"]  # of one page, all
