"""Installs what `python -m llama_cpp.server` needs, beside the llama_cpp of this checkout."""

import hashlib
import shutil
import sys
import sysconfig
from pathlib import Path

from e2e.cluster import settings
from e2e.cluster.steps import step

REQUIREMENTS = Path(__file__).with_name("llama_cpp_server.txt")


def install() -> Path:
    """Makes a virtual environment for it if there is none yet, and returns its interpreter.

    Its own packages come first, and llama_cpp and the rest from this checkout's environment.

    Raises:
        StepError: the packages cannot be had.
    """
    checkout = sysconfig.get_path("purelib")
    content = REQUIREMENTS.read_bytes() + checkout.encode() + sys.version.encode()
    done = settings.CACHE / "bench" / f"llama_cpp.server-{hashlib.sha256(content).hexdigest()[:16]}"
    python = done / "bin" / "python"
    if (done / "ready").exists():
        return python
    shutil.rmtree(done, ignore_errors=True)
    with step("Installing what llama_cpp.server needs, to compare with (once)") as current:
        current.run(sys.executable, "-m", "venv", done)
        current.run(python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", REQUIREMENTS)
        (packages,) = done.glob("lib/python*/site-packages")
        (packages / "checkout.pth").write_text(f"{checkout}\n")
        (done / "ready").touch()
    return python
