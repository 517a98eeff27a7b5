"""While no VLM can be had motion alone is told of; once it answers, the windows are looked at again, worst first and bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import Basis, Caption, Check, Kind, Phase, Severity, Span
from extension.pipeline.live.lane import Lane
from extension.pipeline.live.look import NOT_CAPTURED, failed
from extension.pipeline.live.notices import FIRST_FAILURE, Notices, next_window
from tests.pipeline.live.yard import Yard, calm, held, lost, moving, open_yard, ranked, shows

PASSING = ("Unreachable", "Timeout", "ServerError", "ViaServerUnavailable")


@dataclass
class Duty:
    """Notices over a yard, a VLM that answers as it is told to, and a ring that forgets."""

    yard: Yard
    notices: Notices
    asked: list[tuple[str, int]] = field(default_factory=list)
    answer: Callable[[Lane, int], Caption] = calm
    gone: set[tuple[str, int]] = field(default_factory=set)

    def take_in(self, caption: Caption, camera: str = "gate") -> None:
        """Judge a window as the watch does."""
        lane = self.yard.lanes[camera]
        self.yard.store.save_captions(lane.job_id, [caption])
        self.notices.heard(caption)
        told = self.notices.of(lane, caption)
        changed = self.yard.register.enter(lane, lambda judge: judge.judge(caption, told))
        if told:
            self.notices.entered(lane, caption, changed)

    def lose(self, *numbers: int, camera: str = "gate", share: float = 0.1) -> None:
        """Windows that fail one after the other while something moves."""
        for number in numbers:
            self.take_in(lost(self.yard.lanes[camera], number, **moving(share)), camera)

    def come_back(self, number: int, camera: str = "gate") -> None:
        """A window that the VLM answers, and in which nothing is wrong."""
        self.take_in(calm(self.yard.lanes[camera], number), camera)

    def look(self, times: int = 10) -> None:
        """So many turns of a looker that has nothing new to look at."""
        for _ in range(times):
            self.notices.look_again()


def _on_duty(yard: Yard) -> Duty:
    duty: Duty

    def look(lane: Lane, number: int) -> Caption:
        duty.asked.append((lane.camera, number))
        return duty.answer(lane, number)

    def recorded(lane: Lane, number: int) -> bool:
        return (lane.camera, number) not in duty.gone

    duty = Duty(yard, Notices(yard.lanes, yard.store, yard.register, look, recorded, yard.judged))
    return duty


@pytest.fixture
def duty(tmp_path: Path) -> Iterator[Duty]:
    """Three cameras, one of which tells of no motion."""
    yard = open_yard(tmp_path, "gate", "hall", "silent", busy_timeout_ms=50)
    yield _on_duty(yard)
    yard.store.close()


@pytest.mark.parametrize("code", PASSING)
def test_motion_that_nobody_could_judge_is_an_unverified_notice(duty: Duty, code: str) -> None:
    """Of the camera, mild, with the times of the window, told at once; its words do not say that anything is wrong."""
    duty.take_in(lost(duty.yard.lanes["gate"], 2, code))
    (notice,) = duty.yard.incidents()
    assert (notice.kind, notice.severity, notice.objects) == (Kind.OTHER, Severity.WARN, ("gate",))
    assert (notice.basis, notice.check, notice.phase) == (Basis.MOTION, Check.UNVERIFIED, Phase.OPEN)
    assert notice.span == Span(10.0, 20.0)
    assert notice.start_at == duty.yard.lanes["gate"].at(10.0)
    assert "gate" in notice.description
    assert "no VLM could judge it" in notice.description
    assert duty.yard.told() == ["opened"]
    assert duty.notices.waiting("gate") == 1
    assert duty.notices.waiting("hall") == 0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"stats": {}}, id="not-measured"),
        pytest.param({"stats": moving(0.0, is_moving=False)}, id="nothing-moved"),
        pytest.param({"stats": {"motion": {"moving": None, "share": None}}}, id="cannot-be-told"),
        pytest.param({"stats": {"motion": "a lot"}}, id="odd"),
    ],
)
def test_without_motion_there_is_no_notice(duty: Duty, change: dict[str, dict[str, object]]) -> None:
    """A failed window is counted as such, and no more is known."""
    caption = replace(lost(duty.yard.lanes["gate"], 0), stats=change["stats"])
    duty.take_in(caption)
    assert duty.yard.incidents() == []


@pytest.mark.parametrize("code", ["Garbled", "NoFrames", "NotCaptured", "Refused", "BadSource"])
def test_a_window_that_failed_for_itself_is_no_notice(duty: Duty, code: str) -> None:
    """The VLM was there."""
    duty.take_in(lost(duty.yard.lanes["gate"], 0, code))
    assert duty.yard.incidents() == []


def test_a_camera_that_did_not_ask_for_notices_gets_none(duty: Duty) -> None:
    """Off unless it is wanted."""
    duty.lose(0, 1, camera="silent")
    assert duty.yard.incidents() == []


def test_a_window_that_was_shed_counts_only_while_the_vlm_is_away(duty: Duty) -> None:
    """A slow VLM is no reason for an alert; one that is gone is."""
    lane = duty.yard.lanes["gate"]
    duty.take_in(lost(lane, 0, "Shed"))
    duty.come_back(1)
    duty.take_in(lost(lane, 2, "Shed"))
    assert duty.yard.incidents() == []
    assert not duty.notices.wants(lane)
    duty.take_in(lost(duty.yard.lanes["hall"], 0, **moving(is_moving=False)), "hall")
    assert duty.notices.wants(lane)
    assert not duty.notices.wants(duty.yard.lanes["silent"])
    duty.take_in(lost(lane, 3, "Shed"))
    assert [incident.basis for incident in duty.yard.incidents()] == [Basis.MOTION]


def test_windows_in_a_row_are_one_incident_told_once(duty: Duty) -> None:
    """Two cameras are two."""
    duty.lose(*range(8))
    duty.lose(*range(3), camera="hall")
    assert sorted(len(incident.event_ids) for incident in duty.yard.incidents()) == [3, 8]
    assert duty.yard.told() == ["opened", "opened"]


def test_nobody_looks_while_the_vlm_is_away(duty: Duty) -> None:
    """Nor before it is known to be there."""
    duty.look()
    duty.lose(0, 1)
    duty.look()
    assert duty.asked == []


def test_what_the_later_look_shows_edits_the_notice(duty: Duty) -> None:
    """One incident from the first notice to the fall, told as an update; the record says why there was no answer at first."""
    duty.lose(0, 1)
    (notice,) = duty.yard.incidents()
    duty.come_back(5, "hall")
    duty.answer = lambda lane, number: shows(lane, number, Kind.FALL)
    duty.look()
    (fall,) = duty.yard.incidents()
    assert (fall.id, fall.kind, fall.severity) == (notice.id, Kind.FALL, Severity.DANGER)
    assert (fall.basis, fall.check, fall.description) == (Basis.VLM, Check.CONFIRMED, "A fall.")
    assert duty.yard.told() == ["opened", "updated"]
    assert duty.notices.waiting("gate") == 0
    assert fall in duty.yard.changed, "evidence is made of what it is now"
    record = duty.yard.store.captions(duty.yard.lanes["gate"].job_id, 1, 1)[0]
    assert record.verdict is not None
    assert record.stats[FIRST_FAILURE] == {"code": "Unreachable", "message": "the VLM does not answer"}
    assert record.stats["motion"] == moving()["motion"]


def test_motion_that_was_nothing_is_withdrawn(duty: Duty) -> None:
    """The same incident, resolved."""
    duty.lose(0, 1)
    duty.come_back(5, "hall")
    duty.look()
    (notice,) = duty.yard.incidents()
    assert (notice.check, notice.phase, notice.basis) == (Check.WITHDRAWN, Phase.RESOLVED, Basis.MOTION)
    assert "saw nothing wrong." in notice.description
    assert duty.yard.told() == ["opened", "resolved"]
    assert duty.asked == [("gate", 1), ("gate", 0)]
    duty.look()
    assert len(duty.asked) == 2, "once"


def test_the_windows_with_most_motion_are_looked_at_and_no_more_than_three(duty: Duty) -> None:
    """What overlaps them comes after what shows something else; the incident says how many of them were looked at."""
    for number, share in enumerate([0.1, 0.2, 0.9, 0.8, 0.3, 0.05, 0.4]):
        duty.lose(number, share=share)
    duty.come_back(7)
    duty.look()
    assert duty.asked == [("gate", 2), ("gate", 6), ("gate", 4)]
    (notice,) = duty.yard.incidents()
    assert notice.check is Check.WITHDRAWN
    assert "3 of 7 windows" in notice.description


def test_the_newest_notice_comes_first(duty: Duty) -> None:
    """Whichever camera it is of: somebody may still be helped."""
    duty.lose(0)
    duty.lose(20, camera="hall")
    duty.lose(30)
    duty.come_back(40)
    duty.look(3)
    assert duty.asked == [("gate", 30), ("hall", 20), ("gate", 0)]


def test_one_turn_looks_at_one_window(duty: Duty) -> None:
    """New windows come in between."""
    duty.lose(0, 1, 2)
    duty.come_back(3)
    for number in (1, 2, 3):
        duty.notices.look_again()
        assert len(duty.asked) == number


def test_two_lookers_are_not_at_it_together(duty: Duty) -> None:
    """While one looks the other goes on with what is new."""
    duty.lose(0, 1)
    duty.come_back(2)
    began, may_end = threading.Event(), threading.Event()

    def slow(lane: Lane, number: int) -> Caption:
        began.set()
        assert may_end.wait(10)
        return calm(lane, number)

    duty.answer = slow
    looker = threading.Thread(target=duty.notices.look_again)
    looker.start()
    assert began.wait(10)
    duty.notices.look_again()
    may_end.set()
    looker.join(10)
    assert len(duty.asked) == 1


def test_the_next_window_may_answer_before_the_notice_is_looked_at(duty: Duty) -> None:
    """It overlaps the last one that was lost and shows the fall: one incident; the look at the rest adds to it, and doubles nothing."""
    duty.lose(0, 1)
    (notice,) = duty.yard.incidents()
    duty.take_in(shows(duty.yard.lanes["gate"], 2, Kind.FALL, at_s=3.0))
    assert [(i.id, i.check) for i in duty.yard.incidents()] == [(notice.id, Check.CONFIRMED)]
    duty.answer = lambda lane, number: shows(lane, number, Kind.FALL, at_s=8.0)
    duty.look()
    assert [i.id for i in duty.yard.incidents()] == [notice.id]
    assert duty.yard.told() == ["opened", "updated"]
    assert duty.asked == [("gate", 1), ("gate", 0)]
    assert duty.yard.incidents()[0].span == Span(8.0, 14.0), "the look back found when it began"


def test_the_later_window_that_shows_it_too_adds_to_the_edited_incident(duty: Duty) -> None:
    """Whichever comes first."""
    duty.lose(0, 1)
    duty.come_back(9, "hall")
    duty.answer = lambda lane, number: shows(lane, number, Kind.FALL, at_s=8.0)
    duty.notices.look_again()
    duty.take_in(shows(duty.yard.lanes["gate"], 2, Kind.FALL, at_s=3.5))
    assert len(duty.yard.incidents()) == 1
    assert duty.yard.told() == ["opened", "updated"]


def test_what_an_open_incident_tells_already_ends_the_notice(duty: Duty) -> None:
    """The person still lies there: the fall goes on, and the notice says that it was told elsewhere."""
    gate = duty.yard.lanes["gate"]
    duty.take_in(shows(gate, 0, Kind.FALL, at_s=8.0))
    duty.lose(1)
    duty.come_back(9, "hall")
    duty.answer = lambda lane, number: shows(lane, number, Kind.FALL, at_s=5.0)
    duty.look()
    fall, notice = sorted(duty.yard.incidents(), key=lambda incident: incident.basis is Basis.MOTION)
    assert (fall.kind, fall.phase, fall.span) == (Kind.FALL, Phase.OPEN, Span(8.0, 11.0))
    assert (notice.basis, notice.check, notice.phase) == (Basis.MOTION, Check.CONFIRMED, Phase.RESOLVED)
    assert "another incident" in notice.description


def test_what_is_still_to_be_looked_at_holds_what_it_may_belong_to(duty: Duty) -> None:
    """The outage was long ago: the fall from before it does not end, and is not told anew, before all is looked at."""
    gate = duty.yard.lanes["gate"]
    duty.take_in(shows(gate, 0, Kind.FALL, at_s=8.0))
    duty.lose(1, 2, 3, 8)
    for number in range(60, 64):
        duty.come_back(number)
    assert duty.yard.told() == ["opened"] * 3, "nothing has ended"
    seen = {1: (Kind.FALL, 5.0), 2: (Kind.FALL, 0.0), 8: (Kind.FIRE, 4.0)}
    duty.answer = lambda lane, number: (
        shows(lane, number, seen[number][0], at_s=seen[number][1]) if number in seen else calm(lane, number)
    )
    for number in range(64, 70):
        duty.notices.look_again()
        duty.come_back(number)
    kinds = sorted((i.kind, i.phase, i.check) for i in duty.yard.incidents())
    assert kinds == [
        (Kind.FALL, Phase.RESOLVED, Check.ONCE),
        (Kind.FIRE, Phase.RESOLVED, Check.CONFIRMED),
        (Kind.OTHER, Phase.RESOLVED, Check.CONFIRMED),
    ]
    fall = next(i for i in duty.yard.incidents() if i.kind is Kind.FALL)
    assert fall.span == Span(8.0, 11.0)
    assert gate.judge.held == frozenset()


def test_of_two_things_in_one_window_the_worse_takes_the_notice(duty: Duty) -> None:
    """The other one is an incident of its own."""
    duty.lose(0)
    (notice,) = duty.yard.incidents()
    duty.come_back(9, "hall")
    duty.answer = lambda lane, number: ranked(
        shows(lane, number, Kind.SPILL, Kind.FIRE), [Severity.WARN, Severity.EXTREME]
    )
    duty.look()
    kinds = {incident.kind: incident.id for incident in duty.yard.incidents()}
    assert kinds[Kind.FIRE] == notice.id
    assert set(kinds) == {Kind.FIRE, Kind.SPILL}


def test_windows_whose_recording_is_gone_are_let_go(duty: Duty) -> None:
    """What is left of the notice is looked at."""
    duty.lose(0, 1, 2)
    duty.gone |= {("gate", 0), ("gate", 1)}
    duty.come_back(9, "hall")
    duty.look()
    assert duty.asked == [("gate", 2)]
    (notice,) = duty.yard.incidents()
    assert "1 of 3 windows" in notice.description


def test_a_notice_whose_recording_is_gone_stays_unverified(duty: Duty) -> None:
    """Resolved, for nobody can look any more; also while the VLM is still away."""
    duty.lose(0, 1)
    duty.gone |= {("gate", 0), ("gate", 1)}
    duty.look()
    (notice,) = duty.yard.incidents()
    assert (notice.check, notice.phase) == (Check.UNVERIFIED, Phase.RESOLVED)
    assert "the recording was gone" in notice.description
    assert duty.yard.told() == ["opened", "resolved"]
    assert duty.notices.waiting("gate") == 0


def test_a_look_that_cannot_be_read_is_not_calm(duty: Duty) -> None:
    """The notice ends unverified, with the failure's name; the record keeps both failures."""
    duty.lose(0)
    duty.come_back(9, "hall")
    duty.answer = lambda lane, number: failed(lane.chunk(number), "Garbled", "no verdict")
    duty.look()
    (notice,) = duty.yard.incidents()
    assert (notice.check, notice.phase) == (Check.UNVERIFIED, Phase.RESOLVED)
    assert "Garbled" in notice.description
    record = duty.yard.store.captions(duty.yard.lanes["gate"].job_id, 0, 1)[0]
    assert record.failure is not None
    assert (record.failure.code, record.stats[FIRST_FAILURE]["code"]) == ("Garbled", "Unreachable")


