"""While the VLM is away, a camera tells of motion alone; what a later look shows edits the same incident, restart or not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from extension import wiring
from extension.settings import load
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import PictureStream
from tests.pipeline.via_double import SAFE, Answer, ViaDouble, captions

pytestmark = pytest.mark.e2e
SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
FALL = json.dumps(
    {
        "status": "danger",
        "events": [
            {
                "kind": "fall",
                "start_s": 0.5,
                "end_s": 1.5,
                "severity": "danger",
                "objects": ["person"],
                "description": "A person falls.",
            }
        ],
        "summary": "",
    }
)


def _pictures() -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """A bright square that walks to and fro over a grey ground."""
    made = []
    for number in (*range(24), *range(24, 0, -1)):
        picture = np.full((96, 128, 3), 90, np.uint8)
        picture[20:70, 4 * number : 4 * number + 28] = 230
        made.append(picture)
    return made


class Site:
    """A camera, a via-server that can go away, and a service that is started and ended at will."""

    def __init__(self, folder: Path, double: ViaDouble, url: str) -> None:
        self.double = double
        self.says = FALL
        double.script = self._script
        self._folder = folder
        book = folder / "cameras.yaml"
        book.write_text(
            f"cameras:\n  - {{name: gate, url: '{url}', window_s: 2, stride_s: 1, merge_gap_s: 2, motion_notices: true}}\n"
            f"  - {{name: gate, url: '{url}'}}\n"
        )

    def _script(self, query: dict[str, Any], _: int) -> Answer:
        return 200, captions(query, lambda _s: self.says)

    @contextmanager
    def running(self) -> Iterator[TestClient]:
        """The service, from its start to its end."""
        service = wiring.build(load(None, data_dir=self._folder / "data"), own_url="", page=False)
        service.start()
        try:
            with TestClient(service.app) as client:
                yield client
        finally:
            service.stop()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Everything but the service, which each test starts."""
    with RtspServer({"gate": PictureStream(_pictures(), 10.0, (128, 96))}) as stream, ViaDouble() as double:
        monkeypatch.setenv("EXT_CAMERAS_FILE", str(tmp_path / "cameras.yaml"))
        monkeypatch.setenv("EXT_WEBHOOK_URL", "http://127.0.0.1:9/hook")
        monkeypatch.setenv("EXT_WEBHOOK_SECRET", SECRET)
        monkeypatch.setenv("VIA_BACKEND", double.url)
        yield Site(tmp_path, double, stream.url("gate"))


def _wait_for(found: Callable[[], Any], within_s: float = 60.0) -> Any:
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come")


def _incidents(client: TestClient) -> list[dict[str, Any]]:
    page: list[dict[str, Any]] = client.get("/api/v1/incidents").json()
    return page


def _told(client: TestClient, incident_id: str) -> list[str]:
    """What was announced of an incident, oldest first."""
    deliveries = client.get("/api/v1/deliveries").json()
    return [d["type"] for d in reversed(deliveries) if d["incident_id"] == incident_id]


def test_motion_is_told_while_the_vlm_is_away_and_confirmed_by_a_service_that_was_started_anew(
    site: Site,
) -> None:
    """The notice survives the restart; the first answers edit it, once, and no second incident tells the same."""
    site.double.down = True
    with site.running() as client:
        (notice,) = _wait_for(lambda: _incidents(client))
    assert (notice["kind"], notice["severity"], notice["basis"]) == ("other", "warn", "motion")
    assert (notice["check"], notice["phase"], notice["objects"]) == ("unverified", "open", ["gate"])
    site.double.down = False
    with site.running() as client:
        found = _wait_for(lambda: [i for i in _incidents(client) if i["check"] == "confirmed"])
        (fall,) = found
        assert (fall["id"], fall["kind"], fall["severity"]) == (notice["id"], "fall", "danger")
        assert (fall["basis"], fall["description"]) == ("vlm", "A person falls.")
        windows = client.get("/api/v1/cameras/gate").json()["windows"]
        _wait_for(
            lambda: (
                client.get("/api/v1/cameras/gate").json()["windows"].get("looked", 0)
                >= windows.get("looked", 0) + 2
            )
        )
        assert [i["id"] for i in _incidents(client) if i["kind"] == "fall"] == [notice["id"]]
        assert _told(client, notice["id"])[:2] == ["incident.opened", "incident.updated"]
        assert _told(client, notice["id"]).count("incident.updated") == 1


def test_motion_that_was_nothing_is_withdrawn_and_all_of_it_can_be_scraped(site: Site) -> None:
    """The same incident is resolved as withdrawn; metrics tell of windows, seconds and lateness of the camera."""
    site.says = SAFE
    site.double.down = True
    with site.running() as client:
        (notice,) = _wait_for(lambda: _incidents(client))
        site.double.down = False
        over = _wait_for(lambda: [i for i in _incidents(client) if i["phase"] == "resolved"])
        assert [(i["id"], i["check"], i["basis"]) for i in over] == [(notice["id"], "withdrawn", "motion")]
        assert "saw nothing wrong" in over[0]["description"]
        at = notice["start_at"]
        explained = client.get("/api/v1/cameras/gate/windows", params={"at": at}).json()
        again = [window for window in explained if window["stats"].get("first_failure")]
        assert again
        assert again[0]["stats"]["first_failure"]["code"] == "ViaServerUnavailable"
        assert again[0]["status"] == "safe"
        _check_metrics(client)
        watched, refused = client.get("/api/v1/cameras").json()
        assert (watched["state"], refused["state"], refused["trouble"]) == (
            "recording",
            "refused",
            "DuplicateName",
        )
        assert "another camera has this name" in refused["message"]


def _check_metrics(client: TestClient) -> None:
    text = client.get("/metrics").text
    assert "rtsp://" not in text
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["timetravel_camera_up", "gate"] == 1
    assert samples["timetravel_cameras_refused",] == 1
    assert samples["timetravel_camera_captured_seconds_total", "gate"] >= 1
    assert samples["timetravel_camera_windows_total", "failed", "gate"] >= 1
    assert samples["timetravel_camera_windows_total", "gate", "looked"] >= 1
    assert samples["timetravel_camera_window_lag_seconds_count", "gate"] >= 2
    assert samples["timetravel_camera_frames_total", "gate"] >= 10
