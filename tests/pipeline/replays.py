"""Small replays for tests of judgement: a log with known contacts, and what a VLM says of its chunks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np

from extension.model import (
    Caption,
    Chunk,
    Claim,
    Event,
    Failure,
    Incident,
    Job,
    JobOptions,
    JobStatus,
    Kind,
    Severity,
    Span,
    Verdict,
)
from extension.timetravel.evaluation import Occurrence
from extension.timetravel.trajectory import Track, Trajectory, micros

START = dt.datetime(2025, 1, 1, 0, 0, 0, tzinfo=dt.UTC)
CHUNK_S = 2.0
HZ = 5
Meetings = Mapping[tuple[str, str], Sequence[tuple[float, float]]]
"""Per pair of labels, from when to when they touch, log seconds."""

Said = Sequence[tuple[float, float, str]]
"""Claims of one chunk: start and length in media seconds from the chunk's start, and the labels as letters."""


def log_of(
    meetings: Meetings, duration_s: float = 30.0, *, noise_cm: float = 0.0, seed: int = 1
) -> Trajectory:
    """Five objects 10 m apart at 5 Hz; who meets comes within 40 cm for that time."""
    count = round(duration_s * HZ) + 1
    at_s = np.arange(count) / HZ
    x = {name: np.full(count, 1000.0 * int(name)) for name in "12345"}
    for (one, other), spans in meetings.items():
        for start_s, end_s in spans:
            together = (at_s > start_s - 0.05) & (at_s < end_s + 0.05)
            x[other] = np.where(together, x[one] + 40.0, x[other])
    at_us = micros(START) + np.arange(count, dtype=np.int64) * (1_000_000 // HZ)
    chance = np.random.default_rng(seed)
    zeros = np.zeros(count)
    return Trajectory(
        {
            f"obj00{name}": Track(
                at_us.copy(),
                np.stack((places, zeros, zeros), axis=1) + chance.normal(0.0, noise_cm, (count, 3)),
            )
            for name, places in x.items()
        }
    )


def caption(index: int, said: Said | None, *, clock: str | None = None, asked: bool = True) -> Caption:
    """What was said of a chunk; None is a failure."""
    chunk = Chunk(index, Span(CHUNK_S * index, CHUNK_S * (index + 1)))
    if said is None:
        return Caption(chunk, "", None, Failure("Timeout", "the VLM was too slow"))
    begins_s, ends_s = chunk.span.start_s, chunk.span.end_s
    claims = tuple(
        Claim(
            Kind.COLLISION,
            Span(begins_s + at_s, min(begins_s + at_s + length_s, ends_s)),
            Severity.DANGER,
            tuple(objects),
        )
        for at_s, length_s, objects in said
    )
    stats = {} if asked else {"asked": False}
    return Caption(chunk, "", Verdict(Severity.DANGER, claims, "", clock), None, stats)


def seen_by(truth: Sequence[Occurrence], chunks: int, speed: float = 1.0) -> list[Caption]:
    """What a VLM that misses nothing says, chunk by chunk."""
    captions = []
    for index in range(chunks):
        first_s, last_s = index * CHUNK_S, (index + 1) * CHUNK_S
        said = [
            (
                max(one.start_s / speed, first_s) - first_s,
                max(0.05, min(one.end_s / speed, last_s) - max(one.start_s / speed, first_s)),
                "".join(one.objects),
            )
            for one in truth
            if one.start_s / speed < last_s and one.end_s / speed >= first_s
        ]
        captions.append(caption(index, said))
    return captions


def job_of(options: JobOptions, chunks: int, judged: int = 0) -> Job:
    """A running job."""
    return Job(
        "job",
        "x.mp4",
        "x.mp4",
        None,
        options,
        JobStatus.RUNNING,
        START,
        media_s=chunks * CHUNK_S,
        chunk_count=chunks,
        judged_chunks=judged,
    )


def reported(found: Sequence[Event] | Sequence[Incident]) -> list[Occurrence]:
    """Contacts in log seconds."""
    return [
        Occurrence((one.start_at - START).total_seconds(), (one.end_at - START).total_seconds(), one.objects)
        for one in found
        if one.kind is Kind.COLLISION and one.start_at is not None and one.end_at is not None
    ]
