"""The figures of the course: one function per figure, arrays in, a matplotlib Figure out.

Every function draws on a `Figure` of its own and leaves no state behind: pyplot is never
imported, so nothing has to be closed. Colours, fonts and spines live in `layerlab.themes`.
Measures stand in the order of the whole course: mutual information (MI) in bits, L1 distance, L2
distance; blocks and targets are counted from 0.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, MultipleLocator
from numpy.typing import ArrayLike

from layerlab.sweeps import to_upper
from layerlab.themes import is_narrow, themed

FILE_NAMES = {
    "2a": "ch7_proj45_part2a.png",
    "2b": "ch7_proj45_part2b.png",
    "4": "ch7_proj45_part4.png",
    "5": "ch7_proj45_part5.png",
    "6": "ch7_proj45_part6.png",
    "7": "ch7_proj45_part7.png",
}
CONTROLS_FILE = "controls.png"

MEASURES = ("MI", "L1", "L2")
UNITS = ("bits", "activation units", "activation units")
COMPONENT_NAMES = ("Attention", "MLP")
MARKERS = ("o", "s", "^")
MODEL_MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # of the atlas, as many as it may take
WEIGHTS: tuple[
    dict[str, Any], ...
] = (  # L1 and L2 often run together: the one is seen on both sides of the other
    {"lw": 1.8, "ms": 5},
    {"lw": 2.6, "ms": 6.5},
    {"lw": 1.2, "ms": 4},
)
DOTS: dict[str, Any] = {"s": 22, "linewidths": 0}  # the points of a scatter
MANY = 500  # points; more are drawn smaller, and as pixels, for an SVG of all of them is heavy
CONTROL_MARKER = "D"
CONTROL_LINES = ("--", "-.", ":")  # of the draws of as many controls
DODGE = 0.35  # blocks by which the control's points step aside


# Part 2 ----------------------------------------------------------------------------------------


@themed
def histogram_panels(x: ArrayLike, y: ArrayLike, bins: int = 8) -> Figure:
    """Part 2a: the data, and the same data over the counts of a two-dimensional histogram.

    Parameters
    ----------
    x, y : array_like, shape (n_samples,)
    bins : int
        Bins along each axis.
    """
    x, y = np.asarray(x), np.asarray(y)
    counts, x_edges, y_edges = np.histogram2d(x, y, bins=bins)  # (bins of x, bins of y)
    figure, ((left, right),) = _grid(1, 2, wide=(7.2, 3.7), narrow=(4.4, 6.4))
    left.scatter(x, y, color=_colour(0), clip_on=False, **DOTS)
    # Rows of an image run along y, so the counts are turned; row 0 is the lowest y, so it lies
    # at the bottom; the extent is that of the edges, so each point lies on its own bin.
    extent = (x_edges[0], x_edges[-1], y_edges[0], y_edges[-1])
    image = right.imshow(
        counts.T, origin="lower", extent=extent, aspect="auto", interpolation="none"
    )
    dots: dict[str, Any] = {"s": 12, "color": "white", "edgecolors": "black", "linewidths": 0.5}
    right.scatter(x, y, clip_on=False, **dots)
    _colour_bar(right, image, "Count", location="right")
    _title(left, "A", f"The {len(x)} data points")
    _title(right, "B", f"Counted in {bins} × {bins} bins")
    for axes in (left, right):
        axes.set(xlabel="x", ylabel="y", xlim=extent[:2], ylim=extent[2:])
    return figure


@themed
def information_by_bins(n_bins: ArrayLike, histogram_bits: ArrayLike, knn_bits: float) -> Figure:
    """Part 2b: mutual information from histograms of n bins beside the k-NN estimate.

    Parameters
    ----------
    n_bins : array_like of int, shape (n,)
    histogram_bits : array_like, shape (n,)
        Mutual information in bits for each number of bins.
    knn_bits : float
        The k-nearest-neighbour estimate in bits, drawn as a dashed line.
    """
    figure = Figure(figsize=(4.8, 3.8) if is_narrow() else (6.4, 3.9))
    axes = figure.subplots()
    axes.plot(n_bins, histogram_bits, "o-", color=_colour(0), label="histogram")
    axes.axhline(knn_bits, color=_colour(1), ls="--", label=f"k-NN: {knn_bits:.2f}")
    axes.set(xlabel="Number of bins along each axis", ylabel="Mutual information (bits)")
    axes.set_ylim(0, 1.08 * max(np.max(histogram_bits), knn_bits))
    axes.xaxis.set_major_locator(MultipleLocator(4))
    axes.legend(loc="lower right")
    axes.set_title("The answer depends on the bins")
    return figure


# Part 4 ----------------------------------------------------------------------------------------


@themed
def measure_scatter(measures: ArrayLike) -> Figure:
    """Part 4: each measure against each other, A as measured and B divided by its maximum.

    Parameters
    ----------
    measures : array_like, shape (n_pairs, 3)
        MI in bits, L1 and L2 for each pair of activation vectors.
    """
    measures = np.asarray(measures)
    figure, grid = _grid(2, 3, wide=(8.0, 5.8), narrow=(5.2, 7.8))
    rows = zip(
        "AB",
        grid,
        (measures, _by_maximum(measures)),
        (_measure_label, "{} / maximum".format),
        strict=True,
    )
    for letter, row, values, label in rows:
        for axes, (i, j) in zip(row, ((0, 1), (0, 2), (1, 2)), strict=True):
            axes.scatter(values[:, i], values[:, j], color=_colour(0), **DOTS)
            axes.set(xlabel=label(MEASURES[i]), ylabel=label(MEASURES[j]))
            axes.set_title(f"{MEASURES[i]} and {MEASURES[j]}")
        _title(row[0], letter, row[0].get_title("left"))
    return figure


# Part 5 ----------------------------------------------------------------------------------------


@themed
def position_panels(measures: ArrayLike, position_distances: ArrayLike, tau: ArrayLike) -> Figure:
    """Part 5: the three measures and the distance in tokens, as matrices and against each other.

    Parameters
    ----------
    measures : array_like, shape (n_pairs, 3)
        MI in bits, L1, L2 of the pairs of targets.
    position_distances : array_like, shape (n_pairs,)
        Distance in tokens.
    tau : array_like, shape (3, 2)
        Kendall's tau and its p-value for each measure against distance in tokens.
    """
    measures, apart, tau = map(np.asarray, (measures, position_distances, tau))
    figure, (top, bottom) = _grid(2, 4, wide=(9.0, 5.9), narrow=(5.2, 11.6), ratios=(1.25, 1))
    for i, (name, unit) in enumerate(zip(MEASURES, UNITS, strict=True)):
        _heat_map(top[i], measures[:, i], "Target", unit, cmap="viridis")
        _title(top[i], "ABC"[i], name)
        axes = bottom[i]
        axes.scatter(apart, measures[:, i], color=_colour(0), **DOTS)
        axes.set(xlabel="Distance (tokens)", ylabel=_measure_label(name))
        _title(axes, "EFG"[i], f"{name}\n{format_tau(*tau[i])}")
    _heat_map(top[3], apart, "Target", "tokens", cmap="magma", span=(0, 0.8), extend="max")
    _title(top[3], "D", "Position")
    bottom[3].set_axis_off()
    bottom[3].text(0, 0.9, _pairs_note(len(measures)), va="top", transform=bottom[3].transAxes)
    return figure


def format_tau(tau: float, p: float) -> str:
    """Kendall's tau and its p-value as a reader says them: ``τ = −0.45, p < 0.001``."""
    if np.isnan(tau):
        return "τ not defined"
    return f"τ = {tau:.2f}, {format_p(p)}".replace("-", "−")


