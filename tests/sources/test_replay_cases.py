"""Generated cases: what their difficulty promises, what is written, and that the truth is the clean log's."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from extension.errors import BadInput
from extension.sources.replay.cases import Case, draw_case
from extension.sources.replay.difficulty import Difficulty
from extension.sources.replay.plan import Plan
from extension.sources.replay.scenario import Scenario, generate_nearly, scenario, spoils
from extension.sources.replay.spoil import Occlusion, Spoils, Swap, shown_as
from extension.sources.replay.style import Style
from extension.sources.replay.truth import truth
from extension.timetravel.contacts import contacts
from extension.timetravel.scoring_truth import read_truth
from extension.timetravel.trajectory import Trajectory, micros
from extension.timetravel.trajectory_csv import read_trajectory

PLAN = Plan(objects=4, duration_s=30.0, contacts=2, near_misses=1, stops=1)
POOR = Scenario(plan=PLAN, occlusions=2, swaps=1, noise_cm=25.0)


def chance(seed: int = 1) -> np.random.Generator:
    """Seeded."""
    return np.random.default_rng(seed)


def page_of(case: Case) -> dict[str, Any]:
    """The truth, as written."""
    page = json.loads(case.truth.read_text("utf-8"))
    assert isinstance(page, dict)
    return page


@pytest.fixture(scope="module")
def poor(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A case with everything done to it, and its video."""
    folder = tmp_path_factory.mktemp("cases")
    return draw_case(POOR, 5, folder, "log-000", style=Style(width=128, height=96, fps=2))


@pytest.mark.parametrize("difficulty", list(Difficulty))
@pytest.mark.parametrize("objects", [2, 5, 25])
def test_every_difficulty_can_be_drawn(difficulty: Difficulty, objects: int) -> None:
    """With something to find, and no more than there is time for."""
    wanted = scenario(difficulty, objects, 30.0, chance(objects))
    log, plan = generate_nearly(wanted.plan, 3)
    assert plan.contacts >= 1
    assert len(contacts(log)) >= plan.contacts
    assert len(log.objids) == objects
    assert log.duration_s == 30.0


def test_harder_is_more_to_be_mistaken() -> None:
    """Over many draws: fewer distractions and no mistakes when easy, more of everything when hard; contacts get shorter."""
    drawn = {
        difficulty: [scenario(difficulty, 6, 60.0, chance(seed)) for seed in range(60)]
        for difficulty in Difficulty
    }
    mean = {
        difficulty: np.mean(
            [
                (s.plan.near_misses, s.plan.stops, s.plan.crossings, s.occlusions, s.swaps, -s.plan.hold_s)
                for s in many
            ],
            axis=0,
        )
        for difficulty, many in drawn.items()
    }
    assert (mean[Difficulty.EASY] < mean[Difficulty.MIXED]).all()
    assert (mean[Difficulty.MIXED] < mean[Difficulty.HARD]).all()
    assert mean[Difficulty.EASY][3:5].tolist() == [0.0, 0.0]
    assert len({s.plan.near_misses for s in drawn[Difficulty.MIXED]}) >= 3


def test_many_objects_get_more_room() -> None:
    """In the same shape; a few have the usual."""
    few, many = (scenario(Difficulty.EASY, objects, 60.0, chance()).plan for objects in (5, 80))
    assert (few.width_cm, few.depth_cm) == (2600, 1300)
    assert many.width_cm * many.depth_cm == pytest.approx(80 * 170_000, rel=0.01)
    assert many.width_cm / many.depth_cm == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize(("objects", "duration_s"), [(1, 60.0), (4, 5.0)])
def test_too_few_and_too_short_is_refused(objects: int, duration_s: float) -> None:
    """In words."""
    with pytest.raises(BadInput, match="at least 2 objects and 9 s"):
        scenario(Difficulty.EASY, objects, duration_s, chance())


def test_a_plan_that_does_not_fit_is_made_smaller() -> None:
    """Near misses go first; where not even one contact fits it is said."""
    log, plan = generate_nearly(Plan(objects=2, duration_s=15.0, contacts=2, near_misses=3), 1)
    assert plan.near_misses < 3
    assert 1 <= plan.contacts <= len(contacts(log))
    with pytest.raises(BadInput, match="single meeting"):
        generate_nearly(Plan(objects=2, duration_s=2.0, contacts=1, near_misses=0), 1)


