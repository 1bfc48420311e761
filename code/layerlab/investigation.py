"""The whole investigation, seven parts in order: from named sources to one result."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from layerlab.articles import load_article
from layerlab.errors import ModelError, TargetError
from layerlab.hooks import last_token_activations, target_activations
from layerlab.models import count_blocks, load_model
from layerlab.sweeps import (
    laminar_sweep,
    layer_information,
    position_distances,
    position_tau,
    to_upper,
)
from layerlab.tokens import context_windows, first_targets, target_positions, tokenize

MLP = 1  # the component that parts 4 and 5 look at
ARRAYS = (
    "token_ids",
    "target_positions",
    "distances",
    "position_distances",
    "tau",
    "summary",
    "layer_information",
)
N_STAGES = 4  # of each model: load it, run the article, run the windows, measure


@dataclass(frozen=True, eq=False)
class Investigation:
    """What one run found; ``control`` holds the same for the untrained model, or None.

    The measures are mutual information in bits, L1 and L2, in this order.
    """

    model_name: str
    article_source: str
    target: str
    block: int  # of parts 4 and 5, counted from 0
    seed: int
    n_layers: int
    width: int
    n_tokens: int
    n_unique: int
    token_ids: np.ndarray  # (n_tokens,)
    target_positions: np.ndarray  # (n_targets,) all of them
    first_positions: np.ndarray  # (n,) those of parts 4 to 6
    distances: np.ndarray  # (n, n, 3) in `block`, MLP; upper triangle
    position_distances: np.ndarray  # (n, n) upper triangle
    tau: np.ndarray  # (3, 2) Kendall's tau with position distance, and its p-value
    measures: np.ndarray  # (2, n_layers, n_pairs, 3)
    summary: np.ndarray  # (2, n_layers, 2, 3) mean, tau
    n_sequences: int  # of part 7
    layer_information: np.ndarray  # (n_layers, n_layers, 3) attention, MLP, block distance
    control: "Investigation | None" = None

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that a run leaves behind, those of the control as ``control_…``."""
        found = {name: getattr(self, name) for name in ARRAYS}
        if self.control is not None:
            found |= {f"control_{name}": array for name, array in self.control.arrays().items()}
        return found


