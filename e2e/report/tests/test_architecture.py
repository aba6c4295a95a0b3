"""The picture in docs/architecture.md shows what its text source says, and that has what there is."""

import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from codemodel_operator.resources import ROLES

DOCS = Path(__file__).resolve().parents[3] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def source() -> str:
    text = (DOCS / "architecture.dot").read_text(encoding="utf-8")
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def drawn() -> dict[str, set[tuple[str, str]]]:
    """Title and text of what the SVG shows, by its kind: node, edge or cluster."""
    found: dict[str, set[tuple[str, str]]] = {"node": set(), "edge": set(), "cluster": set()}
    for group in ET.parse(DOCS / "architecture.svg").iter(f"{SVG}g"):
        if (kind := group.get("class", "")) in found:
            title = unescape(group.findtext(f"{SVG}title") or "")
            text = " ".join((text.text or "").strip() for text in group.findall(f".//{SVG}text"))
            found[kind].add((title, text))
    return found


def label(attributes: str | None) -> str:
    found = re.search(r'\bx?label="((?:[^"\\]|\\.)*)"', attributes or "")
    return re.sub(r"\s*\\[nl]\s*", " ", found[1]).strip() if found else ""


def test_every_node_and_its_text_are_drawn(source: str, drawn: dict[str, set[tuple[str, str]]]) -> None:
    nodes = re.findall(r"^\s*(?!graph)(\w+) \[(label=.*)\]$", source, re.MULTILINE)
    assert {(name, label(attributes)) for name, attributes in nodes} == drawn["node"]


def test_every_edge_and_its_text_are_drawn(source: str, drawn: dict[str, set[tuple[str, str]]]) -> None:
    edges = re.findall(r"^\s*(\w+) -> (\w+)(?: \[(.*)\])?$", source, re.MULTILINE)
    assert {(f"{tail}->{head}", label(attributes)) for tail, head, attributes in edges} == drawn["edge"]


def test_every_group_and_its_title_are_drawn(source: str, drawn: dict[str, set[tuple[str, str]]]) -> None:
    groups = re.findall(r"subgraph (cluster_\w+) \{\s*graph \[(.*)\]", source)
    assert {(name, label(attributes)) for name, attributes in groups} == drawn["cluster"]


def test_every_kind_of_child_that_the_operator_makes_is_there(drawn: dict[str, set[tuple[str, str]]]) -> None:
    shown = " ".join(text for _, text in drawn["node"])
    assert {kind for kind, _ in ROLES.values() if kind not in shown} == set()


def test_the_document_shows_the_picture() -> None:
    assert "(architecture.svg)" in (DOCS / "architecture.md").read_text(encoding="utf-8")
