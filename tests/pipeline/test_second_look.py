"""What is grave is looked at again before it is told: around its onset, once, and open to failure."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extension.captions import prompts
from extension.captions.prompts import Prompt
from extension.captions.second import Outcome
from extension.captions.second_record import read, without_second_look
from extension.chunks.via_client import ViaClient
from extension.clock import SystemClock
from extension.model import Caption, Check, Chunk, Failure, Severity, Span
from extension.pipeline.asking import Asker, Question, ViaFile
from extension.pipeline.patience import Patience, Stopped
from extension.pipeline.second_look import SecondLook
from tests.pipeline.twice import calm, claims_of, saying, script, seconds
from tests.pipeline.via_double import ViaDouble

QUESTION = Question("double", prompts.load("camera"), 10, 50, 512, (640, 352))
CHUNK = Chunk(2, Span(20.0, 30.0))


class Booth:
    """A source of 60 s at a via-server that sees a fall at 23 s."""

    def __init__(self, double: ViaDouble) -> None:
        self.double = double
        self.via = ViaClient(double.url, timeout_s=5.0)
        self.stop = threading.Event()
        self.patience = Patience(0.2, SystemClock(), self.stop)
        self.file = ViaFile(self.via, lambda: self.via.add_path(Path("/media/yard.mp4")))

    def asked(self, question: Question = QUESTION) -> Caption:
        """The answer for one chunk, after a second look."""
        asker = Asker(self.via, self.file, question, self.patience, None)
        twice = SecondLook(self.via, self.file, question, self.patience, 60.0, SystemClock())
        (caption,) = twice.after(asker.ask)([CHUNK])
        return caption


@pytest.fixture
def booth() -> Iterator[Booth]:
    """The first look says fall, the second as well, half a second later."""
    with ViaDouble(script(lambda _s: saying(3.0, 5.0), lambda _q: saying(4.5, 6.0))) as double:
        yield Booth(double)


def _outcome(caption: Caption) -> Outcome:
    record = read(caption)
    assert record is not None
    return record.outcome


def test_a_fall_is_looked_at_again_around_its_onset(booth: Booth) -> None:
    """Four seconds before to six after, eighty frames, with the claim to check in the time of what is shown."""
    caption = booth.asked()
    (query,) = seconds(booth.double)
    assert query["media_info"] == {"type": "offset", "start_offset": 19, "end_offset": 29}
    assert (query["chunk_duration"], query["num_frames_per_chunk"]) == (10, 80)
    assert (query["vlm_input_width"], query["vlm_input_height"]) == (640, 352)
    assert query["system_prompt"].startswith(QUESTION.prompt.system)
    (claim,) = claims_of(query)
    assert (claim["kind"], claim["start_s"], claim["end_s"]) == ("fall", 4.0, 6.0)
    assert caption.verdict is not None
    (stands,) = caption.verdict.claims
    assert (stands.span, stands.check) == (Span(23.5, 25.0), Check.CONFIRMED)
    assert _outcome(caption) is Outcome.CONFIRMED


def test_both_answers_and_their_cost_are_kept(booth: Booth) -> None:
    """The first text as it came; the second with its prompt and what the override reported."""
    caption = booth.asked()
    assert caption.text == saying(3.0, 5.0)
    record = read(caption)
    assert record is not None
    (look,) = record.looks
    assert (look.text, look.prompt.id) == (saying(4.5, 6.0), "second_look.v1")
    assert look.stats["input_tokens"] == 7
    assert 0 <= look.took_ms < 5000
    before = without_second_look(caption)
    assert before.verdict is not None
    assert [c.span for c in before.verdict.claims] == [Span(23.0, 25.0)]
    assert caption.stats["prompt"] == QUESTION.prompt.id


def test_calm_on_a_second_look_takes_a_claim_back(booth: Booth) -> None:
    """Nobody is told of it; what was claimed is on record."""
    booth.double.script = script(lambda _s: saying(3.0, 5.0), calm)
    caption = booth.asked()
    assert caption.verdict is not None
    assert (caption.verdict.status, caption.verdict.claims) == (Severity.SAFE, ())
    assert _outcome(caption) is Outcome.REJECTED


@pytest.mark.parametrize(
    "first", [calm, lambda _s: saying(3.0, 5.0, severity="warn"), lambda _s: "gibberish"]
)
def test_nobody_looks_twice_at_what_is_not_grave(booth: Booth, first: Any) -> None:
    """Calm, a warning, and an answer that cannot be read cost no second question."""
    booth.double.script = script(first, calm)
    caption = booth.asked()
    assert seconds(booth.double) == []
    assert read(caption) is None


@pytest.mark.parametrize(
    ("second", "code"),
    [
        pytest.param(lambda _q: "no accident, I think", "Garbled", id="garbled"),
        pytest.param(
            lambda _q: '{"error": {"code": "Timeout", "message": "no answer within 60 s"}}',
            "Timeout",
            id="vlm-timeout",
        ),
        pytest.param(
            lambda _q: (500, {"code": "InternalServerError", "message": "broken"}),
            "ViaServerUnavailable",
            id="engine-fails",
        ),
        pytest.param(
            lambda _q: (400, {"code": "BadParameters", "message": "prompt is too long"}),
            "ViaServerRefused",
            id="refused",
        ),
        pytest.param(lambda _q: (200, {"chunk_responses": []}), "MissingChunk", id="no-chunk"),
        pytest.param(lambda _q: (200, b'{"chunk_resp'), "ViaServerUnavailable", id="half-an-answer"),
    ],
)
def test_without_a_second_answer_the_claim_stands_unverified(booth: Booth, second: Any, code: str) -> None:
    """Whatever goes wrong, the alert goes out, and says that nobody looked again."""
    booth.double.script = script(lambda _s: saying(3.0, 5.0), second)
    caption = booth.asked()
    assert caption.verdict is not None
    (claim,) = caption.verdict.claims
    assert (claim.span, claim.severity, claim.check) == (
        Span(23.0, 25.0),
        Severity.DANGER,
        Check.UNVERIFIED,
    )
    record = read(caption)
    assert record is not None
    assert record.looks[0].failure is not None
    assert record.looks[0].failure.code == code


def test_a_second_look_waits_no_longer_than_it_may(booth: Booth) -> None:
    """A VLM that hangs delays an alert by a bounded time."""
    hang = threading.Event()

    def late(_query: dict[str, Any]) -> str:
        hang.wait(20.0)
        return calm(0.0)

    booth.double.script = script(lambda _s: saying(3.0, 5.0), late)
    quick = booth.via.within(0.2)
    asker = Asker(booth.via, booth.file, QUESTION, booth.patience, None)
    clock = SystemClock()
    began_s = clock.monotonic_s()
    twice = SecondLook(quick, booth.file, QUESTION, booth.patience, 60.0, clock)
    (caption,) = twice.after(asker.ask)([CHUNK])
    took_s = clock.monotonic_s() - began_s
    hang.set()
    assert took_s < 5.0
    assert _outcome(caption) is Outcome.UNVERIFIED


def test_a_client_within_a_time_is_never_more_patient(booth: Booth) -> None:
    """What the whole service waits at most still holds."""
    assert vars(booth.via.within(900.0))["_timeout_s"] == 5.0
    assert vars(booth.via.within(2.0))["_timeout_s"] == 2.0


def test_a_service_that_stops_meanwhile_says_so(booth: Booth) -> None:
    """The chunk is asked about again at the next start; nothing half is stored."""

    def stopping(_query: dict[str, Any]) -> str:
        booth.stop.set()
        return "gibberish"

    booth.double.script = script(lambda _s: saying(3.0, 5.0), stopping)
    with pytest.raises(Stopped):
        booth.asked()


def test_accidents_far_apart_are_looked_at_apart(booth: Booth) -> None:
    """Each around its own onset, within the source."""
    events = [json.loads(saying(start_s, start_s + 1))["events"][0] for start_s in (1.0, 38.0)]
    first = json.dumps({"status": "danger", "events": events})
    long = replace(QUESTION, chunk_s=40)
    booth.double.script = script(lambda _s: first, calm)
    asker = Asker(booth.via, booth.file, long, booth.patience, None)
    twice = SecondLook(booth.via, booth.file, long, booth.patience, 60.0, SystemClock())
    (caption,) = twice.after(asker.ask)([Chunk(0, Span(20.0, 60.0))])
    spans = [(q["media_info"]["start_offset"], q["media_info"]["end_offset"]) for q in seconds(booth.double)]
    assert spans == [(17, 27), (50, 60)]
    assert _outcome(caption) is Outcome.REJECTED


def test_what_is_known_of_the_camera_is_told_again(booth: Booth) -> None:
    """An intrusion is one only to who knows the zone."""
    plain = QUESTION.prompt
    booth.asked(replace(QUESTION, prompt=replace(plain, user=f"{plain.user}\n\nZone A: no entry")))
    (query,) = seconds(booth.double)
    assert "Zone A: no entry" in query["prompt"]


@pytest.mark.parametrize("prompt", [prompts.load("simple_view"), Prompt("own.v1", "system", "user")])
def test_prompts_without_a_second_one_are_not_checked(booth: Booth, prompt: Prompt) -> None:
    """Replays have their log."""
    caption = booth.asked(replace(QUESTION, prompt=prompt))
    assert seconds(booth.double) == []
    assert read(caption) is None


def test_a_failed_first_look_has_nothing_to_check(booth: Booth) -> None:
    """It stays a failure by its own name."""
    twice = SecondLook(booth.via, booth.file, QUESTION, booth.patience, 60.0, SystemClock())
    failed = Caption(CHUNK, "", None, Failure("Timeout", "no answer"))
    assert twice.checked(failed) is failed
    assert booth.double.queries == []
