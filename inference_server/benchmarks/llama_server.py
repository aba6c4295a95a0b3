"""Builds llama-server and its libraries from the source distribution that our own llama.cpp is built from.

They are built as they come, without what we build into ours (`inference_server/kernels`), and with the same flags
for the processor.
"""

import hashlib
import os
import shutil
import tarfile
from pathlib import Path

from e2e.cluster import docker, settings
from e2e.cluster.steps import Step, step

REQUIREMENTS = settings.ROOT / "inference_server" / "requirements.txt"
TARGETS = ("llama-server", "llama-batched-bench")
FLAGS = (
    "-DCMAKE_BUILD_TYPE=Release",
    # As in the Makefile: kernels for AVX512-FP16 make it slower (docs/performance.md).
    "-DCMAKE_C_FLAGS=-U__AVX512FP16__",
    "-DCMAKE_CXX_FLAGS=-U__AVX512FP16__",
    "-DBUILD_SHARED_LIBS=ON",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
)
"""How the programs are built; the CPU's features are llama.cpp's default, as in our own build."""
VOCABULARY = "models/ggml-vocab-llama-spm.gguf"
"""The tokenizer of Llama 2, among llama.cpp's own test data."""


def pin(requirements: str) -> str:
    """The lines of a requirements file that pin llama-cpp-python and its hashes.

    Raises:
        ValueError: there are none.
    """
    lines = requirements.splitlines()
    for first, line in enumerate(lines):
        if line.startswith("llama-cpp-python=="):
            last = first
            while lines[last].endswith("\\"):
                last += 1
            return "\n".join(lines[first : last + 1]) + "\n"
    raise ValueError("the requirements do not pin llama-cpp-python")


def version() -> str:
    """The version of llama-cpp-python that is pinned."""
    return pin(REQUIREMENTS.read_text()).split()[0].partition("==")[2]


def folder() -> Path:
    """The folder of the programs for the present pin and flags; may not exist yet."""
    content = "\n".join([pin(REQUIREMENTS.read_text()), *FLAGS, *TARGETS])
    return settings.CACHE / "bench" / f"llama.cpp-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def build() -> Path:
    """Builds the programs if they are not there yet, and returns their folder.

    It holds the programs of TARGETS and their libraries in `bin`, and the tokenizer of VOCABULARY as `vocabulary.gguf`.

    Raises:
        StepError: the source cannot be had, or the build fails.
    """
    done = folder()
    if done.exists():
        return done
    partial = done.with_name(f"{done.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with step("Building llama-server, to compare with (once, about eight minutes)") as current:
        source = _unpack(current, partial)
        _compile(current, source, partial)
        shutil.copy(source / VOCABULARY, partial / "vocabulary.gguf")
        for leftover in ("source", "build", "sdist"):
            shutil.rmtree(partial / leftover)
        partial.rename(done)
    return done


def _unpack(current: Step, partial: Path) -> Path:
    wanted = partial / "pin.txt"
    wanted.write_text(pin(REQUIREMENTS.read_text()))
    download = (
        settings.ROOT / ".venv" / "bin" / "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary",
        ":all:",
    )
    current.run(*download, "--require-hashes", "-d", partial / "sdist", "-r", wanted)
    (archive,) = (partial / "sdist").iterdir()
    with tarfile.open(archive) as opened:
        opened.extractall(partial / "source", filter="data")
    (top,) = (partial / "source").iterdir()
    return top / "vendor" / "llama.cpp"


def _compile(current: Step, source: Path, partial: Path) -> None:
    if not (shutil.which("cmake") and shutil.which("ninja")):
        docker.install(current, "cmake", "ninja-build")
    build_folder = partial / "build"
    current.run("cmake", "-G", "Ninja", "-S", source, "-B", build_folder, *FLAGS)
    jobs = str(len(os.sched_getaffinity(0)))
    current.run("cmake", "--build", build_folder, "-j", jobs, "--target", *TARGETS)
    programs = partial / "bin"
    programs.mkdir()
    for file in (build_folder / "bin").iterdir():
        if file.name in TARGETS or ".so" in file.name:
            shutil.copy(file, programs / file.name, follow_symlinks=False)
