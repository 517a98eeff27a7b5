"""The record of second looks, beside the answer that it changed: both answers, so that either can be judged by. Pure.

It lies in `stats["second_look"]` of a caption, as JSON; its times count from the start of the chunk, so that it stays true when
the caption is placed elsewhere in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from extension.captions.prompts import Prompt
from extension.captions.second import Decision, Looked, Outcome, overall, weigh
from extension.captions.second_asking import Look
from extension.model import Caption, Check, Claim, Failure, Kind, Severity, Span, Verdict

KEY: Final = "second_look"
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Record:
    """What became of an answer on second looks; times are media seconds of the source.

    Attributes:
        outcome: What the claims that were checked came to.
        first: The first answer's verdict.
        decisions: Claim by claim.
        looks: The second looks.
    """

    outcome: Outcome
    first: Verdict
    decisions: tuple[Decision, ...]
    looks: tuple[Looked, ...]


def with_second_look(caption: Caption, answers: Sequence[Looked]) -> Caption:
    """The caption after second looks: its effective verdict, the first answer's text, and the record; as it is without any."""
    if caption.verdict is None or not answers:
        return caption
    verdict, decisions = weigh(caption.verdict, caption.chunk.span, answers)
    from_s = caption.chunk.span.start_s
    page = {
        "outcome": overall(decisions).value,
        "claims": [_decision_page(decision, from_s) for decision in decisions],
        "first": _verdict_page(caption.verdict, from_s),
        "looks": [_look_page(answer, from_s) for answer in answers],
    }
    return replace(caption, verdict=verdict, stats=caption.stats | {KEY: page})


def without_second_look(caption: Caption) -> Caption:
    """The caption as the first look left it; as it is where nobody looked twice."""
    if (record := read(caption)) is None:
        return caption
    stats = {name: value for name, value in caption.stats.items() if name != KEY}
    return replace(caption, verdict=record.first, stats=stats)


def read(caption: Caption) -> Record | None:
    """The record of a caption, None where nobody looked twice."""
    page = caption.stats.get(KEY)
    if page is None:
        return None
    from_s = caption.chunk.span.start_s
    return Record(
        Outcome(page["outcome"]),
        _verdict(page["first"], from_s),
        tuple(_decision(one, from_s) for one in page["claims"]),
        tuple(_looked(one, from_s) for one in page["looks"]),
    )


def _decision_page(decision: Decision, from_s: float) -> dict[str, Any]:
    before, after = (claim and _claim_page(claim, from_s) for claim in (decision.before, decision.after))
    return {"outcome": decision.outcome.value, "before": before, "after": after}


def _decision(page: Mapping[str, Any], from_s: float) -> Decision:
    before, after = (claim and _claim(claim, from_s) for claim in (page["before"], page["after"]))
    return Decision(Outcome(page["outcome"]), before, after)


def _verdict_page(verdict: Verdict, from_s: float) -> dict[str, Any]:
    claims = [_claim_page(claim, from_s) for claim in verdict.claims]
    return {
        "status": verdict.status.value,
        "claims": claims,
        "summary": verdict.summary,
        "clock": verdict.clock,
    }


def _verdict(page: Mapping[str, Any], from_s: float) -> Verdict:
    claims = tuple(_claim(claim, from_s) for claim in page["claims"])
    return Verdict(Severity(page["status"]), claims, page["summary"], page["clock"])


def _claim_page(claim: Claim, from_s: float) -> dict[str, Any]:
    return {
        "kind": claim.kind.value,
        "start_s": round(claim.span.start_s - from_s, _DIGITS),
        "end_s": round(claim.span.end_s - from_s, _DIGITS),
        "severity": claim.severity.value,
        "objects": list(claim.objects),
        "clock": claim.clock,
        "description": claim.description,
        "confidence": claim.confidence,
        "check": claim.check.value,
    }


def _claim(page: Mapping[str, Any], from_s: float) -> Claim:
    return Claim(
        kind=Kind(page["kind"]),
        span=Span(page["start_s"] + from_s, page["end_s"] + from_s),
        severity=Severity(page["severity"]),
        objects=tuple(page["objects"]),
        clock=page["clock"],
        description=page["description"],
        confidence=page["confidence"],
        check=Check(page["check"]),
    )


def _look_page(answer: Looked, from_s: float) -> dict[str, Any]:
    span = answer.look.span
    return {
        "span": [round(span.start_s - from_s, _DIGITS), round(span.end_s - from_s, _DIGITS)],
        "frames": answer.look.frames,
        "checked": [_claim_page(claim, from_s) for claim in answer.look.claims],
        "prompt": asdict(answer.prompt),
        "text": answer.text,
        "verdict": _verdict_page(answer.verdict, from_s) if answer.verdict else None,
        "failure": asdict(answer.failure) if answer.failure else None,
        "stats": answer.stats,
        "took_ms": answer.took_ms,
    }


def _looked(page: Mapping[str, Any], from_s: float) -> Looked:
    start_s, end_s = page["span"]
    claims = tuple(_claim(claim, from_s) for claim in page["checked"])
    return Looked(
        look=Look(Span(start_s + from_s, end_s + from_s), claims),
        prompt=Prompt(**page["prompt"]),
        text=page["text"],
        verdict=_verdict(page["verdict"], from_s) if page["verdict"] else None,
        failure=Failure(**page["failure"]) if page["failure"] else None,
        stats=page["stats"],
        took_ms=page["took_ms"],
    )
