"""Messages say what changed, small enough for any receiver, under ids that never change."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.model import Announcement, Change, Incident, Position, Severity
from extension.notify import message
from extension.notify.message import MOST_BYTES, Alert, messages_for
from tests.notify.scripted import receiver
from tests.store import values
from tests.store.values import NOON

_OPS = receiver("https://ops.example")


def _body(incident: Incident, change: Change = Change.OPENED, *, name: str = "dock.mp4") -> str:
    job = values.job(name=name, model="qwen3-vl")
    (only,) = messages_for(Announcement(incident, change, 1), job, [_OPS], NOON)
    return only.body


@pytest.mark.parametrize("change", list(Change))
def test_a_message_says_what_changed(change: Change) -> None:
    """Type, time, and the incident as our API shows it."""
    body = json.loads(_body(values.incident(), change))
    assert body["type"] == f"incident.{change}"
    assert body["timestamp"] == "2026-03-01T12:00:00Z"
    data = body["data"]
    assert (data["change"], data["sequence"], data["source"], data["model"]) == (
        change,
        1,
        "dock.mp4",
        "qwen3-vl",
    )
    assert data["incident"]["objects"] == ["1", "4"]
    assert data["incident"]["positions"] == [{"objid": "obj001", "x": 1.5, "y": 0.0, "z": -2.25}]
    assert Alert.model_validate(body).data.incident.id == "i-1"


def test_a_message_says_where_its_evidence_is() -> None:
    """The path that the service answers on."""
    data = json.loads(_body(values.incident()))["data"]
    assert data["evidence"] == "/api/v1/incidents/i-1/evidence"


def test_the_time_is_in_utc_whatever_the_zone() -> None:
    """Noon in Greenwich is nine in the evening in Seoul."""
    seoul = NOON.astimezone(dt.timezone(dt.timedelta(hours=9)))
    (only,) = messages_for(Announcement(values.incident(), Change.OPENED, 1), values.job(), [_OPS], seoul)
    assert json.loads(only.body)["timestamp"] == "2026-03-01T12:00:00Z"


def test_ids_are_stable_and_hold_no_dot() -> None:
    """The same announcement has the same id at any time; each receiver and sequence its own."""
    listeners = [_OPS, receiver("https://b", "Night Shift v1.2")]
    announcement = Announcement(values.incident("0c6d-77"), Change.OPENED, 3)
    first, later = (
        messages_for(announcement, values.job(), listeners, NOON + dt.timedelta(days=day)) for day in (0, 1)
    )
    assert [m.id for m in first] == ["msg_0c6d-77_3_ops", "msg_0c6d-77_3_night-shift-v1-2"]
    assert [m.id for m in later] == [m.id for m in first]
    assert [(m.receiver, m.incident_id, m.type) for m in first] == [
        (listener.name, "0c6d-77", "incident.opened") for listener in listeners
    ]


def test_only_those_who_want_it_hear_of_it() -> None:
    """By type and by severity; nobody is no mistake."""
    listeners = [
        receiver("https://a", "a", types=frozenset({"incident.resolved"})),
        receiver("https://b", "b", min_severity=Severity.EXTREME),
        receiver("https://c", "c"),
    ]
    announcement = Announcement(values.incident(), Change.OPENED, 1)
    assert [m.receiver for m in messages_for(announcement, values.job(), listeners, NOON)] == ["c"]
    assert messages_for(announcement, values.job(), listeners[:2], NOON) == []


def test_a_huge_incident_is_cut_to_fit() -> None:
    """What a receiver acts on stays: id, kind, severity, times, the first objects."""
    huge = values.incident(
        description="넘어짐 " * 5000,
        event_ids=tuple(f"event-{n:032d}" for n in range(5000)),
        objects=tuple(f"object {n} " * 40 for n in range(500)),
        positions=tuple(Position(f"obj{n}", n * 1.1, 0.0, n * 2.2) for n in range(500)),
    )
    body = _body(huge, name="x" * 5000)
    assert len(body.encode()) < MOST_BYTES
    incident = json.loads(body)["data"]["incident"]
    assert incident["id"] == "i-1"
    assert len(incident["objects"]) >= 3
    assert incident["description"].endswith("…")


def test_an_ordinary_incident_is_whole() -> None:
    """A long contact of a minute keeps all of its events."""
    ids = tuple(f"{n:036d}" for n in range(30))
    body = json.loads(_body(values.incident(event_ids=ids, description="가" * 1000)))
    assert body["data"]["incident"]["event_ids"] == list(ids)
    assert body["data"]["incident"]["description"] == "가" * 1000


@settings(max_examples=60, deadline=None)
@given(
    description=st.text(max_size=4000),
    objects=st.lists(st.text(max_size=200), max_size=50),
    name=st.text(max_size=600),
)
def test_any_text_makes_a_valid_small_body(description: str, objects: list[str], name: str) -> None:
    """Control characters, surrogates, emoji: always JSON, always UTF-8, always below the limit."""
    body = _body(
        replace(values.incident(), description=description, objects=tuple(objects)), name=name or "x"
    )
    assert len(body.encode("utf-8")) < MOST_BYTES
    Alert.model_validate_json(body)


@settings(deadline=None)
@given(name=st.text(max_size=60))
def test_a_slug_is_fit_for_a_message_id(name: str) -> None:
    """Letters, digits and hyphens, never empty."""
    assert message.slug(name)
    assert set(message.slug(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
