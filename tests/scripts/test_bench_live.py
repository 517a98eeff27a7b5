"""What the benchmarks of live cameras measure with: accidents held against incidents, accounts, growth, faults, and clocks read from clips."""

from __future__ import annotations

import datetime as dt
import importlib
import io
import itertools
import json
import threading
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from hypothesis import given
from hypothesis import strategies as st

from extension.clock import SystemClock
from extension.sources.camera.segments import Footage, Segment, Stamp
from extension.sources.rtsp.accidents import Plan
from extension.sources.rtsp.scenes import Stage, StagedScene

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
AT = dt.datetime(2026, 5, 4, 10, 0, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts find one another; they are no package."""
    monkeypatch.syspath_prepend(str(SCRIPTS))


@pytest.fixture
def score() -> ModuleType:
    """Holds incidents against accidents."""
    return importlib.import_module("bench_live_score")


@pytest.fixture
def record() -> ModuleType:
    """Watches from outside."""
    return importlib.import_module("bench_live_record")


@pytest.fixture
def simulator() -> ModuleType:
    """Cameras and their faults."""
    return importlib.import_module("bench_live_simulator")


def after(seconds: float) -> dt.datetime:
    """So long after ten o'clock."""
    return AT + dt.timedelta(seconds=seconds)


def segment(record: ModuleType, start_s: float, end_s: float, width: int = 320) -> Any:
    """A stored segment of cam0."""
    footage = Footage("h264", width, 180, 2, Stamp.NTP)
    return record.Stored(Segment("cam0", after(start_s), after(end_s), Path("x"), 10, footage), after(end_s))


def planned(simulator: ModuleType, onset_s: float, kind: str = "fall", camera: str = "cam0") -> Any:
    """An accident of 12 s."""
    return simulator.Planned(camera, 0, kind, after(onset_s), after(onset_s + 12))


def alarm(score: ModuleType, name: str, start_s: float, kind: str = "fall", camera: str = "cam0") -> Any:
    """An incident."""
    return score.Alarm(
        name, camera, kind, after(start_s), "resolved", {"start_at": after(start_s).isoformat()}
    )


@pytest.fixture
def whole(record: ModuleType) -> list[Any]:
    """A hundred seconds of cam0 in one piece."""
    return [segment(record, s, s + 2) for s in range(0, 100, 2)]


def test_an_accident_that_raised_one_incident(
    score: ModuleType, simulator: ModuleType, whole: list[Any]
) -> None:
    """Of its kind, about its time, on its camera."""
    found = score.scored([planned(simulator, 40)], [alarm(score, "a", 40.4)], whole, AT)
    figures = found.figures()
    assert (figures["accidents_captured"], figures["raised_once"], figures["missed"]) == (1, 1, 0)
    assert (figures["duplicates"], figures["false_alarms"]) == (0, 0)


@pytest.mark.parametrize(
    ("alarms", "wrong"),
    [
        pytest.param([], {"missed": 1}, id="nothing-was-told"),
        pytest.param(
            [("a", 40, "fall"), ("b", 45, "fall")], {"duplicates": 1, "raised_once": 0}, id="told-twice"
        ),
        pytest.param(
            [("a", 40, "fall"), ("b", 90, "fall")], {"false_alarms": 1}, id="another-one-about-nothing"
        ),
        pytest.param([("a", 40, "fire")], {"missed": 1, "false_alarms": 1}, id="of-the-wrong-kind"),
        pytest.param([("a", 20, "fall")], {"missed": 1, "false_alarms": 1}, id="long-before"),
        pytest.param([("a", 60, "fall")], {"missed": 1, "false_alarms": 1}, id="long-after"),
    ],
)
def test_what_is_wrong_is_counted(
    score: ModuleType,
    simulator: ModuleType,
    whole: list[Any],
    alarms: list[tuple[str, float, str]],
    wrong: dict[str, int],
) -> None:
    """Misses, duplicates and false alarms, each by its own name."""
    found = score.scored(
        [planned(simulator, 40)], [alarm(score, name, s, kind) for name, s, kind in alarms], whole, AT
    )
    figures = found.figures()
    assert {name: figures[name] for name in wrong} == wrong


def test_another_cameras_incident_is_none_of_this_one(
    score: ModuleType, simulator: ModuleType, whole: list[Any]
) -> None:
    """Names decide."""
    found = score.scored([planned(simulator, 40)], [alarm(score, "a", 40, camera="cam1")], whole, AT)
    assert (found.figures()["missed"], found.figures()["false_alarms"]) == (1, 1)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([(0, 39), (41, 100)], id="a-hole-at-the-onset"),
        pytest.param([(0, 43), (50, 100)], id="a-hole-soon-after"),
        pytest.param([(0, 30)], id="nothing-recorded"),
    ],
)
def test_accidents_that_a_fault_cut_are_told_apart(
    score: ModuleType, simulator: ModuleType, record: ModuleType, pieces: list[tuple[float, float]]
) -> None:
    """They are no miss, and they are counted."""
    stored = [segment(record, start_s, end_s) for start_s, end_s in pieces]
    figures = score.scored([planned(simulator, 40)], [], stored, AT).figures()
    assert (figures["accidents_cut_by_a_fault"], figures["missed"], figures["of_these_raised"]) == (1, 0, 0)


