"""What the VLM is told with a window: the place as it is said to be now, and the last answers in their order."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.captions import prompts
from extension.captions.brief import Earlier
from extension.clock import SystemClock
from extension.errors import BadInput
from extension.model import (
    Brief,
    Caption,
    Chunk,
    Claim,
    Failure,
    Job,
    JobOptions,
    JobStatus,
    Kind,
    Severity,
    Span,
    Verdict,
    Zone,
)
from extension.pipeline.live.briefing import Recent, no_brief, noted, prompt_for, recalled
from extension.pipeline.live.lane import Spec, open_lane
from extension.store import Store

EPOCH = dt.datetime(2026, 5, 4, 10, tzinfo=dt.UTC)
PLACE = Brief("Steam from press 3.", (Zone("Press 3", "no entry", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))),))


def answer(number: int, summary: str = "", *, severity: Severity = Severity.SAFE, **stats: object) -> Caption:
    """The answer for a window; one begins every five seconds."""
    verdict = Verdict(severity, (), summary or f"Answer {number}.")
    chunk = Chunk(number, Span(5.0 * number, 5.0 * number + 10.0))
    return Caption(chunk, "{}", verdict, None, {"prompt": "camera.v2", **stats})


def failure(number: int, **stats: object) -> Caption:
    """A window without an answer."""
    chunk = Chunk(number, Span(5.0 * number, 5.0 * number + 10.0))
    return Caption(chunk, "", None, Failure("Garbled", "no verdict"), dict(stats))


def texts(recent: Recent, number: int) -> list[str]:
    """The context of a window."""
    return [earlier.text for earlier in recent.before(5.0 * number)]


def test_the_last_answers_are_context_for_the_next() -> None:
    """With how long before it their windows began."""
    recent = Recent(2, [answer(number) for number in range(5)])
    assert recent.before(25.0) == (Earlier(10.0, "safe: Answer 3."), Earlier(5.0, "safe: Answer 4."))


def test_the_first_window_has_no_context() -> None:
    """And a camera that wants none has none."""
    assert Recent(2).before(0.0) == ()
    assert texts(Recent(0, [answer(1)]), 2) == []


def test_windows_that_nobody_looked_at_tell_nothing() -> None:
    """Neither failed ones, nor those that the gate held back, nor answers without a word."""
    silent = Caption(Chunk(3, Span(15.0, 25.0)), "{}", Verdict(Severity.SAFE, (), " "), None)
    recent = Recent(5, [answer(0), failure(1), answer(2, asked=False), silent])
    assert texts(recent, 4) == ["safe: Answer 0."]


def test_an_answer_without_a_summary_is_told_by_its_first_description() -> None:
    """With its severity."""
    claim = Claim(Kind.FALL, Span(1.0, 2.0), Severity.DANGER, description="A person falls.")
    caption = Caption(
        Chunk(0, Span(0.0, 10.0)), "{}", Verdict(Severity.DANGER, (Claim(Kind.FIRE, Span(0, 1), Severity.WARN), claim), ""), None
    )  # fmt: skip
    assert texts(Recent(1, [caption]), 1) == ["danger: A person falls."]


def test_a_later_answer_for_the_same_window_takes_its_place() -> None:
    """A window that was looked at again, after the VLM came back, stays where it was."""
    recent = Recent(3, [answer(0), answer(2), answer(4)])
    recent.note(answer(2, "Seen anew."))
    assert texts(recent, 5) == ["safe: Answer 0.", "safe: Seen anew.", "safe: Answer 4."]


def test_an_answer_that_comes_late_is_not_taken_for_the_newest() -> None:
    """Order is that of the windows."""
    recent = Recent(2, [answer(4), answer(5)])
    recent.note(answer(1))
    assert texts(recent, 6) == ["safe: Answer 4.", "safe: Answer 5."]
    assert texts(recent, 5) == ["safe: Answer 4."], "a window is not told what came after it"


@given(numbers=st.permutations(range(12)), most=st.integers(0, 5))
def test_whatever_order_answers_come_in_the_newest_stay(numbers: list[int], most: int) -> None:
    """Never more than wanted."""
    recent = Recent(most, [answer(number) for number in numbers])
    assert texts(recent, 99) == [f"safe: Answer {n}." for n in range(12)][12 - most :]


class _Still(SystemClock):
    def now(self) -> dt.datetime:
        return EPOCH


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store.open(f"sqlite:///{tmp_path / 'test.db'}", _Still())
    yield opened
    opened.close()


def watched(store: Store, judged: int) -> Job:
    """A camera's job with so many answers, judged as they came."""
    store.add_job(
        Job("job", "gate", "", None, JobOptions(prompt="camera", start_at=EPOCH), JobStatus.LIVE, EPOCH)
    )
    store.save_captions("job", [answer(number) for number in range(judged)])
    store.commit_judgement("job", judged_chunks=judged, events=(), incidents=(), messages=())
    return store.job("job")


