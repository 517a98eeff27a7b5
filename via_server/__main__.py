"""Starts the server: `python -m via_server --asset-dir DIR`. It stops on SIGTERM and SIGINT."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path

import cv2
import structlog
import uvicorn
from fastapi import FastAPI

from via_server import app, host
from via_server.settings import BadSettings, Settings, read

_GRACE_S = 5  # how long requests under way may go on after SIGTERM
_log = structlog.get_logger(__name__)


def main(arguments: list[str]) -> int:
    """Run the server until it is told to stop; returns the exit status."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    cv2.setNumThreads(1)  # chunk frames are small; spreading one JPEG over cores costs more than it saves
    try:
        settings = read(arguments)
        if settings.port_file is not None:  # an earlier run's port would mislead who waits for ours
            settings.port_file.unlink(missing_ok=True)
        model = host.load(settings.overrides_dir)
        with _listener(settings) as listener:
            served = app.create(settings, model)
            asyncio.run(_serve(served, settings.port_file, listener))
    except (BadSettings, host.CannotHost, OSError) as error:
        _log.error("cannot_start", reason=str(error))
        return 1
    _log.info("stopped")
    _leave_with_waiting_calls()
    return 0


def _listener(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError:
        listener.close()
        raise
    return listener


async def _serve(served: FastAPI, port_file: Path | None, listener: socket.socket) -> None:
    config = uvicorn.Config(
        served,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Server(config, port_file, listener)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn takes these over while it serves, then gives them back and raises what it caught once more
        signal.signal(number, server.handle_exit)
    await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """A uvicorn server that says where it listens once it does."""

    def __init__(self, config: uvicorn.Config, port_file: Path | None, listener: socket.socket) -> None:
        super().__init__(config)
        self._port_file = port_file
        self._listener = listener

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        port = int(self._listener.getsockname()[1])
        _log.info("ready", port=port)
        if self._port_file is not None:
            write_whole(self._port_file, f"{port}\n")


def write_whole(path: Path, text: str) -> None:
    """Write `text` so that a reader finds the whole file or none."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="ascii")
    part.replace(path)


def _leave_with_waiting_calls() -> None:
    """Exit at once if calls to the VLM still wait for an answer: nobody is left to read it."""
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
