"""What two looks at the same moment come to: which claims stand, how bad they are and when they began. Pure.

A claim of the first look is confirmed when the second one, which may not repeat its words, claims at least a warning within
`NEAR_S` of it: of the same kind, or, where objects are told in words, of any kind but a near miss (who is hit also falls).
It keeps its kind and objects, so that a second look never makes two incidents of one, and takes severity and time from the
second. What nobody sees again is rejected. What cannot be looked at again stands as it is, unverified.
What the second look alone sees is added where it is danger or worse and begins in the chunk; nobody has checked that.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from extension.captions import second_asking
from extension.captions.prompts import Prompt
from extension.captions.second_asking import Look
from extension.model import Check, Claim, Failure, Kind, Severity, Span, Verdict

NEAR_S: Final = 2.0
"""Seconds by which two claims of one thing may be apart."""
_EDGE_S: Final = 0.25
"""A claim that ends this close to the end of what was shown may go on."""


class Outcome(enum.StrEnum):
    """What became of a claim, strongest first; that of all claims together is the strongest among those that were checked."""

    CONFIRMED = "confirmed"
    SOFTENED = "softened"
    UNVERIFIED = "unverified"
    REJECTED = "rejected"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Looked:
    """A second look and its answer: a verdict in media seconds of the source, or the failure, never both.

    Attributes:
        look: What was shown, and what it was to check.
        prompt: What was asked, claims included.
        text: The answer as it came.
        verdict: What it says.
        failure: Why there is none.
        stats: What the override reported beside the answer.
        took_ms: From the question to the answer, tries included.
    """

    look: Look
    prompt: Prompt
    text: str
    verdict: Verdict | None
    failure: Failure | None
    stats: dict[str, Any] = field(default_factory=dict)
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one claim: as it was (None for what the second look added) and as it stands (None when it is rejected)."""

    outcome: Outcome
    before: Claim | None
    after: Claim | None


def weigh(verdict: Verdict, chunk: Span, answers: Sequence[Looked]) -> tuple[Verdict, tuple[Decision, ...]]:
    """The verdict that both looks come to, and what became of each claim that was checked or added.

    Args:
        verdict: The first look's.
        chunk: What the first look saw; what begins elsewhere is for others to tell.
        answers: The second looks.
    """
    decisions: list[Decision] = []
    stand: list[Claim] = []
    used: set[Claim] = set()
    to_check = second_asking.checked(verdict)
    for claim in verdict.claims:
        if claim not in to_check:
            stand.append(claim)
            continue
        decision, witness = _decided(claim, next((a for a in answers if claim in a.look.claims), None))
        decisions.append(decision)
        used |= {witness} if witness else set()
        stand += [decision.after] if decision.after else []
    added = _added(answers, used, chunk)
    decisions += [Decision(Outcome.ADDED, None, claim) for claim in added]
    stand += added
    status = max((claim.severity for claim in stand), key=lambda s: s.rank, default=Severity.SAFE)
    summary = _summary(verdict, decisions, answers)
    return Verdict(status, tuple(stand), summary, verdict.clock), tuple(decisions)


def overall(decisions: Iterable[Decision]) -> Outcome:
    """What became of all claims that were checked; there is at least one."""
    order = list(Outcome)
    return min((d.outcome for d in decisions if d.before is not None), key=order.index)


def _decided(claim: Claim, answer: Looked | None) -> tuple[Decision, Claim | None]:
    """What becomes of a claim, and the claim of the second look that it rests on."""
    if answer is None or answer.verdict is None:
        return Decision(Outcome.UNVERIFIED, claim, replace(claim, check=Check.UNVERIFIED)), None
    witness = _witness(claim, answer)
    if witness is None:
        return Decision(Outcome.REJECTED, claim, None), None
    after = replace(
        claim,
        span=_refined(claim, witness, answer.look.span),
        severity=witness.severity,
        clock=witness.clock or claim.clock,
        description=witness.description if _tells(claim, witness) else claim.description,
        confidence=witness.confidence if witness.confidence is not None else claim.confidence,
        check=Check.CONFIRMED,
    )
    softened = witness.severity.rank < claim.severity.rank
    return Decision(Outcome.SOFTENED if softened else Outcome.CONFIRMED, claim, after), witness


def _witness(claim: Claim, answer: Looked) -> Claim | None:
    """The claim of a second answer that speaks best for a first one: of its kind, then nearest to it."""
    told = answer.verdict.claims if answer.verdict else ()
    fitting = [other for other in told if _speaks_for(other, claim, answer.look.span)]
    nearest = [(other.kind is not claim.kind, _apart_s(other.span, claim.span), other) for other in fitting]
    return min(nearest, key=lambda ranked: ranked[:2])[2] if nearest else None


def _speaks_for(other: Claim, claim: Claim, shown: Span) -> bool:
    if other.severity is Severity.SAFE or other.kind is Kind.NEAR_MISS:
        return False
    if _apart_s(other.span, claim.span) > NEAR_S:
        return False
    return other.kind is claim.kind or _in_words(claim) or _vague(other, shown)


def _in_words(claim: Claim) -> bool:
    return not any(name.isdecimal() for name in claim.objects)


def _vague(claim: Claim, shown: Span) -> bool:
    """Whether an answer only says how bad it is, neither what happened nor when."""
    return claim.kind is Kind.OTHER and claim.span == shown


def _tells(claim: Claim, witness: Claim) -> bool:
    """Whether the second look describes the same thing."""
    return witness.kind is claim.kind and bool(witness.description)


def _refined(claim: Claim, witness: Claim, shown: Span) -> Span:
    """From when to when it happened; the first look knows better what lies after the second one's last frame."""
    if _vague(witness, shown):
        return claim.span
    goes_on = shown.end_s - witness.span.end_s <= _EDGE_S
    end_s = max(claim.span.end_s, witness.span.end_s) if goes_on else witness.span.end_s
    return Span(witness.span.start_s, max(witness.span.start_s, end_s))


def _added(answers: Iterable[Looked], used: set[Claim], chunk: Span) -> list[Claim]:
    """What only a second look saw, danger or worse; two looks that overlap tell it once."""
    found: list[Claim] = []
    for answer in answers:
        for claim in second_asking.checked(answer.verdict) if answer.verdict else ():
            ours = chunk.start_s <= claim.span.start_s < chunk.end_s
            told = any(
                one.kind is claim.kind and _apart_s(one.span, claim.span) <= NEAR_S for one in (*found, *used)
            )
            if ours and not told and claim not in used and not _vague(claim, answer.look.span):
                found.append(replace(claim, check=Check.ONCE))
    return found


def _summary(verdict: Verdict, decisions: Iterable[Decision], answers: Iterable[Looked]) -> str:
    """The first look's, or, once a claim of it is rejected, the second's."""
    if all(decision.outcome is not Outcome.REJECTED for decision in decisions):
        return verdict.summary
    return " ".join(a.verdict.summary for a in answers if a.verdict and a.verdict.summary)


def _apart_s(one: Span, other: Span) -> float:
    """Seconds between two spans; at most 0 where they meet."""
    return max(one.start_s - other.end_s, other.start_s - one.end_s)
