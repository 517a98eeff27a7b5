"""Charts of an evaluation are self-contained SVG in the page's colours, for one run as for many."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from extension.charts.evaluation import (
    GROUP_COLOURS,
    MOST_RUNS,
    false_alarms,
    onsets,
    precision_recall,
    timeline,
)
from extension.timetravel.evaluation import Occurrence
from extension.timetravel.scoring_runs import BASE_AT, Answers, LogClock, Truth
from extension.timetravel.scoring_summary import Group, RunScore, score_run, summarise

CONTACTS = tuple(Occurrence(s, s + 0.5, ("1", "2")) for s in (10.0, 20.0, 30.0))


def a_run(name: str, *reports: tuple[float, str], duration_s: float = 60.0) -> RunScore:
    """A run over three contacts of 1 and 2."""
    truth = Truth("log", "by hand", CONTACTS, (), LogClock(BASE_AT), duration_s)
    said = tuple(Occurrence(s, s + 0.5, tuple(objects)) for s, objects in reports)
    return score_run(Answers(name, "s", "m", "v", name, said, ()), truth, 1.0)


def a_group(name: str, runs: int = 2) -> Group:
    """Runs with a hit, a wrong pair, a miss and a false alarm each."""
    some = [a_run(f"{name}{n}", (10.2, "12"), (20.0, "34"), (50.0, "13")) for n in range(runs)]
    return summarise(name, some, seed=1, resamples=100)


def drawn(svg: str | None) -> str:
    """The picture, once it has been checked for what every picture must hold."""
    assert svg is not None
    root = ET.fromstring(svg)  # noqa: S314 - drawn by ourselves
    assert root.tag.endswith("svg")
    assert not re.search(r"#0[1-7]0[1-7]0[0-7]", svg), "a stand-in colour is left"
    assert "url(http" not in svg
    assert not re.findall(r'(?:href|src)="(?!#)', svg)
    return svg


def test_every_chart_is_a_picture_of_its_own() -> None:
    """Also many groups, whose colours come round again."""
    groups = [a_group(f"group {n}") for n in range(GROUP_COLOURS + 1)]
    for svg in (precision_recall(groups), onsets(groups), false_alarms(groups), timeline(groups[0].runs)):
        drawn(svg)


def test_ids_of_different_charts_do_not_meet() -> None:
    """Two pictures on one page must not take one another's clips."""
    group = a_group("g")
    ids = [
        set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (precision_recall([group]), timeline(group.runs))
    ]
    assert ids[0]
    assert not ids[0] & ids[1]
    svg = timeline(group.runs)
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= ids[1]


def test_what_became_of_contacts_and_reports_is_told_by_colour() -> None:
    """Matched, missed, false, and the right time with the wrong objects; what did not occur is not drawn."""
    svg = drawn(timeline(a_group("g").runs))
    assert all(f"var(--{name})" in svg for name in ("hit", "miss", "false", "who"))
    perfect = drawn(timeline([a_run("r", (10.0, "12"), (20.0, "12"), (30.0, "12"))]))
    assert "var(--hit)" in perfect
    assert not any(f"fill: var(--{name})" in perfect for name in ("miss", "false", "who"))


def test_only_the_first_runs_are_drawn() -> None:
    """The page says how many are not."""
    runs = [a_run(f"run-{n:02d}") for n in range(MOST_RUNS + 3)]
    svg = drawn(timeline(runs))
    assert f"run-{MOST_RUNS - 1:02d}" in svg
    assert f"run-{MOST_RUNS:02d}" not in svg


@pytest.mark.parametrize("runs", [1, 2])
def test_a_single_run_has_no_interval_to_draw(runs: int) -> None:
    """The legend counts the runs."""
    svg = drawn(precision_recall([a_group("g", runs)]))
    assert ("g (1 run)" if runs == 1 else "g (2 runs)") in svg


def test_nothing_matched_is_no_histogram() -> None:
    """There is no error to show."""
    assert onsets([summarise("deaf", [a_run("r")], seed=1)]) is None


def test_a_run_of_no_length_at_all_can_be_drawn() -> None:
    """No contact, no report, no log: an empty picture, not a crash."""
    truth = Truth("log", "by hand", (), (), LogClock(BASE_AT))
    run = score_run(Answers("r", "s", "m", "v", "r", (), ()), truth, 1.0)
    group = summarise("g", [run], seed=1)
    drawn(timeline([run]))
    drawn(false_alarms([group]))


def test_names_cannot_break_the_picture() -> None:
    """They come from files."""
    drawn(timeline([a_run("<script>&$x_y$")]))
    assert "영상 1" in drawn(timeline([a_run("영상 1")]))
    drawn(precision_recall([summarise('<b>&"$\\frac$', [a_run("r")], seed=1)]))


def test_the_same_evaluation_gives_the_same_picture() -> None:
    """Byte for byte."""
    assert timeline(a_group("g").runs) == timeline(a_group("g").runs)
