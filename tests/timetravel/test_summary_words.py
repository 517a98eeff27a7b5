"""The written summary: short, correct sentences in both languages, and nothing said that is not known."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import JobStatus, Kind, Position, Severity, Span
from extension.timetravel import summary_english as english
from extension.timetravel import summary_korean as korean
from extension.timetravel.summary import Summary
from extension.timetravel.summary_text import MOST_LINES, media_time, plain, spans_text
from extension.timetravel.summary_tongues import Language, tongue
from tests.timetravel.summary_samples import SEOUL, anchored, at, incident, log, summary_of

PLACE = (Position("obj001", 420.0, 0.0, -2130.0),)


def busy() -> Summary:
    """Two collisions of 1 and 2 and a near miss of 1 and 3, with a chunk that nobody could judge."""
    return summary_of(
        [
            anchored(0, 9.5, 10.5),
            anchored(1, 29.5, 30.5, severity=Severity.WARN),
            anchored(2, 50, 51, objects=("1", "3"), kind=Kind.NEAR_MISS, severity=Severity.WARN),
        ],
        failed=[3],
        trajectory=log(),
    )


def test_english_says_what_there_is_to_say() -> None:
    """Word by word."""
    written = english.write(busy())
    assert written.title == "Summary of yard.mp4"
    assert written.sentences == (
        "3 moments were found: 2 collisions and 1 near miss (1 danger and 2 warning).",
        (
            "29 of 30 chunks were looked at and judged (1:00.0 of video). The video shows 2025-01-01 00:00:00 to 00:01:00 (UTC). "
            "1 chunk could not be judged (VlmGarbled 1): what happened from 0:06.0 to 0:08.0 is not known."
        ),
        (
            "The worst is No. 1 (danger). At 00:00:09, objects 1 and 2 collided, 40 cm between their centres. "
            "The worst has the highest severity; of equals, the smallest distance, then the longest, then the first."
        ),
        "Object 1 took part most often (3 times). Objects 1 and 2 met most often (2 times).",
    )
    assert written.lines[0] == (
        1,
        "00:00:09: collision of 1 and 2, 40 cm apart, at x 2.0 m, z 0.0 m, danger, video 0:09.5",
    )


def test_korean_says_the_same() -> None:
    """Word by word, with the particles that the words ask for."""
    written = korean.write(busy())
    assert written.title == "yard.mp4 요약"
    assert written.sentences == (
        "장면 3건을 찾았습니다: 충돌 2건, 아차사고 1건(위험 1건, 주의 2건).",
        (
            "청크 30개 중 29개를 살펴보고 판정했습니다(영상 길이 1:00.0). "
            "영상은 2025-01-01 00:00:00부터 00:01:00까지를 보여 줍니다(UTC). "
            "청크 1개는 판정하지 못했습니다(VlmGarbled 1개). 0:06.0~0:08.0 구간에 무슨 일이 있었는지는 알 수 없습니다."
        ),
        (
            "가장 심각한 것은 1번째 장면입니다(위험). 00:00:09에 1번과 2번이 충돌했습니다(중심 간 거리 40cm). "
            "심각도가 높은 순서로 고르며, 같으면 더 가까운 것, 더 긴 것, 더 먼저 일어난 것을 앞에 둡니다."
        ),
        "1번이 가장 자주 관련되었습니다(3건). 1번과 2번이 가장 자주 만났습니다(2건).",
    )
    assert written.lines[0] == (
        1,
        "00:00:09: 1번과 2번 충돌, 거리 40cm, 위치 x 2.0m, z 0.0m, 위험, 영상 0:09.5",
    )


def test_captions_are_a_few_words() -> None:
    """Which of how many, when, who, how near."""
    summary = busy()
    assert english.caption(summary, summary.moments[0]) == "1/3 · 00:00:09 · 1 and 2 · 40 cm"
    assert korean.caption(summary, summary.moments[0]) == "1/3 · 00:00:09 · 1번과 2번 · 40cm"
    miss = summary.moments[2]
    assert english.caption(summary, miss).endswith("cm · near miss")
    assert korean.caption(summary, miss).endswith("cm · 아차사고")


@pytest.mark.parametrize(
    ("changes", "in_english", "in_korean"),
    [
        pytest.param(
            {"kind": Kind.FALL, "objects": ("worker",)},
            "At 0:10.0, worker fell.",
            "0:10.0에 worker가(이) 넘어졌습니다.",
            id="a-fall",
        ),
        pytest.param(
            {"kind": Kind.FIRE, "objects": ()},
            "At 0:10.0 there was a fire.",
            "0:10.0에 화재가 있었습니다.",
            id="a-fire",
        ),
        pytest.param(
            {"kind": Kind.INTRUSION, "objects": ("7",)},
            "At 0:10.0 there was an intrusion (7).",
            "0:10.0에 침입이 있었습니다(관련: 7번).",
            id="an-intrusion",
        ),
        pytest.param(
            {"kind": Kind.NEAR_MISS, "objects": ("1", "2", "4")},
            "At 0:10.0, objects 1, 2 and 4 nearly collided.",
            "0:10.0에 1번, 2번과 4번이 부딪칠 뻔했습니다.",
            id="a-near-miss-of-three",
        ),
        pytest.param(
            {"kind": Kind.COLLISION, "objects": ("1",)},
            "At 0:10.0 there was a collision (1).",
            "0:10.0에 충돌이 있었습니다(관련: 1번).",
            id="a-collision-of-one",
        ),
        pytest.param(
            {"kind": Kind.COLLISION, "objects": ("지게차", "작업자")},
            "At 0:10.0, 작업자 and 지게차 collided.",
            "0:10.0에 작업자와 지게차가 충돌했습니다.",
            id="names-in-korean",
        ),
        pytest.param(
            {"clock": "00:00:28"},
            "At 00:00:28, objects 1 and 2 collided.",
            "00:00:28에 1번과 2번이 충돌했습니다.",
            id="the-clock-in-the-picture",
        ),
    ],
)
def test_a_moment_is_a_sentence(changes: dict[str, object], in_english: str, in_korean: str) -> None:
    """Whatever its kind, and however many took part."""
    summary = summary_of([incident(**changes)])  # type: ignore[arg-type]  # tests change any field
    assert english.sentence(summary, summary.moments[0]) == in_english
    assert korean.sentence(summary, summary.moments[0]) == in_korean


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", list(Language))
def test_every_kind_can_be_told(kind: Kind, language: Language) -> None:
    """Alone, in a row, in a caption; and no name of the program's own shows."""
    summary = summary_of([incident(n, 10 + n, 11 + n, kind=kind) for n in range(2)])
    words = tongue(language)
    said = [words.sentence(summary, summary.moments[0]), words.caption(summary, summary.moments[0])]
    said += words.write(summary).sentences
    assert all(said)
    assert "near_miss" not in " ".join(said)


