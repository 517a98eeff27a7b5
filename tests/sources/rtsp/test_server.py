"""The server, seen by a raw client, by PyAV and by the ffmpeg program."""

from __future__ import annotations

import datetime as dt
import itertools
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import av
import av.error
import imageio_ffmpeg
import numpy as np
import pytest

from extension.clock import SystemClock
from extension.errors import BadInput, Unavailable
from extension.sources.rtsp.faults import Faults
from extension.sources.rtsp.login import Credentials
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import AnnouncedTrack, LoopedFile, PictureStream, Stream
from extension.sources.rtsp.units import Codec
from tests.sources.rtsp import depacketizer
from tests.sources.rtsp.clips import until
from tests.sources.rtsp.raw_client import RawClient, basic
from tests.sources.rtsp.test_streams import SIZE, Greys

WATCHER = Credentials("joe", "p@ss/word")


@pytest.fixture
def server(clip: Path, hevc_clip: Path, reordered_clip: Path) -> Iterator[RtspServer]:
    """Streams of all kinds."""
    streams: dict[str, Stream] = {
        "h264": LoopedFile(clip),
        "h265": LoopedFile(hevc_clip),
        "reordered": LoopedFile(reordered_clip),
        "plant/gate": LoopedFile(clip),
        "sound": AnnouncedTrack(["m=audio 0 RTP/AVP 0", "a=rtpmap:0 PCMU/8000"]),
    }
    with RtspServer(streams, seed=1) as running:
        yield running


def test_a_client_is_told_what_there_is(server: RtspServer) -> None:
    """OPTIONS and DESCRIBE."""
    with RawClient(server.url("h264")) as client:
        assert "DESCRIBE" in client.ask("OPTIONS").headers["public"]
        found = client.ask("DESCRIBE", Accept="application/sdp")
        assert found.status == 200
        assert found.headers["content-type"] == "application/sdp"
        assert found.headers["content-base"] == server.url("h264") + "/"
        assert "H264/90000" in found.body
        assert "sprop-parameter-sets=" in found.body


def test_pictures_arrive_whole_and_in_time(server: RtspServer) -> None:
    """From a key frame on, in real time, each picture's packets with one time stamp and a marker at their end."""
    with RawClient(server.url("h264")) as client:
        client.play()
        pictures: list[list[depacketizer.Rtp]] = [[]]
        arrived_s: list[float] = []
        while len(arrived_s) < 15:
            channel, data = next(client.packets(1))
            if channel == 0:
                pictures[-1].append(depacketizer.parse_rtp(data))
                if pictures[-1][-1].marker:
                    arrived_s.append(time.monotonic())
                    pictures.append([])
    whole = [packet for picture in pictures for packet in picture]
    assert all(len({packet.timestamp for packet in picture}) == 1 for picture in pictures[:-1])
    assert all((b.sequence - a.sequence) % 2**16 == 1 for a, b in itertools.pairwise(whole))
    steps = [(b[0].timestamp - a[0].timestamp) % 2**32 for a, b in itertools.pairwise(pictures[:-1])]
    assert steps == pytest.approx([3600] * 14, abs=2)
    assert arrived_s[-1] - arrived_s[0] > 14 * 0.04 * 0.7
    nals = list(depacketizer.nals(Codec.H264, [packet.payload for packet in pictures[0]]))
    assert [nal[0] & 0x1F for nal in nals][:2] == [7, 8]
    assert nals[-1][0] & 0x1F == 5


def test_a_report_comes_before_the_first_picture(server: RtspServer) -> None:
    """So that a client knows the wall clock of every frame; it is right."""
    with RawClient(server.url("h264")) as client:
        client.play()
        (channel, data), (_, picture) = client.packets(2)
    assert channel == 1
    report, first = depacketizer.parse_report(data), depacketizer.parse_rtp(picture)
    assert report.unix_s == pytest.approx(time.time(), abs=2.0)
    assert report.ssrc == first.ssrc
    late_s = ((report.timestamp - first.timestamp + 2**31) % 2**32 - 2**31) / 90_000
    assert abs(late_s) < 0.5


