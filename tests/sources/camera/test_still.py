"""One picture out of a recorded segment: a key frame, at the instant or before it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
import pytest

from extension.errors import BadSource
from extension.sources.camera.segments import Footage, Segment, Stamp
from extension.sources.camera.still import still

START = dt.datetime(2026, 5, 4, 10, tzinfo=dt.UTC)


def after(seconds: float) -> dt.datetime:
    """So many seconds after the segment's start."""
    return START + dt.timedelta(seconds=seconds)


def segment(
    folder: Path,
    *,
    seconds: int = 2,
    size: tuple[int, int] = (64, 48),
    codec: Literal["libx264", "libx265"] = "libx264",
) -> Segment:
    """Ten frames per second that grow brighter, a key frame at every whole second."""
    path = folder / "segment.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options={"bf": "2", "g": "10", "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(10 * seconds):
            picture = np.full((size[1], size[0], 3), 40 + 5 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    footage = Footage("h264", *size, seconds, Stamp.ARRIVAL)
    return Segment("gate", START, after(seconds), path, path.stat().st_size, footage)


def pixels(jpeg: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A JPEG file's picture."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture.astype(np.uint8)


@pytest.mark.parametrize(
    ("at_s", "shown_s", "grey"),
    [
        pytest.param(None, 2.0, 140, id="the-newest"),
        pytest.param(0.0, 0.0, 40, id="the-first"),
        pytest.param(0.95, 0.0, 40, id="before-the-second"),
        pytest.param(1.0, 1.0, 90, id="at-the-second"),
        pytest.param(1.5, 1.0, 90, id="after-the-second"),
        pytest.param(99.0, 2.0, 140, id="past-the-end"),
        pytest.param(-3.0, 0.0, 40, id="before-the-start"),
    ],
)
def test_the_picture_is_the_last_key_frame_until_then(
    tmp_path: Path, at_s: float | None, shown_s: float, grey: int
) -> None:
    """With the instant that it shows, which is not the one that was asked for."""
    shot = still(segment(tmp_path, seconds=3), None if at_s is None else after(at_s))
    assert abs((shot.at - after(shown_s)).total_seconds()) < 0.05
    assert abs(float(pixels(shot.jpeg).mean()) - grey) < 8


def test_a_picture_has_the_size_of_the_stream(tmp_path: Path) -> None:
    """Where that is a usual one."""
    assert pixels(still(segment(tmp_path)).jpeg).shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("size", "shown"), [((2560, 1440), (720, 1280)), ((1080, 1920), (1280, 720)), ((1280, 720), (720, 1280))]
)
def test_a_large_picture_is_made_smaller(
    tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    """Its shape stays, so that shares of width and height mean the same."""
    shot = still(segment(tmp_path, seconds=1, size=size))
    assert pixels(shot.jpeg).shape[:2] == shown
    assert len(shot.jpeg) < 400_000


def test_h265_is_shown_too(tmp_path: Path) -> None:
    """Many cameras send it."""
    shot = still(segment(tmp_path, seconds=1, codec="libx265"))
    assert abs(float(pixels(shot.jpeg).mean()) - 40) < 8


@pytest.mark.parametrize("content", [None, b"", b"no video at all", b"\x00" * 4096])
def test_what_cannot_be_read_is_refused_without_its_path(tmp_path: Path, content: bytes | None) -> None:
    """The ring may have let go of it meanwhile."""
    broken = segment(tmp_path)
    broken.path.unlink()
    if content is not None:
        broken.path.write_bytes(content)
    with pytest.raises(BadSource, match="gate: ") as caught:
        still(broken)
    assert str(tmp_path) not in str(caught.value)


def test_a_file_cut_short_is_refused_or_shows_what_is_left(tmp_path: Path) -> None:
    """Never a picture of nothing."""
    whole = segment(tmp_path, seconds=3)
    whole.path.write_bytes(whole.path.read_bytes()[:-200])
    try:
        shot = still(whole)
    except BadSource:
        return
    assert float(pixels(shot.jpeg).mean()) > 30
