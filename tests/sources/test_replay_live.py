"""Replays as streams: in real time, over HTTP and RTSP, whoever watches and whoever leaves."""

from __future__ import annotations

import datetime as dt
import http.client
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
import requests

from extension.clock import SystemClock
from extension.errors import BadInput, Unavailable
from extension.sources.replay.live import Address, Streamed, address_of, paced, play
from extension.sources.replay.mjpeg import PATH, MjpegServer
from extension.sources.replay.style import Style

Picture = npt.NDArray[np.uint8]

SMALL = Style(width=64, height=48, fps=20)


def shade(level: int) -> Picture:
    """A picture of one brightness."""
    return np.full((48, 64, 3), level, dtype=np.uint8)


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for a condition; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)


class Hands:
    """A clock that is moved by hand: whoever sleeps moves it."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def now(self) -> dt.datetime:
        """Not asked for."""
        return dt.datetime(2025, 1, 1, tzinfo=dt.UTC)

    def monotonic_s(self) -> float:
        """Where the hands stand."""
        return self.at_s

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.at_s += seconds


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8090", Address("http", "127.0.0.1", 8090)),
        ("http://localhost:0/", Address("http", "localhost", 0)),
        ("http://[::1]:8090", Address("http", "::1", 8090)),
        ("rtsp://127.0.0.1:8554/floor-1", Address("rtsp", "127.0.0.1", 8554, "floor-1")),
        ("rtsp://0.0.0.0:8554", Address("rtsp", "0.0.0.0", 8554, "replay")),
    ],
)
def test_addresses_are_read(url: str, expected: Address) -> None:
    """Of both kinds."""
    assert address_of(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "8090",
        "127.0.0.1:8090",
        "ftp://127.0.0.1:1",
        "http://127.0.0.1",
        "http://:80",
        "rtsp://h:99999/x",
        "rtsp://h:x/y",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """With the two forms that there are."""
    with pytest.raises(BadInput, match="http://HOST:PORT or rtsp://HOST:PORT/NAME"):
        address_of(url)


def test_frames_come_when_they_are_due() -> None:
    """Number n at n/fps, without drift, however long each takes to draw."""
    hands, counted = Hands(), Streamed()
    came = []
    for picture in paced((shade(n) for n in range(50)), 20, hands, counted):
        came.append((int(picture[0, 0, 0]), hands.at_s - 100))
        hands.at_s += 0.013
    assert [number for number, _ in came] == list(range(50))
    assert [at for _, at in came] == pytest.approx([n / 20 for n in range(50)])
    assert (counted.frames, counted.late) == (50, 0)


def test_late_frames_are_shown_and_counted() -> None:
    """After a delay none is left out, until the stream has caught up."""
    hands, counted = Hands(), Streamed()
    came = []
    for number, _ in enumerate(paced((shade(0) for _ in range(40)), 20, hands, counted)):
        came.append(hands.at_s - 100)
        hands.at_s += 0.5 if number == 10 else 0.001
    assert len(came) == counted.frames == 40
    assert 7 <= counted.late <= 10
    assert came[-1] == pytest.approx(39 / 20)


def parts(answer: http.client.HTTPResponse) -> Iterator[Picture]:
    """Pictures of an answer, one by one, until it ends."""
    while line := answer.readline():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
            assert answer.readline() == b"\r\n"
            data = answer.read(length)
            picture = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            yield np.asarray(picture, dtype=np.uint8)


def watch(server: MjpegServer) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """Open the stream and wait until the server knows of it."""
    before = server.viewers
    where = urlsplit(server.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=15)
    connection.request("GET", PATH)
    answer = connection.getresponse()
    until(lambda: server.viewers == before + 1)
    return connection, answer


def test_a_viewer_sees_every_picture_from_then_on() -> None:
    """As JPEG parts of one answer; those shown before it came are gone."""
    with MjpegServer() as server:
        server.show(shade(10))
        connection, answer = watch(server)
        assert answer.status == 200
        assert (answer.getheader("content-type") or "").startswith("multipart/x-mixed-replace; boundary=")
        seen = parts(answer)
        for level in (40, 120, 200):
            server.show(shade(level))
            picture = next(seen)
            assert picture.shape == (48, 64, 3)
            assert picture.mean() == pytest.approx(level, abs=2)
        assert server.skipped == 0
        connection.close()


def test_the_answer_ends_when_the_stream_is_over() -> None:
    """And the port is closed."""
    with MjpegServer() as server:
        _, answer = watch(server)
        server.show(shade(40))
        seen = parts(answer)
        next(seen)
        where = urlsplit(server.url)
    assert list(seen) == []
    with pytest.raises(OSError, match=r"refused|reset"):
        socket.create_connection((where.hostname or "", where.port or 0), timeout=5).close()


def test_two_viewers_see_the_same_and_one_may_leave() -> None:
    """The other goes on."""
    with MjpegServer() as server:
        (gone, first), (_, second) = watch(server), watch(server)
        server.show(shade(40))
        one, other = parts(first), parts(second)
        assert np.array_equal(next(one), next(other))
        first.close()
        gone.close()
        deadline = time.monotonic() + 15
        while server.viewers == 2 and time.monotonic() < deadline:
            server.show(shade(80))
            time.sleep(0.01)
        assert server.viewers == 1
        server.show(shade(200))
        assert any(picture.mean() > 190 for picture in itertools.islice(other, 2000))


def test_a_slow_viewer_misses_pictures_and_holds_nobody_up() -> None:
    """The newest comes next; what it missed is counted."""
    chance = np.random.default_rng(0)
    large = [chance.integers(0, 256, (720, 1280, 3), dtype=np.uint8) for _ in range(2)]
    with MjpegServer() as server:
        connection, answer = watch(server)
        began = time.monotonic()
        for number in range(60):
            server.show(large[number % 2])
        assert time.monotonic() - began < 10
        server.show(np.full((720, 1280, 3), 250, dtype=np.uint8))
        assert any(picture.mean() > 240 for picture in parts(answer))
        assert server.skipped > 0
        connection.close()


def test_the_page_shows_the_stream_and_nothing_else_is_there() -> None:
    """One picture that keeps changing."""
    with MjpegServer() as server:
        assert f'<img src="{PATH}"' in requests.get(server.url, timeout=15).text
        assert requests.get(server.url + "etc/passwd", timeout=15).status_code == 404


def test_a_port_in_use_is_said() -> None:
    """Before anything is drawn."""
    with MjpegServer() as server, pytest.raises(Unavailable, match=r"no HTTP stream on 127\.0\.0\.1:"):
        MjpegServer(port=urlsplit(server.url).port or 0)


def test_pictures_are_packed_only_for_viewers() -> None:
    """Nobody there: nothing is spent, nothing is kept."""
    with MjpegServer() as server:
        began = time.process_time()
        large = np.zeros((2160, 3840, 3), dtype=np.uint8)
        for _ in range(200):
            server.show(large)
        assert time.process_time() - began < 1.0
        assert server.viewers == 0


def test_a_replay_plays_over_http_in_real_time() -> None:
    """Forty frames at twenty a second take two seconds, and a viewer sees most of them, in order."""
    told: list[str] = []
    levels: list[float] = []
    results: list[Streamed] = []

    def drawing() -> Iterator[Picture]:
        until(lambda: bool(levels) or bool(told))
        for number in range(40):
            yield shade(6 * number)

    def run() -> None:
        results.append(play(drawing(), SMALL, address_of("http://127.0.0.1:0"), SystemClock(), told.append))

    player = threading.Thread(target=run)
    player.start()
    until(lambda: bool(told))
    began = time.monotonic()
    where = urlsplit(told[0])
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=15)
    connection.request("GET", PATH)
    levels.extend(float(picture.mean()) for picture in parts(connection.getresponse()))
    took_s = time.monotonic() - began
    player.join(15)
    assert results[0].frames == 40
    assert 1.0 < took_s < 12.0
    assert len(levels) > 5
    assert levels == sorted(levels)


def test_a_replay_plays_over_rtsp() -> None:
    """As H.264 of its size; the pictures are those that were drawn, their colours the right way round."""
    told: list[str] = []
    seen: list[Picture] = []
    results: list[Streamed] = []
    blue = np.zeros((48, 64, 3), dtype=np.uint8)
    blue[:, :, 0] = 250

    def drawing() -> Iterator[Picture]:
        while len(seen) < 5:
            yield blue

    def run() -> None:
        url = "rtsp://127.0.0.1:0/floor"
        results.append(play(drawing(), SMALL, address_of(url), SystemClock(), told.append))

    player = threading.Thread(target=run)
    player.start()
    until(lambda: bool(told))
    with av.open(told[0], options={"rtsp_transport": "tcp"}, timeout=20) as container:
        assert (container.streams.video[0].codec_context.name, told[0][-6:]) == ("h264", "/floor")
        shown = itertools.islice(container.decode(video=0), 5)
        seen.extend(frame.to_ndarray(format="bgr24").astype(np.uint8) for frame in shown)
    player.join(20)
    assert results[0].frames >= 5
    assert seen[-1].shape == (48, 64, 3)
    assert seen[-1][:, :, 0].mean() > 200
    assert seen[-1][:, :, 2].mean() < 60


@pytest.mark.parametrize("url", ["http://127.0.0.1:0", "rtsp://127.0.0.1:0/x"])
def test_a_drawing_that_breaks_off_stops_the_stream(url: str) -> None:
    """Its error is the caller's, and no thread is left waiting."""

    def level(number: int) -> int:
        raise BadInput(f"plan.png: the floor plan is not a picture ({number})")

    with pytest.raises(BadInput, match="floor plan"):
        play(
            (shade(level(number)) for number in range(3)),
            SMALL,
            address_of(url),
            SystemClock(),
            lambda _: None,
        )
    assert not [t for t in threading.enumerate() if t.name in ("mjpeg-server", "rtsp-server")]
