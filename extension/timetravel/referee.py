"""What the log itself says of contacts, with the noise of its coordinates taken into account. Pure.

A clean log is exact. A noisy one is steadied first: what a single sample shows may be the noise. Then each contact found carries how sure
the log is of it, so that it can be weighed against what the VLM saw.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Iterator
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.timetravel import steady
from extension.timetravel.contacts import THRESHOLD_CM, Contact, contacts
from extension.timetravel.trajectory import Micros, Trajectory, instant, micros

_STEPS_US: Final = (20_000, 200_000)
"""Steps between the instants that a noisy log is read at: its own, within these."""
_JOIN_US: Final = 600_000
"""Between two contacts of a pair on a noisy log there is at least this much: noise alone makes shorter pauses."""
_REACH: Final = 3.0
"""How many standard deviations beyond the threshold a noisy log is searched."""


class Referee:
    """Knows the contacts of a log.

    Args:
        trajectory: The log.
        contact_cm: Horizontal distance below which two objects are in contact.

    Attributes:
        sigma_cm: Noise of the coordinates, standard deviation per axis; 0 on a clean log.
    """

    def __init__(self, trajectory: Trajectory, contact_cm: float = THRESHOLD_CM) -> None:
        self._trajectory = trajectory
        self._contact_cm = contact_cm
        sigma_cm = steady.noise_cm(trajectory)
        self.sigma_cm = 0.0 if sigma_cm < steady.CLEAN_CM else sigma_cm
        self._step_us = int(np.clip(steady.usual_step_us(trajectory), *_STEPS_US))
        self._half = round(steady.half_window_s(self.sigma_cm) * 1e6 / self._step_us) if self.sigma_cm else 0

    @cached_property
    def told(self) -> tuple[Contact, ...]:
        """All contacts that the log tells of, by time."""
        if not self.sigma_cm:
            return tuple(contacts(self._trajectory, self._contact_cm))
        found = {
            contact
            for pair, at_us in self._searched(self._contact_cm + _REACH * 2**0.5 * self.sigma_cm)
            for contact in self._steadied(pair, at_us)
        }
        return tuple(sorted(found, key=lambda contact: (contact.start_at, contact.objects)))

    def told_between(self, start_at: dt.datetime, end_at: dt.datetime) -> tuple[Contact, ...]:
        """The contacts that touch a span of log time, both ends in it, by time."""
        starts, longest = self._starts
        first = bisect.bisect_left(starts, start_at - longest)
        last = bisect.bisect_right(starts, end_at)
        return tuple(contact for contact in self.told[first:last] if contact.end_at >= start_at)

    @cached_property
    def _starts(self) -> tuple[list[dt.datetime], dt.timedelta]:
        """First instants of all contacts, by time, and the duration of the longest."""
        longest = max((contact.end_at - contact.start_at for contact in self.told), default=dt.timedelta())
        return [contact.start_at for contact in self.told], longest

    def near(self, within_cm: float) -> tuple[tuple[dt.datetime, dt.datetime], ...]:
        """Spans of log time in which any two objects may come this close, by time and merged; the noise is allowed for."""
        merged: list[tuple[dt.datetime, dt.datetime]] = []
        for start_at, end_at in ((one.start_at, one.end_at) for one in self.encounters(within_cm)):
            if merged and start_at <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end_at, merged[-1][1]))
            else:
                merged.append((start_at, end_at))
        return tuple(merged)

    def encounters(self, within_cm: float) -> tuple[Contact, ...]:
        """Who may come this close to whom, and when, by time; the noise is allowed for."""
        return contacts(self._trajectory, within_cm + _REACH * 2**0.5 * self.sigma_cm)

    def _searched(self, reach_cm: float) -> Iterator[tuple[tuple[str, str], Micros]]:
        """Pairs of objids, and the even instants around each time that their raw coordinates come within reach."""
        margin_us = (self._half + 1) * self._step_us
        by_pair: dict[tuple[str, str], list[list[int]]] = {}
        for contact in contacts(self._trajectory, reach_cm):
            spans = by_pair.setdefault(contact.objects, [])
            start_us, end_us = micros(contact.start_at) - margin_us, micros(contact.end_at) + margin_us
            if spans and start_us <= spans[-1][1] + 2 * margin_us:
                spans[-1][1] = max(end_us, spans[-1][1])
            else:
                spans.append([start_us, end_us])
        for (one, other), spans in by_pair.items():
            ids = (self._trajectory.objid_of(one) or one, self._trajectory.objid_of(other) or other)
            for start_us, end_us in spans:
                yield ids, self._recorded(ids, start_us, end_us)

    def _recorded(self, pair: tuple[str, str], start_us: int, end_us: int) -> Micros:
        """Even instants of a span in which both objects are recorded."""
        tracks = [self._trajectory.tracks[objid] for objid in pair]
        first_us = max(start_us, *(int(track.at_us[0]) for track in tracks))
        last_us = min(end_us, *(int(track.at_us[-1]) for track in tracks))
        return np.arange(first_us, last_us + 1, self._step_us, dtype=np.int64)

    def _apart_cm(self, pair: tuple[str, str], at_us: Micros) -> steady.Vectors:
        one, other = (self._trajectory.tracks[objid] for objid in pair)
        both = one.present_at(at_us) & other.present_at(at_us)
        return np.where(both, steady.apart_cm(one, other, at_us, self._half), np.inf)

    def _steadied(self, pair: tuple[str, str], at_us: Micros) -> Iterator[Contact]:
        if not len(at_us):
            return
        distance_cm = self._apart_cm(pair, at_us)
        labels = (self._trajectory.labels[pair[0]], self._trajectory.labels[pair[1]])
        for first, last in _runs(distance_cm < self._contact_cm, _JOIN_US / self._step_us):
            closest = first + int(np.argmin(distance_cm[first : last + 1]))
            yield Contact(
                objects=labels,
                start_at=instant(int(at_us[first])),
                end_at=instant(int(at_us[last])),
                closest_cm=float(distance_cm[closest]),
                closest_at=instant(int(at_us[closest])),
            )


def _runs(inside: npt.NDArray[np.bool_], pause: float) -> Iterator[tuple[int, int]]:
    """First and last place of each run of true; runs no more than `pause` places apart are one."""
    places = np.flatnonzero(inside)
    if not len(places):
        return
    breaks = np.flatnonzero(np.diff(places) > pause)
    yield from zip(
        places[np.concatenate(([0], breaks + 1))].tolist(),
        places[np.concatenate((breaks, [len(places) - 1]))].tolist(),
        strict=True,
    )
