"""Whatever a hub answers: a model, or one sentence, and never half a model in the cache."""

import errno
import json
import shutil
from pathlib import Path

import hub as loopback
import pytest
import torch
from conftest import save_random_gpt2
from hub import NAME, Hub, break_off, hang_up, shorter, stall, status, text, wrong_bytes
from huggingface_hub import constants
from transformers import GPT2LMHeadModel

from layerlab import hub as hub_module
from layerlab.errors import ModelError
from layerlab.models import count_blocks, load_model
from layerlab.places import EMBEDDED

WEIGHTS = "model.safetensors"
UNDELIVERED = "is not complete in the local cache, and http://127.0.0.1:.* does not deliver it"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random model with the embedded one's tokenizer, which is small and quickly read."""
    made = tmp_path_factory.mktemp("hub")
    save_random_gpt2(made, vocab_size=8192)
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        shutil.copy(EMBEDDED / name, made)
    return made


@pytest.fixture
def hub(folder, tmp_path, monkeypatch):
    made = Hub.of_folder(folder)
    with loopback.served(made, tmp_path / "cache", monkeypatch):
        yield made


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """From now on nobody answers."""
    return lambda: loopback.use("http://127.0.0.1:9", tmp_path / "cache", monkeypatch)


def blocks(name=NAME, **options):
    loopback.forget()
    return count_blocks(load_model(name, **options)[0])


# ---- whole -----------------------------------------------------------------------------------


def test_download_and_then_the_cache(hub, offline, capfd):
    capfd.readouterr()
    assert blocks() == 3
    asked = len(hub.asked)
    assert blocks() == 3
    assert hub.asked[asked:] == ["info"]  # is it still the same commit? Nothing else is asked
    offline()
    assert blocks() == 3
    assert capfd.readouterr() == ("", "")


def test_a_cache_that_another_program_filled(hub, offline, tmp_path):
    blocks()
    shutil.rmtree(next(tmp_path.rglob("trees")))
    offline()
    assert blocks() == 3
    next(tmp_path.rglob(f"snapshots/*/{WEIGHTS}")).resolve().write_bytes(b"others")
    with pytest.raises(ModelError, match="had other bytes than the hub's"):
        blocks()
    with pytest.raises(ModelError, match="has no weights that can be read"):
        blocks()


def test_an_untrained_model_needs_no_weights_of_the_hub(hub, offline):
    assert blocks(untrained=True) == 3
    assert not any("safetensors" in question for question in hub.asked)
    offline()
    assert blocks(untrained=True) == 3
    with pytest.raises(ModelError, match=f"{UNDELIVERED}|is not complete"):
        blocks()


# ---- files by any name -----------------------------------------------------------------------


def save_bin(folder):
    torch.save(GPT2LMHeadModel.from_pretrained(folder).state_dict(), folder / "pytorch_model.bin")
    return (folder / "pytorch_model.bin").read_bytes()


def test_safetensors_come_first_and_variants_are_none(hub, folder, tmp_path):
    hub.files["pytorch_model.bin"] = save_bin(shutil.copytree(folder, tmp_path / "copy"))
    blocks()
    assert "get pytorch_model.bin" not in hub.asked
    hub.files["model.fp16.safetensors"] = hub.files.pop(WEIGHTS)
    hub.revisions["main"] = "1" * 40
    assert blocks() == 3
    assert "get pytorch_model.bin" in hub.asked
    assert "get model.fp16.safetensors" not in hub.asked


def shard(hub, tmp_path):
    model = save_random_gpt2(tmp_path / "whole", vocab_size=8192)
    model.save_pretrained(tmp_path / "shards", max_shard_size="100KB")
    del hub.files[WEIGHTS]
    hub.files |= Hub.of_folder(tmp_path / "shards").files
    return [name for name in hub.files if "-of-" in name]


def test_weights_in_several_files(hub, offline, tmp_path):
    names = shard(hub, tmp_path)
    assert len(names) > 1
    assert blocks() == 3
    offline()
    assert blocks() == 3


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"weight_map": {"a": 3}}', b"\xff"])
def test_a_list_of_weights_that_is_none(hub, content):
    del hub.files[WEIGHTS]
    hub.files["model.safetensors.index.json"] = content
    with pytest.raises(ModelError, match=r"list of weights 'model\.saf|has no 3, which its"):
        blocks()


