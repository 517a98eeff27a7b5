"""RTSP requests and responses (RFC 2326) as text. Knows no socket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from extension.sources.rtsp.sdp import CONTROL

REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    454: "Session Not Found",
    455: "Method Not Valid In This State",
    461: "Unsupported Transport",
    503: "Service Unavailable",
}


Headers = Mapping[str, str | tuple[str, ...]]
"""Header values by name; several values are several lines."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for; header names are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]

    @property
    def stream(self) -> str:
        """Name of the stream the address means, without its track."""
        path = unquote(urlsplit(self.url).path).strip("/")
        return path.removesuffix(CONTROL).rstrip("/")


@dataclass(frozen=True, slots=True)
class Transport:
    """How a client wants its packets: inside the connection on two channels, or by UDP to two of its ports."""

    tcp: bool
    rtp: int
    rtcp: int


def parse_request(text: str) -> Request | None:
    """The request, or None when it is none."""
    first, *lines = text.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("RTSP/"):  # noqa: PLR2004 - method, address, version
        return None
    pairs = (line.partition(":") for line in lines if ":" in line)
    return Request(words[0], words[1], {name.strip().lower(): value.strip() for name, _, value in pairs})


def parse_transport(header: str) -> Transport | None:
    """The first offer we can serve, or None."""
    for offer in header.split(","):
        tcp = offer.startswith("RTP/AVP/TCP")
        ports = re.search(r"interleaved=(\d+)(?:-(\d+))?" if tcp else r"client_port=(\d+)(?:-(\d+))?", offer)
        if (tcp or (offer.startswith("RTP/AVP") and "multicast" not in offer)) and (ports or tcp):
            rtp = int(ports[1]) if ports else 0
            return Transport(tcp, rtp, int(ports[2]) if ports and ports[2] else rtp + 1)
    return None


def response(status: int, sequence: str, headers: Headers | None = None, body: str = "") -> bytes:
    """A response as it goes over the wire; `sequence` is the request's CSeq."""
    lines = [f"RTSP/1.0 {status} {REASONS[status]}", f"CSeq: {sequence}"]
    for name, given in (headers or {}).items():
        lines += [f"{name}: {value}" for value in ([given] if isinstance(given, str) else given)]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return "\r\n".join((*lines, "", body)).encode()
