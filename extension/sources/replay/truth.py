"""The truth of a generated log, computed from its clean coordinates and written beside it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from extension.sources.replay.happenings import at_walls, crossings, near_misses, stops
from extension.sources.replay.plan import Plan
from extension.sources.replay.spoil import Occlusion, Spoils, Swap, shown_as
from extension.timetravel.contacts import THRESHOLD_CM, Contact
from extension.timetravel.trajectory import Trajectory, instant, label_of, micros
from extension.timetravel.trajectory_csv import stamp

VERSION: Final = 1
COLLISION_COLUMNS: Final = ("timestamp", "objid", "x", "y", "z", "kind")

_MOST_PAIR_MINUTES: Final = 12_000.0
"""Crossings are looked for among as many pairs times minutes; half a day of fifty objects would take longer than drawing it."""


def truth(
    trajectory: Trajectory,
    met: Sequence[Contact],
    plan: Plan,
    spoils: Spoils,
    threshold_cm: float = THRESHOLD_CM,
) -> dict[str, Any]:
    """What happened, as a page of JSON; instants are ISO 8601 in the log's zone.

    Args:
        trajectory: The clean log.
        met: Its contacts (see `contacts`), found with the threshold.
        plan: What it was drawn from.
        spoils: What was done to it afterwards; `shown` of a contact are the labels of the two in the spoiled log when they are closest,
            null for one that it has no rows of then.
        threshold_cm: Centre distance below which two objects touch.
    """
    pairs = len(trajectory.objids) * (len(trajectory.objids) - 1) / 2
    countable = pairs * trajectory.duration_s / 60 <= _MOST_PAIR_MINUTES
    return {
        "version": VERSION,
        "threshold_cm": threshold_cm,
        "start_at": _iso(trajectory, micros(trajectory.start_at)),
        "end_at": _iso(trajectory, micros(trajectory.end_at)),
        "duration_s": trajectory.duration_s,
        "objects": list(trajectory.labels.values()),
        "room_cm": [plan.width_cm, plan.depth_cm],
        "contacts": [_contact(trajectory, contact, spoils) for contact in met],
        "near_misses": [
            {
                "objects": list(miss.labels),
                "closest_at": _iso(trajectory, miss.closest_us),
                "closest_cm": round(miss.closest_cm, 1),
            }
            for miss in near_misses(trajectory, threshold_cm)
        ],
        "stops": [
            {
                "object": stop.label,
                "start_at": _iso(trajectory, stop.start_us),
                "end_at": _iso(trajectory, stop.end_us),
            }
            for stop in stops(trajectory)
        ],
        "crossings": list(_crossings(trajectory)) if countable else None,
        "spoils": {
            "noise_cm": spoils.noise_cm,
            "rate_hz": spoils.rate_hz,
            "occlusions": [_occlusion(trajectory, e) for e in spoils.events if isinstance(e, Occlusion)],
            "swaps": [_swap(trajectory, e) for e in spoils.events if isinstance(e, Swap)],
        },
    }


def write_truth(page: dict[str, Any], path: Path) -> None:
    """Write the page; the file appears only when it is complete."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(page, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)


def write_collisions(trajectory: Trajectory, met: Sequence[Contact], plan: Plan, path: Path) -> None:
    """Write the predecessors' collisions CSV: a row for each object at each sample in which it touches another, or a wall."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLLISION_COLUMNS)
        for at_us, objid, kind, place in sorted(_collisions(trajectory, met, plan)):
            at = instant(at_us).astimezone(trajectory.tz)
            out.writerow((stamp(at), objid, *(f"{value:.1f}" for value in place), kind))
    part.replace(path)


def _collisions(
    trajectory: Trajectory, met: Sequence[Contact], plan: Plan
) -> Iterator[tuple[int, str, str, tuple[float, ...]]]:
    """Instant, objid, kind and place of every row."""
    for contact in met:
        for label in contact.objects:
            objid = trajectory.objid_of(label) or label
            track = trajectory.tracks[objid]
            ends = micros(contact.start_at), micros(contact.end_at)
            first, last = np.searchsorted(track.at_us, ends, side="left").tolist()
            for sample in range(first, last + 1):
                yield int(track.at_us[sample]), objid, "object", tuple(track.places[sample].tolist())
    for at_us, objid, place in at_walls(trajectory, plan.width_cm, plan.depth_cm):
        yield at_us, objid, "wall", tuple(place.tolist())


def _contact(trajectory: Trajectory, contact: Contact, spoils: Spoils) -> dict[str, Any]:
    closest_us = micros(contact.closest_at)
    objids = [trajectory.objid_of(label) or label for label in contact.objects]
    shown = [shown_as(spoils, objid, closest_us) for objid in objids]
    return {
        "objects": list(contact.objects),
        "start_at": _iso(trajectory, micros(contact.start_at)),
        "end_at": _iso(trajectory, micros(contact.end_at)),
        "closest_cm": round(contact.closest_cm, 1),
        "closest_at": _iso(trajectory, closest_us),
        "shown": [None if name is None else label_of(name) for name in shown],
    }


def _crossings(trajectory: Trajectory) -> Iterator[dict[str, Any]]:
    for crossing in crossings(trajectory):
        yield {
            "objects": list(crossing.labels),
            "first_at": _iso(trajectory, crossing.first_us),
            "second_at": _iso(trajectory, crossing.second_us),
            "x": round(crossing.x, 1),
            "z": round(crossing.z, 1),
        }


def _occlusion(trajectory: Trajectory, event: Occlusion) -> dict[str, Any]:
    return {
        "objid": event.objid,
        "start_at": _iso(trajectory, event.start_us),
        "end_at": _iso(trajectory, event.end_us),
        "back_as": event.back_as or event.objid,
    }


def _swap(trajectory: Trajectory, event: Swap) -> dict[str, Any]:
    return {"objids": [event.one, event.other], "at": _iso(trajectory, event.start_us)}


def _iso(trajectory: Trajectory, at_us: int) -> str:
    return instant(at_us).astimezone(trajectory.tz).isoformat(timespec="milliseconds")
