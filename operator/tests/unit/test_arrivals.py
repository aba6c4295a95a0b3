"""What a watch has just brought: only the last, only once, and nothing older than what came since."""

from codemodel_operator.arrivals import Arrivals
from codemodel_operator.workqueue import Key

KEY, OTHER = ("models", "coder"), ("models", "other")


def arrivals(*events: tuple[Key, str, bool]) -> Arrivals:
    result = Arrivals()
    for key, version, added in events:
        result.came(key, {"metadata": {"resourceVersion": version}}, added=added)
    return result


def test_the_last_that_came_is_given_once() -> None:
    last = arrivals((OTHER, "1", True), (KEY, "2", True))
    assert last.take(OTHER) is None
    assert last.take(KEY) == {"metadata": {"resourceVersion": "2"}}
    assert last.take(KEY) is None


def test_what_has_changed_since_it_came_is_read() -> None:
    assert arrivals((KEY, "1", True), (KEY, "2", False)).take(KEY) is None
    assert arrivals((KEY, "1", True), (OTHER, "2", False)).take(KEY) is None
