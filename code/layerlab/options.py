"""What an investigation is asked for, said once: its defaults, its limits and what each means."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from layerlab._validate import N_SEEDS, is_whole
from layerlab.errors import LayerlabError

DESIGNS = ("worksheet", "fixed-past")
CONTROLS = ("untrained", "permuted", "own-past")

# The words that the exercises follow through the article, for a course of another subject to
# change: a common one (exercises 4 to 7), another (3 and 9), and one that comes all the time (8).
# The chapters have their own, the default below.
TARGET, OTHER_TARGET, FREQUENT_TARGET = " coffee", " cup", " is"


def _number(default: int, least: int, meaning: str) -> Any:
    """A whole number among the options, with the least that makes sense and what it means."""
    return field(default=default, metadata={"least": least, "meaning": meaning})


def _text(default: str, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True)
class Options:
    """What an investigation is asked for; the command's options are made of these.

    Parameters
    ----------
    model, article, target : str
        As `load_model`, `load_article` and `target_positions` take them.
    refresh : bool
        Of the article, as `load_article` takes it.
    n_targets : int
        The first targets, compared pair by pair; the design ``"fixed-past"`` takes all.
    block : int
        The block of parts 4 and 5, counted from 0.
    n_context : int
        Tokens before the target in each sequence of part 7.
    n_sequences : int
        Sequences of part 7, at most.
    n_neighbors : int
        Of the estimator of mutual information.
    seed : int
        Of every random draw: tie-breaking noise, untrained weights.
    dtype, device : str
        Of the model, as `load_model` takes them.
    blocks, attention, mlp : str
        Where a model of an architecture that layerlab does not know keeps its list of blocks, and
        in a block the modules whose outputs are added to the residual stream: all three, or none.
    control : bool
        Also run the same model with freshly drawn weights.
    design : str
        ``"worksheet"``: the first targets, all in one pass over the article, as the seven parts
        have it. ``"fixed-past"``: each target at the end of a window of its own, so that position
        and length of the past are the same for all.
    controls : str
        What the trained model is compared with, several draws of each: some of ``untrained``,
        ``permuted`` and ``own-past``, separated by commas. See `layerlab.compare`.
    n_draws : int
        Draws of each of these controls.
    n_past : int
        Tokens before each target in the design ``"fixed-past"``.

    Raises
    ------
    LayerlabError
        If a number is none, or too small or too large to make sense, or a text is no text, or of
        the three paths some are named and others not.

    Examples
    --------
    >>> Options(n_targets=5).n_targets
    5
    >>> Options(n_neighbors=0)
    Traceback (most recent call last):
    layerlab.errors.LayerlabError: n_neighbors = 0 is not a whole number from 1 to 4294967295
    """

    model: str = _text(
        "embedded",
        "embedded, smollm2, a folder, a .gguf file, or name[@revision] on Hugging Face",
    )
    article: str = _text(
        "embedded",
        "embedded, a text file, wikipedia:Title, wikipedia:de:Titel, or a wiki page's address",
    )
    refresh: bool = field(
        default=False, metadata={"meaning": "read a wiki's article anew, even if it was kept"}
    )
    target: str = _text(" coffee", "one token, with its leading space")
    block: int = _number(3, 0, "block of parts 4 and 5, counted from 0")
    n_targets: int = _number(10, 2, "how many of the first targets the worksheet compares")
    n_sequences: int = _number(100, 4, "how many targets part 7 takes at most")
    n_context: int = _number(9, 1, "tokens before each target in part 7")
    n_neighbors: int = _number(3, 1, "k of the k-nearest-neighbour estimator")
    seed: int = _number(0, 0, "seed of every random draw")
    dtype: str = _text("float32", "float32, bfloat16 or float16")
    device: str = _text("cpu", "cpu, cuda or mps")
    blocks: str = _text("", "path of the list of blocks, for an architecture that is not known")
    attention: str = _text("", "path of attention's last module in a block")
    mlp: str = _text("", "path of the MLP's last module in a block")
    control: bool = field(
        default=True, metadata={"meaning": "measure an untrained copy of the model too"}
    )
    design: str = _text("worksheet", "worksheet (the seven parts) or fixed-past")
    controls: str = _text("", "untrained, permuted, own-past: some of them, separated by commas")
    n_draws: int = _number(5, 1, "draws of each of these controls")
    n_past: int = _number(255, 1, "tokens before each target where the past is fixed")

    def __post_init__(self) -> None:
        for option in fields(self):
            value, default = getattr(self, option.name), option.default
            if "least" in option.metadata:
                if not is_within(value, option.metadata["least"]):
                    limits = describe_limits(option.metadata["least"])
                    raise LayerlabError(f"{option.name} = {value!r} is not {limits}")
            elif not isinstance(value, (str, Path) if isinstance(default, str) else bool):
                kind = "text" if isinstance(default, str) else "True or False"
                raise LayerlabError(f"{option.name} = {value!r} should be {kind}")
        self._check_paths()
        if self.design not in DESIGNS:
            raise LayerlabError(f"design = {self.design!r} is none of {', '.join(DESIGNS)}")
        for name in self.control_names:
            if name not in CONTROLS:
                raise LayerlabError(
                    f"controls = {self.controls!r} holds {name!r}: name some of "
                    f"{', '.join(CONTROLS)}, separated by commas"
                )

    @property
    def control_names(self) -> tuple[str, ...]:
        """What `controls` names, each once."""
        names = (name.strip() for name in self.controls.split(",") if name.strip())
        return tuple(dict.fromkeys(names))

    def _check_paths(self) -> None:
        paths = {"blocks": self.blocks, "attention": self.attention, "mlp": self.mlp}
        if any(paths.values()) and not all(paths.values()):
            missing = " and ".join(name for name, path in paths.items() if not path)
            raise LayerlabError(
                f"of {paths}, {missing} should be named, too: give all three, or none"
            )


def is_within(value: object, least: int) -> bool:
    """Whether a value is a whole number within the limits of an option."""
    return is_whole(value) and least <= value < N_SEEDS


def describe_limits(least: int) -> str:
    """What an option that is a number takes, in words."""
    return f"a whole number from {least} to {N_SEEDS - 1}"
