"""Writes down what an incident rests on, as the part of the manifest that is known before anything is cut. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

from extension.captions import schema, second_record
from extension.captions.prompts import Prompt
from extension.captions.second import Looked
from extension.evidence import digests
from extension.evidence.manifest import (
    AnswerOut,
    AskedOut,
    CheckedOut,
    ClaimOut,
    DecisionOut,
    Manifest,
    ProgramOut,
    PromptOut,
    SecondAnswerOut,
    SecondLookOut,
    SourceFileOut,
    SourceOut,
    StepOut,
    StretchOut,
    TakenOut,
)
from extension.evidence.parts import Part, gaps, within
from extension.evidence.trace import Step, rested_on, steps
from extension.evidence.wanted import Limits, Wanted
from extension.model import Caption, Claim, Event, Failure, Incident, Span
from extension.wire import EventOut, IncidentOut

_NAME: Final = "timetravel-alerts"
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Case:
    """An incident with its events, and the answers for their chunks; more events and answers do not matter."""

    incident: Incident
    events: Sequence[Event]
    captions: Sequence[Caption]

    @property
    def own_events(self) -> tuple[Event, ...]:
        """The events that were merged into the incident."""
        return tuple(event for event in self.events if event.id in self.incident.event_ids)


@dataclass(frozen=True, slots=True)
class Context:
    """What all incidents of a job share.

    Attributes:
        job_id: The job.
        source: Name of the video, or of the camera.
        model: Name of the VLM; None where none was asked.
        prompt: What it was told.
        parameters: How it was asked and how the answers were judged (frames per chunk, chunk length, merge gap ...); plain values.
        version: Of this program.
        pyav: Version of the library that decodes and encodes.
    """

    job_id: str
    source: str
    model: str | None
    prompt: Prompt | None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    pyav: str = ""


def account(
    case: Case,
    wish: Wanted | None,
    parts: Sequence[Part],
    digest_of: Mapping[Part, tuple[str, int] | None],
    context: Context,
    limits: Limits,
) -> Manifest:
    """The manifest of an incident, without files.

    Args:
        case: The incident.
        wish: What is to be cut.
        parts: Of the source.
        digest_of: SHA-256 and size of the files; None for one that cannot be read.
        context: What all incidents of the job share.
        limits: How much is kept.
    """
    events = case.own_events
    return Manifest(
        program=ProgramOut(name=_NAME, version=context.version, pyav=context.pyav),
        incident=IncidentOut.of(case.incident),
        source=_source(wish, parts, digest_of, context),
        asked=AskedOut(
            model=context.model,
            prompt=_prompt(context.prompt) if context.prompt else None,
            verdict_schema=schema.VERSION,
            parameters=dict(sorted(context.parameters.items())),
        ),
        answers=[_answer(caption) for caption in rested_on(events, case.captions)],
        decision=DecisionOut(
            basis=case.incident.basis,
            check=case.incident.check,
            severity=case.incident.severity,
            merged_events=len(case.incident.event_ids),
            steps=[_step(step) for step in steps(events, case.captions)],
        ),
        taken=TakenOut(
            clip=_stretch(wish.span) if wish else None,
            snapshot_s=round(wish.snapshot_s, _DIGITS) if wish else None,
            before_s=limits.before_s,
            after_s=limits.after_s,
            longest_s=limits.longest_s,
            cut_short=wish.cut_short if wish else False,
        ),
        files=[],
        missing=[],
    )


def plain(text: str) -> str:
    """A text that can be written in UTF-8: what cannot is spelt out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _source(
    wish: Wanted | None,
    parts: Sequence[Part],
    digest_of: Mapping[Part, tuple[str, int] | None],
    context: Context,
) -> SourceOut:
    used = within(parts, wish.span) if wish else ()
    return SourceOut(
        name=plain(context.source),
        job_id=context.job_id,
        files=[_file(part, digest_of.get(part)) for part in used],
        gaps=[_stretch(gap) for gap in gaps(parts, wish.span)] if wish else [],
    )


def _file(part: Part, known: tuple[str, int] | None) -> SourceFileOut:
    digest, size_bytes = known or (None, None)
    return SourceFileOut(
        name=plain(PurePath(part.path).name),
        size_bytes=size_bytes,
        sha256=digest,
        from_s=round(part.from_s, _DIGITS),
        to_s=round(part.to_s, _DIGITS),
        at_s=round(part.at_s, _DIGITS),
    )


def prompt_text(system: str, user: str) -> str:
    """What is hashed of a prompt."""
    return f"{system}\n{user}"


def _prompt(prompt: Prompt) -> PromptOut:
    return PromptOut(
        id=prompt.id,
        sha256=digests.of_text(prompt_text(prompt.system, prompt.user)),
        system=prompt.system,
        user=prompt.user,
    )


def _answer(caption: Caption) -> AnswerOut:
    text = plain(caption.text)
    return AnswerOut(
        chunk_index=caption.chunk.index,
        start_s=caption.chunk.span.start_s,
        end_s=caption.chunk.span.end_s,
        asked=caption.asked,
        text=text,
        sha256=digests.of_text(text),
        status=caption.verdict.status if caption.verdict else None,
        failure=_failure(caption.failure),
        stats={name: value for name, value in sorted(caption.stats.items()) if name != second_record.KEY},
        second_look=_second_look(caption),
    )


def _failure(failure: Failure | None) -> str | None:
    return f"{failure.code}: {plain(failure.message)}" if failure else None


def _second_look(caption: Caption) -> SecondLookOut | None:
    record = second_record.read(caption)
    if record is None:
        return None
    claims = [
        CheckedOut(
            outcome=decision.outcome.value,
            before=_claim(decision.before) if decision.before else None,
            after=_claim(decision.after) if decision.after else None,
        )
        for decision in record.decisions
    ]
    return SecondLookOut(
        outcome=record.outcome.value,
        first_status=record.first.status,
        claims=claims,
        answers=[_second_answer(answer) for answer in record.looks],
    )


def _second_answer(answer: Looked) -> SecondAnswerOut:
    text = plain(answer.text)
    return SecondAnswerOut(
        start_s=answer.look.span.start_s,
        end_s=answer.look.span.end_s,
        frames=answer.look.frames,
        prompt=_prompt(answer.prompt),
        text=text,
        sha256=digests.of_text(text),
        status=answer.verdict.status if answer.verdict else None,
        failure=_failure(answer.failure),
        stats=dict(sorted(answer.stats.items())),
    )


def _step(step: Step) -> StepOut:
    claim = _claim(step.claim) if step.claim else None
    return StepOut(ruling=step.ruling.value, claim=claim, event=EventOut.of(step.event))


def _claim(claim: Claim) -> ClaimOut:
    return ClaimOut(
        kind=claim.kind,
        start_s=claim.span.start_s,
        end_s=claim.span.end_s,
        severity=claim.severity,
        objects=[plain(name) for name in claim.objects],
        clock=claim.clock,
        description=plain(claim.description),
        confidence=claim.confidence,
        check=claim.check,
    )


def _stretch(span: Span) -> StretchOut:
    return StretchOut(start_s=round(span.start_s, _DIGITS), end_s=round(span.end_s, _DIGITS))
