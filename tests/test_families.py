"""What is recorded of a block, attention plus MLP, is the change of the model's own stream.

`python tests/test_families.py` prints the table: family, blocks, outputs, and the error of the sum.
"""

import shutil
from dataclasses import replace

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, BertConfig, BertModel

from layerlab.errors import ModelError, TargetError
from layerlab.families import FAMILIES, Family, context_length, find_outputs
from layerlab.hooks import last_token_activations, record, target_activations
from layerlab.models import count_blocks, load_model

N_LAYERS, WIDTH, CONTEXT = 3, 32, 64
ENDLESS = {
    "vocab_size": 50,
    "hidden_size": WIDTH,
    "num_hidden_layers": N_LAYERS,
    "num_attention_heads": 4,
}
SHAPE = ENDLESS | {"max_position_embeddings": CONTEXT}
LLAMA = SHAPE | {"intermediate_size": 48, "num_key_value_heads": 2, "pad_token_id": 0}
GEMMA = LLAMA | {"head_dim": 8}
NEO = {"attention_types": [[["global", "local", "global"], 1]]}
TINY = {  # the shapes of each row of the table, and its kinds that run in another way
    "bloom": [ENDLESS],
    "falcon": [
        SHAPE,
        SHAPE | {"parallel_attn": False, "alibi": True},
        SHAPE | {"new_decoder_architecture": True, "num_kv_heads": 2},
    ],
    "gemma": [GEMMA],
    "gemma2": [GEMMA],
    "gemma3_text": [GEMMA],
    "gpt2": [SHAPE],
    "gpt_neo": [SHAPE | NEO],
    "gpt_neox": [LLAMA, LLAMA | {"use_parallel_residual": False}],
    "gptj": [SHAPE | {"rotary_dim": 4}],
    "llama": [LLAMA],
    "mistral": [LLAMA | {"sliding_window": 8}],
    "olmo": [LLAMA],
    "olmo2": [LLAMA],
    "opt": [SHAPE | {"ffn_dim": 48}, SHAPE | {"ffn_dim": 48, "word_embed_proj_dim": 16}],
    "phi": [LLAMA],
    "phi3": [LLAMA],
    "qwen2": [LLAMA],
    "qwen3": [LLAMA | {"head_dim": 8}],
}
KINDS = [(kind, shape) for kind in FAMILIES for shape in TINY[kind]]
IDS = torch.arange(40).reshape(2, 20) * 7 % 47 + 3  # two sequences, no control token


