"""What the answers of exercise 3 do: hooks on small networks, tokens of small vocabularies.

Networks and tokenizers are made here, and stand in for the notebook's own, too. So what is seen is
the same for any model and any article, and no hook stays on the student's model.
"""

from collections.abc import Iterable
from functools import partial

import numpy as np
import torch
from tokenizers.pre_tokenizers import ByteLevel
from torch import nn
from torch.utils.hooks import RemovableHandle
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Tokenizer,
    Olmo2Config,
    Olmo2ForCausalLM,
)
from transformers.utils import ModelOutput

from coursechecks.engine import (
    About,
    Facts,
    Raised,
    calls,
    checker,
    depends,
    kind_of,
    plain,
    run,
    size_of,
    tried,
    with_names,
)
from coursechecks.probes import here

READS = ("seen/03.json.xz",)
PROBES = here()

# No two sizes of a model are equal, nor is one the number of parts inside a part. One model's
# configuration names the size inside the MLP, the other's leaves it at four times the width.
SIZES = (
    {"n_layer": 8, "n_head": 6, "n_embd": 12, "n_inner": 40, "n_positions": 16, "vocab_size": 50},
    {"n_layer": 7, "n_head": 3, "n_embd": 9, "n_positions": 24, "vocab_size": 70},
)
if PROBES.are_hidden:
    others = PROBES.rng(1)
    several = {"n_layer": [9, 10, 11], "n_embd": [18, 24, 30], "n_inner": range(41, 60)}
    several |= {"n_positions": [13, 14, 16, 17], "vocab_size": range(61, 80)}
    more = {"n_layer": [5, 8, 10], "n_embd": [12, 15, 18], "n_positions": range(25, 29)}
    more |= {"vocab_size": range(80, 96)}
    SIZES = tuple(
        sizes | {name: int(others.choice(among)) for name, among in choices.items()}
        for sizes, choices in zip(SIZES, (several, more), strict=True)
    )
WORDS = ("Ġcup", "ĠCup", "Ġthe", "Ġof", "Ġcoffee")  # one token each; all else is letters
TEXTS = (
    " Take a cup, and the coffee of the day. Cup of the spring, or of the spring before the day?\n",
    "\nA café's cup and the coffee: of all it takes.\n\nCoffee is the most of it. À bientôt ",
)
TEXT_WINDOW = 30  # tokens; each of the texts is longer
PARTS = ("the number of blocks", "the width", "the size inside the MLP", "the longest text")
LONG = 1100  # tokens of a text that is longer than GPT-2's window, and than the notebook's


def get_ready(get_ready) -> Facts:
    """Two tiny models, in training mode as new ones are."""
    found = []
    for number, sizes in enumerate(SIZES, 1):
        which, net = f"tiny model {number}", _network(**sizes)
        gpt = _network(n_layer=9 + number, n_positions=40 * number)
        answer, is_on = _with_gradients(partial(_alone(get_ready, gpt=gpt), net))
        found.append(answer)
        returned = len(answer) if isinstance(answer, tuple) else answer
        yield f"get_ready: how many sizes of {which}", returned
        group = f"the mode of {which} after get_ready"
        yield f"{group}: evaluation, the model as a whole", not net.training
        yield f"{group}: evaluation, all of its parts", not any(m.training for m in net.modules())
        yield f"{group}: another model was switched?", not gpt.training
        yield f"gradients after get_ready: still computed for {which}", is_on
        yield f"gradients after get_ready: weights as before, {which}", _is_untouched(net)
    for place, name in enumerate(PARTS):
        one, other = (sizes[place] for sizes in found)
        yield f"{name}: of tiny model 1", one
        yield f"{name}: of tiny model 2", other
        is_typed = isinstance(plain(one), float) and plain(one) == plain(other)
        yield f"{name}: the same number for both models?", is_typed


