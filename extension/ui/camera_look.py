"""Decides what of the cameras' part of the page is out of date: asks the API no more than it must, and sends only parts that changed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from extension.client import ApiClient
from extension.errors import BadInput, ExtensionError, NotFound
from extension.evidence.manifest import EvidenceOut
from extension.ui import cameras as table_of
from extension.ui import clips, zones
from extension.ui.markup import Html, joined, tag
from extension.ui.words import Words
from extension.wire import BriefOut, CameraOut, IncidentOut

LOOK_S = 3.0
"""Seconds between looks while the cameras are shown."""

MOST_INCIDENTS = 50
PARTS = ("cameras", "picture", "cam-incidents", "clip")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a visitor chose: a camera by its name, and one of its incidents by its id."""

    camera: str | None = None
    incident: str | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """What one visitor's page shows of the cameras at the moment."""

    cameras: tuple[CameraOut, ...] = ()
    shown: CameraOut | None = None
    brief: BriefOut | None = None
    incidents: tuple[IncidentOut, ...] = ()
    evidence: EvidenceOut | None = None
    parts: Mapping[str, Html] = field(default_factory=dict)


def look(api: ApiClient, before: Watched, choice: Choice, words: Words, *, anew: bool = False) -> Watched:
    """The cameras as they should be shown by now; the first that is watched where none is chosen.

    Args:
        api: The service.
        before: What is shown.
        choice: What the visitor chose.
        words: The visitor's.
        anew: Whether to ask for what rarely changes too (notes and zones).

    An API that does not answer leaves everything in place but the list, which says so.
    """
    try:
        cameras = tuple(api.cameras())
        shown = _chosen(cameras, choice.camera)
        if shown is None:
            return _with_parts(Watched(cameras), None, words)
        same = not anew and before.shown is not None and before.shown.name == shown.name
        brief = before.brief if same and before.brief else api.brief(shown.name)
        incidents = tuple(reversed(api.incidents(shown.job_id, newest=MOST_INCIDENTS)))
        opened = _opened(incidents, choice.incident)
        evidence = _evidence(api, before, opened)
    except ExtensionError:
        away = tag("p", words["away"], class_="tt-notice tt-notice-bad", role="alert")
        table = table_of.cameras_table(before.cameras, choice.camera, words)
        parts = {**before.parts, "cameras": joined(away, table if before.cameras else "")}
        return Watched(before.cameras, before.shown, before.brief, before.incidents, before.evidence, parts)
    return _with_parts(Watched(cameras, shown, brief, incidents, evidence), opened, words)


def _chosen(cameras: tuple[CameraOut, ...], name: str | None) -> CameraOut | None:
    watched = [camera for camera in cameras if table_of.is_watched(camera)]
    return next((camera for camera in watched if camera.name == name), watched[0] if watched else None)


def _opened(incidents: tuple[IncidentOut, ...], incident_id: str | None) -> IncidentOut | None:
    return next((incident for incident in incidents if incident.id == incident_id), None)


def _evidence(api: ApiClient, before: Watched, opened: IncidentOut | None) -> EvidenceOut | None:
    """The evidence of an incident; asked for until there is some, and again while the incident changes."""
    if opened is None:
        return None
    known = before.evidence
    if known is not None and known.incident_id == opened.id and opened in before.incidents:
        settled = opened.phase == "resolved" and known.manifest.incident.phase == "resolved"
        if settled:
            return known
    # Not made, or no longer kept: either is said in place of the clip.
    with suppress(NotFound, BadInput):
        return api.evidence(opened.id)
    return None


def _with_parts(found: Watched, opened: IncidentOut | None, words: Words) -> Watched:
    name = found.shown.name if found.shown else None
    parts = {
        "cameras": table_of.cameras_table(found.cameras, name, words),
        "picture": zones.picture(found.shown, found.brief, words),
        "cam-incidents": Html(""),
        "clip": Html(""),
    }
    if found.shown is not None:
        incident_id = opened.id if opened else None
        parts["cam-incidents"] = clips.incidents_table(found.incidents, incident_id, words)
        parts["clip"] = clips.evidence(opened, found.evidence, words) if found.incidents else Html("")
    return Watched(found.cameras, found.shown, found.brief, found.incidents, found.evidence, parts)
