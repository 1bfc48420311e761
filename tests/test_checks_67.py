"""Checks of exercises 6 and 7 on answers that no trial of the gate gives."""

from itertools import combinations

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from layerlab.articles import load_article
from layerlab.checks import CheckFailed, part6, part7
from layerlab.hooks import last_token_activations, record
from layerlab.models import load_model
from layerlab.sweeps import layer_information, measure_pairs, summarize, to_upper
from layerlab.tokens import target_positions, tokenize


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
        return n_blocks, n, n * (n - 1) // 2

    part6.check_shapes(sizes, recorded)
    assert says_one_line(capsys)
    with pytest.raises(CheckFailed, match="size hard-coded"):
        part6.check_shapes(lambda stack: (3, 6, 15), recorded)
    with pytest.raises(CheckFailed, match="number of blocks .*\n.*a count with a decimal point"):
        part6.check_shapes(lambda stack: np.array(sizes(stack), dtype=float), recorded)


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
        (lambda vectors: [[1, 2, 3], [4]], "expected: a number, or an array of numbers"),
        (lambda vectors: vectors[99], "IndexError"),
        (lambda vectors: 2.0, "got:      a single number"),
        (lambda vectors: measure_pairs(vectors) * np.nan, "nan or infinity"),
    ],
    ids=["no function", "nothing", "ragged", "raises", "number", "nan"],
)
def test_what_is_no_answer_is_refused_in_words(answer, said, recorded):
    with pytest.raises(CheckFailed) as failure:
        part6.check_measures(answer, recorded)
    assert said in str(failure.value)


@pytest.mark.parametrize(
    "answer",
    [[[0.0]], np.zeros((2, 5, 2, 3), dtype=complex), np.ones((2, 5, 2, 3))],
    ids=["list", "complex", "ones"],
)
def test_room_for_answers_is_an_array_of_zeros(answer, recorded):
    with pytest.raises(CheckFailed, match="not right yet") as failure:
        part6.check_array(lambda n_blocks: answer, recorded)
    assert "known mistake" not in str(failure.value)


@pytest.mark.parametrize(
    ("wrong_taus", "name"),
    [
        (lambda taus: taus[..., [1]], "tau of one measure three times"),
        (lambda taus: 0, None),
        (lambda taus: taus.mean(axis=-1, keepdims=True), None),
        (np.trunc, None),
    ],
    ids=["one measure", "zeros", "equal", "whole"],
)
def test_equal_taus_have_a_name_only_where_it_is_true(wrong_taus, name, recorded):
    def sweep(stack, gaps):
        profile = right_sweep(stack, gaps)
        profile[:, :, 1] = wrong_taus(profile[:, :, 1])
        return profile

    with pytest.raises(CheckFailed) as failure:
        part6.check_sweep(sweep, recorded)
    assert f"known mistake: {name}." in str(failure.value) or name is None
    assert name or "known mistake" not in str(failure.value)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda profile, measures: measures[:, :, :, 0].mean(axis=3),  # no such axis
        lambda profile, measures: np.copyto(profile[:, :, 0], measures),  # no statistic at all
        lambda profile, measures: profile[2],
    ],
    ids=["axis", "unsummarised", "third component"],
)
def test_an_error_that_resembles_a_known_one_has_no_name(wrong, recorded):
    def sweep(stack, gaps):
        wrong(right_sweep(stack, gaps), measure_pairs(stack))

    with pytest.raises(CheckFailed, match="Error: ") as failure:
        part6.check_sweep(sweep, recorded)
    assert "known mistake" not in str(failure.value)


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
        ("MI", "turned", "turned, but no longer named"),
        ("MI", "MI, turned", None),
    ],
)
def test_the_legend_says_of_a_turned_curve_that_it_is(plain, turned, name, recorded, capsys):
    def draw(profile, flip=False):
        figure = Figure()
        for part, (left, right) in zip(profile, figure.subplots(2, 2), strict=True):
            labels = [turned if flip else plain, "L1", "L2"]
            signs = [-1 if flip else 1, 1, 1]
            for m, label in enumerate(labels):
                left.plot(part[:, 0, m] / part[:, 0, m].max(), label=("MI", "L1", "L2")[m])
                right.plot(signs[m] * part[:, 1, m], label=label)
        return figure

    if name is None:
        part6.check_panels(draw, recorded)
        assert says_one_line(capsys)
    else:
        with pytest.raises(CheckFailed, match=f"known mistake: {name}"):
            part6.check_panels(draw, recorded)