def test_clients_have_numbers_of_their_own(server: RtspServer) -> None:
    """Two of one stream see the same pictures under other numbers."""
    firsts = []
    for _ in range(2):
        with RawClient(server.url("h264")) as client:
            client.play()
            firsts.append(
                next(depacketizer.parse_rtp(data) for channel, data in client.packets(2) if channel == 0)
            )
    assert firsts[0].ssrc != firsts[1].ssrc


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        pytest.param("DESCRIBE", "none", {}, 404, id="no-such-stream"),
        pytest.param("DESCRIBE", "h26", {}, 404, id="a-prefix-is-no-name"),
        pytest.param("SETUP", "none", {}, 404, id="no-such-track"),
        pytest.param("SETUP", "h264/trackID=0", {"Transport": "RAW/RAW"}, 461, id="no-such-transport"),
        pytest.param("PLAY", "h264", {}, 455, id="play-before-setup"),
        pytest.param("RECORD", "h264", {}, 405, id="no-such-method"),
        pytest.param("GET_PARAMETER", "h264", {}, 200, id="a-sign-of-life"),
        pytest.param("TEARDOWN", "h264", {}, 200, id="the-end"),
    ],
)
def test_what_a_client_may_not(
    server: RtspServer, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """An answer that says so, and the connection stays."""
    root = server.url("h264").removesuffix("h264")
    with RawClient(server.url("h264")) as client:
        assert client.ask(method, root + path, **headers).status == status
        assert client.ask("OPTIONS").status == 200


def test_noise_is_answered(server: RtspServer) -> None:
    """And a request's body is passed over."""
    with RawClient(server.url("h264")) as client:
        client.send(b"hello\r\n\r\n")
        assert client.answer().status == 400
        assert client.ask("SET_PARAMETER", body="x: y").status == 200
        client.send(b"$\x01\x00\x04abcd")
        assert client.ask("OPTIONS").status == 200


def test_a_client_that_sends_no_end_is_cut_off(server: RtspServer) -> None:
    """A header without end fills no memory."""
    with RawClient(server.url("h264")) as client:
        client.send(b"OPTIONS " + b"x" * 200_000)
        assert client.ended() in {"closed", "reset"}
    with RawClient(server.url("h264")) as client:
        assert client.ask("OPTIONS").status == 200


def test_teardown_ends_the_pictures(server: RtspServer) -> None:
    """Nobody watches any more."""
    with RawClient(server.url("h264")) as client:
        client.play()
        until(lambda: server.viewers("h264") == 1)
        assert client.ask("TEARDOWN").status == 200
        until(lambda: server.viewers("h264") == 0)


def test_a_client_that_hangs_up_is_forgotten(server: RtspServer) -> None:
    """Without a word."""
    with RawClient(server.url("h264")) as client:
        client.play()
        until(lambda: server.viewers("h264") == 1)
    until(lambda: server.viewers("h264") == 0)


@pytest.mark.parametrize(
    ("path", "transport"),
    [("h264", "tcp"), ("h265", "tcp"), ("reordered", "tcp"), ("plant/gate", "udp"), ("h265", "udp")],
)
def test_pyav_watches(server: RtspServer, path: str, transport: str) -> None:
    """Every codec over every transport; frames decode, times rise, and the wall clock comes with them."""
    with av.open(
        server.url(path), options={"rtsp_transport": transport, "fpsprobesize": "3"}, timeout=(10, 5)
    ) as watched:
        stream = watched.streams.video[0]
        assert stream.codec_context.name == ("hevc" if path == "h265" else "h264")
        assert (stream.codec_context.width, stream.codec_context.height) == (160, 120)
        times, dated, frames = [], 0, 0
        for packet in itertools.islice(watched.demux(stream), 20):
            dated += packet.has_sidedata("prft")
            frames += len(packet.decode())
            if packet.pts is not None:
                times.append(packet.pts)
    assert frames >= 15
    assert dated >= 19
    assert path == "reordered" or times == sorted(times)


def test_ffmpeg_watches_without_a_jump_where_the_file_begins_again(server: RtspServer) -> None:
    """More than the clip's two seconds; ffmpeg says when time stamps are not as they should be."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "warning", "-rtsp_transport", "tcp"]
    command += ["-i", server.url("h264"), "-frames:v", "60", "-f", "framemd5", "-"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    rows = [line.split(",") for line in found.stdout.splitlines() if not line.startswith("#")]
    assert len(rows) == 60
    assert "Non-monotonous" not in found.stderr
    assert "missed" not in found.stderr
    hashes = [row[-1].strip() for row in rows]
    assert hashes[:10] == hashes[50:60]


def test_a_password_is_wanted(clip: Path) -> None:
    """The right one, and nothing is told without it."""
    with RtspServer({"a": LoopedFile(clip)}, credentials=WATCHER) as server:
        with RawClient(server.url("a")) as client:
            refused = client.ask("DESCRIBE")
            assert refused.status == 401
            assert "realm=" in refused.headers["www-authenticate"]
            assert not refused.body
            assert client.ask("DESCRIBE", Authorization=basic("joe", "wrong")).status == 401
            assert client.ask("SETUP", server.url("a") + "/trackID=0", Transport="RTP/AVP/TCP").status == 401
            assert client.ask("DESCRIBE", Authorization=basic("joe", "p@ss/word")).status == 200
        with av.open(server.url("a", user="joe", password="p@ss/word"), timeout=(10, 5)) as watched:
            assert watched.streams.video[0].codec_context.name == "h264"
        with pytest.raises(av.error.HTTPUnauthorizedError):
            av.open(server.url("a", user="joe", password="wrong"), timeout=(10, 5))


def test_sound_alone_is_described(server: RtspServer) -> None:
    """And plays silence."""
    with RawClient(server.url("sound")) as client:
        assert "m=audio" in client.ask("DESCRIBE").body
        client.play()
        assert client.ask("GET_PARAMETER").status == 200


def test_pictures_that_end_end_the_connection() -> None:
    """As a file that is not looped."""
    with (
        RtspServer({"short": PictureStream(iter(Greys(8)), 10.0, SIZE)}) as server,
        RawClient(server.url("short")) as client,
    ):
        client.play()
        assert client.ended() == "closed"


def test_a_slow_reader_is_cut_off() -> None:
    """What nobody reads is not kept for ever; a pipe that is full ends the connection."""
    chance = np.random.default_rng(0)
    noise = [chance.integers(0, 256, (720, 1280, 3), np.uint8) for _ in range(3)]
    stream = PictureStream(noise, 30.0, (1280, 720), bitrate=200_000_000, key_every_s=0.04)
    with RtspServer({"fat": stream}) as server, RawClient(server.url("fat")) as client:
        client.play()
        until(lambda: server.viewers("fat") == 1)
        until(lambda: server.viewers("fat") == 0)


def test_a_port_that_is_taken(clip: Path) -> None:
    """One clear error."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"no RTSP server on 127.0.0.1:{port}"):
            RtspServer({"a": LoopedFile(clip)}, port=port).__enter__()


def test_the_end_ends_every_connection(clip: Path) -> None:
    """Clients see it at once."""
    server = RtspServer({"a": LoopedFile(clip)})
    with server:
        client = RawClient(server.url("a"))
        client.play()
    with client:
        assert client.ended() in {"closed", "reset"}


def test_a_stream_that_is_not_there(server: RtspServer) -> None:
    """Names those that are."""
    with pytest.raises(BadInput, match="there is no stream 'x'; there are h264"):
        server.set_faults("x", Faults())


def test_what_plays_since_when(server: RtspServer) -> None:
    """So that a test can tell when in the loop something happened."""
    until(lambda: server.playing("h264"))
    playing = server.playing("h264")
    assert playing is not None
    assert playing.variant == 0
    age = SystemClock().now() - playing.began_at
    assert dt.timedelta(0) <= age < dt.timedelta(seconds=30)
    assert server.playing("sound") is None
    assert server.names == ("h264", "h265", "reordered", "plant/gate", "sound")
