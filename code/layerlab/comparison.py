"""One model, its controls drawn several times, and two designs: what a curve is compared with.

Axes, always in this order: draw, component (0 attention, 1 MLP), layer, similarity, as
`SIMILARITIES` names them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from layerlab.articles import fetch_article
from layerlab.distances import pairwise_minkowski
from layerlab.errors import LayerlabError, TargetError
from layerlab.families import context_length
from layerlab.hooks import last_token_activations, target_activations
from layerlab.information import pairwise_mutual_information
from layerlab.investigation import Progress, family_by_hand, load_asked
from layerlab.options import Options
from layerlab.regression import partial_tau
from layerlab.similarity import norm_differences, pairwise_cosine, pairwise_pearson
from layerlab.statistics import kendall_tau
from layerlab.sweeps import position_distances
from layerlab.texts import Article
from layerlab.tokens import context_windows, first_targets, target_positions, tokenize

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SIMILARITIES = ("MI", "L1", "L2", "r", "cosine", "norm difference")
N_FAR = 5000  # pairs without a common past, at most: more of the same targets tell little more


@dataclass(frozen=True, eq=False)
class Comparison:
    """How the pairs' similarity goes with their distance in tokens: a model and its controls.

    Attributes
    ----------
    options : Options
        What was asked for.
    article : Article
    model_version : str
        As in `Investigation`.
    positions : ndarray, shape (n,)
        Of the targets that are compared.
    gaps : ndarray, shape (n_pairs,)
        Tokens between the targets of each pair that is compared; where the past is fixed, these
        are the pairs whose windows, the targets among them, overlap.
    tau : ndarray, shape (2, n_layers, n_similarities)
        Of the model as it was trained: Kendall's tau with `gaps`.
    partial : ndarray, shape (2, 2, n_layers, n_similarities)
        Partial tau: with the gap, given how early the earlier target is; and the other way round.
    far : ndarray, shape (2, n_layers, n_similarities)
        Where the past is fixed: the tau of pairs whose pasts have no token in common. NaN else.
    controls : dict of ndarray, shape (n_draws, 2, n_layers, n_similarities)
        By name: the tau of each draw.

    Examples
    --------
    >>> found = compare(Options(n_targets=4, controls="own-past", n_draws=1))
    >>> len(found.gaps), sorted(found.arrays())[:3]
    (6, ['compared_article', 'compared_design', 'compared_far'])
    """

    options: Options
    article: Article
    model_version: str
    positions: np.ndarray
    gaps: np.ndarray
    tau: np.ndarray
    partial: np.ndarray
    far: np.ndarray
    controls: dict[str, np.ndarray]

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that a comparison leaves behind, all called ``compared_…``."""
        found = {
            "design": np.array(self.options.design),
            "positions": self.positions,
            "gaps": self.gaps,
            "similarities": np.array(SIMILARITIES),
            "tau": self.tau,
            "partial": self.partial,
            "far": self.far,
            "model": np.array([str(self.options.model), self.model_version]),
            "article": np.array(list(self.article.facts.items())),  # (n_facts, 2)
            **{name.replace("-", "_"): draws for name, draws in self.controls.items()},
        }
        return {f"compared_{name}": array for name, array in found.items()}


