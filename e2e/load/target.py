"""What may be loaded, and what is asked of it around a run: the only requests that are not part of the load."""

import ipaddress
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from pydantic import ValidationError

from e2e.load.results import Machine, Replica, Server

_ASK = aiohttp.ClientTimeout(total=5)


class TargetError(Exception):
    """The target cannot be loaded; its text says what to do."""


def is_loopback(url: str) -> bool:
    """Whether an http(s) URL leads to this machine by its very words."""
    host = _host(url)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def check(url: str, *, allow_remote: bool) -> str:
    """Return the base URL without a slash at its end.

    Raises:
        TargetError: it is no base URL, or leads to another machine and that was not allowed.
    """
    if _host(url) is None:
        raise TargetError(f"{url} is no base URL: give one such as http://127.0.0.1:8080")
    if not allow_remote and not is_loopback(url):
        raise TargetError(
            f"{url} is not on this machine: load is sent to 127.0.0.1, ::1 or localhost only. "
            "If the target is yours and may be loaded, add --allow-remote"
        )
    return url.rstrip("/")


def _host(url: str) -> str | None:
    """The host of a base URL; None if it is none."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return (
        host
        if host and parts.scheme in {"http", "https"} and not parts.query and not parts.fragment
        else None
    )


async def about(session: aiohttp.ClientSession, target: str) -> Server:
    """Return what the target says of itself; empty if it answers, but has no ``/info``.

    Raises:
        TargetError: nothing answers there, or it wants an API key.
    """
    try:
        async with session.get(f"{target}/info", timeout=_ASK, allow_redirects=False) as response:
            if response.status == 401:
                raise TargetError(f"{target} wants an API key: give a file with one, --api-key-file FILE")
            said = await response.json(content_type=None) if response.status == 200 else {}
    except (aiohttp.ClientError, TimeoutError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
        raise TargetError(
            f"nothing answers at {target} ({why}): start it (`make up`, or `make serve`), or give --target"
        ) from None
    except ValueError:
        said = {}
    if not isinstance(said, Mapping):
        return Server()
    try:
        return Server.model_validate({name: said.get(name) for name in Server.model_fields})
    except ValidationError:
        return Server()


async def replicas(session: aiohttp.ClientSession, target: str) -> list[Replica] | None:
    """Return how the replicas are now, as ``GET /live`` tells; None if it does not tell."""
    try:
        async with session.get(f"{target}/live", timeout=_ASK, allow_redirects=False) as response:
            said = await response.json(content_type=None) if response.status == 200 else {}
        return [
            Replica(
                name=each["replica"],
                ready=each["status"] == "ready",
                memory_bytes=each.get("memory_bytes"),
                cpu_seconds=each.get("cpu_seconds"),
                in_flight=each["running"] + each["waiting"] if each["status"] == "ready" else None,
            )
            for each in said["replicas"]
        ]
    except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError, AttributeError):
        # Another server than ours, or one too busy to say: the load goes on without.
        return None


def machine() -> Machine:
    """Describe this machine."""
    return Machine(
        processor=processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name as the kernel gives it."""
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
