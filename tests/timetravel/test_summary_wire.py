"""What of a summary crosses the wire, and that it comes back as it went."""

from __future__ import annotations

import pytest

from extension.model import JobStatus, Kind, Position, Severity
from extension.timetravel.summary_tongues import Language
from extension.timetravel.summary_wire import SummaryOut, json_name, text_name
from tests.timetravel.summary_samples import SEOUL, anchored, incident, log, summary_of


def page(language: Language = Language.EN) -> SummaryOut:
    """A summary with everything in it."""
    found = [
        anchored(0, 9, 11, positions=(Position("obj001", 200.0, 0.0, -20.0),)),
        anchored(1, 29, 31, severity=Severity.EXTREME),
        incident(2, 50, 51, kind=Kind.FIRE, objects=()),
    ]
    summary = summary_of(found, failed=[3], asked=29, trajectory=log(), tz=SEOUL, most_in_video=2)
    return SummaryOut.of(summary, language)


@pytest.mark.parametrize("language", list(Language))
def test_a_summary_reads_back_as_it_was_written(language: Language) -> None:
    """Every field is JSON and back."""
    out = page(language)
    assert SummaryOut.model_validate_json(out.model_dump_json()) == out


def test_moments_carry_everything() -> None:
    """Who, when, where, how near, in words; and whether the video shows them."""
    first, second, third = page().moments
    assert (first.number, first.incident_id, first.objects) == (1, "incident-0", ["1", "2"])
    assert (first.start_s, first.end_s, first.kind, first.severity) == (
        9,
        11,
        Kind.COLLISION,
        Severity.DANGER,
    )
    assert first.closest_cm == pytest.approx(40.0)
    assert first.place is not None
    assert (first.place.x, first.place.z) == pytest.approx((200.0, 0.0))
    assert first.positions[0].objid == "obj001"
    assert first.start_at is not None
    assert first.sentence == "At 09:00:09, objects 1 and 2 collided, 40 cm between their centres."
    assert [m.in_video for m in (first, second, third)] == [True, True, False]
    assert (third.place, third.closest_cm, third.start_at) == (None, None, None)


def test_counts_and_the_worst_cross_too() -> None:
    """With the language of the text and the zone of its times."""
    out = page()
    assert out.kinds == {Kind.COLLISION: 2, Kind.FIRE: 1}
    assert out.severities == {Severity.EXTREME: 1, Severity.DANGER: 2}
    assert [(c.objects, c.count) for c in out.groups] == [(["1", "2"], 2)]
    assert [(c.objects, c.count) for c in out.objects] == [(["1"], 2), (["2"], 2)]
    assert (out.worst, out.timezone, out.language) == (2, "Asia/Seoul", "en")
    assert out.text.startswith("# Summary of yard.mp4\n")
    assert out.sentences[0] in out.text


def test_what_was_looked_at_crosses_too() -> None:
    """Judged, failed with the reason, not asked."""
    coverage = page().coverage
    assert (coverage.chunks, coverage.judged, coverage.not_asked) == (30, 28, 1)
    (failed,) = coverage.failed
    assert (failed.start_s, failed.end_s, failed.code) == (6.0, 8.0, "VlmGarbled")
    assert [(span.start_s, span.end_s) for span in coverage.not_asked_spans] == [(58.0, 60.0)]
    assert coverage.log_asked


def test_korean_changes_words_and_nothing_else() -> None:
    """Numbers are the same in every language."""
    words = {"language", "title", "sentences", "text", "moments"}
    one, other = page(Language.EN), page(Language.KO)
    assert one.model_dump(exclude=words) == other.model_dump(exclude=words)
    assert other.title == "yard.mp4 요약"
    assert other.moments[0].sentence == "09:00:09에 1번과 2번이 충돌했습니다(중심 간 거리 40cm)."


def test_a_job_that_has_not_begun_has_a_summary() -> None:
    """An empty one, that says so."""
    out = SummaryOut.of(
        summary_of([], asked=0, media_s=None, chunk_count=None, status=JobStatus.QUEUED), Language.EN
    )
    assert (out.moments, out.worst, out.hot_spots, out.busiest) == ([], None, [], [])
    assert not out.coverage.ended


def test_files_are_named_by_their_language() -> None:
    """One text and one JSON each."""
    assert [text_name(lang) for lang in Language] == ["summary.en.md", "summary.ko.md"]
    assert [json_name(lang) for lang in Language] == ["summary.en.json", "summary.ko.json"]
