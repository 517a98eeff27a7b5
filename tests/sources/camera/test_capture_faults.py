"""Cameras that go wrong while they are captured: what is lost is said, with its reason, and capture goes on."""

from __future__ import annotations

import dataclasses
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from extension.clock import SystemClock
from extension.sources.camera.camera import Camera
from extension.sources.camera.capture import CaptureOptions
from extension.sources.camera.cutting import Limits
from extension.sources.camera.reports import (
    CameraClock,
    CameraDown,
    CameraUp,
    GapClosed,
    State,
    StorageDown,
    StorageUp,
)
from extension.sources.camera.retention import Retention
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Footage, Stamp
from extension.sources.camera.trouble import Code
from extension.sources.rtsp.faults import Faults
from extension.sources.rtsp.login import Credentials
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import AnnouncedTrack, LoopedFile, Stream
from extension.sources.rtsp.units import AccessUnit, is_key, is_parameter_set
from tests.sources.camera.hands import at
from tests.sources.camera.plant import QUICK, Capturing, Plant
from tests.sources.rtsp.clips import bar_places, frames_in, until

SECRET = "s3cr3t@/pass"


def whole(plant: Capturing, name: str) -> None:
    """Every second of the camera is accounted for, and its segments are in order without overlap."""
    account = plant.status(name).account
    gone_s = sum(account.lost_s.values())
    now_at = SystemClock().now()
    total_s = account.captured_s + gone_s + account.pending_s
    assert total_s == pytest.approx((now_at - account.since_at).total_seconds(), abs=0.5)
    segments = plant.of(name)
    assert all(one.end_at <= other.start_at for one, other in itertools.pairwise(segments))


def gaps(plant: Capturing, name: str) -> list[Code]:
    """Reasons of the gaps of a camera, in order, after that of its start."""
    found = [report.gap for report in plant.heard(GapClosed)]
    return [gap.code for gap in found if gap.camera == name and gap.code is not Code.STARTING]


def test_connections_that_are_cut(tmp_path: Path, clip: Path) -> None:
    """Ended or reset: a gap with its reason, and capture is back; the other camera loses nothing."""
    streams = {name: LoopedFile(clip) for name in ("ended", "reset", "good")}
    with Plant(tmp_path, streams) as plant:
        for name in ("ended", "reset"):
            plant.wait_for(name, 2)
            plant.server.drop(name, reset=name == "reset")
        for name in ("ended", "reset"):
            came_back(plant, name)
        whole(plant, "good")
        assert not gaps(plant, "good")
        assert plant.status("good").reconnects == 0


def came_back(plant: Plant, name: str) -> None:
    """The camera was gone once, and is captured again."""
    until(lambda: gaps(plant, name) == [Code.DISCONNECTED])
    plant.wait_for_more(name, 2)
    status = plant.status(name)
    assert status.reconnects == 1
    assert status.code is None
    assert 0.01 < status.account.lost_s[Code.DISCONNECTED] < 10
    whole(plant, name)


def test_what_was_under_way_when_the_connection_broke_is_kept(tmp_path: Path, clip: Path) -> None:
    """The open segment is closed and counts."""
    options = dataclasses.replace(QUICK, limits=Limits(target_s=60.0))
    with Plant(tmp_path, {"bad": LoopedFile(clip)}, options=options) as plant:
        until(lambda: plant.status("bad").frames >= 20)
        plant.server.drop("bad")
        plant.wait_for("bad", 1)
        assert len(frames_in(plant.of("bad")[0].path)) >= 20


def test_a_camera_that_stalls(tmp_path: Path, clip: Path) -> None:
    """Is down after a while, said once, and up again when pictures come; the gap begins with the last one."""
    with Plant(tmp_path, {"bad": LoopedFile(clip), "good": LoopedFile(clip)}) as plant:
        plant.wait_for("bad", 1)
        plant.server.set_faults("bad", Faults(stall=True))
        until(lambda: plant.heard(CameraDown, "bad"))
        until(lambda: plant.status("bad").code is Code.STALLED)
        plant.server.set_faults("bad", Faults())
        until(lambda: plant.heard(CameraUp, "bad"))
        plant.wait_for_more("bad", 1)
        down, up = plant.heard(CameraDown, "bad"), plant.heard(CameraUp, "bad")
        # A busy machine may be slow enough for one more, each said once and taken back once.
        assert 0 <= len(down) - len(up) <= 1
        stalled = next(report for report in down if report.code is Code.STALLED)
        assert stalled.message == "the connection stands, but no picture comes"
        back = next(report for report in up if report.since_at == stalled.since_at)
        assert back.code is Code.STALLED
        assert stalled.since_at < stalled.at < back.at
        assert Code.STALLED in gaps(plant, "bad")
        whole(plant, "bad")
        assert not plant.heard(CameraDown, "good")


