"""The benchmarks soak, latency and outage, each on the whole product for a few seconds; and the VLM two of them use."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import requests

from extension.clock import SystemClock
from vlm_server.reference.media import Clip

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
AT = dt.datetime(2026, 5, 4, 10, 0, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts find one another; they are no package."""
    monkeypatch.syspath_prepend(str(SCRIPTS))


@pytest.fixture
def soak() -> ModuleType:
    """The benchmark of endurance."""
    return importlib.import_module("bench_soak")


@pytest.fixture
def latency() -> ModuleType:
    """The benchmark of delays."""
    return importlib.import_module("bench_latency")


@pytest.fixture
def outage() -> ModuleType:
    """The benchmark of a VLM that is away."""
    return importlib.import_module("bench_outage")


@pytest.fixture
def scripted() -> ModuleType:
    """The VLM that sees fire by its colour."""
    return importlib.import_module("bench_live_vlm")


def page_of(path: Path) -> dict[str, Any]:
    """A report."""
    page = json.loads(path.read_text("utf-8"))
    assert isinstance(page, dict)
    return page


def frame(*, fire: bool) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A grey picture, BGR, with a flame where wanted."""
    picture = np.full((90, 160, 3), 110, np.uint8)
    if fire:
        picture[40:50, 60:66] = (30, 160, 240)
    return picture


def test_fire_is_told_by_its_colour(scripted: ModuleType) -> None:
    """Grey is none, and a few pixels are noise."""
    assert scripted.burns(frame(fire=True))
    assert not scripted.burns(frame(fire=False))
    speck = frame(fire=False)
    speck[0, :3] = (30, 160, 240)
    assert not scripted.burns(speck)


def test_each_fire_is_an_event_of_its_own(scripted: ModuleType) -> None:
    """From its first picture to its last; a gap of seconds parts two."""
    frames = [frame(fire=number in {2, 3, 9}) for number in range(11)]
    clip = Clip(frames, [0.5 * number for number in range(11)], 0)  # type: ignore[arg-type]  # a list is frames enough
    seen = scripted.verdict(clip)
    assert seen.status == "danger"
    assert [(event.start_s, event.end_s) for event in seen.events] == [(1.0, 1.5), (4.5, 4.5)]
    calm = scripted.verdict(Clip(frames[:2], [0.0, 0.5], 0))  # type: ignore[arg-type]  # as above
    assert (calm.status, calm.events) == ("safe", [])


def test_the_scripted_vlm_dies_and_comes_back_at_its_address(scripted: ModuleType, tmp_path: Path) -> None:
    """Nothing answers in between."""
    with scripted.vlm(scripted.SCRIPTED, tmp_path, SystemClock()) as vlm:
        endpoint = vlm.endpoint
        assert requests.get(f"{endpoint}/models", timeout=5).json()["data"][0]["id"] == scripted.MODEL
        vlm.kill()
        assert vlm.pid is None
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{endpoint}/models", timeout=5)
        vlm.start()
        assert vlm.endpoint == endpoint
        assert requests.get(f"{endpoint}/models", timeout=5).ok
    assert vlm.pid is None


def good() -> dict[str, Any]:
    """Figures of a soak that keeps the bar."""
    return {
        "account_error_s": 0.1,
        "recorded_error_s": 0.0,
        "missed": 0,
        "duplicates": 0,
        "clips_without_onset": 0,
        "memory_growth": 0.01,
        "disk_growth": -0.2,
        "files_growth": 0.0,
        "threads_growth": 0.0,
        "cpu_growth": 0.02,
        "work_that_broke": 0,
        "accidents_captured": 3,
    }


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"account_error_s": 0.6}, False),
        ({"missed": 1}, False),
        ({"duplicates": 1}, False),
        ({"clips_without_onset": 1}, False),
        ({"memory_growth": 0.06}, False),
        ({"accidents_captured": 0}, False),
    ],
)
def test_a_soak_holds_only_when_every_bar_does(
    soak: ModuleType, changes: dict[str, Any], *, holds: bool
) -> None:
    """Without an accident nothing is shown."""
    bar, verdict = soak.judged({**good(), **changes})
    assert verdict is holds
    assert bar["missed"] == 0


def test_a_clip_shows_what_lies_between_its_ends(soak: ModuleType) -> None:
    """One without a clock that can be read shows nothing."""
    clip = soak.Clip("a", there=True, start_at=AT, end_at=AT + dt.timedelta(seconds=20))
    assert clip.shows(AT + dt.timedelta(seconds=5))
    assert not clip.shows(AT - dt.timedelta(seconds=1))
    assert not soak.Clip("a", there=True, start_at=AT).shows(AT)
    assert not soak.Clip("a", there=False).shows(AT)


def test_latencies_are_told_without_the_vlms_time(latency: ModuleType) -> None:
    """Beyond a stride and the VLM; what was never told is counted."""
    timings = [latency.Timing(onset_s=4.0 + n / 10, stored_s=0.7, window_s=3.0, vlm_s=0.5) for n in range(11)]
    figures = latency.figures_of(timings, 12, 5.0)
    assert (figures["fires"], figures["untold"]) == (12, 1)
    assert figures["stored_p95_s"] == pytest.approx(0.2)
    assert figures["onset_to_webhook_p50_s"] == pytest.approx(4.5)
    assert figures["beyond_stride_and_vlm_p95_s"] == pytest.approx(-0.55)
    assert latency.figures_of([], 0, 5.0)["stored_p95_s"] == 0.0


def test_the_newest_window_is_never_shed(outage: ModuleType) -> None:
    """The oldest of those that wait goes first."""
    assert not outage.newest_shed(["Shed", "Shed", "Unreachable"])
    assert outage.newest_shed(["Unreachable", "Shed"])
    assert not outage.newest_shed([])


def test_windows_of_an_outage_are_counted_by_how_they_ended(outage: ModuleType) -> None:
    """A window that nobody recorded is found; those before and after the outage do not count."""
    failures = [None, "Unreachable: no", "Shed: late", "Shed: late", None, None]
    pages = [
        {"chunk_index": number, "failure": failure} for number, failure in enumerate(failures) if number != 3
    ]
    running = SimpleNamespace(
        cameras=lambda: [{"name": "cam0", "job_id": "j"}],
        captions=lambda _: pages,
        windows=lambda _, at: [{"chunk_index": 1 if at == AT else 5}],
    )
    away = outage.Outage(AT, AT + dt.timedelta(seconds=20), None, None)
    assert outage.windows_of(running, away) == {
        "windows": {"Unreachable": 1, "Shed": 1, "looked": 1},
        "failed": 2,
        "shed": 1,
        "unrecorded": 1,
        "newest_shed": 0,
    }


def test_the_way_of_an_accident_is_read_from_the_api(latency: ModuleType) -> None:
    """The first message about it, the window that told of it, and the segment that completed this window."""
    onset_at, epoch_at = AT + dt.timedelta(seconds=40), AT
    incident = {"job_id": "j", "event_ids": ["e1", "e2"], "start_at": onset_at.isoformat()}
    opened = {
        "id": "m1",
        "type": "incident.opened",
        "timestamp": (AT + dt.timedelta(seconds=44.4)).isoformat(),
        "data": {"source": "cam0", "incident": incident},
    }
    ended_at = epoch_at + dt.timedelta(seconds=43)
    running = SimpleNamespace(
        receiver=SimpleNamespace(
            received=[
                {**opened, "id": "m0", "data": {"source": "cam1", "incident": incident}},
                {**opened, "id": "m2", "type": "incident.updated"},
                opened,
            ],
            came_at={"m1": AT + dt.timedelta(seconds=44.5)},
        ),
        events=lambda _: {"e1": {"start_at": onset_at.isoformat(), "start_s": 40.0, "chunk_index": 6}},
        captions=lambda _: [
            {"chunk_index": 5, "end_s": 38.0, "stats": {}},
            {"chunk_index": 6, "end_s": 43.0, "stats": {"second_look": {"looks": [{"took_ms": 700}]}}},
        ],
    )
    stored = [
        SimpleNamespace(segment=SimpleNamespace(end_at=ended_at - dt.timedelta(seconds=2)), stored_at=AT),
        SimpleNamespace(
            segment=SimpleNamespace(end_at=ended_at), stored_at=ended_at + dt.timedelta(seconds=0.1)
        ),
    ]
    planned = SimpleNamespace(camera="cam0", onset_at=onset_at)
    found = latency.timing(planned, running, stored, 0.5)
    assert (found.onset_s, found.window_s, found.vlm_s) == (4.5, 3.0, 1.2)
    assert found.stored_s == pytest.approx(1.3)
    later = SimpleNamespace(camera="cam0", onset_at=onset_at + dt.timedelta(seconds=9))
    assert latency.timing(later, running, stored, 0.5) is None


@pytest.mark.e2e
def test_a_short_soak(soak: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One camera on the whole product: every second accounted for, windows looked at, nothing broken, everything measured."""
    monkeypatch.setattr(soak, "ENTRY", {"window_s": 2, "stride_s": 1, "merge_gap_s": 3})
    monkeypatch.setattr(soak, "_SETTLE_S", 1.0)
    report = tmp_path / "soak.json"
    soak.soak(minutes=0.1, cameras=1, fault_s=4.0, report=report)
    page = page_of(report)
    assert page["account_error_s"] < 0.5
    assert page["recorded_error_s"] < 0.5
    assert page["captured_s"] > 1
    assert page["windows"]["looked"] >= 1
    assert page["work_that_broke"] == page["camera_down_incidents"] == page["receiver"]["refused"] == 0
    assert set(page["cpu_cores"]) >= {"service", "via-server", "reference-vlm", "simulator"}
    assert page["all"]["samples"]
    assert "EXT_CAMERAS_FILE" not in os.environ, "nothing is left behind"


