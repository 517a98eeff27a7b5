"""Judgements reach the store whole, or were never made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from extension.errors import Unavailable
from extension.incidents.revise import Revision
from extension.model import Change, Incident, Kind, Phase
from tests.pipeline.live.yard import Yard, calm, held, open_yard, shows


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """One camera, and a database that gives up soon."""
    opened = open_yard(tmp_path, busy_timeout_ms=50)
    yield opened
    opened.store.close()


def test_a_judgement_is_stored_with_its_messages_and_cursor(yard: Yard) -> None:
    """And whoever sends is told that there is something to send."""
    lane = yard.lanes["gate"]
    changed = yard.register.enter(lane, lambda judge: judge.judge(shows(lane, 0, Kind.FALL)))
    assert list(changed) == yard.incidents()
    assert yard.store.job(lane.job_id).judged_chunks == 1
    assert yard.told() == ["opened"]
    assert yard.news == [True]


def test_a_judgement_without_messages_wakes_nobody(yard: Yard) -> None:
    """The cursor moves all the same."""
    lane = yard.lanes["gate"]
    assert yard.register.enter(lane, lambda judge: judge.judge(calm(lane, 0))) == ()
    assert yard.store.job(lane.job_id).judged_chunks == 1
    assert yard.news == []


def test_no_judgement_stores_nothing(yard: Yard, tmp_path: Path) -> None:
    """It does not even need the store."""
    with held(tmp_path):
        assert yard.register.enter(yard.lanes["gate"], lambda _: None) == ()


def test_an_alert_survives_a_store_that_was_away(yard: Yard, tmp_path: Path) -> None:
    """What could not be stored is judged again as if for the first time, and told once."""
    lane = yard.lanes["gate"]
    with held(tmp_path), pytest.raises(Unavailable):
        yard.register.enter(lane, lambda judge: judge.judge(shows(lane, 0, Kind.FALL)))
    assert lane.judge.open == ()
    assert yard.incidents() == []
    assert yard.news == []
    yard.register.enter(lane, lambda judge: judge.judge(shows(lane, 0, Kind.FALL)))
    assert yard.told() == ["opened"]


def test_the_lane_is_free_again_after_a_failure(yard: Yard, tmp_path: Path) -> None:
    """No lock is kept."""
    lane = yard.lanes["gate"]
    with held(tmp_path), pytest.raises(Unavailable):
        yard.register.enter(lane, lambda judge: judge.judge(calm(lane, 0)))
    assert not lane.lock.locked()


def test_every_open_incident_can_be_edited(yard: Yard) -> None:
    """Those that the edit is not meant for stay as they are."""
    lane = yard.lanes["gate"]
    yard.register.enter(lane, lambda judge: judge.judge(shows(lane, 0, Kind.FALL, Kind.FIRE)))

    def end_fires(incident: Incident) -> Revision | None:
        over = replace(incident, phase=Phase.RESOLVED, end_at=dt.datetime(2026, 5, 4, 11, tzinfo=dt.UTC))
        return Revision(over, Change.RESOLVED) if incident.kind is Kind.FIRE else None

    (fire,) = yard.register.revise(lane, end_fires)
    assert (fire.kind, fire.phase) == (Kind.FIRE, Phase.RESOLVED)
    assert {incident.kind: incident.phase for incident in yard.incidents()} == {
        Kind.FALL: Phase.OPEN,
        Kind.FIRE: Phase.RESOLVED,
    }
    assert yard.register.revise(lane, end_fires) == ()