def test_a_change_of_picture_size_cuts_too(score: ModuleType, record: ModuleType) -> None:
    """A window cannot show both."""
    stored = [segment(record, 0, 2), segment(record, 2, 4), segment(record, 4, 6, width=160)]
    assert score.pieces(stored) == [(after(0), after(4)), (after(4), after(6))]


def test_what_came_before_the_beginning_does_not_count(
    score: ModuleType, simulator: ModuleType, whole: list[Any]
) -> None:
    """Neither the accident nor its late incident."""
    found = score.scored([planned(simulator, 40)], [alarm(score, "a", 41)], whole, after(41))
    assert found.figures()["accidents"] == found.figures()["false_alarms"] == 0


def test_blind_cameras_are_parted_from_what_was_seen(score: ModuleType) -> None:
    """A camera that shows nothing is no false alarm."""
    seen = {"id": "a", "camera": "cam0", "kind": "fall", "phase": "open", "basis": "vlm"}
    pages = [
        {**seen, "start_at": AT.isoformat()},
        {**seen, "id": "b", "basis": "capture", "start_at": AT.isoformat()},
    ]
    alarms, blind = score.alarms_of(pages)
    assert [one.id for one in alarms] == ["a"]
    assert [page["id"] for page in blind] == ["b"]


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.floats(0, 1))
def test_percentiles_lie_among_the_values(values: list[float], share: float) -> None:
    """The lowest at 0, the highest at 1."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        percentile = importlib.import_module("bench_live_score").percentile
    assert min(values) - 1e-9 <= percentile(values, share) <= max(values) + 1e-9
    assert percentile(values, 0) == min(values)
    assert percentile(values, 1) == max(values)
    assert percentile([], 0.5) == 0.0


def sample(record: ModuleType, at_s: float, cpu_s: float, rss: float) -> Any:
    """What one process took at a moment."""
    return record.Sample(at_s, {"service": record.Use(cpu_s, int(rss), 10, 5)}, int(rss), 0)


def test_growth_is_told_from_a_steady_state(record: ModuleType) -> None:
    """Warming up does not count; a leak does, a plateau does not."""
    leaking = [sample(record, s, 0, 100 + s) for s in range(100)]
    flat = [sample(record, s, 0, min(50 + 10 * s, 150)) for s in range(100)]
    rss = record.together(["service"], lambda use: use.rss_bytes)
    assert record.growth(leaking, rss) > 0.15
    assert record.growth(flat, rss) == 0.0
    assert record.growth([], rss) == 0.0


def test_cpu_is_told_in_cores_and_by_halves(record: ModuleType) -> None:
    """A process that works twice as hard in the second half grows by one."""
    samples = [sample(record, s, 0.5 * s if s <= 65 else 0.5 * 65 + 1.0 * (s - 65), 1) for s in range(101)]
    assert record.cpu_shares(samples)["service"] == pytest.approx(0.675)
    assert record.cpu_growth(samples, ["service"]) == pytest.approx(1.0, abs=0.05)
    assert record.cpu_growth(samples[:2], ["service"]) == 0.0


def standing(record: ModuleType, at_s: float, captured_s: float, lost_s: float, pending_s: float) -> Any:
    """An account at a moment."""
    return record.Standing(after(at_s), captured_s, {"Stalled": lost_s}, pending_s)


def test_seconds_that_an_account_forgets_are_found(record: ModuleType) -> None:
    """Captured, lost and pending together grow as fast as time passes."""
    good = [standing(record, 0, 5, 1, 1), standing(record, 10, 12, 3, 2), standing(record, 20, 24, 3, 0)]
    assert record.account_error_s(good) == 0.0
    assert record.account_error_s([*good, standing(record, 30, 30, 3, 0)]) == pytest.approx(4.0)
    assert record.account_error_s([]) == 0.0


def test_seconds_that_are_in_no_file_are_found(record: ModuleType) -> None:
    """What an account calls captured is on disk."""
    looks = [standing(record, 0, 0, 0, 0), standing(record, 10, 10, 0, 0)]
    assert record.recorded_error_s(looks, [segment(record, s, s + 2) for s in range(0, 10, 2)]) == 0.0
    assert record.recorded_error_s(looks, [segment(record, 0, 2)]) == 8.0
    written = [segment(record, s, s + 2) for s in range(0, 14, 2)]
    assert record.recorded_error_s(looks, written) == 0.0, (
        "what was written just after the look is not counted against it"
    )
    assert record.recorded_error_s(looks, [*written, *(segment(record, s, s + 2) for s in (3, 5))]) == 2.0
    assert record.recorded_error_s(looks[:1], []) == 0.0


@given(st.integers(0, 1000), st.integers(1, 4), st.floats(100, 900))
def test_faults_are_over_before_the_end_and_one_at_a_time(seed: int, cameras: int, seconds: float) -> None:
    """Each camera is mended before its next fault, and none outlasts the run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        faults_for = importlib.import_module("bench_live_simulator").faults_for
    names = [f"cam{n}" for n in range(cameras)]
    planned_faults = faults_for(names, seconds, 60, seed)
    assert [fault.at_s for fault in planned_faults] == sorted(fault.at_s for fault in planned_faults)
    for name in names:
        mine = [fault for fault in planned_faults if fault.camera == name]
        for one, other in itertools.pairwise(mine):
            assert one.at_s + one.lasts_s < other.at_s
        assert all(fault.at_s + fault.lasts_s <= seconds + 0.01 for fault in mine)
    assert planned_faults == faults_for(names, seconds, 60, seed)


