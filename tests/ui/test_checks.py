"""The page says what became of looking twice."""

from __future__ import annotations

import pytest

from extension.model import Check
from extension.ui import tables
from extension.ui.words import EN, KO, Words
from extension.wire import IncidentOut
from tests.api import samples
from tests.ui.test_views import Reader


def _texts(check: Check, words: Words) -> list[str]:
    incident = IncidentOut.of(samples.incident(check=check))
    return Reader(tables.incidents_table([incident], [], words)).texts


@pytest.mark.parametrize("words", [EN, KO], ids=["english", "korean"])
@pytest.mark.parametrize("check", [Check.CONFIRMED, Check.UNVERIFIED, Check.WITHDRAWN])
def test_an_incident_that_was_to_be_checked_says_how_it_went(check: Check, words: Words) -> None:
    """Beside whether it is over."""
    texts = _texts(check, words)
    assert words[f"check_{check}"] in texts
    assert words["open"] in texts


def test_what_nobody_checks_says_nothing() -> None:
    """As all incidents of replays."""
    assert EN["check_once"] not in _texts(Check.ONCE, EN)
