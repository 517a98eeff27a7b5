"""Answers are short, true, in the question's language, and cite what they rest on."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.answers import answer
from extension.model import Kind, Severity, Span
from tests.answers import sample_job
from tests.answers.sample_job import CAMERA_CAPTIONS, CAPTIONS, EVENTS, INCIDENTS, JOB, ask, cited
from tests.store import values


@pytest.mark.parametrize(
    ("question", "ids"),
    [
        ("What happened?", ["i-1", "i-2", "i-3", "i-4"]),
        ("무슨 일이 있었나요?", ["i-1", "i-2", "i-3", "i-4"]),
        ("Which collisions were there?", ["i-1", "i-3", "i-4"]),
        ("Were there near misses?", ["i-2"]),
        ("What happened to object 3?", ["i-2", "i-3"]),
        ("3번은 언제 부딪혔나요?", ["i-3"]),
        ("When did 1 and 4 collide?", ["i-1", "i-4"]),
        ("collisions of 3 or 4", ["i-1", "i-3", "i-4"]),
        ("What happened after 30 s?", ["i-3", "i-4"]),
        ("30초 이후의 사고", ["i-3", "i-4"]),
        ("What happened before 10 s?", ["i-1"]),
        ("Any accident at 31 seconds?", ["i-3"]),
        ("Any accident between 22 and 32 s?", ["i-2", "i-3"]),
        ("Collisions between 00:00:28 and 00:00:35?", ["i-1"]),
        ("What happened at 00:02:16?", ["i-4"]),
        ("00:01:00 이후 1번의 사고는?", ["i-3", "i-4"]),
        ("When was the first collision of 1 and 4?", ["i-1"]),
        ("마지막 충돌은 언제인가요?", ["i-4"]),
        ("Which was the worst?", ["i-3"]),
        ("Which contact was the longest?", ["i-4"]),
        ("Which was the shortest?", ["i-3"]),
        ("List the events", ["e-1", "e-2"]),
        ("In the last 20 seconds?", ["i-4"]),
    ],
)
def test_the_facts_that_fit_are_cited(question: str, ids: list[str]) -> None:
    """Those and no others, by start."""
    out = ask(question)
    assert cited(out) == ids
    assert out.written_by == "extractive"


def test_citations_seek() -> None:
    """Each starts where its incident does and says what it is."""
    (citation,) = ask("When was the first collision?").citations
    assert (citation.source, citation.id, citation.start_s, citation.end_s) == ("incident", "i-1", 9.4, 10.4)
    assert citation.text == "collision of 1 and 4 from 9.4 s to 10.4 s (clock 00:00:28, danger)"


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (
            "How many collisions of 1 and 4 were there?",
            (
                "2 collisions of 1 and 4 found: collision of 1 and 4 from 9.4 s to 10.4 s (clock 00:00:28, danger);"
                " collision of 1 and 4 from 45 s to 47.5 s (clock 00:02:15, danger)."
            ),
        ),
        (
            "1번과 4번은 몇 번 충돌했나요?",
            (
                "1번·4번 충돌 2건이 있습니다: 9.4초~10.4초 1번·4번 충돌 (화면 시계 00:00:28, 위험);"
                " 45초~47.5초 1번·4번 충돌 (화면 시계 00:02:15, 위험)."
            ),
        ),
        (
            "What was the worst collision?",
            "The worst one of 3 is the collision of 1 and 3 from 31.2 s to 32 s (clock 00:01:33, extreme).",
        ),
        (
            "가장 심각한 충돌은?",
            "3건 중 가장 심각한 것은 31.2초~32초 1번·3번 충돌 (화면 시계 00:01:33, 매우 위험)입니다.",
        ),
        ("How many objects collided?", "3 objects took part: 1, 3 and 4."),
        ("충돌한 물체는 몇 개인가요?", "관련된 물체는 3개입니다: 1번·3번·4번."),
        ("Which object collided most?", "1 took part most often: in 3 of 3."),
        ("가장 많이 충돌한 물체는?", "가장 자주 관련된 것은 1번입니다: 3건 중 3건."),
        ("Which object collided most with 1?", "4 took part most often: in 2 of 3."),
        (
            "Where did 1 and 3 collide?",
            (
                "1 collision of 1 and 3 found: collision of 1 and 3 from 31.2 s to 32 s (clock 00:01:33, extreme),"
                " at obj001 (x 12.5, z -3.0)."
            ),
        ),
        ("Was there a fire?", "Nothing stored answers this: no fire was found."),
        ("불이 났나요?", "저장된 기록으로는 답할 수 없습니다: 화재 기록이 없습니다."),
        ("How many collisions of 2 and 4?", "None: no collision of 2 and 4 was found."),
        ("2번과 4번은 몇 번 충돌했나요?", "없습니다: 2번·4번 충돌 기록이 없습니다."),
        (
            "Did 1 and 4 collide between 50 and 55 s?",
            "Nothing stored answers this: no collision of 1 and 4 was found in that span.",
        ),
        ("What did object 99 do?", "Nothing stored answers this: no incident with object 99 was found."),
        ("What colour is the roof?", "Nothing stored answers this."),
        ("지붕은 무슨 색인가요?", "저장된 기록으로는 답할 수 없습니다."),
    ],
)
def test_the_answer_is_a_plain_sentence(question: str, sentence: str) -> None:
    """True to the facts, to the letter."""
    assert ask(question).answer == sentence


def test_a_long_list_is_counted_and_cut() -> None:
    """Five are told, twenty are cited."""
    many = [sample_job.incident(f"i-{n:02d}", Span(n, n + 0.5), ("1", "2"), None) for n in range(30)]
    out = answer("How many collisions?", JOB, many, (), (), None)
    assert out.answer.startswith("30 collisions found: ")
    assert out.answer.endswith("; and 25 more.")
    assert len(out.citations) == 20


def test_chunks_that_could_not_be_judged_are_not_taken_for_calm() -> None:
    """Only those in the span that was asked about; also when something was found."""
    captions = [*CAPTIONS[:15], values.failed_caption(15), values.failed_caption(16), *CAPTIONS[17:]]

    def told(question: str) -> str:
        return answer(question, JOB, INCIDENTS, EVENTS, captions, None).answer

    warning = "2 chunks there could not be judged (30-32 s, 32-34 s), so something may be missing."
    assert told("Was there a fire?") == f"Nothing stored answers this: no fire was found. {warning}"
    assert told("How many collisions?").endswith(warning)
    assert told("How many collisions between 00:01:32 and 00:01:34?").endswith(
        "1 chunk there could not be judged (30-32 s), so something may be missing."
    )
    assert "could not be judged" not in told("How many collisions before 20 s?")
    assert told("불이 났나요?").endswith(
        "청크 2개는 판정하지 못했으므로(30초~32초, 32초~34초) 빠진 것이 있을 수 있습니다."
    )


def test_a_job_that_is_not_done_says_how_far_it_got() -> None:
    """Nothing found so far is not nothing."""
    job = replace(JOB, judged_chunks=10)
    out = answer("Was there a fire?", job, (), (), CAPTIONS[:12], None)
    assert (
        out.answer == "Nothing stored answers this: no fire was found. The video is judged up to 20 s so far."
    )
    new = replace(JOB, chunk_count=None, judged_chunks=0)
    assert answer("불이 났나요?", new, (), (), (), None).answer.endswith("지금까지 0초까지 판정되었습니다.")


def test_clock_text_means_the_players_time_where_no_clock_is_known() -> None:
    """Camera footage has no burnt-in clock."""
    incident = replace(sample_job.incident("i-1", Span(65.0, 66.0), ("1", "2"), None), start_at=None)
    job = replace(JOB, media_s=120.0)
    assert cited(answer("What happened at 00:01:05?", job, [incident], (), (), None)) == ["i-1"]
    assert cited(answer("What happened at 00:02:00?", job, [incident], (), (), None)) == []


def test_the_wall_clock_helps_where_none_is_burnt_in() -> None:
    """An incident at three in the afternoon."""
    incident = sample_job.incident("i-1", Span(65.0, 66.0), ("1", "2"), None)
    assert cited(answer("What happened after 15:00:00?", JOB, [incident], (), (), None)) == ["i-1"]
    assert cited(answer("What happened after 15:01:00?", JOB, [incident], (), (), None)) == []


@pytest.mark.parametrize(
    ("question", "ids"),
    [
        ("Does somebody wear a helmet?", ["0", "1"]),
        ("Is there a ladder?", ["1"]),
        ("작업자가 안전모를 썼나요?", ["2"]),
        ("Is the hall empty?", ["3"]),
        ("Is anybody wearing a helmet after 2 s?", ["1"]),
        ("What can be seen at 7 s?", ["3"]),
        ("What happened between 0 and 2 s?", ["0"]),
    ],
)
def test_where_nothing_happened_captions_are_quoted(question: str, ids: list[str]) -> None:
    """Those that share the question's words, or lie in its span."""
    out = answer(question, replace(JOB, chunk_count=4), (), (), CAMERA_CAPTIONS, None)
    assert cited(out) == ids
    assert all(citation.source == "caption" for citation in out.citations)
    assert CAMERA_CAPTIONS[int(ids[0])].verdict is not None
    assert out.citations[0].start_s == int(ids[0]) * 2.0


