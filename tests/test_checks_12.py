"""What a student of exercises 1 and 2 sees, beyond the trials of the gate."""

import math
from functools import partial

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.spatial import distance

from layerlab.checks import CheckFailed, part1, part2
from layerlab.examples import noisy_curve
from layerlab.information import histogram_mutual_information, mutual_information

U, V = np.random.default_rng(6).standard_normal((2, 100))
CUPS, SCORE = (2 * noisy_curve()[0] + 2), noisy_curve()[1]


def raises(*_):
    raise ZeroDivisionError("division by zero")


STRANGE = {
    "none": None,
    "text": "yes",
    "dots": ...,
    "empty": [],
    "complex": 1j,
    "nan": np.nan,
    "ragged": [[1], [1, 2]],
    "mixed": [1, "a"],
    "table": np.zeros((8, 8)),
    "a function that raises": raises,
    "a function that returns nothing": lambda *_: None,
    "a function that returns text": lambda *_: "yes",
    "a function that returns a list": lambda *_: [0.0, 1.0],
    "a function that returns what it gets": lambda first, *_: first,
    "a figure with nothing in it": lambda *_: Figure(),
    "a figure with empty axes": lambda *_: Figure().subplots(1, 2)[0].figure,
}
CHECKS = {  # every answer of a check is strange; the data are as they are
    "vectors": (part1.check_vectors, 2, ()),
    "by hand": (part1.check_by_hand, 1, (U, V)),
    "scipy": (part1.check_scipy, 2, (U, V)),
    "agreement": (part1.check_agreement, 1, ()),
    "orders": (part1.check_orders, 2, ([1, 2, 5], U, V)),
    "units": (part1.check_units, 2, (U, 100 * V)),
    "data": (part2.check_data, 3, ()),
    "counts": (part2.check_counts, 3, (CUPS, SCORE)),
    "image": (part2.check_image, 1, ()),
    "probabilities": (part2.check_probabilities, 3, (CUPS, SCORE)),
    "entropy": (part2.check_entropy, 1, ()),
    "information": (part2.check_information, 1, (CUPS, SCORE)),
    "neighbours": (part2.check_neighbours, 1, (CUPS, SCORE)),
    "bins": (part2.check_bins, 3, (CUPS, SCORE)),
    "curve": (part2.check_curve, 1, ()),
    "correlation": (part2.check_correlation, 1, (CUPS, SCORE)),
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize(("check", "n_answers", "data"), CHECKS.values(), ids=CHECKS)
def test_strange_answers_fail_in_words(check, n_answers, data, strange):
    with pytest.raises(CheckFailed, match="not right yet"):
        check(*[strange] * n_answers, *data)


@pytest.mark.parametrize("strange", ["text", "ragged", "none"])
def test_later_answers_fail_in_words_too(strange):
    study = _study(347, 2)
    counts, *edges = np.histogram2d(CUPS, SCORE, 8)
    probabilities = counts / counts.sum()
    answer = STRANGE[strange]
    with pytest.raises(CheckFailed, match="✗ pair"):
        part1.check_vectors(_vectors, answer)
    with pytest.raises(CheckFailed, match="✗ score"):
        part2.check_data(_study, study[0], answer)
    with pytest.raises(CheckFailed, match="✗ score_edges"):
        part2.check_counts(counts, edges[0], answer, CUPS, SCORE)
    with pytest.raises(CheckFailed, match="✗ p_score"):
        part2.check_probabilities(probabilities, probabilities.sum(1), answer, CUPS, SCORE)
    with pytest.raises(CheckFailed, match="✗ numbers"):
        part2.check_bins(histogram_mutual_information, answer, [], CUPS, SCORE)
    with pytest.raises(CheckFailed, match="✗ curve"):
        part2.check_bins(histogram_mutual_information, range(4, 25), answer, CUPS, SCORE)


def test_a_forgotten_root_is_explained_without_the_answer():
    with pytest.raises(CheckFailed) as caught:
        part1.check_by_hand(lambda u, v, p: np.sum(np.abs(u - v) ** p), U, V)
    first, *rest = str(caught.value).splitlines()
    assert first == "✗ by_hand(u, v, p) for p = 1, 1.5, 2, 3: not right yet."
    (expected,) = (line for line in rest if "expected:" in line)
    (got,) = (line for line in rest if "got:" in line)
    true = distance.minkowski(U, V, 2)
    assert f"{true:.4f}"[:5] in expected
    assert f"{true**2:.4f}"[:5] in got
    assert any("root forgotten" in line for line in rest)
    assert "1 / p" not in str(caught.value)


def test_two_mistakes_at_once_get_no_wrong_name():
    def mean_and_no_root(u, v, p):
        return np.mean(np.abs(u - v) ** p)

    with pytest.raises(CheckFailed) as caught:
        part1.check_by_hand(mean_and_no_root, U, V)
    assert "known mistake" not in str(caught.value)
    assert "every value differs" in str(caught.value)


def test_a_function_that_changes_its_vectors_is_refused_and_the_students_survive_it():
    u, v = U.copy(), V.copy()

    def changes_u(u, v, p):
        u -= v
        return np.sum(np.abs(u) ** p) ** (1 / p)

    with pytest.raises(CheckFailed, match="vectors changed"):
        part1.check_by_hand(changes_u, u, v)
    assert np.array_equal(u, U)


def test_wrong_vectors_are_blamed_only_for_an_answer_that_is_wrong():
    x, y = np.random.default_rng(0).standard_normal((2, 100))
    part1.check_units(np.linalg.norm(x - y), 100 * np.linalg.norm(x - y), x, 100 * y)
    with pytest.raises(CheckFailed, match="✗ u: .*\n.*other vectors than the exercise's"):
        part1.check_units(np.linalg.norm(U - V), 100 * np.linalg.norm(U - V), 100 * U, 100 * V)
    with pytest.raises(CheckFailed, match="✗ in_metres: .*\n.*two units in one distance"):
        part1.check_units(np.linalg.norm(U - 100 * V), 0, U, 100 * V)


def test_a_recipe_that_was_not_called_is_called_a_function():
    with pytest.raises(CheckFailed, match="got:      a function"):
        part1.check_vectors(_vectors, _vectors)


def test_other_data_are_as_right_as_those_of_the_exercise():
    x, y = np.random.default_rng(0).standard_normal((2, 50))
    part2.check_information(histogram_mutual_information(x, y, 8), x, y)
    part2.check_neighbours(mutual_information, x, y)
    part2.check_correlation(np.corrcoef(x, y)[0, 1], x, y)
    part1.check_scipy(np.abs(x - y).sum(), np.linalg.norm(x - y), x, y)


def unfilled(*_):
    return ____  # noqa: F821


UNFILLED = {name: (check, n, data) for name, (check, n, data) in CHECKS.items() if n == 1}
UNFILLED["vectors"], UNFILLED["data"] = CHECKS["vectors"], CHECKS["data"]
UNFILLED["bins"] = CHECKS["bins"]
NO_FUNCTION = {"information", "correlation"}


@pytest.mark.parametrize("name", sorted(UNFILLED.keys() - NO_FUNCTION))
def test_an_unfilled_blank_in_a_function_is_said_in_a_line(name):
    check, n_answers, data = UNFILLED[name]
    with pytest.raises(CheckFailed, match="____") as caught:
        check(*[unfilled] * n_answers, *data)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "same",
    [
        math.isclose,
        partial(np.isclose, atol=0),
        partial(np.allclose, atol=0),
        lambda one, other: abs(one - other) <= 1e-9 * max(abs(one), abs(other)),
        lambda one, other: abs(one - other) <= 1e-12 * abs(one),
        lambda one, other: one == other or (other != 0 and abs(one / other - 1) < 1e-9),
        lambda one, other: one == pytest.approx(other, rel=1e-9, abs=0),
    ],
)
def test_comparisons_that_follow_the_size_pass(same):
    part1.check_agreement(same)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-8, 1e-12, 1e-15, 1e-29])
