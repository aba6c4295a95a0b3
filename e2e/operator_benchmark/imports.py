"""What our operator's packages take of its memory: `python -m e2e.operator_benchmark.imports`, a Markdown table."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

from e2e.operator_benchmark.operators import peak_mebibytes

PACKAGES = ("pydantic", "aiohttp", "kubernetes.aio.client", "kopf", "codemodel_operator.handlers")
"""In the order of who needs whom, so that each is charged with what none before it has loaded."""


def table(packages: Sequence[str], measure: Callable[[Sequence[str]], float]) -> Iterator[str]:
    """Return what each package adds to those before it, as lines of a table.

    Args:
        packages: names of modules, in the order in which they are imported.
        measure: the resident memory in MiB of a Python that has imported these.
    """
    yield "| imported | MiB |"
    yield "|---|---|"
    before = measure(())
    yield f"| Python itself | {before:.0f} |"
    for number, package in enumerate(packages, 1):
        after = measure(packages[:number])
        yield f"| `{package.partition('.')[0]}` | {after - before:.0f} |"
        before = after
    yield f"| all | {before:.0f} |"


def resident_mebibytes(packages: Sequence[str]) -> float:
    """Return the resident memory, in MiB, of a Python that has imported these modules and done nothing else."""
    code = "\n".join(
        [*(f"import {package}" for package in packages), "print(open('/proc/self/status').read())"]
    )
    run = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    return peak_mebibytes(run.stdout)


if __name__ == "__main__":
    for text in table(PACKAGES, resident_mebibytes):
        print(text, flush=True)
