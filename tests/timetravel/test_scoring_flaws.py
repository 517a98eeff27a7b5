"""Every known flaw of the predecessor's score, worked by hand: its figure with the flaw, and ours without.

The letters are those of its list of flaws; GT1 and GT2 are its own lists of true seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from extension.command.evaluation_answers import read_answers
from extension.command.evaluation_content import predecessors_reading
from extension.command.evaluation_inputs import Assigned, Wanted, gather
from extension.command.evaluation_shapes import Origin
from extension.errors import BadInput
from extension.timetravel.evaluation import PredecessorScore, predecessor_score
from extension.timetravel.scoring_runs import BASE_AT, Answers, LogClock, Second, Truth, from_seconds
from extension.timetravel.scoring_summary import RunScore, misfits, score_run, summarise

CLOCK = LogClock(BASE_AT)
GT1 = {
    0: "24", 28: "14", 30: "24", 31: "24", 33: "34", 39: "14", 40: "14",
    41: "13", 42: "13", 51: "24", 54: "23", 56: "12", 57: "12",
}  # fmt: skip
GT2 = {1: "12", 2: "12", 31: "23", 41: "13", 48: "12", 54: "34", 55: "34"}


def seconds(found: Mapping[int, str] | Sequence[tuple[int, str]]) -> tuple[Second, ...]:
    """Whole seconds with objects, from the letters of short strings."""
    pairs = found.items() if isinstance(found, Mapping) else found
    return tuple((second, tuple(objects)) for second, objects in pairs)


def truth(found: Mapping[int, str] | Sequence[tuple[int, str]], name: str = "truth") -> Truth:
    """A truth of a minute, as a list of seconds gives it."""
    return Truth(name, "by hand", from_seconds(seconds(found), CLOCK), seconds(found), CLOCK, duration_s=60.0)


def answers(found: Mapping[int, str] | Sequence[tuple[int, str]], name: str = "answers") -> Answers:
    """One run's answers by whole seconds."""
    return Answers(name, "by hand", "m", "v", name, from_seconds(seconds(found), CLOCK), seconds(found))


def scored(
    said: Mapping[int, str] | Sequence[tuple[int, str]], true: Mapping[int, str] | Sequence[tuple[int, str]]
) -> RunScore:
    """One run scored within a second."""
    return score_run(answers(said), truth(true), speed=1.0)


def raw_file(
    folder: Path, *contents: str, chunk_s: float = 2.0, name: str = "m_video_1_20250101_000000"
) -> Path:
    """A raw answers file whose chunks follow one another."""
    chunks = [
        {"start_time": str(n * chunk_s), "end_time": str((n + 1) * chunk_s), "content": content}
        for n, content in enumerate(contents)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"id": name, "model": "m", "chunk_responses": chunks}), encoding="utf-8")
    return path


def read(path: Path, true: Truth) -> Answers:
    """The one run in a file."""
    (one,) = read_answers(Origin(path, true))
    return one


def test_a_wrong_answer_at_a_true_second_is_a_miss() -> None:
    """(a) Four contacts, one named rightly and three between the wrong objects: recall 1.00 there, 0.25 here."""
    run = scored({5: "12", 15: "13", 25: "14", 35: "34"}, {5: "12", 15: "12", 25: "12", 35: "12"})
    assert run.predecessor == PredecessorScore(1, 3, 0)
    assert run.predecessor.recall == 1.0
    assert run.att.score.recall == 0.25
    assert run.det.score.recall == 1.0
    assert [(m.report.objects, m.truth.objects) for m in run.misnamed] == [
        (("1", "3"), ("1", "2")),
        (("1", "4"), ("1", "2")),
        (("3", "4"), ("1", "2")),
    ]


def test_b_two_contacts_in_one_second_can_be_met() -> None:
    """(b) Both pairs named, each for itself: 0.00 there, 1.00 here; the merged answer its prompt asks for names four pairs too many."""
    both = [(5, "12"), (5, "34")]
    right = scored(both, both)
    assert (right.predecessor.f1, right.att.score.f1) == (0.0, 1.0)
    lumped = scored([(5, "1234")], both)
    assert lumped.predecessor.f1 == 1.0
    assert (lumped.att.score.precision, lumped.att.score.recall) == (2 / 6, 1.0)


def test_c_one_second_off_is_within_the_tolerance() -> None:
    """(c) A second late: a miss and a false alarm there; here that is what the strict figure says, beside the tolerant one."""
    run = scored({29: "14"}, {28: "14"})
    assert run.predecessor == PredecessorScore(0, 1, 1)
    assert (run.att.score.f1, run.strict_att.f1) == (1.0, 0.0)
    assert [match.onset_error_s for match in run.att.matches] == [1.0]
    assert scored({30: "14"}, {28: "14"}).att.score.f1 == 0.0


