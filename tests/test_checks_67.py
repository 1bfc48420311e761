"""Checks of exercises 6 and 7 on answers that no trial of the gate gives."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure

from layerlab.articles import load_article
from layerlab.checks import CheckFailed, part6, part7
from layerlab.checks._core import compare
from layerlab.hooks import last_token_activations
from layerlab.models import load_model
from layerlab.sweeps import layer_information, measure_pairs, summarize, to_upper
from layerlab.tokens import context_windows, target_positions, tokenize


@pytest.fixture
def recorded():
    """Activations of a model of other sizes than the embedded one: 3 blocks, 6 targets."""
    return np.random.default_rng(0).normal(size=(2, 3, 6, 40)).astype(np.float32)


def information(norms):
    return np.stack([to_upper(part) for part in layer_information(norms)])


def says_one_line(capsys):
    output = capsys.readouterr().out
    return output.startswith("✓ ") and output.count("\n") == 1


def right_sweep(stack, gaps):
    return summarize(np.array([measure_pairs(part) for part in stack]), gaps)


def test_sizes_read_from_any_array(recorded, capsys):
    def sizes(stack):
        _, n_blocks, n, _ = stack.shape
        return n_blocks, n, n * (n - 1) / 2

    part6.check_shapes(sizes, recorded)
    assert says_one_line(capsys)
    with pytest.raises(CheckFailed, match="size hard-coded"):
        part6.check_shapes(lambda stack: (3, 6, 15), recorded)


def test_a_sweep_in_a_whole_is_right_in_one_of_another_size(recorded, capsys):
    part6.check_sweep(right_sweep, recorded)
    assert says_one_line(capsys)


def test_a_sweep_of_the_notebooks_data_is_named(recorded):
    def sweep(stack, gaps):
        return right_sweep(recorded, gaps)  # a name from outside, though no global one

    scope = {"right_sweep": right_sweep, "recorded": recorded}
    exec("def sweep(stack, gaps):\n    return right_sweep(recorded, gaps)", scope)
    with pytest.raises(CheckFailed, match="a variable of the notebook instead of the argument"):
        part6.check_sweep(scope["sweep"], recorded)
    with pytest.raises(CheckFailed, match="not right yet"):
        part6.check_sweep(sweep, recorded)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "expected: a function"),
        (lambda vectors: None, "nothing returned"),
        (lambda vectors: [[1, 2, 3], [4]], "expected: a number or an array"),
        (lambda vectors: vectors[99], "IndexError"),
        (lambda vectors: 2.0, "got:      the shape ()"),
        (lambda vectors: measure_pairs(vectors) * np.nan, "nan or infinity"),
    ],
    ids=["no function", "nothing", "ragged", "raises", "number", "nan"],
)
def test_what_is_no_answer_is_refused_in_words(answer, said, recorded):
    with pytest.raises(CheckFailed) as failure:
        part6.check_measures(answer, recorded)
    assert said in str(failure.value)


def test_a_place_no_mistake_explains_is_named(recorded):
    def sweep(stack, gaps):
        profile = right_sweep(stack, gaps)
        profile[1, 2, 1, 0] += 0.1
        return profile

    with pytest.raises(CheckFailed, match=r"\[1, 2, 1, 0\]") as failure:
        part6.check_sweep(sweep, recorded)
    assert "known mistake" not in str(failure.value)


@pytest.mark.parametrize(
    ("plain", "turned", "name"),
    [
        ("MI-measure", "MI-measure*", "turned without a word"),
        ("tau of -MI", "tau of -MI", "called turned without being so"),
        ("MI", "MI, turned", None),
    ],
)
def test_the_legend_says_of_a_turned_curve_that_it_is(plain, turned, name, capsys):
    def draw(profile, flip=False):
        figure = Figure()
        for part, (left, right) in zip(profile, figure.subplots(2, 2), strict=True):
            labels = [turned if flip else plain, "L1", "L2"]
            signs = [-1 if flip else 1, 1, 1]
            for m, label in enumerate(labels):
                left.plot(part[:, 0, m] / part[:, 0, m].max(), label=label)
                right.plot(signs[m] * part[:, 1, m], label=label)
        return figure

    if name is None:
        part6.check_panels(draw)
        assert says_one_line(capsys)
    else:
        with pytest.raises(CheckFailed, match=f"known mistake: {name}"):
            part6.check_panels(draw)


def test_a_figure_with_missing_panels_is_refused():
    def draw(profile, flip=False):
        figure = Figure()
        figure.subplots(1, 2)
        return figure

    with pytest.raises(CheckFailed, match="four panels"):
        part6.check_panels(draw)
    with pytest.raises(CheckFailed, match="none called A, B, C, D, E, F"):
        part7.check_panels(lambda bits, apart, upper: draw(bits), np.triu_indices(4, 1))


def test_drawing_must_not_change_the_profile():
    def draw(profile, flip=False):
        profile[:, :, 1, 0] *= -1
        figure = Figure()
        figure.subplots(2, 2)
        return figure

    with pytest.raises(CheckFailed, match="sign turned in the data"):
        part6.check_panels(draw)


def test_information_may_hide_what_is_not_measured(capsys):
    def with_nan(norms):
        bits = information(norms)
        bits[:, np.tri(bits.shape[1], dtype=bool)] = np.nan
        return bits

    part7.check_information(with_nan)
    assert says_one_line(capsys)


def test_information_below_the_diagonal_must_be_a_mirror_image():
    def unequal(norms):
        bits = information(norms)
        return bits + 2 * np.swapaxes(bits, 1, 2)

    with pytest.raises(CheckFailed, match="mirror image"):
        part7.check_information(unequal)


def test_information_as_a_ragged_list_is_refused():
    def ragged(norms):
        pairs = combinations(range(norms.shape[1]), 2)
        return [[0.0] * j for _, j in pairs]

    with pytest.raises(CheckFailed, match="a number or an array"):
        part7.check_information(ragged)


@pytest.mark.parametrize("upper", ["abc", 1.5, ([0], [99])], ids=["text", "number", "too far"])
def test_no_index_of_pairs_is_refused(upper):
    with pytest.raises(CheckFailed, match="the 6 pairs"):
        part7.check_upper(upper, np.ones((2, 4, 10)))


def test_distances_of_another_shape_are_refused():
    with pytest.raises(CheckFailed, match=r"the shape \(4, 4\)"):
        part7.check_distance(np.arange(4), np.ones((2, 4, 10)))


def test_pairs_under_a_mask_may_be_indexed_at_once(capsys):
    upper = np.triu(np.ones((4, 4), dtype=bool), 1)
    part7.check_upper(upper, np.random.default_rng(0).normal(size=(2, 4, 50)))
    capsys.readouterr()

    def draw(bits, apart, upper):
        figure = Figure()
        panels = figure.subplots(2, 3).ravel()
        for axes, letter in zip(panels, "ABCDEF", strict=True):
            axes.set_title(letter)
        for axes, matrix in zip(panels, [*bits, apart], strict=False):
            axes.imshow(matrix)
        for component in range(2):
            panels[3 + component].scatter(apart[upper], bits[component, upper])
        panels[5].scatter(*bits[:, upper])
        return figure

    part7.check_panels(draw, upper)
    assert says_one_line(capsys)
    with pytest.raises(CheckFailed, match="tuple index behind a colon or a number"):
        part7.check_panels(draw, np.triu_indices(4, 1))


@pytest.fixture(scope="module")
def coffees():
    """Model, ids and places of the exercise, and the right norms."""
    model, tokenizer = load_model()
    ids = tokenize(load_article(), tokenizer)
    places = target_positions(ids, tokenizer, " coffee")
    windows = context_windows(ids, places, 9)[:100]
    return (model, ids, places), np.linalg.norm(last_token_activations(model, windows), axis=-1)


def test_two_blocks_that_share_an_order_are_named_by_number(coffees):
    data, strength = coffees
    rng = np.random.default_rng(0)
    shuffled = rng.permuted(strength, axis=2)
    shuffled[1, [4, 7]] = rng.permutation(strength[1, [4, 7]], axis=1)
    with pytest.raises(CheckFailed, match="blocks 4 and 7 of the MLP") as failure:
        part7.check_floor(0.1, shuffled, *data)
    assert "known mistake" not in str(failure.value)


def test_the_floor_is_that_of_the_shuffled_norms_to_five_digits(coffees, capsys):
    data, strength = coffees
    shuffled = np.random.default_rng(1).permuted(strength, axis=2)
    floor = layer_information(shuffled).mean()
    part7.check_floor(floor, shuffled, *data)
    assert says_one_line(capsys)
    with pytest.raises(CheckFailed, match="floor: not right yet"):
        part7.check_floor(floor + 1e-4, shuffled, *data)


def test_a_mistake_stands_before_the_numbers(coffees):
    data, strength = coffees
    with pytest.raises(CheckFailed) as failure:
        part7.check_floor(0.1, strength, *data)
    lines = str(failure.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines] == [
        *("✗ shuffled", "This looks like a known mistake", "Hint", "expected")
    ]


def test_values_that_all_differ_are_described_as_a_whole():
    with pytest.raises(CheckFailed) as failure:
        compare("strength", np.full((2, 3), 5.0), np.arange(6.0).reshape(2, 3) / 10)
    text = str(failure.value)
    assert "from 0 to 0.5" in text and "every value differs" in text and " at [" not in text