def store(make_hook) -> Facts:
    """Two hooks in a network whose second step overwrites what it is given."""
    kept, returned, at_once, ran = {}, [], {}, []
    double = nn.PReLU(init=2.0)  # negatives doubled; then 0
    double.register_forward_hook(lambda *_: ran.append(True))
    network = nn.Sequential(nn.Sequential(double), nn.ReLU(inplace=True))
    for module, name in zip(network, ("a place", "another place"), strict=True):
        hook = run(partial(make_hook, name, kept))
        yield f"make_hook: what it returns for {name}", _kind(hook)
        module.register_forward_pre_hook(partial(_noting, hook, name, kept, returned, at_once))
    first = [[[1.1374, -2.3391, 3.7128], [0.6, -1.9, 2.2]], [[-0.4, 5.2, 0.0123456], [1, 1.5, -3]]]
    long = (torch.arange(LONG) % 7 - 3.3).reshape(1, LONG, 1)
    for what, shown in (("two texts", torch.tensor(first)), ("one text", long)):
        x = shown * PROBES.scale(len(shown))
        ran.clear()
        output, is_on = _with_gradients(network, x.requires_grad_())
        yield f"the hook, while a model reads: the model's output for {what}", _kind(output)
        yield f"what the hook returns: for {what}", _kind(returned[0])
        yield f"the dictionary: names in it after {what}", _listed(kept)
        group = f"what the hook stores of {what}"
        for name, value in kept.items():
            yield f"{group}: {name}", About(value)
            is_array = isinstance(value, (torch.Tensor, np.ndarray))
            yield f"{group}: {name}, an array or a tensor", is_array
            yield f"{group}: {name}, with a history?", getattr(value, "requires_grad", False)
            is_other = plain(value) != at_once[name]
            yield f"{group}: {name}, overwritten by a later step?", is_other
        yield f"what the model makes of it: of {what}", About(output)
        group = f"the model after its hooks, given {what}"
        yield f"{group}: how often it computed", len(ran)
        yield f"{group}: its output remembers how it came about", output.requires_grad
        yield f"{group}: mode, weights and gradients as before", is_on and _is_new(network)


def _noting(hook, name, kept, returned, at_once, *arguments) -> None:
    """Call a hook, and note what it returns, and what is stored right after it."""
    returned.append(hook(*arguments))
    at_once[name] = plain(kept.get(name))


def places(find_places) -> Facts:
    """The paths of the modules in a model deeper than GPT-2, and in a small one."""
    # The smaller one last, where nothing of the other may be left.
    for n_blocks in (PROBES.size(14, 5), PROBES.size(4, 3)):
        net = _network(n_layer=n_blocks)
        found = run(partial(_alone(find_places), net))
        group = f"find_places, for a model of {n_blocks} blocks"
        yield f"{group}: what it returns", _kind(found)
        yield f"{group}: how many places", len(found)
        yield f"{group}: the names", _listed(found)
        paths = {id(module): path for path, module in net.named_modules()}
        for name, module in sorted(found.items()):
            elsewhere = f"{kind_of(module)}, no module of this model"
            yield f"{group}: {name}", paths.get(id(module), elsewhere)
        if PROBES.are_hidden:  # its name is soon guessed
            sums = [_weights(module) for _, module in sorted(found.items())]
            yield f"{group}: weights of all", About(np.array(sums))
        is_same = _is_new(net) and _n_hooks(net) == 0
        yield f"the model after find_places, of {n_blocks} blocks: left as it was", is_same


def attach(attach) -> Facts:
    """Hooks and handles on networks of two sizes, and what the hooks store."""
    for n_blocks in (PROBES.size(2, 2), PROBES.size(3, 3)):
        places = {name: nn.PReLU(init=k + 2.0) for k, name in enumerate(_names(n_blocks))}
        network, stored, gpt = nn.Sequential(*places.values()), {}, _network()
        handles, is_on = _with_gradients(partial(_alone(attach, gpt=gpt), places, stored))
        where = f"{len(places)} places"
        yield f"attach, given {where}: what it returns", _kind(handles)
        yield f"hooks and handles of {where}: hooks on each", _hooks(network)
        yield f"hooks and handles of {where}: hooks of another kind?", any(map(_is_other, network))
        yield f"hooks and handles of {where}: on another model?", _n_hooks(gpt) > 0
        yield f"hooks and handles of {where}: the handles", _listed(map(kind_of, handles))
        # Each place multiplies the negative numbers of both texts, and no two by the same.
        given = torch.tensor([[[1.5, -2]], [[-0.5, 3]]]) * PROBES.scale(n_blocks)  # (2, 1, 2)
        output = run(network, given)
        for handle in handles:  # one that is registered for all models would stay for good
            if isinstance(handle, RemovableHandle):
                handle.remove()
        yield f"the hooks on {where}, while a model reads: its output", _kind(output)
        yield f"what is stored of {where}: names", _listed(stored)
        for name, value in sorted(stored.items()):
            yield f"what is stored of {where}: {name}", About(value)
        yield f"the handles of {where}, once they are removed: hooks that stay", _hooks(network)
        group = f"the network with {where}"
        yield f"{group}: mode, weights and gradients as before", is_on and _is_new(network)


