"""Evidence over the API: manifest, links that work, parts of a clip, and a plain no where there is none."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from extension.client import ApiClient
from extension.errors import NotFound
from extension.evidence.account import Case
from extension.evidence.collect import collect
from extension.evidence.expiry import expire, stored
from extension.evidence.parts import whole
from extension.model import Span
from tests.api import samples
from tests.api.harness import Desk
from tests.evidence.cases import CONTEXT

URL = "/api/v1/incidents/job-1-incident-0/evidence"


@pytest.fixture
def judged(shelf: Any) -> Any:
    """A store with one job that has one incident."""
    shelf.add_job(samples.job())
    event = samples.event(start_s=0.5)
    incident = replace(samples.incident(), span=Span(0.5, 1.5))
    shelf.save_captions("job-1", [samples.caption(0)])
    shelf.commit_judgement("job-1", judged_chunks=1, events=[event], incidents=[incident], messages=[])
    return shelf


@pytest.fixture
def folder(judged: Any, desk: Desk, clip: Path) -> Path:
    """The evidence of that incident, made from what the store knows."""
    outputs = desk.services.outputs_dir / "job-1"
    case = Case(judged.incidents("job-1")[0], judged.events("job-1"), judged.captions("job-1"))
    collect(outputs, [case], whole(clip, 2.0), CONTEXT)
    return outputs / "evidence" / "job-1-incident-0"


def test_the_manifest_is_served_with_links(client: TestClient, folder: Path) -> None:
    """Every link works, and leads to what its hash says."""
    page = client.get(URL).json()
    assert page["incident_id"] == page["manifest"]["incident"]["id"] == "job-1-incident-0"
    assert page["job_id"] == "job-1"
    assert page["manifest_sha256"] == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert {link["name"] for link in page["links"]} == {
        "manifest.json",
        "SHA256SUMS",
        "clip.mp4",
        "snapshot.jpg",
    }
    for link in page["links"]:
        answer = client.get(link["href"])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == link["media_type"]
        assert hashlib.sha256(answer.content).hexdigest() == link["sha256"]
        assert len(answer.content) == link["size_bytes"]


def test_what_the_store_knows_is_what_the_manifest_tells(client: TestClient, folder: Path) -> None:
    """Incident, event, claim and answer hang together."""
    assert folder.is_dir()
    manifest = client.get(URL).json()["manifest"]
    (step,) = manifest["decision"]["steps"]
    assert (step["ruling"], step["claim"]["objects"]) == ("claimed", ["3", "7"])
    assert step["event"]["id"] == "job-1-event-0"
    (answer,) = manifest["answers"]
    assert answer["text"] == "all calm"


def test_a_player_can_ask_for_a_part(client: TestClient, folder: Path) -> None:
    """By Range, which seeking needs."""
    answer = client.get(f"{URL}/clip.mp4", headers={"Range": "bytes=10-19"})
    assert answer.status_code == 206
    assert answer.content == (folder / "clip.mp4").read_bytes()[10:20]
    assert answer.headers["content-range"].startswith("bytes 10-19/")


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize("tail", ["", "/manifest.json", "/clip.mp4"])
def test_where_there_is_none_the_answer_is_a_problem(client: TestClient, tail: str) -> None:
    """An incident without evidence is not an empty one."""
    answer = client.get(f"{URL}{tail}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith("There is no evidence of this incident")


@pytest.mark.parametrize("tail", ["", "/manifest.json", "/clip.mp4"])
def test_evidence_that_was_let_go_of_is_gone(client: TestClient, desk: Desk, folder: Path, tail: str) -> None:
    """Said as such, with the day, and with the hash by which an old alert can be compared; not a broken link."""
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    (one,) = stored(desk.services.outputs_dir)
    expire(one, dt.datetime(2027, 12, 24, tzinfo=dt.UTC))
    answer = client.get(f"{URL}{tail}")
    assert answer.status_code == 410
    assert answer.headers["content-type"] == "application/problem+json"
    assert "EXT_EVIDENCE_KEPT_S" in answer.json()["detail"]
    assert "2027-12-24" in answer.json()["detail"]
    assert digest in answer.json()["detail"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "name", ["other.mp4", ".part", "..%2Fmanifest.json", "%2e%2e", "..%2F..%2F..%2Ftest.db", "clip.mp4%00"]
)
def test_only_the_files_of_the_evidence_are_served(client: TestClient, name: str) -> None:
    """Whatever lies beside it or above it."""
    answer = client.get(f"{URL}/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_lies_beside_is_not_served(client: TestClient, folder: Path) -> None:
    """The manifest does not name it."""
    (folder / "note.txt").write_text("private", "utf-8")
    assert client.get(f"{URL}/note.txt").status_code == 404


@pytest.mark.usefixtures("folder")
def test_an_unknown_incident_has_no_evidence(client: TestClient) -> None:
    """As everywhere."""
    for url in ("/api/v1/incidents/nobody/evidence", "/api/v1/incidents/nobody/evidence/clip.mp4"):
        assert client.get(url).status_code == 404


def test_a_file_that_was_lost_has_no_link(client: TestClient, folder: Path) -> None:
    """Its hash is still in the manifest; `verify` tells of it."""
    (folder / "clip.mp4").unlink()
    page = client.get(URL).json()
    assert "clip.mp4" not in {link["name"] for link in page["links"]}
    assert "clip.mp4" in {file["name"] for file in page["manifest"]["files"]}
    assert client.get(f"{URL}/clip.mp4").status_code == 404


def test_a_changed_file_does_not_have_the_hash_of_its_link(client: TestClient, folder: Path) -> None:
    """The link tells what it was, so that whoever fetches it can see."""
    (folder / "snapshot.jpg").write_bytes(b"another picture")
    (link,) = (one for one in client.get(URL).json()["links"] if one["name"] == "snapshot.jpg")
    assert link["sha256"] != hashlib.sha256(b"another picture").hexdigest()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"manifest": 2}'])
def test_a_manifest_that_cannot_be_read_is_none(client: TestClient, folder: Path, content: bytes) -> None:
    """Of a later version, or damaged."""
    (folder / "manifest.json").write_bytes(content)
    assert client.get(URL).status_code == 404


def test_evidence_is_not_among_the_outputs(client: TestClient, folder: Path) -> None:
    """Those are files of the job itself."""
    assert folder.is_dir()
    assert client.get("/api/v1/jobs/job-1/outputs").json() == {"files": []}


@pytest.mark.usefixtures("folder")
def test_the_client_of_our_own_reads_it(address: str) -> None:
    """And says NotFound where there is none."""
    api = ApiClient(address)
    found = api.evidence("job-1-incident-0")
    assert found.manifest.incident.id == found.incident_id
    with pytest.raises(NotFound):
        api.evidence("nobody")


def test_the_client_says_that_evidence_is_gone(address: str, desk: Desk, folder: Path) -> None:
    """In the service's words; whoever only wants to know whether there is any need not know the difference."""
    assert folder.is_dir()
    (one,) = stored(desk.services.outputs_dir)
    expire(one, dt.datetime(2027, 12, 24, tzinfo=dt.UTC))
    with pytest.raises(NotFound, match="gone since 2027-12-24"):
        ApiClient(address).evidence("job-1-incident-0")
