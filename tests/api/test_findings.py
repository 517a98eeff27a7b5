"""Reading what was found, asking, deliveries, outputs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from extension.api import create_app
from extension.errors import ExtensionError, NotFound, ViaServerRefused, VlmGarbled, VlmUnavailable
from tests.api import samples
from tests.api.harness import Desk


@pytest.fixture
def judged(shelf: Any) -> Any:
    """A store with one judged job."""
    shelf.add_job(samples.job())
    shelf.save_captions("job-1", [samples.caption(0), samples.caption(1, failed=True), samples.caption(2)])
    shelf.commit_judgement(
        "job-1",
        judged_chunks=3,
        events=[samples.event(index=1, start_s=9.0), samples.event()],
        incidents=[samples.incident()],
        messages=[samples.message()],
    )
    return shelf


@pytest.mark.usefixtures("judged")
def test_captions_come_in_order_with_their_failures(client: TestClient) -> None:
    """A failed chunk says why; the others carry their verdict."""
    captions = client.get("/api/v1/jobs/job-1/captions").json()
    assert [c["chunk_index"] for c in captions] == [0, 1, 2]
    assert captions[1]["failure"] == "VlmGarbled: The answer is not a verdict."
    assert captions[0]["status"] == "danger"
    part = client.get("/api/v1/jobs/job-1/captions", params={"first": 1, "limit": 1}).json()
    assert part == captions[1:2]


@pytest.mark.usefixtures("judged")
def test_events_come_by_time_with_their_places(client: TestClient) -> None:
    """Everything an event holds crosses the wire."""
    events = client.get("/api/v1/jobs/job-1/events").json()
    assert [e["start_s"] for e in events] == [4.2, 9.0]
    assert events[0]["positions"][1] == {"objid": "7", "x": 133.25, "y": 0.0, "z": -40.0}
    assert events[0]["start_at"] == "2026-05-04T01:02:03Z"


@pytest.mark.usefixtures("judged")
def test_incidents_are_found_by_job_by_id_and_in_all(client: TestClient) -> None:
    """Three ways to the same thing."""
    (incident,) = client.get("/api/v1/jobs/job-1/incidents").json()
    assert incident["phase"] == "open"
    assert client.get(f"/api/v1/incidents/{incident['id']}").json() == incident
    assert client.get("/api/v1/incidents", params={"limit": 5}).json() == [incident]


def test_a_delivery_is_sent_again_on_request(client: TestClient, desk: Desk, judged: Any) -> None:
    """A delivery that was given up becomes due now."""
    (before,) = client.get("/api/v1/deliveries").json()
    judged.mark_failed(before["id"], "410 Gone")
    (failed,) = client.get("/api/v1/jobs/job-1/deliveries").json()
    assert (failed["state"], failed["last_error"]) == ("failed", "410 Gone")
    answer = client.post(f"/api/v1/deliveries/{before['id']}/redeliver")
    assert answer.status_code == 202
    assert answer.json()["state"] == "pending"
    assert desk.woken == [True]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/jobs/no"),
        ("GET", "/api/v1/jobs/no/captions"),
        ("GET", "/api/v1/jobs/no/events"),
        ("GET", "/api/v1/jobs/no/incidents"),
        ("GET", "/api/v1/jobs/no/deliveries"),
        ("GET", "/api/v1/jobs/no/video"),
        ("GET", "/api/v1/jobs/no/outputs"),
        ("GET", "/api/v1/jobs/no/outputs/x"),
        ("POST", "/api/v1/jobs/no/retry"),
        ("GET", "/api/v1/incidents/no"),
        ("POST", "/api/v1/deliveries/no/redeliver"),
        ("GET", "/api/v1/nothing"),
    ],
)
def test_what_is_unknown_is_a_404_problem(client: TestClient, method: str, path: str) -> None:
    """Never an empty list for a job that does not exist."""
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.usefixtures("judged")
def test_a_question_reaches_the_answerer(client: TestClient, desk: Desk) -> None:
    """The answer comes back with its citations."""
    answer = client.post("/api/v1/jobs/job-1/questions", json={"question": "언제?"})
    assert answer.status_code == 200
    assert answer.json()["answer"] == "You asked: 언제?"
    assert answer.json()["citations"][0]["start_s"] == 12.5
    assert desk.asked == [("job-1", "언제?")]


@pytest.mark.parametrize("body", [{}, {"question": ""}, {"question": "x" * 2001}, {"question": 1}, []])
@pytest.mark.usefixtures("judged")
def test_a_question_must_be_one(client: TestClient, desk: Desk, body: Any) -> None:
    """422 before anybody is asked."""
    answer = client.post("/api/v1/jobs/job-1/questions", json=body)
    assert answer.status_code == 422
    assert desk.asked == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (VlmUnavailable("away"), 503),
        (VlmGarbled("nonsense"), 502),
        (ViaServerRefused("no", status=400, code="Bad"), 502),
        (NotFound("gone"), 404),
        (ExtensionError("odd"), 500),
    ],
)
@pytest.mark.usefixtures("judged")
def test_errors_say_what_the_caller_should_do(desk: Desk, error: ExtensionError, status: int) -> None:
    """Each branch of the error tree has its status; only waiting helps with 503."""

    def ask(*_: object) -> Any:
        raise error

    services = dataclasses.replace(desk.services, ask=ask, registry=CollectorRegistry())
    with TestClient(create_app(services), raise_server_exceptions=False) as client:
        answer = client.post("/api/v1/jobs/job-1/questions", json={"question": "why?"})
    assert answer.status_code == status
    assert answer.json()["detail"] == str(error)
    assert ("retry-after" in answer.headers) is (status == 503)


@pytest.mark.usefixtures("judged")
def test_an_unforeseen_error_tells_nothing(desk: Desk) -> None:
    """The answer is a problem that holds no word of the failure."""

    def ask(*_: object) -> Any:
        raise KeyError("secret")

    services = dataclasses.replace(desk.services, ask=ask, registry=CollectorRegistry())
    with TestClient(create_app(services), raise_server_exceptions=False) as client:
        answer = client.post("/api/v1/jobs/job-1/questions", json={"question": "why?"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


@pytest.mark.usefixtures("judged")
def test_outputs_are_listed_and_fetched_by_name(client: TestClient, desk: Desk) -> None:
    """Only what lies in the job's own folder."""
    assert client.get("/api/v1/jobs/job-1/outputs").json() == {"files": []}
    folder = desk.services.outputs_dir / "job-1"
    folder.mkdir()
    (folder / "events.jsonl").write_text('{"a": 1}\n')
    (folder / ".half-written").write_text("")
    (folder / "sub").mkdir()
    assert client.get("/api/v1/jobs/job-1/outputs").json() == {"files": ["events.jsonl"]}
    answer = client.get("/api/v1/jobs/job-1/outputs/events.jsonl")
    assert answer.text == '{"a": 1}\n'
    assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("name", ["..%2f..%2fsecret", "..", "%2e%2e%2fsecret", ".half", "sub"])
@pytest.mark.usefixtures("judged")
def test_no_output_name_leads_out(client: TestClient, desk: Desk, name: str) -> None:
    """Names are compared with the listing, never joined unseen."""
    folder = desk.services.outputs_dir / "job-1"
    (folder / "sub").mkdir(parents=True)
    (folder / ".half").write_text("x")
    Path(desk.services.outputs_dir / "secret").write_text("secret")
    answer = client.get(f"/api/v1/jobs/job-1/outputs/{name}")
    assert "secret" not in answer.text.replace("%2fsecret", "")
    assert answer.status_code in {200, 404}
    if answer.status_code == 200:  # the client itself walked up to the listing
        assert "files" in answer.json() or "id" in answer.json()
