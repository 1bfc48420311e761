"""The whole investigation, seven parts in order: from named sources to one result."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from layerlab.articles import Article, fetch_article
from layerlab.errors import LayerlabError, ModelError, TargetError
from layerlab.families import Family, context_length
from layerlab.hooks import last_token_norms, target_activations
from layerlab.models import count_blocks, load_model
from layerlab.options import Options
from layerlab.tokens import context_windows, first_targets, target_positions, tokenize

# What measures (`layerlab.sweeps`) is imported where it is used: the peak of memory is where the
# models run, and SciPy's statistics and Numba would add a tenth of a GiB to it.
if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MLP = 1  # the component that parts 4 and 5 look at
N_STAGES = 4  # of each model: load it, run the article, run the windows, measure

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Investigation:
    """What one run found; ``control`` holds the same for the untrained model, or None.

    The measures are mutual information in bits, L1 and L2, in this order. Pairs i < j stand in
    SciPy's order: (0, 1), (0, 2), …; `layerlab.sweeps.to_upper` makes a matrix of them.

    Attributes
    ----------
    options : Options
        What was asked for.
    article : Article
        The text, and where it comes from.
    model_version : str
        What was loaded: the hub's commit, or the SHA-256 of the weights.
    n_layers, width, n_tokens, n_unique : int
        Blocks of the model and numbers in an activation; tokens of the article, and different ones.
    token_ids : ndarray, shape (n_tokens,)
        The article.
    target_positions : ndarray, shape (n_targets,)
        All places of the target.
    first_positions : ndarray, shape (n,)
        The first ones, which parts 4 to 6 compare.
    position_distances : ndarray, shape (n_pairs,)
        Tokens between the targets of each pair.
    measures : ndarray, shape (2, n_layers, n_pairs, 3)
        All measures, of attention and MLP in every block.
    tau : ndarray, shape (3, 2)
        Of part 5: Kendall's tau of each measure with position distance, and its p-value; NaN for a
        single pair.
    summary : ndarray, shape (2, n_layers, 2, 3)
        Of part 6: mean and tau of each measure.
    n_sequences : int
        Targets that part 7 took.
    layer_information : ndarray, shape (2, n_layer_pairs)
        Of part 7: bits between the blocks of each pair.
    control : Investigation or None
        The same of the untrained model.

    Examples
    --------
    >>> run = investigate(Options(n_targets=4, n_sequences=20, control=False))
    >>> run.distances.shape, run.layer_information.shape
    ((6, 3), (2, 66))
    >>> sorted(run.arrays())[:3]
    ['article', 'distances', 'layer_information']
    """

    options: Options
    article: Article
    model_version: str
    n_layers: int
    width: int
    n_tokens: int
    n_unique: int
    token_ids: np.ndarray
    target_positions: np.ndarray
    first_positions: np.ndarray
    position_distances: np.ndarray
    tau: np.ndarray
    measures: np.ndarray
    summary: np.ndarray
    n_sequences: int
    layer_information: np.ndarray
    control: "Investigation | None" = None

    @property
    def distances(self) -> np.ndarray:
        """The measures of parts 4 and 5, those of the MLP in one block, (n_pairs, 3)."""
        return self.measures[MLP, self.options.block]

    @property
    def block_distances(self) -> np.ndarray:
        """Blocks between the two of each pair in part 7, (n_layer_pairs,)."""
        from layerlab.sweeps import position_distances

        return position_distances(np.arange(self.n_layers))

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that a run leaves behind, those of the control as ``control_…``.

        What belongs to pairs is the upper triangle of a matrix here, zeros elsewhere. ``model`` is
        text: what was asked for, and which version of it was loaded. So is
        ``article``: a row (name, fact) for each of its facts.
        """
        from layerlab.sweeps import to_upper

        information = np.stack([*self.layer_information, self.block_distances], axis=-1)
        found = {
            "token_ids": self.token_ids,
            "target_positions": self.target_positions,
            "distances": to_upper(self.distances),  # (n, n, 3)
            "position_distances": to_upper(self.position_distances),  # (n, n)
            "tau": self.tau,
            "summary": self.summary,
            "layer_information": to_upper(information),  # (n_layers, n_layers, 3)
            "model": np.array([str(self.options.model), self.model_version]),
            "article": np.array(list(self.article.facts.items())),  # (n_facts, 2)
        }
        if self.control is not None:
            found |= {f"control_{name}": array for name, array in self.control.arrays().items()}
        return found


def investigate(
    options: Options | None = None, *, progress: Progress | None = None
) -> Investigation:
    """Measure one target in one article with one model, and with that model untrained.

    Parameters
    ----------
    options : Options, optional
        What to measure, and how; by default the embedded model and article.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` before each stage, and at the end.

    Returns
    -------
    Investigation

    Raises
    ------
    ArticleError, ModelError, TargetError, MeasureError
        As the functions that it calls.
    LayerlabError
        If `options` are none.

    Examples
    --------
    >>> run = investigate(Options(n_targets=4, n_sequences=20, control=False))
    >>> run.measures.shape  # components, blocks, pairs, measures
    (2, 12, 6, 3)
    """
    options = Options() if options is None else options
    if not isinstance(options, Options):
        raise LayerlabError(f"options is {options!r}: give it as layerlab.Options(...)")
    if options.design != "worksheet":
        raise LayerlabError(
            f"design = {options.design!r}: the seven parts are the worksheet's, and "
            "layerlab.compare measures this design"
        )
    report = _count_stages(progress, total=1 + N_STAGES * (2 if options.control else 1))
    report("load the article")
    article = fetch_article(options.article, refresh=options.refresh)

    kinds = (False, True) if options.control else (False,)
    recordings = [_record_model(article.text, options, untrained, report) for untrained in kinds]
    found = []
    for untrained, recording in zip(kinds, recordings, strict=True):
        report(_name_stage("measure", untrained))
        found.append(_measure(recording, article, options))
    report("done")
    return replace(found[0], control=found[1]) if options.control else found[0]


