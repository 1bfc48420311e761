"""What the answers of exercise 3 do: hooks on small networks, tokens of small vocabularies.

Networks and tokenizers are made here, and stand in for the notebook's own, too. So what is seen is
the same for any model and any article, and no hook stays on the student's model.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from tokenizers.pre_tokenizers import ByteLevel
from torch import nn
from torch.utils.hooks import RemovableHandle
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer
from transformers.utils import ModelOutput

from coursechecks.engine import (
    About,
    Raised,
    calls,
    checker,
    depends,
    kind_of,
    plain,
    run,
    with_names,
)
from layerlab.hooks import record

Facts = Iterator[tuple[str, object]]

# No two sizes of a network are equal, nor is one the number of parts inside a part.
SIZES = (
    {"n_layer": 8, "n_head": 6, "n_embd": 12, "n_positions": 16, "vocab_size": 50},
    {"n_layer": 7, "n_head": 3, "n_embd": 9, "n_positions": 24, "vocab_size": 70},
)
WORDS = ("Ġcoffee", "ĠCoffee", "Ġthe", "Ġof", "Ġwater")  # one token each; all else is letters
TEXTS = (
    "Take coffee, and the water of the spring. Coffee of the day, or of the day before the day?",
    "The coffee and the water: of all that the coffee takes.\nWater is the most of it, and free.",
)
TEXT_WINDOW = 30  # tokens; each of the texts is longer


def get_ready(get_ready) -> Facts:
    """Two tiny models, in training mode as new ones are."""
    cases = ((SIZES[0], 10), (SIZES[1], 10), (SIZES[0], 11))
    tried = [_got_ready(get_ready, *case) for case in cases]
    for number, (sizes, net, gpt, is_on) in enumerate(tried[:2], 1):
        returned = len(sizes) if isinstance(sizes, tuple) else sizes
        yield f"get_ready: how many sizes come from tiny model {number}", returned
        group = f"the mode of tiny model {number} after get_ready"
        yield f"{group}: evaluation, the model as a whole", not net.training
        yield f"{group}: evaluation, all of its parts", not any(m.training for m in net.modules())
        yield f"{group}: another model was switched?", not gpt.training
        yield f"gradients after get_ready, model {number}: still computed?", is_on
        yield f"gradients after get_ready, model {number}: weights as before?", _is_untouched(net)
    for place, name in enumerate(("the number of blocks", "the width", "the longest text")):
        one, other, again = (sizes[place] for sizes, *_ in tried)
        yield f"{name}: of tiny model 1", one
        yield f"{name}: of tiny model 2", other
        yield f"{name}: it comes from?", _source(*map(plain, (one, other, again)))


def _got_ready(function, sizes: dict, n_elsewhere: int):
    """What came back, the model, the one that stood for the notebook's, if gradients are on."""
    net, gpt = _network(**sizes), _network(n_layer=n_elsewhere, n_positions=4 * n_elsewhere)
    with torch.enable_grad():  # whatever an earlier try has left behind
        found = run(partial(_alone(function, gpt=gpt), net))
        return found, net, gpt, torch.is_grad_enabled()


def _source(one, of_other_model, with_other_notebook) -> str:
    if one != with_other_notebook:
        return "another model than the given one"
    return "the given model" if one != of_other_model else "neither"


def store(make_hook) -> Facts:
    """Two hooks in a network whose second step overwrites what the first puts out."""
    kept, returned, at_once = {}, [], {}
    network = nn.Sequential(Times(-2), nn.ReLU(inplace=True))
    for module, name in zip(network, ("a place", "another place"), strict=True):
        hook = run(partial(make_hook, name, kept))
        yield f"make_hook: what it returns for {name}", _kind(hook)
        module.register_forward_hook(partial(_noting, hook, name, kept, returned, at_once))
    first = torch.tensor([[[1.1, -2.3, 3.7], [0.6, -1.9, 2.2]], [[-0.4, 5.2, 0.9], [1, 1.5, -3]]])
    for what, x in (("two texts", first), ("one text", 3 - first[:1])):
        with torch.enable_grad():
            output = run(network, x)
        yield f"the hook, while a model reads {what}: the model's output", _kind(output)
        yield f"what the hook returns: of {what}", returned[0]
        yield f"the dictionary: names in it, of {what}", _listed(kept)
        group = f"what the hook stores of {what}"
        for name, value in kept.items():
            yield f"{group}: {name}", About(value)
            is_array = isinstance(value, (torch.Tensor, np.ndarray))
            yield f"{group}: {name}, an array or a tensor", is_array
            yield f"{group}: {name}, with a history?", getattr(value, "requires_grad", False)
            is_other = plain(value) != at_once[name]
            yield f"{group}: {name}, overwritten by a later step?", is_other
        yield f"what the model makes of it: {what}", About(output)


