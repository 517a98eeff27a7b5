"""The places of cameras: what is said of them holds at once, and their newest pictures can be seen."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import av
import numpy as np
import pytest

from extension.errors import NotFound
from extension.model import Brief
from extension.pipeline.live.places import Places
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Footage, Stamp
from extension.sources.camera.zones import Briefs
from extension.wire import BriefIn

START = dt.datetime(2026, 5, 4, 10, tzinfo=dt.UTC)
FILED = Brief("From the file.")


def video(grey: int) -> bytes:
    """Two seconds of one grey."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            picture = np.full((48, 64, 3), grey, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


def record(ring: Ring, start_s: float, content: bytes, camera: str = "gate") -> Path:
    """A segment of two seconds."""
    start_at = START + dt.timedelta(seconds=start_s)
    footage = Footage("h264", 64, 48, 1, Stamp.ARRIVAL)
    return ring.store(camera, start_at, start_at + dt.timedelta(seconds=2), footage, [content]).path


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    """Empty."""
    return Ring(tmp_path / "ring", reserve_bytes=0)


@pytest.fixture
def places(tmp_path: Path, ring: Ring) -> Places:
    """Of two cameras, one of which has the other's name for a beginning."""
    return Places(Briefs(tmp_path / "cameras", {"gate": FILED, "gate2": Brief()}), ring)


def shown(jpeg: bytes) -> float:
    """The mean grey of a picture."""
    with av.open(io.BytesIO(jpeg), "r") as container:
        return float(next(container.decode(video=0)).to_ndarray(format="gray").mean())


def test_what_is_said_is_told_from_then_on(places: Places) -> None:
    """To the one camera, until it is taken back."""
    assert places.told("gate") == FILED
    out = places.set_brief("gate", BriefIn(notes="New."))
    assert (out.notes, out.origin) == ("New.", "page")
    assert places.brief("gate") == out
    assert (places.told("gate"), places.told("gate2")) == (Brief("New."), Brief())
    back = places.drop_brief("gate")
    assert (back.notes, back.origin) == ("From the file.", "file")
    assert places.told("gate") == FILED


def test_the_newest_picture_is_shown(places: Places, ring: Ring) -> None:
    """Of exactly this camera."""
    for number, grey in enumerate((60, 100, 140)):
        record(ring, 2.0 * number, video(grey))
    record(ring, 10.0, video(220), "gate2")
    shot = places.snapshot("gate")
    assert abs(shown(shot.jpeg) - 140) < 8
    assert START + dt.timedelta(seconds=4) <= shot.at < START + dt.timedelta(seconds=6)


@pytest.mark.parametrize(("at_s", "grey"), [(0.0, 60), (1.999, 60), (2.0, 100), (5.9, 140)])
def test_the_picture_of_an_instant_is_shown(places: Places, ring: Ring, at_s: float, grey: int) -> None:
    """From the segment that covers it; an end is not in it."""
    for number, grey_then in enumerate((60, 100, 140)):
        record(ring, 2.0 * number, video(grey_then))
    assert abs(shown(places.snapshot("gate", START + dt.timedelta(seconds=at_s)).jpeg) - grey) < 8


@pytest.mark.parametrize(
    "at",
    [
        START - dt.timedelta(seconds=1),
        START + dt.timedelta(seconds=3),
        START + dt.timedelta(seconds=6),
        dt.datetime.max.replace(tzinfo=dt.UTC),
        dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=14))),
    ],
)
def test_an_instant_that_was_not_recorded_has_no_picture(places: Places, ring: Ring, at: dt.datetime) -> None:
    """Before, after, in a hole, and at the ends of time."""
    for start_s in (0.0, 4.0):
        record(ring, start_s, video(60))
    with pytest.raises(NotFound, match="nothing is recorded of that instant"):
        places.snapshot("gate", at)


def test_a_camera_that_recorded_nothing_has_no_picture(places: Places) -> None:
    """Yet."""
    with pytest.raises(NotFound, match="camera 'gate': nothing is recorded yet"):
        places.snapshot("gate")


def test_a_picture_that_cannot_be_decoded_gives_way_to_the_one_before(places: Places, ring: Ring) -> None:
    """A file may have been damaged, or let go of at this moment."""
    record(ring, 0.0, video(60))
    record(ring, 2.0, b"no video")
    record(ring, 4.0, video(140)).unlink()
    assert abs(shown(places.snapshot("gate").jpeg) - 60) < 8


def test_a_recording_that_cannot_be_decoded_says_so(places: Places, ring: Ring) -> None:
    """It is not the same as none."""
    for start_s in range(0, 10, 2):
        record(ring, start_s, b"no video")
    for at in (None, START):
        with pytest.raises(NotFound, match="no picture of the recording can be decoded"):
            places.snapshot("gate", at)


def test_an_unknown_camera_is_not_found(places: Places, ring: Ring) -> None:
    """Also one that was recorded once and is watched no more."""
    record(ring, 0.0, video(60), "attic")
    for ask in (places.told, places.brief, places.drop_brief, places.snapshot):
        with pytest.raises(NotFound, match="attic"):
            ask("attic")
    with pytest.raises(NotFound, match="attic"):
        places.set_brief("attic", BriefIn())