def tokens(to_tokens) -> Facts:
    """Texts of the check's own, which tokenizers of its own take apart."""
    long = "".join(TEXTS) * 400 + "Quiz"  # with new letters at its end
    for number, which in enumerate(("text 1", "text 2", "a long text")):
        text, tokenizer = (*TEXTS, long)[number], _tokenizer(number + 1)
        found = run(_alone(to_tokens), text, tokenizer)
        yield f"to_tokens: what it returns of {which}", _kind(found)
        ids, n_tokens, n_different = found
        yield from _numbers(f"ids of {which}: their beginning", ids[:100])
        is_whole = np.array_equal(ids, tokenizer.encode(text, verbose=False))
        yield f"ids of {which}: right from the first to the last", is_whole
        if PROBES.are_hidden:
            yield f"ids of {which}: all of them", PROBES.sums(ids)
        yield f"n_tokens of {which}: number", n_tokens
        yield f"n_different of {which}: number", n_different


def target(find_target) -> Facts:
    """A word's number in two vocabularies, and what it reads."""
    for number, word in ((1, "cup"), (2, "cup"), (1, "coffee")):
        tokenizer = _tokenizer(number)
        found = run(_alone(find_target), tokenizer, word)
        group = f"find_target, of {word!r} for tokenizer {number} of the check's own"
        for name, value in _numbers(f"{group}: result", found):
            if name.endswith("numbers"):
                pieces = (repr(tokenizer.decode([token])) for token in np.ravel(found).tolist())
                yield f"{group}: what your numbers read", " + ".join(pieces)
            yield name, value


def positions(find_positions) -> Facts:
    """Where a token stands among others that come again or hold its digits, at either end too."""
    for token, place, n_tokens in ((2, -1, 200), (7, 0, 3 * LONG)):  # the first not at once
        ids = PROBES.rng(token).integers(0, 30, n_tokens)
        ids[0] += ids[0] == token  # or it could be the first one that was looked for
        ids[place] = token
        group = f"find_positions of token {token}, among tokens of the check's own"
        yield from calls(group, _alone(find_positions), ids, [token], see=_numbers)


def choose(choose) -> Facts:
    """Positions with a window's edge among them, windows that reach as many, and a long text."""
    long = np.r_[[7, 900, 1500], LONG + 70 * np.arange(14), 5 * LONG]
    for found, longest in (
        ([3, 5, 18, 19, 21, 33, 34, 35, 37], 16),
        ([2, 17, 18, 40, 55, 56, 90, 100], 16),  # three times two, and the edge after each
        ([60, 61, 80, 200, 201, 240], 30),
        ([9], 4),
        (long.tolist(), 980),
    ):
        group = f"choose, of {len(found)} targets in a window of {longest}"
        given = np.array(found) + PROBES.size(0, 90)
        yield from calls(group, _alone(choose), given, longest, see=_numbers)
    given, others = (np.array([3, 5, 8, 11, 40]), 16), (np.array([2, 30, 31, 32]), 4)
    if np.isin(run(_alone(choose), *given), given[0]).all():  # else it is no choice at all
        yield from depends(_alone(choose), given, others)


def cut(cut) -> Facts:
    """Texts in which tokens come again, the target too, before the chosen ones and after them."""
    few, many = np.array([5, 7, 11]), np.arange(20, 36)
    if PROBES.are_hidden:
        few = np.sort(PROBES.rng(1).choice(np.arange(5, 40), 3, replace=False))
        many = np.sort(PROBES.rng(2).choice(np.arange(20, 60), 16, replace=False))
    for ids, chosen in (
        ((31 * np.arange(64) + 9) % 41, few),
        # More targets than in the notebook, and a longer text.
        ((17 * np.arange(2 * LONG + 90)) % 9 + 300, LONG + np.r_[many, LONG]),
    ):
        alone = _alone(cut, longest=LONG + 60)
        group = f"cut, of targets from {chosen[0]} to {chosen[-1]}"
        found, is_changed = tried(alone, ids, chosen)
        yield f"{group}: how many things come back", len(found)
        yield f"{group}: changes what it is given?", is_changed
        window, at = found
        yield from _window(f"{group}: tokens", window)
        yield from _numbers(f"{group}: positions", at)


