"""`python -m inference_server.benchmarks`: our server against others, one line of JSON a figure on standard output."""

import argparse
import asyncio
import contextlib
import os
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codemodel_server.cpu import cpu_quota, thread_count, usable_cpus
from e2e.benchmark import end_as_with_ctrl_c, positive
from e2e.cluster.steps import StepError, step
from inference_server.benchmarks import llama_cpp_server, llama_server, model, profile, results, servers
from inference_server.benchmarks.cases import (
    CASES,
    LLAMA_CPP_SERVER,
    LLAMA_SERVER,
    SMALL_BATCHES,
    BenchmarkError,
    Case,
    Prompts,
)
from inference_server.benchmarks.figures import Figures, line, medians
from inference_server.benchmarks.servers import OURS, Load, Program, Running, ServerError, serve

CONTEXT = 16384
"""Tokens that a server keeps, of all its requests together."""
PROFILE = "profile"
"""The case that measures our engine alone, without a server."""
_SEED = 1
_RUN_SECONDS = 900


class Bench:
    """Measures cases, and keeps every run's figures as it goes.

    Args:
        file: the model.
        words: prompts are made of them.
        programs: the servers by name.
        threads: computing threads of each.
    """

    def __init__(
        self, file: Path, words: Sequence[str], programs: Mapping[str, Program], threads: int
    ) -> None:
        self._file = file
        self._words = words
        self._programs = programs
        self._threads = threads

    def measure(self, case: Case, runs: int) -> list[str]:
        """Runs a case, the servers taking turns, and returns its lines of JSON.

        Raises:
            ServerError: a server broke down.
            BenchmarkError: a server did not do what the case needs.
        """
        figures: defaultdict[str, list[Figures]] = defaultdict(list)
        kept: list[dict[str, Any]] = []
        for number in range(1, runs + 1):
            for name in (OURS, *case.peers):
                with step(f"{case.name}, {number} of {runs}: {name}"):
                    figures[name].append(self._run(case, self._programs[name], number))
                kept.append({"server": name, "run": number, **figures[name][-1]})
                results.keep(case.name, kept, [], self._threads)
        middle = {name: medians(measured) for name, measured in figures.items()}
        lines = [line(goal, middle[OURS], middle[goal.peer] if goal.peer else None) for goal in case.goals]
        results.keep(case.name, kept, lines, self._threads)
        return lines

    def profile(self) -> list[str]:
        """Lines of JSON that say where the time of a step goes in our engine."""
        with step("profile: our engine without HTTP"):
            lines = profile.lines(self._file, self._threads)
        results.keep(PROFILE, [], lines, self._threads)
        return lines

    def _run(self, case: Case, program: Program, number: int) -> dict[str, float]:
        prompts = Prompts(self._words, seed=_SEED + number)
        with serve(program, self._file, Load(case.slots, CONTEXT, self._threads)) as server:
            return asyncio.run(_bounded(case, server, prompts))


async def _bounded(case: Case, server: Running, prompts: Prompts) -> dict[str, float]:
    try:
        async with asyncio.timeout(_RUN_SECONDS):
            return await case.measure(server, prompts)
    except TimeoutError:
        raise BenchmarkError(f"{server.name} was not through with {case.name} in {_RUN_SECONDS} s") from None


def main() -> None:
    """Measures, and ends with 0 whatever the figures are: each line says whether its goal is met."""
    chosen = _parse(sys.argv[1:])
    end_as_with_ctrl_c()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            bench = _prepare(chosen.threads)
        for case in (*CASES, None):
            if not chosen.only or (case.name if case else PROFILE) in chosen.only:
                with contextlib.redirect_stdout(sys.stderr):
                    lines = bench.measure(case, chosen.runs or case.runs) if case else bench.profile()
                print("\n".join(lines), flush=True)
    except StepError as error:
        sys.exit(error.report())
    except (ServerError, BenchmarkError) as error:
        sys.exit(f"✗ {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted: the servers are ended")
    print(f"Every run's figures: {os.path.relpath(results.RESULTS)}", file=sys.stderr)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    names = [*(case.name for case in CASES), PROFILE]
    parser = argparse.ArgumentParser(
        prog="python -m inference_server.benchmarks",
        description="Measure our server against llama-server and llama_cpp.server, on loopback, with the same model. "
        "About 25 minutes on 2 cores; the machine should do nothing else. See docs/performance.md.",
    )
    parser.add_argument(
        "--only", action="append", choices=names, metavar="CASE", help=f"one of {', '.join(names)}"
    )
    parser.add_argument("--runs", type=positive, metavar="N", help="runs of each case (default: 2, 3 or 5)")
    parser.add_argument("--quick", action="store_const", const=1, dest="runs", help="one run of each case")
    parser.add_argument(
        "--threads", type=positive, metavar="N", help="computing threads of each server (default: the CPU quota)",
        default=thread_count(0, cpu_quota(), usable_cpus()),
    )  # fmt: skip
    return parser.parse_args(arguments)


def _prepare(threads: int) -> Bench:
    """Builds what is to be compared, as far as it is not there yet."""
    peers = llama_server.build()
    file = model.build(peers)
    words = model.read_vocabulary(peers / "vocabulary.gguf").words()
    programs = {
        OURS: servers.ours(),
        LLAMA_SERVER: servers.llama_server(peers),
        SMALL_BATCHES: servers.llama_server(peers, "-b", "64", "-ub", "64"),
        LLAMA_CPP_SERVER: servers.llama_cpp_server(llama_cpp_server.install(), peers),
    }
    with step("Reading the model, so that every server finds it in the page cache"):
        buffer = bytearray(1 << 24)
        with file.open("rb", buffering=0) as source:
            while source.readinto(buffer):
                pass
    return Bench(file, words, programs, threads)


if __name__ == "__main__":
    main()
