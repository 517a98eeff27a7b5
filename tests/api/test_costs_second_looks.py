"""Second looks are counted by outcome, and what they cost is part of what answers cost."""

from __future__ import annotations

from typing import Any

from extension.api.costs import SECOND_LOOKS, Tally
from extension.captions.second import Outcome


def _cost(tokens: int, latency_ms: int) -> dict[str, Any]:
    return {"packing": "mp4", "input_tokens": tokens, "latency_ms": latency_ms, "retries": 0}


def test_both_answers_cost() -> None:
    """Tokens, time and packings of the second answer are added to the first one's; the chunk is one chunk."""
    second = {"outcome": "confirmed", "looks": [{"stats": _cost(50, 400)}, {"stats": _cost(7, 30_000)}]}
    tally = Tally()
    tally.add(None, _cost(100, 200) | {"second_look": second})
    assert tally.outcomes == {"verdict": 1}
    assert tally.second_looks == {"confirmed": 1}
    assert tally.tokens["prompt"] == 157
    assert tally.packings == {"mp4": 3}
    assert sum(tally.times) == 3
    assert tally.seconds == 30.6


def test_a_second_look_without_an_answer_is_counted_too() -> None:
    """It cost nothing that anybody reported."""
    tally = Tally()
    tally.add(None, {"second_look": {"outcome": "unverified", "looks": [{"stats": {}}]}})
    tally.add(None, _cost(1, 1))
    both = Tally()
    both.merge(tally)
    both.merge(tally)
    assert both.second_looks == {"unverified": 2}
    assert both.outcomes == {"verdict": 4}


def test_every_outcome_that_an_answer_can_have_has_a_counter() -> None:
    """Nothing falls beside the metric."""
    assert set(SECOND_LOOKS) == set(Outcome) - {Outcome.ADDED}
