"""From paths to contacts: which pairs overlap when; arithmetic only."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.replay_view.naming import LONGEST_GAP_S, Path

TANGENT = 0.035  # share of the diameter that two discs must lie over one another to count
TANGENT_PX = 0.4  # and at least this many pixels: centres are known to a few tenths
SWEPT = (0.6, 6.0)  # radii two discs move against one another between frames for a pass to be worked out
SWEPT_TANGENT = 0.01  # as TANGENT, for a pass: two frames with four places say how deep it is
BRIDGED_S = 0.15  # a shorter break is a dropout of sight
BEHIND = 1.9  # radii; a disc that appears or vanishes this close to another one is behind it


@dataclass(frozen=True)
class Contact:
    """Two numbers that overlap from frame `first` to frame `last`, both in."""

    pair: tuple[str, str]
    first: int
    last: int


def contacts(paths: list[Path], times_s: NDArray[np.float64], radius: float) -> list[Contact]:
    """Return every contact, earliest first."""
    filled = [Path(p.number, _between(p.places, times_s)) for p in paths]
    near = 2 * radius - max(TANGENT * 2 * radius, TANGENT_PX)
    found: list[Contact] = []
    for one, two in itertools.combinations(filled, 2):
        apart = one.places - two.places
        touching = np.nan_to_num(np.hypot(*apart.T), nan=np.inf) < near
        touching |= _passing(apart, radius) & ~touching & ~np.append(touching[1:], False)
        touching |= _behind(one.places, two.places, radius) | _behind(two.places, one.places, radius)
        pair = (one.number, two.number)
        ordered = (min(pair, key=_order), max(pair, key=_order))
        found.extend(Contact(ordered, first, last) for first, last in _runs(touching, times_s))
    return sorted(found, key=lambda c: (c.first, _order(c.pair[0]), _order(c.pair[1])))


def _behind(places: NDArray[np.float64], host: NDArray[np.float64], radius: float) -> NDArray[np.bool_]:
    """Return the frames in which a disc is out of sight and, when last or first seen, lay over (or under) another."""
    known = np.flatnonzero(np.isfinite(places[:, 0]))
    hidden = np.zeros(len(places), bool)
    if len(known) == 0:
        return hidden
    first, last = known[0], known[-1]
    seen = np.isfinite(host[:, 0])
    if np.hypot(*(host[last] - places[last])) < BEHIND * radius:
        hidden[last + 1 :] = seen[last + 1 :]
    if np.hypot(*(host[first] - places[first])) < BEHIND * radius:
        hidden[:first] = seen[:first]
    return hidden


def _passing(apart: NDArray[np.float64], radius: float) -> NDArray[np.bool_]:
    """Return the frames after which two discs pass through one another before the next frame shows them.

    A log is drawn in steps: fast discs may be on either side of their closest approach in two frames. Between
    frames they are taken to move straight, and their closest approach must lie below the sum of the radii by
    `SWEPT_TANGENT` of the diameter: it rests on four measured places, whose errors average out, where a single
    frame rests on two. Slow pairs are not judged so: a frame shows their closest approach well enough; nor are
    steps so long that the discs may as well have changed places.
    """
    step = np.diff(apart, axis=0)
    length = np.hypot(*step.T)
    fast = (length > SWEPT[0] * radius) & (length < SWEPT[1] * radius)
    part = -(apart[:-1] * step).sum(axis=1) / np.maximum(length**2, 1e-9)
    nearest = np.hypot(*(apart[:-1] + np.clip(part, 0, 1)[:, None] * step).T)
    passing = np.zeros(len(apart), bool)
    passing[:-1] = fast & (nearest < 2 * radius * (1 - SWEPT_TANGENT))
    return passing


def _order(number: str) -> tuple[int, str]:
    return len(number), number


def _runs(flags: NDArray[np.bool_], times_s: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return spans of set flags, joined over breaks of one frame or `BRIDGED_S`."""
    spans: list[tuple[int, int]] = []
    for at in np.flatnonzero(flags).tolist():
        if spans:
            last = spans[-1][1]
            if at - last <= 2 or times_s[at] - times_s[last] <= BRIDGED_S:
                spans[-1] = (spans[-1][0], at)
                continue
        spans.append((at, at))
    return spans


def _between(places: NDArray[np.float64], times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill short gaps of a path in a straight line."""
    known = np.flatnonzero(np.isfinite(places[:, 0]))
    filled = places.copy()
    for before, after in itertools.pairwise(known.tolist()):
        if after - before > 1 and times_s[after] - times_s[before] <= LONGEST_GAP_S:
            part = (times_s[before + 1 : after] - times_s[before]) / (times_s[after] - times_s[before])
            filled[before + 1 : after] = places[before] + part[:, None] * (places[after] - places[before])
    return filled
