"""Designs and controls, against plain loops over hooks, SciPy and scikit-learn."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.feature_selection import mutual_info_regression

import layerlab.comparison as module
from layerlab.articles import load_article
from layerlab.comparison import SIMILARITIES, compare, permute_weights
from layerlab.errors import LayerlabError, TargetError
from layerlab.investigation import investigate
from layerlab.models import load_model
from layerlab.options import Options
from layerlab.tokens import target_positions, tokenize

DATA = Path(__file__).resolve().parents[1] / "book" / "data"
N_PAST = 20
FIXED = Options(design="fixed-past", n_past=N_PAST)
EVERY = "untrained, permuted,own-past"


@pytest.fixture(scope="module")
def fixed():
    return compare(FIXED)


@pytest.fixture(scope="module")
def worksheet():
    return compare(Options(controls=EVERY, n_draws=2))


def article(tokenizer):
    ids = tokenize(load_article(), tokenizer)
    return ids, target_positions(ids, tokenizer, " coffee")


def outputs_of_block(model, block, sequences):
    """By plain hooks: what attention and MLP add at the last token of each sequence."""
    found = [], []
    parts = model.transformer.h[block].attn.c_proj, model.transformer.h[block].mlp.c_proj
    handles = [
        part.register_forward_hook(lambda _, __, out, kept=kept: kept.append(out[0, -1].numpy()))
        for part, kept in zip(parts, found, strict=True)
    ]
    with torch.no_grad():
        for sequence in sequences:
            model(torch.as_tensor(sequence)[None])
    for handle in handles:
        handle.remove()
    return [np.array(kept, dtype=float) for kept in found]


def similarities(x, y):
    nats = mutual_info_regression(x[:, None], y, n_neighbors=3, random_state=0)[0]
    lengths = np.linalg.norm(x), np.linalg.norm(y)
    return [
        nats / np.log(2),
        np.abs(x - y).sum(),
        np.sqrt(((x - y) ** 2).sum()),
        np.corrcoef(x, y)[0, 1],
        x @ y / np.prod(lengths),
        abs(lengths[0] - lengths[1]),
    ]


def test_fixed_past_is_what_plain_loops_make_of_it(fixed, embedded):
    model, tokenizer = embedded
    ids, places = article(tokenizer)
    places = [place for place in places if place >= N_PAST]
    assert fixed.positions.tolist() == places
    near = [
        (i, j) for i, j in combinations(range(len(places)), 2) if places[j] - places[i] <= N_PAST
    ]
    gaps = [places[j] - places[i] for i, j in near]
    assert fixed.gaps.tolist() == gaps
    block = 3
    vectors = outputs_of_block(model, block, [ids[p - N_PAST : p + 1] for p in places])
    for component, rows in enumerate(vectors):
        values = np.array([similarities(rows[i], rows[j]) for i, j in near])
        expected = [stats.kendalltau(column, gaps).statistic for column in values.T]
        np.testing.assert_allclose(fixed.tau[component, block], expected, atol=5e-3)


@pytest.mark.check
def test_far_pairs_have_no_token_in_common(fixed, embedded, monkeypatch):
    ids, places = article(embedded[1])
    places = np.array([place for place in places if place >= N_PAST])
    monkeypatch.setattr(module, "N_FAR", 10**6)  # all of them, to be counted here
    every = compare(FIXED)
    rows = outputs_of_block(embedded[0], 0, [ids[p - N_PAST : p + 1] for p in places])[1]
    far = [
        (i, j)
        for i, j in combinations(range(len(places)), 2)
        if not set(range(places[i] - N_PAST, places[i] + 1))
        & set(range(places[j] - N_PAST, places[j] + 1))
    ]
    assert len(far) + len(fixed.gaps) == len(places) * (len(places) - 1) / 2
    distances = [np.linalg.norm(rows[i] - rows[j]) for i, j in far]
    tau = stats.kendalltau(distances, [places[j] - places[i] for i, j in far]).statistic
    assert every.far[1, 0, 2] == pytest.approx(tau, abs=1e-4)
    assert fixed.far[1, 0, 2] == pytest.approx(tau, abs=0.05)  # of a sample of them


def test_the_worksheets_design_is_the_worksheet(worksheet):
    run = investigate(Options(control=False))
    np.testing.assert_allclose(worksheet.tau[..., :3], run.summary[:, :, 1], atol=1e-12)
    assert np.isnan(worksheet.far).all()
    untrained = investigate(Options()).control
    first = worksheet.controls["untrained"][0]
    np.testing.assert_allclose(first[..., :3], untrained.summary[:, :, 1], atol=1e-12)


def test_partial_tau_holds_the_other_still(worksheet, embedded):
    ids, places = article(embedded[1])
    first = places[:10]
    rows = [outputs_of_block(embedded[0], 3, [ids[: p + 1]])[1][0] for p in first]
    pairs = list(combinations(range(10), 2))
    distance = [np.linalg.norm(rows[i] - rows[j]) for i, j in pairs]
    gap, earlier = [first[j] - first[i] for i, j in pairs], [first[i] for i, _ in pairs]
    xy, xz, yz = (
        stats.kendalltau(a, b).statistic
        for a, b in ((distance, gap), (distance, earlier), (gap, earlier))
    )
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert worksheet.partial[0, 1, 3, 2] == pytest.approx(expected, abs=1e-3)
    other = (xz - xy * yz) / np.sqrt((1 - xy**2) * (1 - yz**2))
    assert worksheet.partial[1, 1, 3, 2] == pytest.approx(other, abs=1e-3)


def test_each_control_is_drawn_anew_and_the_same_again(worksheet):
    assert list(worksheet.controls) == ["untrained", "permuted", "own-past"]
    again = compare(Options(controls=EVERY, n_draws=1))
    for name, draws in worksheet.controls.items():
        assert draws.shape == (2, 2, 12, len(SIMILARITIES))
        assert not np.allclose(draws[0], draws[1])
        np.testing.assert_array_equal(again.controls[name][0], draws[0])


def test_an_own_past_takes_away_what_neighbours_share():
    found = compare(Options(design="fixed-past", n_past=63, controls="own-past", n_draws=2))
    shared, alone = found.tau[1, :3, 2], found.controls["own-past"][:, 1, :3, 2]
    assert (shared > 0.2).all()
    assert abs(alone.mean()) < 0.08


def test_permuted_weights_are_the_same_numbers_elsewhere():
    (model, _), (before, _) = load_model(), load_model()
    permute_weights(model, torch.Generator().manual_seed(0))
    for (name, new), old in zip(model.named_parameters(), before.parameters(), strict=True):
        assert torch.equal(new.flatten().sort().values, old.flatten().sort().values), name
        assert torch.equal(new, old) == (old.ndim == 1), name


def test_arrays_say_what_they_are(worksheet):
    arrays = worksheet.arrays()
    assert {name.partition("_")[0] for name in arrays} == {"compared"}
    assert str(arrays["compared_design"]) == "worksheet"
    assert arrays["compared_similarities"].tolist() == list(SIMILARITIES)
    np.testing.assert_array_equal(arrays["compared_own_past"], worksheet.controls["own-past"])
    assert arrays["compared_model"][0] == "embedded"


def test_stages_are_told():
    stages = []
    options = Options(n_targets=4, controls="own-past", n_draws=2)
    compare(options, progress=lambda *told: stages.append(told))
    assert [done for _, done, _ in stages] == list(range(5))
    assert {total for *_, total in stages} == {4}
    assert stages[-1][0] == "done"


def test_with_a_fixed_past_targets_may_stand_beyond_the_context_window(tmp_path, embedded):
    late = tmp_path / "late.txt"
    late.write_text("We boil water. " * 400 + "The coffee is hot. " * 4, "utf-8")
    found = compare(Options(article=str(late), design="fixed-past", n_past=20, n_draws=1))
    assert len(found.positions) == 4 and found.positions.min() > embedded[0].config.n_positions
    with pytest.raises(TargetError, match="0 time"):
        compare(Options(article=str(late)))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"design": "fixed"}, LayerlabError, "design = 'fixed' is none of worksheet, fixed-past"),
        ({"controls": "trained"}, LayerlabError, "holds 'trained': name some of untrained"),
        ({"n_draws": 0}, LayerlabError, "n_draws = 0"),
        ({"n_targets": 2}, TargetError, "makes 1 pairs to compare, of 2 places"),
        ({"design": "fixed-past", "n_past": 1}, TargetError, "makes 0 pairs"),
        ({"design": "fixed-past", "n_past": 2000}, TargetError, "context window holds 1024"),
    ],
)
def test_what_cannot_be_compared_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        compare(Options(**options))


def test_only_options_are_options():
    with pytest.raises(LayerlabError, match="Options"):
        compare("embedded")


def test_the_seven_parts_are_the_worksheets():
    with pytest.raises(LayerlabError, match=r"layerlab\.compare"):
        investigate(FIXED)


@pytest.mark.parametrize("path", sorted(DATA.glob("fixed-past-*.npz")), ids=lambda path: path.stem)
def test_what_the_book_reads_is_of_the_design_that_it_says(path):
    with np.load(path) as stored:
        assert str(stored["compared_design"]) == "fixed-past"
        assert stored["compared_similarities"].tolist() == list(SIMILARITIES)
        text = "candle.txt" if path.stem.endswith("candle") else "embedded"
        assert dict(stored["compared_article"])["source"] == text
        near = stored["compared_gaps"]
        assert near.min() > 0 and near.max() <= Options().n_past
        shape = stored["compared_tau"].shape
        for name in ("untrained", "permuted"):
            draws = stored[f"compared_{name}"]
            assert draws.shape[1:] == shape
            assert len(draws) >= 3
            assert len({draw.tobytes() for draw in draws}) == len(draws)
