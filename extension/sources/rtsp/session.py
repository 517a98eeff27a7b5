"""One RTSP connection: answers its requests and starts and ends its viewer."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Mapping
from typing import Final

from extension.sources.rtsp import messages
from extension.sources.rtsp.login import Credentials
from extension.sources.rtsp.messages import Headers, Request, Transport
from extension.sources.rtsp.pump import Pump
from extension.sources.rtsp.sdp import description
from extension.sources.rtsp.viewer import ByDatagrams, InsideConnection, Viewer, Way, cut

_PUBLIC: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
_FIRST_PICTURE_S: Final = 10.0
_MOST_HEADER_BYTES: Final = 16_384
_TIMEOUT_S: Final = 60
_NOBODY: Final = Credentials("", "")
"""Whom a camera asks for that is made to let nobody in."""
Answer = tuple[int, Headers, str]


class Session:
    """What one client asked for so far."""

    def __init__(
        self,
        pumps: Mapping[str, Pump],
        credentials: Credentials | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._pumps = pumps
        self._credentials = credentials
        self._reader = reader
        self._writer = writer
        self._id = secrets.token_hex(8)
        self._nonce = secrets.token_hex(16)
        self._pump: Pump | None = None
        self._way: Way | None = None
        self._viewer: Viewer | None = None
        self._sockets: tuple[socket.socket, ...] = ()

    async def serve(self) -> None:
        """Answer until the connection ends."""
        try:
            while (text := await self._next_request()) is not None:
                request = messages.parse_request(text)
                sequence = request.headers.get("cseq", "0") if request else "0"
                answer = await self._answer(request) if request else (400, {}, "")
                if answer is None:
                    cut(self._writer, reset=True)
                    return
                self._writer.write(messages.response(answer[0], sequence, answer[1], answer[2]))
                if request and request.method == "PLAY" and answer[0] == 200:  # noqa: PLR2004 - OK; pictures follow their answer
                    self._play()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client is gone, or never spoke RTSP
        finally:
            self._end()

    async def _next_request(self) -> str | None:
        """Text of the next request up to its body; reports that clients send in between are passed over."""
        first = await self._reader.read(1)
        while first == b"$":
            head = await self._reader.readexactly(3)
            await self._reader.readexactly(int.from_bytes(head[1:], "big"))
            first = await self._reader.read(1)
        if not first:
            return None
        text = (first + await self._reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
        request = messages.parse_request(text)
        length = request.headers.get("content-length", "0") if request else "0"
        if length.isdecimal() and 0 < int(length) <= _MOST_HEADER_BYTES:
            await self._reader.readexactly(int(length))
        return text

    async def _answer(self, request: Request) -> Answer | None:
        """Status, headers and body; None resets the connection."""
        if request.method == "OPTIONS":
            return 200, {"Public": _PUBLIC}, ""
        pump = self._pumps.get(request.stream)
        if pump is None and request.method in {"DESCRIBE", "SETUP"}:
            return 404, {}, ""
        if pump is not None and pump.faults.refuse:
            return None
        if not self._admitted(pump, request):
            challenges = (self._credentials or _NOBODY).challenges(self._nonce)
            return 401, {"WWW-Authenticate": challenges}, ""
        return await self._granted(request, pump)

    async def _granted(self, request: Request, pump: Pump | None) -> Answer:
        match request.method:
            case "DESCRIBE" if pump is not None:
                return await self._describe(request, pump)
            case "SETUP" if pump is not None:
                return self._set_up(request, pump)
            case "PLAY":
                ready = self._way is not None
                return (200, {"Session": self._id, "Range": "npt=now-"}, "") if ready else (455, {}, "")
            case "TEARDOWN":
                self._end()
                return 200, {}, ""
            case "GET_PARAMETER" | "SET_PARAMETER":
                return 200, {"Session": self._id}, ""
            case _:
                return 405, {"Allow": _PUBLIC}, ""

    def _admitted(self, pump: Pump | None, request: Request) -> bool:
        if pump is not None and pump.faults.deny:
            return False
        given = request.headers.get("authorization", "")
        return self._credentials is None or self._credentials.admit(
            given, request.method, request.url, self._nonce
        )

    async def _describe(self, request: Request, pump: Pump) -> Answer:
        try:
            media = await asyncio.wait_for(pump.media_lines(), _FIRST_PICTURE_S)
        except TimeoutError:
            return 503, {}, ""
        body = description(request.stream, int(self._id, 16), media)
        headers = {"Content-Type": "application/sdp", "Content-Base": request.url.rstrip("/") + "/"}
        return 200, headers, body

    def _set_up(self, request: Request, pump: Pump) -> Answer:
        transport = messages.parse_transport(request.headers.get("transport", ""))
        if transport is None:
            return 461, {}, ""
        self._end()
        self._pump = pump
        if transport.tcp:
            self._way = InsideConnection(self._writer, transport.rtp, transport.rtcp)
            stated = f"RTP/AVP/TCP;unicast;interleaved={transport.rtp}-{transport.rtcp}"
        else:
            stated = self._by_datagrams(transport)
        return 200, {"Transport": stated, "Session": f"{self._id};timeout={_TIMEOUT_S}"}, ""

    def _by_datagrams(self, transport: Transport) -> str:
        host = self._writer.get_extra_info("sockname")[0]
        client = self._writer.get_extra_info("peername")[0]
        pair = _datagram_socket(host), _datagram_socket(host)
        self._sockets = pair
        self._way = ByDatagrams(self._writer, pair, (client, transport.rtp, transport.rtcp))
        ports = "-".join(str(sock.getsockname()[1]) for sock in pair)
        return f"RTP/AVP;unicast;client_port={transport.rtp}-{transport.rtcp};server_port={ports}"

    def _play(self) -> None:
        if self._pump is not None and self._way is not None and self._viewer is None:
            self._viewer = self._pump.admit(self._way)

    def _end(self) -> None:
        if self._pump is not None and self._viewer is not None:
            self._pump.viewers.discard(self._viewer)
        for sock in self._sockets:
            sock.close()
        self._viewer = self._way = self._pump = None
        self._sockets = ()


def _datagram_socket(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    sock.setblocking(False)  # noqa: FBT003 - the standard library has no keyword here
    return sock
