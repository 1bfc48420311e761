"""Checks of exercise 3: reading a GPT-2 with hooks, and finding a word among its tokens.

The student's functions are tried on small networks that a check makes for itself, so that it can
see what they do to a model, and no hook stays behind on the student's own.
"""

import ast
import inspect
import re
import reprlib
import warnings
from contextlib import suppress
from functools import partial
from itertools import permutations
from textwrap import dedent

import numpy as np
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import ModelOutput

from layerlab.checks._core import (
    CheckFailed,
    Mistake,
    as_numbers,
    call,
    compare,
    fail,
    first_seen,
    itself_if,
    kind_of,
    nearest,
    right,
)
from layerlab.hooks import record
from layerlab.tokens import first_targets, target_positions, tokenize

TARGET, N_TARGETS = " coffee", 10

# ---- the model -------------------------------------------------------------------------------

TRAINING_MODE = Mistake(
    "training mode",
    "A model switches to evaluation when a method of it is called, round brackets included. In "
    "training mode, dropout sets some numbers to zero at random.",
)
PART_SWITCHED = Mistake(
    "a part switched, not the model",
    "A part of the model has left training mode, and the model as a whole has not. Which of the "
    "two should your line be about?",
)
GRADIENTS_FOR_MODE = Mistake(
    "gradients switched off, not training mode",
    "Whether gradients are computed is another matter, of later steps. Dropout goes on "
    "until a method of the model itself ends its training mode.",
)
MISPLACED_PART = Mistake(
    "part looked for inside the wrong one",
    "There is a part of this name, but not where you look. Go back to the map: a part is inside "
    "of the next one above it that is less indented. What is this one inside of?",
)
HEADS_COUNTED = Mistake(
    "heads counted",
    "Heads are the parallel parts of one block's attention. Which part of the printed model is "
    "repeated, one after the other?",
)
PARTS_COUNTED = Mistake(
    "parts counted instead of blocks",
    "The stack of blocks is one part among the embeddings, the dropout and the last LayerNorm. "
    "Count what is inside that one part.",
)
VOCABULARY_FOR_WINDOW = Mistake(
    "vocabulary for the window",
    "That is how many different tokens the model knows. How many can it read at once: for how many "
    "positions does it have a vector?",
)
WIDTH_FOR_WINDOW = Mistake(
    "width for the window",
    "That is how many numbers stand for one token. How many tokens can the model read at once?",
)
HARD_CODED = Mistake(
    "size hard-coded",
    "The size is a number that you wrote, or comes from somewhere else than the arguments of the "
    "function. It must be asked from what the function is given: it is tried on other sizes.",
)
ANOTHER_MODEL = Mistake(
    "another model than the argument",
    "The function works on a model from outside, not on what stands between the round brackets of "
    "its `def` line. It has to do for any model.",
)
GRADIENTS_LEFT_OFF = Mistake(
    "gradients switched off for good",
    "Whoever wants to train a model afterwards finds no gradients. Only the pass of Step 9 goes "
    "without them, and they are to be back after it.",
)
FROM_NOTEBOOK = Mistake(
    "a variable of the notebook instead of the argument",
    "The check gave your function numbers of its own, and your function looked at yours. What it "
    "needs came in between the round brackets of its `def` line.",
)
GRADIENT_SWITCHES = {"no_grad", "inference_mode", "set_grad_enabled", "requires_grad_"}


def check_get_ready(get_ready) -> None:
    """Check that a model is put into evaluation mode, and its sizes are asked from it.

    Parameters
    ----------
    get_ready : callable
        From a model to its number of blocks, its width and its context window.
    """
    # No two of these are equal: the blocks, one more or less, the heads, the parts of any level.
    small = _small_model(n_layer=8, n_head=6, n_embd=12)
    other = _small_model(n_layer=4, n_head=3, n_embd=9, n_positions=24, vocab_size=70)
    parameters = _kinds_of_parameters(small, other)
    with torch.enable_grad():  # whatever an earlier try has left behind
        sizes, other_sizes = (
            _call_naming(_from_message, "get_ready", get_ready, model) for model in (small, other)
        )
        has_gradients = torch.is_grad_enabled()
    for found in (sizes, other_sizes):
        if not isinstance(found, tuple) or len(found) != 3:
            fail("get_ready", expected="three sizes", got=f"{found!r}")
    outside = _models_outside(get_ready)
    for model in (small, other):
        _check_mode(get_ready, model, outside)
    _refuse_without_gradients("get_ready", has_gradients)
    _check_parameters("get_ready", _kinds_of_parameters(small, other), parameters)
    config, always_the_same = small.config, ANOTHER_MODEL if outside else HARD_CODED
    levels = (small.base_model, small, small.base_model.h[0])
    parts = [len(list(module.children())) for module in levels]
    compare(
        "the number of blocks of a tiny model that the check made",
        sizes[0],
        config.n_layer,
        {
            HEADS_COUNTED: config.n_head,
            PARTS_COUNTED: nearest(sizes[0], *parts),
            always_the_same: other_sizes[0],
        },
    )
    compare(
        "the context window of a tiny model that the check made",
        sizes[2],
        config.n_positions,
        {
            VOCABULARY_FOR_WINDOW: config.vocab_size,
            WIDTH_FOR_WINDOW: config.n_embd,
            always_the_same: other_sizes[2],
        },
    )
    compare("the three sizes of another tiny model", other_sizes, (4, 9, 24))
    right("The model is in evaluation mode and tells its sizes itself: any GPT-2 will do.")


def _check_mode(get_ready, model: nn.Module, outside: list[nn.Module]) -> None:
    in_training = [module.training for module in model.modules()]  # the model itself comes first
    if not any(in_training):
        return
    names = getattr(getattr(get_ready, "__code__", None), "co_names", ())
    signs = {
        ANOTHER_MODEL: bool(outside),
        PART_SWITCHED: in_training[0] and not all(in_training),
        GRADIENTS_FOR_MODE: "eval" not in names and not GRADIENT_SWITCHES.isdisjoint(names),
        TRAINING_MODE: True,
    }
    got = f"{'a model stays' if in_training[0] else 'parts of a model stay'} in training mode"
    fail("the model's mode", expected="evaluation mode", got=got, mistake=first_seen(signs))


def _refuse_without_gradients(what: str, has_gradients: bool) -> None:
    if not has_gradients:
        what, got = f"gradients after {what}", "switched off"
        fail(what, expected="as before it", got=got, mistake=GRADIENTS_LEFT_OFF)


def _kinds_of_parameters(*models: nn.Module) -> set:
    """Whether gradients are wanted for the parameters, and what kind of numbers they are."""
    parameters = nn.ModuleList(models).parameters()
    return {(weights.requires_grad, weights.dtype) for weights in parameters}


def _check_parameters(what: str, after: set, before: set) -> None:
    if after == before:
        return
    what, wanted = f"the parameters of the model after {what}", "as before it"
    if not all(wants_gradient for wants_gradient, _ in after):
        got = "parameters for which no gradients are wanted any more"
        fail(what, expected=wanted, got=got, mistake=GRADIENTS_LEFT_OFF)
    fail(what, expected=wanted, got=", ".join(sorted(f"{dtype}" for _, dtype in after)))


