"""The tables of the page: events, incidents, chunks without a verdict. Pure: wire values in, HTML out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from extension.model import Check
from extension.ui.markup import Html, joined, tag
from extension.ui.sayings import any_clock, any_place, instant, media_span, media_time, objects, places
from extension.ui.words import Words
from extension.wire import CaptionOut, DeliveryOut, EventOut, Happening, IncidentOut, JobOut

_OVER = {"done", "failed"}
_DELIVERY_WORDS = {"pending": "pending", "sent": "sent", "failed": "given_up"}


def events_table(job: JobOut, events: Sequence[EventOut], words: Words) -> Html:
    """The events of a job; each row seeks the player."""
    if not events:
        return tag("p", words[_why_no_event(job)], class_="tt-empty")
    columns = ["time", "clock", "what", "severity", "place", "description"]
    if not any_clock(events):
        columns.remove("clock")
    if not any_place(events):
        columns.remove("place")
    rows = [_row(columns, _cells(event, words), event, words) for event in events]
    return table("tt-events", columns, rows, words)


def _why_no_event(job: JobOut) -> str:
    if job.status not in _OVER:
        return "events_none_yet"
    return "events_none_failed" if job.failed_chunks or job.status == "failed" else "events_none"


def _cells(happening: Happening, words: Words) -> dict[str, Html]:
    what = joined(
        tag("b", words[happening.kind]),
        tag("span", objects(happening.objects), class_="tt-objects") if happening.objects else "",
    )
    lines = [tag("span", place, class_="tt-place") for place in places(happening.positions)]
    return {
        "time": tag("span", media_time(happening.start_s), class_="tt-time"),
        "clock": joined(happening.clock or ""),
        "what": what,
        "severity": severity_badge(happening.severity, words),
        "place": joined(*lines),
        "description": joined(happening.description),
    }


def severity_badge(severity: str, words: Words) -> Html:
    """A severity as a coloured word."""
    return tag("span", words[severity], class_=f"tt-badge tt-{severity}")


def incidents_table(
    incidents: Sequence[IncidentOut], deliveries: Sequence[DeliveryOut], words: Words
) -> Html:
    """The incidents of a job, each with its phase and how far its alerts got."""
    if not incidents:
        return tag("p", words["incidents_none"], class_="tt-empty")
    columns = ["severity", "what", "when", "place", "description", "state", "alerts"]
    if not any_place(incidents):
        columns.remove("place")
    rows = []
    for incident in incidents:
        own = [delivery for delivery in deliveries if delivery.incident_id == incident.id]
        cells = _cells(incident, words)
        cells["when"] = _when(incident)
        cells["state"] = _state(incident, words)
        cells["alerts"] = alerts(own, words)
        rows.append(_row(columns, cells, incident, words))
    return table("tt-incidents", columns, rows, words)


def _state(incident: IncidentOut, words: Words) -> Html:
    """Whether it is over, and what a second look made of it, where there was to be one."""
    phase = tag("span", words[incident.phase], class_=f"tt-phase tt-{incident.phase}")
    if incident.check is Check.ONCE:
        return phase
    return joined(phase, tag("span", words[f"check_{incident.check}"], class_="tt-sub"))


def _when(incident: IncidentOut) -> Html:
    lines = [tag("span", media_span(incident.start_s, incident.end_s), class_="tt-time")]
    if incident.clock:
        lines.append(tag("span", incident.clock, class_="tt-sub"))
    if incident.start_at:
        lines.append(tag("span", instant(incident.start_at), class_="tt-sub"))
    return joined(*lines)


def alerts(deliveries: Sequence[DeliveryOut], words: Words) -> Html:
    """The deliveries of one incident: for each receiver and state, how many, and the last error."""
    if not deliveries:
        return tag("span", words["alerts_none"], class_="tt-sub")

    def key(delivery: DeliveryOut) -> tuple[str, str]:
        return delivery.receiver, delivery.state

    return joined(
        *(
            _alert_pill(receiver, state, list(group), words)
            for (receiver, state), group in groupby(sorted(deliveries, key=key), key)
        )
    )


def _alert_pill(receiver: str, state: str, group: Sequence[DeliveryOut], words: Words) -> Html:
    text = f"{receiver}: {words[_DELIVERY_WORDS[state]]}"
    if len(group) > 1:
        text += f" \N{MULTIPLICATION SIGN}{len(group)}"
    pill = tag("span", text, class_=f"tt-alert tt-alert-{state}")
    error = next((delivery.last_error for delivery in reversed(group) if delivery.last_error), None)
    if state == "sent" or error is None:
        return pill
    most = max(delivery.attempts for delivery in group)
    return joined(pill, tag("span", f"{error} ({words['attempts']}: {most})", class_="tt-sub tt-error"))


def failures_list(failures: Sequence[CaptionOut], words: Words) -> Html:
    """The chunks without a verdict and why; empty when there is none."""
    if not failures:
        return Html("")
    rows = [
        tag(
            "li",
            tag(
                "button",
                media_span(failed.start_s, failed.end_s),
                class_="tt-chip",
                data_seek=failed.start_s,
                title=words["seek"],
            ),
            " ",
            _plain(failed.failure or ""),
        )
        for failed in failures
    ]
    return joined(
        heading(words["failures"], len(failures)),
        tag("p", words["failures_text"], class_="tt-sub"),
        tag("ul", *rows, class_="tt-failures"),
    )


def _plain(failure: str) -> Html:
    code, colon, sentence = failure.partition(": ")
    return joined(sentence, " ", tag("span", code, class_="tt-code")) if colon else joined(failure)


def heading(text: str, count: int | None = None) -> Html:
    """A section's heading, with how many things follow."""
    return tag("h2", text, " ", tag("span", str(count), class_="tt-count") if count is not None else "")


def _row(columns: Iterable[str], cells: dict[str, Html], happening: Happening, words: Words) -> Html:
    return tag(
        "tr",
        *(tag("td", cells[name], class_=f"tt-c-{name}", data_label=words[name]) for name in columns),
        tabindex="0",
        title=words["seek"],
        data_seek=happening.start_s,
        data_until=happening.end_s,
        class_="tt-row",
    )


def table(name: str, columns: Iterable[str], rows: Iterable[Html], words: Words) -> Html:
    """A table of rows that are made, its columns named by their words."""
    head = tag("tr", *(tag("th", words[column], scope="col", class_=f"tt-c-{column}") for column in columns))
    made = tag("table", tag("thead", head), tag("tbody", *rows), class_=f"tt-table {name}")
    return tag("div", made, class_="tt-scroll")
