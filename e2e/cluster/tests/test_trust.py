from e2e.cluster.trust import beyond


def pem(body: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"


def test_only_what_the_image_lacks_is_added_and_once() -> None:
    machine = f"# comment\n{pem('AAAA')}\n{pem('BBBB')}\n{pem('BBBB')}\n"
    assert beyond(machine, pem("AA\nAA")) == [pem("BBBB")]  # line breaks do not make another certificate


def test_a_machine_that_trusts_no_more_adds_nothing() -> None:
    assert beyond(pem("AAAA"), f"{pem('AAAA')}\n{pem('CCCC')}") == []
