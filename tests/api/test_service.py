"""Health, metrics, headers, and who may change things."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from extension.model import JobStatus
from tests.api import samples
from tests.api.harness import Desk


def readings(client: TestClient) -> dict[tuple[str, ...], float]:
    """All samples of /metrics by name and label values."""
    text = client.get("/metrics").text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_about_says_what_is_connected(client: TestClient) -> None:
    """The reference program is named as what it is."""
    about = client.get("/api/v1/about").json()
    assert about["vlm_note"] == "A vision program stands in for a language model."
    assert about["receivers"] == ["hook"]


def test_a_living_service_says_so(client: TestClient) -> None:
    """Liveness and readiness, at the root."""
    assert client.get("/health/live").json() == {"status": "ok"}
    assert client.get("/health/ready").json() == {"status": "ok"}


def test_a_service_that_cannot_work_is_not_ready(client: TestClient, desk: Desk) -> None:
    """503 with the reasons, while it stays alive."""
    desk.faults += ["The worker stopped.", "The disk is full."]
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "The worker stopped. The disk is full."
    assert client.get("/health/live").status_code == 200


def test_metrics_count_what_the_store_holds(client: TestClient, shelf: Any) -> None:
    """Jobs by status, failed captions, events, incidents, deliveries by state."""
    shelf.add_job(samples.job())
    shelf.add_job(samples.job("job-2", status=JobStatus.QUEUED, finished_at=None))
    shelf.save_captions("job-1", [samples.caption(0), samples.caption(1, failed=True)])
    shelf.commit_judgement(
        "job-1",
        judged_chunks=2,
        events=[samples.event(), samples.event(index=1)],
        incidents=[samples.incident()],
        messages=[samples.message(), samples.message(index=1)],
    )
    shelf.mark_failed(samples.message().id, "410")
    values = readings(client)
    assert values["timetravel_jobs", "done"] == 1
    assert values["timetravel_jobs", "queued"] == 1
    assert values["timetravel_jobs", "running"] == 0
    assert values["timetravel_captions",] == 1
    assert values["timetravel_captions_failed",] == 1
    assert values["timetravel_events",] == 2
    assert values["timetravel_incidents", "collision", "danger"] == 1
    assert values["timetravel_deliveries", "failed"] == 1
    assert values["timetravel_deliveries", "pending"] == 1
    assert values["timetravel_deliveries", "sent"] == 0


def test_metrics_follow_a_job_that_changes_after_its_end(client: TestClient, shelf: Any) -> None:
    """A remembered count is dropped when the job is tried again."""
    shelf.add_job(samples.job())
    shelf.save_captions("job-1", [samples.caption(0, failed=True)])
    assert readings(client)["timetravel_captions_failed",] == 1
    assert readings(client)["timetravel_captions_failed",] == 1
    shelf.requeue_job("job-1")
    shelf.save_captions("job-1", [samples.caption(0)])
    shelf.commit_judgement("job-1", judged_chunks=1, events=[samples.event()], incidents=[], messages=[])
    assert readings(client)["timetravel_captions_failed",] == 0
    assert readings(client)["timetravel_events",] == 1


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    """Errors too; data may not be cached, sniffed or run."""
    for path in ("/api/v1/jobs", "/api/v1/jobs/no", "/health/live", "/docs"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["referrer-policy"] == "same-origin"
    headers = client.get("/api/v1/jobs").headers
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 404), ("none", 404)]
)
def test_another_website_changes_nothing(client: TestClient, site: str, status: int) -> None:
    """A browser says who asks; strangers may read nothing either, for want of CORS headers."""
    answer = client.post("/api/v1/jobs/no/retry", headers={"Sec-Fetch-Site": site})
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_wrong_method_is_a_problem_too(client: TestClient) -> None:
    """405 in the same form as all errors."""
    answer = client.delete("/api/v1/jobs/no")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


def test_metrics_count_beyond_one_page_of_jobs(client: TestClient, shelf: Any) -> None:
    """The store gives jobs in pages; none is left out and none counted twice."""
    for index in range(205):
        at = samples.BEGIN + dt.timedelta(seconds=index)
        shelf.add_job(samples.job(f"job-{index:03}", status=JobStatus.FAILED, created_at=at))
    assert readings(client)["timetravel_jobs", "failed"] == 205
