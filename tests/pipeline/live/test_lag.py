"""Lateness is counted under the bound it keeps, once for each window."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.pipeline.live.lag import BOUNDS_S, Lag


@pytest.mark.parametrize(
    ("late_s", "slot"),
    [(-3.0, 0), (0.0, 0), (0.5, 0), (0.51, 1), (2.0, 2), (300.0, len(BOUNDS_S) - 1), (1e6, len(BOUNDS_S))],
)
def test_a_window_counts_under_the_first_bound_that_it_keeps(late_s: float, slot: int) -> None:
    """Bounds are kept by what is equal to them; a clock that went back is no time at all."""
    lag = Lag()
    lag.note(late_s)
    counts = lag.read().counts
    assert counts[slot] == 1
    assert sum(counts) == 1
    assert lag.read().sum_s == max(0.0, late_s)


@given(st.lists(st.floats(-10, 1000)))
def test_every_window_is_counted(late: list[float]) -> None:
    """And every second of it."""
    lag = Lag()
    for late_s in late:
        lag.note(late_s)
    found = lag.read()
    assert sum(found.counts) == len(late)
    assert found.sum_s == pytest.approx(sum(max(0.0, late_s) for late_s in late))
    assert len(found.counts) == len(BOUNDS_S) + 1


def test_threads_lose_no_count() -> None:
    """Several look at windows at the same time."""
    lag = Lag()

    def note() -> None:
        for _ in range(500):
            lag.note(1.0)

    threads = [threading.Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(lag.read().counts) == 2000
