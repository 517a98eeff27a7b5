"""Cameras over the API: how each is, and which windows showed an instant, or a clear word why that cannot be told."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from extension.api import create_app
from extension.errors import NotFound
from extension.model import Caption, Chunk, Failure, Severity, Span, Verdict
from extension.wire import CameraOut
from tests.api import samples
from tests.api.harness import Desk, StillClock, make_desk
from tests.api.memory_shelf import MemoryShelf

HALF_PAST = "2026-05-04T01:30:00Z"


def camera(name: str, **changes: object) -> CameraOut:
    """A camera that is recording."""
    fields: dict[str, object] = {
        "name": name,
        "job_id": f"camera-{name}",
        "address": "rtsp://10.0.0.7:554",
        "state": "recording",
        "trouble": None,
        "message": "",
        "last_frame_at": samples.BEGIN,
        "picture": "h264 1920x1080",
        "frames": 300,
        "received_bytes": 4096,
        "segments": 5,
        "reconnects": 0,
        "clock_offset_s": -0.25,
        "captured_s": 10.0,
        "lost_s": {"starting": 1.5},
        "pending_s": 2.0,
        "windows": {"looked": 2, "Timeout": 1},
    }
    return CameraOut.model_validate(fields | changes)


class Watch:
    """What a service that watches answers, and what it was asked."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: list[tuple[str, dt.datetime]] = []

    def cameras(self) -> list[CameraOut]:
        """One of each name."""
        return [camera(name) for name in self.names]

    def explain(self, name: str, at: dt.datetime) -> list[Caption]:
        """A window that was looked at, and one that was not."""
        self.asked.append((name, at))
        if name not in self.names:
            raise NotFound(f"No camera is called {name!r}.")
        chunks = [Chunk(n, Span(5.0 * n, 5.0 * n + 10.0)) for n in (3, 4)]
        return [
            Caption(chunks[0], "{}", Verdict(Severity.SAFE, (), "All is calm."), None, {"latency_ms": 5}),
            Caption(chunks[1], "", None, Failure("Unreachable", "the VLM does not answer")),
        ]


@pytest.fixture
def watch() -> Watch:
    """Two cameras, one with a name that needs quoting in a path."""
    return Watch("gate", "마당 2")


@pytest.fixture
def cameras(desk: Desk, watch: Watch) -> Iterator[TestClient]:
    """A client of a service that watches these."""
    services = dataclasses.replace(desk.services, cameras=watch.cameras, explain=watch.explain)
    with TestClient(create_app(services, "1"), raise_server_exceptions=False) as client:
        yield client


def test_every_camera_is_listed_in_its_order(cameras: TestClient) -> None:
    """With its account: captured, lost by reason and pending."""
    found = cameras.get("/api/v1/cameras").json()
    assert [one["name"] for one in found] == ["gate", "마당 2"]
    assert (found[0]["captured_s"], found[0]["lost_s"], found[0]["pending_s"]) == (
        10.0,
        {"starting": 1.5},
        2.0,
    )
    assert found[0]["windows"] == {"looked": 2, "Timeout": 1}


@pytest.mark.parametrize("name", ["gate", "마당 2"])
def test_one_camera_is_the_one_of_the_list(cameras: TestClient, name: str) -> None:
    """Whatever letters its name has."""
    listed = {one["name"]: one for one in cameras.get("/api/v1/cameras").json()}
    assert cameras.get(f"/api/v1/cameras/{name}").json() == listed[name]


