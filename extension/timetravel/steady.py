"""How noisy a log's coordinates are, and distances between objects with that noise taken out. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from extension.timetravel.trajectory import Micros, Places, Track, Trajectory

CLEAN_CM: Final = 2.0
"""Less noise than this (standard deviation per axis) is taken for rounding: the log is believed as it stands."""

_ORDER: Final = 4
_GAIN: Final = 70.0
"""Differences of order 4 of white noise have 70 times its variance (1 + 16 + 36 + 16 + 1), and almost none of a walk's."""
_MAD: Final = 1.4826
"""Median absolute deviation to standard deviation, for a normal distribution."""
_SAMPLES: Final = 5000
"""Samples per object that the noise is measured on."""
_LONGEST_STEP_US: Final = 350_000
"""Steps longer than this let the motion itself look like noise."""

_LONGEST_S: Final = 2.0
_SHORTEST_S: Final = 0.4
_DEGREE: Final = 2

Vectors = npt.NDArray[np.float64]


def noise_cm(trajectory: Trajectory) -> float:
    """Standard deviation of the sensor's noise per axis, in centimetres; 0 where the log's steps are too long to tell.

    It is read from fourth differences of neighbouring samples on the ground plane, by their median, so that turns and
    jumps do not count.
    """
    found = [differences for track in trajectory.tracks.values() for differences in _differences(track)]
    if not found:
        return 0.0
    return float(_MAD * np.median(np.abs(np.concatenate(found))) / np.sqrt(_GAIN))


def _differences(track: Track) -> list[Vectors]:
    at_us, places = track.at_us[:_SAMPLES], track.places[:_SAMPLES]
    if len(at_us) <= _ORDER:
        return []
    steps_us = np.diff(at_us)
    usual_us = float(np.median(steps_us))
    if usual_us > _LONGEST_STEP_US:
        return []
    even = np.abs(steps_us - usual_us) <= 0.1 * usual_us
    whole = np.lib.stride_tricks.sliding_window_view(even, _ORDER).all(axis=1)
    differences: Vectors = np.diff(places[:, [0, 2]], _ORDER, axis=0)[whole]
    return [differences.ravel()] if len(differences) else []


def usual_step_us(trajectory: Trajectory) -> float:
    """Median time between the samples of an object, in microseconds; 0 when no object has two."""
    steps = [np.diff(track.at_us[:_SAMPLES]) for track in trajectory.tracks.values()]
    together = np.concatenate(steps)
    return float(np.median(together)) if len(together) else 0.0


def half_window_s(sigma_cm: float) -> float:
    """Half the width of the window that a noise calls for, in seconds: measured on generated logs of 5 to 50 cm noise."""
    return float(np.clip(0.4 * sigma_cm**0.45, _SHORTEST_S, _LONGEST_S))


def weights(half: int) -> Vectors:
    """Weights by which a parabola fitted to 2 * half + 1 even samples gives its middle; shape (2 * half + 1,), sum 1.

    Savitzky and Golay, Analytical Chemistry 36 (1964) 1627.
    """
    steps = np.arange(-half, half + 1, dtype=np.float64)
    fit: Vectors = np.linalg.pinv(np.vander(steps, _DEGREE + 1, increasing=True))[0]
    return fit


def steadied(values: Vectors, half: int) -> Vectors:
    """Each column smoothed over 2 * half + 1 rows, ends continued by reflection about their last value; shape kept."""
    half = min(half, len(values) - 1)
    if half < _DEGREE:
        return values
    padded = np.pad(values, ((half, half), (0, 0)), mode="reflect", reflect_type="odd")
    kernel = weights(half)
    return np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=1)


def apart_cm(a: Track, b: Track, at_us: Micros, half: int) -> Vectors:
    """Horizontal distance of two objects at even instants, steadied; shape (n,), centimetres."""
    between: Places = a.places_at(at_us) - b.places_at(at_us)
    ground = steadied(between[:, [0, 2]], half)
    distance: Vectors = np.hypot(ground[:, 0], ground[:, 1])
    return distance
