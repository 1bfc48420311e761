"""What each head of an attention adds to the residual stream."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from layerlab._validate import whole_numbers
from layerlab.errors import ModelError
from layerlab.families import Family, check_mode, find_outputs
from layerlab.hooks import passes

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Projection(NamedTuple):
    """The last step of an attention: the heads' values, side by side, times one matrix.

    Attributes
    ----------
    module : torch.nn.Module
    weight : torch.Tensor, shape (n_heads, head_width, width)
    bias : torch.Tensor, shape (width,), or None
    """

    module: torch.nn.Module
    weight: torch.Tensor
    bias: "torch.Tensor | None"  # in quotes: the site reads this file where there is no torch


def find_projection(
    model: "PreTrainedModel", block: int, family: Family | None = None
) -> Projection:
    """The projection of a block's attention, cut into its heads.

    Parameters
    ----------
    model : transformers.PreTrainedModel
    block : int
        Counted from 0.
    family : layerlab.families.Family, optional
        As for `layerlab.record`.

    Raises
    ------
    ModelError
        If there is no such block, or a norm stands behind the projection, so that what is added
        is no sum of heads.
    """
    modules = find_outputs(model, family)
    name = f"att_{block}"
    if name not in modules:
        raise ModelError(
            f"block {block!r} does not exist: the model has {len(modules) // 2} blocks"
        )
    module = modules[name]
    weight, n_heads = getattr(module, "weight", None), model.config.num_attention_heads
    if weight is None or weight.ndim != 2:
        raise ModelError(
            f"what {name} of the {type(model).__name__} adds comes from a {type(module).__name__} "
            "and is no sum of heads: take the whole attention, or a model without a norm there"
        )
    by_rows = weight if not isinstance(module, torch.nn.Linear) else weight.T  # GPT-2 stores it so
    return Projection(module, by_rows.unflatten(0, (n_heads, -1)), module.bias)


@torch.no_grad()
def head_activations(
    model: "PreTrainedModel", windows: ArrayLike, *, family: Family | None = None
) -> NDArray[np.float32]:
    """What each head adds to the stream at the last token of each window.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Of a known family whose attention ends in one projection.
    windows : array of int, shape (n, length)
    family : layerlab.families.Family, optional
        As for `layerlab.record`.

    Returns
    -------
    ndarray of float32, shape (n_layers, n_heads, n, width)
        The heads of a block add up to its attention's activation, less the projection's bias,
        which belongs to no head.

    Raises
    ------
    ModelError
        As `find_projection`.
    TargetError, MeasureError
        As `layerlab.last_token_activations`.

    Examples
    --------
    >>> model, tokenizer = load_model()
    >>> heads = head_activations(model, [tokenize("a cup of coffee", tokenizer)])
    >>> heads.shape  # blocks, heads, windows, width
    (12, 4, 1, 192)
    """
    windows = whole_numbers(windows, "windows")
    n_layers = len(find_outputs(model, family)) // 2
    check_mode(model)
    projections = [find_projection(model, block, family) for block in range(n_layers)]
    found = []
    for batch in passes(model, windows):
        inputs = _inputs_of_last(model, batch, projections)
        found.append(
            torch.stack(
                [
                    torch.einsum("nhd,hdw->hnw", z.unflatten(-1, p.weight.shape[:2]), p.weight)
                    for z, p in zip(inputs, projections, strict=True)
                ]
            )
        )  # (n_layers, n_heads, n, width)
    return torch.cat(found, dim=2).float().cpu().numpy()


def _inputs_of_last(
    model: "PreTrainedModel", ids: torch.Tensor, projections: list[Projection]
) -> list[torch.Tensor]:
    """The heads' values at the last tokens: for each block (n, n_heads * head_width)."""
    inputs: dict[int, torch.Tensor] = {}

    def keep(block: int) -> Callable[..., None]:
        def hook(_: torch.nn.Module, arguments: tuple[torch.Tensor, ...]) -> None:
            inputs[block] = arguments[0].reshape(*ids.shape, -1)[:, -1].detach().clone()

        return hook

    handles = [
        projection.module.register_forward_pre_hook(keep(block))
        for block, projection in enumerate(projections)
    ]
    try:
        model.base_model(ids, use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return [inputs[block] for block in range(len(projections))]
