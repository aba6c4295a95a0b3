"""Names, versions and places of the cluster: the one file to edit when a version is raised.

The versions of everything built from source stand in ``node/go.mod`` (and ``node/localpath/go.mod``), whose
``go.sum`` pins the content too; what is below must name the same versions, and a unit test holds that it does.
"""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

NODE = Path(__file__).resolve().parent / "node"
"""The build context of the node image: Go modules, Dockerfiles and manifests."""

CLUSTER = "codemodel"
CONTEXT = f"kind-{CLUSTER}"
NODE_CONTAINER = f"{CLUSTER}-control-plane"
OPERATOR_NAMESPACE = "codemodel-system"
SAMPLES_NAMESPACE = "llm-inference"
SAMPLE = "tiny-coder"
ENDPOINT = "http://127.0.0.1:8080"
"""Where the sample answers: kind maps this port to NodePort 30080."""

OPERATOR_IMAGE = "codemodel-operator:dev"
SERVER_IMAGE = "codemodel-server:dev"
HUB_IMAGE = "codemodel-hub:dev"

KUBERNETES = "v1.37.2"
KIND = "v0.33.0"
KIND_NODE_IMAGE = f"kindest/node:{KUBERNETES}"
"""kind's published node image, used where a registry answers."""

COREDNS_TAG = "v1.14.6"
ETCD_TAG = "3.7.0-0"
PAUSE_TAGS = ("3.10.2", "3.10")
"""Image tags that kubeadm of this Kubernetes version asks for (``kubeadm config images list``); the second pause
is the sandbox image that containerd's configuration in kind's base image names."""

METRICS_SERVER = "v0.9.0"
LOCAL_PATH = "v0.0.30"

BASE_IMAGE = "debian:trixie-slim"
DEBIAN_SUITE = "trixie"

CACHE = Path(os.environ.get("CODEMODEL_CACHE") or Path.home() / ".cache" / "codemodel").absolute()
"""Everything that is slow to make: binaries by content hash, our Docker's data, build logs. Safe to delete."""

LOGS = CACHE / "logs"
DOCKERD = CACHE / "docker"
"""Configuration, data and log of the Docker daemon that we start where none answers."""

RUN = Path("/run/codemodel") if os.geteuid() == 0 else Path(tempfile.gettempdir()) / "codemodel"
"""Sockets: a path that stays below the 108 bytes a Unix socket's name may have."""

LINKS = ROOT / "bin"
"""Links to the kind and kubectl in use, so that a user who has neither can type ``bin/kubectl``."""