def make(kind, shape):
    """A random model whose norms do more than divide, and whose blocks add plenty."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **shape)).eval()
        with torch.no_grad():
            for weight in model.base_model.parameters():
                if weight.ndim == 1:  # norms and biases
                    weight += torch.randn_like(weight) / 2
                else:  # drawn with a deviation of 0.02
                    weight *= 5
    return model


def residual_stream(model, ids):
    """Before the first block, and after each: the list ends before the last norm."""
    blocks = FAMILIES[model.config.model_type].blocks
    last = []
    handle = model.base_model.get_submodule(blocks)[-1].register_forward_hook(
        lambda _, __, out: last.append(out if isinstance(out, torch.Tensor) else out[0])
    )
    with torch.no_grad():
        hidden = model(ids, output_hidden_states=True).hidden_states
    handle.remove()
    return torch.stack([*hidden[:-1], *last])  # (n_layers + 1, n_sequences, n, width)


def recorded_and_added(kind, shape):
    """Both outputs of each block, and what the block adds to the stream."""
    model = make(kind, shape)
    with record(model) as activations:
        stream = residual_stream(model, IDS)
    attention, mlp = (
        torch.stack([activations[f"{part}_{i}"] for i in range(N_LAYERS)])
        for part in ("att", "mlp")
    )  # (n_layers, n_sequences, n, width) each
    return attention, mlp, stream.diff(dim=0)


@pytest.mark.parametrize(("kind", "shape"), KINDS)
def test_what_is_recorded_is_what_each_block_adds_to_the_residual_stream(kind, shape):
    attention, mlp, added = recorded_and_added(kind, shape)
    assert min(attention.std(), mlp.std()) > 0.1
    torch.testing.assert_close(attention + mlp, added, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", FAMILIES)
def test_in_half_precision_the_sum_is_rounded_to_its_digits(kind):
    """bfloat16 keeps 8 binary digits, and each of the sums on the way is rounded to them."""
    model = make(kind, TINY[kind][0]).to(torch.bfloat16)
    with record(model) as activations:
        stream = residual_stream(model, IDS).float()
    added = torch.as_tensor(activations.stack()).sum(dim=0).reshape(stream[1:].shape)
    error = (added - stream.diff(dim=0)).abs().amax()
    assert error <= 4 * 2**-8 * stream.abs().max()


@pytest.mark.parametrize(("kind", "shape"), KINDS)
def test_only_attention_looks_at_other_tokens(kind, shape):
    model = make(kind, shape)
    other = IDS.clone()
    other[:, 0] = 25
    silent = find_outputs(model)["att_0"].register_forward_hook(lambda _, __, out: out * 0)
    with record(model) as before, torch.no_grad():
        model(IDS)
    with record(model) as after, torch.no_grad():
        model(other)
    silent.remove()
    change = (after["mlp_0"] - before["mlp_0"]).abs().amax(dim=(0, 2))  # (n,) of each token
    assert change[0] > 0.01
    assert change[1:].max() < 1e-5


@pytest.mark.parametrize(("kind", "shape"), KINDS)
def test_rows_of_chosen_places_are_those_of_the_whole_pass(kind, shape):
    model = make(kind, shape)
    with record(model) as whole, torch.no_grad():
        model(IDS)
    rows = whole.stack().reshape(2, N_LAYERS, *IDS.shape, WIDTH)
    last = torch.as_tensor(last_token_activations(model, IDS.numpy()))
    torch.testing.assert_close(last, torch.as_tensor(rows[:, :, :, -1]), rtol=0, atol=1e-5)
    some = torch.as_tensor(target_activations(model, IDS[1].numpy(), [3, 11]))
    torch.testing.assert_close(some, torch.as_tensor(rows[:, :, 1, [3, 11]]), rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def folders(embedded, tmp_path_factory):
    """By their types, folders of random models with the course's tokenizer."""
    made = {}
    for kind, (shape, *_) in TINY.items():
        made[kind] = tmp_path_factory.mktemp("families") / kind
        make(kind, shape | {"vocab_size": 8192}).save_pretrained(made[kind])
        embedded[1].save_pretrained(made[kind])
    return made


@pytest.mark.parametrize("kind", FAMILIES)
def test_loads_from_a_folder_trained_and_untrained(kind, folders):
    model, tokenizer = load_model(folders[kind])
    untrained, _ = load_model(folders[kind], untrained=True, seed=1)
    saved = AutoModelForCausalLM.from_pretrained(folders[kind]).state_dict()
    assert all(torch.equal(model.state_dict()[name], saved[name]) for name in saved)
    assert any(not torch.equal(untrained.state_dict()[name], saved[name]) for name in saved)
    assert len(tokenizer) == 8192
    for network in (model, untrained):
        assert network.config.model_type == kind
        assert (network.dtype, network.training) == (torch.float32, False)
        assert count_blocks(network) == N_LAYERS
        with record(network) as activations, torch.no_grad():
            network(IDS)
        assert activations.stack().shape == (2, N_LAYERS, IDS.numel(), WIDTH)


# ---- the context -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_context_is_found_under_each_name_and_kept(kind):
    model = make(kind, TINY[kind][0])
    ids = torch.arange(CONTEXT + 1) % 47 + 3
    if kind == "bloom":  # its positions are a slope of the attention and have no end
        assert context_length(model) is None
        assert target_activations(model, ids.numpy(), [1, CONTEXT]).shape[2] == 2
    else:
        assert context_length(model) == CONTEXT
        with pytest.raises(TargetError, match=f"context window holds {CONTEXT}"):
            target_activations(model, ids.numpy(), [1, CONTEXT])


def test_a_bloom_that_names_its_length_is_held_to_it():
    assert context_length(make("bloom", ENDLESS | {"seq_length": 48})) == 48


# ---- what is refused -------------------------------------------------------------------------

REFUSED = [(kind, refusal) for kind, family in FAMILIES.items() for refusal in family.refusals]


@pytest.mark.parametrize(("kind", "refusal"), REFUSED)
def test_settings_that_leave_nothing_to_record_are_refused(kind, refusal, tmp_path):
    model = make(kind, TINY[kind][0] | {refusal.setting: refusal.value})
    said = f"{refusal.setting} = {refusal.value}: {refusal.reason}"
    with pytest.raises(ModelError, match=f"^a {type(model).__name__} .*{said}"), record(model):
        pass
    model.config.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=f"^the model '{tmp_path}' .*{said}"):
        load_model(tmp_path, untrained=True)