def test_a_tolerance_that_stays_as_it_is_is_found(tolerance):
    for same in (
        partial(np.isclose, atol=tolerance),
        partial(math.isclose, abs_tol=tolerance),
        lambda one, other: abs(one - other) <= tolerance * max(1, abs(one)),
    ):
        with pytest.raises(CheckFailed, match="does not shrink with the numbers"):
            part1.check_agreement(same)


def test_a_zero_is_forgotten_in_a_bound_and_in_a_quotient_of_either_kind_of_number():
    for same in (
        lambda one, other: abs(one - other) < 1e-12 * abs(one),
        lambda one, other: abs(one / other - 1) < 1e-9,
        lambda one, other: one == other or abs(one / other - 1) < 1e-9,
        lambda one, other: one == other or abs(one - other) / abs(one) < 1e-9,
        lambda one, other: np.abs(one - other) / np.float64(abs(other)) < 1e-6,
    ):
        with pytest.raises(CheckFailed, match="zero forgotten"):
            part1.check_agreement(same)


@pytest.mark.parametrize(
    "same",
    [
        lambda one, other: True,
        lambda one, other: False,
        lambda one, other: one != other,
        lambda one, other: one / other,
        lambda one, other: int(math.isclose(one, other)),
        lambda one, other: abs(one - other) <= 1e-9 * math.sqrt(abs(one * other)),
    ],
)
def test_what_is_no_comparison_of_two_numbers_gets_no_name(same):
    with pytest.raises(CheckFailed, match="not right yet") as caught:
        part1.check_agreement(same)
    assert "known mistake" not in str(caught.value)