def test_a_short_stall_is_a_gap_of_one_connection(tmp_path: Path, clip: Path) -> None:
    """The camera left frames out: said so, and nothing is connected anew."""
    options = dataclasses.replace(
        QUICK,
        limits=dataclasses.replace(QUICK.limits, gap_s=0.2),
        patience=dataclasses.replace(QUICK.patience, stall_s=8),
    )
    with Plant(tmp_path, {"bad": LoopedFile(clip)}, options=options) as plant:
        plant.wait_for("bad", 1)
        frames = plant.status("bad").frames
        plant.server.set_faults("bad", Faults(stall=True))
        threading.Event().wait(0.6)  # the fault's own length
        plant.server.set_faults("bad", Faults())
        until(lambda: plant.status("bad").frames > frames + 10)
        until(lambda: Code.MISSING_FRAMES in gaps(plant, "bad"))
        assert plant.status("bad").reconnects == 0
        assert set(gaps(plant, "bad")) == {Code.MISSING_FRAMES}
        whole(plant, "bad")


def test_another_resolution(tmp_path: Path, clip: Path, large_clip: Path) -> None:
    """Begins a new segment, in the same connection, without a gap; each segment plays in its own size."""
    with Plant(tmp_path, {"bad": [LoopedFile(clip), LoopedFile(large_clip)]}) as plant:
        plant.wait_for("bad", 1)
        plant.server.set_faults("bad", Faults(variant=1))
        until(lambda: any(segment.footage.width == 320 for segment in plant.of("bad")))
        plant.server.set_faults("bad", Faults())
        until(lambda: plant.of("bad")[-1].footage.width == 160)
        assert not gaps(plant, "bad")
        assert plant.status("bad").reconnects == 0
        for segment in plant.of("bad"):
            size = (segment.footage.width, segment.footage.height)
            assert size in {(160, 120), (320, 240)}
            assert probe_size(segment.path) == size
        whole(plant, "bad")


def probe_size(path: Path) -> tuple[int, int]:
    """Width and height of a file's first frame."""
    import av

    with av.open(str(path)) as container:
        frame = next(container.decode(container.streams.video[0]))
        return frame.width, frame.height


CLOCKS_S = {"past": -400 * 86_400.0, "future": 7200.0}


def test_clocks_in_another_time(tmp_path: Path, clip: Path) -> None:
    """Are reported once, with how far they are off; segments keep their order and the time of arrival; then all is right again."""
    with Plant(tmp_path, {name: LoopedFile(clip) for name in CLOCKS_S}) as plant:
        for name, clock_s in CLOCKS_S.items():
            plant.wait_for(name, 1)
            plant.server.set_faults(name, Faults(clock_s=clock_s))
        for name in CLOCKS_S:
            until_arrival_counts(plant, name)
            plant.server.set_faults(name, Faults())
        for name, clock_s in CLOCKS_S.items():
            was_wrong_once(plant, name, clock_s)
            whole(plant, name)


def until_arrival_counts(plant: Plant, name: str) -> None:
    """Wait for the report, and for a segment that is stamped by arrival."""
    until(lambda: plant.heard(CameraClock, name))
    until(lambda: plant.of(name)[-1].footage.stamp is Stamp.ARRIVAL)


def was_wrong_once(plant: Plant, name: str, clock_s: float) -> None:
    """Two reports, and no segment that is stamped with the wrong time."""
    until(lambda: len(plant.heard(CameraClock, name)) == 2)
    plant.wait_for_more(name, 2)
    wrong, right = plant.heard(CameraClock, name)
    assert wrong.wrong
    assert wrong.offset_s == pytest.approx(clock_s, abs=2)
    assert not right.wrong
    assert abs(right.offset_s) < 2
    stamps = [segment.footage.stamp for segment in plant.of(name)]
    assert stamps[0] is stamps[-1] is Stamp.NTP
    now_at = SystemClock().now()
    assert all(abs((segment.start_at - now_at).total_seconds()) < 30 for segment in plant.of(name))


