"""Trajectories over HTTP: a twin sends rows while it runs, and asks where everyone is and who touched whom."""

from __future__ import annotations

import datetime as dt
import http.client
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from fastapi.testclient import TestClient

from extension.api import create_app
from extension.api.routes import trajectories
from extension.timetravel.trajectory_csv import read_trajectory
from tests.api.harness import Desk, StillClock
from tests.api.memory_shelf import MemoryShelf

CSV = {"Content-Type": "text/csv; charset=utf-8"}
NDJSON = {"Content-Type": "application/x-ndjson"}
ROWS = "/api/v1/trajectories/yard-1/rows"
YARD = "/api/v1/trajectories/yard-1"
START = dt.datetime(2026, 5, 4, tzinfo=dt.UTC)


@pytest.fixture
def shelf(clock: StillClock) -> MemoryShelf:
    """In memory: trajectories are in no store."""
    return MemoryShelf(clock)


def walk(seconds: float = 10.0) -> str:
    """Object 1 stands, object 2 walks past it and is nearest at 5 s, object 3 is gone after a second."""
    lines = []
    for tick in range(round(seconds * 5) + 1):
        at = f"{START + dt.timedelta(milliseconds=200 * tick):%Y-%m-%d %H:%M:%S.%f}"[:-3]
        lines += [f"{at},obj001,0,0,0", f"{at},obj002,{200 * (tick / 5 - 5)},0,10"]
        lines += [f"{at},obj003,5000,0,5000"] if tick <= 5 else []
    return "\n".join(lines) + "\n"


def problem(response: Any) -> str:
    """The sentence of a refusal."""
    assert response.headers["content-type"] == "application/problem+json"
    return str(response.json()["detail"])


def test_rows_come_in_and_are_told_apart(client: TestClient) -> None:
    """Accepted, late, repeated and rejected, these with line and reason."""
    body = (
        "2026-05-04 00:00:01,obj001,1,0,0\n2026-05-04 00:00:00,obj001,0,0,0\n"
        "2026-05-04 00:00:01,obj001,1,0,0\n2026-05-04 00:00:02,obj001,left,0,0\n"
    )
    answer = client.post(ROWS, content=body, headers=CSV)
    assert answer.status_code == 200
    assert answer.json() == {
        "accepted": 2,
        "late": 1,
        "repeated": 1,
        "rejected": 1,
        "faults": [{"line": 4, "reason": "x is 'left', not a finite number"}],
        "rows": 2,
    }


def test_ndjson_is_as_good(client: TestClient) -> None:
    """One object a line."""
    items = [
        {"timestamp": f"2026-05-04T09:00:0{i}+09:00", "objid": "obj001", "x": i, "y": 0, "z": 0.5}
        for i in range(3)
    ]
    answer = client.post(ROWS, content="\n".join(map(json.dumps, items)), headers=NDJSON)
    assert answer.json()["accepted"] == 3
    assert client.get(YARD).json()["start_at"] == "2026-05-04T00:00:00Z"


