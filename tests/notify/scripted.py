"""A webhook receiver on loopback that behaves as badly as a test wants."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from extension.model import Severity
from extension.notify.receivers import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

Behaviour = Callable[[socket.socket], None]


@dataclass
class Scripted:
    """What a scripted receiver heard: raw requests, head and body together."""

    port: int
    over: threading.Event
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens; the path is a secret."""
        return f"http://127.0.0.1:{self.port}/T0PSECRET"


@contextlib.contextmanager
def scripted(*behaviours: Behaviour, reads: bool = True) -> Iterator[Scripted]:
    """Serve; each request meets the next behaviour, and the last one for ever. `reads`: the request first."""
    left = list(behaviours)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(10)
            if reads:
                heard.requests.append(_read_request(self.request))
            behaviour = left.pop(0) if len(left) > 1 else left[0]
            # The sender may have gone away in the middle.
            with contextlib.suppress(OSError):
                behaviour(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        heard = Scripted(server.server_address[1], threading.Event())
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield heard
        finally:
            heard.over.set()
            server.shutdown()
            thread.join()


def _read_request(sock: socket.socket) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read:
        read += sock.recv(65536) or b"\r\n\r\n"
    head, _, body = read.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(status: int, *headers: str, body: bytes = b"") -> Behaviour:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return raw("\r\n".join([*lines, "", ""]).encode() + body)


def raw(data: bytes) -> Behaviour:
    """These bytes, then the end of the connection."""
    return lambda sock: sock.sendall(data)


def hang(sock: socket.socket) -> None:
    """Take the request and say nothing until the other side goes."""
    sock.recv(1)


def drip(sock: socket.socket) -> None:
    """Answer one byte at a time, each well within any read timeout."""
    over = threading.Event()
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000:
        sock.sendall(bytes([byte]))
        over.wait(0.05)


def flood(status: int, *headers: str) -> Behaviour:
    """An answer whose body does not end."""

    def send(sock: socket.socket) -> None:
        sock.sendall("\r\n".join([f"HTTP/1.1 {status} Whatever", *headers, "", ""]).encode())
        while True:
            sock.sendall(b"x" * 65536)

    return send


def receiver(
    url: str,
    name: str = "ops",
    *,
    types: frozenset[str] | None = None,
    min_severity: Severity | None = None,
    secrets: tuple[str, ...] = (SECRET,),
) -> Receiver:
    """A receiver at an address."""
    return Receiver(name, url, secrets, types, min_severity)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
