"""kubectl, as a user types it: for everything whose words a user sees."""

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

from e2e.cluster import settings

CONTEXT = os.environ.get("CODEMODEL_E2E_CONTEXT", settings.CONTEXT)
"""The kubeconfig context that the suite works on."""

TIMEOUT_SECONDS = 240


class KubectlError(Exception):
    """kubectl ended with an error; the message is what it printed."""


@dataclass(frozen=True)
class Outcome:
    """How a kubectl command ended."""

    status: int
    output: str
    error: str


def binary() -> str:
    """CODEMODEL_KUBECTL, else the link that `make up` left in the checkout, else kubectl on the PATH."""
    linked = settings.LINKS / "kubectl"
    return os.environ.get("CODEMODEL_KUBECTL") or (str(linked) if linked.exists() else "kubectl")


def attempt(*arguments: str, namespace: str | None = None, stdin: Any = None) -> Outcome:
    """Run kubectl and return how it ended.

    Args:
        arguments: what to type after ``kubectl``.
        namespace: adds ``-n``.
        stdin: an object that is sent as JSON, for ``-f -``.
    """
    words = [binary(), "--context", CONTEXT, *(("-n", namespace) if namespace else ()), *arguments]
    text = None if stdin is None else json.dumps(stdin)
    try:
        run = subprocess.run(
            words, input=text, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except FileNotFoundError:
        return Outcome(127, "", f"{words[0]} is not there: run `make up`, or set CODEMODEL_KUBECTL")
    except subprocess.TimeoutExpired:
        return Outcome(124, "", f"no end after {TIMEOUT_SECONDS} s")
    return Outcome(run.returncode, run.stdout, run.stderr)


def kubectl(*arguments: str, namespace: str | None = None, stdin: Any = None) -> str:
    """Run kubectl and return its standard output.

    Raises:
        KubectlError: it failed.
    """
    outcome = attempt(*arguments, namespace=namespace, stdin=stdin)
    if outcome.status != 0:
        raise KubectlError(
            f"kubectl {' '.join(arguments)}: {outcome.error.strip() or outcome.output.strip()}"
        )
    return outcome.output


def raw(path: str) -> bytes:
    """GET a path of the API server, which also leads to Services, and return the body.

    Raises:
        KubectlError: the answer is not 2xx.
    """
    words = [binary(), "--context", CONTEXT, "get", "--raw", path]
    run = subprocess.run(words, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    if run.returncode != 0:
        raise KubectlError(f"GET {path}: {run.stderr.decode(errors='replace').strip()}")
    return run.stdout