@pytest.mark.parametrize("setting", [refusal.setting for _, refusal in REFUSED])
def test_without_its_refusal_a_setting_would_be_recorded_wrongly(setting, monkeypatch):
    kind, refusal = next(row for row in REFUSED if row[1].setting == setting)
    monkeypatch.setitem(FAMILIES, kind, replace(FAMILIES[kind], refusals=()))
    model = make(kind, TINY[kind][0] | {"pretraining_tp": 2, refusal.setting: refusal.value})
    with record(model) as activations:
        stream = residual_stream(model, IDS)
    added = activations.get("att_0", 0) + activations.get("mlp_0", 0)
    assert (stream[1] - stream[0] - added).abs().max() > 0.1


@pytest.fixture
def bert():
    shape = {"hidden_size": 8, "num_attention_heads": 1, "intermediate_size": 12}
    return BertModel(BertConfig(vocab_size=300, num_hidden_layers=2, **shape)).eval()


BERT = Family("encoder.layer", "attention.output.dense", "output.dense")


def test_an_unknown_family_says_both_ways_to_name_its_modules(bert):
    said = r"'bert'.*gpt2, .*by --blocks, --attention and --mlp, .* family=Family\("
    with pytest.raises(ModelError, match=said) as error:
        count_blocks(bert)
    assert all(kind in str(error.value) for kind in FAMILIES)
    with record(bert, family=BERT) as activations, torch.no_grad():
        bert(IDS)
    assert activations.stack().shape == (2, 2, IDS.numel(), 8)
    assert count_blocks(bert, BERT) == 2


def test_an_architecture_outside_the_table_is_loaded_with_its_paths(embedded, tmp_path):
    family = Family("layers", "self_attn.o_proj", "mlp.down_proj")
    make("stablelm", LLAMA | {"vocab_size": 8192}).save_pretrained(tmp_path)
    embedded[1].save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="of the architecture 'stablelm'"):
        load_model(tmp_path)
    model, _ = load_model(tmp_path, family=family)
    with record(model, family=family) as activations, torch.no_grad():
        hidden = model(IDS, output_hidden_states=True).hidden_states
    added = activations["att_0"] + activations["mlp_0"]
    torch.testing.assert_close(added, hidden[1] - hidden[0], rtol=0, atol=1e-5)


def test_a_family_by_hand_is_used_wherever_a_model_is_run(bert):
    ids = IDS.numpy()
    rows = last_token_activations(bert, ids, family=BERT)
    assert rows.shape == (2, 2, len(ids), 8)
    assert target_activations(bert, ids[0], [2, 3], family=BERT).shape == (2, 2, 2, 8)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"blocks": "encoder"}, "is a BertEncoder and no list of blocks"),
        ({"mlp": "intermediate.dense"}, r"'mlp_0' hands over \(2, 20, 12\), .* holds 8 numbers"),
        ({"attention": "attention.self"}, "'att_0' hands over a tuple"),
    ],
)
def test_a_family_by_hand_that_is_none(wrong, said, bert):
    with pytest.raises(ModelError, match=said), record(bert, family=replace(BERT, **wrong)):
        bert(IDS)


@pytest.mark.parametrize("wrong", ["blocks", "attention", "mlp"])
def test_a_row_that_leads_nowhere_is_named(wrong, monkeypatch):
    monkeypatch.setitem(FAMILIES, "gpt2", replace(FAMILIES["gpt2"], **{wrong: "no.such"}))
    with pytest.raises(ModelError, match=r"a GPT2LMHeadModel has no 'no\.such' in its"):
        record(make("gpt2", SHAPE)).__enter__()


def test_a_model_without_a_configuration_is_refused():
    with pytest.raises(ModelError, match="a Linear is of the architecture None"):
        count_blocks(torch.nn.Linear(2, 2))


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_folder_without_a_tokenizer_is_one_sentence(kind, folders, tmp_path):
    shutil.copy(folders[kind] / "config.json", tmp_path)
    with pytest.raises(ModelError, match=r"has no (usable )?tokenizer: put the"):
        load_model(tmp_path, untrained=True)


if __name__ == "__main__":
    print(f"{'family':12} {'blocks':15} {'attention':25} {'mlp':27} largest error, by kind")
    for name, row in FAMILIES.items():
        worst = []
        for size in TINY[name]:
            attention, mlp, added = recorded_and_added(name, size)
            worst.append(float((attention + mlp - added).abs().max()))
        shown = ", ".join(f"{error:.1e}" for error in worst)
        print(f"{name:12} {row.blocks:15} {row.attention:25} {row.mlp:27} {shown}")
