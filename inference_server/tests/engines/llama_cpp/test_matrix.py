"""Our matrix kernels, asked through ggml as llama.cpp asks them, against products in 64 bits."""

import ctypes
import platform

import numpy as np
import numpy.typing as npt
import pytest

from inference_server.tests.engines.llama_cpp.ggml import F32, Q4_K, Q6_K, Array, graph, library, weights

BLOCK = 256
COLUMNS = {Q4_K: 40, Q6_K: 48}
"""Neither comes out even: half a panel of sixteen is left over, and one that has none beside it."""
WIDTH = 2 * BLOCK

CLOSE = 1e-6
"""Of the largest sum that there could be: what 32 bits leave of two blocks, which are exact integers."""

# block_q4_K and block_q6_K in ggml-common.h.
BLOCKS = {
    Q4_K: np.dtype([("d", "f2"), ("dmin", "f2"), ("scales", "u1", 12), ("quants", "u1", 128)]),
    Q6_K: np.dtype([("low", "u1", 128), ("high", "u1", 64), ("scales", "i1", 16), ("d", "f2")]),
}
KINDS = pytest.mark.parametrize("kind", [Q4_K, Q6_K], ids=["Q4_K", "Q6_K"])


def random_blocks(kind: int, count: int) -> npt.NDArray[np.void]:
    """Blocks of which each bit is as likely as another, apart from what they are scaled by."""
    random = np.random.default_rng(0)
    blocks = np.frombuffer(random.bytes(count * BLOCKS[kind].itemsize), BLOCKS[kind]).copy()
    for scale in {"d", "dmin"} & set(BLOCKS[kind].names or ()):
        blocks[scale] = random.normal(0, 0.01, count)
    return blocks


def activations(rows: int, width: int = WIDTH) -> Array:
    """Integers that quantize to themselves, since the largest of each block is 127."""
    numbers = np.random.default_rng(1).integers(-127, 128, (rows, width)).astype(float)
    numbers[:, ::BLOCK] = 127
    return numbers


def numbers_of(kind: int, blocks: npt.NDArray[np.void], columns: int) -> Array:
    """What the blocks stand for by ggml's own reading of them, shape (columns, numbers)."""
    numbers = np.empty(len(blocks) * BLOCK, np.float32)
    read = library("base").dequantize_row_q4_K if kind == Q4_K else library("base").dequantize_row_q6_K
    read(blocks.tobytes(), ctypes.c_void_p(numbers.ctypes.data), ctypes.c_int64(numbers.size))
    return numbers.astype(float).reshape(columns, -1)


def product(kind: int, blocks: npt.NDArray[np.void], columns: int, by: Array, threads: int = 1) -> Array:
    """What ggml's graph with this one node gives, shape (..., rows, columns)."""
    with graph() as made, weights(kind, (columns, by.shape[-1]), blocks.tobytes()) as matrix:
        node = made.node("ggml_mul_mat", matrix, made.tensor(by, F32))
        return made.compute(node, (*by.shape[:-1], columns), threads)


def off(kind: int, blocks: npt.NDArray[np.void], columns: int, by: Array, threads: int = 1) -> float:
    """How far off ggml's answer is at most, as a part of the largest sum that there could be."""
    numbers = numbers_of(kind, blocks, columns)
    wrong = np.abs(product(kind, blocks, columns, by, threads) - by @ numbers.T).max()
    return float(wrong / (np.abs(by) @ np.abs(numbers).T).max())


@pytest.mark.parametrize("name", ["codemodel_gemm_q4_K", "codemodel_gemv_q4_K", "codemodel_mul_mat"])
def test_they_are_part_of_the_library_for_x86(name: str) -> None:
    assert hasattr(library("cpu"), name) == (platform.machine().lower() in ("x86_64", "amd64"))


@KINDS
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 7, 8, 11, 12, 16, 17, 30, 64, 127, 130, 261])
def test_rows_and_threads(kind: int, rows: int, threads: int) -> None:
    blocks = random_blocks(kind, COLUMNS[kind] * WIDTH // BLOCK)
    assert off(kind, blocks, COLUMNS[kind], activations(rows), threads) < CLOSE


@KINDS
@pytest.mark.parametrize("rows", [1, 16])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("bits", [0, 255])
def test_sums_are_exact_where_they_are_largest(kind: int, rows: int, sign: int, bits: int) -> None:
    """All that is added up in 16 bits has the same sign, and all that it is scaled by."""
    blocks = random_blocks(kind, 16)
    for name in BLOCKS[kind].names or ():
        scales = 127 if kind == Q6_K else 255
        blocks[name] = 1 if blocks[name].dtype == np.float16 else scales if name == "scales" else bits
    assert off(kind, blocks, 16, np.full((rows, BLOCK), 127.0 * sign)) < CLOSE


@KINDS
def test_a_matrix_as_large_as_a_model_s(kind: int) -> None:
    columns, width = 1024, 5632
    blocks = random_blocks(kind, columns * width // BLOCK)
    assert off(kind, blocks, columns, activations(20, width), 2) < CLOSE


@pytest.mark.parametrize(("columns", "shape"), [(24, (5, WIDTH)), (48, (3, 5, WIDTH))])
def test_what_they_are_not_made_for_is_left_to_ggml(columns: int, shape: tuple[int, ...]) -> None:
    """Columns that do not come by sixteens, and more than one matrix of activations."""
    blocks = random_blocks(Q6_K, columns * WIDTH // BLOCK)
    by = activations(int(np.prod(shape[:-1]))).reshape(shape)
    assert off(Q6_K, blocks, columns, by, 2) < CLOSE