def test_a_vlm_that_goes_away_again_is_waited_for(duty: Duty) -> None:
    """The look that it broke off is not counted; it is repeated when it is back."""
    duty.lose(0)
    duty.come_back(9, "hall")
    duty.answer = lost
    duty.look(5)
    assert duty.asked == [("gate", 0)], "nobody looks while it is away"
    assert [i.check for i in duty.yard.incidents()] == [Check.UNVERIFIED]
    duty.come_back(10, "hall")
    duty.answer = calm
    duty.look()
    assert [i.check for i in duty.yard.incidents()] == [Check.WITHDRAWN]


def test_a_window_that_makes_the_vlm_go_away_is_given_up(duty: Duty) -> None:
    """Else it would be asked about for ever, before all others."""
    duty.lose(0)
    duty.answer = lambda lane, number: lost(lane, number, "Timeout")
    for number in range(1, 9):
        duty.come_back(10 + number, "hall")
        duty.look(2)
    assert len(duty.asked) == 3
    (notice,) = duty.yard.incidents()
    assert (notice.check, notice.phase) == (Check.UNVERIFIED, Phase.RESOLVED)
    assert "Timeout" in notice.description


def test_a_ring_that_forgets_during_the_look_is_no_calm(duty: Duty) -> None:
    """Nothing was seen."""
    duty.lose(0)
    duty.come_back(9, "hall")
    duty.answer = lambda lane, number: failed(lane.chunk(number), NOT_CAPTURED, "nothing was recorded")
    duty.look()
    assert [i.check for i in duty.yard.incidents()] == [Check.UNVERIFIED]


