"""GET /live: what this replica and the others do now, for people who watch."""

import time
from functools import partial
from typing import Any

from flask import Blueprint, Response, jsonify, request

from codemodel_server.memory import memory_used
from codemodel_server.peers import Peers, Snapshot, addresses
from codemodel_server.recent import Recent, median
from codemodel_server.service import Service, Status
from codemodel_server.settings import Settings


def blueprint(service: Service, recent: Recent, settings: Settings) -> Blueprint:
    """The route; with `?self=1` it says nothing of other replicas, and asks none."""
    routes = Blueprint("live", __name__)
    host = settings.replicas_host
    peers = Peers(partial(addresses, host, settings.port)) if host else None

    def here() -> Snapshot:
        times = recent.first_texts()
        return Snapshot(
            replica=settings.replica,
            status=service.status,
            running=service.running,
            waiting=service.waiting,
            tokens_per_second=round(recent.tokens_per_second(), 3),
            time_to_first_token_seconds=median(times),
            first_tokens=len(times),
            memory_bytes=memory_used(),
            cpu_seconds=round(time.process_time(), 3),
        )

    @routes.get("/live")
    def live() -> Response:
        own = here()
        if request.args.get("self") == "1":
            response = jsonify(own.model_dump())
        else:
            replicas = together(own, peers.look() if peers else [])
            each = [replica.model_dump() for replica in replicas]
            response = jsonify({**own.model_dump(), "total": total(replicas), "replicas": each})
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes


def together(own: Snapshot, others: list[Snapshot]) -> list[Snapshot]:
    """This replica as it is now among the others as they were a moment ago."""
    if not any(other.replica == own.replica for other in others):
        return [own, *others]
    return [own if other.replica == own.replica else other for other in others]


def total(replicas: list[Snapshot]) -> dict[str, Any]:
    """All replicas as one; its time to first token is the median of theirs, weighted by their requests."""
    return {
        "ready": sum(replica.status == Status.READY for replica in replicas),
        "desired": len(replicas),
        "running": sum(replica.running for replica in replicas),
        "waiting": sum(replica.waiting for replica in replicas),
        "tokens_per_second": round(sum(replica.tokens_per_second for replica in replicas), 3),
        "time_to_first_token_seconds": _weighted_median(replicas),
    }


def _weighted_median(replicas: list[Snapshot]) -> float | None:
    times = sorted(
        (replica.time_to_first_token_seconds, replica.first_tokens)
        for replica in replicas
        if replica.time_to_first_token_seconds is not None and replica.first_tokens
    )
    half = sum(weight for _, weight in times) / 2
    passed = 0
    for seconds, weight in times:
        passed += weight
        if passed >= half:
            return seconds
    return None
