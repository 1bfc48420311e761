"""Activations of language models, measured: distance, mutual information, token position."""
