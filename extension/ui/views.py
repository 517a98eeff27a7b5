"""The other parts of the page: header, upload form, progress, player, answers, downloads. Pure: wire values in, HTML out."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from extension.ui.markup import Html, joined, tag
from extension.ui.sayings import media_span, media_time
from extension.ui.tables import heading
from extension.ui.words import Words
from extension.wire import AboutOut, AnswerOut, Citation, EventOut, JobOut

# From the page's own address (/ui/), so that a path prefix in front of the service changes nothing.
_API = "../api/v1"
# Marks thinner than this share of the timeline cannot be hit.
_LEAST_MARK_PERCENT = 0.6


def header(about: AboutOut | None, words: Words) -> Html:
    """Title, what is connected, and a plain notice when the VLM is the reference program or the service is away."""
    title = tag("h1", words["title"])
    if about is None:
        return joined(title, tag("p", words["away"], class_="tt-notice tt-notice-bad", role="alert"))
    line = words["about"].format(
        vlm=about.vlm_model or words["no_vlm"],
        via=about.via_backend,
        receivers=", ".join(about.receivers) or words["no_receivers"],
        version=about.version,
    )
    notice = (
        tag("p", tag("b", words["reference"]), " ", about.vlm_note, class_="tt-notice")
        if about.vlm_note
        else Html("")
    )
    return joined(title, tag("p", line, class_="tt-about"), notice)


def upload_form(words: Words) -> Html:
    """The form that the browser itself sends to the API; page.js gives it its progress and its messages."""

    def field(label: str, control: Html, hint: str = "") -> Html:
        note = tag("small", hint) if hint else Html("")
        return tag("label", tag("span", label), control, note, class_="tt-field")

    def choice(name: str, *values: str) -> Html:
        return tag(
            "select", *(tag("option", words[f"{name}_{value}"], value=value) for value in values), name=name
        )

    video = tag("input", type="file", name="video", accept="video/*,.mkv,.avi,.ts")
    log = tag("input", type="file", name="trajectory", accept=".csv,.gz,.parquet,text/csv")
    speed = tag("input", type="number", name="speed", value="1", min="0.1", max="100", step="any")
    return tag(
        "form",
        field(words["video_file"], video, words["video_hint"]),
        field(words["log_file"], log),
        field(words["speed"], speed, words["speed_hint"]),
        field(words["prompt"], choice("prompt", "simple_view", "twin_view", "camera")),
        field(words["vlm"], choice("vlm", "all", "candidates", "off"), words["vlm_hint"]),
        field(words["level"], choice("level", "abstract", "simplified", "full"), words["level_hint"]),
        tag("button", words["analyse"], type="submit", class_="tt-primary"),
        tag("p", class_="tt-message", role="status"),
        class_="tt-upload",
        novalidate=True,
        action=f"{_API}/jobs",
        data_sending=words["sending"],
        data_checking=words["checking"],
        data_refused=words["refused"],
        data_cut=words["cut"],
        data_choose=words["choose"],
        data_accepted=words["accepted"],
    )


def progress(job: JobOut | None, words: Words) -> Html:
    """How far a job is: its state, a bar, the counts, and its error in full."""
    if job is None:
        return tag("p", words["no_jobs"], class_="tt-empty")
    percent = round(job.progress * 100)
    bar = tag(
        "div",
        tag("div", class_="tt-bar-fill", style=f"width:{percent}%"),
        class_="tt-bar",
        role="progressbar",
        aria_valuenow=percent,
        aria_valuemin="0",
        aria_valuemax="100",
        aria_label=words[job.status],
    )
    state = tag("span", words[job.status], class_=f"tt-status tt-status-{job.status}")
    line = tag("div", state, tag("span", _counts(job, words)), class_="tt-progress-line")
    error = tag("p", job.error, class_="tt-notice tt-notice-bad", role="alert") if job.error else Html("")
    return tag("div", line, bar, error, class_="tt-progress")


def _counts(job: JobOut, words: Words) -> Html:
    if job.chunk_count is None:
        return joined(words["waiting_text"] if job.status == "queued" else "")
    failed = f"{job.failed_chunks} {words['failed_n']}"
    facts: list[str | Html] = [
        f"{job.answered_chunks} {words['of']} {job.chunk_count} {words['answered_n']}",
        f"{job.judged_chunks} {words['judged_n']}",
        tag("b", failed, class_="tt-error") if job.failed_chunks else failed,
    ]
    if job.media_s is not None:
        facts.append(media_time(job.media_s))
    if job.model:
        facts.append(f"{words['by']} {job.model}")
    return joined(*facts[:1], *(part for fact in facts[1:] for part in (" · ", fact)))


def player(job: JobOut | None, words: Words) -> Html:
    """The video itself, served by the API with Range, so that seeking is exact."""
    if job is None:
        return Html("")
    video = tag(
        "video",
        src=f"{_API}/jobs/{quote(job.id, safe='')}/video",
        controls=True,
        playsinline=True,
        preload="metadata",
        aria_label=job.name,
    )
    return joined(video, tag("p", words["no_play"], class_="tt-notice tt-no-play", hidden=True))


def timeline(job: JobOut | None, events: Sequence[EventOut], words: Words) -> Html:
    """The events as marks on a line under the player."""
    if job is None or not job.media_s or not events:
        return Html("")
    marks = []
    for event in events:
        left = min(100.0, 100 * event.start_s / job.media_s)
        width = max(_LEAST_MARK_PERCENT, 100 * (event.end_s - event.start_s) / job.media_s)
        marks.append(
            tag(
                "span",
                class_=f"tt-mark tt-{event.severity}",
                style=f"left:{left:.2f}%;width:{min(width, 100 - left):.2f}%",
                data_seek=event.start_s,
                title=f"{media_time(event.start_s)} {words[event.kind]} {' '.join(event.objects)}",
            )
        )
    return tag("div", *marks, class_="tt-timeline", aria_hidden="true")


def answers(history: Sequence[tuple[str, AnswerOut]], words: Words) -> Html:
    """Questions with their answers, the newest first; citations seek the player."""
    return joined(*(_answer(question, answer, words) for question, answer in reversed(history)))


def _answer(question: str, answer: AnswerOut, words: Words) -> Html:
    author = (
        words["extractive"]
        if answer.written_by == "extractive"
        else words["written_by"].format(model=answer.written_by)
    )
    chips = [_chip(citation, words) for citation in answer.citations]
    sources = (
        tag("div", tag("span", words["sources"], class_="tt-sub"), *chips, class_="tt-chips")
        if chips
        else tag("p", words["no_sources"], class_="tt-sub")
    )
    return tag(
        "article",
        tag("p", question, class_="tt-question"),
        tag("p", answer.answer, class_="tt-answer-text"),
        sources,
        tag("p", author, class_="tt-sub"),
        class_="tt-answer",
    )


def _chip(citation: Citation, words: Words) -> Html:
    return tag(
        "button",
        tag("b", media_time(citation.start_s)),
        " ",
        words.get(citation.source, citation.source),
        class_="tt-chip",
        data_seek=citation.start_s,
        title=f"{media_span(citation.start_s, citation.end_s)} {citation.text}",
    )


def downloads(job: JobOut | None, names: Sequence[str], words: Words) -> Html:
    """Links to a job's output files; empty when there is none."""
    if job is None or not names:
        return Html("")
    folder = f"{_API}/jobs/{quote(job.id, safe='')}/outputs"
    links = [
        tag("a", name, href=f"{folder}/{quote(name, safe='')}", download=name, class_="tt-chip")
        for name in names
    ]
    return joined(heading(words["outputs"]), tag("div", *links, class_="tt-chips"))