@pytest.mark.parametrize(
    ("word", "subject", "together"),
    [
        ("1번", "1번이", "1번과"),
        ("작업자", "작업자가", "작업자와"),
        ("트럭", "트럭이", "트럭과"),
        ("obj001", "obj001이", "obj001과"),
        ("obj002", "obj002가", "obj002와"),
        ("obj013", "obj013이", "obj013과"),
        ("obj004", "obj004가", "obj004와"),
        ("obj005", "obj005가", "obj005와"),
        ("obj006", "obj006이", "obj006과"),
        ("obj017", "obj017이", "obj017과"),
        ("obj008", "obj008이", "obj008과"),
        ("obj009", "obj009가", "obj009와"),
        ("obj010", "obj010이", "obj010과"),
        ("A", "A가", "A와"),
        ("M", "M이", "M과"),
        ("L", "L이", "L과"),
        ("forklift", "forklift가(이)", "forklift와(과)"),
        ("", "가(이)", "와(과)"),
    ],
)
def test_korean_particles_follow_the_sound(word: str, subject: str, together: str) -> None:
    """After a final consonant one form, after a vowel the other; digits and letters as they are read aloud."""
    assert korean.with_particle(word, korean.SUBJECT) == subject
    assert korean.with_particle(word, korean.AND) == together