def compare(options: Options | None = None, *, progress: Progress | None = None) -> Comparison:
    """Tau of six similarities with token distance, of a trained model and of several controls.

    Parameters
    ----------
    options : Options, optional
        What to measure: its ``design`` says how the targets are read, its ``controls`` and
        ``n_draws`` what they are compared with:

        ``untrained``
            fresh weights of the same architecture. What they show needs no learning.
        ``permuted``
            the trained weights, shuffled within every matrix: the same numbers, and so the same
            scale. Of what was learned, only biases and the gains of norms stay in their places.
        ``own-past``
            the trained weights, each target after random tokens of the article, as many as really
            stand before it. What they show is no common past.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` before each stage, and at the end.

    Returns
    -------
    Comparison

    Raises
    ------
    ArticleError, ModelError, TargetError, MeasureError
        As the functions that it calls; a TargetError, too, if less than 3 pairs can be compared.
    LayerlabError
        If `options` are none.

    Examples
    --------
    >>> found = compare(Options(design="fixed-past", n_past=9, controls="untrained", n_draws=2))
    >>> found.tau.shape, found.controls["untrained"].shape
    ((2, 12, 6), (2, 2, 12, 6))
    """
    options = Options() if options is None else options
    if not isinstance(options, Options):
        raise LayerlabError(f"options is {options!r}: give it as layerlab.Options(...)")
    total = 2 + len(options.control_names) * options.n_draws
    done = iter(range(total + 1))

    def report(stage: str) -> None:
        if progress is not None:
            progress(stage, next(done), total)

    report("load the article")
    article = fetch_article(options.article, refresh=options.refresh)
    report("trained")
    model, tokenizer = load_asked(options, untrained=False)
    design = _plan(model, tokenizer, article.text, options)
    activations = design.read(model)
    similarities = design.measure(activations, design.near)
    found = Comparison(
        options=options,
        article=article,
        model_version=model.version,
        positions=design.positions,
        gaps=design.gaps[design.near],
        tau=design.taus(similarities, design.near),
        partial=design.partial(similarities),
        far=design.taus(design.measure(activations, design.far), design.far),
        controls={},
    )
    for name in options.control_names:
        draws = []
        for activations in _DRAWERS[name](model, design, options):
            report(name)
            similarities = design.measure(activations, design.near)
            draws.append(design.taus(similarities, design.near))
        found.controls[name] = np.stack(draws)
    report("done")
    return found


