"""Serves a GGUF code model over HTTP, and fetches it."""

__version__ = "0.1.0"
