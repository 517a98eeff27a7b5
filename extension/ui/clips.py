"""The incidents of a camera on the page, and the evidence of the one that is chosen: clip, picture, files. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from extension.evidence.manifest import EvidenceOut
from extension.ui.markup import Html, joined, tag
from extension.ui.sayings import instant, lasting, objects, time_of_day
from extension.ui.tables import heading, severity_badge, table
from extension.ui.words import Words
from extension.wire import IncidentOut

_API = "../api/v1"
_COLUMNS = ("severity", "what", "when", "state", "description")
_OPEN = "open"


def incidents_table(incidents: Sequence[IncidentOut], chosen: str | None, words: Words) -> Html:
    """The incidents of a camera, newest first; a row shows its clip, the button in it explains it."""
    if not incidents:
        return joined(
            heading(words["incidents"], 0), tag("p", words["cam_incidents_none"], class_="tt-empty")
        )
    rows = [_row(incident, words, is_chosen=incident.id == chosen) for incident in incidents]
    return joined(
        heading(words["incidents"], len(incidents)),
        tag("p", words["cam_incidents_hint"], class_="tt-sub tt-hint"),
        table("tt-cam-incidents", _COLUMNS, rows, words),
    )


def _row(incident: IncidentOut, words: Words, *, is_chosen: bool) -> Html:
    cells = {
        "severity": severity_badge(incident.severity, words),
        "what": joined(
            tag("b", words[incident.kind]),
            tag("span", objects(incident.objects), class_="tt-objects") if incident.objects else "",
        ),
        "when": _when(incident, words),
        "state": joined(
            tag("span", words[incident.phase], class_=f"tt-phase tt-{incident.phase}"),
            _check(incident, words),
        ),
        "description": joined(incident.description),
    }
    return tag(
        "tr",
        *(tag("td", cells[name], class_=f"tt-c-{name}") for name in _COLUMNS),
        class_="tt-cam-row tt-chosen" if is_chosen else "tt-cam-row",
        tabindex="0",
        data_incident=incident.id,
        aria_current="true" if is_chosen else None,
    )


def _when(incident: IncidentOut, words: Words) -> Html:
    lasted = words["lasted"].format(span=lasting(incident.end_s - incident.start_s, words))
    if incident.start_at is None:
        return tag("span", lasted, class_="tt-sub")
    at = incident.start_at
    day = instant(at).partition(" ")[0]
    why = tag("button", words["why_chip"], class_="tt-chip", data_at=f"{day} {time_of_day(at)}")
    return joined(
        tag("span", f"{time_of_day(at)} UTC", class_="tt-time"),
        tag("span", f"{day} · {lasted}", class_="tt-sub"),
        why,
    )


def _check(incident: IncidentOut, words: Words) -> Html:
    kind = f"tt-sub tt-check tt-check-{incident.check}"
    said = tag("span", words[f"check_{incident.check}"], class_=kind)
    if incident.basis == "motion":
        return joined(said, tag("span", words["basis_motion"], class_="tt-sub"))
    return said


def evidence(incident: IncidentOut | None, found: EvidenceOut | None, words: Words) -> Html:
    """The clip of the chosen incident with its files, or why there is none."""
    title = heading(words["clip"])
    if incident is None:
        return joined(title, tag("p", words["clip_hint"], class_="tt-empty"))
    told = _what(incident, words)
    if found is None:
        text = words["clip_later" if incident.phase == _OPEN else "clip_none"]
        return joined(title, told, tag("p", text, class_="tt-notice"))
    return joined(title, told, _shown(incident, found, words), _files(incident, found, words))


def _what(incident: IncidentOut, words: Words) -> Html:
    """What it is about, in a line."""
    parts: list[str | Html] = [
        severity_badge(incident.severity, words),
        " ",
        tag("b", words[incident.kind]),
        f" · {instant(incident.start_at)}" if incident.start_at else "",
        f" · {incident.description}" if incident.description else "",
    ]
    return tag("p", *parts, class_="tt-clip-line")


def _address(incident: IncidentOut, name: str) -> str:
    return f"{_API}/incidents/{quote(incident.id, safe='')}/evidence/{quote(name, safe='')}"


def _shown(incident: IncidentOut, found: EvidenceOut, words: Words) -> Html:
    kinds = {link.media_type.partition("/")[0]: link for link in reversed(found.links)}
    picture = kinds.get("image")
    # The hash makes a clip that was made anew another one.
    poster = f"{_address(incident, picture.name)}?{picture.sha256[:12]}" if picture else None
    if clip := kinds.get("video"):
        return tag(
            "video",
            src=f"{_address(incident, clip.name)}?{clip.sha256[:12]}",
            poster=poster,
            controls=True,
            autoplay=True,
            muted=True,
            playsinline=True,
            aria_label=words["clip"],
        )
    if poster:
        return tag("img", src=poster, alt=words["clip"])
    return tag("p", words["clip_later" if incident.phase == _OPEN else "clip_none"], class_="tt-notice")


def _files(incident: IncidentOut, found: EvidenceOut, words: Words) -> Html:
    links = [
        tag(
            "a",
            link.name,
            href=_address(incident, link.name),
            target="_blank",
            title=f"SHA-256 {link.sha256}",
            class_="tt-chip",
        )
        for link in found.links
    ]
    missing = [
        tag("p", words["clip_missing"].format(name=one.name, reason=one.reason), class_="tt-sub")
        for one in found.manifest.missing
    ]
    return tag(
        "div",
        tag("div", tag("span", words["clip_files"], class_="tt-sub"), *links, class_="tt-chips"),
        *missing,
        class_="tt-clip-files",
    )
