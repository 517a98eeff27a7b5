"""The manifest: what evidence consists of and what the decision rests on, as it is written, checked and served."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from extension.model import Basis, Check, Severity
from extension.wire import EventOut, IncidentOut, Wire

VERSION: Final = 1
NAME: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
Digest = str
_SHA256: Final = "^[0-9a-f]{64}$"
SIMPLE_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class StretchOut(Wire):
    """From when to when, media seconds of the source."""

    start_s: float
    end_s: float


class ProgramOut(Wire):
    """What made the evidence."""

    name: str
    version: str
    pyav: str


class SourceFileOut(Wire):
    """A file that the source consists of, and which part of it the evidence is taken from; `sha256` is of the whole file."""

    name: str
    size_bytes: int | None
    sha256: Digest | None = Field(pattern=_SHA256)
    from_s: float
    to_s: float
    at_s: float = Field(description="Media second of the source that from_s shows")


class SourceOut(Wire):
    """What was looked at."""

    name: str
    job_id: str
    files: list[SourceFileOut]
    gaps: list[StretchOut] = Field(
        description="Stretches of the clip that no file covers; its picture stands still there"
    )


class PromptOut(Wire):
    """What the VLM was told; `sha256` is of system, a line feed, and user in UTF-8.

    What was added for one window of a camera (notes, zones, earlier answers) came after `user` and an empty line: it is `brief_text`
    in the stats of that window's answer, its SHA-256 `brief`.
    """

    id: str
    sha256: Digest = Field(pattern=_SHA256)
    system: str
    user: str


class AskedOut(Wire):
    """How the VLM was asked."""

    model: str | None
    prompt: PromptOut | None
    verdict_schema: int
    parameters: dict[str, Any]


class ClaimOut(Wire):
    """What the VLM said happened, media seconds of the source, and what became of looking twice."""

    kind: str
    start_s: float
    end_s: float
    severity: Severity
    objects: list[str]
    clock: str | None
    description: str
    confidence: float | None
    check: Check = Check.ONCE


class CheckedOut(Wire):
    """What a second look made of a claim: as it was (none for what only the second look saw), and as it stands (none when rejected)."""

    outcome: Literal["confirmed", "softened", "unverified", "rejected", "added"]
    before: ClaimOut | None
    after: ClaimOut | None


class SecondAnswerOut(Wire):
    """The answer of one second look, with what it was shown and told; `sha256` is of its text in UTF-8."""

    start_s: float
    end_s: float
    frames: int
    prompt: PromptOut
    text: str
    sha256: Digest = Field(pattern=_SHA256)
    status: Severity | None
    failure: str | None
    stats: dict[str, Any]


class SecondLookOut(Wire):
    """How an answer was checked: what the first look alone said, what became of its claims, and the second answers."""

    outcome: Literal["confirmed", "softened", "unverified", "rejected"]
    first_status: Severity
    claims: list[CheckedOut]
    answers: list[SecondAnswerOut]


class AnswerOut(Wire):
    """The answer for one chunk; `sha256` is of its text in UTF-8, `status` what it comes to after a second look, where there was one."""

    chunk_index: int
    start_s: float
    end_s: float
    asked: bool
    text: str
    sha256: Digest = Field(pattern=_SHA256)
    status: Severity | None
    failure: str | None
    stats: dict[str, Any]
    second_look: SecondLookOut | None = None


class StepOut(Wire):
    """One event, the claim behind it, and what was done with it."""

    ruling: Literal["claimed", "confirmed", "told"]
    claim: ClaimOut | None
    event: EventOut


class DecisionOut(Wire):
    """How the incident was decided."""

    basis: Basis
    check: Check = Check.ONCE
    severity: Severity
    merged_events: int
    steps: list[StepOut]


class TakenOut(Wire):
    """What of the source the evidence was to show."""

    clip: StretchOut | None
    snapshot_s: float | None
    before_s: float
    after_s: float
    longest_s: float
    cut_short: bool = Field(description="The incident lasts longer than the clip may")


class FileOut(Wire):
    """A file of the evidence, and what it shows of the source."""

    name: str = Field(pattern=SIMPLE_NAME)
    media_type: str
    sha256: Digest = Field(pattern=_SHA256)
    size_bytes: int
    width: int
    height: int
    start_s: float
    end_s: float
    frames: int


class MissingOut(Wire):
    """What could not be made, or not wholly, and why."""

    name: str
    reason: str


class Manifest(Wire):
    """All of one incident's evidence."""

    manifest: Literal[1] = VERSION
    program: ProgramOut
    incident: IncidentOut
    source: SourceOut
    asked: AskedOut
    answers: list[AnswerOut]
    decision: DecisionOut
    taken: TakenOut
    files: list[FileOut]
    missing: list[MissingOut]

    def page(self) -> str:
        """The manifest as it is written: its fields in their order, times with their zone."""
        return self.model_dump_json(indent=2) + "\n"

    def same_case(self, other: Manifest) -> bool:
        """Whether both are of the same findings in the same source; what made them, and how far it got, does not matter."""
        made = {"program", "files", "missing"}
        # As JSON: there, what is not a number equals itself.
        return self.model_dump_json(exclude=made) == other.model_dump_json(exclude=made)


class LinkOut(Wire):
    """Where a file of the evidence can be had; `sha256` is what it was when the evidence was made."""

    name: str
    href: str
    sha256: Digest
    size_bytes: int
    media_type: str


class EvidenceOut(Wire):
    """The evidence of an incident: its manifest, and where its files are."""

    incident_id: str
    job_id: str
    manifest_sha256: Digest
    links: list[LinkOut]
    manifest: Manifest
