"""Which addresses and hosts the downloader may connect to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemodel_delivery.fetch.guard import host_allowed, refusal

NEVER = [
    "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "224.0.0.1", "239.1.2.3", "255.255.255.255", "240.0.0.1",
    "100.100.100.200", "168.63.129.16", "192.0.0.192", "::", "fe80::1", "fe80::1%eth0", "ff02::1", "fd00:ec2::254",
    "fd20:ce::254", "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1", "::ffff:0.0.0.0",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "198.18.0.1",
    "192.0.0.1", "192.0.2.1", "203.0.113.9", "192.88.99.1", "::1", "fd00::1", "fc00::1", "fec0::1", "2001:db8::1",
    "2001::1", "100::1", "::127.0.0.1", "64:ff9b:1::8.8.8.8", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
    "64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "2002:0a00:0001::1", "2002:7f00:1::",
]  # fmt: skip
GLOBAL = [
    "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "8.8.8.8", "172.32.0.1",
    "100.128.0.1", "169.253.1.1", "2a00:1450:4001::1",
    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
]  # fmt: skip


@pytest.mark.parametrize("text", NEVER)
def test_addresses_that_are_always_refused(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert "metadata" in str(refusal(address, allow_private=False))
    assert "metadata" in str(refusal(address, allow_private=True))


@pytest.mark.parametrize("text", PRIVATE)
def test_addresses_that_may_be_allowed(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert "--allow-private" in str(refusal(address, allow_private=False))
    assert refusal(address, allow_private=True) is None


@pytest.mark.parametrize("text", GLOBAL)
def test_public_addresses(text: str) -> None:
    assert refusal(ipaddress.ip_address(text), allow_private=False) is None


@given(st.ip_addresses(v=4))
def test_an_address_in_another_guise_is_the_same_address(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    guises = [(0xFFFF << 32) + number, (0x64FF9B << 96) + number, (0x2002 << 112) + (number << 80) + 1]
    for allow in (False, True):
        expected = refusal(address, allow_private=allow)
        for guise in guises:
            assert refusal(ipaddress.IPv6Address(guise), allow_private=allow) == expected


@pytest.mark.parametrize(
    ("name", "patterns", "allowed"),
    [
        ("models.example", ["models.example"], True),
        ("MODELS.example.", ["models.Example"], True),
        ("a.models.example", ["models.example"], False),
        ("a.models.example", ["*.models.example"], True),
        ("b.a.models.example", ["*.models.example"], True),
        ("models.example", ["*.models.example"], False),
        ("evilmodels.example", ["*.models.example"], False),
        ("models.example.evil", ["models.example", "*.models.example"], False),
        ("b", ["a", "b"], True),
        ("::1", ["::1"], True),
    ],
)
def test_hosts(name: str, patterns: list[str], allowed: bool) -> None:
    assert host_allowed(name, patterns) is allowed