def test_a_listed_file_that_the_hub_lacks(hub, tmp_path):
    names = shard(hub, tmp_path)
    del hub.files[names[0]]
    with pytest.raises(ModelError, match=rf"has no '{names[0]}', which its"):
        blocks()


def test_a_repository_without_weights(hub):
    del hub.files[WEIGHTS]
    hub.files["flax_model.msgpack"] = b"x"
    with pytest.raises(ModelError, match=r"no weights that can be read .*flax_model\.msgpack"):
        blocks()


def test_weights_that_the_configuration_names(hub):
    hub.files["own.safetensors"] = hub.files.pop(WEIGHTS)
    config = json.loads(hub.files["config.json"]) | {"transformers_weights": "own.safetensors"}
    hub.files["config.json"] = json.dumps(config).encode()
    assert blocks() == 3


def test_a_tokenizer_of_words(hub):
    del hub.files["vocab.json"], hub.files["merges.txt"]
    hub.files["vocab.txt"] = "\n".join(["[UNK]", "[PAD]", *(f"w{i}" for i in range(400))]).encode()
    hub.files["tokenizer_config.json"] = b'{"tokenizer_class": "BertTokenizer"}'
    assert load_model(NAME)[1].convert_tokens_to_ids("w7") == 9


# ---- revisions -------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", ["v1", "2" * 40])
def test_a_revision_is_read_and_recorded(hub, offline, revision):
    hub.revisions["v1"] = "2" * 40
    model, _ = load_model(f"{NAME}@{revision}")
    assert model.version == f"commit {'2' * 40}"
    assert load_model(NAME)[0].version == f"commit {'0' * 40}"
    offline()
    assert load_model(f"{NAME}@{revision}")[0].version == model.version


def test_a_revision_that_is_not_there(hub):
    with pytest.raises(ModelError, match="has no revision 'v9': give a branch, a tag or"):
        blocks(f"{NAME}@v9")


@pytest.mark.parametrize("revision", ["", "../../x", "/x"])
def test_what_can_be_no_revision(revision):
    with pytest.raises(ModelError, match="names no revision after its @"):
        blocks(f"{NAME}@{revision}")


# ---- faults ----------------------------------------------------------------------------------

ANSWERS = {
    "401": (status(401), "no model at|does not deliver it"),
    "403": (status(403), "does not deliver it"),
    "licence": (status(403, "GatedRepo"), "asks for a licence first: accept it at"),
    "404": (status(404, "RepoNotFound"), "no model at .*: check its spelling"),
    "429": (status(429), UNDELIVERED + ".*429"),
    "500": (status(500), UNDELIVERED + ".*500"),
    "503": (status(503), UNDELIVERED + ".*503"),
    "silence": (stall, UNDELIVERED + ".*timed out"),
    "hangs up": (hang_up, UNDELIVERED),
    "HTML": (text(b"<html>"), UNDELIVERED),
    "null": (text(b"null"), UNDELIVERED),
    "number": (text(b"3"), UNDELIVERED),
    "no commit": (text(b'{"id": "someone/tiny"}'), UNDELIVERED),
}
FIRST = [("info", name) for name in ANSWERS]
LATER = [("tree", "503"), ("tree", "HTML"), ("tree", "null"), ("head", "503"), ("head", "429")]
LATER += [("get", "500"), (f"head {WEIGHTS}", "503"), (f"get {WEIGHTS}", "500")]
LATER += [(f"get {WEIGHTS}", "401"), (f"get {WEIGHTS}", "hangs up")]
WAITED_FOR = ("tree", "head", "get", f"get {WEIGHTS}")  # each of them several times
LATER += [pytest.param(kind, "silence", marks=pytest.mark.check) for kind in WAITED_FOR]