def test_lost_packets(tmp_path: Path, clip: Path) -> None:
    """Break no segment: each still plays from its first frame."""
    with Plant(tmp_path, {"bad": LoopedFile(clip)}) as plant:
        plant.server.set_faults("bad", Faults(loss=0.1))
        plant.wait_for("bad", 4)
        for segment in plant.of("bad"):
            assert frames_in(segment.path)
        whole(plant, "bad")


class Overlong:
    """A camera with a key frame at its start and then none for very long."""

    slow = False

    def __init__(self, inner: LoopedFile) -> None:
        self._inner = inner

    def media_lines(self, first: AccessUnit | None) -> tuple[str, ...]:
        """Those of the stream inside."""
        return self._inner.media_lines(first)

    def units(self) -> Iterator[AccessUnit]:
        """Every twenty-fifth frame is a key frame, the other key frames are left out."""
        for index, unit in enumerate(self._inner.units()):
            if not unit.key or index % 25 == 0:
                yield unit


def test_no_key_frame_for_too_long(tmp_path: Path, clip: Path) -> None:
    """The segment is closed, what cannot be played is lost with that reason, and the next key frame begins anew."""
    options = dataclasses.replace(QUICK, limits=Limits(target_s=0.4, most_s=0.4))
    with Plant(tmp_path, {"bad": Overlong(LoopedFile(clip))}, options=options) as plant:
        until(lambda: gaps(plant, "bad").count(Code.NO_KEY_FRAME) >= 1)
        first = plant.of("bad")[0]
        assert first.duration_s == pytest.approx(0.44, abs=0.1)
        assert bar_places(first.path)[0] in {0, 25}
        whole(plant, "bad")


