"""Watches footage by a set of rules as if it were live: windows in their order, gate, VLM, second look, judgement. Stores nothing, tells nobody."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from extension.errors import BadInput
from extension.model import (
    Caption,
    Chunk,
    Event,
    Failure,
    Incident,
    Job,
    JobOptions,
    JobStatus,
    Phase,
    Span,
)
from extension.pipeline.again import judged_again, tell_nobody
from extension.pipeline.backtest.eyes import Eyes, Wording, wording
from extension.pipeline.backtest.footage import Footage
from extension.pipeline.backtest.rules import Rules
from extension.pipeline.backtest.stored import without_mild
from extension.pipeline.judging import Judge
from extension.pipeline.live import gate
from extension.pipeline.live.look import NOT_CAPTURED, failed
from extension.pipeline.world import World
from extension.sources.motion.motion import Part

_NEVER_AT: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""When the job of a backtest was made: it never was."""

Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Course:
    """What came of footage under a set of rules: its windows in their order, and what was made of them, by time."""

    captions: tuple[Caption, ...]
    events: tuple[Event, ...]
    incidents: tuple[Incident, ...]


def spans(length_s: float, window_s: float, stride_s: float) -> tuple[Span, ...]:
    """Windows that cover footage from its beginning to its end; only the last is cut short."""
    count = 1 + max(0, math.ceil(round((length_s - window_s) / stride_s, 6)))
    return tuple(Span(n * stride_s, min(n * stride_s + window_s, length_s)) for n in range(count))


def watch(footage: Footage, rules: Rules, eyes: Eyes, together: int, tick: Tick) -> Course:
    """Watch footage by rules.

    Args:
        footage: What to watch.
        rules: How.
        eyes: Who is asked.
        together: Windows asked about at the same time; with the gate they are asked one by one, since each answer bears on the next.
        tick: Called after each window.

    Raises:
        BadInput: when there is no such prompt, or the footage cannot be read.
    """
    asked = wording(rules.prompt, rules.language, rules.frames, footage.brief)
    windows = spans(footage.length_s, rules.window_s, rules.stride_s)
    look = _Looking(footage, rules, eyes, asked)
    if rules.gate == "on":
        captions = _gated(footage, rules, windows, look, tick)
    else:
        captions = _all(windows, look, together, tick)
    return _judged(footage, rules, captions)


@dataclass(frozen=True, slots=True)
class _Looking:
    """Looks at one window; whatever is wrong with it becomes its failure."""

    footage: Footage
    rules: Rules
    eyes: Eyes
    asked: Wording

    def at(self, number: int, span: Span) -> Caption:
        try:
            with self.footage.shown(span) as reel:
                if reel is None:
                    return failed(Chunk(number, span), NOT_CAPTURED, "nothing was recorded in this window")
                try:
                    caption = self.eyes.first(reel, Chunk(number, reel.part), self.asked)
                    if self.rules.second_look:
                        caption = self.eyes.second(reel, caption, self.asked)
                finally:
                    if reel.passing:
                        self.eyes.forget(reel)
                return without_mild(_placed(caption, reel.start_s), self.rules.least_severity)
        except BadInput as exc:
            return Caption(Chunk(number, span), "", None, Failure(type(exc).__name__, str(exc)))


def _all(windows: Sequence[Span], look: _Looking, together: int, tick: Tick) -> list[Caption]:
    """Every window is looked at."""
    captions = []
    pool = ThreadPoolExecutor(together, thread_name_prefix="look")
    try:
        for caption in pool.map(look.at, range(len(windows)), windows):
            captions.append(caption)
            tick()
    finally:
        # Whoever breaks off does not want to wait for what is still asked.
        pool.shutdown(wait=False, cancel_futures=True)
    return captions


def _gated(
    footage: Footage, rules: Rules, windows: Sequence[Span], look: _Looking, tick: Tick
) -> list[Caption]:
    """Only windows that the gate lets through are looked at; it knows what the windows before came to."""
    parts, limits = footage.motions(), gate.Rules(gate.GateMode.ON, rules.forced_look_s)
    judge, state, still_open = _judge(footage, rules), gate.State(), set[str]()
    captions = []
    for number, span in enumerate(windows):
        sight = gate.Sight(span, _inside(parts, span), bool(still_open))
        decision = gate.decide(sight, state, limits)
        caption = look.at(number, span) if decision.look else gate.gated(Chunk(number, span), decision)
        state = gate.after(state, sight, decision, answered=caption.failure is None)
        stats = {
            "gate": gate.gate_stats(decision, limits.mode),
            "motion": gate.motion_stats(decision.motion),
        }
        captions.append(replace(caption, stats=caption.stats | stats))
        for incident in judge.judge(caption).incidents:
            (still_open.add if incident.phase is Phase.OPEN else still_open.discard)(incident.id)
        tick()
    return captions


def _inside(parts: Sequence[Part], span: Span) -> list[Part]:
    return [part for part in parts if part.span.start_s < span.end_s and part.span.end_s > span.start_s]


def _judged(footage: Footage, rules: Rules, captions: Sequence[Caption]) -> Course:
    job = _job(footage)
    world = World(job.options, None, dt.UTC)
    events, incidents = judged_again(job, captions, world, rules.merge_gap_s, rules.stride_s)
    return Course(tuple(captions), tuple(events), tuple(incidents))


def _judge(footage: Footage, rules: Rules) -> Judge:
    job = _job(footage)
    world = World(job.options, None, dt.UTC)
    return Judge(job, world, (), {}, rules.merge_gap_s, tell_nobody, rules.stride_s)


def _job(footage: Footage) -> Job:
    """A job that stands for the footage, as a camera's does."""
    options = JobOptions(prompt="camera", start_at=footage.start_at)
    return Job(
        f"backtest/{footage.name}", footage.name, "", None, options, JobStatus.LIVE, created_at=_NEVER_AT
    )


def _placed(caption: Caption, start_s: float) -> Caption:
    """A caption whose times count from a file, with times that count from the beginning of the footage."""
    if not start_s:
        return caption
    chunk = Chunk(caption.chunk.index, _later(caption.chunk.span, start_s))
    if caption.verdict is None:
        return replace(caption, chunk=chunk)
    claims = tuple(replace(claim, span=_later(claim.span, start_s)) for claim in caption.verdict.claims)
    return replace(caption, chunk=chunk, verdict=replace(caption.verdict, claims=claims))


def _later(span: Span, by_s: float) -> Span:
    return Span(span.start_s + by_s, span.end_s + by_s)
