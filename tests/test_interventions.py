"""Heads that add up, and what is replaced: against plain hooks, in every family."""

from itertools import product

import numpy as np
import pytest
import torch
from conftest import save_random_gpt2
from test_families import IDS, KINDS, N_LAYERS, WIDTH, make
from transformers import (
    FalconConfig,
    FalconForCausalLM,
    GPT2Config,
    GPT2ForTokenClassification,
    GPT2LMHeadModel,
)

from layerlab.errors import MeasureError, ModelError, TargetError
from layerlab.families import find_blocks, find_outputs
from layerlab.heads import find_projection, head_activations
from layerlab.hooks import last_token_activations, record
from layerlab.interventions import ablate, prediction_changes, random_steps

NORM_BEHIND = ("gemma2", "gemma3_text", "olmo2")
SPLIT = [(kind, shape) for kind, shape in KINDS if kind not in NORM_BEHIND]
NAMES = [f"{component}_{block}" for component in ("att", "mlp") for block in range(N_LAYERS)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_random_gpt2(tmp_path_factory.mktemp("interventions"))


def log_probabilities(model, ids=IDS):
    with torch.no_grad():
        return model(ids).logits[:, -1].double().log_softmax(-1)


def n_hooks(model):
    modules = find_outputs(model).values()
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in modules)


@pytest.mark.parametrize(("kind", "shape"), SPLIT)
def test_heads_add_up_to_their_attention(kind, shape):
    model = make(kind, shape)
    heads = head_activations(model, IDS.numpy())  # (n_layers, n_heads, n, width)
    assert heads.shape == (N_LAYERS, 4, 2, WIDTH)
    whole = last_token_activations(model, IDS.numpy())[0]
    for block in range(N_LAYERS):
        bias = find_projection(model, block).bias
        own = 0 if bias is None else bias.detach().numpy()
        np.testing.assert_allclose(heads[block].sum(axis=0) + own, whole[block], atol=1e-5)


@pytest.mark.parametrize("kind", NORM_BEHIND)
def test_behind_a_norm_there_are_no_heads(kind):
    (shape,) = [shape for name, shape in KINDS if name == kind]
    model = make(kind, shape)
    with pytest.raises(ModelError, match="no sum of heads"):
        head_activations(model, IDS.numpy())
    with pytest.raises(ModelError, match="no sum of heads"), ablate(model, "att_0", head=1):
        pass
    with ablate(model, "att_0"):  # the whole can be
        log_probabilities(model)


@pytest.mark.parametrize(("kind", "shape"), KINDS)
def test_what_is_recorded_becomes_what_is_said(kind, shape):
    """In every family, and what comes before stays as it was."""
    model = make(kind, shape)
    value = np.linspace(-1, 1, WIDTH)
    with record(model) as before:
        log_probabilities(model)
    for name in NAMES:
        # hooks run in the order that they were registered in: this one sees what was made
        with ablate(model, name, value, last_only=True), record(model) as after:
            log_probabilities(model)
        np.testing.assert_allclose(after[name][:, -1], np.tile(value, (2, 1)), atol=1e-6)
        torch.testing.assert_close(after[name][:, :-1], before[name][:, :-1])
        torch.testing.assert_close(after["att_0"][:, 0], before["att_0"][:, 0])
    assert n_hooks(model) == 0


@pytest.mark.parametrize(("kind", "shape"), KINDS)
def test_one_token_after_the_past_is_as_good_as_the_whole_pass(kind, shape):
    model = make(kind, shape)
    windows, next_ids = IDS.numpy(), np.array([5, 9])
    others = last_token_activations(model, windows)[1, 1, ::-1]  # each gets the other's
    changes = [
        {"component": "att_0"},
        {"component": "mlp_1", "value": others},
    ]
    if kind not in NORM_BEHIND:
        changes.append({"component": "att_2", "head": 1, "value": np.full(WIDTH, 0.1)})
    found = prediction_changes(model, windows, next_ids, changes)
    before = log_probabilities(model)
    for i, change in enumerate(changes):
        spread = np.asarray(change.get("value", 0.0))
        spread = spread[:, None] if spread.ndim == 2 else spread
        with ablate(model, **change | {"value": spread, "last_only": True}):
            after = log_probabilities(model)
        bits = (before.exp() * (before - after)).sum(-1) / np.log(2)
        np.testing.assert_allclose(found.divergence[i], bits, atol=1e-5)
        lost = [(before - after)[row, token] / np.log(2) for row, token in enumerate(next_ids)]
        np.testing.assert_allclose(found.surprise[i], lost, atol=1e-4)
    assert n_hooks(model) == 0


def test_a_plain_hook_does_the_same(model):
    with ablate(model, "mlp_1"):
        ours = log_probabilities(model)
    projection = model.base_model.h[1].mlp.c_proj
    handle = projection.register_forward_hook(lambda _, __, output: torch.zeros_like(output))
    theirs = log_probabilities(model)
    handle.remove()
    torch.testing.assert_close(ours, theirs)
    assert not torch.allclose(ours, log_probabilities(model))


