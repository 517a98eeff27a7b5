"""What the page is made of: HTML out of wire values, and nothing that a VLM wrote becomes markup."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.model import Delivery, DeliveryState, JobStatus, Severity
from extension.ui import sayings, tables, views
from extension.ui.markup import Html, joined, tag
from extension.ui.words import EN, KO
from extension.wire import (
    AboutOut,
    AnswerOut,
    CaptionOut,
    Citation,
    DeliveryOut,
    EventOut,
    IncidentOut,
    JobOut,
)
from tests.api import samples


class Reader(HTMLParser):
    """Reads HTML as a browser does: its elements, their attributes and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        self.attributes.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All text, pieces apart."""
        return " ".join(self.texts)


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)
JOB = JobOut.of(dataclasses.replace(samples.job(), answered_chunks=8, failed_chunks=2))


def event(**changes: object) -> EventOut:
    """An event on the wire."""
    return EventOut.of(samples.event(**changes))  # type: ignore[arg-type]  # tests change any field


def delivery(state: DeliveryState, receiver: str = "hook", error: str | None = None) -> DeliveryOut:
    """A delivery on the wire."""
    made: Delivery = samples.delivery(state=state, last_error=error, attempts=3)
    return DeliveryOut.of(
        dataclasses.replace(made, message=dataclasses.replace(made.message, receiver=receiver))
    )


@settings(deadline=None)
@given(ANY_TEXT, ANY_TEXT)
def test_text_stays_text_wherever_it_stands(inside: str, attribute: str) -> None:
    """Read back as a browser does, there is one element, with exactly that text and that attribute."""
    reader = Reader(tag("p", inside, title=attribute))
    assert reader.tags == ["p"]
    assert "".join(reader.texts) == inside
    assert reader.attributes == [{"title": attribute}]


def test_html_joins_unescaped_and_only_html() -> None:
    """What was made by `tag` is not escaped again."""
    assert joined(tag("b", "a<b"), "<i>") == "<b>a&lt;b</b>&lt;i&gt;"
    assert isinstance(joined(), Html)
    assert tag("input", hidden=True, name=None, aria_label="x") == '<input hidden aria-label="x"></input>'


@settings(deadline=None)
@given(ANY_TEXT)
def test_no_word_of_the_vlm_becomes_an_element(said: str) -> None:
    """Descriptions, objects, clocks, failures, answers and citations only ever add text."""
    calm, hostile = "x", f"<script>alert(1)</script>{said}<img onerror='x'>"

    def page(text: str) -> list[str]:
        happening = event(description=text, objects=(text, text), clock=text)
        incident = IncidentOut.of(samples.incident(description=text, objects=(text,), clock=text))
        caption = CaptionOut.of(samples.caption(1, failed=True)).model_copy(update={"failure": f"A: {text}"})
        citation = Citation(source=text, id=text, start_s=1, end_s=2, text=text)
        answer = AnswerOut(answer=text, citations=[citation], written_by=text)
        html = joined(
            tables.events_table(JOB, [happening], EN),
            tables.incidents_table([incident], [delivery(DeliveryState.FAILED, text, text)], EN),
            tables.failures_list([caption], EN),
            views.answers([(text, answer)], EN),
            views.downloads(JOB, [text], EN),
            views.timeline(JOB, [happening], EN),
            views.progress(JOB.model_copy(update={"error": text, "model": text}), EN),
            views.player(JOB.model_copy(update={"id": text, "name": text}), EN),
        )
        return Reader(html).tags

    assert page(hostile) == page(calm)


def test_a_row_of_the_event_table_says_everything_and_seeks() -> None:
    """Time, clock, kind, objects, severity, place, description; the row carries its second."""
    reader = Reader(tables.events_table(JOB, [event()], EN))
    for word in ("0:04.2", "00:00:12", "collision", "3 · 7", "danger", "3: (120.5, -42)", "3 and 7 touch"):
        assert word in reader.texts
    (row,) = [a for a in reader.attributes if "data-seek" in a]
    assert (row["data-seek"], row["data-until"], row["tabindex"]) == ("4.2", "5.7", "0")


def test_columns_that_no_event_fills_are_left_out() -> None:
    """A camera has no clock in the picture and no trajectory."""
    plain = [event(clock=None, positions=())]
    assert "Clock" not in Reader(tables.events_table(JOB, plain, EN)).texts
    assert "Place (x, z)" not in Reader(tables.events_table(JOB, plain, EN)).texts
    assert "위치 (x, z)" in Reader(tables.events_table(JOB, [event()], KO)).texts


@pytest.mark.parametrize(
    ("status", "failed", "key"),
    [
        (JobStatus.RUNNING, 0, "events_none_yet"),
        (JobStatus.DONE, 0, "events_none"),
        (JobStatus.DONE, 2, "events_none_failed"),
        (JobStatus.FAILED, 0, "events_none_failed"),
    ],
)
def test_an_empty_table_never_hides_what_could_not_be_judged(
    status: JobStatus, failed: int, key: str
) -> None:
    """That there was none is said only when every chunk was judged."""
    job = JOB.model_copy(update={"status": status, "failed_chunks": failed})
    assert Reader(tables.events_table(job, [], EN)).texts == [EN[key]]


def test_incidents_show_their_phase_and_their_alerts() -> None:
    """Deliveries are counted by receiver and state; a failure shows its error and attempts."""
    incident = IncidentOut.of(samples.incident(start_at=samples.BEGIN))
    own = [
        delivery(DeliveryState.SENT),
        delivery(DeliveryState.SENT),
        delivery(DeliveryState.FAILED, "phone", "410 Gone"),
        delivery(DeliveryState.PENDING, "mail"),
    ]
    texts = Reader(tables.incidents_table([incident], own, EN)).texts
    for text in (
        "hook: sent \N{MULTIPLICATION SIGN}2",
        "phone: given up",
        "410 Gone (attempts: 3)",
        "mail: waiting",
        "open",
    ):
        assert text in texts
    assert "2026-05-04 01:02:03 UTC" in texts


def test_alerts_of_other_incidents_stay_with_theirs() -> None:
    """An incident without deliveries says so."""
    incident = IncidentOut.of(samples.incident(index=7))
    assert (
        EN["alerts_none"]
        in Reader(tables.incidents_table([incident], [delivery(DeliveryState.SENT)], EN)).texts
    )


def test_failed_chunks_are_told_in_plain_words() -> None:
    """The span, the sentence, then the code; and that nothing is known about them."""
    text = Reader(tables.failures_list([CaptionOut.of(samples.caption(3, failed=True))], EN)).text
    assert "0:06.0\N{EN DASH}0:08.0" in text
    assert "The answer is not a verdict." in text
    assert EN["failures_text"] in text
    assert tables.failures_list([], EN) == ""


def test_the_header_says_what_is_connected() -> None:
    """And plainly when the VLM is the reference program, or nothing answers."""
    about = AboutOut(version="1", via_backend="http://via", vlm_model=None, vlm_note=None, receivers=[])
    text = Reader(views.header(about, EN)).text
    assert EN["no_vlm"] in text
    assert EN["no_receivers"] in text
    assert EN["reference"] not in text
    noted = about.model_copy(update={"vlm_note": "It is no language model."})
    assert "It is no language model." in Reader(views.header(noted, KO)).text
    assert EN["away"] in Reader(views.header(None, EN)).text


def test_progress_counts_answered_judged_and_failed() -> None:
    """With a bar that assistive technology can read."""
    running = JOB.model_copy(update={"status": JobStatus.RUNNING, "judged_chunks": 5, "progress": 0.5})
    reader = Reader(views.progress(running, EN))
    assert "8 of 10 chunks answered · 5 judged · 2 failed · 0:20.0 · by test-model" in "".join(reader.texts)
    (bar,) = [a for a in reader.attributes if a.get("role") == "progressbar"]
    assert bar["aria-valuenow"] == "50"


def test_a_job_that_waits_or_failed_says_so() -> None:
    """No counts before the plan is made; the error in full."""
    waiting = JOB.model_copy(update={"status": JobStatus.QUEUED, "chunk_count": None})
    assert EN["waiting_text"] in Reader(views.progress(waiting, EN)).texts
    failed = JOB.model_copy(update={"status": JobStatus.FAILED, "error": "yard.mp4: cut short"})
    assert "yard.mp4: cut short" in Reader(views.progress(failed, EN)).texts
    assert EN["no_jobs"] in Reader(views.progress(None, EN)).texts


def test_marks_lie_where_events_are() -> None:
    """In percent of the video, never beyond its end, never too thin to hit."""
    events = [event(start_s=5.0), event(start_s=19.9), event(start_s=0.0, severity=Severity.EXTREME)]
    styles = [a["style"] for a in Reader(views.timeline(JOB, events, EN)).attributes if "data-seek" in a]
    assert styles == ["left:25.00%;width:7.50%", "left:99.50%;width:0.50%", "left:0.00%;width:7.50%"]
    assert views.timeline(JOB.model_copy(update={"media_s": None}), events, EN) == ""


def test_answers_name_their_author_and_come_newest_first() -> None:
    """Citations are chips that seek; an answer without any says that too."""
    cited = AnswerOut(
        answer="At 0:04.",
        citations=[Citation(source="event", id="e", start_s=4.2, end_s=5.7, text="3 and 7 touch")],
        written_by="extractive",
    )
    bare = AnswerOut(answer="Nothing.", citations=[], written_by="gpt")
    reader = Reader(views.answers([("When?", cited), ("Who?", bare)], EN))
    assert reader.text.index("Who?") < reader.text.index("When?")
    assert EN["extractive"] in reader.texts
    assert "written by gpt" in reader.texts
    assert EN["no_sources"] in reader.texts
    assert [a["data-seek"] for a in reader.attributes if "data-seek" in a] == ["4.2"]


def test_links_are_quoted() -> None:
    """Ids and names of files become parts of an address, whatever they hold."""
    job = JOB.model_copy(update={"id": "a/b?c"})
    (link,) = [a["href"] for a in Reader(views.downloads(job, ["x#y.json"], EN)).attributes if "href" in a]
    assert link == "../api/v1/jobs/a%2Fb%3Fc/outputs/x%23y.json"
    assert views.downloads(job, [], EN) == ""


@settings(deadline=None)
@given(st.floats(0, 400_000))
def test_a_media_time_reads_back_to_the_tenth(seconds: float) -> None:
    """No minute ever has sixty seconds."""
    parts = [float(part) for part in sayings.media_time(seconds).split(":")]
    total = 0.0
    for part in parts:
        total = total * 60 + part
    assert abs(total - seconds) <= 0.051
    assert all(part < 60 for part in parts[1:])


def test_every_class_of_the_style_sheet_is_used() -> None:
    """A rule that nothing matches is a leftover."""
    folder = Path(views.__file__).parent
    used = "".join(path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in {".py", ".js"})
    rules = set(re.findall(r"\.(tt-[a-z-]+)", (folder / "assets" / "page.css").read_text("utf-8")))
    made = {f"tt-{word}" for word in ("safe", "warn", "danger", "extreme", "open", "resolved")}
    made |= {f"tt-alert-{s}" for s in DeliveryState} | {f"tt-status-{s}" for s in JobStatus}
    made |= {f"tt-c-{c}" for c in ("clock", "what", "place", "description", "when", "alerts")}
    assert {rule for rule in rules if rule not in used} <= made
