from pathlib import Path

import pytest

from inference_server.benchmarks import memory, servers
from inference_server.benchmarks.servers import Load, arguments

MODEL = Path("model.gguf")
LOAD = Load(slots=8, context=16384, threads=2)


def after(words: list[str], flag: str) -> str:
    return words[words.index(flag) + 1]


def test_every_server_gets_the_same_memory_and_threads() -> None:
    ours = arguments(servers.ours(), MODEL, LOAD, 1)
    assert int(after(ours, "--parallel")) * int(after(ours, "--context-length")) == LOAD.context
    assert after(ours, "--threads") == "2"
    theirs = arguments(servers.llama_server(Path("built")), MODEL, LOAD, 1)
    assert (after(theirs, "-np"), after(theirs, "-c")) == ("8", "16384")
    assert (after(theirs, "-t"), after(theirs, "-tb")) == ("2", "2")
    # It answers one request at a time, so it needs room for one.
    python = arguments(servers.llama_cpp_server(Path("python"), Path("built")), MODEL, LOAD, 1)
    assert after(python, "--n_ctx") == "2048"
    assert (after(python, "--n_threads"), after(python, "--n_threads_batch")) == ("2", "2")


def test_peers_run_llama_cpp_as_it_comes() -> None:
    program = servers.llama_server(Path("built"), "-b", "64", "-ub", "64")
    assert program.name == "llama-server -b 64 -ub 64"
    assert program.command[1:] == ("-b", "64", "-ub", "64")
    assert program.environment == {"LD_LIBRARY_PATH": "built/bin"}
    python = servers.llama_cpp_server(Path("python"), Path("built"))
    assert python.environment == {"LD_LIBRARY_PATH": "built/bin"}


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Process 10 with the child 11, whose child is 12, and 20 beside them."""
    for pid, parent, pss, peak in (
        (10, 1, 1024, 4096),
        (11, 10, 2048, 8192),
        (12, 11, 512, 1),
        (20, 1, 9, 9),
    ):
        folder = tmp_path / str(pid)
        folder.mkdir()
        (folder / "stat").write_text(f"{pid} (a ) S 9 (b) S {parent} 0 0\n")
        (folder / "smaps_rollup").write_text(f"Rss:  99999 kB\nPss:   {pss} kB\nPss_Dirty: 7 kB\n")
        (folder / "status").write_text(f"Name:\tx\nVmHWM:\t {peak} kB\n")
    return tmp_path


def test_memory_is_that_of_the_whole_tree(proc: Path) -> None:
    assert memory.tree(10, proc) == [10, 11, 12]
    assert memory.resident(10, proc) == 3.5
    assert memory.peak(10, proc) == 8.0


def test_a_process_that_ended_takes_no_memory(proc: Path) -> None:
    (proc / "12" / "smaps_rollup").unlink()
    assert memory.resident(10, proc) == 3.0
