import json
import subprocess
import sys
from pathlib import Path

from e2e.cluster import capabilities

FULL = (1 << len(capabilities.NAMES)) - 1
SYS_RESOURCE = 1 << capabilities.NAMES.index("SYS_RESOURCE")
SPEC: dict[str, object] = {
    "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "effective": ["CAP_SYS_RESOURCE"]}
}


def test_a_full_bounding_set_lacks_nothing() -> None:
    assert capabilities.missing(FULL) == frozenset()


def test_sys_resource_is_named_by_its_bit() -> None:
    assert capabilities.missing(FULL & ~SYS_RESOURCE) == {"CAP_SYS_RESOURCE"}
    assert SYS_RESOURCE == 1 << 24  # linux/capability.h


def test_lacking_capabilities_leave_every_set_and_nothing_else() -> None:
    process = {**SPEC, "cwd": "/"}
    kept = capabilities.without(process, frozenset({"CAP_SYS_RESOURCE"}))
    assert kept == {"capabilities": {"bounding": ["CAP_CHOWN"], "effective": []}, "cwd": "/"}


def test_a_process_without_capabilities_is_left_alone() -> None:
    assert capabilities.without({"cwd": "/"}, frozenset({"CAP_CHOWN"})) == {"cwd": "/"}


def test_the_wrapper_rewrites_the_bundle_and_becomes_runc(tmp_path: Path) -> None:
    """The wrapper as Docker calls it, with a runc that shows its arguments."""
    runc = tmp_path / "runc"
    runc.write_text('#!/bin/sh\necho "$@"\n')
    runc.chmod(0o755)
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "config.json").write_text(json.dumps({"ociVersion": "1.0.2", "process": SPEC}))
    arguments = ["--root", "/r", "create", "--bundle", str(bundle), "id"]
    script = (
        f"import e2e.cluster.capabilities as c; c.missing = lambda _: {{'CAP_CHOWN'}}; c.main({arguments!r})"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert shown.stdout.split() == arguments
    rewritten = json.loads((bundle / "config.json").read_text())
    assert rewritten["process"]["capabilities"]["bounding"] == ["CAP_SYS_RESOURCE"]
    assert rewritten["ociVersion"] == "1.0.2"
