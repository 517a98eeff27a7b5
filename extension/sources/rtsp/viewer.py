"""One client of one stream: its own sequence numbers and time stamps, and the way its packets take."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from extension.sources.rtsp import rtp

REPORT_EVERY_S: Final = 5.0
"""Usual distance of sender reports (RFC 3550, section 6.2)."""

_MOST_WAITING_BYTES: Final = 8_000_000
"""A client that leaves this much unread is cut off: two seconds of a 32 Mbit/s camera."""


class Way(Protocol):
    """Where a viewer's packets go."""

    def rtp(self, packets: Sequence[bytes]) -> None:
        """Send packets of pictures."""
        ...

    def rtcp(self, report: bytes) -> None:
        """Send a report."""
        ...

    def close(self, *, reset: bool) -> None:
        """End the connection, with a reset or in order."""
        ...


@dataclass(eq=False)
class Viewer:
    """A client that plays; made when it asks to, forgotten when its connection ends."""

    way: Way
    chance: random.Random
    started: bool = False
    reported_s: float = -REPORT_EVERY_S
    packets: int = 0
    octets: int = 0
    sequence: int = field(init=False)
    first_ticks: int = field(init=False)
    ssrc: int = field(init=False)

    def __post_init__(self) -> None:
        """Numbers start anywhere (RFC 3550, section 5.1)."""
        self.sequence = self.chance.getrandbits(16)
        self.first_ticks = self.chance.getrandbits(31)
        self.ssrc = self.chance.getrandbits(32)

    def show(self, payloads: Sequence[bytes], show_s: float, loss: float) -> None:
        """Send one access unit, less the share of its packets that are to be lost."""
        timestamp = self.first_ticks + rtp.ticks(show_s)
        sent = []
        for place, payload in enumerate(payloads, 1):
            self.sequence += 1
            if loss and self.chance.random() < loss:
                continue
            last = place == len(payloads)
            sent.append(
                rtp.packet(payload, sequence=self.sequence, timestamp=timestamp, ssrc=self.ssrc, last=last)
            )
            self.octets += len(payload)
        self.packets += len(sent)
        self.way.rtp(sent)

    def report(self, media_s: float, at: dt.datetime) -> None:
        """Say that media time `media_s` is the instant `at` on the camera's clock."""
        self.reported_s = media_s
        self.way.rtcp(
            rtp.sender_report(
                at=at,
                timestamp=self.first_ticks + rtp.ticks(media_s),
                ssrc=self.ssrc,
                packets=self.packets,
                octets=self.octets,
            )
        )


class InsideConnection:
    """Packets that travel inside the RTSP connection."""

    def __init__(self, writer: asyncio.StreamWriter, rtp_channel: int, rtcp_channel: int) -> None:
        self._writer = writer
        self._channels = rtp_channel, rtcp_channel

    def rtp(self, packets: Sequence[bytes]) -> None:
        """Send packets of pictures."""
        self._send(b"".join(rtp.interleaved(self._channels[0], data) for data in packets))

    def rtcp(self, report: bytes) -> None:
        """Send a report."""
        self._send(rtp.interleaved(self._channels[1], report))

    def close(self, *, reset: bool) -> None:
        """End the connection."""
        cut(self._writer, reset=reset)

    def _send(self, data: bytes) -> None:
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > _MOST_WAITING_BYTES:
            cut(self._writer, reset=True)
        else:
            self._writer.write(data)


class ByDatagrams:
    """Packets that travel by UDP beside the RTSP connection."""

    def __init__(
        self,
        writer: asyncio.StreamWriter,
        sockets: tuple[socket.socket, socket.socket],
        client: tuple[str, int, int],
    ) -> None:
        self._writer = writer
        self._sockets = sockets
        self._client = client

    def rtp(self, packets: Sequence[bytes]) -> None:
        """Send packets of pictures."""
        for data in packets:
            self._send(0, data)

    def rtcp(self, report: bytes) -> None:
        """Send a report."""
        self._send(1, report)

    def close(self, *, reset: bool) -> None:
        """End the connection that the packets belong to."""
        cut(self._writer, reset=reset)

    def _send(self, which: int, data: bytes) -> None:
        try:
            self._sockets[which].sendto(data, (self._client[0], self._client[1 + which]))
        except OSError:
            return  # a full buffer or a client that is gone: what UDP loses is lost


def cut(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    """End a connection: with a reset (RST) that loses what is under way, or in order (FIN)."""
    sock = writer.get_extra_info("socket")
    if reset and sock is not None and not writer.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    else:
        writer.close()