# ---- the hook --------------------------------------------------------------------------------

NOT_CALLED = Mistake(
    "named but not called",
    "Without round brackets a function or a method is only named, and nothing happens. Where are "
    "they left out?",
)
VIEW_STORED = Mistake(
    "view stored",
    "What you stored shares its memory with the model, and a later step wrote over it. Store "
    "numbers that are your own.",
)
INPUT_STORED = Mistake(
    "input stored",
    "That is what went into the module. PyTorch hands you what came out as well: look at the order "
    "of the three arguments.",
)
GRADIENTS_KEPT = Mistake(
    "gradients kept",
    "The copy still hangs on the graph with which PyTorch computes gradients, and keeps all of "
    "that in memory. Cut it off.",
)
ARRAY_WITH_GRAPH = Mistake(
    "array of numbers that have a history",
    "An array cannot keep the graph of gradients, so PyTorch refuses. What it advises cuts the "
    "graph off and copies nothing, which cures one of the two things that may go wrong.",
)
HOOK_RETURNS = Mistake(
    "hook returns something",
    "If a hook returns something, PyTorch takes that as the module's output from then on. A hook "
    "that only listens returns nothing.",
)
ONE_NAME = Mistake(
    "one name for all",
    "Every place would be stored under the same name, and only the last would be left. Is the name "
    "a text in quotes where it should be a variable, or put together from one?",
)
BATCH_LOST = Mistake(
    "batch axis taken off in the hook",
    "The first axis counts the texts of a batch. Store the output as it is, and choose from it "
    "later.",
)
STORE_REPLACED = Mistake(
    "dictionary replaced instead of filled",
    "`store = …` inside the hook gives that name to something new, which is gone when the hook "
    "ends. The dictionary that you were given stays empty: put an entry into it.",
)


def check_make_hook(make_hook) -> None:
    """Check two hooks in a network whose second step overwrites what the first puts out.

    Parameters
    ----------
    make_hook : callable
        From a name and a dictionary to a hook.
    """
    store, returned = {}, []
    linear = _linear_steps(1, 3)[0]
    linear.weight.data, linear.bias.data = -2 * torch.eye(3), torch.zeros(3)
    network = nn.Sequential(linear, nn.ReLU(inplace=True))
    for module, name in zip(network, ("a place", "another place"), strict=True):
        hook = call("make_hook", make_hook, name, store)
        module.register_forward_hook(
            lambda *arguments, hook=hook: returned.append(hook(*arguments))
        )
    mistake = STORE_REPLACED if "store" in _own_variables(hook) else None
    first = torch.tensor([[[1.1, -2.3, 3.7], [0.6, -1.9, 2.2]]])  # (1, 2, 3)
    for which, x in (("", first), (" in a second pass", 3 - first)):
        what, expected = f"what the hook stores{which}", -2 * x
        with torch.enable_grad():
            output = _call_naming(
                lambda error: mistake or _wrong_hook(error), "the hook", network, x
            )
        if not store:
            expected, got = "an entry in the dictionary", "nothing"
            fail(what, expected=expected, got=got, mistake=mistake)
        if "a place" not in store:
            what, got = "the name under which the hook stores", f"{next(iter(store))!r}"
            wanted, one = "the name that make_hook was given", ONE_NAME if len(store) == 1 else None
            fail(what, expected=wanted, got=got, mistake=one)
        if returned[0] is not None:
            got = kind_of(returned[0])
            fail("what the hook returns", expected="nothing", got=got, mistake=HOOK_RETURNS)
        _check_stored(what, store["a place"], x, expected)
        compare("what the model makes of the output", output, torch.relu(expected))
    right("The hook keeps a copy of the output, and the model works on as if nobody listened.")


def _wrong_hook(error: Exception) -> Mistake | None:
    has_graph = str(error).startswith("Can't call numpy() on Tensor that requires grad")
    return ARRAY_WITH_GRAPH if has_graph else _from_message(error)


def _check_stored(what: str, stored, x: torch.Tensor, expected: torch.Tensor) -> None:
    wanted = "a tensor or an array of numbers"
    if inspect.isroutine(stored):
        fail(what, expected=wanted, got=kind_of(stored), mistake=NOT_CALLED)
    is_inputs = isinstance(stored, tuple) and len(stored) == 1  # the inputs come as a tuple
    compare(
        what,
        stored[0] if is_inputs else stored,
        expected,
        {VIEW_STORED: torch.relu(expected), INPUT_STORED: x, BATCH_LOST: expected[0]},
    )
    if not isinstance(stored, (torch.Tensor, np.ndarray)):
        fail(what, expected=wanted, got=kind_of(stored))
    if getattr(stored, "requires_grad", False):
        got = "numbers with a gradient's graph behind them"
        fail(what, expected="numbers alone", got=got, mistake=GRADIENTS_KEPT)


def _own_variables(function) -> tuple[str, ...]:
    """Names that a function written in Python assigns to, its arguments left out."""
    code = getattr(function, "__code__", None)
    return code.co_varnames[code.co_argcount + code.co_kwonlyargcount :] if code else ()


# ---- the places ------------------------------------------------------------------------------

BLOCK_HOOKED = Mistake(
    "block instead of its projection",
    "What a whole block puts out is the residual stream, the sum of all that was written so far. "
    "Go further in, to the last step of each component.",
)
COMPONENT_HOOKED = Mistake(
    "component instead of its projection",
    "That is the whole attention, or the whole MLP. Go one level further in, to the projection at "
    "its end.",
)
FIRST_MATRIX_HOOKED = Mistake(
    "first matrix instead of the last",
    "That is the step at the component's entrance, and its output is wider than the stream. What "
    "a component writes to the stream leaves by its last projection.",
)
DROPOUT_HOOKED = Mistake(
    "dropout instead of the projection",
    "Dropout has no weights and computes nothing of its own. Take the step before it.",
)
COMPONENTS_MIXED_UP = Mistake(
    "attention and MLP mixed up",
    "The name says one component, and the numbers are those of the other.",
)
COUNTED_FROM_ONE = Mistake(
    "counted from 1", "Blocks are counted from 0 in this course, and so are their names."
)
BLOCK_LEFT_OUT = Mistake(
    "a block left out", "One block of the stack has no place. Does a slice cut it off?"
)
WEIGHTS_TAKEN = Mistake(
    "weights instead of a module",
    "These are numbers that a step of the model computes with. A hook needs the step itself.",
)

COMPONENTS = ("att", "mlp")


