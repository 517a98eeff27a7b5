"""Answers a question about one job: finds the facts, then has them told by a model where one can write."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from extension.answers import extractive, retrieve
from extension.answers.retrieve import Fact, Found
from extension.answers.writer import MOST_FACTS, Writer
from extension.errors import Refused, VlmGarbled, VlmUnavailable
from extension.model import Caption, Event, Incident, Job
from extension.wire import AnswerOut

_LOG = structlog.get_logger(__name__)


def answer(
    question: str,
    job: Job,
    incidents: Sequence[Incident],
    events: Sequence[Event],
    captions: Sequence[Caption],
    writer: Writer | None,
) -> AnswerOut:
    """Answer from what is stored about a job, and cite it.

    Args:
        question: In English or Korean.
        job: The job that the question is about.
        incidents: Its incidents.
        events: Its events.
        captions: Its captions, failed ones included.
        writer: A model that can write; without one, the answer is put together from the facts alone.
    """
    found = retrieve.find(question, job, incidents, events, captions)
    draft = extractive.compose(found)
    if writer is None:
        return draft
    facts = found.facts[:MOST_FACTS] or retrieve.overview(incidents, captions, MOST_FACTS)
    if not facts:
        return draft
    try:
        return _written(question, found, facts, draft, writer)
    except (VlmUnavailable, VlmGarbled, Refused) as exc:
        _LOG.warning("answer_not_written", model=writer.model, reason=str(exc))
        reason = f"{extractive.WRITTEN_BY} ({writer.model} wrote nothing usable: {exc})"
        return draft.model_copy(update={"written_by": reason})


def _written(
    question: str, found: Found, facts: Sequence[Fact], draft: AnswerOut, writer: Writer
) -> AnswerOut:
    korean = found.asked.korean
    cited = [extractive.citation(fact, korean_words=korean) for fact in facts]
    told = [_as_told(fact, citation.text) for fact, citation in zip(facts, cited, strict=True)]
    written = writer.write(question, told, draft.answer)
    return AnswerOut(
        # What could not be judged is said whether or not the model thought of it.
        answer=" ".join([written.answer, *extractive.caveats(found)]),
        citations=[cited[number - 1] for number in written.numbers],
        written_by=writer.model,
    )


def _as_told(fact: Fact, words: str) -> str:
    """A fact for a model: its words, and what was written about it where that is more."""
    return f"{words} - {fact.text}" if fact.kind is not None and fact.text else words