def test_a_figure_with_missing_panels_is_refused(recorded):
    def draw(profile, flip=False):
        figure = Figure()
        figure.subplots(1, 2)
        return figure

    with pytest.raises(CheckFailed, match="four panels"):
        part6.check_panels(draw, recorded)
    with pytest.raises(CheckFailed, match="none called A, B, C, D, E, F"):
        part7.check_panels(lambda bits, apart, upper: draw(bits), np.triu_indices(4, 1))


@pytest.mark.parametrize(
    ("place", "factor", "name"),
    [(np.s_[:, :, 1, 0], -1, "sign turned in the data"), (np.s_[:, :, 0], 0.5, None)],
)
def test_drawing_must_not_change_the_profile(place, factor, name, recorded):
    def draw(profile, flip=False):
        profile[place] *= factor
        figure = Figure()
        figure.subplots(2, 2)
        return figure

    with pytest.raises(CheckFailed, match="a profile left as it was") as failure:
        part6.check_panels(draw, recorded)
    assert ("known mistake" in str(failure.value)) == (name is not None)
    assert name is None or name in str(failure.value)


def test_a_wrong_order_is_shown_at_its_first_place(recorded):
    targets = np.array([3, 5, 9, 20])  # gaps 2, 6, 17, 4, 15, 11
    with pytest.raises(CheckFailed, match=r"gaps, at \[2\]: .*\n.*another order") as failure:
        part6.check_gaps([2, 6, 4, 17, 15, 11], targets)
    assert str(failure.value).endswith("expected: 17\n  got:      4")
    with pytest.raises(CheckFailed, match=r"at \[0, 0\]: .*\n.*measures in another order"):
        part6.check_measures(lambda X: measure_pairs(X)[:, [1, 0, 2]], recorded)
    with pytest.raises(CheckFailed, match=r"at \[0, 0, 0, 0\]: .*\n.*mean and tau swapped"):
        part6.check_sweep(lambda *given: right_sweep(*given)[:, :, ::-1], recorded)


def test_a_wrong_keyword_is_no_missing_call(recorded):
    with pytest.raises(CheckFailed, match="argument 'method'") as failure:
        part6.check_sweep(lambda *given: right_sweep(*given, method=2), recorded)
    assert "known mistake" not in str(failure.value)


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

    with pytest.raises(CheckFailed, match="a number, or an array of numbers"):
        part7.check_information(ragged)


@pytest.mark.parametrize(
    "upper",
    ["abc", 1.5, ([0], [99]), [[1, 2], [3]]],
    ids=["text", "number", "too far", "ragged"],
)
def test_no_index_of_pairs_is_refused(upper):
    with pytest.raises(CheckFailed, match="the 6 pairs"):
        part7.check_upper(upper, np.ones((2, 4, 10)))


def test_distances_of_another_shape_are_refused():
    with pytest.raises(CheckFailed, match=r"the shape \(4, 4\)"):
        part7.check_distance(np.arange(4), np.ones((2, 4, 10)))


def six_panels(bits, apart):
    """A figure with the matrices of exercise 7 in A to C, and D to F left for dots."""
    figure = Figure()
    panels = figure.subplots(2, 3).ravel()
    for axes, letter in zip(panels, "ABCDEF", strict=True):
        axes.set_title(letter)
    for axes, matrix in zip(panels, [*bits, apart], strict=False):
        axes.imshow(matrix)
    return figure, panels


def test_pairs_under_a_mask_may_be_indexed_at_once(capsys):
    upper = np.triu(np.ones((4, 4), dtype=bool), 1)
    part7.check_upper(upper, np.random.default_rng(0).normal(size=(2, 4, 50)))
    capsys.readouterr()

    def draw(bits, apart, upper):
        figure, panels = six_panels(bits, apart)
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
    """Model, ids and places of the exercise."""
    model, tokenizer = load_model()
    ids = tokenize(load_article(), tokenizer)
    return model, ids, target_positions(ids, tokenizer, " coffee")


@pytest.fixture
def norms():
    """Norms of 12 blocks for a hundred made-up coffees."""
    return np.random.default_rng(0).normal(10, 1, size=(2, 12, 100))


