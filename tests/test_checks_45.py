"""Checks of exercises 4 and 5, beyond the trials: odd answers, and what a check must not touch."""

import inspect
import re
from functools import partial
from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure

from layerlab.articles import load_article
from layerlab.checks import CheckFailed, part4, part5
from layerlab.distances import minkowski
from layerlab.hooks import target_activations
from layerlab.information import mutual_information
from layerlab.statistics import kendall_tau
from layerlab.sweeps import measure_pairs, position_distances, to_upper
from layerlab.tokens import target_positions, tokenize

PLACES = np.array([4, 10, 165, 255, 315])
GAPS = position_distances(PLACES)


def named(error: CheckFailed) -> list[str]:
    """Names of the mistakes that a failed check gives."""
    return re.findall(r"known mistake: (.*)\.$", str(error), re.MULTILINE)


def four_tables(n):
    return [np.zeros((n, n)) for _ in range(4)]


def measure_all(vectors, places):
    """Right tables, by other names than those of the solution, tokens as decimals."""
    bits, l1, l2, apart = four_tables(len(vectors))
    for first in range(len(vectors)):
        for second in range(first + 1, len(vectors)):
            pair = vectors[first], vectors[second]
            bits[first, second] = mutual_information(*pair)
            l1[first, second] = minkowski(*pair, 1)
            l2[first, second] = minkowski(*pair, 2)
            apart[first, second] = places[second] - places[first]
    return bits, l1, l2, apart


def two_of_three(vectors, places):
    bits, l1, l2, apart = measure_all(vectors, places)
    l2[2:] = 0
    return bits, l1, l2, apart


def empty_panels(numbers):
    figure = Figure()
    figure.subplots(2, 3)
    return figure


def untitled(tables, gaps, taus):
    figure = Figure()
    figure.subplots(2, 4)
    return figure


def counting_equal_differences(x, y):
    a, b = np.tril_indices(len(x), -1)
    return 2 * np.mean(x[a] - x[b] == y[a] - y[b]) - 1


def draw_positions(tables, gaps, taus, limit=float, **options):
    """Right panels, drawn without the exercise's own functions."""
    figure = Figure()
    axes = dict(zip("ABCDEFG", figure.subplots(2, 4).ravel(), strict=False))
    pairs = np.triu_indices(len(gaps), 1)
    for above, below, table, (tau, p) in zip("ABC", "EFG", tables, taus, strict=True):
        axes[above].imshow(hide_unmeasured(table), **options)
        axes[above].set_title(above)
        axes[below].scatter(gaps[pairs], table[pairs])
        axes[below].set_title(f"{below} {tau} {p}")
    axes["D"].imshow(hide_unmeasured(gaps), vmin=0, vmax=limit(0.8 * gaps.max()))
    axes["D"].set_title("D")
    return figure


def hide_unmeasured(table):
    """Right for one table; of a stack of tables it hides along the wrong axes."""
    shown = table.astype(float)
    shown[np.tril_indices(len(table))] = np.nan
    return shown


def test_whole_functions_of_other_forms_pass(capsys):
    part4.check_tables(four_tables)
    part4.check_all_pairs(measure_all)
    columns, rows = np.tril_indices(5, -1)  # column by column
    part5.check_lists(list(rows), list(columns), PLACES[columns] - PLACES[rows], PLACES)
    part5.check_panels(draw_positions, PLACES)
    assert capsys.readouterr().out.count("✓") == 4


