"""Storing jobs, listing them, trying again, watching the video."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from extension.api.intake import Intake
from extension.api.uploads import Upload
from extension.model import JobStatus
from tests.api import samples
from tests.api.harness import Desk

CSV = b"timestamp,objid,x,y,z\n2026-05-04T01:02:03,1,0,0,0\n"
JOBS = "/api/v1/jobs"


def upload(client: TestClient, clip: Path, name: str = "yard.mp4", **fields: str) -> Any:
    """Upload the clip with some form fields."""
    return client.post(JOBS, files={"video": (name, clip.read_bytes())}, data=fields)


def uploads(desk: Desk) -> list[Path]:
    """All files that lie in the media folder, unfinished uploads included."""
    return [path for path in desk.services.media_dir.rglob("*") if path.is_file()]


def test_an_uploaded_video_becomes_a_waiting_job(client: TestClient, desk: Desk, clip: Path) -> None:
    """The job is stored with its options, its file lies in the media folder, the worker is woken."""
    answer = upload(
        client, clip, speed="3", chunk_s="2", prompt="replay", start_at="2026-05-04T10:00:00+09:00"
    )
    assert answer.status_code == 202
    body = answer.json()
    assert answer.headers["location"] == f"{JOBS}/{body['id']}"
    assert (body["name"], body["status"], body["speed"]) == ("yard.mp4", "queued", 3.0)
    job = desk.services.store.job(body["id"])
    assert Path(job.media_path).read_bytes() == clip.read_bytes()
    assert Path(job.media_path).is_relative_to(desk.services.media_dir)
    assert (job.options.speed, job.options.chunk_s) == (3.0, 2)
    assert job.options.start_at == dt.datetime(2026, 5, 4, 1, tzinfo=dt.UTC)
    assert desk.woken == [True]
    assert client.get(answer.headers["location"]).json() == body


def test_a_trajectory_comes_along(client: TestClient, desk: Desk, clip: Path) -> None:
    """The log is kept beside the video and the job says that it has one."""
    files = {"video": ("yard.mp4", clip.read_bytes()), "trajectory": ("log.csv", CSV)}
    body = client.post(JOBS, files=files).json()
    assert body["has_trajectory"]
    log = desk.services.store.job(body["id"]).trajectory_path
    assert log is not None
    assert Path(log).read_bytes() == CSV


def test_a_log_and_a_video_of_one_name_do_not_clash(client: TestClient, desk: Desk, clip: Path) -> None:
    """Each form field has its own folder."""
    files = {"video": ("same", clip.read_bytes()), "trajectory": ("same", CSV)}
    job = desk.services.store.job(client.post(JOBS, files=files).json()["id"])
    assert Path(job.media_path).read_bytes() != CSV


def test_empty_fields_of_a_browser_form_mean_the_default(client: TestClient, clip: Path) -> None:
    """A field left alone is sent as an empty text, a file not chosen as an empty part."""
    answer = client.post(
        JOBS,
        files={"video": ("yard.mp4", clip.read_bytes()), "trajectory": ("", b"")},
        data={"speed": "", "start_at": ""},
    )
    assert answer.status_code == 202
    assert answer.json()["speed"] == 1.0
    assert not answer.json()["has_trajectory"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        pytest.param("사고 영상 (1).mp4", "사고 영상 (1).mp4", id="korean"),
        pytest.param("../../etc/passwd", "passwd", id="climbing"),
        pytest.param("C:\\clips\\a;b&c'.mp4", "a;b&c'.mp4", id="windows"),
        pytest.param("-rf $HOME`id`.mp4", "rf _HOME_id_.mp4", id="shell"),
        pytest.param("...", "video", id="dots"),
        pytest.param("a" * 400 + ".mp4", "a" * 176 + ".mp4", id="long"),
    ],
)
def test_odd_file_names_are_kept_readable_and_safe(
    client: TestClient, desk: Desk, clip: Path, name: str, kept: str
) -> None:
    """The job carries the readable name and its file lies inside the media folder, and can be watched."""
    answer = upload(client, clip, name)
    assert answer.json()["name"] == kept
    media = Path(desk.services.store.job(answer.json()["id"]).media_path)
    assert media.name == kept
    assert media.resolve().is_relative_to(desk.services.media_dir.resolve())
    assert client.get(f"{answer.headers['location']}/video").content == clip.read_bytes()


@pytest.mark.parametrize("content", [b"", b"not a video", b"\x00" * 4096], ids=["empty", "text", "zeros"])
def test_what_is_no_video_is_refused_with_the_reason(client: TestClient, desk: Desk, content: bytes) -> None:
    """400 names the file but not where it lay, and neither a file nor a job is left behind."""
    answer = client.post(JOBS, files={"video": ("yard.mp4", content)})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "yard.mp4: not a video",
    }
    assert uploads(desk) == []
    assert desk.services.store.jobs() == []
    assert desk.woken == []


def test_a_truncated_video_is_refused(client: TestClient, desk: Desk, clip: Path) -> None:
    """Half of a file that keeps its index at the end cannot be opened."""
    answer = client.post(JOBS, files={"video": ("yard.mp4", clip.read_bytes()[:200])})
    assert answer.status_code == 400
    assert uploads(desk) == []


def test_a_log_without_columns_is_refused(client: TestClient, desk: Desk, clip: Path) -> None:
    """The reason names the line, both files go."""
    files = {"video": ("yard.mp4", clip.read_bytes()), "trajectory": ("log.csv", b"a,b\n1,2\n")}
    answer = client.post(JOBS, files=files)
    assert answer.status_code == 400
    assert answer.json()["detail"] == "log.csv: line 1: the columns must be timestamp,objid,x,y,z"
    assert uploads(desk) == []


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"speed": "0"}, "speed"),
        ({"speed": "nan"}, "speed"),
        ({"speed": "fast"}, "speed"),
        ({"chunk_s": "-1"}, "chunk_s"),
        ({"prompt": "Drop table"}, "prompt"),
        ({"start_at": "yesterday"}, "start_at"),
        ({"start_at": "2026-05-04T10:00:00"}, "start_at"),
        ({"colour": "red"}, "colour"),
        ({"path": "/etc/passwd"}, "path"),
        ({"trajectory": "/etc/passwd"}, "trajectory"),
    ],
)
def test_a_wrong_field_is_named(
    client: TestClient, desk: Desk, clip: Path, fields: dict[str, str], word: str
) -> None:
    """422 says which field is wrong; nothing is kept."""
    answer = upload(client, clip, **fields)
    assert answer.status_code == 422
    assert word in answer.json()["detail"]
    assert uploads(desk) == []
    assert desk.services.store.jobs() == []


def test_a_log_alone_is_a_job(client: TestClient, desk: Desk) -> None:
    """Its replay is drawn later; until then there is no video, and the job is named after it."""
    answer = client.post(
        JOBS, files={"trajectory": ("yard log.csv", CSV)}, data={"vlm": "candidates", "level": "full"}
    )
    assert answer.status_code == 202
    made = answer.json()
    assert (made["name"], made["has_trajectory"], made["vlm"]) == ("yard log.mp4", True, "candidates")
    job = desk.services.store.job(made["id"])
    assert (job.media_path, job.options.level) == ("", "full")
    missing = client.get(f"{JOBS}/{made['id']}/video")
    assert (missing.status_code, missing.json()["detail"]) == (
        404,
        "This job has no video. It is not drawn yet.",
    )


def test_a_log_alone_may_be_named_by_path(client: TestClient, desk: Desk) -> None:
    """The same without an upload."""
    log = desk.services.allowed_dirs[0] / "yard.csv"
    log.write_bytes(CSV)
    answer = client.post(f"{JOBS}/by-path", json={"trajectory": str(log), "vlm": "off"})
    assert answer.status_code == 202
    assert (answer.json()["name"], answer.json()["vlm"]) == ("yard.mp4", "off")


def test_a_form_without_any_file_is_refused(client: TestClient) -> None:
    """There must be something to look at, in a form and by path."""
    for answer in (
        client.post(JOBS, files={"speed": (None, "1.0")}),
        client.post(f"{JOBS}/by-path", json={"speed": 1.0}),
    ):
        assert answer.status_code == 422
        assert answer.json()["detail"] == "A job needs a video, a trajectory log, or both."


def test_sparing_the_vlm_takes_a_log(client: TestClient, clip: Path) -> None:
    """Without one, nobody else could tell."""
    answer = client.post(JOBS, files={"video": ("yard.mp4", clip.read_bytes())}, data={"vlm": "candidates"})
    assert answer.status_code == 400
    assert "needs a trajectory log" in answer.json()["detail"]


def test_the_same_key_gives_the_same_job(client: TestClient, desk: Desk, clip: Path) -> None:
    """Sent again after a lost answer, the upload makes no second job and leaves no second file."""
    files = {"video": ("yard.mp4", clip.read_bytes())}
    first = client.post(JOBS, files=files, headers={"Idempotency-Key": "a"})
    again = client.post(JOBS, files=files, headers={"Idempotency-Key": "a"})
    other = client.post(JOBS, files=files, headers={"Idempotency-Key": "b"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert other.json()["id"] != first.json()["id"]
    assert len(desk.services.store.jobs()) == 2
    assert len(uploads(desk)) == 2


def test_the_second_of_two_uploads_with_one_key_yields(desk: Desk, clip: Path) -> None:
    """Both arrived before either was stored: one job, one file."""
    intake = Intake(desk.services)
    jobs = []
    for _ in range(2):
        folder = intake.incoming_folder()
        (folder / "video").mkdir(parents=True)
        (folder / "video" / "yard.mp4").write_bytes(clip.read_bytes())
        jobs.append(intake.from_upload(Upload(folder, {}, {"video": "yard.mp4"}), "key"))
    assert jobs[0] == jobs[1]
    assert len(uploads(desk)) == 1


def test_a_video_inside_an_allowed_folder_is_taken_by_path(
    client: TestClient, desk: Desk, clip: Path
) -> None:
    """Nothing is copied: the job names the file itself."""
    video = desk.services.allowed_dirs[0] / "gate.mp4"
    video.write_bytes(clip.read_bytes())
    log = desk.services.allowed_dirs[0] / "gate.csv"
    log.write_bytes(CSV)
    asked = {"path": str(video), "trajectory": str(log), "speed": 2}
    answer = client.post(f"{JOBS}/by-path", json=asked)
    assert answer.status_code == 202
    assert answer.headers["location"].endswith(answer.json()["id"])
    job = desk.services.store.job(answer.json()["id"])
    assert Path(job.media_path) == video.resolve()
    assert job.trajectory_path == str(log.resolve())
    assert uploads(desk) == []


@pytest.mark.parametrize("field", ["path", "trajectory"])
def test_a_path_outside_is_forbidden(
    client: TestClient, desk: Desk, clip: Path, tmp_path: Path, field: str
) -> None:
    """Neither directly, nor by climbing, nor by a link that leads out; whether or not something is there."""
    folder = desk.services.allowed_dirs[0]
    inside = folder / "in.mp4"
    inside.write_bytes(clip.read_bytes())
    outside = tmp_path / "secret.mp4"
    outside.write_bytes(clip.read_bytes())
    (folder / "link.mp4").symlink_to(outside)
    (folder / "loop").symlink_to(folder / "loop")
    for path in (
        str(outside),
        f"{folder}/../secret.mp4",
        str(folder / "link.mp4"),
        str(tmp_path / "nothing.mp4"),
        f"{folder}-sibling/x.mp4",
        "/proc/self/environ",
        f"{folder}/a\x00b",
        "relative.mp4",
    ):
        answer = client.post(f"{JOBS}/by-path", json={"path": str(inside), field: path})
        assert answer.status_code == 403, path
        assert "secret" not in answer.text
    assert desk.services.store.jobs() == []


def test_a_missing_file_inside_is_not_found(client: TestClient, desk: Desk) -> None:
    """404 for what is not there, what is a folder or a pipe, and for names no file system takes."""
    folder = desk.services.allowed_dirs[0]
    (folder / "sub").mkdir()
    os.mkfifo(folder / "pipe")
    for path in (folder / "no.mp4", folder / "sub", folder / "pipe", folder / ("x" * 300)):
        answer = client.post(f"{JOBS}/by-path", json={"path": str(path)})
        assert answer.status_code == 404, path
        assert str(folder) not in answer.text


def test_a_bad_video_by_path_stays_where_it_is(client: TestClient, desk: Desk) -> None:
    """The caller's own file is refused, not removed."""
    video = desk.services.allowed_dirs[0] / "gate.mp4"
    video.write_bytes(b"no")
    answer = client.post(f"{JOBS}/by-path", json={"path": str(video)})
    assert answer.status_code == 400
    assert answer.json()["detail"] == "gate.mp4: not a video"
    assert video.exists()


