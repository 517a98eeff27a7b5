"""What to draw for a benchmark: presets of difficulty, and by chance what a poor tracker does to the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from extension.errors import BadInput
from extension.sources.replay.difficulty import Difficulty
from extension.sources.replay.generate import generate
from extension.sources.replay.plan import Plan
from extension.sources.replay.spoil import Occlusion, Spoils, Swap, ids_after, shown_as
from extension.timetravel.contacts import Contact
from extension.timetravel.trajectory import Trajectory, micros

_ROOMY_CM2: Final = 170_000.0
"""Ground per object from which on a log needs more room than the usual: fewer, and objects cannot keep clear of one another."""

_ROOM_CM: Final = (2600.0, 1300.0)
_OCCLUDED_S: Final = (2.0, 6.0)
_SWAP_AFTER_S: Final = (0.2, 0.8)
_APART_S: Final = 3.0
_NEW_ID: Final = 0.5
"""Share of occlusions after which the object is somebody else."""

_TRIES: Final = 12
"""Most plans that fit at all come up in the first few draws."""

_BUSY_S: Final = 9.0
"""A pair needs about this long for a meeting, and to part."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A log to draw, and what is to be done to it.

    Attributes:
        plan: What the clean log holds.
        occlusions: How many times a tracker loses an object.
        swaps: How many times it exchanges two after they met.
        noise_cm: Standard deviation of the error of every coordinate of every sample.
        rate_hz: Samples per second that are left; None keeps the plan's own.
    """

    plan: Plan
    occlusions: int = 0
    swaps: int = 0
    noise_cm: float = 0.0
    rate_hz: float | None = None


_Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Shares:
    """Ranges per minute, and the shortest contact in seconds."""

    contacts: _Range
    near_misses: _Range
    stops: _Range
    crossings: _Range
    occlusions: _Range
    swaps: _Range
    hold_s: _Range


_PER_MINUTE: Final = {
    Difficulty.EASY: _Shares((3, 4), (0, 1), (0, 1), (0, 1), (0, 0), (0, 0), (1.0, 1.2)),
    Difficulty.MIXED: _Shares((2, 5), (1, 4), (0, 3), (0, 4), (0, 2), (0, 1), (0.6, 1.0)),
    Difficulty.HARD: _Shares((3, 5), (4, 6), (2, 5), (4, 8), (2, 4), (1, 2), (0.45, 0.6)),
}


def scenario(
    difficulty: Difficulty, objects: int, duration_s: float, chance: np.random.Generator
) -> Scenario:
    """A scenario of a difficulty by chance; a few objects are asked for no more than they have time for.

    Raises:
        BadInput: There are fewer than two objects, or the log is too short for anything to happen.
    """
    if objects < 2 or duration_s < _BUSY_S:  # noqa: PLR2004 - a meeting needs two
        raise BadInput(f"a log needs at least 2 objects and {_BUSY_S:g} s")
    shares, minutes = _PER_MINUTE[difficulty], duration_s / 60

    def some(per_minute: _Range) -> int:
        return round(float(chance.uniform(per_minute[0] - 0.49, per_minute[1] + 0.49)) * minutes)

    room = max(1, int(duration_s / _BUSY_S) * (objects // 2) * 2 // 3)
    contacts = min(max(1, some(shares.contacts)), room)
    misses = min(max(0, some(shares.near_misses)), room - contacts)
    width_cm, depth_cm = _room(objects)
    plan = Plan(
        objects=objects,
        duration_s=duration_s,
        contacts=contacts,
        near_misses=misses,
        width_cm=width_cm,
        depth_cm=depth_cm,
        hold_s=float(np.round(chance.uniform(*shares.hold_s), 2)),
        stops=max(0, some(shares.stops)),
        crossings=max(0, some(shares.crossings)),
    )
    return Scenario(plan=plan, occlusions=max(0, some(shares.occlusions)), swaps=max(0, some(shares.swaps)))


def generate_nearly(plan: Plan, seed: int) -> tuple[Trajectory, Plan]:
    """A log of the plan, or of one with less to do where that does not fit, with the plan that it follows.

    Raises:
        BadInput: Not even one meeting fits.
    """
    while True:
        try:
            return generate(plan, seed, tries=_TRIES), plan
        except ValueError as exc:
            fewer = _with_less(plan)
            if fewer == plan:
                raise BadInput("no clear log came up: too little time or room for a single meeting") from exc
            plan = fewer


def spoils(
    wanted: Scenario, trajectory: Trajectory, met: Sequence[Contact], chance: np.random.Generator
) -> Spoils:
    """Draw what is done to a clean log: swaps soon after contacts, occlusions anywhere, three seconds apart from one another.

    Fewer than wanted come out where there are not enough contacts or there is not enough time.
    """
    events = _swaps(wanted.swaps, trajectory, met, chance)
    news = ids_after(trajectory.objids, wanted.occlusions)
    for new in news:
        event = _occlusion(trajectory, events, new, chance)
        if event is not None:
            events = sorted([*events, event], key=lambda one: one.start_us)
    return Spoils(
        noise_cm=wanted.noise_cm, rate_hz=wanted.rate_hz, events=_as_shown(events, trajectory.objids)
    )


def _room(objects: int) -> tuple[float, float]:
    """Width and depth of a room that objects can keep clear of one another in."""
    usual = _ROOM_CM[0] * _ROOM_CM[1]
    grown = max(1.0, objects * _ROOMY_CM2 / usual) ** 0.5
    return round(_ROOM_CM[0] * grown), round(_ROOM_CM[1] * grown)


def _with_less(plan: Plan) -> Plan:
    if plan.near_misses > 0:
        return replace(plan, near_misses=plan.near_misses - 1)
    if plan.contacts > 1:
        return replace(plan, contacts=plan.contacts - 1)
    return replace(plan, stops=0, crossings=0)


def _swaps(
    count: int, trajectory: Trajectory, met: Sequence[Contact], chance: np.random.Generator
) -> list[Occlusion | Swap]:
    events: list[Occlusion | Swap] = []
    for which in sorted(chance.permutation(len(met))[:count].tolist()):
        one, other = (trajectory.objid_of(label) or label for label in met[which].objects)
        after_us = round(float(chance.uniform(*_SWAP_AFTER_S)) * 1_000_000)
        events.append(Swap(one, other, micros(met[which].end_at) + after_us))
    return sorted(events, key=lambda event: event.start_us)


def _occlusion(
    trajectory: Trajectory, events: Sequence[Occlusion | Swap], new: str, chance: np.random.Generator
) -> Occlusion | None:
    """An occlusion clear of all other events, or None where chance finds no place for it."""
    first_us, last_us = trajectory.span_us
    margin_us = round(_APART_S * 1_000_000)
    for _ in range(20):
        objid = str(chance.choice(trajectory.objids))
        length_us = round(float(chance.uniform(*_OCCLUDED_S)) * 1_000_000)
        low_us, high_us = first_us + margin_us, last_us - margin_us - length_us
        if high_us <= low_us:
            return None
        start_us = int(chance.integers(low_us, high_us))
        back_as = new if chance.random() < _NEW_ID else None
        if all(
            start_us > _end_us(event) + margin_us or start_us + length_us < event.start_us - margin_us
            for event in events
        ):
            return Occlusion(objid, start_us, start_us + length_us, back_as)
    return None


def _end_us(event: Occlusion | Swap) -> int:
    return event.start_us if isinstance(event, Swap) else event.end_us


def _as_shown(events: Sequence[Occlusion | Swap], objids: Sequence[str]) -> tuple[Occlusion | Swap, ...]:
    """Events that speak of the clean log's ids, in the words of the spoiled log at their time."""
    told: tuple[Occlusion | Swap, ...] = ()
    for event in events:
        now = {objid: shown_as(Spoils(events=told), objid, event.start_us - 1) or objid for objid in objids}
        if isinstance(event, Swap):
            told = (*told, replace(event, one=now[event.one], other=now[event.other]))
        else:
            told = (*told, replace(event, objid=now[event.objid]))
    return told
