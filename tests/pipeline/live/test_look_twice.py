"""A live window that looks grave is looked at again before anybody is told; its record lies in the camera's time."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
import pytest

from extension.captions.second import Outcome
from extension.captions.second_record import read
from extension.chunks.via_client import ViaClient
from extension.clock import SystemClock
from extension.model import Beat, Check, Severity, Span
from extension.pipeline.live.lane import Lane, Spec, open_lane
from extension.pipeline.live.look import Look, Looking
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Footage, Stamp
from extension.store import Store
from tests.pipeline.twice import calm, saying, script, seconds
from tests.pipeline.via_double import ViaDouble

NOW = dt.datetime(2026, 5, 4, 10, 0, 0, tzinfo=dt.UTC)


class _Still(SystemClock):
    def now(self) -> dt.datetime:
        return NOW


@dataclass
class Post:
    """A camera with twenty recorded seconds, and how its windows are looked at."""

    double: ViaDouble
    store: Store
    ring: Ring
    looking: Looking
    lane: Lane

    def look(self) -> Look:
        """What looks at its windows."""
        via = ViaClient(self.double.url, timeout_s=20.0)
        return Look(via, self.ring, self.looking, _Still(), threading.Event())


@pytest.fixture(scope="module")
def two_seconds(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A segment's file: ten grey frames per second."""
    path = tmp_path_factory.mktemp("segment") / "segment.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture
def post(tmp_path: Path, two_seconds: bytes) -> Iterator[Post]:
    """A camera before which somebody falls 6 s into every window, on a second look half a second later."""
    with ViaDouble(script(lambda _s: saying(6.0, 8.0), lambda _q: saying(6.5, 8.5))) as double:
        store = Store.open(f"sqlite:///{tmp_path / 'test.db'}", _Still())
        ring = Ring(tmp_path / "ring", reserve_bytes=0)
        lane = open_lane(Spec("gate"), store, lambda _announcement, _job: [], _Still(), dt.UTC)
        for number in range(10):
            at = NOW + dt.timedelta(seconds=2 * number)
            footage = Footage("h264", 64, 48, 1, Stamp.ARRIVAL)
            ring.store("gate", at, at + dt.timedelta(seconds=2), footage, [two_seconds])
        looking = Looking(
            frames_per_window=40,
            max_tokens=512,
            patience_s=0.2,
            zero_copy=True,
            folder=tmp_path / "windows",
            kept_s=60.0,
        )
        yield Post(double, store, ring, looking, lane)
        store.close()


def test_a_fall_in_a_window_is_confirmed_in_the_cameras_own_time(post: Post) -> None:
    """The second look sees the same window, twice as dense; both answers lie where the window lies."""
    caption = post.look().at(post.lane, 2)
    assert caption.chunk.span == Span(10.0, 20.0)
    assert caption.verdict is not None
    (claim,) = caption.verdict.claims
    assert (claim.span, claim.check) == (Span(16.5, 18.5), Check.CONFIRMED)
    (query,) = seconds(post.double)
    assert query["media_info"] == {"type": "offset", "start_offset": 0, "end_offset": 10}
    assert query["num_frames_per_chunk"] == 80
    record = read(caption)
    assert record is not None
    assert record.first.claims[0].span == Span(16.0, 18.0)
    assert record.looks[0].look.span == Span(10.0, 20.0)
    assert post.double.files == {}, "the via-server keeps no window of ours"
    assert list(post.looking.folder.iterdir()) == []


def test_segments_that_reach_beyond_a_window_take_no_frames_from_it(post: Post) -> None:
    """Six segments of two seconds cover what begins in the middle of one: as many frames a second as ever."""
    post.lane.rhythm = replace(post.lane.rhythm, beats=(Beat(0, 1.0, 5.0),))
    caption = post.look().at(post.lane, 0)
    assert caption.chunk.span == Span(0.0, 12.0)
    assert post.double.queries[0]["num_frames_per_chunk"] == 48


def test_the_record_survives_the_store_and_the_judgement(post: Post) -> None:
    """What is told is what was confirmed; a restart reads the same."""
    caption = post.look().at(post.lane, 0)
    post.store.save_captions(post.lane.job_id, [caption])
    judgement = post.lane.judge.judge(caption)
    assert [(i.span, i.check) for i in judgement.incidents] == [(Span(6.5, 8.5), Check.CONFIRMED)]
    (again,) = post.store.captions(post.lane.job_id)
    assert again == caption
    assert read(again) == read(caption)


@pytest.mark.parametrize("where", ["camera", "all"])
def test_it_is_turned_off_for_one_camera_or_for_all(post: Post, where: str) -> None:
    """Then a claim stands as it comes."""
    if where == "camera":
        post.lane.second_look = False
    else:
        post.looking = replace(post.looking, second_look=False)
    caption = post.look().at(post.lane, 1)
    assert caption.verdict is not None
    assert [c.check for c in caption.verdict.claims] == [Check.ONCE]
    assert seconds(post.double) == []


def test_a_vlm_that_hangs_delays_the_alert_by_a_bounded_time(post: Post) -> None:
    """It goes out unverified."""
    hang = threading.Event()

    def late(_query: object) -> str:
        hang.wait(20.0)
        return calm(0)

    post.double.script = script(lambda _s: saying(6.0, 8.0), late)
    post.looking = replace(post.looking, second_look_s=0.2)
    clock = SystemClock()
    began_s = clock.monotonic_s()
    caption = post.look().at(post.lane, 0)
    took_s = clock.monotonic_s() - began_s
    hang.set()
    assert took_s < 10.0
    assert caption.verdict is not None
    assert [(c.severity, c.check) for c in caption.verdict.claims] == [(Severity.DANGER, Check.UNVERIFIED)]


def test_a_false_alarm_reaches_nobody(post: Post) -> None:
    """The window counts as looked at, its record says what was taken back."""
    post.double.script = script(lambda _s: saying(6.0, 8.0), calm)
    caption = post.look().at(post.lane, 0)
    assert caption.failure is None
    record = read(caption)
    assert record is not None
    assert record.outcome is Outcome.REJECTED
    assert post.lane.judge.judge(caption).incidents == ()
