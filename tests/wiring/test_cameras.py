"""A camera is watched from its RTSP stream to the alert in the outbox, and its silence is an incident of its own."""

from __future__ import annotations

import datetime as dt
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fastapi.testclient import TestClient

from extension import wiring
from extension.errors import BadSettings
from extension.model import JobStatus, Kind, Phase
from extension.settings import load
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import PictureStream
from extension.wiring import Service
from tests.pipeline.via_double import SAFE, Answer, ViaDouble, captions

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
    """A bright square that walks over a grey ground."""
    made = []
    for number in range(20):
        picture = np.full((96, 128, 3), 90, np.uint8)
        picture[30:60, 4 * number : 4 * number + 24] = 220
        made.append(picture)
    return made


@dataclass
class Site:
    """A running service, its via-server, and the client of its API."""

    service: Service
    double: ViaDouble
    client: TestClient
    calm: bool = False

    def evidence(self, incident_id: str) -> dict[str, Any] | None:
        """The evidence of an incident, once it is there."""
        answer = self.client.get(f"/api/v1/incidents/{incident_id}/evidence")
        page: dict[str, Any] = answer.json()
        return page if answer.status_code == 200 else None

    def wait_for(self, found: Callable[[], Any], within_s: float = 40.0) -> Any:
        """What comes, as soon as it comes."""
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            if value := found():
                return value
            time.sleep(0.05)
        raise AssertionError("it did not come")

    def camera(self, name: str = "gate") -> dict[str, Any]:
        """How a camera is."""
        page: dict[str, Any] = self.client.get(f"/api/v1/cameras/{name}").json()
        return page

    def incidents(self, kind: Kind) -> list[dict[str, Any]]:
        """Incidents of one kind."""
        return [i for i in self.client.get("/api/v1/incidents").json() if i["kind"] == kind]


@pytest.fixture
def stream() -> Iterator[RtspServer]:
    """A camera on loopback."""
    with RtspServer({"gate": PictureStream(_pictures(), 10.0, (128, 96))}) as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: RtspServer) -> Iterator[Site]:
    """The service watching that camera in windows of 4 s, one every 2 s; a fall is seen in every window."""
    sites: list[Site] = []

    def script(query: dict[str, Any], _: int) -> Answer:
        return 200, captions(query, lambda _s: SAFE if sites and sites[0].calm else FALL)

    book = tmp_path / "cameras.yaml"
    book.write_text(
        f"cameras:\n  - name: gate\n    url: {stream.url('gate')}\n    window_s: 4\n    stride_s: 2\n    merge_gap_s: 3\n"
    )
    with ViaDouble(script) as double:
        monkeypatch.setenv("EXT_CAMERAS_FILE", str(book))
        monkeypatch.setenv("EXT_WEBHOOK_URL", "http://127.0.0.1:9/hook")
        monkeypatch.setenv("EXT_WEBHOOK_SECRET", SECRET)
        monkeypatch.setenv("VIA_BACKEND", double.url)
        service = wiring.build(load(None, data_dir=tmp_path / "data"), own_url="", page=False)
        service.start()
        try:
            with TestClient(service.app) as client:
                sites.append(Site(service, double, client))
                yield sites[0]
        finally:
            service.stop()


@pytest.mark.e2e
def test_a_fall_before_the_camera_reaches_the_outbox(site: Site) -> None:
    """Windows are looked at in order, times are the wall clock's, one incident comes of what several windows show."""
    began_at = dt.datetime.now(dt.UTC)
    site.wait_for(lambda: site.camera()["windows"].get("looked", 0) >= 3)
    camera = site.camera()
    assert (camera["state"], camera["picture"], camera["trouble"]) == ("recording", "h264 128x96", None)
    (incident,) = site.incidents(Kind.FALL)
    assert incident["phase"] == Phase.OPEN
    assert incident["objects"] == ["person"]
    assert abs(dt.datetime.fromisoformat(incident["start_at"]) - began_at) < dt.timedelta(seconds=20)
    job = site.client.get(f"/api/v1/jobs/{camera['job_id']}").json()
    assert (job["name"], job["status"]) == ("gate", JobStatus.LIVE)
    deliveries = site.client.get(f"/api/v1/jobs/{camera['job_id']}/deliveries").json()
    assert [delivery["type"] for delivery in deliveries] == ["incident.opened"]
    assert max(query["chunk_duration"] for query in site.double.queries) >= 4, "whole segments cover a window"
    assert not site.double.files or len(site.double.files) <= 2, "windows do not pile up there"
    accounted_s = camera["captured_s"] + sum(camera["lost_s"].values()) + camera["pending_s"]
    assert accounted_s > 6


