"""The server process: gunicorn, one worker with many threads, the model loaded after the fork.

One worker, so that the model is in memory once. Threads outnumber the requests that may run and wait, so that all of
these and a few more, the refused and the short ones, find one; probes and scrapes have a port of their own.

A worker that is killed, or that the engine crashes, is started again and loads the model again, unless it died while
loading: the next one would, too. The management port is the main process's, so meanwhile it is held, not refused.
"""

import gc
import math
import mmap
import os
import resource
import socket
import struct
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.errors import HaltServer  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from codemodel_delivery.termination import write_termination_message
from codemodel_server.errors import LoadError
from codemodel_server.listening import address, listen
from codemodel_server.logs import JsonLogger, server_log
from codemodel_server.punctuality import answers, requests
from codemodel_server.settings import Settings

# Nothing is imported before the worker begins to read the model that can be imported meanwhile: somebody waits.
if TYPE_CHECKING:
    from flask import Flask

    from codemodel_server.engines.base import Engine
    from codemodel_server.service import Service

_SPARE_THREADS = 32
_IDLE_CONNECTIONS = 1000
# Descriptors beside those of clients: the model's file, the log, the management port's connections, Ollama's.
_OTHER_DESCRIPTORS = 2000
# Longer than the idle time of common proxies and clients, so that it is they who close.
_KEEP_ALIVE_SECONDS = 75
# What has not ended after settings.grace_seconds ends with an error, and what has not so long after that is killed.
_ENDING_SECONDS = 5
# A client that neither sends the rest of its request nor takes more of its answer for so long loses its connection:
# it holds a thread, and perhaps the engine.
STALL_SECONDS = 30
# All that a client may take to send a request's headers, and then its body, however steadily: a byte now and then
# would hold a thread for ever.
HEADERS_SECONDS = 30
BODY_SECONDS = 60
# /ready says why the model did not load, for as long as a probe or a person needs to see it.
_FAILURE_SHOWN_SECONDS = 3.0
# gunicorn's main process ends, instead of starting another worker, if one ends with this status.
_WORKER_FAILED = 3
# What the worker was doing when it ended, for the main process to know.
_LOADING, _LOADED, _STOPPING = range(3)


