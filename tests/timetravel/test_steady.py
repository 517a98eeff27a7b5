"""Noise is measured without being fooled by motion, and taken out without bending what happened."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.timetravel import steady
from extension.timetravel.trajectory import Track, Trajectory

STEP_US = 200_000


def _walk(samples: int, sigma_cm: float, *, seed: int = 1, step_us: int = STEP_US) -> Track:
    """Somebody walking round a circle of 5 m at 1.5 m/s, seen by a sensor with that noise."""
    at_us = step_us * np.arange(samples, dtype=np.int64)
    angle = 0.3 * at_us / 1e6
    places = 500.0 * np.stack([np.cos(angle), np.zeros(samples), np.sin(angle)], axis=1)
    return Track(at_us, places + np.random.default_rng(seed).normal(0.0, sigma_cm, places.shape))


def _log(*tracks: Track) -> Trajectory:
    return Trajectory({f"obj{number:03d}": track for number, track in enumerate(tracks, start=1)})


@pytest.mark.parametrize("sigma_cm", [0.0, 5.0, 25.0, 50.0])
def test_noise_is_measured_on_people_who_walk(sigma_cm: float) -> None:
    """Within a tenth and two centimetres, whatever the walk does."""
    log = _log(_walk(600, sigma_cm), _walk(600, sigma_cm, seed=2))
    assert steady.noise_cm(log) == pytest.approx(sigma_cm, rel=0.1, abs=0.5)


def test_rounding_is_no_noise() -> None:
    """A log rounded to a millimetre counts as clean."""
    track = _walk(600, 0.0)
    assert steady.noise_cm(_log(Track(track.at_us, np.round(track.places, 1)))) < steady.CLEAN_CM


def test_turns_and_jumps_do_not_count_as_noise() -> None:
    """A few wild samples leave the median where it is."""
    track = _walk(600, 0.0)
    places = track.places.copy()
    places[::60] += 300.0
    assert steady.noise_cm(_log(Track(track.at_us, places))) < steady.CLEAN_CM


@pytest.mark.parametrize(
    "track",
    [
        pytest.param(_walk(600, 30.0, step_us=1_000_000), id="steps-too-long"),
        pytest.param(_walk(4, 30.0), id="too-few-samples"),
    ],
)
def test_where_nothing_can_be_said_the_log_is_believed(track: Track) -> None:
    """No measure, no noise."""
    assert steady.noise_cm(_log(track)) == 0.0


def test_uneven_stretches_are_left_out() -> None:
    """Samples at odd times would look like noise."""
    track = _walk(600, 0.0)
    kept = np.delete(np.arange(600), np.arange(50, 600, 50))
    assert steady.noise_cm(_log(Track(track.at_us[kept], track.places[kept]))) < steady.CLEAN_CM


def test_the_usual_step_is_the_logs_own() -> None:
    """The median over all objects; nothing where nobody has two samples."""
    assert steady.usual_step_us(_log(_walk(9, 0.0), _walk(9, 0.0))) == STEP_US
    assert steady.usual_step_us(_log(_walk(1, 0.0))) == 0.0


@given(st.integers(2, 12))
def test_weights_leave_parabolas_alone(half: int) -> None:
    """They sum to one, are even, and give back the middle of any parabola."""
    weights = steady.weights(half)
    steps = np.arange(-half, half + 1)
    assert weights.sum() == pytest.approx(1.0)
    assert weights == pytest.approx(weights[::-1])
    assert (weights * (3.0 + 2.0 * steps + 0.5 * steps**2)).sum() == pytest.approx(3.0)


@given(st.integers(0, 30), st.integers(1, 40))
def test_steadying_keeps_shape_and_straight_lines(half: int, samples: int) -> None:
    """Also at both ends, and for windows wider than the log."""
    line = np.stack([np.arange(samples) * 7.0, 5.0 - np.arange(samples) * 3.0], axis=1)
    assert steady.steadied(line, half) == pytest.approx(line)


def test_more_noise_calls_for_a_wider_window() -> None:
    """Between 0.4 and 2 s."""
    widths = [steady.half_window_s(sigma) for sigma in (0.0, 5.0, 10.0, 25.0, 50.0, 500.0)]
    assert widths == sorted(widths)
    assert (widths[0], widths[-1]) == (0.4, 2.0)


def test_a_steadied_distance_is_nearer_to_the_truth() -> None:
    """Of two who walk side by side, 120 cm apart, with 25 cm of noise; as near as it says of itself."""
    one, other = _walk(600, 25.0, seed=3), _walk(600, 25.0, seed=4)
    shifted = Track(other.at_us, other.places + np.array([0.0, 0.0, 120.0]))
    half = round(steady.half_window_s(25.0) / 0.2)
    raw = np.hypot(*(one.places - shifted.places)[:, [0, 2]].T)
    calm = steady.apart_cm(one, shifted, one.at_us, half)
    assert np.std(calm) < np.std(raw) / 2
    # What a fit over a window leaves of the noise of two sensors, by the weights it sums them with.
    left_cm = 25.0 * np.sqrt(2.0 * np.sum(steady.weights(half) ** 2))
    assert np.std(calm) == pytest.approx(left_cm, rel=0.3)
