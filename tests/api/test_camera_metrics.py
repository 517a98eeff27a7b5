"""Metrics of cameras as Prometheus scrapes them: whole, few, and without an address."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from extension.api import create_app
from extension.api.camera_metrics import CameraMetrics
from extension.wire import CameraOut
from tests.api.harness import Desk

AT = dt.datetime(2026, 5, 4, 1, 30, tzinfo=dt.UTC)
BOUNDS_S = (1.0, 5.0)


@dataclass(frozen=True)
class Lag:
    """How late windows were, counted by hand."""

    counts: tuple[int, ...] = (2, 1, 1)
    sum_s: float = 12.5


def camera(name: str, **changes: object) -> CameraOut:
    """A camera that is recording."""
    fields: dict[str, object] = {
        "name": name,
        "job_id": f"camera-{name}",
        "address": "rtsp://10.0.0.7:554",
        "state": "recording",
        "trouble": None,
        "message": "",
        "last_frame_at": AT,
        "picture": "h264 1920x1080",
        "frames": 300,
        "received_bytes": 4096,
        "segments": 5,
        "reconnects": 2,
        "clock_offset_s": -0.25,
        "captured_s": 10.0,
        "lost_s": {"Starting": 1.5, "Stalled": 0.5},
        "pending_s": 2.0,
        "windows": {"looked": 4, "gated": 3, "Shed": 2, "Timeout": 1, "Garbled": 5},
        "waiting": 1,
        "notices": 6,
    }
    return CameraOut.model_validate(fields | changes)


def scraped(
    cameras: Sequence[CameraOut], lags: Mapping[str, Lag] | None = None
) -> dict[tuple[str, ...], float]:
    """Samples by name and the values of their labels."""
    registry = CollectorRegistry()
    registry.register(CameraMetrics(lambda: cameras, lambda: lags or {}, BOUNDS_S))
    return samples(generate_latest(registry).decode())


def samples(text: str) -> dict[tuple[str, ...], float]:
    """What a scrape holds; no sample twice."""
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (
                sample.name.removeprefix("timetravel_camera_"),
                *(v for _, v in sorted(sample.labels.items())),
            )
            assert key not in found, key
            found[key] = sample.value
    return found


@pytest.mark.parametrize(
    ("sample", "value"),
    [
        (("up", "gate"), 1.0),
        (("frames_total", "gate"), 300.0),
        (("received_bytes_total", "gate"), 4096.0),
        (("reconnects_total", "gate"), 2.0),
        (("last_frame_timestamp_seconds", "gate"), AT.timestamp()),
        (("clock_offset_seconds", "gate"), -0.25),
        (("captured_seconds_total", "gate"), 10.0),
        (("lost_seconds", "gate", "Starting"), 1.5),
        (("lost_seconds", "gate", "Stalled"), 0.5),
        (("windows_waiting", "gate"), 1.0),
        (("notices_waiting", "gate"), 6.0),
        (("windows_total", "gate", "looked"), 4.0),
        (("windows_total", "gate", "gated"), 3.0),
        (("windows_total", "gate", "shed"), 2.0),
        (("windows_total", "failed", "gate"), 6.0),
    ],
)
def test_every_number_of_a_camera_can_be_scraped(sample: tuple[str, ...], value: float) -> None:
    """Under its name."""
    found = {tuple(sorted(key)): number for key, number in scraped([camera("gate")]).items()}
    assert found[tuple(sorted(sample))] == value


@pytest.mark.parametrize("state", ["connecting", "waiting", "stopped"])
def test_a_camera_that_is_not_recorded_is_not_up(state: str) -> None:
    """Whatever it does instead."""
    assert scraped([camera("gate", state=state)])["up", "gate"] == 0


def test_what_is_not_known_is_not_there() -> None:
    """A zero would be taken for a time, or for a clock that is right."""
    found = scraped([camera("gate", last_frame_at=None, clock_offset_s=None)])
    assert ("last_frame_timestamp_seconds", "gate") not in found
    assert ("clock_offset_seconds", "gate") not in found


def test_all_outcomes_are_there_before_the_first_window() -> None:
    """A rate needs a zero to start from; codes nobody thought of are failures, not new series."""
    found = scraped([camera("gate", windows={})])
    outcomes = {key: value for key, value in found.items() if key[0] == "windows_total"}
    assert outcomes == {("windows_total", "gate", o): 0.0 for o in ("looked", "gated", "shed", "failed")}
    odd = scraped([camera("gate", windows={f"Code{n}": 1 for n in range(50)})])
    assert odd["windows_total", "gate", "failed"] == 50
    assert len([key for key in odd if key[0] == "windows_total"]) == 4


def test_lateness_is_a_histogram_for_each_camera() -> None:
    """Buckets add up, as Prometheus wants them."""
    found = scraped([camera("gate"), camera("hall")], {"gate": Lag(), "hall": Lag((0, 0, 0), 0.0)})
    buckets = {key[1:]: value for key, value in found.items() if key[0] == "window_lag_seconds_bucket"}
    assert buckets["gate", "1.0"] == 2
    assert buckets["gate", "5.0"] == 3
    assert buckets["gate", "+Inf"] == 4
    assert found["window_lag_seconds_count", "gate"] == 4
    assert found["window_lag_seconds_sum", "gate"] == 12.5
    assert found["window_lag_seconds_count", "hall"] == 0


def test_a_camera_that_cannot_be_captured_is_counted_and_doubles_nothing() -> None:
    """It may have the name of one that can; `samples` would find the same sample twice."""
    refused = camera("gate", state="refused", trouble="DuplicateName")
    found = scraped(
        [camera("gate"), refused, camera("yard", state="refused")], {"gate": Lag(), "yard": Lag()}
    )
    assert found["timetravel_cameras_refused",] == 2
    assert found["up", "gate"] == 1
    assert not [key for key in found if "yard" in key]


@pytest.mark.parametrize("name", ["마당 2", 'a "quoted" one', "back\\slash", "cam1", "cam10"])
def test_names_come_through_as_they_are(name: str) -> None:
    """Whatever letters they have, and exactly."""
    assert scraped([camera(name)])["up", name] == 1


def test_no_address_is_scraped() -> None:
    """Nor any other text of a camera."""
    registry = CollectorRegistry()
    cameras = [camera("gate", address="rtsp://10.9.8.7:554", message="geheim", trouble="Stalled")]
    registry.register(CameraMetrics(lambda: cameras, dict, BOUNDS_S))
    text = generate_latest(registry).decode()
    assert "10.9.8.7" not in text
    assert "geheim" not in text


def test_a_service_without_cameras_has_no_series_of_any() -> None:
    """But says that none is refused."""
    assert scraped([]) == {("timetravel_cameras_refused",): 0.0}


def test_each_scrape_reads_anew() -> None:
    """Nothing is copied, nothing is remembered."""
    known = [camera("gate", frames=1)]
    registry = CollectorRegistry()
    registry.register(CameraMetrics(lambda: known, dict, BOUNDS_S))
    assert samples(generate_latest(registry).decode())["frames_total", "gate"] == 1
    known[0] = camera("gate", frames=7)
    assert samples(generate_latest(registry).decode())["frames_total", "gate"] == 7


def test_they_are_among_the_metrics_of_the_service(desk: Desk) -> None:
    """Beside those of jobs and deliveries."""
    desk.services.registry.register(
        CameraMetrics(lambda: [camera("gate")], lambda: {"gate": Lag()}, BOUNDS_S)
    )
    services = dataclasses.replace(desk.services, cameras=lambda: [camera("gate")])
    with TestClient(create_app(services, "1")) as client:
        text = client.get("/metrics").text
    found = samples(text)
    assert found["up", "gate"] == 1
    assert "timetravel_jobs" in text
