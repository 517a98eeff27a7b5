"""A recording of a camera is judged by both looks; a restart asks for neither again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extension.captions.second_record import read, without_second_look
from extension.evidence import shelf
from extension.evidence.verify import folders, verify
from extension.model import Check, Job, JobOptions, JobStatus, Kind, Severity, Span
from extension.pipeline.again import judged_again
from extension.pipeline.records import Kept
from extension.pipeline.world import World
from extension.store import Store
from tests.pipeline.test_runner import Bench, _clip, _log
from tests.pipeline.twice import calm, saying, script, seconds
from tests.pipeline.via_double import SAFE, ViaDouble

CAMERA = JobOptions(prompt="camera", chunk_s=10)
FIRST = {0.0: saying(2.0, 4.0), 20.0: saying(8.0, 9.0, severity="extreme")}
"""Two falls in thirty seconds: at 2 s and at 28 s."""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty seconds of video."""
    return _clip(tmp_path_factory.mktemp("video") / "yard.mp4", 30.0)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A via-server that sees two falls, and on a second look only the first of them, and later."""
    double_script = script(
        lambda start_s: FIRST.get(start_s, SAFE),
        lambda query: saying(2.5, 5.0) if query["media_info"]["start_offset"] == 0 else SAFE,
    )
    with ViaDouble(double_script) as double:
        made = Bench(tmp_path, double)
        yield made
        made.store.close()


def _ran(bench: Bench, video: Path, **changes: Any) -> Job:
    job = bench.add(video, **{"options": CAMERA, **changes})
    bench.runner().run(job)
    return bench.store.job(job.id)


def test_only_what_was_seen_twice_is_told(bench: Bench, video: Path) -> None:
    """One incident, confirmed, at the finer time; of the other fall nobody hears."""
    job = _ran(bench, video)
    assert job.status is JobStatus.DONE
    (incident,) = bench.store.incidents(job.id)
    assert (incident.kind, incident.span, incident.check) == (Kind.FALL, Span(2.5, 5.0), Check.CONFIRMED)
    types = [delivery.message.type for delivery in bench.store.deliveries(job.id)]
    assert sorted(types) == ["incident.opened", "incident.resolved"]
    assert all('"check":"confirmed"' in d.message.body for d in bench.store.deliveries(job.id))
    records = [read(caption) for caption in bench.store.captions(job.id)]
    assert [record and record.outcome.value for record in records] == ["confirmed", None, "rejected"]


def test_a_look_reaches_into_the_neighbouring_chunk(bench: Bench, video: Path) -> None:
    """Who falls at the end of a chunk lies still in the next."""
    _ran(bench, video)
    shown = sorted(
        (q["media_info"]["start_offset"], q["media_info"]["end_offset"]) for q in seconds(bench.double)
    )
    assert shown == [(0, 10), (20, 30)]
    bench.double.script = script(lambda start_s: saying(9.0, 10.0) if start_s == 0.0 else SAFE, calm)
    _ran(bench, video, id="job-2")
    assert seconds(bench.double)[-1]["media_info"]["start_offset"] == 5
    assert seconds(bench.double)[-1]["media_info"]["end_offset"] == 15


def test_a_restart_asks_for_no_stored_answer_again(bench: Bench, video: Path) -> None:
    """Neither for the first nor for the second."""
    job = _ran(bench, video)
    asked = len(bench.double.queries)
    assert len(seconds(bench.double)) == 2
    bench.runner().run(job)
    assert len(bench.double.queries) == asked
    assert len(bench.store.incidents(job.id)) == 1


class Crash(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("crash_at", [1, 2, 3])
def test_a_crash_between_two_answers_tells_nothing_twice(
    bench: Bench, video: Path, crash_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever group of answers is lost: the same incident, told once."""
    done = 0
    real = Store.save_captions

    def crashing(self: Store, *args: Any) -> None:
        nonlocal done
        done += 1
        if done == crash_at:
            raise Crash
        real(self, *args)

    job = bench.add(video, options=CAMERA)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "save_captions", crashing)
        with pytest.raises(Crash):
            bench.runner().run(job)
    bench.runner().run(bench.store.job(job.id))
    (incident,) = bench.store.incidents(job.id)
    assert incident.check is Check.CONFIRMED
    assert len(bench.store.deliveries(job.id)) == 2