def check_find_places(find_places) -> None:
    """Check the names and modules that are to be hooked, on a small model.

    Parameters
    ----------
    find_places : callable
        From a model to a dictionary of modules by name.
    """
    model = _small_model(n_layer=4)  # one block less is not the number of heads
    larger = _small_model(n_layer=14)  # more blocks than the student's own model has
    named = partial(_remembered_size, find_places, (larger,))
    places = _call_naming(named, "find_places", find_places, model)
    if not hasattr(places, "items"):
        fail("find_places", expected="a dictionary", got=kind_of(places))
    paths = {id(module): path for path, module in model.named_modules()}
    modules = [module for module in places.values() if isinstance(module, nn.Module)]
    if not {id(module) for module in modules} <= set(paths):
        expected, got = "modules of the model that is given", "modules of another one"
        fail("find_places", expected=expected, got=got, mistake=ANOTHER_MODEL)
    _check_names(places, model)
    for i, block in enumerate(model.base_model.h):
        for name, words, own, other in (
            ("att", "attention", block.attn, block.mlp),
            ("mlp", "the MLP", block.mlp, block.attn),
        ):
            module = places[f"{name}_{i}"]
            if module is not own.c_proj:
                fail(
                    f"the module of {name}_{i}",
                    expected=f"the output projection of {words} in block {i}",
                    got=paths.get(id(module), kind_of(module)),
                    mistake=_wrong_module(module, block, own, other),
                )
    n_places, n_expected = len(call("find_places", find_places, larger)), 2 * 14
    if n_places != n_expected:
        what, got = "the places of a model of 14 blocks", f"{n_places}"
        fail(what, expected=f"{n_expected}", got=got, mistake=HARD_CODED)
    right("Both output projections of every block are found, each under its own name.")


def _remembered_size(function, larger: tuple, error: Exception) -> Mistake | None:
    """A size hard-coded, if an index is out of range, and with larger arguments none is."""
    if not isinstance(error, IndexError):
        return _from_message(error)
    try:
        function(*larger)
    except Exception:
        return None
    return HARD_CODED


def _from_message(error: Exception) -> Mistake | None:
    """The mistake behind an attribute that something else has, or behind missing brackets."""
    unused = r"'(\w*function\w*|method)' object|'type' object .* context manager"
    if re.match(unused, str(error)):
        return NOT_CALLED
    missing = re.search(r"object has no attribute '(\w+)'", str(error))
    paths = (path for path, _ in _small_model(n_layer=1).named_modules())
    parts = {path.split(".")[-1] for path in paths}
    return MISPLACED_PART if missing and missing[1] in parts else None


def _check_names(places: dict, model: GPT2LMHeadModel) -> None:
    depth, own_names = model.config.n_layer, set(places)
    expected = _place_names(range(depth))
    if own_names == set(expected):
        return
    by_component = [{name for name in places if str(name).startswith(c)} for c in COMPONENTS]
    from_one = set(_place_names(range(1, depth + 1)))
    first_block = set(map(id, model.base_model.h[0].modules()))  # alone, if the loop ends early
    signs = {
        ONE_NAME: any(
            len(own) == 1 and id(places[min(own)]) not in first_block for own in by_component
        ),
        HEADS_COUNTED: own_names == set(_place_names(range(model.config.n_head))),
        BLOCK_LEFT_OUT: own_names == set(_place_names(range(depth - 1))),
        COUNTED_FROM_ONE: any(len(own) == depth and own <= from_one for own in by_component),
    }
    wanted = f"{', '.join(expected)} for a model of {depth} blocks"
    got = ", ".join(map(str, places))
    fail("the names of the places", expected=wanted, got=got, mistake=first_seen(signs))


def _wrong_module(module, block, own, other) -> Mistake | None:
    """The mistake that leads to this module, where `own` is the right component."""
    if isinstance(module, nn.Parameter):
        return WEIGHTS_TAKEN
    leads_to = {
        BLOCK_HOOKED: [block],
        COMPONENT_HOOKED: [own],
        COMPONENTS_MIXED_UP: [other, other.c_proj],
        DROPOUT_HOOKED: [step for step in own.children() if isinstance(step, nn.Dropout)],
        FIRST_MATRIX_HOOKED: [getattr(own, name, None) for name in ("c_attn", "c_fc")],
    }
    return first_seen({m: any(module is w for w in wrong) for m, wrong in leads_to.items()})


# ---- registering -----------------------------------------------------------------------------

LATE_BINDING = Mistake(
    "all hooks share the loop's variable",
    "A function that is defined inside a loop looks at the loop's variable when it is called, not "
    "when it is defined. By then the loop is over. Each hook needs its name for itself.",
)
HANDLES_NOT_KEPT = Mistake(
    "handles not kept",
    "Registering a hook gives you something back, and nothing else takes the hook off again. It "
    "must be in the list, one for each place.",
)
NOT_REGISTERED = Mistake(
    "hook made but not registered",
    "A hook is a function like any other until a module is told to call it.",
)
PRE_HOOK = Mistake(
    "hook before the module",
    "A pre-hook runs before its module and sees what goes in. Register one that runs after it.",
)
BACKWARD_HOOK = Mistake(
    "hook for the way back",
    "A backward hook runs when gradients are computed, and sees only those. Register one that "
    "runs when the module computes its output.",
)
FIRST_PLACE_ALONE = Mistake(
    "only the first place hooked",
    "All others are left as they were. Is there a `return` or a `break` that ends the loop in its "
    "first round?",
)
TEXT_FOR_STORE = Mistake(
    "text where the dictionary should be",
    "The hook was to store in a text. Look at the `def` line of `make_hook`: what does it want, "
    "and in which order?",
)
WRONG_ARGUMENTS = Mistake(
    "factory registered instead of its hook",
    "PyTorch calls what you register with three arguments: module, inputs, output. `make_hook` "
    "takes others; what it returns takes these.",
)


def check_attach(attach) -> None:
    """Check hooks and handles on a network of four linear steps.

    Parameters
    ----------
    attach : callable
        From a dictionary of modules by name, and one to store in, to the handles.
    """
    names = _place_names(range(2))
    places = dict(zip(names, _linear_steps(len(names), 2), strict=True))
    network, x, store = nn.Sequential(*places.values()), torch.ones(1, 3, 2), {}
    outside = nn.ModuleList(_models_outside(attach))
    n_outside = _count_hooks(outside)
    handles = call("attach", attach, places, store)
    if not isinstance(handles, (list, tuple)):
        mistake = HANDLES_NOT_KEPT if isinstance(handles, RemovableHandle) else None
        expected, got = f"a list of {len(places)} handles", kind_of(handles)
        fail("the handles", expected=expected, got=got, mistake=mistake)
    is_elsewhere = _count_hooks(outside) > n_outside
    _check_registered(network, len(places), handles, is_elsewhere)
    _check_handles(handles, len(places))
    with torch.no_grad():
        _call_naming(_wrong_arguments, "a hook that you registered", network, x)
    if len(store) == 1 < len(places):
        mistake = LATE_BINDING if list(places)[-1] in store else ONE_NAME
        got = f"{next(iter(store))} alone"
        fail("the names stored", expected=", ".join(places), got=got, mistake=mistake)
    if set(store) != set(places):
        got = ", ".join(map(str, store)) or "nothing in the dictionary that attach was given"
        fail("the names stored", expected=", ".join(places), got=got)
    for handle in handles:
        handle.remove()
    with torch.no_grad():
        for name, module in places.items():
            x = module(x)
            compare(f"what is stored under {name}", store[name], x, rtol=1e-4)
    right("Every place has its hook, every hook its name, and every handle is kept.")