@pytest.mark.parametrize("n_early", [0, 1, 3])
def test_a_start_that_fits_this_article_only_is_named(n_early, capsys):
    places = np.r_[np.arange(n_early), np.arange(20, 4020, 20)]
    with pytest.raises(CheckFailed, match="made up here"):
        part7.check_choice(lambda places: places[n_early : n_early + 100], places)
    part7.check_choice(lambda places: places[places >= 9][:100], places)
    assert says_one_line(capsys)


def test_a_threshold_is_not_called_a_number_of_targets():
    with pytest.raises(CheckFailed) as failure:
        part7.check_choice(lambda places: places[places >= 5][:100], np.arange(5, 4000, 20))
    assert "known mistake" not in str(failure.value)


@pytest.mark.parametrize("answer", [(100, 9), (10, 100), (7, 7), 1000, None, "abc", (100, [1])])
def test_a_wrong_shape_does_not_print_the_right_one(answer):
    with pytest.raises(CheckFailed, match="two numbers") as failure:
        part7.check_shape(answer)
    text = str(failure.value)
    assert f"got:      {answer!r}" in text and "100, 10)" not in text and "100." not in text


def test_a_pass_leaves_no_hook_and_a_foreign_error_has_no_name(coffees):
    model, ids, places = coffees

    def one_pass(batch):
        with 3:
            pass

    with pytest.raises(CheckFailed, match="TypeError: 'int' object") as failure:
        part7.check_pass(one_pass, model, ids, places)
    assert "known mistake" not in str(failure.value)
    assert not model._forward_pre_hooks and not model.base_model._forward_hooks


def test_two_blocks_that_share_an_order_are_named_by_number(norms):
    def shuffle(strength, rng):
        shuffled = rng.permuted(strength, axis=2)
        shuffled[1, [4, 7]] = rng.permutation(strength[1, [4, 7]], axis=1)
        return shuffled

    with pytest.raises(CheckFailed, match="blocks 4 and 7 of the MLP") as failure:
        part7.check_shuffle(shuffle, norms)
    assert "known mistake" not in str(failure.value)


def test_a_shuffle_in_place_leaves_the_norms_as_they_were(norms):
    before = norms.copy()
    for shuffle in (
        lambda strength, rng: rng.shuffle(strength, axis=-1),
        lambda strength, rng: None,
    ):
        with pytest.raises(CheckFailed, match="known mistake: None returned"):
            part7.check_shuffle(shuffle, norms)
    np.testing.assert_array_equal(norms, before)


def test_the_average_takes_any_kind_of_index(capsys):
    mask = ~np.tri(12, dtype=bool)
    for upper in (mask, np.nonzero(mask)):
        part7.check_floor(lambda bits, upper: np.mean([m[upper] for m in bits]), upper)
        assert says_one_line(capsys)
    with pytest.raises(CheckFailed, match="not right yet"):
        part7.check_floor(lambda bits, upper: bits[:, upper].mean() + 1e-4, mask)
    part7.check_floor(lambda bits, upper: round(bits[:, upper].mean(), 12), mask)


def test_a_mistake_stands_before_the_numbers(norms):
    with pytest.raises(CheckFailed) as failure:
        part7.check_shuffle(lambda strength, rng: strength, norms)
    lines = str(failure.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines] == [
        *("✗ shuffle", "This looks like a known mistake", "Hint", "expected")
    ]


def refused_without_a_name(check, *given):
    with pytest.raises(CheckFailed, match="not right yet") as failure:
        check(*given)
    assert "known mistake" not in str(failure.value)
    return str(failure.value)


def test_choice_names_no_mistake_that_was_not_made():
    places = np.arange(10, 4000, 20)
    gaps = refused_without_a_name(
        part7.check_choice, lambda places: places[1:][np.diff(places) >= 9][:100], places
    )
    assert "(67,)" in gaps
    nothing = refused_without_a_name(
        part7.check_choice, lambda places: places[(places >= 9) & (places < 8000)][:100], places
    )
    assert "(0,)" in nothing
    floats = refused_without_a_name(
        part7.check_choice, lambda places: 1.0 * places[places >= 9][:100], places
    )
    assert "whole numbers" in floats and "float64" in floats


