"""The referee believes a clean log to the sample, and a noisy one as far as its noise allows."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pytest

from extension.timetravel.contacts import contacts
from extension.timetravel.evaluation import evaluate, occurrences_of
from extension.timetravel.referee import Referee
from extension.timetravel.trajectory import Track, Trajectory, micros

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
SAMPLES = 301


def _second(number: float) -> dt.datetime:
    return START + dt.timedelta(seconds=number)


def _passing(closest_cm: float, sigma_cm: float = 0.0, seed: int = 1) -> Trajectory:
    """Two objects, of which the second passes the first at 30 s, and a third far away; a minute at 5 Hz."""
    at_us = micros(START) + 200_000 * np.arange(SAMPLES, dtype=np.int64)
    seconds = np.arange(SAMPLES) * 0.2
    chance = np.random.default_rng(seed)

    def track(x: npt.NDArray[np.floating], z: float) -> Track:
        places = np.stack([x, np.full(SAMPLES, 100.0), np.full(SAMPLES, z)], axis=1)
        return Track(at_us, places + chance.normal(0.0, sigma_cm, places.shape))

    still = np.full(SAMPLES, 1000.0)
    return Trajectory(
        {
            "obj001": track(still, 0.0),
            "obj002": track(1000.0 + (seconds - 30.0) * 100.0, closest_cm),
            "obj003": track(still, 9000.0),
        }
    )


def test_a_clean_log_is_told_as_it_stands() -> None:
    """The same contacts, and no doubt about any."""
    log = _passing(40.0)
    referee = Referee(log)
    assert referee.sigma_cm == 0.0
    assert list(referee.told) == list(contacts(log))


def test_noise_splits_no_contact_and_makes_none() -> None:
    """Over many draws, with 25 cm of noise: far better than the raw coordinates, and nearly always right."""
    truth = occurrences_of(contacts(_passing(40.0)), START)
    raw = calm = 0
    for seed in range(20):
        log = _passing(40.0, 25.0, seed)
        told = list(Referee(log).told)
        raw += evaluate(occurrences_of(contacts(log), START), truth, 1.0).att.f1 == 1.0
        calm += evaluate(occurrences_of(told, START), truth, 1.0).att.f1 == 1.0
    assert calm >= 19
    assert raw < calm


def test_a_near_miss_in_noise_is_mostly_no_contact() -> None:
    """Somebody passes at 140 cm: raw samples fall below 100 cm in most draws, steadied ones in few."""
    raw = sum(bool(contacts(_passing(140.0, 25.0, seed))) for seed in range(20))
    calm = sum(bool(Referee(_passing(140.0, 25.0, seed)).told) for seed in range(20))
    assert raw >= 10
    assert calm <= 3


def test_the_noise_is_told() -> None:
    """As measured."""
    assert Referee(_passing(40.0, 25.0)).sigma_cm == pytest.approx(25.0, rel=0.15)


def test_contacts_are_found_by_time() -> None:
    """Those that touch a span, its ends included."""
    referee = Referee(_passing(40.0))
    (told,) = referee.told
    first_at, last_at = told.start_at, told.end_at
    assert referee.told_between(_second(0), _second(60)) == (told,)
    assert referee.told_between(last_at, _second(60)) == (told,)
    assert referee.told_between(_second(0), first_at) == (told,)
    assert referee.told_between(_second(0), first_at - dt.timedelta(milliseconds=1)) == ()
    assert referee.told_between(last_at + dt.timedelta(milliseconds=1), _second(60)) == ()
    assert Referee(_passing(900.0)).told_between(_second(0), _second(60)) == ()


def test_moments_in_which_anybody_is_near_are_one_span() -> None:
    """Wider than the contact, wider still with noise; none where nobody comes near."""
    clean, noisy = Referee(_passing(40.0)), Referee(_passing(40.0, 25.0))
    ((start_at, end_at),) = clean.near(150.0)
    assert start_at < clean.told[0].start_at
    assert end_at > clean.told[0].end_at
    assert noisy.near(150.0)[0][0] < start_at
    assert Referee(_passing(900.0)).near(150.0) == ()


def test_spans_of_several_pairs_are_merged_where_they_overlap() -> None:
    """What overlaps is one span, what does not stays apart."""
    log = _passing(40.0)
    beside = Track(log.tracks["obj002"].at_us, log.tracks["obj002"].places + np.array([0.0, 0.0, 20.0]))
    late = Track(log.tracks["obj002"].at_us, log.tracks["obj002"].places - np.array([1500.0, 0.0, 0.0]))
    spans = Referee(Trajectory({**log.tracks, "obj004": beside, "obj005": late})).near(120.0)
    assert len(spans) == 1, "4 walks beside 2 all the time"
    spans = Referee(Trajectory({**log.tracks, "obj005": late})).near(120.0)
    assert [round((start_at - START).total_seconds()) for start_at, _ in spans] == [29, 44]


def test_nobody_touches_who_is_not_recorded() -> None:
    """The log of one ends before the other comes by."""
    log = _passing(40.0, 25.0)
    gone = Track(log.tracks["obj001"].at_us[:100], log.tracks["obj001"].places[:100])
    assert Referee(Trajectory({"obj001": gone, "obj002": log.tracks["obj002"]})).told == ()
