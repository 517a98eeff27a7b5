"""Cameras that are well: what is captured of them is all there, plays, and has the right time."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import pytest

from extension.sources.camera.camera import Camera, Transport
from extension.sources.camera.cutting import Limits
from extension.sources.camera.reports import State
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Segment, Stamp
from extension.sources.probe import probe
from extension.sources.rtsp.faults import Faults
from extension.sources.rtsp.login import Credentials
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import LoopedFile, Stream
from tests.sources.camera.plant import QUICK, Plant
from tests.sources.rtsp.clips import FRAMES, bar_places, frames_in

SECRET = "hun/ter@2"


@pytest.fixture(scope="module")
def plant(
    tmp_path_factory: pytest.TempPathFactory, clip: Path, hevc_clip: Path, reordered_clip: Path
) -> Iterator[Plant]:
    """Cameras of all kinds, each with three segments at least."""
    streams: dict[str, Stream] = {
        "h264": LoopedFile(clip),
        "h265": LoopedFile(hevc_clip),
        "reordered": LoopedFile(reordered_clip),
        "clockless": LoopedFile(clip),
    }

    def by_datagrams(server: RtspServer) -> list[Camera]:
        server.set_faults("clockless", Faults(clockless=True))
        url = server.url("h264", user="joe", password=SECRET)
        return [Camera("udp", url, Transport.UDP)]

    folder = tmp_path_factory.mktemp("ring")
    who = Credentials("joe", SECRET)
    with Plant(folder, streams, credentials=who, others=by_datagrams) as running:
        for name in (*streams, "udp"):
            running.wait_for(name, 4)
        yield running


ALL = ["h264", "h265", "reordered", "clockless", "udp"]


@pytest.mark.parametrize("name", ALL)
def test_segments_follow_one_another(plant: Plant, name: str) -> None:
    """Without a gap or an overlap, in order, about as long as wished."""
    segments = plant.of(name)
    assert all(one.end_at == other.start_at for one, other in itertools.pairwise(segments))
    assert all(0.3 <= segment.duration_s <= 0.9 for segment in segments)


@pytest.mark.parametrize("name", ALL)
def test_segments_play(plant: Plant, name: str) -> None:
    """Each by itself, with all its frames: 25 in a second, from a key frame on."""
    for segment in plant.of(name)[:3]:
        info = probe(segment.path)
        frames = frames_in(segment.path)
        assert (info.codec, info.width, info.height) == (segment.footage.codec, 160, 120)
        assert len(frames) == pytest.approx(segment.duration_s * 25, abs=1.5)
        assert info.duration_s == pytest.approx(segment.duration_s, rel=0.06, abs=0.05)
        assert segment.size_bytes == segment.path.stat().st_size
        with av.open(str(segment.path)) as container:
            keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
        assert keys[0]
        assert sum(keys) == segment.footage.keyframes


@pytest.mark.parametrize("name", ALL)
def test_no_frame_is_missing_between_segments(plant: Plant, name: str) -> None:
    """One after the other they are the stream: the bar moves on by one step per frame."""
    places = [place for segment in plant.of(name)[:4] for place in bar_places(segment.path)]
    steps = {(b - a) % FRAMES for a, b in itertools.pairwise(places)}
    assert steps == {1}


def taken_at(plant: Plant, stream: str, segment: Segment) -> dt.datetime:
    """When the first frame of a segment was sent, by where its bar stands and when the clip began."""
    playing = plant.server.playing(stream)
    assert playing is not None
    loop_s = FRAMES / 25
    first_s = bar_places(segment.path)[0] / 25
    rounds = round(((segment.start_at - playing.began_at).total_seconds() - first_s) / loop_s)
    return playing.began_at + dt.timedelta(seconds=first_s + rounds * loop_s)


@pytest.mark.parametrize(
    ("name", "stream", "stamp", "within_s"),
    [
        ("h264", "h264", Stamp.NTP, 0.06),
        ("h265", "h265", Stamp.NTP, 0.06),
        ("udp", "h264", Stamp.NTP, 0.06),
        ("clockless", "clockless", Stamp.ARRIVAL, 1.5),
    ],
)
def test_segments_have_the_right_time(
    plant: Plant, name: str, stream: str, stamp: Stamp, within_s: float
) -> None:
    """To a frame by the camera's clock, to the delay of a busy machine by arrival; and they say by which."""
    for segment in plant.of(name)[1:4]:
        assert segment.footage.stamp is stamp
        late_s = (segment.start_at - taken_at(plant, stream, segment)).total_seconds()
        assert abs(late_s) < within_s