def test_several_at_once_are_what_plain_hooks_make_of_them(model):
    windows = IDS.numpy()
    others = last_token_activations(model, windows)[1, 1, ::-1].copy()
    both = [{"component": "mlp_0"}, {"component": "mlp_1", "value": others}]
    one, joint = prediction_changes(model, windows, [5, 9], [both[0], both]).divergence
    before = log_probabilities(model)

    def at_the_end(value):
        def hook(module, inputs, output):
            output = output.clone()
            output[:, -1] = value
            return output

        return hook

    handles = [
        model.base_model.h[block].mlp.c_proj.register_forward_hook(at_the_end(value))
        for block, value in enumerate((torch.zeros(()), torch.as_tensor(others)))
    ]
    after = log_probabilities(model)
    for handle in handles:
        handle.remove()
    bits = (before.exp() * (before - after)).sum(-1) / np.log(2)
    np.testing.assert_allclose(joint, bits, atol=1e-5)
    assert not np.allclose(joint, one, atol=1e-5)


def test_all_heads_taken_off_leave_the_bias(model):
    bias = find_projection(model, 1).bias.detach().numpy()
    with ablate(model, "att_1", head=0), ablate(model, "att_1", head=1), record(model) as left:
        log_probabilities(model)
    np.testing.assert_allclose(left["att_1"], np.broadcast_to(bias, left["att_1"].shape), atol=1e-6)


def test_its_own_value_changes_nothing(model):
    windows = IDS.numpy()
    own, heads = last_token_activations(model, windows), head_activations(model, windows)
    changes = [
        {"component": f"{part}_{i}", "value": own[c, i]}
        for (c, part), i in product(enumerate(("att", "mlp")), range(3))
    ]
    changes += [
        {"component": f"att_{i}", "head": h, "value": heads[i, h]}
        for i, h in product(range(3), range(2))
    ]
    found = prediction_changes(model, windows, [1, 2], changes)
    np.testing.assert_allclose(found.divergence, 0, atol=1e-6)


def test_random_steps_are_as_long_as_the_way_to_the_goal_and_lead_elsewhere():
    rng = np.random.default_rng(1)
    rows, goal = rng.standard_normal((40, 64)), rng.standard_normal(64)
    moved = random_steps(rows, goal)
    lengths = np.linalg.norm(goal - rows, axis=1)
    np.testing.assert_allclose(np.linalg.norm(moved - rows, axis=1), lengths)
    cosines = ((moved - rows) * (goal - rows)).sum(axis=1) / lengths**2
    assert abs(cosines.mean()) < 0.1 and np.abs(cosines).max() < 0.6
    assert np.array_equal(moved, random_steps(rows, np.tile(goal, (40, 1))))
    assert not np.allclose(moved, random_steps(rows, goal, seed=1))
    far = random_steps(rows * 1e-300, goal * 1e-300)
    np.testing.assert_allclose(far * 1e300, moved)  # no square is lost
    for wrong in (goal[:5], rows[:3]):
        with pytest.raises(MeasureError, match="give .n, width."):
            random_steps(rows, wrong)
    with pytest.raises(MeasureError, match="not empty"):
        random_steps(rows[:, :0], goal[:0])
    with pytest.raises(MeasureError, match=r"goal - rows.0, 0. is inf"):
        random_steps([[-1e308]], [1e308])


def test_an_error_inside_leaves_no_hook(model):
    with pytest.raises(RuntimeError, match="mine"), ablate(model, "att_1", head=0):
        raise RuntimeError("mine")
    with pytest.raises(ModelError, match="does not fit"), ablate(model, "att_1", np.zeros(5)):
        log_probabilities(model)
    assert n_hooks(model) == 0


def test_a_change_runs_the_blocks_from_its_own_on_and_leaves_them_as_they_were(model):
    blocks, ran = find_blocks(model), []
    plain = blocks[1].forward
    blocks[1].forward = lambda *given, **named: ran.append(1) or plain(*given, **named)
    handle = blocks[2].register_forward_pre_hook(lambda *_: ran.append(2))
    try:
        changes = [{"component": "mlp_2"}, [{"component": "att_2"}, {"component": "mlp_1"}]]
        found = prediction_changes(model, IDS.numpy(), [5, 9], changes)
        assert ran == [1, 2, 1, 2, 2, 1, 2]  # the past, the last token, and from each change on
        assert (found.divergence > 0).all()
        with pytest.raises(ModelError, match="does not fit"):
            prediction_changes(model, IDS.numpy(), [5, 9], [changes[0] | {"value": np.zeros(5)}])
        log_probabilities(model)
        assert ran[-2:] == [1, 2]
    finally:
        handle.remove()
        del blocks[1].forward
    assert not any("forward" in vars(block) for block in blocks)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"component": "att_9"}, ModelError, "'att_9' is no component.*'att_0' to 'mlp_2'"),
        ({"component": "mlp_0", "head": 0}, ModelError, "'mlp_0' has no heads.*'att_0'"),
        ({"component": "att_0", "head": 2}, ModelError, "head 2 does not exist.*has 2"),
        ({"component": "att_0", "head": -1}, ModelError, "head -1 does not exist"),
        ({"component": "att_0", "value": np.nan}, MeasureError, "NaN"),
    ],
)
def test_what_cannot_be_replaced_is_refused(model, arguments, error, words):
    with pytest.raises(error, match=words), ablate(model, **arguments):
        pass