def _wrong_arguments(error: Exception) -> Mistake | None:
    if re.match("'str' object (does not support item|has no attribute)", str(error)):
        return TEXT_FOR_STORE
    is_factory = isinstance(error, TypeError) and str(error).startswith("make_hook()")
    return WRONG_ARGUMENTS if is_factory else None


def _check_registered(network: nn.Module, n_expected: int, handles, is_elsewhere: bool) -> None:
    n_hooks = _count_hooks(network)
    if n_hooks == n_expected:
        return
    n_before = _count_hooks(network, "_forward_pre_hooks")
    n_backward = _count_hooks(network, "_backward_hooks")
    is_first_hooked = _count_hooks(next(network.children())) > 0
    for handle in handles:  # on another model, or on all models, it would stay for good
        if isinstance(handle, RemovableHandle):
            handle.remove()
    are_methods = bool(handles) and all(inspect.ismethod(handle) for handle in handles)
    signs = {
        PRE_HOOK: n_before > 0,
        BACKWARD_HOOK: n_backward > 0,
        ANOTHER_MODEL: is_elsewhere,
        NOT_CALLED: n_hooks == 0 and are_methods,
        NOT_REGISTERED: n_hooks == 0 and bool(handles) and all(map(callable, handles)),
        FIRST_PLACE_ALONE: n_hooks == 1 and is_first_hooked,
    }
    fail(
        "the hooks on the places",
        expected=f"{n_expected} that run after their modules",
        got=f"{n_before} that run before them" if n_before else f"{n_hooks or 'none'}",
        mistake=first_seen(signs),
    )


def _check_handles(handles, n_hooks: int) -> None:
    kinds = [type(handle) for handle in handles]
    if kinds == [RemovableHandle] * n_hooks:
        return
    are_kept = any(isinstance(h, (tuple, list, dict)) or inspect.ismethod(h) for h in handles)
    fail(
        "the handles",
        expected=f"a list of {n_hooks} handles, and nothing else in it",
        got=f"a list of {len(kinds)}, the first is {kind_of(handles[0])}" if kinds else "none",
        mistake=None if are_kept else HANDLES_NOT_KEPT,  # kept, but in another form
    )


# ---- tokens ----------------------------------------------------------------------------------

TEXT_FOR_NUMBERS = Mistake(
    "pieces of text instead of their numbers",
    "These are the pieces as text. The model knows each by its number in the vocabulary.",
)
ENCODING_FOR_NUMBERS = Mistake(
    "whole answer of the tokenizer",
    "The tokenizer answers with a dictionary of several things. The numbers are one of them.",
)
TEXT_CUT_OFF = Mistake(
    "text cut off at the window",
    "The tokenizer was asked to stop at the model's context window. Here we want the whole "
    "article; what the model reads of it is decided later.",
)
WORDS_COUNTED = Mistake(
    "words counted", "Words end at spaces. Many words are several tokens, and so are the commas."
)
CHARACTERS_COUNTED = Mistake(
    "characters counted", "This counts the letters of the text, not the tokens."
)
ALL_COUNTED = Mistake(
    "all tokens counted as different",
    "Every token is counted as often as it occurs. Count each number once, however often it comes.",
)
SINGLE_COUNTED = Mistake(
    "only tokens that occur once",
    "This leaves out whatever occurs twice or more. Those count too, once each.",
)
VOCABULARY_COUNTED = Mistake(
    "vocabulary counted",
    "That is how many tokens the tokenizer knows. How many of them does this article use?",
)
DIFFERENT_COUNTED = Mistake(
    "different tokens counted",
    "This counts each number once. Here all tokens count, as often as they come.",
)
MASK_OF_TOKENIZER = Mistake(
    "attention mask instead of the tokens",
    "These are ones, one for each token. Which entry of the tokenizer's answer says which tokens "
    "they are?",
)
BATCH_KEPT = Mistake(
    "batch axis still there",
    "There is one text, and its axis has done its work. Choose that one text.",
)
SHAPE_FOR_NUMBER = Mistake(
    "shape instead of a number",
    "A shape is a tuple with a number for each axis, even if there is one axis. We need the number "
    "itself.",
)


def check_tokens(ids, n_tokens, n_different, tokenizer, article: str) -> None:
    """Check the article's tokens and their two numbers.

    Parameters
    ----------
    ids : array of int, shape (n_tokens,)
    n_tokens, n_different : int
    tokenizer : transformers.PreTrainedTokenizerBase
    article : str
    """
    expected = tokenize(article, tokenizer)
    _refuse_text("the article's tokens", ids)
    compare(
        "the article's tokens",
        ids,
        expected,
        {
            TEXT_CUT_OFF: _cut_off(expected, tokenizer),
            MASK_OF_TOKENIZER: np.ones_like(expected),
            BATCH_KEPT: expected[None],
        },
    )
    words, (_, counts) = article.split(), np.unique(expected, return_counts=True)
    _refuse_several("the number of tokens", n_tokens)
    compare(
        "the number of tokens",
        n_tokens,
        len(expected),
        {
            WORDS_COUNTED: len(words),
            CHARACTERS_COUNTED: len(article),
            VOCABULARY_COUNTED: len(tokenizer),
            DIFFERENT_COUNTED: len(counts),
        },
    )
    _refuse_several("the number of different tokens", n_different)
    compare(
        "the number of different tokens",
        n_different,
        len(counts),
        {
            ALL_COUNTED: len(expected),
            SINGLE_COUNTED: np.count_nonzero(counts == 1),
            VOCABULARY_COUNTED: len(tokenizer),
            WORDS_COUNTED: len(set(words)),
        },
    )
    right(f"{n_tokens} tokens, of which {n_different} are different: most come again and again.")


def _refuse_several(what: str, number) -> None:
    """Fail if a shape, or all that is to be counted, stands where its number is needed."""
    if isinstance(number, set) or _as_array(what, number).ndim:
        is_short = len(number) == 1
        got = f"{number}" if is_short else f"{kind_of(number)} of {len(number)}"
        mistake = SHAPE_FOR_NUMBER if is_short and isinstance(number, tuple) else None
        fail(what, expected="one number", got=got, mistake=mistake)


def _cut_off(token_ids: np.ndarray, tokenizer) -> np.ndarray:
    return token_ids[: tokenizer.model_max_length]


# ---- the target ------------------------------------------------------------------------------

SPACE_FORGOTTEN = Mistake(
    "space forgotten",
    "To the tokenizer, the space before a word is a part of it. How does the word stand inside a "
    "sentence?",
)
SPACE_OUT_OF_PLACE = Mistake(
    "space where none belongs",
    "A space that belongs to no word becomes a token of its own. On which side of a word does its "
    "own space stand, and how many are there?",
)
SIGN_FOR_SPACE = Mistake(
    "sign of the vocabulary instead of a space",
    "The tokenizer shows a space by this sign in its list. In a text a space is a space.",
)
CAPITAL_LETTER = Mistake(
    "capital letter", "With a capital letter it is another token. Inside a sentence it is small."
)
FIRST_PIECE = Mistake(
    "first of several pieces",
    "Your spelling is several tokens, and this is only the first of them, which begins other words "
    "too. Find the spelling that is one token.",
)
SEVERAL_TOKENS = Mistake(
    "several tokens", "We need a target with one position, so it has to be one single token."
)
NOT_IN_VOCABULARY = Mistake(
    "token that the vocabulary does not have",
    "You looked up a spelling that is not in the list, and got the number for all that are not. In "
    "the list, a leading space is written with a sign of its own; let the tokenizer encode it.",
)
NUMBER_ALONE = Mistake(
    "number without its list",
    "A text can be several tokens, so the tokenizer answers with a list. Leave the number in it: "
    "the list shows that it is one.",
)


