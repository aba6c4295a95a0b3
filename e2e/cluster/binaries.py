"""Kubernetes, kind and what a node runs, built from the Go modules that ``node/go.mod`` pins.

The binaries are cached by a hash of everything that goes into them, so a second bring-up finds them built.
"""

import hashlib
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from e2e.cluster import docker, settings
from e2e.cluster.steps import Step, step

RUNC = "github.com/opencontainers/runc"
LOCALPATH = settings.NODE / "localpath"
GO_TOOLCHAIN = "v0.0.1-go1.26.8.linux-amd64"
"""The Go toolchain as a Go module: what an older Go fetches to become the one that go.mod asks for."""

_major, _minor, _ = settings.KUBERNETES.removeprefix("v").split(".")
LDFLAGS = " ".join(
    [
        "-s -w",
        f"-X k8s.io/component-base/version.gitVersion={settings.KUBERNETES}",
        f"-X k8s.io/component-base/version.gitMajor={_major}",
        f"-X k8s.io/component-base/version.gitMinor={_minor}",
    ]
)


def folder() -> Path:
    """The folder of the binaries for the present sources; may not exist yet."""
    digest = hashlib.sha256(f"{LDFLAGS}\n{RUNC}\n".encode())
    for file in sorted(settings.NODE.rglob("*")):
        if file.suffix in {".mod", ".sum", ".go"}:
            digest.update(file.read_bytes())
    return settings.CACHE / "bin" / digest.hexdigest()[:16]


def build_all() -> Path:
    """Build every binary that is not built yet, and return their folder.

    Raises:
        StepError: Go cannot be had, or a build fails.
    """
    done = folder()
    if done.exists():
        return done
    partial = done.with_name(f"{done.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    title = (
        f"Building Kubernetes {settings.KUBERNETES}, etcd, containerd and CoreDNS (once, about ten minutes)"
    )
    with step(title) as current:
        go = _go(current)
        tools = current.run(go, "list", "-f", "{{.ImportPath}}", "tool", cwd=settings.NODE).split()
        tools.remove(RUNC)
        static = {"CGO_ENABLED": "0"}
        build = (go, "build", "-trimpath", "-ldflags", LDFLAGS, "-o", f"{partial}/")
        current.run(*build, "./coredns", *tools, env=static, cwd=settings.NODE)
        current.run(*build, "tool", env=static, cwd=LOCALPATH)
        (partial / "server").rename(partial / "etcd")  # etcd's package is named server
        _build_runc(current, go, partial)
    partial.rename(done)
    return done


def client(name: str, package: str) -> Path:
    """The path of ``kind`` or ``kubectl``: built with the node image, else the machine's, else built alone."""
    built = folder() / name
    if built.exists():
        return built
    if (found := shutil.which(name)) and _is_recent(name, found):
        return Path(found)
    alone = settings.CACHE / "bin" / f"{name}-{folder().name}"
    if not alone.exists():
        with step(f"Building {name}") as current:
            go = _go(current)
            build = (go, "build", "-trimpath", "-ldflags", LDFLAGS, "-o", str(alone), package)
            current.run(*build, env={"CGO_ENABLED": "0"}, cwd=settings.NODE)
    return alone


def module(current: Step, path: str) -> Path:
    """The folder of a Go module's source, downloaded and verified against go.sum if it is not there yet."""
    go = _go(current)
    current.run(go, "mod", "download", path, cwd=settings.NODE)
    return Path(current.run(go, "list", "-m", "-f", "{{.Dir}}", path, cwd=settings.NODE).strip())


def _is_recent(name: str, path: str) -> bool:
    """Whether the machine's client may be used: any kubectl; a kind no older than the one we pin."""
    if name != "kind":
        return True
    version = subprocess.run([path, "version", "-q"], capture_output=True, text=True, check=False).stdout
    numbers = [tuple(map(int, re.findall(r"\d+", text)[:3])) for text in (version, settings.KIND)]
    return len(numbers[0]) == 3 and numbers[0] >= numbers[1]


def _build_runc(current: Step, go: str, target: Path) -> None:
    """runc alone needs cgo: its first code in a container runs before Go's runtime starts."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        docker.install(current, "gcc", "libc6-dev", "libseccomp-dev", "pkg-config")
    build = (go, "build", "-trimpath", "-tags", "seccomp", "-ldflags", "-s -w", "-o", f"{target}/", RUNC)
    current.run(*build, env={"CGO_ENABLED": "1"}, cwd=settings.NODE)


@cache
def _go_in_path() -> str | None:
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if not found:
        return None
    version = subprocess.run([found, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    return found if numbers >= (1, 21) else None  # from 1.21 on, Go fetches the toolchain that go.mod names


def _go(current: Step) -> str:
    """A Go new enough to follow go.mod: the machine's, else its toolchain fetched by the distribution's Go."""
    if found := _go_in_path():
        return found
    toolchain = settings.CACHE / "go"
    if not (toolchain / "bin" / "go").exists():
        docker.install(current, "golang-go", "ca-certificates")
        name = f"golang.org/toolchain@{GO_TOOLCHAIN}"
        modules = settings.CACHE / "go-modules"
        environment = {"GOMODCACHE": str(modules), "GOFLAGS": "-modcacherw"}
        current.run("/usr/bin/go", "mod", "download", name, env=environment, cwd=settings.CACHE)
        source = modules / name
        for file in (*source.glob("bin/*"), *source.glob("pkg/tool/*/*")):
            file.chmod(0o755)  # a module's files are never executable
        source.rename(toolchain)
    return str(toolchain / "bin" / "go")
