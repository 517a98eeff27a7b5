"""Wall-clock times of frames."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.camera.segments import Stamp
from extension.sources.camera.timing import MediaClock, SteadyTime, bend
from tests.sources.camera.hands import START_AT, at

TOLERANCE_S = 5.0


def heard(
    seconds: float, *, rate: float = 1.0, delay_s: float = 0.1, jitter: tuple[float, ...] = (0.0,)
) -> MediaClock:
    """A connection that has run: a frame every 40 ms, whose camera counts `rate` seconds in one of ours."""
    clock = MediaClock(TOLERANCE_S)
    for index in range(round(seconds * 25)):
        passed_s = index / 25
        clock.hear(passed_s * rate, 1000 + passed_s + delay_s + jitter[index % len(jitter)])
    return clock


def test_arrival_is_that_of_the_least_delayed_frame() -> None:
    """Jitter makes frames late, never early."""
    clock = heard(5.0, jitter=(0.3, 0.05, 0.0, 0.2))
    found = clock.at(2.0, at(5.0), 1005.0)
    assert (found - at(2.1)).total_seconds() == pytest.approx(0.0, abs=1e-6)
    assert clock.reading().stamp is Stamp.ARRIVAL
    assert clock.reading().offset_s is None


def test_a_burst_at_the_start_does_not_count() -> None:
    """Frames that waited while the connection was set up came late; the later ones tell."""
    clock = MediaClock(TOLERANCE_S)
    for index in range(50):
        clock.hear(index / 25, 1000 + max(1.5, index / 25 + 0.05))
    assert (clock.at(0.0, at(2.0), 1002.0) - at(0.05)).total_seconds() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("ppm", [-200.0, -20.0, 0.0, 50.0, 300.0])
def test_drift_is_measured(ppm: float) -> None:
    """A camera that counts too fast gains on us."""
    reading = heard(120.0, rate=1 + ppm / 1e6).reading()
    assert reading.drift_ppm == pytest.approx(ppm, abs=1.0)


def test_drift_takes_its_time() -> None:
    """Half a minute at least."""
    assert heard(5.0).reading().drift_ppm is None
    assert heard(25.0).reading().drift_ppm is None


def test_arrival_follows_a_camera_that_drifts() -> None:
    """After ten minutes at 500 ppm the first estimate would be off by 0.3 s."""
    clock = heard(600.0, rate=1.0005, delay_s=0.0)
    found = clock.at(600 * 1.0005, at(600), 1600.0)
    assert abs((found - at(600)).total_seconds()) < 0.02


def told(offset_s: float) -> MediaClock:
    """A camera whose clock is off by so much, told at media time 1."""
    clock = heard(2.0, delay_s=0.0)
    clock.tell(1.0, at(1.0 + offset_s), at(2.0), 1002.0)
    return clock


@pytest.mark.parametrize("offset_s", [-4.9, -0.1, 0.0, 0.2, 4.9])
def test_a_camera_that_knows_the_time_is_believed(offset_s: float) -> None:
    """Its stamps count, and how far it is off is known."""
    clock = told(offset_s)
    assert clock.at(1.5, at(2), 1002.0) == at(1.5 + offset_s)
    reading = clock.reading()
    assert (reading.stamp, reading.wrong) == (Stamp.NTP, False)
    assert reading.offset_s == pytest.approx(offset_s, abs=1e-3)


@pytest.mark.parametrize("offset_s", [-1e9, -3600.0, -5.1, 5.1, 86_400.0])
def test_a_camera_in_another_time_is_not(offset_s: float) -> None:
    """In the past or in the future: arrival counts, and it is said to be wrong."""
    clock = told(offset_s)
    found = clock.at(1.5, at(2), 1002.0)
    assert (found - at(1.5)).total_seconds() == pytest.approx(0.0, abs=1e-6)
    reading = clock.reading()
    assert (reading.stamp, reading.wrong) == (Stamp.ARRIVAL, True)
    assert reading.offset_s == pytest.approx(offset_s, abs=1e-2)


def test_a_clock_that_is_set_right_is_believed_again() -> None:
    """With the next report."""
    clock = told(-3600)
    clock.hear(2.0, 1002.0)
    clock.tell(2.0, at(2.0), at(2.0), 1002.0)
    assert clock.reading().stamp is Stamp.NTP
    assert clock.at(2.0, at(2), 1002.0) == at(2.0)


@pytest.mark.parametrize(
    ("length_s", "wanted_s", "end_s", "next_s"),
    [
        pytest.param(2.0, 2.0, 2.0, 2.0, id="as-it-should-be"),
        pytest.param(2.0, 2.05, 2.05, 2.05, id="a-little-late"),
        pytest.param(2.0, 1.95, 1.95, 1.95, id="a-little-early"),
        pytest.param(2.0, 2.8, 2.1, 2.1, id="later-than-can-be-bent"),
        pytest.param(2.0, 1.0, 1.9, 1.9, id="earlier-than-can-be-bent"),
        pytest.param(2.0, -3600, 1.9, 1.9, id="a-clock-that-was-set-back"),
        pytest.param(2.0, 3.5, 2.0, 3.5, id="a-clock-that-jumped-ahead"),
        pytest.param(2.0, 3600, 2.0, 3600, id="a-clock-that-was-set-ahead"),
    ],
)
def test_where_a_segment_ends(length_s: float, wanted_s: float, end_s: float, next_s: float) -> None:
    """And where the next one begins."""
    assert bend(START_AT, length_s, at(wanted_s)) == (at(end_s), at(next_s))


@given(st.lists(st.tuples(st.floats(0.04, 60), st.floats(-10_000, 10_000)), min_size=1, max_size=30))
def test_segments_never_overlap_whatever_the_clock_says(steps: list[tuple[float, float]]) -> None:
    """Each begins where the last ended or later, and has a length near that of its frames."""
    start_at = START_AT
    for length_s, wanted_s in steps:
        end_at, next_at = bend(start_at, length_s, at(wanted_s))
        assert start_at < end_at <= next_at
        assert (end_at - start_at).total_seconds() == pytest.approx(length_s, rel=0.051, abs=1e-5)
        start_at = next_at


def test_a_clock_that_is_behind_is_caught_up_with() -> None:
    """Twenty seconds of segments make up for one."""
    start_at, real_s = at(1.0), 0.0
    for _ in range(11):
        real_s += 2.0
        _, start_at = bend(start_at, 2.0, at(real_s))
    assert start_at == at(real_s)


def test_our_own_clock_ticks() -> None:
    """As the wall clock does."""
    steady = SteadyTime(at(0), 100.0)
    assert steady.read(at(5), 105.0) == at(5)
    assert steady.read(at(6), 106.0) == at(6)


def test_our_own_clock_set_ahead() -> None:
    """Is followed at once."""
    steady = SteadyTime(at(0), 100.0)
    assert steady.read(at(3600), 101.0) == at(3600)


def test_our_own_clock_set_back() -> None:
    """Runs slow until both agree; it never goes back."""
    steady = SteadyTime(at(0), 100.0)
    steady.read(at(10), 110.0)
    times = [steady.read(at(9 + i), 110.0 + i) for i in range(1, 40)]
    assert times == sorted(times)
    assert times[0] == at(10) + dt.timedelta(seconds=0.95)
    assert times[-1] == at(9 + 39)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 100)), max_size=40))
def test_our_own_time_never_goes_back(steps: list[tuple[float, float]]) -> None:
    """Whatever is done to the machine's clock."""
    steady, passed_s = SteadyTime(at(0), 0.0), 0.0
    last_at = at(0)
    for wall_s, step_s in steps:
        passed_s += step_s
        found = steady.read(at(wall_s), passed_s)
        assert found >= last_at
        last_at = found
