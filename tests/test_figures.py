"""The figures say what the arrays say, in both themes, and stay readable."""

import subprocess
import sys
from io import BytesIO
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from conftest import HANGING
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from layerlab import figures, themes
from layerlab.examples import noisy_curve

N_LAYERS, N_TARGETS = 5, 6


def upper(pairs):
    """A square array with the pairs i < j above its diagonal, written as two plain loops."""
    n = int((1 + np.sqrt(1 + 8 * len(pairs))) / 2)
    square, k = np.zeros((n, n, *pairs.shape[1:])), 0
    for i in range(n):
        for j in range(i + 1, n):
            square[i, j], k = pairs[k], k + 1
    return square


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(1)
    n_pairs = N_TARGETS * (N_TARGETS - 1) // 2
    n_layer_pairs = N_LAYERS * (N_LAYERS - 1) // 2
    bits = rng.uniform(0, 1, (2, n_layer_pairs, 2))
    layers = np.swapaxes(bits, 1, 2)  # (2 runs, 2 components, n_layer_pairs)
    return {
        "measures": rng.uniform(1, 9, (n_pairs, 3)),
        "positions": rng.integers(1, 900, n_pairs).astype(float),
        "tau": np.array([[-0.45, 1e-9], [0.5, 0.0123], [0.1, 0.4]]),
        "summary": rng.uniform(-1, 1, (2, N_LAYERS, 2, 3)),
        "control": rng.uniform(-1, 1, (2, N_LAYERS, 2, 3)),
        "layers": layers[0],
        "layers_control": layers[1],
        "models": {  # two models of as many blocks as they have
            "ours": (
                rng.uniform(0, 1, (2, N_LAYERS)),
                {name: rng.uniform(0, 1, (3, 2, N_LAYERS)) for name in ("untrained", "permuted")},
            ),
            "theirs": (rng.uniform(0, 1, (2, 30)), {"permuted": rng.uniform(0, 1, (2, 2, 30))}),
        },
        "readings": (*rng.uniform(1, 9, (3, n_pairs)), np.arange(n_pairs) < 4),
        "effects": {name: rng.uniform(0.01, 1, (2, N_LAYERS)) for name in ("none", "mean")},
    }


def draw_all(arrays):
    """Every figure of the course: its letters, and a function that draws it."""
    a, (x, y) = arrays, noisy_curve()
    curve = [{"tokens": 1e6 * k, "train": 9.0 - k, "held_out": 9.5 - k} for k in range(4)]
    return {
        "2a": ("AB", lambda: figures.histogram_panels(x, y)),
        "2b": ("", lambda: figures.information_by_bins(range(4, 25), np.linspace(0, 2, 21), 1.2)),
        "4": ("AB", lambda: figures.measure_scatter(a["measures"])),
        "5": ("ABCDEFG", lambda: figures.position_panels(a["measures"], a["positions"], a["tau"])),
        "6": ("ABCD", lambda: figures.laminar_profiles(a["summary"], a["control"])),
        "7": (
            "ABCDEF",
            lambda: figures.layer_information_panels(a["layers"], a["layers_control"], floor=0.1),
        ),
        "controls": ("", lambda: figures.control_profiles(a["models"])),
        "readings": ("AB", lambda: figures.two_readings(*a["readings"])),
        "components": ("AB", lambda: figures.component_profiles(a["effects"], "Bits", log=True)),
        "loss": ("", lambda: figures.loss_curve(curve)),
    }


ALL = ("2a", "2b", "4", "5", "6", "7", "controls", "readings", "components", "loss")
PAGES = [(mode, narrow) for mode in ("light", "dark") for narrow in (False, True)]


def panels(figure):
    """The axes with data in them: not the colour bars, not the empty corner of part 5."""
    return [axes for axes in figure.axes if axes.axison and axes.get_label() != "<colorbar>"]