def test_a_store_that_is_away_loses_no_look(duty: Duty, tmp_path: Path) -> None:
    """What was seen is stored by the next try, once."""
    duty.lose(0)
    duty.come_back(9, "hall")
    duty.answer = lambda lane, number: shows(lane, number, Kind.FALL)
    with held(tmp_path), pytest.raises(Exception, match="held by another program"):
        duty.notices.look_again()
    assert [i.check for i in duty.yard.incidents()] == [Check.UNVERIFIED]
    duty.look()
    assert [i.check for i in duty.yard.incidents()] == [Check.CONFIRMED]
    assert duty.yard.told() == ["opened", "updated"]


def _restarted(duty: Duty, folder: Path) -> Duty:
    """What a new process finds in the same store, after the old one was killed."""
    duty.yard.store.close()
    again = _on_duty(open_yard(folder, "gate", "hall", "silent"))
    again.answer = duty.answer
    return again


def test_a_notice_survives_a_restart_and_is_confirmed_once(duty: Duty, tmp_path: Path) -> None:
    """Derived from the store: no list of what waits is kept anywhere else."""
    duty.lose(0, 1)
    (notice,) = duty.yard.incidents()
    again = _restarted(duty, tmp_path)
    assert again.notices.waiting("gate") == 1
    again.look()
    assert again.asked == [], "whether there is a VLM has to be seen first"
    again.come_back(9, "hall")
    again.answer = lambda lane, number: shows(lane, number, Kind.FALL, at_s=8.0 if number == 0 else 3.0)
    again.look()
    assert [(i.id, i.check) for i in again.yard.incidents()] == [(notice.id, Check.CONFIRMED)]
    assert again.yard.told() == ["opened", "updated"]
    third = _restarted(again, tmp_path)
    third.come_back(10, "hall")
    third.look()
    assert third.asked == []
    assert third.yard.told() == ["opened", "updated"]
    third.yard.store.close()


