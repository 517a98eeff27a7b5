"""Runs one job from its source to stored incidents. Everything it does may be done again after a crash."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from extension.captions import prompts
from extension.chunks import plan
from extension.chunks.via_client import ViaClient
from extension.clock import Clock
from extension.errors import BadInput, Refused, Unavailable
from extension.model import Caption, Chunk, Job, JobStatus
from extension.pipeline import closing, records, selection
from extension.pipeline.asking import Asker, Question, ViaFile, add_file
from extension.pipeline.drawing import draw
from extension.pipeline.judging import Announce, Judge, Judgement
from extension.pipeline.patience import Patience
from extension.pipeline.second_look import Ask, SecondLook
from extension.pipeline.world import World
from extension.sources.probe import SourceInfo, probe
from extension.store import Store
from extension.timetravel.trajectory import Trajectory
from extension.timetravel.trajectory_csv import read_trajectory

_LOG = structlog.get_logger(__name__)
_ALL = 1_000_000
# A fall and the stillness after it fit in.
_CAMERA_CHUNK_S = 10
# The name that stands for the VLM in a job that asks none.
_LOG_ALONE = "log-alone"


@dataclass(frozen=True, slots=True)
class Policy:
    """The service's defaults for jobs; see the settings of the same names."""

    chunk_s: int
    frames_per_chunk: int
    max_frame_px: int
    chunks_per_request: int
    requests_in_flight: int
    max_tokens: int
    patience_s: float
    merge_gap_s: float
    contact_cm: float
    zero_copy: bool
    timezone: ZoneInfo
    replays_dir: Path
    logs_dir: Path
    kept: records.Kept
    second_look: bool = True


