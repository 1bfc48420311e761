"""Changing what a component or a head adds to the stream, and what becomes of the next token."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.nn.functional import pad

from layerlab._validate import finite, is_whole, near_one, random_seed, whole_numbers
from layerlab.errors import MeasureError, ModelError, TargetError
from layerlab.families import COMPONENTS, Family, check_mode, find_blocks, find_outputs
from layerlab.heads import find_projection
from layerlab.hooks import passes

with warnings.catch_warnings():  # as in `layerlab.models`
    warnings.filterwarnings("ignore", message="IProgress not found")
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    # Makes the output that takes the place of one (n_sequences, n_positions, width), which it is
    # given with the inputs that led to it.
    MakeOutput = Callable[[torch.Tensor, Any], torch.Tensor]


N_BYTES = 2**28  # of a pass: the more windows share one, the less each change costs
CHANGE_PARTS = {"component", "head", "value"}  # of a change


class PredictionChange(NamedTuple):
    """What an intervention does to the prediction of the token after each window.

    Attributes
    ----------
    divergence : ndarray, shape (n_changes, n)
        Kullback-Leibler divergence in bits, of the changed prediction from the unchanged one.
    surprise : ndarray, shape (n_changes, n)
        Bits by which the token that really follows becomes less expected; below 0: more.
    """

    divergence: np.ndarray
    surprise: np.ndarray


@contextmanager
def ablate(
    model: "PreTrainedModel",
    component: str,
    value: ArrayLike = 0.0,
    *,
    head: int | None = None,
    last_only: bool = False,
    family: Family | None = None,
) -> Iterator[None]:
    """Replace what a component, or one head of an attention, adds to the residual stream.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Of a known family, with or without its head.
    component : str
        ``"att_3"`` for the attention of block 3, ``"mlp_3"`` for its MLP.
    value : array_like
        What to add instead: 0 to switch it off, the mean of its activations, or those it has at
        another target. A number, or shape (width,), or anything that spreads to
        (n_sequences, n_positions, width). Of a head, too, it is what that head adds.
    head : int, optional
        One head of the attention, the others stay.
    last_only : bool
        Replace at the last position of each sequence alone.
    family : layerlab.families.Family, optional
        As for `layerlab.record`.

    Yields
    ------
    None
        Every forward pass inside the ``with`` block is changed. When it ends, by an error or not,
        no hook is left on the model.

    Raises
    ------
    ModelError
        If there is no such component or head, or, from the forward pass, the value does not fit.
    MeasureError
        If the value holds NaN or infinity.

    Examples
    --------
    >>> import torch
    >>> model, tokenizer = load_model()
    >>> ids = tokenizer("a cup of", return_tensors="pt")
    >>> with torch.no_grad():
    ...     before = model(**ids).logits
    ...     with ablate(model, "mlp_3"):
    ...         after = model(**ids).logits
    >>> bool((before == after).all())
    False
    """
    modules = find_outputs(model, family)
    if not isinstance(component, str) or component not in modules:
        raise ModelError(
            f"{component!r} is no component of the {type(model).__name__}: give "
            f"'{COMPONENTS[0]}_0' to '{COMPONENTS[1]}_{len(modules) // len(COMPONENTS) - 1}'"
        )
    check_mode(model)
    new = torch.tensor(finite(value, "value"), dtype=model.dtype, device=model.device)
    if not torch.isfinite(new).all():
        largest = torch.finfo(model.dtype).max
        raise MeasureError(f"value is beyond what {model.dtype} can hold, {largest:.4g}")
    if head is None:
        make: MakeOutput = _replace(new)
    else:
        make = _replace_head(model, component, head, new, family)
    n_sequences: list[int] = []  # of the pass, as the block's attention saw them
    attention = modules[f"{COMPONENTS[0]}_{component.partition('_')[2]}"]
    handles = [
        attention.register_forward_hook(lambda _, __, output: n_sequences.append(len(output))),
        modules[component].register_forward_hook(_hook(make, component, last_only, n_sequences)),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def prediction_changes(
    model: "PreTrainedModel",
    windows: ArrayLike,
    next_ids: ArrayLike,
    changes: "list[dict[str, Any] | list[dict[str, Any]]]",
    *,
    family: Family | None = None,
) -> PredictionChange:
    """What changes in the prediction after each window when something is replaced at its end.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        With its head.
    windows : array of int, shape (n, length)
        At least 2 tokens each; what is replaced is replaced at the last one.
    next_ids : array of int, shape (n,)
        The token that follows each window.
    changes : list
        Of dicts, each with the arguments of `ablate` by name: ``component``, and perhaps ``head``
        and ``value``, which may be one for each window, shape (n, width). A list of such dicts in
        the place of one is a change that makes all of them at once.
    family : layerlab.families.Family, optional
        As for `layerlab.record`.

    Returns
    -------
    PredictionChange

    Raises
    ------
    ModelError, MeasureError
        As `ablate`.
    TargetError
        If the windows are too short, or there is not one next token for each.

    Notes
    -----
    Nothing before the last token is changed, and a causal model never looks ahead: so keys and
    values of the earlier tokens are computed once, and each change costs the pass of one token,
    from the first block on that it changes.

    Examples
    --------
    >>> model, tokenizer = load_model()
    >>> ids = tokenize("a cup of Turkish coffee", tokenizer)
    >>> changes = [{"component": "mlp_0"}, {"component": "mlp_11"}]
    >>> found = prediction_changes(model, [ids[:-1]], ids[-1:], changes)
    >>> found.divergence.shape, bool((found.divergence > 0).all())  # changes, windows
    ((2, 1), True)
    """
    windows, next_ids = whole_numbers(windows, "windows"), whole_numbers(next_ids, "next_ids")
    if windows.ndim != 2 or windows.shape[1] < 2 or next_ids.shape != windows.shape[:1]:
        raise TargetError(
            f"windows of shape {windows.shape} and next_ids of shape {next_ids.shape}: give "
            "(n, length) of 2 or more tokens each, and one next token for each"
        )
    parts = [_parts(change) for change in changes]
    if not parts or not all(parts):
        raise MeasureError(f"changes = {changes!r}: give one or more, each of one part or more")
    _check_next(model, next_ids)
    find_outputs(model, family)
    check_mode(model)
    found, start = [], 0
    for ids in passes(model, windows, N_BYTES):
        stop = start + len(ids)
        wanted = torch.as_tensor(next_ids[start:stop], device=model.device)
        here = [
            [_of_windows(part, slice(start, stop), len(windows)) for part in change]
            for change in parts
        ]
        found.append(_changes_of_batch(model, ids, wanted, here, family))
        start = stop
    divergence, surprise = np.concatenate(found, axis=-1)
    if not np.isfinite([divergence, surprise]).all():
        raise ModelError(
            f"the {type(model).__name__} predicts NaN or infinity in {model.dtype}: load it with "
            "dtype='float32', or replace by smaller values"
        )
    return PredictionChange(divergence, surprise)


def _parts(change: Any) -> list[dict[str, Any]]:
    """What a change replaces, one thing or several."""
    parts = list(change) if isinstance(change, list | tuple) else [change]
    for part in parts:
        if not isinstance(part, dict) or not {"component"} <= part.keys() <= CHANGE_PARTS:
            raise MeasureError(
                f"changes hold {part!r}: give dicts with 'component', such as "
                "{'component': 'mlp_0'}, and perhaps 'head' and 'value'"
            )
    return parts


def _check_next(model: "PreTrainedModel", next_ids: np.ndarray) -> None:
    """Refuse a model that predicts no token, and tokens that it does not know."""
    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    if head is None:
        raise ModelError(
            f"a {type(model).__name__} has no head that predicts tokens: give a causal language "
            "model, as load_model returns it"
        )
    unknown = next_ids[(next_ids < 0) | (next_ids >= len(head.weight))]
    if unknown.size:
        raise TargetError(
            f"next_ids hold {unknown[0]}, and the model knows tokens from 0 to "
            f"{len(head.weight) - 1}"
        )


def _of_windows(change: dict[str, Any], part: slice, n: int) -> dict[str, Any]:
    """The arguments of `ablate` for some of the windows."""
    value = finite(change.get("value", 0.0), "value")
    if value.ndim == 2:
        if len(value) != n:
            raise MeasureError(
                f"value has the shape {value.shape}: it should hold a row for each of the {n} "
                "windows."
            )
        value = value[part, None]  # (n_sequences, 1, width)
    return change | {"value": value, "last_only": True}


@torch.no_grad()
def _changes_of_batch(
    model: "PreTrainedModel",
    ids: torch.Tensor,
    next_ids: torch.Tensor,
    changes: list[list[dict[str, Any]]],
    family: Family | None,
) -> NDArray[np.float64]:
    """Divergence and surprise, (2, n_changes, n_sequences)."""
    blocks = find_blocks(model, family)
    past = _past_of_windows(model, ids)

    def predict() -> torch.Tensor:  # log-probabilities, (n_sequences, n_vocabulary)
        logits = model(ids[:, -1:], cache=past, use_cache=True).logits[:, -1]
        return logits.double().log_softmax(dim=-1)

    with _outputs_of(blocks) as outputs:
        before = predict()
    probabilities = before.exp()
    found = []
    for change in changes:
        with ExitStack() as together:
            for part in change:
                together.enter_context(ablate(model, family=family, **part))
            first = min(int(part["component"].partition("_")[2]) for part in change)
            together.enter_context(_answering(blocks[:first], outputs))
            after = predict()
        divergence = (probabilities * (before - after)).sum(dim=-1)
        surprise = (before - after).gather(1, next_ids[:, None])[:, 0]
        found.append(torch.stack([divergence, surprise]))
    nats = torch.stack(found, dim=1).cpu().numpy()
    return nats / np.log(2)


def random_steps(rows: ArrayLike, goal: ArrayLike, *, seed: int = 0) -> NDArray[np.float64]:
    """Each row moved in a random direction, by as much as a goal is away from it.

    Beside what a replacement by that goal costs, this is what a random push of its size costs.

    Parameters
    ----------
    rows : array_like, shape (n, width)
        What a component adds, in the unit of the activations.
    goal : array_like, shape (width,) or (n, width)
        What would take its place.
    seed : int
        Random seed of the directions.

    Returns
    -------
    ndarray of float64, shape (n, width)

    Raises
    ------
    MeasureError
        If the shapes do not fit, or a value is NaN or infinite, or a goal infinitely far away.

    Examples
    --------
    >>> import numpy as np
    >>> moved = random_steps([[3.0, 4.0], [0.0, 1.0]], [0.0, 0.0])
    >>> np.linalg.norm(moved - [[3.0, 4.0], [0.0, 1.0]], axis=1)
    array([5., 1.])
    """
    start, end = finite(rows, "rows"), finite(goal, "goal")
    if start.ndim != 2 or start.size == 0 or end.shape not in (start.shape, start.shape[1:]):
        raise MeasureError(
            f"rows have the shape {start.shape} and goal {end.shape}: give (n, width), not empty, "
            "and a goal for all or one for each"
        )
    with np.errstate(over="ignore"):  # a distance that becomes infinite is named
        away, exponents = near_one(finite(end - start, "goal - rows"), -1)
    lengths = np.ldexp(np.linalg.norm(away, axis=1, keepdims=True), exponents)  # (n, 1)
    way = np.random.default_rng(random_seed(seed)).normal(size=start.shape)
    return start + way * (lengths / np.linalg.norm(way, axis=1, keepdims=True))


# ---- one token, again and again ----------------------------------------------------------------


class _LastAnew(DynamicLayer):
    """Keys and values of whole windows, of which each pass writes the last token's anew.

    A layer that grows would copy all of them in each pass, for one token more.
    """

    def __init__(self, past: DynamicLayer) -> None:
        super().__init__()
        self.lazy_initialization(past.keys, past.values)
        self.keys, self.values = (pad(x, (0, 0, 0, 1)) for x in (past.keys, past.values))

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self.keys[..., -1:, :] = key_states
        self.values[..., -1:, :] = value_states
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self.keys.shape[-2] - 1


def _past_of_windows(model: "PreTrainedModel", ids: torch.Tensor) -> DynamicCache:
    """What all tokens but the last leave behind, with room for that one."""
    past = DynamicCache()  # of all tokens: a sliding window would drop some
    model.base_model(ids[:, :-1], cache=past, use_cache=True)
    past.layers = [_LastAnew(layer) for layer in past.layers]
    return past


@contextmanager
def _outputs_of(blocks: torch.nn.ModuleList) -> Iterator[list[Any]]:
    """What each block gives back, in the passes inside the context."""
    outputs: list[Any] = []
    handles = [
        block.register_forward_hook(lambda _, __, output: outputs.append(output))
        for block in blocks
    ]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _answering(blocks: torch.nn.ModuleList, outputs: list[Any]) -> Iterator[None]:
    """Let blocks give back what is known, without computing it."""
    own = [block.__dict__.get("forward") for block in blocks]  # what others put there, if they did
    for block, output in zip(blocks, outputs, strict=False):
        block.forward = lambda *_, known=output, **__: known
    try:
        yield
    finally:
        for block, forward in zip(blocks, own, strict=True):
            del block.forward
            if forward is not None:
                block.forward = forward


# ---- hooks -----------------------------------------------------------------------------------


def _replace(new: torch.Tensor) -> "MakeOutput":
    return lambda output, _: new.expand_as(output).clone()  # Falcon adds to what it is given


def _replace_head(
    model: "PreTrainedModel", component: str, head: int, new: torch.Tensor, family: Family | None
) -> "MakeOutput":
    kind, _, block = component.partition("_")
    if kind != COMPONENTS[0]:
        raise ModelError(f"{component!r} has no heads: give an attention, such as 'att_{block}'")
    weight = find_projection(model, int(block), family).weight  # (n_heads, head_width, width)
    if not is_whole(head) or not 0 <= head < len(weight):
        raise ModelError(f"head {head!r} does not exist: the model has {len(weight)}, from 0")

    def make(output: torch.Tensor, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
        values = inputs[0].reshape(*output.shape[:2], *weight.shape[:2])[..., head, :]
        return output - values @ weight[head] + new

    return make


def _hook(
    make: "MakeOutput", component: str, last_only: bool, n_sequences: list[int]
) -> Callable[..., torch.Tensor]:
    def hook(_: torch.nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        rows = output if output.ndim == 3 else output.unflatten(0, (n_sequences[-1], -1))  # OPT
        try:
            made = make(rows, inputs)
            changed = torch.cat([rows[:, :-1], made[:, -1:]], dim=1) if last_only else made
            return changed.reshape(output.shape)
        except RuntimeError as error:
            raise ModelError(
                f"the value for {component!r} does not fit what it adds, of shape "
                f"{tuple(rows.shape)}: give a number, a vector, or one for each sequence"
            ) from error

    return hook
