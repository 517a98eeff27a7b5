"""The VLM is spared what the log shows to be calm, and the record says so."""

from __future__ import annotations

import datetime as dt

import pytest

from extension.chunks.plan import chunks
from extension.model import JobOptions, Severity, VlmUse
from extension.pipeline.selection import not_asked
from extension.pipeline.world import World
from extension.timetravel.trajectory import Trajectory
from extension.timetravel.trajectory_csv import parse_trajectory

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
CHUNKS = chunks(60.0, 2)


def _log(near: dict[int, float]) -> Trajectory:
    """Two objects, once a second for a minute: 900 cm apart, in some seconds nearer."""
    rows = []
    for second in range(60):
        at = f"2025-01-01 00:00:{second:02d}.000"
        rows += [f"{at},obj001,0,0,0", f"{at},obj002,{near.get(second, 900.0)},0,0"]
    return parse_trajectory("timestamp,objid,x,y,z\n" + "\n".join(rows) + "\n")


def _spared(
    near: dict[int, float], *, vlm: VlmUse = VlmUse.CANDIDATES, stated: bool = True, speed: float = 1.0
) -> list[int]:
    options = JobOptions(vlm=vlm, start_at=START if stated else None, speed=speed)
    return [c.chunk.index for c in not_asked(CHUNKS, options, World(options, _log(near), dt.UTC), 100.0)]


def _asked(near: dict[int, float], *, stated: bool = True, speed: float = 1.0) -> list[int]:
    spared = set(_spared(near, stated=stated, speed=speed))
    return [chunk.index for chunk in CHUNKS if chunk.index not in spared]


def test_all_are_asked_about_unless_the_job_says_otherwise() -> None:
    """The default spares nothing."""
    assert _spared({20: 50.0}, vlm=VlmUse.ALL) == []


def test_chunks_around_a_near_pass_are_asked_about() -> None:
    """A contact, a near miss, and a second on either side; nothing else."""
    assert _asked({20: 50.0}) == [9, 10]
    assert _asked({21: 140.0}) == [9, 10, 11]
    assert _asked({20: 160.0}) == []


def test_a_faster_replay_shows_more_of_the_log_in_a_chunk() -> None:
    """At three times the speed second 20 is in the fourth chunk."""
    assert _asked({20: 50.0}, speed=3.0) == [3]


def test_before_the_clock_is_read_more_is_asked_about() -> None:
    """The first chunks in any case, and six seconds around what is near."""
    assert _asked({40: 50.0}, stated=False) == [0, 1, 2, 16, 17, 18, 19, 20, 21, 22, 23]


def test_nothing_is_asked_where_the_log_is_to_speak_alone() -> None:
    """Every chunk is recorded as not asked."""
    assert _spared({20: 50.0}, vlm=VlmUse.OFF) == list(range(30))


@pytest.mark.parametrize("vlm", [VlmUse.CANDIDATES, VlmUse.OFF])
def test_the_record_says_why(vlm: VlmUse) -> None:
    """A safe verdict without claims, that nobody can take for an answer of the VLM."""
    options = JobOptions(vlm=vlm, start_at=START)
    caption = not_asked(CHUNKS, options, World(options, _log({}), dt.UTC), 100.0)[-1]
    assert not caption.asked
    assert caption.text == ""
    assert caption.verdict is not None
    assert (caption.verdict.status, caption.verdict.claims) == (Severity.SAFE, ())
    assert caption.verdict.summary == f"Not asked: {caption.stats['why']}."
    assert ("150 cm" in caption.stats["why"]) is (vlm is VlmUse.CANDIDATES)


@pytest.mark.parametrize("vlm", list(VlmUse))
def test_without_a_log_the_vlm_is_asked_about_everything(vlm: VlmUse) -> None:
    """Nothing else could tell."""
    options = JobOptions(vlm=vlm, start_at=START)
    assert not_asked(CHUNKS, options, World(options, None, dt.UTC), 100.0) == ()
