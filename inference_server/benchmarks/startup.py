"""What a start of our server is made of, one thing after another: in the server, some of it happens at the same time.

`.venv/bin/python -m inference_server.benchmarks.startup [MODEL]` prints one line of JSON a stage; with no model it
takes the benchmark's. docs/performance.md says which stages overlap.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from codemodel_server.cpu import cpu_quota, thread_count, usable_cpus
from inference_server.benchmarks import llama_server, model

_ENGINE = "codemodel_server.engines.llama_cpp"
STAGES = {
    "imports before reading": f"import codemodel_server.cli, gunicorn.arbiter, {_ENGINE}.engine",
    "reading the weights": f"from {_ENGINE}.native.model import NativeModel; weights = NativeModel(Path(sys.argv[1]))",
    "imports while reading": f"import codemodel_server.app, codemodel_server.management, {_ENGINE}.loaded as loaded",
    "chat template": "loaded.PromptFormat(weights)",
    "attention memory": "context = loaded.NativeContext(weights, loaded.ContextSize(16384, 512, 17, int(sys.argv[2])))",
    "warm-up": "loaded.warm_up(context)",
}
"""What is done, in this order, in a process of its own; the code of each stage may use the names of those before."""
PYTHON = "python"
"""The first stage: from the start of the process to the first line of its program."""

_RUNS = 5
# Runs the stages that it reads, and prints the time at its own beginning and the seconds of each.
_PROGRAM = """
import time
began = time.monotonic()
import json, os, sys
from pathlib import Path
os.environ["OPENBLAS_NUM_THREADS"] = "1"
seconds = []
for code in json.load(sys.stdin):
    started = time.monotonic()
    exec(code)
    seconds.append(time.monotonic() - started)
print(json.dumps([began, seconds]))
"""


def start(file: Path, threads: int) -> dict[str, float]:
    """Seconds of each stage, in a process of its own.

    Args:
        file: the model; to be in the page cache.
        threads: computing threads.

    Raises:
        subprocess.CalledProcessError: a stage failed; it has written why to standard error.
    """
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(file), str(threads)],
        input=json.dumps([*STAGES.values()]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    began, seconds = json.loads(done.stdout)
    return {PYTHON: began - started, **dict(zip(STAGES, seconds, strict=True))}


def lines(file: Path, threads: int) -> Iterator[str]:
    """The median of some starts for each stage, as lines of JSON."""
    starts = [start(file, threads) for _ in range(_RUNS)]
    for stage in (PYTHON, *STAGES):
        seconds = statistics.median(one[stage] for one in starts)
        yield json.dumps({"bench": "startup", "case": stage, "milliseconds": round(seconds * 1000, 1)})


def main() -> None:
    """Measures and prints."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else model.build(llama_server.build())
    for line in lines(file, thread_count(0, cpu_quota(), usable_cpus())):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