def panel(figure, letter):
    (axes,) = (a for a in figure.axes if a.get_title("left").startswith(f"{letter}  "))
    return axes


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("mode", "narrow"), PAGES)
def test_every_panel_is_labelled_bold_and_without_a_box(arrays, name, mode, narrow):
    letters, draw = draw_all(arrays)[name]
    with themes.theme(mode, narrow=narrow):
        figure = draw()
    titles = [axes.get_title("left") for axes in panels(figure)]
    assert sorted(t[0] for t in titles if t[1:3] == "  ") == list(letters)
    for axes in panels(figure):
        assert not any(axes.spines[side].get_visible() for side in ("top", "right"))
        assert {title.get_fontweight() for title in (axes.title, axes._left_title)} == {"bold"}
        labels = axes.xaxis.label, axes.yaxis.label  # on a phone they have no room to be bold
        assert {label.get_fontweight() for label in labels} == {"normal" if narrow else "bold"}
        assert axes.get_ylabel()
        assert axes.get_title("left")
        below = [a for a in panels(figure) if a in axes.get_shared_x_axes().get_siblings(axes)]
        assert any(a.get_xlabel() for a in below)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("narrow", [False, True])
def test_words_are_large_and_stay_inside_the_figure(arrays, name, narrow):
    with themes.theme(narrow=narrow):
        figure = draw_all(arrays)[name][1]()
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
    assert figure.get_figwidth() <= (5.5 if narrow else 9)
    titles = []
    for axes in panels(figure):
        words = [axes._left_title, axes.xaxis.label, axes.yaxis.label]
        ticks = [*axes.get_xticklabels(), *axes.get_yticklabels()]
        assert min(text.get_fontsize() for text in words + ticks) >= 8
        for text in words:
            box = text.get_window_extent(renderer)
            assert 0 <= box.x0 <= box.x1 <= figure.bbox.x1, text.get_text()
            assert 0 <= box.y0 <= box.y1 <= figure.bbox.y1, text.get_text()
        titles.append(axes._left_title)
    boxes = [title.get_window_extent(renderer) for title in titles]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :]), titles[i].get_text()


def contrast(first, second):
    """Contrast ratio of two colours as the Web Content Accessibility Guidelines define it."""
    lights = []
    for colour in (first, second):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_stand_out_from_their_ground(mode):
    palette = themes.PALETTES[mode]
    paper = to_rgb(palette["paper"])
    assert contrast(to_rgb(palette["ink"]), paper) >= 7
    assert contrast(to_rgb(palette["muted"]), paper) >= 4.5
    assert min(contrast(to_rgb(colour), paper) for colour in palette["cycle"]) >= 3


def test_a_theme_ends_with_its_context_even_when_drawing_fails():
    before = dict(mpl.rcParams)
    seen = []

    def fail():
        seen.append(mpl.rcParams["text.color"])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        themes.save(fail, BytesIO(), mode="dark", narrow=True)
    assert seen == [themes.PALETTES["dark"]["ink"]]
    assert dict(mpl.rcParams) == before
    assert figures.measure_scatter(np.ones((3, 3))).get_figwidth() == 8.0


def test_unknown_theme_is_named():
    with pytest.raises(ValueError, match=r"'sepia'.*light, dark"), themes.theme("sepia"):
        pass


