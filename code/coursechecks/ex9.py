"""What the answers of exercise 9 do: bits, divergences, hooks that replace, controls, heads."""

from functools import partial

import numpy as np
import torch
from torch import nn

from coursechecks.engine import (
    About,
    Facts,
    Raised,
    calls,
    checker,
    depends,
    kind_of,
    run,
    size_of,
    tried,
    with_names,
)
from coursechecks.networks import N_VOCABULARY, small_gpt2, small_llama
from coursechecks.probes import here
from layerlab.families import find_outputs

READS = ("seen/09.json.xz",)
PROBES = here()
REPLAYED = {"control": ""}  # of random directions only yes and no is observed: soon guessed


def _elsewhere(function, **names):
    """The function with other data in place of what the notebook has."""
    rng = PROBES.rng(0)
    own = {"windows": rng.integers(0, N_VOCABULARY, (3, 6)), "next_ids": np.array([2, 0, 4])}
    own |= {"before": _predictions(3, 7, 8), "after": _predictions(3, 7, 9), "ids": np.arange(50)}
    own |= {"vectors": rng.normal(size=(2, 3, 3, 4)), "rows": rng.normal(size=(3, 4))}
    own |= {"n_blocks": 3, "n_heads": 2, "head": 1, "N_BEFORE": 5, "ends": np.array([9, 20, 31])}
    return with_names(function, **own | names)


def _predictions(n: int, n_tokens: int, seed: int) -> np.ndarray:
    """Base-2 logarithms of made-up probabilities, (n, n_tokens)."""
    shares = PROBES.rng(seed).dirichlet(np.full(n_tokens, 0.7), n)
    return np.log2(shares + 1e-4) - np.log2(1 + n_tokens * 1e-4)


def bits(log2_probabilities) -> Facts:
    """Tables of several shapes, a single row among them, and logits of some thousands."""
    function = _elsewhere(log2_probabilities)
    for n, n_tokens in ((3, 5), (6, 4), (1, 9)):
        logits = PROBES.rng(n).normal(1.5, 2, (n, n_tokens))
        group = f"log2_probabilities, of {n} × {n_tokens} logits"
        yield from calls(group, function, logits, what="logarithms")
    for words, levels in (("large", [4000, 4010]), ("large and small", [3000, -5000, 0])):
        rng = PROBES.rng(5)
        logits = np.array(levels)[:, None] + rng.normal(0, 3, (len(levels), 6))
        group = f"log2_probabilities, of {words} logits"
        yield from calls(group, function, logits, what=f"rows near {levels}")


def apart(divergence, extra_surprise) -> Facts:
    """Made-up predictions of several sizes; tokens that come twice, the first and the last."""
    sizes = (5, 9, [3, 0, 8, 3, 1]), (3, 30, [29, 29, 7])
    function = _elsewhere(divergence)
    for n, n_tokens, _ in sizes:
        before, after = (_predictions(n, n_tokens, seed) for seed in (n, n + 1))
        group = f"divergence, of {n} predictions of {n_tokens} tokens"
        yield from calls(group, function, before, after, what="bits")
        yield from calls(group, function, before, before, what="bits where nothing changed")
    function = _elsewhere(extra_surprise)
    for n, n_tokens, follow in sizes:
        before, after = (_predictions(n, n_tokens, seed) for seed in (n, n + 1))
        group = f"extra_surprise, of {n} predictions of {n_tokens} tokens"
        yield from calls(group, function, before, after, np.array(follow), what="bits")


def hook(replace_last, predict_with) -> Facts:
    """What a hook makes of made-up outputs, and what a small model predicts meanwhile."""
    yield from _replaced(_elsewhere(replace_last))
    yield from _predicted(predict_with)


