"""Understands a question in English or Korean as far as stored facts can answer it. Pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection
from dataclasses import dataclass

from extension.answers import times
from extension.answers.times import Window
from extension.model import Kind


class Wish(enum.StrEnum):
    """What is wanted of the facts that fit."""

    LIST = "list"
    COUNT = "count"
    COUNT_OBJECTS = "count_objects"
    FIRST = "first"
    LAST = "last"
    WORST = "worst"
    LONGEST = "longest"
    SHORTEST = "shortest"
    MOST = "most"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, understood.

    Attributes:
        korean: It is asked in Korean, so the answer is.
        objects: Labels that it names.
        any_object: Facts about any of them will do ("1 or 4"), instead of all together.
        kinds: Kinds that it names.
        window: The span that it names.
        wish: What is wanted of the facts.
        of_events: It asks for single events, not for incidents.
        general: It asks for accidents as such.
        place: It asks where.
        words: Its words that may occur in captions, in small letters.
    """

    korean: bool
    objects: frozenset[str]
    any_object: bool
    kinds: frozenset[Kind]
    window: Window | None
    wish: Wish
    of_events: bool
    general: bool
    place: bool
    words: frozenset[str]


_KINDS: tuple[tuple[Kind, str], ...] = (
    (Kind.NEAR_MISS, r"near[\s_-]?miss|close call|아차|니어\s?미스|뻔"),
    (
        Kind.COLLISION,
        r"\bcolli[ds]|\bcrash|\bhits?\b|\bhitting|\bcontact|\boverlap|\bbump|\btouch|\bmeet\b|충돌|접촉|부딪|부딛|겹[쳐치친침]|박았|닿[았은]",
    ),
    (Kind.FALL, r"\bfalls?\b|\bfell\b|\bfallen\b|\bfalling|\bslip|\bcollapse|넘어|쓰러|추락|낙상|떨어"),
    (Kind.FIRE, r"\bfires?\b|\bflames?\b|\bburn|화재|불이|불길|불꽃|불난"),
    (Kind.SMOKE, r"\bsmok|연기"),
    (Kind.INTRUSION, r"\bintru|\btrespass|침입|무단"),
    (Kind.ENTRAPMENT, r"\bentrap|\btrapped|\bcaught (?:in|between)|끼[임였이]|갇[혔힌]"),
    (Kind.SPILL, r"\bspill|\bleak|유출|누출|쏟"),
)
_GENERAL = (
    r"\baccident|\bincident|\bevents?\b|\bhappen|\boccur|\bdanger|\bhazard|\bemergenc|\bsummar|\balerts?\b"
    r"|\banything\b|\bwrong\b|\bproblem|사고|사건|이벤트|일어|발생|위험|무슨\s*일|요약|정리|문제|이상"
)
_WISHES: tuple[tuple[Wish, str], ...] = (
    (
        Wish.COUNT_OBJECTS,
        r"how many (?:\w+ )?(?:objects|people|persons|vehicles|participants)|몇\s*(?:개의\s*)?(?:물체|객체|명)|(?:물체|객체)[가는은이]?\s*몇",
    ),
    (Wish.COUNT, r"\bhow many|\bhow often|\bnumber of|\bcount\b|몇\s*(?:번|건|회|차례|개)(?!째)|횟수|건수"),
    (Wish.MOST, r"\bwhich (?:\w+ )?objects?\b.*\bmost\b|\bwho\b.*\bmost\b|가장 많이|제일 많이|가장 자주"),
    (
        Wish.WORST,
        r"\bworst\b|\bmost (?:severe|serious|dangerous)|가장 (?:심각|위험|심한)|제일 (?:심각|위험|심한)|최악",
    ),
    (Wish.LONGEST, r"\blongest\b|가장 (?:오래|긴|길게)|제일 (?:오래|긴)"),
    (Wish.SHORTEST, r"\bshortest\b|\bbriefest\b|가장 (?:짧)|제일 (?:짧)"),
    (Wish.FIRST, r"\bfirst\b|\bearliest\b|처음|최초|가장 먼저|첫"),
    (Wish.LAST, r"(?<!long )(?<!it )(?<!they )\blast\b(?! for\b)|\blatest\b|\bfinal\b|마지막|최근"),
)
_PLACE = r"\bwhere\b|\bplace\b|\bposition|\blocation|\bcoordinate|어디|위치|좌표|장소"
_OF_EVENTS = r"\bevents?\b|이벤트"
_EITHER = r"\bor\b|\beither\b|또는|이나|혹은|거나"
_HANGUL = re.compile("[가-힣]")
# "object 3", "#3", "obj003", "3번"; "몇 번째", "3번째" count, they name nothing.
_NAMED = re.compile(
    r"(?:\b(?:objects?|obj|numbers?|no\.|id|astronauts?)\s*[_#-]?\s*|#|\bobj)0{0,9}(\d{1,9})\b|(?<![\d.])0{0,9}(\d{1,9})\s*번(?!째)(?:\s*물체)?",
    re.IGNORECASE,
)
_JOINED = re.compile(
    r"\b0{0,9}(\d{1,9})(?:번)?\s*(?:and|or|with|,|&|/|와|과|하고|랑|또는|이나)\s*(?=0{0,9}(\d{1,9})\b)",
    re.IGNORECASE,
)
_BARE = re.compile(r"(?<![\w.:-])0{0,9}(\d{1,9})(?=번|와|과|이|가|은|는|의|을|를|하고|랑|[^\w.:%-]|$)")
# Numbers without a unit that can only be seconds: "after 30?", "between 10 and 20".
_TAIL = r"(?=\s*(?:$|[?!.,;]|(?:and|to|did|was|were|is|do|does|how|what|which|who)\b))"
_PLAIN = r"(\d{1,6}(?:\.\d{1,6})?)"
_UNITLESS = re.compile(rf"\b(after|before|at|since|until|till|around)\s+{_PLAIN}{_TAIL}", re.IGNORECASE)
_UNITLESS_SPAN = re.compile(
    rf"\b(between|from)\s+{_PLAIN}\s*(?:and|to|until|till)\s*{_PLAIN}{_TAIL}", re.IGNORECASE
)
_RANKED = re.compile(
    r"\b(?:top|first|last|worst|longest)\s+\d{1,9}\b|상위\s*\d{1,9}|\d{1,9}\s*번째", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+")
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a an and any are as at be been between by can could did do does for from had has have he how i if in into is it its"
        " me of on or our please say says see seen she show so some tell than that the their them then there these they this"
        " to was we were what when where which while who whom whose why will with would you your video object objects"
        " 있나요 있습니까 있었나요 있어 있나 무엇 무엇이 뭐가 뭐 언제 어디 어디서 누가 왜 어떻게 영상 영상에서 비디오 알려줘 알려 주세요"
        " 나요 인가요 했나요 하는 그 이 저 것 수 좀 다 또"
    )
)
# What Korean hangs on nouns; cut so that "헬멧을" finds "헬멧".
_PARTICLE = re.compile(r"(?<=[가-힣]{2})(?:에서|으로|부터|까지|에게|[은는이가을를의에로와과도만])$")


