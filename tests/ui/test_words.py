"""The words of the page."""

from __future__ import annotations

import string

import pytest

from extension.model import Change, DeliveryState, JobStatus, Kind, Phase, Severity
from extension.ui.words import EN, KO, words_for


def holes(text: str) -> set[str]:
    """Names of a text's fields."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things() -> None:
    """Same keys, same fields, nothing left empty, nothing left untranslated."""
    assert set(EN) == set(KO)
    for key in EN:
        assert holes(EN[key]) == holes(KO[key])
        assert EN[key]
        assert KO[key]
    assert {key for key in EN if EN[key] == KO[key]} <= {"of"}


@pytest.mark.parametrize("words", [EN, KO], ids=["en", "ko"])
def test_every_value_of_the_wire_has_its_word(words: dict[str, str]) -> None:
    """A kind, severity, status or phase that the API may send can be shown."""
    for name in (*Kind, *Severity, *JobStatus, *Phase):
        assert words[name]
    assert set(DeliveryState) == {"pending", "sent", "failed"}
    assert set(Change) >= {"opened", "resolved"}


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", KO["title"]),
        ("en-US,en;q=0.9,ko;q=0.8", EN["title"]),
        ("fr;q=0.9, ko;q=0.5, en;q=0.1", KO["title"]),
        ("en;q=0.1,KO", KO["title"]),
        ("fr,de", EN["title"]),
        ("", EN["title"]),
        ("ko;q=high,en;q=0.2", EN["title"]),
    ],
)
def test_the_browsers_wish_decides(header: str, title: str) -> None:
    """The best-liked language that we speak, else English; nonsense is passed over."""
    assert words_for(header)["title"] == title
