import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from e2e.load.driver import Plan, is_loopback, running
from e2e.load.statistics import summarise
from e2e.waiting import until


class Replica(BaseHTTPRequestHandler):
    """Answers like a replica, and refuses every third request."""

    count = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).count += 1
        busy = type(self).count % 3 == 0
        body = json.dumps({"error": {}} if busy else {"replica": "r1"}).encode()
        self.send_response(429 if busy else 200)
        if busy:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def replica() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Replica) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_it_sends_until_stopped_and_records_every_answer(replica: str) -> None:
    with running(Plan(replica, clients=3, seconds=60)) as load:
        until(lambda: len(load.requests), lambda n: n >= 12, what="a dozen requests", seconds=30)
    summary = summarise(load.requests)
    assert set(summary.by_status) == {"200", "429"}
    assert summary.by_replica == {"r1": summary.by_status["200"]}


def test_it_ends_by_itself(replica: str) -> None:
    plan = Plan(replica, clients=1, seconds=0.2)
    with running(plan) as load:
        until(lambda: len(load.requests), what="a request", seconds=30)
    assert not any(request.failed for request in load.requests)


def test_a_server_that_is_away_is_a_recorded_failure() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Replica) as closed:
        target = f"http://127.0.0.1:{closed.server_port}"
    with running(Plan(target, clients=1, seconds=60, pause_seconds=0.01)) as load:
        until(lambda: len(load.requests), what="a request", seconds=30)
    assert load.requests[0].failed
    assert "ConnectError" in (load.requests[0].error or "")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8081", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:80/x", True),
        ("http://localhost:8080", True),
        ("http://localhost.example.org", False),
        ("http://10.0.0.1", False),
        ("http://example.org#127.0.0.1", False),
        ("http://127.0.0.1@example.org/", False),
        ("127.0.0.1:8080", False),
        ("file://localhost/etc", False),
    ],
)
def test_only_this_machine_can_be_loaded(url: str, allowed: bool) -> None:
    assert is_loopback(url) is allowed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "http://10.0.0.1"}, "not on this machine"),
        ({"clients": 0}, "choose 1 to"),
        ({"clients": 1000}, "choose 1 to"),
        ({"seconds": 0}, "choose more than 0"),
        ({"seconds": 10_000}, "at most"),
    ],
)
def test_a_plan_out_of_bounds_is_refused(change: dict[str, object], message: str) -> None:
    asked = {"target": "http://127.0.0.1:1", "clients": 1, "seconds": 1, **change}
    with pytest.raises(ValueError, match=message):
        Plan(**asked)  # type: ignore[arg-type]
