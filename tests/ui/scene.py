"""What the page shows in its tests: one judged job with everything in it, and an older one that failed."""

from __future__ import annotations

from pathlib import Path

from extension.model import JobStatus, Kind, Message, Phase, Position, Severity, Span
from extension.playback.film import Film
from extension.playback.write import Made, write_summary
from extension.timetravel.summary_making import summarize
from tests.api import samples
from tests.api.memory_shelf import MemoryShelf

# What a VLM might be made to write by a sign held into the camera.
HOSTILE = "<img src=x onerror=\"document.title='owned'\"> ${document.title='owned'} {{value}} & more"
JOB = "job-1"


def fill(shelf: MemoryShelf, clip: Path, outputs_dir: Path) -> None:
    """Store both jobs."""
    shelf.add_job(
        samples.job(
            "old",
            media=clip.with_name("gone.mp4"),
            status=JobStatus.FAILED,
            error="gone.mp4: the file ends too early",
            chunk_count=None,
        )
    )
    shelf.add_job(samples.job(JOB, media=clip))
    shelf.save_captions(JOB, [samples.caption(index, failed=index in {3, 4}) for index in range(10)])
    far = (Position("1", -1204.33, 0.0, 88.2),)
    events = [
        samples.event(JOB),
        samples.event(
            JOB, 1, start_s=7.4, kind=Kind.NEAR_MISS, severity=Severity.WARN, description=HOSTILE, clock=None
        ),
        samples.event(
            JOB, 2, start_s=12.1, kind=Kind.FIRE, severity=Severity.EXTREME, objects=(), positions=far
        ),
    ]
    resolved = samples.incident(
        JOB,
        1,
        kind=Kind.FIRE,
        severity=Severity.EXTREME,
        span=Span(12.1, 13.6),
        phase=Phase.RESOLVED,
        start_at=samples.BEGIN,
    )
    messages = [
        Message("m1", "hook", f"{JOB}-incident-0", "incident.opened", "{}"),
        Message("m2", "hook", f"{JOB}-incident-1", "incident.opened", "{}"),
        Message("m3", "hook", f"{JOB}-incident-1", "incident.resolved", "{}"),
        Message("m4", "phone", f"{JOB}-incident-1", "incident.opened", "{}"),
    ]
    shelf.commit_judgement(
        JOB, judged_chunks=10, events=events, incidents=[samples.incident(JOB), resolved], messages=messages
    )
    for message in messages[:3]:
        shelf.mark_sent(message.id, samples.BEGIN)
    shelf.mark_failed("m4", "403 Forbidden")
    (outputs_dir / JOB).mkdir()
    (outputs_dir / JOB / "events.jsonl").write_text('{"a": 1}\n')


def fill_summary(shelf: MemoryShelf, clip: Path, outputs_dir: Path) -> Made:
    """Write the judged job's summary, as the pipeline does at its end: words, a timeline and a small video."""
    summary = summarize(shelf.job(JOB), shelf.incidents(JOB), shelf.captions(JOB))
    return write_summary(outputs_dir / JOB, summary, clip, film=Film(width=320, height=180, fps=10))
