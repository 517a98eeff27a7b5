"""Checks evidence against its own manifest: every hash is computed again. It changes nothing and trusts no name in a manifest."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from extension.errors import BadInput
from extension.evidence import digests, shelf
from extension.evidence.account import prompt_text
from extension.evidence.manifest import NAME, SIMPLE_NAME, SUMS, VERSION, Manifest

_MOST_BYTES: Final = 256 << 20
"""A manifest is far smaller; a larger file is none."""


class Outcome(enum.StrEnum):
    """What came of a check; `NOTE` is no check: something that a reader should know."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: of what, how it went, and what is wrong."""

    item: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of checking the evidence of one incident; `folder` is its folder's name."""

    folder: str
    incident_id: str | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(finding.outcome is not Outcome.FAIL for finding in self.findings)


def folders(path: Path) -> tuple[Path, ...]:
    """The folders of evidence that a path means: itself, the folder of a manifest, or all those in it.

    Raises:
        BadInput: There is nothing there.
    """
    if path.is_file():
        return (path.parent,)
    if not path.is_dir():
        raise BadInput(f"there is no evidence called {path.name!r}")
    if any((path / name).exists() for name in (NAME, SUMS)):
        return (path,)
    inner = tuple(sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith(".")))
    if found := tuple(p for p in inner if (p / NAME).exists() or (p / SUMS).exists()):
        return found
    raise BadInput(f"{path.name!r} holds no evidence: there is no {NAME} in it")


def verify(folder: Path, source: Path | None = None, expected: str | None = None) -> Verified:
    """Check the evidence in a folder.

    Args:
        folder: Of one incident.
        source: The source video, to check its hash too.
        expected: SHA-256 that the manifest must have, as an alert or a record kept elsewhere tells it.
    """
    findings = list(_sealed(folder, expected))
    manifest: Manifest | None = None
    if (folder / NAME).is_file():
        manifest, finding = _read(folder)
        findings.append(finding)
    if manifest is None:
        findings += _listed(folder)
    else:
        findings += _files(folder, manifest)
        findings += _texts(manifest)
        findings += _sources(manifest, source)
        findings += [Finding(one.name, Outcome.NOTE, f"incomplete: {one.reason}") for one in manifest.missing]
        findings += _strangers(folder, manifest)
    return Verified(folder.resolve().name, manifest.incident.id if manifest else None, tuple(findings))


def _sealed(folder: Path, expected: str | None) -> Iterator[Finding]:
    """The manifest against the list of hashes, and against what is known from elsewhere."""
    sums = shelf.sums_of(folder)
    digest, fault = _digest(folder / NAME)
    if digest is None:
        yield Finding(NAME, Outcome.FAIL, fault)
        return
    if NAME not in sums:
        why = (
            f"{SUMS} does not name it"
            if (folder / SUMS).exists()
            else f"{SUMS}, which holds its hash, is missing"
        )
        yield Finding(NAME, Outcome.FAIL, why)
    else:
        yield _compared(NAME, digest, sums[NAME], f"its hash is not the one in {SUMS}")
    if expected is not None:
        yield _compared(
            f"{NAME} (as told)", digest, expected.lower(), "it is not the manifest with that hash"
        )


def _read(folder: Path) -> tuple[Manifest | None, Finding]:
    item = "version"
    try:
        page: Any = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError):
        return None, Finding(item, Outcome.FAIL, f"{NAME} is not JSON")
    version = page.get("manifest") if isinstance(page, dict) else None
    if version != VERSION:
        return None, Finding(item, Outcome.FAIL, f"{version!r} is not known; this program reads {VERSION}")
    try:
        return Manifest.model_validate(page), Finding(item, Outcome.PASS, str(version))
    except ValidationError as exc:
        where = ".".join(map(str, exc.errors()[0]["loc"]))
        return None, Finding(item, Outcome.FAIL, f"{NAME} does not follow version {VERSION}: {where}")


def _listed(folder: Path) -> Iterator[Finding]:
    """Files against the list of hashes alone, where no manifest can be read."""
    for name, expected in shelf.sums_of(folder).items():
        if name == NAME or re.fullmatch(SIMPLE_NAME, name) is None:
            continue
        digest, fault = _digest(folder / name)
        if digest is None:
            yield Finding(name, Outcome.FAIL, fault)
        else:
            yield _compared(name, digest, expected, f"its content changed: the hash is not that in {SUMS}")


def _files(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    sums = shelf.sums_of(folder)
    for file in manifest.files:
        digest, fault = _digest(folder / file.name)
        if digest is None:
            yield Finding(file.name, Outcome.FAIL, fault)
        elif digest == file.sha256 and sums and sums.get(file.name) != digest:
            yield Finding(file.name, Outcome.FAIL, f"{SUMS} tells another hash than {NAME}")
        else:
            yield _compared(
                file.name, digest, file.sha256, f"its content changed: the hash is not that in {NAME}"
            )


def _texts(manifest: Manifest) -> Iterator[Finding]:
    prompt = manifest.asked.prompt
    if prompt is not None:
        yield _text(f"prompt {prompt.id}", prompt_text(prompt.system, prompt.user), prompt.sha256)
    for answer in manifest.answers:
        item = f"answer, chunk {answer.chunk_index}"
        yield _text(item, answer.text, answer.sha256)
        if isinstance(told := answer.stats.get("brief_text"), str):
            yield _text(f"brief, chunk {answer.chunk_index}", told, str(answer.stats.get("brief")))
        for second in answer.second_look.answers if answer.second_look else ():
            yield _text(f"second {item}", second.text, second.sha256)
            asked = prompt_text(second.prompt.system, second.prompt.user)
            yield _text(f"second prompt, chunk {answer.chunk_index}", asked, second.prompt.sha256)


def _text(item: str, text: str, expected: str) -> Finding:
    return _compared(item, digests.of_text(text), expected, "its text is not the one that was hashed")


def _sources(manifest: Manifest, source: Path | None) -> Iterator[Finding]:
    known = {file.name: file.sha256 for file in manifest.source.files}
    if source is None:
        for name in known:
            yield Finding(f"source {name}", Outcome.NOTE, "not checked; name it with --source")
        return
    digest, fault = _digest(source)
    item = f"source {source.name}"
    if digest is None:
        yield Finding(item, Outcome.FAIL, fault)
    elif digest in known.values():
        yield Finding(item, Outcome.PASS)
    else:
        yield Finding(item, Outcome.FAIL, "it is none of the files that the evidence was taken from")


def _strangers(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    ours = {NAME, SUMS, *(file.name for file in manifest.files)}
    for path in sorted(folder.iterdir()):
        if path.name not in ours:
            yield Finding(path.name, Outcome.NOTE, "not part of the evidence")


def _compared(item: str, digest: str, expected: str, otherwise: str) -> Finding:
    return Finding(item, Outcome.PASS) if digest == expected else Finding(item, Outcome.FAIL, otherwise)


def _digest(path: Path) -> tuple[str | None, str]:
    """The hash of a file, or why there is none."""
    try:
        if path.name == NAME and path.stat().st_size > _MOST_BYTES:
            return None, "too large for a manifest"
        return digests.of_file(path), ""
    except FileNotFoundError:
        return None, "missing"
    except OSError as exc:
        return None, f"cannot be read: {exc.strerror or type(exc).__name__}"