def _noting(hook, name, kept, returned, at_once, *arguments) -> None:
    """Call a hook, and note what it returns, and what is stored right after it."""
    returned.append(hook(*arguments))
    at_once[name] = plain(kept.get(name))


def places(find_places) -> Facts:
    """The paths of the modules in a small network and in one larger than GPT-2."""
    for n_blocks in (4, 14):  # one block less is not the number of heads
        net = _network(n_layer=n_blocks)
        found = run(partial(_alone(find_places), net))
        group = f"find_places, for a model of {n_blocks} blocks"
        yield f"{group}: what it returns", _kind(found)
        yield f"{group}: the names", _listed(found)
        paths = {id(module): path for path, module in net.named_modules()}
        for name, module in sorted(found.items()):
            elsewhere = f"{kind_of(module)}, no module of this model"
            yield f"{group}: {name}", paths.get(id(module), elsewhere)


def attach(attach) -> Facts:
    """Hooks and handles on networks of two sizes, and what the hooks store."""
    for n_blocks in (2, 3):
        names = [f"{component}_{k}" for k in range(n_blocks) for component in ("att", "mlp")]
        places = {name: Times(k + 2) for k, name in enumerate(names)}
        network, stored, gpt = nn.Sequential(*places.values()), {}, _network()
        handles = run(partial(_alone(attach, gpt=gpt), places, stored))
        where = f"of {len(places)} places"
        yield f"attach, given a dictionary {where}: what it returns", _kind(handles)
        yield f"the hooks {where}: those that run after their modules", _hooks(network)
        yield f"the hooks {where}: some of another kind?", any(map(_has_other_hooks, network))
        yield f"the hooks {where}: some on another model?", any(_hooks(gpt))
        yield f"the handles {where}: what they are", _listed(map(kind_of, handles))
        output = run(network, torch.tensor([[[1.5, -2]], [[0.5, 3]]]))  # two texts, (2, 1, 2)
        for handle in handles:  # one that is registered for all models would stay for good
            if isinstance(handle, RemovableHandle):
                handle.remove()
        yield f"the hooks {where}, while a model reads: the model's output", _kind(output)
        yield f"what is stored {where}: names", _listed(stored)
        for name, value in sorted(stored.items()):
            yield f"what is stored {where}: {name}", About(value)
        yield f"the handles {where}, once they are removed: hooks that stay", _hooks(network)


def tokens(to_tokens) -> Facts:
    """Texts of the check's own, which tokenizers of its own take apart."""
    for seed, text in enumerate(TEXTS):
        found = run(_alone(to_tokens), text, _tokenizer(seed))
        yield f"to_tokens: what it returns of text {seed}", _kind(found)
        ids, n_tokens, n_different = found
        yield from _whole(f"ids of text {seed}", ids)
        yield f"n_tokens of text {seed}: number", n_tokens
        yield f"n_different of text {seed}: number", n_different


def target(find_target) -> Facts:
    """The target's number in two vocabularies, and what it reads."""
    for seed in range(2):
        tokenizer = _tokenizer(seed)
        found = run(_alone(find_target), tokenizer)
        group = "find_target, for tokenizers of the check's own"
        numbers = np.ravel(found) if isinstance(found, (list, np.ndarray)) else np.empty(0)
        if numbers.dtype.kind in "iu" and numbers.size:
            words = (repr(tokenizer.decode([int(number)])) for number in numbers)
            yield f"{group}: what it reads ({seed})", " + ".join(words)
        yield from _whole(group, found, f" ({seed})")


def positions(find_positions) -> Facts:
    """Where a token stands among others that repeat, at either end too."""
    for group, ids, pieces in (
        ("find_positions, tried on ids of the check's own", [7, 3, 900, 7, 12, 7, 3, 7], [7]),
        ("find_positions, tried on other ids", [4, 88, 5, 88, 88, 6, 4, 5], [88]),
    ):
        facts = dict(calls(group, _alone(find_positions), np.array(ids), pieces))
        yield from _whole(group, facts.pop(f"{group}: result"))
        yield from facts.items()
    others = (np.array(ids[::-1]), [4])
    yield from depends(_alone(find_positions), (np.array(ids), pieces), others)


