"""`python -m e2e.operator_benchmark`: the operator on the kind cluster, lines of JSON on standard output."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx

from e2e.benchmark import end_as_with_ctrl_c, positive
from e2e.kubectl import KubectlError
from e2e.operator_benchmark.codemodels import Deployed
from e2e.operator_benchmark.llmkube import CRDS, MANAGER, llmkube
from e2e.operator_benchmark.measuring import NAMESPACE, measure
from e2e.operator_benchmark.operators import BenchmarkError
from e2e.operator_benchmark.outside import outside


def main() -> None:
    """Measures, and ends with 0 whatever the figures are: each line says whether its goal is met."""
    chosen = parse(sys.argv[1:])
    end_as_with_ctrl_c()
    try:
        with ExitStack() as stack:
            theirs = stack.enter_context(llmkube(chosen.llmkube)) if chosen.llmkube else None
            ours = stack.enter_context(outside()) if chosen.outside else Deployed()
            for text in measure(ours, theirs, chosen.one, chosen.many):
                print(text, flush=True)
    except (BenchmarkError, KubectlError, httpx.HTTPError) as error:
        sys.exit(f"✗ {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted: what it created is removed")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what a command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m e2e.operator_benchmark",
        description="Measure the operator that runs on the kind cluster: it is restarted, and namespaces "
        f"{NAMESPACE}-… come and go. About four minutes, twice that with a peer; the machine should do nothing "
        "else. docs/operator.md says what is measured.",
    )
    parser.add_argument(
        "--one",
        type=positive,
        default=100,
        metavar="N",
        help="custom resources one at a time (default: 100)",
    )
    parser.add_argument(
        "--many", type=positive, default=1000, metavar="N", help="custom resources at once (default: 1000)"
    )
    parser.add_argument(
        "--llmkube",
        type=Path,
        metavar="FOLDER",
        help=f"measure LLMKube's manager too: a checkout of it, with {MANAGER} built, and {CRDS}",
    )
    parser.add_argument(
        "--outside",
        action="store_true",
        help="run our operator as a program on this machine, as LLMKube's is; the one in the cluster is scaled to "
        "0 meanwhile",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
