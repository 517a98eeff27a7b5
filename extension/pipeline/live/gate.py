"""Decides which windows the VLM is asked about, by what moves in them. Pure; the same for cameras and for files of them.

Whatever is not known for sure to be still is looked at: the gate fails open.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from extension.model import Caption, Chunk, Severity, Span, Verdict
from extension.sources.motion.motion import Motion, Part, together

_HOLE_S: Final = 1.0
"""Less than this missing between two pieces of a recording is no hole; segments follow each other closely, not exactly."""

_EXACT_S: Final = 0.001


class GateMode(enum.StrEnum):
    """What the gate of a camera does."""

    OFF = "off"
    """Every window is looked at."""

    ON = "on"
    """Windows in which nothing moves are not looked at."""

    SHADOW = "shadow"
    """Every window is looked at, and the record says which would not have been."""


class Reason(enum.StrEnum):
    """Why a window is looked at, or not; the first that holds."""

    INCIDENT = "incident"
    """An incident of the camera is open."""

    START = "start"
    """It is the first window since the start."""

    HOLE = "hole"
    """Part of it, or of the time before it, is not recorded or was not considered."""

    UNMEASURED = "unmeasured"
    """Its motion cannot be told."""

    MOTION = "motion"
    """Something moves in it."""

    CHANGE = "change"
    """Something has changed slowly."""

    SETTLING = "settling"
    """Nothing moves any more, and no window without motion was looked at since: what lies still after a fall is seen here."""

    FORCED = "forced"
    """The last look is long ago."""

    STILL = "still"
    """Nothing moves: not looked at."""

    FROZEN = "frozen"
    """All pictures are the same: not looked at."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How the gate of a camera works.

    Attributes:
        mode: Off, on, or in the shadow.
        forced_look_s: A window is looked at when the last one that was ended this long before its end, media seconds.
    """

    mode: GateMode = GateMode.OFF
    forced_look_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of a window before anybody looks at it.

    Attributes:
        span: Media seconds.
        parts: The recorded pieces that lie in it, in order of time.
        incident_open: Whether an incident of the camera is open.
    """

    span: Span
    parts: Sequence[Part]
    incident_open: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What the gate remembers from window to window.

    Attributes:
        considered_s: End of the last window that was decided about; None before the first.
        looked_s: End of the last window that was looked at and answered; None before the first.
        settled: Whether a window without motion was looked at since the last motion.
    """

    considered_s: float | None = None
    looked_s: float | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to look at a window, why, and what moved in it; `motion` is None when that cannot be told."""

    look: bool
    reason: Reason
    motion: Motion | None


def decide(sight: Sight, state: State, rules: Rules) -> Decision:
    """Decide about the next window; what the mode makes of it is the caller's."""
    motion = together(sight.parts, sight.span)
    reason = _compelled(sight, state, motion) or _waited(sight, state, rules)
    if reason is not None:
        return Decision(look=True, reason=reason, motion=motion)
    frozen = motion is not None and motion.frozen
    return Decision(look=False, reason=Reason.FROZEN if frozen else Reason.STILL, motion=motion)


def after(state: State, sight: Sight, decision: Decision, *, answered: bool) -> State:
    """What to remember once a window was dealt with.

    Args:
        state: From before.
        sight: The window.
        decision: What was decided about it.
        answered: Whether the look at it had an answer; of no matter when there was no look.
    """
    end_s = sight.span.end_s
    if not decision.look:
        return replace(state, considered_s=end_s)
    calm = _whole(sight) and all(part.motion and not part.motion.moving for part in sight.parts)
    if not answered:
        return replace(state, considered_s=end_s, settled=False)
    return State(considered_s=end_s, looked_s=end_s, settled=calm)


def gated(chunk: Chunk, decision: Decision) -> Caption:
    """The record of a window that the VLM is not asked about."""
    why = "the picture is frozen" if decision.reason is Reason.FROZEN else "nothing moves"
    return Caption(chunk, "", Verdict(Severity.SAFE, (), f"Not asked: {why}."), None, {"asked": False})


def gate_stats(decision: Decision, mode: GateMode) -> dict[str, Any]:
    """What a window's record says of the gate."""
    return {
        "mode": mode.value,
        "decision": "look" if decision.look else "gated",
        "reason": decision.reason.value,
    }


def motion_stats(motion: Motion | None) -> dict[str, Any]:
    """What a window's record says of its motion; where that cannot be told, `moving` is None."""
    if motion is None:
        return {"moving": None, "share": None, "moving_s": None, "drift": None, "frozen": None}
    return {
        "moving": motion.moving,
        "share": round(motion.share, 5),
        "moving_s": round(motion.moving_s, 2),
        "drift": round(motion.drift, 5),
        "frozen": motion.frozen,
    }


def _compelled(sight: Sight, state: State, motion: Motion | None) -> Reason | None:
    """Why the window has to be looked at whatever moves in it, or for what does."""
    if sight.incident_open:
        return Reason.INCIDENT
    if state.considered_s is None:
        return Reason.START
    if sight.span.start_s > state.considered_s + _EXACT_S or not _whole(sight):
        return Reason.HOLE
    if motion is None or any(part.motion is None for part in sight.parts):
        return Reason.UNMEASURED
    if motion.moving:
        return Reason.CHANGE if motion.slow else Reason.MOTION
    return None


def _waited(sight: Sight, state: State, rules: Rules) -> Reason | None:
    """Why a window in which nothing moves is looked at all the same."""
    if not state.settled:
        return Reason.SETTLING
    if state.looked_s is None or sight.span.end_s - state.looked_s >= rules.forced_look_s - _EXACT_S:
        return Reason.FORCED
    return None


def _whole(sight: Sight) -> bool:
    """Whether the parts cover the window."""
    reached_s = sight.span.start_s
    for part in sight.parts:
        if part.span.start_s - reached_s > _HOLE_S:
            return False
        reached_s = max(reached_s, part.span.end_s)
    return sight.span.end_s - reached_s <= _HOLE_S
