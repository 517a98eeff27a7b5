"""Why there was an alert at a time, or none, in words: the looks that showed it, and the incidents that cover it. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from extension.ui.markup import Html, joined, tag
from extension.ui.sayings import instant, media_span, time_of_day
from extension.ui.tables import severity_badge
from extension.ui.words import Words
from extension.wire import CaptionOut, IncidentOut

_SHED, _UNCAPTURED = "Shed", "NotCaptured"
_ONLY_A_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?")
_MOST_ANSWER = 4000
# Times on the page are whole seconds, rounded down.
_ROUNDED = dt.timedelta(seconds=1)


def asked_at(text: str, latest_at: dt.datetime | None) -> dt.datetime | None:
    """The instant that somebody wrote: with its day, or a time alone, which is the latest such time up to `latest_at`; None for neither.

    Without a zone it is UTC, as all times on the page are.
    """
    text = text.strip().removesuffix("UTC").strip()
    if _ONLY_A_TIME.fullmatch(text):
        if latest_at is None:
            return None
        text = f"{latest_at.astimezone(dt.UTC):%Y-%m-%d} {text.zfill(5) if text.count(':') == 1 else text.rjust(8, '0')}"
        return _latest(_read(text), latest_at)
    return _read(text)


def _read(text: str) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _latest(at: dt.datetime | None, latest_at: dt.datetime) -> dt.datetime | None:
    # A time after the last picture is yesterday's; one in the same minute was meant as just now.
    if at is not None and at > latest_at + dt.timedelta(minutes=1):
        return at - dt.timedelta(days=1)
    return at


def explanation(
    at: dt.datetime,
    looks: Sequence[CaptionOut],
    incidents: Sequence[IncidentOut],
    begin_at: dt.datetime | None,
    words: Words,
) -> Html:
    """The answer in a sentence, then every look that showed the time.

    Args:
        at: The time in question.
        looks: Those that showed it.
        incidents: Of the same camera.
        begin_at: Wall clock of media second 0 of the camera; None where it is not known.
        words: The visitor's.
    """
    under_way = [incident for incident in incidents if _covers(incident, at)]
    sentence = tag("p", words[_verdict(looks, under_way)].format(at=instant(at)), class_="tt-lead")
    belongs = [
        tag("p", tag("b", words["belongs_to"]), " ", *_incident(incident, words)) for incident in under_way
    ]
    listed = [_look(look, begin_at, words) for look in looks]
    return tag("div", sentence, *belongs, *listed, class_="tt-why")


def _covers(incident: IncidentOut, at: dt.datetime) -> bool:
    start_at, end_at = incident.start_at, incident.end_at
    return start_at is not None and start_at - _ROUNDED <= at and (end_at is None or at <= end_at + _ROUNDED)


def _verdict(looks: Sequence[CaptionOut], under_way: Sequence[IncidentOut]) -> str:
    """Which sentence answers the question."""
    if under_way:
        return "explain_alert"
    if not looks:
        return "explain_no_window"
    if any(look.failure for look in looks):
        return "explain_unknown"
    if not any(map(_was_asked, looks)):
        return "explain_still"
    return "explain_calm" if all(look.status == "safe" for look in looks) else "explain_mild"


def _incident(incident: IncidentOut, words: Words) -> tuple[Html, ...]:
    return (
        severity_badge(incident.severity, words),
        joined(" ", words[incident.kind], " · ", words[f"check_{incident.check}"]),
        joined(" · ", incident.description) if incident.description else Html(""),
    )


def _look(look: CaptionOut, begin_at: dt.datetime | None, words: Words) -> Html:
    """One look: which time it showed, what became of it, and the answer."""
    span = media_span(look.start_s, look.end_s)
    if begin_at is not None:
        ends = (begin_at + dt.timedelta(seconds=second) for second in (look.start_s, look.end_s))
        span = "\N{EN DASH}".join(map(time_of_day, ends)) + " UTC"
    badge = severity_badge(look.status, words) if look.status and _was_asked(look) else Html("")
    head = tag("div", tag("b", span, class_="tt-time"), " ", badge, " ", _fate(look, words))
    summary = (look.summary or "") if _was_asked(look) else ""
    lines = [tag("p", line) for line in (summary, *_asides(look, words)) if line]
    raw = Html("")
    if look.text:
        raw = tag(
            "details", tag("summary", words["raw_answer"]), tag("pre", look.text[:_MOST_ANSWER], tabindex="0")
        )
    return tag("section", head, *lines, raw, class_="tt-look")


def _was_asked(look: CaptionOut) -> bool:
    return look.stats.get("asked", True) is not False


def _fate(look: CaptionOut, words: Words) -> Html:
    """What became of a look, in a few words."""
    if look.failure is None:
        return joined(words["look_asked" if _was_asked(look) else "look_gated"])
    code, _, sentence = look.failure.partition(": ")
    if code == _SHED:
        return joined(words["look_shed"])
    if code == _UNCAPTURED:
        return joined(words["look_uncaptured"])
    return joined(words["look_failed"], ": ", sentence or code, " ", tag("span", code, class_="tt-code"))


def _asides(look: CaptionOut, words: Words) -> Iterator[str]:
    """What else is known: what the gate made of it, the second look, an earlier failure."""
    stats = look.stats
    if gate := _part(stats, "gate"):
        yield _gate(gate, words, was_asked=_was_asked(look))
    if outcome := _part(stats, "second_look").get("outcome"):
        yield words["second_look"].format(outcome=words.get(f"second_{outcome}", str(outcome)))
    if first := _part(stats, "first_failure"):
        yield words["look_first"].format(failure=first.get("message") or first.get("code") or "?")


def _gate(gate: Mapping[str, Any], words: Words, *, was_asked: bool) -> str:
    why = words.get(f"gate_{gate.get('reason')}", str(gate.get("reason") or ""))
    if not was_asked:
        return why
    return words["look_shadow" if gate.get("decision") == "gated" else "gate_shown"].format(why=why)


def _part(stats: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = stats.get(name)
    return part if isinstance(part, Mapping) else {}
