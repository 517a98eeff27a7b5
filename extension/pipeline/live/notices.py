"""While no VLM can be had: notices by motion alone, for cameras that ask for them; once it answers, their windows are looked at again.

A notice is an open incident that rests on motion and is unverified, so that a restart finds in the store what still waits.
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import structlog

from extension.incidents import revise
from extension.model import Basis, Caption, Check, Event, Incident, Kind, Severity
from extension.pipeline.asking import PASSING
from extension.pipeline.live.lane import Lane
from extension.pipeline.live.register import Register
from extension.pipeline.live.windows import SHED
from extension.store import Store

_LOG = structlog.get_logger(__name__)
_NAMESPACE: Final = uuid.UUID("8f0c5c8e-5a4c-5a53-9d6a-2b7f5a1f0d11")
_MOST_WINDOWS: Final = 3
"""Looked at again for one notice: those with the most motion."""
_MOST_TRIES: Final = 3
"""A window for which the VLM goes away so often is at fault itself."""
FIRST_FAILURE: Final = "first_failure"
"""Under this the record of a window that was looked at again says why it had no answer at first."""
_KEPT: Final[tuple[str, ...]] = ("motion", "gate")

LookAt = Callable[[Lane, int], Caption]
Judged = Callable[[Lane, tuple[Incident, ...]], None]


@dataclass
class _Owed:
    """A notice that somebody has still to look at.

    Attributes:
        left: Share of motion of the windows that are left, by number.
        looked: The later answers so far, by window.
        moved: How many windows it rests on.
        held: The incident, and those that were open with it: what a later look shows may belong to any of them.
    """

    lane: Lane
    incident_id: str
    left: dict[int, float] = field(default_factory=dict)
    looked: dict[int, Caption] = field(default_factory=dict)
    moved: int = 0
    held: frozenset[str] = frozenset()

    @property
    def newest(self) -> float:
        """When its last window begins, seconds of the wall clock since 1970."""
        return self.lane.at(self.lane.chunk(max(self.left, default=0)).span.start_s).timestamp()


class Notices:
    """Notices of all cameras. Safe to use from several threads.

    Args:
        lanes: The cameras by name; what waits from before a restart is taken up.
        store: Captions and events.
        register: Where judgements go.
        look: Looks at a window, whatever moves in it.
        recorded: Whether anything of a window is still on disk.
        judged: Hears of incidents that changed.
    """

    def __init__(
        self,
        lanes: Mapping[str, Lane],
        store: Store,
        register: Register,
        look: LookAt,
        recorded: Callable[[Lane, int], bool],
        judged: Judged,
    ) -> None:
        self._lanes = lanes
        self._store = store
        self._register = register
        self._look = look
        self._recorded = recorded
        self._judged = judged
        self._answers: bool | None = None
        self._tries: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._owed = {owed.incident_id: owed for owed in self._recalled()}
        for lane in lanes.values():
            self._hold(lane)

    def heard(self, caption: Caption) -> None:
        """A window was looked at: whether there is a VLM is known by how that ended."""
        if caption.failure is None and caption.asked:
            self._answers = True
        elif caption.failure is not None and caption.failure.code in PASSING:
            self._answers = False

    def wants(self, lane: Lane) -> bool:
        """Whether the motion of a window that nobody will look at matters."""
        return lane.motion_notices and self._answers is False

    def of(self, lane: Lane, caption: Caption) -> tuple[Event, ...]:
        """The notice that a window is worth: it moved, and no VLM could be had for it."""
        if lane.motion_notices and self._missed(caption) and _motion(caption).get("moving") is True:
            return (_notice(lane, caption),)
        return ()

    def entered(self, lane: Lane, caption: Caption, incidents: Collection[Incident]) -> None:
        """A window's notice is stored within one of these incidents: it waits for the VLM from now on."""
        name = _event_id(lane, caption.chunk.index)
        holder = next((incident for incident in incidents if name in incident.event_ids), None)
        if holder is None or not revise.is_notice(holder):
            return
        with self._lock:
            owed = self._owed.setdefault(holder.id, _Owed(lane, holder.id))
            owed.left[caption.chunk.index] = _share(caption)
            owed.moved += 1
            owed.held |= {incident.id for incident in lane.judge.open}
            self._hold(lane)

    def waiting(self, camera: str) -> int:
        """How many notices of a camera wait for the VLM."""
        return sum(map(revise.is_notice, self._lanes[camera].judge.open))

    def look_again(self) -> None:
        """Look once more at one window, if the VLM answers and one waits; returns at once when somebody else is at it.

        Raises:
            Stopped: when the service stops meanwhile.
            Unavailable: when the store cannot be had.
        """
        if not self._one_at_a_time.acquire(blocking=False):
            return
        try:
            for owed in self._all():
                self._let_go(owed)
            waiting = self._all() if self._answers else []
            if waiting:
                self._again(max(waiting, key=lambda owed: owed.newest))
        finally:
            self._one_at_a_time.release()

    def _missed(self, caption: Caption) -> bool:
        if caption.failure is None:
            return False
        # A window is shed for want of time too; only while no VLM is to be had is that worth a notice.
        return caption.failure.code in PASSING or (caption.failure.code == SHED and self._answers is False)

    def _all(self) -> list[_Owed]:
        with self._lock:
            return list(self._owed.values())

    def _let_go(self, owed: _Owed) -> None:
        """Forget windows whose recording is gone; what has no other is settled as it is."""
        with self._lock:
            for number in sorted(owed.left):
                if self._recorded(owed.lane, number):
                    break
                del owed.left[number]
        if not owed.left:
            self._settle(owed)

    def _again(self, owed: _Owed) -> None:
        with self._lock:
            number = next_window(owed.left, owed.looked, _apart(owed.lane))
        caption = self._look(owed.lane, number)
        self.heard(caption)
        if self._comes_back(owed.lane, number, caption):
            return
        caption = _with_first(caption, self._before(owed.lane, number))
        # Judged before it is stored: a crash in between repeats the look rather than losing what it showed.
        changed = self._register.enter(owed.lane, lambda judge: judge.judge_again(caption))
        self._store.save_captions(owed.lane.job_id, [caption])
        self._judged(owed.lane, changed)
        with self._lock:
            owed.left.pop(number, None)
            owed.looked[number] = caption
        _LOG.info("looked_again", camera=owed.lane.camera, found=revise.shows_something(caption))
        if len(owed.looked) >= _MOST_WINDOWS or not owed.left:
            self._settle(owed)

    def _comes_back(self, lane: Lane, number: int, caption: Caption) -> bool:
        """Whether the same window is to be tried once more, later."""
        if caption.failure is None or caption.failure.code not in PASSING:
            return False
        self._tries[lane.job_id, number] += 1
        return self._tries[lane.job_id, number] < _MOST_TRIES

    def _settle(self, owed: _Owed) -> None:
        def decide(incident: Incident) -> revise.Revision | None:
            return revise.settled(incident, list(owed.looked.values()), owed.moved)

        changed = self._register.enter(owed.lane, lambda judge: judge.revise(owed.incident_id, decide))
        self._judged(owed.lane, changed)
        with self._lock:
            self._owed.pop(owed.incident_id, None)
            self._hold(owed.lane)
            for number in (*owed.looked, *owed.left):
                self._tries.pop((owed.lane.job_id, number), None)

    def _hold(self, lane: Lane) -> None:
        """Have nothing end that a later look may still add to: it would be told a second time."""
        held = (owed.held for owed in self._owed.values() if owed.lane is lane)
        lane.judge.held = frozenset().union(*held)

    def _before(self, lane: Lane, number: int) -> Caption | None:
        found = self._store.captions(lane.job_id, number, 1)
        return found[0] if found and found[0].chunk.index == number else None

    def _recalled(self) -> list[_Owed]:
        """What waits from before a restart."""
        return [
            self._recall(lane, incident)
            for lane in self._lanes.values()
            for incident in lane.judge.open
            if revise.is_notice(incident)
        ]

    def _recall(self, lane: Lane, incident: Incident) -> _Owed:
        owed = _Owed(lane, incident.id, held=frozenset(one.id for one in lane.judge.open))
        for event in self._store.events_by_id(incident.event_ids):
            caption = self._before(lane, event.chunk_index)
            owed.moved += 1
            if caption is not None and FIRST_FAILURE in caption.stats:
                owed.looked[event.chunk_index] = caption
            else:
                owed.left[event.chunk_index] = _share(caption) if caption else 0.0
        return owed


