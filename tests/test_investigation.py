"""The whole investigation, against an independent computation in plain loops."""

import gc
import itertools
import shutil
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
from conftest import save_random_gpt2
from scipy.spatial.distance import minkowski
from scipy.stats import kendalltau
from sklearn.feature_selection import mutual_info_regression

from layerlab import investigation as module
from layerlab.articles import load_article
from layerlab.errors import ArticleError, LayerlabError, ModelError, TargetError
from layerlab.investigation import investigate
from layerlab.models import load_model
from layerlab.options import Options

NAMES = [
    "token_ids",
    "target_positions",
    "distances",
    "position_distances",
    "tau",
    "summary",
    "layer_information",
    "model",
    "article",
]
N_LAYERS, WIDTH = 12, 192
PAIRS = list(itertools.combinations(range(10), 2))


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def bits(x, y):
    x, y = np.float64(x), np.float64(y)
    return mutual_info_regression(x[:, None], y, random_state=0).item() / np.log(2)


def independent_pass(model, ids):
    """Attention and MLP outputs of all blocks and tokens, (2, n_layers, n_sequences, n, width)."""
    kept, handles = {}, []
    for i, block in enumerate(model.transformer.h):
        for c, layer in enumerate((block.attn, block.mlp)):
            handles.append(
                layer.register_forward_hook(  # one level above the projections
                    lambda m, _, out, key=(c, i): kept.update(
                        {key: (out[0] if isinstance(out, tuple) else out).numpy().copy()}
                    )
                )
            )
    with torch.no_grad():
        model(torch.as_tensor(ids))
    for handle in handles:
        handle.remove()
    return np.array([[kept[c, i] for i in range(N_LAYERS)] for c in range(2)])


@pytest.fixture(scope="module", params=["trained", "untrained"])
def run(request, investigation):
    """A result, its model and its tokens."""
    untrained = request.param == "untrained"
    model, tokenizer = load_model(untrained=untrained)
    ids = tokenizer(load_article(), verbose=False)["input_ids"]
    return (investigation.control if untrained else investigation), model, ids, tokenizer


@pytest.fixture(scope="module")
def activations(run):
    result, model, ids, _ = run
    window = [ids[:1024]]  # the whole window, where `investigate` stops at the last target
    return independent_pass(model, window)[:, :, 0, result.first_positions]


def test_tokens_and_targets(run):
    result, _, ids, tokenizer = run
    assert result.token_ids.tolist() == ids
    assert (result.n_tokens, result.n_unique) == (len(ids), len(set(ids)))
    (coffee,) = tokenizer(" coffee")["input_ids"]
    positions = [i for i, token in enumerate(ids) if token == coffee]
    assert result.target_positions.tolist() == positions
    assert result.first_positions.tolist() == [i for i in positions if i < 1024][:10]


def test_part_4_and_5_against_plain_loops(run, activations):
    result, *_ = run
    where = result.first_positions
    columns = {"mi": [], "l1": [], "l2": []}
    arrays = result.arrays()
    for i, j in PAIRS:
        x, y = np.float64(activations[1, 3, i]), np.float64(activations[1, 3, j])
        columns["mi"].append(arrays["distances"][i, j, 0])
        columns["l1"].append(minkowski(x, y, 1))
        columns["l2"].append(minkowski(x, y, 2))
        close(arrays["distances"][i, j, 1:], [columns["l1"][-1], columns["l2"][-1]])
        assert arrays["position_distances"][i, j] == where[j] - where[i]
        assert not arrays["distances"][j, i].any()
        assert arrays["position_distances"][j, i] == 0
    apart = [where[j] - where[i] for i, j in PAIRS]
    for k, values in enumerate(columns.values()):
        expected = kendalltau(values, apart)
        close(result.tau[k], [expected.statistic, expected.pvalue])


def test_mutual_information_is_scikit_learns(run):
    """On the very activations that were measured, every pair of three layers."""
    result, model, ids, _ = run
    last = result.first_positions[-1]
    same = independent_pass(model, [ids[: last + 1]])[:, :, 0, result.first_positions]
    for component, layer in [(1, 3), (0, 0), (1, N_LAYERS - 1)]:
        expected = [bits(*same[component, layer, [i, j]]) for i, j in PAIRS]
        close(result.measures[component, layer, :, 0], expected)
    close(result.distances, result.measures[1, 3])


def test_part_6_against_plain_loops(run, activations):
    result, *_ = run
    where = result.first_positions
    apart = [where[j] - where[i] for i, j in PAIRS]
    for component, layer in itertools.product(range(2), range(N_LAYERS)):
        vectors = np.float64(activations[component, layer])
        for k, order in [(1, 1), (2, 2)]:
            expected = [minkowski(vectors[i], vectors[j], order) for i, j in PAIRS]
            close(result.measures[component, layer, :, k], expected)
        for k in range(3):
            values = result.measures[component, layer, :, k]
            expected = [np.mean(values), kendalltau(values, apart).statistic]
            close(result.summary[component, layer, :, k], expected)


