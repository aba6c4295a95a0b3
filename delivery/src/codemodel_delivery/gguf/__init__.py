"""What a model needs, read from the first megabytes of its GGUF file."""
