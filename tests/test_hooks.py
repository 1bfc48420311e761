"""Recorded activations: the right rows, copies, and no hook left behind."""

import numpy as np
import pytest
import torch
from conftest import save_random_gpt2
from transformers import BertConfig, BertModel, GPT2Model

from layerlab.errors import MeasureError, ModelError, TargetError
from layerlab.hooks import (
    last_token_activations,
    last_token_norms,
    record,
    target_activations,
)

IDS = np.arange(40) * 7 % 1000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_random_gpt2(tmp_path_factory.mktemp("hooks"))


def count_hooks(model) -> int:
    """Hooks on the output projections; transformers keeps hooks of its own on the blocks."""
    projections = (part.c_proj for block in model.base_model.h for part in (block.attn, block.mlp))
    return sum(len(module._forward_hooks) for module in projections)


def run(model, ids=IDS):
    with torch.no_grad():
        return model(torch.as_tensor(ids)[None], output_hidden_states=True)


@pytest.mark.parametrize("name", ["model", "embedded"])
def test_attention_and_mlp_are_what_each_block_adds_to_the_residual_stream(name, request):
    network = request.getfixturevalue(name)
    network = network[0] if isinstance(network, tuple) else network
    with record(network) as activations:
        hidden = run(network).hidden_states  # n_layers + 1, the last one normalised
    n_layers = len(hidden) - 1
    for i in range(n_layers):
        after = hidden[i] + activations[f"att_{i}"] + activations[f"mlp_{i}"]
        expected = hidden[i + 1]
        if i == n_layers - 1:
            after = network.base_model.ln_f(after)
        torch.testing.assert_close(after, expected, rtol=1e-5, atol=1e-5)


def test_names_and_shapes(model):
    with record(model) as activations:
        run(model)
    assert set(activations) == {f"{part}_{i}" for part in ("att", "mlp") for i in range(3)}
    assert all(tensor.shape == (1, 40, 16) for tensor in activations.values())
    assert activations.stack().shape == (2, 3, 40, 16)
    assert activations.stack().dtype == np.float32


def test_stack_keeps_components_and_layers_apart(model):
    with record(model, [5, 9]) as activations:
        run(model)
    stacked = activations.stack()
    for c, part in enumerate(("att", "mlp")):
        for i in range(3):
            np.testing.assert_array_equal(stacked[c, i], activations[f"{part}_{i}"][0])


def test_only_the_rows_asked_for_are_kept(model):
    with record(model) as everything:
        run(model)
    with record(model, positions=[4, 30, -1]) as some:
        run(model)
    for name, rows in some.items():
        assert rows.shape == (1, 3, 16)
        # no view of the whole pass, but of the rows of the 2 outputs of 3 blocks
        assert rows.untyped_storage().nbytes() == 2 * 3 * 3 * 16 * 4
        torch.testing.assert_close(rows, everything[name][:, [4, 30, 39]], rtol=0, atol=0)


@pytest.mark.parametrize("positions", [None, [4, 30]])
def test_a_second_pass_leaves_what_was_recorded_of_the_first(model, positions):
    with record(model, positions) as activations:
        run(model)
        first = activations["mlp_1"]
        before = first.clone()
        run(model, IDS[::-1].copy())
    assert not torch.equal(activations["mlp_1"], before)
    assert torch.equal(first, before)


def test_half_a_second_pass_is_no_pass(model):
    def stop(*_):
        raise InterruptedError

    with record(model) as activations:
        run(model)
        handle = model.base_model.h[1].register_forward_pre_hook(stop)
        with pytest.raises(InterruptedError):
            run(model)
        handle.remove()
        with pytest.raises(ModelError, match="2 of 6 activations are recorded"):
            activations.stack()


@pytest.mark.parametrize("positions", [None, [4, 30]])
def test_recorded_tensors_are_copies(model, positions):
    outputs = []
    handle = model.transformer.h[1].mlp.c_proj.register_forward_hook(
        lambda module, inputs, output: outputs.append(output)
    )
    with record(model, positions) as activations:
        run(model)
    handle.remove()
    before = activations["mlp_1"].clone()
    outputs[0].zero_()
    torch.testing.assert_close(activations["mlp_1"], before, rtol=0, atol=0)


def test_no_gradient_is_kept(model):
    with record(model, [4]) as activations:
        model(torch.as_tensor(IDS)[None])
    assert not any(tensor.requires_grad for tensor in activations.values())


def test_hooks_are_gone_after_use(model):
    with record(model):
        assert count_hooks(model) == 6
    assert count_hooks(model) == 0


def test_hooks_are_gone_when_the_pass_raises(model):
    with pytest.raises(IndexError), record(model):
        run(model, np.arange(65))  # one more than the context holds
    assert count_hooks(model) == 0


def test_hooks_are_gone_when_they_raise_themselves(model):
    message = "position 40 lies outside a sequence of 40"
    with pytest.raises(TargetError, match=message), record(model, [3, 40]):
        run(model)
    assert count_hooks(model) == 0


def test_hooks_are_gone_when_not_all_can_be_set(model, monkeypatch):
    def refuse(hook):
        raise RuntimeError("no hook here")

    monkeypatch.setattr(model.transformer.h[2].attn.c_proj, "register_forward_hook", refuse)
    with pytest.raises(RuntimeError, match="no hook here"), record(model):
        pass
    assert count_hooks(model) == 0


def test_hooks_of_others_stay(model):
    handle = model.transformer.h[0].mlp.c_proj.register_forward_hook(lambda *_: None)
    with record(model):
        run(model)
    assert count_hooks(model) == 1
    handle.remove()


