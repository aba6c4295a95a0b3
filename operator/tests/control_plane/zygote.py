"""Makes operator processes at once: imports everything, then forks for each line of standard input.

    python zygote.py < a line of JSON each: {"arguments": […], "kubeconfig": path, "log": path} > a pid each

A fork is what `python -m codemodel_operator` is after its imports, which take more than a second of CPU time: with
hundreds of starts they would be most of what the tests do. Ends with its standard input, and its children with it.
"""

import ctypes
import importlib
import json
import os
import runpy
import signal
import sys
import traceback
from typing import Any

_PACKAGE = "codemodel_operator"
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Fork until standard input ends."""
    importlib.import_module(f"{_PACKAGE}.handlers")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them, so none becomes a zombie
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _become_operator(json.loads(line))
        print(pid, flush=True)


def _become_operator(request: dict[str, Any]) -> None:
    """Never returns."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ["KUBECONFIG"] = request["kubeconfig"]
    sys.argv = [_PACKAGE, *request["arguments"]]
    status = 0
    try:
        runpy.run_module(_PACKAGE, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
