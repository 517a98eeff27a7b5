"""Camera footage is scored one to one: nothing is matched twice, the rest is missed, told again, or false."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.command.camera_scoring import (
    TOLERANCE_S,
    Clip,
    ClipScore,
    Found,
    Labelled,
    Windows,
    figures,
    lost,
    score,
)
from extension.model import Kind, Severity

FALL = Labelled(Kind.FALL, 2.0, 3.0)


def found(
    start_s: float, end_s: float, kind: Kind = Kind.FALL, severity: Severity = Severity.DANGER
) -> Found:
    """An incident."""
    return Found(kind, start_s, end_s, severity)


def clip(
    told: ClipScore, length_s: float = 1800.0, name: str = "a.mp4", windows: Windows | None = None
) -> Clip:
    """A clip with a score."""
    every = (*(hit.found for hit in told.hits), *told.repeated, *told.false)
    return Clip(name, length_s, every, told, told, windows or Windows())


events = st.lists(
    st.builds(
        lambda start, length, kind: Labelled(kind, start, start + length),
        st.integers(0, 40).map(float),
        st.integers(0, 5).map(float),
        st.sampled_from([Kind.FALL, Kind.FIRE]),
    ),
    max_size=5,
)
incidents = st.lists(
    st.builds(
        lambda start, length, kind: found(start, start + length, kind),
        st.integers(0, 40).map(float),
        st.integers(0, 5).map(float),
        st.sampled_from([Kind.FALL, Kind.FIRE]),
    ),
    max_size=5,
)


def test_an_incident_of_the_kind_and_time_is_the_event() -> None:
    """Its onset error is measured against the label; early is negative."""
    told = score([FALL], [found(2.4, 9.0)])
    assert (len(told.hits), told.missed, told.repeated, told.false) == (1, (), (), ())
    assert told.hits[0].onset_error_s == pytest.approx(0.4)
    assert score([FALL], [found(1.5, 9.0)]).hits[0].onset_error_s == pytest.approx(-0.5)


def test_another_kind_is_false_and_the_event_missed() -> None:
    """A collision is no fall, unless kinds do not matter."""
    told = [found(2.0, 3.0, Kind.COLLISION)]
    strict = score([FALL], told)
    assert (strict.hits, strict.missed, strict.false) == ((), (FALL,), (told[0],))
    assert len(score([FALL], told, kinds=False).hits) == 1


@pytest.mark.parametrize(
    ("start_s", "end_s", "hit"),
    [
        pytest.param(3.0 + TOLERANCE_S, 9.0, True, id="just-after"),
        pytest.param(3.1 + TOLERANCE_S, 9.0, False, id="long-after"),
        pytest.param(-5.0, 2.0 - TOLERANCE_S, True, id="just-before"),
        pytest.param(-5.0, 1.9 - TOLERANCE_S, False, id="long-before"),
        pytest.param(0.0, 60.0, True, id="all-around"),
    ],
)
def test_how_far_apart_both_may_lie(start_s: float, end_s: float, *, hit: bool) -> None:
    """The tolerance, on both sides."""
    assert bool(score([FALL], [found(start_s, end_s)]).hits) is hit


def test_a_second_incident_of_an_event_is_told_again_and_not_false() -> None:
    """The one with the better onset is the event."""
    fire = Labelled(Kind.FIRE, 0.0, 30.0)
    told = score([fire], [found(12.0, 20.0, Kind.FIRE), found(1.0, 9.0, Kind.FIRE)])
    assert [hit.onset_error_s for hit in told.hits] == [1.0]
    assert [one.start_s for one in told.repeated] == [12.0]
    assert not told.false


def test_one_incident_cannot_be_two_events() -> None:
    """Two falls that are told as one long one: one is missed."""
    told = score([FALL, Labelled(Kind.FALL, 8.0, 9.0)], [found(2.0, 9.0)])
    assert (len(told.hits), len(told.missed)) == (1, 1)
    assert told.hits[0].event == FALL


def test_as_many_as_can_be_are_matched() -> None:
    """A greedy choice of the nearest would leave one alone."""
    told = score(
        [Labelled(Kind.FALL, 4.0, 5.0), Labelled(Kind.FALL, 8.0, 9.0)], [found(6.0, 6.5), found(1.0, 2.5)]
    )
    assert len(told.hits) == 2
    assert not told.missed


def test_nothing_happened_and_nothing_found_is_clean() -> None:
    """A negative clip."""
    assert score([], []) == ClipScore()
    assert score([], [found(1.0, 2.0)]).false == (found(1.0, 2.0),)


@given(happened=events, told=incidents)
def test_everything_is_counted_once(happened: list[Labelled], told: list[Found]) -> None:
    """Events are hit or missed; incidents are hits, told again or false."""
    result = score(happened, told)
    assert len(result.hits) + len(result.missed) == len(happened)
    assert len(result.hits) + len(result.repeated) + len(result.false) == len(told)
    assert all(hit.event.kind is hit.found.kind for hit in result.hits)


@settings(max_examples=60, deadline=None)
@given(happened=events, told=incidents)
def test_no_other_pairing_is_better(happened: list[Labelled], told: list[Found]) -> None:
    """More hits there cannot be, nor as many with smaller errors."""
    result = score(happened, told)
    best = max(_pairings(happened, told))
    errors_s = sum(abs(hit.onset_error_s) for hit in result.hits)
    assert (len(result.hits), -round(errors_s, 6)) == best


def _pairings(happened: Sequence[Labelled], told: Sequence[Found]) -> list[tuple[int, float]]:
    """Hits and errors of every way to pair them."""
    places: list[int | None] = [*range(len(told)), *([None] * len(happened))]
    values = set()
    for order in set(permutations(places, len(happened))) if len(happened) < 4 else _some(places, happened):
        pairs = [(e, told[n]) for e, n in zip(happened, order, strict=True) if n is not None]
        if all(score([event], [one]).hits for event, one in pairs):
            values.add((len(pairs), -round(sum(abs(o.start_s - e.start_s) for e, o in pairs), 6)))
    return list(values)


def _some(places: Sequence[int | None], happened: Sequence[Labelled]) -> set[tuple[int | None, ...]]:
    """Every way, one event after the other: permutations of many equal places repeat themselves."""
    ways: set[tuple[int | None, ...]] = {()}
    for _ in happened:
        ways = {(*way, place) for way in ways for place in set(places) if place is None or place not in way}
    return ways


def test_figures_are_sums_over_clips() -> None:
    """Precision, recall and F1 of all events together, onset errors of all hits."""
    hit = score([FALL], [found(1.6, 4.0)])
    late = score([FALL], [found(3.0, 4.0)])
    wrong = score([FALL], [found(50.0, 51.0), found(70.0, 71.0, severity=Severity.WARN)])
    told = figures([clip(hit), clip(late), clip(wrong)])
    assert (told.rate.hits, told.rate.missed, told.rate.alarms) == (2, 1, 4)
    assert told.rate.precision == pytest.approx(2 / 4)
    assert told.rate.recall == pytest.approx(2 / 3)
    assert told.rate.f1 == pytest.approx(4 / 7)
    assert (told.false, told.false_danger, told.repeated) == (2, 1, 0)
    assert told.onset_median_s == pytest.approx(0.7)
    assert told.onset_worst_s == pytest.approx(1.0)
    assert told.hours == pytest.approx(1.5)
    assert told.false_per_hour == pytest.approx(2 / 1.5)


def test_being_told_again_costs_precision_alone() -> None:
    """It is an alert too many; it is no false alarm."""
    fire = Labelled(Kind.FIRE, 0.0, 30.0)
    told = figures([clip(score([fire], [found(0.0, 5.0, Kind.FIRE), found(20.0, 25.0, Kind.FIRE)]))])
    assert (told.rate.precision, told.rate.recall, told.repeated, told.false) == (0.5, 1.0, 1, 0)
    assert told.false_per_hour == 0


def test_without_events_there_is_no_recall() -> None:
    """Instead of a number that would look like one."""
    told = figures([clip(ClipScore())])
    assert (told.rate.precision, told.rate.recall, told.rate.f1) == (None, None, None)
    assert (told.onset_median_s, told.onset_worst_s, told.gated_share) == (None, None, None)


@pytest.mark.parametrize(
    ("count", "bound"), [(0, 2.9957), (1, 4.7439), (2, 6.2958), (5, 10.5130), (10, 16.9622)]
)
def test_the_bound_is_the_textbooks(count: int, bound: float) -> None:
    """Half the 95th percentile of chi squared with 2 (n + 1) degrees of freedom, in one camera-hour."""
    false = [found(float(n), n + 0.5) for n in range(count)]
    told = figures([clip(score([], false), length_s=3600.0)])
    assert told.false_per_hour_at_most == pytest.approx(bound, abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(count=st.integers(0, 40), hours=st.floats(0.01, 1000))
def test_the_bound_leaves_what_confidence_says(count: int, hours: float) -> None:
    """At the bound, so few are seen one time in twenty, however long was watched."""
    false = [found(float(n), n + 0.5) for n in range(count)]
    told = figures([clip(score([], false), length_s=hours * 3600)])
    mean = told.false_per_hour_at_most * hours
    likely = sum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(count + 1))
    assert likely == pytest.approx(0.05, abs=1e-5)
    assert told.false_per_hour_at_most > told.false_per_hour


def test_windows_and_second_looks_add_up() -> None:
    """By outcome."""
    one = Windows(all=6, asked=4, gated=2, failed=1, second_looks={"confirmed": 2})
    other = Windows(all=4, asked=4, second_looks={"rejected": 1, "confirmed": 1})
    told = figures([clip(ClipScore(), windows=one), clip(ClipScore(), windows=other)])
    assert told.windows == Windows(10, 8, 2, 1, {"confirmed": 3, "rejected": 1})
    assert told.gated_share == pytest.approx(0.2)


def test_what_the_gate_loses_is_named() -> None:
    """Events found without it and not with it, clip by clip; what both miss is not the gate's fault."""
    hit, miss = score([FALL], [found(2.0, 3.0)]), score([FALL], [])
    looked = [clip(hit), clip(hit, name="b.mp4"), clip(miss, name="c.mp4")]
    gated = [clip(miss), clip(hit, name="b.mp4"), clip(miss, name="c.mp4")]
    assert lost(looked, gated) == [("a.mp4", FALL)]
    assert not lost(looked, looked)
    assert not lost(gated, looked), "what it finds in addition is not lost"
