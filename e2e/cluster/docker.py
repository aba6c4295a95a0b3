"""The Docker to use: the machine's where it answers, else the distribution's, started and kept by us.

Our daemon keeps its data under the cache folder, so that images survive ``make down`` and a killed machine. It
is found again by its socket; whatever an unclean end left behind (pid files, mounts, half-removed containers) is
cleared before it is started.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from e2e.cluster import capabilities, settings
from e2e.cluster.steps import Step, StepError, step

SOCKET = settings.RUN / "docker.sock"
OURS = f"unix://{SOCKET}"
PID = settings.RUN / "docker.pid"
PACKAGES = ("docker.io", "iptables")
START_SECONDS = 60


def answers(host: str | None) -> bool:
    """Whether a Docker daemon answers at ``host`` (None: the client's own default) within five seconds."""
    env = {**os.environ, **({"DOCKER_HOST": host} if host else {})}
    try:
        run = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            env=env,
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0


def use_if_running() -> bool:
    """Point this process and its children at a daemon that already answers; False where none does."""
    if answers(None):
        return True
    if SOCKET.exists() and answers(OURS):
        os.environ["DOCKER_HOST"] = OURS
        return True
    return False


def ensure() -> None:
    """Find a Docker daemon, or install and start one; and a client that can build.

    Raises:
        StepError: none answers and none can be started here (not root, or the daemon ends at once).
    """
    if not use_if_running():
        _install_and_start()
    _ensure_client()


def _install_and_start() -> None:
    if os.geteuid() != 0:
        raise StepError(
            "Docker",
            "no Docker daemon answers",
            hint="start Docker (for example `sudo systemctl start docker`), or run this as root",
        )
    if not shutil.which("dockerd"):
        with step("Installing Docker from the distribution", "`apt-get update`, then again") as current:
            install(current, *PACKAGES)
        if answers(None):  # a machine with a service manager has started it by now
            return
    with step("Starting Docker") as current:
        _start(current)


def install(current: Step, *packages: str) -> None:
    """Install Debian packages. Raises StepError where there is no apt-get, or where it fails."""
    if not shutil.which("apt-get"):
        raise current.error("this is not a Debian system", f"install {' '.join(packages)} by hand")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    current.run("apt-get", "update", "-q", env=quiet)
    current.run("apt-get", "install", "-y", "-q", "--no-install-recommends", *packages, env=quiet)


def remove() -> None:
    """Stop our daemon, if it is ours that runs. Images stay in the cache folder."""
    pid = _pid()
    if pid is None:
        return
    with step("Stopping Docker") as current:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + START_SECONDS
        while _pid() is not None:
            if time.monotonic() > deadline:
                raise current.error(f"dockerd (process {pid}) does not end", f"kill -9 {pid}")
            time.sleep(0.1)


def _ensure_client() -> None:
    """Have a docker client first in PATH that can build with BuildKit.

    A newer client may stand first without its buildx plugin, while the distribution's has BuildKit built in.

    Raises:
        StepError: no client on this machine can build.
    """
    if not _builds("docker"):
        if not _builds("/usr/bin/docker"):
            raise StepError(
                "Docker",
                "the docker client cannot build: its buildx plugin is missing",
                hint="install it (`apt-get install docker-buildx`, or docker-buildx-plugin)",
            )
        os.environ["PATH"] = f"/usr/bin:{os.environ['PATH']}"


def _builds(client: str) -> bool:
    probe = [client, "build", "--help"]
    run = subprocess.run(probe, env={**os.environ, "DOCKER_BUILDKIT": "1"}, capture_output=True, check=False)
    return run.returncode == 0


def _pid(file: Path = PID, name: str = "dockerd") -> int | None:
    """The process id in a pid file, believed only if a process of that name lives (a zombie does not)."""
    try:
        pid = int(file.read_text())
        status = Path(f"/proc/{pid}/status").read_text()
    except (OSError, ValueError):
        return None
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    lives = fields["Name"] == name and not fields["State"].startswith(("Z", "X"))
    return pid if lives else None


def _start(current: Step) -> None:
    settings.RUN.mkdir(parents=True, exist_ok=True)
    settings.DOCKERD.mkdir(parents=True, exist_ok=True)
    for file, name in (
        (PID, "dockerd"),
        (settings.RUN / "exec" / "containerd" / "containerd.pid", "containerd"),
    ):
        if _pid(file, name) is None:  # left by a killed machine; its number may belong to another process now
            file.unlink(missing_ok=True)
    configuration = settings.DOCKERD / "daemon.json"
    configuration.write_text(json.dumps(_configuration(), indent=2))
    log = settings.LOGS / "dockerd.log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            ["/usr/bin/env", "dockerd", "--config-file", str(configuration)],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not answers(OURS):
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise StepError(
                current.title,
                "dockerd does not answer",
                log=log,
                hint=f"if its data is damaged, remove {settings.DOCKERD} and run it again (a full rebuild)",
            )
        time.sleep(0.2)
    os.environ["DOCKER_HOST"] = OURS


def _configuration() -> dict[str, object]:
    configuration: dict[str, object] = {
        "hosts": [OURS],
        "pidfile": str(PID),
        "data-root": str(settings.DOCKERD / "data"),
        "exec-root": str(settings.RUN / "exec"),
        "storage-driver": "overlay2",
        "log-level": "warn",
    }
    if capabilities.missing(capabilities.bounding_set()):
        configuration |= {"runtimes": {"capped": {"path": str(_runtime())}}, "default-runtime": "capped"}
    return configuration


def _runtime() -> Path:
    """The wrapper of :mod:`e2e.cluster.capabilities` as an executable that outlives this checkout."""
    wrapper = settings.DOCKERD / "runc-capped"
    source = Path(capabilities.__file__).read_text()
    wrapper.write_text(f"#!{sys._base_executable} -IS\n{source}")  # type: ignore[attr-defined]
    wrapper.chmod(0o755)
    return wrapper
