"""codemodel-fetch without its process."""

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from codemodel_delivery.fetch.progress import JsonProgress
from codemodel_delivery.fetch.source import parse_source
from codemodel_delivery.fetch.store import ModelStore
from codemodel_delivery.fetch.transfer import Transfer


class Fetcher:
    """Fetches into a folder, with pauses that are noted and not made."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "model.gguf"
        self.pauses: list[float] = []
        self.out = io.StringIO()
        self.clock: Callable[[], float] = time.monotonic

    @property
    def partial(self) -> Path:
        return self.path.with_name(f".{self.path.name}.part")

    def fetch(self, url: str, sha256: str | None = None, token: str | None = None) -> bool:
        progress = JsonProgress(self.out, interval=0)
        moved = Transfer(
            parse_source(url),
            token,
            progress,
            sleep=self.pauses.append,
            jitter=lambda: 1.0,
            clock=self.clock,
        )
        return ModelStore(self.path, progress).ensure(url, sha256, moved)

    def leftovers(self) -> list[str]:
        kept = {self.path.name, f"{self.path.name}.json", f".{self.path.name}.lock"}
        return sorted({file.name for file in self.path.parent.iterdir()} - kept)

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.out.getvalue().splitlines()]
        return [line for line in lines if line["event"] == name]