def test_drawing_leaves_pyplot_alone():
    code = (
        "import sys, numpy; from layerlab import figures; "
        "figures.measure_scatter(numpy.eye(3)); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=HANGING).returncode == 0


# Part 2


def test_each_point_lies_on_the_pixel_that_counts_it():
    x, y = noisy_curve()
    figure = figures.histogram_panels(x, y, bins=8)
    FigureCanvasAgg(figure).draw()
    axes = panel(figure, "B")
    (image,) = axes.images

    def bin_of(values, value):
        step = (values.max() - values.min()) / 8
        return np.minimum((value - values.min()) // step, 7)

    for px, py in zip(x, y, strict=True):
        same = (bin_of(x, x) == bin_of(x, px)) & (bin_of(y, y) == bin_of(y, py))
        # a hair inside: the outermost points lie on the image's very edge
        inside = 0.999999 * np.array([px, py]) + 0.000001 * np.array([x.mean(), y.mean()])
        place = axes.transData.transform(inside)
        event = SimpleNamespace(x=place[0], y=place[1])
        assert image.get_cursor_data(event) == same.sum()
    (dots,) = axes.collections
    assert np.array_equal(dots.get_offsets(), np.column_stack([x, y]))
    assert image.get_array().sum() == 347
    assert image.colorbar.ax.get_ylabel() == "Count"


def test_knn_value_is_a_dashed_line():
    axes = panels(figures.information_by_bins(range(4, 25), np.linspace(0, 2, 21), 1.25))[0]
    histogram, knn = axes.lines
    assert np.array_equal(histogram.get_xdata(), np.arange(4, 25))
    assert knn.get_linestyle() == "--"
    assert set(knn.get_ydata()) == {1.25}
    assert "bits" in axes.get_ylabel()


# Parts 4 and 5


def test_measures_are_scattered_as_measured_and_by_maximum(arrays):
    measures = arrays["measures"]
    before = measures.copy()
    shown = [a.collections[0].get_offsets() for a in figures.measure_scatter(measures).axes]
    for k, (i, j) in enumerate([(0, 1), (0, 2), (1, 2)]):
        assert np.array_equal(shown[k], measures[:, [i, j]])
        assert np.allclose(shown[k + 3], (measures / measures.max(axis=0))[:, [i, j]])
    assert np.array_equal(measures, before)


def test_a_measure_of_zeros_is_not_divided_by_its_maximum():
    axes = figures.measure_scatter(np.column_stack([np.zeros(3), np.ones(3), np.ones(3)])).axes[3]
    assert np.array_equal(axes.collections[0].get_offsets()[:, 0], [0, 0, 0])


def test_heat_maps_show_the_upper_triangle_alone(arrays):
    figure = figures.position_panels(arrays["measures"], arrays["positions"], arrays["tau"])
    squares = [*np.moveaxis(upper(arrays["measures"]), -1, 0), upper(arrays["positions"])]
    for letter, square in zip("ABCD", squares, strict=True):
        shown = panel(figure, letter).images[0].get_array()
        above = np.triu(np.ones_like(square, dtype=bool), k=1)
        assert np.array_equal(~shown.mask, above)
        assert np.array_equal(shown[above], square[above])


def test_position_map_is_magma_up_to_80_percent(arrays):
    figure = figures.position_panels(arrays["measures"], arrays["positions"], arrays["tau"])
    image = panel(figure, "D").images[0]
    assert image.cmap.name == "magma"
    assert image.get_clim() == pytest.approx((0, 0.8 * arrays["positions"].max()))
    assert image.colorbar.ax.get_xlabel() == "tokens"


def test_scatters_have_tau_and_p_in_the_title(arrays):
    figure = figures.position_panels(arrays["measures"], arrays["positions"], arrays["tau"])
    assert "τ = −0.45, p < 0.001" in panel(figure, "E").get_title("left")
    assert "τ = 0.50, p = 0.012" in panel(figure, "F").get_title("left")
    pairs = np.column_stack([arrays["positions"], arrays["measures"][:, 2]])
    assert np.array_equal(panel(figure, "G").collections[0].get_offsets(), pairs)


@pytest.mark.parametrize(
    ("tau", "p", "words"),
    [
        (np.nan, np.nan, "τ not defined"),
        (0.123, 0.0999, "τ = 0.12, p = 0.100"),
        (-1.0, 0.43, "τ = −1.00, p = 0.43"),
    ],
)
def test_tau_is_written_as_it_is_read(tau, p, words):
    assert figures.format_tau(tau, p) == words


# Part 6


def test_profiles_show_means_by_maximum_and_taus(arrays):
    summary = np.abs(arrays["summary"])
    figure = figures.laminar_profiles(summary)
    for letter, component in (("A", 0), ("C", 1)):
        curves = np.array([line.get_ydata() for line in panel(figure, letter).lines])
        mean = summary[component, :, 0]
        assert np.allclose(curves, (mean / mean.max(axis=0)).T)
    for letter, component in (("B", 0), ("D", 1)):
        curves = [line.get_ydata() for line in panel(figure, letter).lines[:3]]
        assert np.array_equal(curves, summary[component, :, 1].T)


def test_flipping_turns_the_sign_of_mi_alone_and_says_so(arrays):
    before = arrays["summary"].copy()
    figure = figures.laminar_profiles(arrays["summary"], arrays["control"], flip_information=True)
    lines = panel(figure, "D").lines
    signs = np.array([[-1], [1], [1]])
    for curves, run in ((lines[:3], "summary"), (lines[3:6], "control")):
        shown = [line.get_ydata() for line in curves]
        assert np.array_equal(shown, signs * arrays[run][1, :, 1].T)
    assert "flipped" in legend_words(figure)
    assert "flipped" not in legend_words(figures.laminar_profiles(arrays["summary"]))
    assert np.array_equal(arrays["summary"], before)


def test_control_is_dashed_and_named(arrays):
    figure = figures.laminar_profiles(arrays["summary"], arrays["control"])
    styles = [line.get_linestyle() for line in panel(figure, "B").lines[:6]]
    assert styles == ["-"] * 3 + ["--"] * 3
    assert "untrained control" in legend_words(figure)
    assert "untrained" not in legend_words(figures.laminar_profiles(arrays["summary"]))


def legend_words(figure):
    return " ".join(text.get_text() for legend in figure.legends for text in legend.texts)


# Part 7


def test_layer_panels_show_pairs_of_both_runs(arrays):
    layers, control = arrays["layers"], arrays["layers_control"]
    figure = figures.layer_information_panels(layers, control, floor=(0.1, 0.2))
    apart = [j - i for i in range(N_LAYERS) for j in range(i + 1, N_LAYERS)]
    for letter, (x, y) in {"D": (2, 0), "E": (2, 1), "F": (0, 1)}.items():
        grey, trained = (c.get_offsets() for c in panel(figure, letter).collections)
        assert np.array_equal(trained.T, np.stack([*layers, apart])[[x, y]])
        step = [[0, 0]] if letter == "F" else [[figures.DODGE, 0]]
        assert np.allclose(grey, np.stack([*control, apart])[[x, y]].T + step)
    for letter, floor in (("D", 0.1), ("E", 0.2)):
        assert set(panel(figure, letter).lines[0].get_ydata()) == {floor}
    for letter in "AB":
        assert panel(figure, letter).images[0].cmap.name == "magma"
    assert np.array_equal(panel(figure, "C").images[0].get_array().data, upper(np.array(apart)))


def test_two_blocks_are_enough():
    figure = figures.layer_information_panels(np.array([[0.2], [0.3]]))
    assert panel(figure, "F").collections[0].get_offsets().tolist() == [[0.2, 0.3]]


# Files


def test_a_loss_that_was_not_measured_is_left_out():
    curve = [{"tokens": 0, "held_out": 9.0}, {"tokens": 2e6, "train": None, "held_out": 6.0}]
    (line,) = panels(figures.loss_curve(curve))[0].lines
    assert line.get_label() == "held-out text"
    assert list(line.get_xdata()) == [0, 2]


def test_png_is_300_dpi_and_svg_is_transparent(tmp_path, arrays):
    path = themes.save(figures.measure_scatter, tmp_path / "f.png", arrays["measures"])
    assert mpl.image.imread(path).shape[:2] == (5.8 * 300, 8.0 * 300)
    file = BytesIO()
    themes.save(figures.measure_scatter, file, arrays["measures"], mode="dark")
    assert b"#121212" not in file.getvalue()
    assert b"#ececec" in file.getvalue()


def test_file_names_are_those_that_instructors_know():
    names = [f"ch7_proj45_part{part}.png" for part in ("2a", "2b", "4", "5", "6", "7")]
    assert list(figures.FILE_NAMES.values()) == names


def test_a_band_holds_all_draws_and_its_line_is_their_mean(arrays):
    figure = figures.control_profiles(arrays["models"])
    trained, controls = arrays["models"]["ours"]
    axes = next(axes for axes in figure.axes if axes.get_title("left") == "MLP, ours")
    lines = [line.get_ydata() for line in axes.lines]
    expected = [*(draws[:, 1].mean(axis=0) for draws in controls.values()), trained[1]]
    for found, wanted in zip(lines, expected, strict=False):
        np.testing.assert_allclose(found, wanted)
    for band, draws in zip(axes.collections, controls.values(), strict=True):
        heights = band.get_paths()[0].vertices[:, 1]
        assert heights.min() == pytest.approx(draws[:, 1].min())
        assert heights.max() == pytest.approx(draws[:, 1].max())


def test_marked_pairs_are_drawn_otherwise_at_their_places(arrays):
    distances, gaps, earlier, marked = arrays["readings"]
    for letter, values in (("A", gaps), ("B", earlier)):
        axes = panel(figures.two_readings(*arrays["readings"]), letter)
        for dots, rows in zip(axes.collections, (~marked, marked), strict=True):
            np.testing.assert_allclose(dots.get_offsets(), np.c_[values[rows], distances[rows]])


def test_a_profile_for_each_name_on_one_scale(arrays):
    figure = figures.component_profiles(arrays["effects"], "Bits")
    left, right = panels(figure)
    for component, axes in enumerate((left, right)):
        found = {line.get_label(): line.get_ydata() for line in axes.lines}
        assert set(found) == set(arrays["effects"])
        for name, values in arrays["effects"].items():
            np.testing.assert_allclose(found[name], values[component])
    assert left.get_ylim() == right.get_ylim()
