"""Who looks: the via-server is asked as it counts, second looks are its too, and what is known is not asked again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extension.chunks.via_client import ViaClient
from extension.clock import SystemClock
from extension.errors import BadInput
from extension.model import Check, Chunk, Kind, Span
from extension.pipeline.backtest.eyes import Memory, ViaEyes, Wording, wording
from extension.pipeline.backtest.footage import Reel
from extension.pipeline.patience import Patience
from tests.pipeline.backtest.samples import ScriptedEyes, caption, claim
from tests.pipeline.via_double import SAFE, Answer, ViaDouble, captions

FALL = json.dumps(
    {
        "status": "danger",
        "events": [
            {"kind": "fall", "start_s": 4.0, "end_s": 5.0, "severity": "danger", "objects": ["person"]}
        ],
        "summary": "",
    }
)
CAMERA = wording("camera", "en", 40)


@pytest.fixture
def reel(tmp_path: Path) -> Reel:
    """A file of 30 s."""
    path = tmp_path / "yard.mp4"
    path.write_bytes(b"film")
    return Reel("yard", path, 0.0, 30.0, Span(0.0, 30.0), passing=False)


@pytest.fixture
def via() -> Iterator[ViaDouble]:
    """A via-server that sees a fall in the windows from 10 s on, second looks included."""

    def script(query: dict[str, Any], _: int) -> Answer:
        sees = query["media_info"]["start_offset"] >= 10
        return 200, captions(query, lambda _s: FALL if sees else SAFE)

    with ViaDouble(script) as double:
        yield double


def eyes_on(double: ViaDouble, patience_s: float = 1.0) -> ViaEyes:
    """Eyes that ask the double."""
    patience = Patience(patience_s, SystemClock(), threading.Event())
    return ViaEyes(
        ViaClient(double.url, timeout_s=5.0), "double", 512, patience, SystemClock(), zero_copy=True
    )


def test_a_window_is_asked_about_as_a_part_of_the_file(via: ViaDouble, reel: Reel) -> None:
    """In whole seconds, as one chunk, with the frames that the rules want."""
    told = eyes_on(via).first(reel, Chunk(2, Span(10.0, 20.0)), wording("camera", "en", 24))
    (query,) = via.queries
    assert query["media_info"] == {"type": "offset", "start_offset": 10, "end_offset": 20}
    assert (query["chunk_duration"], query["num_frames_per_chunk"], query["max_tokens"]) == (10, 24, 512)
    assert told.verdict is not None
    assert [(c.kind, c.span) for c in told.verdict.claims] == [(Kind.FALL, Span(14.0, 15.0))]


def test_the_last_window_is_cut_at_the_end_of_the_file(via: ViaDouble, reel: Reel) -> None:
    """One chunk all the same."""
    told = eyes_on(via).first(reel, Chunk(5, Span(25.0, 29.4)), CAMERA)
    assert via.queries[0]["media_info"]["end_offset"] == 30
    assert via.queries[0]["chunk_duration"] == 5
    assert told.verdict is not None


def test_a_file_is_added_once_and_deleted_at_the_end(via: ViaDouble, reel: Reel) -> None:
    """Whatever is asked about it."""
    eyes = eyes_on(via)
    for start_s in (0.0, 5.0, 10.0):
        eyes.first(reel, Chunk(0, Span(start_s, start_s + 10)), CAMERA)
    assert via.added == 1
    eyes.forget_all()
    assert not via.files


def test_a_file_that_passes_is_deleted_at_once(via: ViaDouble, reel: Reel) -> None:
    """And added anew when it comes again; to forget what is not there does nothing."""
    eyes = eyes_on(via)
    eyes.first(reel, Chunk(0, Span(0.0, 10.0)), CAMERA)
    eyes.forget(reel)
    assert not via.files
    eyes.forget(reel)
    eyes.first(reel, Chunk(0, Span(0.0, 10.0)), CAMERA)
    assert via.added == 2


def test_a_verdict_of_danger_is_looked_at_again(via: ViaDouble, reel: Reel) -> None:
    """On denser frames around its onset, of the same file."""
    eyes = eyes_on(via)
    first = eyes.first(reel, Chunk(2, Span(10.0, 20.0)), CAMERA)
    after = eyes.second(reel, first, CAMERA)
    assert len(via.queries) == 2
    assert via.queries[1]["num_frames_per_chunk"] > via.queries[0]["num_frames_per_chunk"]
    assert via.queries[1]["media_info"]["start_offset"] == 10
    assert after.verdict is not None
    assert [c.check for c in after.verdict.claims] == [Check.CONFIRMED]
    assert via.added == 1


def test_a_calm_answer_is_not_looked_at_again(via: ViaDouble, reel: Reel) -> None:
    """Nothing is to be checked."""
    eyes = eyes_on(via)
    first = eyes.first(reel, Chunk(0, Span(0.0, 10.0)), CAMERA)
    assert eyes.second(reel, first, CAMERA) == first
    assert len(via.queries) == 1


def test_a_neighbour_that_is_away_is_a_failure_by_name(via: ViaDouble, reel: Reel) -> None:
    """Not an exception, and not calm."""
    via.down = True
    told = eyes_on(via, patience_s=0.0).first(reel, Chunk(0, Span(0.0, 10.0)), CAMERA)
    assert told.failure is not None
    assert told.failure.code == "ViaServerUnavailable"


def test_a_refusal_is_a_failure_by_name(reel: Reel) -> None:
    """The request is at fault: nobody tries for ever."""
    refusal = (400, {"code": "BadParameters", "message": "prompt too long"})
    with ViaDouble(lambda _query, _number: refusal) as double:
        told = eyes_on(double).first(reel, Chunk(0, Span(0.0, 10.0)), CAMERA)
    assert told.failure is not None
    assert told.failure.code == "ViaServerRefused"
    assert "prompt too long" in told.failure.message


def test_a_wording_names_prompt_language_and_frames() -> None:
    """Wrong names are refused."""
    assert wording("camera", "ko", 20).prompt.language == "ko"
    with pytest.raises(BadInput, match="no prompt is called"):
        wording("nothing", "en", 20)
    with pytest.raises(BadInput, match="does not exist in the language"):
        wording("simple_view", "ko", 20)


def chunk(number: int = 0, start_s: float = 0.0) -> Chunk:
    """A window."""
    return Chunk(number, Span(start_s, start_s + 10))


def test_what_was_asked_is_remembered(reel: Reel) -> None:
    """By file, span and wording; the window's number does not matter."""
    eyes = ScriptedEyes([claim(2.0, 3.0)])
    memory = Memory(eyes)
    one = memory.first(reel, chunk(), CAMERA)
    other = memory.first(reel, chunk(7), CAMERA)
    assert (one.verdict, other.verdict) == (one.verdict, one.verdict)
    assert (one.chunk.index, other.chunk.index) == (0, 7)
    assert (len(eyes.asked), memory.asked, memory.spared) == (1, 1, 1)