def check_target(pieces, tokenizer) -> None:
    """Check the token number, or numbers, of the target.

    Parameters
    ----------
    pieces : list of int
    tokenizer : transformers.PreTrainedTokenizerBase
    """
    what = "the target's tokens"
    _refuse_text(what, pieces)
    try:
        found = np.atleast_1d(pieces).astype(np.int64, casting="same_kind").tolist()
    except TypeError:
        fail(what, expected="a list of whole numbers", got=kind_of(pieces))
    if np.ndim(pieces) > 1:
        shape = np.shape(pieces)
        got, mistake = (
            f"the shape {shape}",
            BATCH_KEPT if len(shape) == 2 and shape[0] == 1 else None,
        )
        fail(what, expected="a list of whole numbers, with one axis", got=got, mistake=mistake)
    if found == tokenize(TARGET, tokenizer).tolist():
        if np.ndim(pieces) == 0:
            fail(what, expected=f"{found}", got=f"{pieces}", mistake=NUMBER_ALONE)
        right("With the space before it, the word is one single token: one number to look for.")
        return
    spelled = [tokenizer.decode([piece]) for piece in found]
    fail(
        what,
        expected="one number, for the word as it stands inside a sentence",
        got=f"{found}, which reads {' + '.join(map(repr, spelled))}",
        mistake=_wrong_target(found, tokenizer),
    )


def _wrong_target(found: list[int], tokenizer) -> Mistake | None:
    word, text = TARGET.strip(), tokenizer.decode(found)
    signs = {
        NOT_IN_VOCABULARY: found == [tokenizer.unk_token_id],
        SPACE_FORGOTTEN: text == word,
        SPACE_OUT_OF_PLACE: text.strip(" ") == word,
        SIGN_FOR_SPACE: text == tokenizer.tokenize(TARGET)[0],
        CAPITAL_LETTER: text != word and text.strip(" ").lower() == word,
        FIRST_PIECE: found == tokenize(word, tokenizer).tolist()[:1],
        SEVERAL_TOKENS: len(found) > 1,
    }
    return first_seen(signs)


# ---- positions -------------------------------------------------------------------------------

MASK = Mistake(
    "true and false instead of positions",
    "You have a yes or no for each one. We need the positions for which it says yes.",
)
FIRST_ONLY = Mistake(
    "only the first occurrence", "This stops at the first place. The word comes again."
)
TUPLE = Mistake(
    "array wrapped in a tuple",
    "NumPy's `nonzero` and `where` answer with one array for each axis. Take the one out.",
)
CHARACTERS = Mistake(
    "positions in the text",
    "These count the letters before the word. A position is a token's index among the tokens.",
)
WORD_PLACES = Mistake(
    "positions among the words",
    "These count the words before the target. The model reads tokens, and a position is an index "
    "into `ids`.",
)
COLUMN = Mistake(
    "positions in a column",
    "That is a table, with a column for each axis of the array searched. It has one axis, and we "
    "need a plain row of numbers.",
)
TOKENS_FOR_PLACES = Mistake(
    "tokens instead of places",
    "A token's number in the vocabulary says which token it is, and nothing about where in the "
    "text it stands.",
)
POSITIONS_FROM_ONE = Mistake(
    "positions counted from 1",
    "The first token stands at position 0, wherever positions are counted.",
)


def check_positions(found, tokenizer, article: str) -> None:
    """Check the positions of all targets in the article.

    Parameters
    ----------
    found : array of int, shape (n_targets,)
    tokenizer : transformers.PreTrainedTokenizerBase
    article : str
    """
    what = "the positions of the target"
    token_ids = tokenize(article, tokenizer)
    expected = target_positions(token_ids, tokenizer, TARGET)
    _refuse_unordered(what, found, "a list or an array of whole numbers")
    _refuse_mask(what, found, len(expected))
    compare(
        what,
        found,
        expected,
        {
            FIRST_ONLY: expected[0],
            TUPLE: expected[None],
            COLUMN: expected[:, None],
            TOKENS_FOR_PLACES: token_ids[expected],
            CHARACTERS: lambda: [match.start() for match in re.finditer(TARGET, article)],
            POSITIONS_FROM_ONE: expected + 1,
            WORD_PLACES: itself_if(found, expected, partial(_are_word_places, article)),
        },
    )
    right(f"{len(expected)} times, and each position is an index into the tokens.")


def _refuse_mask(what: str, found, n_expected: int) -> None:
    if _as_array(what, found).dtype == bool:
        got = f"an array of {np.size(found)} values, true or false"
        fail(what, expected=f"{n_expected} whole numbers", got=got, mistake=MASK)


def _are_word_places(article: str, places: np.ndarray) -> bool:
    """Whether the target is in each of these words, however the text was cut into words."""
    texts = (article.split(), article.split(" "), re.findall(r"\w+", article))
    lists = [[i for i, word in enumerate(text) if TARGET.strip() in word.lower()] for text in texts]
    return places.size > 1 and any(np.isin(places, own).all() for own in lists)


# ---- choosing --------------------------------------------------------------------------------

CHANGED_IN_PLACE = Mistake(
    "array of the caller changed",
    "An array that a function is given is the caller's own. Leave its numbers as they are, and "
    "make a new one.",
)
LAST_TAKEN = Mistake("last ones taken", "These are the last ones. Reading begins at the other end.")
FIRST_LEFT_OUT = Mistake("first one left out", "The first target has index 0.")
NUMBER_IGNORED = Mistake(
    "number of targets ignored", "The function is told how many to take: use that, not 10 or all."
)
PAST_WINDOW = Mistake(
    "targets past the window",
    "A target behind the context window is never read, so it has no activation to take.",
)
INDICES = Mistake(
    "indices instead of positions",
    "These count the targets: 0 is the first one, 1 the second. Return where they stand in the "
    "text.",
)
ONE_PAST_WINDOW = Mistake(
    "one position past the window",
    "Positions are counted from 0. What is the last position of a window of 16 tokens?",
)
ONE_SHORT_OF_WINDOW = Mistake(
    "last position of the window left out",
    "Positions are counted from 0. What is the last position of a window of 16 tokens?",
)