def _window(name: str, window) -> Facts:
    yield name, window
    yield f"{name}, what they are", _kind(window)
    is_whole = window.dtype in (torch.int32, torch.int64)
    yield f"{name}, type of the numbers", "whole" if is_whole else str(window.dtype)


def shape(predict_shapes) -> Facts:
    """Shapes for windows of two lengths and models of two sizes."""
    for n_tokens, *sizes in ((PROBES.size(7, 4), 12, 30), (LONG, 20, 80)):
        width, inner = (PROBES.size(size, 9) for size in sizes)
        found = run(_alone(predict_shapes), torch.arange(n_tokens)[None], width, inner)
        yield f"the shapes: how many for {n_tokens} tokens", len(found)
        for part, of_part in zip(("attention", "MLP"), found, strict=True):
            group = f"the shape in the {part}"
            yield f"{group}: how many numbers, for {n_tokens} tokens", size_of(of_part)
            yield f"{group}: of {n_tokens} tokens, sizes {width} and {inner}", of_part


def read(read) -> Facts:
    """Passes of one text and of two on two models, to which somebody else listens, too."""
    large = {"n_layer": 1, "n_head": 1, "n_embd": 12, "n_positions": LONG}
    for number, (sizes, shape) in enumerate((({"n_layer": 3}, (1, 7)), (large, (2, LONG))), 1):
        net, gpt, which = _network(**sizes), _network().eval(), f"tiny model {number}"
        net.train(number == 2)  # a mode that a pass has no business with
        text = PROBES.order(5 * torch.arange(np.prod(shape)) % 31)
        window = torch.tensor(text).reshape(shape)  # (texts, tokens)
        with torch.no_grad():  # whoever asks for hidden states leaves hooks of transformers' own
            net.base_model(window, use_cache=False, output_hidden_states=True)
        others = [module.register_forward_pre_hook(lambda *_: None) for module in net.modules()]
        passes = {model: [] for model in (net, gpt)}  # for each pass if it prepares for gradients
        for model, ran in passes.items():
            model.base_model.ln_f.register_forward_hook(
                lambda module, inputs, output, ran=ran: ran.append(output.requires_grad)
            )
        before, function = _n_hooks(net), partial(_alone(read, gpt=gpt), net)
        found, is_on = _with_gradients(function, window)
        yield f"read: what it returns of {which}", _kind(found)
        yield f"the model that ran: another one than {which}?", bool(passes[gpt])
        yield f"the pass: how often {which} ran", len(passes[net])
        yield f"the pass: gradients computed by {which}?", any(passes[net])
        yield f"gradients after read: still computed for {which}", is_on
        yield f"gradients after read: weights as before, {which}", _is_untouched(net)
        stay = (h.id in m._forward_pre_hooks for h, m in zip(others, net.modules(), strict=True))
        yield f"hooks after read: those of others, all on {which}", all(stay)
        yield f"hooks after read: yours left on {which}?", _n_hooks(net) > before
        failed, is_on = _with_gradients(function, window + 1000)  # no model knows such tokens
        group = "after a pass that an error stopped"
        yield f"hooks {group}: yours left on {which}?", _n_hooks(net) > before
        yield f"gradients {group}: still computed for {which}", is_on
        yield f"an error in the model: comes through, {which}", isinstance(failed, Raised)
        is_same = all(module.training == (number == 2) for module in net.modules())
        yield f"the mode after read: as before, all parts of {which}", is_same
        yield f"the activations: names, {which}", _listed(found)
        for name in _names(net.config.n_layer):
            given = f"{which} given {shape[0]} × {shape[1]} tokens"
            yield f"the activations: size of those of {name}, {given}", size_of(found[name])
            yield f"the activations: those of {name}, {given}", About(PROBES.sums(found[name]))


