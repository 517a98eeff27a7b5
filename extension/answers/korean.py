"""Answers in Korean. Pure: puts facts into sentences."""

from __future__ import annotations

from collections.abc import Sequence

from extension.answers.question import Asked, Wish
from extension.answers.retrieve import Fact
from extension.answers.spoken import coordinates, moment
from extension.model import Kind, Severity, Span

_KINDS = {
    Kind.COLLISION: "충돌",
    Kind.FALL: "넘어짐",
    Kind.FIRE: "화재",
    Kind.SMOKE: "연기",
    Kind.INTRUSION: "침입",
    Kind.ENTRAPMENT: "끼임",
    Kind.SPILL: "유출",
    Kind.NEAR_MISS: "아차 사고",
    Kind.OTHER: "기타 사고",
}
_SEVERITIES = {
    Severity.SAFE: "안전",
    Severity.WARN: "주의",
    Severity.DANGER: "위험",
    Severity.EXTREME: "매우 위험",
}
_CHOICES = {
    Wish.FIRST: "첫 번째는",
    Wish.LAST: "마지막은",
    Wish.WORST: "가장 심각한 것은",
    Wish.LONGEST: "가장 긴 것은",
    Wish.SHORTEST: "가장 짧은 것은",
}


def fact(what: Fact, *, place: bool = False) -> str:
    """A fact in a few words, such as "31.2초~32.4초 1번·4번 충돌 (화면 시계 00:00:28, 위험)"."""
    if what.kind is None:
        return f"{span(what.span)}: {what.text}"
    who = f" {together(what.objects)}" if what.objects else ""
    notes = [f"화면 시계 {what.clock}"] if what.clock else []
    notes += [_SEVERITIES[what.severity]] if what.severity else []
    where = f", 위치 {coordinates(what)}" if place and what.positions else ""
    return f"{span(what.span)}{who} {_KINDS[what.kind]} ({', '.join(notes)}){where}"


def span(what: Span) -> str:
    """A span of media time."""
    return f"{moment(what.start_s)}초~{moment(what.end_s)}초"


def together(names: Sequence[str]) -> str:
    """Names in a row: "1번·4번"."""
    return "·".join(f"{name}번" if name.isdecimal() else name for name in names)


def sought(asked: Asked) -> str:
    """What the question is about: "1번·4번 충돌"."""
    plain = "이벤트" if asked.of_events else "사고"
    noun = " 또는 ".join(_KINDS[kind] for kind in sorted(asked.kinds)) or plain
    return f"{together(sorted(asked.objects))} {noun}" if asked.objects else noun


def listing(asked: Asked, items: Sequence[str], total: int) -> str:
    """So many of what was sought, the first ones named."""
    rest = f"; 그 밖에 {total - len(items)}건" if total > len(items) else ""
    return f"{sought(asked)} {total}건이 있습니다: {'; '.join(items)}{rest}."


def chosen(asked: Asked, item: str, total: int) -> str:
    """The one that was asked for."""
    among = f"{total}건 중 " if total > 1 else ""
    return f"{among}{_CHOICES[asked.wish]} {item}입니다."


def counted_objects(names: Sequence[str]) -> str:
    """How many objects took part."""
    return f"관련된 물체는 {len(names)}개입니다: {together(names)}."


def most(names: Sequence[str], number: int, total: int) -> str:
    """Who took part most often."""
    return f"가장 자주 관련된 것은 {together(names)}입니다: {total}건 중 {number}건."


def said(items: Sequence[str]) -> str:
    """What captions say."""
    return f"캡션의 내용입니다: {' / '.join(items)}"


def nothing(asked: Asked) -> str:
    """Nothing was found; plainly."""
    if asked.kinds or asked.objects or asked.general or asked.wish is not Wish.LIST:
        within = "그 구간에서 " if asked.window else ""
        if asked.wish is Wish.COUNT:
            return f"없습니다: {within}{sought(asked)} 기록이 없습니다."
        return f"저장된 기록으로는 답할 수 없습니다: {within}{sought(asked)} 기록이 없습니다."
    return "저장된 기록으로는 답할 수 없습니다."


def failed(spans: Sequence[Span], total: int) -> str:
    """What could not be judged."""
    rest = f" 외 {total - len(spans)}개" if total > len(spans) else ""
    which = ", ".join(span(each) for each in spans)
    return f"그중 청크 {total}개는 판정하지 못했으므로({which}{rest}) 빠진 것이 있을 수 있습니다."


def unfinished(judged_s: float) -> str:
    """How far the source is judged."""
    return f"영상은 지금까지 {moment(judged_s)}초까지 판정되었습니다."
