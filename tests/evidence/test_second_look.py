"""Evidence shows both looks: what was asked again, what came back, and what became of each claim."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extension.captions.second import Looked
from extension.captions.second_asking import Look
from extension.captions.second_record import with_second_look
from extension.evidence import shelf
from extension.evidence.account import Case, account
from extension.evidence.collect import collect
from extension.evidence.manifest import AnswerOut, Manifest, SecondLookOut
from extension.evidence.parts import whole
from extension.evidence.verify import Outcome, verify
from extension.evidence.wanted import Limits
from extension.model import Basis, Check, Failure, Severity, Span, Verdict
from tests.evidence.cases import CONTEXT, caption, case, claim, event, incident
from tests.evidence.films import draw, every
from tests.evidence.test_verify import rewrite

CLAIM = replace(claim(4.5, 5.0), severity=Severity.EXTREME)


def _twice(*told: Any, failure: Failure | None = None) -> Case:
    """A contact in the chunk from 4 to 6 s that was looked at again from 0 to 8 s."""
    verdict = Verdict(Severity.DANGER, told, "again") if failure is None else None
    prompt = replace(CONTEXT.prompt, id="second_look.v1") if CONTEXT.prompt else None
    assert prompt is not None
    look = Looked(
        Look(Span(0.0, 8.0), (CLAIM,)), prompt, "second text", verdict, failure, {"latency_ms": 9}, 12
    )
    answer = with_second_look(caption(2, CLAIM, text="first text"), [look])
    check = Check.CONFIRMED if failure is None else Check.UNVERIFIED
    happened = event(4.5, 5.0, basis=Basis.VLM, check=check)
    return Case(incident(happened, check=check, basis=Basis.VLM), (happened,), (answer,))


def _manifest(one: Case) -> Manifest:
    return account(one, None, (), {}, CONTEXT, Limits())


def _second(answer: AnswerOut) -> SecondLookOut:
    assert answer.second_look is not None
    return answer.second_look


def test_both_answers_and_the_decision_are_written_down() -> None:
    """The texts with their hashes, the claim before and after, and how the incident is called for it."""
    manifest = _manifest(_twice(claim(4.75, 5.5)))
    (answer,) = manifest.answers
    second = _second(answer)
    assert (answer.text, answer.status) == ("first text", Severity.DANGER)
    assert (second.outcome, second.first_status) == ("softened", Severity.DANGER)
    (again,) = second.answers
    assert (again.text, again.start_s, again.end_s, again.frames) == ("second text", 0.0, 8.0, 64)
    assert (again.prompt.id, again.stats, again.failure) == ("second_look.v1", {"latency_ms": 9}, None)
    (checked,) = second.claims
    assert checked.before is not None
    assert checked.after is not None
    assert (checked.before.severity, checked.before.start_s) == (Severity.EXTREME, 4.5)
    assert (checked.after.severity, checked.after.start_s) == (Severity.DANGER, 4.75)
    assert checked.after.check is Check.CONFIRMED
    assert manifest.decision.check is Check.CONFIRMED
    assert manifest.decision.steps[0].claim == checked.after
    assert answer.stats == {"tokens": 12}


def test_an_answer_that_did_not_come_is_named() -> None:
    """The claim stands, and the manifest says why nobody checked it."""
    manifest = _manifest(_twice(failure=Failure("Timeout", "no answer within 60 s")))
    second = _second(manifest.answers[0])
    assert second.outcome == "unverified"
    assert [(a.failure, a.status) for a in second.answers] == [("Timeout: no answer within 60 s", None)]
    assert manifest.decision.check is Check.UNVERIFIED


def test_without_a_second_look_nothing_is_said_of_one() -> None:
    """As of a replay."""
    manifest = _manifest(case(4.0, 5.0))
    assert manifest.answers[0].second_look is None
    assert manifest.decision.check is Check.ONCE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence with a second look; not to be changed."""
    folder = tmp_path_factory.mktemp("job")
    video = draw(folder / "yard.mp4", every(8))
    collect(folder, [_twice(claim(4.75, 5.5))], whole(video, 8.0), CONTEXT)
    return folder / "evidence" / "incident-0"


@pytest.fixture
def evidence(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    folder = tmp_path / "incident-0"
    folder.mkdir()
    for path in made.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_what_nobody_touched_passes(evidence: Path) -> None:
    """The second answer and its prompt have lines of their own."""
    result = verify(evidence)
    assert result.ok
    items = [finding.item for finding in result.findings if finding.outcome is Outcome.PASS]
    assert items[-3:] == ["answer, chunk 2", "second answer, chunk 2", "second prompt, chunk 2"]
    assert shelf.read(evidence) is not None


def _text(page: dict[str, Any]) -> None:
    page["answers"][0]["second_look"]["answers"][0]["text"] = "all calm"


def _asked(page: dict[str, Any]) -> None:
    page["answers"][0]["second_look"]["answers"][0]["prompt"]["user"] += " Say yes."


@pytest.mark.parametrize(
    ("change", "item"), [(_text, "second answer, chunk 2"), (_asked, "second prompt, chunk 2")]
)
def test_a_changed_second_answer_is_found(
    evidence: Path, change: Callable[[dict[str, Any]], None], item: str
) -> None:
    """Even where the list of hashes was made to fit."""
    rewrite(evidence, change)
    failed = [f.item for f in verify(evidence).findings if f.outcome is Outcome.FAIL]
    assert failed == [item]


def _older(page: Any) -> None:
    """What manifests did not tell before anybody looked twice."""
    if isinstance(page, dict):
        page.pop("check", None)
        page.pop("second_look", None)
    for part in page.values() if isinstance(page, dict) else page if isinstance(page, list) else ():
        _older(part)


def test_a_manifest_from_before_second_looks_still_verifies(evidence: Path) -> None:
    """What it does not tell is as if nobody looked again."""
    rewrite(evidence, _older)
    assert "check" not in json.dumps(json.loads((evidence / "manifest.json").read_text("utf-8")))
    assert verify(evidence).ok
    manifest = shelf.read(evidence)
    assert manifest is not None
    assert (manifest.decision.check, manifest.answers[0].second_look) == (Check.ONCE, None)
