"""The termination message: the one line by which Kubernetes says why a container ended."""

import os
from pathlib import Path

_DEFAULT = Path("/dev/termination-log")
# The kubelet keeps this many bytes at most.
_LIMIT = 4096


def write_termination_message(message: str) -> None:
    """Writes one line to the file named by TERMINATION_LOG, else to Kubernetes' own if there is one.

    Outside a container there is no such file, and nothing is written. A file that cannot be written is no error: the
    message is in the log as well.
    """
    named = os.environ.get("TERMINATION_LOG")
    path = Path(named) if named else _DEFAULT
    if not named and not path.is_file():
        return
    line = " ".join(message.split()).encode(errors="replace")[:_LIMIT]
    try:
        # The status of a pod takes whole characters only.
        path.write_text(line.decode(errors="ignore"), encoding="utf-8")
    except OSError:
        return
