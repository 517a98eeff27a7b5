"""Answers in English. Pure: puts facts into sentences."""

from __future__ import annotations

from collections.abc import Sequence

from extension.answers.question import Asked, Wish
from extension.answers.retrieve import Fact
from extension.answers.spoken import coordinates, moment
from extension.model import Kind, Span

_PLURALS = {
    Kind.COLLISION: "collisions",
    Kind.FALL: "falls",
    Kind.FIRE: "fires",
    Kind.SMOKE: "cases of smoke",
    Kind.INTRUSION: "intrusions",
    Kind.ENTRAPMENT: "entrapments",
    Kind.SPILL: "spills",
    Kind.NEAR_MISS: "near misses",
    Kind.OTHER: "incidents of another kind",
}
_SINGULARS = {kind: kind.value.replace("_", " ") for kind in Kind} | {
    Kind.SMOKE: "case of smoke",
    Kind.OTHER: "incident of another kind",
}
_CHOICES = {
    Wish.FIRST: "The first one",
    Wish.LAST: "The last one",
    Wish.WORST: "The worst one",
    Wish.LONGEST: "The longest one",
    Wish.SHORTEST: "The shortest one",
}


def fact(what: Fact, *, place: bool = False) -> str:
    """A fact in a few words, such as "collision of 1 and 4 from 31.2 s to 32.4 s (clock 00:00:28, danger)"."""
    if what.kind is None:
        return f"{moment(what.span.start_s)} s to {moment(what.span.end_s)} s: {what.text}"
    who = f" of {together(what.objects)}" if what.objects else ""
    notes = [f"clock {what.clock}"] if what.clock else []
    notes += [what.severity.value] if what.severity else []
    where = f", at {coordinates(what)}" if place and what.positions else ""
    return f"{_SINGULARS[what.kind]}{who} {span(what.span)} ({', '.join(notes)}){where}"


def span(what: Span) -> str:
    """A span of media time."""
    return f"from {moment(what.start_s)} s to {moment(what.end_s)} s"


def together(names: Sequence[str], word: str = "and") -> str:
    """Names in a row: "1, 2 and 4"."""
    return f"{', '.join(names[:-1])} {word} {names[-1]}" if len(names) > 1 else names[0]


def sought(asked: Asked, number: int) -> str:
    """What the question is about: "collisions of 1 and 4", "incidents with object 4"."""
    names = _SINGULARS if number == 1 else _PLURALS
    plain = ("event" if asked.of_events else "incident") + ("" if number == 1 else "s")
    noun = " or ".join(names[kind] for kind in sorted(asked.kinds)) or plain
    who = sorted(asked.objects)
    if len(who) == 1:
        return f"{noun} with {'object ' if who[0].isdecimal() else ''}{who[0]}"
    return f"{noun} of {together(who, _joint(asked))}" if who else noun


def listing(asked: Asked, items: Sequence[str], total: int) -> str:
    """So many of what was sought, the first ones named."""
    rest = f"; and {total - len(items)} more" if total > len(items) else ""
    return f"{total} {sought(asked, total)} found: {'; '.join(items)}{rest}."


def chosen(asked: Asked, item: str, total: int) -> str:
    """The one that was asked for."""
    among = f" of {total}" if total > 1 else ""
    return f"{_CHOICES[asked.wish]}{among} is the {item}."


def counted_objects(names: Sequence[str]) -> str:
    """How many objects took part."""
    return f"{len(names)} object{'' if len(names) == 1 else 's'} took part: {together(names)}."


def most(names: Sequence[str], number: int, total: int) -> str:
    """Who took part most often."""
    return f"{together(names)} took part most often: in {number} of {total}."


def said(items: Sequence[str]) -> str:
    """What captions say."""
    return f"The captions say: {' / '.join(items)}"


def nothing(asked: Asked) -> str:
    """Nothing was found; plainly."""
    if asked.kinds or asked.objects or asked.general or asked.wish is not Wish.LIST:
        within = " in that span" if asked.window else ""
        if asked.wish is Wish.COUNT:
            return f"None: no {sought(asked, 1)} was found{within}."
        return f"Nothing stored answers this: no {sought(asked, 1)} was found{within}."
    return "Nothing stored answers this."


def failed(spans: Sequence[Span], total: int) -> str:
    """What could not be judged."""
    rest = f" and {total - len(spans)} more" if total > len(spans) else ""
    which = ", ".join(f"{moment(s.start_s)}-{moment(s.end_s)} s" for s in spans)
    chunks = "1 chunk" if total == 1 else f"{total} chunks"
    return f"{chunks} there could not be judged ({which}{rest}), so something may be missing."


def unfinished(judged_s: float) -> str:
    """How far the source is judged."""
    return f"The video is judged up to {moment(judged_s)} s so far."


def _joint(asked: Asked) -> str:
    return "or" if asked.any_object else "and"