@pytest.fixture(scope="module")
def meetings() -> Trajectory:
    """A minute with several contacts."""
    return generate_nearly(Plan(objects=5, duration_s=60.0, contacts=4, near_misses=1), 2)[0]


@pytest.mark.parametrize("seed", range(8))
def test_spoils_keep_clear_of_one_another(meetings: Trajectory, seed: int) -> None:
    """By time; swaps soon after contacts of the same two; occlusions within the log."""
    met = contacts(meetings)
    done = spoils(replace(POOR, occlusions=3, swaps=2), meetings, met, chance(seed))
    starts = [event.start_us for event in done.events]
    assert starts == sorted(starts)
    swaps = [event for event in done.events if isinstance(event, Swap)]
    gone = [event for event in done.events if isinstance(event, Occlusion)]
    assert len(swaps) == 2
    assert 1 <= len(gone) <= 3
    first_us, last_us = meetings.span_us
    for event in gone:
        assert first_us + 3_000_000 <= event.start_us < event.end_us <= last_us - 3_000_000
        assert 2.0 <= (event.end_us - event.start_us) / 1e6 <= 6.0
        for other in done.events:
            if other is not event:
                end_us = other.start_us if isinstance(other, Swap) else other.end_us
                assert event.start_us > end_us or event.end_us < other.start_us
    for swap in swaps:
        before = Spoils(events=tuple(e for e in done.events if e.start_us < swap.start_us))
        pairs = {
            tuple(
                sorted(
                    shown_as(before, meetings.objid_of(o) or o, swap.start_us - 1) or "" for o in c.objects
                )
            )
            for c in met
            if 0.2 <= (swap.start_us - micros(c.end_at)) / 1e6 <= 0.8
        }
        assert tuple(sorted((swap.one, swap.other))) in pairs


def test_no_contacts_no_swaps(meetings: Trajectory) -> None:
    """There is nobody to be taken for anybody."""
    assert spoils(replace(POOR, occlusions=0, swaps=3), meetings, (), chance()).events == ()


def test_a_case_has_all_its_files(poor: Case) -> None:
    """And nothing half made beside them."""
    names = sorted(path.name for path in poor.log.parent.iterdir())
    assert names == [
        "log-000.collisions.csv", "log-000.csv", "log-000.mp4", "log-000.spoiled.csv", "log-000.truth.json",
    ]  # fmt: skip
    assert page_of(poor)["files"] == {
        "log": "log-000.csv",
        "spoiled": "log-000.spoiled.csv",
        "collisions": "log-000.collisions.csv",
        "video": "log-000.mp4",
    }
    assert poor.shown == poor.spoiled
    with av.open(poor.video or "") as container:
        assert sum(1 for _ in container.decode(video=0)) == 60


def test_the_truth_is_that_of_the_clean_log(poor: Case) -> None:
    """Whatever was done to the other one."""
    page, met = page_of(poor), contacts(read_trajectory(poor.log))
    assert poor.contacts == len(met) >= 2
    assert [
        (
            tuple(c["objects"]),
            dt.datetime.fromisoformat(c["start_at"]),
            dt.datetime.fromisoformat(c["end_at"]),
        )
        for c in page["contacts"]
    ] == [(c.objects, c.start_at, c.end_at) for c in met]
    for row, contact in zip(page["contacts"], met, strict=True):
        assert row["closest_cm"] == pytest.approx(contact.closest_cm, abs=0.06)
        assert dt.datetime.fromisoformat(row["closest_at"]) == contact.closest_at
    assert page["threshold_cm"] == 100.0
    assert page["objects"] == ["1", "2", "3", "4"]
    assert poor.near_misses == len(page["near_misses"]) >= 1
    assert len(page["stops"]) >= 1


def test_the_evaluation_reads_the_truth(poor: Case) -> None:
    """The truth and the clean log give the same contacts; the collisions give them to a sample."""
    told, computed = (read_truth(path, threshold_cm=100.0) for path in (poor.truth, poor.log))
    assert told.contacts == computed.contacts
    assert told.seconds == computed.seconds
    rough = read_truth(poor.collisions, threshold_cm=100.0)
    pairs = {one.objects for one in rough.contacts if len(one.objects) == 2}
    assert {one.objects for one in computed.contacts} <= pairs


