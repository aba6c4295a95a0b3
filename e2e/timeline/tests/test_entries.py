import json

from e2e.timeline.entries import Change, Entry, changes, to_json_lines


def test_changes_are_those_of_one_number_of_one_object() -> None:
    values = [(1.0, "a", 1), (2.0, "b", 9), (3.0, "a", 1), (4.0, "a", 3), (5.0, "a", None), (6.0, "a", 1)]
    entries = [Entry(at, "Deployment", name, "MODIFIED", {"replicas": n}) for at, name, n in values]
    assert changes(entries, "Deployment", "a", "replicas") == [Change(4.0, 1, 3), Change(6.0, 3, 1)]


def test_a_timeline_is_written_as_json_lines() -> None:
    entries = [Entry(1.5, "Mark", "load-begins", "ADDED"), Entry(2.0, "Pod", "p", "ADDED", {"x": 1})]
    assert [Entry(**json.loads(line)) for line in to_json_lines(entries).splitlines()] == entries
