"""A model that others trained: the whole run on SmolLM2, against plain loops over hooks."""

import itertools
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.feature_selection import mutual_info_regression

from layerlab.__main__ import main
from layerlab.articles import load_article

ROOT = Path(__file__).resolve().parents[1]
STORED = ROOT / "book" / "data" / "smollm2.npz"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PACKAGES = re.search(r"^SMOLLM2 := (.*)$", MAKEFILE, re.MULTILINE).group(1).split()
N_TARGETS, N_CONTEXT, N_SEQUENCES = 10, 9, 100

pytestmark = pytest.mark.check


@pytest.fixture(scope="module")
def smollm2():
    """The model and its tokenizer, or a skip where what `make check` installs is not there."""
    from layerlab.models import load_model

    for package in PACKAGES:
        try:
            distribution(package)
        except PackageNotFoundError:
            pytest.skip(f"{package} is not installed: make check installs it")
    return load_model("smollm2")


@pytest.fixture(scope="module")
def found(smollm2, tmp_path_factory):
    """What the command finds, control included."""
    out = tmp_path_factory.mktemp("smollm2") / "run"
    assert main(["--model", "smollm2", "--out", str(out)]) == 0
    with np.load(out / "results.npz") as results:
        return dict(results)


@pytest.fixture(scope="module")
def ids(smollm2):
    return smollm2[1](load_article(), add_special_tokens=False)["input_ids"]


@pytest.fixture(scope="module")
def places(smollm2, ids):
    (coffee,) = smollm2[1](" coffee", add_special_tokens=False)["input_ids"]
    return [place for place, token in enumerate(ids) if token == coffee]


def hooked(model, sequences):
    """Output of every attention's and MLP's last projection: two lists of (n, length, width)."""
    import torch

    kept = [[], []]
    blocks = model.model.layers
    hooks = [
        module.register_forward_hook(lambda *call, c=c: kept[c].append(call[2].numpy().copy()))
        for block in blocks
        for c, module in enumerate((block.self_attn.o_proj, block.mlp.down_proj))
    ]
    with torch.no_grad():
        model(torch.tensor(sequences))
    for hook in hooks:
        hook.remove()
    assert [len(part) for part in kept] == [len(blocks)] * 2
    return kept


def bits(x, y):
    return mutual_info_regression(x[:, None], y, random_state=0)[0] / np.log(2)


def test_the_sweep_is_that_of_plain_loops(smollm2, ids, places, found):
    first = places[:N_TARGETS]
    pairs = list(itertools.combinations(range(N_TARGETS), 2))
    apart = [first[j] - first[i] for i, j in pairs]
    for c, part in enumerate(hooked(smollm2[0], [ids[: first[-1] + 1]])):
        for layer, output in enumerate(part):
            vectors = output[0, first].astype(np.float64)  # (n, width)
            distances = np.array(
                [
                    [
                        bits(vectors[i], vectors[j]),
                        np.abs(vectors[i] - vectors[j]).sum(),
                        np.sqrt(((vectors[i] - vectors[j]) ** 2).sum()),
                    ]
                    for i, j in pairs
                ]
            )  # (n_pairs, 3)
            means, taus = found["summary"][c, layer]
            np.testing.assert_allclose(means, distances.mean(axis=0), rtol=1e-3)
            expected = [kendalltau(column, apart).statistic for column in distances.T]
            np.testing.assert_allclose(taus, expected, rtol=0, atol=0.01)


def test_the_layers_are_those_of_plain_loops(smollm2, ids, places, found):
    windows = [ids[place - N_CONTEXT : place + 1] for place in places if place >= N_CONTEXT]
    for c, part in enumerate(hooked(smollm2[0], windows[:N_SEQUENCES])):
        norms = [np.linalg.norm(output[:, -1].astype(np.float64), axis=-1) for output in part]
        for i, j in itertools.combinations(range(len(norms)), 2):
            expected = bits(norms[i], norms[j])
            assert found["layer_information"][i, j, c] == pytest.approx(expected, abs=0.01)


def test_the_stored_sweep_is_what_the_command_finds(found):
    with np.load(STORED) as stored:
        assert set(stored) == set(found)
        for name in ("token_ids", "target_positions", "position_distances"):
            np.testing.assert_array_equal(stored[name], found[name])
        for name in ("summary", "control_summary"):
            np.testing.assert_allclose(stored[name][:, :, 0], found[name][:, :, 0], rtol=1e-3)
            np.testing.assert_allclose(stored[name][:, :, 1], found[name][:, :, 1], atol=0.02)


def test_the_stored_past_of_one_length_is_what_the_command_finds(smollm2):
    from layerlab.comparison import compare
    from layerlab.options import Options

    found = compare(Options(model="smollm2", design="fixed-past"))
    with np.load(STORED.with_name("fixed-past-smollm2.npz")) as stored:
        assert stored["compared_model"].tolist() == ["smollm2", found.model_version]
        np.testing.assert_array_equal(stored["compared_positions"], found.positions)
        np.testing.assert_allclose(stored["compared_tau"], found.tau, atol=0.01)
        np.testing.assert_allclose(stored["compared_far"], found.far, atol=0.01)