@pytest.mark.parametrize("epsilons", [0.5, 1, 2, 3, 4, 5, 8, 64])
def test_a_bound_that_is_too_small_is_not_taken_for_rounding(epsilons):
    bound = epsilons * np.finfo(float).eps
    with pytest.raises(CheckFailed, match="bound too small|identical instead of close"):
        part1.check_agreement(lambda one, other: abs(one - other) <= bound * abs(one))


@pytest.mark.parametrize("digits", range(2, 14))
def test_rounding_to_any_digit_is_found(digits):
    for same in (
        lambda one, other: round(one, digits) == round(other, digits),
        lambda one, other: np.round(one, digits) == np.round(other, digits),
        lambda one, other: f"{one:.{digits}f}" == f"{other:.{digits}f}",
    ):
        with pytest.raises(CheckFailed, match="rounded before the comparison"):
            part1.check_agreement(same)


def test_numbers_of_another_generator_are_refused_without_a_name():
    def twister(size, seed):
        return np.random.Generator(np.random.MT19937(seed)).standard_normal((2, size))

    with pytest.raises(CheckFailed, match="vectors that begin with") as caught:
        part1.check_vectors(twister, twister(100, 6))
    assert "known mistake" not in str(caught.value)


def test_lists_are_refused_that_later_cells_cannot_use():
    def lists(size, seed):
        return _vectors(size, seed).tolist()

    for draw, pair in ((lists, _vectors(100, 6)), (_vectors, lists(100, 6))):
        with pytest.raises(CheckFailed, match="NumPy arrays"):
            part1.check_vectors(draw, pair)


def test_a_pair_is_called_one_of_another_seed_only_if_it_is():
    with pytest.raises(CheckFailed, match="called with another seed"):
        part1.check_vectors(_vectors, _vectors(100, 7))
    with pytest.raises(CheckFailed, match="pair") as caught:
        part1.check_vectors(_vectors, 2 * _vectors(100, 6))
    assert "known mistake" not in str(caught.value)


def test_nan_that_no_power_makes_gets_no_name_of_a_power():
    with pytest.raises(CheckFailed, match="nan or infinity"):
        part1.check_by_hand(lambda u, v, p: np.nan, U, V)


