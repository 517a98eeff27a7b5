"""How jobs come in: nothing is stored that cannot be analysed, nothing is kept that is not stored."""

from __future__ import annotations

import dataclasses
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from extension.api.intake import Intake, job_id, without_paths
from extension.api.uploads import Upload
from extension.errors import BadSource, Unavailable
from extension.wire import JobIn
from tests.api.harness import Desk


def arrived(intake: Intake, clip: Path, **texts: str) -> Upload:
    """An upload of the clip that lies where unfinished ones lie."""
    folder = intake.incoming_folder()
    (folder / "video").mkdir(parents=True)
    (folder / "video" / clip.name).write_bytes(clip.read_bytes())
    return Upload(folder, texts, {"video": clip.name})


def kept(desk: Desk) -> list[Path]:
    """All files of the media folder."""
    return [path for path in desk.services.media_dir.rglob("*") if path.is_file()]


def test_a_key_names_its_job() -> None:
    """The same id for the same key on any machine; without a key a fresh one each time."""
    assert job_id("k") == job_id("k") != job_id("K")
    assert job_id(None) != job_id(None)
    assert uuid.UUID(job_id("k")).version == 5


def test_the_worker_is_woken_after_the_job_is_stored(desk: Desk, clip: Path) -> None:
    """Woken before, it would look, find nothing and sleep on."""
    stored_when_woken: list[int] = []
    services = dataclasses.replace(
        desk.services, wake=lambda: stored_when_woken.append(len(desk.services.store.jobs()))
    )
    intake = Intake(services)
    intake.from_upload(arrived(intake, clip), None)
    assert stored_when_woken == [1]


def test_a_store_that_fails_keeps_no_file(desk: Desk, clip: Path) -> None:
    """The error goes to the caller, who sends again."""

    class Broken:
        def add_job(self, _job: Any) -> None:
            raise Unavailable("the database is locked")

    services = dataclasses.replace(desk.services, store=Broken())  # type: ignore[arg-type]  # only add_job is called
    intake = Intake(services)
    with pytest.raises(Unavailable):
        intake.from_upload(arrived(intake, clip), None)
    assert kept(desk) == []
    assert desk.woken == []


def test_a_relative_media_folder_gives_absolute_jobs(
    desk: Desk, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started from elsewhere, the service still finds the video."""
    monkeypatch.chdir(tmp_path)
    intake = Intake(dataclasses.replace(desk.services, media_dir=Path("media")))
    job = intake.from_upload(arrived(intake, clip), None)
    assert Path(job.media_path).is_absolute()
    assert Path(job.media_path).is_file()


def test_a_failing_check_is_reported_by_name(desk: Desk, clip: Path) -> None:
    """Its kind stays, the place does not."""

    def probe(path: Path) -> object:
        raise BadSource(f"{path} (in {path.parent}/) holds no frame")

    intake = Intake(dataclasses.replace(desk.services, probe=probe))
    with pytest.raises(BadSource) as caught:
        intake.from_upload(arrived(intake, clip), None)
    assert str(caught.value) == "yard.mp4 (in ) holds no frame"


def test_by_path_a_key_is_honoured_too(desk: Desk, clip: Path) -> None:
    """Even when the file has gone meanwhile the caller learns of the job."""
    video = desk.services.allowed_dirs[0] / "a.mp4"
    video.write_bytes(clip.read_bytes())
    intake = Intake(desk.services)
    job = intake.from_path(JobIn(path=str(video)), "key")
    assert intake.known("key") == desk.services.store.job(job.id)
    assert intake.known("other") is None
    assert intake.known(None) is None


def test_paths_leave_a_sentence() -> None:
    """The file keeps its name."""
    assert without_paths("cannot read /var/x/a.mp4: /var/x/a.mp4 is cut", Path("/var/x/a.mp4")) == (
        "cannot read a.mp4: a.mp4 is cut"
    )


def test_many_uploads_at_once_with_one_key_are_one_job(address: str, desk: Desk, clip: Path) -> None:
    """Whatever the order in which they arrive: one job, one file, one answer."""

    def send(_: int) -> Any:
        answer = requests.post(
            f"{address}/api/v1/jobs",
            files={"video": ("a.mp4", clip.read_bytes())},
            headers={"Idempotency-Key": "one"},
            timeout=30,
        )
        return answer.status_code, answer.json()["id"]

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(send, range(6)))
    assert answers == {(202, job_id("one"))}
    assert len(desk.services.store.jobs()) == 1
    assert len(kept(desk)) == 1
