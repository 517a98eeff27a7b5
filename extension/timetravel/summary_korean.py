"""The written summary in Korean. Pure: puts a summary into sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from extension.model import Kind, Severity
from extension.timetravel.summary import Busy, Coverage, Moment, Summary, badness
from extension.timetravel.summary_text import (
    MOST_SPANS,
    Written,
    at_text,
    listed,
    media_time,
    place_text,
    seen_in_video,
    shown_days,
    spans_text,
    told,
    when,
    zone_name,
)

_NOUNS: Final = {
    Kind.COLLISION: "충돌",
    Kind.FALL: "넘어짐",
    Kind.FIRE: "화재",
    Kind.SMOKE: "연기",
    Kind.INTRUSION: "침입",
    Kind.ENTRAPMENT: "끼임",
    Kind.SPILL: "유출",
    Kind.NEAR_MISS: "아차사고",
    Kind.OTHER: "기타 사고",
}
_DEEDS: Final = {
    Kind.COLLISION: (2, "충돌했습니다"),
    Kind.NEAR_MISS: (2, "부딪칠 뻔했습니다"),
    Kind.FALL: (1, "넘어졌습니다"),
}
_SEVERITIES: Final = {
    Severity.SAFE: "안전",
    Severity.WARN: "주의",
    Severity.DANGER: "위험",
    Severity.EXTREME: "매우 위험",
}

AND: Final = ("과", "와")
SUBJECT: Final = ("이", "가")
TOPIC: Final = ("은", "는")

_FIRST_SYLLABLE, _LAST_SYLLABLE = ord("가"), ord("힣")
_FINALS: Final = 28
"""Hangul syllables come in rows of 28: without a final consonant first, then with each of 27."""
_CLOSED_DIGITS: Final = frozenset("013678")
"""Digits whose Korean reading ends in a consonant: 영, 일, 삼, 육, 칠, 팔."""
_CLOSED_LETTERS: Final = frozenset("LMNRlmnr")
"""Letters whose Korean name ends in a consonant: 엘, 엠, 엔, 알."""


def write(summary: Summary) -> Written:
    """The summary in words."""
    ranked = sorted(summary.moments, key=badness)
    lines = tuple((moment.number, _line(summary, moment)) for moment in listed(summary, ranked))
    cut = f"({len(summary.moments)}건 중 가장 심각한 {len(lines)}건)"
    return Written(
        title=f"{summary.name} 요약",
        sentences=tuple(_sentences(summary)),
        list_title=f"장면 {cut}" if len(lines) < len(summary.moments) else "장면",
        lines=lines,
    )


def caption(summary: Summary, moment: Moment) -> str:
    """One moment in a few words, for a caption bar: "2/7 · 00:00:28 · 1번과 4번 · 73cm"."""
    parts = [f"{moment.number}/{len(summary.moments)}", when(summary, moment), together(moment.objects)]
    kind = "" if moment.kind is Kind.COLLISION else f" · {_NOUNS[moment.kind]}"
    parts.append(_NOUNS[moment.kind] if moment.closest_cm is None else f"{moment.closest_cm:.0f}cm{kind}")
    return " · ".join(filter(None, parts))


def sentence(summary: Summary, moment: Moment) -> str:
    """One moment as a sentence."""
    apart = "" if moment.closest_cm is None else f"(중심 간 거리 {moment.closest_cm:.0f}cm)"
    number, deed = _DEEDS.get(moment.kind, (0, ""))
    if deed and len(moment.objects) >= number:
        return f"{when(summary, moment)}에 {with_particle(together(moment.objects), SUBJECT)} {deed}{apart}."
    noun = with_particle(_NOUNS[moment.kind], SUBJECT)
    among = f"(관련: {together(moment.objects)})" if moment.objects else ""
    return f"{when(summary, moment)}에 {noun} 있었습니다{among}{apart}."


def with_particle(word: str, particle: tuple[str, str]) -> str:
    """A word with its particle: the first form after a final consonant, the second after a vowel.

    Digits and single letters go by how they are read aloud; a longer foreign word, whose reading nobody knows, takes both forms.
    """
    closed = _ends_closed(word)
    if closed is None:
        return f"{word}{particle[1]}({particle[0]})"
    return word + particle[0 if closed else 1]


def _ends_closed(word: str) -> bool | None:
    last = word[-1:]
    if _FIRST_SYLLABLE <= ord(last or "\0") <= _LAST_SYLLABLE:
        return (ord(last) - _FIRST_SYLLABLE) % _FINALS != 0
    if last.isascii() and last.isdecimal():
        return last in _CLOSED_DIGITS
    if last.isascii() and last.isalpha() and not word[-2:-1].isalpha():
        return last in _CLOSED_LETTERS
    return None


def together(names: Sequence[str]) -> str:
    """Names in a row: "1번, 2번과 4번"."""
    called = [f"{name}번" if name.isdecimal() else name for name in names]
    if len(called) < 2:  # noqa: PLR2004 - two are needed to be joined
        return "".join(called)
    *others, before, last = called
    return ", ".join([*others, f"{with_particle(before, AND)} {last}"])


def _sentences(summary: Summary) -> Iterator[str]:
    yield _found(summary)
    yield " ".join(_covered(summary))
    if worst := summary.worst_moment:
        if len(summary.moments) > 1:
            yield (
                f"가장 심각한 것은 {worst.number}번째 장면입니다({_SEVERITIES[worst.severity]}). {sentence(summary, worst)}"
                " 심각도가 높은 순서로 고르며, 같으면 더 가까운 것, 더 긴 것, 더 먼저 일어난 것을 앞에 둡니다."
            )
        else:
            yield sentence(summary, worst)
    yield from filter(None, (_involved(summary), _spots(summary), _busy(summary), _video(summary)))


def _found(summary: Summary) -> str:
    total = len(summary.moments)
    if not total:
        return _nothing(summary.coverage)
    kinds = ", ".join(f"{_NOUNS[kind]} {number}건" for kind, number in summary.kinds)
    severities = ", ".join(f"{_SEVERITIES[severity]} {number}건" for severity, number in summary.severities)
    so_far = "" if summary.coverage.ended else "지금까지 "
    if len(summary.kinds) == 1:
        return f"{so_far}{kinds}을 찾았습니다({severities})."
    return f"{so_far}장면 {total}건을 찾았습니다: {kinds}({severities})."


def _nothing(coverage: Coverage) -> str:
    if not coverage.ended:
        return "지금까지 찾은 장면이 없습니다."
    if not coverage.judged and not (coverage.log_asked and not coverage.failed):
        return "판정한 청크가 하나도 없어, 이 영상에서 무슨 일이 있었는지 알 수 없습니다."
    if coverage.failed or (coverage.not_asked and not coverage.log_asked):
        return "판정한 청크에서는 아무 일도 찾지 못했습니다."
    return "아무 일도 찾지 못했습니다."


def _covered(summary: Summary) -> Iterator[str]:
    coverage = summary.coverage
    if coverage.chunks is None:
        yield "아직 영상을 열지 않았습니다."
        return
    judged, total = coverage.judged, coverage.chunks
    which = f"청크 {total}개를 모두" if judged == total else f"청크 {total}개 중 {judged}개를"
    length = f"(영상 길이 {media_time(coverage.media_s)})" if coverage.media_s is not None else ""
    yield f"{which} 살펴보고 판정했습니다{length}."
    if shown := shown_days(summary):
        parts = f" 중 {coverage.parts}개 부분을" if coverage.parts > 1 else "를"
        yield f"영상은 {shown[0]}부터 {shown[1]}까지{parts} 보여 줍니다({zone_name(summary)})."
    if coverage.failed:
        codes = Counter(missed.code for missed in coverage.failed)
        why = ", ".join(f"{code} {number}개" for code, number in sorted(codes.items()))
        where = _where(spans_text([missed.span for missed in coverage.failed]))
        yield f"청크 {len(coverage.failed)}개는 판정하지 못했습니다({why}). {where}에 무슨 일이 있었는지는 알 수 없습니다."
    if coverage.not_asked:
        where = _where(spans_text(coverage.not_asked_spans))
        yet = "VLM에 보이지 않았습니다" if coverage.ended else "아직 살펴보지 않았습니다"
        by_log = " 이 구간에서는 로그의 좌표를 검사했습니다." if coverage.ended and coverage.log_asked else ""
        yield f"청크 {coverage.not_asked}개는 {yet}({where}).{by_log}"


def _where(spans: Sequence[tuple[str, str]]) -> str:
    named = ", ".join(f"{start}~{end}" for start, end in spans[:MOST_SPANS])
    rest = len(spans) - MOST_SPANS
    return f"{named} 외 {rest}개 구간" if rest > 0 else f"{named} 구간"


def _involved(summary: Summary) -> str:
    if len(summary.moments) < 2 or not summary.objects:  # noqa: PLR2004 - of one moment everything is said
        return ""
    most = summary.objects[0][1]
    names = [name for name, number in summary.objects if number == most]
    if most < 2 or len(names) == len(summary.objects):  # noqa: PLR2004 - nobody stands out
        return ""
    each = "각각 " if len(names) > 1 else ""
    said = f"{with_particle(together(names), SUBJECT)} 가장 자주 관련되었습니다({each}{most}건)."
    together_most = summary.groups[0][1] if summary.groups else 0
    groups = [group for group, number in summary.groups if number == together_most]
    if together_most > 1 and len(groups) == 1:
        said += f" {with_particle(together(groups[0]), SUBJECT)} 가장 자주 만났습니다({together_most}건)."
    return said


def _spots(summary: Summary) -> str:
    spots = []
    for spot in summary.hot_spots:
        x, z = place_text((spot.x, spot.z))
        spots.append(f"x {x}m, z {z}m 부근({spot.count}건)")
    if not spots:
        return ""
    return f"가장 많이 일어난 곳은 {' / '.join(spots)}입니다."


def _busy(summary: Summary) -> str:
    coverage = summary.coverage
    if not summary.busiest or len(summary.moments) == summary.busiest[0].count or not coverage.media_s:
        return ""
    minutes = ", ".join(f"{_minute(summary, busy)}({busy.count}건)" for busy in summary.busiest)
    return f"가장 많이 일어난 시각(분)은 {minutes}입니다."


def _minute(summary: Summary, busy: Busy) -> str:
    if busy.start_at is None:
        return f"영상 {media_time(busy.start_s // 60 * 60)}부터 1분"
    return at_text(summary, busy.start_at)[:-3]


def _video(summary: Summary) -> str:
    if not summary.moments or len(summary.shown) == len(summary.moments):
        return ""
    return f"요약 영상은 {len(summary.moments)}건 중 가장 심각한 {len(summary.shown)}건을 보여 줍니다."


def _line(summary: Summary, moment: Moment) -> str:
    who = f"{together(moment.objects)} " if moment.objects else ""
    facts = [f"{when(summary, moment)}: {who}{_NOUNS[moment.kind]}"]
    if moment.closest_cm is not None:
        facts.append(f"거리 {moment.closest_cm:.0f}cm")
    if moment.place:
        x, z = place_text(moment.place)
        facts.append(f"위치 x {x}m, z {z}m")
    facts.append(_SEVERITIES[moment.severity])
    facts.append(f"영상 {media_time(moment.span.start_s)}" if seen_in_video(moment) else "영상에는 없음")
    said = f": {told(moment.description)}" if moment.description and moment.closest_cm is None else ""
    return f"{', '.join(facts)}{said}"
