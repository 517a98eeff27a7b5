"""Patience waits longer each time, gives up when nothing works for too long, and never holds up a stopping service."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from extension.errors import BadInput, Unavailable
from extension.pipeline.patience import Patience, Stopped


class Time:
    """A clock and a stop event on which waiting moves the clock."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.waits: list[float] = []
        self.stop = _Stop(self)

    def now(self) -> dt.datetime:
        """Unused here."""
        raise AssertionError

    def monotonic_s(self) -> float:
        """Seconds waited."""
        return self.now_s

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.waits.append(seconds)
        self.now_s += seconds


class _Stop(threading.Event):
    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time

    def wait(self, timeout: float | None = None) -> bool:
        self._time.sleep(timeout or 0.0)
        return self.is_set()


def _patience(limit_s: float) -> tuple[Patience, Time]:
    time = Time()
    return Patience(limit_s, time, time.stop), time


def test_waits_grow_up_to_a_limit() -> None:
    """Half a second at first, twenty at most."""
    patience, time = _patience(1000)
    for tries in range(12):
        patience.wait(tries)
    assert time.waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(time.waits) == 20.0
    assert time.waits == sorted(time.waits)


def test_what_comes_back_in_time_is_used() -> None:
    """Three failures, then the answer."""
    patience, time = _patience(60)
    failures = [Unavailable("1"), Unavailable("2"), Unavailable("3")]

    def ask() -> str:
        if failures:
            raise failures.pop()
        return "here"

    assert patience.until_available(ask) == "here"
    assert len(time.waits) == 3
    assert not patience.exhausted


def test_what_stays_away_is_given_up_with_its_own_reason() -> None:
    """After the limit, and not much later."""
    patience, time = _patience(30)

    def ask() -> None:
        raise Unavailable("still away")

    with pytest.raises(Unavailable, match="still away"):
        patience.until_available(ask)
    assert 30 <= time.now_s < 55
    assert patience.exhausted


def test_a_success_anywhere_restores_patience() -> None:
    """The neighbour is alive: the limit counts from its last answer."""
    patience, time = _patience(30)
    time.now_s = 29
    patience.succeeded()
    time.now_s = 58
    assert not patience.exhausted
    time.now_s = 59
    assert patience.exhausted


def test_other_errors_pass_through_at_once() -> None:
    """Waiting mends no mistake."""
    patience, time = _patience(30)

    def ask() -> None:
        raise BadInput("wrong")

    with pytest.raises(BadInput):
        patience.until_available(ask)
    assert time.waits == []


def test_a_stopping_service_is_not_held_up() -> None:
    """Neither before the first try nor between two."""
    patience, time = _patience(30)
    time.stop.set()
    with pytest.raises(Stopped):
        patience.until_available(lambda: "never asked")
    with pytest.raises(Stopped):
        patience.wait(1)
    with pytest.raises(Stopped):
        patience.check()