def test_stack_before_the_pass(model):
    with record(model) as activations, pytest.raises(ModelError, match="0 of 6 activations"):
        activations.stack()


def test_works_on_the_model_with_and_without_its_head(model):
    with_head = target_activations(model, IDS, [4, 30])
    assert isinstance(model.base_model, GPT2Model)
    np.testing.assert_array_equal(with_head, target_activations(model.base_model, IDS, [4, 30]))


def test_other_architectures_are_refused():
    shape = {"hidden_size": 8, "num_attention_heads": 1, "intermediate_size": 8}
    bert = BertModel(BertConfig(vocab_size=10, num_hidden_layers=1, **shape))
    with pytest.raises(ModelError, match="BertModel"), record(bert):
        pass


def test_target_activations_are_those_of_the_whole_pass(model):
    with record(model, [4, 17, 30]) as activations:
        run(model)
    found = target_activations(model, IDS, [4, 17, 30])
    assert found.shape == (2, 3, 3, 16)
    np.testing.assert_allclose(found, activations.stack(), rtol=0, atol=1e-6)


def test_the_pass_ends_at_the_last_target_and_below_the_head(model):
    lengths, heads = [], []
    handles = [
        model.transformer.wte.register_forward_hook(lambda m, i, o: lengths.append(i[0].shape)),
        model.lm_head.register_forward_hook(lambda *_: heads.append(1)),
    ]
    target_activations(model, np.arange(500), [4, 17, 30])  # the text may be longer than a window
    for handle in handles:
        handle.remove()
    assert lengths == [(1, 31)]
    assert heads == []


@pytest.mark.parametrize("positions", [[4, 64], [4, 200]])
def test_targets_beyond_the_context_are_refused(model, positions):
    with pytest.raises(TargetError, match="context window holds 64"):
        target_activations(model, np.arange(300), positions)


@pytest.mark.parametrize("positions", [[-1, 4], [4, 40]])
def test_targets_outside_the_text_are_refused(model, positions):
    with pytest.raises(TargetError, match="do not all lie in a text of 40 tokens"):
        target_activations(model, IDS, positions)


def test_last_token_activations(model):
    windows = IDS.reshape(4, 10)
    found = last_token_activations(model, windows)
    assert found.shape == (2, 3, 4, 16)
    for k, window in enumerate(windows):  # each window knows nothing of the others
        alone = target_activations(model, window, [9])[:, :, 0]
        np.testing.assert_allclose(found[:, :, k], alone, rtol=0, atol=1e-6)


def test_windows_that_memory_cannot_hold_at_once_run_in_turn(model, monkeypatch):
    windows = np.arange(70).reshape(7, 10)
    whole = last_token_activations(model, windows)
    lengths = []
    handle = model.base_model.h[0].register_forward_pre_hook(
        lambda _, inputs: lengths.append(inputs[0].shape[0])
    )
    try:
        monkeypatch.setattr("layerlab.hooks.PASS_BYTES", 3 * 10 * (16 * 16 + 2 * 10) * 4)
        in_turn = last_token_activations(model, windows)
        norms = last_token_norms(model, windows)
        monkeypatch.setattr("layerlab.hooks.PASS_BYTES", 1)
        one_by_one = last_token_activations(model, windows)
    finally:
        handle.remove()
    assert lengths == [3, 3, 1] * 2 + [1] * 7
    assert np.array_equal(norms, np.linalg.norm(in_turn.astype(np.float64), axis=-1))
    np.testing.assert_allclose(in_turn, whole, rtol=0, atol=1e-6)
    np.testing.assert_allclose(one_by_one, whole, rtol=0, atol=1e-6)


def test_windows_beyond_the_context_are_refused(model):
    with pytest.raises(TargetError, match="65 tokens are needed"):
        last_token_activations(model, np.zeros((2, 65), dtype=int))
    with pytest.raises(TargetError, match=r"shape \(0, 10\)"):
        last_token_activations(model, np.zeros((0, 10), dtype=int))


def test_targets_may_come_in_any_order(model):
    ids = np.arange(20)
    rising = target_activations(model, ids, [3, 7, 11])
    turned = target_activations(model, ids, np.array([3, 7, 11])[::-1])  # negative strides
    np.testing.assert_array_equal(turned, rising[:, :, ::-1])


@pytest.mark.parametrize("token", [-1, 10**6])
def test_a_token_that_the_model_does_not_know_is_named(model, token):
    with pytest.raises(TargetError, match=f"the text holds the token {token}, and the model knows"):
        target_activations(model, [1, 2, token, 3], [3])
    with pytest.raises(TargetError, match=f"the text holds the token {token}, and the model knows"):
        last_token_activations(model, [[1, token]])


def test_half_a_position_is_refused(model):
    with pytest.raises(MeasureError, match="positions holds 1.5"):
        target_activations(model, [1, 2, 3], [1.5])
    with pytest.raises(MeasureError, match="positions holds 0.5"), record(model, [0.5]):
        pass
    with pytest.raises(MeasureError, match="windows holds 2.5"):
        last_token_activations(model, [[1, 2.5]])


@pytest.mark.parametrize(
    ("ids", "positions"), [([[1, 2, 3]], [1]), ([1, 2, 3], [[1]]), ([1, 2, 3], [])]
)
def test_one_text_and_one_list_of_places(model, ids, positions):
    with pytest.raises(TargetError, match="give a list of one or more places, in one text"):
        target_activations(model, ids, positions)
