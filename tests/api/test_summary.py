"""The summary over the API: as it was written at the end of a job, as far as it is known before, and never of an earlier run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from extension.client import ApiClient
from extension.errors import NotFound
from extension.model import JobStatus, Phase, Span
from extension.playback.write import write_summary
from extension.timetravel.summary import Summary
from extension.timetravel.summary_making import summarize
from extension.timetravel.summary_tongues import Language
from extension.timetravel.summary_wire import SummaryOut, json_name
from extension.timetravel.trajectory import Trajectory
from tests.api import samples
from tests.api.harness import Desk
from tests.timetravel.summary_samples import SEOUL, anchored, log

URL = "/api/v1/jobs/job-1/summary"


@pytest.fixture
def judged(shelf: Any) -> Any:
    """A store with one judged job: a collision at 9.5 s of the log, one chunk without a verdict."""
    shelf.add_job(samples.job())
    shelf.save_captions("job-1", [samples.caption(index, failed=index == 3) for index in range(10)])
    incident = dataclasses.replace(anchored(0, 9.5, 10.5), phase=Phase.OPEN, span=Span(3.2, 3.5))
    shelf.commit_judgement("job-1", judged_chunks=10, events=[], incidents=[incident], messages=[])
    return shelf


def made(shelf: Any, trajectory: Trajectory | None = None) -> Summary:
    """The job's summary, as the pipeline makes it at the end."""
    return summarize(
        shelf.job("job-1"),
        shelf.incidents("job-1"),
        shelf.captions("job-1"),
        trajectory=trajectory,
        tz=SEOUL,
        ended=True,
    )


def written(shelf: Any, desk: Desk, trajectory: Trajectory | None = None) -> Path:
    """Keep the job's summary for programs where the pipeline keeps it; the folder."""
    folder = desk.services.outputs_dir / "job-1"
    folder.mkdir()
    for language in Language:
        page = SummaryOut.of(made(shelf, trajectory), language)
        (folder / json_name(language)).write_text(page.model_dump_json(), encoding="utf-8")
    return folder


def test_the_written_summary_is_served(client: TestClient, judged: Any, desk: Desk) -> None:
    """With distances, in the zone that the pipeline told."""
    written(judged, desk, log())
    page = client.get(URL).json()
    assert page["timezone"] == "Asia/Seoul"
    (moment,) = page["moments"]
    assert moment["closest_cm"] == pytest.approx(40.0)
    assert moment["sentence"] == "At 09:00:09, objects 1 and 2 collided, 40 cm between their centres."
    assert page["coverage"]["failed"][0]["code"] == "VlmGarbled"
    assert page["text"].startswith("# Summary of yard.mp4\n")


def test_the_language_is_chosen_by_the_caller(client: TestClient, judged: Any, desk: Desk) -> None:
    """English unless told otherwise; a language that we do not write is refused."""
    written(judged, desk, log())
    assert client.get(URL).json()["language"] == "en"
    korean = client.get(URL, params={"lang": "ko"}).json()
    assert korean["language"] == "ko"
    assert korean["sentences"][0] == "충돌 1건을 찾았습니다(위험 1건)."
    refused = client.get(URL, params={"lang": "fr"})
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_without_a_written_summary_the_store_tells(client: TestClient, lang: str) -> None:
    """All but the distances."""
    page = client.get(URL, params={"lang": lang}).json()
    (moment,) = page["moments"]
    assert (moment["closest_cm"], moment["start_s"], moment["objects"]) == (None, 3.2, ["1", "2"])
    assert page["coverage"]["judged"] == 9
    assert page["coverage"]["ended"]
    assert page["timezone"] == "UTC"


def test_a_job_under_way_tells_what_is_known_so_far(client: TestClient, shelf: Any) -> None:
    """And how much is still to come."""
    shelf.add_job(samples.job("job-1", status=JobStatus.RUNNING, finished_at=None, judged_chunks=2))
    shelf.save_captions("job-1", [samples.caption(0), samples.caption(1)])
    page = client.get(URL).json()
    assert page["sentences"][0] == "Nothing has been found so far."
    assert (page["coverage"]["judged"], page["coverage"]["not_asked"]) == (2, 8)
    assert not page["coverage"]["ended"]


def test_the_summary_of_an_earlier_run_is_not_served(client: TestClient, judged: Any, desk: Desk) -> None:
    """A job that found more since it was summarized tells of that."""
    written(judged, desk)
    second = anchored(1, 30.0, 31.0, objects=("1", "3"))
    judged.commit_judgement("job-1", judged_chunks=10, events=[], incidents=[second], messages=[])
    assert len(client.get(URL).json()["moments"]) == 2


def test_a_chunk_that_was_judged_later_is_no_longer_missing(
    client: TestClient, judged: Any, desk: Desk
) -> None:
    """The proof of what was looked at is never an old one."""
    written(judged, desk)
    judged.save_captions("job-1", [samples.caption(3)])
    assert client.get(URL).json()["coverage"]["failed"] == []


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"job_id": 1}'])
def test_a_damaged_file_is_passed_over(client: TestClient, judged: Any, desk: Desk, content: bytes) -> None:
    """The store knows enough."""
    folder = written(judged, desk)
    (folder / "summary.en.json").write_bytes(content)
    assert len(client.get(URL).json()["moments"]) == 1


def test_pictures_are_among_the_outputs(client: TestClient, judged: Any, desk: Desk) -> None:
    """With the media types that a browser needs."""
    write_summary(desk.services.outputs_dir / "job-1", made(judged, log()), Path("/nowhere/yard.mp4"), log())
    files = client.get("/api/v1/jobs/job-1/outputs").json()["files"]
    assert {"heatmap.png", "timeline.png", "summary.en.md", "summary.ko.md"} <= set(files)
    for name, media_type in (
        ("heatmap.png", "image/png"),
        ("summary.ko.md", "text/markdown"),
        ("summary.en.json", "application/json"),
    ):
        answer = client.get(f"/api/v1/jobs/job-1/outputs/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media_type)


def test_an_unknown_job_has_no_summary(client: TestClient) -> None:
    """Not an empty one: that would be calm."""
    answer = client.get("/api/v1/jobs/nobody/summary")
    assert answer.status_code == 404
    assert answer.json()["detail"]


def test_the_client_reads_it(address: str, judged: Any, desk: Desk) -> None:
    """As the page and the command line do."""
    written(judged, desk, log())
    api = ApiClient(address)
    assert api.summary("job-1").worst == 1
    assert api.summary("job-1", Language.KO).title == "yard.mp4 요약"
    with pytest.raises(NotFound):
        api.summary("../about")
