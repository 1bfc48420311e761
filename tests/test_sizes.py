"""How alike near and far targets are: against plain loops, and what is stored against a new run."""

import json

import numpy as np
import pytest

from benchmarks.sizes import N_PAST, ORDERED, STRETCHES, TARGET, measure, sizes, weights_of
from coursebuild.course import course_root
from layerlab import (
    context_windows,
    last_token_activations,
    load_article,
    load_model,
    target_positions,
    tokenize,
)
from layerlab.statistics import kendall_tau
from layerlab.sweeps import position_distances

FILE = course_root() / "book" / "data" / "sizes-embedded.json"


def test_shares_and_order_are_those_of_plain_loops():
    rng = np.random.default_rng(0)
    places = np.array([0, 30, 60, 400, 900, 1500, 9000, 20_000])
    activations = rng.normal(size=(2, 3, len(places), 5))
    found = sizes(activations, position_distances(places))
    for c, b in np.ndindex(2, 3):
        pairs = [
            (np.linalg.norm(activations[c, b, i] - activations[c, b, j]), places[j] - places[i])
            for i in range(len(places))
            for j in range(i + 1, len(places))
        ]
        apart = np.median([d for d, gap in pairs if gap > N_PAST])
        for name, (low, high) in STRETCHES.items():
            share = np.median([d for d, gap in pairs if low <= gap <= high]) / apart
            assert found[name][c][b] == pytest.approx(share, abs=1e-4)
        d, gap = np.transpose([pair for pair in pairs if ORDERED[0] <= pair[1] <= ORDERED[1]])
        assert found["order"][c][b] == pytest.approx(kendall_tau(d, gap).tau, abs=1e-4)


def test_what_is_measured_is_kept(tmp_path, monkeypatch):
    file, asked = tmp_path / "sizes.json", []
    monkeypatch.setattr("benchmarks.sizes.last_token_activations", lambda *_: None)
    monkeypatch.setattr("benchmarks.sizes.sizes", lambda *_: {"order": []})
    monkeypatch.setattr("benchmarks.sizes.weights_of", lambda *what: asked.append(what[1:]))
    measure("embedded", 1, file)
    measure("embedded", 2, file)
    assert asked == [
        *[("trained", 0), ("permuted", 0), ("untrained", 0)],
        *[("permuted", 1), ("untrained", 1)],
    ]
    draws = json.loads(file.read_text("utf-8"))["draws"]
    assert {name: len(done) for name, done in draws.items()} == {
        "trained": 1,
        "permuted": 2,
        "untrained": 2,
    }


@pytest.mark.check
@pytest.mark.parametrize(("control", "seed"), [("permuted", 3), ("untrained", 2)])
def test_stored_draws_come_out_again(control, seed):
    stored = json.loads(FILE.read_text("utf-8"))
    model, tokenizer = load_model()
    assert stored["version"] == model.version
    token_ids = tokenize(load_article(), tokenizer)
    positions = target_positions(token_ids, tokenizer, TARGET)
    windows = context_windows(token_ids, positions, N_PAST)
    rows = last_token_activations(weights_of("embedded", control, seed), windows)
    found = sizes(rows, position_distances(positions[positions >= N_PAST]))
    for name, values in stored["draws"][control][seed].items():
        np.testing.assert_allclose(found[name], values, atol=0.01)