@pytest.mark.parametrize(
    ("check", "arguments"),
    [
        (part4.check_pick, ("vecs", np.zeros((2, 12, 10, 6)))),
        (part4.check_pick, (None, np.zeros((2, 12, 10, 6)))),
        (part4.check_measure, (lambda x, y: 1.5,)),
        (part4.check_measure, (lambda x, y: (1.30674, 28.1611, 4.06542),)),
        (part4.check_measure, (lambda x, y: ("a", "b", "c"),)),
        (part4.check_measure, (lambda x, y: (1.0, 2.0),)),
        (part4.check_tables, (lambda n: np.zeros(n),)),
        (part4.check_tables, (lambda n: [None] * 4,)),
        (part4.check_tables, (lambda n: [np.zeros((n, n + 1))] * 4,)),
        (part4.check_tables, (lambda n: [np.broadcast_to(0.0, (n, n)) for _ in range(4)],)),
        (part4.check_all_pairs, (lambda vectors, places: "tables",)),
        (part4.check_all_pairs, (lambda vectors, places: [np.zeros(6)] * 4,)),
        (part4.check_all_pairs, (two_of_three,)),
        (part4.check_above, (lambda table: "numbers",)),
        (part4.check_above, (lambda table: table[0],)),
        (part4.check_above, (lambda table: np.triu(np.ones_like(table), 1) > 0,)),
        (part4.check_shares, (lambda pairs: pairs.T,)),
        (part4.check_relations, (empty_panels, part4.COUPLES)),
        (part4.check_relations, (empty_panels, "couples")),
        (part4.check_relations, (empty_panels, [(0, 1), (0, 2), (1, 3)])),
        (part4.check_relations, (empty_panels, [(0, 1), (0, 2), (0, 2)])),
        (part4.check_relations, (empty_panels, [(0, 1), (0, 2), (1.0, 2.0)])),
        (part4.check_relations, (empty_panels, [(0, 1), (0, 2), (1,)])),
        (part4.check_relations, (lambda numbers: 3, part4.COUPLES)),
        (part5.check_counting, (lambda x, y: "much",)),
        (part5.check_counting, (lambda x, y: 0.123,)),
        (part5.check_counting, (lambda x, y: [0.6, 0.5],)),
        (part5.check_counting, (lambda x, y: round(kendall_tau(x, y).tau, 2),)),
        (part5.check_counting, (counting_equal_differences,)),
        (part5.check_lists, ([0, 1], [1], [6], PLACES)),
        (part5.check_lists, ([0.5], [1.5], [6], PLACES)),
        (part5.check_lists, ("rows", "columns", "gaps", PLACES)),
        (part5.check_lists, (*np.hsplit(np.argwhere(np.tri(5, k=-1).T), 2), GAPS, PLACES)),
        (part5.check_tau, (lambda table: 0.5, PLACES)),
        (part5.check_hidden, (lambda table: "nothing",)),
        (part5.check_hidden, (lambda table: table[0],)),
        (part5.check_hidden, (lambda table: np.where(np.tri(len(table)), np.inf, table),)),
        (part5.check_panels, (untitled, PLACES)),
        (part5.check_panels, (lambda *arguments: [], PLACES)),
        (part5.check_panels, (partial(draw_positions, limit=int), PLACES)),
        (part5.check_panels, (partial(draw_positions, extent=(0, 1, 1, 0)), PLACES)),
        (part5.check_renamed, (lambda table, order: 4,)),
        (part5.check_renamed, (lambda table, order: "names",)),
        (part5.check_renamed, (lambda table, order: np.take(table + table.T, order),)),
        (part5.check_renamed, (lambda table, order: np.sort(table + table.T),)),
        (part5.check_p_value, (lambda shuffled, observed: "small",)),
        (part5.check_p_value, (lambda shuffled, observed: "0.9",)),
        (part5.check_p_value, (lambda shuffled, observed: shuffled[shuffled > observed],)),
        (part5.check_p_value, (lambda shuffled, observed: abs(shuffled - observed).mean(),)),
    ],
)
def test_an_odd_answer_fails_in_words_and_without_a_wrong_name(check, arguments):
    with pytest.raises(CheckFailed) as failure:
        check(*arguments)
    assert named(failure.value) == []
    assert "Traceback" not in str(failure.value)


@pytest.mark.parametrize(
    ("check", "arguments"),
    [
        (part4.check_measure, ()),
        (part4.check_tables, ()),
        (part4.check_all_pairs, ()),
        (part4.check_above, ()),
        (part4.check_shares, ()),
        (part4.check_relations, (part4.COUPLES,)),
        (part5.check_counting, ()),
        (part5.check_tau, (PLACES,)),
        (part5.check_hidden, ()),
        (part5.check_panels, (PLACES,)),
        (part5.check_renamed, ()),
        (part5.check_p_value, ()),
    ],
)
def test_a_function_that_returns_nothing_is_told_so(check, arguments):
    with pytest.raises(CheckFailed) as failure:
        check(lambda *_: None, *arguments)
    assert named(failure.value) == ["nothing returned"]


def test_tables_that_share_memory_by_slices_are_noticed():
    whole = np.zeros((5, 5))
    with pytest.raises(CheckFailed) as failure:
        part4.check_tables(lambda n: [whole, whole[:], whole.T, np.zeros((n, n))])
    assert named(failure.value) == ["one table under several names"]


def test_memory_that_happens_to_hold_zeros_makes_no_table_of_zeros():
    for n_before in range(20):
        before = [np.zeros((5, 5)) for _ in range(n_before)]
        del before  # where `np.empty` finds room first
        with pytest.raises(CheckFailed) as failure:
            part4.check_tables(lambda n: [np.empty((n, n)) for _ in range(4)])
        assert named(failure.value) == ["not zeros to begin with"]


