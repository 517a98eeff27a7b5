"""What about a log's numbers cannot be, told as questions: units, steps, objects hardly seen. It changes nothing. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.timetravel.trajectory import Micros, Places, Track

SLOWEST_CM_S: Final = 10.0
"""People walk at 120 to 140 cm/s; the predecessor's objects move at 49 to 198. Slower than this by far: metres?"""

FASTEST_CM_S: Final = 1_000.0
"""Forklifts reach 500 cm/s. A usual speed beyond this is a road vehicle's, or millimetres."""

SMALLEST_CM: Final = 50.0
"""Several moving objects need more ground than this, or their unit is a metre."""

LARGEST_CM: Final = 1e7
"""100 km: no site is as large."""

_FEWEST_STEPS: Final = 20
_LONG_LOG_US: Final = 2_000_000
_UNEVEN_SHARE: Final = 0.1
_UNEVEN_BY: Final = 2.0
_WINDOWS, _WINDOW_STEPS = 16, 1024
_X, _Z = 0, 2


def doubts(
    tracks: Mapping[str, Track], low: Places, high: Places, release: Callable[[], None] = lambda: None
) -> tuple[str, ...]:
    """Sentences about what cannot be.

    Long tracks are judged by sixteen spans of a thousand steps, spread evenly.

    Args:
        tracks: Samples by objid.
        low: Shape (3,), the smallest coordinates of all samples.
        high: Shape (3,), the largest ones.
        release: Called after each object, to free the memory that looking at it took.
    """
    steps: dict[str, Steps] = {}
    for objid, track in tracks.items():
        steps[objid] = _steps(track)
        release()
    return (
        *_unit_doubts(steps, high - low),
        *_uneven(steps),
        *_hardly_seen(tracks),
    )


Steps = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def _steps(track: Track) -> Steps:
    """Durations in seconds and horizontal speeds in cm/s between samples that follow one another; shapes (n,)."""
    taken = [(track.at_us[piece], track.places[piece]) for piece in _windows(len(track.at_us))]
    step_s = np.concatenate([np.diff(at_us) / 1e6 for at_us, _ in taken])
    way_cm = np.concatenate([_ways(places) for _, places in taken])
    return step_s, way_cm / step_s


def _ways(places: Places) -> npt.NDArray[np.float64]:
    moved = np.diff(places[:, [_X, _Z]], axis=0)
    ways: npt.NDArray[np.float64] = np.hypot(moved[:, 0], moved[:, 1])
    return ways


def _windows(count: int) -> Iterator[slice]:
    if count <= _WINDOWS * (_WINDOW_STEPS + 1):
        yield slice(0, count)
        return
    for start in np.linspace(0, count - _WINDOW_STEPS - 1, _WINDOWS).astype(int):
        yield slice(int(start), int(start) + _WINDOW_STEPS + 1)


def _unit_doubts(steps: Mapping[str, Steps], size: Places) -> Iterator[str]:
    speeds = np.concatenate([speed for _, speed in steps.values()])
    moving = speeds[speeds > 0]
    if len(moving) < _FEWEST_STEPS:
        return
    usual, wide, deep = float(np.median(moving)), float(size[_X]), float(size[_Z])
    if usual < SLOWEST_CM_S:
        yield (
            f"objects usually move at {usual:.3g} units a second, too slow for centimetres: are they metres? "
            "Distances are taken in centimetres all the same"
        )
    elif max(wide, deep) < SMALLEST_CM:
        yield (
            f"all objects stay within {wide:.3g} by {deep:.3g} units, too little for centimetres: are they metres? "
            "Distances are taken in centimetres all the same"
        )
    if usual > FASTEST_CM_S:
        yield (
            f"objects usually move at {usual:.4g} units a second, {usual / 100:.3g} m/s if these are centimetres: are they "
            "millimetres? Distances are taken in centimetres all the same"
        )
    elif max(wide, deep) > LARGEST_CM:
        yield f"the objects spread over {wide / 1e5:.4g} by {deep / 1e5:.4g} km if the units are centimetres: are they?"


def _uneven(steps: Mapping[str, Steps]) -> Iterator[str]:
    worst: list[tuple[str, npt.NDArray[np.float64], float]] = []
    for objid, (step_s, _) in steps.items():
        if len(step_s) < _FEWEST_STEPS:
            continue
        usual = float(np.median(step_s))
        odd = (step_s > _UNEVEN_BY * usual) | (step_s < usual / _UNEVEN_BY)
        if odd.mean() > _UNEVEN_SHARE:
            worst.append((objid, step_s, usual))
    if worst:
        objid, step_s, usual = worst[0]
        yield (
            f"the steps of {_counted(len(worst))} are very uneven (first {objid!r}: from {step_s.min():.3g} s to "
            f"{step_s.max():.3g} s, usually {usual:.3g} s)"
        )


def _hardly_seen(tracks: Mapping[str, Track]) -> Iterator[str]:
    ends: list[tuple[Micros, Micros]] = [(track.at_us[0], track.at_us[-1]) for track in tracks.values()]
    duration_us = int(max(last for _, last in ends) - min(first for first, _ in ends))
    once = [objid for objid, track in tracks.items() if len(track.at_us) == 1]
    if once and duration_us > _LONG_LOG_US:
        yield (
            f"{_counted(len(once))} appear{'s' if len(once) == 1 else ''} with one sample only in a log of "
            f"{duration_us / 1e6:.6g} s (first {once[0]!r})"
        )


def _counted(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"