@pytest.mark.parametrize(
    ("windows", "next_ids", "changes", "error"),
    [
        ([[1]], [1], [], TargetError),
        ([[1, 2]], [1, 2], [], TargetError),
        ([[1, 2]], [1], [{"component": "att_0", "value": np.zeros((3, 16))}], MeasureError),
    ],
)
def test_windows_that_cannot_be_predicted_are_refused(model, windows, next_ids, changes, error):
    with pytest.raises(error):
        prediction_changes(model, windows, next_ids, changes)


# What researchers do ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain():
    """A small GPT-2 with dropout, as a configuration makes it."""
    shape = {"n_layer": 2, "n_head": 4, "n_embd": 32, "n_positions": 64, "vocab_size": 97}
    with torch.random.fork_rng(devices=[]):
        return GPT2LMHeadModel(GPT2Config(**shape)).eval()


WINDOWS = np.tile(np.arange(12), (2, 1))


def test_a_block_that_adds_to_what_it_is_given_changes_no_value():
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 97}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        falcon = FalconForCausalLM(FalconConfig(**shape)).double().eval()
    ids, value = torch.arange(3, 9)[None], np.random.default_rng(0).standard_normal((1, 6, 32))
    kept = value.copy()
    with torch.no_grad(), ablate(falcon, "mlp_0", value):
        first, second = falcon(ids).logits, falcon(ids).logits
    assert (first == second).all() and (value == kept).all()
    with torch.no_grad(), ablate(falcon, "mlp_0"):
        falcon(ids)


@pytest.mark.parametrize(
    "use",
    [
        lambda model: last_token_activations(model, WINDOWS),
        lambda model: record(model).__enter__(),
        lambda model: ablate(model, "mlp_0").__enter__(),
        lambda model: head_activations(model, WINDOWS),
        lambda model: prediction_changes(model, WINDOWS, [1, 1], [{"component": "mlp_0"}]),
    ],
)
def test_a_model_that_drops_at_random_is_refused(plain, use):
    plain.train()
    try:
        with pytest.raises(ModelError, match=r"training mode .* call model.eval\(\) first"):
            use(plain)
    finally:
        plain.eval()
    use(plain)


@pytest.mark.parametrize(
    ("next_ids", "changes", "error", "says"),
    [
        ([1, 97], [{"component": "mlp_0"}], TargetError, "next_ids hold 97, .* from 0 to 96"),
        ([1, -1], [{"component": "mlp_0"}], TargetError, "next_ids hold -1"),
        ([1, 1], [], MeasureError, r"changes = \[\]"),
        ([1, 1], [[]], MeasureError, r"changes = \[\[\]\]"),
        ([1, 1], {"component": "mlp_0"}, MeasureError, "changes hold 'component'"),
        ([1, 1], ["mlp_0"], MeasureError, "changes hold 'mlp_0'"),
        ([1, 1], [{"component": "mlp_0", "values": 0}], MeasureError, "'values': 0"),
        ([1, 1], [{"component": ["mlp_0"]}], ModelError, "is no component"),
        ([1, 1], [{"component": "mlp_0", "value": 1e300}], MeasureError, "beyond what"),
    ],
)  # fmt: skip
def test_what_is_no_change_is_quoted(plain, next_ids, changes, error, says):
    with pytest.raises(error, match=says):
        prediction_changes(plain, WINDOWS, next_ids, changes)


def test_a_tuple_of_parts_is_a_change_too(plain):
    change = ({"component": "mlp_0"}, {"component": "att_1"})
    one, other = prediction_changes(plain, WINDOWS, [1, 1], [change, list(change)]).divergence
    assert (one == other).all()


def test_a_model_that_predicts_no_token_scores_none(plain):
    classes = GPT2ForTokenClassification(plain.config).eval()
    for model in (plain.transformer, classes):
        with pytest.raises(ModelError, match="no head that predicts tokens"):
            prediction_changes(model, WINDOWS, [1, 1], [{"component": "mlp_0"}])


def test_values_of_too_many_sequences_are_quoted_for_a_head_too(plain):
    with (
        pytest.raises(ModelError, match="does not fit what it adds"),
        torch.no_grad(),
        ablate(plain, "att_0", np.zeros((2, 1, 32)), head=0),
    ):
        plain(torch.arange(6)[None])
