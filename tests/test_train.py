"""The training script: nothing of a text is lost or seen twice, a run resumes, the result loads."""

import json
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import torch

from coursebuild.train import (
    MasterWeights,
    Recipe,
    Sampler,
    build_model,
    export,
    loss_of,
    prepare,
    read_texts,
    split_text,
    train,
)
from layerlab.models import load_model

TINY = Recipe(
    n_vocab=300, n_layers=2, n_heads=2, width=16, context=32, short_context=16,
    tokens_per_step=128, learning_rate=1e-2, minutes=0.03,
)  # fmt: skip


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    rng = np.random.default_rng(0)
    words = ["cup", "pot", "foam", "bean", "mill", "fire", "sugar", "water"]
    for name in ("one.txt", "two.txt"):
        lines = [" ".join(rng.choice(words, 12)) + ".\n" for _ in range(1500)]
        (folder / name).write_text("".join(lines), encoding="utf-8")
    return read_texts(folder)


def steady_clock():
    """A clock on which every step takes a fortieth of a second, however busy the machine is."""
    ticks = count()
    return lambda: next(ticks) / 40


@pytest.fixture(scope="module")
def run(texts, tmp_path_factory):
    work, out = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("model")
    arrays = prepare(texts, TINY, work)
    _, first = train(TINY, arrays, work, save_every=0.5, clock=steady_clock())
    longer = replace(TINY, minutes=0.06)
    model, second = train(longer, arrays, work, save_every=0.5, clock=steady_clock())
    report = export(model, longer, second, arrays, work, out)
    return first, second, report, out


def test_a_split_keeps_every_line_once():
    text = "".join(f"line {i}\n" for i in range(1000))
    kept, held_out = split_text(text)
    assert held_out
    assert sorted((kept + held_out).splitlines()) == sorted(text.splitlines())


def test_the_rate_rises_stays_and_falls_to_zero():
    rates = [TINY.progress_to_rate(p) for p in (0, 0.005, 0.2, 0.675, 1)]
    np.testing.assert_allclose(rates, [0, 0.005, 0.01, 0.005, 0])


def test_an_epoch_shows_no_stretch_twice(texts, tmp_path):
    sampler = Sampler(prepare(texts, TINY, tmp_path), TINY)
    sampler.batch(1, 16)
    assert len(set(sampler._order)) == len(sampler._order)
    starts = sorted(start for name, start in sampler._order if name == "one.txt")
    assert set(np.diff(starts)) == {16}


def test_repeats_add_passes_over_the_named_text_only(texts, tmp_path):
    arrays = prepare(texts, TINY, tmp_path)
    sampler = Sampler(arrays, replace(TINY, repeats=(("one", 1.5),)))
    sampler.batch(1, 16)
    n_one = sum(name == "one.txt" for name, _ in sampler._order)
    n_two = len(sampler._order) - n_one
    assert n_one / n_two == pytest.approx(1.5, rel=0.02)


def test_a_sampler_resumes_where_it_stood(texts, tmp_path):
    arrays = prepare(texts, TINY, tmp_path)
    whole, resumed = Sampler(arrays, TINY), Sampler(arrays, TINY)
    whole.batch(8, 16)
    resumed.epoch, resumed.taken = whole.epoch, whole.taken
    assert torch.equal(whole.batch(8, 16), resumed.batch(8, 16))


def test_loss_is_that_of_the_library():
    model = build_model(TINY).eval()
    ids = torch.randint(TINY.n_vocab, (3, 17), generator=torch.Generator().manual_seed(0))
    logits = model(ids[:, :-1]).logits
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    torch.testing.assert_close(loss_of(model, ids), expected)


def test_muon_takes_the_matrices_of_the_blocks_and_nothing_else():
    muon, adamw = MasterWeights(build_model(TINY), TINY).optimizers
    shapes = {tuple(w.shape) for g in muon.param_groups for w in g["params"]}
    assert shapes == {(16, 16), (16, 64), (64, 16)}  # query, key, value apart
    n_others = sum(w.numel() for g in adamw.param_groups for w in g["params"])
    n_matrices = sum(w.numel() for g in muon.param_groups for w in g["params"])
    assert n_matrices + n_others == build_model(TINY).num_parameters()


def test_a_run_resumes_and_keeps_its_clock(run):
    first, second, _, _ = run
    n = len(first["curve"])
    assert second["curve"][:n] == first["curve"]
    assert second["step"] > first["step"]
    assert second["seconds"] >= 0.06 * 60 > first["seconds"]


def test_training_learns(run):
    _, _, report, _ = run
    assert report["held_out_loss"] < 0.6 * np.log(TINY.n_vocab)


def test_the_result_is_a_model_that_the_course_loads(run):
    _, _, report, out = run
    _, tokenizer = load_model(str(out))
    assert json.loads((out / "config.json").read_text())["activation_function"] == "gelu_new"
    assert tokenizer.decode(tokenizer("foam water")["input_ids"]) == "foam water"
    assert json.loads((out / "training.json").read_text())["held_out_loss"] == pytest.approx(
        report["held_out_loss"]
    )


def test_a_folder_without_texts_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="no .txt file"):
        read_texts(tmp_path)