def check_choose(choose) -> None:
    """Check the choice of targets, on positions with the window's edge among them.

    Parameters
    ----------
    choose : callable
        From positions, the window and a number to that many positions at most.
    """
    many = np.array([3, 5, 8, 11, 14, 15, 40, 1500])  # six lie inside, seven in GPT-2's window
    what = f"4 of the targets {many.tolist()} in a window of 16"
    first = _call_on_copies(what, choose, many, 16, 4)
    _refuse_mask(what, first, 4)
    compare(
        what,
        first,
        many[:4],
        {
            LAST_TAKEN: _one_of(first, many[:4], many[2:6], many[-4:]),
            FIRST_LEFT_OUT: many[1:5],
            NUMBER_IGNORED: _one_of(first, many[:4], many[:6], many),
            INDICES: np.arange(4),
            HARD_CODED: many[:7],
            **_not_the_argument(choose, first, many[:4]),
        },
    )
    across = np.array([3, 8, 15, 16, 17, 40, 1500])
    what = f"10 of the targets {across.tolist()} in a window of 16"
    compare(
        what,
        _call_on_copies(what, choose, across, 16, 10),
        across[:3],
        {
            PAST_WINDOW: across,
            HARD_CODED: across[:6],
            ONE_PAST_WINDOW: across[:4],
            ONE_SHORT_OF_WINDOW: across[:2],
        },
    )
    within = np.array([3, 8, 13])  # none of them lies past the window
    what = f"10 of the targets {within.tolist()} in a window of 16"
    compare(what, _call_on_copies(what, choose, within, 16, 10), within)
    right("The first targets are chosen, and none that the window does not reach.")


# ---- cutting ---------------------------------------------------------------------------------

LAST_TARGET_CUT_OFF = Mistake(
    "last target cut off",
    "A slice ends before the index after its colon. Is the last target still in?",
)
ONE_TOKEN_TOO_MANY = Mistake(
    "one token too many", "A slice ends before the index after its colon. Where must it end?"
)
COUNT_FOR_POSITION = Mistake(
    "count for a position",
    "That is as many tokens as there are targets. The targets stand apart: where is the last?",
)
WHOLE_TEXT = Mistake(
    "whole text instead of its beginning",
    "The article is longer than the model's window. Step 8 says where the text to read ends, and "
    "the shape of `window` then tells how many tokens it has.",
)
WHOLE_WINDOW = Mistake(
    "whole window instead of up to the last target",
    "That is as much as the model can read at once. Step 8 says where the text to read ends, and "
    "the shape of `window` then tells how many tokens it has.",
)
PLACES_FOR_TOKENS = Mistake(
    "places instead of tokens",
    "The model reads which tokens stand there, not the numbers of their places.",
)
TOO_SMALL_NUMBERS = Mistake(
    "numbers too small for tokens",
    "A vocabulary has more tokens than such a number can count. Leave the numbers as they are.",
)
FLOATS_FOR_TOKENS = Mistake(
    "floating-point numbers for tokens",
    "A token's number picks a row of a table, so it has to be whole. Something made other numbers "
    "of yours: the class `torch.Tensor`, with a capital T, makes 32-bit floats of all it gets.",
)
TARGETS_ALONE = Mistake(
    "targets without their text",
    "The model would read nothing but one word. It has to read the text in which it stands.",
)
AXES_SWAPPED = Mistake(
    "axes in another order",
    "The first axis counts texts, the second the tokens of each. Neurons, if there are any, come "
    "last.",
)
BATCH_FORGOTTEN = Mistake(
    "batch axis forgotten",
    "The first axis counts texts, even if there is one. Tokens are counted along the second.",
)


def check_cut(cut, gpt) -> None:
    """Check what the model is given to read, on numbers of the check's own.

    Parameters
    ----------
    cut : callable
        From token numbers and positions to a tensor (1, tokens).
    gpt : transformers.GPT2LMHeadModel
    """
    window = gpt.config.n_positions
    ids, chosen = (31 * np.arange(2 * window) + 500) % 997, np.array([5, 7, 11])
    many = np.arange(100, 120)  # more targets than in the notebook, and none is an index of them
    named = partial(_remembered_size, cut, (ids, many))
    result, expected = _call_on_copies("cut", cut, ids, chosen, named=named), ids[None, :12]
    last = ids[11:12]
    alone = (ids[None, chosen], ids[chosen], last[None], last, last[0])
    compare(
        f"the input up to the last of the targets {chosen.tolist()}",
        result,
        expected,
        {
            BATCH_FORGOTTEN: ids[:12],
            AXES_SWAPPED: ids[:12, None],
            LAST_TARGET_CUT_OFF: ids[None, :11],
            ONE_TOKEN_TOO_MANY: ids[None, :13],
            COUNT_FOR_POSITION: ids[None, :3],
            WHOLE_TEXT: ids[None],
            WHOLE_WINDOW: ids[None, :window],
            TARGETS_ALONE: _one_of(result, expected, *alone),
            TOKENS_FOR_PLACES: _one_of(
                result, expected, ids[None, : last[0]], ids[None, : last[0] + 1]
            ),
            PLACES_FOR_TOKENS: np.arange(12)[None],
            TOO_SMALL_NUMBERS: ids[None, :12] % 256,
            **_not_the_argument(cut, result, expected),
        },
    )
    if not isinstance(result, torch.Tensor):
        fail("the input", expected="a tensor of torch", got=kind_of(result))
    if result.dtype not in (torch.int32, torch.int64):
        wanted, got = "whole numbers of 32 or 64 bits", f"{result.dtype}"
        mistake = FLOATS_FOR_TOKENS if result.is_floating_point() else TOO_SMALL_NUMBERS
        fail("the input", expected=wanted, got=got, mistake=mistake)
    right("The input has one row, and ends with the last target.")


# ---- the pass --------------------------------------------------------------------------------

TARGETS_FOR_TOKENS = Mistake(
    "only the targets",
    "The hook does not know about targets. It sees a row for every token that is read.",
)
INNER_WIDTH = Mistake(
    "width inside the MLP",
    "Inside the MLP a vector is four times as wide. Its output projection brings it back.",
)
GRADIENTS_ON = Mistake(
    "pass with gradients",
    "The pass prepares for training and remembers every step. We only read: tell PyTorch so.",
)
HOOKS_LEFT = Mistake(
    "hooks left on the model",
    "They run in every later pass, whoever starts it. Every single handle has to take its own hook "
    "off; forgetting the list of handles does not do it.",
)
HOOKS_LEFT_BY_FAILURE = Mistake(
    "hooks left by a failed pass",
    "If the model stops with an error, Python leaves `try` at that line, and goes on with what "
    "stands in `finally`.",
)
OUTPUT_RETURNED = Mistake(
    "model's answer instead of the activations",
    "What the model answers is a guess at the next words. What the hooks stored is in the "
    "dictionary that they were given.",
)
TENSOR_IN_SHAPE = Mistake(
    "whole tensor in the shape",
    "One of the entries is a tensor with all its tokens. What is wanted in its place is the number "
    "of them.",
)
TOKEN_BY_TOKEN = Mistake(
    "a pass for each token",
    "A token sees the ones before it only if they are in the same pass. Give the model the text at "
    "once.",
)
OTHER_HOOKS_REMOVED = Mistake(
    "hooks of others removed",
    "Somebody else may listen to the same model, and these hooks went with yours. Take off only "
    "what you put on: that is what the handles are for.",
)