def test_a_batch_with_a_key_is_stored_once(client: TestClient) -> None:
    """Sent again it gets the same answer; other rows under the key are a conflict."""
    headers = {**CSV, "Idempotency-Key": "batch-1"}
    first = client.post(ROWS, content=walk(1), headers=headers)
    again = client.post(ROWS, content=walk(1), headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    other = client.post(ROWS, content=walk(2), headers=headers)
    assert other.status_code == 409
    assert "was used for other rows" in problem(other)
    assert client.get(YARD).json()["rows"] == first.json()["rows"] == 18


def test_a_trajectory_is_told(client: TestClient) -> None:
    """Range, objects and what is odd."""
    client.post(ROWS, content=walk() + "bad\n", headers=CSV)
    told = client.get(YARD).json()
    assert (told["name"], told["start_at"], told["end_at"], told["rows"]) == (
        "yard-1", "2026-05-04T00:00:00Z", "2026-05-04T00:00:10Z", 108,
    )  # fmt: skip
    assert [(o["objid"], o["label"], o["rows"]) for o in told["objects"]] == [
        ("obj001", "1", 51), ("obj002", "2", 51), ("obj003", "3", 6),
    ]  # fmt: skip
    assert told["objects"][2]["last_at"] == "2026-05-04T00:00:01Z"
    assert told["warnings"] == ["1 row was rejected (the last: line 109: 1 fields where the header has 5)"]
    assert client.get("/api/v1/trajectories").json() == [
        {key: told[key] for key in ("name", "start_at", "end_at", "rows")}
    ]


@pytest.mark.parametrize(
    ("at", "fill", "x", "present"),
    [
        pytest.param("2026-05-04T00:00:05.2Z", "interpolated", 40.0, [True, True, False], id="exact"),
        pytest.param("2026-05-04T00:00:05.3Z", "interpolated", 60.0, [True, True, False], id="between"),
        pytest.param("2026-05-04T00:00:05.3Z", "last_known", 40.0, [True, True, False], id="last-known"),
        pytest.param("2026-05-04T09:00:05.2+09:00", "interpolated", 40.0, [True, True, False], id="zone"),
        pytest.param("2026-05-04T00:00:05.2", "interpolated", 40.0, [True, True, False], id="no-zone"),
        pytest.param("2026-05-04T00:00:01.5Z", "interpolated", -700.0, [True, True, True], id="grace"),
        pytest.param("2026-05-03T23:59:59.5Z", "interpolated", -1000.0, [True, True, True], id="just-before"),
        pytest.param("1990-01-01T00:00:00Z", "interpolated", -1000.0, [False] * 3, id="long-before"),
        pytest.param("2090-01-01T00:00:00Z", "interpolated", 1000.0, [False] * 3, id="long-after"),
        pytest.param("0001-01-01T00:00:00%2B14:00", "interpolated", -1000.0, [False] * 3, id="first-day"),
        pytest.param("9999-12-31T23:59:59-14:00", "last_known", 1000.0, [False] * 3, id="last-day"),
    ],
)
def test_where_everyone_is_can_be_asked(
    client: TestClient, at: str, fill: str, x: float, present: list[bool]
) -> None:
    """At any instant, between samples as one chooses; who was not there is told so."""
    client.post(ROWS, content=walk(), headers=CSV)
    answer = client.get(f"{YARD}/state?at={at.replace('+', '%2B')}&fill={fill}")
    assert answer.status_code == 200
    state = answer.json()
    assert state["fill"] == fill
    assert [place["objid"] for place in state["positions"]] == ["obj001", "obj002", "obj003"]
    assert state["positions"][1]["x"] == pytest.approx(x)
    assert [place["present"] for place in state["positions"]] == present


def test_without_an_instant_the_latest_is_told(client: TestClient) -> None:
    """Where everyone is now."""
    client.post(ROWS, content=walk(), headers=CSV)
    state = client.get(f"{YARD}/state").json()
    assert state["at"] == "2026-05-04T00:00:10Z"
    assert [place["label"] for place in state["positions"] if place["present"]] == ["1", "2"]


def test_who_touched_whom_can_be_asked(client: TestClient) -> None:
    """With the closest moment; a part has the contacts of its time."""
    client.post(ROWS, content=walk(), headers=CSV)
    (contact,) = client.get(f"{YARD}/contacts").json()
    assert contact["objects"] == ["1", "2"]
    assert (contact["start_at"], contact["end_at"]) == (
        "2026-05-04T00:00:04.600000Z",
        "2026-05-04T00:00:05.400000Z",
    )
    assert (contact["closest_cm"], contact["closest_at"]) == (10.0, "2026-05-04T00:00:05Z")
    (cut,) = client.get(f"{YARD}/contacts?from=2026-05-04T00:00:05Z&to=2026-05-04T00:00:05.3Z").json()
    assert (cut["start_at"], cut["end_at"]) == ("2026-05-04T00:00:05Z", "2026-05-04T00:00:05.200000Z")
    assert client.get(f"{YARD}/contacts?to=2026-05-04T00:00:04Z").json() == []
    assert client.get(f"{YARD}/contacts?from=2030-01-01T00:00:00Z").json() == []
    assert client.get(f"{YARD}/contacts?threshold_cm=5").json() == []


def test_a_trajectory_is_removed_with_its_rows(client: TestClient, desk: Desk) -> None:
    """And is not there afterwards."""
    client.post(ROWS, content=walk(1), headers=CSV)
    removed = client.delete(YARD)
    assert (removed.status_code, removed.content) == (204, b"")
    for path in (YARD, f"{YARD}/state", f"{YARD}/contacts"):
        assert problem(client.get(path)) == "There is no trajectory 'yard-1'."
    assert client.delete(YARD).status_code == 404
    assert desk.services.live is not None
    assert client.get("/api/v1/trajectories").json() == desk.services.live.names() == []


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e", "a%2fb", "..%2f..%2fetc", "a.b", "-a", "%00", "a" * 65, "%ED%95%9C", "a%20b"]
)
def test_a_name_is_no_path(client: TestClient, name: str, tmp_path: Path) -> None:
    """Whatever is tried, nothing outside comes to be."""
    before = sorted(p.name for p in tmp_path.rglob("*"))
    answer = client.post(f"/api/v1/trajectories/{name}/rows", content=walk(1), headers=CSV)
    assert answer.status_code in {404, 405, 422}
    assert sorted(p.name for p in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("media", ["text/plain", "", "application/json", "multipart/form-data"])
def test_other_kinds_of_text_are_refused(client: TestClient, media: str) -> None:
    """Nobody guesses."""
    answer = client.post(ROWS, content=walk(1), headers={"Content-Type": media})
    assert answer.status_code == 415
    assert problem(answer) == "Send rows as text/csv or application/x-ndjson."


def test_a_batch_that_is_too_large_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it fills the memory; the trajectory stays as it was."""
    monkeypatch.setattr(trajectories, "_MOST_BATCH_BYTES", 1024)
    answer = client.post(ROWS, content=walk(10), headers=CSV)
    assert answer.status_code == 413
    assert client.get(YARD).status_code == 404


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"\xff\xfe", "line 1: not UTF-8 text", id="no-text"),
        pytest.param(b"timestamp,objid,x,y\n", "line 1: missing columns z", id="no-column"),
    ],
)
def test_what_is_no_batch_is_refused(client: TestClient, body: bytes, reason: str) -> None:
    """With the line and the reason."""
    answer = client.post(ROWS, content=body, headers=CSV)
    assert answer.status_code == 400
    assert reason in problem(answer)


def test_a_full_disk_is_told(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a path of the machine; the batch can be sent again."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device", "/secret/place")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        answer = client.post(ROWS, content=walk(1), headers=CSV)
    assert answer.status_code == 507
    assert problem(answer) == "The rows could not be stored; send the batch again."
    assert client.post(ROWS, content=walk(1), headers=CSV).json()["accepted"] == 18


def test_another_website_may_not_write(client: TestClient) -> None:
    """A page elsewhere cannot send rows through a visitor's browser."""
    for answer in (
        client.post(ROWS, content=walk(1), headers={**CSV, "Sec-Fetch-Site": "cross-site"}),
        client.delete(YARD, headers={"Sec-Fetch-Site": "cross-site"}),
    ):
        assert answer.status_code == 403


def test_a_service_without_trajectories_says_so(desk: Desk) -> None:
    """It is away, not broken."""
    app = create_app(replace(desk.services, live=None, registry=type(desk.services.registry)()))
    with TestClient(app) as client:
        answer = client.get("/api/v1/trajectories")
        assert answer.status_code == 503
        assert problem(answer) == "This service keeps no trajectories."


def test_a_job_can_read_what_was_sent(client: TestClient, desk: Desk) -> None:
    """The log's file, as it was when asked for."""
    client.post(ROWS, content=walk(), headers=CSV)
    assert desk.services.live is not None
    log = read_trajectory(desk.services.live.snapshot("yard-1"))
    client.post(ROWS, content=walk(12), headers=CSV)
    assert log.duration_s == 10.0
    assert log.objids == ("obj001", "obj002", "obj003")


def test_a_twin_sends_over_one_connection(address: str) -> None:
    """Rows in pieces of unknown length, batch after batch, read back while it goes on."""
    host = address.removeprefix("http://")
    lines = walk().splitlines(keepends=True)
    connection = http.client.HTTPConnection(host)
    for number in range(0, len(lines), 20):
        pieces = (piece.encode() for piece in lines[number : number + 20])
        connection.request(
            "POST", ROWS, body=pieces, headers={**CSV, "Idempotency-Key": str(number)}, encode_chunked=True
        )
        answer = connection.getresponse()
        assert answer.status == 200
        assert json.loads(answer.read())["rejected"] == 0
        state = requests.get(f"{address}{YARD}/state", timeout=10).json()
        assert state["positions"]
    connection.close()
    assert requests.get(f"{address}{YARD}", timeout=10).json()["rows"] == len(lines)


def test_a_live_trajectory_survives_a_restart(desk: Desk) -> None:
    """A new service over the same folder knows the rows and the keys."""
    headers = {**CSV, "Idempotency-Key": "k"}
    with TestClient(create_app(desk.services)) as client:
        first = client.post(ROWS, content=walk(1), headers=headers).json()
    assert desk.services.live is not None
    book = type(desk.services.live)(desk.services.live._folder)
    services = replace(desk.services, live=book, registry=type(desk.services.registry)())
    with TestClient(create_app(services)) as client:
        assert client.post(ROWS, content=walk(1), headers=headers).json() == first
        assert client.get(YARD).json()["rows"] == 18


def test_a_job_may_name_a_trajectory_that_grows(client: TestClient, desk: Desk) -> None:
    """It gets what has come so far, as a file of its own; what comes later changes nothing."""
    rows = "timestamp,objid,x,y,z\n" + "".join(
        f"2026-05-04 10:00:0{second}.000,obj00{number},{number * 1000},0,0\n"
        for second in range(3)
        for number in (1, 2)
    )
    posted = client.post(
        "/api/v1/trajectories/yard-9/rows", content=rows, headers={"content-type": "text/csv"}
    )
    assert posted.status_code == 200
    answer = client.post("/api/v1/jobs/by-path", json={"trajectory": "live:yard-9", "vlm": "off"})
    assert answer.status_code == 202
    path = desk.services.store.job(answer.json()["id"]).trajectory_path
    assert path is not None
    assert read_trajectory(Path(path)).objids == ("obj001", "obj002")


def test_a_job_may_not_name_a_trajectory_that_nobody_sends(client: TestClient) -> None:
    """There is nothing to analyse."""
    answer = client.post("/api/v1/jobs/by-path", json={"trajectory": "live:nobody"})
    assert answer.status_code in {400, 404}
