"""The command codemodel-fetch."""

import argparse
import re
import signal
import sys
from pathlib import Path
from types import FrameType

from codemodel_delivery.fetch.errors import FetchError
from codemodel_delivery.fetch.progress import JsonProgress, Progress, TerminalProgress
from codemodel_delivery.fetch.source import parse_source
from codemodel_delivery.fetch.store import ModelStore
from codemodel_delivery.fetch.transfer import Transfer
from codemodel_delivery.termination import write_termination_message

_EPILOG = (
    "exit status: 0 the model is there; 2 wrong arguments; 10 RefusedSource; 11 NotFound; 12 Unauthorized; "
    "13 ChecksumMismatch; 14 NotGGUF; 15 NoSpace; 16 NetworkFailed; 17 CannotWrite; 130 or 143 stopped by a signal"
)


def main() -> None:
    """Fetches a model; its exit status and the termination message say what went wrong."""
    arguments = _parser().parse_args()
    progress = _progress(arguments.json)
    # Also because a container's first process is not ended by a signal that it does not handle.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        transfer = Transfer(parse_source(arguments.source), arguments.token_file, progress)
        store = ModelStore(arguments.dest, progress)
        fetched = store.ensure(arguments.source, arguments.sha256, transfer)
    except FetchError as error:
        write_termination_message(str(error))
        progress.event("failed", str(error), reason=type(error).__name__)
        sys.exit(error.exit_code)
    except KeyboardInterrupt as stop:
        number = signal.Signals(stop.args[0])
        progress.event("stopped", f"stopped by {number.name}: start it again to go on")
        sys.exit(128 + number)
    if fetched:
        progress.event("fetched", f"fetched {arguments.dest}")
    else:
        progress.event("already-here", f"{arguments.dest} is already here")


def _stop(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(number)


def _progress(json: bool) -> Progress:
    if json or not sys.stdout.isatty():
        return JsonProgress(sys.stdout)
    return TerminalProgress(sys.stdout)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="codemodel-fetch",
        description="Download a GGUF model once, checked and complete, into a folder that pods may share.",
        epilog=_EPILOG,
    )
    parser.add_argument("source", help="http:// or https:// URL of the model")
    parser.add_argument("dest", type=Path, help="the file to write")
    parser.add_argument("--sha256", type=_sha256, metavar="HEX", help="what the file's SHA-256 must be")
    parser.add_argument(
        "--token-file",
        type=_token,
        metavar="FILE",
        help="a file with a token to send to the source's host as bearer token",
    )
    parser.add_argument("--json", action="store_true", help="write JSON lines on a terminal, too")
    return parser


def _sha256(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not 64 lowercase hexadecimal digits")
    return text


def _token(name: str) -> str:
    """Reads the token.

    Raises:
        ArgumentTypeError: the file cannot be read, or has no single line of visible ASCII in it.
    """
    try:
        token = Path(name).read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"cannot read a token from {name}: {error}") from error
    if not re.fullmatch(r"[!-~]+", token):
        raise argparse.ArgumentTypeError(f"{name} does not have one token in it")
    return token


if __name__ == "__main__":
    main()
