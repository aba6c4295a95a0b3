"""Our own images: built with the repository's Dockerfiles and loaded into the cluster's node."""

import shutil
import subprocess
import sys
from pathlib import Path

from e2e.cluster import kind, settings
from e2e.cluster.node_image import BUILDKIT
from e2e.cluster.steps import step

HUB_CONTEXT = settings.ROOT / "build" / "hub"

BUILDS = (
    ("operator", settings.OPERATOR_IMAGE, "Dockerfile.operator", settings.ROOT),
    (
        "server (llama.cpp is compiled once, about eight minutes)",
        settings.SERVER_IMAGE,
        "Dockerfile.server",
        settings.ROOT,
    ),
    ("model hub", settings.HUB_IMAGE, "Dockerfile", HUB_CONTEXT),
)


def prepare_hub() -> None:
    """The hub image's build context: ``e2e/hub`` beside tiny-coder and the model for load, which is made here.

    Raises:
        StepError: the model for load cannot be made.
    """
    HUB_CONTEXT.mkdir(parents=True, exist_ok=True)
    for name in ("Dockerfile", "nginx.conf"):
        shutil.copy2(settings.ROOT / "e2e" / "hub" / name, HUB_CONTEXT)
    shutil.copy2(settings.ROOT / "models" / "tiny_coder" / "tiny-coder.gguf", HUB_CONTEXT)
    with step("Making the model for load") as current:
        current.run(
            sys.executable, "-m", "models.sample_model", HUB_CONTEXT / "sample-coder.gguf", cwd=settings.ROOT
        )


def build() -> None:
    """Build the three images; Docker's layer cache makes this a second where nothing changed.

    Raises:
        StepError: a build fails.
    """
    for title, tag, dockerfile, context in BUILDS:
        with step(f"Building the image of the {title}") as current:
            current.run("docker", "build", "-f", Path(context, dockerfile), "-t", tag, context, env=BUILDKIT)


def load() -> set[str]:
    """Load what the node lacks, and return the tags whose content there is new.

    What was loaded is noted in the node itself, so that the note goes when the node goes.

    Raises:
        StepError: loading fails.
    """
    with step("Loading the images into the node") as current:
        new = {
            tag: image for tag, image in ((tag, _id(tag)) for _, tag, _, _ in BUILDS) if not _loaded(image)
        }
        if new:
            current.run(kind.kind(), "load", "docker-image", "--name", settings.CLUSTER, *new)
            notes = [f"/kind/loaded/{image.removeprefix('sha256:')}" for image in new.values()]
            current.run("docker", "exec", settings.NODE_CONTAINER, "mkdir", "-p", "/kind/loaded")
            current.run("docker", "exec", settings.NODE_CONTAINER, "touch", *notes)
        current.note = f"{len(new)} of {len(BUILDS)} new"
    return set(new)


def _id(tag: str) -> str:
    inspect = ["docker", "image", "inspect", "--format", "{{.Id}}", tag]
    return subprocess.run(inspect, capture_output=True, text=True, check=True).stdout.strip()


def _loaded(image: str) -> bool:
    test = [
        "docker",
        "exec",
        settings.NODE_CONTAINER,
        "test",
        "-e",
        f"/kind/loaded/{image.removeprefix('sha256:')}",
    ]
    return subprocess.run(test, capture_output=True, check=False).returncode == 0