def heads(take_heads) -> Facts:
    """Heads in tables that say where each number stands; two targets have equal rows."""
    for number, chosen, n_blocks, n_tokens, (n_heads, size) in (
        (2, [1, 8, 10, 19], 12, 21, (5, 4)),
        (4, [3, 4, *range(30, 50, 2), LONG - 1], 6, LONG, (3, 2)),  # more than in the notebook
    ):
        width = n_heads * size
        table = torch.arange(1.0, n_tokens * width + 1).reshape(1, n_tokens, width) / 64
        table[0, 19] = table[0, 8]
        names = PROBES.rng(number).permutation(_names(n_blocks)).tolist()
        signs = 1 - 2 * (torch.arange(width) % 2)
        signs = signs * PROBES.scale(number)
        stored = {name: signs * (table + 100 * k) for k, name in enumerate(names)}
        group, function = f"take_heads, of block {number}", _alone(take_heads)
        given = stored, number, np.array(chosen), n_heads
        facts = dict(calls(group, function, *given, what="heads of the targets"))
        yield f"{group}: axes", size_of(facts[f"{group}: heads of the targets"])
        yield from facts.items()
        found, others = facts[f"{group}: heads of the targets"], {*names} - _of_block(number)
        is_other = any(np.isin(found, stored[name]).all() for name in others)
        yield f"{group}: those of another block?", bool(np.size(found)) and is_other


def _of_block(number: int) -> set[str]:
    return {f"mlp_{number}", f"att_{number}"}


def adds_up(missed) -> Facts:
    """Sums that are off at one place, too low or too high, and changes of either sign."""
    group = "missed, of streams of the check's own"
    first, last = (0, 0, 2), (1, -1, 0)  # text, token, coordinate
    for off, most, n_tokens, worst, lesser in (
        (-0.5, 8.0, 5, last, first),
        (0.25, -6.0, 7, first, last),
        (2**-15, 5.0, 120, last, first),
        (9.0, -3.0, 4, last, first),
    ):
        error, largest = off * PROBES.scale(n_tokens), most * PROBES.scale(n_tokens + 1)
        rng = PROBES.rng(n_tokens)
        numbers = rng.integers(-16, 16, (4, 2, n_tokens, 3)) / 8
        before, attention, mlp, _ = torch.from_numpy(numbers)
        attention[0, 1, 2] = largest - mlp[0, 1, 2]  # the largest change, but for an error above it
        attention[worst] = -0.75 * error - mlp[worst]
        after = before + attention + mlp
        after[worst] += error
        after[lesser] -= error / 2  # a smaller one of the other sign
        before, after = (stream + 40 for stream in (before, after))  # far from 0 on one side
        what = f"an error of {error} at worst, in {n_tokens} tokens"
        yield from calls(group, missed, before, after, attention, mlp, what=what)


def elsewhere(find_writers) -> Facts:
    """The paths of the modules in blocks of two models."""
    for n_blocks in (PROBES.size(3, 2), PROBES.size(2, 4)):
        net = _other_network(n_blocks)
        for number, layer in enumerate(net.model.layers):
            found = run(partial(_alone(find_writers, other=_other_network(4)), layer))
            group = f"find_writers, for block {number} of {n_blocks}"
            yield f"{group}: what it returns", _kind(found)
            yield f"{group}: how many modules", len(found)
            paths = {id(module): path or "the block" for path, module in layer.named_modules()}
            for part, module in zip(("attention", "MLP"), found, strict=True):
                elsewhere = f"{kind_of(module)}, no module of this block"
                yield f"{group}: {part}'s module", paths.get(id(module), elsewhere)
                if PROBES.are_hidden:  # its name is soon guessed
                    yield f"{group}: weights of {part}'s module", About(_weights(module))
        yield "the model after find_writers: left as it was", _is_new(net) and _n_hooks(net) == 0


# Made for the probes ----------------------------------------------------------------------------