def test_part_7_against_plain_loops(run):
    result, model, ids, _ = run
    ends = [i for i in result.target_positions if i >= 9][:100]
    assert result.n_sequences == len(ends)
    outputs = independent_pass(model, [ids[i - 9 : i + 1] for i in ends])[:, :, :, -1]
    norms = np.sqrt((np.float64(outputs) ** 2).sum(axis=-1))  # (2, n_layers, n_sequences)
    matrix = result.arrays()["layer_information"]
    for pair, (i, j) in enumerate(itertools.combinations(range(N_LAYERS), 2)):
        expected = [bits(norms[c, i], norms[c, j]) for c in range(2)]
        close(result.layer_information[:, pair], expected)
        close(matrix[i, j], [*expected, j - i])
        assert not matrix[j, i].any()


def test_arrays_have_the_promised_names_and_shapes(investigation):
    arrays = investigation.arrays()
    assert list(arrays) == NAMES + [f"control_{name}" for name in NAMES]
    shapes = {
        "token_ids": (investigation.n_tokens,),
        "target_positions": (len(investigation.target_positions),),
        "distances": (10, 10, 3),
        "position_distances": (10, 10),
        "tau": (3, 2),
        "summary": (2, N_LAYERS, 2, 3),
        "layer_information": (N_LAYERS, N_LAYERS, 3),
    }
    for name, shape in shapes.items():
        assert arrays[name].shape == arrays[f"control_{name}"].shape == shape
        assert np.isfinite(arrays[name]).all()
        assert np.isfinite(arrays[f"control_{name}"]).all()


def test_fields_tell_what_was_run(investigation):
    result = investigation
    assert result.options == result.control.options == Options()
    assert (result.options.model, result.options.article) == ("embedded", "embedded")
    assert (result.options.target, result.options.block, result.options.seed) == (" coffee", 3, 0)
    assert (result.n_layers, result.width) == (N_LAYERS, WIDTH)
    assert result.measures.shape == (2, N_LAYERS, 45, 3)
    assert result.n_sequences == 100
    assert result.control.control is None


def test_control_shares_the_text_and_nothing_learned(investigation):
    control = investigation.control
    np.testing.assert_array_equal(control.token_ids, investigation.token_ids)
    np.testing.assert_array_equal(control.first_positions, investigation.first_positions)
    assert not np.allclose(control.measures, investigation.measures, rtol=0.1)


# ---- on a small random model, where a run takes a moment ---------------------------------------


@pytest.fixture
def article(tmp_path):
    path = tmp_path / "article.txt"
    sentence = "The coffee is hot, the morning is cold, and the coffee of the house is black. "
    path.write_text(sentence * 20, encoding="utf-8")
    return str(path)


@pytest.fixture
def quick(tiny_checkpoint, article):
    def run(progress=None, **options):
        options = {"model": str(tiny_checkpoint), "article": article, "block": 1} | options
        return investigate(Options(**options), progress=progress)

    return run


def test_real_tokenizer_and_options(quick):
    result = quick(n_targets=4, n_sequences=20, n_context=5, n_neighbors=2, control=False)
    assert result.control is None
    assert list(result.arrays()) == NAMES
    assert result.token_ids[result.target_positions].tolist() == [6891] * 40
    assert result.distances.shape == (6, 3)
    assert result.n_sequences == 20
    assert result.first_positions.max() < 64


def test_the_origin_of_the_article_is_kept(quick):
    result = quick()
    assert result.article.text
    facts = dict(result.arrays()["article"].tolist())
    assert facts == result.article.facts
    assert facts["source"] == str(result.options.article)


def test_the_version_of_the_model_is_kept(quick):
    result = quick()
    version = load_model(result.options.model)[0].version
    assert result.arrays()["model"].tolist() == [result.options.model, version]
    assert result.arrays()["control_model"].tolist() == [result.options.model, "drawn with seed 0"]
    assert version.startswith("sha256 ")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_of_the_memory_gives_nearly_the_same_numbers(dtype, quick):
    whole, half = quick(control=False), quick(control=False, dtype=dtype)
    np.testing.assert_allclose(half.measures[..., 1:], whole.measures[..., 1:], rtol=0.1)
    assert half.measures.dtype == np.float64
    assert not np.array_equal(half.measures, whole.measures)


def test_a_family_by_hand(quick):
    paths = {"blocks": "h", "attention": "attn.c_proj", "mlp": "mlp.c_proj"}
    np.testing.assert_array_equal(quick(**paths).summary, quick().summary)
    swapped = quick(**paths | {"attention": "mlp.c_proj", "mlp": "attn.c_proj"})
    np.testing.assert_array_equal(swapped.summary[0], quick().summary[1])
    with pytest.raises(ModelError, match=r"no 'x\.y' in its GPT2Model .*begins with wte, wpe, "):
        quick(**paths | {"blocks": "x.y"})