def choose(choose) -> Facts:
    """Positions with the window's edge among them, more and fewer than are wanted."""
    for found, longest, how_many in (
        ([3, 5, 8, 11, 14, 15, 40, 1500], 16, 4),  # six lie inside, seven in GPT-2's window
        ([3, 8, 15, 16, 17, 40, 1500], 16, 10),
        ([1, 64, 200, 512, 1023, 1024, 1300], 1300, 12),
        ([3, 8, 13], 16, 10),
    ):
        group = f"choose, {how_many} of {found} in a window of {longest}"
        given = (np.array(found), longest, how_many)
        facts = dict(calls(group, _alone(choose), *given))
        yield from _whole(group, facts.pop(f"{group}: result"))
        yield from facts.items()
    given, others = (np.array([3, 5, 8, 11, 18]), 16, 3), (np.array([2, 6, 9, 12]), 7, 2)
    yield from depends(_alone(choose), given, others)


def cut(cut) -> Facts:
    """Texts in which tokens come again, before the last target and after it."""
    for ids, chosen in (
        ((31 * np.arange(64) + 500) % 41 + 400, np.array([5, 7, 11])),
        ((17 * np.arange(70)) % 9 + 300, np.arange(20, 36)),  # more targets than in the notebook
    ):
        group = f"cut, with its last target at {chosen[-1]}"
        facts = dict(calls(group, _alone(cut), ids, chosen))
        window = facts.pop(f"{group}: result")
        yield f"{group}: the tokens", window
        yield f"{group}: what it is", _kind(window)
        yield f"{group}: type of its numbers", _type_of(window)
        yield from facts.items()


def _type_of(window: torch.Tensor) -> str:
    return "whole" if window.dtype in (torch.int32, torch.int64) else str(window.dtype)


def shape(predict_shape) -> Facts:
    """Shapes for windows of two lengths and networks of two widths."""
    for n_tokens, width in ((7, 12), (11, 20)):
        what = f"of {n_tokens} tokens, for a width of {width}"
        found = run(_alone(predict_shape), torch.arange(n_tokens)[None], width)
        yield f"the shape of a window: {what}", list(found) if isinstance(found, tuple) else found


def read(read) -> Facts:
    """Passes on two networks, to which somebody else listens, too."""
    for number, (sizes, n_tokens) in enumerate((({"n_layer": 3}, 7), ({"n_embd": 12}, 4))):
        net, gpt = _network(**sizes).eval(), _network().eval()
        window = 5 * torch.arange(n_tokens)[None] % 31
        with torch.no_grad(), record(net) as right:
            # Whoever asks for hidden states leaves hooks of transformers' own on a model.
            net.base_model(window, use_cache=False, output_hidden_states=True)
        passes, elsewhere = _watched(net), _watched(gpt)
        for module in net.modules():
            module.register_forward_hook(_somebody_else)
        n_before = sum(_hooks(net))
        with torch.enable_grad():  # whatever an earlier try has left behind
            found = run(partial(_alone(read, gpt=gpt), net, window.clone()))
            is_on = torch.is_grad_enabled()
        yield f"read: what it returns ({number})", _kind(found)
        yield f"the pass: how often the model ran ({number})", len(passes)
        yield f"the pass: how often another model ran ({number})", len(elsewhere)
        yield f"the pass: gradients computed? ({number})", any(passes)
        yield f"gradients after read: still computed ({number})", is_on
        yield f"gradients after read: wanted for weights as before ({number})", _is_untouched(net)
        group = f"hooks after read ({number})"
        n_others = sum(_somebody_else in m._forward_hooks.values() for m in net.modules())
        yield f"{group}: those of others, all there?", n_others == len(list(net.modules()))
        yield f"{group}: yours left behind?", sum(_hooks(net)) > n_before
        stopping = net.base_model.ln_f.register_forward_pre_hook(_stop)
        run(partial(read, net, window.clone()))
        stopping.remove()
        group = f"hooks after a pass that an error stopped ({number})"
        yield f"{group}: yours left behind?", sum(_hooks(net)) > n_before
        yield f"the activations: names ({number})", _listed(found)
        for name, value in right.items():
            same = np.allclose(np.asarray(found[name]), value, rtol=1e-4, atol=1e-6)
            yield f"the activations: {name}, what the model wrote there ({number})", same