def test_d_a_contact_counts_once_however_long() -> None:
    """(d) GT1 has 13 seconds but 9 contacts; losing its four contacts of two seconds costs 8 of 13 there, 4 of 9 here."""
    short = {second: pair for second, pair in GT1.items() if second in (0, 28, 33, 51, 54)}
    run = scored(short, GT1)
    assert (len(run.truth.seconds), len(run.truth.contacts)) == (13, 9)
    assert run.predecessor.recall == round(5 / 13, 2) == 0.38
    assert run.att.score.recall == 5 / 9


def test_e_an_echo_across_a_chunk_border_counts_once(tmp_path: Path) -> None:
    """(e) One contact at the border, told by the chunks on both sides: half of it a false alarm there, one hit here."""
    true = truth({2: "14"})
    found = read(raw_file(tmp_path, '[{"00:00:01": [1, 4]}]', '[{"00:00:02": [1, 4]}]'), true)
    run = score_run(found, true, speed=1.0)
    assert run.predecessor.precision == 0.5
    assert (run.att.score.precision, len(found.reports)) == (1.0, 1)


def test_e_the_same_pair_nine_times_is_one_report() -> None:
    """One of its files names the same pair nine times."""
    run = scored([(28, "14")] * 9, {28: "14"})
    assert (run.att.score.matched, run.att.score.false_alarms) == (1, 0)


@pytest.mark.parametrize(
    ("content", "skipped", "contacts", "failed"),
    [
        pytest.param('```json\n[{"00:00:01": [1, 4]}]\n```', False, 1, 0, id="json-fence"),
        pytest.param('[{"00:00:01": [1, 4]}]', False, 1, 0, id="bare-list"),
        pytest.param('```\n[{"00:00:01": [1, 4]}]\n```', True, 1, 0, id="another-fence"),
        pytest.param('Here they are: [{"00:00:01": [1, 4]}]', True, 1, 0, id="a-list-in-prose"),
        pytest.param('{"00:00:01": [1, 4]}', True, 1, 0, id="no-list-around"),
        pytest.param("[{'00:00:01': [1, 4]}]", True, 1, 0, id="single-quotes"),
        pytest.param('<think>hm</think>[{"00:00:01": [1, 4]}]', True, 1, 0, id="after-reasoning"),
        pytest.param("At 00:00:01 objects 1 and 4 overlap.", True, 0, 1, id="prose"),
        pytest.param('[{"00:00:01": [1, 4', True, 0, 1, id="cut-off"),
        pytest.param("", True, 0, 1, id="empty"),
        pytest.param("[]", True, 0, 0, id="nothing-happened"),
    ],
)
def test_f_no_answer_is_skipped_in_silence(
    tmp_path: Path, content: str, *, skipped: bool, contacts: int, failed: int
) -> None:
    """(f) Its reader takes a json fence or a bare list; the rest reads as calm. Here it is read, or counted as a failure."""
    assert (predecessors_reading(content) == ()) is skipped
    found = read(raw_file(tmp_path, content), truth({1: "14"}))
    assert (len(found.reports), len(found.unread)) == (contacts, failed)
    assert bool(found.warnings) is (skipped and contacts > 0)


def test_g_answers_are_found_where_they_are(tmp_path: Path) -> None:
    """(g) Its evaluation looks into outputs/ while its client writes to vlm_outputs/: no file, no word. Here an empty folder is an error."""
    raw_file(tmp_path / "vlm_outputs", '[{"00:00:01": [1, 4]}]')
    (tmp_path / "outputs").mkdir()
    assert list((tmp_path / "outputs").glob("*.json")) == []
    wanted = Wanted(((None, tmp_path),), 100.0, CLOCK.tz, 1.0)
    (run,) = gather(wanted, Assigned(truth({1: "14"}), 1.0)).runs
    assert run.att.score.f1 == 1.0
    nowhere = Wanted(((None, tmp_path / "outputs"),), 100.0, CLOCK.tz, 1.0)
    with pytest.raises(BadInput, match="outputs: the folder holds no"):
        gather(nowhere, Assigned(truth({1: "14"}), 1.0))


def test_h_whether_second_0_is_true_does_not_hang_on_a_list() -> None:
    """(h) With 12 or with 13 true seconds the same answers score 1.00 or 0.96 there; here the number of contacts stands beside the figure."""
    twelve = {second: pair for second, pair in GT1.items() if second}
    assert predecessor_score(seconds(twelve), seconds(twelve)).f1 == 1.0
    assert predecessor_score(seconds(twelve), seconds(GT1)).f1 == 0.96
    run = scored(twelve, GT1)
    assert (run.att.score.matched, run.att.score.missed) == (8, 1)
    assert [one.objects for one in run.att.missed] == [("2", "4")]


def test_i_answers_that_fit_another_truth_are_noticed() -> None:
    """(i) Answers to a video of GT2 scored by GT1 have F1 0.11 there, without a word; here the truth that fits is named."""
    first, second = truth(GT1, "gt1.json"), truth(GT2, "gt2.json")
    run = score_run(answers(GT2, "video_29"), first, speed=1.0)
    assert run.predecessor.f1 == 0.11
    (note,) = misfits([run], [first, second])
    assert note.startswith("video_29: gt2.json fits better (F1 1.00) than its own truth gt1.json")
    assert misfits([score_run(answers(GT1), first, speed=1.0)], [first, second]) == ()