def check_pass(read, predicted_shape, gpt, tokenizer, article: str) -> None:
    """Check the predicted shape, and the pass on a small model.

    Parameters
    ----------
    read : callable
        From a model and its input to the activations by name.
    predicted_shape : tuple of int
        Of one activation, for the article.
    gpt : transformers.GPT2LMHeadModel
    tokenizer : transformers.PreTrainedTokenizerBase
    article : str
    """
    _check_shape(predicted_shape, gpt.config, tokenizer, article)
    model, ids = _small_model().eval(), torch.arange(7)[None]
    with torch.no_grad(), record(model) as expected:
        # Whoever asks for hidden states leaves hooks of transformers' own on a model.
        model.base_model(ids, use_cache=False, output_hidden_states=True)
    passes, parameters = [], _kinds_of_parameters(model)
    model.base_model.ln_f.register_forward_hook(
        lambda module, inputs, output: passes.append(output.requires_grad)
    )
    for module in model.modules():  # somebody else listens everywhere
        module.register_forward_hook(lambda *arguments: None)
    n_others = _count_hooks(model)
    with torch.enable_grad():  # whatever an earlier try has left behind
        activations = _call_naming(_from_message, "read", read, model, ids.clone())
        has_gradients = torch.is_grad_enabled()
    if isinstance(activations, ModelOutput):
        wanted, got = "the activations by name", kind_of(activations)
        fail("read", expected=wanted, got=got, mistake=OUTPUT_RETURNED)
    if not hasattr(activations, "items"):
        fail("read", expected="a dictionary", got=kind_of(activations))
    if len(passes) != 1:
        mistake = TOKEN_BY_TOKEN if len(passes) == ids.shape[1] else None
        if not passes and _models_outside(read):
            mistake = ANOTHER_MODEL
        got = f"{len(passes)} passes" if passes else "none"
        fail("the pass", expected="one pass over all tokens", got=got, mistake=mistake)
    if passes[0]:
        fail("the pass", expected="no gradients", got="gradients", mistake=GRADIENTS_ON)
    _refuse_without_gradients("the pass", has_gradients)
    n_left = _count_hooks(model) - n_others
    if n_left:
        in_vain = n_left == len(expected) and _names_only(read, "remove")
        left = NOT_CALLED if in_vain else HOOKS_LEFT
        fail(
            "the hooks after the pass",
            expected="none of yours, and all that were there before",
            got=f"{n_left} of yours" if n_left > 0 else f"{-n_left} of others are gone",
            mistake=left if n_left > 0 else OTHER_HOOKS_REMOVED,
        )
    _check_parameters("the pass", _kinds_of_parameters(model), parameters)
    _check_failed_pass(read, model, ids, n_others)
    for name, values in expected.items():
        if name not in activations:
            fail("the activations", expected=f"an entry {name!r}", got="none")
        compare(f"the activation {name}", activations[name], values, rtol=1e-4)
    right("One pass, no gradients, and the model is left as it was found: no hook stays.")


def _check_failed_pass(read, model, ids, n_others: int) -> None:
    """Check that a pass that stops with an error leaves no hook behind."""

    def stop(*arguments):
        raise RuntimeError

    stopping = model.base_model.ln_f.register_forward_pre_hook(stop)
    with torch.enable_grad(), suppress(Exception):
        read(model, ids.clone())
    stopping.remove()
    if n_left := _count_hooks(model) - n_others:
        fail(
            "the hooks after a pass that stopped with an error",
            expected="none of yours, and all that were there before",
            got=f"{n_left} of yours",
            mistake=HOOKS_LEFT_BY_FAILURE,
        )


def _check_shape(predicted, config, tokenizer, article: str) -> None:
    """Check a prediction, and do not say in a failure what is to be predicted."""
    what, wanted = "the shape that you predict", "one number each for texts, tokens and neurons"
    for entry in predicted if isinstance(predicted, (tuple, list)) else ():
        is_tensor = isinstance(entry, (torch.Tensor, np.ndarray)) and entry.ndim > 0
        if is_tensor or isinstance(entry, torch.Size):
            got = f"{kind_of(entry)} of shape {tuple(entry.shape)}" if is_tensor else entry
            mistake = TENSOR_IN_SHAPE if is_tensor else SHAPE_FOR_NUMBER
            fail(what, expected=wanted, got=f"{got} as one of the entries", mistake=mistake)
    _refuse_unordered(what, predicted, wanted)
    numbers = as_numbers(what, predicted)
    if numbers.ndim != 1:
        got = f"an array of shape {numbers.shape}" if numbers.ndim else f"{numbers:.6g} alone"
        fail(what, expected=wanted, got=got)
    positions = target_positions(tokenize(article, tokenizer), tokenizer, TARGET)
    n_tokens = int(first_targets(positions, N_TARGETS, config.n_positions)[-1]) + 1
    right_one = (1, n_tokens, width := config.n_embd)
    shape = tuple(numbers.tolist())
    if shape == right_one:
        return
    leads_to = {
        BATCH_FORGOTTEN: [(n_tokens, width)],
        AXES_SWAPPED: permutations(right_one),
        TARGETS_FOR_TOKENS: [(1, N_TARGETS, width)],
        INNER_WIDTH: [(1, n_tokens, 4 * width)],
        WHOLE_TEXT: [(1, len(tokenize(article, tokenizer)), width)],
        WHOLE_WINDOW: [(1, config.n_positions, width)],
    }
    mistake = first_seen({mistake: shape in wrong for mistake, wrong in leads_to.items()})
    got = f"({', '.join(f'{number:.10g}' for number in shape)})"
    if not mistake and len(shape) == 3:
        axes = zip(("texts", "tokens", "neurons"), shape, right_one, strict=True)
        got += f"; not right: {', '.join(axis for axis, came, want in axes if came != want)}"
    fail(what, expected=wanted, got=got, mistake=mistake)


def _names_only(function, method: str) -> bool:
    """Whether a method's name stands in a function's text without being called."""
    try:
        nodes = list(ast.walk(ast.parse(dedent(inspect.getsource(function)))))
    except (OSError, TypeError, SyntaxError):  # no text of its own, as for an object
        return False
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    return any(getattr(node, "attr", "") == method and node not in called for node in nodes)


# ---- the rows --------------------------------------------------------------------------------

FIRST_TOKENS = Mistake(
    "first tokens instead of the targets",
    "These are as many rows as there are targets, but those at the beginning of the text.",
)
BLOCK_IGNORED = Mistake(
    "block number ignored",
    "That is one block whatever the function is told. It is told which one: use that.",
)
COLUMNS_TAKEN = Mistake(
    "columns instead of rows",
    "Positions are counted along the axis of the tokens. You chose along the axis of the neurons.",
)
DOUBLES_TAKEN_OUT = Mistake(
    "equal ones merged",
    "Each target keeps its own row, in the order of the text, even if two are equal. How many "
    "differ is counted later.",
)
ENTRY_COUNTED = Mistake(
    "entries counted instead of blocks",
    "The number was used to count through the dictionary, which has two entries for each block. "
    "Every entry has a name: ask for it by that.",
)
NO_SUCH_NAME = Mistake(
    "name that nothing is stored under",
    "The names are those of Step 3. Inside quotes, a variable's name is mere letters, unless the "
    "text is told to fill its value in.",
)


