"""kube-score and checkov: each built or installed once, from what is pinned here, and asked about files."""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.cluster import settings
from e2e.cluster.steps import step
from inference_server.tests.go_programs import Programs

_HERE = Path(__file__).parent
_REQUIREMENTS = _HERE / "checkov.txt"
_CRITICAL = 1
"""kube-score's grade; 5 is a warning, 10 is well."""

KUBE_SCORE = Programs(
    "Building kube-score (once, about a minute)",
    _HERE / "kube_score",
    (),
    lambda _current, _needed: {"CGO_ENABLED": "0"},
)


@dataclass(frozen=True, order=True)
class Finding:
    """A check that an object does not pass."""

    scanner: str
    check: str
    """As the scanner names it."""

    file: str
    """Name of the file, without its ending."""

    kind: str
    name: str


def kube_score(files: Sequence[Path]) -> set[Finding]:
    """Return what kube-score calls critical.

    Raises:
        StepError: it cannot be built, or fails.
    """
    program = KUBE_SCORE.build() / "kube-score"
    found: set[Finding] = set()
    with step("Asking kube-score") as current:
        for file in files:
            # One by one: it would mix up objects of the same name. It ends with 1 when it finds something.
            said = current.run(program, "score", "--output-format", "json", file, ok=(0, 1))
            found |= set(_criticals(file.stem, json.loads(said)))
    return found


def _criticals(file: str, scores: Iterable[dict[str, Any]]) -> Iterable[Finding]:
    for scored in scores:
        for check in scored["checks"]:
            if check["grade"] == _CRITICAL and not check["skipped"]:
                kind, name = scored["type_meta"]["kind"], scored["object_meta"]["name"]
                yield Finding("kube-score", check["check"]["id"], file, kind, name)


def checkov(folder: Path) -> set[Finding]:
    """Return every check of checkov that fails: how bad it is, it says to its vendor's customers only.

    Raises:
        StepError: it cannot be installed, or fails.
    """
    program = _checkov()
    with step("Asking checkov") as current:
        # Without --skip-download it asks its vendor's service.
        quiet = ("--framework", "kubernetes", "--skip-download", "--compact", "--quiet")
        said = json.loads(current.run(program, "--directory", folder, *quiet, "--output", "json", ok=(0, 1)))
    return {
        Finding("checkov", failed["check_id"], Path(failed["file_path"]).stem, *_object(failed["resource"]))
        for failed in said["results"]["failed_checks"]
    }


def _object(resource: str) -> tuple[str, str]:
    """Kind and name, from "Kind.namespace.name", with labels behind where it is a template's."""
    kind, _, name = resource.split(".", 2)
    return kind, name.partition(".")[0]


def _checkov() -> Path:
    """Install checkov into an environment of its own if it is not there yet, and return the program."""
    content = _REQUIREMENTS.read_bytes() + sys.version.encode()
    done = settings.CACHE / "tests" / f"checkov-{hashlib.sha256(content).hexdigest()[:16]}"
    if not (done / "ready").exists():
        shutil.rmtree(done, ignore_errors=True)
        with step("Installing checkov (once, about half a minute)") as current:
            current.run(sys.executable, "-m", "venv", done)
            pip = (done / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes")
            current.run(*pip, "-r", _REQUIREMENTS)
            (done / "ready").touch()
    return done / "bin" / "checkov"
