"""Values that tests of the cameras' part of the page are fed with."""

from __future__ import annotations

import datetime as dt
from html.parser import HTMLParser
from typing import Any

from extension.evidence.manifest import EvidenceOut, LinkOut
from extension.model import Check, Kind, Phase, Severity, Span
from extension.wire import CameraOut, CaptionOut, IncidentOut
from tests.api import samples

BEGIN = dt.datetime(2026, 5, 4, 10, 0, tzinfo=dt.UTC)
SHA = "ab" * 32


class Reader(HTMLParser):
    """Reads HTML as a browser does: its elements with their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All text, pieces apart."""
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """The attributes of every element of that kind that has these."""
        return [
            attributes
            for name, attributes in self.found
            if name == tag
            and all(
                attributes.get(key.rstrip("_").replace("_", "-")) == value for key, value in wanted.items()
            )
        ]


def camera(name: str = "gate", **changes: Any) -> CameraOut:
    """A camera that is recording and well."""
    fields: dict[str, Any] = {
        "name": name,
        "job_id": f"camera-{name}",
        "begin_at": BEGIN,
        "address": "rtsp://10.0.0.7:554",
        "state": "recording",
        "trouble": None,
        "message": "",
        "last_frame_at": BEGIN + dt.timedelta(minutes=5),
        "picture": "h264 1920x1080",
        "frames": 7500,
        "received_bytes": 4096,
        "segments": 150,
        "reconnects": 0,
        "clock_offset_s": -0.25,
        "captured_s": 300.0,
        "lost_s": {},
        "pending_s": 2.0,
        "windows": {"looked": 58},
    }
    return CameraOut.model_validate(fields | changes)


def incident(number: int = 0, **changes: Any) -> IncidentOut:
    """A fall that is over and was looked at twice."""
    start_s = 60.0 * number
    fields: dict[str, Any] = {
        "kind": Kind.FALL,
        "severity": Severity.DANGER,
        "objects": ("person",),
        "phase": Phase.RESOLVED,
        "span": Span(start_s, start_s + 8),
        "start_at": BEGIN + dt.timedelta(seconds=start_s),
        "end_at": BEGIN + dt.timedelta(seconds=start_s + 8),
        "description": "A person falls.",
        "check": Check.CONFIRMED,
        "clock": None,
        "positions": (),
    }
    return IncidentOut.of(samples.incident("camera-gate", number, **(fields | changes)))


def look(index: int = 0, **changes: Any) -> CaptionOut:
    """A window of ten seconds that was found safe."""
    fields: dict[str, Any] = {
        "chunk_index": index,
        "start_s": 5.0 * index,
        "end_s": 5.0 * index + 10,
        "text": '{"status": "safe"}',
        "status": "safe",
        "summary": "All is calm.",
        "failure": None,
        "stats": {},
    }
    return CaptionOut.model_validate(fields | changes)


def link(name: str, media_type: str, sha256: str = SHA) -> LinkOut:
    """Where a file of the evidence is."""
    return LinkOut(
        name=name,
        href=f"/api/v1/incidents/i/evidence/{name}",
        sha256=sha256,
        size_bytes=9,
        media_type=media_type,
    )


def evidence(of: IncidentOut, *links: LinkOut, missing: tuple[tuple[str, str], ...] = ()) -> EvidenceOut:
    """The evidence of an incident, with these files."""
    manifest = {
        "program": {"name": "t", "version": "1", "pyav": "1"},
        "incident": of.model_dump(mode="json"),
        "source": {"name": "gate", "job_id": of.job_id, "files": [], "gaps": []},
        "asked": {"model": None, "prompt": None, "verdict_schema": 1, "parameters": {}},
        "answers": [],
        "decision": {"basis": "vlm", "severity": "danger", "merged_events": 1, "steps": []},
        "taken": {
            "clip": None,
            "snapshot_s": None,
            "before_s": 5,
            "after_s": 5,
            "longest_s": 60,
            "cut_short": False,
        },
        "files": [],
        "missing": [{"name": name, "reason": reason} for name, reason in missing],
    }
    page = {
        "incident_id": of.id,
        "job_id": of.job_id,
        "manifest_sha256": SHA,
        "links": [one.model_dump() for one in links],
        "manifest": manifest,
    }
    return EvidenceOut.model_validate(page)