def check_rows(take_rows) -> None:
    """Check which rows are taken, on activations that say where each number stands.

    Parameters
    ----------
    take_rows : callable
        From activations by name, a block and positions to an array (positions, width).
    """
    numbers = torch.arange(72.0).reshape(1, 9, 8) / 7  # (1, tokens, width)
    numbers[0, 5] = numbers[0, 1]  # two targets with equal rows
    stored = {name: numbers + 100 * k for k, name in enumerate(_place_names(range(7)))}
    chosen = np.array([1, 2, 3, 5])

    def taken(number):
        copies = {name: kept.clone() for name, kept in stored.items()}
        named = partial(_wrong_row, take_rows)
        return _call_on_copies("take_rows", take_rows, copies, number, chosen, named=named)

    rows, entries = {number: taken(number) for number in (2, 5)}, list(stored.values())
    are_counted = all(np.array_equal(rows[k], entries[k][0, chosen]) for k in rows)
    for number, other in ((2, 5), (5, 2)):
        mlp = stored[f"mlp_{number}"][0]
        expected = mlp[chosen]
        neighbours = [stored[f"mlp_{i}"][0, chosen] for i in (number - 1, number + 1)]
        shifted = [mlp[chosen - 1], mlp[chosen + 1]]
        merged = [np.unique(expected, axis=axis) for axis in (0, None)]
        compare(
            f"the rows of the MLP of block {number}",
            rows[number],
            expected,
            {
                BLOCK_IGNORED: rows[other],
                ENTRY_COUNTED: rows[number] if are_counted else expected,
                COMPONENTS_MIXED_UP: stored[f"att_{number}"][0, chosen],
                COUNTED_FROM_ONE: _one_of(rows[number], expected, *neighbours),
                POSITIONS_FROM_ONE: _one_of(rows[number], expected, *shifted),
                BATCH_KEPT: mlp[None, chosen],
                FIRST_TOKENS: mlp[: len(chosen)],
                COLUMNS_TAKEN: mlp[:, chosen],
                DOUBLES_TAKEN_OUT: _one_of(rows[number], expected, *merged),
                **_not_the_argument(take_rows, rows[number], expected),
            },
        )
    right("One row for each target, from the block and the component that were asked for.")


def _wrong_row(take_rows, error: Exception) -> Mistake | None:
    if isinstance(error, KeyError):
        return NO_SUCH_NAME
    if isinstance(error, IndexError) and str(error).endswith("with size 1"):  # the batch axis
        return BATCH_FORGOTTEN
    if not isinstance(error, IndexError):
        return None
    is_token = "ids" in _from_outside(take_rows)
    return TOKENS_FOR_PLACES if is_token else FROM_NOTEBOOK if _reads_data(take_rows) else None


# ---- shared ----------------------------------------------------------------------------------


def _small_model(**sizes) -> GPT2LMHeadModel:
    """A random GPT-2, in training mode as new ones are."""
    defaults = {"n_layer": 3, "n_head": 2, "n_embd": 8, "n_positions": 16, "vocab_size": 50}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = GPT2Config(**defaults | sizes, bos_token_id=0, eos_token_id=0)
        return GPT2LMHeadModel(config)


def _linear_steps(n_steps: int, width: int) -> list[nn.Linear]:
    """Random linear steps; the student's random numbers go on as if there had been no check."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return [nn.Linear(width, width) for _ in range(n_steps)]


def _place_names(blocks: range) -> list[str]:
    return [f"{component}_{i}" for i in blocks for component in COMPONENTS]


def _count_hooks(network: nn.Module, kind: str = "_forward_hooks") -> int:
    return sum(len(getattr(module, kind)) for module in network.modules())


def _from_outside(function) -> dict:
    """Globals that a function written in Python reads, by name."""
    function = inspect.unwrap(function)
    return inspect.getclosurevars(function).globals if inspect.isfunction(function) else {}


def _models_outside(function) -> list[nn.Module]:
    return [value for value in _from_outside(function).values() if isinstance(value, nn.Module)]


def _reads_data(function, kinds=(np.ndarray, torch.Tensor, list, dict)) -> bool:
    return any(isinstance(value, kinds) for value in _from_outside(function).values())


def _not_the_argument(function, got, expected) -> dict:
    """For `compare`, after all others: the mistake of a function that reads the notebook's data."""
    return {FROM_NOTEBOOK: itself_if(got, expected, lambda _: _reads_data(function))}


def _one_of(got, expected, *wrong):
    """For `compare`: the answer itself if it is one of the values that one mistake can have."""
    return itself_if(got, expected, lambda values: any(np.array_equal(values, w) for w in wrong))


def _call_naming(named, what: str, function, *args):
    """Call as `call` does; `named` gives the mistake behind an exception, or None.

    NumPy warns of an array made from a tensor, which is right, and no business of the student's.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="__array__ implementation")
            return call(what, function, *args)
    except CheckFailed as failure:
        error = failure.__cause__
        mistake = named(error) if error else None
        if not mistake:
            raise
        got = f"{type(error).__name__}: {error}"
    fail(what, expected="a result", got=got, mistake=mistake)


def _call_on_copies(what: str, function, *args, named=lambda error: None):
    """Call as `_call_naming` does, and fail if the function changes an array that it is given."""
    copies = [arg.copy() if isinstance(arg, np.ndarray) else arg for arg in args]
    result = _call_naming(named, what, function, *copies)
    for arg, given in zip(args, copies, strict=True):
        if isinstance(arg, np.ndarray) and not np.array_equal(arg, given):
            wanted, got = "arrays that are given stay as they are", "one has other numbers in it"
            fail(what, expected=wanted, got=got, mistake=CHANGED_IN_PLACE)
    return result


def _refuse_unordered(what: str, answer, wanted: str) -> None:
    """Fail if an answer is a text or a set, which may hold the right numbers and keep no order."""
    if isinstance(answer, (str, set)):
        fail(what, expected=wanted, got=kind_of(answer))


def _refuse_text(what: str, tokens) -> None:
    """Fail if tokens are text, or the tokenizer's whole answer, where numbers are needed."""
    if hasattr(tokens, "keys"):
        fail(what, expected="whole numbers", got=kind_of(tokens), mistake=ENCODING_FOR_NUMBERS)
    array = _as_array(what, tokens)
    if array.dtype.kind == "U":
        is_keys = "input_ids" in array  # NumPy makes an array of a dictionary's keys
        mistake = ENCODING_FOR_NUMBERS if is_keys else TEXT_FOR_NUMBERS
        got = f"text: {', '.join(map(reprlib.repr, array.ravel()[:3].tolist()))}"
        fail(what, expected="whole numbers", got=got, mistake=mistake)


def _as_array(what: str, values) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError:  # lists of different lengths
        fail(what, expected="one list of whole numbers", got="lists of different lengths")
