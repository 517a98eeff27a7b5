"""Every chunk ends with a verdict or a named failure, whatever the via-server does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from extension.captions import prompts
from extension.chunks import plan
from extension.chunks.via_client import ViaClient
from extension.errors import ViaServerRefused
from extension.model import Caption
from extension.pipeline.asking import MISSING, UNAVAILABLE, Asker, Question, ViaFile
from extension.pipeline.patience import Patience, Stopped
from tests.pipeline.via_double import Answer, ViaDouble, captions

CHUNKS = plan.chunks(12.0, 2)
QUESTION = Question("double", prompts.load("replay"), 2, 20, 512, None)
DOWN = json.dumps({"error": {"code": "Unreachable", "message": "connection refused"}})


class FastClock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic_s(self) -> float:
        """Seconds waited so far."""
        self.now_s += 0.001
        return self.now_s

    def now(self) -> Any:
        """Not asked for here."""
        raise AssertionError

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.now_s += seconds


class Waiting(threading.Event):
    """A stop event on which waiting costs no time, but the clock's."""

    def __init__(self, clock: FastClock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        """Let the time pass."""
        self.clock.sleep(timeout or 0.0)
        return self.is_set()


def _ask(double: ViaDouble, patience_s: float = 60.0, *, stop: bool = False) -> Sequence[Caption]:
    clock = FastClock()
    event = Waiting(clock)
    if stop:
        event.set()
    via = ViaClient(double.url, timeout_s=5.0)
    file = ViaFile(via, lambda: via.add_path(Path("/videos/x.mp4")))
    try:
        return Asker(via, file, QUESTION, Patience(patience_s, clock, event), None).ask(CHUNKS)
    finally:
        file.forget()
        assert double.down or not double.files


def _codes(answers: Sequence[Caption]) -> list[str | None]:
    return [c.failure.code if c.failure else None for c in answers]


def test_a_healthy_server_is_asked_once() -> None:
    """One request for neighbouring chunks, with what the engine wants and no nulls; the file is deleted after it."""
    with ViaDouble() as double:
        answers = _ask(double)
    assert _codes(answers) == [None] * 6
    (query,) = double.queries
    assert query["media_info"] == {"type": "offset", "start_offset": 0, "end_offset": 12}
    assert (query["chunk_duration"], query["num_frames_per_chunk"], query["temperature"]) == (2, 20, 0)
    assert None not in query.values()
    assert answers[0].stats == {"input_tokens": 7, "prompt": QUESTION.prompt.id, "schema": 1}


def _fail_first(answer: Answer) -> Callable[[dict[str, Any], int], Answer | None]:
    return lambda _, number: answer if number == 1 else None


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(
            (500, {"code": "InternalServerError", "message": "Failed to generate VLM captions"}), id="500"
        ),
        pytest.param((503, {"code": "ServerBusy", "message": "busy"}), id="503"),
        pytest.param((502, "<html>bad gateway</html>"), id="a-proxy-answers"),
        pytest.param((200, "what?"), id="no-object"),
        pytest.param((200, b'{"id": "half'), id="half-an-answer"),
        pytest.param((200, {"chunk_responses": "none"}), id="no-list"),
        pytest.param((200, {"chunk_responses": [{"content": "x"}]}), id="no-times"),
        pytest.param((302, {}), id="redirect"),
    ],
)
def test_after_a_server_fault_the_file_is_added_anew_and_asked_again(first: Answer) -> None:
    """The engine may refuse a file for ever after one fault; a new one is clean."""
    with ViaDouble(_fail_first(first)) as double:
        answers = _ask(double)
    assert _codes(answers) == [None] * 6
    assert double.added == 2
    assert double.queries[0]["id"] != double.queries[1]["id"]


def test_chunks_that_the_engine_drops_are_asked_for_again_and_then_named() -> None:
    """200 with fewer chunks than asked for is how the engine loses frames."""

    def drop_second(query: dict[str, Any], number: int) -> Answer:
        del number
        page = captions(query)
        page["chunk_responses"] = [r for r in page["chunk_responses"] if r["start_time"] != "2.0"]
        return 200, page

    with ViaDouble(drop_second) as double:
        answers = _ask(double)
    assert _codes(answers) == [None, MISSING, None, None, None, None]
    assert len(double.queries) == 2
    assert double.queries[1]["media_info"] == {"type": "offset", "start_offset": 2, "end_offset": 4}


def test_a_garbled_answer_is_asked_for_once_more_and_then_recorded() -> None:
    """Garbled is counted, never read as calm; the other chunks are not asked again."""
    with ViaDouble(
        lambda q, _: (200, captions(q, lambda t: "no idea" if t == 4.0 else '{"status":"safe"}'))
    ) as double:
        answers = _ask(double)
    assert _codes(answers) == [None, None, "Garbled", None, None, None]
    assert [q["media_info"]["start_offset"] for q in double.queries] == [0, 4]
    assert answers[2].text == "no idea"
    assert "2 tries" in (answers[2].failure.message if answers[2].failure else "")


def test_a_vlm_that_comes_back_in_time_costs_nothing() -> None:
    """While the VLM is down the job waits; no chunk is lost."""
    with ViaDouble(lambda q, n: (200, captions(q, lambda _: DOWN)) if n < 5 else None) as double:
        answers = _ask(double)
    assert _codes(answers) == [None] * 6
    assert len(double.queries) == 5


def test_a_vlm_that_stays_away_fails_the_chunks_by_name() -> None:
    """Patience ends; what is left is a failure that says why."""
    with ViaDouble(lambda q, _: (200, captions(q, lambda _: DOWN))) as double:
        answers = _ask(double, patience_s=30.0)
    assert _codes(answers) == ["Unreachable"] * 6


def test_one_bad_chunk_does_not_take_the_others_along() -> None:
    """The engine fails a whole request for one chunk: asked one by one, the others survive."""

    def bad_at_six(query: dict[str, Any], _: int) -> Answer | None:
        span = query["media_info"]
        return (
            (500, {"code": "InternalServerError", "message": "x"})
            if span["start_offset"] <= 6 < span["end_offset"]
            else None
        )

    with ViaDouble(bad_at_six) as double:
        answers = _ask(double, patience_s=40.0)
    assert _codes(answers) == [None, None, None, UNAVAILABLE, None, None]


def test_a_server_that_forgot_the_file_gets_it_again() -> None:
    """A via-server that was started anew knows no files."""

    def forget(query: dict[str, Any], number: int) -> Answer | None:
        if number > 1:
            return None
        double.files.clear()
        return 400, {"code": "BadParameter", "message": f"No such resource {query['id']}"}

    with ViaDouble(forget) as double:
        assert _codes(_ask(double)) == [None] * 6
    assert double.added == 2


def test_a_refusal_is_the_jobs_own_fault() -> None:
    """Trying a refused request again would change nothing."""
    refusal = (422, {"code": "InvalidParameters", "message": "('body', 'prompt'): too long"})
    with ViaDouble(lambda *_: refusal) as double, pytest.raises(ViaServerRefused, match="too long"):
        _ask(double)
    assert len(double.queries) == 1


def test_a_server_that_is_gone_fails_the_chunks_by_name() -> None:
    """No via-server: every chunk says so, in bounded time."""
    with ViaDouble() as double:
        double.down = True
        answers = _ask(double, patience_s=20.0)
    assert set(_codes(answers)) == {UNAVAILABLE}


def test_a_service_that_stops_does_not_wait() -> None:
    """Nothing is recorded: the job goes on at the next start."""
    with ViaDouble() as double, pytest.raises(Stopped):
        _ask(double, stop=True)
    assert double.queries == []