@pytest.mark.parametrize(("request_", "answer"), FIRST + LATER)
def test_an_answer_that_is_none(request_, answer, hub, offline, capfd):
    """One sentence, no half model, and a model as soon as the hub is well again."""
    hub.faults[request_], said = ANSWERS[answer]
    capfd.readouterr()
    with pytest.raises(
        ModelError, match=said if request_ == "info" else "does not deliver|licence"
    ):
        blocks()
    assert capfd.readouterr() == ("", "")
    hub.faults.clear()
    assert blocks() == 3
    hub.faults[request_] = ANSWERS[answer][0]  # and once it is wholly here, no answer is needed
    assert blocks() == 3


def test_offline_mode(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        blocks()
    assert hub.asked == []


SAID = {
    break_off: "does not deliver it",
    shorter: "does not deliver it|bytes instead of",
    wrong_bytes: "had other bytes than the hub",
}


@pytest.mark.parametrize("fault", [break_off, shorter, wrong_bytes])
@pytest.mark.parametrize("name", [WEIGHTS, "merges.txt"])
def test_a_file_that_comes_in_part_or_changed(fault, name, hub, offline, tmp_path, monkeypatch):
    address = constants.ENDPOINT
    hub.faults[f"get {name}"] = fault
    if fault is shorter:
        hub.faults[f"head {name}"] = fault
    with pytest.raises(ModelError, match=SAID[fault]):
        blocks()
    assert not list(tmp_path.rglob("*.incomplete"))
    offline()
    with pytest.raises(ModelError, match="is not complete"):
        blocks()
    loopback.use(address, tmp_path / "cache", monkeypatch)
    hub.faults.clear()
    assert blocks() == 3


def test_a_connection_that_breaks_once_is_taken_up_again(hub):
    def once(handler, content):
        del hub.faults[f"get {WEIGHTS}"]
        break_off(handler, content)

    hub.faults[f"get {WEIGHTS}"] = once
    assert blocks() == 3


@pytest.mark.parametrize(
    ("name", "n_kept", "said"),
    [
        (WEIGHTS, 1000, r"'model\.safetensors' .* had 1000 bytes instead of"),
        (WEIGHTS, -1, r"'model\.safetensors' .* had other bytes than the hub"),
        ("vocab.json", -1, r"'vocab\.json' .* had other bytes than the hub"),
    ],
)
def test_a_file_that_was_cut_or_changed_in_the_cache(name, n_kept, said, hub, tmp_path):
    blocks()
    blob = next(tmp_path.rglob(f"snapshots/*/{name}")).resolve()
    content = blob.read_bytes()
    blob.write_bytes(content[:n_kept] + b" " * (n_kept < 0))
    with pytest.raises(ModelError, match=said):
        blocks()
    assert blocks() == 3
    assert blob.read_bytes() == content


def test_the_weights_are_hashed_once_and_only_where_they_are_read(hub, monkeypatch):
    hashed, real = [], hub_module.sha256_of

    def count(path):
        hashed.append(path.name)
        return real(path)

    monkeypatch.setattr(hub_module, "sha256_of", count)
    monkeypatch.setattr("layerlab.places.sha256_of", count)
    blocks(untrained=True)
    assert hashed == []
    blocks()
    assert hashed == [WEIGHTS]


# ---- the cache's disk ------------------------------------------------------------------------


def test_a_cache_in_which_nothing_can_be_made(hub, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(ModelError, match=r"cannot be kept in the cache '.*' \(.*\): make room"):
        blocks()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_full_disk(number, hub, offline, monkeypatch):
    real = Path.open

    def refuse(path, mode="r", *args, **options):
        if "w" in mode and path.name.endswith(".incomplete"):
            raise OSError(number, "no room")
        return real(path, mode, *args, **options)

    with monkeypatch.context() as context:
        context.setattr(Path, "open", refuse)
        with pytest.raises(ModelError, match=r"cannot be kept in the cache .*no room"):
            blocks()
    assert blocks() == 3


def test_a_whole_cache_may_be_read_only(hub, monkeypatch):
    blocks()

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr("os.makedirs", refuse)
    monkeypatch.setattr("os.replace", refuse)
    assert blocks() == 3


def test_the_hubs_settings_are_put_back(hub):
    hooks = hub_module.get_session().event_hooks["request"]
    before = list(hooks)
    blocks()
    assert hooks == before
