"""A small RTSP client over a plain socket, which sees every byte that the server sends."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Response:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: str


class RawClient:
    """One connection to the server."""

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        self.url = url
        parts = urlsplit(url)
        self._sock = socket.create_connection((parts.hostname or "", parts.port or 554), timeout_s)
        self._file = self._sock.makefile("rb")
        self._sequence = 0

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        self._file.close()
        self._sock.close()

    def ask(self, method: str, url: str = "", body: str = "", **headers: str) -> Response:
        """Send a request and wait for its answer; packets that come before it are thrown away."""
        self._sequence += 1
        lines = [f"{method} {url or self.url} RTSP/1.0", f"CSeq: {self._sequence}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        response = self.answer()
        assert response.headers["cseq"] == str(self._sequence)
        return response

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._sock.sendall(data)

    def answer(self) -> Response:
        """The next answer."""
        first = self._file.read(1)
        while first == b"$":
            self._file.read(int.from_bytes(self._file.read(3)[1:], "big"))
            first = self._file.read(1)
        status_line = (first + self._file.readline()).decode()
        assert status_line.startswith("RTSP/1.0 "), status_line
        headers = {}
        while line := self._file.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self._file.read(int(headers.get("content-length", "0"))).decode()
        return Response(int(status_line.split()[1]), headers, body)

    def play(self) -> None:
        """Set up the track inside this connection and play it."""
        track = f"{self.url}/trackID=0"
        found = self.ask("SETUP", track, Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
        assert found.status == 200
        assert self.ask("PLAY", Session=found.headers["session"].split(";")[0]).status == 200

    def packets(self, count: int) -> Iterator[tuple[int, bytes]]:
        """The next packets: channel and content."""
        for _ in range(count):
            head = self._file.read(4)
            assert len(head) == 4, "the connection ended"
            assert head[:1] == b"$"
            yield head[1], self._file.read(int.from_bytes(head[2:], "big"))

    def ended(self) -> str:
        """Wait for the connection's end: "closed" or "reset"."""
        try:
            while self._file.read(65536):
                pass
        except ConnectionResetError:
            return "reset"
        return "closed"


def basic(user: str, password: str) -> str:
    """An Authorization header's value."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
