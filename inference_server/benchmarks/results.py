"""The file with every run's figures, and the table that docs/performance.md shows: `python -m …benchmarks.results`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from codemodel_server.cpu import usable_cpus
from e2e.cluster import settings
from e2e.load.target import processor

RESULTS = settings.ROOT / "build" / "bench" / "server.json"


def keep(case: str, runs: Sequence[Mapping[str, Any]], lines: Sequence[str], threads: int) -> None:
    """Puts a case into RESULTS in the place of what it came to before; other cases stay.

    Args:
        case: its name.
        runs: each run's figures so far.
        lines: the lines of JSON that they come to; none yet while it runs.
        threads: computing threads.
    """
    content = read()
    content[case] = {
        "processor": processor(),
        "cpus": usable_cpus(),
        "threads": threads,
        "runs": list(runs),
        "lines": [json.loads(line) for line in lines],
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read() -> dict[str, Any]:
    """All cases by name; none if nothing was measured yet."""
    return dict(json.loads(RESULTS.read_text())) if RESULTS.exists() else {}


def table(content: Mapping[str, Any]) -> Iterator[str]:
    """The cases as lines of a Markdown table.

    Args:
        content: what `read` returns.
    """
    yield "| case, peer | unit | ours | theirs | ours / theirs | target | met |"
    yield "|---|---|---|---|---|---|---|"
    for case in content.values():
        for line in case["lines"]:
            values = [line[key] for key in ("case", "unit", "ours", "theirs", "ratio", "target", "ok")]
            yield f"| {' | '.join(map(_cell, values))} |"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    print("\n".join(table(read())))