# ---- designs ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Design:
    """Which targets are read after which tokens, and which of their pairs are compared.

    Attributes
    ----------
    token_ids : ndarray, shape (n_tokens,)
    positions : ndarray, shape (n,)
        Of the targets in the text.
    windows : ndarray, shape (n, n_past + 1), or None
        Each target at the end of its own window; or all of them in one pass over the text.
    gaps : ndarray, shape (n_pairs,)
        Of all pairs.
    near, far : ndarray of int
        Places among the pairs: those that are compared, and those without a common past.
    """

    options: Options
    token_ids: np.ndarray
    positions: np.ndarray
    windows: np.ndarray | None
    gaps: np.ndarray
    near: np.ndarray
    far: np.ndarray

    def read(self, model: "PreTrainedModel") -> np.ndarray:
        """Activations of the targets, (2, n_layers, n, width)."""
        family = family_by_hand(self.options)
        if self.windows is None:
            return target_activations(model, self.token_ids, self.positions, family=family)
        return last_token_activations(model, self.windows, family=family)

    def read_after(self, model: "PreTrainedModel", pasts: list[np.ndarray]) -> np.ndarray:
        """The same, each target after a past of its own."""
        family = family_by_hand(self.options)
        windows = [np.append(p, t) for p, t in zip(pasts, self.targets, strict=True)]
        if self.windows is not None:
            return last_token_activations(model, np.stack(windows), family=family)
        each = [last_token_activations(model, w[None], family=family) for w in windows]
        return np.concatenate(each, axis=2)

    @property
    def targets(self) -> np.ndarray:
        return self.token_ids[self.positions]

    @property
    def n_before(self) -> np.ndarray:
        """Tokens that each target is read after, (n,)."""
        if self.windows is None:
            return self.positions
        return np.full(len(self.positions), self.windows.shape[1] - 1)

    def measure(self, activations: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Similarities of the chosen pairs, (2, n_layers, n_chosen, n_similarities)."""
        if not chosen.size:
            return np.empty((*activations.shape[:2], 0, len(SIMILARITIES)))
        n_neighbors, seed = self.options.n_neighbors, self.options.seed
        information = pairwise_mutual_information(
            activations, n_neighbors=n_neighbors, seed=seed, chosen=chosen
        )
        X = activations.astype(np.float64)
        others = [pairwise_minkowski(X, 1), pairwise_minkowski(X, 2), pairwise_pearson(X)]
        others += [pairwise_cosine(X), norm_differences(X)]
        return np.stack([information, *(values[..., chosen] for values in others)], axis=-1)

    def taus(self, similarities: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Tau of each with the gap, (2, n_layers, n_similarities); NaN without pairs."""
        if not chosen.size:
            return np.full((*similarities.shape[:2], len(SIMILARITIES)), np.nan)
        gaps = self.gaps[chosen]
        return _over_pairs(lambda values: kendall_tau(values, gaps).tau, similarities)

    def partial(self, similarities: np.ndarray) -> np.ndarray:
        """Partial taus with gap and with earlier position, (2, 2, n_layers, n_similarities)."""
        first, _ = np.triu_indices(len(self.positions), k=1)
        gaps, earlier = self.gaps[self.near], self.positions[first][self.near]  # positions rise
        with_gap = _over_pairs(lambda values: partial_tau(values, gaps, earlier), similarities)
        with_earlier = _over_pairs(lambda values: partial_tau(values, earlier, gaps), similarities)
        return np.stack([with_gap, with_earlier])


def _over_pairs(measure: Callable[[np.ndarray], float], values: np.ndarray) -> np.ndarray:
    """`measure` of each layer's pairs: (2, n_layers, n_pairs, n) becomes (2, n_layers, n)."""
    return np.apply_along_axis(measure, 2, values)


def _plan(model: Any, tokenizer: Any, text: str, options: Options) -> _Design:
    token_ids = tokenize(text, tokenizer)
    positions = target_positions(token_ids, tokenizer, options.target)
    if options.design == "fixed-past":  # wherever the targets stand
        windows = context_windows(token_ids, positions, options.n_past)
        first = positions[positions >= options.n_past]
    else:
        windows = None
        first = first_targets(positions, options.n_targets, context_length(model))
    gaps = position_distances(first)
    shared = np.ones(len(gaps), dtype=bool) if windows is None else gaps <= options.n_past
    near, far = np.flatnonzero(shared), np.flatnonzero(~shared)
    if len(near) < 3:
        raise TargetError(
            f"{options.target!r} makes {len(near)} pairs to compare, of {len(first)} places: "
            "choose a longer article, a more common target, or another n_past"
        )
    if len(far) > N_FAR:
        far = np.sort(np.random.default_rng(options.seed).choice(far, N_FAR, replace=False))
    return _Design(options, token_ids, first, windows, gaps, near, far)


# ---- controls --------------------------------------------------------------------------------


def _draw_untrained(_: Any, design: _Design, options: Options) -> Iterator[np.ndarray]:
    for draw in range(options.n_draws):
        model, _ = load_asked(replace(options, seed=options.seed + draw), untrained=True)
        yield design.read(model)


def _draw_permuted(_: Any, design: _Design, options: Options) -> Iterator[np.ndarray]:
    model, _ = load_asked(options, untrained=False)  # a copy that may be spoiled
    generator = torch.Generator().manual_seed(options.seed)
    for _ in range(options.n_draws):
        permute_weights(model, generator)
        yield design.read(model)


def _draw_own_past(model: Any, design: _Design, options: Options) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(options.seed)
    for _ in range(options.n_draws):
        pasts = [rng.choice(design.token_ids, n) for n in design.n_before]
        yield design.read_after(model, pasts)


_DRAWERS: dict[str, Callable[[Any, _Design, Options], Iterator[np.ndarray]]] = {
    "untrained": _draw_untrained,
    "permuted": _draw_permuted,
    "own-past": _draw_own_past,
}


@torch.no_grad()
def permute_weights(model: "PreTrainedModel", generator: torch.Generator) -> None:
    """Shuffle the entries within every matrix of a model, in place.

    Each matrix keeps its numbers, and so its scale and its outliers; vectors (biases, the gains of
    norms) stay, for their places are those of the stream's coordinates. A shuffle of a shuffled
    matrix is a fresh one, so one copy of the model serves for many draws.
    """
    for weight in model.parameters():
        if weight.ndim > 1:
            order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
            weight.copy_(weight.flatten()[order].view_as(weight))