@pytest.mark.e2e
def test_an_incident_that_is_over_has_its_evidence(site: Site) -> None:
    """Cut from the recorded segments: a clip around it, a snapshot, and a manifest that names the windows it rests on."""
    site.wait_for(lambda: site.camera()["windows"].get("looked", 0) >= 2)
    site.calm = True
    (over,) = site.wait_for(
        lambda: [i for i in site.incidents(Kind.FALL) if i["phase"] == Phase.RESOLVED], 60.0
    )
    page = site.wait_for(lambda: site.evidence(over["id"]))
    assert {"clip.mp4", "snapshot.jpg"} <= {link["name"] for link in page["links"]}, page
    clip = site.client.get(f"/api/v1/incidents/{over['id']}/evidence/clip.mp4").content
    with av.open(io.BytesIO(clip), "r") as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(frames) >= 30
    assert any(np.abs(frame.astype(int) - frames[0]).max() > 60 for frame in frames), "the square moves"


@pytest.mark.e2e
def test_why_there_was_an_alert_can_be_asked(site: Site) -> None:
    """The windows that showed an instant, with their answers."""
    site.wait_for(lambda: site.camera()["windows"].get("looked", 0) >= 3)
    (incident,) = site.incidents(Kind.FALL)
    found = site.client.get("/api/v1/cameras/gate/windows", params={"at": incident["start_at"]}).json()
    assert found
    assert all(json.loads(window["text"])["status"] == "danger" for window in found)
    nobody = site.client.get("/api/v1/cameras/door/windows", params={"at": incident["start_at"]})
    assert nobody.status_code == 404


@pytest.mark.e2e
def test_a_vlm_that_is_away_is_counted_and_comes_back(site: Site) -> None:
    """Windows fail by name or are shed meanwhile; afterwards they are looked at again, without anybody's help."""
    site.wait_for(lambda: site.camera()["windows"].get("looked"))
    site.double.down = True
    site.wait_for(
        lambda: sum(n for code, n in site.camera()["windows"].items() if code != "looked") >= 1, 60.0
    )
    site.double.down = False
    looked = site.camera()["windows"]["looked"]
    site.wait_for(lambda: site.camera()["windows"]["looked"] > looked)


@pytest.mark.e2e
def test_a_silent_camera_is_an_incident_that_ends_when_it_is_back(site: Site, stream: RtspServer) -> None:
    """One incident that names the camera; nobody takes silence for calm."""
    site.wait_for(lambda: site.camera()["frames"] > 10)
    stream.set_faults("gate", type(stream.faults("gate"))(refuse=True))
    stream.drop("gate")
    (down,) = site.wait_for(lambda: site.incidents(Kind.OTHER), 60.0)
    assert "Camera gate shows no picture" in down["description"]
    stream.set_faults("gate", type(stream.faults("gate"))())
    site.wait_for(lambda: site.incidents(Kind.OTHER)[0]["phase"] == Phase.RESOLVED, 60.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("cameras: [{name: a}]", "needs either url or url_file", id="no-url"),
        pytest.param(
            "cameras: [{name: a, url: 'rtsp://u:geheim@x/', window_s: 5, stride_s: 9}]",
            "would never be looked at",
            id="holes",
        ),
        pytest.param("cameras: {", "is not YAML", id="no-yaml"),
        pytest.param("cameras: [{name: a, url: 'rtsp://x/', colour: red}]", "colour", id="stray"),
        pytest.param("cameras: [{name: a, url_file: nowhere.url}]", "cannot be read", id="no-url-file"),
    ],
)
def test_a_wrong_camera_file_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    """The file, the fault, and no address."""
    book = tmp_path / "cameras.yaml"
    book.write_text(text)
    monkeypatch.setenv("EXT_CAMERAS_FILE", str(book))
    with pytest.raises(BadSettings, match=words) as caught:
        wiring.build(load(None, data_dir=tmp_path / "data"), own_url="", page=False)
    assert "EXT_CAMERAS_FILE" in str(caught.value)
    assert "geheim" not in str(caught.value)