@given(st.integers(0xAC00, 0xD7A3))
def test_every_syllable_takes_the_right_topic_particle(code: int) -> None:
    """A syllable ends in a consonant exactly when its place in the row of 28 is not the first."""
    syllable = chr(code)
    expected = "은" if (code - 0xAC00) % 28 else "는"
    assert korean.with_particle(syllable, korean.TOPIC) == syllable + expected


@pytest.mark.parametrize("module", [english, korean], ids=["en", "ko"])
def test_names_in_a_row(module: object) -> None:
    """None, one, two, three."""
    rows = {
        english: ["", "1", "1 and 2", "1, 2 and 4"],
        korean: ["", "1번", "1번과 2번", "1번, 2번과 4번"],
    }[module]  # type: ignore[index]  # modules are keys here
    names = [(), ("1",), ("1", "2"), ("1", "2", "4")]
    assert [module.together(each) for each in names] == rows  # type: ignore[attr-defined]  # either module has it


@pytest.mark.parametrize(
    ("changes", "asked", "failed", "in_english", "in_korean"),
    [
        pytest.param({}, 30, [], "Nothing was found.", "아무 일도 찾지 못했습니다.", id="all-judged"),
        pytest.param(
            {},
            30,
            [3],
            "Nothing was found in the chunks that were judged.",
            "판정한 청크에서는 아무 일도 찾지 못했습니다.",
            id="one-failed",
        ),
        pytest.param(
            {},
            20,
            [],
            "Nothing was found in the chunks that were judged.",
            "판정한 청크에서는 아무 일도 찾지 못했습니다.",
            id="some-not-asked",
        ),
        pytest.param(
            {},
            30,
            range(30),
            "Nothing is known about this video: no chunk of it was judged.",
            "판정한 청크가 하나도 없어, 이 영상에서 무슨 일이 있었는지 알 수 없습니다.",
            id="all-failed",
        ),
        pytest.param(
            {"status": JobStatus.RUNNING},
            10,
            [],
            "Nothing has been found so far.",
            "지금까지 찾은 장면이 없습니다.",
            id="under-way",
        ),
    ],
)
def test_no_moment_is_calm_only_when_all_was_judged(
    changes: dict[str, object], asked: int, failed: list[int], in_english: str, in_korean: str
) -> None:
    """What failed or was not asked about is never calm."""
    summary = summary_of([], failed, asked=asked, **changes)  # type: ignore[arg-type]  # tests change any field
    assert english.write(summary).sentences[0] == in_english
    assert korean.write(summary).sentences[0] == in_korean
    assert english.write(summary).lines == ()


def test_a_log_that_was_searched_is_a_look_too() -> None:
    """Without the VLM, the coordinates tell that nothing happened."""
    summary = summary_of([], asked=0, trajectory=log(meetings=()))
    first, second = english.write(summary).sentences
    assert first == "Nothing was found."
    assert (
        "30 chunks were not shown to the VLM (from 0:00.0 to 1:00.0); the log's coordinates were searched there."
        in second
    )
    assert "이 구간에서는 로그의 좌표를 검사했습니다." in korean.write(summary).sentences[1]


def test_a_job_under_way_says_what_is_still_to_come() -> None:
    """In both languages."""
    summary = summary_of([incident()], asked=29, status=JobStatus.RUNNING)
    assert "1 collision was found so far (1 danger)." in english.write(summary).sentences
    assert "1 chunk is still to be looked at (from 0:58.0 to 1:00.0)." in english.write(summary).sentences[1]
    assert korean.write(summary).sentences[0] == "지금까지 충돌 1건을 찾았습니다(위험 1건)."
    assert "청크 1개는 아직 살펴보지 않았습니다(0:58.0~1:00.0 구간)." in korean.write(summary).sentences[1]


def test_a_video_that_was_not_opened_says_so() -> None:
    """Instead of counting nothing."""
    summary = summary_of([], asked=0, media_s=None, chunk_count=None, status=JobStatus.QUEUED)
    assert english.write(summary).sentences[1] == "The video has not been opened yet."
    assert korean.write(summary).sentences[1] == "아직 영상을 열지 않았습니다."


