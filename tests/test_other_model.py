"""With another model in the embedded one's place, no page says what is not so: it stops or holds.

The other one is a random model of the same architecture and another width. Where nothing was
learned, a sentence about what training did is false, and a cell beside it has to stop the build.
"""

import hashlib
import json
import os
import shutil

import jupytext
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from coursebuild.course import course_root
from coursebuild.execution import GUARD, Run, execute_notebooks

ROOT = course_root()
WEIGHTS = "code/layerlab/data/model"
STOPS = {  # what these say of the embedded model is not so for a random one
    "welcome",
    "house",
    "03-hooks-and-tokens",
    "06-laminar-sweep",
    "08-how-good",
    "09-how-much-to-believe",
    "12-what-it-cannot-tell",
    "13-fixed-past",
    "14-is-it-used",
    "15-what-we-found",
}
HOLDS = {  # their numbers change, and their sentences leave open which way
    "01-minkowski",
    "04-measures",
    "05-positions",
    "07-layer-information",
    "11-your-own",
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Code and chapters of the course, with other weights."""
    root = tmp_path_factory.mktemp("other") / "course"
    for folder in ("code/layerlab", "book"):
        shutil.copytree(ROOT / folder, root / folder)
    folder = root / WEIGHTS
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = GPT2LMHeadModel(GPT2Config.from_pretrained(folder, n_embd=64, n_head=4)).half()
        for weights in model.parameters():
            if weights.ndim > 1:
                torch.nn.init.normal_(weights, std=0.1)
    model.save_pretrained(folder)
    sums = folder / "SHA256SUMS"
    names = [line.split()[1] for line in sums.read_text("utf-8").splitlines()]
    hashes = (hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names)
    lines = (f"{digest}  {name}\n" for digest, name in zip(hashes, names, strict=True))
    sums.write_text("".join(lines), "utf-8")
    return root


@pytest.fixture(scope="module")
def errors(course):
    """What stopped each page; nothing, if none did."""
    variables = {"PYTHONPATH": os.pathsep.join([str(course / "code"), str(ROOT / "code")])}
    runs = [
        Run(name, path, jupytext.read(path, fmt="md:myst"), variables=variables)
        for name in sorted(STOPS | HOLDS)
        for path in [course / "book" / f"{name}.md"]
    ]
    execute_notebooks(runs, lambda run: None, workers=2, timeout=900, report=print)
    return {run.name: run.error for run in runs}


@pytest.mark.check
def test_the_pages_were_run_with_the_other_model(course, errors):
    config = json.loads((course / WEIGHTS / "config.json").read_text("utf-8"))
    assert config["n_embd"] == 64
    assert set(errors) == STOPS | HOLDS


@pytest.mark.check
@pytest.mark.parametrize("name", sorted(STOPS))
def test_a_page_whose_sentences_would_be_false_stops_the_build(errors, name):
    assert GUARD in errors[name], errors[name]


@pytest.mark.check
@pytest.mark.parametrize("name", sorted(HOLDS))
def test_a_page_whose_sentences_hold_is_built(errors, name):
    assert errors[name] == ""
