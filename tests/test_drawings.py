"""What chapters draw says what its arrays say, and names its axes."""

import inspect

import numpy as np
import pytest

from layerlab import drawings

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(2, 60))
CLOUDS = {name: RNG.uniform(-1, 1, (4, 2, 5, 3)) for name in ("untrained", "permuted")}
CASES = {
    "unit_balls": (),
    "shares_by_power": ({"pair": (X, Y)}, lambda a, b, p: 1 / p),
    "concentration": ({2: [X**2, Y**2], 10: [X**2, Y**2]},),
    "entropy_bars": (2.0, 3.0, 1.0),
    "neighborhood": (X, Y, 7),
    "error_bands": ([0.0, 1.0], {n: RNG.normal(size=(2, 3, 9)) for n in (100, 1280)}, "abc"),
    "two_walks": (RNG.normal(size=(2, 60)).cumsum(axis=1), 0.9, X**2, Y**2),
    "proof_boxes": (X, Y, [np.arange(9), np.arange(20)], (3, 4), X**2, RNG.normal(size=(4, 60))),
    "time_by_pairs": ([1, 10], [700.0, 135.0]),
    "attention_maps": (np.tril(np.ones((4, 3, 3))), ["a", "b", "c"]),
    "target_strips": ([5, 70, 900], [5, 70], 1000, 100),
    "block_diagram": (),
    "coordinate_pairs": (RNG.normal(size=(3, 8)), [(0, 1), (0, 2)], (1.5, 0.5)),
    "few_pairs": ([4, 11], [3.1, 2.6]),
    "null_histograms": (X / 9, Y / 9, 0.5),
    "tau_profiles": ({name: RNG.uniform(-1, 1, (2, 5)) for name in ("a", "b", "c")},),
    "dot_rows": (CLOUDS["untrained"][0], CLOUDS, {"A": lambda t: t[..., 0, 0, 0]}),
    "changes_by_volume": (X, Y),
}
WITHOUT_AXES = {"block_diagram"}


def test_every_drawing_is_tried():
    public = inspect.getmembers(drawings, inspect.isfunction)
    own = {name for name, f in public if f.__module__ == drawings.__name__ and name[0] != "_"}
    assert own == set(CASES)


@pytest.mark.parametrize("name", sorted(set(CASES) - WITHOUT_AXES))
def test_each_column_of_panels_says_what_runs_along_it(name):
    figure = getattr(drawings, name)(*CASES[name])
    panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    assert any(axes.get_xlabel() for axes in panels)
    assert all(axes.has_data() for axes in panels)


def test_a_neighbourhood_counts_as_a_loop_does():
    x, y = X[:12], Y[:12]
    radius = sorted(max(abs(x[j] - x[4]), abs(y[j] - y[4])) for j in range(12) if j != 4)[2]
    column = sum(abs(x[j] - x[4]) < radius for j in range(12) if j != 4)
    row = sum(abs(y[j] - y[4]) < radius for j in range(12) if j != 4)
    (axes,) = drawings.neighborhood(x, y, 4).axes
    assert axes.get_title() == f"{column} others in the column, {row} in the row"


def test_bands_are_mean_and_spread():
    errors = {100: RNG.normal(size=(2, 3, 9)), 1280: RNG.normal(size=(2, 3, 9))}
    figure = drawings.error_bands([0.0, 1.0], errors, ["a", "b", "c"])
    for axes, of_n in zip(figure.axes, errors.values(), strict=True):
        for row, line in enumerate(axes.lines[:3]):
            assert np.allclose(line.get_ydata(), [np.mean(of_n[i, row]) for i in range(2)])


def test_what_is_masked_stays_empty():
    figure = drawings.attention_maps(np.ones((4, 3, 3)), ["a", "b", "c"])
    shown = figure.axes[0].images[0].get_array()
    assert np.ma.getmaskarray(shown).tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
