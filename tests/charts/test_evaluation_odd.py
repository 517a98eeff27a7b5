"""Charts of odd evaluations: still valid XML, still without a reference to anything outside, still telling the truth."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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

Reports = Sequence[tuple[float, float, str]]
SVG = "{http://www.w3.org/2000/svg}"


def run_of(name: str, said: Reports, true: Reports, duration_s: float | None = 60.0) -> RunScore:
    """A run."""
    contacts = tuple(Occurrence(a, b, tuple(who)) for a, b, who in true)
    reports = tuple(Occurrence(a, b, tuple(who)) for a, b, who in said)
    truth = Truth("log", "by hand", contacts, (), LogClock(BASE_AT), duration_s)
    return score_run(Answers(name, "s", "m", "v", name, reports, ()), truth, 1.0)


def group_of(name: str, *runs: RunScore) -> Group:
    """A group."""
    return summarise(name, runs, seed=1, resamples=30)


def parsed(svg: str) -> ET.Element:
    """The picture as XML, which refers to nothing outside itself and shows no stand-in colour."""
    root = ET.fromstring(svg)  # noqa: S314 - drawn by ourselves
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox")
    for element in root.iter():
        assert element.tag.removeprefix(SVG) not in {"script", "image", "foreignObject", "a"}
        for key, value in element.attrib.items():
            assert not key.startswith("on")
            if key.endswith("href"):
                assert value.startswith("#")
            assert "://" not in value
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(ids)
    assert {use.get("{http://www.w3.org/1999/xlink}href", "#")[1:] for use in root.iter(f"{SVG}use")} <= set(
        ids
    )
    assert not re.search(r"#0[1-7]0[0-9a-f]{2}0?[0-7]?\b", re.sub(r"url\([^)]*\)|href=\"[^\"]*\"", "", svg))
    return root


def words(root: ET.Element) -> list[str]:
    """All texts of a picture."""
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


spans = st.lists(
    st.builds(
        lambda start, length, who: (start, start + length, who),
        st.floats(-10, 4000),
        st.sampled_from([0.0, 0.2, 100.0]),
        st.sampled_from(["12", "13", "123", "4"]),
    ),
    max_size=5,
)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(said=spans, true=spans, duration_s=st.sampled_from([None, 0.0, 60.0, 86_400.0]))
def test_any_run_can_be_drawn(said: Reports, true: Reports, duration_s: float | None) -> None:
    """Before the log, after it, of no length, of a day."""
    run = run_of("r", said, true, duration_s)
    parsed(timeline([run]))
    group = group_of("g", run)
    parsed(false_alarms([group]))
    parsed(precision_recall([group]))
    picture = onsets([group])
    assert (picture is None) == (not run.att.matches)
    if picture is not None:
        parsed(picture)


@pytest.mark.parametrize("name", [" ", "<svg/onload=x>", "$x^2$&\\frac{1}{2}", "영상 日本 🏭", "a\nb"])
def test_names_are_only_letters(name: str) -> None:
    """Of runs and of groups, whatever a file was called."""
    run = run_of(name, [(10.0, 11.0, "12")], [(10.0, 11.0, "12")])
    assert name.strip() in " ".join(words(parsed(timeline([run])))) or "\n" in name
    parsed(precision_recall([group_of(name, run)]))


@pytest.mark.parametrize("draw", [precision_recall, false_alarms])
def test_every_group_has_a_colour_of_its_own_until_they_come_round(
    draw: Callable[[Sequence[Group]], str],
) -> None:
    """The page's variables, no colours of ours."""
    run = run_of("r", [(10.0, 11.0, "12"), (30.0, 31.0, "12")], [(10.0, 11.0, "12")])
    svg = draw([group_of(f"g{n}", run) for n in range(GROUP_COLOURS)])
    parsed(svg)
    assert {f"var(--g{n})" for n in range(GROUP_COLOURS)} <= set(re.findall(r"var\(--g\d\)", svg))