@pytest.mark.parametrize("kind", [set, dict.fromkeys, lambda values: dict.fromkeys(values).keys()])
def test_distances_in_something_else_than_a_list_are_refused_in_words(kind):
    lengths = kind([distance.minkowski(U, V, p) for p in (1, 2, 5)])
    with pytest.raises(CheckFailed, match="a list or an array of 3 numbers") as caught:
        part1.check_orders(lengths, distance.chebyshev(U, V), [1, 2, 5], U, V)
    assert "known mistake" not in str(caught.value)


def test_a_typed_limit_shows_the_digits_in_which_it_differs():
    orders = [1, 2, 5]
    lengths = [distance.minkowski(U, V, p) for p in orders]
    with pytest.raises(CheckFailed, match="digits missing") as caught:
        part1.check_orders(lengths, round(distance.chebyshev(U, V), 5), orders, U, V)
    lines = [line.split()[-1] for line in str(caught.value).splitlines()]
    assert len(set(lines)) == len(lines)


def _curve_with(line):
    def draw(numbers, curve, reference):
        figure = Figure()
        axes = figure.subplots()
        axes.plot(numbers, curve, "o-", label="histogram")
        line(axes, numbers, reference)
        axes.legend()
        return figure

    return draw


LINES = {
    "axhline": lambda axes, _, at: axes.axhline(at, ls="--", label="k-NN"),
    "its whole width": lambda axes, _, at: axes.axhline(at, 0, 1, ls="dashed", label="k-NN"),
    "hlines": lambda axes, n, at: axes.hlines(at, n[0], n[-1], ls="--", label="k-NN"),
    "own dashes": lambda axes, n, at: axes.hlines(at, n[0], n[-1], ls=(0, (5, 5)), label="k-NN"),
    "axline": lambda axes, _, at: axes.axline((4, at), slope=0, ls="--", label="k-NN"),
    "axline before": lambda axes, _, at: axes.axline((0, at), (1, at), ls="--", label="k-NN"),
    "wide axes": lambda axes, _, at: (
        axes.axhline(at, ls="--", label="k-NN"),
        axes.set_xlim(0, 30),
    ),
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_dashed_line_across_passes_however_it_is_drawn(line):
    part2.check_curve(_curve_with(line))


UNLIKE = {
    "half": (lambda axes, _, at: axes.axhline(at, 0, 0.5, ls="--", label="k"), "beside"),
    "short": (lambda axes, _, at: axes.plot([6, 20], [at, at], "--", label="k"), "beside"),
    "dotted": (lambda axes, _, at: axes.axline((4, at), slope=0, ls=":", label="k"), "dotted"),
    "dash-dotted": (lambda axes, _, at: axes.hlines(at, 2, 26, ls="-.", label="k"), "dash-dot"),
    "sloping": (lambda axes, _, at: axes.axline((4, at), slope=1, ls="--"), "a horizontal"),
    "upright": (lambda axes, _, at: axes.axline((at, 0), (at, 1), ls="--"), "vertical line"),
    "elsewhere": (lambda axes, _, at: axes.axhline(at + 0.1, ls="--"), "one at 1.913"),
    "markers": (lambda axes, n, at: axes.plot(n, 0 * n + at, "o"), "one that is invisible"),
}


@pytest.mark.parametrize(("line", "words"), UNLIKE.values(), ids=UNLIKE)
def test_another_line_is_refused(line, words):
    with pytest.raises(CheckFailed, match=words):
        part2.check_curve(_curve_with(line))


def test_counts_the_other_way_round_show_a_box_that_differs():
    tally, *edges = np.histogram2d(SCORE, CUPS, 8)
    with pytest.raises(CheckFailed, match="score before cups") as caught:
        part2.check_counts(tally, *edges, CUPS, SCORE)
    lines = str(caught.value).splitlines()
    (expected,) = (line.split()[1] for line in lines if "expected:" in line)
    (got,) = (line.split()[1] for line in lines if "got:" in line)
    assert expected != got


def test_a_transposed_joint_distribution_shows_a_box_that_differs():
    joint = np.histogram2d(SCORE, CUPS, 8)[0] / len(CUPS)
    with pytest.raises(CheckFailed, match="rows and columns exchanged") as caught:
        part2.check_probabilities(joint, joint.sum(0), joint.sum(1), CUPS, SCORE)
    assert "(cups bin " in str(caught.value)


def test_people_drawn_another_way_are_right_too():
    def study(size, seed):
        rng = np.random.default_rng(seed)
        cups = [4 * rng.random() for _ in range(size)]
        return cups, [np.sin(np.pi * c / 4) + rng.normal(0, 0.2) for c in cups]

    part2.check_data(study, *map(np.array, study(347, 2)))


def test_people_in_lists_are_refused_that_later_cells_cannot_use():
    cups, score = _study(347, 2)
    for people in ((cups.tolist(), score), (cups, score.tolist())):
        with pytest.raises(CheckFailed, match="expected: a NumPy array\n  got:      a list"):
            part2.check_data(_study, *people)


@pytest.mark.parametrize(
    "change",
    [
        lambda cups, score: (5 * cups / 4, score),
        lambda cups, score: (cups, np.clip(score, 0, 1)),
        lambda cups, score: (cups, np.clip(score, -1, 1)),
        lambda cups, score: (cups, score + 0.1),
        lambda cups, score: (cups, 0.2 * score),
        lambda cups, score: (cups, np.sin(np.pi * cups / 4) + 0.2 * np.sign(score - 0.6)),
        lambda cups, score: (cups, np.floor(np.pi * cups / 4) / 2 + score),
    ],
    ids=["up to five", "cut at 0 and 1", "cut at 1", "moved", "scaled", "two values", "steps"],
)
def test_people_of_a_rare_kind_get_no_wrong_name(change):
    def study(size, seed):
        return change(*_study(size, seed))

    with pytest.raises(CheckFailed, match="not right yet") as caught:
        part2.check_data(study, *study(347, 2))
    assert "known mistake" not in str(caught.value)


def test_a_recipe_that_returns_the_score_first_is_named():
    with pytest.raises(CheckFailed, match="cups and score exchanged"):
        part2.check_data(lambda size, seed: _study(size, seed)[::-1], *_study(347, 2)[::-1])


def test_one_generator_may_draw_the_noise_before_the_cups_but_two_of_one_seed_are_named():
    def study(size, seed, n_generators):
        rngs = [np.random.default_rng(seed) for _ in range(n_generators)]
        noise, cups = rngs[0].standard_normal(size), rngs[-1].uniform(0, 4, size)
        return cups, np.sin(np.pi * cups / 4) + 0.2 * noise

    part2.check_data(partial(study, n_generators=1), *study(347, 2, 1))
    with pytest.raises(CheckFailed, match="a generator of its own for the noise"):
        part2.check_data(partial(study, n_generators=2), *study(347, 2, 2))


@pytest.mark.parametrize(
    "draw_noise",
    [
        lambda _, size, seed: np.random.default_rng(seed).standard_normal(size),
        lambda rng, size, _: rng.uniform(-np.sqrt(3), np.sqrt(3), size),
    ],
    ids=["two generators", "uniform"],
)
def test_noise_of_the_right_spread_is_refused_by_what_differs(draw_noise):
    def study(size, seed):
        rng = np.random.default_rng(seed)
        cups = rng.uniform(0, 4, size)
        return cups, np.sin(np.pi * cups / 4) + 0.2 * draw_noise(rng, size, seed)

    with pytest.raises(CheckFailed, match="known mistake") as caught:
        part2.check_data(study, *study(347, 2))
    *_, expected, got = str(caught.value).splitlines()
    assert "one draw" in expected or ("normal noise" in expected and "from -0.35 to 0.35" in got)


def test_people_who_are_exchanged_or_differ_at_every_call_are_not_said_to_have_another_seed():
    def without_seed(size, _):
        return _study(size, None)

    with pytest.raises(CheckFailed, match="cups and score exchanged"):
        part2.check_data(_study, *_study(347, 2)[::-1])
    with pytest.raises(CheckFailed, match="other people at every call"):
        part2.check_data(without_seed, *_study(347, 2))


def test_a_line_at_a_height_of_its_own_that_follows_the_arguments_gets_no_name():
    draw = _curve_with(lambda axes, numbers, at: axes.axhline(at / 2 + numbers[0], ls="--"))
    with pytest.raises(CheckFailed, match="one at 2.906") as caught:
        part2.check_curve(draw)
    assert "known mistake" not in str(caught.value)


def test_a_line_cut_down_to_a_whole_number_is_not_said_to_ignore_the_arguments():
    draw = _curve_with(lambda axes, numbers, at: axes.plot(numbers, np.full_like(numbers, at)))
    with pytest.raises(CheckFailed, match="one at 1") as caught:
        part2.check_curve(draw)
    assert "known mistake" not in str(caught.value)


@pytest.mark.parametrize(
    "look_up",
    [lambda axes, edges: edges[len(edges)], lambda axes, edges: axes.figure.axes[2]],
    ids=["edge", "panel"],
)
def test_an_index_that_is_not_the_notebooks_gets_no_name(look_up):
    def draw(cups, score, counts, x_edges, y_edges):
        look_up(Figure().subplots(), x_edges)

    with pytest.raises(CheckFailed, match="IndexError") as caught:
        part2.check_image(draw)
    assert "known mistake" not in str(caught.value)


def test_an_image_of_the_whole_screen_in_one_colour_is_wrong_without_a_name():
    def draw(cups, score, counts, x_edges, y_edges):
        figure = Figure()
        extent = (x_edges[0], x_edges[-1], y_edges[0], y_edges[-1])
        figure.subplots().imshow(np.ones((3, 3)), extent=extent)
        return figure

    with pytest.raises(CheckFailed, match="boxes differ") as caught:
        part2.check_image(draw)
    assert "known mistake" not in str(caught.value)


def _panels(change, divisor=1):
    def draw(cups, score, counts, x_edges, y_edges):
        figure = Figure()
        extent = (x_edges[0], x_edges[-1], y_edges[0], y_edges[-1])
        axes = figure.subplots()
        image = axes.imshow(counts.T / divisor, origin="lower", extent=extent)
        figure.colorbar(image, label="Count")
        change(axes)
        return figure

    return draw


def test_a_panel_that_is_turned_afterwards_is_wrong_without_the_extents_name():
    part2.check_image(_panels(lambda axes: axes.set_title("B")))
    for turn in (Axes.invert_yaxis, Axes.invert_xaxis):
        with pytest.raises(CheckFailed, match="the other way round") as caught:
            part2.check_image(_panels(turn))
        assert "known mistake" not in str(caught.value)


def test_shares_in_the_colours_of_counts_are_said_to_be_other_numbers():
    with pytest.raises(CheckFailed, match="the same colours for numbers from 0 to 0.168"):
        part2.check_image(_panels(lambda axes: None, divisor=500))


def test_a_constant_is_told_from_a_sum_of_probabilities():
    with pytest.raises(CheckFailed, match="the notebook's values"):
        part2.check_entropy(lambda q: 2.99)
    with pytest.raises(CheckFailed, match="not right yet") as caught:
        part2.check_entropy(np.sum)
    assert "known mistake" not in str(caught.value)


def _vectors(size, seed):
    return np.random.default_rng(seed).standard_normal((2, size))


def _study(size, seed):
    rng = np.random.default_rng(seed)
    cups = rng.uniform(0, 4, size)
    return cups, np.sin(np.pi * cups / 4) + 0.2 * rng.standard_normal(size)
