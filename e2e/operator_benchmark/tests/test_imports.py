from e2e.operator_benchmark.imports import PACKAGES, resident_mebibytes, table


def test_each_package_is_charged_with_what_it_adds() -> None:
    found = {(): 8.0, ("a",): 20.0, ("a", "b.c"): 21.0}
    assert list(table(("a", "b.c"), lambda packages: found[tuple(packages)])) == [
        "| imported | MiB |",
        "|---|---|",
        "| Python itself | 8 |",
        "| `a` | 12 |",
        "| `b` | 1 |",
        "| all | 21 |",
    ]


def test_the_operator_takes_more_than_python_alone() -> None:
    assert resident_mebibytes(PACKAGES) > resident_mebibytes(()) > 1
