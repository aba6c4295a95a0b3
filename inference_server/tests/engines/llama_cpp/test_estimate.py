"""The estimate from a model's header alone, held against what a server takes."""

import ctypes
import itertools
import random
import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import llama_cpp
import pytest
from gguf import TokenType

from codemodel_delivery.gguf.estimate import AMX, X86_64, Estimate, required_memory
from codemodel_delivery.gguf.header import read_header
from codemodel_server.engines.llama_cpp.native import library
from inference_server.benchmarks import memory, model
from inference_server.benchmarks.model import Shape, Vocabulary
from inference_server.tests.engines.llama_cpp import architectures
from inference_server.tests.support import ServerProcess, StartServer, eventually

_THREADS = 2
# What a whole batch is computed in is reserved; how much of it is used depends on how prompts come together.
_TOO_MUCH = 1.15
_VOCABULARY = 4096
_PROMPT = 700  # more than a batch
_MEBI = 1 << 20


@dataclass(frozen=True, slots=True)
class Case:
    """A model and how it is served; a quantization of None leaves its 16 bits."""

    shape: Shape
    quantization: int | None
    context: int
    parallel: int
    architecture: str = "llama"
    vocabulary: int = _VOCABULARY


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is read from Linux's /proc")
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(Shape(1024, 8, 16, 4, 2816, 8192), None, 1024, 2), id="few KV heads, 16 bits"),
        pytest.param(Case(Shape(1024, 8, 16, 4, 2816, 8192), None, 4096, 4), id="a long context"),
        pytest.param(Case(Shape(768, 12, 12, 12, 3072, 2048), None, 4096, 1), id="the model's own limit"),
        pytest.param(
            Case(Shape(1024, 12, 16, 16, 2816, 8192), llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M, 1024, 2),
            id="copied weights",
        ),
        pytest.param(
            Case(Shape(1024, 12, 16, 16, 2816, 8192), llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, 1024, 2),
            id="as many KV heads, 8 bits",
        ),
        pytest.param(
            Case(Shape(256, 2, 4, 2, 512, 8192), None, 1024, 2, "qwen2", 151936),
            id="qwen2's own vocabulary, a tiny model",
        ),
        pytest.param(
            Case(Shape(1024, 8, 16, 2, 2816, 8192), None, 2048, 2, "qwen2", 49152),
            id="qwen2, 16 bits, a large vocabulary",
        ),
        pytest.param(
            Case(
                Shape(1024, 8, 16, 2, 2816, 8192),
                llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
                1024,
                4,
                "qwen2",
                49152,
            ),
            id="qwen2, 4 bits",
        ),
        pytest.param(
            Case(Shape(1024, 8, 16, 2, 4096, 8192), None, 2048, 2, "starcoder2", 49152),
            id="starcoder2, 16 bits",
        ),
        pytest.param(
            Case(Shape(1024, 8, 16, 2, 4096, 8192), llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, 1024, 2, "starcoder2"),
            id="starcoder2, 8 bits",
        ),
    ],
)
def test_a_server_takes_what_was_estimated_and_little_less(
    case: Case, tmp_path: Path, start_server: StartServer
) -> None:
    path = _make(tmp_path, case)
    estimate = _estimate(path, case)
    options = {"context-length": case.context, "parallel": case.parallel, "threads": _THREADS}
    server = start_server(
        "--model", str(path), "--engine", "llama-cpp", *(f"--{key}={value}" for key, value in options.items())
    )
    eventually(lambda: server.client.get("/ready").is_success, "ready", seconds=60)
    _work(server, case)
    resident = _peak(server) / _MEBI
    all_of_it = (estimate.total + estimate.reclaimable) / _MEBI
    assert resident <= all_of_it <= _TOO_MUCH * resident, estimate
    if estimate.reclaimable:
        # What was copied is not read again: the kernel may have it back.
        assert _needed(server, path, case) <= estimate.total


def _make(folder: Path, case: Case) -> Path:
    whole = _written(folder, case)
    if case.quantization is None:
        return whole
    library.start()
    path = folder / "quantized.gguf"
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = case.quantization
    assert llama_cpp.llama_model_quantize(bytes(whole), bytes(path), ctypes.byref(parameters)) == 0
    whole.unlink()
    return path


