"""Small models with random weights, for probes that need one: GPT-2's wiring, and Llama's."""

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

N_VOCABULARY, N_CONTEXT = 30, 24


def small_gpt2(
    n_layers: int, n_heads: int, width: int, rng: np.random.Generator
) -> GPT2LMHeadModel:
    """A GPT-2 that gives the same outputs on every machine, for the same generator."""
    sizes = {"n_layer": n_layers, "n_head": n_heads, "n_embd": width, "n_positions": N_CONTEXT}
    ids = {"vocab_size": N_VOCABULARY, "bos_token_id": 0, "eos_token_id": 0}
    return _drawn(GPT2LMHeadModel, GPT2Config(**sizes, **ids), rng)


def small_llama(
    n_layers: int, n_heads: int, width: int, rng: np.random.Generator
) -> LlamaForCausalLM:
    """The same with another wiring, other names of its parts, and matrices the other way round."""
    sizes = {"num_hidden_layers": n_layers, "num_attention_heads": n_heads, "hidden_size": width}
    sizes |= {"intermediate_size": 2 * width, "max_position_embeddings": N_CONTEXT}
    return _drawn(LlamaForCausalLM, LlamaConfig(vocab_size=N_VOCABULARY, **sizes), rng)


def _drawn(kind, config, rng):
    """A model whose weights NumPy draws; nobody's random numbers go on by that."""
    with torch.random.fork_rng(devices=[]):
        model = kind(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.copy_(torch.as_tensor(rng.normal(0, 0.5, weights.shape)))
    return model
