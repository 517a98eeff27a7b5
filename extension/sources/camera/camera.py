"""What a camera is to us, and which of the cameras that were asked for can be captured at all."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from extension.sources.camera.trouble import Code

MOST_NAME: Final = 64
_SCHEMES: Final = frozenset({"rtsp", "rtsps"})


class Transport(enum.StrEnum):
    """How packets travel: inside the RTSP connection, or beside it by datagrams that may get lost."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera.

    Attributes:
        name: Unique, at most 64 characters; capital letters count.
        url: `rtsp://` or `rtsps://`, with credentials where the camera wants them. Shown nowhere: see `address`.
        transport: Of its packets.
    """

    name: str
    url: str
    transport: Transport = Transport.TCP

    def __repr__(self) -> str:
        """Without the URL, which may hold a password."""
        return f"Camera({self.name!r}, {self.address!r}, {self.transport.value!r})"

    @property
    def address(self) -> str:
        """Scheme, host and port of the URL: some cameras want the password in the path or query."""
        try:
            parts = urlsplit(self.url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return "an address that cannot be read"
        return f"{parts.scheme}://{parts.hostname or ''}{port}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A camera that is not captured, and what to mend."""

    camera: str
    code: Code
    message: str


def admit(cameras: Sequence[Camera]) -> tuple[tuple[Camera, ...], tuple[Refusal, ...]]:
    """Part cameras that can be captured from those whose name or address is wrong; the first of a name wins."""
    admitted: dict[str, Camera] = {}
    refused: list[Refusal] = []
    for camera in cameras:
        if camera.name in admitted:
            message = "another camera has this name already; this one is not captured"
            refused.append(Refusal(camera.name, Code.DUPLICATE_NAME, message))
        elif wrong := _wrong_name(camera.name):
            refused.append(Refusal(camera.name, Code.BAD_NAME, wrong))
        elif wrong := _wrong_url(camera.url):
            refused.append(Refusal(camera.name, Code.BAD_URL, wrong))
        else:
            admitted[camera.name] = camera
    return tuple(admitted.values()), tuple(refused)


def _wrong_name(name: str) -> str | None:
    if not name.strip() or len(name) > MOST_NAME or not name.isprintable():
        return f"a camera's name has 1 to {MOST_NAME} printable characters"
    return None


def _wrong_url(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "the address cannot be read; it should look like rtsp://host:554/path"
    if parts.scheme.lower() not in _SCHEMES:
        return "the address must begin with rtsp:// or rtsps://"
    if not host or not url.isprintable() or " " in url:
        return "the address names no host, or has blanks in it; it should look like rtsp://host:554/path"
    return None
