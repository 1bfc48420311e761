"""How alike near and far targets are, in a model and its controls: ``python -m benchmarks.sizes``.

Kendall's tau says how strictly distances follow the gap. This says how large they are: the median
L2 of pairs of targets in a stretch of gaps, as a share of the median of all pairs whose windows do
not overlap, for each component and block; and the tau of those pairs with their gap, up to 3000
tokens. Chapter 13 reads it. What is measured already is kept, draw by draw.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from coursebuild.course import course_root
from layerlab import (
    context_windows,
    kendall_tau,
    last_token_activations,
    load_article,
    load_model,
    pairwise_minkowski,
    target_positions,
    tokenize,
)
from layerlab.comparison import permute_weights
from layerlab.sweeps import position_distances

N_PAST, TARGET = 255, " coffee"
STRETCHES = {"1 to 50": (1, 50), "256 to 1000": (256, 1000)}
ORDERED = (N_PAST + 1, 3000)  # tokens apart


def sizes(activations: np.ndarray, gaps: np.ndarray) -> dict[str, Any]:
    """Shares and order of one model, (2, n_layers) each; activations (2, n_layers, n, width)."""
    l2 = pairwise_minkowski(activations, 2)  # (2, n_layers, n_pairs)
    apart = np.median(l2[..., gaps > N_PAST], axis=-1)
    found = {
        name: np.median(l2[..., (gaps >= low) & (gaps <= high)], axis=-1) / apart
        for name, (low, high) in STRETCHES.items()
    }
    ordered = (gaps >= ORDERED[0]) & (gaps <= ORDERED[1])
    order = [[kendall_tau(block[ordered], gaps[ordered]).tau for block in part] for part in l2]
    return {name: share.round(4).tolist() for name, share in found.items()} | {
        "order": np.round(order, 4).tolist()
    }


def weights_of(name: str, control: str, seed: int) -> Any:
    """A model with the weights of one of its controls."""
    model, _ = load_model(name, untrained=control == "untrained", seed=seed)
    if control == "permuted":
        permute_weights(model, torch.Generator().manual_seed(seed))
    return model


def measure(name: str, n_draws: int, file: Path) -> None:
    """Measure what a file lacks, and write it after each draw."""
    model, tokenizer = load_model(name)
    token_ids = tokenize(load_article(), tokenizer)
    positions = target_positions(token_ids, tokenizer, TARGET)
    windows = context_windows(token_ids, positions, N_PAST)
    gaps = position_distances(positions[positions >= N_PAST])
    kept = json.loads(file.read_text("utf-8")) if file.exists() else {}
    if kept.get("version") != model.version:
        kept = {"model": name, "version": model.version, "n_targets": len(windows), "draws": {}}
    draws = kept["draws"]
    for seed in range(n_draws):
        for control in ("trained", "permuted", "untrained"):
            done = draws.setdefault(control, [])
            if len(done) > seed or (control == "trained" and done):
                continue
            rows = last_token_activations(weights_of(name, control, seed), windows)
            done.append(sizes(rows, gaps))
            file.write_text(json.dumps(kept) + "\n", "utf-8")
            print(f"{name}: {control}, draw {seed}", flush=True)


def main() -> None:
    """Measure one model and its controls; the file goes where the book reads it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", nargs="?", default="embedded")
    parser.add_argument("--draws", type=int, default=5, help="of each control")
    chosen = parser.parse_args()
    data = course_root() / "book" / "data"
    measure(chosen.model, chosen.draws, data / f"sizes-{chosen.model}.json")


if __name__ == "__main__":
    main()
