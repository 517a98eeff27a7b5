"""Before a live camera's window is looked at its recording is measured; what is left out is recorded, and the VLM never hears of it."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import av
import pytest

from extension.errors import Unavailable
from extension.model import Caption, Claim, Failure, Kind, Severity, Span, Verdict
from extension.pipeline.judging import Judge, Judgement
from extension.pipeline.live.gate import GateMode
from extension.pipeline.live.gating import Gating
from extension.pipeline.live.lane import Lane, Spec
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Segment
from extension.sources.motion.meter import Meter
from extension.sources.motion.motion import Motion
from tests.pipeline.live.yard import NOW, Yard, open_yard
from tests.sources.motion.stage import Stage, faller, segment

STILL, MOVING = Motion(moving=False), Motion(moving=True, share=0.05, moving_s=2.0, drift=0.04)


class Told(Meter):
    """A meter that says what it is told to of the segment that begins at a second; it measures nothing."""

    def __init__(self, moving: Collection[int], unknown: Collection[int] = ()) -> None:
        super().__init__()
        self.moving, self.unknown = moving, unknown
        self.asked: list[int] = []

    def motion(self, one: Segment) -> Motion | None:
        """As it was told."""
        start_s = round((one.start_at - NOW).total_seconds())
        self.asked.append(start_s)
        return None if start_s in self.unknown else MOVING if start_s in self.moving else STILL


class Site:
    """A camera with windows of ten seconds every five, its gate, and a VLM that is asked."""

    def __init__(self, folder: Path, yard: Yard, meter: Meter, **how: Any) -> None:
        self.yard, self.lane = yard, yard.lanes["gate"]
        self.ring = Ring(folder / "ring", reserve_bytes=0)
        self.spec = Spec("gate", **how)
        self.gating = Gating([self.spec], self.ring, meter, lambda job: bool(yard.store.open_incidents(job)))
        self.asked: list[int] = []
        self.answer: Callable[[Lane, int], Caption] = safe

    def record(self, *seconds: int) -> None:
        """Segments of two seconds that begin then are recorded."""
        for start_s in seconds:
            made = segment("gate", Path(f"{start_s}.mp4"), 0.0)
            start_at = NOW + dt.timedelta(seconds=start_s)
            self.ring.index.add(
                Segment("gate", start_at, start_at + dt.timedelta(seconds=2), made.path, 1, made.footage)
            )

    def ask(self, lane: Lane, number: int) -> Caption:
        """Have the VLM look."""
        self.asked.append(number)
        return self.answer(lane, number)

    def look(self, *numbers: int) -> list[Caption]:
        """What windows come to."""
        return [self.gating.look(self.lane, number, self.ask) for number in numbers]


def safe(lane: Lane, number: int) -> Caption:
    """Nothing happens."""
    return Caption(lane.chunk(number), "{}", Verdict(Severity.SAFE, (), ""), None, {"tokens": 7})


def away(lane: Lane, number: int) -> Caption:
    """No VLM."""
    return Caption(lane.chunk(number), "", None, Failure("Unreachable", "no VLM"))


def a_fall(lane: Lane, number: int) -> Caption:
    """Somebody falls at the end of the window."""
    span = lane.chunk(number).span
    claim = Claim(Kind.FALL, Span(span.end_s - 2, span.end_s - 1), Severity.DANGER, ("person",))
    return Caption(lane.chunk(number), "{}", Verdict(Severity.DANGER, (claim,), ""), None)


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """One camera."""
    opened = open_yard(tmp_path)
    yield opened
    opened.store.close()


def site(tmp_path: Path, yard: Yard, moving: Collection[int] = (), **how: Any) -> Site:
    """Forty seconds recorded, motion in the segments that begin at these."""
    made = Site(tmp_path, yard, Told(set(moving)), **{"gate": GateMode.ON, **how})
    made.record(*range(0, 40, 2))
    return made


def _judged(caption: Caption, judge: Judge) -> Judgement:
    return judge.judge(caption)


def decisions(captions: list[Caption]) -> list[tuple[str, str]]:
    """What was decided, and why."""
    return [(c.stats["gate"]["decision"], c.stats["gate"]["reason"]) for c in captions]


def test_still_windows_are_recorded_and_not_asked(tmp_path: Path, yard: Yard) -> None:
    """The first is looked at; then what moves, and one still window after it."""
    here = site(tmp_path, yard, {16})
    found = here.look(*range(7))
    assert here.asked == [0, 2, 3, 4]
    assert decisions(found) == [
        ("look", "start"), ("gated", "still"), ("look", "motion"), ("look", "motion"),
        ("look", "settling"), ("gated", "still"), ("gated", "still"),
    ]  # fmt: skip
    assert [caption.asked for caption in found] == [True, False, True, True, True, False, False]
    assert found[1].chunk == here.lane.chunk(1)
    assert found[1].failure is None


def test_the_record_says_what_moved(tmp_path: Path, yard: Yard) -> None:
    """With what the override reported beside the answer, and also where there is none."""
    here = site(tmp_path, yard, {16})
    calm, moved = here.look(0, 2)
    assert calm.stats["motion"]["moving"] is False
    assert moved.stats["motion"] == {
        "moving": True, "share": 0.05, "moving_s": 2.0, "drift": 0.04, "frozen": False,
    }  # fmt: skip
    assert moved.stats["tokens"] == 7
    here.answer = away
    (failed,) = here.look(3)
    assert failed.failure is not None
    assert failed.stats["motion"]["moving"] is True
    assert failed.stats["gate"] == {"mode": "on", "decision": "look", "reason": "motion"}


def test_in_the_shadow_everything_is_asked(tmp_path: Path, yard: Yard) -> None:
    """The record says what would have been left out: the same windows as with the gate on."""
    shadow, on = site(tmp_path, yard, {16}, gate=GateMode.SHADOW), site(tmp_path / "on", yard, {16})
    found = shadow.look(*range(7))
    assert shadow.asked == list(range(7))
    assert all(caption.asked for caption in found)
    assert decisions(found) == decisions(on.look(*range(7)))
    assert {caption.stats["gate"]["mode"] for caption in found} == {"shadow"}


def test_without_a_gate_nothing_is_measured(tmp_path: Path, yard: Yard) -> None:
    """Unless notices want to know what moved."""
    off = site(tmp_path, yard, gate=GateMode.OFF)
    (caption,) = off.look(0)
    assert caption.stats == {"tokens": 7}
    assert not off.gating.measures
    assert isinstance(off.gating._meter, Told)
    assert off.gating._meter.asked == []


def test_notices_know_what_moved_without_a_gate(tmp_path: Path, yard: Yard) -> None:
    """Every window is asked about, and says what moved; nothing is said of a gate."""
    here = site(tmp_path, yard, {16}, gate=GateMode.OFF, motion_notices=True)
    found = here.look(0, 1, 2)
    assert here.gating.measures
    assert here.asked == [0, 1, 2]
    assert [caption.stats["motion"]["moving"] for caption in found] == [False, False, True]
    assert not any("gate" in caption.stats for caption in found)


def test_while_an_incident_is_open_nothing_is_left_out(tmp_path: Path, yard: Yard) -> None:
    """And a window that was left out ends none: the incident is over when a look says so."""
    here = site(tmp_path, yard)
    here.answer = a_fall
    phases: list[str] = []
    for number in range(5):
        (caption,) = here.look(number)
        yard.store.save_captions(here.lane.job_id, [caption])
        yard.register.enter(here.lane, partial(_judged, caption))
        here.answer = safe
        (incident,) = yard.incidents()
        phases.append(f"{caption.stats['gate']['decision']}: {incident.phase.value}")
    assert phases == ["look: open", "look: open", "look: resolved", "gated: resolved", "gated: resolved"]
    assert here.asked == [0, 1, 2]
    assert yard.told() == ["opened", "resolved"]


def test_windows_that_are_not_recorded_are_left_to_the_look(tmp_path: Path, yard: Yard) -> None:
    """It says so; and the next window comes after a hole."""
    here = Site(tmp_path, yard, Told(set()), gate=GateMode.ON)
    here.record(0, 2, 4, 6, 8, 30, 32, 34, 36, 38)
    here.look(0, 3)
    assert here.asked == [0, 3]
    assert decisions(here.look(6)) == [("look", "hole")]


def test_what_cannot_be_measured_is_looked_at(tmp_path: Path, yard: Yard) -> None:
    """The gate fails open."""
    here = Site(tmp_path, yard, Told(set(), unknown={12}), gate=GateMode.ON)
    here.record(*range(0, 40, 2))
    assert decisions(here.look(0, 1, 2, 3, 4)) == [
        ("look", "start"), ("look", "unmeasured"), ("look", "unmeasured"), ("look", "settling"), ("gated", "still"),
    ]  # fmt: skip


def test_a_window_that_comes_again_is_decided_as_before(tmp_path: Path, yard: Yard) -> None:
    """Its answer could not be stored: a window that was looked at must not be left out the second time."""
    here = site(tmp_path, yard)
    assert decisions(here.look(0, 0, 1, 1, 2)) == [
        ("look", "start"), ("look", "start"), ("gated", "still"), ("gated", "still"), ("gated", "still"),
    ]  # fmt: skip


def test_a_store_that_is_away_is_told(tmp_path: Path, yard: Yard) -> None:
    """Whether an incident is open cannot be known then; the window comes again."""
    here = site(tmp_path, yard)

    def unknown(_job: str) -> bool:
        raise Unavailable("away")

    here.gating._is_open = unknown
    with pytest.raises(Unavailable):
        here.look(0)
    assert here.asked == []


def test_segments_are_measured_as_they_come(tmp_path: Path, yard: Yard) -> None:
    """By a thread of its own, so that a window finds them measured."""
    here = site(tmp_path, yard)
    meter, stop = here.gating._meter, threading.Event()
    assert isinstance(meter, Told)
    thread = threading.Thread(target=here.gating.run, args=(stop,))
    thread.start()
    for one in here.ring.index.segments("gate"):
        here.gating.heard(one)
    until_s = time.monotonic() + 20
    while len(meter.asked) < 20:
        assert time.monotonic() < until_s, "it did not measure them"
        time.sleep(0.01)
    stop.set()
    thread.join(20)
    assert meter.asked == list(range(0, 40, 2))


def test_segments_that_wait_are_bounded(tmp_path: Path, yard: Yard) -> None:
    """What nobody measures ahead is measured when its window is due; recording never waits."""
    here = site(tmp_path, yard)
    for _ in range(30):
        for one in here.ring.index.segments("gate"):
            here.gating.heard(one)
    assert here.gating._waiting.full()


def test_a_fall_in_a_still_place_is_asked_about(tmp_path: Path, yard: Yard) -> None:
    """With real recordings: windows of four seconds, nothing, a fall, and the body on the ground."""
    lane = yard.lanes["gate"]
    here = Site(tmp_path, yard, Meter(), gate=GateMode.ON)
    for one in Stage((faller(23.4),)).segments(tmp_path, 46):
        here.ring.index.add(one)
    found = here.look(*range(8))
    assert lane.rhythm.epoch_at == NOW
    assert [reason for _, reason in decisions(found)] == [
        "start", "still", "still", "motion", "motion", "settling", "still", "still",
    ]  # fmt: skip


@pytest.mark.footage
def test_a_real_fall_after_minutes_of_stillness_is_asked_about(tmp_path: Path, yard: Yard) -> None:
    """A camera with a burnt-in clock: somebody lies still for two minutes, then the recording of a fall, then stillness again."""
    source = Path(__file__).resolve().parents[4] / "shared/footage/assist_fall_05_vertical_fall_faint.mp4"
    if not source.is_file():
        pytest.skip("the recordings are not beside the project")
    pieces = _cut(source, tmp_path)
    here = Site(tmp_path, yard, Meter(), gate=GateMode.ON)
    for number, piece in enumerate([*pieces[4:7] * 20, *pieces[:7], *pieces[4:7] * 5]):
        path = tmp_path / f"again-{number}.mp4"
        path.hardlink_to(piece)
        here.ring.index.add(segment("gate", path, 2.0 * number))
    found = here.look(*range(28))
    fall_s = 60 * 2 + 2.35
    for number, caption in enumerate(found):
        span = here.lane.chunk(number).span
        if span.start_s < fall_s + 4 and span.end_s > fall_s:
            assert caption.asked
    assert sum(not caption.asked for caption in found if caption.chunk.span.start_s >= 90) >= 3
    assert not found[-1].asked


def _cut(source: Path, folder: Path) -> list[Path]:
    """The recording in pieces of two seconds that begin with key frames, as cameras are recorded."""
    made: list[Path] = []
    with av.open(str(source)) as recording, ExitStack() as stack:
        video = recording.streams.video[0]
        for packet in recording.demux(video):
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            if packet.is_keyframe and packet.pts * packet.time_base >= 1.95 * len(made):
                stack.close()
                made.append(folder / f"piece-{len(made)}.mp4")
                piece = stack.enter_context(av.open(str(made[-1]), "w"))
                stream, begin = piece.add_stream_from_template(video), packet.dts
            packet.dts, packet.pts, packet.stream = packet.dts - begin, packet.pts - begin, stream
            piece.mux(packet)
    return made