def test_jobs_are_listed_in_pages_newest_first(client: TestClient, shelf: Any) -> None:
    """`before` continues where the page before ended."""
    for index in range(5):
        at = samples.BEGIN + dt.timedelta(seconds=index)
        shelf.add_job(samples.job(f"job-{index}", created_at=at))
    first = client.get(JOBS, params={"limit": 2}).json()
    second = client.get(JOBS, params={"limit": 2, "before": first[-1]["id"]}).json()
    assert [job["id"] for job in first + second] == ["job-4", "job-3", "job-2", "job-1"]


def test_failed_chunks_are_tried_again(client: TestClient, desk: Desk, shelf: Any) -> None:
    """A finished job with failures waits again, and the worker is woken."""
    shelf.add_job(samples.job())
    shelf.save_captions("job-1", [samples.caption(0), samples.caption(1, failed=True)])
    answer = client.post(f"{JOBS}/job-1/retry")
    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"
    assert answer.json()["failed_chunks"] == 0
    assert desk.woken == [True]


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.DONE])
def test_there_is_nothing_to_try_again(client: TestClient, shelf: Any, status: JobStatus) -> None:
    """A job that is not over, or that failed nowhere, is left alone."""
    shelf.add_job(samples.job(status=status))
    answer = client.post(f"{JOBS}/job-1/retry")
    assert answer.status_code == 409
    assert shelf.job("job-1").status is status


