"""Logs as JSON, one object a line."""

import datetime
import json
import logging
import sys
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

# Asked every few seconds by the kubelet, Prometheus, pages and other replicas; only what goes wrong is worth a line.
_PROBES = {"/health", "/live", "/metrics", "/ready"}


class JsonFormatter(logging.Formatter):
    """Writes a record as {"time", "level", "message", ...}: fields are given as `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        time = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": time.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger, writing JSON."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn with its configuration."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(JsonFormatter())

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Called by gunicorn for what it did not expect; that a client stalls is no fault of the server."""
        if isinstance(sys.exc_info()[1], BlockingIOError):
            self.info("a client stalled: its connection is closed")
        else:
            super().exception(msg, *args, **kwargs)

    def access(self, resp: Any, _req: Any, environ: Any, request_time: datetime.timedelta) -> None:
        """Called by gunicorn after each answer."""
        status = int(str(resp.status).split(maxsplit=1)[0])
        # Of a request whose headers are wrong, it may not be known what it asks for.
        path = environ.get("PATH_INFO") or ""
        if path in _PROBES and status < 400:
            return
        fields = {
            "method": environ.get("REQUEST_METHOD") or "",
            "path": path,
            "status": status,
            "bytes": resp.sent,
            "seconds": round(request_time.total_seconds(), 6),
            "client": environ.get("REMOTE_ADDR", ""),
        }
        self.access_log.info("request", extra={"fields": fields})


def server_log() -> logging.Logger:
    """The logger that gunicorn sets up for the server's own messages."""
    return logging.getLogger("gunicorn.error")
