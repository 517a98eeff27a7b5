"""Runs the service in this process: API and page in front, worker and courier behind."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

import structlog
import uvicorn

from extension.errors import BadSettings
from extension.settings import Settings
from extension.wiring import build

_LOG = structlog.get_logger(__name__)
_BACKLOG = 128


def serve_forever(settings: Settings, port_file: Path | None, *, page: bool) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Args:
        settings: What is configured.
        port_file: Where to write the port once the service answers; None for nowhere.
        page: Whether to serve the page beside the API.

    Raises:
        BadSettings: when the port is taken, or a setting cannot be used.
    """
    configure_logging(settings.log_level)
    listener = _listen(settings.host, settings.port)
    port = listener.getsockname()[1]
    service = build(settings, own_url=f"http://{_reachable(settings.host)}:{port}", page=page)
    server = uvicorn.Server(
        uvicorn.Config(service.app, log_level="warning", timeout_graceful_shutdown=3, access_log=False)
    )
    signal.signal(signal.SIGTERM, lambda number, frame: _end(server, number, frame))
    service.start()
    try:
        if port_file is not None:
            _write_atomically(port_file, str(port))
        _LOG.info("serving", port=port, page=page)
        server.run(sockets=[listener])
    finally:
        service.stop()
        listener.close()


def _end(server: uvicorn.Server, number: int, frame: FrameType | None) -> None:
    del number, frame
    server.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that the port is ours before anything else is built."""
    try:
        return socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as exc:
        raise BadSettings(
            f"EXT_PORT: port {port} cannot be used ({exc.strerror}); set another, or 0"
        ) from exc


def _reachable(host: str) -> str:
    """An address under which this process can call itself."""
    return "127.0.0.1" if host in {"", "0.0.0.0", "::"} else host


def _write_atomically(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="ascii")
    part.replace(path)


def configure_logging(level: str) -> None:
    """One JSON line per event, to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
