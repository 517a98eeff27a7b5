"""Why there was an alert, or none: the times that people write, and the words that answer them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.captions.second import Outcome
from extension.model import Check
from extension.pipeline.live.gate import Reason
from extension.ui.reasons import asked_at, explanation
from extension.ui.words import EN, KO, Words
from extension.wire import CaptionOut, IncidentOut
from tests.ui.camera_values import BEGIN, Reader, incident, look

LATEST = dt.datetime(2026, 5, 4, 10, 5, 30, tzinfo=dt.UTC)
AT = BEGIN + dt.timedelta(seconds=7)


def told(
    *looks: CaptionOut, incidents: tuple[IncidentOut, ...] = (), at: dt.datetime = AT, said: Words = EN
) -> str:
    """The explanation as a reader has it."""
    return Reader(explanation(at, looks, incidents, BEGIN, said)).text


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-05-04 10:00:00", "2026-05-04T10:00:00"),
        ("2026-05-04T10:00:00Z", "2026-05-04T10:00:00"),
        ("2026-05-04 19:00:00+09:00", "2026-05-04T10:00:00"),
        ("2026-05-04 10:00:00 UTC", "2026-05-04T10:00:00"),
        ("2026-05-04 10:00", "2026-05-04T10:00:00"),
        ("10:00:00", "2026-05-04T10:00:00"),
        (" 9:15 ", "2026-05-04T09:15:00"),
        ("09:15:02.5", "2026-05-04T09:15:02.500000"),
        ("10:06:00", "2026-05-04T10:06:00"),
        ("10:07:00", "2026-05-03T10:07:00"),
        ("23:59:59", "2026-05-03T23:59:59"),
    ],
)
def test_a_time_is_read_as_people_write_it(text: str, at: str) -> None:
    """UTC unless it says otherwise; without a day the latest there was."""
    assert asked_at(text, LATEST) == dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text", ["", "soon", "25:00", "10:61:00", "2026-13-01 10:00", "10", "1:2:3:4", "0001-01-01T00:00+14:00"]
)
def test_what_is_no_time_is_not_guessed_at(text: str) -> None:
    """The visitor is told how to write one."""
    assert asked_at(text, LATEST) is None


def test_a_time_alone_needs_a_day_from_somewhere() -> None:
    """A camera that never showed anything has none."""
    assert asked_at("10:00:00", None) is None
    assert asked_at("2026-05-04 10:00:00", None) == BEGIN


@given(st.text(max_size=60))
def test_nothing_that_is_written_breaks_it(text: str) -> None:
    """It is a time with its zone, or none."""
    at = asked_at(text, LATEST)
    assert at is None or at.utcoffset() == dt.timedelta(0)


@given(st.integers(0, 10**9))
def test_a_time_alone_is_never_much_later_than_the_last_picture(second: int) -> None:
    """At most a minute later, less than a day earlier."""
    latest_at = LATEST + dt.timedelta(seconds=second)
    at = asked_at("12:30:00", latest_at)
    assert at is not None
    assert dt.timedelta(days=-1) < at - latest_at <= dt.timedelta(minutes=1)


def test_calm_looks_make_no_alert() -> None:
    """Each with its wall-clock span, its verdict and its words."""
    text = told(look(0), look(1))
    assert text.startswith("No alert: every look that showed 2026-05-04 10:00:07 UTC found it safe.")
    assert "10:00:00\N{EN DASH}10:00:10 UTC safe shown to the VLM All is calm." in text
    assert "10:00:05\N{EN DASH}10:00:15 UTC" in text
    assert '{"status": "safe"}' in text


def test_an_incident_under_way_is_the_reason() -> None:
    """It is named with what became of looking twice; others are not."""
    text = told(look(0, status="danger"), incidents=(incident(0), incident(5, description="Later.")))
    assert text.startswith("There was an alert: at 2026-05-04 10:00:07 UTC an incident was under way.")
    assert "Incident danger fall · confirmed by a second look · A person falls." in text
    assert "Later." not in text


@pytest.mark.parametrize(
    ("second", "covered"), [(-2, False), (-1, True), (0, True), (8, True), (9, True), (10, False)]
)
def test_times_on_the_page_are_whole_seconds(second: float, *, covered: bool) -> None:
    """A time that was copied from the table lies in the incident that it came from."""
    at = BEGIN + dt.timedelta(seconds=second)
    assert ("There was an alert" in told(look(0), incidents=(incident(0),), at=at)) is covered


def test_no_window_means_that_nobody_looked() -> None:
    """Not that all was well."""
    assert told().startswith("No look covers 2026-05-04 10:00:07 UTC")
    assert "No alert" not in told()


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ("Shed: newer windows came before the VLM had time for it", EN["look_shed"]),
        ("NotCaptured: nothing was recorded in this window", EN["look_uncaptured"]),
        (
            "VlmGarbled: The answer is not a verdict.",
            "no usable answer: The answer is not a verdict. VlmGarbled",
        ),
        ("Timeout", "no usable answer: Timeout Timeout"),
    ],
)
def test_a_look_without_an_answer_is_never_calm(failure: str, said: str) -> None:
    """What it would have shown is not known, whatever its neighbour says."""
    text = told(look(0), look(1, failure=failure, status=None, summary=None, text=""))
    assert text.startswith("No alert, but not everything was judged")
    assert said in text


def gated(reason: str = "still") -> CaptionOut:
    """A window that the gate kept from the VLM."""
    stats = {"asked": False, "gate": {"mode": "on", "decision": "gated", "reason": reason}}
    return look(0, text="", summary="Nothing moves.", stats=stats)


def test_a_gated_look_is_not_called_safe_by_the_vlm() -> None:
    """It was not asked; the gate says why."""
    text = told(gated())
    assert text.startswith("No alert: nothing moved at 2026-05-04 10:00:07 UTC, so the VLM was not asked.")
    assert "not shown to the VLM nothing moved" in text
    assert "safe" not in text
    assert told(gated(), look(1)).startswith("No alert: every look")


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"mode": "on", "decision": "look", "reason": "motion"}, "shown, because something moved"),
        (
            {"mode": "shadow", "decision": "gated", "reason": "frozen"},
            "if the motion gate were on: the picture did not change",
        ),
        ({"mode": "on", "decision": "look", "reason": "tides"}, "shown, because tides"),
        ({"mode": "on"}, "shown, because"),
    ],
)
def test_the_gates_mind_is_told(gate: dict[str, Any], said: str) -> None:
    """Also in the shadow, and for a reason that the page has no word for."""
    assert said in told(look(0, stats={"gate": gate}))


@pytest.mark.parametrize("words", [EN, KO], ids=["en", "ko"])
def test_every_reason_and_outcome_has_its_word(words: Words) -> None:
    """What the pipeline may record can be told in both languages."""
    assert all(words[f"gate_{reason}"] for reason in Reason)
    assert all(words[f"second_{outcome}"] for outcome in Outcome)


def test_the_second_look_and_an_earlier_failure_are_told() -> None:
    """With the failure's sentence."""
    stats = {
        "second_look": {"outcome": "rejected"},
        "first_failure": {"code": "Unreachable", "message": "the VLM does not answer"},
    }
    text = told(look(0, stats=stats))
    assert "second look: rejected" in text
    assert "at first: the VLM does not answer" in text


