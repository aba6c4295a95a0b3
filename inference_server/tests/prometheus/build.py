"""Builds a real Prometheus and its promtool."""

from pathlib import Path

from inference_server.tests.go_programs import Programs

PROMETHEUS = Programs(
    "Building Prometheus, to test against (once, about two minutes)",
    Path(__file__).parent,
    ("-tags", "remove_all_sd"),
    lambda _current, _needed: {"CGO_ENABLED": "0"},
)