def test_a_chart_takes_all_its_ink_from_the_page() -> None:
    """No hexadecimal colour is left, but for the white of markers that are not filled."""
    run = run_of("r", [(10.0, 11.0, "12"), (30.0, 31.0, "13")], [(10.5, 11.0, "12"), (50.0, 51.0, "12")])
    group = group_of("g", run, run)
    for svg in (timeline([run]), precision_recall([group]), false_alarms([group]), onsets([group]) or ""):
        parsed(svg)
        styles = re.findall(r"(?:fill|stroke|color): ?(#[0-9a-fA-F]{6})", svg)
        assert set(styles) <= {"#ffffff", "#000000"}


@pytest.mark.parametrize("count", [1, MOST_RUNS + 5])
def test_a_timeline_has_two_rows_for_every_run_it_draws(count: int) -> None:
    """Truth above, reports below, and the run's name."""
    runs = [run_of(f"run-{n:02}", [(10.0, 11.0, "12")], [(10.0, 11.0, "12")]) for n in range(count)]
    found = words(parsed(timeline(runs)))
    drawn = min(count, MOST_RUNS)
    assert (found.count("truth"), found.count("reports")) == (drawn, drawn)
    assert [word for word in found if word.startswith("run-")] == [f"run-{n:02}" for n in range(drawn)]


def test_a_moment_in_a_long_log_can_be_seen() -> None:
    """A bar has a width, however short what it stands for."""
    root = parsed(timeline([run_of("r", [], [(5000.0, 5000.0, "12")], 86_400.0)]))
    bars = [
        [float(x) for x in re.findall(r"[ML] (-?[\d.]+)", path.get("d", ""))]
        for path in root.iter(f"{SVG}path")
        if "var(--miss)" in (path.get("style") or "")
    ]
    assert bars
    assert all(max(xs) - min(xs) > 1.0 for xs in bars)


def test_the_rate_of_a_log_of_unknown_length_is_left_out() -> None:
    """Neither nought nor a guess: the row is not there."""
    known = group_of("known", run_of("a", [(1.0, 2.0, "12")], []))
    unknown = group_of("unknown", run_of("b", [], [], None))
    found = words(parsed(false_alarms([unknown, known])))
    assert "known" in found
    assert "unknown" not in found


def test_long_names_of_groups_are_cut_beside_bars() -> None:
    """Half a page holds eighteen letters."""
    group = group_of("a-very-long-name-of-a-model", run_of("a", [], []))
    assert "a-very-long-name-…" in words(parsed(false_alarms([group])))


@pytest.mark.parametrize("late_s", [-0.9, 0.0, 0.9])
def test_errors_of_onset_stand_on_their_side(late_s: float) -> None:
    """One bar, left of the line when early and right of it when late."""
    run = run_of("r", [(10.0 + late_s, 12.0, "12")], [(10.0, 11.0, "12")])
    svg = onsets([group_of("g", run)])
    assert svg is not None
    root = parsed(svg)
    bars = [
        [float(x) for x in re.findall(r"[ML] (-?[\d.]+)", path.get("d", ""))]
        for path in root.iter(f"{SVG}path")
        if "fill: var(--g0)" in (path.get("style") or "")
    ]
    heights = [
        [float(y) for y in re.findall(r"[ML] -?[\d.]+ (-?[\d.]+)", path.get("d", ""))]
        for path in root.iter(f"{SVG}path")
        if "fill: var(--g0)" in (path.get("style") or "")
    ]
    grown = [xs for xs, ys in zip(bars, heights, strict=True) if max(ys) - min(ys) > 1]
    assert len(grown) == 1
    middle = (min(min(xs) for xs in bars) + max(max(xs) for xs in bars)) / 2
    centre = (min(grown[0]) + max(grown[0])) / 2
    if late_s:
        assert (centre > middle) == (late_s > 0)