def test_a_players_seek_gets_its_part(client: TestClient, shelf: Any, clip: Path) -> None:
    """Range answers 206 with exactly those bytes; a range beyond the end is refused."""
    shelf.add_job(samples.job(media=clip))
    whole = client.get(f"{JOBS}/job-1/video")
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["accept-ranges"] == "bytes"
    part = client.get(f"{JOBS}/job-1/video", headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == clip.read_bytes()[10:20]
    assert client.get(f"{JOBS}/job-1/video", headers={"Range": "bytes=99999999-"}).status_code == 416


def test_a_file_that_is_no_video_by_name_is_served_as_bytes(
    client: TestClient, shelf: Any, tmp_path: Path
) -> None:
    """A browser never runs an upload as a page."""
    page = tmp_path / "page.html"
    page.write_text("<script>alert(1)</script>")
    shelf.add_job(samples.job(media=page))
    answer = client.get(f"{JOBS}/job-1/video")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_video_that_was_removed_is_not_found(client: TestClient, shelf: Any) -> None:
    """404, not a broken stream."""
    shelf.add_job(samples.job())
    assert client.get(f"{JOBS}/job-1/video").status_code == 404


def test_a_jobs_error_names_no_place(client: TestClient, shelf: Any, tmp_path: Path) -> None:
    """What the worker wrote may hold the path; the answer does not."""
    media = tmp_path / "yard.mp4"
    shelf.add_job(samples.job(media=media, status=JobStatus.FAILED, error=f"{media}: cannot be read"))
    for body in (client.get(f"{JOBS}/job-1").json(), client.get(JOBS).json()[0]):
        assert body["error"] == "yard.mp4: cannot be read"
        assert str(tmp_path) not in str(body)
