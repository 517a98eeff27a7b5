"""Cameras on the wire: those that are captured with all their numbers, those that are not with what to mend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from extension.pipeline.live import showing
from extension.sources.camera.camera import Camera, Refusal, admit
from extension.sources.camera.ledger import Account
from extension.sources.camera.reports import CameraStatus, Picture, State
from extension.sources.camera.segments import Stamp
from extension.sources.camera.timing import ClockReading
from extension.sources.camera.trouble import MESSAGES, Code
from tests.pipeline.live.yard import NOW, Yard, open_yard

URL = "rtsp://admin:geheim@10.0.0.7:554/live?token=geheim"


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """One camera."""
    opened = open_yard(tmp_path)
    yield opened
    opened.store.close()


def _status() -> CameraStatus:
    return CameraStatus(
        camera="gate",
        address="rtsp://10.0.0.7:554",
        state=State.RECORDING,
        code=Code.STALLED,
        message=MESSAGES[Code.STALLED],
        last_frame_at=NOW,
        frames=30,
        bytes=4096,
        segments=3,
        reconnects=1,
        picture=Picture("h264", 1920, 1080, 25.0),
        clock=ClockReading(Stamp.ARRIVAL, -3600.0, 1.5, wrong=True),
        account=Account(NOW, 12.34567, {Code.STALLED: 1.23456}, 0.5, {Code.STALLED: 1}),
        recent_gaps=(),
    )


def test_a_camera_that_is_captured_is_shown_with_all_its_numbers(yard: Yard) -> None:
    """Those of its capture, and those of its windows."""
    lane = yard.lanes["gate"]
    lane.counts.update({"looked": 4, "Shed": 1})
    found = showing.captured(_status(), lane, waiting=2, notices=1)
    assert (found.name, found.job_id, found.begin_at) == ("gate", lane.job_id, NOW)
    assert (found.state, found.trouble) == ("recording", "Stalled")
    assert (found.captured_s, found.lost_s, found.pending_s) == (12.346, {"Stalled": 1.235}, 0.5)
    assert (found.windows, found.waiting, found.notices) == ({"looked": 4, "Shed": 1}, 2, 1)
    assert found.picture == "h264 1920x1080"


def test_a_clock_that_is_wrong_is_shown_as_wrong(yard: Yard) -> None:
    """With how far it is off; it is no incident, so this is where it is seen."""
    found = showing.captured(_status(), yard.lanes["gate"], 0, 0)
    assert (found.clock_wrong, found.clock_offset_s) == (True, -3600.0)
    right = replace(_status(), clock=ClockReading(Stamp.NTP, 0.02, None, wrong=False))
    assert not showing.captured(right, yard.lanes["gate"], 0, 0).clock_wrong


def test_a_clock_that_tells_nothing_is_not_wrong(yard: Yard) -> None:
    """Nothing is known of it, nor of a picture that never came."""
    found = showing.captured(replace(_status(), clock=None, picture=None), yard.lanes["gate"], 0, 0)
    assert (found.clock_wrong, found.clock_offset_s, found.picture) == (False, None, None)


@pytest.mark.parametrize(
    ("second", "code", "words"),
    [
        (Camera("gate", URL), Code.DUPLICATE_NAME, "another camera has this name"),
        (Camera("hall", URL.replace("rtsp", "http")), Code.BAD_URL, "must begin with rtsp://"),
    ],
)
def test_a_camera_that_cannot_be_captured_says_what_to_mend(
    yard: Yard, second: Camera, code: Code, words: str
) -> None:
    """And neither password nor path."""
    _, (refusal,) = admit([Camera("gate", "rtsp://10.0.0.8/"), second])
    found = showing.refused(second, refusal, yard.lanes["gate"])
    assert (found.name, found.state, found.trouble) == (second.name, "refused", code.value)
    assert words in found.message
    assert found.address.endswith("://10.0.0.7:554")
    assert "geheim" not in found.model_dump_json()
    assert (found.frames, found.windows, found.last_frame_at) == (0, {}, None)


def test_what_was_found_before_can_still_be_asked_for(yard: Yard) -> None:
    """A camera whose address was spoilt yesterday has a past."""
    refusal = Refusal("gate", Code.BAD_URL, "no")
    found = showing.refused(Camera("gate", ""), refusal, yard.lanes["gate"])
    assert found.job_id == yard.lanes["gate"].job_id
    assert found.begin_at == NOW
    assert isinstance(found.begin_at, dt.datetime)