def test_what_was_done_is_told(poor: Case) -> None:
    """Noise, gaps and swaps, as they are in the spoiled log."""
    page, log = page_of(poor)["spoils"], read_trajectory(poor.shown)
    clean = read_trajectory(poor.log)
    assert page["noise_cm"] == 25.0
    assert page["rate_hz"] is None
    assert len(page["swaps"]) == 1
    assert 1 <= len(page["occlusions"]) <= 2
    for gone in page["occlusions"]:
        start_us, end_us = (micros(dt.datetime.fromisoformat(gone[key])) for key in ("start_at", "end_at"))
        at_us = log.tracks[gone["objid"]].at_us
        assert not ((at_us >= start_us + 1000) & (at_us < end_us - 1000)).any()
        assert gone["back_as"] in log.objids
    missing = sum(len(t.at_us) for t in clean.tracks.values()) - sum(
        len(t.at_us) for t in log.tracks.values()
    )
    assert missing > 0


def test_contacts_name_whom_the_spoiled_log_shows(poor: Case) -> None:
    """Rows of the stated labels lie within noise of the clean places at the closest instant; null has no row."""
    page, log, clean = page_of(poor), read_trajectory(poor.shown), read_trajectory(poor.log)
    for row in page["contacts"]:
        at_us = np.array([micros(dt.datetime.fromisoformat(row["closest_at"]))])
        for label, name in zip(row["objects"], row["shown"], strict=True):
            if name is None:
                continue
            there = clean.tracks[clean.objid_of(label) or ""].places_at(at_us)[0]
            seen = log.tracks[log.objid_of(name) or ""].places_at(at_us)[0]
            assert np.abs(seen - there).max() < 5 * 25.0


def test_collisions_are_rows_of_objects_in_contact_and_at_walls(poor: Case) -> None:
    """The predecessors' columns; at each instant of kind object there are at least two, within the threshold."""
    with poor.collisions.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["timestamp", "objid", "x", "y", "z", "kind"]
    assert {row["kind"] for row in rows} <= {"object", "wall"}
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)
    ticks = defaultdict(list)
    for row in rows:
        place = float(row["x"]), float(row["z"])
        if row["kind"] == "object":
            ticks[row["timestamp"]].append(place)
        else:
            width, depth = page_of(poor)["room_cm"]
            assert min(place[0], place[1], width - place[0], depth - place[1]) <= 0.11
    assert ticks
    for places in ticks.values():
        nearest = min(np.hypot(*np.subtract(a, b)) for i, a in enumerate(places) for b in places[:i])
        assert nearest < 110


def test_a_case_comes_again_from_its_seed(tmp_path: Path, poor: Case) -> None:
    """Byte by byte, truth and logs; another seed gives another case."""
    again = draw_case(POOR, 5, tmp_path, "log-000")
    assert again.log.read_bytes() == poor.log.read_bytes()
    assert again.shown.read_bytes() == poor.shown.read_bytes()
    assert again.collisions.read_bytes() == poor.collisions.read_bytes()
    assert page_of(again)["contacts"] == page_of(poor)["contacts"]
    assert draw_case(POOR, 6, tmp_path, "other").log.read_bytes() != poor.log.read_bytes()


def test_a_clean_case_has_no_second_log(tmp_path: Path) -> None:
    """And nothing was done to it."""
    case = draw_case(Scenario(plan=PLAN), 5, tmp_path, "clean")
    assert case.spoiled is None
    assert case.shown == case.log
    assert case.video is None
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".csv", ".json"]
    page = page_of(case)
    assert page["spoils"] == {"noise_cm": 0.0, "rate_hz": None, "occlusions": [], "swaps": []}
    assert all(row["shown"] == row["objects"] for row in page["contacts"])


def test_crossings_are_left_out_where_they_would_take_too_long(meetings: Trajectory) -> None:
    """Said by null, which is not the same as none."""
    plan = Plan(objects=5, duration_s=60.0, contacts=4, near_misses=1)
    assert isinstance(truth(meetings, (), plan, Spoils())["crossings"], list)
    day = replace(meetings, window_us=(meetings.span_us[0], meetings.span_us[0] + 73 * 10**9))
    many = truth(replace(day, tracks={**day.tracks}), (), plan, Spoils())
    assert many["crossings"] is None