def format_p(p: float) -> str:
    """A p-value with two digits that matter: ``p = 0.43``, ``p = 0.032``, ``p < 0.001``."""
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


# Part 6 ----------------------------------------------------------------------------------------


@themed
def laminar_profiles(
    summary: ArrayLike, control: ArrayLike | None = None, *, flip_information: bool = False
) -> Figure:
    """Part 6: per block, the mean of each measure and its correlation with token distance.

    Parameters
    ----------
    summary : array_like, shape (2, n_layers, 2, 3)
        Attention and MLP; blocks; mean and Kendall's tau; MI, L1, L2.
    control : array_like, shape (2, n_layers, 2, 3), optional
        The same of the untrained network, drawn dashed.
    flip_information : bool
        Draw minus tau for MI, which falls where distance rises, so that the three curves can be
        compared; the legend says so.
    """
    runs = [np.array(run, dtype=float) for run in (summary, control) if run is not None]
    if flip_information:
        for run in runs:
            run[:, :, 1, 0] *= -1
    figure = Figure(figsize=(5.4, 7.4) if is_narrow() else (7.6, 6.6))
    grid = figure.subplots(2, 2, sharex=True, sharey="col")
    for component, row in enumerate(grid):
        for run, is_control in zip(runs, (False, True), strict=False):
            means = _by_maximum(run[component, :, 0])  # (n_layers, 3), each measure at most 1
            _profiles(row[0], means, is_control)
            _profiles(row[1], run[component, :, 1], is_control)
        _title(row[0], "AC"[component], f"{COMPONENT_NAMES[component]}: mean")
        _title(row[1], "BD"[component], f"{COMPONENT_NAMES[component]}: τ")
        row[0].set(ylabel="Mean / its own maximum", ylim=(0, 1.05))
        row[1].set_ylabel("Kendall's τ with\ntoken distance")
        row[1].axhline(0, color=_muted(), lw=0.8, zorder=0)
    for axes in grid[1]:
        axes.set_xlabel("Block (from 0)")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    names = ("MI (sign of τ flipped)" if flip_information else "MI", "L1", "L2")
    _profile_legend(figure, names, with_control=control is not None)
    return figure


