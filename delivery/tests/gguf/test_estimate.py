"""The estimate's rules; inference_server/tests/engines/llama_cpp/test_estimate.py holds it against a server."""

from dataclasses import replace

import pytest
from gguf import GGMLQuantizationType

from codemodel_delivery.gguf.estimate import (
    AMX,
    ANY_PROCESSOR,
    X86_64,
    bytes_per_cell,
    cell_count,
    required_memory,
)
from codemodel_delivery.gguf.tensors import Tensor
from codemodel_delivery.gguf.types import TENSOR_TYPES
from delivery.tests.gguf.models import TOKENS, WIDTH, header_of, model

_PLAIN = header_of(model())
_Q4 = header_of(model(kind=GGMLQuantizationType.Q4_K))
_EMBEDDING = 144 * len(TOKENS)  # its bytes in blocks of 256 numbers, which is a row
_NORMS = 2 * WIDTH * 4


@pytest.mark.parametrize(
    ("context", "parallel", "cells"), [(512, 2, 1536), (100, 3, 512), (2048, 1, 2048), (9999, 2, 6144)]
)
def test_cells_are_of_all_contexts_and_one_for_reading_within_the_trained_one(
    context: int, parallel: int, cells: int
) -> None:
    assert cell_count(_PLAIN, context, parallel) == cells


@pytest.mark.parametrize(
    ("kv_heads", "kind", "size"),
    [
        (2, "f16", 2 * 2 * 2 * 64),
        (8, "f16", 2 * 2 * 8 * 64),
        ([0, 4], "F16", 2 * 4 * 64),
        (2, "q8_0", 2 * 2 * 2 * 34),
    ],
)
def test_a_cell_holds_a_key_and_a_value_for_each_head(
    kv_heads: int | list[int], kind: str, size: int
) -> None:
    # Two layers, and heads of 32 numbers each.
    header = header_of(model(kv_heads=kv_heads))
    assert bytes_per_cell(header, kind) == size
    assert required_memory(header, 1024, 2, kv_type=kind).kv == 3072 * size


def test_a_type_that_keys_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="use f16 or q8_0"):
        bytes_per_cell(_PLAIN, "f17")


def test_weights_count_once_though_the_file_is_read_to_copy_them() -> None:
    estimate = required_memory(_Q4, 512, 1, copies=X86_64)
    assert estimate.weights == _Q4.weight_bytes
    assert estimate.reclaimable == _Q4.weight_bytes - _EMBEDDING - _NORMS
    assert required_memory(_PLAIN, 512, 1, copies=X86_64).reclaimable == 0


def test_a_matrix_that_is_looked_up_and_multiplied_by_counts_twice_if_it_is_copied() -> None:
    tied = header_of(model(kind=GGMLQuantizationType.Q4_K, tied=True))
    assert required_memory(tied, 512, 1, copies=X86_64).weights == tied.weight_bytes + _EMBEDDING
    plain = header_of(model(tied=True))
    assert required_memory(plain, 512, 1).weights == plain.weight_bytes


def test_an_unknown_processor_is_expected_to_take_the_most() -> None:
    kinds = {kind.name: kind for kind in TENSOR_TYPES.values()}
    for copies in (X86_64, AMX):
        assert all(ANY_PROCESSOR[name] >= size for name, size in copies.items())
    assert all(size >= kinds[name].size for name, size in ANY_PROCESSOR.items())
    assert required_memory(_Q4, 512, 1).total > required_memory(_Q4, 512, 1, copies=X86_64).total


@pytest.mark.parametrize(
    ("tensors", "at_once"),
    [
        ({"ffn_up": 1, "ffn_gate": 1}, 3),
        ({"ffn_up": 2}, 3),
        ({}, 3),
        ({"ffn_up": 1}, 1),
    ],
    ids=["gate", "gate and up in one", "nothing told", "no gate"],
)
def test_a_feed_forward_part_without_a_gate_is_computed_in_less(
    tensors: dict[str, int], at_once: int
) -> None:
    def compute(inner: int) -> int:
        more = (_matrix(f"blk.0.{name}.weight", inner * times) for name, times in tensors.items())
        header = replace(_PLAIN, feed_forward_length=inner, tensors=(*_PLAIN.tensors, *more))
        return required_memory(header, 512, 1).compute

    # So wide that attention does not count: 32 bits of each, and 16 of what the product begins with.
    assert compute(9000) - compute(8000) == 1000 * 512 * (4 * at_once + 2)


def _matrix(name: str, rows: int) -> Tensor:
    return Tensor(name, TENSOR_TYPES[1], (WIDTH, rows), WIDTH * rows * 2)


def test_what_grows_the_model_or_its_use_grows_the_estimate() -> None:
    least = required_memory(_PLAIN, 512, 1)
    assert least.total == least.weights + least.kv + least.compute + least.beside
    assert required_memory(_PLAIN, 1024, 1).compute > least.compute
    assert required_memory(_PLAIN, 512, 2).compute > least.compute
    assert required_memory(_PLAIN, 512, 1, threads=64).compute > least.compute
    experts = {"llama.expert_used_count": 4, "llama.expert_feed_forward_length": 512}
    assert required_memory(header_of(model(numbers=experts)), 512, 1).compute > least.compute
