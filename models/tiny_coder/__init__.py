"""tiny-coder: a code model of a few million parameters, trained from scratch by the scripts here.

It exists so that a machine without any network serves a model that writes real Python. `python -m models.tiny_coder
--help` says how it is trained, written as GGUF and measured; README.md is its model card.
"""