def test_a_video_of_parts_is_not_said_to_show_everything() -> None:
    """In both languages."""
    whole = summary_of([], trajectory=log())
    parts = dataclasses.replace(whole, coverage=dataclasses.replace(whole.coverage, parts=7))
    assert (
        "The video shows 7 parts of the time from 2025-01-01 00:00:00 to 00:01:00 (UTC)."
        in (english.write(parts).sentences[1])
    )
    assert (
        "영상은 2025-01-01 00:00:00부터 00:01:00까지 중 7개 부분을 보여 줍니다(UTC)."
        in korean.write(parts).sentences[1]
    )


def test_one_chunk_is_not_all_chunks() -> None:
    """Grammar of one."""
    summary = summary_of([], asked=1, media_s=2.0, chunk_count=1)
    assert english.write(summary).sentences[1] == "1 of 1 chunk was looked at and judged (0:02.0 of video)."
    assert korean.write(summary).sentences[1] == "청크 1개를 모두 살펴보고 판정했습니다(영상 길이 0:02.0)."


def test_many_failures_are_named_by_span_and_counted() -> None:
    """Neighbours are one span; after five spans the rest is a number."""
    summary = summary_of([], failed=[0, 1, 2, 5, 8, 11, 14, 17, 20])
    said = english.write(summary).sentences[1]
    assert "9 chunks could not be judged (VlmGarbled 9)" in said
    assert "from 0:00.0 to 0:06.0" in said
    assert "and in 2 more spans is not known" in said
    assert "외 2개 구간에" in korean.write(summary).sentences[1]


def test_a_single_moment_is_told_not_ranked() -> None:
    """Of one, nothing is the worst."""
    summary = summary_of([incident()])
    text = english.write(summary).markdown()
    assert "worst" not in text
    assert "At 0:10.0, objects 1 and 2 collided." in text
    assert "가장 심각한" not in korean.write(summary).markdown()


def test_times_are_told_in_the_jobs_zone() -> None:
    """Nine hours on in Seoul, and the zone is named."""
    summary = summary_of([anchored(0, 28, 29)], trajectory=log(), tz=SEOUL)
    written = english.write(summary)
    assert "The video shows 2025-01-01 09:00:00 to 09:01:00 (Asia/Seoul)." in written.sentences[1]
    assert written.lines[0][1].startswith("09:00:28: collision")


def test_dates_are_told_where_a_summary_touches_several_days() -> None:
    """A clock alone would be ambiguous."""
    days = [anchored(0, 10, 11), anchored(1, 20, 21, objects=("1", "3"))]
    moved = [*days, incident(2, 40, 41, start_at=at(90_000), end_at=at(90_001))]
    lines = [line for _, line in english.write(summary_of(moved)).lines]
    assert lines[0].startswith("2025-01-01 00:00:10: ")
    assert lines[2].startswith("2025-01-02 01:00:00: ")
    assert english.write(summary_of(days)).lines[0][1].startswith("00:00:10: ")


def test_what_the_video_does_not_show_is_marked() -> None:
    """A moment that only the log told lies at an end of the video and has no length."""
    summary = summary_of([anchored(0, 0, 0, span=Span(0.0, 0.0))])
    assert english.write(summary).lines[0][1].endswith("danger, not in the video")
    assert korean.write(summary).lines[0][1].endswith("위험, 영상에는 없음")


def test_what_the_vlm_said_is_told_where_no_distance_is_known() -> None:
    """On one line, not too long."""
    long = "A worker  lies\non the floor. " + "x" * 300
    summary = summary_of([incident(kind=Kind.FALL, objects=("worker",), description=long)])
    line = english.write(summary).lines[0][1]
    assert "A worker lies on the floor." in line
    assert line.endswith("…")
    assert "\n" not in line
    anchored_line = english.write(summary_of([anchored(0, 9, 11, description=long)], trajectory=log())).lines[
        0
    ][1]
    assert "worker" not in anchored_line


