"""The command ``codemodel-load``: run scenarios, list them, report on results."""

import argparse
import asyncio
import importlib
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from e2e.load import output, scenario, target
from e2e.load.output import OutputError
from e2e.load.progress import Printer
from e2e.load.run import Options, Run
from e2e.load.scenario import Closed, PhasePlan, Profile, Scenario, ScenarioError
from e2e.load.target import TargetError

TARGET = "http://127.0.0.1:8080"
OUTPUT = Path("build/load")

_INVALID, _STOPPED = 1, 130
_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line.

    Returns:
        0; 1 if a run is not valid; 2 if the command line, a scenario or the target is wrong; 130 after Ctrl-C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    parsed = _parser(words[:1]).parse_args(words)
    parsed.command_line = ["codemodel-load", *words]
    handler: Callable[[argparse.Namespace], int] = parsed.handler
    try:
        return handler(parsed)
    except (ScenarioError, TargetError, OutputError) as error:
        sys.stderr.write(f"codemodel-load: {error}\n")
        return _USAGE
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return _STOPPED


def _parser(command: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="codemodel-load", description="Load on the HTTP API, and what it shows."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    run = commands.add_parser(
        "run",
        help="run scenarios and write their results",
        description="Run scenarios one after another; each writes a JSON and a CSV file. Ctrl-C writes what there is.",
    )
    run.add_argument(
        "scenarios",
        nargs="+",
        metavar="SCENARIO",
        help=f"{', '.join(scenario.names())}, or a file that ends in .yaml",
    )
    run.add_argument(
        "--target", default=TARGET, metavar="URL", help="base URL of the API (default: %(default)s)"
    )
    run.add_argument(
        "--profile",
        choices=("full", "ci"),
        default="full",
        help="ci is a shortened form (default: %(default)s)",
    )
    run.add_argument(
        "--output",
        type=Path,
        default=OUTPUT,
        metavar="DIR",
        help="where results are written (default: %(default)s)",
    )
    run.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help="the same seed sends the same load (default: %(default)s)",
    )
    run.add_argument("--no-stream", action="store_true", help="ask for whole answers instead of streams")
    run.add_argument(
        "--api-key-file", type=Path, metavar="FILE", help="file with the API key that the target wants"
    )
    run.add_argument(
        "--allow-remote",
        action="store_true",
        help="allow a target that is not on this machine; load only your own",
    )
    run.set_defaults(handler=_run)

    listing = commands.add_parser(
        "list", help="list the scenarios", description="List the scenarios by their names."
    )
    listing.set_defaults(handler=_list)

    if command not in (["run"], ["list"]):
        # What draws takes long to import, and would be in the generator's way.
        importlib.import_module("e2e.report.cli").add(commands)

    return parser


def _list(_: argparse.Namespace) -> int:
    for name in scenario.names():
        found = scenario.load(name)
        sys.stdout.write(f"{name:<10} {found.about} → {found.results}\n")
        for profile in found.profiles:
            sys.stdout.write(f"{'':<10}   {profile}: {_told(found.profile(profile))}\n")
    return 0


def _told(profile: Profile) -> str:
    if ramp := profile.ramp:
        return (
            f"{', '.join(f'{rate:g}' for rate in ramp.rates())} rps, {ramp.seconds:g} s each, until it breaks"
        )
    return ", ".join(_phase_told(plan) for plan in profile.phases)


def _phase_told(plan: PhasePlan) -> str:
    if isinstance(plan.arrivals, Closed):
        how = f"{plan.arrivals.clients} clients"
    else:
        how = f"{plan.arrivals.rate:g} rps {plan.arrivals.kind}"
    long = f"{plan.seconds:g} s" if plan.requests is None else f"{plan.requests} requests"
    return f"{plan.name} ({how}, {long})"


def _run(parsed: argparse.Namespace) -> int:
    scenarios = [scenario.load(name) for name in parsed.scenarios]
    for found in scenarios:
        found.profile(parsed.profile)
    options = Options(
        target=target.check(parsed.target, allow_remote=parsed.allow_remote),
        profile=parsed.profile,
        seed=parsed.seed,
        command=parsed.command_line,
        api_key=_api_key(parsed.api_key_file) if parsed.api_key_file else None,
        stream=not parsed.no_stream,
    )
    output.prepare(parsed.output)
    return asyncio.run(_run_all(scenarios, options, parsed.output))


def _api_key(path: Path) -> str:
    """The first line of a file that has something in it."""
    try:
        lines = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise TargetError(f"the API key cannot be read from {path}: {error}") from None
    if not lines:
        raise TargetError(f"{path} is empty: it has to hold the API key")
    return lines[0]


async def _run_all(scenarios: Sequence[Scenario], options: Options, folder: Path) -> int:
    stop, loop, printer = asyncio.Event(), asyncio.get_running_loop(), Printer()
    for ending in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(ending, stop.set)
    valid = True
    for found in scenarios:
        results = await Run(found, options, printer.show).results(stop)
        printer.clear()
        files = output.write(results, folder / found.results)
        for line in output.table(results):
            sys.stdout.write(f"{line}\n")
        sys.stdout.write(f"  {' '.join(map(str, files))}\n")
        sys.stdout.flush()
        if not results.finished:
            return _STOPPED
        valid = valid and results.valid
    return 0 if valid else _INVALID
