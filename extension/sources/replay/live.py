"""Plays drawn frames as a stream in real time, over HTTP or RTSP; it draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final
from urllib.parse import SplitResult, urlsplit

from extension.clock import Clock
from extension.errors import BadInput
from extension.sources.replay.glyphs import Picture
from extension.sources.replay.mjpeg import MjpegServer
from extension.sources.replay.style import Style

_TICK_S: Final = 0.1
_MOST_PORT: Final = 65_535
_NAME: Final = "replay"


@dataclass(slots=True)
class Streamed:
    """What came of a stream, counted while it plays.

    Attributes:
        frames: Frames shown.
        late: Frames that were ready more than a frame's time after they were due.
    """

    frames: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a stream is served.

    Attributes:
        scheme: "http" or "rtsp".
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        name: Path of an RTSP stream.
    """

    scheme: str
    host: str
    port: int
    name: str = _NAME


def address_of(url: str) -> Address:
    """Read `http://HOST:PORT` or `rtsp://HOST:PORT/NAME`.

    Raises:
        BadInput: It is neither.
    """
    parts = urlsplit(url)
    port = _port(parts)
    if parts.scheme not in {"http", "rtsp"} or not parts.hostname or port is None:
        raise BadInput("a stream is served at http://HOST:PORT or rtsp://HOST:PORT/NAME")
    return Address(parts.scheme, parts.hostname, port, parts.path.strip("/") or _NAME)


def play(
    pictures: Iterable[Picture], style: Style, address: Address, clock: Clock, say: Callable[[str], None]
) -> Streamed:
    """Serve pictures in real time until they end; whoever watches sees them from where they are then.

    Args:
        pictures: Drawn as they are wanted.
        style: Gives size and frame rate.
        address: Where to serve.
        clock: Processing time and waiting.
        say: Is told the address once it answers.

    Raises:
        Unavailable: The address cannot be listened on.
    """
    serve = _play_http if address.scheme == "http" else _play_rtsp
    return serve(pictures, style, address, clock, say)


def paced(pictures: Iterable[Picture], fps: int, clock: Clock, counted: Streamed) -> Iterator[Picture]:
    """Pictures when they are due: number n at n/fps after the first; after a delay they catch up, none is left out."""
    began_s = clock.monotonic_s()
    for number, picture in enumerate(pictures):
        left_s = began_s + number / fps - clock.monotonic_s()
        if left_s > 0:
            clock.sleep(left_s)
        counted.late += left_s < -1 / fps
        counted.frames += 1
        yield picture


def _play_http(
    pictures: Iterable[Picture], style: Style, address: Address, clock: Clock, say: Callable[[str], None]
) -> Streamed:
    counted = Streamed()
    with MjpegServer(address.host, address.port) as server:
        say(server.url)
        for picture in paced(pictures, style.fps, clock, counted):
            server.show(picture)
        clock.sleep(1 / style.fps)  # the last frame's own time
    return counted


def _play_rtsp(
    pictures: Iterable[Picture], style: Style, address: Address, clock: Clock, say: Callable[[str], None]
) -> Streamed:
    from extension.sources.rtsp.server import RtspServer
    from extension.sources.rtsp.streams import PictureStream

    counted, over = Streamed(), False
    rest = iter(pictures)
    first = list(islice(rest, 1))  # what cannot be drawn at all fails here, not in the server's thread

    def turned() -> Iterator[Picture]:
        """Red first, as that server takes them; tells when they end."""
        nonlocal over
        try:
            for picture in chain(first, rest):
                counted.frames += 1
                yield picture[:, :, ::-1].copy()
        finally:
            over = True

    stream = PictureStream(turned(), style.fps, (style.width, style.height), bitrate=style.bitrate_bps or 0)
    with RtspServer({address.name: stream}, address.host, address.port, clock=clock) as server:
        say(server.url(address.name))
        while not over:
            clock.sleep(_TICK_S)
        clock.sleep(_TICK_S + 1 / style.fps)
    return counted


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        return None
    return port if port is not None and port <= _MOST_PORT else None