def understand(text: str, labels: Collection[str], media_s: float | None) -> Asked:
    """Understand a question.

    Args:
        text: The question.
        labels: Labels of the objects that occur in the facts.
        media_s: Length of the source in seconds, where known.
    """
    window, rest = times.find(_with_units(text, labels), media_s)
    rest = rest.lower()
    return Asked(
        korean=bool(_HANGUL.search(text)),
        objects=_objects(rest, labels),
        any_object=_says(_EITHER, rest),
        kinds=_kinds(rest),
        window=window,
        wish=next((wish for wish, pattern in _WISHES if _says(pattern, rest)), Wish.LIST),
        of_events=_says(_OF_EVENTS, rest),
        general=_says(_GENERAL, rest),
        place=_says(_PLACE, rest),
        words=words(rest),
    )


def words(text: str) -> frozenset[str]:
    """The words of a text that carry meaning, in small letters and without Korean particles."""
    found = {_PARTICLE.sub("", word) for word in _WORD.findall(text.lower())}
    return frozenset(
        word for word in found if word not in _STOP_WORDS and not word.isdecimal() and len(word) > 1
    )


def _with_units(text: str, labels: Collection[str]) -> str:
    """The question with its unit beside each number of seconds; "between 1 and 4" are objects where there are such."""

    def span(match: re.Match[str]) -> str:
        is_objects = match[2] in labels or match[3] in labels
        return match[0] if is_objects else f"{match[1]} {match[2]} s and {match[3]} s"

    return _UNITLESS.sub(r"\1 \2 s", _UNITLESS_SPAN.sub(span, text))


def _says(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None


def _kinds(text: str) -> frozenset[Kind]:
    found = [kind for kind, pattern in _KINDS if _says(pattern, text)]
    # "Near miss" is no collision, whatever else it is called in the same breath.
    return frozenset(found[:1] if found[:1] == [Kind.NEAR_MISS] else found)


def _objects(text: str, labels: Collection[str]) -> frozenset[str]:
    text = _RANKED.sub(" ", text)
    numbers = {a or b for a, b in _NAMED.findall(text)}
    numbers |= {number for pair in _JOINED.findall(text) for number in pair}
    numbers |= {number for number in _BARE.findall(text) if number in labels}
    names = {
        label
        for label in labels
        if not label.isdecimal()
        and re.search(rf"(?<!\w){re.escape(label.lower())}(?:s\b|\b|(?=[가-힣]))", text)
    }
    return frozenset(numbers | names)
