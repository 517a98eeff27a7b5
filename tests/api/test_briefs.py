"""Notes, zones and snapshots over the API: said, read back, taken back, and refused in a sentence."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from extension.api import create_app
from extension.api.ports import NoPlaces
from extension.errors import NotFound, Unavailable
from extension.model import Brief, Origin, Snapshot
from extension.wire import BriefIn, BriefOut
from tests.api.harness import Desk, StillClock
from tests.api.memory_shelf import MemoryShelf

GATE, YARD = "/api/v1/cameras/gate", "/api/v1/cameras/마당 2"
ZONE = {"name": "Press 3", "kind": "no entry", "points": [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]}
TAKEN_AT = dt.datetime(2026, 5, 4, 1, 30, tzinfo=dt.UTC)
PICTURE = b"\xff\xd8 a picture \xff\xd9"


class Site:
    """Two cameras; one says something in the cameras' file."""

    def __init__(self) -> None:
        self.filed = {"gate": Brief("From the file."), "마당 2": Brief()}
        self.saved: dict[str, Brief] = {}
        self.asked: list[dt.datetime | None] = []
        self.full = False

    def brief(self, camera: str) -> BriefOut:
        """What holds."""
        if camera not in self.filed:
            raise NotFound(f"No camera is called {camera!r}.")
        if camera in self.saved:
            return BriefOut.of(self.saved[camera], Origin.PAGE)
        return BriefOut.of(self.filed[camera], Origin.FILE)

    def set_brief(self, camera: str, brief: BriefIn) -> BriefOut:
        """Keep it, as long as the disk is not full."""
        self.brief(camera)
        if self.full:
            raise Unavailable("Notes and zones cannot be stored (No space left on device).")
        self.saved[camera] = brief.brief()
        return self.brief(camera)

    def drop_brief(self, camera: str) -> BriefOut:
        """Back to the file."""
        self.brief(camera)
        self.saved.pop(camera, None)
        return self.brief(camera)

    def snapshot(self, camera: str, at: dt.datetime | None) -> Snapshot:
        """One picture, of any time."""
        self.brief(camera)
        self.asked.append(at)
        return Snapshot(PICTURE, TAKEN_AT)


@pytest.fixture
def shelf(clock: StillClock) -> MemoryShelf:
    """In memory: briefs and pictures do not lie in the store."""
    return MemoryShelf(clock)


@pytest.fixture
def places() -> Site:
    """Two cameras."""
    return Site()


@pytest.fixture
def site(desk: Desk, places: Site) -> Iterator[TestClient]:
    """A client of a service that watches them."""
    services = dataclasses.replace(desk.services, places=places)
    with TestClient(create_app(services, "1"), raise_server_exceptions=False) as client:
        yield client


def test_what_the_file_says_can_be_read(site: TestClient) -> None:
    """And that it is the file that says it."""
    assert site.get(f"{GATE}/brief").json() == {"notes": "From the file.", "zones": [], "origin": "file"}


@pytest.mark.parametrize("camera", [GATE, YARD])
def test_what_is_said_is_answered_and_read_back(site: TestClient, camera: str) -> None:
    """Whole, for a camera of any name."""
    page = {"notes": "수증기가 자주 납니다.\nNot smoke.", "zones": [ZONE]}
    answer = site.put(f"{camera}/brief", json=page)
    assert (answer.status_code, answer.json()) == (200, {**page, "origin": "page"})
    assert site.get(f"{camera}/brief").json() == answer.json()


def test_one_camera_is_not_the_other(site: TestClient) -> None:
    """What is said of one says nothing of the other."""
    site.put(f"{YARD}/brief", json={"notes": "Quiet."})
    assert site.get(f"{GATE}/brief").json()["origin"] == "file"


def test_saying_something_takes_the_place_of_all_that_was_said(site: TestClient) -> None:
    """What is left out is gone."""
    site.put(f"{GATE}/brief", json={"notes": "Steam.", "zones": [ZONE]})
    assert site.put(f"{GATE}/brief", json={}).json() == {"notes": "", "zones": [], "origin": "page"}


