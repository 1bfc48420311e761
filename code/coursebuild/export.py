"""The embedded model as an ONNX graph, for the laboratory that runs it in a reader's browser.

The graph holds no weights: it names places in the model's own file, which lies beside it. So each
weight is stored once, and who gives the graph another file of the same layout runs another model.
The weights stay in half precision there; all that is computed is computed in single precision.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = "model.safetensors"
PREFIX = "transformer."
OPSET = 20  # the first with the tanh form of Gelu
NEVER = np.float32(-1e30)  # of a score: no weight is left for it
INPUTS = {  # name: (type, shape)
    "token_ids": (TensorProto.INT64, (1, "n_tokens")),
    "rows": (TensorProto.INT64, ("n_rows",)),
    "asked": (TensorProto.INT64, ("n_asked",)),
    "where": (TensorProto.FLOAT, ("n_tokens",)),
    "gain": (TensorProto.FLOAT, (2, "n_layers")),
    "instead": (TensorProto.FLOAT, (2, "n_layers", "width")),
    "head_gain": (TensorProto.FLOAT, ("n_layers", "n_heads")),
    "head_instead": (TensorProto.FLOAT, ("n_layers", "n_heads", "head_width")),
}
OUTPUTS = {
    "components": (2, "n_layers", "n_rows", "width"),
    "heads": ("n_layers", "n_heads", "n_rows", "head_width"),
    "logits": ("n_asked", "n_vocabulary"),
    "attention": ("n_layers", "n_heads", "n_asked", "n_tokens"),
}


def export(folder: Path) -> bytes:
    """Make the graph of a model of GPT-2's architecture.

    Parameters
    ----------
    folder : Path
        With its `config.json` and `model.safetensors`; what the graph is run with must lie beside
        it under the latter's name.

    Returns
    -------
    bytes
        The graph. Its inputs:

        ``token_ids`` (1, n_tokens)
            The text.
        ``rows`` (n_rows,)
            Positions whose ``components`` and ``heads`` are wanted.
        ``asked`` (n_asked,)
            Positions whose ``logits`` and ``attention`` are wanted.
        ``where`` (n_tokens,)
            1 at the positions where the switches below work, 0 elsewhere.
        ``gain`` (2, n_layers)
            Of attention and MLP in each block: 1 on, 0 off.
        ``instead`` (2, n_layers, width)
            Is added to what they hand over: zero, or what stands in their place.
        ``head_gain``, ``head_instead`` (n_layers, n_heads[, head_width])
            The same of each head, before the projection.

        Its outputs: ``components`` (2, n_layers, n_rows, width), what attention and MLP add to the
        residual stream; ``heads`` (n_layers, n_heads, n_rows, head_width), what each head gives to
        the projection, switched or not; ``logits`` (n_asked, n_vocabulary); ``attention``
        (n_layers, n_heads, n_asked, n_tokens), the weights of all tokens.
    """
    config = json.loads((folder / "config.json").read_text("utf-8"))
    return _Writer(config, folder / WEIGHTS).graph().SerializeToString()


class _Writer:
    """The nodes of the graph, as they are added one after another."""

    def __init__(self, config: dict, weights: Path):
        self.n_layers, self.n_heads = config["n_layer"], config["n_head"]
        self.width = config["n_embd"]
        self.epsilon = config["layer_norm_epsilon"]
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.sizes = {
            "n_layers": self.n_layers,
            "n_heads": self.n_heads,
            "width": self.width,
            "head_width": self.width // self.n_heads,
            "n_vocabulary": config["vocab_size"],
        }
        with weights.open("rb") as file:
            n_header = int.from_bytes(file.read(8), "little")
            self.tensors = json.loads(file.read(n_header))
        self.data_start = 8 + n_header

    def graph(self) -> onnx.ModelProto:
        self._write_model()
        inputs = [self._value(name, *kind) for name, kind in INPUTS.items()]
        outputs = [self._value(name, TensorProto.FLOAT, shape) for name, shape in OUTPUTS.items()]
        graph = helper.make_graph(
            self.nodes, "model", inputs, outputs, list(self.constants.values())
        )
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=9)

    # ---- the architecture --------------------------------------------------------------------

    def _write_model(self) -> None:
        n_tokens = self.op("Shape", "token_ids", start=1, end=2)
        count = self.op("Squeeze", n_tokens)
        places = self.op("Range", self.constant(0), count, self.constant(1))  # (n_tokens,)
        self.bias_of_order = self._mask(places)
        self.switched = self.op("Unsqueeze", "where", self.constant([1]))  # (n_tokens, 1)
        tokens = self.op("Squeeze", "token_ids", self.constant([0]))
        words = self._single(self.op("Gather", self.stored("wte.weight"), tokens))
        order = self._single(self.op("Gather", self.stored("wpe.weight"), places))
        stream = self.op("Add", words, order)  # (n_tokens, width)
        kept: dict[str, list[str]] = {name: [] for name in ("att", "mlp", "heads", "maps")}
        for block in range(self.n_layers):
            added = self._attention(stream, block, kept)
            stream = self.op("Add", stream, added)
            kept["att"].append(added)
            added = self._mlp(stream, block)
            stream = self.op("Add", stream, added)
            kept["mlp"].append(added)
        self._write_outputs(stream, kept)

    def _attention(self, stream: str, block: int, kept: dict[str, list[str]]) -> str:
        name, width = f"h.{block}.attn", self.width
        found = self._linear(self._norm(stream, f"h.{block}.ln_1"), f"{name}.c_attn")
        parts = self.op("Split", found, self.constant([width] * 3), n_outputs=3, axis=1)
        heads = self.constant([0, self.n_heads, width // self.n_heads])
        query, key, value = (self.op("Reshape", part, heads) for part in parts)
        query = self.op("Transpose", query, perm=[1, 0, 2])  # (n_heads, n_tokens, head_width)
        key = self.op("Transpose", key, perm=[1, 2, 0])  # (n_heads, head_width, n_tokens)
        value = self.op("Transpose", value, perm=[1, 0, 2])
        scale = self.constant(np.float32((width // self.n_heads) ** -0.5))
        scores = self.op("MatMul", self.op("Mul", query, scale), key)
        weights = self.op("Softmax", self.op("Add", scores, self.bias_of_order), axis=-1)
        kept["maps"].append(self.op("Gather", weights, "asked", axis=1))
        mixed = self.op("MatMul", weights, value)  # (n_heads, n_tokens, head_width)
        kept["heads"].append(self.op("Gather", mixed, "rows", axis=1))
        mixed = self.op("Transpose", mixed, perm=[1, 0, 2])
        here = self.op("Unsqueeze", self.switched, self.constant([2]))  # (n_tokens, 1, 1)
        gain = self.op("Unsqueeze", self._of_block("head_gain", block), self.constant([1]))
        mixed = self._switch(mixed, gain, self._of_block("head_instead", block), here)
        mixed = self.op("Reshape", mixed, self.constant([0, width]))
        return self._switch_component(self._linear(mixed, f"{name}.c_proj"), 0, block)

    def _mlp(self, stream: str, block: int) -> str:
        inner = self._linear(self._norm(stream, f"h.{block}.ln_2"), f"h.{block}.mlp.c_fc")
        inner = self.op("Gelu", inner, approximate="tanh")
        return self._switch_component(self._linear(inner, f"h.{block}.mlp.c_proj"), 1, block)

    def _write_outputs(self, stream: str, kept: dict[str, list[str]]) -> None:
        kinds = [self._stack(kept[name]) for name in ("att", "mlp")]  # (n_layers, n_tokens, width)
        both = self._stack(kinds)
        self.op("Gather", both, "rows", axis=2, output="components")
        self._stack(kept["heads"], output="heads")
        self._stack(kept["maps"], output="attention")
        asked = self._norm(self.op("Gather", stream, "asked"), "ln_f")
        self.op("Gemm", asked, self._single(self.stored("wte.weight")), transB=1, output="logits")

    def _mask(self, places: str) -> str:
        """What is added to scores: nothing for a token itself and those before it."""
        of_query = self.op("Unsqueeze", places, self.constant([1]))
        later = self.op("Greater", self.op("Unsqueeze", places, self.constant([0])), of_query)
        return self.op("Where", later, self.constant(NEVER), self.constant(np.float32(0)))

    # ---- switches ----------------------------------------------------------------------------

    def _switch_component(self, found: str, component: int, block: int) -> str:
        gain, instead = (
            self._of_block(self.op("Gather", name, self.constant(component)), block)
            for name in ("gain", "instead")
        )
        return self._switch(found, gain, instead, self.switched)

    def _switch(self, found: str, gain: str, instead: str, where: str) -> str:
        """``found`` where nothing is switched, ``gain * found + instead`` where something is."""
        less = self.op("Sub", gain, self.constant(np.float32(1)))
        change = self.op("Add", self.op("Mul", found, less), instead)
        return self.op("Add", found, self.op("Mul", change, where))

    def _of_block(self, name: str, block: int) -> str:
        return self.op("Gather", name, self.constant(block))

    # ---- parts -------------------------------------------------------------------------------

    def _norm(self, rows: str, name: str) -> str:
        gain, bias = (self.weight(f"{name}.{part}") for part in ("weight", "bias"))
        return self.op("LayerNormalization", rows, gain, bias, epsilon=self.epsilon)

    def _linear(self, rows: str, name: str) -> str:
        return self.op("Gemm", rows, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"))

    def _stack(self, parts: list[str], output: str | None = None) -> str:
        rows = [self.op("Unsqueeze", part, self.constant([0])) for part in parts]
        return self.op("Concat", *rows, axis=0, output=output)

    def _single(self, name: str) -> str:
        return self.op("Cast", name, to=TensorProto.FLOAT)

    # ---- nodes and constants -----------------------------------------------------------------

    def op(self, kind: str, *inputs: str, output=None, n_outputs=None, **attributes):
        """Add a node; return the name of its output, or a list of them."""
        names = [output or f"{kind}_{len(self.nodes)}"]
        if n_outputs:
            names = [f"{names[0]}_{i}" for i in range(n_outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names if n_outputs else names[0]

    def weight(self, name: str) -> str:
        """A stored weight in single precision; the session computes that once, when it starts."""
        return self._single(self.stored(name))

    def stored(self, name: str) -> str:
        """A weight where it lies in its file, in half precision."""
        if name not in self.constants:
            entry = self.tensors[PREFIX + name]
            start, end = entry["data_offsets"]
            tensor = TensorProto(
                name=name,
                data_type=TensorProto.FLOAT16,
                dims=entry["shape"],
                data_location=TensorProto.EXTERNAL,
            )
            place = {"location": WEIGHTS, "offset": self.data_start + start, "length": end - start}
            for key, value in place.items():
                tensor.external_data.add(key=key, value=str(value))
            self.constants[name] = tensor
        return name

    def constant(self, value) -> str:
        array = np.asarray(value)
        name = f"constant {array.dtype} {array.tolist()}"
        self.constants.setdefault(name, numpy_helper.from_array(array, name))
        return name

    def _value(self, name: str, kind: int, shape: tuple) -> onnx.ValueInfoProto:
        known = [self.sizes.get(size, size) for size in shape]
        return helper.make_tensor_value_info(name, kind, known)
