"""Which span a clip shows, which frame decides, and which clips are cut together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.evidence.wanted import Limits, Wanted, chosen, passes, wanted
from extension.model import Severity, Span
from tests.evidence.cases import event, incident

MINUTE = Span(0.0, 60.0)
LIMITS = Limits()


def wish(start_s: float, end_s: float, source: Span = MINUTE, limits: Limits = LIMITS) -> Wanted:
    """What is cut for an incident from then to then."""
    happened = event(start_s, end_s, chunk_index=0)
    made = wanted(incident(happened), [happened], source, limits)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("start_s", "end_s", "clip"),
    [
        pytest.param(20.0, 22.0, (15.0, 27.0), id="five-seconds-on-either-side"),
        pytest.param(0.0, 1.0, (0.0, 6.0), id="at-the-very-start"),
        pytest.param(2.0, 2.0, (0.0, 7.0), id="without-a-length"),
        pytest.param(59.0, 60.0, (54.0, 60.0), id="at-the-very-end"),
        pytest.param(60.0, 60.0, (55.0, 60.0), id="after-the-last-frame"),
        pytest.param(70.0, 71.0, (55.0, 60.0), id="beyond-the-source"),
    ],
)
def test_a_clip_shows_what_came_before_and_after(
    start_s: float, end_s: float, clip: tuple[float, float]
) -> None:
    """Clamped to what there is."""
    assert wish(start_s, end_s).span == Span(*clip)


def test_a_long_incident_is_cut_short_and_says_so() -> None:
    """Its beginning is what matters."""
    made = wish(10.0, 300.0, Span(0.0, 600.0))
    assert made.span == Span(5.0, 65.0)
    assert made.cut_short
    assert not wish(10.0, 12.0).cut_short


def test_the_first_event_decides() -> None:
    """Its start is the frame to look at, wherever the incident begins."""
    events = [event(21.0, 22.0, 1), event(20.5, 21.0, 0)]
    made = wanted(incident(*events), events, MINUTE, LIMITS)
    assert made is not None
    assert made.snapshot_s == 20.5


def test_what_no_chunk_shows_has_no_clip() -> None:
    """A picture of another moment would be no evidence."""
    told = event(0.0, 0.0, chunk_index=-1)
    assert wanted(incident(told), [told], MINUTE, LIMITS) is None


def test_of_an_incident_that_begins_before_the_video_the_shown_part_decides() -> None:
    """The event that no chunk shows gives no frame."""
    events = [event(0.0, 0.0, 0, chunk_index=-1), event(0.5, 1.5, 1)]
    made = wanted(incident(*events), events, MINUTE, LIMITS)
    assert made is not None
    assert made.snapshot_s == 0.5


@settings(deadline=None)
@given(
    st.floats(-100, 1000),
    st.floats(0, 500),
    st.floats(0, 100),
    st.floats(0.1, 900),
)
def test_a_clip_lies_in_the_source_and_holds_its_snapshot(
    start_s: float, length_s: float, first_s: float, source_s: float
) -> None:
    """Wherever the incident is."""
    source = Span(first_s, first_s + source_s)
    made = wish(start_s, start_s + length_s, source)
    assert source.start_s - 1e-6 <= made.span.start_s < made.span.end_s <= source.end_s + 1e-6
    assert made.span.duration_s <= LIMITS.longest_s + 2e-6
    assert made.span.start_s - 1e-6 <= made.snapshot_s <= made.span.end_s + 1e-6


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 500), st.floats(0.1, 60)), max_size=20))
def test_clips_that_overlap_share_a_pass(spans: list[tuple[float, float]]) -> None:
    """Each is in one pass, and passes do not overlap: nothing is decoded twice."""
    wishes = [
        Wanted(str(number), Span(start_s, start_s + length_s), start_s, cut_short=False)
        for number, (start_s, length_s) in enumerate(spans)
    ]
    groups = passes(wishes)
    assert sorted(one.incident_id for group in groups for one in group) == sorted(
        w.incident_id for w in wishes
    )
    ends = [max(one.span.end_s for one in group) for group in groups]
    starts = [min(one.span.start_s for one in group) for group in groups]
    assert all(end_s <= start_s for end_s, start_s in zip(ends, starts[1:], strict=False))


def test_of_too_many_incidents_the_worst_get_evidence() -> None:
    """Among equals the earlier ones."""
    mild = [
        incident(event(start_s, start_s + 1, int(start_s)), name=f"mild-{start_s:g}")
        for start_s in (9.0, 3.0)
    ]
    bad = replace(incident(event(30.0, 31.0)), id="bad", severity=Severity.EXTREME)
    assert chosen([*mild, bad], Limits(incidents=2)) == {"bad", "mild-3"}
    assert len(chosen([*mild, bad], LIMITS)) == 3


@pytest.mark.parametrize("wrong", [{"before_s": -1.0}, {"after_s": -1.0}, {"longest_s": 5.0}])
def test_limits_that_lose_the_onset_are_refused(wrong: dict[str, float]) -> None:
    """A clip holds the onset in any case."""
    with pytest.raises(ValueError, match="longest_s above before_s"):
        Limits(**wrong)  # type: ignore[arg-type]  # any of the fields