@pytest.mark.parametrize("kind", [float, object, np.int16, np.uint16, tuple, torch.tensor])
def test_a_batch_that_later_cells_cannot_use_is_refused(kind, coffees):
    _, ids, places = coffees
    batch = np.stack([ids[place - 9 : place + 1] for place in places[places >= 9][:100]])
    wrong = kind(batch) if kind in (tuple, torch.tensor) else batch.astype(kind)
    refused_without_a_name(part7.check_batch, wrong, ids, places)


def test_norms_as_a_tensor_are_refused(coffees):
    model, ids, places = coffees
    batch = np.stack([ids[place - 9 : place + 1] for place in places[places >= 9][:100]])
    strength = torch.as_tensor(last_token_activations(model, batch)).norm(dim=-1)
    assert "a Tensor" in refused_without_a_name(part7.check_strength, strength, model, ids, places)


def test_a_mask_of_floats_is_no_tensor_of_float_tokens(coffees, capsys):
    model, ids, places = coffees

    def one_pass(batch):
        with record(model, positions=[-1]) as heard, torch.no_grad():
            model(torch.as_tensor(batch), attention_mask=torch.ones(batch.shape))
        return heard.stack()

    part7.check_pass(one_pass, model, ids, places)
    assert says_one_line(capsys)


def test_a_component_that_is_not_there_is_no_index_of_pairs():
    upper = np.triu_indices(12, 1)
    assert "IndexError" in refused_without_a_name(
        part7.check_floor, lambda bits, upper: bits[[1, 2]].mean(), upper
    )


def test_a_wrong_distance_is_shown_where_it_stands(norms):
    apart = np.arange(12) - np.arange(12)[:, None]
    apart[3, 5:7] = 0
    text = refused_without_a_name(part7.check_distance, apart, norms)
    assert text.endswith("expected: 2 at [3, 5]\n  got:      0 there; 2 of 66 values differ")


@pytest.mark.parametrize(
    ("dots", "got"),
    [
        (lambda x, y: (np.mean(x), np.mean(y)), "1 dot, x from 2 to 2"),
        (lambda x, y: (np.tile(x, 2), np.tile(y, 2)), "20 dots"),
        (lambda x, y: (x[:3], y[:3]), "3 dots, x from 1 to 3"),
        (lambda x, y: ([], []), "no dots"),
        (lambda x, y: (y, x), "y from 1 to 4"),  # the one that has a name: x and y swapped
    ],
    ids=["mean", "twice", "some", "none", "swapped"],
)
def test_dots_are_told_by_number_and_reach(dots, got):
    def draw(bits, apart, upper):
        figure, panels = six_panels(bits, apart)
        for component in range(2):
            panels[3 + component].scatter(*dots(apart[upper], bits[component][upper]))
        panels[5].scatter(bits[0][upper], bits[1][upper])
        return figure

    with pytest.raises(CheckFailed, match="10 dots, x from 1 to 4, y from 0") as failure:
        part7.check_panels(draw, np.triu_indices(4, 1))
    text = str(failure.value)
    assert got in text and ("known mistake" in text) == ("y from 1 to 4" in text)


@pytest.mark.parametrize(
    ("shuffle", "got"),
    [
        (lambda s, rng: np.dstack([s[:, :, :1], rng.permuted(s[:, :, 1:], axis=2)]), "one coffee"),
        (lambda s, rng: np.dstack([rng.permuted(s[:, :, 1:], axis=2), s[:, :, :1]]), "one coffee"),
        (lambda s, rng: np.stack([rng.permuted(part) for part in s]), "in every block"),
        (lambda s, rng: 2 * rng.permuted(s, axis=2), "values that were given"),
    ],
    ids=["first stays", "first is always last", "heap of a component", "doubled"],
)
def test_a_shuffle_that_is_nearly_right_has_no_name(shuffle, got, norms):
    assert got in refused_without_a_name(part7.check_shuffle, shuffle, norms)


def test_an_average_counts_the_pairs_that_it_is_given():
    upper = np.triu_indices(12, 1)
    apart = np.arange(12) - np.arange(12)[:, None]
    for average in (lambda bits, _: bits.sum() / 132, lambda bits, _: bits[:, apart > 0].mean()):
        assert "5 blocks" in refused_without_a_name(part7.check_floor, average, upper)
