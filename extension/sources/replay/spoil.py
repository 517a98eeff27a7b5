"""What sensors and trackers do to a log: noise, missing rows, exchanged and new ids, a lower rate. Pure: the clean log stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from extension.errors import BadInput
from extension.sources.replay.scene import shown
from extension.timetravel.trajectory import Micros, Track, Trajectory

_DECIMALS = 1


@dataclass(frozen=True, slots=True)
class Occlusion:
    """A tracker loses an object for a while.

    Attributes:
        objid: Id that the log has for it until then.
        start_us: From here on there are no rows, microseconds since 1970 UTC.
        end_us: Rows are back from here on.
        back_as: Id under which it is back; None keeps the one it had.
    """

    objid: str
    start_us: int
    end_us: int
    back_as: str | None = None


@dataclass(frozen=True, slots=True)
class Swap:
    """A tracker takes two objects for each other from an instant on.

    Attributes:
        one: Id that the log has for the one until then.
        other: Id that it has for the other.
        start_us: From here on each has the other's id, microseconds since 1970 UTC.
    """

    one: str
    other: str
    start_us: int


@dataclass(frozen=True, slots=True)
class Spoils:
    """Everything that is done to a log, and enough to tell who is who afterwards.

    Attributes:
        noise_cm: Standard deviation of the error of every coordinate of every sample.
        rate_hz: Samples per second that are left; None keeps the log's own.
        events: Occlusions and swaps by time; each speaks of ids as the log has them after those before it.
    """

    noise_cm: float = 0.0
    rate_hz: float | None = None
    events: tuple[Occlusion | Swap, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything is done at all."""
        return self.noise_cm > 0 or self.rate_hz is not None or bool(self.events)


def spoiled(trajectory: Trajectory, spoils: Spoils, chance: np.random.Generator) -> Trajectory:
    """The log as a poor tracker would have written it.

    Raises:
        BadInput: An event speaks of an id that the log does not have then.
    """
    if spoils.rate_hz is not None:
        trajectory = at_rate(trajectory, spoils.rate_hz)
    if spoils.noise_cm > 0:
        trajectory = with_noise(trajectory, spoils.noise_cm, chance)
    for event in spoils.events:
        change = with_swapped_ids if isinstance(event, Swap) else with_occlusion
        trajectory = change(trajectory, event)  # type: ignore[arg-type] # each takes its own kind of event
    return trajectory


def shown_as(spoils: Spoils, objid: str, at_us: int) -> str | None:
    """The id under which a spoiled log has an object of the clean one at an instant; None while it has no rows."""
    for event in spoils.events:
        if event.start_us > at_us:
            break
        if isinstance(event, Swap):
            objid = {event.one: event.other, event.other: event.one}.get(objid, objid)
        elif objid == event.objid:
            if at_us < event.end_us:
                return None
            objid = event.back_as or objid
    return objid


def with_noise(trajectory: Trajectory, sigma_cm: float, chance: np.random.Generator) -> Trajectory:
    """Every coordinate of every sample off by a normally distributed error of its own, rounded to a millimetre."""
    tracks = {
        objid: Track(
            track.at_us.copy(),
            np.round(track.places + chance.normal(0.0, sigma_cm, track.places.shape), _DECIMALS),
        )
        for objid, track in trajectory.tracks.items()
    }
    return replace(trajectory, tracks=tracks)


def with_occlusion(trajectory: Trajectory, occlusion: Occlusion) -> Trajectory:
    """The log without an object's rows for a while, and with those after it under another id where the event says so.

    Raises:
        BadInput: The log has no such object, or another one under the new id.
    """
    track = _known(trajectory, occlusion.objid)
    before, after = track.at_us < occlusion.start_us, track.at_us >= occlusion.end_us
    tracks = {objid: kept for objid, kept in trajectory.tracks.items() if objid != occlusion.objid}
    if occlusion.back_as is None or occlusion.back_as == occlusion.objid:
        parts = {occlusion.objid: before | after}
    else:
        if occlusion.back_as in tracks:
            raise BadInput(f"the log already has an object {occlusion.back_as!r}")
        parts = {occlusion.objid: before, occlusion.back_as: after}
    tracks |= {objid: _rows(track, mask) for objid, mask in parts.items() if mask.any()}
    if not tracks:
        raise BadInput("the log has no rows left")
    return replace(trajectory, tracks=tracks)


def with_swapped_ids(trajectory: Trajectory, swap: Swap) -> Trajectory:
    """The log with the ids of two objects exchanged from an instant on.

    Raises:
        BadInput: The log has no such objects.
    """
    one, other = _known(trajectory, swap.one), _known(trajectory, swap.other)
    tracks = dict(trajectory.tracks)
    for objid, until, since in ((swap.one, one, other), (swap.other, other, one)):
        del tracks[objid]
        early, late = until.at_us < swap.start_us, since.at_us >= swap.start_us
        at_us = np.concatenate((until.at_us[early], since.at_us[late]))
        if at_us.size:
            tracks[objid] = Track(at_us, np.concatenate((until.places[early], since.places[late])))
    return replace(trajectory, tracks=tracks)


def at_rate(trajectory: Trajectory, rate_hz: float) -> Trajectory:
    """The log sampled at another rate, from its first instant on: its own samples where they fall on one, straight lines between.

    Raises:
        BadInput: The rate is not above zero.
    """
    if not rate_hz > 0:
        raise BadInput(f"the rate is {rate_hz}, must be above 0")
    first_us, last_us = trajectory.span_us
    count = int((last_us - first_us) * rate_hz / 1_000_000) + 1
    ticks: Micros = first_us + np.rint(np.arange(count) * (1_000_000 / rate_hz)).astype(np.int64)
    sampled = {}
    for objid, track in trajectory.tracks.items():
        at_us = ticks[shown(track, ticks) & (ticks <= track.at_us[-1])]
        if at_us.size:
            sampled[objid] = Track(at_us, np.round(track.places_at(at_us), _DECIMALS))
    return replace(trajectory, tracks=sampled or dict(trajectory.tracks))


def ids_after(objids: Sequence[str], count: int) -> list[str]:
    """New ids for objects that come back as somebody else: the numbers after those in use."""
    return [f"obj{len(objids) + 1 + number:03d}" for number in range(count)]


def _known(trajectory: Trajectory, objid: str) -> Track:
    if objid not in trajectory.tracks:
        raise BadInput(f"the log has no object {objid!r}")
    return trajectory.tracks[objid]


def _rows(track: Track, mask: npt.NDArray[np.bool_]) -> Track:
    return Track(track.at_us[mask], track.places[mask])