class JobRunner:
    """Runs jobs one after another.

    Args:
        store: What must survive a restart.
        via: The via-server.
        announce: Makes the messages of an announcement.
        policy: Defaults for jobs.
        clock: Wall clock and processing time.
        stop: Set when the service stops; a job then goes on at the next start.
        news: Called whenever new messages lie in the outbox.
    """

    def __init__(
        self,
        store: Store,
        via: ViaClient,
        announce: Announce,
        policy: Policy,
        clock: Clock,
        stop: threading.Event,
        news: Callable[[], None],
    ) -> None:
        self._store = store
        self._via = via
        self._announce = announce
        self._policy = policy
        self._clock = clock
        self._stop = stop
        self._news = news

    def run(self, job: Job) -> None:
        """Bring a job to its end; whatever is wrong with it becomes its error.

        Raises:
            Stopped: when the service stops meanwhile; the job stays as it is.
        """
        log = _LOG.bind(job=job.id, source=job.name)
        try:
            self._run(job)
        except (BadInput, Refused, Unavailable) as exc:
            self._store.finish_job(job.id, JobStatus.FAILED, str(exc))
            log.warning("job_failed", reason=str(exc))
            return
        finished = self._store.job(job.id)
        log.info(
            "job_finished", status=finished.status, chunks=finished.chunk_count, failed=finished.failed_chunks
        )

    def _run(self, job: Job) -> None:
        patience = Patience(self._policy.patience_s, self._clock, self._stop)
        trajectory = self._trajectory(job)
        if trajectory is not None and not job.media_path:
            job = self._drawn(job, trajectory)
        source = probe(Path(job.media_path))
        chunk_s = job.options.chunk_s or self._usual_chunk_s(job)
        chunks = plan.chunks(source.duration_s, chunk_s)
        world = World(job.options, trajectory, self._policy.timezone, self._policy.contact_cm)
        spared = selection.not_asked(chunks, job.options, world, self._policy.contact_cm)
        model = patience.until_available(self._via.model).id if len(spared) < len(chunks) else _LOG_ALONE
        self._store.plan_job(job.id, media_s=source.duration_s, chunk_count=len(chunks), model=model)
        self._spare(job, spared)
        file = ViaFile(
            self._via,
            lambda: add_file(self._via, Path(job.media_path), zero_copy=self._policy.zero_copy),
        )
        question = self._question(job, source, chunk_s, model)
        ask: Ask = Asker(self._via, file, question, patience, world.media_s).ask
        if self._policy.second_look and trajectory is None:
            ask = SecondLook(self._via, file, question, patience, source.duration_s, self._clock).after(ask)
        judge = self._judge(job, world)
        try:
            for captions in self._answers(job, ask, chunks):
                self._store.save_captions(job.id, captions)
                self._judge_on(job, judge)
        finally:
            file.forget()
        self._settle(job, world)
        told = closing.unclaimed_contacts(job.id, world, chunks, self._store.events(job.id))
        self._commit(job, judge.close(told))
        keep_going = lambda: not self._stop.is_set()  # noqa: E731 - a line that is handed on
        records.write(
            self._store, job.id, world, self._policy.kept, self._parameters(), self._clock.now(), keep_going
        )
        self._finish(job)

    def _usual_chunk_s(self, job: Job) -> int:
        """Contacts are short; a fall takes seconds, and only stillness after it tells it from lying down."""
        return (
            max(self._policy.chunk_s, _CAMERA_CHUNK_S)
            if prompts.shows_camera(job.options.prompt)
            else self._policy.chunk_s
        )

    def _drawn(self, job: Job, trajectory: Trajectory) -> Job:
        """The job with the replay of its log as its video."""
        drawn = draw(
            job,
            trajectory,
            self._policy.replays_dir / job.id,
            self._stop,
            chunk_s=job.options.chunk_s or self._policy.chunk_s,
            contact_cm=self._policy.contact_cm,
        )
        self._store.set_media(job.id, str(drawn.path.resolve()), drawn.options)
        return self._store.job(job.id)

    def _spare(self, job: Job, spared: Sequence[Caption]) -> None:
        """Record the chunks that the VLM is not asked about."""
        answered = self._store.answered_indices(job.id)
        self._store.save_captions(job.id, [c for c in spared if c.chunk.index not in answered])

    def _trajectory(self, job: Job) -> Trajectory | None:
        if job.trajectory_path is None:
            return None
        trajectory = read_trajectory(
            Path(job.trajectory_path), tz=self._policy.timezone, cache_dir=self._policy.logs_dir
        )
        for warning in trajectory.warnings:
            _LOG.warning("trajectory", job=job.id, warning=warning)
        return trajectory

    def _question(self, job: Job, source: SourceInfo, chunk_s: int, model: str) -> Question:
        asked = job.options.frames_per_chunk or self._policy.frames_per_chunk
        return Question(
            model=model,
            prompt=prompts.load(job.options.prompt),
            chunk_s=chunk_s,
            frames_per_chunk=plan.frames(asked, chunk_s=chunk_s, speed=job.options.speed),
            max_tokens=self._policy.max_tokens,
            frame_size=plan.frame_size(source.width, source.height, self._policy.max_frame_px),
        )

    def _judge(self, job: Job, world: World) -> Judge:
        """The judge of a job, with what an earlier run of it already knew."""
        still_open = self._store.open_incidents(job.id)
        gap_s = job.options.merge_gap_s
        judge = Judge(
            job,
            world,
            still_open,
            {incident.id: self._store.announced(incident.id) for incident in still_open},
            self._policy.merge_gap_s if gap_s is None else gap_s,
            self._announce,
        )
        if job.judged_chunks:
            judge.recall(self._store.captions(job.id, 0, job.judged_chunks))
        return judge

    def _answers(self, job: Job, ask: Ask, chunks: Sequence[Chunk]) -> Iterator[list[Caption]]:
        """Captions of the chunks that have none yet, group by group as they come; first an empty list for what is stored."""
        yield []
        answered = self._store.answered_indices(job.id)
        missing = plan.batches(
            (c for c in chunks if c.index not in answered), self._policy.chunks_per_request
        )
        waiting: set[Future[list[Caption]]] = set()
        pool = ThreadPoolExecutor(self._policy.requests_in_flight, thread_name_prefix="ask")
        try:
            for group in missing:
                waiting.add(pool.submit(ask, group))
                if len(waiting) > self._policy.requests_in_flight:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _judge_on(self, job: Job, judge: Judge) -> None:
        """Judge as far as captions lie without gap; each chunk is one transaction."""
        first = self._store.job(job.id).judged_chunks
        for expected, caption in enumerate(self._store.captions(job.id, first), start=first):
            if caption.chunk.index != expected:
                return
            judgement = judge.judge(caption)
            if judgement.refuted:
                _LOG.info("claims_refuted", job=job.id, chunk=expected, objects=judgement.refuted)
            self._commit(job, judgement)

    def _settle(self, job: Job, world: World) -> None:
        """Give everything seen the times and places that the whole source's clocks tell."""
        judged = self._store.job(job.id).judged_chunks
        stored = self._store.events(job.id), self._store.incidents(job.id, limit=_ALL)
        events, incidents = closing.seen(*stored)
        self._commit(
            job,
            Judgement(
                judged,
                tuple(closing.settled(event, world) for event in events),
                tuple(closing.settled(incident, world) for incident in incidents),
                (),
            ),
        )

    def _commit(self, job: Job, judgement: Judgement) -> None:
        self._store.commit_judgement(
            job.id,
            judged_chunks=judgement.judged_chunks,
            events=judgement.events,
            incidents=judgement.incidents,
            messages=judgement.messages,
        )
        if judgement.messages:
            self._news()

    def _parameters(self) -> dict[str, Any]:
        """How videos are looked at unless a job says otherwise, for the evidence."""
        names = ("chunk_s", "frames_per_chunk", "max_frame_px", "max_tokens", "merge_gap_s", "contact_cm")
        return {f"default_{name}": getattr(self._policy, name) for name in names}

    def _finish(self, job: Job) -> None:
        failures = Counter(c.failure.code for c in self._store.captions(job.id) if c.failure)
        total = self._store.job(job.id).chunk_count
        failed = failures.total()
        kinds = ", ".join(f"{code} {count}" for code, count in sorted(failures.items()))
        error = f"{failed} of {total} chunks could not be judged ({kinds})" if failed else None
        status = JobStatus.FAILED if failed and failed == total else JobStatus.DONE
        self._store.finish_job(job.id, status, error)
