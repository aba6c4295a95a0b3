"""How many tokens a memory limit leaves room for: the server's rule, and so what has to be asked for it."""

# Python, the HTTP server, llama.cpp's compute buffers for a batch of 512 tokens; measured with a 1.1 B model.
_BESIDE_BYTES = 192 << 20
# Percent of the limit: the rest is left for what comes and goes.
_USABLE = 95


def contexts(parallel: int) -> int:
    """How many whole contexts a server wants room for: one for each sequence that is decoded with others, and one in
    which long prompts are read beside them.
    """
    return parallel + 1 if parallel > 1 else parallel


def limit_for(weight_bytes: int, cells: int, bytes_per_cell: int) -> int:
    """The memory limit, in bytes, with which a server makes room for so many tokens."""
    # Rounded up in whole numbers, so that it is never a byte too little.
    return -(-100 * (weight_bytes + _BESIDE_BYTES + cells * bytes_per_cell) // _USABLE)


def cells_within(limit: int, weight_bytes: int, bytes_per_cell: int) -> int:
    """The tokens, of all sequences together, that a server makes room for within a limit in bytes."""
    free = limit * _USABLE // 100 - weight_bytes - _BESIDE_BYTES
    return max(0, free) // bytes_per_cell