def test_stored_answers_can_be_judged_without_the_second_look(bench: Bench, video: Path) -> None:
    """A backtest sees what would have been told."""
    job = _ran(bench, video)
    captions = bench.store.captions(job.id)
    world = World(job.options, None, bench.policy.timezone, 100.0)
    _, with_it = judged_again(job, captions, world, 0.5)
    assert [(i.span.start_s, i.check) for i in with_it] == [(2.5, Check.CONFIRMED)]
    world = World(job.options, None, bench.policy.timezone, 100.0)
    _, without = judged_again(job, [without_second_look(c) for c in captions], world, 0.5)
    assert [(i.span.start_s, i.severity, i.check) for i in without] == [
        (2.0, Severity.DANGER, Check.ONCE),
        (28.0, Severity.EXTREME, Check.ONCE),
    ]


def test_korean_answers_are_checked_in_korean(bench: Bench, video: Path) -> None:
    """The second prompt speaks the language of the first."""
    job = _ran(bench, video, options=replace(CAMERA, prompt="camera_ko"))
    assert len(seconds(bench.double)) == 2
    record = read(bench.store.captions(job.id)[0])
    assert record is not None
    assert record.looks[0].prompt.id == "second_look_ko.v1"


def test_it_can_be_turned_off(bench: Bench, video: Path) -> None:
    """Then every claim is told as it comes."""
    bench.policy = replace(bench.policy, second_look=False)
    job = _ran(bench, video)
    assert [(i.span.start_s, i.check) for i in bench.store.incidents(job.id)] == [
        (2.0, Check.ONCE),
        (28.0, Check.ONCE),
    ]
    assert seconds(bench.double) == []


def test_replays_are_not_looked_at_twice(bench: Bench, video: Path, tmp_path: Path) -> None:
    """Neither by their prompt, nor, whatever the prompt, where a log is the referee."""
    _ran(bench, video, options=JobOptions(chunk_s=10))
    log = _log(tmp_path / "log.csv", {})
    _ran(bench, video, id="job-2", options=CAMERA, trajectory_path=str(log))
    assert seconds(bench.double) == []


def test_the_evidence_shows_both_answers_and_still_verifies(bench: Bench, video: Path) -> None:
    """What was asked again, what came back, and what became of the claim."""
    bench.policy = replace(bench.policy, kept=Kept(bench.folder / "outputs", bench.policy.kept.summary, 5))
    job = _ran(bench, video)
    (folder,) = folders(bench.folder / "outputs" / job.id / "evidence")
    result = verify(folder, source=video)
    assert result.ok, [f for f in result.findings if f.outcome != "pass"]
    items = [finding.item for finding in result.findings]
    assert {"answer, chunk 0", "second answer, chunk 0", "second prompt, chunk 0"} <= set(items)
    manifest = shelf.read(folder)
    assert manifest is not None
    assert manifest.decision.check is Check.CONFIRMED
    (answer,) = manifest.answers
    assert answer.second_look is not None
    assert "second_look" not in answer.stats
    assert answer.text == FIRST[0.0]
    (checked,) = answer.second_look.claims
    assert checked.before is not None
    assert checked.after is not None
    assert (checked.before.start_s, checked.after.start_s) == (2.0, 2.5)
    assert manifest.decision.steps[0].claim == checked.after


def test_an_alert_goes_out_unverified_when_the_vlm_is_gone(bench: Bench, video: Path) -> None:
    """The claim stands as it was, and says that nobody could look again."""
    marker = '{"error": {"code": "ServerError", "message": "the VLM answered 503"}}'
    bench.double.script = script(lambda start_s: FIRST.get(start_s, SAFE), lambda _query: marker)
    job = _ran(bench, video)
    assert (job.status, job.failed_chunks) == (JobStatus.DONE, 0)
    incidents = bench.store.incidents(job.id)
    assert [(i.span.start_s, i.check) for i in incidents] == [
        (2.0, Check.UNVERIFIED),
        (28.0, Check.UNVERIFIED),
    ]
