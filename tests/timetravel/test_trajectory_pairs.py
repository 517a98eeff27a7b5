"""Pairs that are near: which instants count, how runs hang together, and what is not looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.timetravel import trajectory_pairs
from extension.timetravel.trajectory import Track, Trajectory
from extension.timetravel.trajectory_pairs import Near, known_at, near_pairs, runs

SECOND_US = 1_000_000


def line(seconds: list[float], xs: list[float]) -> Track:
    """A track along x."""
    places = np.array([(x, 0.0, 0.0) for x in xs])
    return Track(np.array([round(s * SECOND_US) for s in seconds], dtype=np.int64), places)


@pytest.mark.parametrize(
    ("second", "known"),
    [
        pytest.param(-0.1, False, id="before"),
        pytest.param(0.0, True, id="first"),
        pytest.param(0.5, True, id="between"),
        pytest.param(1.0, True, id="sample"),
        pytest.param(2.0, False, id="in-a-hole"),
        pytest.param(5.0, True, id="last"),
        pytest.param(5.1, False, id="after"),
    ],
)
def test_a_place_is_known_where_it_was_recorded(second: float, known: bool) -> None:  # noqa: FBT001 - a parameter
    """At samples, and between two that are no hole apart."""
    track = line([0, 1, 5], [0, 0, 0])
    assert known_at(track, np.array([round(second * SECOND_US)]), SECOND_US).tolist() == [known]


@given(
    st.lists(st.booleans(), min_size=1, max_size=40), st.lists(st.integers(1, 40), max_size=4, unique=True)
)
def test_runs_do_not_depend_on_how_instants_come(inside: list[bool], cuts: list[int]) -> None:
    """In one piece or in several."""
    at_us = SECOND_US // 5 * np.arange(len(inside), dtype=np.int64)
    distance_cm = np.where(inside, 50.0, 150.0)
    whole, parts = Near(), Near()
    whole.add(at_us, distance_cm, 100.0, SECOND_US)
    for piece in np.split(np.arange(len(inside)), sorted(c for c in cuts if c < len(inside))):
        parts.add(at_us[piece], distance_cm[piece], 100.0, SECOND_US)
    if not any(inside):
        assert whole.at_us == parts.at_us == []
        return
    found = [[a.tolist() for a, _ in runs(near)] for near in (whole, parts)]
    assert found[0] == found[1]
    turns = [int(t) // (SECOND_US // 5) for run in found[0] for t in run]
    assert turns == [n for n, near in enumerate(inside) if near]


def test_a_hole_parts_a_run_also_between_pieces() -> None:
    """A minute without samples, at a cut."""
    near = Near()
    near.add(np.array([0, 200_000]), np.array([1.0, 1.0]), 100.0, SECOND_US)
    near.add(np.array([60_000_000]), np.array([1.0]), 100.0, SECOND_US)
    near.add(np.array([], dtype=np.int64), np.array([]), 100.0, SECOND_US)
    assert [a.tolist() for a, _ in runs(near)] == [[0, 200_000], [60_000_000]]


def test_pairs_far_apart_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of twenty objects on a line, only neighbours' distances are worked out."""
    looked: list[int] = []
    distances = trajectory_pairs._distances

    def counted(*arguments: object) -> object:
        looked.append(1)
        return distances(*arguments)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(trajectory_pairs, "_distances", counted)
    seconds = [0.2 * i for i in range(100)]
    log = Trajectory(tracks={f"obj{n}": line(seconds, [150.0 * n] * 100) for n in range(20)})
    assert near_pairs(log, 100.0) == {}
    assert looked == []
    assert len(near_pairs(log, 151.0)) == len(looked) == 19


def test_blocks_far_apart_are_not_looked_at() -> None:
    """Two that meet for a moment in an hour have a moment's instants worked out, not an hour's."""
    seconds = [0.2 * i for i in range(18_000)]
    still, passer = line(seconds, [0.0] * 18_000), line(seconds, [100.0 * s - 180_000 for s in seconds])
    (near,) = near_pairs(Trajectory(tracks={"obj1": still, "obj2": passer}), 100.0).values()
    assert near._turns < 100
    assert sum(map(len, near.at_us)) == 9


def test_pairs_are_told_by_ids_in_the_order_of_numbers() -> None:
    """2 before 10."""
    log = Trajectory(tracks={name: line([0, 1], [0, 0]) for name in ("obj10", "obj2", "obj1")})
    assert list(near_pairs(log, 10.0)) == [("obj1", "obj2"), ("obj1", "obj10"), ("obj2", "obj10")]
