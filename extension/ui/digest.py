"""The event-based summary on the page: its words, pictures and video, and the buttons that step from event to event. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from extension.timetravel.summary_wire import HEAT_MAP, TIMELINE, VIDEO, SummaryOut
from extension.ui.markup import Html, joined, tag
from extension.ui.tables import heading
from extension.ui.words import Words
from extension.wire import Happening, JobOut

_API = "../api/v1"
# What a step plays unless the visitor says otherwise.
_PRE_ROLL_S, _PLAY_S = "2", "1"


def steps(job: JobOut | None, words: Words) -> Html:
    """The buttons under the player; page.js does the work. They stay as they are while a job goes on."""
    if job is None:
        return Html("")

    def button(name: str, step: str, sign: str) -> Html:
        return tag(
            "button",
            tag("span", sign, aria_hidden="true"),
            " ",
            words[name],
            class_="tt-chip",
            data_step=step,
        )

    def number(name: str, value: str, least: str) -> Html:
        field = tag("input", type="number", name=name, value=value, min=least, max="60", step="0.5")
        return tag("label", tag("span", words[name]), field, class_="tt-step")

    only = tag(
        "label",
        tag("input", type="checkbox", name="only_events"),
        tag("span", words["only_events"]),
        class_="tt-step",
    )
    return tag(
        "div",
        button("previous_event", "-1", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"),
        button("next_event", "1", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"),
        only,
        number("pre_roll", _PRE_ROLL_S, "0"),
        number("play_length", _PLAY_S, "0.5"),
        class_="tt-steps",
        role="group",
        aria_label=words["only_events"],
    )


def moments(incidents: Iterable[Happening]) -> Html:
    """When incidents are, for page.js: the media seconds of their starts and ends, by time."""
    spans = sorted((incident.start_s, incident.end_s) for incident in incidents)
    return (
        tag("span", hidden=True, class_="tt-moments", data_moments=json.dumps(spans)) if spans else Html("")
    )


def summary(job: JobOut, found: SummaryOut | None, names: Sequence[str], words: Words) -> Html:
    """What the job came to: sentences, then the video and the pictures that there are; empty until the job is over."""
    if found is None:
        return Html("")
    first, *rest = found.sentences
    text = joined(tag("p", first, class_="tt-lead"), *(tag("p", sentence) for sentence in rest))
    folder = f"{_API}/jobs/{quote(job.id, safe='')}/outputs"
    # The job's end is part of the address: a job that was done again has other pictures.
    version = quote(job.finished_at.isoformat(), safe="") if job.finished_at else ""

    def address(name: str) -> str:
        return f"{folder}/{name}?{version}"

    shown: list[Html] = []
    if VIDEO in names:
        video = tag(
            "video",
            # A browser shows the title card only when it is asked for a moment of it.
            src=address(VIDEO) + "#t=0.1",
            controls=True,
            playsinline=True,
            preload="metadata",
            aria_label=words["summary_video"],
        )
        shown.append(tag("figure", video, tag("figcaption", words["summary_video"])))
    for name, key in ((TIMELINE, "chart_timeline"), (HEAT_MAP, "chart_heat_map")):
        if name in names:
            picture = tag(
                "a",
                tag("img", src=address(name), alt=words[key], loading="lazy"),
                href=address(name),
                target="_blank",
            )
            caption = tag("figcaption", words[key])
            shown.append(tag("figure", picture, caption, class_="tt-tall" if name == HEAT_MAP else None))
    pictures = tag("div", *shown, class_="tt-pictures") if shown else Html("")
    return joined(heading(words["summary"]), tag("div", text, class_="tt-summary"), pictures)