def _watched(net: nn.Module) -> list[bool]:
    """A list that gets an entry for each pass: whether it prepares for gradients."""
    passes = []
    net.base_model.ln_f.register_forward_hook(
        lambda module, inputs, output: passes.append(output.requires_grad)
    )
    return passes


def _somebody_else(module, inputs, output) -> None:
    """A hook that is not the student's."""


def _stop(*arguments):
    raise RuntimeError("stopped by the check")


def rows(take_rows) -> Facts:
    """Rows of tables that say where each number stands; two targets have equal rows."""
    table = torch.arange(400.0).reshape(1, 20, 20) / 8  # (1, tokens, width)
    table[0, 19] = table[0, 8]
    names = [f"{component}_{k}" for k in range(12) for component in ("att", "mlp")]
    stored = {name: table + 100 * k for k, name in enumerate(names)}
    for number, chosen in ((2, [1, 8, 10, 19]), (10, [3, 4, 16])):
        group = f"take_rows, of block {number}"
        yield from calls(group, _alone(take_rows), stored, number, np.array(chosen), what="rows")
    given, others = (stored, 3, np.array([2, 5])), (None, 4, np.array([6, 7]))
    yield from depends(_alone(take_rows), given, others)


# Made for the probes ----------------------------------------------------------------------------


class Times(nn.Module):
    """A step of a network that multiplies by a number, which could be trained."""

    def __init__(self, factor: float):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(float(factor)))

    def forward(self, x):
        return self.factor * x


def _network(**sizes) -> GPT2LMHeadModel:
    """A random GPT-2, in training mode as new ones are; the student's random numbers go on."""
    defaults = {"n_layer": 2, "n_head": 2, "n_embd": 8, "n_positions": 16, "vocab_size": 50}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return GPT2LMHeadModel(GPT2Config(**defaults | sizes, bos_token_id=0, eos_token_id=0))


def _tokenizer(seed: int) -> GPT2Tokenizer:
    """A tokenizer that knows letters and a few words, and numbers them in an order of its own."""
    splits = dict.fromkeys((word[:k], word[k]) for word in WORDS for k in range(1, len(word)))
    letters = sorted(ByteLevel.alphabet())
    pieces = ["<|endoftext|>", *letters, *("".join(split) for split in splits)]
    order = np.random.default_rng(seed).permutation(len(pieces)).tolist()
    vocabulary = dict(zip(pieces, order, strict=True))
    return GPT2Tokenizer(vocabulary, list(splits), model_max_length=TEXT_WINDOW)


def _alone(function, **names):
    """The function with other data in place of all that the notebook has."""
    found = np.array([1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17])
    stand_ins = {
        "gpt": _network(n_layer=10, n_positions=40),
        "tokenizer": _tokenizer(9),
        "article": TEXTS[0] + TEXTS[1],
        "ids": np.arange(60) ** 2 % 50,
        "pieces": [4],
        "found": found,
        "chosen": found[:10],
        "window": torch.arange(15)[None],
        "n_blocks": 10,
        "width": 8,
        "longest": 40,
        "n_tokens": 60,
    }
    return with_names(function, **stand_ins | names)


# Said in one form -------------------------------------------------------------------------------


def _kind(value):
    """What an answer is, in words; an error stays one."""
    if isinstance(value, Raised):
        return value
    if isinstance(value, dict) and not isinstance(value, ModelOutput):
        return "a dictionary"
    return "a list" if isinstance(value, (list, tuple)) else kind_of(value)


def _listed(names) -> str:
    return ", ".join(sorted(map(str, names))) or "none"


def _whole(group: str, value, which: str = "") -> Facts:
    """The numbers of an answer, and that they are whole ones."""
    yield f"{group}: numbers{which}", value
    kind = np.asarray(value).dtype.kind
    yield f"{group}: numbers of type{which}", "whole" if kind in "iu" else str(kind)


def _hooks(network: nn.Module) -> list[int]:
    """How many hooks each module has that run after it."""
    return [len(module._forward_hooks) for module in network.modules()]


def _has_other_hooks(module: nn.Module) -> bool:
    return bool(module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks)


def _is_untouched(network: nn.Module) -> bool:
    """Whether the weights are what they were made as: 32 bits, and trainable."""
    return all(w.requires_grad and w.dtype == torch.float32 for w in network.parameters())


check = checker(__name__)