def test_a_finding_without_an_incident_is_explained() -> None:
    """Too mild, withdrawn, or part of a neighbour."""
    text = told(look(0, status="warn"), incidents=(incident(9, check=Check.WITHDRAWN),))
    assert text.startswith("No incident covers 2026-05-04 10:00:07 UTC, though a look found something")


@pytest.mark.parametrize(
    "stats",
    [
        {"gate": "x"},
        {"second_look": []},
        {"first_failure": None},
        {"gate": {"reason": 3}},
        {"second_look": {"outcome": 3}},
    ],
)
def test_records_of_another_make_do_no_harm(stats: dict[str, Any]) -> None:
    """Stored answers may be older than the page."""
    assert told(look(0, stats=stats))


def test_without_a_beginning_times_are_media_times() -> None:
    """Better than a wrong clock."""
    text = Reader(explanation(AT, [look(0)], [], None, EN)).text
    assert "0:00.0\N{EN DASH}0:10.0" in text


def test_it_is_told_in_korean() -> None:
    """All of it."""
    assert told(look(0), said=KO).startswith("알림이 없었습니다. 2026-05-04 10:00:07 UTC 시점을 본")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_no_word_of_the_vlm_becomes_an_element(said: str) -> None:
    """Answers, summaries, failures, reasons."""

    def page(text: str) -> list[str]:
        stats = {
            "gate": {"reason": text},
            "second_look": {"outcome": text},
            "first_failure": {"message": text},
        }
        looks = [look(0, text=text, summary=text, stats=stats), look(1, failure=f"A: {text}", status=None)]
        html = explanation(AT, looks, [incident(0, description=text)], BEGIN, EN)
        return [tag for tag, _ in Reader(html).found]

    assert page(f"<script>x</script>{said}<img onerror='x'>") == page("calm")


def test_an_answer_of_any_length_is_shown_up_to_a_point() -> None:
    """A page, not a dump."""
    assert len(told(look(0, text="a" * 100_000))) < 5000
