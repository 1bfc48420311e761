"""What trials came to, kept while all that they rest on is as it was.

The gate is run again and again, and most of what it tries has not changed. So each notebook's
outcomes are kept in ``_build/trials``, with hashes of what they rest on: its imports, their data,
the pins, its mistakes, and the code of this package.
"""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

from coursebuild import notebooks
from coursebuild.execution import fingerprint
from coursebuild.inputs import PINS, InputError, Sources
from coursebuild.notebooks import NotebookError
from coursebuild.trials import Outcome

FOLDER = "_build/trials"
CUT_OFF = {"killed", "died"}  # errors that say as much of the machine as of a program


def rests_on(root: Path, page: Path, own: list[Path]) -> dict[str, str]:
    """All that the programs of a notebook rest on, by name, with a hash of each.

    Parameters
    ----------
    root : Path
        The root of the course.
    page : Path
        The solution.
    own : list of Path
        What else belongs to the notebook, as far as it is there.

    Returns
    -------
    dict of str
        Empty if it cannot be said.
    """
    if not (root / PINS).is_file():
        return {}
    try:
        inputs = Sources(root).page_inputs(page, notebooks.read_solution(page))
    except (NotebookError, InputError):  # said when it is tried
        return {}
    paths = [page, *(path for path in own if path.is_file())]
    names = [path.relative_to(root).as_posix() for path in paths] + ["code/coursebuild"]
    return inputs | {name: fingerprint(root, [name]) for name in names}


def load(root: Path, name: str, inputs: dict[str, str]) -> dict[str, Outcome]:
    """Outcomes of a notebook's trials, by their keys; none if they rest on something else."""
    path = root / FOLDER / f"{name}.json"
    if not (inputs and path.is_file()):
        return {}
    kept = json.loads(path.read_text("utf-8"))
    if kept["inputs"] != inputs:
        return {}
    return {key: Outcome(**facts) for key, facts in kept["outcomes"].items()}


def keep(root: Path, name: str, inputs: dict[str, str], outcomes: dict[str, Outcome]) -> None:
    """Keep outcomes for the next run; nothing if it cannot be said what they rest on."""
    if not inputs:
        return
    facts = {
        key: asdict(replace(outcome, seconds=0.0))  # the next run does not wait for it
        for key, outcome in outcomes.items()
        if outcome.error not in CUT_OFF
    }
    path = root / FOLDER / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}")  # another gate may be under way
    new.write_text(json.dumps({"inputs": inputs, "outcomes": facts}), "utf-8")
    new.replace(path)