@pytest.mark.parametrize("name", ALL)
def test_every_second_is_accounted_for(plant: Plant, name: str) -> None:
    """Captured, lost before the first frame, or under way; and the sums are what was written."""
    before = plant.of(name)
    status = plant.status(name)
    after = plant.of(name)
    account = status.account
    assert sum(s.duration_s for s in before) <= account.captured_s + 1e-6
    assert account.captured_s <= sum(s.duration_s for s in after) + 1e-6
    assert sum(account.gaps.values()) == 1
    assert account.pending_s < 5.0


@pytest.mark.parametrize("name", ALL)
def test_a_camera_tells_how_it_is(plant: Plant, name: str) -> None:
    """State, heartbeat, counters and picture."""
    status = plant.status(name)
    assert status.state is State.RECORDING
    assert status.code is None
    assert status.last_frame_at is not None
    assert abs((status.last_frame_at - dt.datetime.now(dt.UTC)).total_seconds()) < 10
    assert status.frames >= 40
    assert status.bytes > 1000
    assert status.segments >= 4
    assert status.reconnects == 0
    assert status.picture is not None
    assert (status.picture.width, status.picture.height) == (160, 120)
    assert status.picture.fps == pytest.approx(25, rel=0.1)
    assert status.clock is not None
    assert not status.clock.wrong


def test_passwords_are_nowhere(plant: Plant) -> None:
    """Not in what is told, nor in the names of files."""
    told = [*plant.cameras.status(), *plant.reports, *plant.segments, *plant.cameras.refused]
    for text in map(repr, told):
        assert SECRET not in text
        assert "hun" not in text


def test_files_stand_in_their_cameras_folders(plant: Plant) -> None:
    """And nothing else does."""
    for name in ALL:
        folders = {segment.path.parents[1].name for segment in plant.of(name)}
        assert folders == {name}
    names = {path.suffix for path in plant.ring.root.rglob("*") if path.is_file()}
    assert names <= {".mp4", ".part"}


def test_the_ring_answers_for_any_span(plant: Plant) -> None:
    """Segments that cover the middle of two of them."""
    one, other = plant.of("h264")[:2]
    found = plant.ring.index.covering(
        "h264", one.end_at - dt.timedelta(milliseconds=50), other.start_at + dt.timedelta(milliseconds=50)
    )
    assert found == (one, other)


def test_a_restart_finds_everything(plant: Plant) -> None:
    """From the folder alone; the newest is there too."""
    known = plant.ring.index.segments("h265")
    found = Ring(plant.ring.root, reserve_bytes=0).index.segments("h265")
    assert found[: len(known)] == known


def test_capture_takes_threads_by_camera_not_by_frame(plant: Plant) -> None:
    """One each, and one that watches."""
    assert set(plant.cameras.work()) == {*(f"camera {name}" for name in ALL), "camera watch"}
    tasks = threading.active_count()
    plant.wait_for_more("h264", 2)
    assert threading.active_count() <= tasks + 2


def test_who_waits_for_a_segment_gets_it_at_the_next_key_frame(tmp_path: Path, clip: Path) -> None:
    """Long before it would end by itself; what follows is cut as usual, and nothing is lost in between."""
    asked: list[tuple[str, dt.datetime, dt.datetime]] = []

    def awaited(camera: str, start_at: dt.datetime, end_at: dt.datetime) -> bool:
        asked.append((camera, start_at, end_at))
        return True

    patient = replace(QUICK, limits=Limits(target_s=30.0, early_s=0.05), awaited=awaited)
    with Plant(tmp_path, {"gate": LoopedFile(clip)}, options=patient) as running:
        running.wait_for("gate", 3)
        segments = running.of("gate")
    assert all(0.4 <= segment.duration_s < 2.0 for segment in segments[:2])
    assert segments[0].end_at == segments[1].start_at
    assert {camera for camera, _, _ in asked} == {"gate"}
    assert all(start_at < end_at for _, start_at, end_at in asked)
