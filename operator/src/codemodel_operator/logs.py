"""Structured logs: one JSON object a line, or text for people."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from .workqueue import Key

current_key: ContextVar[Key | None] = ContextVar("current_key", default=None)
"""The CodeModel that the running task works on; its namespace and name are added to each record."""


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON: time, level, logger, message, namespace, name and event fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        return json.dumps(_fields(record), default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """Formats a record as a line of text with the same content."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and a traceback below it when there is one."""
        fields = _fields(record)
        head = f"{fields.pop('time')} {fields.pop('level'):7} {fields.pop('message')}"
        fields.pop("logger")
        traceback = fields.pop("exception", None)
        rest = " ".join(f"{key}={value}" for key, value in fields.items())
        return "\n".join(filter(None, (f"{head} {rest}".rstrip(), traceback)))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": record.getMessage(),
    }
    if key := current_key.get():
        fields["namespace"], fields["name"] = key
    fields.update(getattr(record, "event", {}))
    if record.exc_info:
        fields["exception"] = logging.Formatter().formatException(record.exc_info)
    return fields


def configure(log_format: str) -> None:
    """Send all records from INFO up to standard error, in the format json or text."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # A line for each change of each pod and for each probe says nothing.
    for chatty in ("kopf.objects", "kopf.activities.probe", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
