"""Which claim an event rests on, and what the log made of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from extension.evidence.trace import Ruling, rested_on, steps
from extension.model import Basis, Failure, Kind
from tests.evidence.cases import caption, claim, event


@pytest.mark.parametrize(
    ("basis", "ruling"),
    [(Basis.VLM, Ruling.CLAIMED), (Basis.BOTH, Ruling.CONFIRMED), (Basis.LOG, Ruling.TOLD)],
)
def test_the_basis_says_what_was_done_with_a_claim(basis: Basis, ruling: Ruling) -> None:
    """What only the log told rests on no claim, even where one fits."""
    said = claim(4.0, 5.0)
    (step,) = steps([event(4.2, 5.0, basis=basis)], [caption(2, said)])
    assert step.ruling is ruling
    assert step.claim == (None if basis is Basis.LOG else said)


def test_a_claim_of_three_stands_behind_each_pair() -> None:
    """The pipeline makes an event of every pair."""
    said = claim(4.0, 5.0, "3", "7", "9")
    found = steps([event(4.0, 5.0, 0), event(4.0, 5.0, 1, objects=("7", "9"))], [caption(2, said)])
    assert [step.claim for step in found] == [said, said]


def test_of_two_fitting_claims_the_nearer_one_counts() -> None:
    """The same objects may touch twice within a chunk."""
    early, late = claim(4.0, 4.3), claim(5.5, 5.9)
    found = steps([event(5.4, 5.8, 1), event(4.1, 4.3, 0)], [caption(2, early, late)])
    assert [(step.event.id, step.claim) for step in found] == [("event-0", early), ("event-1", late)]


def test_a_claim_of_other_things_does_not_count() -> None:
    """Neither another kind nor other objects."""
    others = (claim(4.0, 5.0, "1", "2"), replace(claim(4.0, 5.0), kind=Kind.FALL))
    (step,) = steps([event(4.0, 5.0)], [caption(2, *others)])
    assert step.claim is None


def test_a_chunk_without_a_verdict_claims_nothing() -> None:
    """The log alone can tell of it."""
    failed = replace(caption(2), verdict=None, failure=Failure("Timeout", "no answer"))
    (step,) = steps([event(4.0, 5.0)], [failed])
    assert step.claim is None


def test_only_the_answers_of_its_chunks_matter() -> None:
    """By time, each once."""
    events = [event(6.0, 7.0, 1), event(4.0, 5.0, 0), event(6.5, 7.0, 2), event(0.0, 0.0, 3, chunk_index=-1)]
    found = rested_on(events, [caption(index) for index in (3, 1, 2, 4)])
    assert [one.chunk.index for one in found] == [2, 3]
