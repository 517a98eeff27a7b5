"""What a backtest came to, for people and for programs: table, JSON and page tell the same."""

from __future__ import annotations

import datetime as dt
import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from extension.command.backtest_json import as_json, at, counts
from extension.command.backtest_page import page
from extension.command.backtest_shapes import Side, Trial, second_looks_of, windows_of
from extension.command.backtest_table import in_words, notes, part_of, show, when
from extension.model import Check, Incident, Kind, Severity, Span
from tests.pipeline.backtest.samples import START, caption, checked, claim, incident

FALL, FIRE = incident(1, 62.0, 64.5), incident(2, 100.0, 160.0, Kind.FIRE, Severity.EXTREME)
WINDOWS = {"all": 40, "asked": 30, "not asked": 8, "Timeout": 2}


def side(name: str, *incidents: Incident, **rules: object) -> Side:
    """One set of rules and what it came to."""
    return Side(name, {"merge_gap_s": 10.0, **rules}, incidents, WINDOWS, {"confirmed": 2})


def trial(*sides: Side, start_at: dt.datetime | None = None) -> Trial:
    """A source under rules."""
    return Trial("yard.mp4", start_at, 200.0, sides)


def printed(*trials: Trial, width: int = 80) -> str:
    """What a terminal shows, one blank between words."""
    text = io.StringIO()
    show(Console(file=text, width=width, color_system=None), trials)
    return text.getvalue()


def words(*trials: Trial) -> str:
    """The same on one line."""
    return " ".join(printed(*trials).split())


def test_with_one_set_of_rules_its_incidents_are_listed() -> None:
    """And how the windows ended."""
    told = words(trial(side("present", FALL, FIRE)))
    assert "yard.mp4: 200 s" in told
    assert "incidents 2 extreme 1 danger 1" in told
    assert "windows 40 asked about 30 left out 8 without answer Timeout 2 second looks confirmed 2" in told
    assert "Incidents (2) when what severity check description" in told
    assert "62.0-64.5 s fall danger once A fall." in told


def test_what_is_nought_everywhere_is_left_out() -> None:
    """But for incidents and windows themselves."""
    told = words(trial(Side("present", {}, (), {"all": 3, "asked": 3})))
    assert "incidents 0" in told
    assert "windows 3 asked about 3" in told
    assert "extreme" not in told
    assert "left out" not in told
    assert "second looks" not in told


def test_what_appears_vanishes_and_changes_is_told_in_order_of_time() -> None:
    """With the times of what was, and how it differs."""
    later = replace(FALL, span=Span(62.0, 70.0), severity=Severity.WARN, check=Check.CONFIRMED)
    new = incident(3, 5.0, 6.0, Kind.SMOKE, Severity.WARN)
    told = words(trial(side("present", FALL, FIRE), side("changed", new, later, merge_gap_s=20.0)))
    assert "merge_gap_s: 10.0 → 20.0" in told
    assert "Difference: 1 appear, 1 vanish, 1 change, 0 stay as they are" in told
    smoke, fall, fire = (
        told.index(part) for part in ("appears 5.0-6.0 s", "changes 62.0-64.5 s", "vanishes 100")
    )
    assert smoke < fall < fire
    assert "danger → warn end +5.5 s, once → confirmed" in told


def test_a_changed_kind_is_told_with_both() -> None:
    """So that nobody takes it for two."""
    told = words(trial(side("present", FIRE), side("changed", replace(FIRE, kind=Kind.SMOKE))))
    assert "fire → smoke" in told


def test_rules_that_are_alike_and_nothing_that_differs_are_said_so() -> None:
    """In words."""
    told = words(trial(side("present", FALL), side("changed", FALL)))
    assert "the rules are the same" in told
    assert "No difference. 1 incident stays as it was." in told
    assert words(trial(side("present"), side("changed"))).endswith("No difference.")
    assert "2 incidents stay as they were." in words(trial(side("a", FALL, FIRE), side("b", FALL, FIRE)))


def test_the_wall_clock_is_shown_where_it_is_known() -> None:
    """In place of seconds."""
    told = trial(side("present", FALL), start_at=START)
    assert when(told, FALL) == "2026-05-04 10:01:02-10:01:04"
    assert part_of(told, FALL) == "part of 10:01:02-10:01:04"
    assert when(trial(), FALL) == "62.0-64.5 s"
    assert part_of(trial(), FALL) == "part of 62.0-64.5 s"
    assert at(told, 62.5) == "2026-05-04T10:01:02.500+00:00"
    assert at(trial(), 62.5) is None


def test_a_long_list_is_cut_short_in_the_terminal() -> None:
    """The files have all of it."""
    many = tuple(incident(n, 20.0 * n, 20.0 * n + 1) for n in range(50))
    assert "and 10 more; --json and --report list them all" in words(trial(side("present", *many)))
    both = trial(side("present"), side("changed", *many))
    assert "and 10 more" in words(both)
    assert len(as_json([both])["sources"][0]["difference"]["appeared"]) == 50
    assert page([both]).count("<td>appears</td>") == 50