def test_what_was_said_can_be_taken_back(site: TestClient) -> None:
    """As often as one likes; the answer says what holds now."""
    site.put(f"{GATE}/brief", json={"notes": "Steam."})
    for _ in range(2):
        answer = site.delete(f"{GATE}/brief")
        assert (answer.status_code, answer.json()["notes"]) == (200, "From the file.")


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        pytest.param({"zones": [ZONE | {"points": [[0, 0], [1, 1]]}]}, "zones.0.points", id="two-corners"),
        pytest.param({"zones": [ZONE | {"points": [[0, 0], [1, 1], [0, 2]]}]}, "zones.0.points.2.1", id="outside"),
        pytest.param({"zones": [ZONE | {"name": "<script>"}]}, "zones.0.name", id="markup"),
        pytest.param({"zones": [ZONE, ZONE]}, "two zones have one name", id="one-name"),
        pytest.param({"notes": "x" * 2001}, "notes", id="long"),
        pytest.param({"notes": None}, "notes", id="no-text"),
        pytest.param({"note": "x"}, "note: Extra", id="misspelt"),
        pytest.param([], "request", id="a-list"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_and_changes_nothing(
    site: TestClient, page: Any, complaint: str
) -> None:
    """The sentence says where the mistake is."""
    site.put(f"{GATE}/brief", json={"notes": "Steam."})
    answer = site.put(f"{GATE}/brief", json=page)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert complaint in answer.json()["detail"]
    assert site.get(f"{GATE}/brief").json()["notes"] == "Steam."


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 422), (b"{", 422), (b'{"zones": [{"points": [[NaN, 0]]}]}', 422), (b"\xff", 400)],
)
def test_what_is_not_json_is_refused(site: TestClient, body: bytes, status: int) -> None:
    """As a problem, never with a crash."""
    answer = site.put(f"{GATE}/brief", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_full_disk_is_told(site: TestClient, places: Site) -> None:
    """With when to try again."""
    places.full = True
    answer = site.put(f"{GATE}/brief", json={"notes": "Steam."})
    assert (answer.status_code, "No space left" in answer.json()["detail"]) == (503, True)
    assert "retry-after" in answer.headers


@pytest.mark.parametrize(
    ("method", "path"), [("get", "brief"), ("put", "brief"), ("delete", "brief"), ("get", "snapshot")]
)
def test_an_unknown_camera_is_not_found(site: TestClient, client: TestClient, method: str, path: str) -> None:
    """In a service that watches others, and in one that watches none."""
    for asked in (site, client):
        answer = asked.request(method, f"/api/v1/cameras/attic/{path}", json={} if method == "put" else None)
        assert answer.status_code == 404
        assert "attic" in answer.json()["detail"]


def test_another_website_cannot_say_anything(site: TestClient) -> None:
    """A page that an operator has open elsewhere must not draw zones."""
    foreign = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    for method, body in (("put", {"notes": "Look away."}), ("delete", None)):
        answer = site.request(method, f"{GATE}/brief", headers=foreign, json=body)
        assert answer.status_code == 403
    assert site.get(f"{GATE}/brief").json()["origin"] == "file"


def test_the_newest_picture_is_a_jpeg_with_its_instant(site: TestClient, places: Site) -> None:
    """Which no browser keeps for the next time."""
    answer = site.get(f"{GATE}/snapshot")
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert dt.datetime.fromisoformat(answer.headers["x-taken-at"]) == TAKEN_AT
    assert places.asked == [None]


def test_a_picture_of_an_instant_can_be_had(site: TestClient, places: Site) -> None:
    """In any zone; a time without one is refused."""
    assert site.get(f"{GATE}/snapshot", params={"at": "2026-05-04T10:30:00+09:00"}).status_code == 200
    assert places.asked == [TAKEN_AT]
    for at in ("2026-05-04T10:30:00", "soon", ""):
        answer = site.get(f"{GATE}/snapshot", params={"at": at})
        assert (answer.status_code, "at" in answer.json()["detail"]) == (422, True)
    assert len(places.asked) == 1


@pytest.mark.parametrize("method", ["post", "patch"])
def test_a_brief_is_put_or_deleted(site: TestClient, method: str) -> None:
    """Nothing else."""
    assert site.request(method, f"{GATE}/brief", json={}).status_code == 405


def test_the_document_says_what_a_snapshot_is(site: TestClient) -> None:
    """A picture, not JSON."""
    operation = site.get("/openapi.json").json()["paths"]["/api/v1/cameras/{name}/snapshot"]["get"]
    assert list(operation["responses"]["200"]["content"]) == ["image/jpeg"]
    assert operation["responses"]["200"]["headers"]["X-Taken-At"]["schema"]["format"] == "date-time"


def test_a_service_without_cameras_has_no_places() -> None:
    """Every name is unknown to it, whatever is asked."""
    none = NoPlaces()
    for ask in (none.brief, none.drop_brief, lambda name: none.set_brief(name, BriefIn())):
        with pytest.raises(NotFound, match="gate"):
            ask("gate")
    with pytest.raises(NotFound, match="gate"):
        none.snapshot("gate", None)


def test_no_file_of_the_machine_is_served_by_a_name(site: TestClient, tmp_path: Path) -> None:
    """Names of cameras are names, not paths."""
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    for name in ("..%2Fsecret.jpg", "%2Fetc%2Fpasswd", f"{tmp_path}/secret.jpg".replace("/", "%2F")):
        answer = site.get(f"/api/v1/cameras/{name}/snapshot")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
