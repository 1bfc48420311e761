"""Checks of exercise 3, beyond the trials: whole functions of other forms, and odd answers."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook
from transformers import GPT2Config

from coursebuild.notebooks import read_solution
from layerlab.articles import load_article
from layerlab.checks import CheckFailed, part3
from layerlab.tokens import target_positions, tokenize


class Listener:
    """A hook that is an object."""

    def __init__(self, name, store):
        self.name, self.store = name, store

    def __call__(self, module, inputs, output):
        self.store[self.name] = output.detach().clone()


def find_places(net):
    """Places by a dictionary comprehension, MLP first."""
    mlp = {f"mlp_{i}": block.mlp.c_proj for i, block in enumerate(net.base_model.h)}
    return mlp | {f"att_{i}": block.attn.c_proj for i, block in enumerate(net.base_model.h)}


def attach(places, store):
    return [module.register_forward_hook(Listener(name, store)) for name, module in places.items()]


def read(net, window):
    store = {}
    handles = attach(find_places(net), store)
    try:
        with torch.no_grad():
            net(window)
    finally:
        for handle in handles:
            handle.remove()
    return store


def test_whole_functions_of_other_forms_pass(capsys):
    part3.check_make_hook(Listener)
    part3.check_find_places(find_places)
    part3.check_attach(attach)
    assert capsys.readouterr().out.count("✓") == 3


def test_a_check_leaves_the_students_world_as_it_was(embedded, shape):
    model, tokenizer = embedded
    torch.manual_seed(3)
    before = torch.get_rng_state()
    part3.check_make_hook(Listener)
    part3.check_find_places(find_places)
    part3.check_attach(attach)
    part3.check_pass(read, shape, model, tokenizer, load_article())
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.is_grad_enabled() and not model.training
    assert not any(module._forward_hooks for module in model.modules())


@pytest.fixture
def shape(embedded):
    """The right prediction for the embedded article."""
    model, tokenizer = embedded
    token_ids = tokenize(load_article(), tokenizer)
    last = target_positions(token_ids, tokenizer, " coffee")[9]
    return 1, last + 1, model.config.n_embd


def skip_one(places, store):
    """Hooks, but one module has none."""
    return attach(dict(list(places.items())[:-1]), store)


def store_only_text(places, store):
    """Hooks of which one stores under a name of its own."""
    renamed = {name.replace("att_1", "attention"): module for name, module in places.items()}
    return attach(renamed, store)


def always_first_block(net):
    places = find_places(net)
    return places | {"att_2": places["att_0"]}


def one_less(net):
    return {name: module for name, module in find_places(net).items() if name != "mlp_1"}


def one_too_far(net):
    """Blocks counted from 1 run past the end of any model: no size is hard-coded."""
    return {f"att_{i}": net.base_model.h[i] for i in range(1, net.config.n_layer + 1)}


def in_the_first_block(net):
    return {name: place for name, place in find_places(net).items() if name.endswith("_0")}


def hook_after(change):
    """A factory of hooks that do as they should, and then something else."""

    def make_hook(name, store):
        def listen(module, inputs, output):
            store[name] = output.detach().clone()
            change(name, store, module, output)

        return listen

    return make_hook


def module_as_key(name, store, module, output):
    store[module] = store.pop(name)


def first_pass_kept(name, store):
    def listen(module, inputs, output):
        store.setdefault(name, output.detach().clone())

    return listen


def attach_by(register, keep=lambda name, handle: handle):
    """Hooks that are registered in some way, and what is kept of their handles."""

    def attach(places, store):
        return [keep(n, register(m, Listener(n, store))) for n, m in places.items()]

    return attach


def by_name(places, store):
    return dict(zip(places, attach(places, store), strict=True))


def on_backward(module, hook):
    return module.register_full_backward_hook(hook)


def on_forward(module, hook):
    return module.register_forward_hook(hook)


def on_every_module(module, hook):
    return register_module_forward_hook(hook)


def text_registered(module, hook):
    return module.register_forward_hook("hook")


def up_to_the_edge(found, longest, how_many):
    """Without an edge among the positions, none is left."""
    return found[: np.argmax(found >= longest)][:how_many]


def with_two_arguments(places, store):
    """Hooks that PyTorch calls with one argument too many; the factory is not among them."""
    handles = []
    for module in places.values():
        handles.append(module.register_forward_hook(lambda module, output: None))
    return handles


def one_of_four(places, store):
    """One hook, and not by a loop that ends in its first round."""
    return attach(dict(list(places.items())[2:3]), store)


def one_target_too_far(ids, chosen):
    """An index past any end: no number of targets is hard-coded."""
    return torch.tensor(ids[None, : chosen[len(chosen)] + 1])


def reversed_rows(activations, number, chosen):
    return activations[f"mlp_{number}"][0, chosen[::-1].copy()]


def far_rows(activations, number, chosen):
    return activations[f"mlp_{number}"][0, 100 * chosen]


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (part3.check_get_ready, lambda net: net.config.n_layer, "three sizes"),
        (part3.check_make_hook, lambda name, store: lambda *arguments: None, "nothing"),
        (part3.check_make_hook, lambda name, store: name, "not callable"),
        (part3.check_make_hook, hook_after(module_as_key), "Linear"),
        (
            part3.check_make_hook,
            hook_after(lambda *given: given[3].zero_()),
            "what the model makes",
        ),
        (part3.check_make_hook, hook_after(lambda n, s, *_: s.update({n: s[n].half()})), "differ"),
        (
            part3.check_make_hook,
            hook_after(lambda n, s, *_: s.update({n: s[n].tolist()})),
            "a list",
        ),
        (part3.check_make_hook, hook_after(lambda n, s, *_: s.update({n: (s[n],)})), "a tuple"),
        (part3.check_make_hook, first_pass_kept, "in a second pass"),
        (part3.check_find_places, lambda net: list(find_places(net)), "a dictionary"),
        (part3.check_find_places, always_first_block, "transformer.h.0.attn.c_proj"),
        (part3.check_find_places, one_less, "att_1, mlp_1"),
        (part3.check_find_places, in_the_first_block, "mlp_0, att_0"),
        (part3.check_find_places, one_too_far, "IndexError"),
        (part3.check_attach, skip_one, "3"),
        (part3.check_attach, with_two_arguments, "2 positional arguments"),
        (part3.check_attach, store_only_text, "attention"),
        (part3.check_attach, lambda places, store: None, "None"),
        (part3.check_attach, lambda places, store: attach(places, {}), "nothing in the dictionary"),
        (part3.check_attach, by_name, "a dict"),
        (part3.check_attach, attach_by(on_forward, lambda *pair: pair), "a tuple"),
        (part3.check_attach, attach_by(on_forward, lambda _, handle: handle.remove), "a method"),
        (part3.check_attach, attach_by(on_forward, lambda _, handle: handle.remove()), "none"),
        (part3.check_attach, one_of_four, "got:      1"),
        (part3.check_cut, one_target_too_far, "IndexError"),
        (part3.check_attach, attach_by(on_every_module), "none"),
        (part3.check_attach, attach_by(text_registered), "not callable"),
        (part3.check_choose, up_to_the_edge, "(0,)"),
        (part3.check_cut, lambda ids, chosen: ids[None, : chosen[-1] + 1], "an ndarray"),
        (part3.check_cut, lambda ids, chosen: torch.tensor(ids[None, : chosen[0] + 1]), "(1, 6)"),
        (part3.check_rows, reversed_rows, "block 2"),
        (part3.check_rows, far_rows, "size 9"),
    ],
)
def test_an_odd_answer_fails_in_words_and_without_a_wrong_name(check, answer, words, embedded):
    more = [embedded[0]] if check is part3.check_cut else []
    with pytest.raises(CheckFailed) as failure:
        check(answer, *more)
    assert words in str(failure.value)
    assert set(part3_names(failure.value)) <= {"nothing returned"}


gpt = None  # the name of the model in a notebook, which a student's function may reach for


@pytest.mark.parametrize("register", [on_every_module, on_backward, on_forward])
def test_hooks_registered_elsewhere_do_not_stay(register, embedded, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "gpt", embedded[0])

    def attach_elsewhere(places, store):
        handles = []
        for name in places:
            handles.append(register(gpt, Listener(name, store)))
        return handles

    with pytest.raises(CheckFailed) as failure:
        part3.check_attach(attach_elsewhere)
    elsewhere = ["another model than the argument"] if register is on_forward else []
    assert part3_names(failure.value) == elsewhere
    assert not embedded[0]._forward_hooks and not embedded[0]._backward_hooks
    assert not torch.nn.modules.module._global_forward_hooks


def test_gradients_are_as_before_after_a_refused_model():
    def get_ready(net):
        torch.set_grad_enabled(False)
        raise ValueError

    with pytest.raises(CheckFailed):
        part3.check_get_ready(get_ready)
    assert torch.is_grad_enabled()


def test_gradients_that_are_off_hide_no_graph():
    def make_hook(name, store):
        return lambda module, inputs, output: store.update({name: output.clone()})

    with torch.no_grad(), pytest.raises(CheckFailed, match="gradients kept"):
        part3.check_make_hook(make_hook)


def test_a_pass_that_changes_the_kind_of_numbers_fails(embedded, shape):
    def read_in_double(net, window):
        return read(net.double(), window)

    with pytest.raises(CheckFailed, match=r"torch\.float64") as failure:
        part3.check_pass(read_in_double, shape, *embedded, load_article())
    assert not part3_names(failure.value)


@pytest.mark.parametrize("predicted", ["(1, 592, 192)", {1, 592, 192}])
def test_a_shape_without_order_is_refused_in_words(predicted, embedded):
    with pytest.raises(CheckFailed, match="one number each"):
        part3.check_pass(read, predicted, *embedded, load_article())


@pytest.mark.parametrize(
    ("result", "words"),
    [([], "a dictionary"), ({}, "an entry"), ({"att_0": torch.zeros(1, 7, 8)}, "att_0")],
)
def test_a_pass_without_its_activations_fails(result, words, embedded, shape):
    def forgetful(net, window):
        read(net, window)
        return result

    with pytest.raises(CheckFailed, match=words):
        part3.check_pass(forgetful, shape, *embedded, load_article())


@pytest.mark.parametrize("pieces", [None, [], [[797], [1, 2]], [[797], [797]], "coffee", [10**6]])
def test_a_target_of_a_strange_type_fails(pieces, embedded):
    with pytest.raises(CheckFailed):
        part3.check_target(pieces, embedded[1])


@pytest.mark.parametrize("found", [None, [[4], [10, 11]], np.zeros((2, 3)), "4", {4, 10}])
def test_positions_of_a_strange_type_fail(found, embedded):
    with pytest.raises(CheckFailed):
        part3.check_positions(found, embedded[1], load_article())


@pytest.mark.parametrize("n_tokens", [{4, 5}, [4, 5], (4, 5), np.arange(3)])
def test_tokens_instead_of_their_number_are_refused_in_words(n_tokens, embedded):
    article = load_article()
    ids = tokenize(article, embedded[1])
    with pytest.raises(CheckFailed, match="one number") as failure:
        part3.check_tokens(ids, n_tokens, 1, embedded[1], article)
    assert not part3_names(failure.value)


@pytest.mark.parametrize("change", [(0, -1, 0), (0, 0, 1), (0, -3, 2)])
def test_a_wrong_prediction_does_not_learn_the_shape(change, embedded, shape):
    wrong = [int(size + more) for size, more in zip(shape, change, strict=True)]
    with pytest.raises(CheckFailed) as failure:
        part3.check_pass(read, wrong, *embedded, load_article())
    text = str(failure.value)
    assert f"({', '.join(map(str, wrong))}); not right: " in text
    assert ("neurons" in text.split("not right: ")[1]) == bool(change[2])
    assert not part3_names(failure.value)
    assert f"{shape[1]}" not in text.split("got:")[0] + text.split("not right: ")[1]


def test_a_pass_that_never_runs_is_none(embedded, shape):
    with pytest.raises(CheckFailed, match="got:      none"):
        part3.check_pass(lambda net, window: {}, shape, *embedded, load_article())


def test_numpys_warning_about_a_tensor_is_not_shown(capsys):
    def make_hook(name, store):
        def listen(module, inputs, output):
            warnings.warn("__array__ implementation doesn't accept a copy keyword", stacklevel=1)
            store[name] = np.array(output.detach())

        return listen

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        part3.check_make_hook(make_hook)
    assert capsys.readouterr().out.count("\n") == 1


def test_gradients_left_off_are_on_again_after_the_check(embedded, shape):
    def read_for_good(net, window):
        torch.set_grad_enabled(False)
        return read(net, window)

    with pytest.raises(CheckFailed, match="switched off for good"):
        part3.check_pass(read_for_good, shape, *embedded, load_article())
    assert torch.is_grad_enabled()


def test_what_step_1_says_of_dropout_holds(embedded):
    names = ("attn_pdrop", "embd_pdrop", "resid_pdrop")
    assert {getattr(embedded[0].config, name) for name in names} == {0}
    assert {getattr(GPT2Config(), name) for name in names} == {0.1}


def run_cells_after(checks, names):
    """Run the given cells after some checks; trials end with the check."""
    path = Path(__file__).parents[1] / "solutions" / "03-hooks-and-tokens.md"
    cells = [cell.source for cell in read_solution(path).cells if cell.cell_type == "code"]
    for check in checks:
        place = next(i for i, cell in enumerate(cells) if check in cell)
        exec(cells[place + 1], names)


def test_a_list_of_positions_serves_the_cells_that_follow():
    names = {"np": np, "found": [3, 5, 2000], "longest": 16}
    names["choose"] = lambda found, longest, how_many: found[found < longest].tolist()
    run_cells_after(("check_positions", "check_choose"), names)
    assert names["chosen"].tolist() == [3, 5]


def test_arrays_that_a_hook_stores_serve_rows_that_want_tensors(capsys):
    names = {"np": np, "torch": torch, "gpt": None, "window": None, "predicted_shape": (1, 9, 8)}
    names |= {"read": lambda net, window: {"mlp_3": np.ones((1, 9, 8))}, "chosen": [1, 2]}
    names["take_rows"] = lambda activations, number, chosen: activations["mlp_3"].numpy()[0, chosen]
    run_cells_after(("check_pass", "check_rows"), names)
    assert "(2, 8)" in capsys.readouterr().out


def test_some_targets_begin_a_longer_word_as_step_6_says(embedded):
    ids = tokenize(load_article(), embedded[1])
    positions = target_positions(ids, embedded[1], " coffee")
    followed = [embedded[1].decode(ids[place : place + 2]) for place in positions]
    assert 0 < followed.count(" coffeehouse") < len(followed) / 2


def part3_names(error):
    """Names of mistakes that a failed check gives."""
    lines = str(error).splitlines()
    return [line.split("mistake: ")[1].rstrip(".") for line in lines if "known mistake" in line]
