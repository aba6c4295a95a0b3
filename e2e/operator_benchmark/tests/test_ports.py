import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from e2e import ports


def test_each_caller_gets_ports_of_its_own() -> None:
    with ThreadPoolExecutor() as together:
        given = [port for each in together.map(ports.free_ports, [3] * 100) for port in each]
    assert len(set(given)) == 300


def test_no_connection_gets_the_port_of_a_program_that_begins() -> None:
    first, _ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert max(ports.free_ports(3)) < int(first)


def test_a_port_that_somebody_listens_on_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, other = ports.free_ports(2)
    monkeypatch.setattr(ports, "_candidates", iter([taken, other]))
    with socket.create_server(("127.0.0.1", taken)):
        assert ports.free_ports(1) == [other]


def test_too_few_ports_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_candidates", iter(ports.free_ports(1)))
    with pytest.raises(RuntimeError, match="fewer than 2 free TCP ports"):
        ports.free_ports(2)
