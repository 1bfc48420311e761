"""The whole investigation at full size beside a plain notebook's.

``python -m benchmarks.full_size``.  The model is of the shape of one of GPT-2's sizes, with random
weights, or SmolLM2, where its package is; it is made once, in `_build`.  Both do the same on it,
the untrained control included, in turn, in a process each that may use every core.  Where other
work slows the clock, the processor's time is what to compare.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from time import perf_counter

import numpy as np

from benchmarks import machine
from coursebuild.course import course_root
from layerlab.models import load_model

SHAPES = {  # blocks, width, heads
    "gpt2": (12, 768, 12),
    "gpt2-medium": (24, 1024, 16),
    "gpt2-large": (36, 1280, 20),
    "gpt2-xl": (48, 1600, 25),
}
SMOLLM2 = "smollm2"
ROOT = course_root()
RESULT = ROOT / "benchmarks" / "full_size.json"
TOKENIZER = ROOT / "code" / "layerlab" / "data" / "model"
SCALE = 0.05  # standard deviation of the weights: of a size that training leaves behind


def make_checkpoint(shape):
    """Folder of a random model of that shape, with the embedded model's tokenizer."""
    folder = ROOT / "_build" / "full-size" / shape
    if (folder / "model.safetensors").exists():
        return folder
    part = folder.with_suffix(".part")
    if shape == SMOLLM2:
        _save_smollm2(part)
    else:
        _save_random(shape, part)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder


def _save_smollm2(part):
    """Its weights as they are after loading: transformers saves no model that came from a GGUF."""
    model, tokenizer = load_model(SMOLLM2)
    config = model.config.to_dict()
    config.pop("quantization_config", None)
    plain = type(model)(type(model.config).from_dict(config))
    plain.load_state_dict(model.state_dict())
    plain.save_pretrained(part)
    tokenizer.save_pretrained(part)


def _save_random(shape, part):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel
    from transformers.initialization import no_init_weights

    n_layer, n_embd, n_head = SHAPES[shape]
    torch.manual_seed(0)
    with no_init_weights():
        model = GPT2LMHeadModel(GPT2Config(n_layer=n_layer, n_embd=n_embd, n_head=n_head))
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith("bias"):
                weights.zero_()
            elif weights.ndim == 1:
                weights.fill_(1.0)
            else:
                weights.normal_(0, SCALE)
    model.tie_weights()
    model.save_pretrained(part)
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        shutil.copy(TOKENIZER / name, part)


def measure(command):
    """What a process takes: seconds of the processors and of the clock, and its peak of memory."""
    start = perf_counter()
    own = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    process = subprocess.Popen(command, cwd=ROOT, env=own | {"PYTHONPATH": "code"})
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return {
        "processor_seconds": used.ru_utime + used.ru_stime,
        "clock_seconds": perf_counter() - start,
        "peak_gib": used.ru_maxrss / 2**20,
    }


def compare(shape, n_rounds):
    """Medians of both, what ours adds to the weights, and how far apart the results are."""
    folder, out = make_checkpoint(shape), ROOT / "_build" / "full-size" / "out"
    works = {
        "layerlab": [
            "-m",
            "layerlab",
            "--model",
            str(folder),
            "--overwrite",
            "--out",
            str(out / "a"),
        ],
        "plain notebook": ["benchmarks/plain_notebook.py", str(folder), str(out / "b")],
    }
    rounds = {name: [] for name in works}
    for _ in range(n_rounds):
        for name, work in works.items():
            rounds[name].append(measure([sys.executable, *work]))
    rows = {
        name: {field: float(np.median([run[field] for run in runs])) for field in runs[0]}
        for name, runs in rounds.items()
    }
    ours, plain = rows.values()
    weights = (folder / "model.safetensors").stat().st_size / 2**30
    return {
        "rows": rows,
        "times_faster": {field: plain[field] / ours[field] for field in ours if "seconds" in field},
        "weights_gib": weights,
        "peak_above_weights_gib": ours["peak_gib"] - weights,
        "largest_differences": _differences(out),
    }


def _differences(out):
    """Between the two runs' results, of the model that both read; the untrained ones differ."""
    with np.load(out / "a" / "results.npz") as a, np.load(out / "b" / "results.npz") as b:
        names = ("summary", "layer_information")
        return {name: float(np.abs(a[name] - b[name]).max()) for name in names}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shapes", nargs="*", choices=[*SHAPES, SMOLLM2, []], default=["gpt2-large"])
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default 3)")
    asked = parser.parse_args()
    stored = {"machine": machine.stamp(), "shapes": {}}
    for shape in asked.shapes:
        stored["shapes"][shape] = compare(shape, asked.rounds)
        RESULT.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(stored["shapes"][shape], indent=1))


if __name__ == "__main__":
    main()