def test_j_sums_are_not_means_of_rounded_numbers() -> None:
    """(j) A perfect run over one contact and a deaf one over nine: 0.50 there; here 0.18 of the sums, the mean with its spread, and two runs."""
    runs = [scored({5: "12"}, {5: "12"}), scored({}, GT1)]
    group = summarise("m", runs, seed=1)
    assert group.predecessor_published_f1 == 0.5
    assert group.att.score.f1 == 2 / 11
    spread = group.att.f1_runs
    assert (spread.runs, spread.mean, spread.least, spread.most) == (2, 0.5, 0.0, 1.0)
    assert spread.deviation == pytest.approx(0.5**0.5)
    assert group.att.f1_ci is not None
    assert group.att.f1_ci.low < 2 / 11 < group.att.f1_ci.high


def test_j_rounding_each_run_first_moves_the_mean() -> None:
    """Three runs of F1 2/3 are 0.67 each there; here 0.666… stays."""
    group = summarise("m", [scored({5: "12", 9: "13", 20: "14"}, {5: "12", 9: "13", 30: "14"})] * 3, seed=1)
    assert group.predecessor_published_f1 == 0.67
    assert group.att.f1_runs.mean == pytest.approx(2 / 3, abs=1e-12)


@pytest.mark.parametrize("ids", ['["1", "4"]', "[1, 4]", '["obj001", "obj004"]', '["Object 4", "01"]'])
def test_ids_may_be_text(tmp_path: Path, ids: str) -> None:
    """Text as ids stops the predecessor's writer; every spelling is the same object here."""
    found = read(raw_file(tmp_path, f'[{{"00:00:01": {ids}}}]'), truth({1: "14"}))
    assert found.reports[0].objects == ("1", "4")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        pytest.param('{"00:75:00": [1, 4]}', "not a time", id="no-such-minute"),
        pytest.param('{"28": [1, 4]}', "not a time", id="a-bare-number"),
        pytest.param('{"00:00:01": "1 and 4"}', "not a list", id="text-for-objects"),
        pytest.param('{"00:00:01": [1, [4]]}', "mixed", id="objects-and-groups"),
        pytest.param('{"00:00:01": [1, null]}', "not an object", id="null-for-an-object"),
        pytest.param('"00:00:01"', "not a time with its objects", id="no-entry"),
    ],
)
def test_a_bad_entry_is_named_and_costs_only_itself(tmp_path: Path, entry: str, reason: str) -> None:
    """The predecessor checks no time; here the entry is a failure and its neighbours count."""
    found = read(raw_file(tmp_path, f'[{entry}, {{"00:00:01": [1, 4]}}]'), truth({1: "14"}))
    assert len(found.reports) == 1
    (unread,) = found.unread
    assert unread.where == "chunk at 0 s"
    assert reason in unread.reason


def test_events_are_in_the_order_of_time(tmp_path: Path) -> None:
    """Not in that of chunks."""
    found = read(raw_file(tmp_path, '[{"00:00:09": [1, 2]}]', '[{"00:00:03": [1, 2]}]'), truth({}))
    assert [report.start_s for report in found.reports] == [3.0, 9.0]


def test_an_event_list_of_single_objects_says_so(tmp_path: Path) -> None:
    """The predecessor's keeps the first object of the first group: time can be scored, objects cannot."""
    path = tmp_path / "m_video_1_20250101_000000_eventlist.jsonl"
    line: dict[str, Any] = {"timestamp": "2025-01-01 00:00:28.000", "objid": "obj001", "position": None}
    path.write_text(json.dumps(line) + "\n")
    run = score_run(read(path, truth({28: "14"})), truth({28: "14"}), speed=1.0)
    assert (run.det.score.f1, run.att.score.f1) == (1.0, 0.0)
    assert "cannot be attributed" in run.answers.warnings[0] or "not attributed" in run.answers.warnings[0]


def test_the_constant_date_is_seen_through(tmp_path: Path) -> None:
    """Its files say 2025-01-01 whatever the log says: compared by time of day, with a word about it."""
    july = LogClock(BASE_AT.replace(month=7))
    true = Truth(
        "july", "", from_seconds(seconds({28: "14"}), july), seconds({28: "14"}), july, duration_s=60.0
    )
    path = tmp_path / "m_video_1_20250101_000000_intermediate.jsonl"
    path.write_text('{"2025-01-01 00:00:28.000": [["obj001", "obj004"]]}\n')
    found = read(path, true)
    assert score_run(found, true, speed=1.0).att.score.f1 == 1.0
    assert found.warnings == (
        "every date is 2025-01-01 while the log is of 2025-07-01: compared by time of day",
    )