def _replaced(function) -> Facts:
    for n, n_tokens, width in ((3, 5, 4), (4, 2, 6)):
        output = torch.arange(1.0, n * n_tokens * width + 1).reshape(n, n_tokens, width)
        output = output * PROBES.scale(n)
        rng = PROBES.rng(n)
        news = {"0": 0, "one vector": rng.normal(size=width)}
        news["a vector for each window"] = rng.normal(size=(n, width))
        for what, new in news.items():
            group = f"replace_last, {what} for outputs of {n} × {n_tokens} × {width}"
            made, given = run(function, new), output.clone()
            yield f"{group}: what it returns", kind_of(made)
            if not callable(made):
                return
            place = nn.Identity()  # puts out the very tensor that it is given
            place.register_forward_hook(made)
            found = run(lambda place=place, given=given: place(given))
            yield f"{group}: the output after the hook", About(found)
            yield f"{group}: its type", str(getattr(found, "dtype", kind_of(found)))
            yield f"{group}: the output itself is changed?", not torch.equal(given, output)
            yield f"{group}: nothing is replaced?", found is given


def _predicted(function) -> Facts:
    models = {"GPT-2": small_gpt2(3, 2, 6, PROBES.rng(0))}
    models |= {"Llama": small_llama(2, 3, 12, PROBES.rng(0))}
    for name, model in models.items():
        group, parts = f"predict_with, tried on a small {name}", find_outputs(model)
        windows = PROBES.rng(2).integers(0, N_VOCABULARY, (4, 7))
        own = {"logits_after": partial(_logits, model), "log2_probabilities": np.asarray}
        other = find_outputs(small_gpt2(3, 2, 6, PROBES.rng(0)))
        there = _elsewhere(function, model=model, modules=other, **own)
        for part in ("mlp_1", "att_0"):
            found = _with_hook(there, parts[part], lambda *given: -2 * given[-1], windows)
            yield f"{group}: with a hook on {part}", About(found)
        left = sum(len(module._forward_hooks) for module in model.modules())
        left += sum(len(module._forward_pre_hooks) for module in model.modules())
        yield f"{group}: hooks left on the model?", left > 0
        _with_hook(there, parts["mlp_1"], _failing, windows)
        left = sum(len(module._forward_hooks) for module in model.modules())
        yield f"{group}: a hook left after an error?", left > 0


def _logits(model, windows) -> np.ndarray:
    with torch.no_grad():
        return model(torch.as_tensor(windows)).logits[:, -1].double().numpy()


def _with_hook(function, part, hook, windows):
    """Result of a call on the part itself, not on a copy as `run` would hand over."""
    return run(lambda: function(part, hook, windows))


def _failing(*_):
    raise ValueError("a hook that fails")


def values(mean_of_others, from_before) -> Facts:
    """Tables of two targets, and of more and fewer than coordinates."""
    tables = [PROBES.rng(n).normal(2, 3, (n, width)) for n, width in TABLES]
    for name, answer in (("mean_of_others", mean_of_others), ("from_before", from_before)):
        function = _elsewhere(answer)
        for table in tables:
            group = f"{name}, of {table.shape[0]} targets with {table.shape[1]} coordinates"
            yield from calls(group, function, table, what="table", see=_table)


TABLES = ((5, 3), (2, 4), (7, 12))


def _table(name: str, value) -> Facts:
    yield f"{name}, shape", size_of(value)
    yield f"{name}, numbers", value


