"""The newest version of a kind: what is read may not be older."""

from codemodel_operator.versions import Versions


def test_the_newest_of_each_kind_counts() -> None:
    versions = Versions()
    assert versions.newest("Service") == 0
    for version in ("9", "10", "8"):
        versions.note("Service", version)
    versions.note("Pod", "3")
    assert (versions.newest("Service"), versions.newest("Pod")) == (10, 3)


def test_what_is_no_version_says_nothing() -> None:
    versions = Versions()
    for version in (None, "", "a1", 7):
        versions.note("Service", version)
    assert versions.newest("Service") == 0


def test_what_is_forgotten_is_not_asked_for() -> None:
    versions = Versions()
    versions.note("Service", "9")
    versions.forget("Service")
    versions.forget("Pod")
    assert versions.newest("Service") == 0
    versions.note("Service", "4")
    assert versions.newest("Service") == 4
