"""A camera's picture on the page with the zones drawn over it, and the form that draws more; what zones.js and the page say to each other. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from extension.ui.markup import Html, tag
from extension.ui.tables import heading
from extension.ui.words import Words
from extension.wire import BriefOut, CameraOut, ZoneIO

_API = "../api/v1"
# Hues that stay apart from one another and from the colours of severities, in degrees.
_HUES = (190, 275, 325, 235, 160, 300)
_MOST_NAME = 40


def picture(camera: CameraOut | None, brief: BriefOut | None, words: Words) -> Html:
    """The latest picture, which zones.js fetches again and again, zones over it, and the form under it."""
    if camera is None:
        return Html("")
    zones = brief.zones if brief else []
    image = tag("img", alt=words["picture_of"].format(camera=camera.name), hidden=True)
    drawing = tag(
        "svg",
        *(_outline(number, zone) for number, zone in enumerate(zones)),
        tag("polyline", class_="tt-draft", points=""),
        viewBox="0 0 1 1",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
    names = [_name(number, zone) for number, zone in enumerate(zones)]
    stage = tag("div", image, drawing, *names, class_="tt-stage")
    return tag(
        "div",
        heading(camera.name),
        stage,
        tag("p", words["no_picture"], class_="tt-stage-note tt-sub", role="status"),
        _form(words),
        _list(zones, words),
        _origin(brief, words),
        class_="tt-picture",
        data_camera=camera.name,
        data_src=f"{_API}/cameras/{quote(camera.name, safe='')}/snapshot",
        data_recorded=camera.segments > 0,
        data_corners=words["zone_corners"],
        data_empty=words["no_picture"],
    )


def _hue(number: int) -> str:
    return f"--tt-hue:{_HUES[number % len(_HUES)]}"


def _outline(number: int, zone: ZoneIO) -> Html:
    corners = " ".join(f"{x:.4f},{y:.4f}" for x, y in zone.points)
    return tag("polygon", points=corners, class_="tt-zone", style=_hue(number))


def _name(number: int, zone: ZoneIO) -> Html:
    """A zone's name at its top corner."""
    x, y = min(zone.points, key=lambda point: (point[1], point[0]))
    place = f"left:{100 * min(x, 0.8):.1f}%;top:{100 * min(y, 0.92):.1f}%;{_hue(number)}"
    return tag("span", zone.name, class_="tt-zone-name", style=place, aria_hidden="true")


def _form(words: Words) -> Html:
    def field(name: str, hint: str = "") -> Html:
        control = tag("input", name=name, maxlength=_MOST_NAME, placeholder=hint or None, autocomplete="off")
        return tag("label", tag("span", words[f"zone_{name}"]), control, class_="tt-field")

    return tag(
        "form",
        tag("p", words["zone_draw"], " ", tag("b", class_="tt-corners"), class_="tt-sub"),
        field("name"),
        field("kind", words["zone_kind_hint"]),
        tag("button", words["zone_undo"], type="button", class_="tt-chip", data_undo=True),
        tag("button", words["zone_save"], type="submit", class_="tt-save", disabled=True),
        class_="tt-zone-form",
        novalidate=True,
    )


def _list(zones: Sequence[ZoneIO], words: Words) -> Html:
    if not zones:
        return tag("p", words["zones_none"], class_="tt-sub")
    rows = [
        tag(
            "li",
            tag("span", class_="tt-zone-key", style=_hue(number), aria_hidden="true"),
            tag("b", zone.name),
            " ",
            tag("span", zone.kind, class_="tt-objects"),
            tag("button", words["zone_remove"], class_="tt-chip", data_remove=zone.name),
        )
        for number, zone in enumerate(zones)
    ]
    return tag("ul", *rows, class_="tt-zones", aria_label=words["zones"])


def _origin(brief: BriefOut | None, words: Words) -> Html:
    if brief is None or brief.origin != "page":
        return Html("")
    reset = tag("button", words["brief_reset"], class_="tt-chip", data_reset=True)
    return tag("p", words["brief_from_page"], " ", reset, class_="tt-sub")


def drawn(said: object) -> tuple[str, str, str, list[tuple[float, float]]] | None:
    """Camera, name, kind and corners of a zone that zones.js sends; None where it is no such thing. The service checks the rest."""
    if not isinstance(said, dict):
        return None
    texts = [said.get(key) for key in ("camera", "name", "kind")]
    corners = said.get("points")
    if not all(isinstance(text, str) for text in texts) or not isinstance(corners, list):
        return None
    try:
        points = [(float(x), float(y)) for x, y in corners]
    except (TypeError, ValueError):
        return None
    camera, name, kind = map(str, texts)
    return camera, name.strip(), kind.strip(), points


def with_zone(zones: Sequence[ZoneIO], zone: dict[str, object]) -> list[dict[str, object]]:
    """The zones with one more; one of the same name gives way to it."""
    return [*without_zone(zones, str(zone["name"])), zone]


def without_zone(zones: Sequence[ZoneIO], name: str) -> list[dict[str, object]]:
    """The zones but one, as they go over the wire."""
    return [json.loads(zone.model_dump_json()) for zone in zones if zone.name != name]
