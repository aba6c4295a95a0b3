"""What a watch has just brought: once, and only while nothing newer came."""

from typing import Any

from codemodel_operator import arrivals
from codemodel_operator.arrivals import Arrivals
from codemodel_operator.workqueue import Key

KEY, OTHER = ("models", "coder"), ("models", "other")


def codemodel(version: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "coder", "resourceVersion": version, **metadata}, "spec": {"suspend": True}}


def arrived(*events: tuple[Key, str, bool]) -> Arrivals:
    result = Arrivals()
    for key, version, added in events:
        result.came(key, codemodel(version), added=added)
    return result


def test_whoever_was_created_is_given_once() -> None:
    held = arrived((OTHER, "1", True), (KEY, "2", True))
    assert [held.take(KEY), held.take(OTHER)] == [codemodel("2"), codemodel("1")]
    assert [held.take(KEY), held.take(OTHER)] == [None, None]


def test_what_has_changed_since_it_came_is_read() -> None:
    held = arrived((KEY, "1", True), (OTHER, "2", True), (KEY, "3", False))
    assert held.take(KEY) is None
    assert held.take(OTHER) == codemodel("2")


def test_of_the_metadata_only_what_a_look_needs_is_held() -> None:
    held = Arrivals()
    held.came(KEY, codemodel("1", managedFields=[{}], annotations={"a": "b"}), added=True)
    assert held.take(KEY) == codemodel("1")


def test_more_than_a_thousand_are_not_held() -> None:
    held = Arrivals()
    keys = [("models", f"coder-{number}") for number in range(arrivals._MOST + 1)]
    for key in keys:
        held.came(key, codemodel("1"), added=True)
    assert [key for key in keys if held.take(key) is None] == keys[-1:]
