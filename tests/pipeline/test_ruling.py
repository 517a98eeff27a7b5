"""What the VLM claims stands only as far as the log allows, and what the log tells is never lost."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.events import judge
from extension.model import (
    Basis,
    Caption,
    Chunk,
    Claim,
    Failure,
    JobOptions,
    Kind,
    Severity,
    Span,
    Verdict,
)
from extension.pipeline.ruling import Ruling, rule
from extension.pipeline.world import World
from extension.timetravel.trajectory import Track, Trajectory, micros

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
SAMPLES = 301
Meetings = dict[tuple[str, str], list[tuple[float, float, float]]]
MEETING: Meetings = {("1", "2"): [(20.0, 21.0, 40.0)]}


def _log(meetings: Meetings, sigma_cm: float = 0.0) -> Trajectory:
    """Five objects 10 m apart for a minute at 5 Hz; per pair, spans of seconds in which the second comes that near the first."""
    seconds = np.arange(SAMPLES) * 0.2
    x = {name: np.full(SAMPLES, 1000.0 * int(name)) for name in "12345"}
    for (one, other), spans in meetings.items():
        for start_s, end_s, apart_cm in spans:
            together = (seconds > start_s - 0.05) & (seconds < end_s + 0.05)
            x[other] = np.where(together, x[one] + apart_cm, x[other])
    at_us = micros(START) + 200_000 * np.arange(SAMPLES, dtype=np.int64)
    chance = np.random.default_rng(1)
    return Trajectory(
        {
            f"obj00{name}": Track(
                at_us,
                np.stack([places, np.zeros(SAMPLES), np.zeros(SAMPLES)], axis=1)
                + chance.normal(0.0, sigma_cm, (SAMPLES, 3)),
            )
            for name, places in x.items()
        }
    )


def _world(meetings: Meetings, *, sure: bool = True, sigma_cm: float = 0.0, geometry: bool = True) -> World:
    options = JobOptions(start_at=START if sure else None, geometry=geometry)
    return World(options, _log(meetings, sigma_cm), dt.UTC)


def _claim(start_s: float, end_s: float, *objects: str, kind: Kind = Kind.COLLISION) -> Claim:
    return Claim(kind, Span(start_s, end_s), Severity.DANGER, objects, description="Seen.")


def _ruling(world: World, index: int, *claims: Claim, caption: Caption | None = None) -> Ruling:
    chunk = Chunk(index, Span(2.0 * index, 2.0 * index + 2))
    caption = caption or Caption(chunk, "", Verdict(Severity.SAFE, claims, ""), None)
    return rule("job", caption, judge.events("job", caption, world.at, world.locate), world)


def test_a_claim_that_the_log_has_takes_its_times() -> None:
    """Span, instants and places are the log's; the words stay the VLM's."""
    ruling = _ruling(_world(MEETING), 10, _claim(20.3, 20.5, "1", "2"))
    (event,) = ruling.events
    assert (event.span, event.basis, event.description) == (Span(20.0, 21.0), Basis.BOTH, "Seen.")
    assert event.start_at == START + dt.timedelta(seconds=20)
    assert event.end_at == START + dt.timedelta(seconds=21)
    assert [place.objid for place in event.positions] == ["obj001", "obj002"]
    assert ruling.refuted == ()


def test_a_claim_that_a_clean_log_excludes_falls() -> None:
    """Wrong objects, or the right ones at a wrong time."""
    ruling = _ruling(_world(MEETING), 15, _claim(30.3, 30.5, "1", "2"), _claim(31.0, 31.5, "3", "4"))
    assert ruling.events == ()
    assert ruling.refuted == (("1", "2"), ("3", "4"))


def test_a_contact_that_nobody_claims_is_told() -> None:
    """With the distance, and who did not see it."""
    (event,) = _ruling(_world(MEETING), 10).events
    assert (event.objects, event.span, event.basis) == (("1", "2"), Span(20.0, 21.0), Basis.LOG)
    assert event.description == "Objects 1 and 2 are 40 cm apart in the log; the VLM did not report it."
    assert event.clock == "00:00:20"
    assert event.chunk_index == 10


def test_a_misread_number_is_put_right() -> None:
    """The claim about the wrong object falls, the contact stands."""
    ruling = _ruling(_world(MEETING), 10, _claim(20.0, 21.0, "1", "7"))
    assert [(event.objects, event.basis) for event in ruling.events] == [(("1", "2"), Basis.LOG)]
    assert ruling.refuted == (("1", "7"),)


def test_a_group_is_its_pairs() -> None:
    """Of three that were claimed to touch, those two that do stand."""
    ruling = _ruling(_world(MEETING), 10, _claim(20.0, 21.0, "1", "2", "5"))
    assert [event.objects for event in ruling.events] == [("1", "2")]
    assert ruling.refuted == (("1", "5"), ("2", "5"))


def test_two_claims_of_one_contact_are_one_event() -> None:
    """A model that stammers changes nothing."""
    once = _ruling(_world(MEETING), 10, _claim(20.0, 20.4, "1", "2"))
    twice = _ruling(_world(MEETING), 10, _claim(20.0, 20.4, "1", "2"), _claim(20.6, 21.0, "1", "2"))
    assert [e.id for e in twice.events] == [e.id for e in once.events]


def test_one_claim_over_two_contacts_is_two_events() -> None:
    """A model that lumps together is taken apart; each has an id of its own."""
    world = _world({("1", "2"): [(20.0, 20.4, 40.0), (21.2, 21.6, 40.0)]})
    events = _ruling(world, 10, _claim(20.0, 21.6, "1", "2")).events
    assert [event.span for event in events] == [Span(20.0, 20.4), Span(21.2, 21.6)]
    assert len({event.id for event in events}) == 2


def test_a_contact_over_a_border_is_told_by_both_chunks_in_part() -> None:
    """Each has its part; together they are the whole."""
    world = _world({("1", "2"): [(21.0, 23.0, 40.0)]})
    (before,), (after,) = (_ruling(world, index).events for index in (10, 11))
    assert (before.span, after.span) == (Span(21.0, 22.0), Span(22.0, 23.0))
    assert before.id != after.id


@pytest.mark.parametrize(
    "caption",
    [
        pytest.param(Caption(Chunk(10, Span(20.0, 22.0)), "", None, Failure("Timeout", "slow")), id="failed"),
        pytest.param(
            Caption(
                Chunk(10, Span(20.0, 22.0)),
                "",
                Verdict(Severity.SAFE, (), "Not asked."),
                None,
                {"asked": False},
            ),
            id="not-asked",
        ),
    ],
)
def test_what_the_vlm_has_not_seen_the_log_tells(caption: Caption) -> None:
    """A failed chunk and one that was spared hide nothing."""
    (event,) = _ruling(_world(MEETING), 10, caption=caption).events
    assert event.description.endswith("the VLM has not looked at this moment.")


@pytest.mark.parametrize("kind", [Kind.FALL, Kind.FIRE, Kind.NEAR_MISS])
def test_other_things_than_contacts_are_no_matter_of_the_log(kind: Kind) -> None:
    """It knows coordinates only."""
    claim = _claim(30.0, 31.0, "1", "2", kind=kind)
    assert [event.kind for event in _ruling(_world(MEETING), 15, claim).events] == [kind]


def test_a_contact_with_something_that_is_no_object_stands() -> None:
    """A single name: a wall, a machine."""
    assert len(_ruling(_world(MEETING), 15, _claim(30.0, 31.0, "1")).events) == 1


def test_before_the_clock_is_known_the_log_is_heard_with_patience() -> None:
    """Claims may be seconds off, keep their own times, and nothing is added yet."""
    world = _world(MEETING, sure=False)
    near, far = _claim(17.5, 18.0, "1", "2"), _claim(10.0, 10.5, "1", "2")
    (event,) = _ruling(world, 8, near).events
    assert (event.span, event.basis) == (near.span, Basis.VLM)
    assert _ruling(world, 5, far).refuted == (("1", "2"),)
    assert _ruling(world, 10).events == ()


def test_a_noisy_log_is_steadied_before_it_is_heard() -> None:
    """Two who stand 130 cm apart under 25 cm of noise touch in many a raw sample: a VLM that sees that is not believed."""
    world = _world({("1", "2"): [(10.0, 50.0, 130.0)]}, sigma_cm=25.0)
    assert world.referee is not None
    assert world.referee.sigma_cm > 20
    ruling = _ruling(world, 15, _claim(30.0, 31.0, "1", "2"), _claim(30.0, 31.0, "3", "4"))
    assert ruling.events == ()
    assert ruling.refuted == (("1", "2"), ("3", "4"))


def test_the_vlm_alone_is_left_alone() -> None:
    """Where the job wants it so, everything claimed stands and nothing is added."""
    world = _world(MEETING, geometry=False)
    ruling = _ruling(world, 15, _claim(30.0, 31.0, "3", "4"))
    assert [event.objects for event in ruling.events] == [("3", "4")]
    assert _ruling(world, 10).events == ()


@given(
    st.lists(
        st.tuples(st.floats(0, 59), st.floats(0, 1.5), st.sampled_from(["12", "13", "23", "45"])), max_size=6
    )
)
def test_whatever_the_vlm_says_a_clean_log_decides(said: list[tuple[float, float, str]]) -> None:
    """Over all chunks, the contacts told are those of the log: none more, none less."""
    world = _world({("1", "2"): [(20.0, 21.0, 40.0), (40.0, 40.0, 90.0)], ("4", "5"): [(7.0, 13.0, 10.0)]})
    found: dict[tuple[str, ...], list[tuple[float, float]]] = {}
    for index in range(30):
        start_s = 2.0 * index
        claims = [
            _claim(at_s, min(at_s + length_s, start_s + 2.0), *pair)
            for at_s, length_s, pair in said
            if start_s <= at_s < start_s + 2.0
        ]
        for event in _ruling(world, index, *claims).events:
            found.setdefault(event.objects, []).append((event.span.start_s, event.span.end_s))
    assert set(found) == {("1", "2"), ("4", "5")}
    assert found["1", "2"] == [(20.0, 21.0), (40.0, 40.0)]
    assert found["4", "5"] == [(7.0, 8.0), (8.0, 10.0), (10.0, 12.0), (12.0, 13.0)]


def test_ruling_again_gives_the_same() -> None:
    """After a crash the same ids come out."""
    world = _world(MEETING)
    claim = _claim(20.3, 20.5, "1", "2")
    assert _ruling(world, 10, claim) == _ruling(world, 10, replace(claim))
