"""How large the attention memory is."""

from pathlib import Path

import pytest

from codemodel_server.engines.llama_cpp.cells import cell_count, cells_for_prefill
from codemodel_server.engines.llama_cpp.engine import LlamaCppEngine
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.errors import LoadError

GIB = 1 << 30
# CodeLlama 7B, Q4_K_M.
CELL, WEIGHTS = 512 << 10, int(3.8 * GIB)


def test_all_contexts_and_one_for_reading_fit_where_there_is_memory() -> None:
    assert cell_count(4096, 4, CELL, WEIGHTS, None) == 5 * 4096
    assert cell_count(4096, 4, CELL, WEIGHTS, 16 * GIB) == 5 * 4096
    assert cell_count(4096, 1, CELL, WEIGHTS, None) == 4096


def test_a_limit_makes_it_smaller_but_one_context_has_to_fit() -> None:
    assert 4096 < cell_count(4096, 4, CELL, WEIGHTS, 8 * GIB) < 8192
    with pytest.raises(
        LoadError, match="memory limit is 5120 MiB: raise the limit, or lower the context length"
    ):
        cell_count(4096, 4, CELL, WEIGHTS, 5 * GIB)


def test_one_context_is_for_reading_unless_the_others_would_keep_less_than_half() -> None:
    assert cells_for_prefill(5 * 4096, 4096, 4) == 4096
    assert cells_for_prefill(3 * 4096, 4096, 4) == 4096
    assert cells_for_prefill(3 * 4096 - 1, 4096, 4) == 0
    assert cells_for_prefill(4096, 4096, 1) == 0


def test_the_size_of_a_cell_is_that_of_the_model(small_model: Path) -> None:
    model = NativeModel(small_model)
    # Two layers of three heads of 32 numbers, keys and values, 16 bits each.
    assert model.bytes_per_cell == 2 * 3 * 32 * 2 * 2
    model.close()


def test_a_limit_that_is_too_low_is_said_at_load(small_model: Path) -> None:
    with pytest.raises(LoadError, match="memory limit"):
        LlamaCppEngine(small_model, 512, 4, 1, memory_limit=100 << 20).load()
