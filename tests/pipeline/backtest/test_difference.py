"""The difference of two sets of incidents: matched one to one, nothing counted twice, nothing left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import Check, Incident, Kind, Severity, Span
from extension.pipeline.backtest.difference import MOVED_S, NEAR_S, difference
from tests.pipeline.backtest.samples import incident

one = incident(1, 10.0, 14.0)

sets = st.lists(
    st.builds(
        lambda start, length, kind, severity: (start, start + length, kind, severity),
        st.integers(0, 60).map(float),
        st.integers(0, 9).map(float),
        st.sampled_from([Kind.FALL, Kind.FIRE]),
        st.sampled_from([Severity.WARN, Severity.DANGER]),
    ),
    max_size=7,
).map(lambda rows: [incident(number, *row) for number, row in enumerate(rows)])


def test_two_sides_that_are_alike_differ_in_nothing() -> None:
    """All stay as they are."""
    told = difference([one], [one])
    assert told.nothing
    assert told.same == (one,)


def test_what_only_the_new_rules_have_appears() -> None:
    """And the other way round it vanishes."""
    assert [lone.incident for lone in difference([], [one]).appeared] == [one]
    assert [lone.incident for lone in difference([one], []).vanished] == [one]


@pytest.mark.parametrize(
    ("change", "ways"),
    [
        pytest.param({"severity": Severity.WARN}, ("severity",), id="severity"),
        pytest.param({"kind": Kind.COLLISION}, ("kind",), id="kind"),
        pytest.param({"check": Check.CONFIRMED}, ("check",), id="check"),
        pytest.param({"span": Span(9.0, 14.0)}, ("start",), id="start"),
        pytest.param({"span": Span(10.0, 20.0)}, ("end",), id="end"),
        pytest.param(
            {"span": Span(9.0, 20.0), "severity": Severity.WARN}, ("severity", "start", "end"), id="several"
        ),
        pytest.param({"id": "other", "description": "In other words."}, (), id="words-do-not-count"),
        pytest.param({"span": Span(10.0 + MOVED_S / 2, 14.0)}, (), id="a-rounding-does-not-count"),
    ],
)
def test_what_is_told_in_another_way_changes(change: dict[str, Any], ways: tuple[str, ...]) -> None:
    """Each way by its name."""
    told = difference([one], [replace(one, **change)])
    assert [changed.ways for changed in told.changed] == ([ways] if ways else [])
    assert not told.appeared
    assert not told.vanished


@pytest.mark.parametrize(
    ("gap_s", "same"),
    [pytest.param(NEAR_S, True, id="near"), pytest.param(NEAR_S + 0.5, False, id="apart")],
)
def test_incidents_that_are_far_apart_are_not_one(gap_s: float, *, same: bool) -> None:
    """Whatever they are."""
    told = difference([one], [incident(2, 14.0 + gap_s, 20.0)])
    assert bool(told.changed) is same
    assert bool(told.appeared) is not same


def test_numbered_objects_must_be_the_same() -> None:
    """A contact of 1 and 2 is not one of 3 and 4."""
    before = incident(1, 5.0, 6.0, Kind.COLLISION, objects=("1", "2"))
    after = incident(2, 5.0, 6.0, Kind.COLLISION, objects=("3", "4"))
    told = difference([before], [after])
    assert (len(told.appeared), len(told.vanished), len(told.changed)) == (1, 1, 0)


def test_objects_in_words_may_be_other_words() -> None:
    """Another window calls the worker a man."""
    assert difference([one], [replace(one, objects=("a man",))]).nothing


def test_one_incident_that_falls_in_two_says_where_the_second_belongs() -> None:
    """One stays, shorter; the other appears as a part of it."""
    long = incident(1, 0.0, 40.0)
    parts = [incident(2, 0.0, 10.0), incident(3, 30.0, 40.0)]
    told = difference([long], parts)
    assert [(c.before, c.after) for c in told.changed] == [(long, parts[0])]
    (lone,) = told.appeared
    assert (lone.incident, lone.within) == (parts[1], long)
    back = difference(parts, [long])
    assert [(lone.incident, lone.within) for lone in back.vanished] == [(parts[1], long)]


def test_the_same_kind_is_the_better_partner() -> None:
    """Even where another kind lies nearer."""
    before = incident(1, 10.0, 20.0, Kind.FIRE)
    after = [incident(2, 10.0, 20.0, Kind.SMOKE), incident(3, 11.0, 20.0, Kind.FIRE)]
    told = difference([before], after)
    assert [(c.after.id, c.ways) for c in told.changed] == [("incident-3", ("start",))]
    assert [(lone.incident.id, lone.within) for lone in told.appeared] == [("incident-2", None)]


@given(before=sets, after=sets)
def test_every_incident_is_told_of_exactly_once(before: list[Incident], after: list[Incident]) -> None:
    """On both sides."""
    told = difference(before, after)
    left = [c.before for c in told.changed] + [lone.incident for lone in told.vanished] + list(told.same)
    assert sorted(i.id for i in left) == sorted(i.id for i in before)
    assert len(told.changed) + len(told.appeared) + len(told.same) == len(after)
    assert told.nothing == (len(told.same) == len(before) == len(after))


@given(before=sets, after=sets)
def test_both_directions_agree(before: list[Incident], after: list[Incident]) -> None:
    """As many pairs, and what appears one way vanishes the other."""
    there, back = difference(before, after), difference(after, before)
    assert len(there.appeared) == len(back.vanished)
    assert len(there.vanished) == len(back.appeared)
    assert len(there.changed) + len(there.same) == len(back.changed) + len(back.same)


@given(side=sets)
def test_a_side_does_not_differ_from_itself(side: list[Incident]) -> None:
    """However its incidents lie on top of each other."""
    assert difference(side, list(reversed(side))).nothing


@given(before=sets, after=sets)
def test_lists_are_by_time(before: list[Incident], after: list[Incident]) -> None:
    """So that they read as a story."""
    told = difference(before, after)
    key: Callable[[Incident], float] = lambda incident: incident.span.start_s  # noqa: E731 - a key
    for found in (
        [lone.incident for lone in told.appeared],
        [lone.incident for lone in told.vanished],
        [changed.before for changed in told.changed],
        list(told.same),
    ):
        assert found == sorted(found, key=key)
