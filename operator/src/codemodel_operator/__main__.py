"""Command line of the operator: `python -m codemodel_operator`."""

import argparse
import asyncio
import gc
import logging
import os
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import kopf

from . import logs
from .errors import OperatorError
from .handlers import build_registry
from .kube import KubeCluster
from .settings import Settings
from .stateless import NoMemories

logger = logging.getLogger(__name__)

_ENDING_SECONDS = 10.0
"""Time that kopf gets to end, once all of ours has ended; it takes six at most when it does."""

_GARBAGE_THRESHOLDS = (700, 10, 10)
"""Python's own until 3.12. kopf's view of an event refers to itself, so that each event is garbage until Python looks
for it; at 2,000, Python 3.13's, a burst of CodeModels left it with a fifth more memory (docs/operator.md)."""


def parse(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> Settings:
    """Return the settings; a flag wins over its environment variable."""
    defaults = Settings()
    parser = argparse.ArgumentParser(
        prog="codemodel-operator",
        description="Reconciles CodeModel resources into served, autoscaled code models. "
        "Finds the cluster through the pod's service account or KUBECONFIG.",
    )
    parser.add_argument(
        "--namespace",
        action="append",
        help="serve only this namespace; may be repeated (NAMESPACES, separated by commas; default: all)",
    )
    parser.add_argument(
        "--server-image",
        default=environment.get("SERVER_IMAGE") or defaults.server_image,
        help="image of the inference server for CodeModels that name none (SERVER_IMAGE; default: %(default)s)",
    )
    parser.add_argument(
        "--workers",
        type=_positive,
        default=environment.get("WORKERS") or defaults.workers,
        help="CodeModels reconciled at the same time (WORKERS; default: %(default)s)",
    )
    parser.add_argument(
        "--log-format",
        type=_log_format,
        default=environment.get("LOG_FORMAT") or defaults.log_format,
        help="json or text (LOG_FORMAT; default: %(default)s)",
    )
    parser.add_argument(
        "--allow-private-sources",
        type=_yes_or_no,
        default=environment.get("ALLOW_PRIVATE_SOURCES") or "no",
        metavar="yes|no",
        help="let models come from addresses inside the cluster or the network around it "
        "(ALLOW_PRIVATE_SOURCES; default: %(default)s)",
    )
    parser.add_argument(
        "--hub-endpoint",
        type=_url,
        default=environment.get("HF_ENDPOINT") or None,
        metavar="URL",
        help="where hf:// sources lead (HF_ENDPOINT; default: the public hub)",
    )
    parser.add_argument(
        "--liveness-port",
        type=_positive,
        default=environment.get("LIVENESS_PORT") or defaults.liveness_port,
        help="port of the liveness endpoint /healthz (LIVENESS_PORT; default: %(default)s)",
    )
    parser.add_argument(
        "--metrics-port",
        type=_positive,
        default=environment.get("METRICS_PORT") or defaults.metrics_port,
        help="port of the metrics for Prometheus, /metrics (METRICS_PORT; default: %(default)s)",
    )
    args = parser.parse_args(arguments)
    named = args.namespace or environment.get("NAMESPACES", "").split(",")
    return Settings(
        namespaces=tuple(sorted({name.strip() for name in named if name.strip()})),
        server_image=args.server_image,
        workers=args.workers,
        log_format=args.log_format,
        allow_private_sources=args.allow_private_sources,
        hub_endpoint=args.hub_endpoint,
        liveness_port=args.liveness_port,
        metrics_port=args.metrics_port,
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")
    return text == "yes"


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} is not an http:// or https:// URL")
    return text


def _log_format(text: str) -> str:
    if text not in ("json", "text"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither json nor text")
    return text


async def _end_in_time(**_: Any) -> None:
    """After a watch has failed, kopf now and then waits for its own tasks for ever, with nothing left that works."""
    timer = threading.Timer(_ENDING_SECONDS, _give_up)
    timer.daemon = True
    timer.start()


def _give_up() -> None:
    logger.critical("Ending, to be started again", extra={"event": {"reason": "kopf does not end"}})
    os._exit(1)


async def _require_served(namespaces: Iterable[str]) -> None:
    async with aclosing(await KubeCluster.connect(connections=1)) as cluster:
        await cluster.require_served(namespaces)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the operator until it is told to end (SIGTERM, SIGINT)."""
    settings = parse(arguments, os.environ)
    logs.configure(settings.log_format)
    gc.set_threshold(*_GARBAGE_THRESHOLDS)
    try:
        # Whole clusters are watched for the resource definition, but not by an operator of a few namespaces.
        asyncio.run(_require_served(settings.namespaces))
    except OperatorError as error:
        logger.critical("Cannot start", extra={"event": {"reason": str(error)}})
        sys.exit(1)
    registry = build_registry(settings)
    kopf.on.cleanup(registry=registry)(_end_in_time)
    try:
        kopf.run(
            registry=registry,
            memories=NoMemories(),
            standalone=True,
            clusterwide=not settings.namespaces,
            namespaces=settings.namespaces,
            liveness_endpoint=f"http://0.0.0.0:{settings.liveness_port}/healthz",
        )
    except Exception as error:
        # Such as a watch that the API server ends with an error. Restarts change nothing, and Kubernetes spaces them.
        logger.critical("Ending, to be started again", extra={"event": {"reason": repr(error)}})
        sys.exit(1)


if __name__ == "__main__":
    main()