def test_what_is_measured_of_latency(
    latency: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fires of the measured time only; the product is told where the VLM is, and how many may be asked about at once."""
    told: dict[str, str] = {}
    now_at = SystemClock().now()
    fires = [
        SimpleNamespace(camera="cam0", onset_at=now_at + dt.timedelta(seconds=s)) for s in (-5, 0.3, 900)
    ]
    drawn = SimpleNamespace(urls={"cam0": "rtsp://x", "cam1": "rtsp://y"}, process=None, truth=lambda: fires)

    def site(*given: Any) -> Any:
        told.update(given[-1])
        return nullcontext(SimpleNamespace())

    monkeypatch.setattr(latency, "simulated", lambda *_: nullcontext(drawn))
    monkeypatch.setattr(latency, "site", site)
    model = SimpleNamespace(endpoint="http://vlm/v1", pid=os.getpid())
    monkeypatch.setattr(latency, "vlm", lambda *_: nullcontext(model))
    monkeypatch.setattr(latency, "wait_for_pictures", lambda *_: None)
    recorder = SimpleNamespace(segments=lambda _: [], samples=[])
    monkeypatch.setattr(latency, "recording", lambda *_: nullcontext(recorder))
    monkeypatch.setattr(latency, "timing", lambda *_: latency.Timing(1.0, 0.3, 0.4, 0.05))
    report = tmp_path / "latency.json"
    latency.latency(minutes=0.02, cameras=2, window_s=0.1, stride_s=0.05, second_look=False, report=report)
    page = page_of(report)
    assert (page["fires"], page["untold"], page["holds"]) == (1, 0, True)
    assert (told["VIA_VLM_ENDPOINT"], told["EXT_SECOND_LOOK"]) == ("http://vlm/v1", "false")
    assert told["EXT_REQUESTS_IN_FLIGHT"] == "2"


@pytest.mark.e2e
def test_a_short_outage(outage: ModuleType, tmp_path: Path) -> None:
    """Every window of it is recorded, and looking begins again by itself."""
    report = tmp_path / "outage.json"
    outage.outage(
        minutes=0.05, cameras=1, around_s=3.0, window_s=2.0, stride_s=1.0, reference=False, report=report
    )
    page = page_of(report)
    assert page["windows"]
    assert page["unrecorded"] == page["newest_shed"] == page["restarted"] == page["work_that_broke"] == 0
    assert page["first_answer_s"] is not None
    assert page["all_cameras_s"] >= page["first_answer_s"]
    assert page["memory_before_mb"] > 50
