"""Checks of exercise 4: answers that NumPy cannot make sense of, and what the solution claims."""

import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from layerlab.articles import load_article
from layerlab.checks import CheckFailed, part4
from layerlab.hooks import target_activations
from layerlab.sweeps import measure_pairs, to_upper
from layerlab.tokens import target_positions, tokenize

RAGGED = [[1.0, 2.0], [3.0]]
ODD = {
    "ragged": RAGGED,
    "ragged and deep": [[np.zeros(3)], [np.zeros(2)]],
    "number beside list": [1.0, RAGGED, 2.0, 3.0],
    "objects": [object()] * 4,
    "objects in arrays": [np.full((6, 6), None)] * 4,
    "text": ["a"] * 4,
    "text in arrays": np.full((4, 6, 6), "a"),
    "ragged tables": [RAGGED] * 4,
    "a single array": np.array(3.0),
    "dictionary": dict.fromkeys("abcd", 1.0),
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
@pytest.mark.parametrize(
    "check",
    [
        part4.check_measure,
        part4.check_tables,
        part4.check_all_pairs,
        part4.check_above,
        part4.check_shares,
    ],
)
def test_no_answer_makes_a_check_itself_crash(check, answer):
    with pytest.raises(CheckFailed) as failure:
        check(lambda *_: answer)
    named = re.findall(r"known mistake: (.*)\.$", str(failure.value), re.MULTILINE)
    assert named == (["a list of rows"] if check is part4.check_above and answer is RAGGED else [])


@pytest.mark.parametrize("draw", ["vlines", "pcolormesh", "nothing"])
def test_what_is_no_scatter_is_not_called_a_measure_against_itself(draw):
    def draw_relations(numbers):
        figure = Figure()
        for axes, (a, b) in zip(figure.subplots(2, 3).ravel(), 2 * part4.COUPLES, strict=True):
            axes.set(xlabel=part4.MEASURES[a], ylabel=part4.MEASURES[b])
            if draw == "nothing":
                axes.scatter([], [])
            else:
                getattr(axes, draw)(*{"vlines": ([1, 2], 0, 1), "pcolormesh": (numbers,)}[draw])
        return figure

    with pytest.raises(CheckFailed) as failure:
        part4.check_relations(draw_relations, part4.COUPLES)
    assert "known mistake" not in str(failure.value)


def test_decimals_lost_on_the_way_out_of_a_table_are_noticed():
    with pytest.raises(CheckFailed, match="values differ"):
        part4.check_above(lambda table: table[np.triu_indices(len(table), 1)].astype(int))


def test_what_the_solution_says_of_far_and_of_shuffled_vectors_holds(embedded):
    model, tokenizer = embedded
    ids = tokenize(load_article(), tokenizer)
    places = target_positions(ids, tokenizer, " coffee")[:10]
    vectors = target_activations(model, ids, places)[1, 3].astype(float)
    l2 = to_upper(measure_pairs(vectors))[..., 2]
    assert np.argsort(-(l2 + l2.T).sum(axis=1))[:2].tolist() == [0, 1]
    of_pairs, of_cells = [], []
    for seed in range(8):
        pairs = measure_pairs(np.random.default_rng(seed).permuted(vectors, axis=1))  # (45, 3)
        of_pairs.append(np.corrcoef(pairs.T)[0, 1:])
        of_cells.append(np.corrcoef(to_upper(pairs).reshape(-1, 3).T)[0, 1:])
    assert np.min(of_cells) > 0
    assert np.all(np.min(of_pairs, axis=0) < 0) and np.all(np.max(of_pairs, axis=0) > 0)
