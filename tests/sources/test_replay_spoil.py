"""What poor trackers do to logs: noise, gaps, wrong ids, low rates; and who is who afterwards."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.errors import BadInput
from extension.sources.replay.spoil import (
    Occlusion,
    Spoils,
    Swap,
    at_rate,
    ids_after,
    shown_as,
    spoiled,
    with_noise,
    with_occlusion,
    with_swapped_ids,
)
from extension.timetravel.trajectory import Track, Trajectory

S = 1_000_000
STEP = 200_000
TICKS = 151


def clean(objects: int = 3) -> Trajectory:
    """Half a minute in which every object has a line of its own: x is 1000 times its number plus the seconds."""
    at_us = np.arange(TICKS, dtype=np.int64) * STEP
    return Trajectory(
        tracks={
            f"obj{who:03d}": Track(
                at_us.copy(),
                np.stack((1000 * who + at_us / S, np.full(TICKS, 90.0), np.zeros(TICKS)), axis=1),
            )
            for who in range(1, objects + 1)
        }
    )


def who_at(log: Trajectory, objid: str, at_us: int) -> int | None:
    """Number of the object whose line a log's row lies on at an instant; None without a row."""
    track = log.tracks.get(objid)
    if track is None or at_us not in track.at_us:
        return None
    return int(track.places[np.flatnonzero(track.at_us == at_us)[0], 0] // 1000)


def rows(log: Trajectory) -> int:
    """How many rows there are."""
    return sum(len(track.at_us) for track in log.tracks.values())


def same(one: Trajectory, other: Trajectory) -> bool:
    """Whether two logs hold the same rows."""
    return one.objids == other.objids and all(
        np.array_equal(one.tracks[o].at_us, other.tracks[o].at_us)
        and np.array_equal(one.tracks[o].places, other.tracks[o].places)
        for o in one.objids
    )


def errors(log: Trajectory, noisy: Trajectory) -> npt.NDArray[np.float64]:
    """Of every coordinate, shape (objects, samples, 3)."""
    return np.array([noisy.tracks[o].places - log.tracks[o].places for o in log.objids])


@pytest.mark.parametrize("sigma_cm", [10.0, 25.0, 50.0])
def test_noise_is_normal_and_independent(sigma_cm: float) -> None:
    """Mean nought, the stated deviation, on every axis and from sample to sample."""
    log = clean(objects=40)
    off = errors(log, with_noise(log, sigma_cm, np.random.default_rng(1)))
    assert off.mean() == pytest.approx(0, abs=0.03 * sigma_cm)
    for axis in range(3):
        assert off[:, :, axis].std() == pytest.approx(sigma_cm, rel=0.05)
    assert abs(np.corrcoef(off[:, :-1, 0].ravel(), off[:, 1:, 0].ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(off[:, :, 0].ravel(), off[:, :, 2].ravel())[0, 1]) < 0.05
    assert 0.66 < (np.abs(off) < sigma_cm).mean() < 0.71


def test_noise_leaves_the_clean_log_alone() -> None:
    """And gives the same for the same seed, written to the millimetre."""
    log = clean()
    one, again = (with_noise(log, 25.0, np.random.default_rng(7)) for _ in range(2))
    assert same(one, again)
    assert same(log, clean())
    assert all(np.array_equal(t.places, np.round(t.places, 1)) for t in one.tracks.values())
    assert all(np.array_equal(one.tracks[o].at_us, log.tracks[o].at_us) for o in log.objids)


def test_an_occlusion_takes_the_rows_of_one_object() -> None:
    """From its start (in) to its end (out); nobody else misses any."""
    log = with_occlusion(clean(), Occlusion("obj002", 5 * S, 8 * S))
    at_us = log.tracks["obj002"].at_us
    assert 5 * S - STEP in at_us
    assert 8 * S in at_us
    assert not ((at_us >= 5 * S) & (at_us < 8 * S)).any()
    assert rows(log) == rows(clean()) - 15
    assert np.array_equal(log.tracks["obj001"].at_us, clean().tracks["obj001"].at_us)


def test_an_object_may_come_back_as_somebody_else() -> None:
    """The same line under a new id."""
    log = with_occlusion(clean(), Occlusion("obj002", 5 * S, 8 * S, back_as="obj004"))
    assert log.objids == ("obj001", "obj002", "obj003", "obj004")
    assert who_at(log, "obj002", 4 * S) == 2
    assert who_at(log, "obj002", 9 * S) is None
    assert who_at(log, "obj004", 9 * S) == 2
    assert log.tracks["obj004"].at_us[0] == 8 * S


def test_an_object_may_never_come_back() -> None:
    """Then the new id never appears, nor does an object that was never seen."""
    log = with_occlusion(clean(), Occlusion("obj002", 5 * S, 99 * S, back_as="obj004"))
    assert log.objids == ("obj001", "obj002", "obj003")
    assert with_occlusion(clean(), Occlusion("obj002", 0, 99 * S)).objids == ("obj001", "obj003")
    with pytest.raises(BadInput, match="no rows left"):
        with_occlusion(clean(objects=1), Occlusion("obj001", 0, 99 * S))


def test_a_swap_exchanges_two_from_an_instant_on() -> None:
    """Nothing is lost, nothing is doubled; swapped twice they are themselves again."""
    swap = Swap("obj001", "obj003", 6 * S)
    log = with_swapped_ids(clean(), swap)
    assert [who_at(log, o, 6 * S - STEP) for o in log.objids] == [1, 2, 3]
    assert [who_at(log, o, 6 * S) for o in log.objids] == [3, 2, 1]
    assert rows(log) == rows(clean())
    assert all((np.diff(track.at_us) > 0).all() for track in log.tracks.values())
    assert same(with_swapped_ids(log, swap), clean())


def test_a_swap_with_somebody_who_left_is_told_in_order() -> None:
    """The one who goes on takes the other's id, and that of the gone one ends."""
    log = with_occlusion(clean(), Occlusion("obj003", 10 * S, 99 * S))
    swapped = with_swapped_ids(log, Swap("obj001", "obj003", 6 * S))
    assert swapped.tracks["obj001"].at_us[-1] == 10 * S - STEP
    assert swapped.tracks["obj003"].at_us[-1] == 30 * S
    assert who_at(swapped, "obj003", 20 * S) == 1


@pytest.mark.parametrize(
    "event", [Occlusion("obj009", 0, S), Swap("obj001", "obj009", S), Swap("obj009", "obj001", S)]
)
def test_events_of_unknown_objects_are_refused(event: Occlusion | Swap) -> None:
    """By name."""
    with pytest.raises(BadInput, match="no object 'obj009'"):
        spoiled(clean(), Spoils(events=(event,)), np.random.default_rng(1))


def test_an_id_that_is_taken_is_refused() -> None:
    """Two objects would be one."""
    with pytest.raises(BadInput, match="already has an object 'obj003'"):
        with_occlusion(clean(), Occlusion("obj001", S, 2 * S, back_as="obj003"))


@pytest.mark.parametrize("rate_hz", [1.0, 2.5, 5.0])
def test_a_lower_rate_keeps_samples_as_they_are(rate_hz: float) -> None:
    """Evenly from the first instant, where the log has samples."""
    log, slow = clean(), at_rate(clean(), rate_hz)
    for objid in log.objids:
        at_us = slow.tracks[objid].at_us
        assert set(np.diff(at_us)) == {round(S / rate_hz)}
        kept = np.isin(log.tracks[objid].at_us, at_us)
        assert np.allclose(slow.tracks[objid].places, log.tracks[objid].places[kept], atol=0.051)
    assert slow.duration_s <= log.duration_s


def test_a_rate_between_draws_straight_lines() -> None:
    """Three hertz from five."""
    slow = at_rate(clean(), 3.0)
    track = slow.tracks["obj002"]
    assert len(track.at_us) == 91
    assert np.allclose(track.places[:, 0], 2000 + track.at_us / S, atol=0.051)


def test_a_lower_rate_respects_gaps() -> None:
    """What was not there is not made up."""
    log = at_rate(with_occlusion(clean(), Occlusion("obj002", 5 * S, 12 * S)), 1.0)
    at_us = log.tracks["obj002"].at_us
    assert not ((at_us > 5 * S) & (at_us < 12 * S)).any()
    assert len(log.tracks["obj001"].at_us) == 31


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, float("nan")])
def test_a_rate_must_be_above_nought(rate_hz: float) -> None:
    """Said in words."""
    with pytest.raises(BadInput, match="above 0"):
        at_rate(clean(), rate_hz)