def _profiles(axes: Axes, curves: np.ndarray, is_control: bool) -> None:
    bare = is_control or len(curves) > 20  # so many markers would hide the lines
    look: dict[str, Any] = {"ls": "--", "lw": 1.2, "alpha": 0.65} if is_control else {"ls": "-"}
    for i, curve in enumerate(curves.T):
        marker = None if bare else MARKERS[i]
        axes.plot(curve, color=_colour(i), marker=marker, **WEIGHTS[i] | look)


def _profile_legend(figure: Figure, names: Sequence[str], with_control: bool) -> None:
    handles = [
        Line2D([], [], color=_colour(i), marker=MARKERS[i], label=name, **WEIGHTS[i])
        for i, name in enumerate(names)
    ]
    if with_control:  # a legend fills its columns first: the measures stay in the upper row
        handles.insert(1, Line2D([], [], color=_muted(), label="trained"))
        dashed: dict[str, Any] = {"color": _muted(), "ls": "--", "lw": 1.2}
        handles.insert(3, Line2D([], [], label="untrained control", **dashed))
    figure.legend(handles=handles, loc="outside lower center", ncols=3)


# Part 7 ----------------------------------------------------------------------------------------


@themed
def layer_information_panels(
    layer_information: ArrayLike,
    control: ArrayLike | None = None,
    *,
    floor: ArrayLike | None = None,
) -> Figure:
    """Part 7: mutual information between blocks, as matrices and against their distance.

    Parameters
    ----------
    layer_information : array_like, shape (2, n_layer_pairs)
        MI in bits between the blocks of each pair, for attention and MLP.
    control : array_like, shape (2, n_layer_pairs), optional
        The same of the untrained network, drawn in grey, a step aside in D and E.
    floor : float or array_like, shape (2,), optional
        What the estimator gives for unrelated (shuffled) norms in bits, for both components or
        for attention and MLP, drawn as a line.
    """
    runs = [np.asarray(run) for run in (layer_information, control) if run is not None]
    apart = _distances_within_pairs(runs[0].shape[1])  # (n_layer_pairs,)
    figure, (top, bottom) = _grid(2, 3, wide=(9.0, 6.8), narrow=(5.4, 9.6), ratios=(1.3, 1))
    highest = runs[0].max()
    for i, name in enumerate(COMPONENT_NAMES):
        _heat_map(top[i], runs[0][i], "Block", "bits", cmap="magma", limits=(0, highest))
        _title(top[i], "AB"[i], f"{name} MI")
    _heat_map(top[2], apart, "Block", "blocks", cmap="viridis")
    _title(top[2], "C", "Block distance")
    for (attention, mlp), is_control in list(zip(runs, (False, True), strict=False))[::-1]:
        aside = apart + DODGE * is_control
        _run_scatter(bottom[0], aside, attention, is_control)
        _run_scatter(bottom[1], aside, mlp, is_control)
        _run_scatter(bottom[2], attention, mlp, is_control)
    for i, name in enumerate(COMPONENT_NAMES):
        _title(bottom[i], "DE"[i], f"{name} MI")
        bottom[i].set(xlabel="Block distance (blocks)", ylabel=f"{name} MI (bits)")
        bottom[i].xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        if floor is not None:
            bottom[i].axhline(np.broadcast_to(floor, 2)[i], color=_colour(1), ls=":")
    _title(bottom[2], "F", "MLP and attention MI")
    bottom[2].axline((0, 0), slope=1, color=_muted(), lw=0.8, zorder=0)  # where both are equal
    bottom[2].set(xlabel="Attention MI (bits)", ylabel="MLP MI (bits)")
    _run_legend(figure, control is not None, floor is not None)
    return figure


