"""What the attention and the MLP of every block add to the residual stream, recorded by hooks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from layerlab._validate import whole_numbers
from layerlab.errors import ModelError, TargetError
from layerlab.families import COMPONENTS, Family, check_mode, context_length, find_outputs

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PASS_BYTES = 2**25  # beside the weights; a larger batch would not be faster


class Activations(dict[str, torch.Tensor]):
    """Recorded tensors by name: ``activations["att_3"]`` is (n_sequences, n_positions, width)."""

    def __init__(self, n_layers: int):
        super().__init__()
        self.n_layers = n_layers
        self._storage = torch.empty(0)

    def keep(self, name: str, output: torch.Tensor) -> None:
        """Copy an output (n_sequences, n_positions, width) to its place among those of its pass.

        All of a pass lie in one piece of memory, made before the pass needs its own: small copies
        between its large intermediate results would keep the freed ones from being used again.
        """
        if name in self or not self:  # a new pass
            self.clear()
            self._storage = output.new_empty((len(COMPONENTS) * self.n_layers, *output.shape))
        place = self._storage[len(self)]
        self[name] = place.copy_(output)

    def stack(self) -> NDArray[np.float32]:
        """All recorded rows as one array.

        Returns
        -------
        ndarray of float32, shape (2, n_layers, n_sequences * n_positions, width)

        Raises
        ------
        ModelError
            If the model has not run to its end while it was recorded.
        """
        n_recorded, n_expected = len(self), len(COMPONENTS) * self.n_layers
        if n_recorded != n_expected:
            raise ModelError(
                f"{n_recorded} of {n_expected} activations are recorded: run the model once "
                "inside the with block before you stack them"
            )
        layers = range(self.n_layers)
        rows = [self[f"{name}_{i}"].flatten(0, 1) for name in COMPONENTS for i in layers]
        stacked = torch.stack(rows).float().cpu().numpy()  # (2 * n_layers, n_rows, width)
        return stacked.reshape(len(COMPONENTS), self.n_layers, *stacked.shape[1:])


@contextmanager
def record(
    model: "PreTrainedModel",
    positions: ArrayLike | None = None,
    *,
    family: Family | None = None,
) -> Iterator[Activations]:
    """Record what attention and MLP of every block add to the residual stream in a pass.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Of a known family, with or without its head.
    positions : sequence of int, optional
        The only positions to keep; negative ones count from the end. All of them by default.
    family : layerlab.families.Family, optional
        Where attention and MLP hand over what they add, for a model that `layerlab.families` lacks.

    Yields
    ------
    Activations
        Filled by each forward pass inside the ``with`` block, the last pass stays. The tensors
        are copies: nothing that is done to the model or to them changes the other. When the block
        ends, by an error or not, no hook is left on the model.

    Raises
    ------
    ModelError
        If the model is of no known family, is in training mode and has dropout, or no output of
        its modules is what is added; from the forward pass, if an output is no vector of the
        residual stream for each token.
    TargetError
        From the forward pass, if a position lies outside the sequence.
    MeasureError
        If a position is no whole number.

    Examples
    --------
    >>> model, tokenizer = load_model()
    >>> with record(model) as activations:
    ...     output = model(**tokenizer("a cup of coffee", return_tensors="pt"))
    >>> activations["mlp_3"].shape  # one sequence of four tokens
    torch.Size([1, 4, 192])
    >>> activations.stack().shape
    (2, 12, 4, 192)
    """
    modules = find_outputs(model, family)
    check_mode(model)
    activations = Activations(n_layers=len(modules) // len(COMPONENTS))
    kept = None if positions is None else torch.as_tensor(whole_numbers(positions, "positions"))
    handles = []
    try:
        for name, module in modules.items():
            handles.append(module.register_forward_hook(_make_hook(activations, name, kept, model)))
        yield activations
    finally:
        for handle in handles:
            handle.remove()


def target_activations(
    model: "PreTrainedModel",
    token_ids: ArrayLike,
    positions: ArrayLike,
    *,
    family: Family | None = None,
) -> NDArray[np.float32]:
    """Activations of targets in a text, from one pass that ends at the last target.

    Parameters
    ----------
    model, family
        As for `record`.
    token_ids : array of int, shape (n_tokens,)
    positions : array of int, shape (n_targets,)
        In any order.

    Returns
    -------
    ndarray of float32, shape (2, n_layers, n_targets, width)

    Raises
    ------
    TargetError
        If a target lies outside the text or beyond the context window, or a token is none of the
        model's.
    MeasureError
        If something else than whole numbers is given.
    ModelError
        If the model hands over NaN or infinity.

    Examples
    --------
    >>> model, tokenizer = load_model()
    >>> ids = tokenize(load_article(), tokenizer)
    >>> places = target_positions(ids, tokenizer, " coffee")
    >>> target_activations(model, ids, places[:10]).shape
    (2, 12, 10, 192)
    """
    token_ids = whole_numbers(token_ids, "token_ids")
    positions = whole_numbers(positions, "positions")
    if token_ids.ndim != 1 or positions.ndim != 1 or len(positions) == 0:
        raise TargetError(
            f"positions of shape {positions.shape} in a text of shape {token_ids.shape}: give a "
            "list of one or more places, in one text"
        )
    if positions.min() < 0 or positions.max() >= len(token_ids):
        raise TargetError(
            f"the positions {positions.tolist()} do not all lie in a text of {len(token_ids)} "
            "tokens: count from 0"
        )
    sequence = token_ids[: positions.max() + 1]  # no target needs what comes later
    _check_sequences(model, sequence[None])
    ids = torch.as_tensor(sequence[None], dtype=torch.long, device=model.device)
    return _run(model, ids, positions, family)


def last_token_activations(
    model: "PreTrainedModel", windows: ArrayLike, *, family: Family | None = None
) -> NDArray[np.float32]:
    """Activations of the last token of each window, in as few passes as memory allows.

    Parameters
    ----------
    model, family
        As for `record`.
    windows : array of int, shape (n, length)

    Returns
    -------
    ndarray of float32, shape (2, n_layers, n, width)

    Raises
    ------
    TargetError
        If there is no window, the windows are longer than the context, or a token is none of the
        model's.
    MeasureError
        If something else than whole numbers is given.
    ModelError
        As `target_activations`.

    Examples
    --------
    >>> model, tokenizer = load_model()
    >>> ids = tokenize(load_article(), tokenizer)
    >>> windows = context_windows(ids, target_positions(ids, tokenizer, " coffee"))
    >>> last_token_activations(model, windows[:5]).shape
    (2, 12, 5, 192)
    """
    runs = (_run(model, ids, [-1], family) for ids in passes(model, windows))
    return np.concatenate(list(runs), axis=2)


def last_token_norms(
    model: "PreTrainedModel", windows: ArrayLike, *, family: Family | None = None
) -> NDArray[np.float64]:
    """Euclidean lengths of what `last_token_activations` returns, which is never held as a whole.

    Parameters
    ----------
    model, family, windows
        As for `last_token_activations`, and with its errors.

    Returns
    -------
    ndarray, shape (2, n_layers, n)
    """
    runs = (_run(model, ids, [-1], family) for ids in passes(model, windows))
    return np.concatenate([np.linalg.norm(np.float64(rows), axis=-1) for rows in runs], axis=2)


def passes(
    model: "PreTrainedModel", windows: ArrayLike, n_bytes: int | None = None
) -> Iterator[torch.Tensor]:
    """Windows in batches, where the model is: token ids (n_at_once, length).

    The intermediate results of a batch take no more than `n_bytes`, by default `PASS_BYTES`, but it
    has one window or more.

    Raises
    ------
    TargetError, MeasureError
        As `last_token_activations`.
    """
    windows = whole_numbers(windows, "windows")
    if windows.ndim != 2 or 0 in windows.shape:
        raise TargetError(f"windows of shape {windows.shape} hold no token: give (n, length)")
    _check_sequences(model, windows)
    ids = torch.as_tensor(windows, dtype=torch.long, device=model.device)
    yield from ids.split(_n_at_once(model, windows.shape[1], n_bytes or PASS_BYTES))


def _n_at_once(model: "PreTrainedModel", length: int, n_bytes: int) -> int:
    """Sequences of one pass whose intermediate results take no more than `n_bytes`.

    For each token there are, at once, the MLP's inner layer before and after its nonlinearity,
    queries, keys and values, the stream and its copies, together some 16 times its width, and for
    each head a weight for every token of its sequence.
    """
    width, n_heads = model.config.hidden_size, model.config.num_attention_heads
    numbers = length * (16 * width + n_heads * length)
    return max(1, n_bytes // (numbers * model.dtype.itemsize))


def _check_sequences(model: "PreTrainedModel", sequences: np.ndarray) -> None:
    """Refuse what is too long for the model, or holds a token that it does not know."""
    if not hasattr(model, "get_input_embeddings"):
        raise ModelError(
            f"a {type(model).__name__} is no model of Transformers: give the first thing that "
            "load_model returns"
        )
    context, length = context_length(model), sequences.shape[1]
    if context is not None and length > context:
        raise TargetError(
            f"{length} tokens are needed and the model's context window holds {context}: "
            "take earlier targets or shorter windows"
        )
    n_known = model.get_input_embeddings().weight.shape[0]
    unknown = sequences[(sequences < 0) | (sequences >= n_known)]
    if unknown.size:
        raise TargetError(
            f"the text holds the token {unknown[0]}, and the model knows 0 to {n_known - 1}: "
            "tokenize it with the model's own tokenizer"
        )


def _run(
    model: "PreTrainedModel", ids: torch.Tensor, positions: ArrayLike, family: Family | None
) -> NDArray[np.float32]:
    """Record `positions` in one pass over `ids` (n, length)."""
    with record(model, positions, family=family) as activations, torch.no_grad():
        model.base_model(ids, use_cache=False)  # the base model: nobody asks for the next word
    rows = activations.stack()  # (2, n_layers, n_rows, width)
    _check_finite(rows, model)
    return rows


def _check_finite(rows: np.ndarray, model: "PreTrainedModel") -> None:
    broken = np.argwhere(~np.isfinite(rows).all(axis=(2, 3)).T)  # in the order of the pass
    if len(broken):
        block, component = broken[0]
        raise ModelError(
            f"{COMPONENTS[component]}_{block} of the {type(model).__name__} hands over NaN or "
            f"infinity in {model.dtype}: load it with dtype='float32', or give another model"
        )


def _make_hook(
    activations: Activations,
    name: str,
    positions: "torch.Tensor | None",
    model: "PreTrainedModel",
) -> Callable[..., None]:
    def hook(_: torch.nn.Module, __: Any, output: torch.Tensor) -> None:  # (n_sequences, n, width)
        _check_output(output, name, model)
        if output.ndim == 2:  # OPT's MLP knows tokens and no sequences, its attention knows both
            n_sequences = len(activations[name.replace("mlp", "att")])
            output = output.unflatten(0, (n_sequences, -1))
        output = output.detach()
        if positions is not None:
            _check_positions(positions, output.shape[1])
            output = output[:, positions.to(output.device)]
        activations.keep(name, output)  # a copy, for some blocks add to their output in place

    return hook


def _check_output(output: object, name: str, model: "PreTrainedModel") -> None:
    """Only what has the width of the residual stream can be added to it."""
    shape = tuple(output.shape) if isinstance(output, torch.Tensor) else ()
    width = model.config.hidden_size
    if len(shape) not in (2, 3) or shape[-1] != width:
        what = shape or f"a {type(output).__name__}"
        raise ModelError(
            f"{name!r} hands over {what}, and a token of the {type(model).__name__}'s residual "
            f"stream holds {width} numbers: name the module whose output is added to it"
        )


def _check_positions(positions: torch.Tensor, n_tokens: int) -> None:
    outside = positions[(positions < -n_tokens) | (positions >= n_tokens)]
    if len(outside):
        raise TargetError(
            f"position {outside[0].item()} lies outside a sequence of {n_tokens} tokens: "
            "record positions of this sequence"
        )
