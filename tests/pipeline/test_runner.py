"""A job runs from its video to stored incidents and messages, and goes on after a crash as if nothing had been."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import av
import numpy as np
import pytest

from extension.chunks.via_client import ViaClient
from extension.clock import SystemClock
from extension.model import (
    Announcement,
    Basis,
    Job,
    JobOptions,
    JobStatus,
    Message,
    Phase,
    Span,
    VlmUse,
)
from extension.notify.message import messages_for
from extension.notify.receivers import Receiver
from extension.pipeline.patience import Stopped
from extension.pipeline.records import Kept
from extension.pipeline.runner import JobRunner, Policy
from extension.pipeline.summing import Wish
from extension.pipeline.worker import Worker
from extension.sources.probe import probe
from extension.store import Store
from tests.pipeline.via_double import Answer, ViaDouble, captions

MADE_AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _clip(path: Path, seconds: float) -> Path:
    """A small grey video, 10 frames per second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(round(seconds * 10)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 128, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _contact(start_s: float, end_s: float, *objects: str) -> str:
    event = {
        "kind": "collision",
        "start_s": start_s,
        "end_s": end_s,
        "severity": "danger",
        "objects": objects,
    }
    return json.dumps({"status": "danger", "events": [event], "summary": ""})


def _content(start_s: float) -> str:
    """One contact over the border at 4 s, another in the last chunk."""
    answers = {
        2.0: _contact(1.5, 2.0, "1", "2"),
        4.0: _contact(0.0, 0.5, "1", "2"),
        8.0: _contact(0.5, 1.0, "3", "4"),
    }
    return answers.get(start_s, '{"status": "safe", "events": []}')


def _script(query: dict[str, Any], _: int) -> Answer:
    return 200, captions(query, _content)


def _announce(announcement: Announcement, job: Job) -> list[Message]:
    return messages_for(announcement, job, [Receiver("tests", "http://127.0.0.1:9/", ())], MADE_AT)


class Bench:
    """A store, a scripted via-server and runners on both."""

    def __init__(self, folder: Path, double: ViaDouble) -> None:
        self.folder = folder
        self.double = double
        self.store = Store.open(f"sqlite:///{folder / 'test.db'}", SystemClock())
        self.stop = threading.Event()
        self.policy = Policy(
            chunk_s=2,
            frames_per_chunk=0,
            max_frame_px=1280 * 720,
            chunks_per_request=2,
            requests_in_flight=2,
            max_tokens=512,
            patience_s=1.0,
            merge_gap_s=0.5,
            contact_cm=100.0,
            zero_copy=True,
            timezone=ZoneInfo("UTC"),
            replays_dir=folder / "media",
            logs_dir=folder / "logs",
            kept=Kept(folder / "outputs", Wish(film=None, most_moments=5), evidence=0),
        )

    def runner(self) -> JobRunner:
        """A runner as a fresh process would make it."""
        via = ViaClient(self.double.url, timeout_s=5.0)
        return JobRunner(self.store, via, _announce, self.policy, SystemClock(), self.stop, lambda: None)

    def add(self, video: Path, **changes: Any) -> Job:
        """A queued job."""
        job = Job("job-1", video.name, str(video), None, JobOptions(), JobStatus.QUEUED, MADE_AT)
        self.store.add_job(replace(job, **changes))
        found = self.store.next_job()
        assert found is not None
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench whose via-server sees two contacts in ten seconds."""
    with ViaDouble(_script) as double:
        made = Bench(tmp_path, double)
        yield made
        made.store.close()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Ten seconds of video."""
    return _clip(tmp_path / "ten.mp4", 10.0)


def _check_whole(bench: Bench) -> None:
    """The job is done, with two incidents told twice each, and nothing double."""
    job = bench.store.job("job-1")
    assert (job.status, job.error, job.failed_chunks) == (JobStatus.DONE, None, 0)
    assert (job.chunk_count, job.answered_chunks, job.judged_chunks) == (5, 5, 5)
    incidents = bench.store.incidents("job-1")
    assert sorted((i.objects, i.span.start_s, i.span.end_s, i.phase) for i in incidents) == [
        (("1", "2"), 3.5, 4.5, Phase.RESOLVED),
        (("3", "4"), 8.5, 9.0, Phase.RESOLVED),
    ]
    assert len(bench.store.events("job-1")) == 3
    types = sorted(d.message.type for d in bench.store.deliveries("job-1"))
    assert types == ["incident.opened"] * 2 + ["incident.resolved"] * 2


def test_a_job_runs_to_its_end(bench: Bench, video: Path) -> None:
    """Chunks are asked, judged in order, merged over borders, told and written out."""
    bench.runner().run(bench.add(video))
    _check_whole(bench)
    assert not bench.double.files, "the via-server keeps no file of ours"
    names = sorted(path.name for path in (bench.folder / "outputs" / "job-1").iterdir())
    assert [name.rsplit("_", 1)[-1] for name in names if name.endswith("l")] == [
        "eventlist.jsonl",
        "intermediate.jsonl",
    ]
    assert [name for name in names if not name.startswith("summary.")][3:] == ["timeline.png"]


class Crash(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("crash_at", range(1, 12))
def test_a_crash_at_any_commit_loses_and_doubles_nothing(
    bench: Bench, video: Path, crash_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever transaction is the last, the next start ends with the same incidents and messages."""
    done = 0

    def crashing(name: str) -> Any:
        real = getattr(Store, name)

        def commit(self: Store, *args: Any, **kwargs: Any) -> Any:
            nonlocal done
            done += 1
            if done == crash_at:
                raise Crash
            return real(self, *args, **kwargs)

        return commit

    job = bench.add(video)
    with monkeypatch.context() as patched:
        for name in ("plan_job", "save_captions", "commit_judgement", "finish_job"):
            patched.setattr(Store, name, crashing(name))
        with pytest.raises(Crash):
            bench.runner().run(job)
    left = bench.store.next_job()
    assert left is not None
    assert left.status is JobStatus.RUNNING
    bench.runner().run(left)
    _check_whole(bench)


def test_what_is_answered_is_not_asked_again(bench: Bench, video: Path) -> None:
    """A restart costs no second answer for stored chunks."""
    job = bench.add(video)
    bench.runner().run(job)
    before = len(bench.double.queries)
    bench.runner().run(bench.store.job(job.id))
    assert len(bench.double.queries) == before
    _check_whole(bench)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "ten.mp4", id="empty"),
        pytest.param(b"no video at all" * 100, "ten.mp4", id="no-video"),
    ],
)
def test_a_bad_video_fails_its_job_with_a_reason(
    bench: Bench, video: Path, content: bytes, reason: str
) -> None:
    """The file's name and what is wrong with it, no path of the machine."""
    video.write_bytes(content)
    bench.runner().run(bench.add(video))
    job = bench.store.job("job-1")
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert reason in job.error
    assert str(video.parent) not in job.error
    assert bench.double.queries == []


def test_failed_chunks_are_counted_in_the_jobs_own_words(bench: Bench, video: Path) -> None:
    """A chunk that could not be judged is never calm: the job says so."""
    bench.double.script = lambda q, _: (200, captions(q, lambda t: "gibberish" if t == 6.0 else _content(t)))
    bench.runner().run(bench.add(video))
    job = bench.store.job("job-1")
    assert (job.status, job.failed_chunks) == (JobStatus.DONE, 1)
    assert job.error == "1 of 5 chunks could not be judged (Garbled 1)"


def test_retrying_asks_only_for_the_failed_chunks(bench: Bench, video: Path) -> None:
    """The operator's retry mends the gap and tells nothing twice."""
    bench.double.script = lambda q, _: (200, captions(q, lambda t: "gibberish" if t == 2.0 else _content(t)))
    bench.runner().run(bench.add(video))
    bench.double.script, asked = _script, len(bench.double.queries)
    bench.store.requeue_job("job-1")
    job = bench.store.next_job()
    assert job is not None
    bench.runner().run(job)
    assert [q["media_info"]["start_offset"] for q in bench.double.queries[asked:]] == [2]
    assert bench.store.job("job-1").status is JobStatus.DONE
    assert sorted(i.span.start_s for i in bench.store.incidents("job-1")) == [3.5, 8.5]


def test_a_job_none_of_whose_chunks_could_be_judged_has_failed(bench: Bench, video: Path) -> None:
    """No verdict at all is no result."""
    bench.double.script = lambda q, _: (200, captions(q, lambda _: "hm"))
    bench.runner().run(bench.add(video))
    assert bench.store.job("job-1").status is JobStatus.FAILED


def test_without_a_via_server_the_job_fails_after_its_patience(bench: Bench, video: Path) -> None:
    """Down for longer than the patience: a clear reason."""
    bench.double.down = True
    bench.runner().run(bench.add(video))
    job = bench.store.job("job-1")
    assert job.status is JobStatus.FAILED
    assert "cannot be reached" in (job.error or "")


def test_a_trajectory_gives_world_time_and_places(bench: Bench, video: Path, tmp_path: Path) -> None:
    """At 3x, media second 8.5 is log second 25.5; the objects' places there travel with the incident."""
    log = tmp_path / "log.csv"
    rows = [
        f"2025-01-01 00:00:{t:02d}.000,obj{o:03d},{t * 10},0,{o}" for t in range(31) for o in (1, 2, 3, 4)
    ]
    log.write_text("timestamp,objid,x,y,z\n" + "\n".join(rows) + "\n")
    bench.runner().run(bench.add(video, trajectory_path=str(log), options=JobOptions(speed=3.0)))
    (incident,) = [i for i in bench.store.incidents("job-1") if i.objects == ("3", "4")]
    assert incident.start_at == dt.datetime(2025, 1, 1, 0, 0, 25, 500_000, tzinfo=dt.UTC)
    assert [(p.objid, p.x, p.z) for p in incident.positions] == [
        ("obj003", 255.0, 3.0),
        ("obj004", 255.0, 4.0),
    ]


def test_what_the_video_misses_at_its_edge_is_told_from_the_log(
    bench: Bench, video: Path, tmp_path: Path
) -> None:
    """The clocks say that the video begins 3 s into the log: a contact in the first second is found in the coordinates."""
    log = _log(tmp_path / "log.csv", {("1", "2"): (0, 1, 6, 7), ("3", "4"): (11, 12)})

    def with_clock(start_s: float) -> str:
        return json.dumps({**json.loads(_content(start_s)), "clock": f"00:00:{start_s + 3:02.0f}"})

    bench.double.script = lambda q, _: (200, captions(q, with_clock))
    bench.runner().run(bench.add(video, trajectory_path=str(log)))
    unseen, seen, last = bench.store.incidents("job-1")
    assert [i.objects for i in (unseen, seen, last)] == [("1", "2"), ("1", "2"), ("3", "4")]
    assert unseen.start_at == dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    assert "does not show" in unseen.description
    assert [i.basis for i in (unseen, seen, last)] == [Basis.LOG, Basis.VLM, Basis.BOTH]
    assert seen.start_at is not None
    assert abs(seen.start_at - dt.datetime(2025, 1, 1, 0, 0, 6, 500_000, tzinfo=dt.UTC)) <= dt.timedelta(
        seconds=0.5
    )
    assert [e.chunk_index for e in bench.store.events("job-1")] == [-1, 1, 3, 4]
    assert len(bench.store.deliveries("job-1")) == 6


def _log(path: Path, touching: dict[tuple[str, str], tuple[int, ...]]) -> Path:
    """Four objects, once a second for 14 s: 10 m apart but for pairs that meet in the given seconds."""
    rows = []
    for t in range(14):
        places = {name: 1000 * int(name) for name in "1234"}
        for (one, other), seconds in touching.items():
            if t in seconds:
                places[other] = places[one]
        rows += [f"2025-01-01 00:00:{t:02d}.000,obj{int(n):03d},{x},0,{t}" for n, x in places.items()]
    path.write_text("timestamp,objid,x,y,z\n" + "\n".join(rows) + "\n")
    return path


STATED = JobOptions(start_at=dt.datetime(2025, 1, 1, tzinfo=dt.UTC))


def test_the_log_refutes_adds_and_times(bench: Bench, video: Path, tmp_path: Path) -> None:
    """A claim that the log has too takes its times, one that it excludes falls, and what nobody claimed is added."""
    log = _log(tmp_path / "log.csv", {("1", "2"): (3, 4, 5), ("2", "4"): (7,)})
    bench.runner().run(bench.add(video, trajectory_path=str(log), options=STATED))
    seen, told = bench.store.incidents("job-1")
    assert (seen.objects, seen.span, seen.basis) == (("1", "2"), Span(3.0, 5.0), Basis.BOTH)
    assert (told.objects, told.span.start_s, told.basis) == (("2", "4"), 7.0, Basis.LOG)
    assert "did not report" in told.description
    assert [e.chunk_index for e in bench.store.events("job-1")] == [1, 2, 3]


def test_a_job_may_want_the_vlm_alone(bench: Bench, video: Path, tmp_path: Path) -> None:
    """Then the log gives places and nothing else."""
    log = _log(tmp_path / "log.csv", {("2", "4"): (7,)})
    options = replace(STATED, geometry=False)
    bench.runner().run(bench.add(video, trajectory_path=str(log), options=options))
    assert [(i.objects, i.basis) for i in bench.store.incidents("job-1")] == [
        (("1", "2"), Basis.VLM),
        (("3", "4"), Basis.VLM),
    ]


def test_only_candidates_are_asked_about(bench: Bench, video: Path, tmp_path: Path) -> None:
    """Chunks in which nobody is near anybody are recorded as not asked, with the reason."""
    log = _log(tmp_path / "log.csv", {("1", "2"): (3, 4)})
    options = replace(STATED, vlm=VlmUse.CANDIDATES)
    bench.runner().run(bench.add(video, trajectory_path=str(log), options=options))
    asked = [caption.asked for caption in bench.store.captions("job-1")]
    assert asked == [True, True, True, False, False]
    assert "no two objects come within 150 cm" in bench.store.captions("job-1")[4].stats["why"]
    (incident,) = bench.store.incidents("job-1")
    assert (incident.objects, incident.basis) == (("1", "2"), Basis.BOTH)


def test_without_the_vlm_the_log_speaks_and_no_server_is_needed(
    bench: Bench, video: Path, tmp_path: Path
) -> None:
    """The via-server is down, and nobody notices."""
    bench.double.down = True
    log = _log(tmp_path / "log.csv", {("1", "2"): (3, 4), ("3", "4"): (9,)})
    options = replace(STATED, vlm=VlmUse.OFF)
    bench.runner().run(bench.add(video, trajectory_path=str(log), options=options))
    job = bench.store.job("job-1")
    assert (job.status, job.error, job.model, job.answered_chunks) == (JobStatus.DONE, None, "log-alone", 5)
    assert [(i.objects, i.basis) for i in bench.store.incidents("job-1")] == [
        (("1", "2"), Basis.LOG),
        (("3", "4"), Basis.LOG),
    ]
    assert "has not looked" in bench.store.incidents("job-1")[0].description
    assert bench.double.added == 0


def _drawn(bench: Bench, tmp_path: Path, **options: Any) -> Job:
    """A job that has only a log, run to its end."""
    log = _log(tmp_path / "log.csv", {("1", "2"): (3, 4), ("3", "4"): (9,)})
    bench.double.script = lambda q, _: (200, captions(q, lambda _s: '{"status": "safe", "events": []}'))
    job = bench.add(Path("log.mp4"), media_path="", trajectory_path=str(log), options=JobOptions(**options))
    bench.runner().run(job)
    return bench.store.job("job-1")


def test_a_log_alone_is_drawn_and_then_looked_at(bench: Bench, tmp_path: Path) -> None:
    """The video is there to watch, and lies in the log without doubt."""
    job = _drawn(bench, tmp_path)
    assert (job.status, job.error, job.chunk_count) == (JobStatus.DONE, None, 7)
    assert probe(Path(job.media_path)).duration_s == pytest.approx(13.0, abs=0.1)
    assert job.options.start_at == dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    found = [(i.objects, i.span.start_s) for i in bench.store.incidents("job-1")]
    assert found == [(("1", "2"), 3.0), (("3", "4"), 9.0)]


def test_of_a_log_alone_only_the_candidates_are_drawn(bench: Bench, tmp_path: Path) -> None:
    """What is calm is left out of the video; world times are right all the same."""
    job = _drawn(bench, tmp_path, vlm=VlmUse.CANDIDATES, speed=0.5)
    assert len(job.options.pieces) >= 2
    assert probe(Path(job.media_path)).duration_s < 26.0
    starts = [i.start_at for i in bench.store.incidents("job-1")]
    assert starts == [dt.datetime(2025, 1, 1, 0, 0, s, tzinfo=dt.UTC) for s in (3, 9)]


def test_a_drawing_that_was_finished_is_not_drawn_again(bench: Bench, tmp_path: Path) -> None:
    """A crash after the drawing costs nothing."""
    job = _drawn(bench, tmp_path)
    made = Path(job.media_path).stat().st_mtime_ns
    bench.store.set_media("job-1", "", JobOptions())
    bench.store.requeue_job("job-1")
    again = bench.store.next_job()
    assert again is not None
    bench.runner().run(again)
    assert Path(bench.store.job("job-1").media_path).stat().st_mtime_ns == made


def test_a_stopping_service_leaves_no_half_drawing(bench: Bench, tmp_path: Path) -> None:
    """The drawing is begun anew at the next start."""
    log = _log(tmp_path / "log.csv", {})
    job = bench.add(Path("log.mp4"), media_path="", trajectory_path=str(log))
    bench.stop.set()
    with pytest.raises(Stopped):
        bench.runner().run(job)
    assert bench.store.job("job-1").media_path == ""
    assert not list((bench.folder / "media").rglob("*.mp4"))


def test_a_stopping_service_leaves_the_job_for_the_next_start(bench: Bench, video: Path) -> None:
    """Stopped is not failed."""
    job = bench.add(video)
    bench.stop.set()
    with pytest.raises(Stopped):
        bench.runner().run(job)
    assert bench.store.job(job.id).status is JobStatus.RUNNING


class Broken:
    """A runner that always breaks."""

    def run(self, job: Job) -> None:
        """Break."""
        raise RuntimeError(job.id)


def test_a_job_that_keeps_breaking_the_worker_is_failed(bench: Bench, video: Path) -> None:
    """One poisonous job does not hold up the others for ever."""
    bench.add(video)
    worker = Worker(bench.store, Broken(), bench.stop)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            worker.run()
        worker.broke("RuntimeError while working")
    job = bench.store.job("job-1")
    assert job.status is JobStatus.FAILED
    assert "internal error" in (job.error or "")
