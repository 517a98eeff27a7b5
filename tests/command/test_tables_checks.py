"""The terminal says which incidents nobody could look at a second time."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from extension.command import tables
from extension.command.report import Outcome
from extension.model import Basis, Check, Phase
from extension.wire import IncidentOut
from tests.command.test_tables import EVENT, SHARED, _outcome


def _shown(*incidents: IncidentOut) -> str:
    text = io.StringIO()
    outcome = Outcome(_outcome().job, [EVENT], list(incidents), [])
    tables.show(Console(file=text, width=80), outcome, None)
    return text.getvalue()


def _incident(check: Check, basis: Basis = Basis.VLM) -> IncidentOut:
    return IncidentOut(
        **{**SHARED, "id": f"i-{check}"}, phase=Phase.OPEN, event_ids=["e1"], check=check, basis=basis
    )


@pytest.mark.parametrize(
    ("check", "mark", "note"),
    [
        (Check.UNVERIFIED, "collision?", "? unverified: nobody could look at it a second time"),
        (Check.WITHDRAWN, "collision-", "- withdrawn: a later look showed that nothing happened"),
    ],
)
def test_what_is_not_sure_is_marked_and_the_mark_explained(check: Check, mark: str, note: str) -> None:
    """Once below the table, however many there are."""
    text = _shown(_incident(check), _incident(check))
    assert text.count(mark) == 2
    assert text.count(note) == 1
    assert max(len(line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize("check", [Check.ONCE, Check.CONFIRMED])
def test_what_is_as_it_should_be_has_no_mark(check: Check) -> None:
    """No note explains what is not there."""
    text = _shown(_incident(check))
    assert "collision?" not in text
    assert "unverified" not in text


def test_two_marks_are_explained_in_two_lines() -> None:
    """The log's star and the open question stand beside each other."""
    text = _shown(_incident(Check.UNVERIFIED, Basis.LOG))
    assert "collision*?" in text
    assert "* told by the log alone" in text
    assert "? unverified" in text