def investigate(
    model: str = "embedded",
    article: str = "embedded",
    target: str = " coffee",
    *,
    n_targets: int = 10,
    block: int = 3,
    n_context: int = 9,
    n_sequences: int = 100,
    n_neighbors: int = 3,
    seed: int = 0,
    control: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> Investigation:
    """Measure one target in one article with one model, and with that model untrained.

    Parameters
    ----------
    model, article, target : str
        As `load_model`, `load_article` and `target_positions` take them.
    n_targets : int
        The first targets, compared pair by pair.
    block : int
        The block of parts 4 and 5, counted from 0.
    n_context : int
        Tokens before the target in each sequence of part 7.
    n_sequences : int
        Sequences of part 7, at most.
    n_neighbors : int
        Of the estimator of mutual information.
    seed : int
        Of every random draw: tie-breaking noise, untrained weights.
    control : bool
        Also run the same model with freshly drawn weights.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` before each stage, and at the end.

    Returns
    -------
    Investigation

    Raises
    ------
    ArticleError, ModelError, TargetError, MeasureError
    """
    report = _count_stages(progress, total=1 + N_STAGES * (2 if control else 1))
    report("load the article")
    text = load_article(article)

    def run(untrained: bool) -> Investigation:
        recording = _record_model(
            model,
            text,
            target,
            untrained=untrained,
            n_targets=n_targets,
            block=block,
            n_context=n_context,
            n_sequences=n_sequences,
            n_neighbors=n_neighbors,
            seed=seed,
            report=report,
        )
        report(_name_stage("measure", untrained))
        return Investigation(
            model_name=str(model),
            article_source=str(article),
            target=target,
            block=block,
            seed=seed,
            **_measure(recording, block, n_neighbors, seed),
        )

    result = run(untrained=False)
    if control:
        result = replace(result, control=run(untrained=True))
    report("done")
    return result


# ---- one model -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Recording:
    """All that the measures need of a model, so that the model itself can be let go."""

    token_ids: np.ndarray  # (n_tokens,)
    target_positions: np.ndarray  # (n_targets,)
    first_positions: np.ndarray  # (n,)
    activations: np.ndarray  # (2, n_layers, n, width)
    norms: np.ndarray  # (2, n_layers, n_sequences)


def _record_model(
    name,
    text,
    target,
    *,
    untrained,
    n_targets,
    block,
    n_context,
    n_sequences,
    n_neighbors,
    seed,
    report,
) -> _Recording:
    """Part 3, and the passes that parts 4 to 7 rest on."""
    report(_name_stage("load the model", untrained))
    model, tokenizer = load_model(name, untrained=untrained, seed=seed)
    _check_block(block, count_blocks(model))
    token_ids = tokenize(text, tokenizer)
    positions = target_positions(token_ids, tokenizer, target)
    first = first_targets(positions, n_targets, model.config.n_positions)
    windows = context_windows(token_ids, positions, n_context)[:n_sequences]
    _check_windows(windows, n_neighbors)
    report(_name_stage("run the article", untrained))
    activations = target_activations(model, token_ids, first)
    report(_name_stage("run the windows", untrained))
    last = last_token_activations(model, windows)  # (2, n_layers, n_sequences, width)
    norms = np.linalg.norm(last.astype(np.float64), axis=-1)
    return _Recording(token_ids, positions, first, activations, norms)


def _measure(recording: _Recording, block: int, n_neighbors: int, seed: int) -> dict:
    """Parts 4 to 7: the computed fields of an `Investigation`."""
    options = {"n_neighbors": n_neighbors, "seed": seed}
    first, activations = recording.first_positions, recording.activations
    apart = position_distances(first)  # (n_pairs,)
    measures, summary = laminar_sweep(activations, first, **options)
    of_block = measures[MLP, block]  # (n_pairs, 3)
    information = layer_information(recording.norms, **options)  # (2, n_layer_pairs)
    n_layers = len(recording.norms[MLP])
    layers_apart = position_distances(np.arange(n_layers))  # (n_layer_pairs,)
    return {
        "n_layers": n_layers,
        "width": activations.shape[-1],
        "n_tokens": len(recording.token_ids),
        "n_unique": len(np.unique(recording.token_ids)),
        "token_ids": recording.token_ids,
        "target_positions": recording.target_positions,
        "first_positions": first,
        "distances": to_upper(of_block),
        "position_distances": to_upper(apart),
        "tau": position_tau(of_block, apart),
        "measures": measures,
        "summary": summary,
        "n_sequences": recording.norms.shape[-1],
        "layer_information": to_upper(np.stack([*information, layers_apart], axis=-1)),
    }


def _check_block(block: int, n_layers: int) -> None:
    if not 0 <= block < n_layers:
        raise ModelError(
            f"block {block} does not exist: the model has {n_layers} blocks, 0 to {n_layers - 1}"
        )


def _check_windows(windows: np.ndarray, n_neighbors: int) -> None:
    n_sequences, length = windows.shape
    if n_sequences <= n_neighbors:
        raise TargetError(
            f"{n_sequences} targets have {length - 1} tokens before them, and mutual information "
            f"between layers needs more than n_neighbors = {n_neighbors}: choose a longer article, "
            "a more common target or a shorter n_context"
        )


# ---- progress --------------------------------------------------------------------------------


def _count_stages(progress, total: int) -> Callable[[str], None]:
    """A function that counts its calls, and tells `progress` of each."""
    done = itertools.count()

    def report(stage: str) -> None:
        n_done = next(done)
        if progress is not None:
            progress(stage, n_done, total)

    return report


def _name_stage(stage: str, untrained: bool) -> str:
    return f"{stage}, untrained" if untrained else stage
