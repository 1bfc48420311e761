"""The investigation as a notebook has it that knows no layerlab: ``plain_notebook.py FOLDER OUT``.

Loops over pairs, scikit-learn and SciPy for one pair at a time, everything recorded that the hooks
see, one figure after the other; the untrained model too. It writes what it found and six figures.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np
import torch
from scipy.spatial.distance import minkowski
from scipy.stats import kendalltau
from sklearn.feature_selection import mutual_info_regression
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ARTICLE = Path(__file__).resolve().parents[1] / "code/layerlab/data/articles/turkish_coffee.txt"
PLACES = {  # of what is recorded, in the two kinds of model that are compared
    "gpt2": ("h", "attn.c_proj", "mlp.c_proj"),
    "llama": ("layers", "self_attn.o_proj", "mlp.down_proj"),
}
BLOCK, N_TARGETS, N_CONTEXT, N_SEQUENCES = 3, 10, 9, 100


def bits(x, y):
    return mutual_info_regression(x.reshape(-1, 1), y, random_state=0)[0] / np.log(2)


def recorded(model, ids):
    """All outputs of the last projections in a pass."""
    activations = {}

    def keep(name):
        def hook(module, inputs, output):
            activations[name] = output.detach()

        return hook

    handles = []
    blocks, attention, mlp = PLACES[model.config.model_type]
    for i, block in enumerate(model.base_model.get_submodule(blocks)):
        handles.append(block.get_submodule(attention).register_forward_hook(keep(f"att_{i}")))
        handles.append(block.get_submodule(mlp).register_forward_hook(keep(f"mlp_{i}")))
    with torch.no_grad():
        model(ids)
    for handle in handles:
        handle.remove()
    return activations


def measured(model, ids, places):
    """Summary of the sweep, measures of one block, and information between layers."""
    first = places[:N_TARGETS]
    n_layers = model.config.num_hidden_layers
    activations = recorded(model, torch.tensor([ids[: first[-1] + 1]]))
    summary = np.zeros((2, n_layers, 2, 3))
    for c, component in enumerate(("att", "mlp")):
        for layer in range(n_layers):
            X = activations[f"{component}_{layer}"][0, first].numpy().astype(np.float64)
            measures, apart = [], []
            for i in range(N_TARGETS):
                for j in range(i + 1, N_TARGETS):
                    x, y = X[i], X[j]
                    measures.append([bits(x, y), minkowski(x, y, 1), minkowski(x, y, 2)])
                    apart.append(first[j] - first[i])
            measures = np.array(measures)
            summary[c, layer, 0] = measures.mean(axis=0)
            summary[c, layer, 1] = [kendalltau(column, apart).statistic for column in measures.T]
            if component == "mlp" and layer == BLOCK:
                chosen = measures, np.array(apart)
    windows = [ids[place - N_CONTEXT : place + 1] for place in places if place >= N_CONTEXT]
    activations = recorded(model, torch.tensor(windows[:N_SEQUENCES]))
    layers = np.zeros((n_layers, n_layers, 3))
    for c, component in enumerate(("att", "mlp")):
        norms = [
            np.linalg.norm(activations[f"{component}_{layer}"][:, -1].numpy().astype(float), axis=1)
            for layer in range(n_layers)
        ]
        for i in range(n_layers):
            for j in range(i + 1, n_layers):
                layers[i, j, c] = bits(norms[i], norms[j])
                layers[i, j, 2] = j - i
    return summary, chosen, layers


def histogram_bits(x, y, bins):
    counts = np.histogram2d(x, y, bins)[0]
    p = counts / counts.sum()
    entropies = [-np.sum(q * np.log2(q + 1e-13)) for q in (p.sum(axis=1), p.sum(axis=0), p)]
    return entropies[0] + entropies[1] - entropies[2]


def draw_data(out):
    x = np.random.default_rng(0).uniform(-1, 1, 347)
    y = np.cos(np.pi * x) + 0.3 * np.random.default_rng(1).normal(size=347)
    _, axes = plt.subplots(1, 2, figsize=(7, 3.7))
    axes[0].scatter(x, y)
    counts, xs, ys = np.histogram2d(x, y, 8)
    image = axes[1].imshow(
        counts.T, origin="lower", extent=(xs[0], xs[-1], ys[0], ys[-1]), aspect="auto"
    )
    axes[1].scatter(x, y, s=9, c="w")
    plt.colorbar(image, label="Count")
    finish(out / "part2a.png")
    n_bins = range(4, 25)
    plt.plot(n_bins, [histogram_bits(x, y, n) for n in n_bins], "o-")
    plt.axhline(bits(x, y), ls="--")
    finish(out / "part2b.png")


def draw_models(out, trained, untrained):
    summary, (measures, apart), layers = trained
    _, axes = plt.subplots(1, 2, figsize=(9, 4))
    for i, j in ((0, 1), (0, 2), (1, 2)):
        axes[0].scatter(measures[:, i], measures[:, j])
        axes[1].scatter(
            measures[:, i] / measures[:, i].max(), measures[:, j] / measures[:, j].max()
        )
    finish(out / "part4.png")
    _, axes = plt.subplots(2, 4, figsize=(14, 7))
    upper = np.triu_indices(N_TARGETS, k=1)
    for k, values in enumerate([*measures.T, apart]):
        matrix = np.zeros((N_TARGETS, N_TARGETS))
        matrix[upper] = values
        plt.colorbar(axes[0, k].imshow(matrix), ax=axes[0, k])
        if k < 3:
            axes[1, k].scatter(apart, values)
            axes[1, k].set_title("τ = {:.2f}, p = {:.2g}".format(*kendalltau(values, apart)))
    finish(out / "part5.png")
    _, axes = plt.subplots(2, 2, figsize=(10, 8))
    for c in range(2):
        for statistic in range(2):
            for k in range(3):
                axes[c, statistic].plot(summary[c, :, statistic, k], "o-")
                axes[c, statistic].plot(untrained[0][c, :, statistic, k], ":")
    finish(out / "part6.png")
    _, axes = plt.subplots(2, 3, figsize=(12, 8))
    for k in range(3):
        plt.colorbar(axes[0, k].imshow(layers[:, :, k], cmap="magma"), ax=axes[0, k])
    i, j = np.triu_indices(len(layers), k=1)
    for c in range(2):
        axes[1, c].scatter(layers[i, j, 2], layers[i, j, c])
        axes[1, c].scatter(layers[i, j, 2], untrained[2][i, j, c])
    axes[1, 2].scatter(layers[i, j, 0], layers[i, j, 1])
    finish(out / "part7.png")


def finish(path):
    plt.tight_layout()
    plt.savefig(path, dpi=300)
    plt.close()


def main(folder, out):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    draw_data(out)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = tokenizer(ARTICLE.read_text(encoding="utf-8"))["input_ids"]
    (coffee,) = tokenizer(" coffee")["input_ids"]
    places = [place for place, token in enumerate(ids) if token == coffee]
    trained = measured(model, ids, places)
    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(folder)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    untrained = measured(model, ids, places)
    draw_models(out, trained, untrained)
    np.savez_compressed(
        out / "results.npz",
        summary=trained[0],
        layer_information=trained[2],
        control_summary=untrained[0],
        control_layer_information=untrained[2],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