@pytest.mark.parametrize(
    ("start_s", "asked", "name"),
    [
        pytest.param(5.0, CAMERA, "yard", id="another-span"),
        pytest.param(0.0, Wording(CAMERA.prompt, 20), "yard", id="other-frames"),
        pytest.param(0.0, wording("camera", "ko", 40), "yard", id="another-prompt"),
        pytest.param(0.0, CAMERA, "gate", id="another-file"),
    ],
)
def test_another_question_is_asked(reel: Reel, start_s: float, asked: Wording, name: str) -> None:
    """Nothing is taken for something else."""
    eyes = ScriptedEyes()
    memory = Memory(eyes)
    memory.first(reel, chunk(), CAMERA)
    memory.first(Reel(name, reel.path, 0.0, 30.0, reel.part, passing=False), chunk(start_s=start_s), asked)
    assert len(eyes.asked) == 2


def test_a_failure_is_remembered_too(reel: Reel) -> None:
    """What one set of rules could not have, the other shall not have either."""
    codes = iter(["Timeout"])
    memory = Memory(ScriptedEyes(fails=lambda _: next(codes, None)))
    assert memory.first(reel, chunk(), CAMERA) == memory.first(reel, chunk(), CAMERA)


def test_second_looks_are_remembered_too(reel: Reel) -> None:
    """One for both sets of rules."""
    eyes = ScriptedEyes([claim(2.0, 3.0)])
    memory = Memory(eyes)
    first = memory.first(reel, chunk(), CAMERA)
    again = caption(3, Span(0.0, 10.0), claim(2.0, 3.0))
    assert memory.second(reel, first, CAMERA).chunk.index == 0
    assert memory.second(reel, again, CAMERA).chunk.index == 3
    assert len(eyes.checked) == 1


def test_to_forget_a_file_does_not_forget_its_answers(reel: Reel) -> None:
    """The file goes from the via-server alone."""
    eyes = ScriptedEyes()
    memory = Memory(eyes)
    memory.first(reel, chunk(), CAMERA)
    memory.forget(reel)
    memory.first(reel, chunk(), CAMERA)
    assert (eyes.forgotten, len(eyes.asked)) == (["yard"], 1)


def test_counts_hold_when_several_ask_together(reel: Reel) -> None:
    """Every call is either asked or spared."""
    memory = Memory(ScriptedEyes())
    work = [
        threading.Thread(target=lambda: [memory.first(reel, chunk(n, 5.0 * n), CAMERA) for n in range(50)])
        for _ in range(4)
    ]
    for one in work:
        one.start()
    for one in work:
        one.join()
    assert memory.asked + memory.spared == 200
    assert 50 <= memory.asked < 200