def test_after_a_restart_the_context_comes_from_the_store(store: Store) -> None:
    """As if nothing had been."""
    job = watched(store, 300)
    assert texts(recalled(job, store, 5.0, 2), 300) == ["safe: Answer 298.", "safe: Answer 299."]
    assert texts(recalled(job, store, 5.0, 0), 300) == []


def test_a_camera_watched_for_the_first_time_recalls_nothing(store: Store) -> None:
    """There is nothing."""
    assert texts(recalled(watched(store, 0), store, 5.0, 2), 1) == []


def test_a_lane_that_opens_again_goes_on_with_its_context(store: Store) -> None:
    """As many answers as its camera wants."""
    spec = Spec("gate", prompt="camera_ko", context_answers=3)
    first = open_lane(spec, store, lambda _announcement, _job: [], _Still(), dt.UTC)
    assert texts(first.recent, 1) == []
    store.save_captions(first.job_id, [answer(number) for number in range(4)])
    store.commit_judgement(first.job_id, judged_chunks=4, events=(), incidents=(), messages=())
    again = open_lane(spec, store, lambda _announcement, _job: [], _Still(), dt.UTC)
    assert texts(again.recent, 4) == ["safe: Answer 1.", "safe: Answer 2.", "safe: Answer 3."]


def test_what_was_added_is_what_follows_the_prompt() -> None:
    """So that what was sent can be had again from the prompt's file and the text."""
    prompt, text = prompt_for("camera", PLACE, (Earlier(5.0, "safe: Calm."),))
    constant = prompts.load("camera")
    assert prompt.user == f"{constant.user}\n\n{text}"
    assert "Press 3" in text
    assert "safe: Calm." in text
    assert prompt_for("camera", no_brief("gate"), ()) == (constant, "")


def test_a_prompt_that_is_not_there_is_an_error_by_name() -> None:
    """The window fails with it."""
    with pytest.raises(BadInput, match="no prompt is called 'cameras'"):
        prompt_for("cameras", PLACE, ())


@pytest.mark.parametrize("severity", [Severity.WARN, Severity.DANGER, Severity.EXTREME])
def test_an_answer_that_something_may_rest_on_keeps_what_was_said(severity: Severity) -> None:
    """Its hash and its text, beside what else is known of it."""
    stats = noted(answer(0, severity=severity, latency_ms=5), "Zünde 구역").stats
    assert stats["brief_text"] == "Zünde 구역"
    assert stats["brief"] == hashlib.sha256("Zünde 구역".encode()).hexdigest()
    assert (stats["prompt"], stats["latency_ms"]) == ("camera.v2", 5)


def test_a_calm_answer_keeps_the_hash_alone() -> None:
    """There are seventeen thousand a day."""
    stats = noted(answer(0), "Zones").stats
    assert stats["brief"] == hashlib.sha256(b"Zones").hexdigest()
    assert "brief_text" not in stats


def test_an_answer_that_cannot_be_read_keeps_what_was_said() -> None:
    """It was asked, and may be looked into."""
    assert noted(failure(0, prompt="camera.v2"), "Zones").stats["brief_text"] == "Zones"


def test_what_was_never_sent_is_not_kept() -> None:
    """A VLM that is away heard nothing; and where nothing was added there is nothing to keep."""
    assert noted(failure(0), "Zones") == failure(0)
    assert noted(answer(0), "") == answer(0)
