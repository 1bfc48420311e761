"""Where each family of models keeps its blocks, and what attention and MLP add to the stream."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerlab.errors import ModelError

if TYPE_CHECKING:
    from torch import nn
    from transformers import PretrainedConfig, PreTrainedModel

COMPONENTS = ("att", "mlp")
CONTEXT_NAMES = ("n_positions", "max_position_embeddings", "seq_length")  # the first that is there


@dataclass(frozen=True)
class Refusal:
    """A setting under which no module's output is what is added to the residual stream."""

    setting: str
    value: object
    reason: str


@dataclass(frozen=True)
class Family:
    """Where the models of one type keep what is recorded of them.

    Parameters
    ----------
    blocks : str
        Path of the list of blocks in the model without its head.
    attention, mlp : str
        Paths in a block, of the modules whose outputs are added to the residual stream: the last
        projection, or the norm that stands behind it.
    refusals : tuple of Refusal
    """

    blocks: str
    attention: str
    mlp: str
    refusals: tuple[Refusal, ...] = ()


_LLAMA = Family("layers", "self_attn.o_proj", "mlp.down_proj")
_NORM_BEHIND = Family("layers", "post_attention_layernorm", "post_feedforward_layernorm")

FAMILIES = {  # by the model_type of config.json
    "bloom": Family(
        "h",
        "self_attention.dense",
        "mlp.dense_4h_to_h",
        (
            Refusal(
                "apply_residual_connection_post_layernorm",
                True,
                "its blocks put a norm of the residual stream in the stream's place, so that a "
                "block changes it by more than attention and MLP add",
            ),
            Refusal(
                "slow_but_exact",
                True,
                "it multiplies by slices of its projections' weights and never runs the "
                "projections themselves",
            ),
        ),
    ),
    "falcon": Family("h", "self_attention.dense", "mlp.dense_4h_to_h"),  # most are side by side
    "gemma": _LLAMA,
    "gemma2": _NORM_BEHIND,
    "gemma3_text": _NORM_BEHIND,
    "gpt2": Family("h", "attn.c_proj", "mlp.c_proj"),
    "gpt_neo": Family("h", "attn.attention.out_proj", "mlp.c_proj"),
    "gpt_neox": Family("layers", "attention.dense", "mlp.dense_4h_to_h"),  # side by side by config
    "gptj": Family("h", "attn.out_proj", "mlp.fc_out"),  # side by side
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "olmo": _LLAMA,
    "olmo2": _NORM_BEHIND,
    "opt": Family(
        "decoder.layers",
        "self_attn.out_proj",
        "fc2",
        (
            Refusal(
                "do_layer_norm_before",
                False,
                "its norms stand behind the sums and change the whole residual stream, so that a "
                "block changes it by more than attention and MLP add",
            ),
        ),
    ),
    "phi": Family("layers", "self_attn.dense", "mlp.fc2"),  # side by side
    "phi3": _LLAMA,
    "qwen2": _LLAMA,
    "qwen3": _LLAMA,
}


def find_family(config: "PretrainedConfig", whose: str) -> Family:
    """The row of the table for a configuration.

    Parameters
    ----------
    config : transformers.PretrainedConfig
    whose : str
        What an error calls the model.

    Raises
    ------
    ModelError
        If no row is known for this type of model, or its settings leave nothing to record.
    """
    kind = getattr(config, "model_type", None)
    if kind not in FAMILIES:
        raise ModelError(
            f"{whose} is of the architecture {kind!r}, and layerlab knows where attention and MLP "
            f"hand over what they add in {', '.join(FAMILIES)}: give one of these, or name the "
            f"modules of yours by --blocks, --attention and --mlp, in Python by "
            "family=Family(blocks, attention, mlp) of layerlab.families"
        )
    family = FAMILIES[kind]
    for refusal in family.refusals:
        if getattr(config, refusal.setting, None) == refusal.value:
            raise ModelError(
                f"{whose} ({kind}) has {refusal.setting} = {refusal.value!r}: {refusal.reason}, "
                f"so give a {kind} without this setting, or another model"
            )
    return family


def find_blocks(model: "PreTrainedModel", family: Family | None = None) -> "nn.ModuleList":
    """The list of a model's blocks.

    Parameters
    ----------
    model : transformers.PreTrainedModel
    family : Family, optional
        Where they are; by default what the table says of its type.

    Raises
    ------
    ModelError
        If the model's family is not known, or it has no blocks where its family has them.
    """
    path = (family or _family_of(model)).blocks
    blocks = _follow(model.base_model, path, model)
    if not hasattr(blocks, "__getitem__") or not len(blocks):
        raise ModelError(
            f"{path!r} of a {type(model).__name__} is a {type(blocks).__name__} and no list of "
            "blocks: give the path of the list"
        )
    return blocks


def find_outputs(model: "PreTrainedModel", family: Family | None = None) -> "dict[str, nn.Module]":
    """The modules whose outputs are added to the residual stream, ``att_0`` … and ``mlp_0`` …

    Parameters
    ----------
    model, family
        As for `find_blocks`.

    Raises
    ------
    ModelError
        As `find_blocks`.
    """
    family = family or _family_of(model)
    blocks = find_blocks(model, family)
    return {
        f"{component}_{i}": _follow(block, path, model)
        for component, path in zip(COMPONENTS, (family.attention, family.mlp), strict=True)
        for i, block in enumerate(blocks)
    }


def context_length(model: "PreTrainedModel") -> int | None:
    """Tokens that a model can see in one pass; None where it sets no limit, as BLOOM."""
    lengths = (getattr(model.config, name, None) for name in CONTEXT_NAMES)
    return next((length for length in lengths if length is not None), None)


def check_mode(model: "PreTrainedModel") -> None:
    """Refuse a model that drops parts of its activations at random.

    Raises
    ------
    ModelError
        If the model is in training mode and has any dropout.
    """
    if model.training and any(
        "drop" in name and isinstance(value, float) and value > 0
        for name, value in model.config.to_dict().items()
    ):
        raise ModelError(
            f"the {type(model).__name__} is in training mode and drops activations at random, so "
            "that no two passes are alike: call model.eval() first"
        )


def _family_of(model: "PreTrainedModel") -> Family:
    return find_family(getattr(model, "config", None), f"a {type(model).__name__}")


def _follow(module: "nn.Module", path: str, model: "PreTrainedModel") -> "nn.Module":
    try:
        return module.get_submodule(path)
    except AttributeError as error:
        names = ", ".join(name for name, _ in module.named_children())
        raise ModelError(
            f"a {type(model).__name__} has no {path!r} in its {type(module).__name__} ({error}), "
            f"which begins with {names}: give a path that it has, or a causal model"
        ) from error
