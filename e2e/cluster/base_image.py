"""debian:trixie-slim, the base of every image here: pulled, or made with mmdebstrap where nothing can be pulled."""

import shlex
import subprocess
import sys

from e2e.cluster import docker, settings, trust
from e2e.cluster.steps import step

PULL_SECONDS = 120

APT_CLEAN = settings.NODE / "99-apt-clean"
"""apt's configuration in the image: nothing that was downloaded stays, as in the published image."""


def exists(image: str) -> bool:
    """Whether the Docker daemon holds an image of this name."""
    return (
        subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode
        == 0
    )


def ensure() -> None:
    """Have the base image in Docker.

    Raises:
        StepError: no registry answers and the image cannot be made either.
    """
    if exists(settings.BASE_IMAGE) or pull(settings.BASE_IMAGE, seconds=PULL_SECONDS):
        return
    with step(f"Making {settings.BASE_IMAGE} from Debian's packages") as current:
        docker.install(current, "mmdebstrap", "debian-archive-keyring", "ca-certificates")
        archive = settings.CACHE / "base.tar"
        archive.unlink(missing_ok=True)  # left by a killed run
        trusting = shlex.join([sys.executable, trust.__file__])
        current.run(
            "mmdebstrap",
            "--variant=minbase",
            "--include=ca-certificates",
            "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*",
            f'--customize-hook={trusting} "$1" && chroot "$1" update-ca-certificates',
            f'--customize-hook=cp {shlex.quote(str(APT_CLEAN))} "$1/etc/apt/apt.conf.d/"',
            '--customize-hook=rm -f "$1"/var/cache/apt/*.bin',
            settings.DEBIAN_SUITE,
            archive,
        )
        current.run("docker", "import", "--change", 'CMD ["bash"]', archive, settings.BASE_IMAGE)
        archive.unlink()


def pull(image: str, *, seconds: float) -> bool:
    """Whether an image could be pulled; a registry that does not answer in ``seconds`` counts as absent."""
    try:
        run = subprocess.run(
            ["docker", "pull", "-q", image], capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return run.returncode == 0
