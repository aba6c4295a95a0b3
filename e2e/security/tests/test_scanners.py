"""The scanners find nothing in the manifests but what docs/security.md explains."""

import re
from pathlib import Path

import pytest

from e2e.cluster import kind, settings
from e2e.security.manifests import render
from e2e.security.scanners import Finding, checkov, kube_score

# Building and installing takes minutes where it was not done before.
pytestmark = pytest.mark.timeout(600)

_ROW = re.compile(
    r"^\| (kube-score|checkov) \| `([^`]+)` \| (operator|CodeModel|`[^`]+`) \| \S.*\|$", re.MULTILINE
)

EXPLAINED = set(_ROW.findall((settings.ROOT / "docs" / "security.md").read_text()))


def row(finding: Finding) -> tuple[str, str, str]:
    """The columns of the table: scanner, check and what it is about."""
    if finding.file.startswith("codemodel-"):
        about = "CodeModel"
    else:
        about = "operator" if finding.name == "codemodel-operator" else f"`{finding.kind}`"
    return finding.scanner, finding.check, about


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> set[Finding]:
    folder: Path = tmp_path_factory.mktemp("manifests")
    files = render(folder, kind.kubectl())
    return kube_score(files) | checkov(folder)


def test_what_is_found_is_explained(findings: set[Finding]) -> None:
    assert sorted(finding for finding in findings if row(finding) not in EXPLAINED) == []


def test_what_is_explained_is_still_found(findings: set[Finding]) -> None:
    """What was put right needs no exception any more."""
    assert sorted(EXPLAINED - {row(finding) for finding in findings}) == []


def test_both_scanners_looked(tmp_path: Path) -> None:
    """A pod with everything that must not be is found by both."""
    host = {"name": "host", "hostPath": {"path": "/"}}
    container = {"name": "c", "image": "x", "securityContext": {"privileged": True}}
    file = tmp_path / "bad.yaml"
    file.write_text(
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bad", "namespace": "n"}, '
        f'"spec": {{"volumes": [{host}], "containers": [{container}]}}}}'.replace("'", '"').replace(
            "True", "true"
        )
    )
    found = {(finding.scanner, finding.check) for finding in kube_score([file]) | checkov(tmp_path)}
    assert {("kube-score", "container-security-context-privileged"), ("checkov", "CKV_K8S_16")} <= found
