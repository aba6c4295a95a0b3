"""How many runs the tests have made, for the end of their report."""

from collections import Counter

RUNS: Counter[str] = Counter()


def count_runs(what: str, number: int = 1) -> None:
    """Count runs that were what they claim to be: their fault has happened."""
    RUNS[what] += number