class Noise:
    """A camera whose pictures are noise, though its description is right."""

    slow = False

    def __init__(self, inner: LoopedFile) -> None:
        self._inner = inner

    def media_lines(self, first: AccessUnit | None) -> tuple[str, ...]:
        """Those of the stream inside."""
        return self._inner.media_lines(first)

    def units(self) -> Iterator[AccessUnit]:
        """Slices whose bits are turned round."""
        for unit in self._inner.units():
            nals = tuple(
                nal if len(nal) < 60 else nal[:1] + bytes(255 - bit for bit in nal[1:]) for nal in unit.nals
            )
            yield dataclasses.replace(unit, nals=nals)


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Something on a port that is no camera."""
    server = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                answer(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"rtsp://joe:{SECRET.replace('@', '%40').replace('/', '%2F')}@127.0.0.1:{server.getsockname()[1]}/x"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def web_server(connection: socket.socket) -> None:
    """Answers as a web server does."""
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


WRONG = {
    "sound": Code.NOT_VIDEO,
    "strange": Code.UNSUPPORTED_CODEC,
    "mjpeg": Code.UNSUPPORTED_CODEC,
    "noise": Code.UNDECODABLE,
    "missing": Code.NOT_FOUND,
    "password": Code.UNAUTHORIZED,
    "nobody": Code.UNREACHABLE,
    "web": Code.PROTOCOL,
}


def test_cameras_that_never_come(tmp_path: Path, clip: Path) -> None:
    """Each has one clear error with its code, no word of the password, and the good one is not harmed by any."""
    streams: dict[str, Stream] = {
        "good": LoopedFile(clip),
        "sound": AnnouncedTrack(["m=audio 0 RTP/AVP 0", "a=rtpmap:0 PCMU/8000"]),
        "strange": AnnouncedTrack(["m=video 0 RTP/AVP 97", "a=rtpmap:97 FOO/90000"]),
        "mjpeg": AnnouncedTrack(["m=video 0 RTP/AVP 26"]),
        "noise": Noise(LoopedFile(clip)),
    }
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"rtsp://joe:secret@127.0.0.1:{closed.getsockname()[1]}/x"

    with answering(web_server) as web, capture_logs() as logs:

        def others(server: RtspServer) -> list[Camera]:
            return [
                Camera("missing", server.url("nothing", user="joe", password=SECRET)),
                Camera("password", server.url("good", user="joe", password=f"wrong{SECRET}")),
                Camera("nobody", nobody),
                Camera("web", web),
                Camera("good", "rtsp://127.0.0.1/other"),
                Camera("file", "file:///etc/passwd"),
            ]

        options = dataclasses.replace(QUICK, patience=dataclasses.replace(QUICK.patience, open_s=1.5))
        who = Credentials("joe", SECRET)
        with Plant(tmp_path, streams, options=options, credentials=who, others=others) as plant:
            until(lambda: {name: plant.status(name).code for name in WRONG} == WRONG)
            until(lambda: {report.camera for report in plant.heard(CameraDown)} == set(WRONG))
            plant.wait_for("good", 2)
            for name, code in WRONG.items():
                status = plant.status(name)
                assert status.message
                assert status.segments == status.frames == 0
                assert len(plant.heard(CameraDown, name)) == 1
                assert status.account.lost_s[code] >= 0
                assert plant.ring.index.segments(name) == ()
            assert {refusal.camera: refusal.code for refusal in plant.cameras.refused} == {
                "good": Code.DUPLICATE_NAME,
                "file": Code.BAD_URL,
            }
            whole(plant, "good")
            told = [
                repr(plant.cameras.status()),
                repr(plant.reports),
                repr(plant.cameras.refused),
                repr(logs),
            ]
    for text in told:
        assert not any(secret in text for secret in (SECRET, "s3cr3t", "secret", "joe"))
    lost = [(entry["camera"], entry["code"]) for entry in logs if entry["event"] == "camera_lost"]
    assert len(lost) == len(set(lost)), "once, not at every try"


def test_a_camera_that_comes_late(tmp_path: Path, clip: Path) -> None:
    """Refuses at first, then lets nobody in, then works: one report, and captured from then on."""
    with RtspServer({"late": LoopedFile(clip)}, seed=1) as server:
        server.set_faults("late", Faults(refuse=True))
        ring = Ring(tmp_path, reserve_bytes=0)
        with Capturing([Camera("late", server.url("late"))], ring) as capturing:
            until(lambda: capturing.status("late").code is Code.PROTOCOL)
            server.set_faults("late", Faults(deny=True))
            until(lambda: capturing.status("late").code is Code.UNAUTHORIZED)
            server.set_faults("late", Faults())
            capturing.wait_for("late", 1)
            until(lambda: len(capturing.heard(CameraUp)) == len(capturing.heard(CameraDown)))
            assert len(capturing.heard(CameraDown)) <= 1
            found = gaps(capturing, "late")
            assert found[0] is Code.PROTOCOL
            assert found[-1] is Code.UNAUTHORIZED
            whole(capturing, "late")


def test_a_camera_that_was_switched_off_and_on(tmp_path: Path, clip: Path) -> None:
    """The server goes and comes back under the same address."""
    with RtspServer({"cam": LoopedFile(clip)}) as server:
        port, url = server.port, server.url("cam")
        capturing = Capturing([Camera("cam", url)], Ring(tmp_path, reserve_bytes=0))
        capturing.__enter__()
        capturing.wait_for("cam", 1)
    try:
        until(lambda: capturing.status("cam").code is Code.UNREACHABLE)
        with RtspServer({"cam": LoopedFile(clip)}, port=port):
            capturing.wait_for_more("cam", 2)
            found = gaps(capturing, "cam")
            # A connection that breaks within its last frame leaves no gap of its own.
            assert found in ([Code.DISCONNECTED, Code.UNREACHABLE], [Code.UNREACHABLE])
            whole(capturing, "cam")
    finally:
        capturing.__exit__(None, None, None)


def test_a_full_disk(tmp_path: Path, clip: Path) -> None:
    """One clear error for all cameras, capture goes on when there is room, and the time in between is lost for that."""
    room = [10**9]
    ring = Ring(tmp_path, reserve_bytes=1000, room=lambda _: room[0])
    with Plant(tmp_path, {"one": LoopedFile(clip), "two": LoopedFile(clip)}, ring=ring) as plant:
        plant.wait_for("one", 1)
        plant.wait_for("two", 1)
        room[0] = 500
        until(lambda: plant.heard(StorageDown))
        until(lambda: all(plant.status(name).code is Code.DISK_FULL for name in ("one", "two")))
        frames = plant.status("one").frames
        until(lambda: plant.status("one").frames > frames + 25)
        room[0] = 10**9
        until(lambda: plant.heard(StorageUp))
        for name in ("one", "two"):
            plant.wait_for_more(name, 1)
            assert gaps(plant, name) == [Code.DISK_FULL]
            assert plant.status(name).reconnects == 0
            whole(plant, name)
        down, up = plant.heard(StorageDown), plant.heard(StorageUp)
        assert len(down) == len(up) == 1
        assert down[0].code is Code.DISK_FULL
        assert "full" in down[0].message
        assert up[0].since_at == down[0].at
        assert not plant.heard(CameraDown)


def test_a_restart_counts_the_time_in_between(tmp_path: Path, clip: Path) -> None:
    """As lost, for the service did not run; old segments are let go of by age."""
    with Plant(tmp_path, {"cam": LoopedFile(clip)}) as plant:
        plant.wait_for("cam", 2)
    before = plant.of("cam")[-1]
    assert plant.status("cam").state is State.STOPPED
    ancient = Ring(tmp_path, reserve_bytes=0).store(
        "cam", at(0), at(2), Footage("h264", 160, 120, 1, Stamp.NTP), [b"x"]
    )
    ring = Ring(tmp_path, Retention(age_s=3600), reserve_bytes=0)
    assert ring.index.segments("cam")[-1] == before
    with Plant(tmp_path, {"cam": LoopedFile(clip)}, ring=ring) as plant:
        plant.wait_for("cam", 1)
        assert Code.NOT_RUNNING in gaps(plant, "cam")
        assert plant.status("cam").account.since_at == before.end_at
        until(lambda: not ancient.path.exists())
        whole(plant, "cam")


def test_stopping_is_quick_and_keeps_what_is_under_way(tmp_path: Path, clip: Path) -> None:
    """The open segment is written; afterwards time counts as not captured."""
    options = CaptureOptions(limits=Limits(target_s=60.0))
    clock = SystemClock()
    with Plant(tmp_path, {"cam": LoopedFile(clip)}, options=options) as plant:
        until(lambda: plant.status("cam").frames >= 15)
        start_s = clock.monotonic_s()
        plant.supervisor.shut_down()
        assert clock.monotonic_s() - start_s < 3.0
        assert len(plant.of("cam")) == 1
        status = plant.status("cam")
        assert status.state is State.STOPPED
        assert Code.NOT_RUNNING in status.account.lost_s


class Sliced:
    """A camera that sends the slices of its key frames one by one, each behind its own parameter sets."""

    slow = False

    def __init__(self, inner: LoopedFile) -> None:
        self._inner = inner

    def media_lines(self, first: AccessUnit | None) -> tuple[str, ...]:
        """Those of the stream inside."""
        return self._inner.media_lines(first)

    def units(self) -> Iterator[AccessUnit]:
        """Key frames in parts that have one time."""
        for unit in self._inner.units():
            sets = tuple(nal for nal in unit.nals if is_parameter_set(unit.codec, nal))
            slices = [nal for nal in unit.nals if is_key(unit.codec, nal)]
            assert not unit.key or len(slices) > 1
            for one in slices if unit.key else ():
                yield dataclasses.replace(unit, nals=(*sets, *sets, one))
            if not unit.key:
                yield unit


def test_key_frames_that_come_in_slices(tmp_path: Path, clip: Path) -> None:
    """Are put together again: no frame is cut in two, none is counted twice, and none is missing."""
    with Plant(tmp_path, {"bad": Sliced(LoopedFile(clip))}) as plant:
        plant.wait_for("bad", 4)
        segments = plant.of("bad")[1:4]
        places = [place for segment in segments for place in bar_places(segment.path)]
        assert {(b - a) % 50 for a, b in itertools.pairwise(places)} == {1}
        assert all(0.3 < segment.duration_s < 0.6 for segment in segments)
        assert plant.status("bad").reconnects == 0
        whole(plant, "bad")


class SoonRound:
    """Chance that lets the RTP clock begin anew after two seconds."""

    def getrandbits(self, bits: int) -> int:
        """Of 31 bits: nearly a whole turn."""
        return 2**32 - 2 * 90_000 if bits == 31 else 7

    def random(self) -> float:
        """In the middle."""
        return 0.5


def test_the_rtp_clock_turns_round(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does every 13 hours: no gap, no wrong clock, no frame missing."""
    monkeypatch.setattr("extension.sources.rtsp.server.random.Random", lambda _: SoonRound())
    with Plant(tmp_path, {"cam": LoopedFile(clip)}) as plant:
        plant.wait_for("cam", 6)
        segments = plant.of("cam")
        places = [place for segment in segments for place in bar_places(segment.path)]
        assert {(b - a) % 50 for a, b in itertools.pairwise(places)} == {1}
        assert all(one.end_at == other.start_at for one, other in itertools.pairwise(segments))
        assert {segment.footage.stamp for segment in segments} == {Stamp.NTP}
        assert not plant.heard(CameraClock)
        assert plant.status("cam").reconnects == 0
