"""Graphs of ggml's, through which kernels are asked as llama.cpp asks them."""

import ctypes
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Pointer = ctypes.c_void_p

F32, F16, Q4_K, Q6_K = 0, 1, 12, 14
"""Kinds of numbers (ggml_type in ggml.h)."""

_STORED = {F32: np.float32, F16: np.float16}
_MEMORY = 1 << 27


class _Parameters(ctypes.Structure):
    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


@cache
def library(name: str) -> ctypes.CDLL:
    """One of the libraries that llama-cpp-python brings: `base` or `cpu`. Its functions give pointers."""
    importlib.import_module("codemodel_server.engines.llama_cpp.native.binding")
    return ctypes.CDLL(f"libggml-{name}.so.0")


def _call(name: str, *arguments: object, of: str = "base") -> Pointer:
    function = getattr(library(of), name)
    function.restype = ctypes.c_void_p
    return Pointer(function(*arguments))


@contextmanager
def _context(allocates: bool) -> Iterator[Pointer]:
    initialize = library("base").ggml_init
    initialize.restype, initialize.argtypes = ctypes.c_void_p, (_Parameters,)
    context = Pointer(initialize(_Parameters(_MEMORY, None, not allocates)))
    try:
        yield context
    finally:
        library("base").ggml_free(context)


class Graph:
    """What is computed, and of what.

    Args:
        context: memory of ggml's.
    """

    def __init__(self, context: Pointer) -> None:
        self._context = context

    def tensor(self, content: Array, kind: int) -> Pointer:
        """A tensor of numbers; its shape in ggml is the array's, the last dimension first."""
        stored = np.ascontiguousarray(content, _STORED[kind])
        made = _new(self._context, kind, stored.shape)
        ctypes.memmove(_call("ggml_get_data", made).value or 0, stored.ctypes.data, stored.nbytes)
        return made

    def node(self, operation: str, *arguments: object) -> Pointer:
        """An operation's tensor, by the name of ggml's function for it."""
        return _call(operation, self._context, *arguments)

    def compute(self, node: Pointer, shape: tuple[int, ...], threads: int) -> Array:
        """The numbers of a node, in 64 bits."""
        graph = self.node("ggml_new_graph")
        _call("ggml_build_forward_expand", graph, node)
        backend = _call("ggml_backend_cpu_init", of="cpu")
        _call("ggml_backend_cpu_set_n_threads", backend, threads, of="cpu")
        assert library("base").ggml_backend_graph_compute(backend, graph) == 0
        address = _call("ggml_get_data", node).value or 0
        numbers = np.ctypeslib.as_array((ctypes.c_float * int(np.prod(shape))).from_address(address))
        answer: Array = numbers.astype(float).reshape(shape)
        _call("ggml_backend_free", backend)
        return answer


@contextmanager
def graph() -> Iterator[Graph]:
    """An empty graph, and memory for it."""
    with _context(allocates=True) as context:
        yield Graph(context)


@contextmanager
def weights(kind: int, shape: tuple[int, int], blocks: bytes) -> Iterator[Pointer]:
    """A quantized matrix where llama.cpp would have it: in the order that its kernels want, or as it is in a file.

    Args:
        kind: of the numbers.
        shape: (columns, numbers of a column).
        blocks: the content.
    """
    with _context(allocates=False) as context:
        made = _new(context, kind, shape)
        # ggml reorders matrices of Q4_K, and for AVX2 and more only.
        reordered = kind == Q4_K and library("cpu").ggml_cpu_has_avx2()
        place = _reordered() if reordered else _call("ggml_backend_cpu_buffer_type")
        buffer = _call("ggml_backend_alloc_ctx_tensors_from_buft", context, place)
        _call("ggml_backend_tensor_set", made, blocks, ctypes.c_size_t(0), ctypes.c_size_t(len(blocks)))
        try:
            yield made
        finally:
            _call("ggml_backend_buffer_free", buffer)


def _new(context: Pointer, kind: int, shape: tuple[int, ...]) -> Pointer:
    sizes = (ctypes.c_int64 * len(shape))(*reversed(shape))
    return _call("ggml_new_tensor", context, kind, len(shape), sizes)


def _reordered() -> Pointer:
    """Memory in which the CPU backend puts matrices in the order that its kernels want."""
    backend = _call("ggml_backend_cpu_reg", of="cpu")
    device = _call("ggml_backend_reg_dev_get", backend, ctypes.c_size_t(0))
    address = (
        _call("ggml_backend_reg_get_proc_address", backend, b"ggml_backend_dev_get_extra_bufts").value or 0
    )
    kinds = ctypes.CFUNCTYPE(ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p)(address)(device)
    for kind in kinds:
        assert kind is not None, "this library puts nothing in order"
        if ctypes.string_at(_call("ggml_backend_buft_name", Pointer(kind)).value or 0) == b"CPU_REPACK":
            return Pointer(kind)
    raise AssertionError