def control(random_step) -> Facts:
    """How far and where to rows are moved: a few of many coordinates, and many of two."""
    function = _elsewhere(random_step)
    for n, width in ((6, 5), (9, 30)):
        rng = PROBES.rng(n)
        rows = rng.normal(1, 2, (n, width))
        for what, new in (("a table", rows + rng.normal(0, 3, (n, width))), ("0", 0)):
            group = f"random_step, {n} rows of {width} coordinates, `new` is {what}"
            moved, is_changed = tried(function, rows, new, PROBES.rng(1))
            yield f"{group}: shape", size_of(moved)
            yield f"{group}: changes what it is given?", is_changed
            if size_of(moved) != size_of(rows):
                return
            steps = np.asarray(moved, dtype=float) - rows
            sizes = np.linalg.norm(steps, axis=1)
            right = np.linalg.norm(rows - new, axis=1)
            yield f"{group}: lengths of the steps, as shares of what they should be", sizes / right
            if PROBES.are_hidden:
                yield f"{group}: lengths of the steps", sizes
            is_one = np.ptp(steps / sizes[:, None], axis=0).max() < 1e-6
            yield "directions: one for all rows?", is_one
    again, other = (run(function, rows, new, PROBES.rng(seed)) for seed in (1, 2))
    yield "directions: the same from the same seed", np.array_equal(moved, again)
    yield "directions: another seed makes no difference?", np.array_equal(moved, other)
    rows = PROBES.rng(4).normal(size=(2000, 2))
    moved = run(function, rows, rows + 1, PROBES.rng(3))
    angles = np.arctan2(*(np.asarray(moved, dtype=float) - rows).T) / np.pi
    halves = [np.mean(angles > 0), np.mean(abs(angles) < 0.5)]
    yield "directions: both sides alike", bool(np.abs(np.array(halves) - 0.5).max() < 0.05)
    towards_corners = np.mean(abs(angles % 0.5 - 0.25) < 0.125)
    yield "directions: none preferred", bool(abs(towards_corners - 0.5) < 0.05)


def most(most_important) -> Facts:
    """Blocks of many made-up tables; some have one large value, some a control near zero."""
    found, sizes = [], ((5, 8), (12, 3), (7, 7), (4, 30), (14, 6))
    for seed in range(4 * len(sizes)):
        rng = PROBES.rng(seed)
        size = sizes[seed % len(sizes)]
        given = rng.exponential(1, size) ** 2, rng.exponential(1, size) ** 2 + 0.01
        found.append(tried(_elsewhere(most_important), *given))
    group = "most_important, tried on tables of the check's own"
    yield f"{group}: how many things come back", size_of(found[0][0])
    yield f"{group}: changes what it is given?", any(is_changed for _, is_changed in found)
    if size_of(found[0][0]) == "2":
        blocks = [list(answer) for answer, _ in found]
        yield "the block with the largest mean: in each table", [block for block, _ in blocks]
        yield "the block with the largest in proportion: in each table", [b for _, b in blocks]
    yield from depends(_elsewhere(most_important), given, (given[0][::-1], given[1][::-1]))


def head(average_head) -> Facts:
    """What hooks make of made-up values of heads, of which no two have the same size."""
    for head, n_heads, (n, n_tokens, width) in (
        (1, 3, (4, 5, 6)),
        (0, 4, (3, 4, 20)),
        (1, 2, (5, 3, 14)),
    ):
        group = f"average_head, head {head} of {n_heads}, values {n} × {n_tokens} × {width}"
        values = torch.as_tensor(PROBES.rng(n).normal(2, 3, (n, n_tokens, width)))
        values, place = values.float(), nn.Identity()
        made, given = run(_elsewhere(average_head), head, n_heads), values.clone()
        yield f"{group}: what it returns", kind_of(made)
        if not callable(made):
            return
        place.register_forward_pre_hook(made)
        found = run(lambda place=place, given=given: place(given))
        yield f"{group}: nothing is changed?", found is given and torch.equal(given, values)
        yield f"{group}: the tensor itself is changed?", not torch.equal(given, values)
        if isinstance(found, Raised) or not isinstance(found, torch.Tensor):
            yield f"{group}: what the module computes with", found
            return
        yield f"{group}: size of what the module computes with", size_of(found.numpy())
        yield f"{group}: its type", str(found.dtype)
        if found.shape == values.shape:
            apart = (found != values).numpy()
            tokens, coordinates = apart.any(axis=(0, 2)), apart.any(axis=(0, 1))
            yield f"{group}: tokens that are changed", np.flatnonzero(tokens)
            yield f"{group}: numbers of a token that are changed", np.flatnonzero(coordinates)
            yield f"{group}: what the module computes with at the end", About(found[:, -1])


check = checker(__name__)
