"""The graph that the laboratory runs computes what the model does, switches included."""

import shutil

import numpy as np
import onnxruntime
import pytest
import torch

from coursebuild.export import WEIGHTS, export
from layerlab import ablate, load_article, load_model, record, tokenize
from layerlab.heads import head_activations
from layerlab.places import EMBEDDED

CLOSE = 1e-4
N_TOKENS = 150


@pytest.fixture(scope="module")
def model():
    return load_model()[0]


@pytest.fixture(scope="module")
def token_ids():
    _, tokenizer = load_model()
    return tokenize(load_article(), tokenizer)[:N_TOKENS]


@pytest.fixture(scope="module")
def run(tmp_path_factory, token_ids):
    """A function that runs the graph, everything switched on unless said otherwise."""
    folder = tmp_path_factory.mktemp("graph")
    shutil.copy(EMBEDDED / WEIGHTS, folder)
    (folder / "graph.onnx").write_bytes(export(EMBEDDED))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        folder / "graph.onnx", options, providers=["CPUExecutionProvider"]
    )

    def run(ids=token_ids, **switches):
        feeds = {
            "token_ids": ids[None],
            "rows": np.arange(len(ids)),
            "asked": np.arange(len(ids)),
            "where": np.ones(len(ids)),
            "gain": np.ones((2, 12)),
            "instead": np.zeros((2, 12, 192)),
            "head_gain": np.ones((12, 4)),
            "head_instead": np.zeros((12, 4, 48)),
            **switches,
        }
        typed = {name: v.astype("f4") if v.dtype.kind == "f" else v for name, v in feeds.items()}
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, typed), strict=True))

    return run


def expected(model, ids, **output):
    with record(model) as activations, torch.no_grad():
        found = model(torch.as_tensor(ids[None]), **output)
    return activations.stack(), found


def test_the_graph_holds_no_weights_itself():
    assert len(export(EMBEDDED)) < 0.01 * (EMBEDDED / WEIGHTS).stat().st_size


def test_components_and_predictions_are_those_of_the_model(model, token_ids, run):
    found, (components, output) = run(), expected(model, token_ids)
    np.testing.assert_allclose(found["components"], components, atol=CLOSE)
    np.testing.assert_allclose(found["logits"], output.logits[0], atol=CLOSE)


def test_only_what_is_asked_for_comes_back(token_ids, run):
    everything, found = run(), run(rows=np.array([7, 3]), asked=np.array([5]))
    np.testing.assert_allclose(found["components"], everything["components"][:, :, [7, 3]])
    np.testing.assert_allclose(found["logits"], everything["logits"][[5]], rtol=0, atol=CLOSE)
    assert found["attention"].shape == (12, 4, 1, len(token_ids))


def test_attention_is_the_models(token_ids, run):
    eager, _ = load_model()
    eager.set_attn_implementation("eager")
    _, output = expected(eager, token_ids, output_attentions=True)
    wanted = torch.stack(output.attentions)[:, 0]  # (n_layers, n_heads, n_tokens, n_tokens)
    np.testing.assert_allclose(run()["attention"], wanted, atol=CLOSE)


def test_heads_times_their_part_of_the_projection_are_what_heads_add(model, token_ids, run):
    added = head_activations(model, token_ids[None])[:, :, 0]  # (n_layers, n_heads, width)
    for block in range(12):
        weight = model.transformer.h[block].attn.c_proj.weight.detach().numpy().reshape(4, 48, 192)
        found = np.einsum("hd,hdw->hw", run()["heads"][block, :, -1], weight)
        np.testing.assert_allclose(found, added[block], atol=CLOSE)


def switches(component=None, block=0, head=None, value=None):
    """Gains and replacements with one of them switched."""
    gain, instead = np.ones((2, 12)), np.zeros((2, 12, 192))
    head_gain, head_instead = np.ones((12, 4)), np.zeros((12, 4, 48))
    if head is None:
        gain[component, block] = 0
        instead[component, block] = 0 if value is None else value
    else:
        head_gain[block, head] = 0
        head_instead[block, head] = 0 if value is None else value
    return {
        "gain": gain,
        "instead": instead,
        "head_gain": head_gain,
        "head_instead": head_instead,
    }


@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize(("component", "name"), [(0, "att_3"), (1, "mlp_7")])
@pytest.mark.parametrize("to_mean", [False, True])
def test_switching_a_component_is_ablating_it(
    model, token_ids, run, component, name, to_mean, last_only
):
    block = int(name[-1])
    value = run()["components"][component, block].mean(axis=0) if to_mean else np.zeros(192)
    where = np.zeros(N_TOKENS) if last_only else np.ones(N_TOKENS)
    where[-1] = 1
    found = run(where=where, **switches(component, block, value=value))
    with ablate(model, name, value, last_only=last_only), torch.no_grad():
        wanted = model(torch.as_tensor(token_ids[None])).logits[0]
    np.testing.assert_allclose(found["logits"], wanted, atol=CLOSE)
    assert np.abs(found["logits"] - run()["logits"])[-1].max() > 10 * CLOSE


@pytest.mark.parametrize("to_mean", [False, True])
def test_switching_a_head_is_ablating_it(model, token_ids, run, to_mean):
    block, head = 3, 2
    values = run()["heads"][block, head].mean(axis=0) if to_mean else np.zeros(48)
    weight = model.transformer.h[block].attn.c_proj.weight.detach().numpy().reshape(4, 48, 192)
    found = run(**switches(block=block, head=head, value=values))
    with ablate(model, "att_3", values @ weight[head], head=head), torch.no_grad():
        wanted = model(torch.as_tensor(token_ids[None])).logits[0]
    np.testing.assert_allclose(found["logits"], wanted, atol=CLOSE)
    assert np.abs(found["logits"] - run()["logits"]).max() > 10 * CLOSE