def _written(folder: Path, case: Case) -> Path:
    whole = folder / "whole.gguf"
    if case.architecture == "llama":
        model.write(whole, case.shape, _vocabulary())
        return whole
    vocabulary, merges = architectures.byte_pairs(case.vocabulary)
    model.write(whole, case.shape, vocabulary)
    converted = folder / "converted.gguf"
    architectures.convert(whole, converted, case.architecture, merges)
    whole.unlink()
    return converted


def _vocabulary() -> Vocabulary:
    words = ("▁" + "".join(letters) for letters in itertools.product(string.ascii_lowercase, repeat=3))
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [TokenType.UNKNOWN, *[TokenType.CONTROL] * 2, *[TokenType.BYTE] * 256]
    tokens += itertools.islice(words, _VOCABULARY - len(tokens) - len(model.FILL_IN))
    kinds += [TokenType.NORMAL] * (len(tokens) - len(kinds)) + [TokenType.CONTROL] * len(model.FILL_IN)
    tokens += model.FILL_IN.values()
    return Vocabulary(tokens, [0.0] * len(tokens), [int(kind) for kind in kinds])


def _estimate(path: Path, case: Case) -> Estimate:
    with path.open("rb") as file:

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        header = read_header(read, path.stat().st_size)
    return required_memory(header, case.context, case.parallel, threads=_THREADS, copies=_copies())


def _copies() -> Mapping[str, int]:
    return AMX if "amx_int8" in Path("/proc/cpuinfo").read_text(encoding="utf-8") else X86_64


def _work(server: ServerProcess, case: Case) -> None:
    """A prompt alone, which is read in whole batches, then one for each sequence."""
    ask = random.Random(case.context)

    def complete(_number: int) -> None:
        prompt = ask.choices(range(300, _VOCABULARY - 10), k=_PROMPT)
        answer = server.client.post("/v1/completions", json={"prompt": prompt, "max_tokens": 16}, timeout=120)
        assert answer.is_success, answer.text

    complete(0)
    with ThreadPoolExecutor(case.parallel) as pool:
        list(pool.map(complete, range(case.parallel)))


def _peak(server: ServerProcess) -> float:
    """Most bytes that were resident: pages that its processes share once, those of the model's file included."""
    tree = memory.tree(server.process.pid)
    fallen = sum(_status(pid, "VmHWM") - _status(pid, "VmRSS") for pid in tree)
    return sum(map(_of_no_file, tree)) + _of_files(tree) + fallen


def _of_no_file(pid: int) -> int:
    """Bytes of a process that are no file's, in parts where others have the same pages."""
    return sum(_field(Path(f"/proc/{pid}/smaps_rollup"), key) for key in ("Pss_Anon", "Pss_Shmem"))


def _of_files(tree: Sequence[int]) -> int:
    """Bytes of all files that are mapped: whole, for whoever else has a library open on this machine is no help."""
    largest: Counter[str] = Counter()
    for pid in tree:
        sizes: Counter[str] = Counter()
        for mapping in _mappings(pid):
            _, _, _, _, inode, *path = mapping.splitlines()[0].split(maxsplit=5)
            if inode != "0":
                sizes[path[0]] += _number(mapping, "Rss") - _number(mapping, "Anonymous")
        largest |= sizes
    return largest.total()


def _needed(server: ServerProcess, path: Path, case: Case) -> float:
    """Bytes that are no file's, and those of the model's file that requests read."""
    tree = memory.tree(server.process.pid)
    for pid in tree:
        Path(f"/proc/{pid}/clear_refs").write_text("1", encoding="utf-8")
    _work(server, case)
    read = sum(_referenced(pid, path) for pid in tree)
    unread = sum(_referenced(pid, path, key="Rss") for pid in tree) - read
    return _peak(server) - unread


def _referenced(pid: int, path: Path, key: str = "Referenced") -> int:
    return sum(_number(mapping, key) for mapping in _mappings(pid) if path.name in mapping)


def _mappings(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8")
    return re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", text, flags=re.M)[1:]


def _status(pid: int, key: str) -> int:
    return _field(Path(f"/proc/{pid}/status"), key)


def _field(file: Path, key: str) -> int:
    return _number(file.read_text(encoding="utf-8"), key)


def _number(text: str, key: str) -> int:
    found = re.search(rf"^{key}:\s+(\d+) kB", text, re.M)
    assert found, text
    return int(found[1]) * 1024
