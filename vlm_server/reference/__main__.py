"""`python -m vlm_server.reference`: starts the reference VLM on one address and runs until it is told to stop."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import cv2
import uvicorn

from vlm_server.reference.choosing import Eye
from vlm_server.reference.server import Service, create_app

STOP_WITHIN_S = 2  # how long requests in flight may take to finish after SIGTERM


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; every knob has its unit and default."""
    parser = argparse.ArgumentParser(prog="vlm_server.reference", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=38011, help="port to listen on; 0 picks a free one")
    parser.add_argument("--port-file", type=Path, help="file that gets the real port once the server listens")
    parser.add_argument("--workers", type=int, default=2, help="requests looked at at the same time")
    return parser.parse_args(given)


class Announcing(uvicorn.Server):
    """A server that writes its real port to a file once it listens."""

    def __init__(self, config: uvicorn.Config, port_file: Path | None) -> None:
        super().__init__(config)
        self._port_file = port_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then announce the port; the file appears whole or not at all."""
        await super().startup(sockets)
        if self._port_file is not None and self.started and sockets:
            unfinished = self._port_file.with_name(self._port_file.name + ".new")
            unfinished.write_text(f"{sockets[0].getsockname()[1]}\n")
            unfinished.replace(self._port_file)


def main(given: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    chosen = arguments(given)
    if chosen.port_file is not None:
        chosen.port_file.unlink(missing_ok=True)  # a port left by another run would send clients astray
    cv2.setNumThreads(1)  # requests run side by side; threads inside one only fight over the cores
    app = create_app(Service(Eye().look, workers=max(1, chosen.workers)))
    config = uvicorn.Config(
        app,
        host=chosen.host,
        port=chosen.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    listener = config.bind_socket()
    Announcing(config, chosen.port_file).run(sockets=[listener])


if __name__ == "__main__":
    main()
