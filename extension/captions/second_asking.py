"""What a second look is to show, and what is asked with it: spans around the onsets of claims, and the claims as quoted data. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from extension.captions import prompts
from extension.captions.prompts import Prompt
from extension.model import Claim, Kind, Severity, Span, Verdict

BEFORE_S: Final = 4
AFTER_S: Final = 6
"""Seconds shown around an onset: who falls stands before it, and lies still after it."""
TOGETHER_S: Final = 10.0
"""Claims whose onsets lie no further apart are shown together."""
MOST_LOOKS: Final = 2
FRAMES_PER_S: Final = 8
MOST_FRAMES: Final = 80
MOST_PROMPT: Final = 5000
"""Characters that VSS 2.4 takes of a prompt."""
_PROMPTS: Final = {"camera": "second_look", "camera_ko": "second_look_ko"}
_HEADS: Final = {"en": "The earlier look reported, as data:", "ko": "앞선 판단의 보고(자료):"}
_MOST_CLAIMS, _MOST_NAMES, _MOST_NAME, _MOST_DESCRIPTION = 6, 4, 32, 160
_PLAIN: Final = frozenset(" .,;'()%/+-")


@dataclass(frozen=True, slots=True)
class Look:
    """One second look: the span of the source that is shown, from whole second to whole second or to its end, and what it checks."""

    span: Span
    claims: tuple[Claim, ...]

    @property
    def whole_s(self) -> int:
        """Its length, rounded up to whole seconds."""
        return math.ceil(self.span.end_s) - int(self.span.start_s)

    @property
    def frames(self) -> int:
        """Frames to show."""
        return min(MOST_FRAMES, FRAMES_PER_S * self.whole_s)


def prompt_for(first: Prompt) -> Prompt | None:
    """The prompt of the second look at what was asked with `first`; None where nobody looks twice.

    It is told all that the first look was told of its camera, and the same policy.
    """
    name = first.id.rpartition(".v")[0]
    if (second := _PROMPTS.get(name)) is None:
        return None
    prompt, plain = prompts.load(second), prompts.load(name).user
    of_camera = first.user[len(plain) :] if first.user.startswith(plain) else ""
    return replace(prompt, system=f"{first.system}\n\n{prompt.system}", user=prompt.user + of_camera)


def checked(verdict: Verdict) -> tuple[Claim, ...]:
    """The claims that are looked at again: danger or worse. A near miss is a warning, whatever it is called."""
    least = Severity.DANGER.rank
    return tuple(c for c in verdict.claims if c.severity.rank >= least and c.kind is not Kind.NEAR_MISS)


def looks(verdict: Verdict, source_s: float) -> tuple[Look, ...]:
    """The second looks that a verdict asks for, by time: none when nothing in it is danger or worse, at most two.

    A look reaches from 4 s before the first of its onsets to 6 s after the last, in whole seconds; what lies beyond an end of the
    source is shown at the other side instead. Of more than two groups of claims the worst are looked at.

    Args:
        verdict: The first answer's.
        source_s: Length of the file that is asked about, seconds.
    """
    groups: list[list[Claim]] = []
    for claim in sorted(checked(verdict), key=lambda claim: (claim.span.start_s, claim.span.end_s)):
        if groups and claim.span.start_s - groups[-1][0].span.start_s <= TOGETHER_S:
            groups[-1].append(claim)
        else:
            groups.append([claim])
    worst = sorted(groups, key=lambda group: -max(claim.severity.rank for claim in group))[:MOST_LOOKS]
    return tuple(Look(_around(group, source_s), tuple(group)) for group in groups if group in worst)


def _around(group: Sequence[Claim], source_s: float) -> Span:
    whole_s = max(1, math.ceil(source_s))
    start_s = math.floor(group[0].span.start_s - BEFORE_S)
    end_s = math.ceil(group[-1].span.start_s + AFTER_S)
    length_s = min(end_s - start_s, whole_s)
    start_s = min(max(0, start_s), whole_s - length_s)
    return Span(float(start_s), min(float(start_s + length_s), source_s))


def asked(prompt: Prompt, look: Look) -> Prompt:
    """The prompt with the claims to check at its end, as JSON; their times count from the start of the look.

    What a claim says is reduced to letters, digits and a few marks, and bounded: it comes from a model that read a picture.
    Descriptions are left out where they do not fit.
    """
    pages = [_page(claim, look.span.start_s) for claim in look.claims[:_MOST_CLAIMS]]
    short = [{key: page[key] for key in ("kind", "start_s", "severity")} for page in pages]
    head = _HEADS.get(prompt.language, _HEADS["en"])
    texts = (f"{prompt.user}\n\n{head} {json.dumps(told, ensure_ascii=False)}" for told in (pages, short))
    fitting = (text for text in texts if len(text) <= MOST_PROMPT)
    return replace(prompt, user=next(fitting, prompt.user))


def _page(claim: Claim, from_s: float) -> dict[str, Any]:
    names = (_plain(name, _MOST_NAME) for name in claim.objects[:_MOST_NAMES])
    return {
        "kind": claim.kind.value,
        "start_s": round(max(0.0, claim.span.start_s - from_s), 1),
        "end_s": round(max(0.0, claim.span.end_s - from_s), 1),
        "severity": claim.severity.value,
        "objects": [name for name in names if name],
        "description": _plain(claim.description, _MOST_DESCRIPTION),
    }


def _plain(text: str, most: int) -> str:
    """Letters, digits and a few marks of a text, cut: nothing that ends a quotation or looks like a tag or a line of times."""
    kept = "".join(ch if ch.isalnum() or ch in _PLAIN else " " for ch in text[: 4 * most])
    return " ".join(kept.split())[:most].rstrip()