def test_hot_spots_and_busy_minutes_are_told() -> None:
    """In metres, and by the clock."""
    found = [anchored(n, 5.0 + n, 5.5 + n, positions=PLACE, objects=("1",)) for n in range(3)]
    found += [anchored(3 + n, 70.0 + n, 70.5 + n, objects=("2",)) for n in range(2)]
    summary = summary_of(found, media_s=120.0, chunk_count=60)
    said = " ".join(english.write(summary).sentences)
    assert "Most happened around x 4.2 m, z -21.3 m (3)." in said
    assert "Busiest minutes: 00:00 (3) and 00:01 (2)." in said
    told = " ".join(korean.write(summary).sentences)
    assert "가장 많이 일어난 곳은 x 4.2m, z -21.3m 부근(3건)입니다." in told
    assert "가장 많이 일어난 시각(분)은 00:00(3건), 00:01(2건)입니다." in told


def test_busy_minutes_of_a_video_without_a_clock() -> None:
    """From the first frame."""
    found = [incident(0, 61, 62), incident(1, 65, 66), incident(2, 121, 122)]
    summary = summary_of(found, media_s=180.0, chunk_count=90, asked=90)
    assert "Busiest minute: from 1:00.0 (2)." in english.write(summary).sentences
    assert "가장 많이 일어난 시각(분)은 영상 1:00.0부터 1분(2건)입니다." in korean.write(summary).sentences


def test_a_cut_video_says_so() -> None:
    """How many of how many it shows."""
    summary = summary_of([incident(n, n, n + 0.5) for n in range(12)], most_in_video=5)
    assert "The summary video shows the 5 worst of 12 moments." in english.write(summary).sentences
    assert "요약 영상은 12건 중 가장 심각한 5건을 보여 줍니다." in korean.write(summary).sentences


def test_a_very_long_list_names_the_worst() -> None:
    """With their own numbers, and says that it is cut."""
    many = [
        incident(n, n, n + 0.5, severity=Severity.DANGER if n >= 4000 - MOST_LINES else Severity.WARN)
        for n in range(4000)
    ]
    summary = summary_of(many, media_s=4000.0)
    written = english.write(summary)
    assert written.list_title == "Moments (the 200 worst of 4000)"
    assert [number for number, _ in written.lines] == list(range(4001 - MOST_LINES, 4001))
    assert korean.write(summary).list_title == "장면 (4000건 중 가장 심각한 200건)"


def test_the_page_is_markdown_and_names_stay_text() -> None:
    """What a file name or a VLM says is never markup."""
    hostile = "<img src=x> [a](b) **c** | `d`"
    summary = summary_of([incident(description=hostile, objects=(hostile,))], name=f"{hostile}.mp4")
    for language in Language:
        page = tongue(language).write(summary).markdown()
        assert not re.search(r"(?<!\\)<|(?<!\\)\*\*|(?<!\\)`|(?<!\\)\[", page)
        assert page.startswith("# ")
        assert page.endswith("\n")
        assert "\n1. " in page


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_plain_text_is_one_line_without_markup(text: str) -> None:
    """Every mark that Markdown knows has its backslash; no word is lost."""
    shown = plain(text)
    assert "\n" not in shown
    assert re.sub(r"\\([\\`*_{}\[\]<>#|~&!])", r"\1", shown) == " ".join(text.split())


@given(st.floats(0, 400_000))
def test_a_media_time_reads_back(seconds: float) -> None:
    """To the tenth; no minute has sixty seconds."""
    parts = [float(part) for part in media_time(seconds).split(":")]
    total = 0.0
    for part in parts:
        total = total * 60 + part
    assert abs(total - seconds) <= 0.051
    assert all(part < 60 for part in parts[1:])


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 5)), max_size=20))
def test_spans_in_words_cover_what_they_name(drawn: list[tuple[int, int]]) -> None:
    """Neighbours and overlaps are one; no second is lost."""
    spans = [Span(float(start), float(start + long)) for start, long in drawn]
    told = spans_text(spans)

    def second(text: str) -> int:
        minutes, seconds = text.split(":")
        return round(int(minutes) * 60 + float(seconds))

    covered = {s for start, end in told for s in range(second(start), second(end))}
    assert covered == {s for start, long in drawn for s in range(start, start + long)}
    assert len(told) <= len(spans)
