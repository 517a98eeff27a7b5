"""Composes an answer from stored facts alone, in the question's language. Pure; it cannot invent anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from extension.answers import english, korean
from extension.answers.question import Asked, Wish
from extension.answers.retrieve import Fact, Found
from extension.model import Span
from extension.wire import AnswerOut, Citation

WRITTEN_BY = "extractive"
# How many facts, and failed spans, a sentence names.
_MOST_NAMED = 5
# How many facts an answer cites.
_MOST_CITED = 20
# Which of the facts a question wants, by the order it asks for.
_CHOICE: dict[Wish, Callable[[Sequence[Fact]], Fact]] = {
    Wish.FIRST: lambda facts: min(facts, key=lambda f: f.span.start_s),
    Wish.LAST: lambda facts: max(facts, key=lambda f: f.span.start_s),
    Wish.WORST: lambda facts: max(
        facts, key=lambda f: (f.severity.rank if f.severity else 0, f.span.duration_s)
    ),
    Wish.LONGEST: lambda facts: max(facts, key=lambda f: f.span.duration_s),
    Wish.SHORTEST: lambda facts: min(facts, key=lambda f: f.span.duration_s),
}


class Language(Protocol):
    """What a language can say; the modules `english` and `korean` do."""

    def fact(self, what: Fact, *, place: bool = False) -> str:
        """A fact in a few words."""
        ...

    def listing(self, asked: Asked, items: Sequence[str], total: int) -> str:
        """So many of what was sought, the first ones named."""
        ...

    def chosen(self, asked: Asked, item: str, total: int) -> str:
        """The one that was asked for."""
        ...

    def counted_objects(self, names: Sequence[str]) -> str:
        """How many objects took part."""
        ...

    def most(self, names: Sequence[str], number: int, total: int) -> str:
        """Who took part most often."""
        ...

    def said(self, items: Sequence[str]) -> str:
        """What captions say."""
        ...

    def nothing(self, asked: Asked) -> str:
        """Nothing was found; plainly."""
        ...

    def failed(self, spans: Sequence[Span], total: int) -> str:
        """What could not be judged."""
        ...

    def unfinished(self, judged_s: float) -> str:
        """How far the source is judged."""
        ...


def compose(found: Found) -> AnswerOut:
    """The answer that the facts give, with those it rests on cited."""
    text, cited = _told(found)
    return AnswerOut(
        answer=" ".join([text, *caveats(found)]),
        citations=[citation(fact, korean_words=found.asked.korean) for fact in cited[:_MOST_CITED]],
        written_by=WRITTEN_BY,
    )


def caveats(found: Found) -> list[str]:
    """What the facts cannot tell: chunks that could not be judged, or are not judged yet."""
    words = _words(found.asked)
    said = []
    if found.failed:
        said.append(words.failed(found.failed[:_MOST_NAMED], len(found.failed)))
    if found.judged_s is not None:
        said.append(words.unfinished(found.judged_s))
    return said


def citation(fact: Fact, *, korean_words: bool) -> Citation:
    """A fact as a citation; its start seeks the player."""
    words = korean if korean_words else english
    return Citation(
        source=fact.source,
        id=fact.id,
        start_s=fact.span.start_s,
        end_s=fact.span.end_s,
        text=words.fact(fact),
    )


def _words(asked: Asked) -> Language:
    return korean if asked.korean else english


def _told(found: Found) -> tuple[str, Sequence[Fact]]:
    """The sentence, and the facts it rests on."""
    asked, facts = found.asked, found.facts
    words = _words(asked)
    if not facts:
        return words.nothing(asked), ()
    if facts[0].kind is None:
        return words.said([words.fact(fact) for fact in facts]), facts
    if asked.wish in _CHOICE:
        best = _CHOICE[asked.wish](facts)
        return words.chosen(asked, words.fact(best, place=asked.place), len(facts)), [best]
    if asked.wish in {Wish.COUNT_OBJECTS, Wish.MOST}:
        return _of_objects(asked, facts) or words.nothing(asked), facts
    items = [words.fact(fact, place=asked.place) for fact in facts[:_MOST_NAMED]]
    return words.listing(asked, items, len(facts)), facts


def _of_objects(asked: Asked, facts: Sequence[Fact]) -> str | None:
    """How many took part, or who did most often; those whom the question names are known already."""
    parts = Counter(name for fact in facts for name in fact.objects if name not in asked.objects)
    if not parts:
        return None
    if asked.wish is Wish.COUNT_OBJECTS:
        return _words(asked).counted_objects(_by_number(parts))
    highest = max(parts.values())
    leaders = _by_number(name for name, number in parts.items() if number == highest)
    return _words(asked).most(leaders, highest, len(facts))


def _by_number(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))
