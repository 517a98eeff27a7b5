"""The languages that a summary can be written in."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from extension.timetravel import summary_english, summary_korean
from extension.timetravel.summary import Moment, Summary
from extension.timetravel.summary_text import Written


class Language(StrEnum):
    """A language that we write."""

    EN = "en"
    KO = "ko"


class Tongue(Protocol):
    """What a language's module does."""

    def write(self, summary: Summary) -> Written:
        """The summary in words."""

    def caption(self, summary: Summary, moment: Moment) -> str:
        """One moment in a few words, for a caption bar."""

    def sentence(self, summary: Summary, moment: Moment) -> str:
        """One moment as a sentence."""


def tongue(language: Language) -> Tongue:
    """The words of a language."""
    return {Language.EN: summary_english, Language.KO: summary_korean}[language]