def test_all_kinds_of_faults_come(simulator: ModuleType) -> None:
    """Over ten minutes each camera has each of them."""
    planned_faults = simulator.faults_for(["cam0"], 900, 60, 1)
    assert {fault.fault for fault in planned_faults} == set(simulator.FAULTS)


def test_faults_are_injected_and_mended_in_order(simulator: ModuleType) -> None:
    """As planned, each at its time; stopping ends it at once."""
    calls: list[tuple[str, ...]] = []
    cameras = SimpleNamespace(
        fault=lambda name, faults: calls.append(("fault", name, *faults)),
        mend=lambda name: calls.append(("mend", name)),
        cut=lambda name, reset: calls.append(("cut", name, str(reset))),
    )
    plan = [
        simulator.Injected("cam0", 0.0, "away", 0.05),
        simulator.Injected("cam1", 0.02, "drop"),
        simulator.Injected("cam2", 0.07, "clock", 0.01),
    ]
    simulator.inject(cameras, plan, SystemClock(), threading.Event())
    assert calls == [
        ("fault", "cam0", "refuse"),
        ("cut", "cam0", "True"),
        ("cut", "cam1", "False"),
        ("mend", "cam0"),
        ("fault", "cam2", "clock_s"),
        ("mend", "cam2"),
    ]
    stop = threading.Event()
    stop.set()
    simulator.inject(cameras, [simulator.Injected("cam0", 60.0, "drop")], SystemClock(), stop)
    assert len(calls) == 6


def test_the_truth_is_read_back(simulator: ModuleType, tmp_path: Path) -> None:
    """The line with the end takes the place of the one without."""
    line = {"camera": "cam1", "number": 0, "kind": "fire", "onset_at": after(3).isoformat(), "end_at": None}
    lines = [
        line,
        {**line, "camera": "cam0"},
        {**line, "end_at": after(9).isoformat()},
    ]
    path = tmp_path / "truth.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    found = simulator.read_truth(path)
    assert [(one.camera, one.end_at) for one in found] == [("cam0", None), ("cam1", after(9))]


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = after(0.35)

    def now(self) -> dt.datetime:
        """Where it was put."""
        return self.at

    def monotonic_s(self) -> float:
        """The same in seconds."""
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.at += dt.timedelta(seconds=seconds)


@pytest.mark.parametrize("size", [(320, 180), (160, 90), (640, 360)])
def test_the_clock_of_a_clip_is_read_from_its_pictures(size: tuple[int, int]) -> None:
    """To a tenth of a second after lossy coding, from both ends; other clocks fit nowhere."""
    clip = importlib.import_module("bench_live_clip")
    clock, fps = Hands(), 4
    scene = iter(StagedScene("cam7", size, fps, clock, Stage(Plan(), "cam7", 16 / 9, AT, lambda _: None)))
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "26", "preset": "ultrafast"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, fps)
        for _ in range(fps * 8):
            container.mux(stream.encode(VideoFrame.from_ndarray(next(scene), format="rgb24")))
            clock.sleep(1 / fps)
        container.mux(stream.encode())
    ends = clip.ends_of(file.getvalue())
    assert ends is not None
    found = [clip.read_clock(picture, "cam7", after(5)) for picture in (ends.first, ends.last)]
    assert found == [after(0.6), after(8.3)]
    assert ends.apart == dt.timedelta(seconds=7.75)
    assert clip.read_clock(np.zeros((size[1], size[0], 3), np.uint8), "cam7", AT) is None