def test_a_claim_in_a_caption_is_found_by_its_words() -> None:
    """Descriptions count like summaries; a caption without verdict says nothing."""
    caption = values.collision_caption(0)
    assert caption.verdict is not None
    claim = replace(caption.verdict.claims[0], description="a pallet tips over")
    told = replace(caption, verdict=replace(caption.verdict, claims=(claim,)))
    out = answer("Is there a pallet?", JOB, (), (), (values.failed_caption(1), told), None)
    assert out.answer.startswith("The captions say: 0 s to 2 s: A contact. a pallet tips over")
    assert cited(out) == ["0"]


@pytest.mark.parametrize("label", ["²", "٣", "⟦0⟧", "(", "obj.*", "<b>"])
def test_odd_labels_and_marks_break_nothing(label: str) -> None:
    """Models name objects as they like, and people type what they like."""
    odd = [sample_job.incident("i-1", Span(1, 2), (label, "1"), None)]
    for question in (
        f"Did {label} and 1 collide at ⟦7⟧ or 3 s?",
        "Which object collided most?",
        "가장 많이?",
    ):
        assert answer(question, JOB, odd, (), (), None).answer


@pytest.mark.parametrize(
    "text", ["9" * 2000, "1 " * 1000, " " * 2000, "1:" * 1000, "1번과 " * 400, "between " * 250]
)
def test_a_hostile_question_is_answered_in_time(text: str) -> None:
    """Patterns that try every way to read it would take minutes."""
    started = time.process_time()
    assert ask(text).answer
    assert time.process_time() - started < 3


@settings(deadline=None)
@given(question=st.text(min_size=1, max_size=200))
def test_no_question_breaks_it_and_every_citation_is_stored(question: str) -> None:
    """Whatever is asked, nothing is invented."""
    out = ask(question)
    known = (
        {incident.id for incident in INCIDENTS} | {event.id for event in EVENTS} | {str(n) for n in range(30)}
    )
    assert set(cited(out)) <= known
    assert out.answer


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("severity", list(Severity))
def test_every_kind_and_severity_can_be_told(kind: Kind, severity: Severity) -> None:
    """In both languages."""
    incidents = [sample_job.incident(f"i-{n}", Span(n, n + 1), (), None, severity, kind) for n in range(2)]
    for question in ("How many incidents?", "사고는 몇 건인가요?"):
        out = answer(question, JOB, incidents, (), (), None)
        assert out.answer.startswith(("2 ", "사고 2건"))
        assert len(out.citations) == 2
