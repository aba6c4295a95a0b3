"""``python -m e2e.campaign``, which `make report` runs: every scenario on the cluster, and the report of them.

What is finished and valid is kept, so that a campaign that was stopped goes on; a scenario that fails does not stop
the others.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from e2e.api import Api, NoClusterError
from e2e.campaign import autoscale, process
from e2e.campaign.parts import (
    AUTOSCALE,
    COOLDOWNS,
    Part,
    ended,
    finished,
    load_command,
    parts,
    report_command,
)
from e2e.campaign.service import NODE_PORTS, PortTakenError, Service
from e2e.kubectl import KubectlError

OUTPUT = Path("build/report")
_FAILED, _NOTHING_DONE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line.

    Returns:
        0; 1 if a scenario failed, was invalid, or the report cannot be written; 2 if there is no cluster or no free
        port; 130 after Ctrl-C.
    """
    parsed = _parser().parse_args(arguments)
    chosen = [part for part in parts(parsed.profile) if part.scenario in (parsed.scenarios or _names())]
    left = [part for part in chosen if parsed.again or not finished(part, parsed.output, parsed.profile)]
    for part in chosen:
        if part not in left:
            _say(f"{part.scenario}: kept, it is finished and valid (--again runs it again)")
    parsed.output.mkdir(parents=True, exist_ok=True)
    try:
        problems = _run_all(left, parsed.output, parsed.profile, parsed.port) if left else []
        _say("report")
        status = process.run(report_command(parsed.output))
    except (NoClusterError, PortTakenError) as error:
        sys.stderr.write(f"report: {error}\n")
        return _NOTHING_DONE
    except KeyboardInterrupt:
        _say("stopped; the same command goes on with what is left")
        return process.STOPPED
    for problem in problems:
        _say(problem)
    return _FAILED if problems or status else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m e2e.campaign",
        description="Run all scenarios against a CodeModel of its own on the cluster, and write the report.",
    )
    parser.add_argument(
        "scenarios",
        nargs="*",
        type=_scenario,
        metavar="SCENARIO",
        help=f"only these of {', '.join(_names())} (default: all)",
    )
    parser.add_argument(
        "--profile",
        choices=tuple(COOLDOWNS),
        default="full",
        help="full takes less than two hours, ci less than 15 minutes (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=OUTPUT,
        metavar="DIR",
        help="where results and report are written (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=int,
        choices=tuple(NODE_PORTS),
        default=8082,
        help="port of 127.0.0.1 where the CodeModel answers (default: %(default)s)",
    )
    parser.add_argument("--again", action="store_true", help="run also what is finished and valid")
    return parser


def _scenario(name: str) -> str:
    if name not in _names():
        raise argparse.ArgumentTypeError(f"no scenario {name}: choose {', '.join(_names())}")
    return name


def _names() -> list[str]:
    return [part.scenario for part in parts("ci")]


def _run_all(left: Sequence[Part], folder: Path, profile: str, port: int) -> list[str]:
    """Run the parts one after another; return what went wrong, in words."""
    problems: list[str] = []
    with closing(Api()) as api, Service(api, port) as service:
        for number, part in enumerate(left, 1):
            _say(f"{number} of {len(left)}: {part.scenario}")
            try:
                found = _run(api, service, part, folder, profile)
            except (KubectlError, AssertionError) as error:
                found = [str(error)]
            problems += [f"{part.scenario}: {problem}" for problem in found]
    return problems


def _run(api: Api, service: Service, part: Part, folder: Path, profile: str) -> list[str]:
    # So that no report shows what an earlier campaign found as if it were this one's.
    (folder / part.results).unlink(missing_ok=True)
    service.serve(part.change)
    load = partial(process.run, load_command(part, service.url, folder, profile))
    if part.scenario == AUTOSCALE:
        return autoscale.record(api, part, folder, profile=profile, say=_say, load=load)
    return ended(load())


def _say(what: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