def test_looks_from_before_a_restart_count(duty: Duty, tmp_path: Path) -> None:
    """Of three windows two are left, with the motion that they had."""
    for number, share in enumerate([0.2, 0.9, 0.3]):
        duty.lose(number, share=share)
    duty.come_back(9, "hall")
    duty.notices.look_again()
    assert duty.asked == [("gate", 1)]
    again = _restarted(duty, tmp_path)
    again.come_back(10, "hall")
    again.look()
    assert again.asked == [("gate", 2), ("gate", 0)]
    (notice,) = again.yard.incidents()
    assert notice.check is Check.WITHDRAWN
    assert "windows, those" not in notice.description, "all three were looked at"
    again.yard.store.close()


def test_a_kill_between_judgement_and_record_repeats_the_look_and_tells_nothing_twice(
    duty: Duty, tmp_path: Path
) -> None:
    """The fall is stored, its window's new record is not."""
    duty.lose(0)
    gate = duty.yard.lanes["gate"]
    duty.yard.register.enter(gate, lambda judge: judge.judge_again(shows(gate, 0, Kind.FALL)))
    again = _restarted(duty, tmp_path)
    again.come_back(9, "hall")
    again.answer = lambda lane, number: shows(lane, number, Kind.FALL)
    again.look()
    assert [i.check for i in again.yard.incidents()] == [Check.CONFIRMED]
    assert again.yard.told() == ["opened", "updated"]
    again.yard.store.close()


def test_a_second_outage_is_a_second_notice(duty: Duty) -> None:
    """Once the first is settled."""
    duty.lose(0)
    duty.come_back(5)
    duty.look()
    duty.lose(10)
    duty.come_back(15)
    duty.look()
    assert [i.check for i in duty.yard.incidents()] == [Check.WITHDRAWN, Check.WITHDRAWN]
    assert duty.yard.told() == ["opened", "resolved"] * 2


@given(
    st.dictionaries(st.integers(0, 30), st.floats(0, 1), min_size=1),
    st.sets(st.integers(0, 30)),
    st.integers(1, 4),
)
def test_the_next_window_is_the_worst_of_those_that_show_anything_new(
    left: dict[int, float], looked: set[int], apart: int
) -> None:
    """Any, while there is nothing new left."""
    number = next_window(left, looked, apart)
    new = {n for n in left if all(abs(n - other) >= apart for other in looked)}
    assert number in (new or left)
    assert left[number] == max(left[n] for n in (new or left))