def _run_scatter(axes: Axes, x: np.ndarray, y: np.ndarray, is_control: bool) -> None:
    colour, marker = (_muted(), CONTROL_MARKER) if is_control else (_colour(0), "o")
    is_many = len(x) > MANY
    size = (3 if is_control else 5) if is_many else (10 if is_control else 18)
    look: dict[str, Any] = {"s": size, "linewidths": 0, "rasterized": is_many}
    axes.scatter(x, y, color=colour, marker=marker, **look)


def _run_legend(figure: Figure, with_control: bool, with_floor: bool) -> None:
    handles = [Line2D([], [], color=_colour(0), marker="o", ls="", label="trained")]
    if with_control:
        handles.append(
            Line2D([], [], color=_muted(), marker=CONTROL_MARKER, ls="", label="untrained control")
        )
    if with_floor:
        handles.append(Line2D([], [], color=_colour(1), ls=":", label="shuffled floor"))
    if len(handles) > 1:
        figure.legend(handles=handles, loc="outside lower center", ncols=3)


# The atlas -------------------------------------------------------------------------------------


@themed
def atlas_profiles(
    profiles: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]], measure: int
) -> Figure:
    """The atlas: tau of one measure with token distance over relative depth, a row for each target.

    Parameters
    ----------
    profiles : mapping of mappings of pairs of array_like, shape (n_cells, 2, n_layers) each
        By target and model: tau of the trained model and of the untrained one, drawn dashed. A
        line is the mean over cells, which are articles and seeds; a band reaches from the lowest
        to the highest.
    measure : int
        0 MI, 1 L1, 2 L2: for the labels.
    """
    n_rows = len(profiles)
    models = list(dict.fromkeys(model for row in profiles.values() for model in row))
    n_columns = int(np.clip(90 // (6 + max(map(len, models))), 1, 3))  # letters of a legend's line
    legend = 0.25 * math.ceil((len(models) + 1) / n_columns)  # inches
    wide, narrow = (7.6, 0.75 + legend + 2.5 * n_rows), (2.6 * max(2, n_rows), 6.15 + legend)
    figure, grid = _grid(n_rows, 2, wide=wide, narrow=narrow)
    for (target, row), panels in zip(profiles.items(), grid, strict=True):
        for component, axes in enumerate(panels):
            for model, pair in row.items():
                for values, is_control in zip(pair, (False, True), strict=True):
                    tau = np.asarray(values)[:, component]  # (n_cells, n_layers)
                    _atlas_line(axes, tau, models.index(model), is_control)
            axes.axhline(0, color=_muted(), lw=0.8, zorder=0)
            axes.set(xlabel="Relative depth", ylabel=f"τ of {MEASURES[measure]}", xlim=(0, 1))
            axes.set_title(f"{COMPONENT_NAMES[component]}, {target!r}", parse_math=False)
    looks = [{**_model_look(i), "label": model} for i, model in enumerate(models)]
    untrained = {"color": _muted(), "ls": "--", "lw": 1.2, "label": "untrained"}
    handles = [Line2D([], [], **look) for look in (*looks, untrained)]
    shown = figure.legend(handles=handles, loc="outside lower center", ncols=n_columns)
    for text in shown.get_texts():
        text.set_parse_math(False)  # a name may hold dollars
    return figure


def _atlas_line(axes: Axes, tau: np.ndarray, model: int, is_control: bool) -> None:
    known = tau[~np.isnan(tau).all(axis=1)]
    if not len(known):  # no control, or nothing to rank
        return
    depth = np.linspace(0, 1, tau.shape[1])
    look = _model_look(model)
    if is_control:
        look |= {"ls": "--", "lw": 1.2, "alpha": 0.65, "marker": None}
    axes.plot(depth, known.mean(axis=0), **look)
    if len(known) > 1:
        band: dict[str, Any] = {"color": look["color"], "alpha": 0.12, "lw": 0}
        axes.fill_between(depth, known.min(axis=0), known.max(axis=0), **band)


def _model_look(i: int) -> dict[str, Any]:
    """Colours repeat after three models, but not together with the marker."""
    return {"color": _colour(i % 3), "marker": MODEL_MARKERS[i % len(MODEL_MARKERS)], "ms": 4}


# Designs and controls --------------------------------------------------------------------------


@themed
def control_profiles(
    models: Mapping[str, tuple[ArrayLike, Mapping[str, ArrayLike]]], label: str = "τ of L2"
) -> Figure:
    """A trained model between bands of its controls, a row for each model.

    Parameters
    ----------
    models : mapping of pairs
        By model: tau of the trained one, (2, n_layers), and by control its draws, each of shape
        (n_draws, 2, n_layers). A line is the mean of the draws, its band all of them.
    label : str
        What is drawn.
    """
    n_rows = len(models)
    figure = Figure(figsize=(5.2 if is_narrow() else 7.6, 1.0 + 2.6 * n_rows))  # never turned
    grid = figure.subplots(n_rows, 2, squeeze=False)
    names = list(dict.fromkeys(name for _, controls in models.values() for name in controls))
    for (model, (trained, controls)), panels in zip(models.items(), grid, strict=True):
        for component, axes in enumerate(panels):
            for name, draws in controls.items():
                drawn = np.asarray(draws)[:, component]  # (n_draws, n_layers)
                look = _control_look(names.index(name))
                axes.plot(drawn.mean(axis=0), **look)
                band: dict[str, Any] = {"color": look["color"], "alpha": 0.2, "lw": 0}
                ends = drawn.min(axis=0), drawn.max(axis=0)
                axes.fill_between(range(drawn.shape[1]), *ends, **band)
            curve = np.asarray(trained)[component]
            bare = len(curve) > 20
            axes.plot(curve, color=_colour(0), marker=None if bare else "o", ms=5, lw=2)
            axes.axhline(0, color=_muted(), lw=0.8, zorder=0)
            axes.set(xlabel="Block (from 0)", ylabel=label)
            axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
            title = [COMPONENT_NAMES[component], *([model] if n_rows > 1 else [])]
            axes.set_title(("\n" if is_narrow() else ", ").join(title))
        _same_scale(panels)
    handles = [Line2D([], [], color=_colour(0), marker="o", ms=5, lw=2, label="trained")]
    handles += [Line2D([], [], label=name, **_control_look(i)) for i, name in enumerate(names)]
    figure.legend(handles=handles, loc="outside lower center", ncols=2 if is_narrow() else 4)
    return figure


def _control_look(i: int) -> dict[str, Any]:
    """Three controls: two colours that the trained model has not, and grey."""
    colour = _colour(1 + i) if i < 2 else _muted()
    return {"color": colour, "ls": CONTROL_LINES[i], "lw": 1.4}


@themed
def two_readings(
    distances: ArrayLike, gaps: ArrayLike, earlier: ArrayLike, marked: ArrayLike
) -> Figure:
    """The same distances against two things that go together.

    Parameters
    ----------
    distances : array_like, shape (n_pairs,)
        L2 of the pairs of targets.
    gaps, earlier : array_like of int, shape (n_pairs,)
        Tokens from one target to the other, and before the earlier one.
    marked : array_like of bool, shape (n_pairs,)
        Pairs that are drawn otherwise.
    """
    distances, marked = np.asarray(distances), np.asarray(marked)
    figure, ((left, right),) = _grid(1, 2, wide=(7.6, 3.7), narrow=(4.4, 6.6))
    for axes, values in ((left, np.asarray(gaps)), (right, np.asarray(earlier))):
        axes.scatter(values[~marked], distances[~marked], color=_colour(0), **DOTS)
        axes.scatter(values[marked], distances[marked], color=_colour(1), marker="s", **DOTS)
    left.set(xlabel="Distance (tokens)", ylabel=_measure_label("L2"))
    right.set(xlabel="Tokens before the earlier one", ylabel=_measure_label("L2"))
    _title(left, "A", "By the distance in tokens")
    _title(right, "B", "By the earlier position")
    kinds = (("two later targets", "o", 0), ("with one of the first two", "s", 1))
    handles = [
        Line2D([], [], color=_colour(i), marker=m, ls="", label=name) for name, m, i in kinds
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


@themed
def component_profiles(curves: Mapping[str, ArrayLike], label: str, *, log: bool = False) -> Figure:
    """A number for each component, attention and MLP beside each other, over the blocks.

    Parameters
    ----------
    curves : mapping of array_like, shape (2, n_layers)
        By what the legend calls them; five of them at most can be told apart.
    label : str
        What is drawn, with its unit.
    log : bool
        On a logarithmic axis.
    """
    figure, (panels,) = _grid(1, 2, wide=(7.6, 3.9), narrow=(4.4, 7.0))
    for component, axes in enumerate(panels):
        for i, (name, values) in enumerate(curves.items()):
            colour = _colour(i) if i < 3 else _muted()
            line = "--" if i > 3 else "-"
            look = {"color": colour, "ls": line, "marker": MODEL_MARKERS[i], "ms": 4.5, "lw": 1.6}
            axes.plot(np.asarray(values)[component], label=name, **look)
        axes.set(xlabel="Block (from 0)", ylabel=label, yscale="log" if log else "linear")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        _title(axes, "AB"[component], COMPONENT_NAMES[component])
    _same_scale(panels)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2)
    return figure


def _same_scale(panels: Sequence[Axes]) -> None:
    low, high = zip(*(axes.get_ylim() for axes in panels), strict=True)
    for axes in panels:
        axes.set_ylim(min(low), max(high))


# The model card --------------------------------------------------------------------------------


@themed
def loss_curve(curve: Sequence[dict]) -> Figure:
    """The model card's figure: loss on the training and the held-out text as training went on.

    Parameters
    ----------
    curve : sequence of dict
        Each with ``tokens`` (seen so far), ``train`` and ``held_out`` (nats per token); a loss
        that was not measured at that moment may be missing or None.
    """
    figure = Figure(figsize=(4.8, 3.8) if is_narrow() else (6.4, 3.9))
    axes = figure.subplots()
    for i, (key, label) in enumerate((("train", "training text"), ("held_out", "held-out text"))):
        points = [(row["tokens"] / 1e6, row[key]) for row in curve if row.get(key) is not None]
        if points:
            dot = MARKERS[i] if len(points) <= 40 else None
            axes.plot(*zip(*points, strict=True), color=_colour(i), marker=dot, label=label)
    axes.set(xlabel="Tokens seen (millions)", ylabel="Loss (nats per token)")
    axes.set_title("The embedded model learns")
    axes.legend(loc="upper right")
    return figure


# What the panels share -------------------------------------------------------------------------


def _grid(
    n_rows: int,
    n_columns: int,
    *,
    wide: tuple[float, float],
    narrow: tuple[float, float],
    ratios: Sequence[float] | None = None,
) -> tuple[Figure, np.ndarray]:
    """A figure and its panels, (n_rows, n_columns) however they lie: turned on a narrow page."""
    if not is_narrow():
        figure = Figure(figsize=wide)
        return figure, figure.subplots(n_rows, n_columns, squeeze=False, height_ratios=ratios)
    figure = Figure(figsize=narrow)
    return figure, figure.subplots(n_columns, n_rows, squeeze=False).T


def _colour(i: int) -> str:
    """The i-th colour of the theme, fixed now: matplotlib would look ``C0`` up when it draws."""
    return to_hex(f"C{i}")


def _muted() -> str:
    return mpl.rcParams["grid.color"]


def _title(axes: Axes, letter: str, text: str) -> None:
    axes.set_title(f"{letter}  {text}")


def _measure_label(name: str) -> str:
    return "MI (bits)" if name == "MI" else f"{name} distance\n(activation units)"


def _by_maximum(values: np.ndarray) -> np.ndarray:
    """Each column divided by its maximum; a column of zeros stays as it is."""
    highest = np.nanmax(values, axis=0)
    return values / np.where(highest > 0, highest, 1)


def _distances_within_pairs(n_pairs: int) -> np.ndarray:
    """How far the items of each pair i < j are apart, j - i."""
    first, second = np.nonzero(to_upper(np.ones(n_pairs)))
    return second - first


def _heat_map(
    axes: Axes,
    pairs: np.ndarray,
    label: str,
    unit: str,
    *,
    cmap: str,
    limits: tuple[float, float] | None = None,
    span: tuple[float, float] | None = None,
    extend: str = "neither",
) -> None:
    """The values of pairs above the diagonal of a square, with a colour bar below.

    Parameters
    ----------
    limits : (low, high), optional
        Ends of the colour scale; without them, those of the values shown.
    span : (low, high), optional
        The same, as parts of the largest value shown.
    """
    square = to_upper(pairs)
    shown = np.ma.masked_where(np.tril(np.ones(square.shape, dtype=bool)), square)
    low, high = limits or (np.multiply(span, shown.max()) if span else (shown.min(), shown.max()))
    image = axes.imshow(shown, cmap=cmap, vmin=low, vmax=high, interpolation="none")
    _colour_bar(axes, image, unit, location="bottom", extend=extend)
    _outline(axes, len(square))
    axes.set(xlabel=f"{label} j", ylabel=f"{label} i")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=5, integer=True))


def _outline(axes: Axes, n: int) -> None:
    """A thin line around the cells above the diagonal, so that black ones end on black too."""
    stair = np.repeat(np.arange(n) + 0.5, 2)  # 0.5, 0.5, 1.5, 1.5, …
    x = [*stair[:-2], n - 0.5, n - 0.5, 0.5]
    y = [-0.5, *stair[:-2], -0.5, -0.5]
    axes.plot(x, y, color=_muted(), lw=0.8, clip_on=False)


def _colour_bar(
    axes: Axes, image: AxesImage, label: str, *, location: str, extend: str = "neither"
) -> None:
    bar = axes.figure.colorbar(image, ax=axes, location=location, extend=extend, aspect=14)
    bar.set_label(label)
    bar.outline.set(edgecolor=_muted(), linewidth=0.8)
    is_whole = np.all(np.ma.asarray(image.get_array()) % 1 == 0)
    bar.locator = MaxNLocator(nbins=2 if is_narrow() else 4, integer=bool(is_whole))
    bar.update_ticks()


def _pairs_note(n_pairs: int) -> str:
    n_targets = len(to_upper(np.zeros(n_pairs)))
    return f"Each point and\neach square:\none of the {n_pairs} pairs\nof {n_targets} targets."
