"""Programs of others that tests need for real, built once from pinned Go modules."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster import settings
from e2e.cluster.binaries import _go
from e2e.cluster.steps import Step, step

Environment = Callable[[Step, Path], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Programs:
    """What is built.

    Attributes:
        title: what people read while it is.
        module: the folder of go.mod and go.sum, which pin the programs as tools.
        flags: for `go build`.
        environment: variables for it, given a folder for what they refer to.
        content: what else decides what comes out.
    """

    title: str
    module: Path
    flags: tuple[str, ...]
    environment: Environment
    content: str = ""

    def folder(self) -> Path:
        """The folder of the programs for the present pins; may not exist yet."""
        pins = [(self.module / name).read_text() for name in ("go.mod", "go.sum")]
        digest = hashlib.sha256("\n".join([*pins, *self.flags, self.content]).encode()).hexdigest()[:16]
        return settings.CACHE / "tests" / f"{self.module.name}-{digest}"

    def build(self) -> Path:
        """Builds them if they are not there yet, and returns their folder.

        Raises:
            StepError: Go or the sources cannot be had, or the build fails.
        """
        done = self.folder()
        if done.exists():
            return done
        # By process: two test runs may build at the same time.
        partial = done.with_name(f"{done.name}.{os.getpid()}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        needed = partial / "needed"
        needed.mkdir(parents=True)
        with step(self.title) as current:
            environment = self.environment(current, needed)
            build = ("nice", "-n", "5", _go(current), "build", "-trimpath", "-ldflags", "-s -w", *self.flags)
            current.run(*build, "-o", f"{partial}/", "tool", env=environment, cwd=self.module)
            shutil.rmtree(needed)
            if done.exists():
                shutil.rmtree(partial)
            else:
                partial.rename(done)
        return done
