"""What single chapters draw: one function per drawing, arrays in, a matplotlib Figure out.

The figures of the investigation, which a run leaves behind, are in `layerlab.figures`.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

LINES = ("-", "--", "-.")  # beside the colours of the page's theme, C0 to C2


def _ink() -> str:
    return mpl.rcParams["text.color"]


# Distance --------------------------------------------------------------------------------------


def unit_balls() -> Figure:
    """The points at distance 1 from the origin for p = 1, 2 and infinity."""
    angle = np.linspace(0, 2 * np.pi, 721)
    rays = np.stack([np.cos(angle), np.sin(angle)])  # (2, n_angles)
    figure = Figure(figsize=(4.8, 3.7), layout="constrained")
    axes = figure.subplots()
    for i, (p, style) in enumerate(zip((1, 2, np.inf), LINES, strict=True)):
        ball = rays / np.linalg.norm(rays, ord=p, axis=0)  # each ray scaled to distance 1
        label = "p = ∞" if np.isinf(p) else f"p = {p}"
        axes.plot(*ball, color=f"C{i}", linestyle=style, linewidth=2.5, label=label)
    axes.set(aspect="equal", xlabel="First difference", ylabel="Second difference")
    axes.set_title("All points at distance 1")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return figure


def shares_by_power(
    pairs: Mapping[str, tuple[ArrayLike, ArrayLike]],
    share: Callable[[ArrayLike, ArrayLike, float], float],
) -> Figure:
    """The share of the largest difference against p, one line for each pair of vectors.

    Parameters
    ----------
    pairs : mapping of two arrays
        By what the legend calls them, three at most.
    share : callable
        Of two vectors and p.
    """
    powers = np.linspace(1, 6, 51)
    figure = Figure(figsize=(5, 3.6), layout="constrained")
    axes = figure.subplots()
    for i, (label, (a, b)) in enumerate(pairs.items()):
        shares = [share(a, b, p) for p in powers]
        look: dict[str, Any] = {"color": f"C{i}", "linestyle": LINES[i], "linewidth": 2.5}
        axes.plot(powers, shares, label=label, **look)
    axes.set(xlabel="p", ylabel="Share of the sum", ylim=(0, 1.02))
    axes.set_title("How much the largest difference counts")
    axes.legend(loc="center right", frameon=False)
    return figure


def concentration(relative: Mapping[int, Sequence[ArrayLike]]) -> Figure:
    """A histogram of distances, divided by their mean, for each number of dimensions.

    Parameters
    ----------
    relative : mapping of sequences of arrays
        By the number of dimensions; of each, the distances for p = 1 and for p = 2.
    """
    figure = Figure(figsize=(5, 5.2), layout="constrained")
    panels = figure.subplots(len(relative), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (n_dimensions, both) in zip(panels, relative.items(), strict=True):
        for i, values in enumerate(both):
            look = {"color": f"C{i}", "linestyle": LINES[i], "label": f"p = {i + 1}"}
            axes.hist(values, bins=np.linspace(0, 3, 91).tolist(), histtype="step", **look)
        axes.set_yticks([])
        axes.set_title(f"{n_dimensions} dimensions", loc="left", fontsize="medium")
    panels[0].legend(loc="upper right", frameon=False)
    panels[-1].set_xlabel("Distance / mean distance")
    return figure


# Information -----------------------------------------------------------------------------------


def entropy_bars(x: float, y: float, shared: float) -> Figure:
    """H(x), H(y) and H(x,y), in bits, as bars that overlap in what is shared."""
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    axes.barh(
        ["H(x)", "H(y)", "I(x;y)", "H(y|x)", "H(x,y)"],
        [x, y, shared, y - shared, x + y - shared],
        left=[0, x - shared, x - shared, x, 0],
        color=["C0", "C1", "C2", "C1", "gray"],
    )
    axes.invert_yaxis()
    axes.set(xlabel="Bits", title="The overlap is shared")
    return figure


def neighborhood(x: ArrayLike, y: ArrayLike, i: int, k: int = 3) -> Figure:
    """A point of a scatter, the square to its k-th neighbour, and the square's two strips.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Both divided by their standard deviation.
    i, k : int
        Which point, and which of its neighbours.
    """
    x, y = np.asarray(x), np.asarray(y)
    gap_x, gap_y = np.abs(x - x[i]), np.abs(y - y[i])  # (n,)
    radius = np.sort(np.maximum(gap_x, gap_y))[k]  # entry 0 is the point itself
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(x[i] - radius, x[i] + radius, color="C0", alpha=0.35, linewidth=0)
    axes.axhspan(y[i] - radius, y[i] + radius, color="C1", alpha=0.35, linewidth=0)
    axes.plot(x, y, "o", color="gray", markersize=5)
    axes.plot(x[i], y[i], "*", color="C2", markersize=16)
    axes.set(xlabel="x / standard deviation", ylabel="y / standard deviation", aspect="equal")
    n_x, n_y = (np.sum(gap < radius) - 1 for gap in (gap_x, gap_y))
    axes.set_title(f"{n_x} others in the column, {n_y} in the row")
    return figure


def error_bands(
    truth: ArrayLike, errors: Mapping[int, ArrayLike], estimators: Sequence[str]
) -> Figure:
    """Mean error of estimators against the truth, with bands of one standard deviation.

    Parameters
    ----------
    truth : array_like, shape (n_truths,)
        In bits.
    errors : mapping of array_like, shape (n_truths, n_estimators, n_repeats)
        Estimate less truth, in bits, by the number of samples; two of these.
    estimators : sequence of str
        Their names.
    """
    figure = Figure(figsize=(5, 6.2), layout="constrained")
    panels = figure.subplots(len(errors), 1, squeeze=False)[:, 0]
    for letter, axes, (n, of_n) in zip("AB", panels, errors.items(), strict=True):
        of_n = np.asarray(of_n)
        mean, spread = of_n.mean(axis=-1).T, of_n.std(axis=-1).T
        for row, (label, marker) in enumerate(zip(estimators, "os^", strict=True)):
            low, high = mean[row] - spread[row], mean[row] + spread[row]
            axes.fill_between(truth, low, high, color=f"C{row}", alpha=0.2, lw=0)
            axes.plot(truth, mean[row], color=f"C{row}", marker=marker, label=label)
        axes.axhline(0, color=_ink(), linewidth=0.8)
        axes.set(xlabel="True mutual information (bits)", ylabel="Estimate − truth (bits)")
        axes.set_title(f"{letter}  {n} samples")
    axes.legend(loc="lower left")
    return figure


def two_walks(walks: ArrayLike, shared: float, shuffled: np.ndarray, shifted: np.ndarray) -> Figure:
    """Two walks, their information, and what a shuffle and a shift leave of it, in bits."""
    figure = Figure(figsize=(5, 5.6), layout="constrained")
    top, bottom = figure.subplots(2, 1)
    for walk in np.asarray(walks):
        top.plot(walk)
    top.set(xlabel="Step", ylabel="Place", title="A  Two unrelated walks")
    edges = np.linspace(0, max(shared, shifted.max()) + 0.1, 40).tolist()
    bottom.hist(shuffled, edges, color="C0", alpha=0.5, label="shuffled")
    bottom.hist(shifted, edges, color="C1", alpha=0.5, label="shifted")
    bottom.axvline(shared, color=_ink(), linestyle="--", label="as they are")
    bottom.set(xlabel="Estimate (bits)", ylabel="Draws", title="B  Chance, by two controls")
    bottom.legend()
    return figure


def proof_boxes(
    x: np.ndarray,
    y: np.ndarray,
    slab: Sequence[np.ndarray],
    points: Sequence[int],
    radius: np.ndarray,
    box: np.ndarray,
) -> Figure:
    """The cloud with one slab; then box and square of a proved and of an unproved point.

    Parameters
    ----------
    x, y, radius : ndarray, shape (n,)
        The points, and how far each one's third neighbour seems to be.
    slab : sequence of ndarray
        Which points are at home in it, and all that it lists.
    points : sequence of int
        The two that are shown.
    box : ndarray, shape (4, n)
        Left, right, bottom and top of what was looked at around each point.
    """
    figure = Figure(figsize=(5, 11), layout="constrained")
    cloud, *closer = figure.subplots(3, 1)
    groups: dict[str, Any] = {"not in the slab": (slice(None), "gray"), "guests": (slab[1], "C2")}
    groups["at home"] = slab[0], "C0"
    for axes in (cloud, *closer):
        for label, (group, color) in groups.items():
            axes.scatter(x[group], y[group], s=8, color=color, lw=0, label=label)
        axes.set(xlabel="x", ylabel="y")
    cloud.set(xlim=(-3, 3), ylim=(-3, 3), title="A  The cloud, and one slab of it")
    titles = "B  Proved: the square fits into the box", "C  Not proved: it sticks out"
    for axes, point, title in zip(closer, points, titles, strict=True):
        left, right, bottom, top = box[:, point]
        r = radius[point]
        axes.plot(x[point], y[point], "*", color="C1", markersize=12)
        outline: dict[str, Any] = {"fill": False, "ec": _ink(), "label": "box"}
        axes.add_patch(Rectangle((left, bottom), right - left, top - bottom, **outline))
        corner = x[point] - r, y[point] - r
        area: dict[str, Any] = {"color": "C1", "alpha": 0.35, "label": "square"}
        axes.add_patch(Rectangle(corner, 2 * r, 2 * r, **area))
        half = 0.7 * max(right - left, top - bottom, 2 * r)
        axes.set(xlim=x[point] + half * np.array([-1, 1]), title=title)
        axes.set(ylim=y[point] + half * np.array([-1, 1]))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def time_by_pairs(n_pairs: ArrayLike, microseconds: ArrayLike) -> Figure:
    """Microseconds a pair against the number of pairs in one call."""
    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.semilogx(n_pairs, microseconds, "o-")
    axes.set_xticks(n_pairs, np.asarray(n_pairs).astype(str))
    axes.minorticks_off()
    axes.set(xlabel="Pairs in one call", ylabel="Microseconds a pair", ylim=(0, None))
    axes.set_title("Vectors of 1280 values, more and more pairs")
    return figure


# The model -------------------------------------------------------------------------------------


def attention_maps(weights: np.ndarray, pieces: Sequence[str]) -> Figure:
    """The weights of four heads: who looks (rows) at whom (columns); what is masked stays empty.

    Parameters
    ----------
    weights : ndarray, shape (4, n_tokens, n_tokens)
        Each row adds up to 1.
    pieces : sequence of str
        The tokens.
    """
    ahead = np.triu(np.ones((len(pieces), len(pieces)), dtype=bool), k=1)
    figure = Figure(figsize=(7.6, 7.6))
    for head, axes in enumerate(figure.subplots(2, 2).ravel()):
        shown = np.ma.masked_where(ahead, weights[head])
        image = axes.imshow(shown, cmap="viridis", vmin=0, vmax=1, interpolation="none")
        places = range(len(pieces))
        axes.set_xticks(places, pieces, rotation=90, fontsize=9)
        axes.set_yticks(places, pieces, fontsize=9)
        axes.set_title(f"Head {head}")
        axes.set(xlabel="looks at", ylabel="token")
    figure.colorbar(image, ax=figure.axes, shrink=0.5, label="Weight")
    return figure


def target_strips(positions: ArrayLike, first: ArrayLike, n_tokens: int, context: int) -> Figure:
    """Where the targets stand: A in the whole article, B in the context window."""
    figure = Figure(figsize=(7, 3.4))
    whole, window = figure.subplots(2, 1)
    for axes, letter, end, title in (
        (whole, "A", n_tokens, "The whole article"),
        (window, "B", context, "The context window"),
    ):
        axes.axvspan(0, context, color="C2", alpha=0.2, lw=0, label="context window")
        axes.vlines(positions, 0, 0.6, color="C0", lw=1, label="all targets")
        axes.vlines(first, 0, 1, color="C1", lw=2, label=f"the first {np.size(first)}")
        axes.set(xlim=(0, end), ylim=(0, 1.05), yticks=[], title=f"{letter}  {title}")
        axes.spines["left"].set_visible(False)
    window.set_xlabel("Token position")
    figure.legend(*whole.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def block_diagram() -> Figure:
    """The inside of one GPT-2 block, read from the bottom up."""
    figure = Figure(figsize=(5, 6.2))
    axes = figure.subplots()
    axes.set(xlim=(0, 5.6), ylim=(-0.2, 8.4))
    axes.axis("off")
    arrow = {"arrowstyle": "-|>", "color": _ink(), "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (0.9, 8.1), (0.9, 0.0), arrowprops={**arrow, "lw": 4})
    axes.text(0.45, 4.0, "residual stream", rotation=90, va="center", ha="center", weight="bold")
    axes.text(1.1, 0.0, "h, from block i − 1", va="center")
    axes.text(1.1, 8.1, "h″, to block i + 1", va="center")
    branches = [
        (0.5, "C0", "att_i", ["LayerNorm", "heads look at\ntokens so far", "attn.c_proj"]),
        (4.3, "C1", "mlp_i", ["LayerNorm", "widen to 4 × width,\nGELU", "mlp.c_proj"]),
    ]
    for bottom, colour, name, steps in branches:
        heights = [bottom + 0.4, bottom + 1.65, bottom + 2.9]
        axes.annotate("", (3.05, heights[0]), (0.9, heights[0]), arrowprops=arrow)
        for height, step in zip(heights, steps, strict=True):
            projection = step.endswith("c_proj")
            frame = {"lw": 3 if projection else 1.2, "edgecolor": colour if projection else _ink()}
            look: dict[str, Any] = {"ha": "center", "va": "center"}
            look["weight"] = "bold" if projection else "normal"
            look["bbox"] = {"boxstyle": "round,pad=0.45", "facecolor": "none", **frame}
            axes.text(3.7, height, step, **look)
        for low, high in pairwise(heights):
            axes.annotate("", (3.7, high - 0.42), (3.7, low + 0.42), arrowprops=arrow)
        back = {**arrow, "color": colour, "lw": 2.4}
        axes.annotate("", (1.08, heights[2]), (3.0, heights[2]), arrowprops=back)
        axes.text(2.0, heights[2] + 0.2, name, ha="center", color=colour, weight="bold")
        axes.plot(0.9, heights[2], "o", ms=19, mfc="white", mec=colour, mew=2, zorder=3)
        plus: dict[str, Any] = {"color": "black", "weight": "bold", "size": 14, "zorder": 4}
        axes.text(0.9, heights[2], "+", ha="center", va="center_baseline", **plus)
    return figure


# Pairs of targets ------------------------------------------------------------------------------


def coordinate_pairs(
    vectors: np.ndarray, pairs: Sequence[tuple[int, int]], bits: Sequence[float]
) -> Figure:
    """Each coordinate as a dot: its value at one target against its value at another.

    Parameters
    ----------
    vectors : ndarray, shape (n_targets, width)
        Activations.
    pairs : sequence of two ints
        Which targets; two pairs.
    bits : sequence of float
        What each pair shares.
    """
    figure = Figure(figsize=(7, 3.6))
    panels = figure.subplots(1, len(pairs), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (i, j), information, letter in zip(panels, pairs, bits, "AB", strict=True):
        axes.scatter(vectors[i], vectors[j], s=14, alpha=0.7, linewidths=0)
        axes.set_title(f"{letter}  {information:.2f} bits")
        axes.set_xlabel(f"Coordinates at target {i}")
        axes.label_outer(remove_inner_ticks=False)
        axes.set_ylabel(f"Coordinates at target {j}")
    return figure


def few_pairs(tokens_apart: ArrayLike, vectors_apart: ArrayLike) -> Figure:
    """A dot for each of five pairs of targets."""
    figure = Figure(figsize=(4.8, 3.2))
    axes = figure.subplots()
    axes.plot(tokens_apart, vectors_apart, "o", markersize=8)
    axes.set(xlabel="Tokens apart", ylabel="L2", title="Five pairs of targets")
    return figure


def null_histograms(pairs_dealt: np.ndarray, names_dealt: np.ndarray, observed: float) -> Figure:
    """Taus by accident under two ideas of "no relation", and the tau that was found."""
    figure = Figure(figsize=(6.6, 3.8))
    axes = figure.subplots()
    most = max(np.abs(names_dealt).max(), np.abs(pairs_dealt).max(), abs(observed)) + 0.02
    bins = np.linspace(-most, most, 50).tolist()
    axes.hist(pairs_dealt, bins, histtype="step", color="C0", lw=2, label="pairs shuffled")
    axes.hist(names_dealt, bins, color="C1", alpha=0.45, label="ten names dealt anew")
    axes.axvline(observed, color=_ink(), ls="--", label=f"observed, {observed:.2f}")
    axes.set(xlabel="Kendall's tau of L2 with token distance", ylabel="Number of shuffles")
    axes.set_title("What chance alone would give")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def tau_profiles(taus: Mapping[str, ArrayLike]) -> Figure:
    """Tau of L2 over the blocks, a line for each of three models.

    Parameters
    ----------
    taus : mapping of array_like, shape (2, n_layers)
        By what the legend calls the models.
    """
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for component, axes in enumerate(panels):
        for (name, values), style in zip(taus.items(), ("-", "--", ":"), strict=True):
            axes.plot(np.asarray(values)[component], style, label=name)
        axes.set(xlabel="Block (from 0)", title=["Attention", "MLP"][component])
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    panels[0].set_ylabel("Tau of L2 with token distance")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def dot_rows(
    found: np.ndarray,
    clouds: Mapping[str, np.ndarray],
    picks: Mapping[str, Callable[[np.ndarray], ArrayLike]],
) -> Figure:
    """Each draw of each world as a dot, before a line for what was found; a panel for each pick.

    Parameters
    ----------
    found : ndarray, shape (2, n_layers, 3)
        Tau as it was measured.
    clouds : mapping of ndarray, shape (n_draws, 2, n_layers, 3)
        The same in other worlds, by their names.
    picks : mapping of callable
        By the title of its panel, what to take of either.
    """
    figure = Figure(figsize=(6.2, 6.4), layout="constrained")
    height = np.arange(len(clouds))[::-1]
    panels = figure.subplots(len(picks), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (title, pick) in zip(panels, picks.items(), strict=True):
        for row, cloud in zip(height, clouds.values(), strict=True):
            values = np.asarray(pick(cloud))
            axes.plot(values, 0 * values + row, "o", ms=5, alpha=0.6, color=f"C{row < 3:d}")
        axes.axvline(pick(found), color=_ink(), ls="--")
        axes.set_yticks(height, clouds)
        axes.set_title(title)
    axes.set_xlabel("Kendall's tau of L2 with token distance")
    return figure


# A reader's own data ---------------------------------------------------------------------------


def changes_by_volume(volume: ArrayLike, change: ArrayLike) -> Figure:
    """The change of a price over the volume of the day."""
    figure = Figure(figsize=(5, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(volume, change, "o", ms=2.5, alpha=0.6)
    axes.set(xlabel="Shares traded that day (log10)", ylabel="Change of the price (%)")
    return figure
