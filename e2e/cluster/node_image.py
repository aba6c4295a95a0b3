"""The kind node image: the published one where a registry answers, else one built from source.

Built from source it is what `kind build node-image` makes: kind's base image, the Kubernetes binaries, and every
image of the control plane already imported into the node's containerd.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from e2e.cluster import base_image, binaries, settings
from e2e.cluster.steps import Step, step

PULL_SECONDS = 900
BUILDKIT = {"DOCKER_BUILDKIT": "1"}
BUILDER = "codemodel-node-build"
KIND_MODULE = "sigs.k8s.io/kind"

# What each scratch image runs, by its name in the cluster. The binary of that name is its only file.
REGISTRY = "registry.k8s.io"
SCRATCH_IMAGES: Mapping[str, str] = {
    f"{REGISTRY}/kube-apiserver:{settings.KUBERNETES}": "kube-apiserver",
    f"{REGISTRY}/kube-controller-manager:{settings.KUBERNETES}": "kube-controller-manager",
    f"{REGISTRY}/kube-scheduler:{settings.KUBERNETES}": "kube-scheduler",
    f"{REGISTRY}/coredns/coredns:{settings.COREDNS_TAG}": "coredns",
    f"{REGISTRY}/etcd:{settings.ETCD_TAG}": "etcd",
    f"{REGISTRY}/metrics-server/metrics-server:{settings.METRICS_SERVER}": "metrics-server",
    f"rancher/local-path-provisioner:{settings.LOCAL_PATH}": "local-path-provisioner",
    **{f"{REGISTRY}/pause:{tag}": "pause" for tag in settings.PAUSE_TAGS},
}
KUBE_PROXY = f"{REGISTRY}/kube-proxy:{settings.KUBERNETES}"

PUBLISHED = settings.KIND_NODE_IMAGE


def built_tag() -> str:
    """The tag of the image built from the present sources."""
    digest = hashlib.sha256(binaries.folder().name.encode())
    for file in (Path(__file__), *sorted(path for path in settings.NODE.iterdir() if path.is_file())):
        digest.update(file.read_bytes())
    return f"codemodel-node:{digest.hexdigest()[:16]}"


def ensure() -> str:
    """The name of a node image that Docker holds, made if need be.

    Raises:
        StepError: it can be neither pulled nor built.
    """
    tag = built_tag()
    if base_image.exists(tag):
        return tag
    if base_image.exists(PUBLISHED) or _pull():
        return PUBLISHED
    bin_folder = binaries.build_all()
    with step("Building the kind node image") as current, tempfile.TemporaryDirectory() as scratch:
        _build(current, bin_folder, Path(scratch), tag)
    return tag


def _pull() -> bool:
    # Where not even the small base image came from a registry, the big one will not: it was made here, untagged.
    if not base_image.exists(settings.BASE_IMAGE) or not _came_from_registry(settings.BASE_IMAGE):
        return False
    with step(f"Pulling {PUBLISHED}") as current:
        pulled = base_image.pull(PUBLISHED, seconds=PULL_SECONDS)
        current.note = "done" if pulled else "not to be had, so it is built from source"
    return pulled


def _came_from_registry(image: str) -> bool:
    inspect = ["docker", "image", "inspect", "--format", "{{len .RepoDigests}}", image]
    return subprocess.run(inspect, capture_output=True, text=True, check=False).stdout.strip() not in {
        "",
        "0",
    }


def _build(current: Step, bin_folder: Path, scratch: Path, tag: str) -> None:
    kind_base = f"codemodel-kind-base:{settings.KIND}"
    recipe = binaries.module(current, KIND_MODULE) / "images" / "base"
    base = f"BASE_IMAGE={settings.BASE_IMAGE}"
    current.run(
        "docker", "build", "--target", "base", "--build-arg", base, "-t", kind_base, recipe, env=BUILDKIT
    )
    for file in settings.NODE.iterdir():
        if file.is_file():
            shutil.copy2(file, scratch)
    shutil.copytree(bin_folder, scratch / "bin", copy_function=_link)
    _compile_pause(current, scratch / "bin")
    arguments = ["--build-arg", f"KIND_BASE={kind_base}", "--build-arg", f"KUBERNETES={settings.KUBERNETES}"]
    for target, name in (("kube-proxy", KUBE_PROXY), ("node", f"{tag}-bare")):
        current.run("docker", "build", *arguments, "--target", target, "-t", name, scratch, env=BUILDKIT)
    for name, binary in SCRATCH_IMAGES.items():
        _import_scratch(current, scratch / "bin" / binary, name)
    _side_load(current, f"{tag}-bare", tag)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # the cache may lie on another filesystem
        shutil.copy2(source, target)


def _compile_pause(current: Step, target: Path) -> None:
    source = settings.NODE / "pause.c"
    current.run("gcc", "-Os", "-static", "-s", "-o", target / "pause", source)


def _import_scratch(current: Step, binary: Path, name: str) -> None:
    """An image with one static binary in /usr/local/bin: kubeadm's manifests start it by its bare name."""
    script = (
        'tar -C "$1" --transform="s,^,usr/local/bin/," --owner=0 --group=0 -c "$2" | docker import "${@:3}"'
    )
    changes = (
        "--change",
        f'ENTRYPOINT ["{binary.name}"]',
        "--change",
        "ENV PATH=/usr/local/bin",
    )
    current.run(
        "bash", "-o", "pipefail", "-c", script, "import", binary.parent, binary.name, *changes, "-", name
    )


def _side_load(current: Step, bare: str, tag: str) -> None:
    """Import every image into the node's containerd, as kind's own builder does, and keep the result."""
    images = [*SCRATCH_IMAGES, KUBE_PROXY, settings.BASE_IMAGE]
    subprocess.run(
        ["docker", "rm", "-f", BUILDER], capture_output=True, check=False
    )  # left by a killed build
    options = ("--name", BUILDER, "--security-opt", "seccomp=unconfined", "--entrypoint=sleep")
    container = current.run("docker", "run", "-d", *options, bare, "infinity").strip()
    try:
        current.run("docker", "exec", "-d", container, "containerd")
        current.run(
            "docker", "exec", container, "bash", "-c", "until ctr version; do sleep 0.1; done 2>/dev/null"
        )
        load = 'docker save "${@:2}" | docker exec -i "$1" ctr -n k8s.io images import --no-unpack -'
        current.run("bash", "-o", "pipefail", "-c", load, "load", container, *images)
        current.run("docker", "exec", container, "pkill", "containerd")
        entry = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]'
        current.run("docker", "commit", "--change", entry, "--change", "CMD []", container, tag)
    finally:  # quietly: a failure's log must end with its cause
        for clean in (["rm", "-f", container], ["rmi", bare, *SCRATCH_IMAGES, KUBE_PROXY]):
            subprocess.run(["docker", *clean], capture_output=True, check=False)