def next_window(left: Mapping[int, float], looked: Collection[int], apart: int) -> int:
    """The window to look at next: the one with the most motion, of those that show anything new while there are such.

    Args:
        left: Share of motion by window.
        looked: Windows that were looked at.
        apart: Windows whose numbers differ by less show partly the same.
    """
    fresh = [n for n in left if all(abs(n - other) >= apart for other in looked)]
    return max(fresh or left, key=lambda n: (left[n], n))


def _apart(lane: Lane) -> int:
    return max(1, -int(-lane.rhythm.length_s // lane.rhythm.stride_s))


def _motion(caption: Caption) -> Mapping[str, Any]:
    motion = caption.stats.get("motion")
    return motion if isinstance(motion, dict) else {}


def _share(caption: Caption) -> float:
    share = _motion(caption).get("share")
    return float(share) if isinstance(share, int | float) else 0.0


def _event_id(lane: Lane, number: int) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{lane.job_id}/motion/{number}"))


def _notice(lane: Lane, caption: Caption) -> Event:
    span = caption.chunk.span
    return Event(
        id=_event_id(lane, caption.chunk.index),
        job_id=lane.job_id,
        chunk_index=caption.chunk.index,
        kind=Kind.OTHER,
        span=span,
        severity=Severity.WARN,
        objects=(lane.camera,),
        description=f"Something moved before camera {lane.camera} while no VLM could judge it.",
        start_at=lane.at(span.start_s),
        end_at=lane.at(span.end_s),
        basis=Basis.MOTION,
        check=Check.UNVERIFIED,
    )


def _with_first(caption: Caption, before: Caption | None) -> Caption:
    """A later answer that remembers why there was none at first."""
    if before is None:
        return replace(caption, stats={**caption.stats, FIRST_FAILURE: None})
    kept = {name: before.stats[name] for name in _KEPT if name in before.stats}
    first = before.stats.get(FIRST_FAILURE)
    if before.failure is not None:
        first = first or {"code": before.failure.code, "message": before.failure.message}
    return replace(caption, stats={**kept, **caption.stats, FIRST_FAILURE: first})