def _network(**sizes) -> GPT2LMHeadModel:
    """A random GPT-2, in training mode as new ones are; the student's random numbers go on."""
    defaults = {"n_layer": 2, "n_head": 2, "n_embd": 8, "n_positions": 16, "vocab_size": 50}
    defaults |= {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1}  # writing leaves out 1
    # Without dropout, two passes agree in training mode, too.
    defaults |= dict.fromkeys(("attn_pdrop", "embd_pdrop", "resid_pdrop"), 0.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(PROBES.seed(0))
        return GPT2LMHeadModel(GPT2Config(**defaults | sizes))


def _other_network(n_blocks: int) -> Olmo2ForCausalLM:
    """A random model of another architecture, in training mode as new ones are."""
    sizes = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": n_blocks}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    tokens = {"vocab_size": 20, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(PROBES.seed(0))
        net = Olmo2ForCausalLM(Olmo2Config(**sizes, **heads, **tokens))
        if PROBES.are_hidden:  # norms, too, whose weights are 1 in a new model
            for weights in net.parameters():
                weights.data.uniform_(0.5, 1.5)
        return net


def _tokenizer(seed: int) -> GPT2Tokenizer:
    """A tokenizer that knows letters and a few words, and numbers them in an order of its own."""
    splits = dict.fromkeys((word[:k], word[k]) for word in WORDS for k in range(1, len(word)))
    letters = sorted(ByteLevel.alphabet())
    pieces = ["<|endoftext|>", *letters, *("".join(split) for split in splits)]
    order = PROBES.rng(seed).permutation(len(pieces)).tolist()
    vocabulary = dict(zip(pieces, order, strict=True))
    return GPT2Tokenizer(vocabulary, list(splits), model_max_length=TEXT_WINDOW)


def _names(depth: int) -> list[str]:
    return [f"{component}_{k}" for k in range(depth) for component in ("att", "mlp")]


def _weights(module: nn.Module) -> np.ndarray:
    """A few sums that stand for all weights of a module."""
    return PROBES.sums(torch.cat([w.detach().ravel() for w in module.parameters()]))


def _alone(function, **names):
    """The function with other data in place of all that the notebook has."""
    places = np.array([1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17])
    own = {"gpt": _network(n_layer=10, n_positions=40), "tokenizer": _tokenizer(0)}
    own |= {"article": "".join(TEXTS), "ids": np.arange(60) ** 2 % 50, "pieces": [4]}
    own |= {"found": places, "chosen": places[:10], "n_blocks": 10, "longest": 40, "n_tokens": 60}
    return with_names(function, **own | names)


def _with_gradients(function, *arguments) -> tuple[object, bool]:
    """Result of a call, and if gradients are still on; none that is left off stays so."""
    with torch.enable_grad():
        return run(function, *arguments), torch.is_grad_enabled()


# Said in one form -------------------------------------------------------------------------------

HOLDS = {"b": "true and false", "i": "whole numbers", "f": "numbers with a point", "U": "text"}


def _numbers(name: str, value) -> Facts:
    """What an answer holds, in words, and its numbers if it holds any."""
    kind = np.asarray(value).dtype.kind.replace("u", "i")
    yield f"{name} holds", HOLDS.get(kind, _kind(value)) if np.size(value) else "nothing"
    if kind in "bif":
        yield f"{name}, numbers", value


def _kind(value):
    """What an answer is, in words, whatever kind of dictionary or list."""
    if isinstance(value, dict) and not isinstance(value, ModelOutput):
        return "a dictionary"
    return "a list" if isinstance(value, (list, tuple)) else kind_of(value)


def _listed(names: Iterable) -> str:
    return ", ".join(sorted(map(str, names))) or "not a single one"


def _hooks(modules: Iterable[nn.Module]) -> list[int]:
    """How many hooks each module has that run before it."""
    return [len(module._forward_pre_hooks) for module in modules]


def _n_hooks(network: nn.Module) -> int:
    """How many hooks a network has that run before a module or after it."""
    return len([h for m in network.modules() for h in (*m._forward_pre_hooks, *m._forward_hooks)])


def _is_other(module: nn.Module) -> bool:
    """Whether hooks of another kind are on a module."""
    return bool(module._forward_hooks or module._backward_hooks or module._backward_pre_hooks)


def _is_untouched(network: nn.Module) -> bool:
    """Whether the weights are what they were made as: 32 bits, and trainable."""
    return all(w.requires_grad and w.dtype == torch.float32 for w in network.parameters())


def _is_new(network: nn.Module) -> bool:
    """Whether a network is as new ones are: all of it in training mode, its weights untouched."""
    return all(module.training for module in network.modules()) and _is_untouched(network)


check = checker(__name__)
