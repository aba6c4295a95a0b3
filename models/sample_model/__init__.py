"""sample-coder: a tiny code model with random weights, the same bytes on every machine.

It answers with printable nonsense, and has all that a real model file has: a byte-level BPE tokenizer trained on
Python, tokens for filling in the middle, a chat template.
"""
