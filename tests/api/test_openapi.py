"""The document says what the service does, and the service does what the document says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import positive_data_acceptance

from tests.api import samples
from tests.api.harness import Desk, StillClock
from tests.api.memory_shelf import MemoryShelf

OPERATIONS = {
    "upload_job",
    "create_job_by_path",
    "list_jobs",
    "get_job",
    "retry_job",
    "get_video",
    "list_captions",
    "list_events",
    "list_job_incidents",
    "list_job_deliveries",
    "list_outputs",
    "get_output",
    "get_summary",
    "ask_question",
    "list_incidents",
    "get_incident",
    "get_evidence",
    "get_evidence_file",
    "append_rows",
    "list_trajectories",
    "get_trajectory",
    "get_state",
    "list_contacts",
    "delete_trajectory",
    "list_deliveries",
    "redeliver",
    "list_cameras",
    "get_camera",
    "explain_camera",
    "get_brief",
    "put_brief",
    "delete_brief",
    "get_snapshot",
    "get_about",
    "get_live",
    "get_ready",
    "get_metrics",
}


# No schema says which bytes are a video, or which corners enclose something: random ones are rightly refused.
BEYOND_SCHEMA = {"upload_job": [positive_data_acceptance], "put_brief": [positive_data_acceptance]}


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """All operations of the document."""
    return [operation for item in document["paths"].values() for operation in item.values()]


def test_operation_ids_are_stable(app: FastAPI) -> None:
    """Generated clients name their methods by them."""
    assert {operation["operationId"] for operation in operations(app.openapi())} == OPERATIONS


def test_every_operation_is_described(app: FastAPI) -> None:
    """A summary, a description and a known tag each."""
    tags = {tag["name"] for tag in app.openapi()["tags"]}
    for operation in operations(app.openapi()):
        assert operation["summary"]
        assert operation["description"]
        assert set(operation["tags"]) <= tags


def test_every_error_is_a_problem(app: FastAPI) -> None:
    """All 4xx and 5xx answers are problem+json in the document, as they are on the wire."""
    for operation in operations(app.openapi()):
        for status, response in operation["responses"].items():
            if status[0] in "45":
                assert list(response["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in app.openapi()["components"]["schemas"]


def test_the_upload_form_offers_the_options_of_a_job(app: FastAPI) -> None:
    """The form and the JSON request share their options."""
    body = app.openapi()["paths"]["/api/v1/jobs"]["post"]["requestBody"]
    form = body["content"]["multipart/form-data"]["schema"]
    by_path = app.openapi()["components"]["schemas"]["JobIn"]["properties"]
    assert set(form["properties"]) == (set(by_path) - {"path", "pieces"}) | {"video"}
    assert form["anyOf"] == [{"required": ["video"]}, {"required": ["trajectory"]}]


def test_the_alert_is_described_as_a_webhook(app: FastAPI) -> None:
    """With an example that fits its own schema."""
    document = app.openapi()
    operation = document["webhooks"]["incident"]["post"]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][reference.rsplit("/", 1)[1]]
    (example,) = schema["examples"]
    checkable = {"$ref": reference, "components": document["components"]}
    jsonschema_rs.validate(checkable, example)


def test_the_document_holds_no_path_of_this_machine(client: TestClient, desk: Desk) -> None:
    """What it says is about the service, not about where it runs."""
    assert str(desk.services.media_dir) not in client.get("/openapi.json").text
    assert str(Path.cwd()) not in client.get("/openapi.json").text


@pytest.fixture
def shelf(clock: StillClock) -> MemoryShelf:
    """In memory: the document is the same over any store."""
    return MemoryShelf(clock)


@pytest.mark.parametrize("operation_id", sorted(OPERATIONS))
def test_random_requests_are_answered_as_documented(
    app: FastAPI, shelf: MemoryShelf, operation_id: str
) -> None:
    """No request makes it fail; statuses, media types and bodies are those of the document."""
    shelf.add_job(samples.job())
    operation = schemathesis.openapi.from_asgi("/openapi.json", app).find_operation_by_id(operation_id)

    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def answered(case: Any) -> None:
        case.call_and_validate(excluded_checks=BEYOND_SCHEMA.get(operation_id, []))

    answered()
