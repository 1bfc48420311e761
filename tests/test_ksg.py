"""The compiled kernel: no jumps where none are meant, and an import that needs no folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from layerlab import ksg

PACKAGE = Path(ksg.__file__).parent


@pytest.mark.parametrize(("name", "n_ends"), [("_stride", 1), ("_bisect", 2)])
def test_a_comparison_is_no_choice_that_a_compiler_may_turn_into_a_jump(name, n_ends):
    # whether it does depends on the processor; so look at what is the same for all of them
    kernel = numba.njit(getattr(ksg, name).py_func)  # anew: what was kept has no such listing
    moves = [np.zeros(2, np.int64)] * (name == "_bisect")
    kernel(np.zeros(99), np.ones(99), 40, 9, 4, *moves, *np.zeros((n_ends, 9), np.int64))
    (listing,) = kernel.inspect_llvm().values()
    comparisons = re.findall(r"(%\S+) = fcmp", listing)
    choices = re.findall(r"(?:select|br) i1 (%[^ ,]+), (?:i\d+|ptr|label)", listing)
    assert comparisons and not set(comparisons) & set(choices)


def test_where_no_folder_can_be_written_it_compiles_anew_and_says_so_once(tmp_path):
    ignore = shutil.ignore_patterns("data", "__pycache__")
    copy = shutil.copytree(PACKAGE, tmp_path / "layerlab", ignore=ignore)
    (copy / "__pycache__").touch()  # a file, in which not even root can write a folder
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"HOME": os.devnull, "XDG_CACHE_HOME": os.devnull, "LOCALAPPDATA": os.devnull}
    environment.pop("NUMBA_CACHE_DIR", None)
    program = (
        "import layerlab.information, numpy\n"
        "from layerlab import ksg\n"
        "print(ksg.__file__, ksg._is_sorted(numpy.arange(3.0), numpy.arange(3)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True
    )
    assert ran.stdout.split() == [str(copy / "ksg.py"), "True"]
    assert ran.stderr.count("RuntimeWarning") == 1
    assert "Set NUMBA_CACHE_DIR to a folder that can be written" in ran.stderr
    folder = str(tmp_path / "kept")
    subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", program],
        env=environment | {"NUMBA_CACHE_DIR": folder},
        check=True,
    )
    assert list(Path(folder).rglob("ksg._is_sorted*.nbc"))
