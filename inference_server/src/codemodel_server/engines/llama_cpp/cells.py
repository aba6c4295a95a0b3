"""How many tokens the attention memory is made for."""

from codemodel_delivery.gguf.room import cells_within, contexts, limit_for
from codemodel_server.errors import LoadError


def cell_count(
    context_length: int, parallel: int, bytes_per_cell: int, weight_bytes: int, memory_limit: int | None
) -> int:
    """The tokens that there is room for: those of all sequences together, and those that are read beside them.

    That is a whole context for each, unless the memory limit does not allow it: sequences seldom fill theirs, and one
    that cannot be finished yet waits, so less is enough. One whole context has to fit.

    Args:
        context_length: tokens of one sequence.
        parallel: sequences.
        bytes_per_cell: what a token takes.
        weight_bytes: what the model takes.
        memory_limit: what the process may take; None is without limit.

    Raises:
        LoadError: there is no room for one context.
    """
    wanted = context_length * contexts(parallel)
    if memory_limit is None or bytes_per_cell == 0:
        return wanted
    cells = min(wanted, cells_within(memory_limit, weight_bytes, bytes_per_cell))
    if cells < context_length:
        needed = limit_for(weight_bytes, context_length, bytes_per_cell)
        raise LoadError(
            f"a context of {context_length} tokens does not fit: model and context need {needed / 2**20:.0f} MiB, "
            f"and the memory limit is {memory_limit / 2**20:.0f} MiB: raise the limit, or lower the context length"
        )
    return cells


def cells_for_prefill(cells: int, context_length: int, parallel: int) -> int:
    """How many of the tokens are set apart for reading long prompts beside the streams: those of one sequence.

    None where there are no others, or where they would keep less than half of what they want.

    Args:
        cells: tokens that there is room for in all.
        context_length: tokens of one sequence.
        parallel: sequences.
    """
    left = cells - context_length
    wanted = contexts(parallel) > parallel
    return context_length if wanted and 2 * left >= context_length * parallel else 0