def test_notes_that_all_share_are_said_once() -> None:
    """The others with whose they are."""
    one, other = (
        replace(side(name), notes=("of both", *own))
        for name, own in (("present", ()), ("changed", ("its own",)))
    )
    assert notes(trial(one, other)) == ["of both", "changed: its own"]
    assert notes(trial(one)) == ["of both"]
    assert printed(trial(one, other)).count("of both") == 1


def test_rules_that_differ_are_told_in_plain_words() -> None:
    """Also those that only one side names."""
    one, other = side("a", gate=None, second_look=True), side("b", gate="on", second_look=False, extra=3)
    assert in_words((one, other)) == ["gate: as stored → on", "second_look: on → off", "extra: as stored → 3"]


def test_nothing_is_wider_than_the_terminal() -> None:
    """Eighty columns, and a long description folds."""
    long = replace(FIRE, description="A fire that goes on and on " * 6)
    shown = printed(trial(side("present", FALL), side("changed", long), start_at=START))
    assert max(map(len, shown.splitlines())) <= 80


def test_json_holds_both_sides_and_the_difference() -> None:
    """In seconds and on the wall clock."""
    later = replace(FALL, span=Span(62.0, 70.0))
    told = trial(side("present", FALL, FIRE), side("changed", later), start_at=START)
    (source,) = json.loads(json.dumps(as_json([told]), allow_nan=False))["sources"]
    assert (source["source"], source["media_s"]) == ("yard.mp4", 200.0)
    present, changed = source["sides"]
    assert present["counts"] == {"all": 2, "extreme": 1, "danger": 1, "fall": 1, "fire": 1}
    assert changed["incidents"][0]["end_at"] == "2026-05-04T10:01:10.000+00:00"
    assert present["windows"] == WINDOWS
    difference = source["difference"]
    assert [one["kind"] for one in difference["vanished"]] == ["fire"]
    assert [one["ways"] for one in difference["changed"]] == [["end"]]
    assert (difference["same"], difference["appeared"]) == (0, [])


def test_json_without_a_second_set_has_no_difference() -> None:
    """Rather than an empty one."""
    assert as_json([trial(side("present", FALL))])["sources"][0]["difference"] is None


def test_counts_are_worst_first() -> None:
    """Then by kind."""
    assert list(counts([FALL, FIRE])) == ["extreme", "danger", "fall", "fire"]
    assert counts([]) == {}


def test_a_lone_incident_says_where_it_belongs() -> None:
    """In the JSON as in the page."""
    long = incident(1, 0.0, 40.0)
    parts = (incident(2, 0.0, 10.0), incident(3, 30.0, 40.0))
    told = trial(side("present", long), side("changed", *parts))
    (new,) = as_json([told])["sources"][0]["difference"]["appeared"]
    assert new["within"]["end_s"] == 40.0
    assert "part of 0.0-40.0 s" in page([told])


def test_the_page_is_in_order_of_time() -> None:
    """By seconds, not by their letters."""
    told = page(
        [trial(side("present", FIRE), side("changed", incident(3, 20.0, 21.0), incident(4, 5.0, 6.0)))]
    )
    assert told.index("5.0-6.0 s") < told.index("20.0-21.0 s") < told.index("100.0-160.0 s")


def test_the_page_says_what_is_on_it_and_trusts_nothing() -> None:
    """A description is text, whatever it holds."""
    evil = replace(FALL, description="<script>alert(1)</script>")
    told = page([trial(side("present", evil)), trial(side("present"), side("changed", FIRE))])
    assert "<script>" not in told
    assert "&lt;script&gt;" in told
    assert "Difference (0 stay as they are)" in told
    assert "Nobody was told" in told


@pytest.mark.parametrize(
    ("captions", "ends"),
    [
        pytest.param([], {"all": 0}, id="none"),
        pytest.param([caption(0, Span(0, 10))], {"all": 1, "asked": 1}, id="asked"),
        pytest.param(
            [caption(0, Span(0, 10), stats={"asked": False})], {"all": 1, "not asked": 1}, id="not-asked"
        ),
        pytest.param(
            [
                caption(n, Span(0, 10), failure=code)
                for n, code in enumerate(("Timeout", "Garbled", "Timeout"))
            ],
            {"all": 3, "Garbled": 1, "Timeout": 2},
            id="failures-by-name",
        ),
    ],
)
def test_windows_are_counted_by_how_they_ended(captions: list[object], ends: dict[str, int]) -> None:
    """All of them once."""
    assert windows_of(captions) == ends  # type: ignore[arg-type] # captions, by parametrize


def test_second_looks_are_counted_by_outcome() -> None:
    """Of the captions that had one."""
    rows = [
        caption(0, Span(0.0, 10.0)),
        checked(caption(1, Span(0.0, 10.0), claim(2.0, 3.0)), claim(2.0, 3.0)),
        checked(caption(2, Span(0.0, 10.0), claim(2.0, 3.0))),
    ]
    assert second_looks_of(row.stats for row in rows) == {"confirmed": 1, "rejected": 1}
    assert second_looks_of([{"second_look": "odd"}]) == {}