def test_new_ids_are_those_after_the_ones_in_use() -> None:
    """So that nobody has them."""
    assert ids_after(("obj001", "obj002"), 2) == ["obj003", "obj004"]
    assert ids_after(("obj001",), 0) == []


def test_nothing_done_is_nothing_changed() -> None:
    """And known as such."""
    assert not Spoils().any
    assert same(spoiled(clean(), Spoils(), np.random.default_rng(1)), clean())
    for done in (Spoils(noise_cm=1), Spoils(rate_hz=2), Spoils(events=(Swap("obj001", "obj002", S),))):
        assert done.any


@st.composite
def event_lists(draw: st.DrawFn) -> tuple[Occlusion | Swap, ...]:
    """Up to five events three seconds apart, each in the words of the log at its time."""
    names = ["obj001", "obj002", "obj003"]
    events: list[Occlusion | Swap] = []
    for number in range(draw(st.integers(0, 5))):
        start_us = (2 + 5 * number) * S + draw(st.integers(0, 9)) * STEP // 2
        if draw(st.booleans()):
            one, other = draw(st.permutations(names))[:2]
            events.append(Swap(one, other, start_us))
        else:
            gone = draw(st.sampled_from(names))
            back = f"obj{10 + number:03d}" if draw(st.booleans()) else None
            events.append(Occlusion(gone, start_us, start_us + draw(st.integers(1, 5)) * STEP, back))
            names[names.index(gone)] = back or gone
    return tuple(events)


@given(events=event_lists(), tick=st.integers(0, TICKS - 1))
def test_who_is_shown_as_whom_is_what_the_spoiled_log_holds(
    events: tuple[Occlusion | Swap, ...], tick: int
) -> None:
    """Whatever happened in whatever order: the row of the stated id lies on the object's own line, or there is none."""
    done, at_us = Spoils(events=events), tick * STEP
    log = spoiled(clean(), done, np.random.default_rng(0))
    names = {who: shown_as(done, f"obj{who:03d}", at_us) for who in (1, 2, 3)}
    for who, name in names.items():
        if name is not None:
            assert who_at(log, name, at_us) == who
    present = {name for name in log.objids if who_at(log, name, at_us) is not None}
    assert present == {name for name in names.values() if name is not None}
