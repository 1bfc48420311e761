"""An atlas beside one command `layerlab` for each of its cells.

``python -m benchmarks.atlas``.  The grid is 2 models, 3 targets and 2 seeds; both sides have two
processes at a time.  A command does more for a cell: it measures parts 4, 5 and 7, too, and draws.
What the atlas saves beside that is to start Python and to load each model for each cell.
"""

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import machine
from benchmarks.full_size import measure
from coursebuild.course import course_root
from layerlab.grid import read_grid

ROOT = course_root()
RESULT = ROOT / "benchmarks" / "atlas.json"
GRID = """\
models = ["embedded", "smollm2"]
targets = [" coffee", " cup", " water"]
seeds = [0, 1]
"""
N_PROCESSES = 2


def run_atlas(file, out):
    options = ["--out", str(out), "--workers", str(N_PROCESSES)]
    return [sys.executable, "-m", "layerlab", "atlas", str(file), *options]


def run_commands(cells, out):
    """A process that runs one command for each cell."""
    commands = [
        [sys.executable, "-m", "layerlab", "--out", str(out / str(i))]
        + [f"--{name}={getattr(cell, name)}" for name in ("model", "target", "seed")]
        for i, cell in enumerate(cells)
    ]
    return [sys.executable, "-m", "benchmarks.atlas", json.dumps(commands)]


def run_each(commands):
    with ThreadPoolExecutor(N_PROCESSES) as pool:
        ends = list(pool.map(lambda command: subprocess.run(command).returncode, commands))
    if any(ends):
        raise RuntimeError(f"the commands ended with {ends}")


def compare():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "grid.toml")
        file.write_text(GRID, encoding="utf-8")
        cells = read_grid(file)
        rows = {
            "atlas": measure(run_atlas(file, Path(folder, "atlas"))),
            "one command a cell": measure(run_commands(cells, Path(folder))),
        }
    seconds = {name: row["clock_seconds"] for name, row in rows.items()}
    return {
        "n_cells": len(cells),
        "clock_seconds": seconds,
        "times_faster": seconds["one command a cell"] / seconds["atlas"],
    }


def main():
    if len(sys.argv) > 1:
        run_each(json.loads(sys.argv[1]))
        return
    stored = {"machine": machine.stamp(), "grid": GRID, **compare()}
    RESULT.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(stored, indent=1))


if __name__ == "__main__":
    main()