class DrainingWorker(ThreadWorker):  # type: ignore[misc]
    """Tells the server when the process is to end."""

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """SIGTERM: no more requests; those taken are finished."""
        self.app.drain()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: Any, frame: Any) -> None:
        """SIGINT and SIGQUIT: end at once."""
        self.app.drain(patience=0)
        super().handle_quit(sig, frame)

    def handle(self, conn: Any) -> Any:
        """Serves a request, on a thread. gunicorn waits for clients without end, so the kernel is told how long."""
        timeout = struct.pack("ll", STALL_SECONDS, 0)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeout)
        requests.begin(conn.sock, HEADERS_SECONDS)
        try:
            return super().handle(conn)
        finally:
            requests.met(conn.sock)
            answers.met(conn.sock)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answers a request whose headers have come."""
        requests.begin(conn.sock, BODY_SECONDS)
        if self.app.request_seconds:
            # It ends by itself before, unless its client does not take it.
            answers.begin(conn.sock, self.app.request_seconds + BODY_SECONDS)
        return super().handle_request(req, conn)


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with this project's configuration.

    Args:
        settings: the server's settings.
        engine: what generates, not loaded yet.
        model: the model's name in answers.

    Attributes:
        request_seconds: of the settings.

    Raises:
        PortError: the management port cannot be listened at.
    """

    def __init__(self, settings: Settings, engine: "Engine", model: str) -> None:
        self.request_seconds = settings.request_seconds
        self._settings = settings
        self._engine = engine
        self._model = model
        self._service: Service | None = None
        # One byte that the worker and the main process share.
        self._progress = mmap.mmap(-1, 1)
        self._management = listen(settings.host, settings.management_port)
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn."""
        settings = self._settings
        # Infills do not count the chats that they overtake: twice the limit may wait.
        threads = 2 * settings.queue_limit + self._engine.concurrency + self._engine.reserved + _SPARE_THREADS
        _allow_descriptors(threads + _IDLE_CONNECTIONS + _OTHER_DESCRIPTORS)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        for key, value in {
            "bind": f"{host}:{settings.port}",
            "workers": 1,
            "worker_class": DrainingWorker,
            "threads": threads,
            "worker_connections": threads + _IDLE_CONNECTIONS,
            "keepalive": _KEEP_ALIVE_SECONDS,
            "graceful_timeout": math.ceil(settings.grace_seconds) + _ENDING_SECONDS,
            # Whether the process is stuck is what the liveness probe finds out.
            "timeout": 0,
            "logger_class": JsonLogger,
            "accesslog": "-",
            "control_socket_disable": True,
            "worker_exit": self._worker_ends,
            "child_exit": self._worker_ended,
        }.items():
            self.cfg.set(key, value)

    def load(self) -> "Flask":
        """Called by gunicorn in the worker: begins to load the model, and makes the application meanwhile."""
        self._progress[0] = _LOADING
        made = self._begin_loading()
        # What is imported stays: a collection would find nothing, now or later.
        gc.disable()
        # Imported here: a fifth of a second in which the model is read already.
        from codemodel_server.app import create_app, create_management_app  # noqa: PLC0415
        from codemodel_server.management import serve  # noqa: PLC0415
        from codemodel_server.metrics import Metrics  # noqa: PLC0415
        from codemodel_server.service import Service  # noqa: PLC0415

        metrics = Metrics()
        settings = self._settings
        service = Service(
            self._engine, self._model, settings.queue_limit, metrics, patience=settings.request_seconds
        )
        self._service = service
        made.set_result(service)
        serve(self._management, create_management_app(service, metrics))
        server_log().info("management at %s", address(self._management))
        app = create_app(service, metrics, settings)
        gc.freeze()
        gc.enable()
        return app

    def drain(self, patience: float | None = None) -> None:
        """Takes no more requests; safe in a signal handler.

        Args:
            patience: seconds that those taken may go on; None is settings.grace_seconds.
        """
        self._progress[0] = _STOPPING
        if self._service is not None:
            self._service.drain(self._settings.grace_seconds if patience is None else patience)

    def _begin_loading(self) -> "Future[Service]":
        made: Future[Service] = Future()
        threading.Thread(target=self._load_model, args=(made,), name="load", daemon=True).start()
        return made

    def _load_model(self, made: "Future[Service]") -> None:
        fields: dict[str, Any] = {"model": self._model, "engine": self._engine.name}
        server_log().info("loading the model", extra={"fields": fields})
        started = time.monotonic()
        try:
            self._engine.load()
            made.result().open()
        except LoadError as error:
            made.result().fail(str(error))
            server_log().error("%s", error)
            write_termination_message(f"LoadFailed: {error}")
            time.sleep(_FAILURE_SHOWN_SECONDS)
            os._exit(_WORKER_FAILED)
        except BaseException:
            server_log().exception("loading the model failed")
            write_termination_message("LoadFailed: internal error: see the container's log")
            os._exit(_WORKER_FAILED)
        self._progress[0] = _LOADED
        fields["context_length"] = self._engine.context_length
        fields["seconds"] = round(time.monotonic() - started, 3)
        server_log().info("ready", extra={"fields": fields})

    def _worker_ends(self, _arbiter: Any, _worker: Any) -> None:
        """Runs in the worker, when its requests have ended."""
        if self._service is not None:
            self._engine.close()

    def _worker_ended(self, _arbiter: Any, _worker: Any) -> None:
        """Runs in the main process, for a worker that did not end with _WORKER_FAILED.

        Raises:
            HaltServer: it died while it loaded the model, so that the next one would, too.
        """
        if self._progress[0] == _LOADING:
            message = (
                "the engine crashed while it loaded the model: check that the file is a complete GGUF model"
            )
            server_log().error(message)
            write_termination_message(f"LoadFailed: {message}")
            raise HaltServer(message, _WORKER_FAILED)


def _allow_descriptors(wanted: int) -> None:
    """Raises the soft limit on open files, often 1024, as far as the hard limit lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < possible:
        resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
