"""Writes the messages of an announcement. Pure: the same announcement gives the same ids for ever."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from extension.model import Announcement, Incident, Job, Message
from extension.notify.receivers import Receiver
from extension.wire import AlertData, IncidentOut, Wire

# Standard Webhooks asks for less than 20 kB.
MOST_BYTES = 20_000
_LONGEST_TEXT = 2000
_LONGEST_NAME = 255
# How much of the longest parts is kept: (events, objects and positions, characters of the description).
_CUTS = ((500, 100, _LONGEST_TEXT), (100, 50, 1000), (20, 20, 500), (5, 5, 200), (0, 3, 100))


class Alert(Wire):
    """The body of a message (Standard Webhooks payload). `timestamp` is when it was made, in UTC."""

    type: str
    timestamp: dt.datetime
    data: AlertData


def messages_for(
    announcement: Announcement, job: Job, receivers: Iterable[Receiver], made_at: dt.datetime
) -> list[Message]:
    """One message for each receiver that wants to hear of it.

    Args:
        announcement: The change of an incident.
        job: The job that found it.
        receivers: Everybody who listens.
        made_at: Now.
    """
    incident = announcement.incident
    message_type = f"incident.{announcement.change}"
    wanting = [receiver for receiver in receivers if receiver.wants(message_type, incident.severity)]
    if not wanting:
        return []
    body = _body(announcement, message_type, job, made_at)
    return [
        Message(
            id=f"msg_{incident.id}_{announcement.sequence}_{slug(receiver.name)}",
            receiver=receiver.name,
            incident_id=incident.id,
            type=message_type,
            body=body,
        )
        for receiver in wanting
    ]


def slug(name: str) -> str:
    """A receiver's name as part of a message id, which must hold no dot."""
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-") or "receiver"


def _body(announcement: Announcement, message_type: str, job: Job, made_at: dt.datetime) -> str:
    """The JSON text: whole where it fits, else with its longest parts cut."""
    text = ""
    for cut in _CUTS:
        alert = Alert(
            type=message_type,
            timestamp=made_at.astimezone(dt.UTC),
            data=AlertData(
                change=announcement.change,
                sequence=announcement.sequence,
                incident=IncidentOut.of(_cut(announcement.incident, *cut)),
                source=_clean(job.name, _LONGEST_NAME),
                model=_clean(job.model, _LONGEST_NAME) if job.model else None,
                evidence=f"/api/v1/incidents/{announcement.incident.id}/evidence",
            ),
        )
        text = alert.model_dump_json()
        if len(text.encode()) < MOST_BYTES:
            break
    return text


def _cut(incident: Incident, events: int, objects: int, characters: int) -> Incident:
    changes: dict[str, Any] = {
        "event_ids": incident.event_ids[:events],
        "objects": tuple(_clean(name, 80) for name in incident.objects[:objects]),
        "positions": tuple(replace(p, objid=_clean(p.objid, 80)) for p in incident.positions[:objects]),
        "description": _clean(incident.description, characters),
        "clock": _clean(incident.clock, 40) if incident.clock else None,
    }
    return replace(incident, **changes)


def _clean(text: str, longest: int) -> str:
    """The text as UTF-8 can hold it, cut to so many characters."""
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= longest else whole[: longest - 1] + "…"