# ---- one model -------------------------------------------------------------------------------


def load_asked(
    options: Options, *, untrained: bool
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The model that `options` ask for, or its untrained copy, and the tokenizer."""
    return load_model(
        options.model,
        untrained=untrained,
        seed=options.seed,
        dtype=options.dtype,
        device=options.device,
        family=family_by_hand(options),
    )


def family_by_hand(options: Options) -> Family | None:
    """Where a model of no known family keeps what is recorded, as the three paths say."""
    return Family(options.blocks, options.attention, options.mlp) if options.blocks else None


def find_targets(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    text: str,
    options: Options,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Part 3: the article's tokens, all places of the target, and the first ones, to compare."""
    token_ids = tokenize(text, tokenizer)  # (n_tokens,)
    positions = target_positions(token_ids, tokenizer, options.target)  # (n_targets,)
    return token_ids, positions, first_targets(positions, options.n_targets, context_length(model))


@dataclass(frozen=True, eq=False)
class _Recording:
    """All that the measures need of a model, so that the model itself can be let go."""

    model_version: str
    token_ids: np.ndarray  # (n_tokens,)
    target_positions: np.ndarray  # (n_targets,)
    first_positions: np.ndarray  # (n,)
    activations: np.ndarray  # (2, n_layers, n, width)
    norms: np.ndarray  # (2, n_layers, n_sequences)


def _record_model(
    text: str, options: Options, untrained: bool, report: Callable[[str], None]
) -> _Recording:
    """Part 3, and the passes that parts 4 to 7 rest on."""
    report(_name_stage("load the model", untrained))
    model, tokenizer = load_asked(options, untrained=untrained)
    family = family_by_hand(options)
    _check_blocks(options.block, count_blocks(model, family))
    token_ids, positions, first = find_targets(model, tokenizer, text, options)
    windows = context_windows(token_ids, positions, options.n_context)[: options.n_sequences]
    _check_windows(windows, options.n_neighbors)
    report(_name_stage("run the article", untrained))
    activations = target_activations(model, token_ids, first, family=family)
    report(_name_stage("run the windows", untrained))
    norms = last_token_norms(model, windows, family=family)
    return _Recording(model.version, token_ids, positions, first, activations, norms)


def _measure(recording: _Recording, article: Article, options: Options) -> Investigation:
    """Parts 4 to 7."""
    from layerlab.sweeps import (
        laminar_sweep,
        layer_information,
        position_distances,
        position_tau,
    )

    estimator = {"n_neighbors": options.n_neighbors, "seed": options.seed}
    first, activations = recording.first_positions, recording.activations
    apart = position_distances(first)  # (n_pairs,)
    measures, summary = laminar_sweep(activations, first, **estimator)
    return Investigation(
        options=options,
        article=article,
        model_version=recording.model_version,
        n_layers=activations.shape[1],
        width=activations.shape[-1],
        n_tokens=len(recording.token_ids),
        n_unique=len(np.unique(recording.token_ids)),
        token_ids=recording.token_ids,
        target_positions=recording.target_positions,
        first_positions=first,
        position_distances=apart,
        tau=position_tau(measures[MLP, options.block], apart),
        measures=measures,
        summary=summary,
        n_sequences=recording.norms.shape[-1],
        layer_information=layer_information(recording.norms, **estimator),
    )


def _check_blocks(block: int, n_layers: int) -> None:
    if n_layers < 2:
        raise ModelError(
            f"the model has {n_layers} block, and part 7 compares blocks with each other: give a "
            "model of 2 or more"
        )
    if block >= n_layers:
        raise ModelError(
            f"block {block} does not exist: the model has {n_layers} blocks, 0 to {n_layers - 1}"
        )


def _check_windows(windows: np.ndarray, n_neighbors: int) -> None:
    n_sequences, length = windows.shape
    if n_sequences <= n_neighbors:
        raise TargetError(
            f"{n_sequences} targets have {length - 1} tokens before them, and mutual information "
            f"between layers needs more than n_neighbors = {n_neighbors}: choose a larger "
            "n_sequences, a longer article, a more common target or a shorter n_context"
        )


# ---- progress --------------------------------------------------------------------------------


def _count_stages(progress: Progress | None, total: int) -> Callable[[str], None]:
    """A function that counts its calls, and tells `progress` of each."""
    done = itertools.count()

    def report(stage: str) -> None:
        n_done = next(done)
        if progress is not None:
            progress(stage, n_done, total)

    return report


def _name_stage(stage: str, untrained: bool) -> str:
    return f"{stage}, untrained" if untrained else stage