def test_a_table_that_the_function_takes_from_the_notebook_is_told_from_a_typed_size():
    notebook = {"np": np, "l1": np.zeros((10, 10)), "l2": np.zeros((10, 10))}
    exec("def empty_tables(n): return np.zeros((n, n)), l1, l2, np.zeros((n, n))", notebook)
    with pytest.raises(CheckFailed) as failure:
        part4.check_tables(notebook["empty_tables"])
    assert named(failure.value) == ["a table not made"]


@pytest.mark.parametrize(
    ("line", "moved", "name"),
    [
        ("    return", "            return", "first row only"),
        ("    return", "        return", "first row only"),
        ("            apart", "        apart", "outside the inner loop"),
    ],
)
def test_a_line_at_the_wrong_depth_of_the_loops_is_named(line, moved, name):
    source = inspect.getsource(measure_all)
    assert f"\n{line}" in source
    notebook = dict(globals())
    exec(source.replace(f"\n{line}", f"\n{moved}"), notebook)
    with pytest.raises(CheckFailed) as failure:
        part4.check_all_pairs(notebook["measure_all"])
    assert named(failure.value) == [name]


def test_typed_maxima_are_told_of_the_checks_own_pairs():
    with pytest.raises(CheckFailed, match="pairs of the check's own") as failure:
        part4.check_shares(lambda pairs: pairs / [2.3, 120.5, 11.2])
    assert named(failure.value) == []


def test_all_pairs_in_the_first_row_are_not_called_an_early_end():
    def measure_in_row_0(vectors, places):
        tables = measure_all(vectors, places)
        return [np.vstack((np.append(0, table[:-1, -1]), 0 * table[1:])) for table in tables]

    with pytest.raises(CheckFailed) as failure:
        part4.check_all_pairs(measure_in_row_0)
    assert named(failure.value) == []


@pytest.mark.parametrize(
    ("answer", "shape"),
    [
        (lambda table: table, "(5, 5)"),
        (lambda table: np.triu_indices(len(table), 1), "(2, 10)"),
        (lambda table: table[np.triu_indices(len(table), 1)][None], "(1, 10)"),
    ],
)
def test_the_shape_that_is_told_is_that_of_the_answer(answer, shape):
    with pytest.raises(CheckFailed, match=re.escape(shape)):
        part4.check_above(answer)


def test_neighbouring_columns_are_not_called_the_same_in_every_panel():
    def draw_relations(numbers):
        figure = Figure()
        for row, points in zip(
            figure.subplots(2, 3), (numbers, numbers / numbers.max(axis=0)), strict=True
        ):
            for axes, (a, b) in zip(row, part4.COUPLES, strict=True):
                axes.scatter(points[:, a], points[:, a + 1])
                axes.set(xlabel=part4.MEASURES[a], ylabel=part4.MEASURES[b])
        return figure

    with pytest.raises(CheckFailed) as failure:
        part4.check_relations(draw_relations, part4.COUPLES)
    assert named(failure.value) == []


@pytest.mark.parametrize(
    ("check", "arguments"),
    [
        (part5.check_tau, (lambda table: (0.123, 0.5), PLACES)),
        (part5.check_p_value, (lambda shuffled, observed: 0.9,)),
    ],
)
def test_a_function_that_ignores_its_argument_is_told_so(check, arguments):
    with pytest.raises(CheckFailed) as failure:
        check(*arguments)
    assert named(failure.value) == ["an argument ignored"]


@pytest.mark.parametrize(
    ("values_of", "inputs", "n_values"),
    [
        (part5.wrong_taus, part5.LISTS, 40),
        (part5.wrong_p_values, part5.DEALS, 80),
    ],
)
def test_no_two_mistakes_lead_to_the_same_answers(values_of, inputs, n_values):
    wrong = [values_of(*arguments) for arguments in inputs]
    ways = [
        (name, answers) for name in wrong[0] for answers in np.transpose([w[name] for w in wrong])
    ]
    assert len(ways) > n_values
    for (name, answers), (other, others) in combinations(ways, 2):
        assert name == other or np.abs(answers - others).max() > 0.01, (name, other)


def test_three_tables_hidden_at_once_are_named_also_if_nothing_is_raised():
    def draw(tables, gaps, taus):
        figure = Figure()
        panels = figure.subplots(2, 4).ravel()
        for axes, letter in zip(panels, "ABCDEFG", strict=False):
            axes.set_title(letter)
        for axes, table in zip(panels, [*hide_unmeasured(tables), gaps], strict=False):
            axes.imshow(table)
        return figure

    part5.check_hidden(hide_unmeasured)
    with pytest.raises(CheckFailed) as failure:
        part5.check_panels(draw, PLACES)
    assert named(failure.value) == ["three tables at once"]


