"""One cell of an atlas: what goes into it, the key made of that, and how it is measured."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import layerlab
from layerlab.articles import Article
from layerlab.errors import LayerlabError, ModelError
from layerlab.grid import AXES, SINGLE
from layerlab.hub import Repository, sha256_of
from layerlab.options import Options
from layerlab.places import find_place

# What measures is imported where it is used: who hands cells to workers does not measure, and would
# wait three seconds for PyTorch.
if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# What a model is read from: its weights, configuration and tokenizer.  What else may lie in its
# folder, such as the optimizer's state or a card, makes it no other model.
SUFFIXES = {".safetensors", ".bin", ".gguf", ".json", ".txt", ".model"}
NOT_OF_THE_MODEL = ("article", "target", "n_targets", "n_neighbors", "control")  # options


@dataclass(frozen=True)
class Cell:
    """All that one cell is made of.

    Parameters
    ----------
    options : Options
    weights : str
        `fingerprint` of the model.
    article : Article
    place : str
        Where the model is loaded from: its name, or the absolute path of its folder or file.
    version : str
        Of layerlab.
    """

    options: Options
    weights: str
    article: Article = field(repr=False)
    place: str
    version: str = layerlab.__version__

    @cached_property
    def inputs(self) -> dict[str, str | int | bool]:
        """What the key is made of, by the names that a reader of the results sees."""
        text = hashlib.sha256(self.article.text.encode("utf-8")).hexdigest()
        found = {"model_files": self.weights, "article_sha256": text}
        return asked(self.options) | found | {"layerlab": self.version}

    @property
    def key(self) -> str:
        """The same for the same inputs alone."""
        return make_key(self.inputs)


@dataclass(frozen=True, eq=False)
class Measured:
    """What one cell found.

    Attributes
    ----------
    model_version : str
        What was loaded, as `load_model` says it.
    n_tokens, n_occurrences, n_compared : int
        Tokens of the article; places of the target in it, and the first ones, which are compared.
    width : int
        Numbers in an activation.
    summary : ndarray, shape (2, n_layers, 2, 3)
        As `layerlab.sweeps.summarize` has it.
    control : ndarray of the same shape, or None
        The same of the untrained model.
    """

    model_version: str
    n_tokens: int
    n_occurrences: int
    n_compared: int
    width: int
    summary: np.ndarray
    control: np.ndarray | None = None


def asked(options: Options) -> dict[str, str | int | bool]:
    """The options that a cell is asked for; a path as text."""
    values = {name: getattr(options, name) for name in (*AXES.values(), *SINGLE)}
    return {name: str(v) if isinstance(v, Path) else v for name, v in values.items()}


def make_key(inputs: Mapping[str, str | int | bool]) -> str:
    """A file's name for what is said by names and values."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:32]


def find_model(name: str) -> tuple[str, str]:
    """Where any process on this machine finds a model, and what changes with its files.

    Returns
    -------
    place : str
        Its name, with its commit on the hub, or the absolute path of its folder or file.
    weights : str
        The commit, or the SHA-256 of all its files.

    Raises
    ------
    ModelError
        If there is no such model, or a file of it cannot be read.
    """
    found = find_place(name)
    if isinstance(found, Repository):
        return f"{found.repo}@{found.commit}", found.commit
    return str(found.absolute()) if found == Path(name) else name, _fingerprint(found)


def _fingerprint(place: Path) -> str:
    whole = hashlib.sha256()
    try:
        for path in [place] if place.is_file() else sorted(place.iterdir()):
            if path.suffix in SUFFIXES and path.is_file():
                whole.update(f"{path.name} {sha256_of(path)}\n".encode())
    except OSError as error:
        raise ModelError(
            f"the model's files in {str(place)!r} cannot be read ({error.strerror or error}): "
            "fetch or save the model anew"
        ) from error
    return whole.hexdigest()


def measure_cell(cell: Cell) -> Measured:
    """Part 6 of one model, article, target and seed.

    Raises
    ------
    LayerlabError
        Whatever keeps it from being measured; also if this process has another version of
        layerlab, or other weights under the model's name, than the key was made of.
    """
    if cell.version != layerlab.__version__:
        raise LayerlabError(
            f"this worker has layerlab {layerlab.__version__} and the atlas {cell.version}: "
            "install the same on both"
        )
    trained = _sweep(cell, untrained=False)
    if not cell.options.control:
        return trained
    return replace(trained, control=_sweep(cell, untrained=True).summary)


def _sweep(cell: Cell, untrained: bool) -> Measured:
    from layerlab.hooks import target_activations
    from layerlab.investigation import family_by_hand, find_targets
    from layerlab.sweeps import laminar_sweep

    options = cell.options
    model, tokenizer, found = _load(_of_the_model(cell, untrained), cell.weights, untrained)
    if found != cell.weights:
        raise ModelError(
            f"the files of the model {options.model!r} are others (SHA-256 {found[:12]}…) than "
            f"when the atlas began ({cell.weights[:12]}…): leave them as they are, and the same "
            "on every machine"
        )
    token_ids, positions, first = find_targets(model, tokenizer, cell.article.text, options)
    activations = target_activations(
        model, token_ids, first, family=family_by_hand(options)
    )  # (2, n_layers, n, width)
    estimator = {"n_neighbors": options.n_neighbors, "seed": options.seed}
    _, summary = laminar_sweep(activations, first, **estimator)
    sizes = (len(token_ids), len(positions), len(first), activations.shape[-1])
    return Measured(model.version, *sizes, summary)


def _of_the_model(cell: Cell, untrained: bool) -> Options:
    """The options as they would be for any other cell of the same model."""
    names = NOT_OF_THE_MODEL if untrained else (*NOT_OF_THE_MODEL, "seed")
    usual: dict[str, Any] = {o.name: o.default for o in fields(Options) if o.name in names}
    return replace(cell.options, model=cell.place, **usual)


@lru_cache(maxsize=2)  # a model serves many cells, and so does its untrained copy
def _load(
    options: Options, wanted: str, untrained: bool
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase, str]":
    """The model, and the weights that it was made of; a worker may outlive those `wanted` once."""
    from layerlab.investigation import load_asked

    _, weights = find_model(str(options.model))
    return *load_asked(options, untrained=untrained), weights
