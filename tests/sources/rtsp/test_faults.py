"""What a simulated camera does wrong, as a client sees it."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from extension.sources.rtsp.faults import Faults
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import LoopedFile
from tests.sources.rtsp import depacketizer
from tests.sources.rtsp.clips import until
from tests.sources.rtsp.raw_client import RawClient

DAY_S = 86_400.0


@pytest.fixture
def server(clip: Path, large_clip: Path) -> Iterator[RtspServer]:
    """Two cameras, of which one is to go wrong."""
    with RtspServer(
        {"bad": [LoopedFile(clip), LoopedFile(large_clip)], "good": LoopedFile(clip)}, seed=1
    ) as running:
        yield running


def reports(client: RawClient, count: int) -> list[depacketizer.Report]:
    """The next sender reports."""
    found = (depacketizer.parse_report(data) for channel, data in client.packets(10_000) if channel == 1)
    return list(itertools.islice(found, count))


def pictures(client: RawClient, packets: int) -> list[depacketizer.Rtp]:
    """The next RTP packets."""
    found = (depacketizer.parse_rtp(data) for channel, data in client.packets(10_000) if channel == 0)
    return list(itertools.islice(found, packets))


@pytest.mark.parametrize(("reset", "end"), [(False, "closed"), (True, "reset")])
def test_a_dropped_connection(server: RtspServer, end: str, *, reset: bool) -> None:
    """In order or with a reset; the other camera's goes on, and the same can be watched anew."""
    with RawClient(server.url("bad")) as client, RawClient(server.url("good")) as other:
        client.play()
        other.play()
        until(lambda: server.viewers("bad") == server.viewers("good") == 1)
        server.drop("bad", reset=reset)
        assert client.ended() == end
        assert pictures(other, 5)
    with RawClient(server.url("bad")) as client:
        client.play()
        assert pictures(client, 5)


def test_a_stalled_camera(server: RtspServer) -> None:
    """Sends nothing, but keeps the connection and answers; then goes on as a live picture does, without what was missed."""
    with RawClient(server.url("bad"), timeout_s=1.0) as client:
        client.play()
        before = pictures(client, 3)
        server.set_faults("bad", Faults(stall=True))
        with pytest.raises(socket.timeout):
            pictures(client, 1000)
        server.set_faults("bad", Faults())
    with RawClient(server.url("bad")) as client:
        client.play()
        after = pictures(client, 3)
    assert before
    assert after


def test_a_stall_skips_time(server: RtspServer) -> None:
    """The camera's clock runs on while it is silent."""
    with RawClient(server.url("bad")) as client:
        client.play()
        before = pictures(client, 1)[0]
        server.set_faults("bad", Faults(stall=True))
        time.sleep(0.5)  # the fault's own length
        server.set_faults("bad", Faults())
        steps = [
            (b.timestamp - a.timestamp) % 2**32 / 90_000
            for a, b in itertools.pairwise([before, *pictures(client, 60)])
        ]
    assert 0.3 < max(steps) < 3.0
    assert sorted(steps)[-2] < 0.1


def test_a_camera_that_refuses(server: RtspServer) -> None:
    """Resets whoever asks; the other one does not."""
    server.set_faults("bad", Faults(refuse=True))
    with RawClient(server.url("bad")) as client:
        client.send(f"DESCRIBE {server.url('bad')} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
        assert client.ended() == "reset"
    with RawClient(server.url("good")) as client:
        assert client.ask("DESCRIBE").status == 200


def test_a_camera_whose_password_was_changed(server: RtspServer) -> None:
    """Nobody gets in until it is mended."""
    server.set_faults("bad", Faults(deny=True))
    with RawClient(server.url("bad")) as client:
        assert client.ask("DESCRIBE").status == 401
        server.set_faults("bad", Faults())
        assert client.ask("DESCRIBE").status == 200


@pytest.mark.parametrize("clock_s", [-400 * DAY_S, -3600.0, 3600.0])
def test_a_wrong_clock(server: RtspServer, clock_s: float) -> None:
    """Off by that much in its reports, at once when it goes wrong."""
    with RawClient(server.url("bad")) as client:
        client.play()
        assert reports(client, 1)[0].unix_s == pytest.approx(time.time(), abs=2.0)
        server.set_faults("bad", Faults(clock_s=clock_s))
        assert reports(client, 1)[0].unix_s == pytest.approx(time.time() + clock_s, abs=2.0)


def test_a_camera_without_a_clock(server: RtspServer) -> None:
    """Sends no reports at all."""
    server.set_faults("bad", Faults(clockless=True))
    with RawClient(server.url("bad")) as client:
        client.play()
        assert {channel for channel, _ in client.packets(40)} == {0}


def test_lost_packets(server: RtspServer) -> None:
    """Numbers are missing, about as many as they should."""
    server.set_faults("bad", Faults(loss=0.3))
    with RawClient(server.url("bad")) as client:
        client.play()
        found = pictures(client, 60)
    passed = (found[-1].sequence - found[0].sequence) % 2**16 + 1
    assert 0.1 < 1 - len(found) / passed < 0.5


def test_another_resolution_in_the_same_connection(server: RtspServer) -> None:
    """The parameter sets change with the next key frame; time goes on; what plays is said."""
    with av.open(
        server.url("bad"), options={"rtsp_transport": "tcp", "fpsprobesize": "3"}, timeout=(10, 5)
    ) as watched:
        sizes = []
        for count, frame in enumerate(watched.decode(watched.streams.video[0])):
            if count == 5:
                server.set_faults("bad", Faults(variant=1))
            sizes.append((frame.width, frame.height))
            if sizes[-1] != sizes[0]:
                break
    assert sizes[0] == (160, 120)
    assert sizes[-1] == (320, 240)
    playing = server.playing("bad")
    assert playing is not None
    assert playing.variant == 1


def test_a_variant_that_is_not_there_is_the_last(server: RtspServer) -> None:
    """A camera with one variant stays as it is."""
    server.set_faults("good", Faults(variant=7))
    with RawClient(server.url("good")) as client:
        client.play()
        assert pictures(client, 5)
    playing = server.playing("good")
    assert playing is not None
    assert playing.variant == 0


def test_faults_are_told(server: RtspServer) -> None:
    """And belong to one camera."""
    wrong = Faults(stall=True, loss=0.5)
    server.set_faults("bad", wrong)
    assert server.faults("bad") == wrong
    assert server.faults("good") == Faults()