def test_swapped_axes_are_described_in_words():
    def draw(numbers):
        figure = Figure()
        rows = numbers, numbers / numbers.max(axis=0)
        for row, points in zip(figure.subplots(2, 3), rows, strict=True):
            for axes, (a, b) in zip(row, part4.COUPLES, strict=True):
                axes.scatter(points[:, b], points[:, a])
                axes.set(xlabel=part4.MEASURES[a], ylabel=part4.MEASURES[b])
        return figure

    with pytest.raises(CheckFailed) as failure:
        part4.check_relations(draw, part4.COUPLES)
    assert named(failure.value) == ["axes swapped"]
    assert "got:      dots with L1 horizontally and MI vertically" in str(failure.value)


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
    assert named(failure.value) == []


def test_decimals_lost_on_the_way_out_of_a_table_are_noticed():
    with pytest.raises(CheckFailed, match="values differ"):
        part4.check_above(lambda table: table[np.triu_indices(len(table), 1)].astype(int))


def test_checks_leave_the_students_random_numbers_alone():
    np.random.seed(3)  # noqa: NPY002 (students may use the old generator)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    part4.check_all_pairs(measure_all)
    part4.check_shares(lambda pairs: pairs / pairs.max(axis=0))
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.fixture(scope="module")
def ten_targets(embedded):
    """Where the ten targets of both exercises stand, and their vectors in the MLP of block 3."""
    model, tokenizer = embedded
    ids = tokenize(load_article(), tokenizer)
    places = target_positions(ids, tokenizer, " coffee")[:10]
    return places, target_activations(model, ids, places)[1, 3].astype(float)


def of_cells(pairs):
    """The measures in all cells of their tables, (n * n, n_measures)."""
    return to_upper(pairs).reshape(-1, pairs.shape[-1])


def test_what_the_solutions_say_of_the_results_holds(ten_targets):
    places, vectors = ten_targets
    pairs, apart = measure_pairs(vectors), position_distances(places)  # (45, 3), (45,)
    r_pairs, r_cells = np.corrcoef(pairs.T), np.corrcoef(of_cells(pairs).T)
    assert r_pairs[1, 2] > 0.9  # L1 and L2 lie close to a line
    assert np.all(r_pairs[0, 1:] < 0) and np.all(r_cells[0, 1:] > 0)
    assert kendall_tau(pairs[:, 0], apart).tau < 0
    assert kendall_tau(of_cells(pairs)[:, 0], to_upper(apart).ravel()).tau > 0  # the sign turns
    assert len(np.unique(apart)) < len(apart)  # ties
    rows, columns = np.triu_indices(10, 1)
    for distance in (pairs[:, 1], pairs[:, 2]):  # the first targets make stripes
        assert distance[rows < 2].min() > distance[rows >= 2].max()
    assert np.corrcoef(pairs[rows >= 2, 0], pairs[rows >= 2, 2])[0, 1] < -0.5  # also without them
    ratios = pairs[:, 1] / pairs[:, 2]
    squares = np.sort(np.square(vectors[rows] - vectors[columns]))  # (45, width)
    few = squares[:, -(squares.shape[1] // 10) :].sum(axis=1) / squares.sum(axis=1)
    assert few[ratios.argmin()] > few[ratios.argmax()]


def test_what_the_solution_says_of_far_and_of_shuffled_vectors_holds(ten_targets):
    _, vectors = ten_targets
    l2 = to_upper(measure_pairs(vectors)[:, 2])
    assert np.argsort(-(l2 + l2.T).sum(axis=1))[:2].tolist() == [0, 1]
    r_pairs, r_cells = [], []
    for seed in range(8):
        pairs = measure_pairs(np.random.default_rng(seed).permuted(vectors, axis=1))  # (45, 3)
        r_pairs.append(np.corrcoef(pairs.T)[0, 1:])
        r_cells.append(np.corrcoef(of_cells(pairs).T)[0, 1:])
    louder = measure_pairs(vectors * np.where(np.arange(10) == 0, 10, 1)[:, None])  # (45, 3)
    assert np.allclose(louder[:, 0], measure_pairs(vectors)[:, 0])  # MI does not notice
    scaled = louder[:, 1:] / louder[:, 1:].max(axis=0)
    assert scaled[:9].min() > 0.95 and scaled[9:].max() < 0.1  # the pairs of target 0, the others
    assert np.min(r_cells) > 0
    assert np.all(np.min(r_pairs, axis=0) < 0) and np.all(np.max(r_pairs, axis=0) > 0)