@pytest.mark.parametrize("path", ["attic", "GATE", "gate%20", "%2e%2e"])
def test_an_unknown_camera_is_not_found(cameras: TestClient, path: str) -> None:
    """As a problem that names it; names are exact."""
    answer = cameras.get(f"/api/v1/cameras/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_windows_of_an_instant_are_told_looked_at_or_not(cameras: TestClient, watch: Watch) -> None:
    """The verdict of one, the failure of the other; the service is asked for exactly that instant."""
    answer = cameras.get("/api/v1/cameras/gate/windows", params={"at": HALF_PAST})
    assert answer.status_code == 200, answer.text
    looked, failed = answer.json()
    assert (looked["chunk_index"], looked["start_s"], looked["end_s"]) == (3, 15.0, 25.0)
    assert (looked["failure"], looked["status"], looked["summary"]) == (None, "safe", "All is calm.")
    assert (failed["failure"], failed["status"]) == ("Unreachable: the VLM does not answer", None)
    assert watch.asked == [("gate", dt.datetime(2026, 5, 4, 1, 30, tzinfo=dt.UTC))]


@pytest.mark.parametrize("at", ["2026-05-04T10:30:00+09:00", "2026-05-03T21:30:00-04:00"])
def test_an_instant_is_the_same_in_every_zone(cameras: TestClient, watch: Watch, at: str) -> None:
    """Half past one in Greenwich."""
    assert cameras.get("/api/v1/cameras/gate/windows", params={"at": at}).status_code == 200
    assert watch.asked[0][1] == dt.datetime.fromisoformat(HALF_PAST)


@pytest.mark.parametrize(
    "at", ["2026-05-04T01:30:00", "2026-05-04", "01:30", "soon", "", "2026-05-04T25:00:00Z"]
)
def test_a_time_without_a_zone_or_that_is_none_is_refused(cameras: TestClient, watch: Watch, at: str) -> None:
    """Never guessed at, and the service is not asked."""
    answer = cameras.get("/api/v1/cameras/gate/windows", params={"at": at})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "at" in answer.text
    assert watch.asked == []


def test_an_instant_must_be_named(cameras: TestClient) -> None:
    """There is no default."""
    assert cameras.get("/api/v1/cameras/gate/windows").status_code == 422


def test_the_windows_of_an_unknown_camera_are_not_found(cameras: TestClient) -> None:
    """With its name in the sentence."""
    answer = cameras.get("/api/v1/cameras/attic/windows", params={"at": HALF_PAST})
    assert answer.status_code == 404
    assert "attic" in answer.json()["detail"]


def test_a_service_that_watches_none_says_so(client: TestClient) -> None:
    """An empty list, and every name is unknown."""
    assert client.get("/api/v1/cameras").json() == []
    assert client.get("/api/v1/cameras/gate").status_code == 404
    assert client.get("/api/v1/cameras/gate/windows", params={"at": HALF_PAST}).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_cameras_are_only_looked_at(cameras: TestClient, method: str) -> None:
    """Which there are is a matter of the settings."""
    assert cameras.request(method, "/api/v1/cameras/gate").status_code == 405


def test_operations_on_cameras_have_names(cameras: TestClient) -> None:
    """Clients are made from them."""
    paths = cameras.get("/openapi.json").json()["paths"]
    names = {item["get"]["operationId"] for path, item in paths.items() if "/cameras" in path}
    assert names == {"list_cameras", "get_camera", "explain_camera", "get_brief", "get_snapshot"}


@pytest.mark.parametrize("missing", ["name", "job_id", "address", "lost_s", "windows", "clock_offset_s"])
def test_a_camera_on_the_wire_is_whole(missing: str) -> None:
    """A field that is not there is a fault, not a default."""
    page = camera("gate").model_dump()
    del page[missing]
    with pytest.raises(ValueError, match=missing):
        CameraOut.model_validate(page)


def test_a_camera_comes_back_from_the_wire_as_it_went() -> None:
    """Also one that never showed anything."""
    silent = camera("gate", last_frame_at=None, picture=None, clock_offset_s=None, trouble="unreachable")
    assert CameraOut.model_validate_json(silent.model_dump_json()) == silent


def test_a_watch_that_breaks_is_an_error_without_inside_knowledge(desk: Desk) -> None:
    """A problem; what went wrong is for the log."""

    def broken() -> list[CameraOut]:
        raise RuntimeError("rtsp://admin:geheim@10.0.0.7 is on fire")

    services = dataclasses.replace(desk.services, cameras=broken)
    with TestClient(create_app(services, "1"), raise_server_exceptions=False) as client:
        answer = client.get("/api/v1/cameras")
    assert answer.status_code == 500
    assert "geheim" not in answer.text


def test_desks_do_not_share_their_cameras(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each service has its own."""
    one, other = (
        make_desk(MemoryShelf(StillClock()), StillClock(), tmp_path_factory.mktemp("desk")) for _ in range(2)
    )
    services = dataclasses.replace(one.services, cameras=Watch("gate").cameras)
    with TestClient(create_app(services, "1")) as client:
        assert len(client.get("/api/v1/cameras").json()) == 1
    with TestClient(create_app(other.services, "1")) as client:
        assert client.get("/api/v1/cameras").json() == []
