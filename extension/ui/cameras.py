"""How cameras are, for people: which record, since when one shows nothing and why, what was lost, what became of their windows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from extension.ui.markup import Html, joined, tag
from extension.ui.sayings import instant, lasting, time_of_day
from extension.ui.tables import heading, table
from extension.ui.words import Words
from extension.wire import CameraOut

_RECORDING, _REFUSED = "recording", "refused"
_LOOKED, _GATED, _SHED = "looked", "gated", "Shed"
# A clock that is off by less is right: alerts are told to the second.
_CLOCK_OFF_S = 1.0
_COLUMNS = ("camera", "state", "last_picture", "recorded", "windows")


def is_watched(camera: CameraOut) -> bool:
    """Whether there is anything to look at: some cameras are named that cannot be captured."""
    return camera.state != _REFUSED


def cameras_table(cameras: Sequence[CameraOut], chosen: str | None, words: Words) -> Html:
    """Every camera in a row of its own; a row, or the button in it, chooses the camera."""
    if not cameras:
        return tag("p", words["cameras_none"], class_="tt-empty")
    rows = [_row(camera, words, is_chosen=camera.name == chosen and is_watched(camera)) for camera in cameras]
    return joined(
        heading(words["cameras"], len(cameras)),
        tag("p", words["cameras_hint"], class_="tt-sub tt-hint"),
        table("tt-cameras", _COLUMNS, rows, words),
    )


def _row(camera: CameraOut, words: Words, *, is_chosen: bool) -> Html:
    if not is_watched(camera):
        cells = {"camera": tag("b", camera.name), "state": _state(camera, words)}
        return tag("tr", *(tag("td", cells.get(name, ""), class_=f"tt-c-{name}") for name in _COLUMNS))
    name = tag(
        "button",
        camera.name,
        class_="tt-cam-name",
        data_camera=camera.name,
        aria_pressed="true" if is_chosen else "false",
    )
    cells = {
        "camera": joined(name, tag("span", camera.address, class_="tt-sub")),
        "state": _state(camera, words),
        "last_picture": _last_picture(camera, words),
        "recorded": _recorded(camera, words),
        "windows": _windows(camera, words),
    }
    return tag(
        "tr",
        *(tag("td", cells[name], class_=f"tt-c-{name}") for name in _COLUMNS),
        class_="tt-cam-row tt-chosen" if is_chosen else "tt-cam-row",
        data_camera=camera.name,
    )


def _state(camera: CameraOut, words: Words) -> Html:
    """A word, and where it is not well why, since when."""
    is_well = camera.state == _RECORDING and camera.trouble is None
    key = "cam_trouble" if camera.state == _RECORDING and not is_well else f"cam_{camera.state}"
    pill = tag(
        "span", words.get(key, camera.state), class_=f"tt-phase {'tt-resolved' if is_well else 'tt-open'}"
    )
    if is_well or camera.trouble is None:
        return pill
    why = reason(camera.trouble, camera.message, words)
    if camera.last_frame_at is not None and is_watched(camera):
        why = words["since"].format(at=f"{time_of_day(camera.last_frame_at)} UTC", why=why)
    return joined(pill, tag("span", why, class_="tt-sub tt-error"))


def reason(code: str, message: str, words: Words) -> str:
    """Why a camera is not captured: in English as the service says it, which knows best; else in the visitor's language where it is known."""
    known = words.get(f"why_{code}")
    return message or known or code if words["lang"] == "en" else known or message or code


def _last_picture(camera: CameraOut, words: Words) -> Html:
    if camera.last_frame_at is None:
        return tag("span", words["never"], class_="tt-sub tt-nothing")
    day, clock, zone = instant(camera.last_frame_at).split(" ")
    shown = [tag("span", f"{clock} {zone}", class_="tt-time"), tag("span", day, class_="tt-sub")]
    if camera.picture:
        shown.append(tag("span", camera.picture, class_="tt-sub"))
    if camera.clock_wrong:
        shown.append(tag("span", words["clock_wrong"], class_="tt-sub tt-error"))
    offset_s = camera.clock_offset_s
    if offset_s is not None and abs(offset_s) >= _CLOCK_OFF_S:
        key = "clock_ahead" if offset_s > 0 else "clock_behind"
        off = words[key].format(span=lasting(abs(offset_s), words))
        shown.append(tag("span", off, class_="tt-sub tt-error"))
    return joined(*shown)


def _recorded(camera: CameraOut, words: Words) -> Html:
    shown = [tag("span", words["captured"].format(span=lasting(camera.captured_s, words)), class_="tt-line")]
    lost = {code: lost_s for code, lost_s in camera.lost_s.items() if lost_s > 0}
    if not lost:
        shown.append(tag("span", words["lost_none"], class_="tt-sub"))
    for code, lost_s in sorted(lost.items(), key=lambda entry: -entry[1]):
        text = f"{words['lost'].format(span=lasting(lost_s, words))}: {reason(code, '', words)}"
        shown.append(tag("span", text, class_="tt-sub"))
    counted = [words["frames_n"].format(count=f"{camera.frames:,}")]
    if camera.reconnects:
        counted.append(words["reconnects_n"].format(count=camera.reconnects))
    shown.append(tag("span", " · ".join(counted), class_="tt-sub"))
    return joined(*shown)


def _windows(camera: CameraOut, words: Words) -> Html:
    failed = {
        code: count
        for code, count in camera.windows.items()
        if code not in {_LOOKED, _GATED, _SHED} and count
    }
    counted = {
        "windows_looked": camera.windows.get(_LOOKED, 0),
        "windows_gated": camera.windows.get(_GATED, 0),
        "windows_shed": camera.windows.get(_SHED, 0),
        "windows_failed": sum(failed.values()),
    }
    shown = [
        tag("span", words[key].format(count=count), class_="tt-line tt-error" if key in _BAD else "tt-line")
        for key, count in counted.items()
        if count
    ]
    if camera.waiting:
        shown.append(tag("span", words["windows_waiting"].format(count=camera.waiting), class_="tt-sub"))
    if failed:
        codes = " · ".join(f"{code} {count}" for code, count in sorted(failed.items()))
        shown.append(tag("span", codes, class_="tt-sub tt-code"))
    return joined(*shown) if shown else tag("span", words["windows_none"], class_="tt-sub tt-nothing")


_BAD = frozenset({"windows_shed", "windows_failed"})
