"""On logs whose coordinates are noisy, log and VLM together find at least what the log finds alone, over many seeds."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.model import Caption, JobOptions, Span
from extension.pipeline.again import judged_again
from extension.pipeline.ruling import covers, told_event
from extension.pipeline.world import World
from extension.sources.replay.generate import generate
from extension.sources.replay.plan import Plan
from extension.sources.replay.spoil import with_noise
from extension.timetravel.contacts import contacts
from extension.timetravel.evaluation import Occurrence, Score, evaluate, occurrences_of
from extension.timetravel.referee import Referee
from extension.timetravel.trajectory import Track, Trajectory
from tests.pipeline.replays import START, caption, job_of, log_of, reported, seen_by

SEEDS = range(6)
PLAN = Plan(objects=4, duration_s=20.0, contacts=2, near_misses=2)
CHUNKS = 10
NOISES_CM = (10.0, 25.0, 40.0)
OPTIONS = JobOptions(start_at=START)


@functools.lru_cache(maxsize=32)
def clean(seed: int) -> Trajectory:
    """A generated log of 20 seconds."""
    return generate(PLAN, seed)


@functools.lru_cache(maxsize=128)
def noisy(seed: int, noise_cm: float) -> Trajectory:
    """The same as a poor sensor wrote it."""
    return with_noise(clean(seed), noise_cm, np.random.default_rng([seed, round(noise_cm)]))


def truth_of(seed: int) -> tuple[Occurrence, ...]:
    """What truly happened, by the clean log."""
    return occurrences_of(contacts(clean(seed)), clean(seed).start_at)


def scored(seed: int, noise_cm: float, captions: Sequence[Caption], tolerance_s: float = 1.0) -> Score:
    """The score of judging by these captions and the noisy log."""
    world = World(OPTIONS, noisy(seed, noise_cm), dt.UTC)
    _, incidents = judged_again(job_of(OPTIONS, CHUNKS), captions, world, 0.5)
    return evaluate(reported(incidents), truth_of(seed), tolerance_s).att


def nobody_asked() -> list[Caption]:
    """The log alone."""
    return [caption(index, [], asked=False) for index in range(CHUNKS)]


def summed(of: Callable[[int], Score]) -> Score:
    """One score of all seeds."""
    scores = [of(seed) for seed in SEEDS]
    return Score(
        sum(one.matched for one in scores),
        sum(one.false_alarms for one in scores),
        sum(one.missed for one in scores),
    )


def blurred(seed: int, *, misses: float, inventions: float) -> list[Caption]:
    """A VLM that overlooks some contacts and sees some that are none."""
    chance = np.random.default_rng([seed, 77])
    kept = [one for one in truth_of(seed) if chance.random() >= misses]
    captions = seen_by(kept, CHUNKS)
    for index in range(CHUNKS):
        if chance.random() < inventions:
            pair = "".join(map(str, sorted(chance.choice([1, 2, 3, 4], 2, replace=False))))
            claims = captions[index].verdict
            assert claims is not None
            spans = [
                (one.span.start_s - 2.0 * index, one.span.duration_s, "".join(one.objects))
                for one in claims.claims
            ]
            captions[index] = caption(index, [*spans, (float(chance.uniform(0, 1.5)), 0.4, pair)])
    return captions


@pytest.mark.parametrize("noise_cm", NOISES_CM)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_sharp_eye_never_makes_a_noisy_log_worse(seed: int, noise_cm: float) -> None:
    """Log by log: with true claims at least as much is right as without any."""
    alone = scored(seed, noise_cm, nobody_asked())
    both = scored(seed, noise_cm, seen_by(truth_of(seed), CHUNKS))
    assert both.matched >= alone.matched
    assert both.f1 >= alone.f1


@pytest.mark.parametrize("noise_cm", NOISES_CM)
def test_a_fair_eye_is_no_harm_over_all_seeds(noise_cm: float) -> None:
    """One contact in ten overlooked, an invention every tenth chunk: together not worse than the log alone."""
    alone = summed(lambda seed: scored(seed, noise_cm, nobody_asked()))
    both = summed(lambda seed: scored(seed, noise_cm, blurred(seed, misses=0.1, inventions=0.1)))
    assert both.f1 >= alone.f1 - 0.005


@pytest.mark.parametrize("noise_cm", [0.0, *NOISES_CM])
@pytest.mark.parametrize("answer", ["failed", "not-asked", "calm"])
def test_an_eye_that_sees_nothing_leaves_the_log_alone(noise_cm: float, answer: str) -> None:
    """Failed, not asked and always calm: the same contacts are told."""
    said = {
        "failed": [caption(index, None) for index in range(CHUNKS)],
        "not-asked": nobody_asked(),
        "calm": [caption(index, []) for index in range(CHUNKS)],
    }[answer]
    for seed in SEEDS:
        expected = Referee(noisy(seed, noise_cm)).told if noise_cm else Referee(clean(seed)).told
        world = World(OPTIONS, noisy(seed, noise_cm) if noise_cm else clean(seed), dt.UTC)
        events, _ = judged_again(job_of(OPTIONS, CHUNKS), said, world, 0.5)
        pairs = {(one.objects, one.start_at) for one in expected}
        heads = {(one.objects, one.start_at) for one in events}
        assert pairs <= heads


@pytest.mark.parametrize("seed", SEEDS)
def test_a_liar_is_heard_only_where_the_noise_leaves_room(seed: int) -> None:
    """Everybody touches everybody in every chunk, it says: on a clean log not one such claim comes through."""
    lies = [caption(index, [(0.5, 0.5, "1234")]) for index in range(CHUNKS)]
    world = World(OPTIONS, clean(seed), dt.UTC)
    _, incidents = judged_again(job_of(OPTIONS, CHUNKS), lies, world, 0.5)
    found = evaluate(reported(incidents), truth_of(seed), 0.5).att
    assert (found.false_alarms, found.missed) == (0, 0)
    heard = scored(seed, 25.0, lies)
    claimed = 6 * CHUNKS
    assert heard.false_alarms < claimed / 3


def walking(start_s: float, length_s: float, noise_cm: float, seed: int) -> Trajectory:
    """Two that walk up to one another at 150 cm/s, stand 40 cm apart for so long, and part again."""
    log = log_of({}, noise_cm=noise_cm, seed=seed)
    other = log.tracks["obj002"]
    at_s = (other.at_us - other.at_us[0]) / 1e6
    away_s = np.maximum(np.maximum(start_s - at_s, at_s - start_s - length_s), 0.0)
    nearer = np.zeros_like(other.places)
    nearer[:, 0] = 40.0 + np.minimum(150.0 * away_s, 960.0) - 1000.0
    return replace(log, tracks={**log.tracks, "obj002": Track(other.at_us, other.places + nearer)})


@settings(max_examples=25, deadline=None)
@given(
    noise_cm=st.sampled_from([0.0, 10.0, 25.0]),
    start_s=st.integers(4, 20).map(float),
    length_s=st.sampled_from([1.0, 2.0, 4.0]),
    seed=st.integers(0, 50),
)
def test_a_lasting_contact_is_found_through_the_noise(
    noise_cm: float, start_s: float, length_s: float, seed: int
) -> None:
    """Deep and long enough, it is told about where it is, once, whatever the noise."""
    world = World(OPTIONS, walking(start_s, length_s, noise_cm, seed), dt.UTC)
    captions = [caption(index, [], asked=False) for index in range(15)]
    _, incidents = judged_again(job_of(OPTIONS, 15), captions, world, 0.5)
    found = evaluate(reported(incidents), [Occurrence(start_s, start_s + length_s, ("1", "2"))], 0.5).att
    assert (found.matched, found.false_alarms, found.missed) == (1, 0, 0)


@settings(max_examples=25, deadline=None)
@given(noise_cm=st.sampled_from([10.0, 25.0, 40.0]), seed=st.integers(0, 50))
def test_noise_alone_makes_no_contact(noise_cm: float, seed: int) -> None:
    """Objects ten metres apart never touch; the noise is measured about right."""
    log = log_of({}, noise_cm=noise_cm, seed=seed)
    referee = Referee(log)
    assert referee.told == ()
    assert referee.sigma_cm == pytest.approx(noise_cm, rel=0.25)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100), noise_cm=st.sampled_from([0.0, 25.0]))
def test_told_contacts_are_found_by_the_span_they_touch(seed: int, noise_cm: float) -> None:
    """Asking for a part gives those of the whole that touch it."""
    log = log_of(
        {("1", "2"): [(5.0, 9.0)], ("3", "4"): [(6.0, 6.4), (20.0, 22.0)]}, noise_cm=noise_cm, seed=seed
    )
    referee = Referee(log)
    for first_s in range(0, 30, 3):
        start_at, end_at = (START + dt.timedelta(seconds=s) for s in (first_s, first_s + 3))
        touching = tuple(one for one in referee.told if one.end_at >= start_at and one.start_at <= end_at)
        assert referee.told_between(start_at, end_at) == touching


@pytest.mark.parametrize(
    ("offset_s", "tolerance_s", "covered"),
    [
        pytest.param(0.0, 0.0, True, id="on-time"),
        pytest.param(-1.5, 1.0, True, id="early-within"),
        pytest.param(-2.5, 1.0, False, id="too-early"),
        pytest.param(2.0, 1.0, True, id="late-within"),
        pytest.param(2.2, 1.0, False, id="too-late"),
    ],
)
def test_which_contact_an_event_speaks_of(offset_s: float, tolerance_s: float, *, covered: bool) -> None:
    """The same objects, no further off than the tolerance; an event without an instant speaks of none."""
    log = log_of({("1", "2"): [(10.0, 11.0)]})
    world = World(OPTIONS, log, dt.UTC)
    (contact,) = contacts(log)
    event = told_event("job", contact, 5, Span(10.0, 11.0), "it was seen.", world)
    shift = dt.timedelta(seconds=offset_s)
    assert event.start_at is not None
    assert event.end_at is not None
    moved = replace(event, start_at=event.start_at + shift, end_at=event.end_at + shift)
    assert covers(moved, contact, tolerance_s) is covered
    assert not covers(replace(moved, start_at=None), contact, 99.0)
    assert not covers(replace(moved, objects=("1", "3")), contact, 99.0)