def test_a_model_of_one_block(quick, tiny_checkpoint, tmp_path):
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "one")
    save_random_gpt2(folder, n_layer=1)
    with pytest.raises(ModelError, match="has 1 block, and part 7 compares blocks with each other"):
        quick(model=str(folder), block=0)


def test_a_model_that_overflows_is_named(quick, tiny_checkpoint, tmp_path):
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "large")
    model = save_random_gpt2(folder)
    with torch.no_grad():
        model.transformer.h[1].mlp.c_fc.bias.fill_(10)
        model.transformer.h[1].mlp.c_proj.weight.fill_(6e4)
    model.save_pretrained(folder)
    quick(model=str(folder), control=False)
    with pytest.raises(ModelError, match="mlp_1 of the GPT2LMHeadModel .* in torch.float16"):
        quick(model=str(folder), dtype="float16")


def test_same_seed_same_numbers(quick):
    first, again, other = quick(seed=1), quick(seed=1), quick(seed=2)
    for name, array in first.arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name])
    assert not np.allclose(first.control.measures, other.control.measures)


def test_targets_beyond_the_context_are_left_out(quick):
    result = quick(n_targets=1000, control=False)
    assert result.first_positions.tolist() == [i for i in result.target_positions if i < 64]


def test_two_targets_make_one_pair_and_no_tau(quick):
    result = quick(n_targets=2, control=False)
    assert result.distances.shape == (1, 3)
    assert result.distances[0, 1] > 0
    assert np.isnan(result.tau).all()
    assert np.isnan(result.summary[:, :, 1]).all()


def test_progress_counts_every_stage(quick):
    calls = []
    quick(progress=lambda *call: calls.append(call))
    stages, done, totals = zip(*calls, strict=True)
    assert list(done) == list(range(len(calls)))
    assert set(totals) == {len(calls) - 1}
    assert stages[0] == "load the article"
    assert stages[-1] == "done"
    assert stages[-3:-1] == ("measure", "measure, untrained")  # no model is held any more


@pytest.mark.check
def test_what_only_measures_or_draws_is_not_in_memory_beside_a_model():
    program = """if True:
        import sys
        from layerlab.investigation import Options, investigate
        loaded = {}
        def look(stage, *_):
            loaded[stage] = {"numba", "scipy.stats", "matplotlib"} & set(sys.modules)
        investigate(Options(n_targets=4, n_sequences=20), progress=look)
        print(loaded["run the windows, untrained"], "numba" in loaded["done"])"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set() True\n", done.stderr


def test_one_model_in_memory_at_a_time(quick, monkeypatch):
    alive = []

    def load(*args, **options):
        gc.collect()
        assert not [model for model in alive if model() is not None]
        model, tokenizer = load_model(*args, **options)
        alive.append(weakref.ref(model))
        return model, tokenizer

    monkeypatch.setattr(module, "load_model", load)
    quick()
    assert len(alive) == 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"block": 3}, ModelError, "block 3 does not exist: the model has 3 blocks, 0 to 2"),
        ({"block": -1}, LayerlabError, "block = -1 is not a whole number from 0 to"),
        ({"n_neighbors": 2.0}, LayerlabError, "n_neighbors = 2.0 is not a whole number from 1 to"),
        ({"n_context": True}, LayerlabError, "n_context = True is not a whole number from 1 to"),
        ({"seed": 2**32}, LayerlabError, "seed = 4294967296 is not a whole number from 0 to"),
        ({"target": "coffee"}, TargetError, "' coffee'"),
        ({"target": " tea"}, TargetError, "never occurs"),
        ({"n_sequences": 4, "n_neighbors": 4}, TargetError, "4 targets have 9 tokens before them"),
        ({"n_context": 64}, TargetError, "65 tokens are needed"),
        ({"n_targets": 1}, LayerlabError, "n_targets = 1 is not a whole number from 2 to"),
        ({"control": "no"}, LayerlabError, "control = 'no' should be True or False"),
        ({"target": None}, LayerlabError, "target = None should be text"),
        ({"article": "no such file"}, ArticleError, "cannot read"),
        ({"model": "no such/mo/del"}, ModelError, "neither a folder"),
    ],
)
def test_errors(quick, options, error, message):
    with pytest.raises(error, match=message):
        quick(**options)


@pytest.mark.parametrize("options", [5, {"n_targets": 4}, Options])
def test_options_that_are_none(options):
    with pytest.raises(LayerlabError, match=r"give it as layerlab.Options\(...\)"):
        investigate(options)
