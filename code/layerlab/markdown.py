"""A run's numbers as a short Markdown report."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from layerlab._validate import random_seed
from layerlab.figures import COMPONENT_NAMES, CONTROLS_FILE, FILE_NAMES, MEASURES
from layerlab.statistics import mantel_test, shuffled_information

if TYPE_CHECKING:
    from layerlab.comparison import Comparison
    from layerlab.investigation import Investigation
    from layerlab.texts import Article

N_SHUFFLES = 200
ATLAS = "atlas.md"
L2 = 2  # among the similarities of a comparison
CAPTIONS = {  # by the part that a figure belongs to
    "2a": "A noisy curve, and how often its points fall into each cell of a histogram.",
    "2b": "Mutual information of the noisy curve from histograms of more and more bins, beside the "
    "k-nearest-neighbour estimate.",
    "4": "Mutual information, L1 and L2 of each pair of targets against each other, in the MLP of "
    "block {block}: as measured, and divided by the largest.",
    "5": "The three measures in the MLP of block {block} beside the distance in tokens.",
    "6": "Mean of each measure, divided by its maximum, and its correlation with the distance in "
    "tokens (for MI with its sign flipped), block by block; dashed: the untrained control.",
    "7": "Mutual information between the blocks of each pair, and over the distance of the two; "
    "grey: the untrained control.",
}
CONTROLS_CAPTION = (
    "τ of the L2 distance with the distance in tokens, block by block; of each control the mean of "
    "its draws, and all of them as a band."
)
OF_THE_TEXT = ("4", "5", "6", "7")  # parts 2a and 2b measure numbers that are drawn at random
OF_NO_TEXT = "Made of random numbers, and of no text."
# What Markdown, or HTML within it, takes for more than itself; an underscore only at a word's edge,
# so that an address stays one.
MARKUP = re.compile(r"[\\`*\]<&|~$]|(?<![^\W_])_|_(?![^\W_])")


def write_report(
    run: "Investigation | None", floor: float, comparison: "Comparison | None" = None
) -> str:
    """The Markdown report of an investigation, of a comparison, or of both.

    Parameters
    ----------
    run : layerlab.investigation.Investigation or None
    floor : float
        Of `information_floor`, in bits.
    comparison : layerlab.comparison.Comparison, optional

    Returns
    -------
    str
        Every number in it is read from what is given, or computed from what that holds.
    """
    sections = ["# What layerlab measured"]
    if run is not None:
        sections += [_facts(run), _positions(run), _sweep(run), _layers(run, floor), _figures(run)]
    elif comparison is not None:
        sections += [_facts_compared(comparison)]
    if comparison is not None:
        sections += [_controls(comparison)]
    return "\n\n".join(sections) + "\n"


def information_floor(n_sequences: int, *, n_neighbors: int = 3, seed: int = 0) -> float:
    """What the k-NN estimator reports, on average, for unrelated numbers: the floor of part 7.

    The estimates of unrelated numbers scatter around 0, and those below 0 are clipped, so their
    mean is above 0, the more so the fewer the samples.

    Parameters
    ----------
    n_sequences : int
        Samples of each variable.
    n_neighbors, seed : int
        Of the estimator and of the draws.

    Returns
    -------
    float
        In bits: the mean over shuffles of two independent normal variables.
    """
    x, y = np.random.default_rng(random_seed(seed)).standard_normal((2, n_sequences))
    options: dict[str, Any] = {"n_shuffles": N_SHUFFLES, "n_neighbors": n_neighbors, "seed": seed}
    return float(shuffled_information(x, y, **options).mean())


def write_atlas(
    profiles: Sequence[tuple[dict[str, Any], np.ndarray, np.ndarray]],
    failures: Sequence[dict[str, Any]],
    figures: dict[str, str],
    articles: "Sequence[Article]" = (),
) -> str:
    """The Markdown report of an atlas.

    Parameters
    ----------
    profiles : sequence of (facts, summary, control)
        What is shown of a cell, by the heads of the table; two arrays (2, n_layers, 2, 3).
    failures : sequence of dict
        By the heads of their table.
    figures : dict of str
        Each file's name, and what is to be seen in it.
    articles : sequence of layerlab.texts.Article
        Those that the cells were made of.
    """
    heads = (*(profiles[0][0] if profiles else ()), "Component", "Weights", *MEASURES)
    rows = [
        (*facts.values(), COMPONENT_NAMES[i], name, *_depth_peaks(values[i]))
        for facts, *both in profiles
        for i in range(2)
        for name, values in zip(("trained", "untrained"), both, strict=True)
        if not np.isnan(values[i, :, 0]).all()  # without a control there is none
    ]
    sections = [
        "# Atlas",
        "The strongest τ of each measure with the distance in tokens, and the relative depth where "
        "it is: 0 is the first block and 1 the last.",
        _table(heads, rows) if rows else "No cell is done yet.",
        *(_figure(name, words, _credit(*articles)) for name, words in figures.items()),
    ]
    if articles:
        sentences = dict.fromkeys(_plain(article.attribution) for article in articles)
        sections += ["## Texts", *sentences]
    if failures:
        rows = [tuple(failure.values()) for failure in failures]
        sections += ["## What failed", _table(tuple(failures[0]), rows)]
    return "\n\n".join(sections) + "\n"


def _controls(comparison: "Comparison") -> str:
    options, n_pairs = comparison.options, len(comparison.gaps)
    read = {
        "worksheet": "The targets are read in one pass over the article, so each has another "
        "number of tokens before it, and a pair's distance goes with how early its first target is",
        "fixed-past": f"Each target is read after the {options.n_past} tokens before it and "
        "nothing else; compared are the pairs whose pasts have tokens in common",
    }[options.design]
    heads = ["Component", "Block", "Trained", "Gap, given earlier", "Earlier, given gap"]
    has_far = not np.isnan(comparison.far).all()
    heads += ["No common past"] if has_far else []
    heads += [f"{name}, {options.n_draws} draws" for name in comparison.controls]
    rows = []
    for i, component in enumerate(COMPONENT_NAMES):
        for block in range(comparison.tau.shape[1]):
            numbers = [comparison.tau, *comparison.partial, *([comparison.far] * has_far)]
            cells = [_number(values[i, block, L2]) for values in numbers]
            cells += [_band(draws[:, i, block, L2]) for draws in comparison.controls.values()]
            rows.append((component, block, *cells))
    return (
        f"## Controls ({options.design})\n\n{read}. Kendall's τ of the L2 distance with the "
        f"distance in tokens, over {n_pairs} pairs of {len(comparison.positions)} targets; of a "
        "control, the mean of its draws, the lowest and the highest. The two columns in the middle "
        "hold partial τ: with the distance, given the earlier target's position, and the other way "
        "round.\n\n"
        + _table(heads, rows)
        + "\n\n"
        + _figure(CONTROLS_FILE, CONTROLS_CAPTION, _credit(comparison.article))
    )


def _band(draws: np.ndarray) -> str:
    if np.isnan(draws).any():
        return "–"
    mean, low, high = (_number(value) for value in (draws.mean(), draws.min(), draws.max()))
    return f"{mean} ({low} to {high})"


def _depth_peaks(summary: np.ndarray) -> list[str]:
    tau = summary[:, 1]  # (n_layers, 3)
    if np.isnan(tau).all(axis=0).any():
        return ["–"] * len(MEASURES)
    blocks = np.nanargmax(np.abs(tau), axis=0)
    depth = np.linspace(0, 1, len(tau))
    return [f"{_number(tau[b, i])} at {depth[b]:.2f}" for i, b in enumerate(blocks)]


def _plain(value: object) -> str:
    """Whatever a user, a wiki or an error says, as plain words on one line of Markdown."""
    return MARKUP.sub(r"\\\g<0>", " ".join(str(value).split()))


def _facts(run: "Investigation") -> str:
    rows = [
        ("Model", f"{run.options.model} ({run.n_layers} blocks, width {run.width})"),
        *_origins(run),
        ("Tokens", f"{run.n_tokens}, of them {run.n_unique} unique"),
        ("Target in the article", f"{len(run.target_positions)} times"),
        ("Targets compared", f"{len(run.first_positions)}, at positions {_list(run)}"),
        ("Sequences in part 7", run.n_sequences),
        ("Seed", run.options.seed),
    ]
    return f"{_table(('', ''), rows)}\n\n{_plain(run.article.attribution)}"


def _facts_compared(comparison: "Comparison") -> str:
    rows = [
        ("Model", f"{comparison.options.model} ({comparison.tau.shape[1]} blocks)"),
        *_origins(comparison),
        ("Targets compared", len(comparison.positions)),
        ("Seed", comparison.options.seed),
    ]
    return f"{_table(('', ''), rows)}\n\n{_plain(comparison.article.attribution)}"


def _origins(run: "Investigation | Comparison") -> list[tuple[str, object]]:
    return [
        ("Loaded", f"{run.model_version}, {run.options.dtype} on {run.options.device}"),
        ("Article", run.options.article),
        ("Target", repr(run.options.target)),
    ]


def _positions(run: "Investigation") -> str:
    apart = run.position_distances  # (n_pairs,)
    rows = [
        (name, _number(tau), _p(p), _mantel_p(run.distances[:, i], apart, run.options.seed))
        for i, (name, (tau, p)) in enumerate(zip(MEASURES, run.tau, strict=True))
    ]
    return (
        f"## Measure against position (block {run.options.block}, MLP)\n\n"
        f"Kendall's τ of each measure with the distance in tokens, over {len(apart)} pairs. "
        "Pairs that share a target are not independent, so Kendall's p-value is too small; "
        "the Mantel test shuffles targets and not pairs.\n\n"
        + _table(("Measure", "τ", "Kendall's p", "Mantel p"), rows)
    )


def _mantel_p(measure: np.ndarray, apart: np.ndarray, seed: int) -> str:
    if len(apart) < 3:  # two targets are one pair, and there is nothing to shuffle
        return "–"
    return _p(mantel_test(measure, apart, seed=seed).p)


def _sweep(run: "Investigation") -> str:
    rows = [
        (
            COMPONENT_NAMES[component],
            MEASURES[measure],
            *(_peak(r, component, measure) for r in _runs(run)),
        )
        for component in range(2)
        for measure in range(3)
    ]
    return (
        "## Laminar sweep\n\n"
        "The block where τ with the distance in tokens is strongest (blocks are counted from 0). "
        "What the untrained control shows too needs no learning.\n\n"
        + _table(("Component", "Measure", *_run_names(run)), rows)
    )


def _peak(run: "Investigation", component: int, measure: int) -> str:
    tau = run.summary[component, :, 1, measure]  # (n_layers,)
    if np.isnan(tau).all():
        return "–"
    block = np.nanargmax(np.abs(tau))
    return f"{_number(tau[block])} at block {block}"


def _layers(run: "Investigation", floor: float) -> str:
    far = max(2, run.n_layers // 2)
    rows = [
        (COMPONENT_NAMES[i], *(cell for r in _runs(run) for cell in _near_and_far(r, i, far)))
        for i in range(2)
    ]
    heads = [f"{name}, {where}" for name in _run_names(run) for where in ("near", "far")]
    return (
        "## Mutual information between layers\n\n"
        f"Mean over the pairs of blocks, in bits: near means adjacent, far means {far} or more "
        f"blocks apart. With {run.n_sequences} samples the estimator reports {floor:.3f} bits on "
        f"average for unrelated, shuffled numbers: that is the floor.\n\n"
        + _table(("Component", *heads), rows)
    )


def _near_and_far(run: "Investigation", component: int, far: int) -> tuple[str, str]:
    bits, apart = run.layer_information[component], run.block_distances  # (n_layer_pairs,) each
    return _mean(bits[apart == 1]), _mean(bits[apart >= far])


def _figures(run: "Investigation") -> str:
    """Each figure with its caption, and whose text it was made of."""
    shown = ["## Figures"]
    for part, file in FILE_NAMES.items():
        caption = CAPTIONS[part].format(block=run.options.block)
        origin = _credit(run.article) if part in OF_THE_TEXT else OF_NO_TEXT
        shown.append(_figure(file, caption, origin))
    return "\n\n".join(shown)


def _figure(file: str, caption: str, origin: str) -> str:
    return f"![{caption}]({file})\n\n*{caption}* {origin}"


def _credit(*articles: "Article") -> str:
    return f"Text: {'; '.join(dict.fromkeys(_plain(article.credit) for article in articles))}."


def _runs(run: "Investigation") -> "tuple[Investigation, ...]":
    return (run,) if run.control is None else (run, run.control)


def _run_names(run: "Investigation") -> tuple[str, ...]:
    return ("Trained", "Untrained control")[: len(_runs(run))]


def _mean(bits: np.ndarray) -> str:
    return f"{bits.mean():.3f}" if bits.size else "–"


def _list(run: "Investigation") -> str:
    return ", ".join(str(position) for position in run.first_positions)


def _number(tau: float) -> str:
    return "–" if np.isnan(tau) else f"{tau:.2f}".replace("-", "−")


def _p(p: float) -> str:
    """Two digits that matter, however small: 0.43, 0.00010, 1.2e-12; the tables compare them."""
    return "–" if np.isnan(p) else f"{p:#.2g}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(_plain, line))} |" for line in lines)
