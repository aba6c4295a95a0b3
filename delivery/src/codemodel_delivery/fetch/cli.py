"""The command codemodel-fetch."""

import argparse
import os
import re
import signal
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import FrameType

import httpx

from codemodel_delivery.fetch.errors import FetchError
from codemodel_delivery.fetch.guard import GuardedTransport
from codemodel_delivery.fetch.progress import JsonProgress, Progress, TerminalProgress
from codemodel_delivery.fetch.source import is_hub, parse_source
from codemodel_delivery.fetch.store import ModelStore
from codemodel_delivery.fetch.transfer import Transfer
from codemodel_delivery.termination import write_termination_message

_EPILOG = (
    "exit status: 0 the model is there; 2 wrong arguments; 10 RefusedSource; 11 NotFound; 12 Unauthorized; "
    "13 ChecksumMismatch; 14 NotGGUF; 15 NoSpace; 16 NetworkFailed; 17 CannotWrite; 18 TooLarge; "
    "130 or 143 stopped by a signal"
)
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([kKMGT]?)(i?)")


def main() -> None:
    """Fetches a model; its exit status and the termination message say what went wrong."""
    arguments = _arguments(os.environ)
    progress = _progress(arguments.json)
    # Also because a container's first process is not ended by a signal that it does not handle.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        transfer = Transfer(
            parse_source(arguments.source),
            arguments.token,
            progress,
            transport=arguments.transport,
            longest=arguments.max_size,
        )
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


def _arguments(environment: Mapping[str, str]) -> argparse.Namespace:
    """Reads the command line; for what it does not say, the environment."""
    parser = _parser()
    arguments = parser.parse_args()
    try:
        if is_hub(arguments.source) and arguments.token is None and environment.get("HF_TOKEN"):
            arguments.token = _token(environment["HF_TOKEN"], "HF_TOKEN")
        allow_private = _switch("CODEMODEL_ALLOW_PRIVATE", environment.get("CODEMODEL_ALLOW_PRIVATE", ""))
        arguments.transport = GuardedTransport(
            allow_private=arguments.allow_private or allow_private, hosts=arguments.allow_host
        )
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"cannot read whom to trust: {error}: correct SSL_CERT_FILE or SSL_CERT_DIR")
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="codemodel-fetch",
        description="Download a GGUF model once, checked and complete, into a folder that pods may share.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "source", help="http:// or https:// URL of the model, or hf://ORG/REPO/PATH[@REVISION]"
    )
    parser.add_argument("dest", type=Path, help="the file to write")
    parser.add_argument("--sha256", type=_sha256, metavar="HEX", help="what the file's SHA-256 must be")
    parser.add_argument(
        "--token-file",
        dest="token",
        type=_token_file,
        metavar="FILE",
        help="a file with a token to send to the source's host as bearer token; for hf://, HF_TOKEN without it",
    )
    parser.add_argument(
        "--max-size", type=_size, metavar="BYTES", help="most bytes the file may have, such as 500M or 20Gi"
    )
    parser.add_argument(
        "--allow-host",
        type=_host,
        action="append",
        default=[],
        metavar="HOST",
        help="contact only this host, or those of a domain (*.example.com), also by a redirect; may be repeated",
    )
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="fetch from private addresses, too, though never from link-local ones; also CODEMODEL_ALLOW_PRIVATE=1",
    )
    parser.add_argument("--json", action="store_true", help="write JSON lines on a terminal, too")
    return parser


def _sha256(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not 64 lowercase hexadecimal digits")
    return text


def _size(text: str) -> int:
    """Bytes, as Kubernetes writes quantities: k, M, G and T are powers of 1000, with an i of 1024."""
    match = _SIZE.fullmatch(text)
    if match is None or (match[3] and not match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size: give bytes, such as 500M, 20Gi or 1000000")
    power = " kMGT".index(match[2].replace("K", "k") or " ")
    size = int(Decimal(match[1]) * (1024 if match[3] else 1000) ** power)
    if size < 1:
        raise argparse.ArgumentTypeError(f"{text!r} allows no file at all: give one byte or more")
    return size


def _host(text: str) -> str:
    """The form in which the guard sees hosts: that of the network."""
    message = f"{text!r} is not a host: give a name, an address or *.DOMAIN, without scheme, port and path"
    wildcard, name = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    if not name or set(name) & set(" */@?#[]"):
        raise argparse.ArgumentTypeError(message)
    try:
        return wildcard + httpx.URL(scheme="http", host=name).raw_host.decode("ascii")
    except httpx.InvalidURL as error:
        raise argparse.ArgumentTypeError(message) from error


def _switch(name: str, value: str) -> bool:
    if value not in {"", "0", "1"}:
        raise argparse.ArgumentTypeError(f"{name} is {value!r}: give 1, or 0 to leave it off")
    return value == "1"


def _token_file(name: str) -> str:
    """Reads the token.

    Raises:
        ArgumentTypeError: the file cannot be read, or has no single line of visible ASCII in it.
    """
    try:
        text = Path(name).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"cannot read a token from {name}: {error}") from error
    return _token(text, name)


def _token(text: str, where: str) -> str:
    token = text.strip()
    if not re.fullmatch(r"[!-~]+", token):
        raise argparse.ArgumentTypeError(f"{where} does not have one token in it")
    return token


if __name__ == "__main__":
    main()
