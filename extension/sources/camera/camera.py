"""What a camera is to us, and which of the cameras that were asked for can be captured at all."""

from __future__ import annotations

import enum
import ipaddress
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from extension.sources.camera.segments import folder_name
from extension.sources.camera.trouble import Code

MOST_NAME: Final = 64
_MOST_FOLDER_BYTES: Final = 240
"""File systems take 255; emblems and the like take twelve each when they are spelt out."""

_SCHEMES: Final = frozenset({"rtsp", "rtsps"})
_QUOTING: Final = (
    "the address cannot be read: in a user name or password write %23 for #, %2F for /, %3F for ?, %40 for @"
)


class Transport(enum.StrEnum):
    """How packets travel: inside the RTSP connection, or beside it by datagrams that may get lost."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera.

    Attributes:
        name: Unique, at most 64 characters, without a slash; capital letters count.
        url: `rtsp://` or `rtsps://`, with credentials where the camera wants them. Shown nowhere: see `address`.
        transport: Of its packets; `rtsps://` always is `TCP`.
        certificate: PEM file with the certificate, or its authority's, that the camera must show; None believes any, for cameras make
            their own.
    """

    name: str
    url: str
    transport: Transport = Transport.TCP
    certificate: Path | None = None

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
        if _misplaced(parts):
            # What stands for the host may be a user name, and the port the beginning of a password.
            return f"{parts.scheme}://..."
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
        # What looks the same is the same, however its letters are put together.
        name = unicodedata.normalize("NFC", camera.name)
        if name in admitted:
            message = "another camera has this name already; this one is not captured"
            refused.append(Refusal(camera.name, Code.DUPLICATE_NAME, message))
        elif wrong := _wrong_name(camera.name):
            refused.append(Refusal(camera.name, Code.BAD_NAME, wrong))
        elif wrong := _wrong_url(camera.url):
            refused.append(Refusal(camera.name, Code.BAD_URL, wrong))
        else:
            admitted[name] = camera
    return tuple(admitted.values()), tuple(refused)


def _wrong_name(name: str) -> str | None:
    if not name.strip() or len(name) > MOST_NAME or not name.isprintable():
        return f"a camera's name has 1 to {MOST_NAME} printable characters"
    if "/" in name or name in {".", ".."} or name != name.strip():
        return "a camera's name holds no slash, is not . or .., and neither begins nor ends with a blank"
    if len(folder_name(name).encode()) > _MOST_FOLDER_BYTES:
        return "a camera's name must be shorter where it consists of other signs than letters and digits"
    return None


def _wrong_url(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return (
            _QUOTING if "@" in url else "the address cannot be read; it should look like rtsp://host:554/path"
        )
    if parts.scheme.lower() not in _SCHEMES:
        return "the address must begin with rtsp:// or rtsps://"
    if not host or not url.isprintable() or " " in url:
        return "the address names no host, or has blanks in it; it should look like rtsp://host:554/path"
    if "#" in url or (_misplaced(parts) and not _is_host(host)):
        return _QUOTING
    return None


def _misplaced(parts: SplitResult) -> bool:
    """Whether an @ stands behind the host: the end of a password with a slash in it, or part of a path."""
    return "@" not in parts.netloc and "@" in f"{parts.path}{parts.query}{parts.fragment}"


def _is_host(host: str) -> bool:
    """Whether it looks like a host in a network rather than like somebody's name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host
    return True
